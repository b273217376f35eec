//! From all files of a policy to the policy, or to all of their faults.

use std::collections::BTreeMap;

use super::codes::Code;
use super::decode::{self, Raw};
use super::diagnostic::{At, Diagnostic, Faults, Place, Severity, SourceFile, Spanned};
use super::layout::Layout;
use super::model::Policy;
use super::places::Places;
use super::{validate, yaml};

/// A policy that was read without a fault.
#[derive(Clone, Debug)]
pub struct ReadPolicy {
    /// What it says.
    pub policy: Policy,
    /// What shows in single parts as they are read; [`crate::lint::lint`] has these and the others.
    pub warnings: Vec<Diagnostic>,
    pub(crate) layout: Layout,
    places: Places,
    rules: BTreeMap<String, Place>,
    tables: BTreeMap<String, Place>,
    top: Place,
}

impl ReadPolicy {
    /// Where the rule's id stands, for what is found out about the rule later.
    pub fn place_of_rule(&self, id: &str) -> &Place {
        self.rules.get(id).unwrap_or(&self.top)
    }

    /// Where the record file is named.
    pub fn place_of_table(&self, name: &str) -> &Place {
        self.tables.get(name).unwrap_or(&self.top)
    }

    /// A place of [`Self::layout`] as people count it.
    pub(crate) fn place(&self, at: At) -> Place {
        self.places.of(at)
    }

    /// Sorts by files, places and codes.
    pub(crate) fn sort(&self, diagnostics: &mut [Diagnostic]) {
        diagnostics.sort_by_key(|found| (self.places.order(&found.at), found.code));
    }
}

/// Reads a policy from all its files.
///
/// The order of the files makes no difference to the policy; in diagnostics it is kept.
///
/// # Errors
/// All faults that were found, in the order of files and places; never an empty list.
pub fn read(files: &[SourceFile]) -> Result<ReadPolicy, Vec<Diagnostic>> {
    let mut faults = Faults::default();
    let mut raw = Raw::default();
    let mut complete = true;
    if files.is_empty() {
        faults.add(Code::Empty, At { file: 0, start: 0, end: 0 }, "there is no policy file");
        complete = false;
    }
    for (index, file) in files.iter().enumerate() {
        let documents = yaml::read(index, file, &mut faults);
        complete &= documents.complete;
        for root in &documents.roots {
            complete &= decode::document(root, &mut raw, &mut faults);
        }
    }
    let rule_ids: Vec<_> = raw.rules.iter().filter_map(|rule| rule.id.clone()).collect();
    let table_names: Vec<_> = raw.tables.iter().map(|(name, _)| name.clone()).collect();
    let top = raw.name.as_ref().map_or(At { file: 0, start: 0, end: 0 }, |name| name.at);
    let mut warnings = Faults::default();
    let (policy, layout) = validate::policy(raw, complete, &mut faults, &mut warnings);
    let places = Places::new(files);
    if faults.count() > 0 {
        return Err(places.diagnostics(faults, Severity::Error));
    }
    let by_name = |names: Vec<Spanned<String>>| {
        names.into_iter().map(|name| (name.value, places.of(name.at))).collect()
    };
    Ok(ReadPolicy {
        policy,
        warnings: places.diagnostics(warnings, Severity::Warning),
        layout,
        rules: by_name(rule_ids),
        tables: by_name(table_names),
        top: places.of(top),
        places,
    })
}
