//! Stores that do not do as they should: the message names the bucket, the reason and what to do.

use std::net::TcpListener;

use aws_sdk_s3::types::{Tag, Tagging};

use crate::desk::{Desk, Ran};
use crate::fake::{Fake, error, forward};
use crate::shelf::Shelf;
use crate::support::{LocalStack, fresh_name};
use crate::thirty_days;

/// The commands that look at the store end in the same way, and leave neither plan nor evidence.
#[track_caller]
fn fails(desk: &Desk, bucket: &str, fragments: &[&str]) {
    desk.policy(&thirty_days(bucket, ""));
    let uri = format!("s3://{bucket}/inbound/1/photo.jpg");
    for command in [&["plan"][..], &["reconcile"], &["explain", &uri]] {
        desk.run(command).ends(1).tells(fragments).shows(&[]);
    }
    assert_eq!(desk.files(), ["policies"]);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let Some(store) = LocalStack::shared() else { return };
    let bucket = fresh_name("nowhere");
    let place = format!("s3://{bucket}: not found");
    fails(&Desk::at(&store.endpoint), &bucket, &[&place, "help:", "create the bucket, or mend its name"]);
}

#[test]
fn a_bucket_that_is_denied_is_named() {
    let fake = Fake::refusing(403, "AccessDenied", &[]);
    let place = ["HeadBucket s3://closed: access denied", "help:", "lack this permission"];
    fails(&Desk::at(&fake.endpoint), "closed", &place);
    assert!(fake.seen().iter().all(|request| request.starts_with("HEAD ")), "{:?}", fake.seen());
}

#[test]
fn a_bucket_in_another_region_is_named_with_that_region() {
    let fake = Fake::refusing(301, "PermanentRedirect", &[("x-amz-bucket-region", "eu-central-1")]);
    let place = ["s3://abroad: the bucket lies in region eu-central-1", "help:", "--region eu-central-1"];
    fails(&Desk::at(&fake.endpoint), "abroad", &place);
}

#[test]
fn a_store_that_refuses_connections_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let desk = Desk::at(&format!("http://127.0.0.1:{port}"));
    fails(&desk, "media", &["s3://media: no answer from the store", "help:", "--endpoint-url"]);
}

#[test]
fn without_credentials_nothing_is_sent() {
    let fake = Fake::refusing(403, "AccessDenied", &[]);
    let desk = Desk::at(&fake.endpoint);
    desk.policy(&thirty_days("media", ""));
    for command in ["plan", "reconcile"] {
        let mut command = desk.bare_command(&[command, "--endpoint-url", &fake.endpoint]);
        let ran = Ran::of(command.output().unwrap()).ends(1);
        ran.tells(&["no credentials were found", "help:", "AWS_ACCESS_KEY_ID", "--profile"]);
    }
    assert_eq!(fake.seen(), [""; 0]);
    assert_eq!(desk.files(), ["policies"]);
}

#[test]
fn plain_http_does_not_leave_this_machine() {
    let desk = Desk::at("http://store.example.com");
    desk.policy(&thirty_days("media", ""));
    desk.run(&["plan"]).ends(1).tells(&["plain http and not on this machine", "help:", "--allow-http"]);
}

#[tokio::test]
async fn a_bucket_that_only_a_pattern_reaches_is_left_alone_until_it_is_tagged() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "pattern").await;
    shelf.put("inbound/1/photo.jpg", 40).await;
    let before = shelf.state().await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&format!("\"{}*\"", shelf.bucket), ""));

    let ran = desk.run(&["reconcile"]).ends(1);
    let note = format!("bucket {} matches a pattern", shelf.bucket);
    ran.tells(&[&note, "shelflife=e2e", "left alone", "no bucket is enrolled", "help:", "tag them"]);
    assert_eq!(shelf.state().await, before);

    // Another policy's tag is none.
    for (name, left) in [("another", 1), ("e2e", 0)] {
        let tag = Tag::builder().key("shelflife").value(name).build().unwrap();
        let tags = Tagging::builder().tag_set(tag).build().unwrap();
        shelf.client.put_bucket_tagging().bucket(&shelf.bucket).tagging(tags).send().await.unwrap();
        desk.run(&["reconcile"]).ends(left);
        assert_eq!(shelf.keys().await.len(), usize::try_from(left).unwrap());
    }
}

