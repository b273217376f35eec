//! Faults on demand, hooks, the request log.

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use shelflife::sandbox::{Effect, Fault, PutOptions};

use crate::client::{put, refusal, sandbox, says};

fn batch(keys: &[&str]) -> Delete {
    let keys = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build().unwrap());
    Delete::builder().set_objects(Some(keys.collect())).build().unwrap()
}

#[tokio::test]
async fn errors_strike_the_calls_that_they_are_meant_for() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    let faults = sandbox.faults();
    faults.add(Fault::on("HeadObject", Effect::SlowDown).bucket("media").key_containing("a").calls(2, 3));
    let head = || client.head_object().bucket("media").key("a").send();
    head().await.unwrap();
    assert_eq!(refusal(head().await).1, 503);
    assert_eq!(refusal(head().await).1, 503);
    head().await.unwrap();
    faults.add(Fault::on("*", Effect::InternalError).once());
    let listing = || client.list_objects_v2().bucket("media").send();
    assert_eq!(refusal(listing().await), says("InternalError", 500));
    faults.add(Fault::on("ListObjectsV2", Effect::AccessDenied).once());
    assert_eq!(refusal(listing().await), says("AccessDenied", 403));
    faults.add(Fault::on("ListObjectsV2", Effect::SlowDown).bucket("other"));
    listing().await.unwrap();
    faults.add(Fault::on("ListObjectsV2", Effect::SlowDown));
    faults.clear();
    listing().await.unwrap();
}

#[tokio::test]
async fn an_error_can_come_with_status_200() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    sandbox.faults().add(Fault::on("DeleteObjects", Effect::ErrorBody("SlowDown")).once());
    let delete = || client.delete_objects().bucket("media").delete(batch(&["a"])).send();
    assert_eq!(refusal(delete().await), says("SlowDown", 200));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
    delete().await.unwrap();
}

#[tokio::test]
async fn a_cut_listing_passes_for_a_short_one_and_an_aborted_one_does_not() {
    let (sandbox, client) = sandbox().await;
    for n in 0..10 {
        sandbox.put_object("media", &format!("k{n}"), PutOptions::size(1)).unwrap();
    }
    let listing = || client.list_objects_v2().bucket("media").send();
    sandbox.faults().add(Fault::on("ListObjectsV2", Effect::CutBody(600)).once());
    let short = listing().await.unwrap();
    assert!(short.contents().len() < 10);
    sandbox.faults().add(Fault::on("ListObjectsV2", Effect::AbortBody(600)).once());
    assert!(listing().await.is_err());
    assert_eq!(listing().await.unwrap().contents().len(), 10);
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_all_the_same() {
    let (sandbox, client) = sandbox().await;
    sandbox.faults().add(Fault::on("PutObject", Effect::AnswerLost).once());
    let put = client.put_object().bucket("media").key("a").body(ByteStream::from_static(b"1")).send().await;
    assert!(put.is_err());
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
    let last = sandbox.requests().pop().unwrap();
    assert_eq!((last.call.operation, last.status), ("PutObject", None));
}

#[tokio::test]
async fn a_call_that_does_not_arrive_does_nothing() {
    let (sandbox, client) = sandbox().await;
    sandbox.faults().add(Fault::on("PutObject", Effect::Unreachable).once());
    let put = || client.put_object().bucket("media").key("a").body(ByteStream::from_static(b"1")).send();
    assert!(put().await.is_err());
    assert!(sandbox.list_everything("media").unwrap().is_empty());
    assert_eq!(sandbox.requests().pop().unwrap().status, None);
    sandbox.faults().add(Fault::on("PutObject", Effect::NotImplemented).once());
    assert_eq!(refusal(put().await), says("NotImplemented", 501));
    assert!(sandbox.list_everything("media").unwrap().is_empty());
    put().await.unwrap();
}

#[tokio::test]
async fn a_listing_can_be_made_to_stand_still() {
    let (sandbox, client) = sandbox().await;
    for n in 0..6 {
        sandbox.put_object("media", &format!("k{n}"), PutOptions::size(1)).unwrap();
    }
    sandbox.faults().add(Fault::on("ListObjectsV2", Effect::RepeatToken));
    sandbox.faults().add(Fault::on("ListObjectVersions", Effect::RepeatToken));
    let first = client.list_objects_v2().bucket("media").max_keys(2).send().await.unwrap();
    let token = first.next_continuation_token().unwrap();
    let second = client.list_objects_v2().bucket("media").max_keys(2).continuation_token(token);
    assert_eq!(second.send().await.unwrap().next_continuation_token(), Some(token));
    let first = client.list_object_versions().bucket("media").max_keys(2).send().await.unwrap();
    let (key, id) = (first.next_key_marker().unwrap(), first.next_version_id_marker().unwrap());
    let second =
        client.list_object_versions().bucket("media").max_keys(2).key_marker(key).version_id_marker(id);
    let second = second.send().await.unwrap();
    assert_eq!((second.next_key_marker(), second.next_version_id_marker()), (Some(key), Some(id)));
}

#[tokio::test]
async fn a_batch_can_fail_for_some_keys_and_keep_silent_on_others() {
    let (sandbox, client) = sandbox().await;
    for key in ["good", "bad", "silent"] {
        put(&client, key, "1").await;
    }
    sandbox.faults().add(Fault::on("DeleteObjects", Effect::KeyError("SlowDown")).key_containing("bad"));
    sandbox.faults().add(Fault::on("DeleteObjects", Effect::OmitKey).key_containing("silent"));
    let answer = client.delete_objects().bucket("media").delete(batch(&["good", "bad", "silent"]));
    let answer = answer.send().await.unwrap();
    let deleted: Vec<_> = answer.deleted().iter().map(|line| line.key().unwrap()).collect();
    assert_eq!(deleted, ["good"]);
    assert_eq!((answer.errors()[0].key(), answer.errors()[0].code()), (Some("bad"), Some("SlowDown")));
    let left: Vec<_> = sandbox.list_everything("media").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, ["bad"]);
}

