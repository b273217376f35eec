//! One file, from its bytes to its documents.

use super::tree::{self, Documents};
use super::{agree, text};
use crate::policy::diagnostic::{Faults, SourceFile};

/// Reads one file, recording what is wrong with it as text and as YAML.
pub(in crate::policy) fn read(file: usize, source: &SourceFile, faults: &mut Faults) -> Documents {
    read_as(file, source, false, faults)
}

/// The same, for a file in which a date can be a key.
pub(in crate::policy) fn read_with_dates(file: usize, source: &SourceFile, faults: &mut Faults) -> Documents {
    read_as(file, source, true, faults)
}

fn read_as(file: usize, source: &SourceFile, dates_as_keys: bool, faults: &mut Faults) -> Documents {
    let Some(text) = text::check(file, &source.bytes, faults) else {
        return Documents { roots: Vec::new(), complete: false };
    };
    let before = faults.count();
    let documents = tree::parse(file, text, dates_as_keys, faults);
    if faults.count() == before {
        agree::check(file, text, &documents.roots, faults);
    }
    documents
}
