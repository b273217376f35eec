//! From a trigger to the due dates that it can lead to, whatever is still unknown.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::attribute::{self, Value, describe};
use super::decision::{Basis, Needs, Unknown};
use super::tenant::Supposed;
use super::window::{ANY_TIME, Window};
use crate::calendar::{Moment, MomentError};
use crate::object::Observed;
use crate::policy::{Attribute, By, IfMissing, Outside, Policy, Source, Term, Trigger};
use crate::records::{Lookup, NoValue, Records};

/// Never due.
pub const NEVER: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

/// The due dates that a trigger can lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// It is not due before this.
    pub earliest: DateTime<Utc>,
    /// It is due from this on, whatever the unknown turns out to be; [`NEVER`] if that can't be said.
    pub latest: DateTime<Utc>,
    /// What is known of the value.
    pub finding: Finding,
    /// What could still be read that bears on it.
    pub needs: Needs,
    /// In a term: the value may turn out to be absent.
    may_be_absent: bool,
    /// In a term: the value may turn out to be unknown, which makes the whole unknown.
    may_be_unknown: bool,
}

/// What is known of a trigger's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// This date.
    Known(Basis),
    /// The value is not usable, so the date is the upload + `within.after`.
    Clamped(Basis, Unknown),
    /// There is none, so the upload counts.
    UploadedInstead(Basis),
    /// It has not happened.
    NotHappened,
    /// It cannot be known, or has not been read.
    Unknown(Unknown),
}

impl Finding {
    /// The date that retention runs from, where it is known.
    pub const fn basis(&self) -> Option<&Basis> {
        match self {
            Self::Known(basis) | Self::Clamped(basis, _) | Self::UploadedInstead(basis) => Some(basis),
            Self::NotHappened | Self::Unknown(_) => None,
        }
    }
}

/// Everything a trigger is evaluated against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The object.
    pub object: &'a Observed<'a>,
    /// Whose it is, or is supposed to be.
    pub tenant: Supposed<'a>,
}

/// A raw value of a trigger's source.
enum Raw {
    Known(Moment),
    NoDate(MomentError),
    Absent,
    /// The text itself has not been seen; whatever it is, the trigger's own terms cover it.
    Unseen {
        why: Unknown,
        needs: Needs,
    },
    /// There may be nothing to see: no record, no trusted file.
    Unknown {
        why: Unknown,
        needs: Needs,
    },
}

/// Evaluates `trigger`; `due` turns a date into the due date that it leads to, [`NEVER`]
/// beyond the calendar's end.
pub fn outlook(context: Context<'_>, trigger: &Trigger, due: &dyn Fn(Moment) -> DateTime<Utc>) -> Outlook {
    match &trigger.source {
        Source::Uploaded => {
            exact(due, Finding::Known(basis(Moment::Instant(context.object.uploaded), "uploaded")))
        }
        Source::Attribute(attribute) => {
            leaf(context, trigger, attribute_value(context, attribute), &describe(attribute), due)
        }
        Source::Record { table, column } => {
            let name = context.policy.tables.get(*table).map_or("?", |table| table.name.as_str());
            let source = format!("record {name}.{column}");
            leaf(context, trigger, record_value(context, *table, column), &source, due)
        }
        Source::Earliest(terms) => earliest(context, trigger, terms, due),
    }
}

fn basis(moment: Moment, source: &str) -> Basis {
    Basis { moment, source: source.to_owned() }
}

fn attribute_value(context: Context<'_>, attribute: &Attribute) -> Raw {
    if let Attribute::Key(pattern) = attribute {
        return match pattern.date(context.object.key, context.policy.timezone) {
            None => Raw::Absent,
            Some(Ok(moment)) => Raw::Known(moment),
            Some(Err(why)) => Raw::NoDate(why),
        };
    }
    match attribute::read(attribute, "", context.object) {
        Value::Known(text) => parsed(text, context.policy.timezone),
        Value::Absent => Raw::Absent,
        Value::Unread(needs) => Raw::Unseen { why: Unknown::Unread, needs },
        Value::Unknown(why) => Raw::Unseen { why: Unknown::Unreadable(why), needs: Needs::NONE },
    }
}

fn parsed(text: &str, zone: Tz) -> Raw {
    match Moment::parse(text, zone) {
        Ok(moment) => Raw::Known(moment),
        Err(why) => Raw::NoDate(why),
    }
}

