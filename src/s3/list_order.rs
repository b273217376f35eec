//! Restores the order of versions and delete markers on pages of stores that send them as two
//! lists.
//!
//! AWS sends them interleaved, newest first within a key, and that order is the truth: a
//! multipart upload carries its initiation time, so times alone can mislead. It is replaced only
//! where the page proves that it was not interleaved, and then by merging the two lists, each of
//! which keeps its own order.

use chrono::{DateTime, Utc};

/// What the order of an entry depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing<'a> {
    pub(super) key: &'a str,
    pub(super) marker: bool,
    pub(super) is_latest: bool,
    pub(super) last_modified: DateTime<Utc>,
}

/// The rows in one order, or `None` if the order they came in stands.
pub(super) fn merged<'a, R: Copy>(rows: &[R], standing: impl Fn(&R) -> Standing<'a>) -> Option<Vec<R>> {
    let mut switches = rows
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| standing(&pair[0]).marker != standing(&pair[1]).marker)
        .map(|(place, _)| place + 1);
    let border = switches.next().filter(|_| switches.next().is_none())?;
    if !two_lists(rows, border, &standing) {
        return None;
    }
    let (mut left, mut right) = rows.split_at(border);
    let mut merged = Vec::with_capacity(rows.len());
    while let ([first, rest_left @ ..], [second, rest_right @ ..]) = (left, right) {
        if comes_first(&standing(first), &standing(second)) {
            merged.push(*first);
            left = rest_left;
        } else {
            merged.push(*second);
            right = rest_right;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    Some(merged)
}

/// Whether a page with a single change between versions and markers is two lists: keys step back
/// at the border; or in the key that spans it the latest does not come first, or a marker stands
/// before a version that is younger. (A version may stand before a younger marker: it was uploaded
/// in parts.)
fn two_lists<'a, R>(rows: &[R], border: usize, standing: &impl Fn(&R) -> Standing<'a>) -> bool {
    let (before, after) = (standing(&rows[border - 1]), standing(&rows[border]));
    if before.key != after.key {
        return before.key > after.key;
    }
    let later_latest =
        rows[border..].iter().map(standing).take_while(|row| row.key == before.key).any(|row| row.is_latest);
    let younger_below = before.marker && after.last_modified > before.last_modified;
    later_latest || younger_below
}

/// By key, the latest first, then the newest. At the same instant the version goes before the
/// marker: what it is superseded by is then the later of the two possible.
fn comes_first(left: &Standing<'_>, right: &Standing<'_>) -> bool {
    let rank = |row: &Standing<'_>| (!row.is_latest, std::cmp::Reverse(row.last_modified), row.marker);
    (left.key, rank(left)) <= (right.key, rank(right))
}
