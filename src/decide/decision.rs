//! What a decision is: a verdict, a due date, and the typed reasons for both.

use std::fmt::{self, Write};

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use crate::calendar::{Moment, MomentError, to_the_day};
use crate::object::Unreadable;
use crate::policy::Policy;
use crate::records::NoValue;

/// What is to become of an object version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Its time is up under every rule that covers it.
    Expired,
    /// Its time is not up.
    Retained,
    /// A legal hold of the policy keeps it.
    Held,
    /// Object Lock keeps it.
    Locked,
    /// Something that decides is unknown, so it stays.
    Undecided,
    /// No rule covers it, so it stays.
    Unmatched,
}

impl Verdict {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Expired, Self::Retained, Self::Held, Self::Locked, Self::Undecided, Self::Unmatched];

    /// The word used in reports and `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Retained => "retained",
            Self::Held => "held",
            Self::Locked => "locked",
            Self::Undecided => "undecided",
            Self::Unmatched => "unmatched",
        }
    }
}

/// What has to be asked of the store before an object can be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Its metadata (HEAD).
    pub head: bool,
    /// Its tags.
    pub tags: bool,
    /// Its Object Lock state.
    pub lock: bool,
}

impl Needs {
    /// Nothing is missing.
    pub const NONE: Self = Self { head: false, tags: false, lock: false };

    /// Whether nothing is missing.
    pub const fn is_none(self) -> bool {
        !(self.head || self.tags || self.lock)
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { head: self.head || other.head, tags: self.tags || other.tags, lock: self.lock || other.lock }
    }
}

/// A decision, or what to read first.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing that could still be read would make this expired, or not expired.
    Decided(Decision),
    /// The answer depends on these.
    Needs(Needs),
}

/// What is to become of one object version, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// When it is due, the last of all rules that cover it; `None` if never or unknown.
    pub due: Option<DateTime<Utc>>,
    /// The rules that cover it, the one that keeps it longest first: indices into the policy. Those
    /// that may cover it stand behind the others, and not at all in what is expired.
    pub rules: Vec<usize>,
    /// The tenant, where known.
    pub tenant: Option<SmolStr>,
    /// The date that retention runs from under the first of `rules`, where it is known.
    pub trigger: Option<Basis>,
    /// The erasure that makes it due, whether its rules do too or not: index into the policy. S3
    /// knows nothing of it.
    pub erasure: Option<usize>,
    /// Why, most telling first; never empty.
    pub reasons: Vec<Reason>,
}

/// A date that retention runs from, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The date, before any `plus`.
    pub moment: Moment,
    /// Where it comes from, such as `metadata communication-date`.
    pub source: SmolStr,
}

/// One typed ground of a decision. Rules and holds are indices into the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Due under this rule.
    Due {
        /// The rule.
        rule: usize,
        /// Since when.
        due: DateTime<Utc>,
    },
    /// Not due under this rule before the given date.
    NotDue {
        /// The rule.
        rule: usize,
        /// The earliest that it can be due.
        earliest: DateTime<Utc>,
    },
    /// The trigger of this rule has not happened.
    NotHappened {
        /// The rule.
        rule: usize,
    },
    /// One of the newest superseded versions that this rule keeps by number.
    KeptByNumber {
        /// The rule.
        rule: usize,
    },
    /// A delete marker on top of versions that are still there.
    HidesVersions,
    /// The listing contradicts itself about which of the key's versions is the latest.
    OrderInDoubt,
    /// A legal hold of the policy.
    Hold {
        /// The hold.
        hold: usize,
    },
    /// A legal hold may cover it: what it selects by is not known.
    HoldMightFit {
        /// The hold.
        hold: usize,
        /// Why, where it was asked for.
        why: Option<Unreadable>,
    },
    /// Due because of this erasure.
    Erased {
        /// The erasure.
        erasure: usize,
        /// Since when.
        due: DateTime<Utc>,
    },
    /// An erasure covers it, and is not due yet.
    ErasureNotDue {
        /// The erasure.
        erasure: usize,
        /// When it is.
        due: DateTime<Utc>,
    },
    /// An erasure covers it, and a law keeps it.
    KeptByLaw {
        /// The rule.
        rule: usize,
        /// The override that names the law.
        over: usize,
        /// The earliest that the law can let go of it.
        earliest: DateTime<Utc>,
    },
    /// An erasure may cover it: what it selects by is not known.
    ErasureMightFit {
        /// The erasure.
        erasure: usize,
        /// Why, where it was asked for.
        why: Option<Unreadable>,
    },
    /// A rule that would keep it may cover it: what it selects by is not known.
    RuleMightCover {
        /// The rule.
        rule: usize,
        /// Why, where it was asked for.
        why: Option<Unreadable>,
    },
    /// An override that would keep it may apply: what the record says is not known.
    OverrideMightApply {
        /// The rule.
        rule: usize,
        /// The override.
        over: usize,
    },
    /// A legal hold in S3.
    LegalHold,
    /// Object Lock retention until then.
    LockedUntil {
        /// The end of it.
        until: DateTime<Utc>,
    },
    /// The Object Lock state could not be read.
    LockUnknown(Unreadable),
    /// The rule's trigger has no value that can be trusted.
    TriggerUnknown {
        /// The rule.
        rule: usize,
        /// Why.
        why: Unknown,
    },
    /// Whose it is could not be read, and it matters.
    TenantUnknown(Unreadable),
    /// No rule covers it.
    NoRule,
}

