//! The auditor, on decided keys and configurations that no store is needed for.

use chrono::{DateTime, Utc};

use super::*;
use crate::decide::{Needs, Step, Verdict, decide};
use crate::lifecycle::{Effect, LifecycleDocument};
use crate::object::{Attributes, BucketFacts, Kind, Lock, Observed, Reading, Unreadable, Versioning};
use crate::plan::{BucketContext, Item, KeyGroup};
use crate::policy::{Policy, SourceFile, read};
use crate::records::Records;

const NOW: &str = "2026-11-23T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// One rule for the bucket `media`, and what else the policy says.
fn policy(rule: &str, more: &str) -> Policy {
    let text = format!(
        "version: 1\nname: acme\ntenant: [{{key: \"{{tenant}}/**\"}}]\nrules:\n  - {{id: a, select: {{buckets: [media]}}, {rule}}}\n{more}"
    );
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into() }];
    read(&files).unwrap_or_else(|faults| panic!("{faults:?}")).policy
}

const UPLOADED: &str = "trigger: uploaded, retain: 30 days, enforce: direct";
const SENT: &str = "trigger: {metadata: sent, within: 1 day, outside: clamp, if-missing: uploaded}, retain: 30 days, enforce: direct";

fn standing(versioning: Versioning, rules: &str) -> Standing {
    let facts = BucketFacts { name: "media".to_owned(), versioning, mfa_delete: false, object_lock: false };
    let xml = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    Standing {
        context: BucketContext { facts, compiled: crate::lifecycle::Compiled::default() },
        document: Some(LifecycleDocument::read(&xml).unwrap()),
    }
}

fn rule(id: &str, filter: &str, action: &str) -> String {
    format!("<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>Enabled</Status>{action}</Rule>")
}

fn days(days: u32) -> String {
    format!("<Expiration><Days>{days}</Days></Expiration>")
}

fn object<'a>(key: &'a str, uploaded: &str) -> Observed<'a> {
    Observed {
        bucket: "media",
        key,
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded: at(uploaded),
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: 6,
        etag: None,
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Unread,
        lock: Reading::Known(Lock::default()),
    }
}

fn version<'a>(id: &'a str, uploaded: &str, superseded: Option<&str>) -> Observed<'a> {
    let superseded = superseded.map(at);
    let base = object("1/photo.jpg", uploaded);
    Observed {
        kind: Kind::Version,
        version_id: Some(id),
        is_latest: superseded.is_none(),
        superseded,
        ..base
    }
}

fn item(policy: &Policy, object: &Observed<'_>) -> Item {
    let decision = match decide(policy, &Records::default(), object, at(NOW)) {
        Step::Decided(decision) => decision,
        Step::Needs(needs) => panic!("{needs:?}"),
    };
    Item {
        kind: object.kind,
        version_id: object.version_id.map(Into::into),
        upload_id: None,
        is_latest: object.is_latest,
        uploaded: object.uploaded,
        superseded: object.superseded,
        size: object.size,
        etag: None,
        storage_class: None,
        decision,
        read_failed: false,
        when_alone: None,
    }
}

