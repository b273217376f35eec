//! The built binary on the sandbox: what a rule exports is copied and compared before it goes, and whatever
//! goes wrong with the copy, the original stays.

use crate::desk::Desk;
use crate::{client, run};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use shelflife::sandbox::{
    Body, BucketOptions, Effect, Entry, Fault, PutOptions, Sandbox, SandboxOptions, Versioning,
};

const BUCKET: &str = "media";
const PLACE: &str = "exports";

fn policy() -> String {
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
    export: s3://{PLACE}/saved/
  - {{id: copies, select: {{buckets: [{PLACE}]}}, trigger: uploaded, retain: 90 days, enforce: direct}}
"
    )
}

async fn store(versioning: Versioning) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    sandbox.create_bucket(BucketOptions::named(PLACE)).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&policy());
    (sandbox, desk)
}

fn old(options: PutOptions) -> PutOptions {
    let options = options.last_modified(Utc::now() - TimeDelta::days(40));
    options.metadata("origin", "ott").tag("kind", "photo")
}

fn put(sandbox: &Sandbox, key: &str, options: PutOptions) -> String {
    sandbox.put_object(BUCKET, key, old(options)).unwrap().version_id.unwrap_or_default()
}

fn keys(sandbox: &Sandbox, bucket: &str) -> Vec<String> {
    sandbox.list_everything(bucket).unwrap().into_iter().map(|entry| entry.key).collect()
}

/// All copies, the indexes aside.
fn copies(sandbox: &Sandbox) -> Vec<Entry> {
    let all = sandbox.list_everything(PLACE).unwrap();
    all.into_iter().filter(|entry| !entry.key.starts_with("saved/index/")).collect()
}