/// Why a trigger's value is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// The store did not tell.
    Unreadable(Unreadable),
    /// Nobody has asked yet.
    Unread,
    /// There is none, and the policy does not say what that means.
    Missing,
    /// The text is no date that could be meant.
    NoDate(MomentError),
    /// It lies outside of the trigger's `within`.
    Outside,
    /// The record file cannot tell.
    Record(NoValue),
    /// The record is looked up by an attribute or tenant that the object does not have.
    NoRecordId,
}

impl Reason {
    /// The reason as a short sentence, without a full stop.
    pub fn describe(&self, policy: &Policy) -> String {
        let mut sentence = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_to(policy, &mut sentence);
        sentence
    }

    /// Writes that sentence.
    ///
    /// # Errors
    /// Those of `into`.
    pub fn write_to(&self, policy: &Policy, into: &mut impl Write) -> fmt::Result {
        let rule = |index: usize| policy.rules.get(index).map_or("?", |rule| rule.id.as_str());
        let hold = |index: usize| policy.holds.get(index).map_or("?", |hold| hold.id.as_str());
        let erasure = |index: usize| policy.erasures.get(index).map_or("?", |erasure| erasure.id.as_str());
        match *self {
            Self::Due { rule: r, due } => write!(into, "due since {} under {}", to_the_day(&due), rule(r)),
            Self::NotDue { rule: r, earliest } => {
                write!(into, "not due before {} under {}", to_the_day(&earliest), rule(r))
            }
            Self::NotHappened { rule: r } => write!(into, "the trigger of {} has not happened", rule(r)),
            Self::KeptByNumber { rule: r } => {
                write!(into, "one of the newest superseded versions that {} keeps", rule(r))
            }
            Self::HidesVersions => {
                into.write_str("a delete marker that hides versions which are still there")
            }
            Self::OrderInDoubt => {
                into.write_str("the store's listing contradicts itself about which version is the latest")
            }
            Self::Hold { hold: h } => write!(into, "legal hold {}", hold(h)),
            Self::HoldMightFit { hold: h, why } => {
                write!(into, "legal hold {} may cover it, for {}", hold(h), not_known(why))
            }
            Self::Erased { erasure: e, due } => {
                write!(into, "to be erased since {} on request {}", to_the_day(&due), erasure(e))
            }
            Self::ErasureNotDue { erasure: e, due } => {
                write!(into, "to be erased on {} on request {}", to_the_day(&due), erasure(e))
            }
            Self::KeptByLaw { rule: r, over, earliest } => {
                let law = policy.overrides.get(over).and_then(|over| over.legal_basis.as_deref());
                write!(
                    into,
                    "kept by law ({}) until {} at least, under {}",
                    law.unwrap_or("?"),
                    to_the_day(&earliest),
                    rule(r)
                )
            }
            Self::ErasureMightFit { erasure: e, why } => {
                write!(into, "request {} to erase may cover it, for {}", erasure(e), not_known(why))
            }
            Self::RuleMightCover { rule: r, why } => {
                write!(into, "{} may cover it, for {}", rule(r), not_known(why))
            }
            Self::OverrideMightApply { rule: r, over } => {
                let retain = policy.overrides.get(over).map(|over| over.retain).unwrap_or_default();
                write!(into, "the override to {retain} of {} may apply, for its record is not known", rule(r))
            }
            Self::LegalHold => into.write_str("a legal hold in S3"),
            Self::LockedUntil { until } => {
                write!(into, "Object Lock retention until {}", until.format("%Y-%m-%d %H:%M UTC"))
            }
            Self::LockUnknown(why) => write!(into, "its Object Lock state is unknown: {}", unreadable(why)),
            Self::TriggerUnknown { rule: r, why } => write!(into, "the trigger of {} {why}", rule(r)),
            Self::TenantUnknown(why) => {
                write!(into, "its tenant is unknown and matters: {}", unreadable(why))
            }
            Self::NoRule => into.write_str("no rule covers it"),
        }
    }
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "is unknown: {}", unreadable(*why)),
            Self::Unread => f.write_str("has not been read"),
            Self::Missing => f.write_str("has no value"),
            Self::NoDate(why) => write!(f, "has a value that {why}"),
            Self::Outside => f.write_str("has a value too far from the upload"),
            Self::Record(NoValue::NoRow) => f.write_str("is unknown: no record has this id"),
            Self::Record(NoValue::Duplicate) => f.write_str("is unknown: several records have this id"),
            Self::Record(NoValue::Unusable) => f.write_str("is unknown: the record file cannot be trusted"),
            Self::NoRecordId => f.write_str("is unknown: nothing tells which record is the object's"),
        }
    }
}

const fn not_known(why: Option<Unreadable>) -> &'static str {
    match why {
        Some(Unreadable::Denied) => "what it selects by may not be read (permission denied)",
        Some(Unreadable::Failed) => "what it selects by could not be read",
        Some(Unreadable::NotKept) => "uploads and delete markers do not show what it selects by",
        Some(Unreadable::Unclear) => "its key can be taken apart in several ways",
        None => "what it selects by has not been read",
    }
}

const fn unreadable(why: Unreadable) -> &'static str {
    match why {
        Unreadable::Denied => "permission denied",
        Unreadable::Failed => "the store did not answer",
        Unreadable::NotKept => "uploads and delete markers carry no metadata or tags",
        Unreadable::Unclear => "the key can be taken apart in several ways",
    }
}
