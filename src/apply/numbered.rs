//! A row of a plan that knows its place.

use crate::plan::PlanRow;

/// A row, and its place in the plan.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Counted from 0.
    pub number: u64,
    /// The row.
    pub row: PlanRow,
}

impl Numbered {
    /// The same, as it was decided again.
    pub fn decided(self, again: PlanRow) -> Self {
        Self { number: self.number, row: again }
    }
}
