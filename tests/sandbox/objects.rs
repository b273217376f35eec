//! Objects, versions, delete markers.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{BucketVersioningStatus, MetadataDirective, Tag, Tagging, VersioningConfiguration};
use shelflife::sandbox::{BucketOptions, EntryKind, PutOptions, Versioning};

use crate::client::{at, client, client_with, put, refusal, sandbox, says, versioned};

#[tokio::test]
async fn an_object_comes_back_with_all_that_it_was_stored_with() {
    let (_sandbox, client) = sandbox().await;
    let stored = client
        .put_object()
        .bucket("media")
        .key("inbound/ä b+c.jpg")
        .body(ByteStream::from_static(b"hello"))
        .content_type("image/jpeg")
        .metadata("Customer-ID", "4711")
        .tagging("kind=photo&note=a%20b")
        .storage_class(aws_sdk_s3::types::StorageClass::StandardIa)
        .send()
        .await
        .unwrap();
    assert_eq!(stored.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(stored.version_id(), None);

    let head = client.head_object().bucket("media").key("inbound/ä b+c.jpg").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.metadata().unwrap().get("customer-id").map(String::as_str), Some("4711"));
    assert_eq!(head.storage_class().unwrap().as_str(), "STANDARD_IA");
    assert_eq!(head.last_modified(), Some(&DateTime::from_secs(at("2026-01-15T10:30:00Z").timestamp())));
    assert_eq!(head.tag_count(), Some(2));

    let tags = client.get_object_tagging().bucket("media").key("inbound/ä b+c.jpg").send().await.unwrap();
    let tags: BTreeMap<_, _> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, BTreeMap::from([("kind", "photo"), ("note", "a b")]));

    let got =
        client.get_object().bucket("media").key("inbound/ä b+c.jpg").range("bytes=1-2").send().await.unwrap();
    assert_eq!(got.content_range(), Some("bytes 1-2/5"));
    assert_eq!(got.body.collect().await.unwrap().into_bytes().as_ref(), b"el");
}

#[tokio::test]
async fn a_body_that_is_only_a_size_reads_as_that_many_zeros() {
    let (sandbox, client) = sandbox().await;
    sandbox.put_object("media", "huge", PutOptions::size(5 << 40)).unwrap();
    sandbox.put_object("media", "some", PutOptions::size(100_000)).unwrap();
    let head = client.head_object().bucket("media").key("huge").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5 << 40));
    let got = client.get_object().bucket("media").key("some").send().await.unwrap();
    let bytes = got.body.collect().await.unwrap().into_bytes();
    assert_eq!(bytes.len(), 100_000);
    assert!(bytes.iter().all(|byte| *byte == 0));
}

#[tokio::test]
async fn deleting_without_a_version_puts_markers_on_top_each_time() {
    let (sandbox, client) = versioned().await;
    let first = put(&client, "a", "1").await;
    let second = put(&client, "a", "2").await;
    assert_ne!(first, second);
    let deleted = client.delete_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap().to_owned();
    client.delete_object().bucket("media").key("a").send().await.unwrap();
    let kinds: Vec<_> = sandbox.list_everything("media").unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Marker, EntryKind::Marker, EntryKind::Version, EntryKind::Version]);

    let gone = client.get_object().bucket("media").key("a").send().await;
    assert_eq!(refusal(gone), says("NoSuchKey", 404));
    let on_marker = client.head_object().bucket("media").key("a").version_id(&marker).send().await;
    assert_eq!(refusal(on_marker).1, 405);
    let old = client.get_object().bucket("media").key("a").version_id(&first).send().await.unwrap();
    assert_eq!(old.body.collect().await.unwrap().into_bytes().as_ref(), b"1");

    let undone = client.delete_object().bucket("media").key("a").version_id(&marker).send().await.unwrap();
    assert_eq!((undone.delete_marker(), undone.version_id()), (Some(true), Some(marker.as_str())));
    let removed = client.delete_object().bucket("media").key("a").version_id(&second).send().await.unwrap();
    assert_eq!((removed.delete_marker(), removed.version_id()), (None, Some(second.as_str())));
}

