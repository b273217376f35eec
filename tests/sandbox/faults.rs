//! Faults on demand, hooks, the request log.

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use shelflife::sandbox::{Attributes, Deed, Effect, EntryKind, Fault, PutOptions, Sandbox};

use crate::client::{put, refusal, sandbox, says, versioned};

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

#[tokio::test]
async fn a_call_is_refused_with_any_status_with_or_without_a_body() {
    let (sandbox, client) = sandbox().await;
    let faults = sandbox.faults();
    faults.add(Fault::on("HeadBucket", Effect::Refuse(503, "")).once());
    faults.add(Fault::on("HeadBucket", Effect::Header("retry-after", Some("7"))).once());
    let error = client.head_bucket().bucket("media").send().await.unwrap_err();
    let answer = error.raw_response().unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (503, Some("7")));
    faults.add(Fault::on("ListObjectsV2", Effect::Refuse(400, "ExpiredToken")).calls(2, 2));
    let list = || client.list_objects_v2().bucket("media").send();
    list().await.unwrap();
    assert_eq!(refusal(list().await), says("ExpiredToken", 400));
    list().await.unwrap();
}

#[tokio::test]
async fn others_meddle_before_and_after_a_call() {
    let (sandbox, client) = sandbox().await;
    for key in ["a", "b"] {
        put(&client, key, "old").await;
    }
    let (early, late) = (sandbox.clone(), sandbox.clone());
    let put_again = |sandbox: &Sandbox, key: &str| {
        sandbox.put_object("media", key, PutOptions::bytes("new")).unwrap();
    };
    let before = Effect::before(move |call| put_again(&early, &call.keys[0]));
    let after = Effect::after(move |call| put_again(&late, &call.keys[0]));
    sandbox.faults().add(Fault::on("DeleteObject", before).key_containing("a"));
    sandbox.faults().add(Fault::on("DeleteObject", after).key_containing("b"));
    for key in ["a", "b"] {
        client.delete_object().bucket("media").key(key).send().await.unwrap();
    }
    let left: Vec<_> = sandbox.list_everything("media").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, ["b"]);
    sandbox.stop();
}

#[tokio::test]
async fn the_journal_tells_what_was_done_in_which_order_and_by_which_request() {
    let (sandbox, client) = versioned().await;
    put(&client, "before", "1").await;
    assert_eq!(sandbox.take_journal(), []);
    sandbox.keep_journal();
    let id = put(&client, "k", "1").await;
    sandbox.set_legal_hold("media", "k", None, true).unwrap();
    sandbox.set_legal_hold("media", "k", None, false).unwrap();
    client.delete_object().bucket("media").key("k").send().await.unwrap();
    client.delete_object().bucket("media").key("k").version_id(&id).send().await.unwrap();
    let upload = sandbox.start_upload("media", "u", Attributes::default(), None).unwrap();
    client.abort_multipart_upload().bucket("media").key("u").upload_id(&upload).send().await.unwrap();

    let requests = sandbox.requests();
    let number = |place: usize| requests[place].number;
    let told: Vec<_> = sandbox
        .take_journal()
        .into_iter()
        .map(|change| (change.deed, change.entry.kind, change.entry.is_latest, change.by))
        .collect();
    assert_eq!(
        told,
        [
            (Deed::Added, EntryKind::Version, true, Some(number(1))),
            (Deed::Altered, EntryKind::Version, true, None),
            (Deed::Altered, EntryKind::Version, true, None),
            (Deed::Added, EntryKind::Marker, true, Some(number(2))),
            (Deed::Removed, EntryKind::Version, false, Some(number(3))),
            (Deed::Added, EntryKind::Upload, false, None),
            (Deed::Removed, EntryKind::Upload, false, Some(number(4))),
        ]
    );
    assert_eq!(requests[3].changes, 4..5);
    assert_eq!(sandbox.take_journal(), []);
}
