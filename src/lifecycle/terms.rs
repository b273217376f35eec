//! One rule alone: the days after which S3 never removes anything early, how late that can be,
//! and what of the rule or the bucket speaks against S3.
//!
//! **From when.** S3 counts from the upload. A trigger on an attribute is still provable when
//! every object has a date near its upload: `within` limits it, `outside: clamp` does so for
//! values outside, and `if-missing: uploaded` for objects without one. A value that cannot be
//! read may be any of these, so it is covered. [`super::days`] finds the days and the bound.
//!
//! **How late.** The bound must not exceed the policy's tolerance. Lag between eligibility and
//! removal is S3's own and has no documented limit; it is not counted.
//!
//! **Versions.** In a bucket that never had versioning, expiration removes the object. Where
//! versioning is enabled it only puts a delete marker on top, and the object goes as a
//! noncurrent version after that, so the rule must say so (`noncurrent`). A noncurrent version
//! is due when its successor was created plus `noncurrent.retain`; markers made by S3 carry
//! midnight, so the days that never-early needs are the period's longest span, and the whole
//! way of a current version takes its own bound, those days, and one more for an exact
//! midnight. Versions kept by number (`newer-noncurrent-versions`) would include objects that
//! have expired, and keep them for ever. Markers that are left alone are removed by a rule of
//! their own, because S3 does not take that action beside expiration days. Where versioning is
//! suspended S3's marker replaces the null version at once; with MFA delete there is no
//! lifecycle; with Object Lock S3 would hide what is locked.
//!
//! **Incomplete uploads** count from their initiation, like an upload without slack.

use chrono::{DateTime, Utc};

use crate::calendar::Period;
use crate::object::{BucketFacts, Versioning};
use crate::policy::{Attribute, Enforce, IfMissing, Outside, Policy, Rule, Source, Trigger};

use super::days::{Offsets, Window};
use super::owned::{Action, LONGEST_ID, Move, OwnedRule};
use super::reason::DirectReason;
use super::rule::Filter;

/// What S3 does under one rule. All in whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifecycleTerms {
    /// From the upload to expiration.
    pub expire_days: u32,
    /// The most that S3 can be late: from the due date to eligibility, in a versioned bucket to
    /// that of the version itself.
    pub lateness_days: u32,
    /// In a versioned bucket, from the creation of its successor to a version's removal.
    pub noncurrent_days: Option<u32>,
    /// From the initiation of an incomplete upload to its abortion.
    pub abort_days: Option<u32>,
}

/// How long S3 waits for one kind of thing, and how late it can be with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait {
    days: i64,
    late: i64,
}

/// What S3 would have to do for one or several rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waits {
    expire: Wait,
    noncurrent: Option<Wait>,
    abort: Option<Wait>,
}

impl Wait {
    /// From an event that has exactly one moment.
    fn from_event(period: Period) -> Option<Self> {
        let days = Window::UPLOADED.least_days(period);
        Some(Self { days, late: Window::UPLOADED.lateness(period, days)? })
    }

    /// The longer one. What must wait for both is due no earlier than the longer alone says, so
    /// the longer one's bound holds; of two that are the same, the smaller bound does.
    fn max(self, other: Self) -> Self {
        match self.days.cmp(&other.days) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => Self { late: self.late.min(other.late), ..self },
        }
    }
}

