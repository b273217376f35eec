//! Dates, attributes and misses in words.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::calendar::{Moment, Period};
use crate::decide::Miss;
use crate::object::Observed;
use crate::policy::{Attribute, Policy, RecordCondition, Source, Term, Trigger};

/// `2026-11-23 00:00 UTC`, with seconds where there are any.
pub fn instant(at: DateTime<Utc>) -> String {
    let has_seconds = at.time().signed_duration_since(NaiveTime::MIN).num_seconds() % 60 != 0;
    at.format(if has_seconds { "%Y-%m-%d %H:%M:%S UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
}

/// A date as somebody meant it.
pub fn moment(moment: Moment, zone: Tz) -> String {
    match moment {
        Moment::Instant(at) => instant(at),
        Moment::Civil(day) => format!("{day} (the whole day in {zone})"),
    }
}

/// `metadata communication-date`, as the decider names it too.
pub fn attribute(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Key(pattern) => format!("key {}", pattern.as_str()),
        Attribute::Metadata(name) => format!("metadata {name}"),
        Attribute::Tag(key) => format!("tag {key}"),
    }
}

/// The source of a trigger that is no combination, as the decider names it too.
pub fn leaf(policy: &Policy, source: &Source) -> Option<String> {
    match source {
        Source::Uploaded => Some("uploaded".to_owned()),
        Source::Attribute(found) => Some(attribute(found)),
        Source::Record { table, column } => {
            let table = policy.tables.get(*table).map_or("?", |table| table.name.as_str());
            Some(format!("record {table}.{column}"))
        }
        Source::Earliest(_) | Source::Latest(_) | Source::First(_) => None,
    }
}

/// What a combination takes its date from: `the earliest of … and …`; `None` for any other.
pub fn combination(policy: &Policy, trigger: &Trigger) -> Option<String> {
    let (word, terms) = match &trigger.source {
        Source::Earliest(terms) => ("the earliest of", terms),
        Source::Latest(terms) => ("the latest of", terms),
        Source::First(terms) => ("the first that is there of", terms),
        _ => return None,
    };
    let parts: Vec<String> = terms.iter().map(|one| term(policy, one)).collect();
    Some(format!("{word} {}", and(&parts)))
}

fn term(policy: &Policy, term: &Term) -> String {
    let what = match leaf(policy, &term.trigger.source) {
        Some(leaf) => leaf,
        None => format!("({})", combination(policy, &term.trigger).unwrap_or_default()),
    };
    match term.plus {
        Some(plus) => format!("{what} + {plus}"),
        None => what,
    }
}

/// Every part of a trigger that is no combination, with what is added to it on the way.
pub fn leaves(trigger: &Trigger) -> Vec<(&Trigger, Vec<Period>)> {
    match &trigger.source {
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => terms
            .iter()
            .flat_map(|term| {
                leaves(&term.trigger).into_iter().map(|(leaf, mut plus)| {
                    plus.extend(term.plus);
                    (leaf, plus)
                })
            })
            .collect(),
        _ => vec![(trigger, Vec::new())],
    }
}

/// `customers.country is DE or AT`.
pub fn condition(policy: &Policy, condition: &RecordCondition) -> String {
    let table = policy.tables.get(condition.table).map_or("?", |table| table.name.as_str());
    format!("{table}.{} is {}", condition.column, condition.is.join(" or "))
}

/// `a, b and c`.
pub fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// Why a rule does not cover an object.
pub const fn miss(miss: Miss) -> &'static str {
    match miss {
        Miss::Bucket => "does not cover it: another bucket",
        Miss::Prefix => "does not cover it: the key starts otherwise",
        Miss::Key => "does not cover it: the key does not match the pattern",
        Miss::Tenant => "does not cover it: another tenant",
        Miss::Media => "does not cover it: another kind of file",
        Miss::Size => "does not cover it: too large or too small",
        Miss::ContentType => "does not cover it: another content type",
        Miss::Tag => "does not cover it: other tags",
        Miss::Metadata => "does not cover it: other metadata",
        Miss::Excepted => "does not cover it: it is an exception",
    }
}

/// `s3://bucket/key?versionId=…`.
pub fn address(object: &Observed<'_>) -> String {
    let version = object.version_id.map(|id| format!("?versionId={id}")).unwrap_or_default();
    format!("s3://{}/{}{version}", object.bucket, object.key)
}
