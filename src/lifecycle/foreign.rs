//! Lifecycle rules of others that reach objects which the policy speaks of.
//!
//! Shelflife never touches them, and S3 obeys them as it does its own: what they remove early is
//! lost whatever the policy says. So they are shown.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::object::{BucketFacts, Versioning};
use crate::policy::{Hold, Noncurrent, Policy};

use super::document::LifecycleDocument;
use super::rule::{RuleView, Status, When, prefixes_meet};
use super::select::{covers_bucket, starts};
use super::terms::least_days;
use super::whose::{Sources, Whose};

/// A rule of somebody else that could remove objects which a rule of the policy covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignConflict {
    /// Its id, or empty.
    pub id: String,
    /// The start of the keys that it takes.
    pub prefix: String,
    /// What it removes, and when.
    pub removes: ForeignRemoval,
    /// Index of the policy's rule; `None` where it is a hold that it meets.
    pub rule: Option<usize>,
    /// The policy's rule, or its hold, by its id.
    pub meets: String,
    /// Whether it could remove an object before its due date or although it is held; else it only
    /// overlaps.
    pub may_be_early: bool,
}

/// What somebody else's rule removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignRemoval {
    /// Current versions.
    Current(When),
    /// Noncurrent versions, after so many days.
    Noncurrent(i64),
    /// It cannot be understood, so anything.
    Unknown,
}

impl fmt::Display for ForeignConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lifecycle rule {:?}, which is not the policy's, ", self.id)?;
        match self.removes {
            ForeignRemoval::Current(when) => write!(f, "expires objects under {:?} {when}", self.prefix)?,
            ForeignRemoval::Noncurrent(days) => {
                write!(f, "removes noncurrent versions under {:?} {}", self.prefix, When::Days(days))?;
            }
            ForeignRemoval::Unknown => {
                write!(f, "cannot be understood and could remove objects under {:?}", self.prefix)?;
            }
        }
        match (self.rule, self.may_be_early) {
            (None, _) => write!(f, "; the hold `{}` is to keep them, or some of them", self.meets),
            (Some(_), true) => {
                write!(f, "; that could be before they are due under the rule `{}`", self.meets)
            }
            (Some(_), false) => write!(f, "; the rule `{}` covers them too", self.meets),
        }
    }
}

/// The rules of others in the bucket that could remove what the policy's rules cover or its holds
/// in force keep, in the order of the configuration. Filters by tag or size are not looked at: they only mean less.
pub fn foreign_conflicts(
    document: &LifecycleDocument,
    policy: &Policy,
    bucket: &BucketFacts,
    now: DateTime<Utc>,
) -> Vec<ForeignConflict> {
    let holds = policy.holds.iter();
    let holds =
        holds.filter(|hold| hold.in_force(now, policy.timezone) && covers_bucket(&hold.select, &bucket.name));
    let holds: Vec<_> = holds.collect();
    let sources = Sources::of(policy);
    let covering: Vec<_> = policy
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| covers_bucket(&rule.select, &bucket.name))
        .collect();
    let foreign = document
        .rules()
        .iter()
        .filter(|rule| rule.view().status != Status::Disabled && rule.policy_rule(&policy.name).is_none());
    let mut conflicts = Vec::new();
    for found in foreign {
        let prefix = found.view().filter.prefix.as_str();
        for removes in removals(found.view(), bucket.versioning) {
            for (index, rule) in &covering {
                let own = rule.select.prefix.as_deref().unwrap_or_default();
                if !prefixes_meet(prefix, own) {
                    continue;
                }
                let longer = if prefix.len() > own.len() { prefix } else { own };
                let could_be_of = |tenants: &[String]| could_be_of(tenants, longer, &sources);
                let least = least_days(policy, *index, rule, now, could_be_of);
                // What the rule hides becomes noncurrent, and is copied only when it goes.
                let window = rule.undo_window.map_or(0, |window| i64::from(window.max_days()));
                let is_early_for = |noncurrent: &Noncurrent, days: i64| {
                    noncurrent.newer_versions > 0
                        || days < i64::from(noncurrent.retain.max_days()).max(window)
                };
                let may_be_early = match removes {
                    ForeignRemoval::Current(When::Days(days)) => {
                        // Elsewhere it only hides, and what is hidden can still be copied.
                        let is_uncopied = bucket.versioning != Versioning::Enabled && rule.export.is_some();
                        // The null marker that hides a version destroys the null version below it, which was
                        // superseded at the latest when that one was uploaded.
                        let is_early_below = bucket.versioning == Versioning::Suspended
                            && rule.noncurrent.as_ref().is_some_and(|it| is_early_for(it, days));
                        is_uncopied || is_early_below || least.is_none_or(|least| days < least)
                    }
                    ForeignRemoval::Noncurrent(days) => {
                        rule.export.is_some()
                            || rule.noncurrent.as_ref().is_none_or(|it| is_early_for(it, days))
                    }
                    ForeignRemoval::Current(When::Date(_)) | ForeignRemoval::Unknown => true,
                };
                conflicts.push(ForeignConflict {
                    id: found.id().to_owned(),
                    prefix: prefix.to_owned(),
                    removes,
                    rule: Some(*index),
                    meets: rule.id.clone(),
                    may_be_early,
                });
            }
            let held = holds.iter().filter(|hold| may_keep(hold, prefix, &sources));
            conflicts.extend(held.map(|hold| ForeignConflict {
                id: found.id().to_owned(),
                prefix: prefix.to_owned(),
                removes,
                rule: None,
                meets: hold.id.clone(),
                may_be_early: true,
            }));
        }
    }
    conflicts
}

fn removals(view: &RuleView, versioning: Versioning) -> Vec<ForeignRemoval> {
    let expiration = view.expiration.as_ref();
    let when = expiration.and_then(|e| e.days.map(When::Days).or(e.date.map(When::Date)));
    let noncurrent = view.noncurrent.as_ref().filter(|_| versioning != Versioning::Never);
    let noncurrent = noncurrent.map(|noncurrent| noncurrent.days.unwrap_or(0));
    let is_unclear = !view.unknown.is_empty() || !view.faults.is_empty();
    when.map(ForeignRemoval::Current)
        .into_iter()
        .chain(noncurrent.map(ForeignRemoval::Noncurrent))
        .chain(is_unclear.then_some(ForeignRemoval::Unknown))
        .collect()
}

/// Whether the hold may keep an object whose key starts with `prefix`. What keys do not tell takes a look
/// at the objects, so it counts as fitting.
fn may_keep(hold: &Hold, prefix: &str, sources: &Sources) -> bool {
    let all = || starts(&hold.select).chain([prefix.to_owned()]);
    let longest = all().max_by_key(String::len).unwrap_or_default();
    let tenants = hold.select.tenants.as_deref();
    all().all(|start| longest.starts_with(&start))
        && tenants.is_none_or(|tenants| could_be_of(tenants, &longest, sources))
}

/// Whether what starts with `start` could be one of these tenants'.
fn could_be_of(tenants: &[String], start: &str, sources: &Sources) -> bool {
    match sources.named(start) {
        Whose::All(owner) => owner.is_some_and(|owner| tenants.iter().any(|tenant| tenant == owner)),
        Whose::Each(_) | Whose::Unclear { .. } => true,
    }
}
