//! The built binary on the sandbox, at the moment when a hold is placed: a run that is under way hears of
//! it, and nothing holds up what makes S3 do less.

use std::time::Duration;

use crate::desk::Desk;
use crate::run;
use chrono::{TimeDelta, Utc};
use shelflife::lifecycle::LifecycleDocument;
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions};

const BUCKET: &str = "media";
const PLACE: &str = "exports";
const PLAN: &str = "shelflife-plan.parquet";
const HOLD: &str = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";

/// Everything under `inbound/` goes after 30 days; `more` follows as further rules, or at the top level.
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

async fn store() -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    (sandbox, desk)
}

fn put(sandbox: &Sandbox, key: &str, days: i64) {
    let at = Utc::now() - TimeDelta::days(days);
    sandbox.put_object(BUCKET, key, PutOptions::bytes("medium").last_modified(at)).unwrap();
}

fn keys(sandbox: &Sandbox) -> Vec<String> {
    sandbox.list_everything(BUCKET).unwrap().into_iter().map(|entry| entry.key).collect()
}

/// Starts of keys that enabled lifecycle rules stand for.
fn given(sandbox: &Sandbox) -> Vec<String> {
    let document = LifecycleDocument::read(&sandbox.lifecycle(BUCKET).unwrap().unwrap()).unwrap();
    let enabled = document.rules().iter().map(|rule| rule.view()).filter(|view| view.is_enabled());
    enabled.map(|view| view.filter.prefix.clone()).collect()
}

/// The hold comes right after the policy was read; then configurations are looked at, which takes long enough
/// for the policy to be read again before the first deletion.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_placed_during_a_run_stops_it_and_the_same_command_goes_on_under_the_hold() {
    let (sandbox, desk) = store().await;
    desk.policy(&policy("direct", ""));
    for key in ["inbound/1/goes", "inbound/held/photo"] {
        put(&sandbox, key, 40);
    }
    run(&sandbox, &desk, &["plan"]).ends(0);
    let (file, held) = (desk.path("policies/policy.yaml"), policy("direct", HOLD));
    let place = Effect::before(move |_| std::fs::write(&file, &held).unwrap());
    sandbox.faults().add(Fault::on("*", place).once());
    let slow = Effect::Delay(Duration::from_secs(2));
    sandbox.faults().add(Fault::on("GetBucketLifecycleConfiguration", slow));

    let stopped = run(&sandbox, &desk, &["apply", PLAN]).ends(130);

    stopped.shows(&["interrupted"]).tells(&[
        "the policy is no longer what the run began with",
        "the run was stopped: the policy's holds were changed meanwhile",
        "help:",
        "the same command goes on, under the holds as they are then",
    ]);
    assert_eq!(keys(&sandbox).len(), 2);
    sandbox.faults().clear();
    let resumed = run(&sandbox, &desk, &["apply", PLAN, "--json"]).ends(0).json();
    assert_eq!(resumed["resumed"], true);
    assert_eq!(resumed["results"], serde_json::json!({"deleted": 1, "held": 1}));
    assert_eq!(keys(&sandbox), ["inbound/held/photo"]);
}

fn customers(exported_days_ago: i64) -> String {
    let exported = Utc::now() - TimeDelta::days(exported_days_ago);
    format!("id,ended,at\n1,2020-01-01,{}\n", exported.format("%Y-%m-%dT%H:%M:%SZ"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_narrowing_part_of_a_plan_waits_neither_for_records_nor_for_where_copies_go() {
    let (sandbox, desk) = store().await;
    sandbox.create_bucket(BucketOptions::named(PLACE)).unwrap();
    let others = |more: &str| {
        let rules = format!(
            "  - id: ended
    select: {{buckets: [{BUCKET}], prefix: ended/}}
    trigger: {{record: customers.ended, if-missing: retained}}
    retain: 1 day
    enforce: direct
  - id: saved
    select: {{buckets: [{BUCKET}], prefix: saved/}}
    trigger: uploaded
    retain: 30 days
    export: s3://{PLACE}/
records:
  customers: {{file: customers.csv, id: id, by: tenant, fresh-within: 2 days, exported-at: at}}
"
        );
        policy("auto", &format!("{rules}{more}"))
    };
    for key in ["inbound/1/young", "inbound/held/young"] {
        put(&sandbox, key, 3);
    }
    desk.write("policies/customers.csv", &customers(0));
    desk.policy(&others(""));
    run(&sandbox, &desk, &["reconcile", "--out", "first.parquet"]).ends(0);
    assert_eq!(given(&sandbox), ["inbound/"]);
    desk.policy(&others(HOLD));
    run(&sandbox, &desk, &["plan"]).ends(0);

    desk.write("policies/customers.csv", &customers(10));
    sandbox.faults().add(Fault::on("*", Effect::AccessDenied).bucket(PLACE));
    run(&sandbox, &desk, &["apply", PLAN]).ends(2).tells(&["record files have faults"]);
    let tolerant = run(&sandbox, &desk, &["apply", PLAN, "--tolerate-record-faults"]).ends(1);
    tolerant.tells(&["s3://exports"]);
    assert_eq!(given(&sandbox), ["inbound/"]);

    run(&sandbox, &desk, &["apply", PLAN, "--narrow-only"]).ends(0);
    assert_eq!(given(&sandbox), ["inbound/1/"]);
}

/// The hold comes while the second look asks for what it goes by, which takes a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_placed_while_rows_are_looked_at_stops_their_removal() {
    let (sandbox, desk) = store().await;
    let dated = |more: &str| policy("direct", more).replace("trigger: uploaded", "trigger: {metadata: made}");
    desk.policy(&dated(""));
    for key in ["inbound/1/goes", "inbound/held/photo"] {
        let options = PutOptions::bytes("medium").metadata("made", "2026-01-01");
        sandbox.put_object(BUCKET, key, options).unwrap();
    }
    run(&sandbox, &desk, &["plan"]).ends(0);
    let (file, held) = (desk.path("policies/policy.yaml"), dated(HOLD));
    let place = Effect::before(move |_| std::fs::write(&file, &held).unwrap());
    // Once when the bucket is enrolled, and once right before the look.
    sandbox.faults().add(Fault::on("GetBucketVersioning", place).calls(2, 2));
    // It is seen within ten seconds, and once more a second later.
    sandbox.faults().add(Fault::on("HeadObject", Effect::Delay(Duration::from_secs(14))));

    run(&sandbox, &desk, &["apply", PLAN]).ends(130);

    assert_eq!(keys(&sandbox).len(), 2);
    sandbox.faults().clear();
    let resumed = run(&sandbox, &desk, &["apply", PLAN, "--json"]).ends(0).json();
    assert_eq!(resumed["results"], serde_json::json!({"deleted": 1, "held": 1}));
}
