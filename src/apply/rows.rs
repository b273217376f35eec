//! Through all rows of a plan, chunk by chunk; a bucket that fails does not stop the others.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::run::{Applied, ApplyError, Run, Watch};
use super::{chunk, configure};
use crate::evidence::EvidenceLog;
use crate::plan::{PlanFileError, PlanRow};

/// How many rows are looked at, logged and deleted together, at least while keys are short of
/// versions: the most that S3 takes in one DeleteObjects (API reference, "DeleteObjects").
pub const CHUNK_ROWS: usize = 1000;

/// What stands for a row in [`run`]'s `done`.
pub fn row_identity(bucket: &str, key: &str, version_id: Option<&str>, upload_id: Option<&str>) -> [u8; 16] {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in [Some(bucket), Some(key), version_id, upload_id] {
        hash.update([u8::from(part.is_some())]);
        hash.update((part.unwrap_or_default().len() as u64).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    let digest = hash.finalize();
    let mut identity = [0; 16];
    identity.copy_from_slice(&digest[..16]);
    identity
}

/// Carries out `rows`, which come as the plan has them; those in `done` were done before.
///
/// Configurations come first, the narrowing parts of all buckets before any other.
///
/// What was done is in `applied`, also where it ends in an error.
///
/// # Errors
/// [`ApplyError`]; a row, a configuration or a bucket that fails is no error of the run.
pub async fn run(
    run: &Run<'_>,
    rows: impl Iterator<Item = Result<PlanRow, PlanFileError>>,
    done: &HashSet<[u8; 16]>,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    configure::configure(run, log, applied, watch).await?;
    if run.narrow_only {
        return Ok(());
    }

    let mut chunk: Vec<PlanRow> = Vec::new();
    for row in rows {
        let row = row?;
        let identity =
            row_identity(&row.bucket, &row.key, row.version_id.as_deref(), row.upload_id.as_deref());
        if done.contains(&identity) {
            applied.done_before += 1;
            continue;
        }
        // All rows of a key go together: the latest version waits for the older ones.
        let ends_chunk = chunk.last().is_some_and(|last| {
            last.bucket != row.bucket || (chunk.len() >= CHUNK_ROWS && last.key != row.key)
        });
        if ends_chunk {
            carry_out(run, std::mem::take(&mut chunk), log, applied, watch).await?;
        }
        if applied.interrupted {
            return Ok(());
        }
        chunk.push(row);
    }
    carry_out(run, chunk, log, applied, watch).await
}

async fn carry_out(
    run: &Run<'_>,
    rows: Vec<PlanRow>,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    if run.stop.load(Ordering::Relaxed) {
        applied.interrupted = true;
        return Ok(());
    }
    let bucket = first.bucket.clone();
    if applied.broken.contains_key(&bucket) {
        return Ok(());
    }
    let target = run.buckets.get(&bucket).ok_or_else(|| ApplyError::NotEnrolled(bucket.clone()))?;
    let results = &mut applied.results;
    let carried = chunk::carry_out(run, target, rows, log, &mut |outcomes| {
        for outcome in outcomes {
            *results.entry(outcome.result).or_default() += 1;
        }
        watch.removed(outcomes);
    })
    .await;
    match carried {
        Err(error @ (ApplyError::Store(_) | ApplyError::BucketChanged)) => {
            applied.broken.insert(bucket, error);
            Ok(())
        }
        other => other,
    }
}
