//! Which of a run's objects are asked for.

use crate::cli::args::UndoSelect;
use crate::evidence::Item;

/// Whether an item is one of those that are asked for.
pub(super) fn is_wanted(select: &UndoSelect, item: &Item) -> bool {
    select.bucket.as_ref().is_none_or(|bucket| *bucket == item.bucket)
        && select.key_prefix.as_ref().is_none_or(|prefix| item.key.starts_with(prefix.as_str()))
        && select.tenant.as_ref().is_none_or(|tenant| item.tenant.as_deref() == Some(tenant.as_str()))
        && select.rule.as_ref().is_none_or(|rule| *rule == item.rule)
}
