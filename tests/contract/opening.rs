//! Opening a bucket, and what is known of it then.

use aws_sdk_s3::types::{BucketVersioningStatus, Tag, Tagging};
use chrono::{TimeDelta, Utc};
use shelflife::object::Versioning;
use shelflife::s3::StoreErrorKind;

use crate::subject::{Difference, Subject};
use crate::support::fresh_name;

on_every_store! {
    a_bucket_tells_the_time_of_its_store,
    a_bucket_that_is_not_there_is_not_found,
    a_wrong_secret_is_denied,
    a_bucket_of_another_account_is_denied,
    versioning_is_never_then_enabled_then_suspended,
    object_lock_is_seen_and_brings_versions,
    bucket_tags_are_read_and_none_is_no_error,
}

async fn a_bucket_tells_the_time_of_its_store(store: &Subject) {
    let bucket = store.bucket().await;
    let time = bucket.store_time().unwrap();
    assert!((Utc::now() - time).abs() < TimeDelta::minutes(5), "{time}");
}

async fn a_bucket_that_is_not_there_is_not_found(store: &Subject) {
    let error = store.store.bucket(&fresh_name("nowhere")).await.unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::NotFound);
    assert_eq!((error.operation(), error.status()), ("HeadBucket", Some(404)));
}

async fn a_wrong_secret_is_denied(store: &Subject) {
    let bucket = store.bucket().await;
    let stranger = store.with_secret("not the secret").await;
    let opened = stranger.bucket(bucket.name()).await;
    if store.differs(Difference::SecretsAreNotChecked) {
        opened.unwrap();
    } else {
        assert!(opened.unwrap_err().is_denied());
    }
}

async fn a_bucket_of_another_account_is_denied(store: &Subject) {
    let bucket = store.bucket().await;
    let expecting = store.with_owner("999999999999").await;
    let opened = expecting.bucket(bucket.name()).await;
    if store.differs(Difference::OwnersAreNotChecked) {
        opened.unwrap();
    } else {
        assert!(opened.unwrap_err().is_denied());
    }
}

async fn versioning_is_never_then_enabled_then_suspended(store: &Subject) {
    let bucket = store.bucket().await;
    let facts = bucket.facts().await.unwrap();
    assert_eq!(facts.name, bucket.name());
    assert_eq!((facts.versioning, facts.mfa_delete, facts.object_lock), (Versioning::Never, false, false));

    store.set_versioning(&bucket, BucketVersioningStatus::Enabled).await;
    assert_eq!(bucket.facts().await.unwrap().versioning, Versioning::Enabled);
    store.set_versioning(&bucket, BucketVersioningStatus::Suspended).await;
    assert_eq!(bucket.facts().await.unwrap().versioning, Versioning::Suspended);
}

async fn object_lock_is_seen_and_brings_versions(store: &Subject) {
    let facts = store.lockable().await.facts().await.unwrap();
    assert_eq!((facts.versioning, facts.object_lock), (Versioning::Enabled, true));
}

async fn bucket_tags_are_read_and_none_is_no_error(store: &Subject) {
    let bucket = store.bucket().await;
    assert!(bucket.tags().await.unwrap().is_empty());

    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let tags = Tagging::builder().tag_set(tag("shelflife", "e2e")).tag_set(tag("team ö", "a + b"));
    let put = store.raw.put_bucket_tagging().bucket(bucket.name());
    put.tagging(tags.build().unwrap()).send().await.unwrap();
    let expected = [("shelflife", "e2e"), ("team ö", "a + b")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(bucket.tags().await.unwrap(), expected.into());
}
