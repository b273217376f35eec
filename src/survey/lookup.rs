//! Looking again at chosen keys: dense ranges are listed, scattered keys asked for one by one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use hashbrown::HashMap;
use smol_str::SmolStr;

use super::Survey;
use super::draft::Draft;
use crate::decide::Decider;
use crate::object::Kind;
use crate::plan::KeyGroup;
use crate::s3::StoreError;

/// How many keys a page must settle for the next page to be asked for instead of single keys.
const WORTH_A_PAGE: usize = 8;

/// How many scattered keys are asked for before a page is tried again.
const SCATTERED: usize = 64;

/// How many of them at a time.
const ASKED_AT_ONCE: usize = 16;

/// What a listing shows, nothing read and nothing decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub kind: Kind,
    /// The version id, for versions and markers.
    pub version_id: Option<SmolStr>,
    /// The ETag, without its quotes.
    pub etag: Option<SmolStr>,
    /// Last-Modified.
    pub uploaded: DateTime<Utc>,
}

impl Survey<'_> {
    /// Everything that stands under `keys` now, decided by `decider`, which is of this bucket. Keys with nothing
    /// left are missing from the answer. `keys` are in byte order, without repeats.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn look_up(
        &self,
        decider: &Decider<'_>,
        keys: &[&str],
    ) -> Result<HashMap<SmolStr, KeyGroup>, StoreError> {
        // Some stores do not list in byte order: a key is gone only if it says so itself.
        let groups = self.decide(decider, self.drafts(keys, true).await?).await;
        Ok(groups.into_iter().map(|group| (group.key.clone(), group)).collect())
    }

    /// What of versions and markers is listed under `keys` now, newest first. Shows what is there, and
    /// proves nothing of what is not, unless `doubts` are due. `keys` are in byte order, without repeats.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn standing(
        &self,
        keys: &[&str],
        doubts: bool,
    ) -> Result<BTreeMap<SmolStr, Vec<Standing>>, StoreError> {
        let drafts = self.drafts(keys, doubts).await?;
        let standing = |draft: Draft| {
            let items = draft.items.into_iter().map(|item| Standing {
                kind: item.kind,
                version_id: item.version_id,
                etag: item.etag,
                uploaded: item.uploaded,
            });
            (draft.key, items.collect())
        };
        Ok(drafts.into_iter().map(standing).collect())
    }

    /// Incomplete uploads under one key, decided in the same way.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn look_up_uploads(
        &self,
        decider: &Decider<'_>,
        key: &str,
    ) -> Result<Option<KeyGroup>, StoreError> {
        let drafts = self.uploads_of(key).await?.into_iter().collect();
        Ok(self.decide(decider, drafts).await.into_iter().next())
    }

    pub(super) async fn uploads_of(&self, key: &str) -> Result<Option<Draft>, StoreError> {
        let mut pages = self.bucket.uploads(key);
        let mut draft = Draft::new(key);
        while let Some(page) = pages.next().await? {
            for upload in page.entries().filter(|upload| upload.key == key) {
                draft.push_upload(&upload);
            }
            if page.entries().any(|upload| upload.key != key) {
                break;
            }
        }
        Ok((!draft.uploads.is_empty()).then_some(draft))
    }

    /// What stands under `keys`; what a page does not show is asked for by itself if `doubts` are due.
    pub(super) async fn drafts(&self, keys: &[&str], doubts: bool) -> Result<Vec<Draft>, StoreError> {
        let mut drafts = Vec::new();
        let (mut next, mut ask) = (0, 1);
        while next < keys.len() {
            let scattered = &keys[next..keys.len().min(next + ask)];
            drafts.extend(self.each(scattered).await?);
            next += scattered.len();
            while next < keys.len() {
                let settled = self.list_after(keys[next - 1], &keys[next..], doubts, &mut drafts).await?;
                next += settled;
                if settled < WORTH_A_PAGE {
                    break;
                }
            }
            ask = SCATTERED;
        }
        Ok(drafts)
    }

    /// Each of `keys` by itself, in their order; those with nothing left are missing.
    async fn each(&self, keys: &[&str]) -> Result<Vec<Draft>, StoreError> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        stream::iter(keys)
            .map(|key| async move { self.one(&key).await })
            .buffered(ASKED_AT_ONCE)
            .try_filter_map(|draft| std::future::ready(Ok(draft)))
            .try_collect()
            .await
    }

    /// All versions of one key.
    pub(super) async fn one(&self, key: &str) -> Result<Option<Draft>, StoreError> {
        let mut pages = self.bucket.versions(key, None).first_page(10);
        let mut draft = Draft::new(key);
        while let Some(page) = pages.next().await? {
            let mut beyond = false;
            for entry in page.entries() {
                if entry.key == key {
                    draft.push(&entry, &self.facts);
                } else {
                    beyond = true;
                }
            }
            if beyond {
                break;
            }
        }
        Ok((!draft.items.is_empty()).then_some(draft))
    }

    /// Lists one page after the key `after` and keeps what stands under `wanted`; says how
    /// many of `wanted`, from the first on, are settled by it.
    async fn list_after(
        &self,
        after: &str,
        wanted: &[&str],
        doubts: bool,
        drafts: &mut Vec<Draft>,
    ) -> Result<usize, StoreError> {
        let mut found: Vec<Option<Draft>> = wanted.iter().map(|_| None).collect();
        let mut settled = wanted.len();
        if let Some(page) = self.bucket.versions("", Some(after)).next().await? {
            let (mut last, mut next) = (None, 0_usize);
            for entry in page.entries() {
                // Most entries are of the key of the one before, or of the next key.
                let near = [next.checked_sub(1), Some(next)].into_iter().flatten();
                let mut near = near.filter(|place| wanted.get(*place) == Some(&entry.key));
                let place = near.next().or_else(|| wanted.binary_search(&entry.key).ok());
                if let Some(place) = place {
                    let draft = found[place].get_or_insert_with(|| Draft::new(wanted[place]));
                    draft.push(&entry, &self.facts);
                    next = place + 1;
                }
                last = Some(entry.key);
            }
            // The last key of a page may go on in the next one, so it is not settled yet; and a page that is
            // empty settles nothing.
            if page.is_truncated() {
                settled = last.map_or(0, |last| wanted.partition_point(|key| **key < *last));
            }
        }
        let mut missing = Vec::new();
        for (key, draft) in wanted.iter().zip(found).take(settled) {
            match draft {
                Some(draft) => drafts.push(draft),
                None => missing.push(*key),
            }
        }
        if doubts {
            drafts.extend(self.each(&missing).await?);
        }
        Ok(settled)
    }
}
