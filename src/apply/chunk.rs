//! One chunk of rows: look again, log the intent, delete in a safe order, log the outcome.
//!
//! Deleting the latest version of a key brings an older one back. So the older ones go first;
//! the latest goes when they are seen to be gone, and if any stays, a delete marker is put on
//! top before the latest is removed.

use super::ending::Ended;
use super::recheck::{Company, Look, look_again};
use super::run::{ApplyError, Run};
use super::{cover, delete};
use crate::evidence::{self, EvidenceLog, ItemOutcome, ItemResult};
use crate::object::{Kind, Versioning};
use crate::plan::PlanRow;
use crate::survey::Enrolled;

/// Takes the outcomes of a batch.
type Report<'a> = &'a mut (dyn FnMut(&[ItemOutcome]) + Send);

/// Carries out `rows`, which share a bucket and hold all planned rows of their keys.
pub async fn carry_out(
    run: &Run<'_>,
    target: &Enrolled,
    rows: Vec<PlanRow>,
    log: &mut EvidenceLog,
    report: Report<'_>,
) -> Result<(), ApplyError> {
    // How objects can be removed hangs on the bucket's state, which somebody may change meanwhile.
    if target.bucket.facts().await? != target.facts {
        return Err(ApplyError::BucketChanged);
    }
    let looks = look_again(run, target, &rows).await?;
    let (mut tops, mut nulls) = (Vec::new(), Vec::new());
    let mut batch = Batch::default();
    for (row, look) in rows.into_iter().zip(looks) {
        match look {
            Look::Goes(_) if is_mutable(target, &row) => nulls.push(row),
            Look::Goes(Company::OnTop) => tops.push(row),
            Look::Goes(Company::None) => batch.goes.push(row),
            Look::Stays(result, why) => batch.stays.push((row, Ended::because(result, why))),
        }
    }
    send(run, target, batch, log, report).await?;
    send(run, target, Batch { nulls, ..Batch::default() }, log, report).await?;

    if tops.is_empty() {
        return Ok(());
    }
    let looks = look_again(run, target, &tops).await?;
    let mut batch = Batch::default();
    for (row, look) in tops.into_iter().zip(looks) {
        match look {
            Look::Goes(Company::None) => batch.goes.push(row),
            Look::Goes(Company::OnTop) if row.kind == Kind::Marker => {
                let why = "versions below it are still there";
                batch.stays.push((row, Ended::because(ItemResult::Overtaken, why)));
            }
            Look::Goes(Company::OnTop) if target.facts.versioning == Versioning::Suspended => {
                let why = "versions below it stay, and a null delete marker could destroy a newer object";
                batch.stays.push((row, Ended::because(ItemResult::Overtaken, why)));
            }
            Look::Goes(Company::OnTop) => batch.covered.push(row),
            Look::Stays(result, why) => batch.stays.push((row, Ended::because(result, why))),
        }
    }
    send(run, target, batch, log, report).await
}

/// Whether another object can take the place of what the row names, under the same version id:
/// the null version of a suspended bucket (user guide, "Adding objects to versioning-suspended
/// buckets").
fn is_mutable(target: &Enrolled, row: &PlanRow) -> bool {
    target.facts.versioning == Versioning::Suspended && row.version_id.as_deref() == Some("null")
}

/// Rows of one intent.
#[derive(Default)]
struct Batch {
    /// To be removed.
    goes: Vec<PlanRow>,
    /// To be removed once a delete marker is on top.
    covered: Vec<PlanRow>,
    /// Null versions of a suspended bucket, to be removed.
    nulls: Vec<PlanRow>,
    /// Left alone.
    stays: Vec<(PlanRow, Ended)>,
}

async fn send(
    run: &Run<'_>,
    target: &Enrolled,
    batch: Batch,
    log: &mut EvidenceLog,
    report: Report<'_>,
) -> Result<(), ApplyError> {
    let Batch { goes, covered, nulls, stays } = batch;
    let rows = goes.iter().chain(&covered).chain(&nulls).chain(stays.iter().map(|(row, _)| row));
    let mut items: Vec<evidence::Item> = rows.cloned().map(evidence::Item::from).collect();
    if items.is_empty() {
        return Ok(());
    }
    items.extend(covered.iter().map(marker_item));
    let number = log.intent((run.clock)(), items)?;

    let removed = delete::remove(&target.bucket, &goes).await;
    let mut outcomes: Vec<ItemOutcome> =
        goes.iter().zip(removed).map(|(row, ended)| outcome(row, ended)).collect();
    outcomes.extend(stays.into_iter().map(|(row, ended)| outcome(&row, ended)));
    for row in nulls {
        outcomes.push(outcome(&row, cover::remove_null(&target.bucket, &row).await));
    }
    for row in covered {
        let marker = cover::cover(&target.bucket, &row).await;
        outcomes.push(ItemOutcome { version_id: None, ..outcome(&row, marker.clone()) });
        let ended = if marker.result == ItemResult::MarkerAdded {
            let row = [row.clone()];
            delete::remove(&target.bucket, &row).await.pop()
        } else {
            Some(Ended::because(marker.result, "it could not be covered by a delete marker"))
        };
        let lost = || Ended::because(ItemResult::Unclear, "it has no answer");
        outcomes.push(outcome(&row, ended.unwrap_or_else(lost)));
    }
    log.outcome((run.clock)(), number, outcomes.clone())?;
    report(&outcomes);
    Ok(())
}

fn marker_item(row: &PlanRow) -> evidence::Item {
    evidence::Item {
        action: evidence::Action::AddMarker,
        kind: Kind::Marker,
        version_id: None,
        etag: None,
        size: 0,
        reason: "older versions stay, and must not come back".to_owned(),
        ..evidence::Item::from(row.clone())
    }
}

fn outcome(row: &PlanRow, ended: Ended) -> ItemOutcome {
    ItemOutcome {
        bucket: row.bucket.clone(),
        key: row.key.clone(),
        version_id: row.version_id.clone(),
        upload_id: row.upload_id.clone(),
        result: ended.result,
        detail: ended.detail,
    }
}
