//! Reading a log and holding it to its chain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::entry::{Body, Entry, FORMAT, ItemOutcome, Opened, Opening, Totals};
use super::ledger::{End, EntryFault, Ledger, Unresolved};
use crate::text::hex;

/// What the first entry has in place of the hash of a line before it.
pub(super) const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why a log is not what was written. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It could not be read.
    #[error("the evidence log could not be read")]
    Read(#[source] io::Error),
    /// It does not begin with an opening entry.
    #[error("not an evidence log: line 1 is no opening entry")]
    NotALog,
    /// A later version of Shelflife wrote it.
    #[error("the evidence log has format {found}, and this version reads formats up to {FORMAT}")]
    Newer {
        /// The format that it has.
        found: u32,
    },
    /// The end is not a whole line: a crash or a cut.
    #[error("line {line}: the last line is not whole; a crash or a cut tore it, or it was added")]
    Torn {
        /// The first line that is not whole.
        line: u64,
    },
    /// A line in the middle is no entry.
    #[error("line {line}: no entry; it was changed or added")]
    Unreadable {
        /// The line.
        line: u64,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Entries are missing, added or out of order.
    #[error(
        "line {line}: entry {found} where entry {expected} was expected; lines were removed, added or moved"
    )]
    Gap {
        /// The line.
        line: u64,
        /// The number that should stand there.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// An entry does not name the hash of the one before.
    #[error("line {line}: it does not follow from the entry before; one of the two was changed")]
    Chain {
        /// The later one's line.
        line: u64,
    },
    /// A resumption does not name the torn lines before it.
    #[error(
        "line {line}: the torn lines before it are not those that were there; they were changed or removed"
    )]
    TornLines {
        /// The resumption's line.
        line: u64,
    },
    /// An entry that no run would write there.
    #[error("line {line}: an entry that cannot stand there")]
    Entry {
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        fault: EntryFault,
    },
    /// The log ends before, or with something else than, the head that was expected.
    #[error(
        "line {line}: the log ends with head {found}, not with the one expected; it was cut off or rewritten"
    )]
    Head {
        /// The last line.
        line: u64,
        /// Its hash.
        found: String,
    },
    /// The head that was expected is in the log, and more follows.
    #[error("line {line}: the head expected is here, and more follows; the run went on, or lines were added")]
    Continued {
        /// The line whose hash was expected.
        line: u64,
    },
}

/// A log that is what was written, as far as its chain and the head tell.
///
/// Without a head, lines that were cut off at the end show only in [`Verified::end`], and a log
/// that was rewritten as a whole does not show at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// The hash of the last one.
    pub head: String,
    /// Whether the head was held to one that is known from elsewhere.
    pub head_confirmed: bool,
    /// How it ends.
    pub end: End,
    /// What it was opened with.
    pub opening: Opening,
    /// Heads of other logs after which its run went on.
    pub went_on_after: Vec<String>,
    /// Counts of all outcomes.
    pub totals: Totals,
    /// Items whose intent has no outcome: whether they are gone is unknown.
    pub unresolved: Vec<Unresolved>,
    /// Buckets whose configuration's intent has no outcome.
    pub unresolved_configurations: Vec<String>,
}

/// A log that was read, and where in it hashes stand that were asked for.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it tells.
    pub verified: Verified,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its last line.
    pub last_line: u64,
    /// The lines of entries with the hashes that were asked for, and of the last one.
    pub found: BTreeMap<String, u64>,
}

/// Reads a log once and checks it: each entry's place, chain and sense, and the end against
/// `expected_head`, if one is given.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn verify(log: impl BufRead, expected_head: Option<&str>) -> Result<Verified, VerifyError> {
    let asked = expected_head.map(str::to_owned).into_iter().collect();
    let mut checked = check(log, &asked, |_| ())?;
    if let Some(head) = expected_head {
        checked.ends_with(head)?;
    }
    checked.verified.head_confirmed = expected_head.is_some();
    Ok(checked.verified)
}

