//! The built binary on the sandbox: a plan that starts from an inventory is the plan that a listing leads to, and an
//! inventory that is not whole leads to none.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use shelflife::plan::{PlanReader, PlanRow};
use shelflife::sandbox::{
    Attributes, BucketOptions, EntryKind, PutOptions, Sandbox, SandboxOptions, Versioning,
};

use crate::desk::Desk;
use crate::run;

const BUCKET: &str = "media";
const REPORTS: &str = "reports";
const FOLDER: &str = "all/media/nightly";

fn policy(more: &str) -> String {
    format!(
        "version: 1
name: e2e
guards: {{max-share: 100%}}
rules:
  - id: media
    select: {{buckets: [{BUCKET}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    enforce: direct
    incomplete-uploads: 7 days
{more}"
    )
}

async fn store(versioning: Versioning, more: &str) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    sandbox.create_bucket(BucketOptions::named(REPORTS)).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&policy(more));
    (sandbox, desk)
}

fn ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

fn put(sandbox: &Sandbox, key: &str, days: i64) {
    sandbox.put_object(BUCKET, key, PutOptions::bytes("medium").last_modified(ago(days))).unwrap();
}

fn mark(sandbox: &Sandbox, key: &str, days: i64) {
    let id = sandbox.delete(BUCKET, key, None).unwrap();
    sandbox.set_last_modified(BUCKET, key, id.as_deref(), ago(days)).unwrap();
}

/// What S3 would deliver of the bucket as it is.
struct Delivered {
    manifest: Value,
    files: Vec<(String, Vec<u8>)>,
}

fn inventory(sandbox: &Sandbox, created: DateTime<Utc>) -> Delivered {
    let mut rows: Vec<String> = Vec::new();
    for entry in sandbox.list_everything(BUCKET).unwrap() {
        let is_marker = match entry.kind {
            EntryKind::Version => false,
            EntryKind::Marker => true,
            EntryKind::Upload => continue,
        };
        let key = entry.key.replace('%', "%25").replace('+', "%2B").replace(' ', "+").replace('ä', "%C3%A4");
        let size = if is_marker { "" } else { "6" };
        let id = if entry.id == "null" { "" } else { &entry.id };
        let at = entry.last_modified.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        rows.push(format!(
            "\"{BUCKET}\",\"{key}\",\"{id}\",\"{}\",\"{is_marker}\",\"{size}\",\"{at}\"\n",
            entry.is_latest
        ));
    }
    // It comes in no order.
    rows.reverse();
    let middle = rows.len() / 2;
    let files: Vec<(String, Vec<u8>)> = [&rows[..middle], &rows[middle..]]
        .into_iter()
        .enumerate()
        .map(|(place, rows)| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(rows.concat().as_bytes()).unwrap();
            (format!("{FOLDER}/data/{place}.csv.gz"), encoder.finish().unwrap())
        })
        .collect();
    let manifest = json!({
        "sourceBucket": BUCKET,
        "destinationBucket": format!("arn:aws:s3:::{REPORTS}"),
        "version": "2016-11-30",
        "creationTimestamp": created.timestamp_millis().to_string(),
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate",
        "files": files.iter().map(|(key, bytes)| json!({"key": key, "size": bytes.len(), "MD5checksum": md5(bytes)})).collect::<Vec<_>>(),
    });
    Delivered { manifest, files }
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

impl Delivered {
    /// Puts it into the bucket for reports; the manifest's address.
    fn deliver(&self, sandbox: &Sandbox) -> String {
        for (key, bytes) in &self.files {
            sandbox.put_object(REPORTS, key, PutOptions::bytes(bytes.clone())).unwrap();
        }
        let manifest = self.manifest.to_string();
        let checksum = md5(manifest.as_bytes());
        let place = |name: &str| format!("{FOLDER}/2026-11-27T01-00Z/{name}");
        sandbox.put_object(REPORTS, &place("manifest.json"), PutOptions::bytes(manifest)).unwrap();
        sandbox.put_object(REPORTS, &place("manifest.checksum"), PutOptions::bytes(checksum)).unwrap();
        format!("s3://{REPORTS}/{}", place("manifest.json"))
    }

    /// Puts it on the desk, as `aws s3 sync` does; the manifest's path.
    fn sync(&self, desk: &Desk) -> String {
        std::fs::create_dir_all(desk.path("synced/data")).unwrap();
        for (key, bytes) in &self.files {
            std::fs::write(desk.path(&format!("synced/data/{}", key.rsplit('/').next().unwrap())), bytes)
                .unwrap();
        }
        desk.write("synced/2026-11-27T01-00Z/manifest.json", &self.manifest.to_string());
        "synced/2026-11-27T01-00Z/manifest.json".to_owned()
    }
}

fn rows(desk: &Desk, plan: &str) -> Vec<PlanRow> {
    let reader = PlanReader::open(File::open(desk.path(plan)).unwrap()).unwrap();
    reader.rows().map(Result::unwrap).collect()
}

/// All objects and bytes that a plan counts.
fn counted(plan: &Value) -> (u64, u64) {
    let lines = plan["header"]["summary"].as_array().unwrap();
    let sum = |name: &str| lines.iter().map(|line| line[name].as_u64().unwrap()).sum();
    (sum("objects"), sum("bytes"))
}

/// A plan from a listing and one from the inventory, as of now and as JSON.
fn both(sandbox: &Sandbox, desk: &Desk, manifest: &str) -> (Value, Value) {
    let as_of = Utc::now().format("%Y-%m-%dT00:00:00Z").to_string();
    let plan = |args: &[&str]| {
        let args = [&["plan", "--json", "--as-of", &as_of], args].concat();
        run(sandbox, desk, &args).ends(0).json()
    };
    // An inventory has rows of all that there is.
    let listed = plan(&["--out", "listed.parquet", "--whole-bucket"]);
    (listed, plan(&["--out", "found.parquet", "--inventory", manifest]))
}

fn fill(sandbox: &Sandbox) {
    for n in 0..40 {
        put(sandbox, &format!("inbound/{n:02}/photo"), if n % 4 == 0 { 40 } else { 10 });
    }
    put(sandbox, "inbound/a b+ä 100%/photo", 40);
    put(sandbox, "other/photo", 400);
    for (key, days) in
        [("inbound/10/photo", 20), ("inbound/lone-upload", 20), ("zzz", 20), ("inbound/new", 1)]
    {
        sandbox.start_upload(BUCKET, key, Attributes::default(), Some(ago(days))).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_by_inventory_has_the_rows_and_counts_of_one_by_listing() {
    for versioning in [Versioning::Never, Versioning::Enabled, Versioning::Suspended] {
        for noncurrent in ["", "    noncurrent: {retain: 3 days}\n"] {
            let (sandbox, desk) = store(versioning, noncurrent).await;
            fill(&sandbox);
            if versioning != Versioning::Never {
                for (key, ages) in [("both-due", [60, 40]), ("one-due", [50, 20]), ("none-due", [2, 1])] {
                    ages.iter().for_each(|days| put(&sandbox, &format!("inbound/{key}"), *days));
                }
                put(&sandbox, "inbound/deleted", 50);
                mark(&sandbox, "inbound/deleted", 35);
                put(&sandbox, "inbound/deleted-lately", 50);
                mark(&sandbox, "inbound/deleted-lately", 1);
                mark(&sandbox, "inbound/lone-marker", 35);
                mark(&sandbox, "inbound/lone-marker-of-today", 0);
            }
            let delivered = inventory(&sandbox, Utc::now());

            for manifest in [delivered.deliver(&sandbox), delivered.sync(&desk)] {
                let (listed, found) = both(&sandbox, &desk, &manifest);
                let expected = rows(&desk, "listed.parquet");
                assert!(expected.len() > 10);
                assert_eq!(rows(&desk, "found.parquet"), expected, "{versioning:?} {noncurrent}");
                assert_eq!(counted(&found), counted(&listed), "{versioning:?} {noncurrent}");
                let used = &found["header"]["inventories"][BUCKET];
                assert_eq!(used["manifest"], manifest);
                assert!(used["counted"].as_u64().unwrap() >= 30, "{used}");
                assert!(used["looked_up"].as_u64().unwrap() < 20, "{used}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_changed_since_the_inventory_is_decided_as_it_is_now() {
    let (sandbox, desk) = store(Versioning::Never, "").await;
    fill(&sandbox);
    let manifest = inventory(&sandbox, Utc::now() - TimeDelta::hours(1)).deliver(&sandbox);
    put(&sandbox, "inbound/00/photo", 0);
    sandbox.delete(BUCKET, "inbound/04/photo", None).unwrap();
    put(&sandbox, "inbound/came-later", 50);

    let (listed, found) = both(&sandbox, &desk, &manifest);

    let mut expected = rows(&desk, "listed.parquet");
    expected.retain(|row| row.key != "inbound/came-later");
    assert_eq!(rows(&desk, "found.parquet"), expected);
    assert!(expected.iter().all(|row| !["inbound/00/photo", "inbound/04/photo"].contains(&row.key.as_str())));
    assert_eq!(counted(&found).0 + 1, counted(&listed).0);
    assert_eq!(found["header"]["inventories"][BUCKET]["gone"], 1);
    run(&sandbox, &desk, &["plan", "--inventory", &manifest])
        .ends(0)
        .shows(&["inventory: 42 rows as of", "11 keys were looked up, 1 of them gone"]);
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(0);
    let left = sandbox.list_everything(BUCKET).unwrap();
    for key in ["inbound/00/photo", "inbound/came-later", "inbound/01/photo"] {
        assert!(left.iter().any(|entry| entry.key == key), "{key}");
    }
    assert!(!left.iter().any(|entry| entry.key == "inbound/08/photo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inventory_that_is_not_whole_or_not_of_the_bucket_leads_to_no_plan() {
    let (sandbox, desk) = store(Versioning::Enabled, "").await;
    fill(&sandbox);
    let refused = |manifest: &str, code: i32, told: &[&str]| {
        let ran = run(&sandbox, &desk, &["plan", "--inventory", manifest]).ends(code);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in told {
            assert!(said.contains(words), "{words:?} in {said}");
        }
        assert!(!desk.files().iter().any(|name| name.starts_with("shelflife-plan")), "{:?}", desk.files());
    };
    let good = || inventory(&sandbox, Utc::now());
    let (first, second) = (format!("{FOLDER}/data/0.csv.gz"), format!("{FOLDER}/data/1.csv.gz"));

    let manifest = good().deliver(&sandbox);
    sandbox.delete(REPORTS, &second, None).unwrap();
    refused(&manifest, 1, &["1.csv.gz could not be read", "no plan was made"]);

    let manifest = good().deliver(&sandbox);
    sandbox.put_object(REPORTS, &first, PutOptions::bytes("short")).unwrap();
    refused(&manifest, 1, &["0.csv.gz has 5 bytes, and the manifest says"]);

    let mut changed = good();
    let byte = changed.files[1].1.len() / 2;
    changed.files[1].1[byte] ^= 1;
    refused(&changed.sync(&desk), 1, &["1.csv.gz has not the MD5 that the manifest says"]);

    let manifest = good().deliver(&sandbox);
    let sum = manifest.trim_start_matches("s3://reports/").replace(".json", ".checksum");
    sandbox.put_object(REPORTS, &sum, PutOptions::bytes(md5(b"another"))).unwrap();
    refused(&manifest, 1, &["is not the one that manifest.checksum is about"]);

    let with = |name: &str, value: Value| {
        let mut other = good();
        other.manifest[name] = value;
        other.sync(&desk)
    };
    let other = with("sourceBucket", "another".into());
    refused(&other, 2, &["an inventory of the bucket another", "that the policy reaches: media"]);
    let orc = with("fileFormat", "ORC".into());
    refused(&orc, 2, &["\"ORC\", and Parquet and CSV are read", "set the format to Parquet"]);
    let current = with("fileSchema", "Bucket, Key, Size, LastModifiedDate".into());
    refused(&current, 2, &["current versions alone", "IncludedObjectVersions to All"]);
    let no_size = with("fileSchema", "Bucket, Key, IsLatest, IsDeleteMarker, LastModifiedDate".into());
    refused(&no_size, 2, &["no field Size", "add Size to the optional fields"]);
    let stale = with("creationTimestamp", ago(10).timestamp_millis().to_string().into());
    refused(&stale, 4, &["more than 9 days ago", "name a newer one"]);
    refused("s3://reports/nothing/manifest.json", 2, &["there is no manifest"]);
    refused("nothing.json", 2, &["inventory nothing.json could not be read"]);
    let manifest = good().deliver(&sandbox);
    let ran = run(&sandbox, &desk, &["plan", "--inventory", &manifest, "--inventory", &manifest]).ends(2);
    assert!(ran.err.contains("two inventories of the bucket media"), "{}", ran.err);
}

/// S3 would remove what is in the bucket, and guards would count what is in the inventory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_is_given_no_more_to_remove_by_a_plan_from_an_inventory() {
    let (sandbox, desk) = store(Versioning::Never, "").await;
    desk.policy(&policy("").replace("enforce: direct", "enforce: auto"));
    fill(&sandbox);
    let manifest = inventory(&sandbox, Utc::now() - TimeDelta::hours(1)).deliver(&sandbox);
    let ran = run(&sandbox, &desk, &["plan", "--inventory", &manifest]).ends(4);
    ran.tells(&["a rule that removes more", "leave --inventory out"]);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    assert!(sandbox.lifecycle(BUCKET).unwrap().is_some());
    // What S3 has to do is as it was.
    run(&sandbox, &desk, &["plan", "--inventory", &manifest, "--out", "after.parquet"]).ends(0);
}
