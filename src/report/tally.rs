//! Counts of what was deleted, what was gone, and what was kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::returned::Removal;
use super::standing::Kept;
use crate::evidence::Item;
use crate::object::Kind;

/// How many, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    const fn take(&mut self, bytes: u64) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// What became of items that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Objects removed from buckets without versions.
    pub objects: Amount,
    /// Versions removed.
    pub versions: Amount,
    /// Delete markers removed.
    pub markers: u64,
    /// Incomplete uploads aborted.
    pub uploads: u64,
    /// The first deletion.
    pub first: Option<DateTime<Utc>>,
    /// The last one.
    pub last: Option<DateTime<Utc>>,
    /// How much of what was deleted went on request, by the erasure's id.
    pub by_erasure: BTreeMap<String, Amount>,
    /// Not there any more when it was looked at.
    pub already_gone: u64,
    /// Not there any more after a deletion whose answer was lost.
    pub gone_after_lost_answer: u64,
    /// Delete markers put on top of a key, so that no older version comes back.
    pub markers_added: u64,
    /// Copied to another place before they were to go; deleting the original leaves the copies there.
    pub copied: Amount,
    /// Put back from a copy, or perhaps; not counted as deleted, nor as gone.
    pub put_back: Amount,
    /// Delete markers taken away again, or perhaps, so that what they hid is seen.
    pub made_visible: u64,
    /// Not deleted, or not known to be.
    pub kept: BTreeMap<Kept, Amount>,
}

impl Tally {
    /// Objects and versions removed, and their bytes.
    pub const fn deleted(&self) -> Amount {
        Amount {
            count: self.objects.count.saturating_add(self.versions.count),
            bytes: self.objects.bytes.saturating_add(self.versions.bytes),
        }
    }

    /// How many were kept, or may have been.
    pub fn kept_count(&self) -> u64 {
        self.kept.values().map(|amount| amount.count).sum()
    }

    pub(super) fn delete(&mut self, kind: Kind, bytes: u64, erasure: Option<&str>, at: DateTime<Utc>) {
        match kind {
            Kind::Object => self.objects.add(bytes),
            Kind::Version => self.versions.add(bytes),
            Kind::Marker => self.markers += 1,
            Kind::Upload => self.uploads += 1,
        }
        if let Some(erasure) = erasure {
            self.by_erasure.entry(erasure.to_owned()).or_default().add(bytes);
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Takes back that an item was counted as removed. When anything was deleted is forgotten with the last.
    pub(super) fn remove_no_more(&mut self, removal: Removal, item: &Item) {
        let take_one = |count: &mut u64| *count = count.saturating_sub(1);
        match (removal, item.kind) {
            (Removal::AlreadyGone, _) => take_one(&mut self.already_gone),
            (Removal::AfterLostAnswer, _) => take_one(&mut self.gone_after_lost_answer),
            (Removal::Deleted, Kind::Object) => self.objects.take(item.size),
            (Removal::Deleted, Kind::Version) => self.versions.take(item.size),
            (Removal::Deleted, Kind::Marker) => take_one(&mut self.markers),
            (Removal::Deleted, Kind::Upload) => take_one(&mut self.uploads),
        }
        if removal == Removal::Deleted
            && let Some(erasure) = &item.erasure
            && let Some(amount) = self.by_erasure.get_mut(erasure.as_str())
        {
            amount.take(item.size);
            if amount.count == 0 {
                self.by_erasure.remove(erasure.as_str());
            }
        }
        if self.deleted().count == 0 && self.markers == 0 && self.uploads == 0 {
            (self.first, self.last) = (None, None);
        }
    }

    pub(super) fn keep(&mut self, kept: Kept, bytes: u64) {
        self.kept.entry(kept).or_default().add(bytes);
    }

    pub(super) fn keep_no_more(&mut self, kept: Kept, bytes: u64) {
        if let Some(amount) = self.kept.get_mut(&kept) {
            amount.take(bytes);
            if amount.count == 0 {
                self.kept.remove(&kept);
            }
        }
    }
}
