//! `check --live`: what the store says to a policy, with reads alone.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use shelflife::sandbox::{
    BucketOptions, Effect, Fault, LockConfiguration, PutOptions, Sandbox, SandboxOptions, Versioning,
};

use crate::desk::{Desk, Ran};
use crate::fake::Fake;
use crate::thirty_days;

struct Store {
    sandbox: Sandbox,
    desk: Desk,
}

impl Store {
    /// A store with one bucket, `media`, and an object in it that a rule covers.
    async fn new() -> Self {
        Self::with(BucketOptions::named("media")).await
    }

    async fn with(options: BucketOptions) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        let name = options.name.clone();
        sandbox.create_bucket(options).unwrap();
        let uploaded = Utc::now() - TimeDelta::days(1);
        let object = || PutOptions::bytes("x").last_modified(uploaded);
        sandbox.put_object(&name, "inbound/1/photo.jpg", object()).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        Self { sandbox, desk }
    }

    fn check(&self, args: &[&str]) -> Ran {
        let mut command = self.desk.command(&[&["check", "--live"], args].concat());
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap())
    }

    /// Exit code, and the codes of what was found with their severities.
    fn finds(&self) -> (i32, Vec<String>) {
        let ran = self.check(&["--json"]);
        let found = ran.json();
        let one = |found: &Value| {
            format!("{} {}", found["severity"].as_str().unwrap(), found["code"].as_str().unwrap())
        };
        // What is said without a store as well is none of its findings.
        let of_store = |found: &&Value| found["code"].as_str().unwrap().starts_with("SL10");
        (ran.code, found["diagnostics"].as_array().unwrap().iter().filter(of_store).map(one).collect())
    }
}

