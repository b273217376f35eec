//! What was observed of one object version, delete marker or upload: the input of a decision.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// User metadata (`x-amz-meta-…`) or tags. Metadata names are in lower case.
pub type Attributes = BTreeMap<String, String>;

/// What kind of thing stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An object in a bucket that never had versioning.
    Object,
    /// One version in a bucket that has, or had, versioning.
    Version,
    /// A delete marker.
    Marker,
    /// A multipart upload that was not completed.
    Upload,
}

impl Kind {
    /// The word used in plans, evidence and `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Version => "version",
            Self::Marker => "marker",
            Self::Upload => "upload",
        }
    }

    /// The kind that [`Kind::word`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Object, Self::Version, Self::Marker, Self::Upload].into_iter().find(|kind| kind.word() == word)
    }
}

/// An attribute that costs a request to learn: not asked for yet, known, or out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// Nobody has asked the store yet.
    Unread,
    /// The store has answered.
    Known(T),
    /// The store was asked and did not tell; whatever it is, it is not to be guessed.
    Unknown(Unreadable),
}

impl<T> Reading<T> {
    /// The same reading of a borrowed value.
    pub const fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Unread => Reading::Unread,
            Self::Known(value) => Reading::Known(value),
            Self::Unknown(why) => Reading::Unknown(*why),
        }
    }
}

impl Reading<String> {
    /// The same reading of borrowed text.
    pub fn as_deref(&self) -> Reading<&str> {
        match self {
            Self::Unread => Reading::Unread,
            Self::Known(text) => Reading::Known(text),
            Self::Unknown(why) => Reading::Unknown(*why),
        }
    }
}

/// Why an attribute could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unreadable {
    /// No permission.
    Denied,
    /// The store answered with an error, or not at all.
    Failed,
    /// Uploads and delete markers have no metadata and no tags to read.
    NotKept,
    /// The key can be taken apart in several ways.
    Unclear,
}

/// The Object Lock state of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// A legal hold set in S3 itself.
    pub legal_hold: bool,
    /// Governance or compliance retention, if any.
    pub retain_until: Option<DateTime<Utc>>,
}

impl Lock {
    /// Whether S3 would refuse to remove the version at `now`.
    pub fn is_locked(&self, now: DateTime<Utc>) -> bool {
        self.legal_hold || self.retain_until.is_some_and(|until| until > now)
    }
}

/// One thing in a bucket, as far as it is known. Borrowed from the page that listed it.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The key, decoded.
    pub key: &'a str,
    /// What stands there.
    pub kind: Kind,
    /// S3's version id, literally `null` for the null version; `None` for objects in buckets
    /// that never had versioning, and for uploads.
    pub version_id: Option<&'a str>,
    /// The upload's id, for [`Kind::Upload`] alone.
    pub upload_id: Option<&'a str>,
    /// Whether it is the newest version or marker of its key. True for objects and uploads.
    pub is_latest: bool,
    /// Last-Modified. For multipart objects and uploads that is when the upload was initiated.
    pub uploaded: DateTime<Utc>,
    /// When the next newer version or marker was created; `None` for the latest one.
    pub superseded: Option<DateTime<Utc>>,
    /// How many noncurrent versions of the key are newer than this one.
    pub newer_noncurrent: u32,
    /// For a delete marker: whether nothing but delete markers is left of its key, and it is not the newest of
    /// several.
    pub alone: bool,
    /// Bytes; zero for markers and uploads.
    pub size: u64,
    /// The ETag as the store sent it, without its quotes.
    pub etag: Option<&'a str>,
    /// Storage class as the store sent it.
    pub storage_class: Option<&'a str>,
    /// User metadata.
    pub metadata: Reading<&'a Attributes>,
    /// `Content-Type`, empty if it has none; read together with the metadata.
    pub content_type: Reading<&'a str>,
    /// Tags.
    pub tags: Reading<&'a Attributes>,
    /// Object Lock.
    pub lock: Reading<Lock>,
}

impl Observed<'_> {
    /// Whether it is an object or a version: there are bytes to hide or to copy.
    pub const fn holds_data(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Version)
    }
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Versioning {
    /// It never has.
    Never,
    /// It does.
    Enabled,
    /// It did, and writes the null version now.
    Suspended,
}

/// What of a bucket bears on how its objects can be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketFacts {
    /// Its name.
    pub name: String,
    /// Its versioning state.
    pub versioning: Versioning,
    /// Whether removing a version takes a second factor.
    pub mfa_delete: bool,
    /// Whether Object Lock is on.
    pub object_lock: bool,
}
