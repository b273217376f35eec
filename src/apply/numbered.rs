//! A row of a plan that knows its place.

use std::sync::Arc;

use crate::plan::PlanRow;

/// A row, and its place in the plan.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Counted from 0.
    pub number: u64,
    /// The row, which a retry needs as well.
    pub row: Arc<PlanRow>,
}

impl Numbered {
    /// The same, as it was decided again. What is long due is decided without reading all that was read for
    /// the plan, so that what the plan knows besides stays.
    pub fn decided(self, mut again: Arc<PlanRow>) -> Self {
        let planned = &self.row;
        let row = Arc::make_mut(&mut again);
        if row.tenant.is_none() {
            row.tenant.clone_from(&planned.tenant);
        }
        let is_same = row.rule == planned.rule && row.erasure == planned.erasure;
        if is_same && row.trigger.is_none() {
            row.trigger.clone_from(&planned.trigger);
            row.trigger_source.clone_from(&planned.trigger_source);
            row.due = planned.due;
        }
        Self { number: self.number, row: again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::row::tests::version;

    #[test]
    fn what_the_second_look_did_not_have_to_read_stays_known() {
        let planned = Numbered { number: 3, row: Arc::new(version("a", "1", true)) };
        let later = planned.row.due + chrono::TimeDelta::days(2);
        let again = PlanRow { tenant: None, trigger: None, due: later, ..(*planned.row).clone() };
        let decided = planned.clone().decided(again.clone().into());
        assert_eq!((decided.number, decided.row), (3, planned.row.clone()));
        // Of another rule the plan knows nothing.
        let other = PlanRow { rule: "other".into(), ..again };
        assert_eq!(planned.clone().decided(other.into()).row.due, later);
        let known = PlanRow { reason: "another".into(), due: later, ..(*planned.row).clone() };
        assert_eq!(*planned.decided(known.clone().into()).row, known);
    }
}
