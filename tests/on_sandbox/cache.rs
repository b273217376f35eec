//! The built binary on the sandbox with `--cache`: what was read once is not asked for again, what has changed is,
//! and nothing is deleted on the word of the cache.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions};
use shelflife::survey::Cache;

use crate::desk::{Desk, Ran};
use crate::run;

const BUCKET: &str = "media";
const PLAN: [&str; 4] = ["plan", "--json", "--cache", "reads.cache"];

/// Due thirty days after a date in the metadata, for whatever `select` says.
fn policy(select: &str, trigger: &str) -> String {
    format!(
        "version: 1
name: e2e
rules:
  - id: ott-media
    select: {{buckets: [{BUCKET}]{select}}}
    trigger: {{metadata: communication-date{trigger}}}
    retain: 30 days
    enforce: direct
"
    )
}

async fn store(policy: &str) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(policy);
    (sandbox, desk)
}

fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

/// An object that was uploaded on one day and speaks of another.
fn put(sandbox: &Sandbox, key: &str, uploaded: DateTime<Utc>, days: i64) {
    let date = days_ago(days).format("%Y-%m-%d").to_string();
    let options = PutOptions::bytes("medium").metadata("communication-date", &date).tag("customer", "4711");
    sandbox.put_object(BUCKET, key, options.last_modified(uploaded)).unwrap();
}

fn heads(sandbox: &Sandbox) -> Vec<String> {
    let heads = sandbox.requests().into_iter().filter(|asked| asked.call.operation == "HeadObject");
    heads.flat_map(|asked| asked.call.keys).collect()
}

/// Runs a command; its answer, and the keys that it sent a HEAD for.
fn asking(sandbox: &Sandbox, desk: &Desk, args: &[&str]) -> (Value, Vec<String>) {
    let before = heads(sandbox).len();
    let told = run(sandbox, desk, args).ends(0).json();
    (told, heads(sandbox).split_off(before))
}

