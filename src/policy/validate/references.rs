//! References to record files by name.

use std::collections::BTreeMap;

use crate::policy::codes::Code;
use crate::policy::decode::closest;
use crate::policy::diagnostic::{At, Faults};
use crate::policy::model::Table;

/// Record files by name, each with its place in the policy.
pub(super) struct Tables {
    places: BTreeMap<String, usize>,
    /// Whether all files could be read; if not, nothing is reported as missing.
    pub complete: bool,
}

impl Tables {
    pub(super) fn new(tables: &[Table], complete: bool) -> Self {
        let places = tables.iter().enumerate().map(|(place, table)| (table.name.clone(), place)).collect();
        Self { places, complete }
    }

    /// The place of the record file `name`; records if there is none.
    pub(super) fn find(&self, name: &str, at: At, faults: &mut Faults) -> Option<usize> {
        let found = self.places.get(name).copied();
        if found.is_none() && self.complete {
            let near = closest(name, self.places.keys().map(String::as_str), faults);
            let fault = faults.add(Code::UnknownReference, at, format!("there is no record file `{name}`"));
            match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("define it under `records:`"),
            };
        }
        found
    }
}
