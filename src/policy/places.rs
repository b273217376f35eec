//! Where faults stand, as people count it: file, line and column.

use std::borrow::Cow;

use super::diagnostic::{At, Diagnostic, Fault, Faults, Place, Severity, SourceFile};
use super::yaml;

/// Works out lines and columns.
pub(super) struct Places<'f> {
    files: &'f [SourceFile],
    texts: Vec<Cow<'f, str>>,
}

impl<'f> Places<'f> {
    pub(super) fn new(files: &'f [SourceFile]) -> Self {
        Self { files, texts: files.iter().map(|file| yaml::decode_lossy(&file.bytes)).collect() }
    }

    /// The faults as diagnostics.
    pub(super) fn diagnostics(&self, faults: Faults, severity: Severity) -> Vec<Diagnostic> {
        let diagnostic = |fault: Fault| Diagnostic {
            code: fault.code,
            severity,
            at: self.of(fault.at),
            message: fault.message,
            help: fault.help,
            related: fault.related.into_iter().map(|(at, label)| (self.of(at), label)).collect(),
        };
        faults.sorted().into_iter().map(diagnostic).collect()
    }

    pub(super) fn of(&self, at: At) -> Place {
        let text = self.texts.get(at.file).map_or("", |text| text.as_ref());
        let (line, column) = line_and_column(text, at.start);
        let file = self.files.get(at.file).map(|file| file.path.clone()).unwrap_or_default();
        Place { file, span: at.start..at.end, line, column }
    }
}

fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
