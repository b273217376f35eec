//! How a deletion ended: from what the store answers, and where that leaves doubt, from what
//! it lists. What is still there, and may go a while later, is put off.

use crate::evidence::{ItemOutcome, ItemResult};
use crate::object::Kind;
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteAnswer, DeleteTarget, StoreError, StoreErrorKind};

/// How one row or marker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What became of it.
    pub result: ItemResult,
    /// More, for people.
    pub detail: Option<String>,
}

impl Ended {
    /// An ending that says why.
    pub fn because(result: ItemResult, why: impl Into<String>) -> Self {
        Self { result, detail: Some(why.into()) }
    }
}

/// What became of a row of this number.
pub fn outcome(row: &PlanRow, number: u64, ended: Ended) -> ItemOutcome {
    ItemOutcome {
        bucket: row.bucket.clone(),
        key: row.key.clone(),
        version_id: row.version_id.clone(),
        upload_id: row.upload_id.clone(),
        row: Some(number),
        result: ended.result,
        detail: ended.detail,
        marker_version_id: None,
        copy: None,
        copy_etag: None,
    }
}

/// What is to be deleted, and whether that is a delete marker: a null marker that has taken a null
/// version's place has its id.
#[derive(Clone, Debug)]
pub struct Aim {
    pub target: DeleteTarget,
    pub is_marker: bool,
}

/// What an answer to the deletion of what `aim` names means, where that takes no further look: without a
/// version id the store can have put a delete marker there instead.
pub fn plainly(aim: &Aim, answer: &DeleteAnswer) -> Option<Ended> {
    match answer {
        DeleteAnswer::Deleted { delete_marker, .. } if !delete_marker || aim.target.version_id.is_some() => {
            Some(Ended { result: ItemResult::Deleted, detail: None })
        }
        _ => None,
    }
}

/// What an answer to the deletion of what `aim` names means.
pub async fn answered(bucket: &Bucket, aim: &Aim, answer: &DeleteAnswer) -> Ended {
    if let Some(ended) = plainly(aim, answer) {
        return ended;
    }
    match answer {
        DeleteAnswer::Deleted { marker_version_id, .. } => {
            unhide(bucket, &aim.target, marker_version_id.as_deref()).await
        }
        DeleteAnswer::Failed { kind, code, message } => {
            judge(bucket, aim, kind, &format!("{code}: {message}")).await
        }
        DeleteAnswer::Unnamed => doubtful(bucket, aim, "the answer does not name it").await,
    }
}

/// What an error in answer to the deletion of what `aim` names means.
pub async fn settled(bucket: &Bucket, aim: &Aim, error: &StoreError) -> Ended {
    judge(bucket, aim, error.kind(), &error.to_string()).await
}

async fn judge(bucket: &Bucket, aim: &Aim, kind: &StoreErrorKind, why: &str) -> Ended {
    match kind {
        StoreErrorKind::Denied => Ended::because(ItemResult::Denied, why),
        StoreErrorKind::NotImplemented
        | StoreErrorKind::NotSent
        | StoreErrorKind::Other
        | StoreErrorKind::WrongRegion { .. } => Ended::because(ItemResult::Failed, why),
        // Nothing is sent twice, so what the store did not find was taken away by somebody else.
        StoreErrorKind::Changed | StoreErrorKind::NotFound => match listed(bucket, aim).await {
            Ok(None) => Ended::because(ItemResult::AlreadyGone, why),
            Ok(Some(etag))
                if *kind == StoreErrorKind::Changed && etag.as_deref() != aim.target.if_match.as_deref() =>
            {
                Ended::because(ItemResult::Changed, why)
            }
            found => concluded(found.map(|found| found.is_some()), kind, why),
        },
        // It was not even begun.
        StoreErrorKind::Throttled => Ended::because(ItemResult::PutOff, why),
        _ => concluded(listed(bucket, aim).await.map(|found| found.is_some()), kind, why),
    }
}

/// Nobody has said for certain what became of it, so the store is asked whether it is there.
pub async fn doubtful(bucket: &Bucket, aim: &Aim, why: &str) -> Ended {
    let found = listed(bucket, aim).await;
    concluded(found.map(|found| found.is_some()), &StoreErrorKind::Other, why)
}

fn concluded(is_listed: Result<bool, StoreError>, kind: &StoreErrorKind, why: &str) -> Ended {
    match is_listed {
        Ok(false) => Ended::because(ItemResult::Deleted, format!("{why}; a listing shows that it is gone")),
        Ok(true) => {
            let comes_again = kind.is_retryable() || *kind == StoreErrorKind::Unreadable;
            let result = if comes_again { ItemResult::PutOff } else { ItemResult::Failed };
            Ended::because(result, format!("{why}; a listing shows that it is there"))
        }
        Err(error) => Ended::because(ItemResult::Unclear, format!("{why}; and listing it failed: {error}")),
    }
}

/// The ETag under which the listing still shows it, if it does.
async fn listed(bucket: &Bucket, aim: &Aim) -> Result<Option<Option<String>>, StoreError> {
    // A key stands before all that it is the beginning of, so the first page that shows another
    // key is the last that can show it.
    let target = &aim.target;
    let mut pages = bucket.versions(&target.key, None).first_page(10);
    while let Some(page) = pages.next().await? {
        let found = page.entries().find(|entry| {
            entry.key == target.key
                && (entry.kind == Kind::Marker) == aim.is_marker
                && target.version_id.as_deref().is_none_or(|id| entry.version_id == Some(id))
        });
        if let Some(found) = found {
            return Ok(Some(found.etag.map(str::to_owned)));
        }
        if page.entries().any(|entry| entry.key != target.key) {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The bucket has begun to keep versions since it was looked at, so that nothing was deleted:
/// takes the delete marker away again.
async fn unhide(bucket: &Bucket, target: &DeleteTarget, marker: Option<&str>) -> Ended {
    let why = "the bucket keeps versions now, so that the store only put a delete marker there";
    let marker = match marker {
        None => return Ended::because(ItemResult::Unclear, why),
        // Versioning was suspended, so the marker has taken the object's place.
        Some("null") => {
            return Ended::because(ItemResult::Deleted, "a null delete marker has taken its place");
        }
        Some(marker) => marker,
    };
    let marker = DeleteTarget { key: target.key.clone(), version_id: Some(marker.into()), if_match: None };
    match bucket.delete_object(&marker).await {
        Ok(_) => Ended::because(ItemResult::Changed, format!("{why}; it was taken away again")),
        Err(error) => {
            Ended::because(ItemResult::Unclear, format!("{why}; and taking it away failed: {error}"))
        }
    }
}
