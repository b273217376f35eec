//! Warnings: a policy that can be used, but may not say what was meant.

use super::overrides::PlacedOverride;
use super::placed::PlacedRule;
use crate::policy::codes::Code;
use crate::policy::decode::RawTable;
use crate::policy::diagnostic::{Faults, Spanned};
use crate::policy::model::{Select, Table};

/// Above this many rules, overlaps are not looked for: the pairs would be millions.
const MOST_RULES: usize = 500;

/// Warns of rules that can match the same object, and of prefixes that match more than meant.
pub(super) fn rules(rules: &[PlacedRule], warnings: &mut Faults) {
    let pairs = (0..rules.len().min(MOST_RULES)).flat_map(|a| (0..a).map(move |b| (&rules[a], &rules[b])));
    for (a, b) in pairs.filter(|(a, b)| can_meet(&a.rule.select, &b.rule.select)) {
        // Whichever stands later in the files is the one to point at.
        let (first, second) = if a.at < b.at { (a, b) } else { (b, a) };
        warnings
            .add(
                Code::Overlap,
                second.at,
                format!("`{}` and `{}` can match the same object", second.rule.id, first.rule.id),
            )
            .see(first.at, "the other rule")
            .help("an object that both match stays until the last of them is due");
    }
    for placed in rules {
        let Some((prefix, at)) = placed.rule.select.prefix.as_ref().zip(placed.prefix_at) else { continue };
        if prefix.contains(['*', '?', '{', '}']) {
            warnings
                .add(
                    Code::PrefixLiteral,
                    at,
                    "a prefix is plain text: `*`, `?` and braces stand for themselves",
                )
                .help("use `key` for a pattern");
        } else if !prefix.ends_with('/') {
            warnings
                .add(
                    Code::PrefixBoundary,
                    at,
                    format!("the prefix also matches keys such as `{prefix}-old/…`"),
                )
                .help(format!("if a folder is meant, write `{prefix}/`"));
        }
    }
}

/// Whether an object can match both, as far as bucket names, prefixes and tenants tell.
fn can_meet(a: &Select, b: &Select) -> bool {
    let buckets = a.buckets.iter().any(|a| {
        b.buckets.iter().any(|b| match (a.is_exact(), b.is_exact()) {
            (true, _) => b.matches(a.as_str()),
            (_, true) => a.matches(b.as_str()),
            // Two different patterns may or may not have a name in common.
            (false, false) => a.as_str() == b.as_str(),
        })
    });
    let prefix = |select: &Select| select.prefix.clone().unwrap_or_default();
    let (prefix_a, prefix_b) = (prefix(a), prefix(b));
    let prefixes = prefix_a.starts_with(&prefix_b) || prefix_b.starts_with(&prefix_a);
    let keys = match (&a.key, &b.key) {
        (Some(a), Some(b)) => a.as_str() == b.as_str(),
        _ => true,
    };
    let tenants = match (&a.tenants, &b.tenants) {
        (Some(a), Some(b)) => a.iter().any(|tenant| b.contains(tenant)),
        _ => true,
    };
    buckets && prefixes && keys && tenants
}

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
