//! The latest version of a key whose older versions stay: a delete marker goes on top first, so
//! that none of them comes back. And null versions in suspended buckets, which have no id that
//! is theirs alone.

use super::delete;
use super::ending::{Aim, Ended, doubtful, may_be_carried_out, settled, take_away};
use super::unmark::{self, Marker};
use crate::evidence::ItemResult;
use crate::object::{Kind, Versioning};
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteAnswer, DeleteTarget, StoreError};

/// One of the newest entries of a key.
struct Seen {
    version_id: String,
    is_marker: bool,
    /// It is the version of the row, as the row has it.
    is_as_planned: bool,
}

/// The two newest entries under `row`'s key. Their dates are looked at as well: a null version that was
/// uploaded anew with the same bytes has the id and the ETag of the one before.
async fn top(bucket: &Bucket, row: &PlanRow) -> Result<Vec<Seen>, StoreError> {
    let page = bucket.versions(&row.key, None).first_page(2).next().await?;
    let entries = page.iter().flat_map(|page| page.entries()).filter(|entry| entry.key == row.key);
    Ok(entries
        .map(|entry| Seen {
            version_id: entry.version_id.unwrap_or("null").to_owned(),
            is_marker: entry.kind == Kind::Marker,
            is_as_planned: entry.kind != Kind::Marker
                && row.version_id.as_deref() == Some(entry.version_id.unwrap_or("null"))
                && row.etag.as_deref() == entry.etag
                && row.last_modified.timestamp_millis() == entry.last_modified.timestamp_millis(),
        })
        .collect())
}

fn is_planned(entry: Option<&Seen>) -> bool {
    entry.is_some_and(|entry| entry.is_as_planned)
}

/// Deletes without a version id, which puts a marker on top, if the version is still the latest. The marker
/// may take the place of the null version only where that `is_null`, the row's own: so the bucket is asked
/// once more whether it keeps versions.
async fn mark(bucket: &Bucket, row: &PlanRow, is_null: bool) -> Result<Option<String>, NotMarked> {
    if row.etag.is_none() {
        let why = "the store lists no ETag, so nothing would guard a newer version";
        return Err(NotMarked::surely(Ended::because(ItemResult::Failed, why)));
    }
    let seen = top(bucket, row).await.map_err(|error| NotMarked::surely(unclear(&error)))?;
    if !is_planned(seen.first()) {
        let why = "it is not the latest version any more, or was written anew";
        return Err(NotMarked::surely(Ended::because(ItemResult::Changed, why)));
    }
    if !is_null {
        let failed = |error: StoreError| Ended::because(ItemResult::Failed, error.to_string());
        let facts = bucket.facts().await.map_err(|error| NotMarked::surely(failed(error)))?;
        if facts.versioning != Versioning::Enabled {
            let why = "the bucket does not keep versions any more, so that a marker could destroy one";
            return Err(NotMarked::surely(Ended::because(ItemResult::Changed, why)));
        }
    }
    let target = DeleteTarget { key: row.key.clone(), version_id: None, if_match: row.etag.clone() };
    match bucket.delete_object(&target).await {
        Ok(DeleteAnswer::Deleted { marker_version_id, .. }) => Ok(marker_version_id),
        Ok(_) => {
            let ended = Ended::because(ItemResult::Unclear, "the store did not say what it did");
            Err(NotMarked { ended, perhaps: true })
        }
        Err(error) if error.is_not_implemented() => Err(NotMarked::surely(Ended::because(
            ItemResult::Failed,
            format!("the store takes no condition, so that a marker could hide a newer version: {error}"),
        ))),
        Err(error) => {
            // Where the answer is lost it is the null version that is there or not, and not what is under it.
            let version_id = is_null.then(|| "null".into());
            let aim = Aim { target: DeleteTarget { version_id, ..target }, is_marker: false };
            let perhaps = may_be_carried_out(&error);
            Err(NotMarked { ended: settled(bucket, &aim, &error).await, perhaps })
        }
    }
}

/// Why no marker was put, as far as is known.
struct NotMarked {
    ended: Ended,
    /// Whether the store may have put it all the same.
    perhaps: bool,
}

impl NotMarked {
    /// Nothing was sent, or it was refused.
    const fn surely(ended: Ended) -> Self {
        Self { ended, perhaps: false }
    }
}

fn unclear(error: &StoreError) -> Ended {
    Ended::because(ItemResult::Unclear, error.to_string())
}

/// How covering a version ended.
pub struct Covered {
    /// [`ItemResult::MarkerAdded`] if a listing shows a marker there: the one that was sent if it is named, else
    /// perhaps.
    pub ended: Ended,
    /// The marker's version id, where the store named it as the one that it put there.
    pub marker: Option<String>,
}

impl From<Ended> for Covered {
    fn from(ended: Ended) -> Self {
        Self { ended, marker: None }
    }
}

