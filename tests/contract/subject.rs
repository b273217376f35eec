//! The stores under test, and the scenes that are set in them with the raw SDK.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
    ObjectLockRetentionMode, VersioningConfiguration,
};
use chrono::{DateTime, TimeDelta, Utc};
use shelflife::s3::{Bucket, ConnectOptions, StaticCredentials, Store, StoreError};
use shelflife::sandbox::{Sandbox, SandboxOptions};
use tokio::task::JoinSet;

use crate::support::{LocalStack, Made, client_as, fresh_name, set_last_modified};

/// Where LocalStack is known not to do what S3 does.
#[derive(Clone, Copy, Debug)]
pub enum Difference {
    /// Any secret is accepted.
    SecretsAreNotChecked,
    /// `x-amz-expected-bucket-owner` is ignored.
    OwnersAreNotChecked,
    /// A page has as many entries as are asked for, even beyond 1,000.
    PagesAreNotCapped,
    /// A listing that is to go on behind a null version begins its key anew, and so never ends.
    ListingsTurnBackAtNullVersions,
    /// Versions and delete markers of a key stand in two groups, so that only their times tell their order.
    MarkersStandApart,
    /// The 405 for a delete marker lacks the header that says that it is one.
    MarkersAreNotNamed,
    /// DeleteObjects of a version that is not there is an error.
    MissingVersionsAreErrors,
    /// `x-amz-expiration` counts rules that are disabled.
    DisabledRulesAreForetold,
    /// Of several rules `x-amz-expiration` names the first in the configuration, not the shortest.
    TheFirstRuleIsForetold,
    /// Rule ids stand in `x-amz-expiration` as they are.
    RuleIdsAreNotEncoded,
    /// DeleteObjects deletes whatever the ETag.
    BatchesIgnoreEtags,
    /// DeleteObject with If-Match answers 501.
    IfMatchIsNotImplemented,
    /// DeleteObjects of a key that XML cannot hold answers 500 and not 400.
    ControlCharactersBreakBatches,
    /// Days 0, two rules of one id, more than 1,000 rules: all are stored.
    UnsoundRulesAreStored,
    /// A rule without an id, or with a `Prefix` of its own, is refused.
    LegalRulesAreRefused,
}

/// A store under test.
pub struct Subject {
    /// The raw SDK, to set scenes and to look at what came of them.
    pub raw: Client,
    /// What is tested.
    pub store: Store,
    endpoint: String,
    keys: [&'static str; 2],
    localstack: bool,
    /// Kept, since the sandbox ends with it.
    _sandbox: Option<Sandbox>,
}

impl Subject {
    /// The sandbox, at the time that it really is.
    pub async fn sandbox() -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        let keys = [sandbox.access_key(), sandbox.secret_key()];
        Self::at(sandbox.endpoint(), keys, Some(sandbox)).await
    }

    /// LocalStack, unless it is left out.
    pub async fn localstack() -> Option<Self> {
        let endpoint = LocalStack::shared()?.endpoint.clone();
        Some(Self::at(endpoint, ["test", "test"], None).await)
    }

