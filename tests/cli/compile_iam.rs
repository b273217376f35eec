//! `compile --to iam` and `compile --live`: what is allowed is what is asked of a store, no more and no less.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use shelflife::sandbox::{
    ACCOUNT, Attributes, BucketOptions, LockConfiguration, PutOptions, RequestRecord, Sandbox,
    SandboxOptions, Versioning,
};

use crate::desk::{Desk, Ran};
use crate::thirty_days;

struct Store {
    sandbox: Sandbox,
    desk: Desk,
}

impl Store {
    async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        Self { sandbox, desk }
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.desk.command(args);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap())
    }

    /// What the command asks of the store.
    fn asks(&self, args: &[&str]) -> Vec<RequestRecord> {
        self.asks_and_ends(args, 0)
    }

    fn asks_and_ends(&self, args: &[&str], code: i32) -> Vec<RequestRecord> {
        let before = self.sandbox.requests().len();
        self.run(args).ends(code);
        self.sandbox.requests().split_off(before)
    }

    fn iam(&self, args: &[&str]) -> Value {
        self.run(&[&["compile", "--to", "iam"], args].concat()).ends(0).json()
    }
}

/// Each permission that the requests ask for, with what it is asked on.
fn asked(requests: &[RequestRecord]) -> BTreeSet<(String, String)> {
    let mut asked = BTreeSet::new();
    for RequestRecord { call, .. } in requests {
        assert!(!call.permissions.is_empty(), "what does {} take?", call.operation);
        let bucket = call.bucket.as_deref().map_or("*".to_owned(), |name| format!("arn:aws:s3:::{name}"));
        let keys = call.keys.iter().map(|key| format!("{bucket}/{key}"));
        let resources: Vec<String> = if call.keys.is_empty() { vec![bucket.clone()] } else { keys.collect() };
        for permission in &call.permissions {
            asked.extend(resources.iter().map(|resource| ((*permission).to_owned(), resource.clone())));
        }
    }
    asked
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

/// Whether a pattern of IAM takes a resource: `*` takes any text.
fn takes(pattern: &str, resource: &str) -> bool {
    let Some((start, end)) = pattern.split_once('*') else { return pattern == resource };
    let ends = |rest: &str| (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| takes(end, rest)));
    resource.strip_prefix(start).is_some_and(ends)
}

fn allows(policy: &Value, (permission, resource): &(String, String)) -> bool {
    policy["Statement"].as_array().unwrap().iter().any(|statement| {
        texts(&statement["Action"]).any(|action| action == permission)
            && texts(&statement["Resource"]).any(|pattern| takes(pattern, resource))
    })
}

/// All actions of a policy.
fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().flat_map(|statement| texts(&statement["Action"])).map(str::to_owned).collect()
}

fn ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

fn old() -> PutOptions {
    let said = ago(40).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    PutOptions::bytes("x").last_modified(ago(40)).metadata("said", &said).tag("kind", "media")
}

