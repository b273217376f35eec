//! Warnings: a policy that can be used, but may not say what was meant.

use std::collections::BTreeSet;

use super::lengths::Lengths;
use super::placed::{PlacedOverride, PlacedRule};
use crate::policy::codes::Code;
use crate::policy::decode::RawTable;
use crate::policy::diagnostic::{Faults, Spanned};
use crate::policy::model::Table;

/// Warns of overrides that have no effect.
pub(super) fn overrides(
    overrides: &[PlacedOverride],
    rules: &[PlacedRule],
    lengths: &mut Lengths,
    warnings: &mut Faults,
) {
    let mut shortened = BTreeSet::new();
    for PlacedOverride { over, .. } in overrides {
        if let Some(placed) = rules.get(over.rule)
            && lengths.can_exceed(placed.rule.retain, over.retain)
        {
            shortened.insert(over.rule);
        }
    }
    for PlacedOverride { over, retain_at, .. } in overrides {
        let is_the_rules = rules.get(over.rule).is_some_and(|placed| placed.rule.retain == over.retain);
        // What a law asks for outweighs erasures; and where several fit the longest counts.
        if is_the_rules && over.legal_basis.is_none() && !shortened.contains(&over.rule) {
            let message = format!("the rule's period is {} already", over.retain);
            warnings.add(Code::OverrideChangesNothing, *retain_at, message);
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
