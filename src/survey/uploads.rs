//! Incomplete uploads, brought to the keys that they are of.
//!
//! Most buckets have few, and those are all known before the first key is handed over: they are listed from
//! the bucket's start, which every store can; MinIO takes a prefix here for a whole key (minio/minio#20989).
//! Where there are too many to be held, every range of keys lists its own.
//!
//! **Memory.** About 300 bytes and the key of each that is held: those of 20 pages take 10 MB.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::draft::Draft;
use crate::s3::{Bucket, StoreError, UploadPages};

/// How many pages of uploads are held.
const PAGES_HELD: usize = 20;

/// Where incomplete uploads come from.
pub(super) enum Uploads {
    /// There are few: these, by their keys.
    All(BTreeMap<String, Draft>),
    /// Every range lists its own.
    Each,
}

impl Uploads {
    /// Looks whether a bucket has few, and keeps those whose keys start with one of `under`.
    pub(super) async fn of(bucket: &Bucket, under: &[String]) -> Result<Self, StoreError> {
        let is_under = |key: &str| under.iter().any(|start| key.starts_with(start.as_str()));
        let mut all: BTreeMap<String, Draft> = BTreeMap::new();
        let mut pages = bucket.uploads("");
        for _ in 0..PAGES_HELD {
            let Some(page) = pages.next().await? else { return Ok(Self::All(all)) };
            for upload in page.entries().filter(|upload| is_under(upload.key)) {
                let draft = all.entry(upload.key.to_owned()).or_insert_with(|| Draft::new(upload.key));
                draft.push_upload(&upload);
            }
            if !page.is_truncated() {
                return Ok(Self::All(all));
            }
        }
        Ok(Self::Each)
    }

    /// Takes out those that start with `prefix` behind a key, empty for all, and up to another, `None` for all.
    /// Nothing where every range lists its own.
    pub(super) fn take(&mut self, prefix: &str, behind: &str, through: Option<&str>) -> Vec<Draft> {
        let Self::All(all) = self else { return Vec::new() };
        let from = if behind < prefix { Bound::Included(prefix) } else { Bound::Excluded(behind) };
        let belongs = |key: &str| key.starts_with(prefix) && through.is_none_or(|through| key <= through);
        let ahead = all.range::<str, _>((from, Bound::Unbounded)).map(|(key, _)| key);
        let keys: Vec<String> = ahead.take_while(|key| belongs(key)).cloned().collect();
        keys.iter().filter_map(|key| all.remove(key)).collect()
    }
}

/// The uploads of one range in key order, fetched as they are needed.
pub(super) struct UploadsAhead {
    pages: UploadPages,
    prefix: String,
    /// One draft a key; the last one may still grow with the next page.
    waiting: VecDeque<Draft>,
    finished: bool,
}

impl UploadsAhead {
    /// Those behind a key, or all, that start with `prefix`. The store is not asked for the prefix, for some
    /// take it for a whole key.
    pub(super) fn new(bucket: &Bucket, prefix: &str, after: Option<&str>) -> Self {
        let mut before = prefix.chars();
        before.next_back();
        let from = after.unwrap_or(before.as_str());
        let pages = bucket.uploads("");
        let pages = if from.is_empty() { pages } else { pages.after(from) };
        Self { pages, prefix: prefix.to_owned(), waiting: VecDeque::new(), finished: false }
    }

    /// Takes all uploads up to and with `key`, one draft a key; all that are left for `None`.
    pub(super) async fn before(&mut self, key: Option<&str>) -> Result<Vec<Draft>, StoreError> {
        let is_due = |draft: &Draft| key.is_none_or(|key| *draft.key <= *key);
        while !self.finished && self.waiting.back().is_none_or(is_due) {
            match self.pages.next().await? {
                Some(page) => {
                    for upload in page.entries() {
                        if !upload.key.starts_with(&self.prefix) {
                            self.finished |= *upload.key > *self.prefix;
                            continue;
                        }
                        if self.waiting.back().is_none_or(|draft| draft.key != upload.key) {
                            self.waiting.push_back(Draft::new(upload.key));
                        }
                        if let Some(draft) = self.waiting.back_mut() {
                            draft.push_upload(&upload);
                        }
                    }
                }
                None => self.finished = true,
            }
        }
        let count = self.waiting.iter().take_while(|draft| is_due(draft)).count();
        Ok(self.waiting.drain(..count).collect())
    }
}

/// Takes the uploads of and between the keys of `drafts` out of `uploads`, to their places; both are in key order.
pub(super) fn merged(drafts: Vec<Draft>, uploads: &mut VecDeque<Draft>) -> Vec<Draft> {
    let mut merged = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        while let Some(between) = uploads.pop_front_if(|upload| upload.key <= draft.key) {
            if between.key == draft.key {
                draft.adopt_uploads(between);
            } else {
                merged.push(between);
            }
        }
        merged.push(draft);
    }
    merged
}
