//! The single dates that a trigger is made of.

use crate::policy::{Attribute, Source, Trigger};

/// One date of a trigger.
pub(super) struct Leaf<'t> {
    pub trigger: &'t Trigger,
    /// Where it stands on the object; `None` for the upload and for records.
    pub source: Option<&'t Attribute>,
    /// The table that it is looked up in.
    pub table: Option<usize>,
}

/// All dates that the trigger looks at.
pub(super) fn leaves(trigger: &Trigger) -> Vec<Leaf<'_>> {
    match &trigger.source {
        Source::Uploaded => Vec::new(),
        Source::Attribute(attribute) => vec![Leaf { trigger, source: Some(attribute), table: None }],
        Source::Record { table, .. } => vec![Leaf { trigger, source: None, table: Some(*table) }],
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().flat_map(|term| leaves(&term.trigger)).collect()
        }
    }
}