fn record_value(context: Context<'_>, table: usize, column: &str) -> Raw {
    let unknown = |why| Raw::Unknown { why, needs: Needs::NONE };
    let Some(spec) = context.policy.tables.get(table) else {
        return unknown(Unknown::Record(NoValue::Unusable));
    };
    let id = match &spec.by {
        By::Tenant => match context.tenant {
            Supposed::Tenant(tenant) => tenant,
            // What the records say of a tenant that nobody has read is not known either.
            Supposed::Nobody | Supposed::Stranger => return unknown(Unknown::NoRecordId),
        },
        By::Attribute(attribute) => match attribute::read(attribute, "id", context.object) {
            Value::Known(id) => id,
            Value::Absent => return unknown(Unknown::NoRecordId),
            Value::Unread(needs) => return Raw::Unknown { why: Unknown::Unread, needs },
            Value::Unknown(why) => return unknown(Unknown::Unreadable(why)),
        },
    };
    match context.records.lookup(table, id, column) {
        Lookup::Known(text) => parsed(text, context.policy.timezone),
        Lookup::Absent => Raw::Absent,
        Lookup::Unknown(why) => unknown(Unknown::Record(why)),
    }
}

fn leaf(
    context: Context<'_>,
    trigger: &Trigger,
    raw: Raw,
    source: &str,
    due: &dyn Fn(Moment) -> DateTime<Utc>,
) -> Outlook {
    let window = trigger.within.map(|within| Window::around(context.object.uploaded, within));
    let zone = context.policy.timezone;
    let may_be_absent = trigger.if_missing.is_none();
    let unusable = |why: Unknown| match (trigger.outside, window.and_then(|window| window.to)) {
        (Outside::Clamp, Some(end)) => {
            exact(due, Finding::Clamped(basis(Moment::Instant(end), "uploaded + within.after"), why))
        }
        _ => unknown(window, zone, due, why),
    };
    match raw {
        Raw::Known(moment) if window.is_none_or(|window| window.admits(moment, zone)) => {
            exact(due, Finding::Known(basis(moment, source)))
        }
        Raw::Known(_) => unusable(Unknown::Outside),
        Raw::NoDate(why) => unusable(Unknown::NoDate(why)),
        Raw::Absent => missing(trigger, context.object.uploaded)
            .map_or_else(|| absent(trigger, window, zone, due), |finding| exact(due, finding)),
        Raw::Unseen { why, needs } => {
            Outlook { needs, may_be_absent, ..unseen(context, trigger, window, due, why) }
        }
        Raw::Unknown { why, needs } => Outlook { needs, may_be_absent, ..unknown(window, zone, due, why) },
    }
}

/// What a missing value counts as, where the policy says so.
fn missing(trigger: &Trigger, uploaded: DateTime<Utc>) -> Option<Finding> {
    match trigger.if_missing? {
        IfMissing::Uploaded => {
            Some(Finding::UploadedInstead(basis(Moment::Instant(uploaded), "uploaded, as there is no value")))
        }
        IfMissing::Retained => Some(Finding::NotHappened),
        IfMissing::Undecided => None,
    }
}

fn exact(due: &dyn Fn(Moment) -> DateTime<Utc>, finding: Finding) -> Outlook {
    let date = finding.basis().map_or(NEVER, |basis| due(basis.moment));
    Outlook::certain(date, finding)
}

impl Outlook {
    /// A due date that is certain.
    pub const fn certain(due: DateTime<Utc>, finding: Finding) -> Self {
        Self {
            earliest: due,
            latest: due,
            finding,
            needs: Needs::NONE,
            may_be_absent: false,
            may_be_unknown: false,
        }
    }

    /// The due date, if there is just one and it is a date at all.
    pub fn due(&self) -> Option<DateTime<Utc>> {
        (self.earliest == self.latest && self.latest != NEVER).then_some(self.latest)
    }
}

/// A value that cannot be known: even so it does not lie before the window.
fn unknown(window: Option<Window>, zone: Tz, due: &dyn Fn(Moment) -> DateTime<Utc>, why: Unknown) -> Outlook {
    Outlook {
        earliest: window.map_or(ANY_TIME, |window| window.earliest_due(zone, due)),
        latest: NEVER,
        finding: Finding::Unknown(why),
        needs: Needs::NONE,
        may_be_absent: false,
        may_be_unknown: true,
    }
}

