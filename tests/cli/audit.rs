//! Whether `audit` finds what breaks the promise, names it, and ends as a weekly job needs it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use shelflife::sandbox::{
    BucketOptions, Effect, Fault, LockConfiguration, PutOptions, Retention, RetentionMode, Sandbox,
    SandboxOptions, Versioning,
};

use crate::desk::{Desk, Ran};
use crate::shelf::{days_ago, noon};
use crate::thirty_days;

struct Store {
    sandbox: Sandbox,
    desk: Desk,
}

impl Store {
    /// A store whose lifecycle rules never act, with one bucket, `media`, and the policy of thirty days.
    async fn new() -> Self {
        Self::with(BucketOptions::named("media")).await
    }

    async fn with(bucket: BucketOptions) -> Self {
        // A test is not to be overtaken by a midnight.
        noon();
        let options = SandboxOptions { lifecycle_lag: 3_650, ..SandboxOptions::at(Utc::now()) };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.create_bucket(bucket).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        let store = Self { sandbox, desk };
        store.policy("");
        store
    }

    /// Everything under `inbound/` goes thirty days after its upload, by S3 if that can keep it.
    fn policy(&self, more: &str) {
        self.desk.policy(&thirty_days("media", more).replace("enforce: direct", "enforce: auto"));
    }

    fn put(&self, key: &str, days: i64) {
        self.put_with(key, PutOptions::bytes("medium"), days);
    }

    fn put_with(&self, key: &str, object: PutOptions, days: i64) {
        self.sandbox.put_object("media", key, object.last_modified(days_ago(days))).unwrap();
    }

    /// Adds lifecycle rules to those that are there.
    fn add_rules(&self, rules: &str) {
        let before = self.sandbox.lifecycle("media").unwrap();
        let before = before.unwrap_or_else(|| "<LifecycleConfiguration></LifecycleConfiguration>".to_owned());
        let after = before.replace("</LifecycleConfiguration>", &format!("{rules}</LifecycleConfiguration>"));
        self.sandbox.put_lifecycle("media", &after).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.desk.command(args);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap())
    }

    /// Sets S3 up as the policy says.
    fn reconcile(&self) {
        self.run(&["reconcile"]).ends(0);
    }

    fn audit(&self, more: &[&str]) -> Ran {
        self.run(&[&["audit"], more].concat())
    }

    fn json(&self, exit: i32) -> Value {
        self.audit(&["--json"]).ends(exit).json()
    }
}

fn rule(id: &str, filter: &str, action: &str) -> String {
    format!("<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>Enabled</Status>{action}</Rule>")
}

fn expire(days: u32) -> String {
    format!("<Expiration><Days>{days}</Days></Expiration>")
}

