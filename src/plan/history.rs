//! What earlier runs planned, as their evidence tells, and a plan held to it: a rule that would suddenly
//! remove many times its usual, a record file that has lost rows, and a bucket that nobody has looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::guard_result::GuardResult;
use super::guards::number;
use super::header::{PlanHeader, RecordsDigest};
use super::summary::{Line, total};
use crate::lifecycle::LifecycleDocument;
use crate::policy::{Guards, Policy};
use crate::text;

/// The usual amount is the median of so many runs, the latest ones.
const RUNS: usize = 7;

/// Fewer runs have no usual amount.
const LEAST_RUNS: usize = 3;

/// What any rule may remove, whatever its usual amount: from none to three is no alarm.
const ALWAYS_ALLOWED: u64 = 1_000;

/// What a run was to do, as its evidence keeps it for the runs after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The buckets that it was to change, by either engine.
    pub buckets: BTreeSet<String>,
    /// How many objects would go under each rule, by either engine.
    pub removed: BTreeMap<String, u64>,
    /// How long the record files were.
    pub records: BTreeMap<String, RowCount>,
}

/// How long a record file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// Rows.
    pub rows: u64,
    /// Different ids.
    pub ids: u64,
}

impl From<&RecordsDigest> for RowCount {
    fn from(digest: &RecordsDigest) -> Self {
        Self { rows: digest.rows, ids: digest.ids }
    }
}

impl Planned {
    /// What a plan is to do; `None` for one that lists nothing.
    pub fn of(policy: &Policy, header: &PlanHeader) -> Option<Self> {
        let is_removed =
            |name: &str| header.summary.iter().any(|line| line.bucket == name && line.is_removed());
        let changed = header.buckets.iter().filter(|(name, plan)| plan.is_changed() || is_removed(name));
        let removed = |id: &String| (id.clone(), removed_by(id, &header.summary));
        (!header.narrow_only).then(|| Self {
            buckets: changed.map(|(name, _)| name.clone()).collect(),
            removed: policy.rules.iter().map(|rule| removed(&rule.id)).collect(),
            records: header.records.iter().map(|(table, digest)| (table.clone(), digest.into())).collect(),
        })
    }
}

fn removed_by(rule: &str, lines: &[Line]) -> u64 {
    total(lines, |line| line.is_removed() && line.rule.as_deref() == Some(rule)).objects
}

/// What is known of earlier runs of a policy on a store.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What each was to do, the latest last.
    pub runs: Vec<Planned>,
    /// Buckets that a run was carried out on.
    pub buckets: BTreeSet<String>,
}

impl History {
    /// The median of what a rule removed in its latest runs, and how many these are.
    fn usual(&self, rule: &str) -> Option<(u64, usize)> {
        let runs = self.runs.iter().rev().filter_map(|run| run.removed.get(rule).copied());
        let mut runs: Vec<u64> = runs.take(RUNS).collect();
        runs.sort_unstable();
        (runs.len() >= LEAST_RUNS).then(|| (runs[runs.len() / 2], runs.len()))
    }

    /// How long a record file was in the last run that read it.
    fn length(&self, table: &str) -> Option<RowCount> {
        self.runs.iter().rev().find_map(|run| run.records.get(table).copied())
    }
}

/// Holds what a plan would do to what the runs before it did; `records` are the files as they are now,
/// `planned` as they were when the plan was made.
pub fn compare(
    policy: &Policy,
    lines: &[Line],
    records: &BTreeMap<String, RecordsDigest>,
    planned: &BTreeMap<String, RecordsDigest>,
    history: &History,
) -> Vec<GuardResult> {
    let mut results = Vec::new();
    for rule in &policy.rules {
        let times = rule.guards.max_times_usual.or(policy.guards.max_times_usual);
        let times = times.unwrap_or(Guards::MAX_TIMES_USUAL);
        let Some((usual, runs)) = history.usual(&rule.id) else { continue };
        let (removed, allowed) =
            (removed_by(&rule.id, lines), usual.saturating_mul(times).max(ALWAYS_ALLOWED));
        let (of, least) = (text::count(usual), text::count(ALWAYS_ALLOWED));
        results.push(GuardResult {
            guard: "max-times-usual".to_owned(),
            rule: Some(rule.id.clone()),
            limit: number(allowed),
            value: number(removed),
            kept: removed <= allowed,
            basis: Some(format!("{times} times the usual {of} of {runs} runs, and {least} at least")),
            ..GuardResult::default()
        });
    }
    let limit = policy.guards.max_shrink.unwrap_or(Guards::MAX_SHRINK);
    for (table, now) in records {
        let earlier = [history.length(table), planned.get(table).map(RowCount::from)];
        let shrunk = earlier.into_iter().flatten().flat_map(|before| shrink(before, now.into()));
        let Some((value, basis)) = shrunk.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        results.push(GuardResult {
            guard: "max-shrink".to_owned(),
            records: Some(table.clone()),
            limit,
            value,
            kept: value <= limit,
            basis: Some(basis),
            ..GuardResult::default()
        });
    }
    results
}

/// Which share of its rows, and of its ids, a file has lost.
fn shrink(before: RowCount, now: RowCount) -> impl Iterator<Item = (f64, String)> {
    let counts = [("rows", before.rows, now.rows), ("ids", before.ids, now.ids)];
    counts.into_iter().filter(|(_, before, _)| *before > 0).map(|(what, before, now)| {
        let lost = number(before.saturating_sub(now)) / number(before);
        (lost, format!("{} {what}, {} before", text::count(now), text::count(before)))
    })
}

