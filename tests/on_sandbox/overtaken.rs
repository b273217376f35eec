//! The built binary on the sandbox: what overtakes a plan is left alone, and what goes wrong on the way changes
//! neither the end nor the truth of what is told.

use std::time::Duration;

use crate::desk::{Desk, Outcome, Ran};
use crate::run;
use chrono::{TimeDelta, Utc};
use shelflife::sandbox::{
    Attributes, BucketOptions, Effect, Fault, LockConfiguration, PutOptions, RequestRecord, Sandbox,
    SandboxOptions, Versioning,
};

const BUCKET: &str = "media";

fn policy(enforce: &str, more: &str) -> String {
    format!(
        "version: 1
name: e2e
tenant:
  - key: \"*/{{tenant}}/**\"
rules:
  - id: ott-media
    select: {{buckets: [{BUCKET}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    enforce: {enforce}
{more}"
    )
}

async fn store(options: BucketOptions) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(options).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&policy("direct", ""));
    (sandbox, desk)
}

fn put(sandbox: &Sandbox, key: &str, body: &'static str, days: i64) {
    let at = Utc::now() - TimeDelta::days(days);
    sandbox.put_object(BUCKET, key, PutOptions::bytes(body).last_modified(at)).unwrap();
}

fn keys(sandbox: &Sandbox) -> Vec<String> {
    sandbox.list_everything(BUCKET).unwrap().into_iter().map(|entry| entry.key).collect()
}

#[track_caller]
fn of<'a>(outcomes: &'a [Outcome], key: &str) -> &'a Outcome {
    let found: Vec<_> = outcomes.iter().filter(|outcome| outcome.key == key).collect();
    assert_eq!(found.len(), 1, "outcomes of {key}: {outcomes:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_rewritten_or_held_since_the_plan_is_skipped_and_told() {
    let (sandbox, desk) = store(BucketOptions::named(BUCKET)).await;
    let [goes, held] = ["inbound/1/goes", "inbound/held/photo"];
    let [new_bytes, same_bytes] = ["inbound/1/new-bytes", "inbound/1/same-bytes"];
    for key in [goes, held, new_bytes, same_bytes] {
        put(&sandbox, key, "medium", 40);
    }
    run(&sandbox, &desk, &["plan"]).ends(0);
    put(&sandbox, new_bytes, "another medium", 0);
    put(&sandbox, same_bytes, "medium", 0);
    let hold = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";
    desk.policy(&policy("direct", hold));

    let applied = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();

    assert_eq!(keys(&sandbox), [new_bytes, same_bytes, held]);
    assert_eq!(applied["results"], serde_json::json!({"deleted": 1, "changed": 2, "held": 1}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    assert_eq!(of(&outcomes, goes).result, "deleted");
    for key in [new_bytes, same_bytes] {
        assert_eq!(of(&outcomes, key).result, "changed");
        assert!(of(&outcomes, key).detail.contains("written anew since the plan"));
    }
    assert!(of(&outcomes, held).detail.contains("legal hold case-7"));
}

/// With the same bytes it has the same ETag, on condition of which it would be deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_anew_while_others_are_looked_at_stays() {
    let more = "    incomplete-uploads: 7 days
  - id: tagged
    select: {buckets: [media], prefix: tagged/, tags: {class: short}}
    trigger: uploaded
    retain: 10 days
    enforce: direct
";
    for operation in ["GetObjectTagging", "ListMultipartUploads"] {
        let (sandbox, desk) = store(BucketOptions::named(BUCKET)).await;
        desk.policy(&policy("direct", more));
        let key = "inbound/1/a";
        put(&sandbox, key, "medium", 40);
        let ago = |days| Utc::now() - TimeDelta::days(days);
        let tagged = PutOptions::bytes("other").tag("class", "short").last_modified(ago(40));
        sandbox.put_object(BUCKET, "tagged/1/b", tagged).unwrap();
        sandbox.start_upload(BUCKET, "inbound/1/c", Attributes::default(), Some(ago(10))).unwrap();
        run(&sandbox, &desk, &["plan"]).ends(0);
        let user = sandbox.clone();
        let rewrite = Effect::before(move |_| put(&user, key, "medium", 0));
        sandbox.faults().add(Fault::on(operation, rewrite).once());

        let applied = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();

        sandbox.faults().clear();
        let wanted = serde_json::json!({"aborted": 1, "changed": 1, "deleted": 1});
        assert_eq!(applied["results"], wanted, "{operation}");
        assert_eq!(keys(&sandbox), [key], "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_locked_since_the_plan_is_skipped_and_told() {
    let lock = Some(LockConfiguration::default());
    let (sandbox, desk) = store(BucketOptions { lock, ..BucketOptions::named(BUCKET) }).await;
    for key in ["inbound/1/goes", "inbound/1/locked"] {
        put(&sandbox, key, "medium", 40);
    }
    run(&sandbox, &desk, &["plan"]).ends(0);
    sandbox.set_legal_hold(BUCKET, "inbound/1/locked", None, true).unwrap();

    let applied = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();

    assert_eq!(keys(&sandbox), ["inbound/1/locked"]);
    assert_eq!(applied["results"], serde_json::json!({"deleted": 1, "locked": 1}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    assert!(of(&outcomes, "inbound/1/locked").detail.contains("a legal hold in S3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_of_others_survive_ours() {
    let (sandbox, desk) = store(BucketOptions::named(BUCKET)).await;
    let foreign = "<Rule><ID>others</ID><Filter><And><Prefix>exports/</Prefix><Tag><Key>a</Key><Value>b &amp; c</Value>\
                   </Tag></And></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>";
    sandbox
        .put_lifecycle(BUCKET, &format!("<LifecycleConfiguration>{foreign}</LifecycleConfiguration>"))
        .unwrap();
    let before = sandbox.lifecycle(BUCKET).unwrap().unwrap();
    let others = &before[before.find("<Rule>").unwrap()..=before.rfind("</Rule>").unwrap()];
    for (enforce, ours) in [("auto", true), ("direct", false)] {
        desk.policy(&policy(enforce, ""));
        run(&sandbox, &desk, &["reconcile"]).ends(0);
        let after = sandbox.lifecycle(BUCKET).unwrap().unwrap();
        assert!(after.contains(others), "{after}");
        assert_eq!(after.contains("shelflife:e2e:"), ours, "{after}");
    }
}

/// Applies a plan that removes twenty objects while the first deletion goes wrong.
async fn apply_under(effect: Option<&Effect>) -> (Sandbox, Desk, Ran, Vec<RequestRecord>) {
    let (sandbox, desk) = store(BucketOptions::named(BUCKET)).await;
    for number in 0..20 {
        put(&sandbox, &format!("inbound/1/old-{number:02}"), "medium", 40);
    }
    put(&sandbox, "inbound/1/young", "medium", 1);
    run(&sandbox, &desk, &["plan"]).ends(0);
    let before = sandbox.requests().len();
    for operation in ["DeleteObjects", "DeleteObject"] {
        if let Some(effect) = effect {
            sandbox.faults().add(Fault::on(operation, effect.clone()).once());
        }
    }
    let applied = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]);
    sandbox.faults().clear();
    let asked = sandbox.requests().split_off(before);
    (sandbox, desk, applied, asked)
}

fn deletions(asked: &[RequestRecord]) -> impl Iterator<Item = &RequestRecord> {
    asked.iter().filter(|asked| ["DeleteObjects", "DeleteObject"].contains(&asked.call.operation))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_under_way_changes_neither_the_end_nor_the_evidence() {
    let (.., undisturbed, usual) = apply_under(None).await;
    undisturbed.ends(0);
    assert!(deletions(&usual).all(|asked| asked.status.is_some_and(|status| status < 300)), "{usual:#?}");
    for effect in [
        Effect::SlowDown,
        Effect::InternalError,
        Effect::ErrorBody("InternalError"),
        Effect::CutBody(150),
        Effect::AbortBody(150),
        Effect::AnswerLost,
        Effect::Delay(Duration::from_millis(50)),
    ] {
        let (sandbox, desk, first, asked) = apply_under(Some(&effect)).await;
        let statuses: Vec<_> = deletions(&asked).map(|asked| asked.status).collect();
        let struck = match effect {
            Effect::SlowDown => statuses.contains(&Some(503)),
            Effect::InternalError => statuses.contains(&Some(500)),
            Effect::AnswerLost => statuses.contains(&None),
            _ => !statuses.is_empty(),
        };
        assert!(struck, "{effect:?} met no deletion: {statuses:?}");
        // A disturbed answer is never taken for an answer: something more is asked.
        if !matches!(effect, Effect::Delay(_)) {
            assert!(asked.len() > usual.len(), "{effect:?} was not noticed: {asked:#?}");
        }

        assert!([0, 3].contains(&first.code), "{effect:?}: {}\n{}", first.out, first.err);
        let told = desk.outcomes(first.json()["evidence"].as_str().unwrap());
        let left = keys(&sandbox);
        for outcome in told.iter().filter(|it| ["deleted", "already-gone"].contains(&it.result.as_str())) {
            assert!(!left.contains(&outcome.key), "{effect:?} claims {outcome:?}");
        }
        if first.code == 0 {
            assert_eq!(left, ["inbound/1/young"], "{effect:?}");
        } else {
            let is_failure = |it: &Outcome| ["failed", "unclear"].contains(&it.result.as_str());
            assert!(told.iter().any(is_failure), "{effect:?} ends with 3: {told:#?}");
        }
        run(&sandbox, &desk, &["reconcile"]).ends(0);
        assert_eq!(keys(&sandbox), ["inbound/1/young"], "{effect:?}");
        run(&sandbox, &desk, &["plan", "--detailed-exitcode"]).ends(0);
    }
}

/// What is deleted goes for what is so then, not for what was so when the plan was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evidence_tells_the_decision_that_was_made_last() {
    let (sandbox, desk) = store(BucketOptions::named(BUCKET)).await;
    desk.policy(
        &policy("direct", "").replace("trigger: uploaded", "trigger: {tag: sent, if-missing: retained}"),
    );
    let tags = |day: &str| std::collections::BTreeMap::from([("sent".to_owned(), day.to_owned())]);
    put(&sandbox, "inbound/1/a", "medium", 400);
    sandbox.set_tags(BUCKET, "inbound/1/a", None, tags("2026-02-01")).unwrap();
    run(&sandbox, &desk, &["plan"]).ends(0);
    sandbox.set_tags(BUCKET, "inbound/1/a", None, tags("2026-01-15")).unwrap();
    let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    assert!(keys(&sandbox).is_empty());
    let entries = desk.evidence(ran["evidence"].as_str().unwrap());
    let intent = entries.iter().find(|entry| entry["kind"] == "intent").unwrap();
    assert!(intent["items"][0]["due"].as_str().unwrap().starts_with("2026-02-15"), "{intent}");
}

/// A version that a user hides at the last moment is superseded since then, and has the time of such versions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latest_version_that_is_hidden_right_before_it_is_covered_stays() {
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::named(BUCKET) };
    let (sandbox, desk) = store(versioned).await;
    desk.policy(&policy("direct", "    noncurrent: {retain: 60 days}\n"));
    let key = "inbound/1/a";
    put(&sandbox, key, "older", 100);
    put(&sandbox, key, "latest", 40);
    run(&sandbox, &desk, &["plan"]).ends(0);
    // The run looks when it begins the batch, before the latest versions, and right before the marker.
    let user = sandbox.clone();
    let hide = Effect::before(move |_| drop(user.delete(BUCKET, key, None).unwrap()));
    sandbox.faults().add(Fault::on("ListObjectVersions", hide).calls(3, 3));
    let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    assert_eq!(ran["results"], serde_json::json!({"changed": 2}));
    assert_eq!(keys(&sandbox).len(), 3, "a marker on two versions");
}
