//! LocalStack as the other tests rely on it: it is up, its listings are complete, its clock can be set
//! back, and it differs from S3 where we know it to. A test here that fails after an update of LocalStack
//! names what may now be tested there, or no longer.
#![cfg(test)]

mod support;

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_bucket_lifecycle_configuration::PutBucketLifecycleConfigurationError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, Delete, EncodingType, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectIdentifier, VersioningConfiguration,
};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use percent_encoding::percent_decode_str;
use support::{LocalStack, Made, client_as, fresh_bucket, set_last_modified};
use tokio::task::JoinSet;

/// Keys whose URL encoding differs from themselves, or sorts differently, or looks like an encoding.
const ODD_KEYS: [&str; 14] = [
    "a b",
    "a%20b",
    "a+b",
    "a=b",
    "a:b",
    "a&b",
    "a/b=c/d",
    "ä",
    "日本/ö=1",
    "~",
    "a//b",
    "a/../b",
    "a,b;c",
    "\u{1f4ce}",
];

async fn put(client: &Client, bucket: &str, key: &str) -> Option<String> {
    let body = ByteStream::from_static(b"medium");
    client.put_object().bucket(bucket).key(key).body(body).send().await.unwrap().version_id
}

async fn switch_versioning_on(client: &Client, bucket: &str) {
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(bucket).versioning_configuration(on).send().await.unwrap();
}

async fn is_there(client: &Client, bucket: &str, key: &str) -> bool {
    match client.head_object().bucket(bucket).key(key).send().await {
        Ok(_) => true,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => false,
        Err(error) => panic!("HEAD {key}: {error:?}"),
    }
}

fn decoded(key: Option<&str>) -> String {
    percent_decode_str(key.unwrap()).decode_utf8().unwrap().into_owned()
}

fn sorted(keys: &[&str]) -> Vec<String> {
    let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    keys.into_iter().collect()
}

fn status_of<E>(error: &SdkError<E>) -> u16 {
    error.raw_response().map(|response| response.status().as_u16()).unwrap()
}

fn days_ago(days: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 30, 12, 34, 56).unwrap() - TimeDelta::days(days)
}

fn seconds(time: Option<&aws_sdk_s3::primitives::DateTime>) -> i64 {
    time.unwrap().secs()
}

mod paging {
    use super::*;