/// The date of an instant in days, as it is shown.
fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// When S3 makes what was uploaded at noon eligible.
fn eligible(uploaded_days_ago: i64, days: i64) -> String {
    day(days_ago(uploaded_days_ago) + TimeDelta::days(days + 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_is_kept_ends_with_0_and_the_store_agrees() {
    let store = Store::new().await;
    store.put("inbound/1/fresh.jpg", 10);
    store.put("inbound/2/fresh.jpg", 29);
    store.put("inbound/2/due.jpg", 31);
    store.reconcile();
    store.audit(&[]).ends(0).shows(&[
        "audit of e2e",
        "media",
        "due, and within the tolerance of 3 days",
        "ott-media",
        "S3",
        "1",
        "not due yet: 2 objects",
        "store 3 objects were asked about, 3 foretold as we read the configuration",
        "the notice is kept",
    ]);
    let json = store.json(0);
    assert_eq!((&json["kept"], &json["exit"]), (&true.into(), &0.into()));
    assert_eq!((&json["asked"]["agree"], &json["asked"]["differences"]), (&3.into(), &Value::Array(vec![])));
    assert_eq!(json["waiting"][0]["by"], "S3");
    assert_eq!(json["lifecycle"], Value::Array(vec![]), "S3 is set up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overdue_breaks_the_promise_whoever_should_have_removed_it() {
    let store = Store::new().await;
    // Due ten, five and two days ago, at the midnight after.
    store.put("inbound/1/old.jpg", 41);
    store.put("inbound/1/late.jpg", 36);
    store.put("inbound/1/waits.jpg", 32);
    store.reconcile();
    store.put("inbound/1/old.jpg", 41);
    store.put("inbound/1/late.jpg", 36);
    let told = store.audit(&[]).ends(6);
    told.shows(&[
        "overdue",
        "ott-media",
        "S3",
        "2",
        "10 days",
        "ott-media: 1 up to 7 days late, 1 up to 30 days late; the latest is inbound/1/old.jpg",
        "due, and within the tolerance",
        "the notice is not kept: 2 objects, 12 B overdue",
        "next shelflife reconcile policies",
    ]);
    let json = store.json(6);
    let overdue = &json["overdue"][0];
    assert_eq!(
        (&overdue["rule"], &overdue["by"], &overdue["objects"]),
        (&"ott-media".into(), &"S3".into(), &2.into())
    );
    assert_eq!(
        (&overdue["late_days"], &overdue["late"]["7"], &overdue["late"]["30"]),
        (&10.into(), &1.into(), &1.into())
    );
    assert_eq!(json["waiting"][0]["objects"], 1);

    store.desk.policy(&thirty_days("media", ""));
    assert_eq!(store.json(6)["overdue"][0]["by"], "Shelflife");
    // Observed alone, nothing was promised.
    store.desk.policy(&thirty_days("media", "").replace("enforce: direct", "enforce: observe"));
    store.audit(&[]).ends(0).shows(&["due under rules that are only observed", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_somebody_else_that_is_early_is_named_with_its_date_and_ours() {
    let store = Store::new().await;
    store.put("inbound/1/photo.jpg", 1);
    store.put("outbound/1/photo.jpg", 1);
    store.reconcile();
    store.add_rules(&rule("tmp cleanup", "<Prefix></Prefix>", &expire(7)));
    store.audit(&[]).ends(6).shows(&[
        "early: lifecycle rule \"tmp cleanup\" (not the policy's) removes 1 object, 6 B, not due by then",
        &format!("first inbound/1/photo.jpg: from {} on; due {}", eligible(1, 7), eligible(1, 30)),
        "not due before",
        "under ott-media",
        "no rule covers 1 object",
        "outbound/",
        "the notice is not kept: 1 object, 6 B that S3 would remove or hide early",
        "at once disable or narrow lifecycle rule \"tmp cleanup\" in media",
    ]);
    let early = &store.json(6)["early"];
    assert_eq!(early.as_array().unwrap().len(), 1, "{early}");
    assert_eq!(
        (&early[0]["lifecycle_rule"], &early[0]["is_ours"], &early[0]["breach"]),
        (&"tmp cleanup".into(), &false.into(), &true.into())
    );

    // One that is later than the notice, or disabled, is nobody's business.
    let store = Store::new().await;
    store.put("inbound/1/photo.jpg", 1);
    store.reconcile();
    store.add_rules(&rule("backstop", "<Prefix></Prefix>", &expire(40)));
    store.add_rules(&rule("off", "<Prefix></Prefix>", &expire(1)).replace("Enabled", "Disabled"));
    assert_eq!(store.json(0)["early"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_by_tags_is_early_only_for_what_carries_them() {
    let store = Store::new().await;
    store.put("inbound/1/plain.jpg", 1);
    store.put_with("inbound/1/tagged.jpg", PutOptions::bytes("medium").tag("temporary", "yes"), 1);
    store.put_with("inbound/1/other.jpg", PutOptions::bytes("medium").tag("temporary", "no"), 1);
    store.reconcile();
    let tag = "<Tag><Key>temporary</Key><Value>yes</Value></Tag>";
    store.add_rules(&rule("temporary", tag, &expire(3)));
    let json = store.json(6);
    assert_eq!(
        (&json["early"][0]["objects"], &json["early"][0]["example"]["key"]),
        (&1.into(), &"inbound/1/tagged.jpg".into())
    );
    // Object tags were read for our own reading too: the store agrees.
    assert_eq!(json["asked"]["agree"], 3, "{json}");

    store.sandbox.faults().add(Fault::on("GetObjectTagging", Effect::AccessDenied));
    let denied = store.audit(&[]).ends(0);
    denied.shows(&["perhaps early: lifecycle rule \"temporary\"", "perhaps removes 3 objects"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_a_lifecycle_rule_does_not_know_of_breaks_the_promise() {
    let store = Store::new().await;
    store.put("inbound/4711/photo.jpg", 20);
    store.put("inbound/5150/photo.jpg", 20);
    store.reconcile();
    store.audit(&[]).ends(0);
    let hold = |released: &str| {
        format!("holds:\n  - {{id: case-7, reason: court, select: {{tenants: [\"4711\"]}}{released}}}\n")
    };
    store.policy(&hold(""));
    store.audit(&[]).ends(6).shows(&[
        "early: lifecycle rule \"shelflife:e2e:ott-media:",
        "(the policy's own) removes 1 object, 6 B, held",
        "first inbound/4711/photo.jpg: from",
        "legal hold case-7",
        "held, 1 object, 6 B: legal hold case-7",
        "S3 is not set up as the policy says:",
        "is to be narrowed",
        "next shelflife reconcile policies",
    ]);
    // It is released before S3 acts, so nothing is lost.
    store.policy(&hold(&format!(", released: {}", day(Utc::now() + TimeDelta::days(2)))));
    assert_eq!(store.json(0)["early"], Value::Array(vec![]));
    store.policy(&hold(""));
    store.reconcile();
    assert_eq!(store.json(0)["early"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_versioned_bucket_noncurrent_versions_are_guarded_and_locked_ones_only_hidden() {
    let options = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::named("media") };
    let store = Store::with(BucketOptions { lock: Some(LockConfiguration::default()), ..options }).await;
    let mut locked = PutOptions::bytes("medium");
    let until = Utc::now() + TimeDelta::days(400);
    locked.attributes.retention = Some(Retention { mode: RetentionMode::Compliance, until });
    store.put_with("inbound/1/locked.jpg", locked, 1);
    store.add_rules(&rule("hides", "<Prefix>inbound/</Prefix>", &expire(7)));
    store.audit(&[]).ends(0).shows(&["note: lifecycle rule \"hides\"", "hides 1 object, 6 B, locked"]);

    store.put("inbound/1/photo.jpg", 9);
    store.put("inbound/1/photo.jpg", 8);
    let noncurrent =
        "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>";
    store.add_rules(&rule("old versions", "<Prefix>inbound/</Prefix>", noncurrent));
    let early = store.json(6)["early"].as_array().unwrap().clone();
    let breaches: Vec<&Value> = early.iter().filter(|found| found["breach"] == true).collect();
    let told: Vec<(&str, &str)> = breaches
        .iter()
        .map(|found| (found["lifecycle_rule"].as_str().unwrap(), found["does"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("hides", "hides"), ("old versions", "removes as noncurrent")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_covers_is_counted_by_prefix() {
    let store = Store::new().await;
    store.put("inbound/1/photo.jpg", 1);
    for number in 0..30 {
        store.put(&format!("team-{number:02}/a.jpg"), 400);
    }
    store.put("archive/a.jpg", 400);
    store.put("archive/b\u{1b}[2J.jpg", 400);
    store.put("readme.txt", 400);
    let prefixes = [
        "no rule covers 33 objects",
        "prefix",
        "archive/",
        "2",
        "(no slash in the key)",
        "12 other prefixes",
        "12",
    ];
    store.audit(&[]).ends(0).shows(&prefixes);
    let found = &store.json(0)["no_rule"][0];
    assert_eq!((&found["objects"], &found["others"]["objects"]), (&33.into(), &12.into()));
    assert_eq!(
        (&found["prefixes"][0]["prefix"], &found["prefixes"][0]["objects"]),
        (&"archive/".into(), &2.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_not_replicated_explain_why_s3_is_late() {
    let store = Store::new().await;
    store.reconcile();
    store.put("inbound/1/stuck.jpg", 50);
    store.put("inbound/1/fresh.jpg", 1);
    store.put("inbound/1/done.jpg", 1);
    for (key, status) in [("stuck", "FAILED"), ("fresh", "PENDING"), ("done", "COMPLETED")] {
        store.sandbox.set_replication_status("media", &format!("inbound/1/{key}.jpg"), None, status).unwrap();
    }
    let told = store.audit(&[]).ends(6);
    told.shows(&[
        "replication: 1 object of those in media have the replication status FAILED, 1 of them overdue",
        "S3 Lifecycle leaves them alone",
        "inbound/1/stuck.jpg",
        "PENDING",
        "inbound/1/fresh.jpg",
    ]);
    let found = &store.json(6)["asked"]["replication"];
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!((&found[0]["replication_status"], &found[0]["overdue"]), (&"FAILED".into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_foretells_something_else_is_named_and_early_is_a_breach() {
    let store = Store::new().await;
    store.put("inbound/1/photo.jpg", 1);
    store.reconcile();
    let header = |value| Fault::on("HeadObject", Effect::Header("x-amz-expiration", value));

    store
        .sandbox
        .faults()
        .add(header(Some("expiry-date=\"Fri, 01 Jan 2100 00:00:00 GMT\", rule-id=\"later\"")));
    store.audit(&[]).ends(0).shows(&[
        "differs: of 1 object in media the store foretells 2100-01-01 by \"later\", and we read",
        &eligible(1, 30),
        "shelflife:e2e:ott-media:",
        "first: inbound/1/photo.jpg",
        "the notice is kept",
    ]);
    store.sandbox.faults().clear();

    store
        .sandbox
        .faults()
        .add(header(Some("expiry-date=\"Tue, 01 Jan 2019 00:00:00 GMT\", rule-id=\"sooner\"")));
    store.audit(&[]).ends(6).shows(&[
        "early: the store says that lifecycle rule \"sooner\" (not the policy's) removes 1 object",
        "first inbound/1/photo.jpg: at any moment since 2019-01-01",
        "differs:",
    ]);
    assert_eq!(store.json(6)["early"][0]["said_by"], "store");
    store.sandbox.faults().clear();

    store.sandbox.faults().add(header(Some("soon")));
    let json = store.json(0);
    assert_eq!(json["asked"]["differences"][0]["difference"], "unreadable", "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_foretells_nothing_is_told_so_once() {
    let store = Store::new().await;
    for number in 0..5 {
        store.put(&format!("inbound/{number}/photo.jpg"), number + 1);
    }
    store.reconcile();
    store.sandbox.faults().add(Fault::on("HeadObject", Effect::Header("x-amz-expiration", None)));
    let told = store.audit(&[]).ends(0);
    assert_eq!(told.out.matches("does not send x-amz-expiration").count(), 1, "{}", told.out);
    assert!(!told.out.contains("differs"), "{}", told.out);
    assert_eq!(store.json(0)["asked"]["never_sent"], true);

    // One object alone without it is a difference.
    store.sandbox.faults().clear();
    let one = Fault::on("HeadObject", Effect::Header("x-amz-expiration", None)).key_containing("inbound/3/");
    store.sandbox.faults().add(one);
    let told = [
        "differs: of 1 object in media the store foretells no rule, and we read",
        "first: inbound/3/photo.jpg",
    ];
    store.audit(&[]).ends(0).shows(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_asks_about_so_many_and_all_about_all() {
    let store = Store::new().await;
    for number in 0..40 {
        store.put(&format!("inbound/{number}/photo.jpg"), 1 + number % 29);
    }
    store.reconcile();
    let answered = |more: &[&str]| {
        let args = [&["--json"], more].concat();
        store.audit(&args).ends(0).json()["asked"]["answered"].as_u64().unwrap()
    };
    assert_eq!(answered(&["--sample", "7"]), 7);
    assert_eq!(answered(&["--sample", "0"]), 0);
    assert_eq!(answered(&["--all"]), 40);
    // The same ones every week.
    let heads = || {
        let requests = store.sandbox.requests();
        let heads = requests.into_iter().filter(|request| request.call.operation == "HeadObject");
        heads.flat_map(|request| request.call.keys).collect::<Vec<_>>()
    };
    let before = heads().len();
    answered(&["--sample", "7"]);
    let first = heads().split_off(before);
    answered(&["--sample", "7"]);
    let second = heads().split_off(before + 7);
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(first), sorted(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_s3_would_refuse_is_audited_as_it_stands() {
    let prefix = "<Prefix>logs/</Prefix>";
    let odd = rule("odd", prefix, "<Expiration><Days>40</Days><Days>40</Days></Expiration>");
    let old_form = odd.replace(&format!("<Filter>{prefix}</Filter>"), prefix);
    for odd in [odd, old_form] {
        let store = Store::new().await;
        store.put("inbound/1/late.jpg", 50);
        store.add_rules(&odd);
        let told = store.audit(&[]).ends(6);
        told.shows(&["overdue", "ott-media", "S3 is not set up as the policy says:", "is to be added"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_and_what_fails_ends_with_1() {
    let store = Store::new().await;
    store.put("inbound/1/photo.jpg", 50);
    store.audit(&[]).ends(6).shows(&["S3 is not set up as the policy says:", "is to be added"]);
    let operations: Vec<_> =
        store.sandbox.requests().into_iter().map(|request| request.call.operation).collect();
    let reads = |operation: &str| ["Get", "Head", "List"].iter().any(|word| operation.starts_with(word));
    assert!(operations.iter().all(|operation| reads(operation)), "{operations:?}");
    assert_eq!(store.desk.files(), ["policies"]);

    store.sandbox.faults().add(Fault::on("ListObjectVersions", Effect::AccessDenied));
    store.audit(&[]).ends(1).tells(&["error:", "help:"]);
    store.sandbox.faults().clear();
    store.sandbox.faults().add(Fault::on("HeadObject", Effect::AccessDenied));
    store.audit(&[]).ends(6).shows(&["1 could not be asked about"]);
}
