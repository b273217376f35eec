//! An audit for machines. What stands here is stable: names are added, and none changes its meaning.
//!
//! - `kept`: whether the notice is kept; `exit`: 0, or 6 if not.
//! - `overdue`, `waiting`, `observed`: things that are due, one entry for each bucket, rule (or
//!   erasure) and who removes them (`by`). `waiting` is within the tolerance, `observed` under rules
//!   that nobody carries out. `late_days` is the longest, `late` how many are late by up to 3, 7 and
//!   30 days and by `more`.
//! - `early`: what S3 would do before the due date, one entry for each lifecycle rule; `breach` says
//!   whether that breaks the promise. `said_by`: `configuration` or `store`. `early_total` counts each
//!   thing for which it does once, whatever the number of rules.
//! - `stays`: what is held, locked or undecided, by reason.
//! - `retained`, `lone_markers`, `no_rule`: by bucket.
//! - `lifecycle`: rules that are not set up as the policy says.
//! - `asked`: what the store answered of single objects.
//! - `reads`: what was asked of single objects to decide, and what `--cache` had.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::audited::Audited;
use crate::audit::{Early, EarlyRule, Forecast, LATE_STEPS, Late, LateRule, NoRule};
use crate::plan::Tally;

/// The whole audit.
pub fn json(audited: &Audited<'_>) -> Value {
    let Audited { ready, findings, .. } = audited;
    let policy = ready.loaded.policy();
    let late = |found: &std::collections::BTreeMap<LateRule, Late>| -> Vec<Value> {
        found.iter().map(|(rule, late)| self::late(rule, late)).collect()
    };
    let by_bucket = |(bucket, tally): (&String, &Tally)| with(json!({ "bucket": bucket }), tally);
    json!({
        "exit": audited.exit().code(),
        "kept": findings.is_kept(),
        "policy": policy.name,
        "policy_digest": policy.digest,
        "as_of": ready.now,
        "tolerance_days": policy.tolerance_days,
        "buckets": ready.enrolment.buckets.keys().collect::<Vec<_>>(),
        "left_alone": ready.enrolment.left_alone,
        "overdue": late(&findings.overdue),
        "waiting": late(&findings.waiting),
        "observed": late(&findings.observed),
        "early": findings.early.iter().map(|(rule, early)| self::early(rule, early)).collect::<Vec<_>>(),
        "early_total": with(json!({}), &findings.early_total),
        "stays": findings
            .kept
            .iter()
            .map(|(kept, tally)| {
                let named =
                    json!({ "bucket": kept.bucket, "decision": kept.verdict.word(), "reason": kept.why });
                with(named, tally)
            })
            .collect::<Vec<_>>(),
        "retained": findings.retained.iter().map(by_bucket).collect::<Vec<_>>(),
        "lone_markers": findings.lone_markers.iter().map(by_bucket).collect::<Vec<_>>(),
        "no_rule": findings.no_rule.iter().map(|(bucket, found)| no_rule(bucket, found)).collect::<Vec<_>>(),
        "lifecycle": findings
            .unset
            .iter()
            .map(|unset| {
                json!({
                    "bucket": unset.bucket, "id": unset.id, "rule": unset.rule,
                    "change": unset.change, "now": unset.now, "wanted": unset.wanted,
                })
            })
            .collect::<Vec<_>>(),
        "asked": asked(audited),
        "reads": audited.reads.json(),
    })
}

/// An object with the counts of a tally added.
fn with(mut named: Value, tally: &Tally) -> Value {
    named["objects"] = tally.objects.into();
    named["bytes"] = tally.bytes.into();
    named["oldest_due"] = json!(tally.oldest_due);
    named
}

fn late(rule: &LateRule, late: &Late) -> Value {
    let steps = |place: usize| late.steps.get(place).copied().unwrap_or_default();
    let named = json!({
        "bucket": rule.bucket,
        "rule": rule.rule,
        "erasure": rule.erasure,
        "by": rule.remover.words(),
        "late_days": late.longest.num_days(),
        "late": { "3": steps(0), "7": steps(1), "30": steps(2), "more": steps(LATE_STEPS.len()) },
        "example": late.example,
    });
    with(named, &late.tally)
}

fn early(rule: &EarlyRule, early: &Early) -> Value {
    let example = &early.example;
    let named = json!({
        "breach": rule.is_breach(),
        "bucket": rule.bucket,
        "lifecycle_rule": rule.lifecycle_rule,
        "is_ours": rule.is_ours,
        "does": rule.effect.word(),
        "decision": rule.verdict.word(),
        "is_certain": rule.is_certain,
        "is_observed": rule.is_observed,
        "said_by": if rule.by_store { "store" } else { "configuration" },
        "example": {
            "key": example.key, "version_id": example.version_id,
            "when": example.when, "due": example.due, "reason": example.why,
        },
    });
    with(named, &early.tally)
}

fn no_rule(bucket: &str, found: &NoRule) -> Value {
    let (largest, other_prefixes, others) = found.largest();
    let prefixes: Vec<Value> =
        largest.iter().map(|(prefix, tally)| with(json!({ "prefix": prefix }), tally)).collect();
    let others = with(json!({ "prefixes": other_prefixes }), &others);
    with(json!({ "bucket": bucket, "prefixes": prefixes, "others": others }), &found.total())
}

fn asked(audited: &Audited<'_>) -> Value {
    let asked = &audited.asked;
    let date = |forecast: Option<&Forecast>| -> Option<DateTime<Utc>> { forecast.map(|found| found.date) };
    let differences: Vec<Value> = asked
        .differences
        .iter()
        .map(|([bucket, word, ours, theirs], (objects, key, difference))| {
            json!({
                "bucket": bucket, "difference": word, "objects": objects,
                "ours": { "lifecycle_rule": ours, "date": date(difference.ours()) },
                "theirs": { "lifecycle_rule": theirs, "date": date(difference.theirs()) },
                "example": key,
            })
        })
        .collect();
    let stalled: Vec<Value> = asked
        .stalled
        .iter()
        .map(|((bucket, status), stalled)| {
            json!({
                "bucket": bucket, "replication_status": status, "objects": stalled.objects,
                "overdue": stalled.overdue, "example": stalled.example,
            })
        })
        .collect();
    json!({
        "answered": asked.answered,
        "changed": asked.changed,
        "failed": asked.failed.0,
        "failure": asked.failed.1,
        "expiration_sent": asked.sent,
        "never_sent": asked.is_never_sent(),
        "agree": asked.agree,
        "none": asked.none,
        "unclear": asked.unclear,
        "differences": differences,
        "more_differences": asked.more_differences,
        "replication": stalled,
    })
}