    async fn at(endpoint: String, keys: [&'static str; 2], sandbox: Option<Sandbox>) -> Self {
        let raw = client_as(&endpoint, keys[0], keys[1]);
        let store = Store::connect(&options(&endpoint, keys)).await.unwrap();
        Self { raw, store, endpoint, keys, localstack: sandbox.is_none(), _sandbox: sandbox }
    }

    /// Whether the store is known to differ from S3 in this.
    pub fn differs(&self, _: Difference) -> bool {
        self.localstack
    }

    /// The same store reached with another secret.
    pub async fn with_secret(&self, secret: &'static str) -> Store {
        Store::connect(&options(&self.endpoint, [self.keys[0], secret])).await.unwrap()
    }

    /// The same store, each bucket of which is to belong to this account.
    pub async fn with_owner(&self, account: &str) -> Store {
        let expected_owner = Some(account.to_owned());
        let options = ConnectOptions { expected_owner, ..options(&self.endpoint, self.keys) };
        Store::connect(&options).await.unwrap()
    }

    /// A new bucket that never had versions.
    pub async fn bucket(&self) -> Bucket {
        let name = fresh_name("contract");
        self.raw.create_bucket().bucket(&name).send().await.unwrap();
        self.store.bucket(&name).await.unwrap()
    }

    /// A new bucket that keeps versions.
    pub async fn versioned(&self) -> Bucket {
        let bucket = self.bucket().await;
        self.set_versioning(&bucket, BucketVersioningStatus::Enabled).await;
        bucket
    }

    /// A new bucket with Object Lock.
    pub async fn lockable(&self) -> Bucket {
        let name = fresh_name("contract-locked");
        let create = self.raw.create_bucket().bucket(&name);
        create.object_lock_enabled_for_bucket(true).send().await.unwrap();
        self.store.bucket(&name).await.unwrap()
    }

    /// Switches versioning on or suspends it.
    pub async fn set_versioning(&self, bucket: &Bucket, status: BucketVersioningStatus) {
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = self.raw.put_bucket_versioning().bucket(bucket.name());
        put.versioning_configuration(configuration).send().await.unwrap();
    }

    /// Puts an object; its version id, or nothing.
    pub async fn put(&self, bucket: &Bucket, key: &str, body: &'static str) -> String {
        let put = self.raw.put_object().bucket(bucket.name()).key(key);
        let answer = put.body(ByteStream::from_static(body.as_bytes())).send().await.unwrap();
        answer.version_id.unwrap_or_default()
    }

    /// Puts many small objects, several at a time.
    pub async fn put_all(&self, bucket: &Bucket, keys: Vec<String>) {
        const AT_ONCE: usize = 8;
        let keys = Arc::new(keys);
        let mut puts = JoinSet::new();
        for worker in 0..AT_ONCE {
            let (client, bucket, keys) = (self.raw.clone(), bucket.name().to_owned(), Arc::clone(&keys));
            puts.spawn(async move {
                for key in keys.iter().skip(worker).step_by(AT_ONCE) {
                    client.put_object().bucket(&bucket).key(key).send().await.unwrap();
                }
            });
        }
        puts.join_all().await;
    }

    /// Puts a delete marker on top of the key; the marker's version id.
    pub async fn mark_deleted(&self, bucket: &Bucket, key: &str) -> String {
        let delete = self.raw.delete_object().bucket(bucket.name()).key(key);
        delete.send().await.unwrap().version_id.unwrap()
    }

    /// Lets one version of a key be so many minutes old, where only times tell the order of versions.
    pub fn age(&self, bucket: &Bucket, key: &str, version_id: &str, minutes: i64) {
        if self.differs(Difference::MarkersStandApart) {
            let made = Made::Version { bucket: bucket.name(), key, version_id };
            set_last_modified(&self.endpoint, &[(made, Utc::now() - TimeDelta::minutes(minutes))]).unwrap();
        }
    }

    /// Begins a multipart upload; its id.
    pub async fn begin_upload(&self, bucket: &Bucket, key: &str) -> String {
        let create = self.raw.create_multipart_upload().bucket(bucket.name()).key(key);
        create.send().await.unwrap().upload_id.unwrap()
    }

    /// Places or releases a legal hold in the store.
    pub async fn set_legal_hold(&self, bucket: &Bucket, key: &str, on: bool) {
        let status = if on { ObjectLockLegalHoldStatus::On } else { ObjectLockLegalHoldStatus::Off };
        let put = self.raw.put_object_legal_hold().bucket(bucket.name()).key(key);
        put.legal_hold(ObjectLockLegalHold::builder().status(status).build()).send().await.unwrap();
    }

    /// Locks the latest version of a key against deletion.
    pub async fn retain_until(&self, bucket: &Bucket, key: &str, until: DateTime<Utc>) {
        let retention = ObjectLockRetention::builder()
            .mode(ObjectLockRetentionMode::Compliance)
            .retain_until_date(aws_sdk_s3::primitives::DateTime::from_secs(until.timestamp()))
            .build();
        let put = self.raw.put_object_retention().bucket(bucket.name()).key(key);
        put.retention(retention).send().await.unwrap();
    }
}

fn options(endpoint: &str, keys: [&str; 2]) -> ConnectOptions {
    ConnectOptions {
        endpoint_url: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: keys[0].to_owned(),
            secret_access_key: keys[1].to_owned(),
        }),
        ..ConnectOptions::default()
    }
}

/// What is listed, kept beyond its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its version or upload id.
    pub id: String,
    /// What it is.
    pub kind: shelflife::object::Kind,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
    /// Its ETag, without quotes.
    pub etag: Option<String>,
    /// Bytes.
    pub size: u64,
}

impl From<shelflife::s3::Entry<'_>> for Listed {
    fn from(entry: shelflife::s3::Entry<'_>) -> Self {
        Self {
            key: entry.key.to_owned(),
            id: entry.version_id.or(entry.upload_id).unwrap_or_default().to_owned(),
            kind: entry.kind,
            is_latest: entry.is_latest,
            etag: entry.etag.map(str::to_owned),
            size: entry.size,
        }
    }
}

/// A whole listing, and how many entries each page had.
pub async fn list(
    bucket: &Bucket,
    prefix: &str,
    max_keys: Option<u16>,
) -> Result<(Vec<Listed>, Vec<usize>), StoreError> {
    let mut pages = bucket.versions(prefix, None);
    if let Some(at_most) = max_keys {
        pages = pages.max_keys(at_most);
    }
    let (mut listed, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await? {
        sizes.push(page.entries().len());
        listed.extend(page.entries().map(Listed::from));
    }
    Ok((listed, sizes))
}

/// All that a bucket holds.
pub async fn all(bucket: &Bucket) -> Vec<Listed> {
    list(bucket, "", None).await.unwrap().0
}

/// The keys of all that a bucket holds.
pub async fn keys(bucket: &Bucket) -> Vec<String> {
    all(bucket).await.into_iter().map(|listed| listed.key).collect()
}