fn found(code: i32, findings: &[&str]) -> (i32, Vec<String>) {
    (code, findings.iter().map(|finding| (*finding).to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_fits_its_buckets_is_shown_with_engines_and_reads_and_nothing_is_changed() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("media", "").replace("direct", "auto"));
    store.check(&[]).ends(0).shows(&[
        "media us-east-1, no versions",
        "ott-media lifecycle: 30 days",
        "reads:",
        "versions ok",
        "metadata not needed",
        "not tried: deleting objects",
        "valid in 1 file",
    ]);
    let live = store.check(&["--json"]).ends(0).json()["live"].clone();
    let bucket = &live["buckets"][0];
    assert_eq!((&bucket["bucket"], &bucket["open"]), (&"media".into(), &true.into()));
    assert_eq!(bucket["engines"][0]["rule"], "ott-media");
    assert_eq!(bucket["reads"]["lifecycle"], "ok");
    assert_eq!(bucket["without_rule"], Value::Array(Vec::new()));

    for request in store.sandbox.requests() {
        let operation = request.call.operation;
        assert!(["Get", "Head", "List"].iter().any(|start| operation.starts_with(start)), "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_live_the_store_is_not_asked() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("nowhere", ""));
    store.desk.run(&["check"]).ends(0);
    store.desk.policy("version: 2\n");
    store.check(&[]).ends(2).shows(&["the store was not asked", "not valid"]);
    assert!(store.sandbox.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_or_closed_is_named_at_the_rule() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("nowhere", ""));
    assert_eq!(store.finds(), found(1, &["error SL1001"]));
    let text = store.check(&[]).ends(1);
    text.shows(&[
        "SL1001",
        "no bucket nowhere",
        "policy.yaml:6:9",
        "id: ott-media",
        "but not on its buckets",
    ]);

    store.desk.policy(&thirty_days("media", ""));
    store.sandbox.faults().add(Fault::on("HeadBucket", Effect::AccessDenied));
    assert_eq!(store.finds(), found(1, &["error SL1002"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_is_a_failure_and_the_rest_is_still_told() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(&thirty_days("media", "guards: {max-share: 20%}\n"));
    let ran = desk.run(&["check", "--live", "--json"]).ends(1);
    assert_eq!(ran.json()["diagnostics"][0]["code"], "SL1002");

    let fake = Fake::refusing(403, "AccessDenied", &[]);
    let mut command = desk.bare_command(&["check", "--live", "--json", "--endpoint-url", &fake.endpoint]);
    let ran = Ran::of(command.output().unwrap()).ends(1).tells(&["no credentials were found"]);
    assert_eq!(ran.json()["valid"], true);
    assert_eq!(fake.seen(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_reaches_only_what_carries_the_tag() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("\"med*\"", ""));
    assert_eq!(store.finds(), found(0, &["note SL1004", "warning SL1005"]));
    store.check(&[]).shows(&["shelflife=e2e", "left alone", "reaches no bucket", "left alone: media"]);
    store.check(&["--deny", "warnings"]).ends(2);
    let tags: BTreeMap<_, _> = [("shelflife".to_owned(), "e2e".to_owned())].into();
    store.sandbox.set_bucket_tags("media", tags).unwrap();
    assert_eq!(store.finds(), found(0, &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_bucket_keeps_versions_is_held_against_the_rules() {
    let store =
        Store::with(BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::named("media") }).await;
    let direct = thirty_days("media", "");
    store.desk.policy(&direct);
    assert_eq!(store.finds(), found(0, &["note SL1010"]));
    store.desk.policy(&direct.replace("enforce: direct", "enforce: lifecycle"));
    assert_eq!(store.finds(), found(2, &["note SL1010", "error SL1006"]));
    store.check(&[]).ends(2).shows(&["SL1006", "the rule has no `noncurrent`", "refused:"]);
    store.desk.policy(&direct.replace("enforce: direct", "noncurrent: {retain: 1 day}\n    enforce: direct"));
    assert_eq!(store.finds(), found(0, &[]));

    store.sandbox.set_versioning("media", Versioning::Suspended).unwrap();
    assert_eq!(store.finds(), found(0, &["warning SL1011"]));
    store.desk.policy(&direct.replace("enforce: direct", "enforce: observe"));
    assert_eq!(store.finds(), found(0, &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn mfa_delete_and_object_lock_are_told() {
    let mfa = Store::with(BucketOptions {
        versioning: Versioning::Enabled,
        mfa_delete: true,
        ..BucketOptions::named("media")
    })
    .await;
    let policy = thirty_days("media", "").replace("enforce:", "noncurrent: {retain: 1 day}\n    enforce:");
    mfa.desk.policy(&policy);
    assert_eq!(mfa.finds(), found(2, &["error SL1012"]));

    let locked = Store::with(BucketOptions {
        lock: Some(LockConfiguration::default()),
        ..BucketOptions::named("media")
    })
    .await;
    locked.desk.policy(&policy);
    assert_eq!(locked.finds(), found(0, &["note SL1013"]));
    locked.check(&[]).ends(0).shows(&["versions, Object Lock", "object locks ok"]);
    locked.sandbox.faults().add(Fault::on("GetObjectRetention", Effect::AccessDenied));
    assert_eq!(locked.finds(), found(1, &["note SL1013", "error SL1003"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_counts_where_the_policy_needs_it() {
    let store = Store::new().await;
    let by_upload = thirty_days("media", "");
    let by_metadata = by_upload.replace("trigger: uploaded", "trigger: {metadata: sent}");
    store.sandbox.faults().add(Fault::on("HeadObject", Effect::AccessDenied));
    store.sandbox.faults().add(Fault::on("GetObjectTagging", Effect::AccessDenied));
    store.desk.policy(&by_upload);
    assert_eq!(store.finds(), found(0, &[]));
    store.desk.policy(&by_metadata);
    assert_eq!(store.finds(), found(1, &["error SL1003"]));
    store.check(&[]).ends(1).shows(&["the metadata of an object cannot be read", "metadata refused"]);
    store.desk.policy(&by_metadata.replace("{metadata: sent}", "{first: [{tag: sent}, uploaded]}"));
    assert_eq!(store.finds(), found(1, &["error SL1003"]));

    for operation in ["ListObjectVersions", "ListMultipartUploads", "GetBucketLifecycleConfiguration"] {
        store.sandbox.faults().clear();
        store.sandbox.faults().add(Fault::on(operation, Effect::AccessDenied));
        store.desk.policy(&by_upload);
        assert_eq!(store.finds(), found(1, &["error SL1003"]), "{operation}");
        store.check(&[]).ends(1).shows(&[operation, "access denied"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_no_rule_covers_is_named() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("media", ""));
    for key in ["old/1.jpg", "old/2.jpg", "tmp\u{1b}[31m/x", "loose.txt", "inbound/2/x"] {
        store.sandbox.put_object("media", key, PutOptions::bytes("x")).unwrap();
    }
    assert_eq!(store.finds(), found(0, &["warning SL1014"]));
    let escaped = r"`tmp\x1b[31m/`";
    store.check(&[]).ends(0).shows(&["SL1014", "`loose.txt`, `old/`,", escaped, "observe"]);
    let live = store.check(&["--json"]).json()["live"].clone();
    let without = &live["buckets"][0]["without_rule"];
    assert_eq!(*without, serde_json::json!(["loose.txt", "old/", "tmp\u{1b}[31m/"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_a_thousand_prefixes_are_looked_at_and_that_is_said() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("media", ""));
    for number in 0..1100 {
        store.sandbox.put_object("media", &format!("p{number:04}/x"), PutOptions::bytes("")).unwrap();
    }
    store.check(&[]).ends(0).shows(&["(of the first 1,000)", "`p0000/`", "and 994 more"]);
    let live = store.check(&["--json"]).json()["live"].clone();
    assert_eq!(live["buckets"][0]["looked_at_all"], false);
    let asked = |request: &&shelflife::sandbox::RequestRecord| request.call.operation == "ListObjectVersions";
    // One search for an object to try, one look at the top; in two runs.
    assert_eq!(store.sandbox.requests().iter().filter(asked).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_rules_of_others_are_held_against_the_policy() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("media", ""));
    let rule = |body: &str| {
        format!(
            "<LifecycleConfiguration><Rule><ID>theirs</ID>{body}<Status>Enabled</Status></Rule></LifecycleConfiguration>"
        )
    };
    let early = rule("<Filter><Prefix>inbound/</Prefix></Filter><Expiration><Days>3</Days></Expiration>");
    store.sandbox.put_lifecycle("media", &early).unwrap();
    assert_eq!(store.finds(), found(0, &["warning SL1009"]));
    store.check(&[]).shows(&["SL1009", "theirs", "before they are due"]);
    store.sandbox.put_lifecycle("media", &early.replace(">3<", ">300<")).unwrap();
    assert_eq!(store.finds(), found(0, &["note SL1009"]));

    let old = rule("<Prefix>else/</Prefix><Expiration><Days>3</Days></Expiration>");
    store.sandbox.put_lifecycle("media", &old).unwrap();
    store.desk.policy(&thirty_days("media", "").replace("enforce: direct", "enforce: auto"));
    assert_eq!(store.finds(), found(0, &["warning SL1008"]));
    store.check(&[]).shows(&["SL1008", "--upgrade-v1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_file_in_the_store_is_asked_for_and_not_read() {
    let store = Store::new().await;
    let records = "guards: {max-share: 20%}
records: {customers: {file: s3://exports/c.csv, id: id, by: tenant}}
overrides: [{where: {record: customers.country, is: DE}, rule: ott-media, retain: 14 days}]
";
    store.sandbox.create_bucket(BucketOptions::named("exports")).unwrap();
    store.desk.policy(&thirty_days("media", records));
    store.desk.run(&["check", "--deny", "warnings"]).ends(0);
    assert_eq!(store.finds(), found(1, &["error SL1015"]));
    store.check(&[]).shows(&["SL1015", "`customers` cannot be read", "not found", "policy.yaml:12:11"]);
    store.sandbox.put_object("exports", "c.csv", PutOptions::bytes("id,country")).unwrap();
    assert_eq!(store.finds(), found(0, &[]));
    assert!(store.sandbox.requests().iter().all(|request| request.call.operation != "GetObject"));
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_of_the_store_are_in_the_sarif_too() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("nowhere", "guards: {max-share: 20%}\n"));
    let log = store.check(&["--sarif"]).ends(1).json();
    let result = &log["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"SL1001".into(), &"error".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 6);
}