#[tokio::test]
async fn suspended_versioning_destroys_the_null_version_only() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "null one").await;
    sandbox.set_versioning("media", Versioning::Enabled).unwrap();
    let kept = put(&client, "a", "kept").await;
    sandbox.set_versioning("media", Versioning::Suspended).unwrap();
    assert_eq!(put(&client, "a", "null two").await, "null");
    let ids = |sandbox: &shelflife::sandbox::Sandbox| -> Vec<String> {
        sandbox.list_everything("media").unwrap().into_iter().map(|entry| entry.id).collect()
    };
    assert_eq!(ids(&sandbox), ["null", kept.as_str()]);

    let deleted = client.delete_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!((deleted.delete_marker(), deleted.version_id()), (Some(true), Some("null")));
    let left = sandbox.list_everything("media").unwrap();
    assert_eq!(left[0].kind, EntryKind::Marker);
    assert_eq!(ids(&sandbox), ["null", kept.as_str()]);
    client.delete_object().bucket("media").key("a").version_id("null").send().await.unwrap();
    assert_eq!(ids(&sandbox), [kept.as_str()]);
}

#[tokio::test]
async fn versions_that_are_not_there_are_told_apart() {
    let (_sandbox, client) = versioned().await;
    let version = put(&client, "a", "1").await;
    let malformed = client.get_object().bucket("media").key("a").version_id("nonsense").send().await;
    assert_eq!(refusal(malformed), says("InvalidArgument", 400));
    let unknown = client.get_object().bucket("media").key("b").version_id(&version).send().await;
    assert_eq!(refusal(unknown), says("NoSuchVersion", 404));
    client.delete_object().bucket("media").key("b").version_id(&version).send().await.unwrap();
}

#[tokio::test]
async fn an_in_place_copy_resets_last_modified() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    sandbox.advance_to(at("2026-02-01T12:00:00Z")).unwrap();
    let same = client.copy_object().bucket("media").key("a").copy_source("media/a").send().await;
    assert_eq!(refusal(same), says("InvalidRequest", 400));
    client
        .copy_object()
        .bucket("media")
        .key("a")
        .copy_source("media/a")
        .metadata_directive(MetadataDirective::Replace)
        .metadata("k", "v")
        .send()
        .await
        .unwrap();
    let left = sandbox.list_everything("media").unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].last_modified, at("2026-02-01T12:00:00Z"));
    assert_eq!(left[0].object.as_ref().unwrap().attributes.metadata["k"], "v");
}

#[tokio::test]
async fn tags_change_without_a_new_version() {
    let (sandbox, client) = versioned().await;
    let version = put(&client, "a", "1").await;
    let tag = |value: &str| Tag::builder().key("customer").value(value).build().unwrap();
    let tagging = Tagging::builder().tag_set(tag("4711")).build().unwrap();
    let tagged = client.put_object_tagging().bucket("media").key("a").tagging(tagging).send().await.unwrap();
    assert_eq!(tagged.version_id(), Some(version.as_str()));
    let twice = Tagging::builder().tag_set(tag("1")).tag_set(tag("2")).build().unwrap();
    let twice = client.put_object_tagging().bucket("media").key("a").tagging(twice).send().await;
    assert_eq!(refusal(twice), says("InvalidTag", 400));
    let entries = sandbox.list_everything("media").unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].object.as_ref().unwrap().attributes.tags["customer"], "4711");
    client.delete_object_tagging().bucket("media").key("a").send().await.unwrap();
    let entries = sandbox.list_everything("media").unwrap();
    assert!(entries[0].object.as_ref().unwrap().attributes.tags.is_empty());
}

