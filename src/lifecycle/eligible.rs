//! What S3 would do to one key, by the rules that stand in its bucket, read literally.
//!
//! This knows no policy, and nothing of how rules are compiled: it is a second reading, to hold the
//! first against. Where S3 documents nothing the answer has two dates, or is not certain. Object
//! Lock and replication, which can stop S3, are not looked at.

use chrono::{DateTime, Days, Utc};

use super::document::{DocumentRule, LifecycleDocument};
use super::rule::{Expiration, Form, RuleView, Status};
use crate::calendar::midnight_at_or_after;
use crate::object::{Kind, Observed, Reading, Versioning};

/// What S3 does to a version, marker or upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// It is gone.
    Removed,
    /// A delete marker is put on top of it.
    Hidden,
    /// A null version or marker is gone, because a null delete marker takes its place.
    Replaced,
    /// It is gone, being noncurrent.
    NoncurrentRemoved,
    /// A delete marker that was all that is left of its key is gone.
    MarkerRemoved,
    /// The upload is aborted.
    Aborted,
}

/// Whether a rule takes a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// It does.
    Certain,
    /// That depends on tags which nobody has read yet.
    NeedsTags,
    /// It may: its tags cannot be read, the rule is not understood, or S3 documents nothing.
    Unclear,
}

/// One thing that a rule does, or may do.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'d> {
    /// To which of the versions.
    pub place: usize,
    /// By which rule.
    pub rule: &'d DocumentRule,
    /// What.
    pub effect: Effect,
    /// S3 does it no sooner than this.
    pub earliest: DateTime<Utc>,
    /// S3 counts it as due from this on at the latest. A day later than `earliest` where a sum falls
    /// exactly on midnight: whether that is rounded up to the next one is not documented.
    pub latest: DateTime<Utc>,
    /// Whether the rule takes it.
    pub matches: Match,
}

/// All that the rules of `document` do to `versions`, which are all versions and markers of one
/// key, newest first, or its incomplete uploads. In the order of the rules.
pub fn removals<'d>(
    document: &'d LifecycleDocument,
    versioning: Versioning,
    versions: &[Observed<'_>],
) -> Vec<Removal<'d>> {
    let mut found = Vec::new();
    for rule in document.rules().iter().filter(|rule| rule.view().status != Status::Disabled) {
        for (place, object) in versions.iter().enumerate() {
            let Some(matches) = matches(rule.view(), object) else { continue };
            let mut add = |place, effect, (earliest, latest), matches| {
                found.push(Removal { place, rule, effect, earliest, latest, matches });
            };
            match current_effect(versioning, object) {
                Some(effect) => {
                    for dates in current_dates(rule.view(), effect, object) {
                        add(place, effect, dates, matches);
                        if effect == Effect::Hidden && versioning == Versioning::Suspended {
                            let below = versions.iter().enumerate().skip(place + 1);
                            for (null, _) in below.filter(|(_, version)| is_null(version)) {
                                add(null, Effect::Replaced, dates, matches);
                            }
                        }
                    }
                }
                None if object.superseded.is_some() => {
                    let more = is_beyond(rule.view(), &versions[..place]);
                    if let (Some(more), Some(dates)) = (more, noncurrent_dates(rule.view(), object)) {
                        add(place, Effect::NoncurrentRemoved, dates, matches.max(more));
                    }
                }
                // A delete marker on top of versions.
                None => {}
            }
        }
    }
    found
}

fn is_null(version: &Observed<'_>) -> bool {
    version.version_id == Some("null")
}

/// What expiration does to the latest of a key; `None` for what is noncurrent, and for markers
/// on top of versions.
fn current_effect(versioning: Versioning, object: &Observed<'_>) -> Option<Effect> {
    match object.kind {
        Kind::Upload => Some(Effect::Aborted),
        _ if object.superseded.is_some() => None,
        Kind::Object => Some(Effect::Removed),
        // The marker that S3 makes is a null one, and there is only one null version.
        Kind::Version if versioning == Versioning::Suspended && is_null(object) => Some(Effect::Replaced),
        Kind::Version => Some(Effect::Hidden),
        Kind::Marker => object.alone.then_some(Effect::MarkerRemoved),
    }
}

