//! Warnings: a policy that can be used, but may not say what was meant.

use super::placed::{PlacedOverride, PlacedRule};
use crate::policy::codes::Code;
use crate::policy::decode::RawTable;
use crate::policy::diagnostic::{Faults, Spanned};
use crate::policy::model::Table;

/// Warns of overrides that have no effect.
pub(super) fn overrides(overrides: &[PlacedOverride], rules: &[PlacedRule], warnings: &mut Faults) {
    for placed in overrides {
        if rules.get(placed.over.rule).is_some_and(|rule| rule.rule.retain == placed.over.retain) {
            let message = format!("the rule's period is {} already", placed.over.retain);
            warnings.add(Code::OverrideChangesNothing, placed.retain_at, message);
        }
    }
}

/// Warns of record files that nothing reads.
pub(super) fn tables(raw: &[(Spanned<String>, Option<RawTable>)], tables: &[Table], warnings: &mut Faults) {
    for table in tables.iter().filter(|table| table.columns.is_empty()) {
        if let Some((name, _)) = raw.iter().find(|(name, _)| name.value == table.name) {
            warnings.add(
                Code::UnusedTable,
                name.at,
                format!("no rule uses the record file `{}`", table.name),
            );
        }
    }
}
