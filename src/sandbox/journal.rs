//! What was added to buckets, altered in them and taken out of them, in one order, and which request did it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::content::{NULL_VERSION, Object, Upload, Version};

tokio::task_local! {
    /// The number of the request that is being carried out.
    static REQUEST: u64;
}

/// One version, delete marker or incomplete upload, as it is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// What it is.
    pub kind: EntryKind,
    /// The version id, or the upload id.
    pub id: String,
    /// Whether it is the current version of its key; false for uploads.
    pub is_latest: bool,
    /// Last-Modified; of an upload, when it was initiated.
    pub last_modified: DateTime<Utc>,
    /// The object; `None` for markers and uploads.
    pub object: Option<Object>,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// An object version.
    Version,
    /// A delete marker.
    Marker,
    /// A multipart upload that is neither completed nor aborted.
    Upload,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was written, on top of its key.
    Added,
    /// Its tags, locks, storage class or date were changed; the entry shows it afterwards.
    Altered,
    /// It is gone for good; the entry shows it as it was.
    Removed,
}

/// One thing that was done to one version, delete marker or upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The bucket.
    pub bucket: String,
    /// What was done.
    pub deed: Deed,
    /// The request that did it, by its [number](super::RequestRecord::number); `None` for what a lifecycle
    /// rule did, or somebody by hand.
    pub by: Option<u64>,
    /// To what. Whether it is the latest is told as it was before a removal, and else as it is afterwards.
    pub entry: Entry,
}

/// The journal of all buckets of a sandbox. It is empty until it is asked to be kept, since it grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    is_kept: bool,
    /// How many changes were taken out.
    taken: usize,
    changes: Vec<Change>,
}

impl Journal {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has changes noted from now on.
    pub fn keep(&self) {
        self.lock().is_kept = true;
    }

    /// How many changes there were.
    pub fn len(&self) -> usize {
        let kept = self.lock();
        kept.taken + kept.changes.len()
    }

    /// Takes the changes out that were noted.
    pub fn take(&self) -> Vec<Change> {
        let mut kept = self.lock();
        kept.taken += kept.changes.len();
        std::mem::take(&mut kept.changes)
    }

    /// Notes what was done to a version or marker.
    pub fn note(&self, bucket: &str, deed: Deed, key: &str, version: &Version, is_latest: bool) {
        self.push(bucket, deed, || Entry::version(key, version, is_latest));
    }

    /// Notes what was done to an upload.
    pub fn note_upload(&self, bucket: &str, deed: Deed, key: &str, upload: &Upload) {
        self.push(bucket, deed, || Entry::upload(key, upload));
    }

    fn push(&self, bucket: &str, deed: Deed, entry: impl FnOnce() -> Entry) {
        let mut kept = self.lock();
        if kept.is_kept {
            let by = REQUEST.try_with(|number| *number).ok();
            kept.changes.push(Change { bucket: bucket.to_owned(), deed, by, entry: entry() });
        }
    }
}

/// Carries `request` out in the name of the request of this number.
pub(super) async fn in_the_name_of<T>(number: u64, request: impl Future<Output = T>) -> T {
    REQUEST.scope(number, request).await
}

impl Entry {
    pub(super) fn version(key: &str, version: &Version, is_latest: bool) -> Self {
        Self {
            key: key.to_owned(),
            kind: if version.is_marker() { EntryKind::Marker } else { EntryKind::Version },
            id: version.id.clone(),
            is_latest,
            last_modified: version.last_modified,
            object: version.object.clone(),
        }
    }

    pub(super) fn upload(key: &str, upload: &Upload) -> Self {
        Self {
            key: key.to_owned(),
            kind: EntryKind::Upload,
            id: upload.id.clone(),
            is_latest: false,
            last_modified: upload.initiated,
            object: None,
        }
    }

    /// Whether its version id is the literal `null`.
    pub fn is_null_version(&self) -> bool {
        self.kind != EntryKind::Upload && self.id == NULL_VERSION
    }
}
