//! The built binary against a store that asks for less: it slows down, comes again, and tells the truth.

use std::time::Duration;

use crate::desk::{Desk, Ran};
use crate::run;
use chrono::{TimeDelta, Utc};
use serde_json::json;
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions, Versioning};

const BUCKET: &str = "media";

const POLICY: &str = "version: 1
name: e2e
rules:
  - id: ott-media
    select: {buckets: [media]}
    trigger: uploaded
    retain: 30 days
    enforce: direct
";

/// A planned bucket of `keys`, each with so many versions, all of them due.
async fn planned(keys: &[&str], versions: usize) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
    if versions > 1 {
        sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
    }
    for (number, key) in (0..versions as i64).flat_map(|number| keys.iter().map(move |key| (number, key))) {
        let at = Utc::now() - TimeDelta::days(60 - number);
        sandbox.put_object(BUCKET, key, PutOptions::bytes("medium").last_modified(at)).unwrap();
    }
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(POLICY);
    run(&sandbox, &desk, &["plan"]).ends(0);
    (sandbox, desk)
}

fn apply(sandbox: &Sandbox, desk: &Desk) -> Ran {
    run(sandbox, desk, &["apply", "shelflife-plan.parquet", "--json"])
}

fn results(desk: &Desk, ran: &serde_json::Value, key: &str) -> Vec<String> {
    let outcomes = desk.outcomes(ran["evidence"].as_str().unwrap());
    outcomes.into_iter().filter(|it| it.key == key).map(|it| it.result).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_put_off_is_looked_at_again_and_goes_in_a_later_batch() {
    for code in ["SlowDown", "InternalError", "ServiceUnavailable"] {
        let (sandbox, desk) = planned(&["a/1", "a/2", "a/3"], 1).await;
        let fault = Fault::on("DeleteObjects", Effect::KeyError(code)).key_containing("a/2");
        sandbox.faults().add(fault.calls(1, 2));
        let applied = apply(&sandbox, &desk).ends(0).json();
        assert_eq!(applied["results"], json!({"deleted": 3}), "{code}");
        assert_eq!(results(&desk, &applied, "a/1"), ["deleted"]);
        assert_eq!(results(&desk, &applied, "a/2"), ["put-off", "put-off", "deleted"], "{code}");
        let listings =
            sandbox.requests().iter().filter(|it| it.call.operation == "ListObjectVersions").count();
        assert!(listings >= 4, "it was not looked at again: {listings}");
        assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_for_the_second_look_is_tried_again_and_has_failed_in_the_end() {
    let dated = POLICY.replace("trigger: uploaded", "trigger: {metadata: made}");
    // Six attempts of the one request are one try of the row.
    for (calls, ended, wanted) in
        [((1, 12), 0, json!({"deleted": 2})), ((1, 1_000), 3, json!({"deleted": 1, "failed": 1}))]
    {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
        for key in ["a/1", "a/2"] {
            let made = PutOptions::bytes("medium").metadata("made", "2026-01-01");
            sandbox.put_object(BUCKET, key, made).unwrap();
        }
        let desk = Desk::at(&sandbox.endpoint());
        desk.policy(&dated);
        run(&sandbox, &desk, &["plan"]).ends(0);
        let fault = Fault::on("HeadObject", Effect::InternalError).key_containing("a/2");
        sandbox.faults().add(fault.calls(calls.0, calls.1));
        let applied = apply(&sandbox, &desk).ends(ended).json();
        assert_eq!(applied["results"], wanted);
        let told = results(&desk, &applied, "a/2");
        let (last, before) = told.split_last().unwrap();
        assert_eq!(last, if ended == 0 { "deleted" } else { "failed" });
        assert!(!before.is_empty() && before.iter().all(|it| it == "put-off"), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_waits_for_the_version_below_that_could_not_be_read() {
    // A marker is due with the midnight after it was made.
    let long_ago = Utc::now() - TimeDelta::days(3);
    let sandbox = Sandbox::start(SandboxOptions::at(long_ago)).await.unwrap();
    sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
    sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
    let made = PutOptions::bytes("medium").metadata("made", "2026-01-01");
    sandbox.put_object(BUCKET, "a/1", made).unwrap();
    let client = crate::client(&sandbox);
    client.delete_object().bucket(BUCKET).key("a/1").send().await.unwrap();
    sandbox.advance_to(Utc::now()).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&POLICY.replace("trigger: uploaded", "trigger: {metadata: made}"));
    run(&sandbox, &desk, &["plan"]).ends(0);
    sandbox.faults().add(Fault::on("HeadObject", Effect::InternalError).calls(1, 6));
    let applied = apply(&sandbox, &desk).ends(0).json();
    assert_eq!(applied["results"], json!({"deleted": 2}));
    assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_anew_while_it_waits_for_its_turn_stays() {
    let (sandbox, desk) = planned(&["a/1", "a/2"], 1).await;
    sandbox
        .faults()
        .add(Fault::on("DeleteObjects", Effect::KeyError("SlowDown")).key_containing("a/2").once());
    // Between the two tries, the second of which begins late, somebody writes the object anew.
    let late = Effect::Delay(Duration::from_millis(700));
    sandbox.faults().add(Fault::on("GetBucketVersioning", late).calls(3, 3));
    let (again, bucket) = (sandbox.clone(), BUCKET);
    let rewriting = tokio::spawn(async move {
        while again.list_everything(bucket).unwrap().len() > 1 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        again.put_object(bucket, "a/2", PutOptions::bytes("another medium")).unwrap();
    });
    let applied = tokio::task::block_in_place(|| apply(&sandbox, &desk)).ends(0).json();
    rewriting.await.unwrap();
    assert_eq!(results(&desk, &applied, "a/2"), ["put-off", "changed"]);
    assert_eq!(sandbox.list_everything(BUCKET).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_version_waits_for_an_older_one_that_is_put_off() {
    let (sandbox, desk) = planned(&["a/1"], 3).await;
    sandbox.faults().add(Fault::on("DeleteObjects", Effect::KeyError("SlowDown")).once());
    let applied = apply(&sandbox, &desk).ends(0).json();
    assert_eq!(applied["results"], json!({"deleted": 3}));
    let told = results(&desk, &applied, "a/1");
    assert_eq!(told.iter().filter(|it| *it == "put-off").count(), 3, "{told:?}");
    assert!(!told.contains(&"marker-added".to_owned()), "{told:?}");
    assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_off_for_good_has_failed_and_the_rest_is_done() {
    for effect in [Effect::KeyError("SlowDown"), Effect::KeyError("InternalError")] {
        let (sandbox, desk) = planned(&["a/1", "a/2"], 1).await;
        sandbox.faults().add(Fault::on("DeleteObjects", effect).key_containing("a/2"));
        let applied = apply(&sandbox, &desk).ends(3).json();
        assert_eq!(applied["results"], json!({"deleted": 1, "failed": 1}));
        let told = results(&desk, &applied, "a/2");
        assert_eq!((told.len(), told.last().unwrap().as_str()), (8, "failed"), "{told:?}");
        sandbox.faults().clear();
        run(&sandbox, &desk, &["reconcile"]).ends(0);
        assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
    }
}

/// The status comes before all is deleted, and what goes wrong then comes in the body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_has_deleted_before_its_error_came_is_told_to_be_deleted() {
    for code in ["SlowDown", "InternalError", "AccessDenied"] {
        let (sandbox, desk) = planned(&["a/1", "a/2"], 1).await;
        let store = sandbox.clone();
        let half = Effect::before(move |_| drop(store.delete(BUCKET, "a/1", None).unwrap()));
        for effect in [half, Effect::ErrorBody(code)] {
            sandbox.faults().add(Fault::on("DeleteObjects", effect).once());
        }
        let applied = apply(&sandbox, &desk).ends(0).json();
        sandbox.faults().clear();
        assert_eq!(applied["results"], json!({"deleted": 2}), "{code}");
        assert_eq!(results(&desk, &applied, "a/1"), ["deleted"], "{code}");
        assert_eq!(results(&desk, &applied, "a/2"), ["put-off", "deleted"], "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_delete_while_the_store_refuses_to_is_not_told_to_be_deleted() {
    let (sandbox, desk) = planned(&["a/1", "a/2"], 1).await;
    let user = sandbox.clone();
    let delete = Effect::before(move |_| drop(user.delete(BUCKET, "a/1", None).unwrap()));
    for effect in [delete, Effect::KeyError("ConditionalRequestConflict")] {
        sandbox.faults().add(Fault::on("DeleteObjects", effect).once());
    }
    let applied = apply(&sandbox, &desk).ends(0).json();
    sandbox.faults().clear();
    assert_eq!(applied["results"], json!({"deleted": 1, "already-gone": 1}));
    assert_eq!(results(&desk, &applied, "a/1"), ["already-gone"]);
    assert_eq!(results(&desk, &applied, "a/2"), ["put-off", "deleted"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_throttles_every_request_for_a_while_is_outlasted() {
    let keys: Vec<String> = (0..3_000).map(|number| format!("a/{number:04}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (sandbox, desk) = planned(&keys, 1).await;
    for operation in ["DeleteObjects", "ListObjectVersions"] {
        sandbox.faults().add(Fault::on(operation, Effect::SlowDown).calls(2, 6));
    }
    let applied = apply(&sandbox, &desk).ends(0).json();
    assert_eq!(applied["results"], json!({"deleted": 3_000}));
    assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
    let log = applied["evidence"].as_str().unwrap().to_owned();
    run(&sandbox, &desk, &["verify", &log, "--head", applied["head"].as_str().unwrap()]).ends(0);
}

/// Waiting for the pace comes before the look, so that nothing is deleted on an old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_makes_batches_small_and_each_is_looked_at_right_before() {
    let keys: Vec<String> = (0..40).map(|number| format!("a/{number:04}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (sandbox, desk) = planned(&keys, 1).await;
    let args = ["apply", "shelflife-plan.parquet", "--max-rate", "20", "--concurrency", "1"];
    run(&sandbox, &desk, &args).ends(0);
    assert!(sandbox.list_everything(BUCKET).unwrap().is_empty());
    let requests = sandbox.requests();
    let batches: Vec<usize> = requests
        .iter()
        .filter(|it| it.call.operation == "DeleteObjects")
        .map(|it| it.call.keys.len())
        .collect();
    assert_eq!(batches, [20, 20]);
    let order: Vec<&str> = requests.iter().map(|it| it.call.operation).collect();
    let looked = order.windows(2).filter(|pair| *pair == ["ListObjectVersions", "DeleteObjects"]).count();
    assert_eq!(looked, 2, "{order:?}");
}
