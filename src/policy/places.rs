//! Where faults stand, as people count it: file, line and column.

use super::diagnostic::{At, Diagnostic, Fault, Faults, Place, Severity, SourceFile};
use super::yaml;

/// Works out lines and columns.
#[derive(Clone, Debug)]
pub(super) struct Places {
    files: Vec<Lines>,
}

#[derive(Clone, Debug)]
struct Lines {
    path: String,
    text: String,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl Places {
    pub(super) fn new(files: &[SourceFile]) -> Self {
        let lines = |file: &SourceFile| {
            let text = yaml::decode_lossy(&file.bytes).into_owned();
            let starts =
                std::iter::once(0).chain(text.match_indices('\n').map(|(place, _)| place + 1)).collect();
            Lines { path: file.path.clone(), text, starts }
        };
        Self { files: files.iter().map(lines).collect() }
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
        let Some(lines) = self.files.get(at.file) else {
            return Place { file: String::new(), span: at.start..at.end, line: 1, column: 1 };
        };
        let line = lines.starts.partition_point(|start| *start <= at.start);
        let start = lines.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = lines.text.get(start..at.start).unwrap_or_default();
        Place { file: lines.path.clone(), span: at.start..at.end, line, column: before.chars().count() + 1 }
    }

    /// Places in the order of the files and, in each, from the top.
    pub(super) fn order(&self, place: &Place) -> (usize, usize) {
        let file = self.files.iter().position(|lines| lines.path == place.file);
        (file.unwrap_or(usize::MAX), place.span.start)
    }
}

/// Line and column just behind a place, as [`Place`] counts them. What is about a file as a whole
/// ends where it begins.
pub fn end_of(at: &Place, sources: &[SourceFile]) -> (usize, usize) {
    let source = sources.iter().find(|source| source.path == at.file);
    source.filter(|_| at.span.end > at.span.start).map_or((at.line, at.column), |source| {
        line_and_column(&yaml::decode_lossy(&source.bytes), at.span.end)
    })
}

fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