#[tokio::test]
async fn a_slow_answer_takes_at_least_the_delay() {
    let (sandbox, client) = sandbox().await;
    let delay = Duration::from_millis(200);
    sandbox.faults().add(Fault::on("HeadBucket", Effect::Delay(delay)));
    let asked = Instant::now();
    client.head_bucket().bucket("media").send().await.unwrap();
    assert!(asked.elapsed() >= delay);
}

#[tokio::test]
async fn a_hook_changes_the_store_just_before_a_call_is_served() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "old").await;
    let head = client.head_object().bucket("media").key("a").send().await.unwrap();
    let (inside, mut calls) = (sandbox.clone(), 0);
    sandbox.on_request("DeleteObject", move |call| {
        calls += 1;
        if calls == 1 {
            inside.put_object("media", &call.keys[0], PutOptions::bytes("new")).unwrap();
        }
    });
    let delete = client.delete_object().bucket("media").key("a").if_match(head.e_tag().unwrap());
    assert_eq!(refusal(delete.send().await), says("PreconditionFailed", 412));
    sandbox.stop();
}

#[tokio::test]
async fn the_log_tells_operation_bucket_keys_and_status() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a b/ä", "1").await;
    let _ = client.head_object().bucket("media").key("none").send().await;
    client.delete_objects().bucket("media").delete(batch(&["x", "y"])).send().await.unwrap();
    client.list_buckets().send().await.unwrap();
    let log: Vec<_> = sandbox
        .requests()
        .into_iter()
        .map(|request| (request.call.operation, request.call.bucket, request.call.keys, request.status))
        .collect();
    let media = Some("media".to_owned());
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        log,
        [
            ("PutObject", media.clone(), keys(&["a b/ä"]), Some(200)),
            ("HeadObject", media.clone(), keys(&["none"]), Some(404)),
            ("DeleteObjects", media, keys(&["x", "y"]), Some(200)),
            ("ListBuckets", None, keys(&[]), Some(200)),
        ]
    );
}

#[tokio::test]
async fn thousands_of_calls_go_over_a_few_connections() {
    let (sandbox, client) = sandbox().await;
    for n in 0..3000 {
        sandbox.put_object("media", &format!("k{n}"), PutOptions::size(n)).unwrap();
    }
    for n in 0..3000 {
        let head = client.head_object().bucket("media").key(format!("k{n}")).send().await.unwrap();
        assert_eq!(head.content_length(), Some(n));
    }
}
