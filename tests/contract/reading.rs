//! What is read of one object: headers, tags, locks.

use aws_sdk_s3::types::{Tag, Tagging};
use chrono::{DateTime, TimeDelta, Utc};
use shelflife::object::{Attributes, Lock};
use shelflife::s3::StoreErrorKind;

use crate::subject::{Difference, Subject, list};

on_every_store! {
    metadata_comes_with_names_in_lower_case_and_values_as_written,
    metadata_beyond_ascii_is_read_back,
    head_agrees_with_the_listing,
    a_version_is_read_by_its_id_and_a_marker_is_told_apart,
    what_is_not_there_is_not_found,
    tags_belong_to_their_version,
    locks_are_read_and_none_is_no_error,
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn metadata_comes_with_names_in_lower_case_and_values_as_written(store: &Subject) {
    let bucket = store.bucket().await;
    let put = store.raw.put_object().bucket(bucket.name()).key("k");
    let put =
        put.metadata("Communication-Date", "2026-05-01T10:00:00+02:00").metadata("CUSTOMER-id", "Acme GmbH");
    put.send().await.unwrap();
    let head = bucket.head("k", None).await.unwrap();
    let expected = [("communication-date", "2026-05-01T10:00:00+02:00"), ("customer-id", "Acme GmbH")];
    assert_eq!(head.metadata, attributes(&expected));

    store.put(&bucket, "bare", "medium").await;
    assert_eq!(bucket.head("bare", None).await.unwrap().metadata, Attributes::new());
}

async fn metadata_beyond_ascii_is_read_back(store: &Subject) {
    let bucket = store.bucket().await;
    // "Žagreb GmbH" as RFC 2047 has it, which is how such a value is written and how S3 answers it.
    let put = store.raw.put_object().bucket(bucket.name()).key("k");
    put.metadata("customer", "=?UTF-8?B?xb1hZ3JlYiBHbWJI?=").send().await.unwrap();
    let head = bucket.head("k", None).await.unwrap();
    assert_eq!(head.metadata, attributes(&[("customer", "Žagreb GmbH")]));
}

async fn head_agrees_with_the_listing(store: &Subject) {
    let bucket = store.versioned().await;
    let id = store.put(&bucket, "k", "hello").await;
    let head = bucket.head("k", None).await.unwrap();
    let mut pages = bucket.versions("", None);
    let page = pages.next().await.unwrap().unwrap();
    let entry = page.entries().next().unwrap();
    assert_eq!(head.etag.as_deref(), entry.etag);
    assert_eq!(head.etag.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!((head.size, entry.size), (5, 5));
    assert_eq!((head.version_id.as_deref(), entry.version_id), (Some(id.as_str()), Some(id.as_str())));
    assert_eq!(head.last_modified.timestamp(), entry.last_modified.timestamp());
    assert_eq!(head.expiration, None);
}

async fn a_version_is_read_by_its_id_and_a_marker_is_told_apart(store: &Subject) {
    let bucket = store.versioned().await;
    let first = store.put(&bucket, "k", "one").await;
    store.put(&bucket, "k", "three").await;
    let marker = store.mark_deleted(&bucket, "k").await;
    assert_eq!(bucket.head("k", Some(&first)).await.unwrap().size, 3);
    let by_id = bucket.head("k", Some(&marker)).await.unwrap_err();
    assert_eq!(by_id.status(), Some(405));
    if store.differs(Difference::MarkersAreNotNamed) {
        assert_eq!(by_id.kind(), &StoreErrorKind::Other);
    } else {
        assert_eq!(by_id.kind(), &StoreErrorKind::DeleteMarker);
    }
    assert_eq!(bucket.head("k", None).await.unwrap_err().kind(), &StoreErrorKind::NotFound);
}

async fn what_is_not_there_is_not_found(store: &Subject) {
    let bucket = store.bucket().await;
    for error in [
        bucket.head("none", None).await.unwrap_err(),
        bucket.object_tags("none", None).await.unwrap_err(),
        bucket.abort_upload("none", "AAAAAAAAAAAAAAAAAAAAAA").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), &StoreErrorKind::NotFound, "{error}");
        assert_eq!(error.key(), Some("none"));
    }
}

async fn tags_belong_to_their_version(store: &Subject) {
    let bucket = store.versioned().await;
    let first = store.put(&bucket, "k ö", "one").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let tags = Tagging::builder().tag_set(tag("Customer", "4711")).tag_set(tag("empty", "")).build().unwrap();
    store.raw.put_object_tagging().bucket(bucket.name()).key("k ö").tagging(tags).send().await.unwrap();
    let second = store.put(&bucket, "k ö", "two").await;

    let tagged = attributes(&[("Customer", "4711"), ("empty", "")]);
    assert_eq!(bucket.object_tags("k ö", Some(&first)).await.unwrap(), tagged);
    assert_eq!(bucket.object_tags("k ö", Some(&second)).await.unwrap(), Attributes::new());
    assert_eq!(bucket.object_tags("k ö", None).await.unwrap(), Attributes::new());
}

async fn locks_are_read_and_none_is_no_error(store: &Subject) {
    let bucket = store.lockable().await;
    for key in ["free", "held", "released", "retained"] {
        store.put(&bucket, key, "medium").await;
    }
    store.set_legal_hold(&bucket, "held", true).await;
    store.set_legal_hold(&bucket, "released", true).await;
    store.set_legal_hold(&bucket, "released", false).await;
    let until = DateTime::from_timestamp((Utc::now() + TimeDelta::days(2)).timestamp(), 0).unwrap();
    store.retain_until(&bucket, "retained", until).await;

    let (listed, _) = list(&bucket, "", None).await.unwrap();
    let mut locks = Vec::new();
    for it in &listed {
        let lock = bucket.lock(&it.key, Some(&it.id)).await.unwrap();
        assert_eq!(bucket.lock(&it.key, None).await.unwrap(), lock);
        locks.push((it.key.as_str(), lock));
    }
    let lock = |legal_hold, retain_until| Lock { legal_hold, retain_until };
    let expected = [
        ("free", lock(false, None)),
        ("held", lock(true, None)),
        ("released", lock(false, None)),
        ("retained", lock(false, Some(until))),
    ];
    assert_eq!(locks, expected);
}
