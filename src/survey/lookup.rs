//! Looking again at chosen keys: dense ranges are listed, scattered keys asked for one by one.

use std::collections::BTreeMap;

use super::Survey;
use super::draft::Draft;
use crate::plan::KeyGroup;
use crate::s3::StoreError;

/// How many keys a page must settle for the next page to be asked for instead of single keys.
const WORTH_A_PAGE: usize = 8;

impl Survey<'_> {
    /// Everything that stands under `keys` now, decided. Keys with nothing left are missing
    /// from the answer. `keys` are in byte order, without repeats.
    pub async fn look_up(&self, keys: &[&str]) -> Result<BTreeMap<String, KeyGroup>, StoreError> {
        let mut drafts = Vec::new();
        let mut next = 0;
        let mut is_dense = true;
        while let Some(key) = keys.get(next) {
            drafts.extend(self.one(key).await?);
            next += 1;
            while is_dense && next < keys.len() {
                let settled = self.list_after(keys[next - 1], &keys[next..], &mut drafts).await?;
                next += settled;
                is_dense = settled >= WORTH_A_PAGE;
            }
        }
        let (groups, _) = self.decide(drafts).await;
        Ok(groups.into_iter().map(|group| (group.key.clone(), group)).collect())
    }

    /// Incomplete uploads under one key, decided.
    pub async fn look_up_uploads(&self, key: &str) -> Result<Option<KeyGroup>, StoreError> {
        let drafts = self.uploads_of(key).await?.into_iter().collect();
        Ok(self.decide(drafts).await.0.into_iter().next())
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
        drafts: &mut Vec<Draft>,
    ) -> Result<usize, StoreError> {
        let mut found: BTreeMap<&str, Draft> = BTreeMap::new();
        let mut settled = wanted.len();
        if let Some(page) = self.bucket.versions("", Some(after)).next().await? {
            let mut last = None;
            for entry in page.entries() {
                if let Ok(place) = wanted.binary_search(&entry.key) {
                    let key = wanted[place];
                    found.entry(key).or_insert_with(|| Draft::new(key)).push(&entry, &self.facts);
                }
                last = Some(entry.key);
            }
            // The last key of a page may go on in the next one, so it is not settled yet.
            if let (Some(last), true) = (last, page.is_truncated()) {
                settled = wanted.partition_point(|key| **key < *last);
            }
        }
        for key in &wanted[..settled] {
            // Some stores do not list in byte order: a key is gone only if it says so itself.
            drafts.extend(match found.remove(key) {
                Some(draft) => Some(draft),
                None => self.one(key).await?,
            });
        }
        Ok(settled)
    }
}