/// The buckets that a plan changes, and no run of its policy is known to have changed before: neither is
/// there evidence, nor has a lifecycle rule there the policy's name.
pub fn first_runs(header: &PlanHeader, history: &History) -> Vec<String> {
    let removes =
        |name: &String| total(&header.summary, |it| it.is_removed() && it.bucket == *name).objects > 0;
    let changed = header.buckets.iter().filter(|(name, bucket)| bucket.is_changed() || removes(name));
    let first = changed.filter(|(name, bucket)| {
        !history.buckets.contains(*name) && !has_rules(&header.policy, bucket.lifecycle_before.as_deref())
    });
    first.map(|(name, _)| name.clone()).collect()
}

fn has_rules(policy: &str, lifecycle: Option<&str>) -> bool {
    let document = lifecycle.and_then(|xml| LifecycleDocument::read(xml).ok());
    document.is_some_and(|document| document.rules().iter().any(|rule| rule.policy_rule(policy).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Disposal, Tally};
    use crate::policy::{SourceFile, read};

    fn policy(guards: &str) -> Policy {
        let text = format!(
            "version: 1\nname: acme\n{guards}rules:\n  - {{id: m, select: {{buckets: [acme-media]}}, trigger: uploaded, retain: 1 year}}\n"
        );
        read(&[SourceFile { path: "a.yaml".to_owned(), bytes: text.into() }]).unwrap().policy
    }

    fn history(removed: &[u64]) -> History {
        let run = |removed: &u64| Planned {
            removed: BTreeMap::from([("m".to_owned(), *removed)]),
            ..Planned::default()
        };
        History { runs: removed.iter().map(run).collect(), ..History::default() }
    }

    fn removing(objects: u64) -> Vec<Line> {
        vec![Line {
            bucket: "acme-media".to_owned(),
            rule: Some("m".to_owned()),
            erasure: None,
            verdict: "expired".to_owned(),
            disposal: Some(Disposal::Direct),
            tally: Tally { objects, bytes: 0, oldest_due: None },
        }]
    }

    fn usual(guards: &str, earlier: &[u64], objects: u64) -> Option<GuardResult> {
        let nothing = BTreeMap::new();
        compare(&policy(guards), &removing(objects), &nothing, &nothing, &history(earlier)).pop()
    }

    #[test]
    fn a_rule_that_removes_many_times_its_usual_is_stopped() {
        let earlier = [300, 900_000, 310, 320, 305];
        let result = usual("", &earlier, 3_101).unwrap();
        assert_eq!((result.name().as_str(), result.kept), ("m:max-times-usual", false));
        assert_eq!(
            result.describe(),
            "m:max-times-usual would remove 3,101 objects, the limit is 3,100 objects: 10 times the usual 310 of 5 runs, and 1,000 at least"
        );
        assert!(usual("", &earlier, 3_100).unwrap().kept);
        assert!(usual("guards: {max-times-usual: 11}\n", &earlier, 3_101).unwrap().kept);
    }

    #[test]
    fn few_objects_and_few_runs_are_no_alarm() {
        assert!(usual("", &[0, 0, 0, 0], 1_000).unwrap().kept);
        assert!(!usual("", &[0, 0, 0, 0], 1_001).unwrap().kept);
        assert_eq!(usual("", &[1, 1], 1_000_000), None);
    }

    #[test]
    fn the_latest_seven_runs_say_what_is_usual() {
        let earlier = [1, 1, 1, 1, 1, 1, 1, 5_000, 5_000, 5_000, 5_000];
        assert!(usual("", &earlier, 50_000).unwrap().kept);
    }

    fn shrunk(guards: &str, before: (u64, u64), now: (u64, u64)) -> GuardResult {
        let digest = |(rows, ids)| {
            let digest = RecordsDigest { file: "c.csv".to_owned(), sha256: String::new(), rows, ids };
            BTreeMap::from([("customers".to_owned(), digest)])
        };
        compare(&policy(guards), &[], &digest(now), &digest(before), &History::default()).pop().unwrap()
    }

    #[test]
    fn a_record_file_that_lost_more_than_a_fifth_is_refused_and_so_is_one_of_the_same_rows_again() {
        assert!(shrunk("", (1_000, 1_000), (800, 800)).kept);
        let result = shrunk("", (1_000, 1_000), (799, 799));
        assert_eq!((result.name().as_str(), result.kept), ("customers:max-shrink", false));
        assert_eq!(
            result.describe(),
            "customers:max-shrink finds 20.1% missing, the limit is 20.0%: 799 ids, 1,000 before"
        );
        assert!(!shrunk("", (1_000, 1_000), (1_000, 10)).kept);
        assert!(!shrunk("guards: {max-shrink: 0%}\n", (1_000, 1_000), (999, 999)).kept);
        assert!(shrunk("", (10, 10), (20, 20)).kept);
    }

    #[test]
    fn the_last_run_that_read_a_file_counts() {
        let mut history = history(&[1, 1]);
        history.runs[0].records.insert("customers".to_owned(), RowCount { rows: 100, ids: 100 });
        let digest = RecordsDigest { file: "c.csv".to_owned(), sha256: String::new(), rows: 50, ids: 50 };
        let now = BTreeMap::from([("customers".to_owned(), digest)]);
        let results = compare(&policy(""), &[], &now, &now, &history);
        assert!(!results[0].kept, "{results:?}");
    }
}