    #[tokio::test]
    async fn an_object_listing_by_single_pages_finds_every_odd_key_once_in_byte_order() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "paging-objects").await;
        for key in ODD_KEYS {
            put(&client, &bucket, key).await;
        }

        let mut pages = client
            .list_objects_v2()
            .bucket(&bucket)
            .encoding_type(EncodingType::Url)
            .max_keys(1)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.unwrap().contents().iter().map(|object| decoded(object.key())));
        }

        assert_eq!(found, sorted(&ODD_KEYS));
    }

    #[tokio::test]
    async fn an_object_listing_honours_an_odd_prefix_and_start_after() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "paging-prefix").await;
        for key in ["ö=1/a", "ö=1/b", "ö=1/c/d", "ö=2/a"] {
            put(&client, &bucket, key).await;
        }

        let page = client
            .list_objects_v2()
            .bucket(&bucket)
            .encoding_type(EncodingType::Url)
            .prefix("ö=1/")
            .delimiter("/")
            .start_after("ö=1/a")
            .send()
            .await
            .unwrap();

        let keys: Vec<_> = page.contents().iter().map(|object| decoded(object.key())).collect();
        let prefixes: Vec<_> = page.common_prefixes().iter().map(|common| decoded(common.prefix())).collect();
        assert_eq!(keys, ["ö=1/b"]);
        assert_eq!(prefixes, ["ö=1/c/"]);
        assert_eq!(page.prefix(), Some("%C3%B6%3D1/"));
    }

    #[tokio::test]
    async fn a_version_listing_by_single_pages_finds_every_version_and_marker_once() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "paging-versions").await;
        switch_versioning_on(&client, &bucket).await;
        let mut made = BTreeSet::new();
        for key in ODD_KEYS {
            made.insert((key.to_owned(), put(&client, &bucket, key).await));
            made.insert((key.to_owned(), put(&client, &bucket, key).await));
            let marker = client.delete_object().bucket(&bucket).key(key).send().await.unwrap();
            made.insert((key.to_owned(), marker.version_id));
        }

        let mut found = BTreeSet::new();
        let mut listed = 0;
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let page = client
                .list_object_versions()
                .bucket(&bucket)
                .encoding_type(EncodingType::Url)
                .max_keys(1)
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .send()
                .await
                .unwrap();
            listed += page.versions().len() + page.delete_markers().len();
            found.extend(page.versions().iter().map(|it| (decoded(it.key()), it.version_id.clone())));
            found.extend(page.delete_markers().iter().map(|it| (decoded(it.key()), it.version_id.clone())));
            assert!(listed <= made.len(), "the listing repeats itself");
            if page.is_truncated() != Some(true) {
                break;
            }
            key_marker = Some(decoded(page.next_key_marker()));
            version_marker = page.next_version_id_marker;
        }

        assert_eq!(found, made);
        assert_eq!(listed, made.len());
    }

    #[tokio::test]
    async fn an_upload_listing_by_single_pages_finds_every_odd_key_once() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "paging-uploads").await;
        for key in ODD_KEYS {
            client.create_multipart_upload().bucket(&bucket).key(key).send().await.unwrap();
        }

        let mut found = Vec::new();
        let (mut key_marker, mut upload_marker) = (None, None);
        loop {
            let page = client
                .list_multipart_uploads()
                .bucket(&bucket)
                .encoding_type(EncodingType::Url)
                .max_uploads(1)
                .set_key_marker(key_marker)
                .set_upload_id_marker(upload_marker)
                .send()
                .await
                .unwrap();
            found.extend(page.uploads().iter().map(|upload| decoded(upload.key())));
            assert!(found.len() <= ODD_KEYS.len(), "the listing repeats itself");
            if page.is_truncated() != Some(true) {
                break;
            }
            key_marker = Some(decoded(page.next_key_marker()));
            upload_marker = page.next_upload_id_marker;
        }

        assert_eq!(found, sorted(&ODD_KEYS));
    }

    #[tokio::test]
    async fn a_page_holds_1000_keys_unless_more_are_asked_for_and_then_it_is_not_capped_as_in_s3() {
        const KEYS: usize = 1_005;
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "paging-many").await;
        let mut puts = JoinSet::new();
        for worker in 0..8 {
            let (client, bucket) = (client.clone(), bucket.clone());
            puts.spawn(async move {
                for number in (worker..KEYS).step_by(8) {
                    put(&client, &bucket, &format!("müll={number:04}+ x")).await;
                }
            });
        }
        puts.join_all().await;

        let list = || client.list_objects_v2().bucket(&bucket).encoding_type(EncodingType::Url);
        let mut pages = list().into_paginator().send();
        let mut sizes = Vec::new();
        let mut found = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            sizes.push(page.contents().len());
            found.extend(page.contents().iter().map(|object| decoded(object.key())));
        }
        let uncapped = list().max_keys(2_000).send().await.unwrap();

        assert_eq!(sizes, [1_000, 5]);
        assert_eq!(found.len(), KEYS);
        assert_eq!(uncapped.contents().len(), KEYS);
    }
}

mod leases {
    use super::*;
    use std::net::TcpStream;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    /// A state folder of its own, with the installation of the shared one.
    fn state_beside_the_shared_one() -> tempfile::TempDir {
        let state = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(support::state_folder()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("venv-") {
                symlink(entry.path(), state.path().join(entry.file_name())).unwrap();
            }
        }
        state
    }

    fn listens(endpoint: &str) -> bool {
        TcpStream::connect(endpoint.trim_start_matches("http://")).is_ok()
    }

    #[test]
    fn a_server_is_shared_until_the_last_lease_ends_and_stops_then() {
        let Some(installed) = LocalStack::shared() else { return };
        let state = state_beside_the_shared_one();

        let first = LocalStack::lease(state.path()).unwrap();
        let second = LocalStack::lease(state.path()).unwrap();
        assert_eq!(first.endpoint, second.endpoint);
        assert_ne!(first.endpoint, installed.endpoint);

        drop(first);
        let third = LocalStack::lease(state.path()).unwrap();
        assert_eq!(third.endpoint, second.endpoint);

        let endpoint = second.endpoint.clone();
        drop((second, third));
        // A lease outlives its holder by some seconds; a server that stays up fails by the limit of the loop.
        let stopped = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            !listens(&endpoint)
        });
        assert!(stopped, "{endpoint} still listens");
        assert!(listens(&installed.endpoint));
    }
}

mod setting_times {
    use super::*;