/// A value that is not there, where the policy does not say what that means: alone it is
/// unknown, in a term it is left out.
fn absent(
    trigger: &Trigger,
    window: Option<Window>,
    zone: Tz,
    due: &dyn Fn(Moment) -> DateTime<Utc>,
) -> Outlook {
    let outlook = unknown(window, zone, due, Unknown::Missing);
    match trigger.if_missing {
        None => Outlook { may_be_absent: true, may_be_unknown: false, ..outlook },
        Some(_) => outlook,
    }
}

/// A value that has not been seen: it may be anything that the trigger admits, or missing.
fn unseen(
    context: Context<'_>,
    trigger: &Trigger,
    window: Option<Window>,
    due: &dyn Fn(Moment) -> DateTime<Utc>,
    why: Unknown,
) -> Outlook {
    let zone = context.policy.timezone;
    let outlook = unknown(window, zone, due, why);
    let Some(latest) =
        window.filter(|_| trigger.outside == Outside::Clamp).and_then(|w| w.latest_due(zone, due))
    else {
        return outlook;
    };
    let bounded = Outlook { latest, may_be_unknown: false, ..outlook };
    match trigger.if_missing {
        // The upload lies in its own window.
        None | Some(IfMissing::Uploaded) => bounded,
        Some(IfMissing::Retained) => Outlook { latest: NEVER, ..bounded },
        Some(IfMissing::Undecided) => Outlook { latest: NEVER, may_be_unknown: true, ..bounded },
    }
}

/// The earliest of several terms: absent ones are left out, one unknown makes the whole unknown.
fn earliest(
    context: Context<'_>,
    trigger: &Trigger,
    terms: &[Term],
    due: &dyn Fn(Moment) -> DateTime<Utc>,
) -> Outlook {
    let seen: Vec<Outlook> = terms
        .iter()
        .map(|term| {
            let plus = term.plus.unwrap_or_default();
            outlook(context, &term.trigger, &|moment| moment.plus(plus).map_or(NEVER, due))
        })
        .collect();
    let is_absent =
        |term: &&Outlook| term.may_be_absent && term.finding == Finding::Unknown(Unknown::Missing);
    let present: Vec<&Outlook> = seen.iter().filter(|term| !is_absent(term)).collect();
    let instead = missing(trigger, context.object.uploaded).map(|finding| exact(due, finding));
    // Even a missing date does not come to lie before its window.
    let whenever = seen.iter().map(|term| term.earliest).min().unwrap_or(ANY_TIME);
    let Some(first) = present.iter().min_by_key(|term| (term.earliest, term.latest)) else {
        return instead.unwrap_or_else(|| Outlook {
            earliest: whenever,
            ..absent(trigger, None, context.policy.timezone, due)
        });
    };

    let needs = seen.iter().fold(Needs::NONE, |needs, term| needs.and(term.needs));
    let certain = present.iter().filter(|term| !term.may_be_absent);
    let mut whole = Outlook {
        earliest: first.earliest,
        latest: NEVER,
        finding: first.finding.clone(),
        needs,
        may_be_absent: false,
        may_be_unknown: false,
    };
    match certain.map(|term| term.latest).min() {
        Some(latest) => whole.latest = latest,
        None => {
            // Every term may turn out to be absent: the worst is any one alone, or none.
            let alone = present.iter().map(|term| term.latest).max().unwrap_or(NEVER);
            match &instead {
                Some(instead) => {
                    whole.earliest = whole.earliest.min(instead.earliest);
                    whole.latest = alone.max(instead.latest);
                }
                None if trigger.if_missing.is_none() => {
                    whole.latest = alone;
                    whole.may_be_absent = true;
                }
                None => {
                    whole.earliest = whenever;
                    whole.may_be_unknown = true;
                }
            }
        }
    }
    let unknown = present.iter().filter(|term| term.may_be_unknown);
    if let Some(unknown) = unknown.min_by_key(|term| !term.needs.is_none()) {
        whole.finding = unknown.finding.clone();
        whole.may_be_unknown = true;
        if unknown.needs.is_none() {
            // It is so for good, and with it the whole: reading the others is in vain.
            whole.needs = Needs::NONE;
        }
    } else if present.len() > 1 && whole.earliest != whole.latest {
        // Which term counts is not known before all are.
        if let Some(open) = present.iter().find(|term| term.earliest != term.latest) {
            whole.finding = open.finding.clone();
        }
    }
    if whole.may_be_unknown {
        whole.latest = NEVER;
    }
    whole
}
