//! S3 as it documents itself: what an enabled configuration does to one thing, and when.
//!
//! Written for this test alone, from the user guide: expiration counts whole days from creation
//! and rounds up to midnight UTC; whether a sum that is exactly midnight stays is not documented,
//! so both are tried; the shortest matching rule wins; all conditions of a filter must hold, and
//! size bounds are exclusive; noncurrent versions count from the creation of their successor;
//! in a versioned bucket expiration puts a marker on top, stamped at midnight; a lone marker goes
//! as soon as a rule says so, or by days; a suspended bucket loses its null version at once;
//! locked versions are hidden and not removed; with a second factor nothing runs at all.

use shelflife::lifecycle::{Filter, LifecycleDocument, RuleView};
use shelflife::object::{BucketFacts, Kind, Versioning};

use crate::dates::{DAY, Sec, midnight};
use crate::reference::Thing;

/// What S3 does to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is gone from then on: at the earliest, and at the latest.
    Removed(Sec, Sec),
    /// A marker hides it.
    Hidden(Sec, Sec),
}

/// Everything that the configuration, written at `written`, does to the thing: at the earliest,
/// and at the latest as if it had always stood there.
pub fn does(document: &LifecycleDocument, facts: &BucketFacts, thing: &Thing, written: Sec) -> Vec<Done> {
    if facts.mfa_delete {
        return Vec::new();
    }
    let rules: Vec<&RuleView> =
        document.rules().iter().map(|rule| rule.view()).filter(|rule| rule.is_enabled()).collect();
    let matching = || rules.iter().filter(|rule| matches(&rule.filter, thing));
    let soonest = |dues: Vec<(Sec, Sec)>| {
        let early = dues.iter().map(|(early, _)| *early).min()?;
        Some((early, dues.iter().map(|(_, late)| *late).min()?))
    };
    let expiry = || {
        let days = matching().filter_map(|rule| rule.expiration.as_ref()?.days);
        soonest(days.map(|days| eligible(thing.uploaded, days)).collect())
    };
    let noncurrent = |since: (Sec, Sec)| {
        let days = matching().filter_map(|rule| rule.noncurrent.as_ref()?.days);
        soonest(days.map(|days| (eligible(since.0, days).0, eligible(since.1, days).1)).collect())
    };
    let is_locked = thing.lock.legal_hold || thing.lock.retain_until.is_some();
    let removed =
        |due: Option<(Sec, Sec)>| due.filter(|_| !is_locked).map(|(early, late)| Done::Removed(early, late));
    match (thing.kind, thing.superseded) {
        (Kind::Upload, _) => {
            let days = rules.iter().filter(|rule| thing.key.starts_with(&rule.filter.prefix));
            let days = days.filter_map(|rule| rule.abort_days);
            removed(soonest(days.map(|days| eligible(thing.uploaded, days)).collect())).into_iter().collect()
        }
        (Kind::Marker, None) if thing.alone => {
            let at_once = matching().any(|rule| rule.expiration.as_ref().is_some_and(|it| it.markers));
            let at_once = at_once.then_some((thing.uploaded, midnight(thing.uploaded) + DAY));
            let both: Vec<(Sec, Sec)> = at_once.into_iter().chain(expiry()).collect();
            removed(soonest(both)).into_iter().collect()
        }
        (Kind::Marker, None) => Vec::new(),
        (_, Some(since)) => removed(noncurrent((since, since))).into_iter().collect(),
        (_, None) if facts.versioning == Versioning::Enabled => {
            let Some((early, late)) = expiry() else { return Vec::new() };
            // The marker is stamped with the midnight before S3 acts, which counts again.
            let early = early.max(written.div_euclid(DAY) * DAY);
            let gone = removed(noncurrent((early, late)));
            std::iter::once(Done::Hidden(early, late)).chain(gone).collect()
        }
        (_, None) => removed(expiry()).into_iter().collect(),
    }
}

fn eligible(from: Sec, days: i64) -> (Sec, Sec) {
    let sum = from + days * DAY;
    (midnight(sum), midnight(sum + 1))
}

fn matches(filter: &Filter, thing: &Thing) -> bool {
    let has_content = matches!(thing.kind, Kind::Object | Kind::Version);
    let size = i64::try_from(thing.size.unwrap_or(0)).unwrap();
    thing.key.starts_with(&filter.prefix)
        && (has_content
            || filter.tags.is_empty() && filter.size_over.is_none() && filter.size_under.is_none())
        && filter.tags.iter().all(|(key, value)| thing.tags.get(key) == Some(value))
        && filter.size_over.is_none_or(|over| size > over)
        && filter.size_under.is_none_or(|under| size < under)
}
