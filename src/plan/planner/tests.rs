//! What is told of a plan beside its rows: what S3 does at once, and what no hold on tenants reaches.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::decide::{Step, decide};
use crate::lifecycle::Surroundings;
use crate::object::{Attributes, BucketFacts, Lock, Observed, Reading};
use crate::plan::{BucketPlan, propose};
use crate::policy::{SourceFile, read};
use crate::records::Records;

fn day(day: i64) -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(day)
}

fn policy(rules: &str, more: &str) -> Policy {
    let text =
        format!("version: 1\nname: acme\ntenant: [{{key: \"in/{{tenant}}/**\"}}]\nrules:\n{rules}\n{more}");
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into() }];
    read(&files).unwrap_or_else(|faults| panic!("{faults:?}")).policy
}

/// What a bucket without versions comes to, and what becomes of its configuration.
fn bucket(policy: &Policy, now: DateTime<Utc>) -> (BucketContext, BucketPlan) {
    let facts = BucketFacts {
        name: "media".to_owned(),
        versioning: Versioning::Never,
        mfa_delete: false,
        object_lock: false,
    };
    let proposal = propose(policy, &facts, None, &Surroundings::NOTHING, false, now).unwrap();
    let planned = proposal.to_plan(policy, &facts, None, now);
    (BucketContext { facts, compiled: proposal.compiled }, planned)
}

/// The only object under a key, of nine bytes and with the tag `class`, decided.
fn object(policy: &Policy, key: &str, class: &str, uploaded: DateTime<Utc>, now: DateTime<Utc>) -> KeyGroup {
    let tags = Attributes::from([("class".to_owned(), class.to_owned())]);
    let observed = Observed {
        bucket: "media",
        key,
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded,
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: 9,
        etag: Some("abc"),
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Known(&tags),
        lock: Reading::Known(Lock::default()),
    };
    let decision = match decide(policy, &Records::default(), &observed, now) {
        Step::Decided(decision) => decision,
        Step::Needs(needs) => panic!("{needs:?}"),
    };
    let item = Item {
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded,
        superseded: None,
        size: 9,
        etag: Some("abc".into()),
        storage_class: None,
        read_failed: false,
        decision,
        when_alone: None,
    };
    KeyGroup { key: key.into(), items: vec![item], uploads: Vec::new() }
}

#[test]
fn what_s3_removes_at_once_is_told_once_for_each_choice_of_objects_and_counts_what_is_swept() {
    let rule = |id: &str, class: &str| {
        format!(
            "  - {{id: {id}, select: {{buckets: [media], prefix: in/, tags: {{class: {class}}}}}, \
             trigger: uploaded, retain: 30 days}}\n"
        )
    };
    let policy = policy(&(rule("one", "c") + &rule("two", "[a, b]")), "");
    let now = day(40);
    let (context, mut planned) = bucket(&policy, now);
    let mut planner = Planner::new(&policy, now);
    // Due ten days ago, beyond the tolerance, or two days ago, or not at all.
    let objects = [("a", 0), ("b", 8), ("c", 8), ("c", 20)];
    let mut swept = 0;
    for (number, (class, uploaded)) in objects.into_iter().enumerate() {
        let group = object(&policy, &format!("in/1/{number}"), class, day(uploaded), now);
        swept += planner.plan_key(&context, &group).len();
    }
    assert_eq!(swept, 1);

    planner.tell_at_once(&context, &mut planned.changes);

    let told = planned.changes.iter();
    let told: Vec<_> =
        told.map(|change| (change.rule.as_str(), change.at_once.map(|tally| tally.objects))).collect();
    assert_eq!(told, [("one", Some(1)), ("two", Some(2)), ("two", None)]);
}

#[test]
fn where_a_hold_is_on_tenants_what_goes_without_one_is_told() {
    let rule = "  - {id: a, select: {buckets: [media]}, trigger: uploaded, retain: 30 days, enforce: direct}";
    let told = |select: &str, more: &str| {
        let holds = format!("holds: [{{id: case-7, reason: Order, select: {select}{more}}}]");
        let policy = policy(rule, &holds);
        let now = day(40);
        let (context, _) = bucket(&policy, now);
        let mut planner = Planner::new(&policy, now);
        for (key, uploaded) in [("in/1/a", 0), ("in/2/a", 0), ("in//a", 0), ("out/a", 0), ("out/young", 30)] {
            planner.plan_key(&context, &object(&policy, key, "a", day(uploaded), now));
        }
        planner.warn_of_no_tenant("media")
    };
    for select in ["{tenants: [\"1\"]}", "{tenants: [\"1\"], buckets: [\"m*\"]}"] {
        let told = told(select, "").unwrap();
        assert!(told.starts_with("what goes includes 2 objects, 18 B without a tenant"), "{told}");
    }
    assert_eq!(told("{tenants: [\"1\"]}", ", released: 2026-01-31"), None);
    for select in ["{tenants: [\"1\"], buckets: [other]}", "{prefix: out/}"] {
        assert_eq!(told(select, ""), None, "{select}");
    }
}