fn index(sandbox: &Sandbox, ending: &str) -> Vec<(String, String)> {
    let all = sandbox.list_everything(PLACE).unwrap();
    let found = all.into_iter().filter(|it| it.key.starts_with("saved/index/") && it.key.ends_with(ending));
    found
        .map(|entry| match entry.object.unwrap().body {
            Body::Bytes(bytes) => (entry.key, String::from_utf8(bytes.to_vec()).unwrap()),
            Body::SizeOnly(_) => panic!("an index has bytes"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_copied_with_all_that_belongs_to_it_and_then_goes() {
    for versioning in [Versioning::Never, Versioning::Enabled] {
        let (sandbox, desk) = store(versioning).await;
        let key = "inbound/4711/a b+%2B/../=1,\"ć\".jpg";
        let version = put(&sandbox, key, PutOptions::bytes("medium").checksum("CRC64NVME"));
        put(&sandbox, "inbound/0815/none", PutOptions::bytes("other"));
        put(&sandbox, "inbound/loose", PutOptions::bytes("loose"));

        let ran = run(&sandbox, &desk, &["reconcile", "--json"]).ends(0).json();

        assert_eq!(ran["results"], json!({"deleted": 3, "exported": 3}), "{versioning:?}");
        assert_eq!(keys(&sandbox, BUCKET), [""; 0]);
        let copies = copies(&sandbox);
        assert_eq!(copies.len(), 3);
        let start = "saved/media/inbound%2F4711%2Fa%20b%2B%252B%2F..%2F%3D1%2C%22%C4%87%22.jpg/";
        let copy = copies.iter().find(|copy| copy.key.starts_with(start)).unwrap();
        if versioning == Versioning::Enabled {
            assert_eq!(copy.key, format!("{start}{version}"));
        }
        let object = copy.object.as_ref().unwrap();
        assert_eq!(object.body, Body::Bytes("medium".into()));
        assert_eq!(object.attributes.metadata["origin"], "ott");
        assert_eq!(object.attributes.tags["kind"], "photo");
        assert_eq!(object.checksum.as_ref().unwrap().algorithm, "CRC64NVME");

        let evidence = desk.evidence(ran["evidence"].as_str().unwrap());
        let told: Vec<&Value> =
            evidence.iter().flat_map(|entry| entry["items"].as_array()).flatten().collect();
        let exported = told.iter().find(|item| item["result"] == "exported" && item["key"] == key).unwrap();
        assert_eq!(exported["copy"], format!("s3://exports/{}", copy.key));
        assert!(exported["detail"].as_str().unwrap().contains("compared by CRC64NVME"), "{exported}");

        let names = |files: Vec<(String, String)>| -> Vec<String> {
            files.iter().map(|(name, _)| name.rsplit('/').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(index(&sandbox, ".csv")), ["0815.csv", "4711.csv", "~unknown.csv"]);
        let (_, rows) = index(&sandbox, "4711.json").remove(0);
        let rows: Value = serde_json::from_str(&rows).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 1);
        assert_eq!((rows[0]["key"].as_str(), rows[0]["copy"].as_str().is_some()), (Some(key), true));
        let (_, rows) = index(&sandbox, "4711.csv").remove(0);
        let mut rows = csv::Reader::from_reader(rows.as_bytes());
        assert_eq!(&rows.records().next().unwrap().unwrap()[1], key);
        run(&sandbox, &desk, &["reconcile"]).ends(0).shows(&["nothing to do"]);
    }
}

/// What goes wrong with each copy, once the plan is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_with_the_copy_the_original_stays_until_there_is_one() {
    let on = |operation: &str, effect: Effect| {
        Fault::on(operation, effect).bucket(PLACE).key_containing("saved/media")
    };
    for (fault, ends) in [
        (on("CopyObject", Effect::InternalError), 3),
        (on("CopyObject", Effect::SlowDown), 3),
        (on("CopyObject", Effect::AccessDenied), 3),
        (on("CopyObject", Effect::NotImplemented), 3),
        (on("CopyObject", Effect::ErrorBody("InternalError")), 3),
        (on("CopyObject", Effect::Unreachable), 3),
        // Carried out, whatever became of the answer: the copy is there and is the same.
        (on("CopyObject", Effect::AnswerLost), 0),
        (on("CopyObject", Effect::CutBody(40)), 0),
        (on("CopyObject", Effect::AbortBody(40)), 0),
        (on("HeadObject", Effect::AccessDenied), 3),
        (on("HeadObject", Effect::InternalError), 3),
        (on("HeadObject", Effect::AnswerLost), 3),
        (on("HeadObject", Effect::AccessDenied).calls(2, 9), 3),
        (on("HeadObject", Effect::Header("x-amz-checksum-crc64nvme", Some("AAAAAAAAAAA="))), 3),
        (on("HeadObject", Effect::Header("content-length", Some("5"))), 3),
        (on("HeadObject", Effect::Header("x-amz-meta-origin", None)), 3),
        (on("GetObjectTagging", Effect::AccessDenied), 3),
        (on("HeadObject", Effect::Header("x-amz-missing-meta", Some("1"))), 3),
    ] {
        let what = format!("{fault:?}");
        let (sandbox, desk) = store(Versioning::Enabled).await;
        put(&sandbox, "inbound/1/a", PutOptions::bytes("medium").checksum("CRC64NVME"));
        run(&sandbox, &desk, &["plan"]).ends(0);
        sandbox.faults().add(fault);
        let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]);
        sandbox.faults().clear();
        assert_eq!(ran.code, ends, "{what}\n{}\n{}", ran.out, ran.err);
        let stays = keys(&sandbox, BUCKET);
        assert_eq!(stays.len(), usize::from(ends == 3), "{what}");
        if ends == 3 {
            let outcomes = desk.outcomes(ran.json()["evidence"].as_str().unwrap());
            assert!(
                outcomes.iter().all(|it| it.result != "deleted" && it.result != "exported"),
                "{outcomes:?}"
            );
            assert!(
                outcomes.last().unwrap().detail.contains("could not be copied, so it stays"),
                "{outcomes:?}"
            );
        }
        // The sandbox's clock stands still, and the same plan again would be the one that was carried out.
        sandbox.advance_to(sandbox.now() + TimeDelta::seconds(2)).unwrap();
        run(&sandbox, &desk, &["reconcile"]).ends(0);
        assert_eq!((keys(&sandbox, BUCKET).len(), copies(&sandbox).len()), (0, 1), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_else_in_the_place_of_the_copy_is_left_alone_and_keeps_the_original() {
    for (body, stays) in [("medium", 0), ("another", 1), ("medIum", 1)] {
        let (sandbox, desk) = store(Versioning::Enabled).await;
        let version = put(&sandbox, "inbound/1/a", PutOptions::bytes("medium"));
        let there = format!("saved/media/inbound%2F1%2Fa/{version}");
        sandbox.put_object(PLACE, &there, old(PutOptions::bytes(body)).last_modified(Utc::now())).unwrap();
        run(&sandbox, &desk, &["reconcile"]).ends(if stays == 0 { 0 } else { 3 });
        assert_eq!(keys(&sandbox, BUCKET).len(), stays, "{body}");
        let found = copies(&sandbox);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].object.as_ref().unwrap().body, Body::Bytes(body.into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_between_is_never_overwritten_nor_taken_for_the_copy() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", PutOptions::bytes("medium"));
    let meddler = sandbox.clone();
    // Between the look at the place and the copy.
    sandbox.on_request("CopyObject", move |call| {
        meddler.put_object(PLACE, &call.keys[0], old(PutOptions::bytes("theirs"))).unwrap();
    });
    run(&sandbox, &desk, &["reconcile"]).ends(3);
    sandbox.stop();
    assert_eq!(keys(&sandbox, BUCKET), ["inbound/1/a"]);
    assert_eq!(copies(&sandbox)[0].object.as_ref().unwrap().body, Body::Bytes("theirs".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_changes_while_it_is_copied_stays() {
    let (sandbox, desk) = store(Versioning::Never).await;
    put(&sandbox, "inbound/1/a", PutOptions::bytes("medium"));
    let writer = sandbox.clone();
    sandbox.on_request("CopyObject", move |_| {
        writer.put_object(BUCKET, "inbound/1/a", PutOptions::bytes("newer")).unwrap();
    });
    let code = run(&sandbox, &desk, &["reconcile"]).code;
    sandbox.stop();
    assert_eq!(code, 3);
    let left = sandbox.current_objects(BUCKET).unwrap();
    assert_eq!(left[0].object.as_ref().unwrap().body, Body::Bytes("newer".into()));
    assert_eq!(copies(&sandbox), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_anything_to_compare_by_the_bytes_are_read() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let client = client(&sandbox);
    // Its ETag is of parts and no digest of the content, and it has no checksum.
    let key = "inbound/1/parts";
    let begun = client.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = client.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(1);
    let part = part.body(b"medium".to_vec().into()).send().await.unwrap();
    let part =
        aws_sdk_s3::types::CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part).build();
    let done =
        client.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(id).multipart_upload(parts);
    done.send().await.unwrap();
    sandbox.set_last_modified(BUCKET, key, None, Utc::now() - TimeDelta::days(40)).unwrap();

    let before = sandbox.requests().len();
    let ran = run(&sandbox, &desk, &["reconcile", "--json"]).ends(0).json();
    assert_eq!(ran["results"], json!({"deleted": 1, "exported": 1}));
    let asked = sandbox.requests().split_off(before);
    assert_eq!(asked.iter().filter(|it| it.call.operation == "GetObject").count(), 2);
    let outcomes = desk.outcomes(ran["evidence"].as_str().unwrap());
    assert!(outcomes[0].detail.contains("SHA-256 of the bytes"), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_larger_than_one_copy_goes_in_parts_with_all_that_belongs_to_it() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let size = (11 << 30) + 5;
    put(&sandbox, "inbound/1/film", PutOptions::size(size).checksum("CRC64NVME"));
    let ran = run(&sandbox, &desk, &["reconcile", "--json"]).ends(0).json();
    assert_eq!(ran["results"], json!({"deleted": 1, "exported": 1}));
    let copy = copies(&sandbox).remove(0).object.unwrap();
    assert_eq!(copy.body.len(), size);
    assert_eq!(
        (copy.attributes.metadata["origin"].as_str(), copy.attributes.tags["kind"].as_str()),
        ("ott", "photo")
    );
    let asked = sandbox.requests();
    assert_eq!(asked.iter().filter(|it| it.call.operation == "UploadPartCopy").count(), 23);

    // One that breaks off leaves no upload behind, and the original where it is.
    put(&sandbox, "inbound/1/other", PutOptions::size(size).checksum("CRC64NVME"));
    sandbox.faults().add(Fault::on("UploadPartCopy", Effect::AccessDenied).calls(3, 99));
    run(&sandbox, &desk, &["reconcile", "--out", "again.parquet"]).ends(3);
    sandbox.faults().clear();
    assert_eq!(keys(&sandbox, BUCKET), ["inbound/1/other"]);
    assert_eq!(copies(&sandbox).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_exported_can_be_put_back_where_nothing_stands() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    for key in ["inbound/1/a", "inbound/1/forged", "inbound/1/taken"] {
        put(&sandbox, key, PutOptions::bytes("medium"));
    }
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    let log = desk.log();
    put(&sandbox, "inbound/1/taken", PutOptions::bytes("newer"));
    // As long as the copy, and something else.
    let forged = copies(&sandbox).into_iter().find(|copy| copy.key.contains("forged")).unwrap().key;
    sandbox.put_object(PLACE, &forged, PutOptions::bytes("MEDIUM")).unwrap();

    let told = run(&sandbox, &desk, &["undo", &log]).ends(0);
    told.shows(&["3 objects were copied before", "s3://exports/saved/media/", "--restore-exports"]);
    assert_eq!(keys(&sandbox, BUCKET), ["inbound/1/taken"]);
    let undone = run(&sandbox, &desk, &["undo", &log, "--restore-exports", "--json"]).ends(0).json();
    assert_eq!(undone["results"], json!({"restored": 1, "changed": 2}));
    let left = sandbox.current_objects(BUCKET).unwrap();
    let bodies: Vec<_> = left.iter().map(|it| it.object.clone().unwrap().body).collect();
    assert_eq!(bodies, [Body::Bytes("medium".into()), Body::Bytes("newer".into())]);
    assert_eq!(left[0].object.as_ref().unwrap().attributes.tags["kind"], "photo");
    run(&sandbox, &desk, &["verify", undone["evidence"].as_str().unwrap()]).ends(0);
    let told: Vec<_> = desk.outcomes(undone["evidence"].as_str().unwrap());
    assert!(told.iter().any(|it| it.detail.contains("is not the copy")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_with_its_marker_after_a_window_can_be_put_back_from_its_copy() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    desk.policy(&policy().replace("/saved/\n", "/saved/\n    undo-window: 7 days\n"));
    let key = "inbound/1/a";
    put(&sandbox, key, PutOptions::bytes("medium"));
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    let marker = sandbox.list_everything(BUCKET).unwrap()[0].id.clone();
    let hidden = Utc::now() - TimeDelta::days(8);
    sandbox.set_last_modified(BUCKET, key, Some(&marker), hidden).unwrap();
    let ran = run(&sandbox, &desk, &["reconcile", "--out", "after.parquet", "--json"]).ends(0).json();
    assert_eq!(keys(&sandbox, BUCKET), Vec::<String>::new(), "{ran}");
    let undo = ["undo", ran["evidence"].as_str().unwrap(), "--restore-exports", "--json"];
    assert_eq!(run(&sandbox, &desk, &undo).ends(0).json()["results"], json!({"restored": 1}));
    assert_eq!(keys(&sandbox, BUCKET), [key]);
}

/// Cuts the one log off after the first intent to delete, as a kill right after the deletion does; its name.
fn kill_after_deletion(desk: &Desk) -> String {
    let log = desk.log();
    let text = std::fs::read_to_string(desk.path(&log)).unwrap();
    // The first one is of the copies.
    let (intent, _) = text.match_indices("\"kind\":\"intent\"").nth(1).unwrap();
    let end = intent + text[intent..].find('\n').unwrap() + 1;
    std::fs::write(desk.path(&log), &text[..end]).unwrap();
    log
}

fn results(desk: &Desk, log: &str) -> Vec<String> {
    desk.outcomes(log).into_iter().map(|outcome| outcome.result).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_run_has_removed_is_told_and_can_be_put_back() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let key = "inbound/1/a";
    put(&sandbox, key, PutOptions::bytes("medium"));
    run(&sandbox, &desk, &["plan"]).ends(0);
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(0);
    let log = kill_after_deletion(&desk);
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(0);
    assert_eq!(results(&desk, &log), ["exported", "unclear", "already-gone"]);

    run(&sandbox, &desk, &["undo", &log]).ends(0).shows(&["1 object", "copied before", "--restore-exports"]);
    let undone = run(&sandbox, &desk, &["undo", &log, "--restore-exports", "--json"]).ends(0).json();
    assert_eq!(undone["results"], json!({"restored": 1}), "{undone}");
    assert_eq!(keys(&sandbox, BUCKET), [key]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_the_newest_version_is_put_back_and_not_the_one_told_of_last() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let key = "inbound/1/a";
    put(&sandbox, key, PutOptions::bytes("older"));
    put(&sandbox, key, PutOptions::bytes("newer"));
    run(&sandbox, &desk, &["plan"]).ends(0);
    // The older version goes, the newer one only after the kill.
    sandbox.faults().add(Fault::on("DeleteObjects", Effect::AccessDenied).bucket(BUCKET).calls(2, 99));
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(3);
    sandbox.faults().clear();
    let log = kill_after_deletion(&desk);
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(0);
    let told = results(&desk, &log);
    assert_eq!(told, ["exported", "exported", "unclear", "exported", "deleted", "already-gone"]);

    let undone = run(&sandbox, &desk, &["undo", &log, "--restore-exports", "--json"]).ends(0).json();
    assert_eq!(undone["objects"]["copied"]["count"], 2, "{undone}");
    assert_eq!(undone["results"], json!({"restored": 1, "changed": 1}), "{undone}");
    let left = sandbox.current_objects(BUCKET).unwrap();
    assert_eq!(left[0].object.as_ref().unwrap().body, Body::Bytes("newer".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_removed_is_not_put_back() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let (theirs, ours) = ("inbound/1/theirs", "inbound/1/ours");
    let version = put(&sandbox, theirs, PutOptions::bytes("medium"));
    put(&sandbox, ours, PutOptions::bytes("medium"));
    run(&sandbox, &desk, &["plan"]).ends(0);
    // Between the copies and the look before the deletion.
    let user = sandbox.clone();
    let delete = Effect::before(move |_| {
        if copies(&user).len() == 2 {
            drop(user.delete(BUCKET, theirs, Some(&version)));
        }
    });
    sandbox.faults().add(Fault::on("ListObjectVersions", delete).bucket(BUCKET));
    let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    sandbox.faults().clear();
    assert_eq!(ran["results"], json!({"exported": 2, "deleted": 1, "already-gone": 1}));

    let undo = ["undo", ran["evidence"].as_str().unwrap(), "--restore-exports", "--json"];
    let undone = run(&sandbox, &desk, &undo).ends(0).json();
    assert_eq!(undone["objects"]["copied"]["count"], 1, "{undone}");
    assert_eq!(undone["results"], json!({"restored": 1}), "{undone}");
    assert_eq!(keys(&sandbox, BUCKET), [ours]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_is_asked_for_the_newest_version_is_put_back() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let rule = |id: &str, size: &str| {
        format!(
            "  - id: {id}
    select: {{buckets: [{BUCKET}], size: {{{size}}}}}
    trigger: uploaded
    retain: 30 days
    export: s3://{PLACE}/saved/
"
        )
    };
    let rules = policy();
    let (head, rest) = rules.split_once("  - id: ott-media").unwrap();
    let (_, copies) = rest.split_once("/saved/\n").unwrap();
    desk.policy(&[head, &rule("small", "under: 10"), &rule("large", "over: 9"), copies].concat());
    let key = "inbound/1/a";
    put(&sandbox, key, PutOptions::bytes("small"));
    put(&sandbox, key, PutOptions::bytes("large and newer"));
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    assert_eq!(keys(&sandbox, BUCKET), [""; 0]);

    let undo = ["undo", &desk.log(), "--rule", "small", "--restore-exports", "--json"];
    let undone = run(&sandbox, &desk, &undo).ends(0).json();
    assert_eq!(undone["results"], json!({"restored": 1}), "{undone}");
    let left = sandbox.current_objects(BUCKET).unwrap();
    assert_eq!(left[0].object.as_ref().unwrap().body, Body::Bytes("small".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_to_be_copied_since_the_plan_does_not_go_without_a_copy() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let key = "inbound/1/a";
    put(&sandbox, key, PutOptions::bytes("medium"));
    let rules = policy().replace(
        &format!("    export: s3://{PLACE}/saved/\n"),
        &format!(
            "    enforce: direct
  - id: wanted
    select: {{buckets: [{BUCKET}], tags: {{kind: [film]}}}}
    trigger: uploaded
    retain: 10 days
    export: s3://{PLACE}/saved/
"
        ),
    );
    desk.policy(&rules);
    run(&sandbox, &desk, &["plan"]).ends(0);
    let tag = aws_sdk_s3::types::Tag::builder().key("kind").value("film").build().unwrap();
    let tags = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
    client(&sandbox).put_object_tagging().bucket(BUCKET).key(key).tagging(tags).send().await.unwrap();
    let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    assert_eq!(ran["results"], json!({"overtaken": 1}));
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    assert_eq!((keys(&sandbox, BUCKET).len(), copies(&sandbox).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_export_place_nothing_is_removed() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", PutOptions::bytes("medium"));
    desk.policy(&policy().replace("s3://exports/", "s3://nowhere/"));
    let code = run(&sandbox, &desk, &["reconcile"]).code;
    assert_ne!(code, 0);
    assert_eq!(keys(&sandbox, BUCKET), ["inbound/1/a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_counts_once_however_often_its_original_is_put_off() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", PutOptions::bytes("medium"));
    let slow = Fault::on("DeleteObjects", Effect::KeyError("SlowDown")).bucket(BUCKET);
    sandbox.faults().add(slow.calls(1, 2));
    let ran = run(&sandbox, &desk, &["reconcile", "--json"]).ends(0).json();
    assert_eq!(ran["results"], json!({"deleted": 1, "exported": 1}));
    let told = results(&desk, ran["evidence"].as_str().unwrap());
    assert_eq!(told, ["exported", "put-off", "exported", "put-off", "exported", "deleted"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_comes_while_copies_are_made_is_heeded_before_anything_is_removed() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    desk.policy(&format!("{}guards: {{stop-file: STOP}}\n", policy()));
    for key in ["inbound/4711/a", "inbound/4711/b"] {
        put(&sandbox, key, PutOptions::bytes("medium"));
    }
    run(&sandbox, &desk, &["plan"]).ends(0);
    let stop = desk.path("policies/STOP");
    let raise = {
        let stop = stop.clone();
        move |_: &_| std::fs::write(&stop, "").unwrap()
    };
    sandbox.faults().add(Fault::on("CopyObject", Effect::before(raise)).once());
    // An answer that there was none counts for five seconds.
    sandbox.faults().add(Fault::on("CopyObject", Effect::Delay(std::time::Duration::from_secs(6))));
    let apply = ["apply", "shelflife-plan.parquet", "--json"];
    let stopped = run(&sandbox, &desk, &apply);
    assert_ne!(stopped.code, 0, "{}", stopped.err);
    assert_eq!((keys(&sandbox, BUCKET).len(), copies(&sandbox).len()), (2, 2));
    std::fs::remove_file(stop).unwrap();
    sandbox.faults().clear();
    let done = run(&sandbox, &desk, &apply).ends(0).json();
    assert_eq!(done["results"]["deleted"], 2, "{done}");
    assert!(keys(&sandbox, BUCKET).is_empty());
}
