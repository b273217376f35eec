//! The latest version of a key whose older versions stay: a delete marker goes on top first, so
//! that none of them comes back. And null versions in suspended buckets, which have no id that
//! is theirs alone.

use super::ending::{Ended, settled};
use crate::evidence::ItemResult;
use crate::object::Kind;
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteAnswer, DeleteTarget, StoreError};

/// The two newest entries of a key, by version id and whether they are markers.
type Top = Vec<(String, bool)>;

async fn top(bucket: &Bucket, key: &str) -> Result<Top, StoreError> {
    let page = bucket.versions(key, None).first_page(2).next().await?;
    Ok(page
        .iter()
        .flat_map(|page| page.entries())
        .filter(|entry| entry.key == key)
        .map(|entry| (entry.version_id.unwrap_or("null").to_owned(), entry.kind == Kind::Marker))
        .collect())
}

fn is_version(entry: Option<&(String, bool)>, row: &PlanRow) -> bool {
    entry.is_some_and(|(id, marker)| !marker && row.version_id.as_deref() == Some(id))
}

/// Deletes without a version id, which puts a marker on top, if the version is still the latest.
async fn mark(bucket: &Bucket, row: &PlanRow) -> Result<Option<String>, Ended> {
    if row.etag.is_none() {
        let why = "the store lists no ETag, so nothing would guard a newer version";
        return Err(Ended::because(ItemResult::Failed, why));
    }
    let seen = top(bucket, &row.key).await.map_err(|error| unclear(&error))?;
    if !is_version(seen.first(), row) {
        return Err(Ended::because(ItemResult::Changed, "it is not the latest version any more"));
    }
    let target = DeleteTarget { key: row.key.clone(), version_id: None, if_match: row.etag.clone() };
    match bucket.delete_object(&target).await {
        Ok(DeleteAnswer::Deleted { marker_version_id, .. }) => Ok(marker_version_id),
        Ok(_) => Err(Ended::because(ItemResult::Unclear, "the store did not say what it did")),
        Err(error) if error.is_not_implemented() => Err(Ended::because(
            ItemResult::Failed,
            format!("the store takes no condition, so that a marker could hide a newer version: {error}"),
        )),
        Err(error) => Err(settled(bucket, &target, &error).await),
    }
}

fn unclear(error: &StoreError) -> Ended {
    Ended::because(ItemResult::Unclear, error.to_string())
}

/// Puts a delete marker on top of `row`'s version, which is the latest of a bucket that keeps
/// versions. [`ItemResult::MarkerAdded`] if a listing shows it there.
pub async fn cover(bucket: &Bucket, row: &PlanRow) -> Ended {
    let marked = mark(bucket, row).await;
    let now = match top(bucket, &row.key).await {
        Ok(now) => now,
        Err(error) => return unclear(&error),
    };
    let is_marked = now.first().is_some_and(|(_, marker)| *marker);
    // A lost answer is of no matter where the marker can be seen.
    if is_marked && is_version(now.get(1), row) {
        return Ended { result: ItemResult::MarkerAdded, detail: None };
    }
    match marked {
        Ok(Some(marker)) => take_away(bucket, row, marker).await,
        Ok(None) => Ended::because(ItemResult::Unclear, "the store did not name the delete marker"),
        Err(ended) if ended.result == ItemResult::Deleted => {
            Ended::because(ItemResult::Changed, "the key has changed meanwhile")
        }
        Err(ended) => ended,
    }
}

/// The marker lies on a version that came in between: it must not hide it.
async fn take_away(bucket: &Bucket, row: &PlanRow, marker: String) -> Ended {
    if marker == "null" {
        let why = "the bucket's versioning was suspended meanwhile, and a null delete marker was put there";
        return Ended::because(ItemResult::Unclear, why);
    }
    let why = "a newer version came in between, under the delete marker";
    let target = DeleteTarget { key: row.key.clone(), version_id: Some(marker), if_match: None };
    match bucket.delete_object(&target).await {
        Ok(_) => Ended::because(ItemResult::Changed, format!("{why}; the marker was taken away again")),
        Err(error) => {
            Ended::because(ItemResult::Unclear, format!("{why}; and taking it away failed: {error}"))
        }
    }
}

/// Removes the null version from a suspended bucket, where it is the latest: a null delete marker
/// takes its place, on condition of its ETag.
pub async fn remove_null(bucket: &Bucket, row: &PlanRow) -> Ended {
    match mark(bucket, row).await {
        Ok(Some(marker)) if marker == "null" => {
            Ended::because(ItemResult::Deleted, "a null delete marker has taken its place")
        }
        Ok(Some(marker)) => take_away(bucket, row, marker).await,
        Ok(None) => Ended::because(ItemResult::Unclear, "the store did not name the delete marker"),
        Err(ended) => ended,
    }
}
