//! Whether what is said to be gone is gone: dense ranges are listed, scattered keys asked for one
//! by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SubsecRound, Utc};

use crate::evidence::{Action, ItemResult, Told};
use crate::object::Kind;
use crate::s3::{Bucket, StoreError};

/// How many keys a page must settle for the next page to be asked for instead of single keys.
const WORTH_A_PAGE: usize = 8;

/// The id that other objects can take over.
const NULL: &str = "null";

/// What the evidence says is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The bucket's name.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version.
    pub version_id: Option<String>,
    /// The upload.
    pub upload_id: Option<String>,
    /// What it was.
    pub kind: Kind,
    /// Its ETag.
    pub etag: Option<String>,
    /// When it was about to be deleted: what was written later is something else.
    pub since: DateTime<Utc>,
    /// What is said of it.
    pub result: ItemResult,
}

/// What the store says to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is not there.
    Gone,
    /// It is not there, and another object was written under its key since.
    Another,
    /// It is still there.
    There,
}

impl Claim {
    /// The claim that an outcome makes, if it makes one.
    pub fn of(told: Told) -> Option<Self> {
        let is_claim = match (told.item.action, told.result) {
            (Action::Delete | Action::AbortUpload, result) => match result {
                ItemResult::Deleted | ItemResult::Aborted | ItemResult::AlreadyGone => true,
                ItemResult::MarkerAdded
                | ItemResult::Exported
                | ItemResult::MarkerRemoved
                | ItemResult::Restored
                | ItemResult::Changed
                | ItemResult::Overtaken
                | ItemResult::Held
                | ItemResult::Locked
                | ItemResult::Denied
                | ItemResult::Failed
                | ItemResult::PutOff
                | ItemResult::Unclear => false,
            },
            (Action::AddMarker | Action::Mark | Action::Export, _) => false,
            // A marker that was taken away can have been put there again.
            (Action::RemoveMarker | Action::Restore, _) => false,
        };
        is_claim.then_some(Self {
            bucket: told.item.bucket.into(),
            key: told.item.key.into(),
            version_id: told.item.version_id.map(Into::into),
            upload_id: told.item.upload_id.map(Into::into),
            kind: told.item.kind,
            etag: told.item.etag.map(Into::into),
            since: told.intended,
            result: told.result,
        })
    }

    fn judged(&self, found: &[Found]) -> Finding {
        let id = self.version_id.as_deref().unwrap_or(NULL);
        let is_marker = self.kind == Kind::Marker;
        let mut named = found.iter().filter(|found| found.id == id);
        if id != NULL {
            return if named.next().is_some() { Finding::There } else { Finding::Gone };
        }
        let Some(found) = named.find(|found| found.is_marker == is_marker) else { return Finding::Gone };
        let differs = matches!((&found.etag, &self.etag), (Some(now), Some(then)) if now != then);
        // The store tells times in whole seconds.
        if differs || found.last_modified >= self.since.trunc_subsecs(0) {
            Finding::Another
        } else {
            Finding::There
        }
    }
}

/// A version or marker that is there.
#[derive(Debug)]
struct Found {
    id: String,
    is_marker: bool,
    etag: Option<String>,
    last_modified: DateTime<Utc>,
}

type Standing = BTreeMap<String, Vec<Found>>;

/// Asks the store about `claims`, which are about this bucket; a finding for each, in their order.
///
/// # Errors
/// Of the first request that fails.
pub async fn look(bucket: &Bucket, claims: &[Claim]) -> Result<Vec<Finding>, StoreError> {
    let uploads: BTreeSet<&str> =
        claims.iter().filter(|claim| claim.kind == Kind::Upload).map(|claim| claim.key.as_str()).collect();
    let mut open = BTreeSet::new();
    for key in uploads {
        let mut pages = bucket.uploads(key);
        while let Some(page) = pages.next().await? {
            let ids = page.entries().filter(|upload| upload.key == key).filter_map(|upload| upload.upload_id);
            open.extend(ids.map(|id| (key.to_owned(), id.to_owned())));
            if page.entries().any(|upload| upload.key != key) {
                break;
            }
        }
    }
    let keys: BTreeSet<&str> =
        claims.iter().filter(|claim| claim.kind != Kind::Upload).map(|claim| claim.key.as_str()).collect();
    let there = standing(bucket, &keys.into_iter().collect::<Vec<_>>()).await?;
    Ok(claims
        .iter()
        .map(|claim| match (&claim.upload_id, claim.kind) {
            (Some(id), Kind::Upload) if open.contains(&(claim.key.clone(), id.clone())) => Finding::There,
            (_, Kind::Upload) => Finding::Gone,
            _ => there.get(&claim.key).map_or(Finding::Gone, |found| claim.judged(found)),
        })
        .collect())
}

/// What stands under `keys`, which are in byte order without repeats.
async fn standing(bucket: &Bucket, keys: &[&str]) -> Result<Standing, StoreError> {
    let mut there = Standing::new();
    let (mut next, mut is_dense) = (0, true);
    while let Some(key) = keys.get(next) {
        one(bucket, key, &mut there).await?;
        next += 1;
        while is_dense && next < keys.len() {
            let settled = page_after(bucket, keys[next - 1], &keys[next..], &mut there).await?;
            next += settled;
            is_dense = settled >= WORTH_A_PAGE;
        }
    }
    Ok(there)
}

async fn one(bucket: &Bucket, key: &str, there: &mut Standing) -> Result<(), StoreError> {
    let mut pages = bucket.versions(key, None).first_page(10);
    while let Some(page) = pages.next().await? {
        for entry in page.entries().filter(|entry| entry.key == key) {
            there.entry(key.to_owned()).or_default().push(found(&entry));
        }
        if page.entries().any(|entry| entry.key != key) {
            break;
        }
    }
    Ok(())
}

/// Lists one page after the key `after`; how many of `wanted`, from the first on, it settles. A
/// page that is not in byte order is an error, so that a key which it leaves out is not there.
async fn page_after(
    bucket: &Bucket,
    after: &str,
    wanted: &[&str],
    there: &mut Standing,
) -> Result<usize, StoreError> {
    let Some(page) = bucket.versions("", Some(after)).next().await? else { return Ok(wanted.len()) };
    let last = page.last().map(|entry| entry.key);
    // The last key of a page may go on in the next one, so it is not settled yet.
    let settled = match last {
        Some(last) if page.is_truncated() => wanted.partition_point(|key| *key < last),
        None if page.is_truncated() => 0,
        _ => wanted.len(),
    };
    for entry in page.entries() {
        if wanted[..settled].binary_search(&entry.key).is_ok() {
            there.entry(entry.key.to_owned()).or_default().push(found(&entry));
        }
    }
    Ok(settled)
}

fn found(entry: &crate::s3::Entry<'_>) -> Found {
    Found {
        id: entry.version_id.unwrap_or(NULL).to_owned(),
        is_marker: entry.kind == Kind::Marker,
        etag: entry.etag.map(str::to_owned),
        last_modified: entry.last_modified,
    }
}
