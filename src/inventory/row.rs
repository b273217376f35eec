//! One row of an inventory, and the least that a decision can make of it.

use chrono::{DateTime, Utc};

use crate::object::{BucketFacts, Kind, Lock, Observed, Reading, Unreadable, Versioning};

/// An instant, not yet looked up in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Nanoseconds more.
    pub nanos: u32,
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos() }
    }
}

/// What a row tells of one version, delete marker or object. What it lacks is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The key, decoded.
    pub key: &'a str,
    /// Last-Modified.
    pub uploaded: Option<Instant>,
    /// Bytes.
    pub size: Option<u64>,
    /// Whether it is the newest version or marker of its key.
    pub is_latest: Option<bool>,
    /// Whether it is a delete marker.
    pub is_marker: Option<bool>,
}

impl<'a> Row<'a> {
    /// The row as a decision sees it that must not miss what is due: by whatever the row does not
    /// tell it is due at the earliest date that it can be. `None` if that cannot be said.
    pub fn observed(&self, facts: &'a BucketFacts) -> Option<Observed<'a>> {
        let uploaded = self.uploaded.and_then(|at| DateTime::from_timestamp(at.seconds, at.nanos))?;
        let (kind, is_latest) = match (facts.versioning, self.is_marker?, self.is_latest?) {
            (Versioning::Never, false, true) => (Kind::Object, true),
            // It kept versions once: that is for the store to explain.
            (Versioning::Never, _, _) => return None,
            (_, true, is_latest) => (Kind::Marker, is_latest),
            (_, false, is_latest) => (Kind::Version, is_latest),
        };
        let is_marker = kind == Kind::Marker;
        let attributes = if is_marker { Reading::Unknown(Unreadable::NotKept) } else { Reading::Unread };
        Some(Observed {
            bucket: &facts.name,
            key: self.key,
            kind,
            version_id: (kind != Kind::Object).then_some("null"),
            upload_id: None,
            is_latest,
            uploaded,
            // It was superseded after it was uploaded, by how much is not told.
            superseded: (!is_latest).then_some(uploaded),
            newer_noncurrent: if is_latest { 0 } else { u32::MAX },
            alone: is_marker && is_latest,
            size: if is_marker { 0 } else { self.size? },
            etag: None,
            storage_class: None,
            metadata: attributes,
            content_type: if is_marker { Reading::Unknown(Unreadable::NotKept) } else { Reading::Unread },
            tags: attributes,
            lock: if facts.object_lock && kind == Kind::Version {
                Reading::Unread
            } else {
                Reading::Known(Lock::default())
            },
        })
    }
}
