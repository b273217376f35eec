//! Sending deletions, and accounting for every one of them.
//!
//! Nothing is called deleted on absence alone: what an answer does not name, and what an
//! error leaves open, is listed again. Nothing is sent twice either: what the store puts off is looked at
//! again first.

use futures::stream::{self, StreamExt};

use super::ending::{Aim, Ended, answered, doubtful, plainly, settled};
use crate::evidence::ItemResult;
use crate::object::Kind;
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteTarget, MAX_DELETE_TARGETS, StoreError};

/// How many single requests run at a time: deletions that a batch cannot carry, and looks at what an
/// answer leaves open.
const AT_ONCE: usize = 16;

/// Removes `rows`, which share a bucket; one ending for each, in their order.
pub async fn remove(bucket: &Bucket, rows: &[&PlanRow]) -> Vec<Ended> {
    let mut endings: Vec<Option<Ended>> = vec![None; rows.len()];
    let (mut batch, mut single) = (Vec::new(), Vec::new());
    for (place, row) in rows.iter().enumerate() {
        if row.kind == Kind::Object && row.etag.is_none() {
            let why = "the store lists no ETag, so nothing would guard a newer object";
            endings[place] = Some(Ended::because(ItemResult::Failed, why));
            continue;
        }
        let aim = aim_at(row);
        if row.kind == Kind::Upload || aim.target.goes_alone() {
            single.push((place, *row, aim));
        } else {
            batch.push((place, aim));
        }
    }
    // The many go first: they were looked at together, and the look grows old.
    for part in batch.chunks(MAX_DELETE_TARGETS) {
        for (place, ended) in many(bucket, part).await {
            endings[place] = Some(ended);
        }
    }
    let singles = single.into_iter().map(|(place, row, aim)| async move {
        let ended = match row.kind {
            Kind::Upload => abort(bucket, row).await,
            _ => one(bucket, &aim).await,
        };
        (place, ended)
    });
    let singles = stream::iter(singles.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    for (place, ended) in singles.collect::<Vec<_>>().await {
        endings[place] = Some(ended);
    }
    let lost = || Ended::because(ItemResult::Unclear, "it has no answer");
    endings.into_iter().map(|ended| ended.unwrap_or_else(lost)).collect()
}

/// By version id; where there is none, with the ETag as condition.
pub(super) fn aim_at(row: &PlanRow) -> Aim {
    let target = DeleteTarget {
        key: row.key.clone(),
        version_id: row.version_id.clone(),
        if_match: if row.version_id.is_none() { row.etag.clone() } else { None },
    };
    Aim { target, is_marker: row.kind == Kind::Marker }
}

async fn many(bucket: &Bucket, part: &[(usize, Aim)]) -> Vec<(usize, Ended)> {
    let targets: Vec<DeleteTarget> = part.iter().map(|(_, aim)| aim.target.clone()).collect();
    let report = bucket.delete_objects(&targets).await;
    let is_sane = report.as_ref().is_ok_and(|report| report.foreign.is_empty());
    let (mut endings, mut open) = (Vec::with_capacity(part.len()), Vec::new());
    for (number, (place, aim)) in part.iter().enumerate() {
        let report = &report;
        if let Ok(report) = report
            && is_sane
            && let Some(ended) = plainly(aim, &report.answers[number])
        {
            endings.push((*place, ended));
            continue;
        }
        open.push(async move {
            let ended = match report {
                Ok(report) if is_sane => answered(bucket, aim, &report.answers[number]).await,
                Ok(_) => doubtful(bucket, aim, "the answer names what nobody asked for").await,
                Err(error) => settled(bucket, aim, error).await,
            };
            (*place, ended)
        });
    }
    endings.extend(stream::iter(open).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    endings
}

async fn one(bucket: &Bucket, aim: &Aim) -> Ended {
    match bucket.delete_object(&aim.target).await {
        Ok(answer) => answered(bucket, aim, &answer).await,
        Err(error) => settled(bucket, aim, &error).await,
    }
}

async fn abort(bucket: &Bucket, row: &PlanRow) -> Ended {
    let upload_id = row.upload_id.as_deref().unwrap_or_default();
    let Err(error) = bucket.abort_upload(&row.key, upload_id).await else {
        return Ended::plain(ItemResult::Aborted);
    };
    let why = error.to_string();
    match is_upload_listed(bucket, &row.key, upload_id).await {
        Ok(true) if error.kind().is_retryable() => {
            Ended::because(ItemResult::PutOff, format!("{why}; it is still listed"))
        }
        Ok(true) => Ended::because(ItemResult::Failed, format!("{why}; it is still listed")),
        Ok(false) => Ended::because(ItemResult::AlreadyGone, format!("{why}; it is not listed any more")),
        Err(error) => Ended::because(ItemResult::Unclear, format!("{why}; and listing it failed: {error}")),
    }
}

async fn is_upload_listed(bucket: &Bucket, key: &str, upload_id: &str) -> Result<bool, StoreError> {
    let mut pages = bucket.uploads(key);
    while let Some(page) = pages.next().await? {
        if page.entries().any(|entry| entry.key == key && entry.upload_id == Some(upload_id)) {
            return Ok(true);
        }
        if page.entries().any(|entry| entry.key != key) {
            return Ok(false);
        }
    }
    Ok(false)
}