/// A shelf with one object that is due and one that is not.
async fn due(store: &LocalStack, prefix: &str) -> Shelf {
    let shelf = Shelf::new(store, prefix).await;
    shelf.put("inbound/1/due.jpg", 40).await;
    shelf.put("inbound/1/fresh.jpg", 10).await;
    shelf
}

#[tokio::test]
async fn a_deletion_that_is_denied_is_counted_and_can_be_tried_again() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = due(store, "denied").await;
    let before = shelf.state().await;
    let endpoint = store.endpoint.clone();
    let fake = Fake::start(move |request| match request.is_batch_deletion() {
        true => error(&request, 403, "AccessDenied", &[]),
        false => forward(&endpoint, &request),
    });
    let desk = Desk::at(&fake.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));

    let denied = desk.run(&["reconcile", "--json"]).ends(3).json();

    assert_eq!(denied["results"], serde_json::json!({"denied": 1}));
    assert!(desk.outcomes(&desk.log())[0].detail.contains("access denied"));
    assert_eq!(shelf.state().await, before);
    let again = Desk::at(&store.endpoint);
    again.policy(&thirty_days(&shelf.bucket, ""));
    again.run(&["reconcile"]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/1/fresh.jpg"]);
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_called_deleted_only_when_a_listing_shows_it() {
    let Some(store) = LocalStack::shared() else { return };
    for (name, reaches, result, exit) in
        [("lost-answer", true, "deleted", 0), ("lost-request", false, "failed", 3)]
    {
        let shelf = due(store, name).await;
        let endpoint = store.endpoint.clone();
        let fake = Fake::start(move |request| match (request.is_batch_deletion(), reaches) {
            (true, true) => {
                forward(&endpoint, &request);
                Vec::new()
            }
            (true, false) => Vec::new(),
            (false, _) => forward(&endpoint, &request),
        });
        let desk = Desk::at(&fake.endpoint);
        desk.policy(&thirty_days(&shelf.bucket, ""));

        let reconciled = desk.run(&["reconcile", "--json"]).ends(exit).json();

        assert_eq!(reconciled["results"], serde_json::json!({result: 1}));
        assert!(desk.outcomes(&desk.log())[0].detail.contains("a listing shows that it is "));
        assert_eq!(shelf.is_visible("inbound/1/due.jpg").await, !reaches);
        assert!(shelf.is_visible("inbound/1/fresh.jpg").await);
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_anything_is_asked_for() {
    let fake = Fake::refusing(403, "AccessDenied", &[]);
    let desk = Desk::at(&fake.endpoint);
    desk.policy(&thirty_days("media", ""));
    desk.write("taken", "a file where a folder should be");
    desk.write("mine.txt", "no plan");
    desk.write("plan.parquet", "");

    for command in ["plan", "reconcile"] {
        for place in ["nowhere/plan.parquet", "taken/plan.parquet"] {
            let ran = desk.run(&[command, "--out", place]).ends(2);
            ran.tells(&[&format!("plan {place} could not be written"), "help:", "--out"]);
        }
        let ran = desk.run(&[command, "--out", "mine.txt"]).ends(2);
        ran.tells(&["mine.txt is there already, and is no plan", "help:", "--out"]);
        desk.run(&[command, "--out", "policies"]).ends(2).tells(&["policies is a folder", "help:", "--out"]);
    }
    let ran = desk.run(&["reconcile", "--evidence-dir", "taken/evidence"]).ends(2);
    ran.tells(&["evidence could not be written to taken/evidence", "help:", "--evidence-dir"]);

    assert_eq!(fake.seen(), [""; 0]);
    assert_eq!(desk.files(), ["mine.txt", "plan.parquet", "policies", "taken"]);
    assert_eq!(std::fs::read_to_string(desk.path("mine.txt")).unwrap(), "no plan");
}