/// Reads a log once and checks it as [`verify`] does, but for a last line that a crash or a full disk has
/// torn: that is passed over, and its number given.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn verify_torn(log: impl BufRead) -> Result<(Verified, Option<u64>), VerifyError> {
    let mut entries = entries(log);
    entries.by_ref().try_for_each(|entry| entry.map(drop))?;
    let torn = match entries.torn.as_slice() {
        [] => None,
        [torn] if !entries.ends_in_newline && entries.ledger.end != End::Finished => Some(torn.line),
        _ => entries.check_tail().map(|()| None)?,
    };
    Ok((entries.verified()?, torn))
}

/// Reads a log once and checks it, whatever its head is; says where entries with the hashes
/// `asked` for stand. `each` hears of all entries, and what it has heard counts for nothing if
/// this ends in an error.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn check(
    log: impl BufRead,
    asked: &BTreeSet<String>,
    mut each: impl FnMut(Entry),
) -> Result<Checked, VerifyError> {
    let mut entries = entries(log);
    let mut found = BTreeMap::new();
    while let Some(entry) = entries.next() {
        each(entry?);
        if asked.contains(&entries.head) {
            found.insert(entries.head.clone(), entries.line);
        }
    }
    entries.check_tail()?;
    let (bytes, last_line) = (entries.bytes, entries.last_entry_line);
    found.insert(entries.head.clone(), last_line);
    Ok(Checked { verified: entries.verified()?, bytes, last_line, found })
}

impl Checked {
    /// Holds the log's end to a head that it was asked for.
    ///
    /// # Errors
    /// [`Continued`](VerifyError::Continued) where more follows, [`Head`](VerifyError::Head) where
    /// no entry has that hash.
    pub fn ends_with(&self, head: &str) -> Result<(), VerifyError> {
        match self.found.get(head) {
            Some(line) if *line < self.last_line => Err(VerifyError::Continued { line: *line }),
            Some(_) => Ok(()),
            None => Err(VerifyError::Head { line: self.last_line, found: self.verified.head.clone() }),
        }
    }
}

/// The entries of a log, each checked before it is given; an error is the last item. A torn end
/// is left out.
pub fn entries<R: BufRead>(log: R) -> Entries<R> {
    Entries {
        log,
        buffer: Vec::new(),
        line: 0,
        bytes: 0,
        last_entry_line: 0,
        seq: 0,
        head: NOTHING_BEFORE.to_string(),
        ledger: Ledger::default(),
        torn: Vec::new(),
        ends_in_newline: true,
        over: false,
    }
}

/// The log's opening entry.
///
/// # Errors
/// If there is none, or the log could not be read.
pub fn opened(log: impl BufRead) -> Result<Opened, VerifyError> {
    match entries(log).next() {
        Some(Ok(Entry { body: Body::Opening(opened), .. })) => Ok(opened),
        Some(Err(error)) => Err(error),
        _ => Err(VerifyError::NotALog),
    }
}

/// What is already done: all outcomes of a log, in its order; an error is the last item.
///
/// An item that was tried again after an interruption comes again, and the later outcome counts.
pub fn done(log: impl BufRead) -> impl Iterator<Item = Result<ItemOutcome, VerifyError>> {
    entries(log).flat_map(|entry| match entry {
        Ok(Entry { body: Body::Outcome(outcome), .. }) => outcome.items.into_iter().map(Ok).collect(),
        Ok(_) => Vec::new(),
        Err(error) => vec![Err(error)],
    })
}

/// See [`entries`].
pub struct Entries<R> {
    log: R,
    buffer: Vec<u8>,
    line: u64,
    bytes: u64,
    last_entry_line: u64,
    pub(super) seq: u64,
    pub(super) head: String,
    pub(super) ledger: Ledger,
    /// Lines since the last entry that are none.
    pub(super) torn: Vec<TornLine>,
    pub(super) ends_in_newline: bool,
    over: bool,
}