impl Waits {
    /// What keeps the promise of both where both cover the same objects: the longest wins.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            expire: self.expire.max(other.expire),
            noncurrent: self.noncurrent.zip(other.noncurrent).map(|(a, b)| a.max(b)),
            abort: self.abort.zip(other.abort).map(|(a, b)| a.max(b)),
        }
    }

    /// Whether `other`, done to the same objects as well, would leave this promise kept.
    pub(super) fn bears(&self, other: &Self) -> bool {
        let noncurrent = match (self.noncurrent, other.noncurrent) {
            (Some(own), Some(other)) => own.days <= other.days,
            (own, other) => own.is_none() && other.is_none(),
        };
        let abort = other.abort.is_none_or(|other| self.abort.is_some_and(|own| own.days <= other.days));
        self.expire.days <= other.expire.days && noncurrent && abort
    }

    pub(super) const fn expire_days(&self) -> i64 {
        self.expire.days
    }

    #[cfg(test)]
    pub(super) fn of(terms: LifecycleTerms) -> Self {
        let wait = |days: u32| Wait { days: days.into(), late: terms.lateness_days.into() };
        Self {
            expire: wait(terms.expire_days),
            noncurrent: terms.noncurrent_days.map(wait),
            abort: terms.abort_days.map(wait),
        }
    }

    /// Without the abortion of uploads, which are then Shelflife's.
    pub(super) fn without_abort(self) -> Self {
        Self { abort: None, ..self }
    }

    /// As whole days; `None` beyond S3's 32-bit integers.
    pub(super) fn terms(&self) -> Option<LifecycleTerms> {
        let mut lateness = self.expire.late;
        if let Some(noncurrent) = self.noncurrent {
            // The marker stands at midnight, and an exact midnight may go to the next.
            lateness = noncurrent.late.max(lateness + noncurrent.days + 1);
        }
        lateness = self.abort.map_or(lateness, |abort| lateness.max(abort.late));
        let days = |days: i64| i32::try_from(days).ok().and_then(|days| u32::try_from(days).ok());
        let optional = |wait: Option<Wait>| wait.map_or(Some(None), |wait| days(wait.days).map(Some));
        Some(LifecycleTerms {
            expire_days: days(self.expire.days)?,
            lateness_days: days(lateness)?,
            noncurrent_days: optional(self.noncurrent)?,
            abort_days: optional(self.abort)?,
        })
    }

    /// The terms, or that S3 cannot count so far or would be later than the policy tolerates.
    pub(super) fn tolerable(&self, policy: &Policy) -> Result<LifecycleTerms, DirectReason> {
        let terms = self.terms().ok_or(DirectReason::TooLong)?;
        let (bound, tolerance) = (terms.lateness_days, policy.tolerance_days);
        if bound > tolerance { Err(DirectReason::Late { bound, tolerance }) } else { Ok(terms) }
    }
}

/// What S3 would have to do for the rule with the period `retain`, and every reason why it
/// cannot be given it; what it would have to do is none only where no days can be counted.
pub(super) fn waits(
    policy: &Policy,
    rule: &Rule,
    retain: Period,
    bucket: &BucketFacts,
) -> (Option<Waits>, Vec<DirectReason>) {
    let (window, mut reasons) = window(policy, &rule.trigger);
    if bucket.mfa_delete {
        reasons.push(DirectReason::MfaDelete);
    }
    if bucket.object_lock {
        reasons.push(DirectReason::ObjectLock);
    }
    let noncurrent = match (bucket.versioning, rule.noncurrent) {
        (Versioning::Never, _) => None,
        (Versioning::Enabled, Some(noncurrent)) => {
            if noncurrent.newer_versions > 0 {
                reasons.push(DirectReason::NewerVersionsStay(noncurrent.newer_versions));
            }
            Some(noncurrent.retain)
        }
        (Versioning::Enabled, None) => {
            reasons.push(DirectReason::VersionedWithoutNoncurrent);
            None
        }
        (Versioning::Suspended, _) => {
            reasons.push(DirectReason::Suspended);
            None
        }
    };
    let counted = window.and_then(|window| {
        let days = window.least_days(retain);
        Some(Waits {
            // Without a limit before the upload there is none to the lateness either; a reason
            // says so.
            expire: Wait { days, late: window.lateness(retain, days).unwrap_or(0) },
            noncurrent: noncurrent.map(Wait::from_event).map_or(Some(None), |wait| wait.map(Some))?,
            abort: rule.incomplete_uploads.map(Wait::from_event).map_or(Some(None), |wait| wait.map(Some))?,
        })
    });
    if counted.is_none() {
        reasons.push(DirectReason::TooLong);
    }
    (counted, reasons)
}

