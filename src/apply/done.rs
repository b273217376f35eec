//! Which rows of a plan an earlier run has done: one bit a row, whatever the plan's size.

use crate::evidence::{ItemOutcome, ItemResult};

/// The rows that are done.
#[derive(Clone, Debug, Default)]
pub struct DoneRows {
    bits: Vec<u64>,
    most: u64,
}

impl DoneRows {
    /// None yet, of a plan with `rows` rows.
    pub const fn of(rows: u64) -> Self {
        Self { bits: Vec::new(), most: rows }
    }

    /// Takes in what a log says of a row: whether it is done now, and was not before.
    pub fn take(&mut self, outcome: &ItemOutcome) -> bool {
        match outcome.row {
            Some(row) if is_done(outcome.result) && row < self.most => self.set(row),
            _ => false,
        }
    }

    fn set(&mut self, row: u64) -> bool {
        let (place, bit) = place(row);
        if self.bits.len() <= place {
            self.bits.resize(place + 1, 0);
        }
        let is_new = self.bits[place] & bit == 0;
        self.bits[place] |= bit;
        is_new
    }

    /// Whether the row is done.
    pub fn contains(&self, row: u64) -> bool {
        let (place, bit) = place(row);
        self.bits.get(place).is_some_and(|bits| bits & bit != 0)
    }
}

/// Whether nothing is left to do for a row that ended like this. A marker that has a row hides it for its
/// undo window.
const fn is_done(result: ItemResult) -> bool {
    result.is_gone() || matches!(result, ItemResult::MarkerAdded)
}

const fn place(row: u64) -> (usize, u64) {
    ((row / 64) as usize, 1 << (row % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(row: Option<u64>, result: ItemResult) -> ItemOutcome {
        let (bucket, key) = ("media".into(), "k".into());
        ItemOutcome {
            bucket,
            key,
            version_id: None,
            upload_id: None,
            row,
            result,
            detail: None,
            marker_version_id: None,
            copy: None,
            copy_etag: None,
        }
    }

    #[test]
    fn a_row_is_done_when_it_is_gone_and_counts_once() {
        let mut done = DoneRows::of(200);
        assert!(done.take(&outcome(Some(130), ItemResult::Deleted)));
        assert!(!done.take(&outcome(Some(130), ItemResult::AlreadyGone)));
        assert!(!done.take(&outcome(Some(131), ItemResult::Failed)));
        assert!(!done.take(&outcome(None, ItemResult::MarkerAdded)));
        assert!(done.contains(130) && !done.contains(131) && !done.contains(129) && !done.contains(100_000));
    }

    #[test]
    fn a_number_beyond_the_plan_takes_no_memory() {
        let mut done = DoneRows::of(10);
        assert!(!done.take(&outcome(Some(u64::MAX), ItemResult::Deleted)));
        assert!(done.bits.is_empty());
    }
}
