//! Reaching into the sandbox without HTTP: for the demo, and for tests that set a scene.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};

use super::journal::{Change, Deed, Entry};
use super::model::{Attributes, Body, Checksum, Object};
use super::objects::{Deletion, Written, object_of};
use super::refusal::Refusal;
use super::retention::Retention;
use super::rules::MinimumSize;
use super::state::BucketOptions;
use super::{Sandbox, Versioning};

/// An object to store.
#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    /// The bytes, or their number.
    pub body: Body,
    /// Content type, metadata, tags, locks.
    pub attributes: Attributes,
    /// The Last-Modified time, if it is not to be now. Whole seconds.
    pub last_modified: Option<DateTime<Utc>>,
    /// By which algorithm it is to have a checksum, such as `CRC64NVME`.
    pub checksum: Option<&'static str>,
}

impl PutOptions {
    /// An object of these bytes.
    pub fn bytes(body: impl Into<bytes::Bytes>) -> Self {
        Self { body: Body::Bytes(body.into()), ..Self::default() }
    }

    /// An object that is only a size.
    pub fn size(size: u64) -> Self {
        Self { body: Body::SizeOnly(size), ..Self::default() }
    }

    /// With this user metadata; names are lower-cased.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.attributes.metadata.insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// With this object tag.
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.attributes.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a checksum by the algorithm of this name.
    pub fn checksum(mut self, algorithm: &'static str) -> Self {
        self.checksum = Some(algorithm);
        self
    }

    /// With this Last-Modified time.
    pub fn last_modified(mut self, at: DateTime<Utc>) -> Self {
        self.last_modified = Some(at);
        self
    }
}

impl Sandbox {
    /// Creates a bucket.
    pub fn create_bucket(&self, options: BucketOptions) -> Result<(), Refusal> {
        self.state().lock().create_bucket(options)
    }

    /// Sets the versioning state, without S3's checks.
    pub fn set_versioning(&self, bucket: &str, versioning: Versioning) -> Result<(), Refusal> {
        self.state().lock().bucket_mut(bucket)?.0.versioning = versioning;
        Ok(())
    }

    /// The versioning state.
    pub fn versioning(&self, bucket: &str) -> Result<Versioning, Refusal> {
        Ok(self.state().lock().bucket(bucket)?.versioning)
    }

    /// Sets the bucket tags.
    pub fn set_bucket_tags(&self, bucket: &str, tags: BTreeMap<String, String>) -> Result<(), Refusal> {
        self.state().lock().bucket_mut(bucket)?.0.tags = tags;
        Ok(())
    }

    /// Stores an object as the new current version.
    pub fn put_object(&self, bucket: &str, key: &str, options: PutOptions) -> Result<Written, Refusal> {
        let mut state = self.state().lock();
        let (bucket, now) = state.bucket_mut(bucket)?;
        let last_modified = options.last_modified.unwrap_or(now);
        let checksum = options.checksum.and_then(|algorithm| Checksum::of(algorithm, &options.body));
        let object = Object { checksum, ..object_of(options.body, options.attributes) };
        bucket.put(now, last_modified, key, object)
    }

    /// Changes a version's Last-Modified time; without an id that of the current one. Works on delete
    /// markers too. The order of the versions stays.
    pub fn set_last_modified(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let mut state = self.state().lock();
        let (bucket, _) = state.bucket_mut(bucket)?;
        let versions = bucket.keys.get_mut(key).ok_or_else(Refusal::no_such_key)?;
        let latest = versions.last().map(|version| version.sequence);
        let wanted = |id: &str| version_id.is_none_or(|wanted| wanted == id);
        let version = versions.iter_mut().rev().find(|version| wanted(&version.id));
        let version = version.ok_or_else(Refusal::no_such_key)?;
        version.last_modified = at.trunc_subsecs(0);
        bucket.journal.note(&bucket.name, Deed::Altered, key, version, latest == Some(version.sequence));
        Ok(())
    }

    /// Deletes the named version for good, or without an id the current one as the versioning state has it;
    /// whatever locks a version, keeps it. The version that is gone, or the delete marker that was made.
    pub fn delete(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<Option<String>, Refusal> {
        let mut state = self.state().lock();
        let (bucket, now) = state.bucket_mut(bucket)?;
        let deletion =
            Deletion { version_id: version_id.map(str::to_owned), mfa: true, ..Deletion::default() };
        Ok(bucket.delete(now, key, &deletion)?.version_id)
    }

    /// Replaces the tags of a version; without an id of the current one.
    pub fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        self.state().lock().bucket_mut(bucket)?.0.set_tags(key, version_id, tags)
    }

