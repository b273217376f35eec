//! Collects what the lints find, so many of each kind.

use std::collections::BTreeMap;

use crate::policy::{At, Code, Diagnostic, ReadPolicy, Severity};

/// More of one kind than this nobody reads.
const MOST_OF_A_KIND: usize = 50;

/// What was found, in any order.
pub(super) struct Findings<'r> {
    pub read: &'r ReadPolicy,
    found: Vec<Diagnostic>,
    kinds: BTreeMap<(Code, Severity), usize>,
}

/// One finding, for its help and other places; `None` if it is one too many.
pub(super) struct Added<'f> {
    read: &'f ReadPolicy,
    diagnostic: Option<&'f mut Diagnostic>,
}

impl Added<'_> {
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.help = Some(help.into());
        }
        self
    }

    pub fn see(mut self, at: At, label: impl Into<String>) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.related.push((self.read.place(at), label.into()));
        }
        self
    }
}

impl<'r> Findings<'r> {
    pub fn new(read: &'r ReadPolicy) -> Self {
        Self { read, found: read.warnings.clone(), kinds: BTreeMap::new() }
    }

    pub fn warn(&mut self, code: Code, at: At, message: impl Into<String>) -> Added<'_> {
        self.add(code, Severity::Warning, at, message)
    }

    pub fn note(&mut self, code: Code, at: At, message: impl Into<String>) -> Added<'_> {
        self.add(code, Severity::Note, at, message)
    }

    pub fn add(&mut self, code: Code, severity: Severity, at: At, message: impl Into<String>) -> Added<'_> {
        let count = self.kinds.entry((code, severity)).or_default();
        *count += 1;
        let diagnostic = if *count <= MOST_OF_A_KIND {
            let at = self.read.place(at);
            let (message, help, related) = (message.into(), None, Vec::new());
            Some(self.found.push_mut(Diagnostic { code, severity, at, message, help, related }))
        } else {
            None
        };
        Added { read: self.read, diagnostic }
    }

    /// Whether one more of the kind would be one too many.
    pub fn is_full(&self, code: Code, severity: Severity) -> bool {
        self.kinds.get(&(code, severity)).is_some_and(|count| *count >= MOST_OF_A_KIND)
    }

    /// All of them by their places, and for each kind how many are not shown.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        let read = self.read;
        read.sort(&mut self.found);
        for ((code, severity), count) in self.kinds {
            let more = count.saturating_sub(MOST_OF_A_KIND);
            if more > 0 {
                self.found.push(Diagnostic {
                    code,
                    severity,
                    at: read.place(read.layout.name),
                    message: format!("{more} more of this kind are not shown"),
                    help: None,
                    related: Vec::new(),
                });
            }
        }
        read.sort(&mut self.found);
        self.found
    }
}