/// A line that is no entry.
pub(super) struct TornLine {
    line: u64,
    pub(super) hash: String,
    error: serde_json::Error,
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Entry, VerifyError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.advance().transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl<R: BufRead> Entries<R> {
    fn advance(&mut self) -> Result<Option<Entry>, VerifyError> {
        loop {
            self.buffer.clear();
            if self.log.read_until(b'\n', &mut self.buffer).map_err(VerifyError::Read)? == 0 {
                return if self.seq == 0 { Err(VerifyError::NotALog) } else { Ok(None) };
            }
            self.line += 1;
            self.bytes += self.buffer.len() as u64;
            self.ends_in_newline = self.buffer.pop_if(|byte| *byte == b'\n').is_some();
            let hash = line_hash(&self.buffer);
            match serde_json::from_slice(&self.buffer) {
                Ok(entry) => {
                    self.check(&entry)?;
                    self.last_entry_line = self.line;
                    self.seq = entry.seq;
                    self.head = hash;
                    return Ok(Some(entry));
                }
                Err(_) if self.seq == 0 => return Err(not_a_log(&self.buffer)),
                Err(error) => self.torn.push(TornLine { line: self.line, hash, error }),
            }
        }
    }

    fn check(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let line = self.line;
        if self.seq == 0 {
            match &entry.body {
                Body::Opening(opened) if opened.format > FORMAT => {
                    return Err(VerifyError::Newer { found: opened.format });
                }
                Body::Opening(_) => {}
                _ => return Err(VerifyError::NotALog),
            }
        }
        let torn = std::mem::take(&mut self.torn);
        if let Body::Resumed(resumed) = &entry.body {
            if !resumed.torn.iter().eq(torn.iter().map(|torn| &torn.hash)) {
                return Err(VerifyError::TornLines { line });
            }
        } else if let Some(TornLine { line, error, .. }) = torn.into_iter().next() {
            return Err(VerifyError::Unreadable { line, source: error });
        }
        if entry.seq != self.seq + 1 {
            return Err(VerifyError::Gap { line, expected: self.seq + 1, found: entry.seq });
        }
        if entry.prev != self.head {
            return Err(VerifyError::Chain { line });
        }
        self.ledger.take(&entry.body).map_err(|fault| VerifyError::Entry { line, fault })
    }

    /// What was read.
    fn verified(self) -> Result<Verified, VerifyError> {
        let ledger = self.ledger;
        let unresolved = ledger.unresolved().flat_map(|(_, items)| items).collect();
        Ok(Verified {
            entries: self.seq,
            head: self.head,
            head_confirmed: false,
            end: ledger.end,
            opening: ledger.opening.ok_or(VerifyError::NotALog)?,
            went_on_after: ledger.went_on_after,
            totals: ledger.totals,
            unresolved,
            unresolved_configurations: ledger.open_configurations.into_iter().collect(),
        })
    }

    /// Whether the log ends with a whole line that is an entry.
    fn check_tail(&self) -> Result<(), VerifyError> {
        match self.torn.first() {
            Some(torn) if self.ledger.end == End::Finished => {
                Err(VerifyError::Entry { line: torn.line, fault: EntryFault::AfterClosing })
            }
            Some(torn) => Err(VerifyError::Torn { line: torn.line }),
            None if !self.ends_in_newline => Err(VerifyError::Torn { line: self.line }),
            None => Ok(()),
        }
    }
}

/// The hash of an entry: that of its line, the newline aside.
pub(super) fn line_hash(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}

/// Tells a log in a later format from a file that was never one.
fn not_a_log(first_line: &[u8]) -> VerifyError {
    #[derive(Deserialize)]
    struct Probe {
        kind: String,
        format: u32,
    }
    match serde_json::from_slice(first_line) {
        Ok(Probe { kind, format }) if kind == "opening" && format > FORMAT => {
            VerifyError::Newer { found: format }
        }
        _ => VerifyError::NotALog,
    }
}
