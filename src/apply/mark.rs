//! Hiding versions behind delete markers for their undo window. Nothing is removed.

use futures::stream::{self, StreamExt};

use super::cover::{Covered, cover};
use super::numbered::Numbered;
use crate::s3::Bucket;

/// How many markers are put at a time.
const MARKS_AT_ONCE: usize = 16;

/// Puts a delete marker on top of each row's version, where that is still the latest.
pub(super) async fn mark_all(bucket: &Bucket, rows: &[Numbered]) -> Vec<Covered> {
    let marks: Vec<_> = rows.iter().map(|it| cover(bucket, &it.row)).collect();
    stream::iter(marks).buffered(MARKS_AT_ONCE).collect().await
}