    #[tokio::test]
    async fn an_object_looks_as_old_as_it_is_told_in_listings_and_heads() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "time-object").await;
        put(&client, &bucket, "a=b/ö +.jpg").await;
        put(&client, &bucket, "other").await;

        let object = Made::Object { bucket: &bucket, key: "a=b/ö +.jpg" };
        set_last_modified(&localstack.endpoint, &[(object, days_ago(30))]).unwrap();

        let listed = client.list_objects_v2().bucket(&bucket).send().await.unwrap();
        let head = client.head_object().bucket(&bucket).key("a=b/ö +.jpg").send().await.unwrap();
        assert_eq!(seconds(listed.contents()[0].last_modified()), days_ago(30).timestamp());
        assert_eq!(seconds(head.last_modified()), days_ago(30).timestamp());
        assert!(seconds(listed.contents()[1].last_modified()) > days_ago(30).timestamp());
    }

    #[tokio::test]
    async fn versions_and_markers_have_their_own_times_and_keep_their_order_within_one_second() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "time-versions").await;
        switch_versioning_on(&client, &bucket).await;
        let first = put(&client, &bucket, "k").await.unwrap();
        let second = put(&client, &bucket, "k").await.unwrap();
        let marker =
            client.delete_object().bucket(&bucket).key("k").send().await.unwrap().version_id.unwrap();

        let at = |version_id, days| (Made::Version { bucket: &bucket, key: "k", version_id }, days_ago(days));
        set_last_modified(&localstack.endpoint, &[at(&second, 40), at(&first, 40), at(&marker, 7)]).unwrap();

        let page = client.list_object_versions().bucket(&bucket).send().await.unwrap();
        let versions: Vec<_> = page
            .versions()
            .iter()
            .map(|version| (version.version_id().unwrap(), seconds(version.last_modified())))
            .collect();
        let forty = days_ago(40).timestamp();
        assert_eq!(versions, [(second.as_str(), forty), (first.as_str(), forty)]);
        let markers = page.delete_markers();
        assert_eq!(markers.len(), 1);
        assert_eq!(markers[0].version_id(), Some(marker.as_str()));
        assert_eq!(seconds(markers[0].last_modified()), days_ago(7).timestamp());
        assert_eq!(markers[0].is_latest(), Some(true));
    }

    #[tokio::test]
    async fn an_upload_looks_as_if_initiated_when_told() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "time-upload").await;
        let upload = client.create_multipart_upload().bucket(&bucket).key("k").send().await.unwrap();

        let made = Made::Upload { bucket: &bucket, upload_id: upload.upload_id().unwrap() };
        set_last_modified(&localstack.endpoint, &[(made, days_ago(8))]).unwrap();

        let listed = client.list_multipart_uploads().bucket(&bucket).send().await.unwrap();
        assert_eq!(seconds(listed.uploads()[0].initiated()), days_ago(8).timestamp());
    }

    #[tokio::test]
    async fn nothing_changes_when_one_of_the_things_is_not_there() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "time-missing").await;
        put(&client, &bucket, "k").await;

        let there = Made::Object { bucket: &bucket, key: "k" };
        let missing = Made::Object { bucket: &bucket, key: "not there" };
        let told = set_last_modified(&localstack.endpoint, &[(there, days_ago(30)), (missing, days_ago(30))]);

        assert!(told.unwrap_err().contains("not there"));
        let head = client.head_object().bucket(&bucket).key("k").send().await.unwrap();
        assert!(seconds(head.last_modified()) > days_ago(0).timestamp());
    }
}

/// Where LocalStack is known not to do what S3 does: what stands on these must be tested elsewhere.
mod differs_from_s3 {
    use super::*;

    fn identifiers(identifiers: Vec<ObjectIdentifier>) -> Delete {
        Delete::builder().set_objects(Some(identifiers)).build().unwrap()
    }

