//! Whether two rules count from the same date, and whether one could have an effect beside another.

use crate::policy::{Attribute, Enforce, Guards, Rule, Source, Term, Trigger};

/// Whether two triggers always have the same date.
pub(super) fn same_trigger(a: &Trigger, b: &Trigger) -> bool {
    if a.name.is_some() && a.name == b.name {
        return true;
    }
    let settings = (a.within, a.outside, a.if_missing) == (b.within, b.outside, b.if_missing);
    settings && a.format == b.format && same_source(&a.source, &b.source)
}

fn same_source(a: &Source, b: &Source) -> bool {
    match (a, b) {
        (Source::Uploaded, Source::Uploaded) => true,
        (Source::Attribute(a), Source::Attribute(b)) => same_attribute(a, b),
        (
            Source::Record { table: table_a, column: column_a },
            Source::Record { table: table_b, column: column_b },
        ) => (table_a, column_a) == (table_b, column_b),
        (Source::Earliest(a), Source::Earliest(b))
        | (Source::Latest(a), Source::Latest(b))
        | (Source::First(a), Source::First(b)) => same_terms(a, b),
        _ => false,
    }
}

fn same_terms(a: &[Term], b: &[Term]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.plus == b.plus && same_trigger(&a.trigger, &b.trigger))
}

fn same_attribute(a: &Attribute, b: &Attribute) -> bool {
    match (a, b) {
        (Attribute::Key(a), Attribute::Key(b)) => a.as_str() == b.as_str(),
        (Attribute::Metadata(a), Attribute::Metadata(b)) | (Attribute::Tag(a), Attribute::Tag(b)) => a == b,
        _ => false,
    }
}

/// Whether `rule` would change nothing for objects that `other` covers too: `other` keeps at least
/// as long from the same date, and is carried out like it. Overrides are not looked at.
pub(super) fn adds_nothing(rule: &Rule, other: &Rule) -> bool {
    !rule.retain.can_exceed(other.retain)
        && same_work(rule, other)
        && same_trigger(&rule.trigger, &other.trigger)
}

fn same_work(a: &Rule, b: &Rule) -> bool {
    a.guards == Guards::default()
        && (a.enforce == b.enforce || a.enforce == Enforce::Observe)
        && a.evidence_per_object <= b.evidence_per_object
        && a.transitions.is_empty()
        && (a.noncurrent, a.incomplete_uploads, a.undo_window)
            == (b.noncurrent, b.incomplete_uploads, b.undo_window)
        && a.export == b.export
}
