//! Which lifecycle rule has something to do to which version, on a given midnight.

use chrono::{DateTime, Utc};

use super::eligibility::Settings;
use super::event::LifecycleAction;
use super::lock;
use super::model::{Version, Versioning};
use super::rules::{Expiration, Filter, LifecycleConfiguration, MinimumSize, Noncurrent, Rule};
use super::validation::class_rank;

/// Objects smaller than this are not moved by default.
const SMALL: u64 = 128 * 1024;

/// The enabled rules of a bucket, asked at one midnight.
pub(super) struct Due<'a> {
    rules: Vec<&'a Rule>,
    minimum_size: MinimumSize,
    versioning: Versioning,
    settings: Settings,
    at: DateTime<Utc>,
}

type Step<'a> = (&'a Version, LifecycleAction, &'a Rule);

impl<'a> Due<'a> {
    pub fn new(
        configuration: &'a LifecycleConfiguration,
        versioning: Versioning,
        settings: Settings,
        at: DateTime<Utc>,
    ) -> Self {
        let rules = configuration.rules.iter().filter(|rule| rule.enabled).collect();
        Self { rules, minimum_size: configuration.minimum_size, versioning, settings, at }
    }

    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The rule that aborts an upload.
    pub fn of_upload(&self, key: &str, initiated: DateTime<Utc>) -> Option<&'a Rule> {
        let mut rules = self.rules.iter().copied().filter(|rule| key.starts_with(&rule.filter.prefix));
        rules.find(|rule| {
            let eligible = rule.abort_after_days.map(|days| self.settings.eligible(initiated, days));
            eligible.is_some_and(|eligible| self.settings.is_due(eligible, self.at))
        })
    }

    /// What is done to the versions of a key, given the oldest first. On the same day permanent removal
    /// goes before a transition, and that before a delete marker (UG:lifecycle-conflicts).
    pub fn of_key(&self, key: &str, versions: &'a [Version]) -> Vec<Step<'a>> {
        let Some((current, noncurrent)) = versions.split_last() else { return Vec::new() };
        if current.is_marker() && noncurrent.is_empty() {
            return self.of_sole_marker(key, current).into_iter().collect();
        }
        let mut steps = Vec::new();
        for (at, version) in noncurrent.iter().enumerate() {
            // Noncurrent since its successor was created; all after it but the current one are newer.
            let since = versions[at + 1].last_modified;
            let newer = noncurrent.len() - 1 - at;
            steps.extend(self.of_noncurrent(key, version, since, newer));
        }
        if !current.is_marker() {
            steps.extend(self.of_current(key, current));
        }
        steps
    }

    fn of_sole_marker(&self, key: &str, marker: &'a Version) -> Option<Step<'a>> {
        let mut rules = self.matching(key, marker);
        let rule = rules.find(|rule| match rule.expiration {
            Some(Expiration::SoleMarkers) => self.settings.is_due(marker.last_modified, self.at),
            Some(Expiration::At(when)) => {
                self.settings.is_due(self.settings.when(marker.last_modified, when), self.at)
            }
            None => false,
        })?;
        Some((marker, LifecycleAction::MarkerRemoved, rule))
    }

    /// Object Lock keeps a version from being removed, not from being hidden (UG:object-lock-managing).
    fn of_current(&self, key: &str, current: &'a Version) -> Option<Step<'a>> {
        if current.awaits_replication() {
            return None;
        }
        let expired = expiry(self.rules.iter().copied(), key, current, self.settings)
            .filter(|(eligible, _)| self.settings.is_due(*eligible, self.at))
            .map(|(_, rule)| rule);
        let removed =
            expired.filter(|_| self.versioning == Versioning::Never && !lock::is_locked(current, self.at));
        if let Some(rule) = removed {
            return Some((current, LifecycleAction::Expired, rule));
        }
        let due = |rule: &'a Rule| {
            let moves = rule.transitions.iter().filter(|(when, _)| {
                self.settings.is_due(self.settings.when(current.last_modified, *when), self.at)
            });
            moves.map(|(_, class)| class.as_str()).collect()
        };
        if let Some((class, rule)) = self.best_move(key, current, due) {
            return Some((current, LifecycleAction::Transitioned(class.to_owned()), rule));
        }
        let hidden = expired.filter(|_| self.versioning != Versioning::Never)?;
        Some((current, LifecycleAction::Hidden, hidden))
    }

    fn of_noncurrent(
        &self,
        key: &str,
        version: &'a Version,
        since: DateTime<Utc>,
        newer: usize,
    ) -> Option<Step<'a>> {
        if version.awaits_replication() {
            return None;
        }
        // Both the days and the count must be exceeded (UG:intro-lifecycle-rules).
        let due = |limit: Noncurrent| {
            newer >= limit.keep_newer
                && self.settings.is_due(self.settings.eligible(since, limit.days), self.at)
        };
        let expired = self.matching(key, version).find(|rule| rule.noncurrent.is_some_and(due));
        if let Some(rule) = expired.filter(|_| !lock::is_locked(version, self.at)) {
            return Some((version, LifecycleAction::NoncurrentExpired, rule));
        }
        let moves = |rule: &'a Rule| {
            let moves = rule.noncurrent_transitions.iter().filter(|(limit, _)| due(*limit));
            moves.map(|(_, class)| class.as_str()).collect()
        };
        let (class, rule) = self.best_move(key, version, moves)?;
        Some((version, LifecycleAction::Transitioned(class.to_owned()), rule))
    }

    /// The cheapest class that a matching rule moves this version to now, if that is down the waterfall
    /// (UG:lifecycle-transition-general-considerations).
    fn best_move(
        &self,
        key: &str,
        version: &Version,
        due: impl Fn(&'a Rule) -> Vec<&'a str>,
    ) -> Option<(&'a str, &'a Rule)> {
        let object = version.object.as_ref()?;
        let small = object.body.len() < SMALL;
        let varies = self.minimum_size == MinimumSize::VariesByStorageClass;
        let moves = self
            .matching(key, version)
            .flat_map(|rule| due(rule).into_iter().map(move |class| (class, rule)))
            .filter(|(class, rule)| {
                let archive = matches!(*class, "GLACIER" | "DEEP_ARCHIVE");
                !small || rule.filter.has_size() || (varies && archive)
            });
        moves
            .max_by_key(|(class, _)| class_rank(class))
            .filter(|(class, _)| class_rank(class) > class_rank(object.storage_class()))
    }

    fn matching(&self, key: &str, version: &Version) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().copied().filter(move |rule| matches(&rule.filter, key, version))
    }
}

/// The shortest of the matching expirations: when, and by which rule (UG:lifecycle-conflicts).
pub(super) fn expiry<'a>(
    rules: impl Iterator<Item = &'a Rule>,
    key: &str,
    version: &Version,
    settings: Settings,
) -> Option<(DateTime<Utc>, &'a Rule)> {
    let eligible = rules.filter(|rule| matches(&rule.filter, key, version));
    let eligible = eligible.filter_map(|rule| match rule.expiration? {
        Expiration::At(when) => Some((settings.when(version.last_modified, when), rule)),
        Expiration::SoleMarkers => None,
    });
    eligible.min_by_key(|(at, _)| *at)
}

fn matches(filter: &Filter, key: &str, version: &Version) -> bool {
    if !key.starts_with(&filter.prefix) {
        return false;
    }
    let Some(object) = &version.object else { return filter.tags.is_empty() && !filter.has_size() };
    let size = object.body.len();
    filter.over.is_none_or(|over| size > over)
        && filter.under.is_none_or(|under| size < under)
        && filter.tags.iter().all(|(key, value)| object.attributes.tags.get(key) == Some(value))
}
