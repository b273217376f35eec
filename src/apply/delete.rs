//! Sending deletions, and accounting for every one of them.
//!
//! Nothing is called deleted on absence alone: what an answer does not name, and what an
//! error leaves open, is listed again.

use std::time::Duration;

use super::ending::{Ended, answered, doubtful, settled};
use crate::evidence::ItemResult;
use crate::object::Kind;
use crate::plan::PlanRow;
use crate::s3::{Bucket, DeleteAnswer, DeleteTarget, MAX_DELETE_TARGETS, needs_single_delete};

/// How often a deletion that the store puts off is sent again.
const ATTEMPTS: u32 = 6;

/// How long the first pause is; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Removes `rows`, which share a bucket; one ending for each, in their order.
pub async fn remove(bucket: &Bucket, rows: &[PlanRow]) -> Vec<Ended> {
    let mut endings: Vec<Option<Ended>> = vec![None; rows.len()];
    let mut batch = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        if row.kind == Kind::Object && row.etag.is_none() {
            let why = "the store lists no ETag, so nothing would guard a newer object";
            endings[place] = Some(Ended::because(ItemResult::Failed, why));
        } else if row.kind != Kind::Upload && !needs_single_delete(&row.key) {
            batch.push((place, target_of(row)));
        }
    }
    // The many go first: they were looked at together, and the look grows old.
    for part in batch.chunks(MAX_DELETE_TARGETS) {
        for (place, ended) in many(bucket, part).await {
            endings[place] = Some(ended);
        }
    }
    for (place, row) in rows.iter().enumerate() {
        if endings[place].is_none() {
            endings[place] = Some(match row.kind {
                Kind::Upload => abort(bucket, row).await,
                _ => one(bucket, &target_of(row)).await,
            });
        }
    }
    let lost = || Ended::because(ItemResult::Unclear, "it has no answer");
    endings.into_iter().map(|ended| ended.unwrap_or_else(lost)).collect()
}

/// By version id; where there is none, with the ETag as condition.
fn target_of(row: &PlanRow) -> DeleteTarget {
    DeleteTarget {
        key: row.key.clone(),
        version_id: row.version_id.clone(),
        if_match: if row.version_id.is_none() { row.etag.clone() } else { None },
    }
}

async fn many(bucket: &Bucket, part: &[(usize, DeleteTarget)]) -> Vec<(usize, Ended)> {
    let mut open: Vec<(usize, DeleteTarget)> = part.to_vec();
    let mut endings = Vec::with_capacity(part.len());
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let targets: Vec<DeleteTarget> = open.iter().map(|(_, target)| target.clone()).collect();
        let report = match bucket.delete_objects(&targets).await {
            Ok(report) => report,
            Err(error) => {
                for (place, target) in open {
                    endings.push((place, settled(bucket, &target, &error).await));
                }
                return endings;
            }
        };
        let is_sane = report.foreign.is_empty();
        let mut again = Vec::new();
        for ((place, target), answer) in open.into_iter().zip(report.answers) {
            if is_put_off(&answer) && attempt < ATTEMPTS {
                again.push((place, target));
            } else if is_sane {
                endings.push((place, answered(bucket, &target, &answer).await));
            } else {
                let why = "the answer names what nobody asked for";
                endings.push((place, doubtful(bucket, &target, why).await));
            }
        }
        if again.is_empty() {
            break;
        }
        open = again;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    endings
}

const fn is_put_off(answer: &DeleteAnswer) -> bool {
    matches!(answer, DeleteAnswer::Failed { kind, .. } if kind.is_retryable())
}

async fn one(bucket: &Bucket, target: &DeleteTarget) -> Ended {
    match bucket.delete_object(target).await {
        Ok(answer) => answered(bucket, target, &answer).await,
        Err(error) => settled(bucket, target, &error).await,
    }
}

async fn abort(bucket: &Bucket, row: &PlanRow) -> Ended {
    let upload_id = row.upload_id.as_deref().unwrap_or_default();
    let aborted = bucket.abort_upload(&row.key, upload_id).await;
    if aborted.is_ok() {
        return Ended { result: ItemResult::Aborted, detail: None };
    }
    let why = aborted.err().map(|error| error.to_string()).unwrap_or_default();
    match is_upload_listed(bucket, &row.key, upload_id).await {
        Ok(true) => Ended::because(ItemResult::Failed, format!("{why}; it is still listed")),
        Ok(false) => Ended::because(ItemResult::AlreadyGone, format!("{why}; it is not listed any more")),
        Err(error) => Ended::because(ItemResult::Unclear, format!("{why}; and listing it failed: {error}")),
    }
}

async fn is_upload_listed(
    bucket: &Bucket,
    key: &str,
    upload_id: &str,
) -> Result<bool, crate::s3::StoreError> {
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
