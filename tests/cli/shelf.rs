//! A bucket that a test fills and looks at with the raw SDK, so that it trusts nothing of what it tests.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, EncodingType, LifecycleRule,
    VersioningConfiguration,
};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use percent_encoding::percent_decode_str;

use crate::support::{LocalStack, Made, fresh_bucket, fresh_name, set_last_modified};

/// A bucket on LocalStack.
pub struct Shelf {
    /// The raw SDK.
    pub client: Client,
    /// Its name.
    pub bucket: String,
    endpoint: String,
}

/// A version or marker as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its key.
    pub key: String,
    /// Its id.
    pub id: String,
    /// Whether it is a delete marker.
    pub is_marker: bool,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
}

impl Shelf {
    /// A new bucket without versioning.
    pub async fn new(store: &LocalStack, prefix: &str) -> Self {
        let client = store.client();
        let bucket = fresh_bucket(&client, prefix).await;
        Self { client, bucket, endpoint: store.endpoint.clone() }
    }

    /// A new bucket that keeps versions.
    pub async fn versioned(store: &LocalStack, prefix: &str) -> Self {
        let shelf = Self::new(store, prefix).await;
        shelf.set_versioning(BucketVersioningStatus::Enabled).await;
        shelf
    }

    /// A new bucket with Object Lock, and so with versions.
    pub async fn lockable(store: &LocalStack, prefix: &str) -> Self {
        let (client, bucket) = (store.client(), fresh_name(prefix));
        client.create_bucket().bucket(&bucket).object_lock_enabled_for_bucket(true).send().await.unwrap();
        Self { client, bucket, endpoint: store.endpoint.clone() }
    }

    /// Switches versioning on or suspends it.
    pub async fn set_versioning(&self, status: BucketVersioningStatus) {
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = self.client.put_bucket_versioning().bucket(&self.bucket);
        put.versioning_configuration(configuration).send().await.unwrap();
    }

    /// Puts an object that is `days` old; the version id, where there is one.
    pub async fn put(&self, key: &str, days: i64) -> Option<String> {
        self.put_said(key, days_ago(days), None).await
    }

    /// Puts an object uploaded at `at` that names its date of communication.
    pub async fn put_said(&self, key: &str, at: DateTime<Utc>, said: Option<&str>) -> Option<String> {
        let put =
            self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from_static(b"medium"));
        let put = match said {
            Some(date) => put.metadata("communication-date", date),
            None => put,
        };
        let id = put.send().await.unwrap().version_id;
        self.made(key, id.as_deref(), at);
        id
    }

    /// Deletes the key without naming a version, and lets the marker be `days` old.
    pub async fn mark_deleted(&self, key: &str, days: i64) -> String {
        let answer = self.client.delete_object().bucket(&self.bucket).key(key).send().await.unwrap();
        let id = answer.version_id.unwrap();
        self.made(key, Some(&id), days_ago(days));
        id
    }

    /// Deletes one version.
    pub async fn delete_version(&self, key: &str, id: &str) {
        self.client.delete_object().bucket(&self.bucket).key(key).version_id(id).send().await.unwrap();
    }

    /// Lets the newest marker of a key be `days` old.
    pub fn age_marker(&self, key: &str, days: i64) {
        self.made(key, None, days_ago(days));
    }

    fn made(&self, key: &str, id: Option<&str>, at: DateTime<Utc>) {
        let bucket = &self.bucket;
        let made = match id {
            // A suspended bucket answers with the null version or none.
            Some(version_id) if version_id != "null" => Made::Version { bucket, key, version_id },
            _ => Made::Object { bucket, key },
        };
        set_last_modified(&self.endpoint, &[(made, at)]).unwrap();
    }

    /// All keys that a listing without versions shows.
    pub async fn keys(&self) -> Vec<String> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).encoding_type(EncodingType::Url);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page.unwrap().contents().iter().map(|object| decoded(object.key())));
        }
        keys
    }

    /// All versions and markers, by key, newest first.
    pub async fn versions(&self) -> Vec<Version> {
        let list = self.client.list_object_versions().bucket(&self.bucket).encoding_type(EncodingType::Url);
        let page = list.send().await.unwrap();
        assert_ne!(page.is_truncated(), Some(true), "a shelf of one page");
        let version = |key: Option<&str>, id: Option<&str>, is_marker, latest: Option<bool>| Version {
            key: decoded(key),
            id: id.unwrap().to_owned(),
            is_marker,
            is_latest: latest == Some(true),
        };
        let objects =
            page.versions().iter().map(|it| version(it.key(), it.version_id(), false, it.is_latest()));
        let markers =
            page.delete_markers().iter().map(|it| version(it.key(), it.version_id(), true, it.is_latest()));
        let mut all: Vec<Version> = objects.chain(markers).collect();
        all.sort_by_key(|version| (version.key.clone(), !version.is_latest));
        all
    }

    /// The versions and markers of one key.
    pub async fn versions_of(&self, key: &str) -> Vec<Version> {
        let mut all = self.versions().await;
        all.retain(|version| version.key == key);
        all
    }

    /// Whether the key shows without a version being named.
    pub async fn is_visible(&self, key: &str) -> bool {
        self.keys().await.iter().any(|found| found == key)
    }

    /// The lifecycle rules, as the store has them.
    pub async fn lifecycle(&self) -> Vec<LifecycleRule> {
        match self.client.get_bucket_lifecycle_configuration().bucket(&self.bucket).send().await {
            Ok(found) => found.rules.unwrap_or_default(),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Vec::new(),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Writes lifecycle rules.
    pub async fn set_lifecycle(&self, rules: Vec<LifecycleRule>) {
        let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
        let put = self.client.put_bucket_lifecycle_configuration().bucket(&self.bucket);
        put.lifecycle_configuration(configuration).send().await.unwrap();
    }

    /// Everything that a run could change, to be compared.
    pub async fn state(&self) -> String {
        let list = self.client.list_object_versions().bucket(&self.bucket).encoding_type(EncodingType::Url);
        let page = list.send().await.unwrap();
        let uploads = self.client.list_multipart_uploads().bucket(&self.bucket).send().await.unwrap();
        format!(
            "{:#?}\n{:#?}\n{:#?}\n{:#?}",
            page.versions(),
            page.delete_markers(),
            uploads.uploads(),
            self.lifecycle().await
        )
    }
}

fn decoded(key: Option<&str>) -> String {
    percent_decode_str(key.unwrap()).decode_utf8().unwrap().into_owned()
}

/// Noon, so many days ago.
pub fn days_ago(days: i64) -> DateTime<Utc> {
    noon() - TimeDelta::days(days)
}

/// Noon of today, and of the whole test: what is due at midnight must not become due under way.
pub fn noon() -> DateTime<Utc> {
    const LONGEST_TEST: TimeDelta = TimeDelta::minutes(3);
    let tomorrow =
        |now: DateTime<Utc>| (now.date_naive() + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc();
    while tomorrow(Utc::now()) - Utc::now() < LONGEST_TEST {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(12)
}
