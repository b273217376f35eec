//! Hiding versions behind delete markers for their undo window. Nothing is removed.

use futures::stream::{self, StreamExt};

use super::cover::{Covered, cover};
use super::numbered::Numbered;
use crate::evidence::ItemResult;
use crate::plan::PlanRow;
use crate::s3::Bucket;

/// How many markers are put at a time.
const MARKS_AT_ONCE: usize = 16;

/// Puts a delete marker on top of each row's version, where that is still the latest.
pub(super) async fn mark_all(bucket: &Bucket, rows: &[Numbered]) -> Vec<Covered> {
    let marks: Vec<_> = rows.iter().map(|it| hide(bucket, &it.row)).collect();
    stream::iter(marks).buffered(MARKS_AT_ONCE).collect().await
}

/// A marker that may be somebody else's is not claimed: an undo must not take it for the run's own.
async fn hide(bucket: &Bucket, row: &PlanRow) -> Covered {
    let mut covered = cover(bucket, row).await;
    if covered.ended.result == ItemResult::MarkerAdded && covered.marker.is_none() {
        covered.ended.result = ItemResult::Unclear;
    }
    covered
}
