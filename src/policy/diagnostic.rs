//! Faults and warnings: where they stand, and how they are collected.

use std::ops::Range;

use super::codes::Code;

/// One file of a policy, as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path to show, and that a record file's path does not depend on.
    pub path: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// It can, but may not say what was meant.
    Warning,
    /// Worth knowing; there may be nothing to do.
    Note,
}

impl Severity {
    /// The word used in `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's path, as in [`SourceFile::path`].
    pub file: String,
    /// Bytes of the file, not counting a byte-order mark at its start.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A fault or a warning, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub at: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that bear on it, and how.
    pub related: Vec<(Place, String)>,
}

/// A place, cheap to carry: index of the file and bytes of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Spanned<T> {
    pub value: T,
    pub at: At,
}

/// A diagnostic before its place is worked out.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub code: Code,
    pub at: At,
    pub message: String,
    pub help: Option<String>,
    pub related: Vec<(At, String)>,
}

impl Fault {
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn see(&mut self, at: At, label: impl Into<String>) -> &mut Self {
        self.related.push((at, label.into()));
        self
    }
}

/// Collects what is wrong, up to a limit that hostile input cannot pass.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    dropped: usize,
}

impl Faults {
    /// More than this nobody reads.
    const MOST: usize = 200;

    /// Records one; what is returned takes help and related places.
    pub(super) fn add(&mut self, code: Code, at: At, message: impl Into<String>) -> &mut Fault {
        if self.found.len() > Self::MOST {
            self.dropped += 1;
            self.found.truncate(Self::MOST);
        }
        let fault = Fault { code, at, message: message.into(), help: None, related: Vec::new() };
        self.found.push_mut(fault)
    }

    /// Adds what another one has collected.
    pub(super) fn append(&mut self, other: Self) {
        self.found.extend(other.found);
        self.dropped += other.dropped;
    }

    /// Whether no more are shown, so that no work need go into them.
    pub(super) const fn is_full(&self) -> bool {
        self.found.len() > Self::MOST
    }

    /// How many there are, to see later whether there are more.
    pub(super) const fn count(&self) -> usize {
        self.found.len() + self.dropped
    }

    /// All of them in the order of their places, and at the end how many were dropped.
    pub(super) fn sorted(mut self) -> Vec<Fault> {
        let dropped = self.dropped + self.found.len().saturating_sub(Self::MOST);
        self.found.truncate(Self::MOST);
        self.found.sort_by_key(|fault| (fault.at, fault.code));
        if dropped > 0
            && let Some(at) = self.found.last().map(|last| last.at)
        {
            self.add(Code::TooManyFaults, at, format!("{dropped} more faults are not shown"));
        }
        self.found
    }
}