fn expired(told: &Value) -> u64 {
    let lines = told["header"]["summary"].as_array().unwrap();
    let expired = lines.iter().filter(|line| line["verdict"] == "expired");
    expired.map(|line| line["objects"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_asks_only_for_what_is_new() {
    let (sandbox, desk) = store(&policy("", "")).await;
    for number in 0..20 {
        put(&sandbox, &format!("inbound/{number:02}"), days_ago(50), 40);
        put(&sandbox, &format!("inbound/young-{number:02}"), days_ago(50), 10);
    }
    let (first, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((asked.len(), expired(&first)), (40, 20));
    assert_eq!(first["reads"]["heads"], 40);
    assert!((first["reads"]["usd"].as_f64().unwrap() - 0.000_016).abs() < 1e-9, "{}", first["reads"]);
    assert_eq!(first["reads"]["cache"], json!({"file": "reads.cache", "fault": null}));

    let (second, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!(asked, [""; 0]);
    assert_eq!(expired(&second), 20);
    assert_eq!(second["reads"]["heads_spared"], 40);
    assert_eq!(second["reads"]["usd_spared"], first["reads"]["usd"]);
    let shown = run(&sandbox, &desk, &["plan", "--cache", "reads.cache"]).ends(0);
    shown.shows(&["reads 40 HEAD for less than $0.01 spared by the cache"]);
    let audited = run(&sandbox, &desk, &["audit", "--cache", "reads.cache", "--json"]).ends(6).json();
    assert_eq!((&audited["reads"]["heads"], &audited["reads"]["heads_spared"]), (&json!(0), &json!(40)));

    // The same bytes with another date, on another day: its ETag is the same.
    put(&sandbox, "inbound/07", days_ago(49), 10);
    put(&sandbox, "inbound/new", days_ago(48), 40);
    let (third, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(["inbound/07", "inbound/new"].iter().all(|key| asked.iter().any(|it| it == key)), "{asked:?}");
    assert_eq!(expired(&third), 20);

    let (without, asked) = asking(&sandbox, &desk, &["plan", "--json"]);
    assert_eq!((asked.len(), expired(&without)), (41, 20));
    assert_eq!(without["reads"]["cache"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_read_in_every_run() {
    let (sandbox, desk) =
        store(&policy(", tenants: [\"4711\"]", "").replace("rules:", "tenant: [{tag: customer}]\nrules:"))
            .await;
    put(&sandbox, "inbound/1", days_ago(50), 40);
    put(&sandbox, "inbound/2", days_ago(50), 40);
    let (first, _) = asking(&sandbox, &desk, &PLAN);
    assert_eq!(expired(&first), 2);
    sandbox.set_tags(BUCKET, "inbound/1", None, [("customer".to_owned(), "815".to_owned())].into()).unwrap();
    let (second, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((asked.len(), expired(&second)), (0, 1));
    assert_eq!((&second["reads"]["tags"], &second["reads"]["heads_spared"]), (&json!(2), &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_deleted_on_the_word_of_the_cache() {
    let (sandbox, desk) = store(&policy("", "")).await;
    let uploaded = days_ago(50);
    put(&sandbox, "inbound/goes", uploaded, 40);
    put(&sandbox, "inbound/stays", uploaded, 40);
    asking(&sandbox, &desk, &PLAN);
    // What no store does: other metadata under the same ETag and Last-Modified. The cache cannot see it.
    put(&sandbox, "inbound/stays", uploaded, 10);
    let (planned, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((asked.len(), expired(&planned)), (0, 2));

    let (applied, asked) = asking(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]);
    assert!(asked.iter().any(|key| key == "inbound/stays"), "{asked:?}");
    assert_eq!(applied["results"]["deleted"], 1);
    let left: Vec<String> = sandbox.current_objects(BUCKET).unwrap().into_iter().map(|it| it.key).collect();
    assert_eq!(left, ["inbound/stays"]);

    // And so it is where both are one command.
    run(&sandbox, &desk, &["reconcile", "--json", "--cache", "reads.cache"]);
    assert_eq!(sandbox.current_objects(BUCKET).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn within_spares_the_reads_of_all_that_the_upload_decides() {
    let bounded = ", within: 1 day, outside: clamp, if-missing: uploaded";
    let (sandbox, desk) = store(&policy("", bounded)).await;
    let now = Utc::now();
    let all = 365 * 4;
    for number in 0..all {
        let uploaded = now - TimeDelta::hours(6 * i64::from(number) + 1);
        let date = uploaded.format("%Y-%m-%d").to_string();
        let options = PutOptions::bytes("medium").metadata("communication-date", &date);
        let key = format!("inbound/{date}/{number:04}");
        sandbox.put_object(BUCKET, &key, options.last_modified(uploaded)).unwrap();
    }
    let (first, asked) = asking(&sandbox, &desk, &PLAN);
    assert!(
        !asked.is_empty() && asked.len() * 100 <= all as usize,
        "{} of {all} were asked about",
        asked.len()
    );
    let (second, again) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((again.len(), expired(&second)), (0, expired(&first)));
    assert_eq!(second["reads"]["heads_spared"], asked.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_breaks_off_keeps_what_it_has_read() {
    let (sandbox, desk) = store(&policy("", "").replace("[media]", "[media, other]")).await;
    sandbox.create_bucket(BucketOptions::named("other")).unwrap();
    put(&sandbox, "inbound/1", days_ago(50), 40);
    sandbox.faults().add(Fault::on("ListObjectVersions", Effect::InternalError).bucket("other"));
    run(&sandbox, &desk, &PLAN).ends(1);
    sandbox.faults().clear();
    assert_eq!(heads(&sandbox).len(), 1);
    let (told, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((asked.len(), expired(&told)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_failed_is_asked_for_again() {
    let (sandbox, desk) = store(&policy("", "")).await;
    put(&sandbox, "inbound/1", days_ago(50), 40);
    sandbox.faults().add(Fault::on("HeadObject", Effect::AccessDenied));
    let (denied, _) = asking(&sandbox, &desk, &PLAN);
    sandbox.faults().clear();
    let (told, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!((expired(&denied), asked.len(), expired(&told)), (0, 1, 1));
}

/// A plan goes on without the cache that `args` name, and says why.
fn goes_on(sandbox: &Sandbox, desk: &Desk, file: &str, why: &str) -> Ran {
    let ran = run(sandbox, desk, &["plan", "--json", "--cache", file]).ends(0).tells(&[why]);
    let told = ran.json();
    assert_eq!((expired(&told), &told["reads"]["heads"]), (1, &json!(1)));
    ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_is_of_no_use_stops_no_plan() {
    let (sandbox, desk) = store(&policy("", "")).await;
    put(&sandbox, "inbound/1", days_ago(50), 40);

    desk.write("notes.txt", "not a cache");
    let ran = goes_on(&sandbox, &desk, "notes.txt", "notes.txt: what is there is no cache");
    assert_eq!(ran.json()["reads"]["cache"]["fault"], "what is there is no cache");
    assert_eq!(fs::read_to_string(desk.path("notes.txt")).unwrap(), "not a cache");
    goes_on(&sandbox, &desk, "missing/reads.cache", "it could not be used");

    asking(&sandbox, &desk, &PLAN);
    let held = Cache::open(&desk.path("reads.cache"), Utc::now()).unwrap();
    goes_on(&sandbox, &desk, "reads.cache", "in use by another run");
    drop(held);

    let mut bytes = fs::read(desk.path("reads.cache")).unwrap();
    bytes[9..200].fill(b'x');
    fs::write(desk.path("reads.cache"), bytes).unwrap();
    let ran = goes_on(&sandbox, &desk, "reads.cache", "damaged: begun anew");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    let (_, asked) = asking(&sandbox, &desk, &PLAN);
    assert_eq!(asked.len(), 0, "the new one is of use");
}
