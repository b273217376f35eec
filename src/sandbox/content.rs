//! What stands under a key: object versions, delete markers, uploads.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use md5::{Digest, Md5};

use super::retention::Retention;

/// The version id of an object that was stored while versioning was not enabled.
pub(super) const NULL_VERSION: &str = "null";

/// An object's bytes, or only how many they would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Real bytes.
    Bytes(Bytes),
    /// Only a size, so that tests can store terabytes; it reads as zeros.
    SizeOnly(u64),
}

impl Body {
    /// The length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::SizeOnly(size) => *size,
        }
    }

    /// A part of it, by a range such as `bytes=0-9`; `None` for one that does not lie within it.
    pub(super) fn part(&self, range: &str) -> Option<Self> {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= self.len() {
            return None;
        }
        Some(match self {
            Self::Bytes(bytes) => {
                Self::Bytes(bytes.slice(usize::try_from(first).ok()?..=usize::try_from(last).ok()?))
            }
            Self::SizeOnly(_) => Self::SizeOnly(last - first + 1),
        })
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The MD5 of the bytes, in hex; of a body that is only a size, a stand-in that depends on
    /// the size alone.
    pub(super) fn md5(&self) -> [u8; 16] {
        match self {
            Self::Bytes(bytes) => Md5::digest(bytes).into(),
            Self::SizeOnly(size) => Md5::digest(format!("{size} zeros")).into(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

/// What a writer says about an object besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `Content-Type`; S3 says `binary/octet-stream` where none was given.
    pub content_type: Option<String>,
    /// User metadata without the `x-amz-meta-` prefix, names in lower case.
    pub metadata: BTreeMap<String, String>,
    /// Object tags.
    pub tags: BTreeMap<String, String>,
    /// `STANDARD` if not given.
    pub storage_class: Option<String>,
    /// Object Lock retention of this version.
    pub retention: Option<Retention>,
    /// Object Lock legal hold of this version; `None` where none was ever placed or released.
    pub legal_hold: Option<bool>,
    /// How far its replication is, such as `FAILED`; `None` where nothing is replicated.
    pub replication_status: Option<String>,
}

/// The checksum of an object, over all of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// S3's name of the algorithm, such as `CRC32`.
    pub algorithm: &'static str,
    /// The value, in base64.
    pub value: String,
}

impl Checksum {
    /// Its value, if it is by this algorithm.
    pub(super) fn by(&self, algorithm: &str) -> Option<String> {
        (self.algorithm == algorithm).then(|| self.value.clone())
    }
}

/// One object version's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub body: Body,
    /// Without quotes: the MD5 in hex, or `md5-of-md5s-N` after a multipart upload.
    pub etag: String,
    /// An additional checksum, where a writer sent or asked for one.
    pub checksum: Option<Checksum>,
    /// Everything else.
    pub attributes: Attributes,
}

impl Object {
    /// The storage class, by name.
    pub fn storage_class(&self) -> &str {
        self.attributes.storage_class.as_deref().unwrap_or("STANDARD")
    }
}

/// A version of a key: an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Opaque; `null` where versioning was not enabled.
    pub id: String,
    /// The place among all writes to the bucket: higher is newer.
    pub(super) sequence: u64,
    /// When it was created; for a multipart upload, when that was initiated.
    pub last_modified: DateTime<Utc>,
    /// `None` for a delete marker.
    pub object: Option<Object>,
}

impl Version {
    /// The size in bytes; a delete marker has none.
    pub fn size(&self) -> u64 {
        self.object.as_ref().map_or(0, |object| object.body.len())
    }

    /// Whether lifecycle leaves it alone until it is replicated
    /// (UG:lifecycle-expire-general-considerations).
    pub(super) fn awaits_replication(&self) -> bool {
        let status = self.object.as_ref().and_then(|object| object.attributes.replication_status.as_deref());
        matches!(status, Some("PENDING" | "FAILED"))
    }

    /// Whether it is a delete marker.
    pub fn is_marker(&self) -> bool {
        self.object.is_none()
    }
}

/// One part of a multipart upload.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub body: Body,
    pub md5: [u8; 16],
    pub uploaded: DateTime<Utc>,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub id: String,
    pub initiated: DateTime<Utc>,
    pub attributes: Attributes,
    /// By which algorithm the whole object is to have a checksum.
    pub checksum: Option<String>,
    pub parts: BTreeMap<i32, Part>,
}