    /// Locks a version until a date, as S3 lets it be done without bypassing anything.
    pub fn set_retention(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        to: Option<Retention>,
    ) -> Result<(), Refusal> {
        let mut state = self.state().lock();
        let (bucket, now) = state.bucket_mut(bucket)?;
        bucket.set_retention(now, key, version_id, to, false)
    }

    /// Has all changes of all buckets noted from now on.
    pub fn keep_journal(&self) {
        self.state().lock().journal.keep();
    }

    /// Takes out what was noted since [`Self::keep_journal`] or the last time, in order.
    pub fn take_journal(&self) -> Vec<Change> {
        self.state().lock().journal.take()
    }

    /// Begins a multipart upload at `initiated`, now if not given, and answers with its id.
    pub fn start_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: Attributes,
        initiated: Option<DateTime<Utc>>,
    ) -> Result<String, Refusal> {
        let mut state = self.state().lock();
        let (bucket, now) = state.bucket_mut(bucket)?;
        bucket.initiate(initiated.unwrap_or(now), key, attributes)
    }

    /// Aborts a multipart upload.
    pub fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), Refusal> {
        self.state().lock().bucket_mut(bucket)?.0.abort(key, id)
    }

    /// Places or releases a legal hold, without the bucket needing Object Lock.
    pub fn set_legal_hold(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        on: bool,
    ) -> Result<(), Refusal> {
        let mut state = self.state().lock();
        state.bucket_mut(bucket)?.0.alter(key, version_id, |object| {
            object.attributes.legal_hold = Some(on);
            Ok(())
        })
    }

    /// Sets how far a version's replication is (`PENDING`, `COMPLETED`, `FAILED`), without replicating
    /// anything; without an id that of the current one.
    pub fn set_replication_status(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        status: &str,
    ) -> Result<(), Refusal> {
        let mut state = self.state().lock();
        state.bucket_mut(bucket)?.0.alter(key, version_id, |object| {
            object.attributes.replication_status = Some(status.to_owned());
            Ok(())
        })
    }

    /// Replaces the lifecycle configuration by this document, which S3's validation must accept.
    pub fn put_lifecycle(&self, bucket: &str, document: &str) -> Result<(), Refusal> {
        self.put_lifecycle_with(bucket, document, MinimumSize::default())
    }

    /// The same, with the header that says which small objects are moved.
    pub fn put_lifecycle_with(
        &self,
        bucket: &str,
        document: &str,
        minimum: MinimumSize,
    ) -> Result<(), Refusal> {
        self.state().lock().bucket_mut(bucket)?.0.put_lifecycle(document.as_bytes(), minimum, &[])
    }

    /// Which small objects the lifecycle configuration moves, if there is one.
    pub fn minimum_size(&self, bucket: &str) -> Result<Option<MinimumSize>, Refusal> {
        let state = self.state().lock();
        Ok(state.bucket(bucket)?.lifecycle.as_ref().map(|configuration| configuration.minimum_size))
    }

    /// The lifecycle configuration's document.
    pub fn lifecycle(&self, bucket: &str) -> Result<Option<String>, Refusal> {
        let state = self.state().lock();
        let configuration = state.bucket(bucket)?.lifecycle.as_ref();
        Ok(configuration.map(|configuration| configuration.document.document()))
    }

    /// All that a bucket holds: versions and markers by key, the newest first, then uploads.
    pub fn list_everything(&self, bucket: &str) -> Result<Vec<Entry>, Refusal> {
        let state = self.state().lock();
        let bucket = state.bucket(bucket)?;
        let mut entries = Vec::new();
        for (key, versions) in &bucket.keys {
            let count = versions.len();
            entries.extend(
                versions.iter().enumerate().rev().map(|(at, it)| Entry::version(key, it, at + 1 == count)),
            );
        }
        entries.extend(bucket.uploads.iter().map(|((key, _), upload)| Entry::upload(key, upload)));
        Ok(entries)
    }

    /// The versions and markers of one key, the oldest first.
    pub fn versions_of(&self, bucket: &str, key: &str) -> Result<Vec<Entry>, Refusal> {
        let state = self.state().lock();
        let versions = state.bucket(bucket)?.keys.get(key).map_or(&[][..], Vec::as_slice);
        let entries = versions.iter().enumerate();
        Ok(entries.map(|(at, version)| Entry::version(key, version, at + 1 == versions.len())).collect())
    }

    /// The current objects of a bucket: their keys and what they are.
    pub fn current_objects(&self, bucket: &str) -> Result<Vec<Entry>, Refusal> {
        let everything = self.list_everything(bucket)?;
        Ok(everything.into_iter().filter(|entry| entry.is_latest && entry.object.is_some()).collect())
    }
}
