//! The built binary on the sandbox: what nothing in the policy covers is not listed, and that is all the difference.

use std::fs::File;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use shelflife::plan::{PlanReader, PlanRow};
use shelflife::sandbox::{
    Attributes, BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions, Versioning,
};

use crate::desk::Desk;
use crate::run;

const BUCKET: &str = "media";

const POLICY: &str = "version: 1
name: e2e
guards: {max-share: 50%, max-objects: 1000, per-bucket: {max-share: 50%}, per-tenant: {max-objects: 1000}}
tenant: [{key: \"*/{tenant}/**\"}]
rules:
  - id: media
    select: {buckets: [media], prefix: inbound/, except: [{prefix: inbound/kept/}]}
    trigger: uploaded
    retain: 30 days
    noncurrent: {retain: 1 day}
    incomplete-uploads: 7 days
  - id: mail
    select: {buckets: [media], key: \"mail/*/**.eml\"}
    trigger: uploaded
    retain: 60 days
    enforce: direct
erasures:
  - {id: req-1, reason: asked, select: {prefix: profiles/4711/}, requested: 2026-05-20}
holds:
  - {id: case-1, reason: case, select: {prefix: evidence/}}
";

/// A bucket with more than the policy covers: before, between and behind that.
async fn stocked() -> (Sandbox, Desk) {
    let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
    let sandbox = Sandbox::start(SandboxOptions::at(now)).await.unwrap();
    let versioning = Versioning::Enabled;
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    for top in ["archive", "evidence", "inbound", "inbound/kept", "mail", "profiles", "thumbnails", "x"] {
        for number in 0..60 {
            let key = format!("{top}/{}/{number:02}.eml", ["4711", "0815", "1"][number % 3]);
            for age in [number as i64 + 40, number as i64].into_iter().skip(number % 2) {
                let object = PutOptions::bytes("medium").last_modified(now - TimeDelta::days(age));
                sandbox.put_object(BUCKET, &key, object).unwrap();
            }
            if number % 20 == 0 {
                let at = Some(now - TimeDelta::days(number as i64));
                sandbox.start_upload(BUCKET, &key, Attributes::default(), at).unwrap();
            }
            if number % 30 == 7 {
                sandbox.delete(BUCKET, &key, None).unwrap();
            }
        }
    }
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(POLICY);
    (sandbox, desk)
}

struct Planned {
    header: Value,
    rows: Vec<PlanRow>,
    prefixes: Vec<String>,
    out: String,
}

fn plan(sandbox: &Sandbox, desk: &Desk, more: &[&str]) -> Planned {
    let file = format!("{}.parquet", more.len());
    let args = ["plan", "--as-of", "2026-06-01T12:00:00Z", "--out", &file];
    let before = sandbox.requests().len();
    let ran = run(sandbox, desk, &[&args, more].concat()).ends(0);
    let asked = sandbox.requests().split_off(before);
    let listings = asked.into_iter().filter(|request| request.call.operation == "ListObjectVersions");
    let reader = PlanReader::open(File::open(desk.path(&file)).unwrap()).unwrap();
    Planned {
        header: reader.header().clone(),
        rows: reader.rows().map(Result::unwrap).collect(),
        prefixes: listings.filter_map(|request| request.call.scope).map(|scope| scope.prefix).collect(),
        out: ran.out,
    }
}

/// The lines of the summary, those of what is unmatched apart.
fn lines(planned: &Planned) -> (Vec<Value>, Vec<Value>) {
    let lines = planned.header["summary"].as_array().unwrap().clone();
    lines.into_iter().partition(|line| line["verdict"] != "unmatched")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_covers_is_not_listed_and_all_else_is_planned_the_same() {
    let (sandbox, desk) = stocked().await;
    for (entries, uploads) in [(1000, 1000), (7, 1)] {
        sandbox.faults().clear();
        sandbox.faults().add(Fault::on("ListObjectVersions", Effect::ShortPages(entries)));
        sandbox.faults().add(Fault::on("ListMultipartUploads", Effect::ShortPages(uploads)));
        let before = sandbox.requests().len();
        let (some, whole) = (plan(&sandbox, &desk, &[]), plan(&sandbox, &desk, &["--whole-bucket"]));
        assert!(whole.rows.len() > 50 && some.rows == whole.rows, "{} rows", some.rows.len());
        let ((covered, unmatched), (all, rest)) = (lines(&some), lines(&whole));
        assert_eq!(covered, all);
        assert_eq!(some.header["guards"], whole.header["guards"]);
        assert!(some.header["guards"].as_array().unwrap().iter().any(|guard| guard["value"] != 0.0));
        let objects =
            |lines: &[Value]| lines.iter().map(|line| line["objects"].as_u64().unwrap()).sum::<u64>();
        // What an exception leaves out lies within.
        assert!(objects(&unmatched) > 50, "{unmatched:?}");
        assert!(objects(&rest) > objects(&unmatched) + 200, "{rest:?}");
        let (mut bucket, other) = (some.header["buckets"][BUCKET].clone(), &whole.header["buckets"][BUCKET]);
        let listed = bucket.as_object_mut().unwrap().remove("listed").unwrap();
        assert_eq!(listed, serde_json::json!(["evidence/", "inbound/", "mail/", "profiles/4711/"]));
        assert_eq!(bucket, *other);

        let is_listed = |prefix: &String| {
            listed.as_array().unwrap().iter().any(|start| prefix.starts_with(start.as_str().unwrap()))
        };
        let of_uploads = sandbox.requests().split_off(before);
        let of_uploads = of_uploads.iter().filter(|request| request.call.operation == "ListMultipartUploads");
        // Some stores take a prefix of uploads for a whole key.
        assert!(
            of_uploads.filter_map(|request| request.call.scope.as_ref()).all(|scope| scope.prefix.is_empty())
        );
        assert!(some.prefixes.iter().all(is_listed), "{:?}", some.prefixes);
        assert!(whole.prefixes.iter().any(String::is_empty));
        if entries == 7 {
            assert!(some.prefixes.len() < whole.prefixes.len(), "{} requests", some.prefixes.len());
        }
        let words = some.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "listed: only under evidence/, inbound/, mail/, profiles/4711/; the rest of the bucket is covered by nothing and was not listed";
        assert!(words.contains(told), "{}", some.out);
        assert!(!whole.out.contains("listed:"), "{}", whole.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_sees_what_no_rule_covers() {
    let (sandbox, desk) = stocked().await;
    let ran = run(&sandbox, &desk, &["audit", "--sample", "0"]);
    let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for top in ["archive/", "thumbnails/", "x/"] {
        assert!(out.contains(top), "{}", ran.out);
    }
}
