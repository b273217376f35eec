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
