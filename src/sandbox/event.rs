//! What lifecycle rules did.

use chrono::{DateTime, Utc};

/// What a lifecycle rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifecycleAction {
    /// The current version was removed for good, in a bucket that does not keep versions; under suspended
    /// versioning a delete marker took the place of the null version.
    Expired,
    /// A delete marker was put over the current version, which stays.
    Hidden,
    /// A noncurrent version or noncurrent delete marker was removed for good.
    NoncurrentExpired,
    /// A delete marker was removed that was all that was left of its key.
    MarkerRemoved,
    /// A multipart upload was aborted.
    UploadAborted,
    /// A version moved to this storage class.
    Transitioned(String),
}

/// One thing that a lifecycle rule did to one version or upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleEvent {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version, or the upload's id. For [`LifecycleAction::Hidden`] the version that is now noncurrent.
    pub version_id: String,
    /// What was done to it.
    pub action: LifecycleAction,
    /// The version's size in bytes; of an upload, of its parts so far.
    pub size: u64,
    /// The rule that asked for it.
    pub rule: String,
    /// The midnight UTC at which it was done.
    pub at: DateTime<Utc>,
}
