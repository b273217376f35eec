//! All that came of an audit, to be shown.

use super::super::caching::ReadReport;
use super::super::exit::Exit;
use super::super::run::Ready;
use crate::audit::{Asked, Findings};

/// All that came of an audit.
pub struct Audited<'a> {
    /// What it was made of.
    pub ready: &'a Ready,
    /// What was found.
    pub findings: Findings,
    /// What the store said.
    pub asked: Asked,
    /// What was read of single objects to decide.
    pub reads: ReadReport,
    /// The command that would mend what can be mended.
    pub reconcile: String,
}

impl Audited<'_> {
    /// How the command ends.
    pub fn exit(&self) -> Exit {
        if self.findings.is_kept() { Exit::Done } else { Exit::NotKept }
    }
}