    #[tokio::test]
    async fn a_batch_deletion_ignores_the_etag_of_a_key() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "differs-etag").await;
        put(&client, &bucket, "k").await;

        let stale = ObjectIdentifier::builder().key("k").e_tag("\"0123\"").build().unwrap();
        let answer =
            client.delete_objects().bucket(&bucket).delete(identifiers(vec![stale])).send().await.unwrap();

        assert!(answer.errors().is_empty());
        assert!(!is_there(&client, &bucket, "k").await);
    }

    #[tokio::test]
    async fn a_deletion_with_if_match_is_not_implemented() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "differs-if-match").await;
        put(&client, &bucket, "k").await;

        let etag = client.head_object().bucket(&bucket).key("k").send().await.unwrap().e_tag.unwrap();
        let error = client.delete_object().bucket(&bucket).key("k").if_match(etag).send().await.unwrap_err();

        assert_eq!((status_of(&error), error.code()), (501, Some("NotImplemented")));
        assert!(is_there(&client, &bucket, "k").await);
    }

    #[tokio::test]
    async fn a_batch_deletion_of_a_key_with_a_control_character_answers_500() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "differs-control").await;
        put(&client, &bucket, "a\u{1}b").await;
        put(&client, &bucket, "k").await;

        let keys = ["a\u{1}b", "k"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
        let error = client
            .delete_objects()
            .bucket(&bucket)
            .delete(identifiers(keys.into()))
            .send()
            .await
            .unwrap_err();

        assert_eq!(status_of(&error), 500);
        assert!(is_there(&client, &bucket, "a\u{1}b").await);
        assert!(is_there(&client, &bucket, "k").await);
    }

    #[tokio::test]
    async fn the_expected_bucket_owner_is_not_checked() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "differs-owner").await;

        let answer =
            client.list_objects_v2().bucket(&bucket).expected_bucket_owner("999999999999").send().await;

        assert!(answer.is_ok());
    }

    #[tokio::test]
    async fn a_bucket_policy_that_denies_everything_denies_nothing() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "differs-policy").await;
        put(&client, &bucket, "k").await;

        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Principal": "*",
                 "Action": "s3:*", "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]}}]}}"#
        );
        client.put_bucket_policy().bucket(&bucket).policy(policy).send().await.unwrap();
        client.delete_object().bucket(&bucket).key("k").send().await.unwrap();

        assert!(!is_there(&client, &bucket, "k").await);
    }

    #[tokio::test]
    async fn a_wrong_secret_is_accepted() {
        let Some(localstack) = LocalStack::shared() else { return };
        let bucket = fresh_bucket(&localstack.client(), "differs-secret").await;

        let stranger = client_as(&localstack.endpoint, "test", "not the secret");

        assert!(stranger.list_objects_v2().bucket(&bucket).send().await.is_ok());
    }
}

/// LocalStack stores a lifecycle configuration and predicts from it, and validates it in its own way.
mod lifecycle {
    use super::*;
    use aws_sdk_s3::types::builders::LifecycleRuleBuilder;

    fn rule(id: &str, days: i32) -> LifecycleRuleBuilder {
        LifecycleRule::builder()
            .id(id)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("inbound/").build())
            .expiration(LifecycleExpiration::builder().days(days).build())
    }

    async fn configure(
        client: &Client,
        bucket: &str,
        rules: Vec<LifecycleRule>,
    ) -> Result<(), SdkError<PutBucketLifecycleConfigurationError>> {
        let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
        let put = client.put_bucket_lifecycle_configuration().bucket(bucket);
        put.lifecycle_configuration(rules).send().await.map(drop)
    }

    #[tokio::test]
    async fn a_head_predicts_the_expiration_which_never_happens() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "lifecycle-head").await;
        put(&client, &bucket, "inbound/k").await;
        let object = Made::Object { bucket: &bucket, key: "inbound/k" };
        set_last_modified(&localstack.endpoint, &[(object, days_ago(40))]).unwrap();

        configure(&client, &bucket, vec![rule("thirty", 30).build().unwrap()]).await.unwrap();

        // 2026-05-21T12:34:56 + 30 days, up to the next midnight: long past.
        let head = client.head_object().bucket(&bucket).key("inbound/k").send().await.unwrap();
        let expected = "expiry-date=\"Sun, 21 Jun 2026 00:00:00 GMT\", rule-id=\"thirty\"";
        assert_eq!(head.expiration(), Some(expected));
    }

    #[tokio::test]
    async fn rules_that_s3_refuses_are_accepted() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "lifecycle-lax").await;
        let many = (0..=1_000).map(|number| rule(&format!("r{number}"), 30).build().unwrap());

        for (name, rules) in [
            ("duplicate ids", vec![rule("same", 30).build().unwrap(), rule("same", 60).build().unwrap()]),
            ("no days", vec![rule("zero", 0).build().unwrap()]),
            ("1,001 rules", many.collect()),
        ] {
            let answer = configure(&client, &bucket, rules).await;
            assert!(answer.is_ok(), "{name}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn rules_that_s3_accepts_are_refused() {
        let Some(localstack) = LocalStack::shared() else { return };
        let client = localstack.client();
        let bucket = fresh_bucket(&client, "lifecycle-strict").await;
        #[expect(deprecated, reason = "the form of 2012, which S3 still accepts")]
        let by_prefix = rule("v1", 30).set_filter(None).prefix("inbound/");

        for (name, rule) in [("no id", rule("", 30).set_id(None)), ("only a prefix", by_prefix)] {
            let answer = configure(&client, &bucket, vec![rule.build().unwrap()]).await;
            assert_eq!(answer.map_err(|error| status_of(&error)), Err(400), "{name}");
        }
    }
}
