//! Writing a log, and taking up one whose run was interrupted.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use tempfile::Builder;

use super::chain::{NOTHING_BEFORE, VerifyError, entries, line_hash};
use super::entry::{
    Body, Closing, ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, Entry, FORMAT, Intent,
    Item, ItemOutcome, Opened, Opening, Outcome, Resumed, Totals,
};
use super::item_result::ItemResult;
use super::ledger::{End, EntryFault, Ledger};
use crate::plan::Planned;

/// Why evidence could not be written. Nothing may be changed in the store after that.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file could not be made or opened; a log never replaces a file.
    #[error("the evidence log could not be opened")]
    Open(#[source] io::Error),
    /// Another run is writing to it.
    #[error("the evidence log is in use by another run")]
    InUse,
    /// A line could not be written; the log is closed to this run.
    #[error("the evidence log could not be written")]
    Write(#[source] io::Error),
    /// A line could not be written earlier, and may stand there in part.
    #[error("the evidence log could not be written earlier")]
    Broken,
    /// An entry that cannot follow the ones before it.
    #[error("an entry that the evidence log cannot take")]
    Entry(#[source] EntryFault),
    /// The log to go on with does not verify.
    #[error("the evidence log to go on with is not as it was written")]
    Verify(#[source] VerifyError),
    /// The log to go on with is of another plan.
    #[error("the evidence log to go on with is of another plan")]
    OtherPlan,
    /// The log to go on with is of a run that is done.
    #[error("the evidence log to go on with is of a run that has finished")]
    Finished,
}

/// A log that is open for writing, by this process alone.
#[derive(Debug)]
pub struct EvidenceLog {
    file: File,
    ledger: Ledger,
    seq: u64,
    head: String,
    broken: bool,
    /// The line that is being written, whose room serves the next one.
    line: Vec<u8>,
}

/// What a log was closed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The hash of the closing entry: what finds a log that was cut off or rewritten.
    pub head: String,
    /// Counts of all outcomes in the log.
    pub totals: Totals,
}

/// What a run goes on with.
#[derive(Clone, Debug, Default)]
pub struct Resuming {
    /// SHA-256 (hex) of the policy's holds.
    pub holds_digest: String,
    /// Guards that it goes beyond, in words.
    pub guards_accepted: Vec<String>,
    /// What it is to do, unless that is to make S3 do less and nothing else.
    pub planned: Option<Planned>,
    /// The head of the newest other log, if there is one.
    pub previous_head: Option<String>,
}

impl EvidenceLog {
    /// Makes a log, readable by its owner alone, with its opening entry. A file that is there
    /// already is left as it is. Whatever goes wrong, no log is left that cannot be taken up.
    ///
    /// # Errors
    /// [`Open`](EvidenceError::Open), of kind [`io::ErrorKind::AlreadyExists`] if the file is
    /// there; [`InUse`](EvidenceError::InUse); [`Write`](EvidenceError::Write).
    pub fn create(path: &Path, at: DateTime<Utc>, opening: Opening) -> Result<Self, EvidenceError> {
        let made = Builder::new().prefix(".evidence-").append(true).tempfile_in(folder(path));
        let (file, unnamed) = made.map_err(EvidenceError::Open)?.into_parts();
        // The lock is that of the open file, which stays the same: nobody finds the log without it.
        lock(&file)?;
        let log = Self::open(file, at, opening)?;
        // Without a whole opening it could never be taken up, so only then does it get its name.
        unnamed.persist_noclobber(path).map_err(|error| EvidenceError::Open(error.error))?;
        sync_folder(path).map_err(EvidenceError::Write)?;
        Ok(log)
    }

    /// Begins a log in an empty file.
    pub(super) fn open(file: File, at: DateTime<Utc>, opening: Opening) -> Result<Self, EvidenceError> {
        let head = NOTHING_BEFORE.to_string();
        let mut log = Self { file, ledger: Ledger::default(), seq: 0, head, broken: false, line: Vec::new() };
        log.append(at, Body::Opening(Opened { format: FORMAT, tool_version: tool_version(), opening }), "")?;
        log.sync()?;
        Ok(log)
    }

    /// Takes up the log of an interrupted run of the plan with this digest. What a crash left of
    /// a line is kept and named in a [`Resumed`] entry; intents without outcome get the outcome
    /// [`Unclear`](ItemResult::Unclear), so that the run can look at their items again.
    ///
    /// # Errors
    /// All but [`Broken`](EvidenceError::Broken) and [`Entry`](EvidenceError::Entry). The log is
    /// changed only if it verifies.
    pub fn resume(
        path: &Path,
        at: DateTime<Utc>,
        plan_digest: &str,
        resuming: Resuming,
    ) -> Result<Self, EvidenceError> {
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(EvidenceError::Open)?;
        lock(&file)?;
        let mut entries = entries(BufReader::new(&file));
        entries.by_ref().try_for_each(|entry| entry.map(drop)).map_err(EvidenceError::Verify)?;
        if entries.ledger.opening.as_ref().is_none_or(|opening| opening.plan_digest != plan_digest) {
            return Err(EvidenceError::OtherPlan);
        }
        if entries.ledger.end == End::Finished {
            return Err(EvidenceError::Finished);
        }
        let torn = entries.torn.into_iter().map(|torn| torn.hash).collect();
        let newline = if entries.ends_in_newline { "" } else { "\n" };
        let (ledger, seq, head) = (entries.ledger, entries.seq, entries.head);
        let mut log = Self { file, ledger, seq, head, broken: false, line: Vec::new() };
        let Resuming { holds_digest, guards_accepted, planned, previous_head } = resuming;
        let tool_version = tool_version();
        let previous_head = previous_head.filter(|head| !log.ledger.follows(head));
        let resumed = Resumed { tool_version, holds_digest, guards_accepted, planned, previous_head, torn };
        log.append(at, Body::Resumed(resumed), newline)?;
        log.give_up_unresolved(at)?;
        log.sync()?;
        Ok(log)
    }

    /// Writes that a batch is about to be sent, and gives its number. It is on the disk when
    /// this returns: only then may the batch be sent.
    ///
    /// # Errors
    /// [`Entry`](EvidenceError::Entry) if an item is in the batch twice;
    /// [`Write`](EvidenceError::Write), [`Broken`](EvidenceError::Broken).
    pub fn intent(&mut self, at: DateTime<Utc>, items: Vec<Item>) -> Result<u64, EvidenceError> {
        let batch = self.ledger.next_batch();
        self.append(at, Body::Intent(Intent { batch, items }), "")?;
        self.sync()?;
        Ok(batch)
    }

    /// Writes what became of some or all items of a batch, and gives them back; each has one outcome.
    ///
    /// # Errors
    /// [`Entry`](EvidenceError::Entry) for an item that has no intent or has its outcome already;
    /// [`Write`](EvidenceError::Write), [`Broken`](EvidenceError::Broken).
    pub fn outcome(
        &mut self,
        at: DateTime<Utc>,
        batch: u64,
        items: Vec<ItemOutcome>,
    ) -> Result<Vec<ItemOutcome>, EvidenceError> {
        match self.append(at, Body::Outcome(Outcome { batch, items }), "")? {
            Body::Outcome(outcome) => Ok(outcome.items),
            _ => Ok(Vec::new()),
        }
    }

    /// Writes that a bucket's lifecycle configuration is about to be written. It is on the disk
    /// when this returns.
    ///
    /// # Errors
    /// [`Entry`](EvidenceError::Entry) if the bucket's last intent has no outcome yet;
    /// [`Write`](EvidenceError::Write), [`Broken`](EvidenceError::Broken).
    pub fn configuration_intent(
        &mut self,
        at: DateTime<Utc>,
        intent: ConfigurationIntent,
    ) -> Result<(), EvidenceError> {
        self.append(at, Body::ConfigurationIntent(intent), "")?;
        self.sync()
    }

    /// Writes what became of a bucket's lifecycle configuration.
    ///
    /// # Errors
    /// [`Entry`](EvidenceError::Entry) without an intent;
    /// [`Write`](EvidenceError::Write), [`Broken`](EvidenceError::Broken).
    pub fn configuration_outcome(
        &mut self,
        at: DateTime<Utc>,
        outcome: ConfigurationOutcome,
    ) -> Result<(), EvidenceError> {
        self.append(at, Body::ConfigurationOutcome(outcome), "").map(drop)
    }

    /// Closes the log: `finished` if everything was tried, else the run can go on from it. It is
    /// on the disk when this returns.
    ///
    /// # Errors
    /// [`Entry`](EvidenceError::Entry) if a finished run leaves an intent without outcome;
    /// [`Write`](EvidenceError::Write), [`Broken`](EvidenceError::Broken).
    pub fn close(mut self, at: DateTime<Utc>, finished: bool) -> Result<Closed, EvidenceError> {
        let totals = self.ledger.totals.clone();
        self.append(at, Body::Closing(Closing { finished, totals: totals.clone() }), "")?;
        self.sync()?;
        Ok(Closed { head: self.head, totals })
    }

    /// Counts of all outcomes so far.
    pub const fn totals(&self) -> &Totals {
        &self.ledger.totals
    }

    /// The hash of the last entry that was written whole.
    pub fn head(&self) -> &str {
        &self.head
    }

    fn give_up_unresolved(&mut self, at: DateTime<Utc>) -> Result<(), EvidenceError> {
        const DETAIL: &str = "the run was interrupted before its outcome was known";
        for (batch, open) in self.ledger.unresolved().collect::<Vec<_>>() {
            let unclear = |item: super::Unresolved| ItemOutcome {
                bucket: item.bucket,
                key: item.key,
                version_id: item.version_id,
                upload_id: item.upload_id,
                row: None,
                result: ItemResult::Unclear,
                detail: Some(DETAIL.to_string()),
                marker_version_id: None,
                copy: None,
                copy_etag: None,
            };
            self.outcome(at, batch, open.into_iter().map(unclear).collect())?;
        }
        for bucket in self.ledger.open_configurations.clone() {
            let result = ConfigurationResult::Unclear;
            let detail = Some(DETAIL.to_string());
            self.configuration_outcome(
                at,
                ConfigurationOutcome { bucket, result, detail, altered: BTreeSet::new() },
            )?;
        }
        Ok(())
    }

    /// Writes an entry, and gives back what it says.
    fn append(&mut self, at: DateTime<Utc>, body: Body, before: &str) -> Result<Body, EvidenceError> {
        if self.broken {
            return Err(EvidenceError::Broken);
        }
        self.ledger.take(&body).map_err(EvidenceError::Entry)?;
        // A line that fails may be written in part: nothing may follow it but a resumption.
        self.broken = true;
        let entry = Entry { seq: self.seq + 1, at, body, prev: self.head.clone() };
        self.line.clear();
        self.line.extend_from_slice(before.as_bytes());
        serde_json::to_writer(&mut self.line, &entry).map_err(|error| EvidenceError::Write(error.into()))?;
        let head = line_hash(&self.line[before.len()..]);
        self.line.push(b'\n');
        self.file.write_all(&self.line).map_err(EvidenceError::Write)?;
        self.seq = entry.seq;
        self.head = head;
        self.broken = false;
        Ok(entry.body)
    }

    fn sync(&mut self) -> Result<(), EvidenceError> {
        self.file.sync_data().map_err(|error| {
            self.broken = true;
            EvidenceError::Write(error)
        })
    }
}

fn tool_version() -> String {
    env!("CARGO_PKG_VERSION").to_string()
}

/// Keeps a second run off the log, where the file system can.
fn lock(file: &File) -> Result<(), EvidenceError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(EvidenceError::InUse),
        Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
            Err(EvidenceError::Open(error))
        }
        _ => Ok(()),
    }
}

/// Whether a run is still writing to a log, as far as the file system can tell.
pub fn is_in_use(log: &File) -> bool {
    matches!(log.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The folder that a file lies in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file outlives a power cut only once its folder is on the disk too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