/// Puts a delete marker on top of `row`'s version, which is the latest of a bucket that keeps
/// versions.
pub async fn cover(bucket: &Bucket, row: &PlanRow) -> Covered {
    let marked = mark(bucket, row, false).await;
    let now = match top(bucket, row).await {
        Ok(now) => now,
        Err(error) => {
            let marker = marked.ok().flatten().filter(|marker| marker != "null");
            return Covered { ended: unclear(&error), marker };
        }
    };
    let on_top = now.first().filter(|entry| entry.is_marker);
    // Where the answer was lost and a marker can be seen, nobody knows whose it is.
    if let (Some(on_top), true) = (on_top.filter(|it| it.version_id != "null"), is_planned(now.get(1))) {
        // What somebody else has hidden is superseded since then, and may have to stay for that.
        if matches!(marked, Err(NotMarked { perhaps: false, .. })) {
            return Ended::because(ItemResult::Changed, "somebody else has put a delete marker on it").into();
        }
        let marker = marked.ok().flatten().filter(|marker| *marker == on_top.version_id);
        let mut ended = Ended::plain(ItemResult::MarkerAdded);
        if marker.is_none() {
            ended.detail = Some("there is one, and whose it is nobody knows".to_owned());
        }
        return Covered { ended, marker };
    }
    let ended = match marked.map_err(|not| not.ended) {
        Ok(Some(marker)) => unhide(bucket, row, &marker).await,
        Ok(None) => Ended::because(ItemResult::Unclear, "the store did not name the delete marker"),
        Err(ended) if ended.result == ItemResult::Deleted => {
            Ended::because(ItemResult::Changed, "the key has changed meanwhile")
        }
        Err(ended) => ended,
    };
    ended.into()
}

/// The marker lies on a version that came in between: it must not hide it.
async fn unhide(bucket: &Bucket, row: &PlanRow, marker: &str) -> Ended {
    if marker == "null" {
        let why = "the bucket's versioning was suspended meanwhile, and a null delete marker was put there";
        return Ended::because(ItemResult::Unclear, why);
    }
    take_away(bucket, &row.key, marker, "a newer version came in between, under the delete marker").await
}

/// Removes `row`'s version, which is the latest of a bucket that keeps versions, from under a delete marker
/// that covers the older ones; how that ended, and how the marker did.
pub async fn remove_covered(bucket: &Bucket, row: &PlanRow) -> (Ended, Covered) {
    let mut cover = cover(bucket, row).await;
    if cover.ended.result != ItemResult::MarkerAdded {
        let why = "it could not be covered by a delete marker";
        return (Ended::because(cover.ended.result, why), cover);
    }
    // What somebody else has hidden is superseded since then, and may have to stay for that.
    let Some(marker) = cover.marker.clone() else {
        cover.ended.result = ItemResult::Unclear;
        let why = "somebody else may have put the delete marker on it, so that it has to be decided again";
        return (Ended::because(ItemResult::PutOff, why), cover);
    };
    let lost = || Ended::because(ItemResult::Unclear, "it has no answer");
    let mut ended = delete::remove(bucket, &[row]).await.pop().unwrap_or_else(lost);
    match ended.result {
        // Were it to go after all, without the marker an older version would come back.
        ItemResult::PutOff if ended.may_follow => (is_gone_or_unclear(bucket, row, ended).await, cover),
        ItemResult::PutOff | ItemResult::Failed | ItemResult::Denied if !ended.may_follow => {
            let (uncovered, is_known) = uncover(bucket, row, marker).await;
            cover.ended = uncovered;
            // Decided again under a marker of our own it would count as superseded, and could stay for that.
            if ended.result == ItemResult::PutOff && !is_known {
                ended.result = ItemResult::Failed;
            }
            (ended, cover)
        }
        _ => (ended, cover),
    }
}

/// What may be carried out after all is called deleted once it is seen to be gone, and is unclear until then.
async fn is_gone_or_unclear(bucket: &Bucket, row: &PlanRow, ended: Ended) -> Ended {
    let why = ended.detail.unwrap_or_default();
    let seen = doubtful(bucket, &delete::aim_at(row), &why).await;
    if seen.result == ItemResult::Deleted { seen } else { Ended { result: ItemResult::Unclear, ..seen } }
}

/// Takes the marker away again from a version that stays: under it the version counts as superseded, and may
/// be kept for that although it is due. A marker that has something newer on it by then stays. How that ended, and whether it is known how the key stands: without the marker, or as somebody else has it.
async fn uncover(bucket: &Bucket, row: &PlanRow, marker: String) -> (Ended, bool) {
    let version_id = row.version_id.clone().unwrap_or_default();
    let marker = Marker { key: row.key.clone(), marker: marker.into(), version_id };
    let ended = unmark::one(bucket, &marker).await;
    let why = ended.detail.as_deref().unwrap_or_default();
    let (result, detail) = match ended.result {
        ItemResult::MarkerRemoved => (ended.result, "what it was put on could not be removed".to_owned()),
        ItemResult::Unclear => (ended.result, format!("it was to be taken away again: {why}")),
        _ => (ItemResult::MarkerAdded, format!("it was not taken away again: {why}")),
    };
    let known = [ItemResult::MarkerRemoved, ItemResult::AlreadyGone, ItemResult::Changed];
    (Ended::because(result, detail), known.contains(&ended.result))
}

/// Removes the null version from a suspended bucket, where it is the latest: a null delete marker
/// takes its place, on condition of its ETag.
pub async fn remove_null(bucket: &Bucket, row: &PlanRow) -> Ended {
    match mark(bucket, row, true).await {
        Ok(Some(marker)) if marker == "null" => {
            Ended::because(ItemResult::Deleted, "a null delete marker has taken its place")
        }
        Ok(Some(marker)) => unhide(bucket, row, &marker).await,
        Ok(None) => Ended::because(ItemResult::Unclear, "the store did not name the delete marker"),
        Err(not) => not.ended,
    }
}
