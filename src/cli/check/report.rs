//! What `check` has found: for people, and as JSON.

use serde_json::{Value, json};

use crate::cli::output::{self, Style, WIDTH};
use crate::policy::{self, Diagnostic, Place, Severity, SourceFile};
use crate::text;

/// Everything that was found.
pub struct Report {
    /// Faults, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// The policy's files.
    pub sources: Vec<SourceFile>,
    /// Whether the policy can be used as far as its files tell.
    pub valid: bool,
}

/// How many there are of each severity.
#[derive(Clone, Copy)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Report {
    /// How many there are of each severity.
    pub fn tally(&self) -> Tally {
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        Tally {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }

    /// The diagnostics as a compiler shows them.
    pub fn text(&self, style: Style) -> String {
        policy::render(&self.diagnostics, &self.sources, style.colour, WIDTH).trim_end().to_owned()
    }

    /// The last line.
    pub fn verdict(&self, style: Style) -> String {
        let Tally { errors, warnings, notes } = self.tally();
        let counts = [(errors, "error"), (warnings, "warning"), (notes, "note")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| count(number, what))
            .collect::<Vec<_>>()
            .join(", ");
        let files = count(self.sources.len(), "file");
        let mut text = match (self.valid, errors) {
            (true, 0) => format!("valid in {files}"),
            (true, _) => format!("valid in {files}, but not on its buckets"),
            (false, _) => format!("not valid in {files}"),
        };
        if !counts.is_empty() {
            text = format!("{text}: {counts}");
        }
        match (errors, warnings) {
            (0, 0) => style.green(&text),
            (0, _) => style.yellow(&text),
            _ => style.red(&text),
        }
    }

    /// The same for machines; the README documents its fields.
    pub fn json(&self, live: &Value) -> Value {
        let Tally { errors, warnings, notes } = self.tally();
        let all: Vec<Value> = self.diagnostics.iter().map(|found| as_json(found, &self.sources)).collect();
        json!({
            "valid": self.valid,
            "files": self.sources.len(),
            "errors": errors,
            "warnings": warnings,
            "notes": notes,
            "diagnostics": all,
            "live": live,
        })
    }
}

/// A diagnostic for machines; `sources` are the files that it is about.
pub fn as_json(found: &Diagnostic, sources: &[SourceFile]) -> Value {
    let mut value = place(&found.at, sources);
    let related: Vec<Value> = found
        .related
        .iter()
        .map(|(at, label)| {
            let mut value = place(at, sources);
            value["message"] = label.as_str().into();
            value
        })
        .collect();
    value["code"] = found.code.id().into();
    value["severity"] = found.severity.word().into();
    value["message"] = found.message.as_str().into();
    value["help"] = found.help.as_deref().into();
    value["related"] = related.into();
    value
}

fn place(at: &Place, sources: &[SourceFile]) -> Value {
    let (end_line, end_column) = policy::end_of(at, sources);
    json!({
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "end_line": end_line,
        "end_column": end_column,
        "span": { "start": at.span.start, "end": at.span.end },
    })
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", text::count(number as u64), if number == 1 { "" } else { "s" })
}

/// Prints a text with an empty line after it, if there is any.
pub fn print_part(text: &str) {
    if !text.is_empty() {
        output::print(text);
        output::print("");
    }
}