/// How far the trigger's date can lie from the upload, and why that cannot be said for certain;
/// then the window is what it would be without those reasons.
fn window(policy: &Policy, trigger: &Trigger) -> (Option<Window>, Vec<DirectReason>) {
    let reason = match &trigger.source {
        Source::Uploaded => return (Some(Window::UPLOADED), Vec::new()),
        Source::Attribute(Attribute::Key(_) | Attribute::Metadata(_) | Attribute::Tag(_)) => None,
        _ if needs_records(trigger) => Some(DirectReason::TriggerNeedsRecords),
        _ => Some(DirectReason::TriggerOfSeveralDates),
    };
    if let Some(reason) = reason {
        return (Some(Window::UPLOADED), vec![reason]);
    }
    let within = trigger.within;
    let (before, after) = (within.and_then(|it| it.before), within.and_then(|it| it.after));
    let reasons = [
        (trigger.outside != Outside::Clamp, DirectReason::NoClamp),
        (trigger.if_missing != Some(IfMissing::Uploaded), DirectReason::MissingIsNotUploaded),
        (within.is_none(), DirectReason::NoWithin),
        (within.is_some() && before.is_none(), DirectReason::UnlimitedBefore),
        (within.is_some() && after.is_none(), DirectReason::UnlimitedAfter),
    ];
    let reasons = reasons.into_iter().filter_map(|(speaks, reason)| speaks.then_some(reason)).collect();
    (Window::new(before, after.unwrap_or(0), Offsets::of(policy.timezone)), reasons)
}

fn needs_records(trigger: &Trigger) -> bool {
    match &trigger.source {
        Source::Record { .. } => true,
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().any(|term| needs_records(&term.trigger))
        }
        Source::Uploaded | Source::Attribute(_) => false,
    }
}

/// The days that S3 needs so that it is never early under the rule at `index`, nor under any override
/// of it that is in force and about tenants that what is removed `could_be_of`, whatever else speaks
/// against it; `None` where the trigger alone rules S3 out.
pub(super) fn least_days(
    policy: &Policy,
    index: usize,
    rule: &Rule,
    now: DateTime<Utc>,
    could_be_of: impl Fn(&[String]) -> bool,
) -> Option<i64> {
    let (window, reasons) = window(policy, &rule.trigger);
    let only_late = reasons.iter().all(|reason| *reason == DirectReason::UnlimitedBefore);
    let window = window.filter(|_| only_late)?;
    let overrides = policy.overrides.iter();
    let overrides = overrides.filter(|it| it.rule == index && it.in_force(now, policy.timezone));
    let overrides = overrides.filter(|it| it.tenants.as_deref().is_none_or(&could_be_of));
    let periods = std::iter::once(rule.retain).chain(overrides.map(|it| it.retain));
    periods.map(|retain| window.least_days(retain)).max()
}

/// The moves to colder storage on the way to expiration after `expire_days`. They count from the
/// upload, and are as late as the trigger can be.
pub(super) fn moves(policy: &Policy, rule: &Rule, expire_days: u32) -> Vec<Move> {
    let Some(window) = window(policy, &rule.trigger).0 else { return Vec::new() };
    let moves = rule.transitions.iter().filter_map(|transition| {
        let days = u32::try_from(window.least_days(transition.after)).ok()?;
        Some(Move { days, class: transition.to.clone() })
    });
    moves.filter(|it| it.days < expire_days).collect()
}

/// What of the rule itself speaks against S3 wherever it covers something.
pub(super) fn speaks_against(policy: &Policy, rule: &Rule) -> Vec<DirectReason> {
    let probe = OwnedRule::new(&policy.name, &rule.id, Filter::default(), Action::RemoveMarkers);
    [
        (rule.enforce == Enforce::Direct, DirectReason::PolicySaysDirect),
        (rule.export.is_some(), DirectReason::Export),
        (rule.undo_window.is_some(), DirectReason::UndoWindow),
        (rule.evidence_per_object, DirectReason::EvidencePerObject),
        (probe.id().len() > LONGEST_ID, DirectReason::IdTooLong),
    ]
    .into_iter()
    .filter_map(|(speaks, reason)| speaks.then_some(reason))
    .collect()
}
