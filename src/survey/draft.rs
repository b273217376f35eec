//! A key as it was listed, with what has been read of its versions so far.

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use crate::calendar::Moment;
use crate::decide::Decision;
use crate::object::{Attributes, BucketFacts, Kind, Lock, Observed, Reading, Unreadable, Versioning};
use crate::s3::Entry;

/// All that was listed under one key.
#[derive(Debug)]
pub(super) struct Draft {
    pub key: SmolStr,
    /// Versions and markers, newest first.
    pub items: Vec<Listed>,
    pub uploads: Vec<Listed>,
    /// What lies above the next entry.
    above: Above,
}

/// One version, marker or upload.
#[derive(Debug)]
pub(super) struct Listed {
    pub kind: Kind,
    pub version_id: Option<SmolStr>,
    pub upload_id: Option<SmolStr>,
    pub is_latest: bool,
    pub uploaded: DateTime<Utc>,
    pub superseded: Option<DateTime<Utc>>,
    pub newer_noncurrent: u32,
    pub size: u64,
    pub etag: Option<SmolStr>,
    pub storage_class: Option<SmolStr>,
    pub metadata: Reading<Attributes>,
    pub content_type: Reading<String>,
    pub tags: Reading<Attributes>,
    pub lock: Reading<Lock>,
    /// What is decided by what has been read.
    pub decision: Option<Decision>,
}

impl Draft {
    pub fn new(key: &str) -> Self {
        // Most keys have one entry; what grows has room for four at once.
        Self { key: key.into(), items: Vec::with_capacity(1), uploads: Vec::new(), above: Above::default() }
    }

    /// Adds the next older entry of the key.
    pub fn push(&mut self, entry: &Entry<'_>, facts: &BucketFacts) {
        let Placed { kind, superseded, newer_noncurrent } = self.above.put(entry, facts);
        self.items.push(Listed {
            kind,
            version_id: (kind != Kind::Object).then(|| SmolStr::new(version_id(entry))),
            upload_id: None,
            is_latest: entry.is_latest,
            uploaded: entry.last_modified,
            superseded,
            newer_noncurrent,
            size: entry.size,
            etag: entry.etag.map(SmolStr::new),
            storage_class: entry.storage_class.map(SmolStr::new),
            metadata: unread(kind),
            content_type: unread(kind),
            tags: unread(kind),
            lock: lock(kind, facts),
            decision: None,
        });
    }

    pub fn push_upload(&mut self, upload: &Entry<'_>) {
        self.uploads.push(Listed {
            kind: Kind::Upload,
            version_id: None,
            upload_id: upload.upload_id.map(SmolStr::new),
            is_latest: true,
            uploaded: upload.last_modified,
            superseded: None,
            newer_noncurrent: 0,
            size: 0,
            etag: None,
            storage_class: upload.storage_class.map(SmolStr::new),
            metadata: Reading::Unknown(Unreadable::NotKept),
            content_type: Reading::Unknown(Unreadable::NotKept),
            tags: Reading::Unknown(Unreadable::NotKept),
            lock: Reading::Known(Lock::default()),
            decision: None,
        });
    }

    pub fn adopt_uploads(&mut self, other: Self) {
        self.uploads.extend(other.uploads);
    }
}

impl Listed {
    /// The item as a decision sees it; `alone`: as if nothing else were left of its key.
    pub fn observed<'a>(&'a self, bucket: &'a str, key: &'a str, alone: bool) -> Observed<'a> {
        Observed {
            bucket,
            key,
            kind: self.kind,
            version_id: self.version_id.as_deref(),
            upload_id: self.upload_id.as_deref(),
            is_latest: self.is_latest,
            uploaded: self.uploaded,
            superseded: self.superseded,
            newer_noncurrent: self.newer_noncurrent,
            alone,
            size: self.size,
            etag: self.etag.as_deref(),
            storage_class: self.storage_class.as_deref(),
            metadata: self.metadata.as_ref(),
            content_type: self.content_type.as_deref(),
            tags: self.tags.as_ref(),
            lock: match &self.lock {
                Reading::Unread => Reading::Unread,
                Reading::Known(lock) => Reading::Known(*lock),
                Reading::Unknown(why) => Reading::Unknown(*why),
            },
        }
    }
}

/// What lies above the next entry of a key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Above {
    newer: Option<DateTime<Utc>>,
    noncurrent: u32,
}

/// What an entry's place among those of its key tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    kind: Kind,
    superseded: Option<DateTime<Utc>>,
    newer_noncurrent: u32,
}

impl Above {
    /// Puts the next older entry in its place.
    pub fn put(&mut self, entry: &Entry<'_>, facts: &BucketFacts) -> Placed {
        let kind = match (facts.versioning, entry.kind) {
            (Versioning::Never, Kind::Version) => Kind::Object,
            (_, kind) => kind,
        };
        // A multipart successor carries its initiation, which may lie before the version that it
        // has superseded. One whose date is none says nothing.
        let is_known = |at| Moment::Instant(at).plausible().is_ok();
        let superseded = self
            .newer
            .filter(|_| !entry.is_latest)
            .map(|newer| if is_known(newer) { newer.max(entry.last_modified) } else { newer });
        let placed = Placed { kind, superseded, newer_noncurrent: self.noncurrent };
        // Delete markers are not counted: whether S3 does is not documented, and this keeps more.
        if superseded.is_some() && kind != Kind::Marker {
            self.noncurrent = self.noncurrent.saturating_add(1);
        }
        self.newer = Some(entry.last_modified);
        placed
    }
}

impl Placed {
    /// The entry as a decision sees it before anything is read of it.
    pub fn observed<'a>(self, entry: &Entry<'a>, facts: &'a BucketFacts, alone: bool) -> Observed<'a> {
        let Self { kind, superseded, newer_noncurrent } = self;
        Observed {
            bucket: &facts.name,
            key: entry.key,
            kind,
            version_id: (kind != Kind::Object).then(|| version_id(entry)),
            upload_id: None,
            is_latest: entry.is_latest,
            uploaded: entry.last_modified,
            superseded,
            newer_noncurrent,
            alone,
            size: entry.size,
            etag: entry.etag,
            storage_class: entry.storage_class,
            metadata: unread(kind),
            content_type: unread(kind),
            tags: unread(kind),
            lock: lock(kind, facts),
        }
    }

    /// Whether it is a delete marker.
    pub fn is_marker(self) -> bool {
        self.kind == Kind::Marker
    }
}

fn version_id<'a>(entry: &Entry<'a>) -> &'a str {
    entry.version_id.unwrap_or("null")
}

/// What metadata and tags are before they are read: a delete marker has none.
const fn unread<T>(kind: Kind) -> Reading<T> {
    if matches!(kind, Kind::Marker) { Reading::Unknown(Unreadable::NotKept) } else { Reading::Unread }
}

fn lock(kind: Kind, facts: &BucketFacts) -> Reading<Lock> {
    let lockable = facts.object_lock && kind == Kind::Version;
    if lockable { Reading::Unread } else { Reading::Known(Lock::default()) }
}