/// Four buckets: one without versions, one with an upload that nobody completed, one with locks and a version that stays under one that goes,
/// and one that a pattern finds and S3 keeps; and records in a fifth.
async fn furnished() -> Store {
    let store = Store::new().await;
    let sandbox = &store.sandbox;
    let versions = BucketOptions {
        versioning: Versioning::Enabled,
        lock: Some(LockConfiguration::default()),
        ..BucketOptions::named("versions")
    };
    for options in [BucketOptions::named("plain"), versions] {
        sandbox.create_bucket(options).unwrap();
    }
    for name in ["uploads", "tagged-1", "exports"] {
        sandbox.create_bucket(BucketOptions::named(name)).unwrap();
    }
    let tags = BTreeMap::from([("shelflife".to_owned(), "e2e".to_owned())]);
    sandbox.set_bucket_tags("tagged-1", tags).unwrap();
    sandbox.put_object("exports", "customers.csv", PutOptions::bytes("id,country\n1,DE\n")).unwrap();
    sandbox.put_object("plain", "inbound/1/a.jpg", old()).unwrap();
    sandbox.start_upload("uploads", "inbound/1/b.jpg", Attributes::default(), Some(ago(40))).unwrap();
    let older = sandbox.put_object("versions", "inbound/1/a.jpg", old()).unwrap();
    sandbox.set_legal_hold("versions", "inbound/1/a.jpg", older.version_id.as_deref(), true).unwrap();
    sandbox.put_object("versions", "inbound/1/a.jpg", old()).unwrap();
    sandbox.put_object("tagged-1", "inbound/1/a.jpg", old()).unwrap();
    store.desk.policy(&format!(
        "version: 1
name: e2e
account: \"{ACCOUNT}\"
tenant:
  - key: \"*/{{tenant}}/**\"
records:
  customers: {{file: s3://exports/customers.csv, id: id, by: tenant}}
overrides:
  - {{where: {{record: customers.country, is: AT}}, rule: direct, retain: 14 days}}
rules:
  - id: direct
    select: {{buckets: [plain, versions], tags: {{kind: media}}}}
    trigger: {{metadata: said}}
    retain: 30 days
  - id: uploads
    select: {{buckets: [uploads]}}
    trigger: uploaded
    retain: 30 days
    enforce: direct
    incomplete-uploads: 7 days
  - id: lifecycle
    select: {{buckets: [\"tagged-*\"]}}
    trigger: uploaded
    retain: 60 days
guards: {{max-share: 100%}}
"
    ));
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_is_what_plan_and_apply_ask_for() {
    let store = furnished().await;
    let plan = store.iam(&["--for", "plan", "--live", "--quiet"]);
    let apply = store.iam(&["--for", "apply", "--live", "--quiet"]);
    let offline = store.iam(&["--for", "apply", "--quiet"]);

    let planned = asked(&store.asks(&["plan"]));
    let refused: Vec<_> = planned.iter().filter(|one| !allows(&plan, one)).collect();
    assert!(refused.is_empty(), "plan asks for more: {refused:?}");
    let used: BTreeSet<String> = planned.iter().map(|(permission, _)| permission.clone()).collect();
    assert_eq!(actions(&plan), used);

    let applied = asked(&store.asks(&["apply", "shelflife-plan.parquet"]));
    for policy in [&apply, &offline] {
        let refused: Vec<_> = applied.iter().filter(|one| !allows(policy, one)).collect();
        assert!(refused.is_empty(), "apply asks for more: {refused:?}");
        // A plan is made with it as well: `reconcile`.
        assert!(planned.iter().all(|one| allows(policy, one)));
        let used: BTreeSet<String> = applied.iter().map(|(permission, _)| permission.clone()).collect();
        assert_eq!(actions(policy), used);
    }
    assert_eq!(store.sandbox.current_objects("plain").unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_is_what_audit_asks_for() {
    let store = furnished().await;
    // Whose objects it takes their tags alone say, for which the policy does not ask there.
    let theirs = "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter>\
        <Tag><Key>kind</Key><Value>media</Value></Tag></Filter><Status>Enabled</Status>\
        <Expiration><Days>50</Days></Expiration></Rule></LifecycleConfiguration>";
    store.sandbox.put_lifecycle("tagged-1", theirs).unwrap();
    let live = store.iam(&["--for", "audit", "--live", "--quiet"]);
    let offline = store.iam(&["--for", "audit", "--quiet"]);

    // What is due has not been removed.
    let audited = asked(&store.asks_and_ends(&["audit", "--json"], 6));
    for (permission, resource) in [
        ("s3:GetObject", "versions/inbound/1/a.jpg"),
        ("s3:GetObject", "tagged-1/inbound/1/a.jpg"),
        ("s3:GetObjectTagging", "tagged-1/inbound/1/a.jpg"),
    ] {
        let one = (permission.to_owned(), format!("arn:aws:s3:::{resource}"));
        assert!(audited.contains(&one), "{one:?} is not in {audited:?}");
    }
    let used: BTreeSet<String> = audited.iter().map(|(permission, _)| permission.clone()).collect();
    for policy in [&live, &offline] {
        let refused: Vec<_> = audited.iter().filter(|one| !allows(policy, one)).collect();
        assert!(refused.is_empty(), "audit asks for more: {refused:?}");
        assert_eq!(actions(policy), used);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bucket_gets_what_it_needs_alone() {
    let store = furnished().await;
    let bucket = |name: &str| format!("arn:aws:s3:::{name}");
    let on = |permission: &str, resource: String| (permission.to_owned(), resource);
    let apply = store.iam(&["--for", "apply", "--live", "--quiet"]);
    for (permission, resource, expected) in [
        ("s3:DeleteObjectVersion", "versions/k", true),
        ("s3:DeleteObjectVersion", "plain/k", false),
        ("s3:GetObjectVersionTagging", "plain/k", false),
        ("s3:GetObjectTagging", "versions/k", false),
        ("s3:GetObjectTagging", "tagged-1/k", false),
        ("s3:GetBucketTagging", "tagged-1", true),
        ("s3:GetBucketTagging", "plain", false),
        ("s3:GetObject", "exports/customers.csv", true),
        ("s3:GetObject", "exports/other.csv", false),
        ("s3:PutLifecycleConfiguration", "plain", true),
        ("s3:DeleteObject", "exports/customers.csv", false),
    ] {
        assert_eq!(allows(&apply, &on(permission, bucket(resource))), expected, "{permission} {resource}");
    }
    for statement in apply["Statement"].as_array().unwrap() {
        let owner = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
        assert_eq!(*owner == ACCOUNT, statement["Sid"] != "ListBuckets");
    }

    let engine =
        |engine: &str| actions(&store.iam(&["--for", "apply", "--engine", engine, "--live", "--quiet"]));
    let writes = |actions: &BTreeSet<String>| actions.contains("s3:PutLifecycleConfiguration");
    let removes = |actions: &BTreeSet<String>| actions.iter().any(|it| it.starts_with("s3:Delete"));
    assert_eq!((writes(&engine("lifecycle")), removes(&engine("lifecycle"))), (true, false));
    assert_eq!((writes(&engine("direct")), removes(&engine("direct"))), (false, true));
    let audit = store.iam(&["--for", "audit", "--live", "--quiet"]);
    assert!(actions(&audit).iter().all(|it| it.starts_with("s3:Get") || it.starts_with("s3:List")));
    for (permission, resource, expected) in [
        ("s3:GetObject", "versions/k", true),
        ("s3:GetObjectVersionTagging", "versions/k", true),
        ("s3:GetObjectTagging", "tagged-1/k", true),
        ("s3:GetObjectTagging", "versions/k", false),
        ("s3:GetObjectVersion", "tagged-1/k", false),
        ("s3:GetObjectRetention", "tagged-1/k", false),
    ] {
        assert_eq!(allows(&audit, &on(permission, bucket(resource))), expected, "{permission} {resource}");
    }

    let observed = thirty_days("plain", "").replace("enforce: direct", "enforce: observe");
    store.desk.policy(&observed);
    assert!(!removes(&actions(&store.iam(&["--for", "apply", "--quiet"]))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_a_bucket_may_remove_there_though_all_rules_observe() {
    let store = furnished().await;
    let day = ago(3).format("%Y-%m-%d");
    let observed = thirty_days("plain", "").replace("inbound/", "elsewhere/").replace("direct", "observe");
    let request = |select: &str| {
        format!("erasures:\n  - {{id: req-881, reason: Asked, select: {{{select}}}, requested: {day}}}\n")
    };
    let may = |policy: &Value, permission: &str| {
        allows(policy, &(permission.to_owned(), "arn:aws:s3:::plain/k".to_owned()))
    };

    for select in ["prefix: inbound/", "buckets: [uploads], prefix: inbound/"] {
        store.desk.policy(&format!("{observed}{}", request(select)));
        let policy = store.iam(&["--for", "apply", "--live", "--quiet"]);
        assert!(!may(&policy, "s3:DeleteObject"), "{select}: {policy}");
    }

    store.desk.policy(&format!("{observed}{}", request("buckets: [plain], prefix: inbound/")));
    let policy = store.iam(&["--for", "apply", "--live", "--quiet"]);
    store.run(&["plan"]).ends(0);
    let applied = asked(&store.asks(&["apply", "shelflife-plan.parquet"]));
    let refused: Vec<_> = applied.iter().filter(|one| !allows(&policy, one)).collect();
    assert!(refused.is_empty(), "apply asks for more: {refused:?}");
    assert_eq!(store.sandbox.current_objects("plain").unwrap(), []);
    assert!(may(&policy, "s3:AbortMultipartUpload"));
    assert!(!may(&policy, "s3:DeleteObjectVersion"));
    assert!(may(&store.iam(&["--for", "apply", "--quiet"]), "s3:DeleteObjectVersion"));
    for other in [&["--for", "plan"][..], &["--for", "apply", "--engine", "lifecycle"]] {
        assert!(!may(&store.iam(&[other, &["--quiet"]].concat()), "s3:DeleteObject"), "{other:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_exports_may_make_its_copies_and_only_in_their_place() {
    let store = furnished().await;
    store.sandbox.create_bucket(BucketOptions::named("copies")).unwrap();
    let more = "guards: {max-share: 100%}\n";
    store.desk.policy(&thirty_days("plain", more).replace("enforce: direct", "export: s3://copies/saved/"));
    let policy = store.iam(&["--for", "apply", "--live", "--quiet"]);
    store.run(&["plan"]).ends(0);
    let applied = asked(&store.asks(&["apply", "shelflife-plan.parquet"]));
    assert!(applied.iter().any(|(permission, _)| permission == "s3:PutObject"), "{applied:?}");
    let refused: Vec<_> = applied.iter().filter(|one| !allows(&policy, one)).collect();
    assert!(refused.is_empty(), "apply asks for more: {refused:?}");
    let on = |permission: &str, resource: &str| (permission.to_owned(), format!("arn:aws:s3:::{resource}"));
    // Of what the store reads itself to make a copy no request tells.
    assert!(allows(&policy, &on("s3:GetObjectTagging", "plain/k")));
    for (permission, resource) in [
        ("s3:PutObject", "copies/other/k"),
        ("s3:PutObject", "plain/k"),
        ("s3:DeleteObject", "copies/saved/k"),
    ] {
        assert!(!allows(&policy, &on(permission, resource)), "{permission} {resource}");
    }
    assert_eq!(store.sandbox.current_objects("plain").unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_that_iam_takes_wider_is_warned_of() {
    let store = Store::new().await;
    store.desk.policy(&thirty_days("\"*-media\"", ""));
    let ran = store.run(&["compile", "--to", "iam", "--for", "apply"]).ends(0);
    let policy = ran.tells(&["warning:", "*-media", "other buckets", "--live"]).json();
    assert!(allows(&policy, &("s3:DeleteObject".to_owned(), "arn:aws:s3:::*-media/*".to_owned())));
    store.desk.policy(&thirty_days("\"acme-*\"", ""));
    let ran = store.run(&["compile", "--to", "iam", "--for", "apply"]).ends(0);
    assert!(!ran.err.contains("warning"));
    assert_eq!(store.sandbox.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_compiles_for_the_buckets_as_they_are_and_tells_of_rules_of_others() {
    let store = furnished().await;
    let theirs = "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter><Prefix>tmp/</Prefix></Filter>\
        <Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
    store.sandbox.put_lifecycle("tagged-1", theirs).unwrap();
    let compile = || store.run(&["compile", "--to", "json", "--live", "--bucket", "tagged-1"]);
    let ran =
        compile().ends(0).tells(&["tagged-1 has lifecycle rules of others", "`theirs`", "as the store says"]);
    assert_eq!(ran.json()["Rules"][0]["Expiration"]["Days"], 60);
    for request in store.sandbox.requests() {
        let operation = request.call.operation;
        assert!(["Get", "Head", "List"].iter().any(|start| operation.starts_with(start)), "{operation}");
    }

    // What was compiled and put there by other means is what `apply` would put there.
    let xml = store.run(&["compile", "--to", "xml", "--live", "--bucket", "tagged-1", "--quiet"]).out;
    store.sandbox.put_lifecycle("tagged-1", &xml).unwrap();
    assert!(!compile().ends(0).err.contains("others"));
    let plan = store.run(&["plan", "--json"]).ends(0).json();
    assert_eq!(plan["header"]["buckets"]["tagged-1"]["changes"][0]["kind"], "kept");

    store.sandbox.set_versioning("tagged-1", Versioning::Suspended).unwrap();
    compile().ends(1).tells(&["lifecycle: direct: the bucket's versioning is suspended"]);
    store.run(&["compile", "--to", "json", "--live", "--bucket", "nowhere"]).ends(2).tells(&["not enrolled"]);
}