fn current_dates(
    rule: &RuleView,
    effect: Effect,
    object: &Observed<'_>,
) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    let Expiration { days, date, markers } = match effect {
        Effect::Aborted => Expiration { days: rule.abort_days, ..Expiration::default() },
        _ => rule.expiration.clone().unwrap_or_default(),
    };
    let days = days.and_then(|days| counted(object.uploaded, days));
    let at_once = (markers && effect == Effect::MarkerRemoved).then(|| counted(object.uploaded, 0)).flatten();
    days.into_iter().chain(date.map(|date| (date, date))).chain(at_once)
}

fn noncurrent_dates(rule: &RuleView, object: &Observed<'_>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    // S3 requires the days; without them nothing is certain, and at once is the soonest.
    counted(object.superseded?, rule.noncurrent.as_ref()?.days.unwrap_or(0))
}

/// The two readings of `days` after `from`, rounded up to midnight UTC; `None` beyond the calendar's end.
fn counted(from: DateTime<Utc>, days: i64) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let sum = from.checked_add_days(Days::new(u64::try_from(days).unwrap_or(0)))?;
    let earliest = midnight_at_or_after(sum);
    let latest = if earliest == sum { earliest.checked_add_days(Days::new(1))? } else { earliest };
    Some((earliest, latest))
}

/// Whether a noncurrent version is beyond those that a rule keeps by number; `above` is all that
/// is newer than it. Whether delete markers count as versions that are kept is not documented.
fn is_beyond(rule: &RuleView, above: &[Observed<'_>]) -> Option<Match> {
    let noncurrent = rule.noncurrent.as_ref()?;
    let keep = usize::try_from(noncurrent.newer).unwrap_or(0);
    let above = above.get(1..).unwrap_or_default();
    let versions = above.iter().filter(|version| version.kind != Kind::Marker).count();
    match (above.len() >= keep, versions >= keep && noncurrent.days.is_some()) {
        (true, true) => Some(Match::Certain),
        (true, false) => Some(Match::Unclear),
        (false, _) => None,
    }
}

fn matches(rule: &RuleView, object: &Observed<'_>) -> Option<Match> {
    let filter = &rule.filter;
    if !object.key.starts_with(&filter.prefix) {
        return None;
    }
    let is_understood = rule.status == Status::Enabled
        && rule.form != Form::Both
        && rule.unknown.is_empty()
        && rule.faults.is_empty();
    let mut matches = if is_understood { Match::Certain } else { Match::Unclear };
    let has_conditions = !filter.tags.is_empty() || filter.size_over.is_some() || filter.size_under.is_some();
    match object.kind {
        Kind::Marker if has_conditions => return None,
        // S3 refuses such rules, so what another store makes of one is not known.
        Kind::Upload if has_conditions => return Some(Match::Unclear),
        Kind::Marker | Kind::Upload => return Some(matches),
        Kind::Object | Kind::Version => {}
    }
    let size = i128::from(object.size);
    if filter.size_over.is_some_and(|over| size <= over.into())
        || filter.size_under.is_some_and(|under| size >= under.into())
    {
        return None;
    }
    if !filter.tags.is_empty() {
        matches = match object.tags {
            Reading::Known(tags) if filter.tags.iter().all(|(key, value)| tags.get(key) == Some(value)) => {
                matches
            }
            Reading::Known(_) => return None,
            Reading::Unread => matches.max(Match::NeedsTags),
            Reading::Unknown(_) => Match::Unclear,
        };
    }
    Some(matches)
}

impl Effect {
    /// What happens, for `S3 … it`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removes",
            Self::Hidden => "hides",
            Self::Replaced => "destroys",
            Self::NoncurrentRemoved => "removes as noncurrent",
            Self::MarkerRemoved => "removes as a lone marker",
            Self::Aborted => "aborts",
        }
    }
}
