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
    /// Whether what was listed contradicts itself about which version is the latest.
    pub in_doubt: bool,
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
        Self {
            key: key.into(),
            items: Vec::with_capacity(1),
            uploads: Vec::new(),
            in_doubt: false,
            above: Above::default(),
        }
    }

    /// Adds the next older entry of the key.
    pub fn push(&mut self, entry: &Entry<'_>, facts: &BucketFacts) {
        // The latest stands first and nothing else is it, and no version is there twice.
        self.in_doubt |= entry.is_repeated || entry.is_latest != self.items.is_empty();
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
        let superseded =
            self.newer.map(|newer| if is_known(newer) { newer.max(entry.last_modified) } else { newer });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::Page;

    fn draft(entries: &[(&str, bool, &str)]) -> Draft {
        let entry = |(id, is_latest, at): &(&str, bool, &str)| {
            format!(
                "<Version><Key>k</Key><VersionId>{id}</VersionId><IsLatest>{is_latest}</IsLatest><Size>1</Size>\
                 <LastModified>{at}T00:00:00Z</LastModified></Version>"
            )
        };
        let entries: String = entries.iter().map(entry).collect();
        let whole =
            format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{entries}</ListVersionsResult>");
        let page = Page::from_answer(whole).unwrap();
        let versioning = Versioning::Enabled;
        let facts =
            BucketFacts { name: "media".to_owned(), versioning, mfa_delete: false, object_lock: false };
        let mut draft = Draft::new("k");
        page.entries().for_each(|entry| draft.push(&entry, &facts));
        draft
    }

    #[test]
    fn a_listing_that_contradicts_itself_about_the_latest_is_in_doubt() {
        let (old, new) = ("2026-01-01", "2026-01-20");
        for (entries, in_doubt) in [
            (vec![("v2", true, new), ("v1", false, old)], false),
            (vec![("v1", true, old)], false),
            // The oldest first; all the latest; none of them; one of them twice.
            (vec![("v1", false, old), ("v2", true, new)], true),
            (vec![("v2", true, new), ("v1", true, old)], true),
            (vec![("v2", false, new), ("v1", false, old)], true),
            (vec![("v2", true, new), ("null", false, old), ("null", false, old)], true),
        ] {
            assert_eq!(draft(&entries).in_doubt, in_doubt, "{entries:?}");
        }
    }

    #[test]
    fn what_a_version_without_a_date_has_superseded_has_none_either() {
        let since =
            |newer: &str| draft(&[("v2", true, newer), ("v1", false, "2026-01-10")]).items[1].superseded;
        let at = |day: &str| format!("{day}T00:00:00Z").parse::<DateTime<Utc>>().ok();
        assert_eq!(since("2026-01-20"), at("2026-01-20"));
        assert_eq!(since("2026-01-05"), at("2026-01-10"), "uploaded in parts");
        assert_eq!(since("1970-01-01"), at("1970-01-01"));
    }
}