fn asked(policy: &Policy, standing: &Standing, versions: &[Observed<'_>]) -> Vec<Needs> {
    Auditor::new(policy, &Records::default(), at(NOW), Some(0)).asks(standing, versions)
}

fn audited(policy: &Policy, standing: &Standing, versions: &[Observed<'_>]) -> Findings {
    let records = Records::default();
    let mut auditor = Auditor::new(policy, &records, at(NOW), Some(0));
    let items = versions.iter().map(|version| item(policy, version)).collect();
    let group = KeyGroup { key: versions[0].key.into(), items, uploads: Vec::new() };
    auditor.take(standing, versions, &group);
    auditor.findings
}

/// Lifecycle rule, effect and verdict of all that is early.
fn early(findings: &Findings) -> Vec<(&str, Effect, Verdict)> {
    findings.early.keys().map(|rule| (rule.lifecycle_rule.as_str(), rule.effect, rule.verdict)).collect()
}

#[test]
fn attributes_are_read_only_where_the_answer_depends_on_them() {
    let policy = policy(SENT, "");
    let fresh = [object("1/a", "2026-11-20T10:00:00Z")];
    let head = Needs { head: true, ..Needs::NONE };
    // It is due on the 21st or the 22nd of December, whatever the metadata say.
    for (after, needs) in [(7, Needs::NONE), (30, head), (31, Needs::NONE)] {
        let standing = standing(Versioning::Never, &rule("theirs", "", &days(after)));
        assert_eq!(asked(&policy, &standing, &fresh), [needs], "{after} days");
    }
    let sent: Attributes = [("sent".to_owned(), "2026-11-21T09:00:00Z".to_owned())].into();
    let known = [Observed { metadata: Reading::Known(&sent), ..object("1/a", "2026-11-20T10:00:00Z") }];
    for (after, is_early) in [(30, true), (31, false)] {
        let standing = standing(Versioning::Never, &rule("theirs", "", &days(after)));
        assert_eq!(audited(&policy, &standing, &known).is_kept(), !is_early, "{after} days");
    }
    let by_tag = "<Tag><Key>t</Key><Value>1</Value></Tag>";
    let tags = Needs { tags: true, ..Needs::NONE };
    for (after, needs) in [(7, tags), (40, Needs::NONE)] {
        let standing = standing(Versioning::Never, &rule("theirs", by_tag, &days(after)));
        assert_eq!(asked(&policy, &standing, &fresh), [needs], "{after} days");
    }
}

#[test]
fn a_sum_on_an_exact_midnight_is_taken_for_the_earlier_one() {
    let policy = policy("trigger: uploaded, retain: 31 days, enforce: direct", "");
    let midnight = [object("1/a", "2026-11-20T00:00:00Z")];
    // S3 may round this to the 20th or to the 21st of December; it is due on the 21st.
    let standing = standing(Versioning::Never, &rule("theirs", "", &days(30)));
    assert_eq!(
        early(&audited(&policy, &standing, &midnight)),
        [("theirs", Effect::Removed, Verdict::Retained)]
    );
    let later = [object("1/a", "2026-11-20T00:00:01Z")];
    let thirty_one = self::standing(Versioning::Never, &rule("theirs", "", &days(31)));
    assert!(audited(&policy, &thirty_one, &later).is_kept());
}

#[test]
fn what_s3_could_take_today_is_judged_as_of_today() {
    let policy =
        policy(UPLOADED, "holds: [{id: h, reason: r, select: {tenants: [\"1\"]}, released: 2026-11-30}]\n");
    let held = [object("1/a", "2026-10-01T10:00:00Z")];
    // Its date is long past, so nobody knows whether S3 waits until the hold is released.
    let past = standing(Versioning::Never, &rule("ours", "", &days(31)));
    assert_eq!(early(&audited(&policy, &past, &held)), [("ours", Effect::Removed, Verdict::Held)]);
    let future = standing(Versioning::Never, &rule("ours", "", &days(90)));
    assert!(audited(&policy, &future, &held).is_kept());
}

#[test]
fn a_null_version_below_is_destroyed_with_the_marker_on_top_of_what_covers_it() {
    let policy = policy(UPLOADED, "");
    let versions = [
        version("v2", "2026-11-20T10:00:00Z", None),
        version("null", "2026-11-19T10:00:00Z", Some("2026-11-20T10:00:00Z")),
    ];
    let standing = standing(Versioning::Suspended, &rule("theirs", "", &days(5)));
    let found = audited(&policy, &standing, &versions);
    assert_eq!(
        early(&found),
        [("theirs", Effect::Hidden, Verdict::Retained), ("theirs", Effect::Replaced, Verdict::Retained)]
    );
}

#[test]
fn locks_are_obeyed_by_s3_and_so_are_no_breach() {
    let policy = policy(UPLOADED, "");
    let locked = Reading::Known(Lock { legal_hold: true, retain_until: None });
    let noncurrent =
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    let standing = standing(Versioning::Enabled, &rule("theirs", "", &(days(5) + noncurrent)));
    let older = version("v1", "2026-11-19T10:00:00Z", Some("2026-11-20T10:00:00Z"));
    let versions = [
        Observed { lock: locked, ..version("v2", "2026-11-20T10:00:00Z", None) },
        Observed { lock: locked, ..older.clone() },
    ];
    let found = audited(&policy, &standing, &versions);
    assert_eq!(early(&found), [("theirs", Effect::Hidden, Verdict::Locked)]);
    assert!(found.is_kept());

    let unread = Observed { lock: Reading::Unread, ..version("v2", "2026-11-20T10:00:00Z", None) };
    assert_eq!(asked(&policy, &standing, &[unread])[0], Needs { lock: true, ..Needs::NONE });
    // Where only the lock is not known, S3 knows it.
    let due = Observed {
        lock: Reading::Unknown(Unreadable::Denied),
        ..version("v2", "2026-10-01T10:00:00Z", None)
    };
    assert!(early(&audited(&policy, &standing, &[due])).is_empty());
}

#[test]
fn a_thing_that_two_rules_take_early_is_one_breach() {
    let rules = rule("one", "", &days(5)) + &rule("two", "", &days(6));
    let fresh = [object("1/a", "2026-11-20T10:00:00Z")];
    let found = audited(&policy(UPLOADED, ""), &standing(Versioning::Never, &rules), &fresh);
    assert_eq!((found.early.len(), found.early_total.objects), (2, 1));
}

#[test]
fn what_is_only_observed_or_not_certain_is_told_apart_from_a_breach() {
    let fresh = [object("1/a", "2026-11-20T10:00:00Z")];
    let observed = policy(&UPLOADED.replace("direct", "observe"), "");
    let found = audited(&observed, &standing(Versioning::Never, &rule("theirs", "", &days(5))), &fresh);
    assert!(found.is_kept() && found.early.keys().all(|rule| rule.is_observed), "{found:?}");

    let odd = rule("odd", "<Suffix>.jpg</Suffix>", &days(5));
    let found = audited(&policy(UPLOADED, ""), &standing(Versioning::Never, &odd), &fresh);
    assert!(found.is_kept() && found.early.keys().all(|rule| !rule.is_certain), "{found:?}");
    assert_eq!(found.early.len(), 1);
}

#[test]
fn a_lone_marker_is_counted_and_never_overdue() {
    let marker =
        Observed { kind: Kind::Marker, alone: true, size: 0, ..version("m", "2026-01-01T10:00:00Z", None) };
    let found =
        audited(&policy(UPLOADED, ""), &standing(Versioning::Enabled, ""), std::slice::from_ref(&marker));
    assert!(found.is_kept() && found.overdue.is_empty());
    assert_eq!(found.lone_markers["media"].objects, 1);

    // Repeated deletions stack markers; the older one is alone since the version below it went.
    let newest = Observed { alone: false, ..marker.clone() };
    let older = Observed {
        version_id: Some("n"),
        is_latest: false,
        superseded: Some(newest.uploaded),
        ..marker.clone()
    };
    let stack = [newest, older];
    let found = audited(&policy(UPLOADED, ""), &standing(Versioning::Enabled, ""), &stack);
    assert!(found.is_kept() && found.overdue.is_empty());
    assert_eq!(found.lone_markers["media"].objects, 1);
    // Where nobody removes it, that is told.
    let mut kept = standing(Versioning::Enabled, "");
    kept.context.facts.mfa_delete = true;
    let found = audited(&policy(UPLOADED, ""), &kept, &stack);
    assert!(found.lone_markers.is_empty() && !found.overdue.is_empty());
    // By `noncurrent` it has a date of its own.
    let dated = policy(&format!("{UPLOADED}, noncurrent: {{retain: 1 day}}"), "");
    assert!(!audited(&dated, &standing(Versioning::Enabled, ""), &stack).overdue.is_empty());
}

#[test]
fn reasons_to_stay_do_not_grow_with_the_objects() {
    let until =
        |day: u32| Lock { legal_hold: false, retain_until: Some(at(&format!("2026-12-{day:02}T00:00:00Z"))) };
    let policy = policy(UPLOADED, "");
    let records = Records::default();
    let mut auditor = Auditor::new(&policy, &records, at(NOW), Some(0));
    let standing = standing(Versioning::Enabled, "");
    for day in 1..20 {
        let locked =
            Observed { lock: Reading::Known(until(day)), ..version("v", "2026-10-01T10:00:00Z", None) };
        let group = KeyGroup { key: "1/a".into(), items: vec![item(&policy, &locked)], uploads: Vec::new() };
        auditor.take(&standing, &[locked], &group);
    }
    let kept: Vec<_> =
        auditor.findings.kept.iter().map(|(kept, tally)| (kept.why.as_str(), tally.objects)).collect();
    assert_eq!(kept, [("Object Lock retention", 19)]);
}

#[test]
fn however_many_prefixes_have_no_rule_few_are_held_and_none_is_lost() {
    let mut found = NoRule::default();
    for number in 0..5_000 {
        for _ in 0..=(number % 7) {
            found.add(&format!("team-{number:05}/x"), 2);
        }
    }
    found.add("no slash", 2);
    let (largest, others, rest) = found.largest();
    assert_eq!((largest.len() as u64 + others, largest[0].1.objects), (5_001, 7));
    let shown: u64 = largest.iter().map(|(_, tally)| tally.objects).sum();
    let total = (0..5_000_u64).map(|number| number % 7 + 1).sum::<u64>() + 1;
    assert_eq!((shown + rest.objects, found.total().objects), (total, total));
}

mod comparing {
    use super::*;

    const SHORT: &str = "expiry-date=\"Sun, 06 Dec 2026 00:00:00 GMT\", rule-id=\"short\"";

    fn compared(rules: &str, uploaded: &str, header: Option<&str>) -> Comparison {
        let standing = standing(Versioning::Never, rules);
        let object = object("1/a", uploaded);
        compare(&foretold(standing.document.as_ref(), Versioning::Never, &object), header)
    }

    fn both() -> String {
        rule("long", "", &days(30)) + &rule("short", "", &days(15))
    }

    #[test]
    fn the_shortest_rule_is_expected_and_either_reading_of_a_midnight() {
        assert_eq!(compared(&both(), "2026-11-20T10:00:00Z", Some(SHORT)), Comparison::Agree);
        assert_eq!(compared(&both(), "2026-11-21T00:00:00Z", Some(SHORT)), Comparison::Agree);
        assert_eq!(compared(&both(), "2026-11-20T00:00:00Z", Some(SHORT)), Comparison::Agree);
        assert_eq!(compared("", "2026-11-20T10:00:00Z", None), Comparison::None);
        let twins = rule("short", "", &days(15)) + &rule("twin", "", &days(15));
        let named = SHORT.replace("short", "twin");
        assert_eq!(compared(&twins, "2026-11-20T10:00:00Z", Some(&named)), Comparison::Agree);
    }

    #[test]
    fn every_difference_is_named() {
        let word = |rules: &str, uploaded, header| match compared(rules, uploaded, header) {
            Comparison::Differ(difference) => difference.word(),
            other => panic!("{other:?}"),
        };
        let then = "2026-11-20T10:00:00Z";
        assert_eq!(word(&both(), then, None), "missing");
        // That is how a directory bucket puts it.
        assert_eq!(word(&both(), then, Some("NotImplemented")), "missing");
        assert_eq!(word("", then, Some(SHORT)), "unexpected");
        assert_eq!(word(&both(), "2026-11-19T10:00:00Z", Some(SHORT)), "date");
        let long = "expiry-date=\"Mon, 21 Dec 2026 00:00:00 GMT\", rule-id=\"long\"";
        assert_eq!(word(&both(), then, Some(long)), "rule");
        assert_eq!(word(&both(), then, Some("soon")), "unreadable");
    }

    #[test]
    fn where_our_own_reading_is_not_certain_nothing_is_said() {
        let by_tag = rule("short", "<Tag><Key>t</Key><Value>1</Value></Tag>", &days(15));
        for header in
            [None, Some(SHORT), Some("expiry-date=\"Sun, 13 Dec 2026 00:00:00 GMT\", rule-id=\"x\"")]
        {
            assert_eq!(compared(&by_tag, "2026-11-20T10:00:00Z", header), Comparison::Unclear, "{header:?}");
        }
    }
}

#[test]
fn however_many_prefixes_no_rule_covers_the_largest_are_named_and_nothing_is_lost() {
    let mut no_rule = NoRule::default();
    for number in 0..50_000 {
        let times = if number % 10_000 == 0 { 6 } else { 1 };
        (0..times).for_each(|_| no_rule.add(&format!("{number:05}/a"), 2));
    }
    let (largest, other_prefixes, _) = no_rule.largest();
    let names: Vec<&str> = largest.iter().take(5).map(|(prefix, _)| *prefix).collect();
    assert_eq!(names, ["00000/", "10000/", "20000/", "30000/", "40000/"]);
    assert!(largest.iter().take(5).all(|(_, tally)| tally.objects == 6));
    assert_eq!(largest.len() as u64 + other_prefixes, 50_000);
    assert_eq!((no_rule.total().objects, no_rule.total().bytes), (50_025, 100_050));
}
