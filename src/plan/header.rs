//! The header of a plan: under what it was made, and everything that is not a row.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::guard_result::GuardResult;
use super::summary::{Line, Tally};
use crate::lifecycle::Surroundings;

/// What stands in a plan file's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHeader {
    /// The tool and its version.
    pub tool: String,
    /// The date for which everything was decided.
    pub as_of: DateTime<Utc>,
    /// The policy's name.
    pub policy: String,
    /// [`crate::policy::Policy::digest`].
    pub policy_digest: String,
    /// [`crate::policy::Policy::holds_digest`].
    pub holds_digest: String,
    /// Record files, by table.
    pub records: BTreeMap<String, RecordsDigest>,
    /// Whether only what makes S3 do less is to be written, and nothing is to be deleted.
    pub narrow_only: bool,
    /// The buckets, by name.
    pub buckets: BTreeMap<String, BucketPlan>,
    /// Buckets that were not listed, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inventories: BTreeMap<String, InventoryUse>,
    /// Everything counted.
    pub summary: Vec<Line>,
    /// The guards' verdicts: those that are broken, and of the others on buckets and tenants the closest.
    pub guards: Vec<GuardResult>,
    /// Buckets that no run of the policy is known to have changed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_run: Vec<String>,
}

/// An inventory that a bucket's part of the plan started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryUse {
    /// Its manifest: a path, or `s3://bucket/key`.
    pub manifest: String,
    /// When its making began. What was written since then is not in the plan.
    pub created: DateTime<Utc>,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them are counted by what they say, and were not looked at.
    pub counted: u64,
    /// How many keys were looked up in the store.
    pub looked_up: u64,
    /// How many of these have nothing left.
    pub gone: u64,
}

/// A record file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsDigest {
    /// Its path within the policy folder.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many rows it has.
    pub rows: u64,
    /// How many different ids.
    #[serde(default)]
    pub ids: u64,
}

/// What is planned for a bucket beside its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketPlan {
    /// Which engine carries out each rule that covers the bucket, by rule id.
    pub engines: BTreeMap<String, String>,
    /// What bears on that: the directories that were listed, and rules of others.
    pub around: Surroundings,
    /// The lifecycle configuration found, as the store sent it.
    pub lifecycle_before: Option<String>,
    /// The configuration to write; `None` if it is to be deleted or there is none.
    pub lifecycle_after: Option<String>,
    /// What changes between the two.
    pub changes: Vec<LifecycleChange>,
    /// What the policy demands of S3 and S3 cannot be proved to keep, in words.
    pub refused: Vec<String>,
    /// Rules whose undo window the bucket cannot keep, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_undo: Vec<String>,
    /// Rules of other owners that could remove something before it is due or although it is held,
    /// in words.
    pub alarms: Vec<String>,
    /// Other rules of theirs that meet ours, and what else is to be known, in words.
    pub warnings: Vec<String>,
    /// What somebody has changed since Shelflife last wrote the configuration, in words.
    pub drift: Vec<String>,
    /// What all keys start with that were listed, where not all of the bucket was: the rest is in no count. It
    /// says nothing of a plan that only makes S3 do less, nor of a bucket that was not listed for its inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Vec<String>>,
}

/// One lifecycle rule of ours that is added, changed, removed or kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleChange {
    /// The S3 rule's id.
    pub id: String,
    /// The policy's rule.
    pub rule: String,
    /// `added`, `widened`, `narrowed`, `changed`, `removed`, `enabled` or `kept`.
    pub kind: String,
    /// What it did before, in words.
    pub before: Option<String>,
    /// What it does after, in words.
    pub after: Option<String>,
    /// What of the objects that are there now S3 removes by it at once, where it does more than
    /// before. Where several stand for one choice of objects, as with several values of a tag, the first
    /// says it for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<Tally>,
}

impl BucketPlan {
    /// Whether the configuration is to be written.
    pub fn is_changed(&self) -> bool {
        self.changes.iter().any(|change| change.kind != "kept")
    }
}

fn without(names: &[String], guard: &GuardResult) -> Vec<String> {
    names.iter().filter(|name| **name != guard.name()).cloned().collect()
}

impl PlanHeader {
    /// Guards that the plan does not keep.
    pub fn broken_guards(&self) -> impl Iterator<Item = &GuardResult> {
        self.guards.iter().filter(|guard| !guard.kept)
    }

    /// What to accept for all of them: where too many tenants are beyond a limit for each to be named, that.
    pub fn names_to_accept(&self) -> Vec<String> {
        let broken: Vec<String> = self.broken_guards().map(GuardResult::name).collect();
        let of_one =
            |guard: &&GuardResult| guard.tenant.is_none() || !guard.is_accepted(&without(&broken, guard));
        self.broken_guards().filter(of_one).map(GuardResult::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_tells_nothing_of_what_was_listed_has_listed_all() {
        let earlier = serde_json::json!({
            "engines": {}, "around": Surroundings::default(), "lifecycle_before": null, "lifecycle_after": null,
            "changes": [], "refused": [], "alarms": [], "warnings": [], "drift": [],
        });
        let mut plan: BucketPlan = serde_json::from_value(earlier.clone()).unwrap();
        assert_eq!(plan.listed, None);
        assert_eq!(serde_json::to_value(&plan).unwrap(), earlier);
        plan.listed = Some(vec!["in/".to_owned()]);
        let again: BucketPlan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
    }
}
