//! How a deletion ended: from what the store answers, and where that leaves doubt, from what
//! it lists. What is still there, and may go a while later, is put off.

use smol_str::SmolStr;

use crate::evidence::{ItemOutcome, ItemResult};
use crate::object::Kind;
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteAnswer, DeleteTarget, Entry, StoreError, StoreErrorKind};

/// How one row or marker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What became of it.
    pub result: ItemResult,
    /// More, for people.
    pub detail: Option<String>,
    /// Whether the store may still do what it has not done yet: nobody has heard that it will not.
    pub may_follow: bool,
}

impl Ended {
    /// An ending that needs no more words.
    pub const fn plain(result: ItemResult) -> Self {
        Self { result, detail: None, may_follow: false }
    }

    /// An ending that says why.
    pub fn because(result: ItemResult, why: impl Into<String>) -> Self {
        Self { result, detail: Some(why.into()), may_follow: false }
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

impl Aim {
    /// Whether that is what a listing shows; some stores name no version id of null versions.
    fn is_at(&self, entry: &Entry<'_>) -> bool {
        entry.key == self.target.key
            && (entry.kind == Kind::Marker) == self.is_marker
            && self.target.version_id.as_deref().is_none_or(|id| entry.version_id.unwrap_or("null") == id)
    }
}

/// What an answer to the deletion of what `aim` names means, where that takes no further look: where the store
/// tells of a delete marker and none was to be removed, it can have put one there instead.
pub fn plainly(aim: &Aim, answer: &DeleteAnswer) -> Option<Ended> {
    match answer {
        DeleteAnswer::Deleted { delete_marker, .. }
            if !delete_marker || aim.is_marker && aim.target.version_id.is_some() =>
        {
            Some(Ended::plain(ItemResult::Deleted))
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
        DeleteAnswer::Deleted { .. } if aim.target.version_id.is_some() => {
            doubtful(bucket, aim, "the answer tells of a delete marker, and a version was to be removed")
                .await
        }
        DeleteAnswer::Deleted { marker_version_id, .. } => {
            unhide(bucket, &aim.target, marker_version_id.as_deref()).await
        }
        DeleteAnswer::Failed { kind, code, message } => {
            let ended = judge(bucket, aim, kind, &format!("{code}: {message}")).await;
            Ended { may_follow: is_open(kind), ..ended }
        }
        DeleteAnswer::Unnamed => doubtful(bucket, aim, "the answer does not name it").await,
    }
}

/// What an error in answer to the deletion of what `aim` names means.
pub async fn settled(bucket: &Bucket, aim: &Aim, error: &StoreError) -> Ended {
    // Whatever it is called: what was refused had begun, and some of it may be done.
    let midway = StoreErrorKind::Failed;
    let kind = if error.came_with_success() { &midway } else { error.kind() };
    let ended = judge(bucket, aim, kind, &error.to_string()).await;
    Ended { may_follow: may_be_carried_out(error), ..ended }
}

/// Whether a request that ended so may have been carried out, or may be still.
pub fn may_be_carried_out(error: &StoreError) -> bool {
    error.came_with_success() || is_open(error.kind())
}

fn is_open(kind: &StoreErrorKind) -> bool {
    match kind {
        StoreErrorKind::Throttled | StoreErrorKind::Conflict => false,
        StoreErrorKind::Unreadable => true,
        kind => kind.is_retryable(),
    }
}

async fn judge(bucket: &Bucket, aim: &Aim, kind: &StoreErrorKind, why: &str) -> Ended {
    match kind {
        StoreErrorKind::Denied => Ended::because(ItemResult::Denied, why),
        StoreErrorKind::NotImplemented
        | StoreErrorKind::NotSent
        | StoreErrorKind::Other
        | StoreErrorKind::WrongRegion { .. } => Ended::because(ItemResult::Failed, why),
        // Nothing is sent twice, so what the store did not find, or has refused to delete, was taken away by
        // somebody else.
        StoreErrorKind::Changed | StoreErrorKind::NotFound | StoreErrorKind::Conflict => {
            match listed(bucket, aim).await {
                Ok(None) => Ended::because(ItemResult::AlreadyGone, why),
                Ok(Some(etag))
                    if *kind == StoreErrorKind::Changed
                        && etag.as_deref() != aim.target.if_match.as_deref() =>
                {
                    Ended::because(ItemResult::Changed, why)
                }
                found => concluded(found.map(|found| found.is_some()), kind, why),
            }
        }
        // It was not even begun.
        StoreErrorKind::Throttled => Ended::because(ItemResult::PutOff, why),
        _ => concluded(listed(bucket, aim).await.map(|found| found.is_some()), kind, why),
    }
}

/// Nobody has said for certain what became of it, so the store is asked whether it is there.
pub async fn doubtful(bucket: &Bucket, aim: &Aim, why: &str) -> Ended {
    let found = listed(bucket, aim).await;
    let ended = concluded(found.map(|found| found.is_some()), &StoreErrorKind::Other, why);
    Ended { may_follow: true, ..ended }
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
        let found = page.entries().find(|entry| aim.is_at(entry));
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
    match marker {
        None => Ended::because(ItemResult::Unclear, why),
        // Versioning was suspended, so the marker has taken the object's place.
        Some("null") => Ended::because(ItemResult::Deleted, "a null delete marker has taken its place"),
        Some(marker) => take_away(bucket, &target.key, marker, why).await,
    }
}

/// Takes away a delete marker that was put where it must not be, and says `why` that is so.
pub async fn take_away(bucket: &Bucket, key: &SmolStr, marker: &str, why: &str) -> Ended {
    let target = DeleteTarget { key: key.clone(), version_id: Some(marker.into()), if_match: None };
    match bucket.delete_object(&target).await {
        Ok(_) => Ended::because(ItemResult::Changed, format!("{why}; the marker was taken away again")),
        Err(error) => {
            Ended::because(ItemResult::Unclear, format!("{why}; and taking it away failed: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::Page;

    #[test]
    fn a_null_version_is_found_also_where_no_id_is_listed() {
        let listed = |id: &str| {
            let version = format!(
                "<Version><Key>k</Key>{id}<IsLatest>true</IsLatest><Size>1</Size>\
                 <LastModified>2026-01-01T00:00:00Z</LastModified></Version>"
            );
            Page::from_answer(format!(
                "<ListVersionsResult><IsTruncated>false</IsTruncated>{version}</ListVersionsResult>"
            ))
            .unwrap()
        };
        for (wanted, id, is_found) in [
            (Some("null"), "", true),
            (Some("null"), "<VersionId>null</VersionId>", true),
            (Some("3L4"), "", false),
            (Some("null"), "<VersionId>3L4</VersionId>", false),
            (None, "", true),
        ] {
            let target = DeleteTarget { key: "k".into(), version_id: wanted.map(Into::into), if_match: None };
            let aim = Aim { target, is_marker: false };
            let page = listed(id);
            assert_eq!(page.entries().any(|entry| aim.is_at(&entry)), is_found, "{wanted:?} {id}");
            assert!(!page.entries().any(|entry| Aim { is_marker: true, ..aim.clone() }.is_at(&entry)));
        }
    }

    #[test]
    fn a_delete_marker_in_the_answer_is_plain_only_where_one_was_to_be_removed() {
        let answer = |delete_marker| DeleteAnswer::Deleted { delete_marker, marker_version_id: None };
        for (version_id, is_marker, delete_marker, is_plain) in [
            (None, false, false, true),
            (None, false, true, false),
            (Some("3L4"), false, false, true),
            (Some("3L4"), false, true, false),
            (Some("3L4"), true, true, true),
            (Some("3L4"), true, false, true),
        ] {
            let target =
                DeleteTarget { key: "k".into(), version_id: version_id.map(Into::into), if_match: None };
            let ended = plainly(&Aim { target, is_marker }, &answer(delete_marker));
            assert_eq!(ended.is_some(), is_plain, "{version_id:?} {is_marker} {delete_marker}");
        }
    }
}
