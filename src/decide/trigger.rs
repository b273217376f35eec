//! From a trigger to the due dates that it can lead to, whatever is still unknown.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::attribute::{self, Value, describe};
use super::combination::{self, Terms};
use super::context::Context;
use super::decision::{Basis, Needs, Unknown};
use super::outlook::{Finding, NEVER, Outlook};
use super::record::{self, Field};
use super::window::{ANY_TIME, Window};
use crate::calendar::{Moment, MomentError};
use crate::policy::{Attribute, IfMissing, Outside, Source, Term, Trigger};

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
        Source::Uploaded => match Moment::Instant(context.object.uploaded).plausible() {
            Ok(uploaded) => exact(due, Finding::Known(basis(uploaded, "uploaded"))),
            Err(why) => Outlook::unknown(Unknown::NoDate(why)),
        },
        Source::Attribute(attribute) => {
            leaf(context, trigger, attribute_value(context, trigger, attribute), &describe(attribute), due)
        }
        Source::Record { table, column } => {
            let name = context.policy.tables.get(*table).map_or("?", |table| table.name.as_str());
            let source = format!("record {name}.{column}");
            leaf(context, trigger, record_value(context, trigger, *table, column), &source, due)
        }
        Source::Earliest(terms) => combination::earliest(&look(context, trigger, terms, due)),
        Source::Latest(terms) => combination::latest(&look(context, trigger, terms, due)),
        Source::First(terms) => combination::first(&look(context, trigger, terms, due)),
    }
}

fn look(
    context: Context<'_>,
    trigger: &Trigger,
    terms: &[Term],
    due: &dyn Fn(Moment) -> DateTime<Utc>,
) -> Terms {
    let seen = terms.iter().map(|term| {
        let plus = term.plus.unwrap_or_default();
        outlook(context, &term.trigger, &|moment| moment.plus(plus).map_or(NEVER, due))
    });
    Terms {
        seen: seen.collect(),
        instead: missing(trigger, context.object.uploaded).map(|finding| exact(due, finding)),
        absent: absent(trigger, None, context.policy.timezone, due),
        is_term: trigger.if_missing.is_none(),
    }
}

fn basis(moment: Moment, source: &str) -> Basis {
    Basis { moment, source: source.into() }
}

fn attribute_value(context: Context<'_>, trigger: &Trigger, attribute: &Attribute) -> Raw {
    if let Attribute::Key(pattern) = attribute {
        return match pattern.date(context.object.key, context.policy.timezone) {
            None => Raw::Absent,
            Some(Ok(moment)) => Raw::Known(moment),
            Some(Err(why)) => Raw::NoDate(why),
        };
    }
    match attribute::read(attribute, "", context.object) {
        Value::Known(text) => parsed(text, trigger, context.policy.timezone),
        Value::Absent => Raw::Absent,
        Value::Unread(needs) => Raw::Unseen { why: Unknown::Unread, needs },
        Value::Unknown(why) => Raw::Unseen { why: Unknown::Unreadable(why), needs: Needs::NONE },
    }
}

fn parsed(text: &str, trigger: &Trigger, zone: Tz) -> Raw {
    let read = match &trigger.format {
        Some(format) => format.read(text, zone),
        None => Moment::parse(text, zone),
    };
    match read {
        Ok(moment) => Raw::Known(moment),
        Err(why) => Raw::NoDate(why),
    }
}

fn record_value(context: Context<'_>, trigger: &Trigger, table: usize, column: &str) -> Raw {
    match record::field(context, table, column) {
        Field::Known(text) => parsed(text, trigger, context.policy.timezone),
        Field::Absent => Raw::Absent,
        Field::Unknown { why, needs } => Raw::Unknown { why, needs },
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
    if window.is_some()
        && let Err(why) = Moment::Instant(context.object.uploaded).plausible()
    {
        return Outlook { may_be_absent, ..Outlook::unknown(Unknown::NoDate(why)) };
    }
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

/// What a missing value counts as, where the policy says so and the store knows when the upload was.
fn missing(trigger: &Trigger, uploaded: DateTime<Utc>) -> Option<Finding> {
    match trigger.if_missing? {
        IfMissing::Uploaded => {
            let uploaded = Moment::Instant(uploaded).plausible().ok()?;
            Some(Finding::UploadedInstead(basis(uploaded, "uploaded, as there is no value")))
        }
        IfMissing::Retained => Some(Finding::NotHappened),
        IfMissing::Undecided => None,
    }
}

fn exact(due: &dyn Fn(Moment) -> DateTime<Utc>, finding: Finding) -> Outlook {
    let date = finding.basis().map_or(NEVER, |basis| due(basis.moment));
    Outlook::certain(date, finding)
}

/// A value that cannot be known: even so it does not lie before the window.
fn unknown(window: Option<Window>, zone: Tz, due: &dyn Fn(Moment) -> DateTime<Utc>, why: Unknown) -> Outlook {
    let earliest = window.map_or(ANY_TIME, |window| window.earliest_due(zone, due));
    Outlook { earliest, ..Outlook::unknown(why) }
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
