//! From all files of a policy to the policy, or to all of their faults.

use chrono::NaiveDate;

use super::codes::Code;
use super::decode::{self, Raw};
use super::diagnostic::{At, Diagnostic, Faults, Place, Severity, SourceFile};
use super::model::Policy;
use super::places::Places;
use super::{validate, yaml};

/// A policy that was read without a fault.
#[derive(Clone, Debug)]
pub struct ReadPolicy {
    /// What it says.
    pub policy: Policy,
    /// What does not depend on the date; [`super::lint`] has these and the others.
    pub warnings: Vec<Diagnostic>,
    pub(super) last_days: Vec<LastDay>,
}

/// The day on which a hold or an override stops having an effect.
#[derive(Clone, Debug)]
pub(super) struct LastDay {
    pub(super) day: NaiveDate,
    pub(super) at: Place,
    pub(super) what: String,
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
    let mut warnings = Faults::default();
    let (policy, last_days) = validate::policy(raw, complete, &mut faults, &mut warnings);
    let places = Places::new(files);
    if faults.count() > 0 {
        return Err(places.diagnostics(faults, Severity::Error));
    }
    let last_days = last_days
        .into_iter()
        .map(|last| LastDay { day: last.day, at: places.of(last.at), what: last.what })
        .collect();
    Ok(ReadPolicy { policy, warnings: places.diagnostics(warnings, Severity::Warning), last_days })
}
