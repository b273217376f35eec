//! When S3 would remove what: a naive reading of the enabled rules, for every kind of thing that a bucket can
//! hold. What is never removed is removed at the end of time.

use chrono::{DateTime, Days, NaiveTime, Utc};
use shelflife::lifecycle::{RuleView, When};

use super::stage::at;

const KEYS: [&str; 7] = ["inbound/a", "inbound/b/x.jpg", "inboundx", "in", "mail/1", "exports/1", ""];
const CREATED: [&str; 3] = ["2026-05-31T23:59:59Z", "2026-06-01T00:00:00Z", "2020-02-29T12:00:00Z"];
const TAGS: [&[(&str, &str)]; 3] = [&[], &[("a", "b & c")], &[("a", "b & c"), ("keep", "")]];
const SIZES: [i64; 3] = [0, 4096, 10_000_000];

/// What can be removed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Thing {
    Current,
    /// With so many newer noncurrent versions.
    Noncurrent(i64),
    SoleMarker,
    Upload,
}

const THINGS: [Thing; 5] =
    [Thing::Current, Thing::Noncurrent(0), Thing::Noncurrent(5), Thing::SoleMarker, Thing::Upload];

/// When each thing of the grid goes.
pub type Removals = Vec<(String, DateTime<Utc>)>;

pub fn removals(rules: &[RuleView]) -> Removals {
    let mut removals = Removals::new();
    for thing in THINGS {
        for key in KEYS {
            for created in CREATED {
                for tags in TAGS {
                    for size in SIZES {
                        let soonest = rules
                            .iter()
                            .filter(|rule| runs(rule) && takes(rule, thing, key, tags, size))
                            .filter_map(|rule| removes(rule, thing, at(created)))
                            .min();
                        let what = format!("{thing:?} {key:?} of {created}, {tags:?}, {size} bytes");
                        removals.push((what, soonest.unwrap_or(DateTime::<Utc>::MAX_UTC)));
                    }
                }
            }
        }
    }
    removals
}

/// Some stores write it in lower case.
fn runs(rule: &RuleView) -> bool {
    rule.status.to_string().eq_ignore_ascii_case("enabled")
}

fn takes(rule: &RuleView, thing: Thing, key: &str, tags: &[(&str, &str)], size: i64) -> bool {
    let filter = &rule.filter;
    let has = |(key, value): &(String, String)| tags.contains(&(key.as_str(), value.as_str()));
    let is_bare = matches!(thing, Thing::SoleMarker | Thing::Upload);
    key.starts_with(&filter.prefix)
        && (is_bare || filter.tags.iter().all(has))
        && (is_bare || filter.size_over.is_none_or(|over| size > over))
        && (is_bare || filter.size_under.is_none_or(|under| size < under))
}

fn removes(rule: &RuleView, thing: Thing, created: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let expiration = rule.expiration.as_ref();
    let when = match thing {
        Thing::Current => expiration.and_then(|e| e.days.map(When::Days).or(e.date.map(When::Date)))?,
        Thing::Noncurrent(newer) => {
            let noncurrent = rule.noncurrent.as_ref().filter(|noncurrent| newer >= noncurrent.newer)?;
            When::Days(noncurrent.days?)
        }
        Thing::SoleMarker => match expiration? {
            expiration if expiration.markers => When::Days(0),
            expiration => expiration.days.map(When::Days).or(expiration.date.map(When::Date))?,
        },
        Thing::Upload => When::Days(rule.abort_days?),
    };
    Some(match when {
        When::Date(date) => date,
        When::Days(days) => {
            let sum = created.checked_add_days(Days::new(days.try_into().unwrap())).unwrap();
            let midnight = sum.with_time(NaiveTime::MIN).unwrap();
            if midnight == sum { sum } else { midnight.checked_add_days(Days::new(1)).unwrap() }
        }
    })
}

/// Makes sure that nothing goes sooner than it would under one or the other of `bounds`.
#[track_caller]
pub fn never_wider(now: &[RuleView], bounds: [&Removals; 2], where_: &str) {
    for (place, (what, found)) in removals(now).iter().enumerate() {
        let least = bounds[0][place].1.min(bounds[1][place].1);
        assert!(*found >= least, "{where_}: {what} would go at {found}, not at {least}: {now:#?}");
    }
}
