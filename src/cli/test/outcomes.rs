//! All that came of a test run.

use super::judge::Outcome;
use crate::policy::{Diagnostic, SourceFile};

/// All that came of a run.
pub struct Run {
    pub outcomes: Vec<Outcome>,
    /// Files that are no tests, each with its faults and the sources to show them in.
    pub invalid: Vec<Invalid>,
    /// Rules that no test has made expire.
    pub never_expired: Vec<String>,
    /// How many test files there are.
    pub files: usize,
    /// How many tests `--only` left out.
    pub left_out: usize,
}

/// A test file with faults.
pub struct Invalid {
    pub faults: Vec<Diagnostic>,
    pub sources: Vec<SourceFile>,
}
