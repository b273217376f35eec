//! What must be said before much goes: first runs, buckets, tenants, unusual amounts, record files that
//! shrank; and what keeps a run small or stops it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions};

use crate::desk::{Desk, Ran};
use crate::shelf::days_ago;
use crate::thirty_days;

const PLAN: &str = "shelflife-plan.parquet";
const APPLY: [&str; 2] = ["apply", PLAN];

struct Store {
    sandbox: Sandbox,
    desk: Desk,
}

impl Store {
    async fn new(more: &str) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        sandbox.create_bucket(BucketOptions::named("media")).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        desk.policy(&thirty_days("media", more));
        Self { sandbox, desk }
    }

    fn put(&self, key: &str, days: i64) {
        let object = PutOptions::bytes("medium").last_modified(days_ago(days));
        self.sandbox.put_object("media", key, object).unwrap();
    }

    fn keys(&self) -> Vec<String> {
        self.sandbox.list_everything("media").unwrap().into_iter().map(|entry| entry.key).collect()
    }

    fn ran(&self, mut command: std::process::Command) -> Ran {
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap())
    }

    /// With `--first-run`, where that can be given.
    fn run(&self, args: &[&str]) -> Ran {
        self.ran(self.desk.command(args))
    }

    fn without_first_run(&self, args: &[&str]) -> Ran {
        self.ran(self.desk.cautious_command(args))
    }

    /// `apply` and `reconcile` refuse, change nothing and leave no evidence.
    fn refuses(&self, more: &[&str], fragments: &[&str]) {
        let (keys, files) = (self.keys(), self.desk.files());
        for command in [&APPLY[..], &["reconcile"]] {
            self.run(&[command, more].concat()).ends(4).tells(fragments).tells(&["help:"]);
        }
        assert_eq!((self.keys(), self.desk.files()), (keys, files));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_on_a_bucket_is_asked_for_once() {
    let store = Store::new("").await;
    store.put("inbound/1/due.jpg", 40);
    store.put("inbound/1/fresh.jpg", 10);

    let next = format!("shelflife apply {PLAN} --policy policies --first-run");
    store.run(&["plan"]).ends(0).shows(&["first run on: media", &next]);
    for command in [&APPLY[..], &["reconcile"]] {
        store.without_first_run(command).ends(4).tells(&[
            "this is the first run of e2e on media; it would",
            "media: remove 1 object, 6 B",
            "help:",
            "--first-run",
            "--evidence-dir",
        ]);
    }
    assert_eq!((store.keys().len(), store.desk.files()), (2, vec!["policies".to_owned(), PLAN.to_owned()]));
    store.run(&APPLY).ends(0);
    assert_eq!(store.keys(), ["inbound/1/fresh.jpg"]);

    // The evidence tells that it was looked at.
    store.put("inbound/1/another.jpg", 40);
    assert!(!store.run(&["plan"]).ends(0).out.contains("first run"));
    store.without_first_run(&APPLY).ends(0);
    store.put("inbound/1/another.jpg", 40);
    store.without_first_run(&["reconcile", "--evidence-dir", "elsewhere"]).ends(4).tells(&["first run"]);
    // Where nothing is to be done, there is nothing to look at.
    store.desk.policy(&thirty_days("media", "").replace("30 days", "60 days"));
    store.without_first_run(&["reconcile", "--evidence-dir", "elsewhere"]).ends(0).shows(&["nothing to do"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_lifecycle_rules_of_the_policy_has_had_its_first_run() {
    let store = Store::new("").await;
    store.desk.policy(&thirty_days("media", "").replace("direct", "auto"));
    store.without_first_run(&["reconcile"]).ends(4).tells(&["media: change 1 lifecycle rule"]);
    store.run(&["reconcile", "--evidence-dir", "lost"]).ends(0);
    store.put("inbound/1/overdue.jpg", 90);
    store.without_first_run(&["reconcile"]).ends(0).shows(&["deleted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bucket_and_each_tenant_is_held_to_its_limit_and_named() {
    let store = Store::new("").await;
    store.put("inbound/a b/due.jpg", 40);
    store.put("inbound/1/fresh.jpg", 10);
    for (guards, name, words, place) in [
        (
            "{per-bucket: {max-share: 40%}}",
            "bucket:media:max-share",
            "would remove 50.0%, the limit is 40.0%",
            "`max-share` under `guards: per-bucket:`",
        ),
        (
            "{per-tenant: {max-objects: 0}}",
            "tenant:a%20b:max-objects",
            "would remove 1 object, the limit is 0 objects",
            "`max-objects` under `guards: per-tenant:`",
        ),
    ] {
        store.desk.policy(&thirty_days("media", &format!("guards: {guards}\n")));
        let accept = format!("--accept {name}");
        store.run(&["plan"]).ends(4).shows(&["exceeded:", name, words, "next", &accept]);
        store.refuses(&[], &["guard exceeded:", name, words, "help:", &accept, place]);
        store.run(&["plan"]).ends(4);
    }
    store.run(&["apply", PLAN, "--accept", "tenant:a%20b:max-objects"]).ends(0);
    assert_eq!(store.keys(), ["inbound/1/fresh.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_removes_many_times_its_usual_amount_is_stopped() {
    let store = Store::new("").await;
    for run in 0..3 {
        store.put(&format!("inbound/1/{run}.jpg"), 40);
        store.run(&["reconcile"]).ends(0);
    }
    for number in 0..=1_000 {
        store.put(&format!("inbound/1/{number}.jpg"), 40);
    }
    let words = [
        "ott-media:max-times-usual would remove 1,001 objects, the limit is 1,000 objects",
        "10 times the usual 1 of 3 runs, and 1,000 at least",
    ];
    store.run(&["plan"]).ends(4).shows(&words);
    store.refuses(&[], &words);
    store.run(&["reconcile", "--accept", "ott-media:max-times-usual"]).ends(0);
    assert!(store.keys().is_empty());
}

const RECORDS: &str = "records: {customers: {file: c.csv, id: id, by: tenant}}
overrides: [{where: {record: customers.country, is: DE}, rule: ott-media, retain: 14 days}]
";

fn customers(count: u32) -> String {
    let rows: String = (0..count).map(|customer| format!("{customer},DE\n")).collect();
    format!("id,country\n{rows}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_file_that_shrank_stops_everything_unless_that_is_accepted() {
    let store = Store::new(RECORDS).await;
    let name = "customers:max-shrink";
    store.desk.write("policies/c.csv", &customers(100));
    store.put("inbound/1/a.jpg", 40);
    store.run(&["reconcile"]).ends(0);

    store.put("inbound/1/b.jpg", 40);
    store.desk.write("policies/c.csv", &customers(79));
    let words = [name, "finds 21.0% missing, the limit is 20.0%", "79", "100 before"];
    store.run(&["plan"]).ends(4).shows(&words);
    store.refuses(&[], &words);
    store.run(&["reconcile", "--accept", name]).ends(0);
    assert!(store.keys().is_empty());
    // From then on it is as long as it is.
    store.put("inbound/1/c.jpg", 40);
    store.run(&["plan"]).ends(0);

    // It is cut between plan and apply.
    store.desk.write("policies/c.csv", &customers(20));
    store.run(&APPLY).ends(4).tells(&[name, "help:", "--accept customers:max-shrink", "`max-shrink`"]);
    store.run(&["apply", PLAN, "--accept", name]).ends(0);
    assert!(store.keys().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_takes_the_oldest_and_the_same_plan_goes_on_with_the_rest() {
    let store = Store::new("").await;
    store.desk.policy(&thirty_days("media", "").replace("direct", "auto").replace("30 days", "60 days"));
    store.run(&["reconcile"]).ends(0);
    store.desk.policy(&thirty_days("media", "").replace("direct", "auto"));
    for (key, days) in [("a", 50), ("b", 90), ("c", 70), ("d", 60), ("fresh", 1)] {
        store.put(&format!("inbound/1/{key}.jpg"), days);
    }
    let before = store.sandbox.lifecycle("media").unwrap();
    store.run(&["plan"]).ends(0);

    store.run(&["apply", PLAN, "--limit", "2"]).ends(0).shows(&["deleted", "2", "canary:", "without it"]);
    assert_eq!(store.keys(), ["inbound/1/a.jpg", "inbound/1/d.jpg", "inbound/1/fresh.jpg"]);
    assert_eq!(store.sandbox.lifecycle("media").unwrap(), before, "S3 removes no more than before");
    let told = store.run(&["apply", PLAN, "--limit", "1", "--json"]).ends(0).json();
    assert_eq!((&told["part"], &told["resumed"]), (&true.into(), &true.into()));
    assert_eq!(store.keys(), ["inbound/1/a.jpg", "inbound/1/fresh.jpg"]);

    store.run(&APPLY).ends(0).shows(&["written and read back", "3 were done before", "deleted", "1"]);
    assert_eq!(store.keys(), ["inbound/1/fresh.jpg"]);
    assert_ne!(store.sandbox.lifecycle("media").unwrap(), before);
    store.run(&APPLY).ends(0).shows(&["was carried out before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_stop_file_is_there_nothing_begins() {
    for place in ["STOP", "s3://ops/shelflife.stop"] {
        let store = Store::new(&format!("guards: {{stop-file: \"{place}\"}}\n")).await;
        store.sandbox.create_bucket(BucketOptions::named("ops")).unwrap();
        store.put("inbound/1/due.jpg", 40);
        store.run(&["plan"]).ends(0);
        store.desk.write("policies/STOP", "");
        store.sandbox.put_object("ops", "shelflife.stop", PutOptions::bytes("")).unwrap();

        store.refuses(&[], &["the stop file", place, "is there; nothing was changed", "take it away"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_begin_where_nobody_knows_whether_it_is_to_stop() {
    let store = Store::new("guards: {stop-file: \"s3://ops/shelflife.stop\"}\n").await;
    store.put("inbound/1/due.jpg", 40);
    store.run(&["plan"]).ends(0);
    let unknown = ["it is not known whether the stop file s3://ops/shelflife.stop is there"];
    store.run(&APPLY).ends(1).tells(&unknown);
    store.sandbox.create_bucket(BucketOptions::named("ops")).unwrap();
    store.sandbox.faults().add(Fault::on("HeadObject", Effect::AccessDenied));
    store.run(&APPLY).ends(1).tells(&unknown).tells(&["help:", "s3:ListBucket"]);
    assert_eq!(store.keys().len(), 1);

    store.sandbox.faults().clear();
    store.run(&APPLY).ends(0);
    assert!(store.keys().is_empty());
}

/// The file is put there while the first batch is under way, and that takes longer than an answer counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_file_stops_a_run_after_the_batch_in_flight_and_the_same_command_goes_on() {
    let store = Store::new("guards: {stop-file: STOP}\n").await;
    for number in 0..1_200 {
        store.put(&format!("inbound/1/{number:05}"), 40);
    }
    store.run(&["plan"]).ends(0);
    store.sandbox.faults().add(Fault::on("DeleteObjects", Effect::Delay(Duration::from_secs(6))).once());
    let stop = store.desk.path("policies/STOP");
    let asked = store.sandbox.requests().len();
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| store.run(&[&APPLY[..], &["--concurrency", "1"]].concat()));
        let is_under_way = || {
            let requests = store.sandbox.requests();
            requests[asked..].iter().any(|request| request.call.operation.starts_with("ListObject"))
        };
        let began = Utc::now();
        while !is_under_way() && Utc::now() - began < TimeDelta::seconds(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::write(&stop, "").unwrap();
        run.join().unwrap()
    });

    stopped.ends(4).shows(&[
        "deleted",
        "1,000",
        "stopped:",
        "the stop file STOP is there",
        "goes on from here",
    ]);
    assert_eq!(store.keys().len(), 200);
    store.run(&APPLY).ends(4).tells(&["the stop file STOP is there"]);
    std::fs::remove_file(&stop).unwrap();
    store.run(&APPLY).ends(0).shows(&["1,000 were done before", "deleted", "200"]);
    store.run(&["verify", &store.desk.log()]).ends(0);
}