#[tokio::test]
async fn buckets_are_made_configured_and_removed() {
    let (_sandbox, client) = sandbox().await;
    client.create_bucket().bucket("second").send().await.unwrap();
    let again = client.create_bucket().bucket("second").send().await;
    assert_eq!(refusal(again), says("BucketAlreadyOwnedByYou", 409));
    let buckets = client.list_buckets().send().await.unwrap();
    let names: Vec<_> = buckets.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["media", "second"]);

    let status = client.get_bucket_versioning().bucket("second").send().await.unwrap();
    assert_eq!(status.status(), None);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket("second").versioning_configuration(enabled).send().await.unwrap();
    let status = client.get_bucket_versioning().bucket("second").send().await.unwrap();
    assert_eq!(status.status(), Some(&BucketVersioningStatus::Enabled));

    let none = client.get_bucket_tagging().bucket("second").send().await;
    assert_eq!(refusal(none), says("NoSuchTagSet", 404));
    let tag = Tag::builder().key("shelflife").value("acme-media").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    client.put_bucket_tagging().bucket("second").tagging(tagging).send().await.unwrap();
    let tags = client.get_bucket_tagging().bucket("second").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "acme-media");

    client.put_object().bucket("second").key("a").send().await.unwrap();
    client.delete_object().bucket("second").key("a").send().await.unwrap();
    let full = client.delete_bucket().bucket("second").send().await;
    assert_eq!(refusal(full), says("BucketNotEmpty", 409));
    client.delete_bucket().bucket("media").send().await.unwrap();
    let gone = client.list_objects_v2().bucket("media").send().await;
    assert_eq!(refusal(gone), says("NoSuchBucket", 404));
}

#[tokio::test]
async fn a_bucket_elsewhere_redirects_and_names_its_region() {
    let (sandbox, client) = sandbox().await;
    let frankfurt = BucketOptions { region: "eu-central-1".to_owned(), ..BucketOptions::named("frankfurt") };
    sandbox.create_bucket(frankfurt).unwrap();
    let head = client.head_bucket().bucket("frankfurt").send().await.unwrap_err();
    let response = head.raw_response().unwrap();
    assert_eq!(response.status().as_u16(), 301);
    assert_eq!(response.headers().get("x-amz-bucket-region"), Some("eu-central-1"));
    let listing = client.list_objects_v2().bucket("frankfurt").send().await;
    assert_eq!(refusal(listing), says("PermanentRedirect", 301));
    let there = client_with(&sandbox, sandbox.access_key(), sandbox.secret_key(), "eu-central-1");
    let head = there.head_bucket().bucket("frankfurt").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-central-1"));
    let location = client.get_bucket_location().bucket("frankfurt").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-central-1");
}

#[tokio::test]
async fn wrong_keys_and_wrong_owners_are_refused() {
    let (sandbox, client) = sandbox().await;
    let stranger = client_with(&sandbox, "AKIANOBODY", sandbox.secret_key(), "us-east-1");
    let unknown = stranger.list_objects_v2().bucket("media").send().await;
    assert_eq!(refusal(unknown), says("InvalidAccessKeyId", 403));
    let forger = client_with(&sandbox, sandbox.access_key(), "wrong", "us-east-1");
    let forged = forger.list_objects_v2().bucket("media").send().await;
    assert_eq!(refusal(forged), says("SignatureDoesNotMatch", 403));

    let ours = client.list_objects_v2().bucket("media").expected_bucket_owner("123456789012").send().await;
    assert!(ours.is_ok());
    let listing = client.list_objects_v2().bucket("media").expected_bucket_owner("999999999999").send().await;
    assert_eq!(refusal(listing), says("AccessDenied", 403));
    let delete = client.delete_object().bucket("media").key("a").expected_bucket_owner("999999999999");
    assert_eq!(refusal(delete.send().await), says("AccessDenied", 403));
}

#[tokio::test]
async fn the_clock_only_goes_forward_and_dates_every_answer() {
    let (sandbox, sdk) = sandbox().await;
    sandbox.advance_to(at("2031-06-01T00:00:00Z")).unwrap();
    assert!(sandbox.advance_to(at("2031-05-31T23:59:59Z")).is_err());
    // The client follows the date of the first answer and signs five years ahead.
    for key in ["a", "b", "c"] {
        put(&sdk, key, "1").await;
    }
    let fresh = client(&sandbox);
    put(&fresh, "d", "1").await;
    let entries = sandbox.list_everything("media").unwrap();
    assert_eq!(entries.len(), 4);
    assert!(entries.iter().all(|entry| entry.last_modified == at("2031-06-01T00:00:00Z")));
}

#[tokio::test]
async fn what_the_sandbox_does_not_have_it_says() {
    let (_sandbox, client) = sandbox().await;
    let policy = client.get_bucket_policy().bucket("media").send().await;
    assert_eq!(refusal(policy), says("NotImplemented", 501));
    let acl = client.get_object_acl().bucket("media").key("a").send().await;
    assert_eq!(refusal(acl), says("NotImplemented", 501));
}
