//! One file, from its bytes to its documents.

use super::tree::{self, Documents};
use super::{agree, text};
use crate::policy::diagnostic::{Faults, SourceFile};

/// Reads one file, recording what is wrong with it as text and as YAML.
pub(in crate::policy) fn read(file: usize, source: &SourceFile, faults: &mut Faults) -> Documents {
    let Some(text) = text::check(file, &source.bytes, faults) else {
        return Documents { roots: Vec::new(), complete: false };
    };
    let before = faults.count();
    let documents = tree::parse(file, text, faults);
    if faults.count() == before {
        agree::check(file, text, &documents.roots, faults);
    }
    documents
}
