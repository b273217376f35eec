//! Reads all files of an inventory, several at a time, and checks each of them first.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use md5::{Digest, Md5};

use super::candidates::{Candidates, Keys};
use super::counting::{Counted, Judge};
use super::fault::InventoryError;
use super::manifest::{DataFile, Format, Manifest};
use super::parquet::Opened;
use super::row::Row;
use super::{csv, parquet};
use crate::decide::Decider;
use crate::object::BucketFacts;

/// The name of the threads that decode: whoever prints panics can leave theirs out.
pub const DECODING_THREAD: &str = "inventory";

/// How many rows are reported together.
const REPORTED: u64 = 1 << 16;

/// An inventory, and what its rows are decided by.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// The inventory.
    pub manifest: &'a Manifest,
    /// The policy, made ready for the bucket.
    pub decider: &'a Decider<'a>,
    /// The bucket.
    pub facts: &'a BucketFacts,
    /// How many threads decode.
    pub threads: usize,
    /// How many bytes of candidates are kept in memory.
    pub memory: usize,
}

/// What was found in an inventory.
#[derive(Debug)]
pub struct Found {
    /// How many rows it has.
    pub rows: u64,
    /// What is kept by what it says.
    pub counted: Counted,
    /// The keys of all other rows.
    pub candidates: Keys,
}

impl Scan<'_> {
    /// Reads it all. `fetch` opens a file at its start, and `progress` hears of more rows.
    ///
    /// # Errors
    /// If a single file is not there as the manifest says, or cannot be read.
    pub fn run(
        &self,
        fetch: impl Fn(&DataFile) -> Result<File, Box<dyn Error + Send + Sync>> + Sync,
        progress: impl Fn(u64) + Sync,
    ) -> Result<Found, InventoryError> {
        let queue = Queue::new(self.manifest.files.len());
        let threads = self.threads.max(1);
        let work = || {
            let judge = Judge::new(self.decider, self.facts);
            let candidates = Candidates::new(self.memory / threads);
            let mut worker = Worker { scan: *self, judge, candidates, rows: 0, progress: &progress };
            while let Some(unit) = queue.next() {
                worker.work(unit, &queue, &fetch).inspect_err(|_| queue.fail())?;
            }
            Ok::<_, InventoryError>((worker.rows, worker.judge.finish(), worker.candidates))
        };
        let done: Vec<Result<_, InventoryError>> = thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| thread::Builder::new().name(DECODING_THREAD.to_owned()).spawn_scoped(scope, work))
                .collect();
            running
                .into_iter()
                .map(|thread| match thread {
                    Ok(thread) => thread.join().unwrap_or_else(|_| Err(panicked().into())),
                    Err(error) => {
                        queue.fail();
                        Err(error.into())
                    }
                })
                .collect()
        });
        let (mut rows, mut counted, mut candidates) = (0, Counted::default(), Vec::new());
        for one in done {
            let (more, of_thread, keys) = one?;
            rows += more;
            counted.merge(&of_thread);
            candidates.push(keys);
        }
        Ok(Found { rows, counted, candidates: Candidates::merged(candidates)? })
    }
}

fn panicked() -> std::io::Error {
    std::io::Error::other("a thread ended in a panic")
}

/// Something to do: which file, and of an open one which group of rows.
enum Unit {
    File(usize),
    Group(usize, Arc<Opened>, usize),
}

/// What is to be done.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    files: Range<usize>,
    groups: Vec<Unit>,
    /// Files that may still bring groups.
    opening: usize,
    failed: bool,
}

impl Queue {
    const fn new(files: usize) -> Self {
        let state = State { files: 0..files, groups: Vec::new(), opening: 0, failed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next thing to do; waits while there may be more.
    fn next(&self) -> Option<Unit> {
        let mut state = self.lock();
        loop {
            if state.failed {
                return None;
            }
            if let Some(group) = state.groups.pop() {
                return Some(group);
            }
            if let Some(file) = state.files.next() {
                state.opening += 1;
                return Some(Unit::File(file));
            }
            if state.opening == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A file is open, and these are its groups.
    fn opened(&self, groups: impl Iterator<Item = Unit>) {
        let mut state = self.lock();
        state.groups.extend(groups);
        state.opening -= 1;
        self.changed.notify_all();
    }

    fn fail(&self) {
        self.lock().failed = true;
        self.changed.notify_all();
    }
}

/// One thread.
struct Worker<'a, R> {
    scan: Scan<'a>,
    judge: Judge<'a>,
    candidates: Candidates,
    rows: u64,
    progress: &'a R,
}

/// Why a file was not read to its end.
enum Broken {
    Damaged(String),
    Spill(std::io::Error),
}

impl From<String> for Broken {
    fn from(what: String) -> Self {
        Self::Damaged(what)
    }
}

impl<R: Fn(u64)> Worker<'_, R> {
    fn work(
        &mut self,
        unit: Unit,
        queue: &Queue,
        fetch: &impl Fn(&DataFile) -> Result<File, Box<dyn Error + Send + Sync>>,
    ) -> Result<(), InventoryError> {
        let number = match &unit {
            Unit::File(number) | Unit::Group(number, ..) => *number,
        };
        let Some(file) = self.scan.manifest.files.get(number) else { return Ok(()) };
        let (format, columns) = (self.scan.manifest.format, self.scan.manifest.columns);
        // The decoders are known to panic on damaged files.
        let done = panic::catch_unwind(AssertUnwindSafe(|| match unit {
            Unit::File(_) => {
                let open = fetch(file)
                    .map_err(|source| InventoryError::Fetch { file: file.key.clone(), source })
                    .and_then(|open| checked(file, open))?;
                match format {
                    Format::Parquet => {
                        let opened = parquet::Opened::open(open, columns.versions.is_some());
                        let opened = opened.map_err(|what| broken(file, what.into()))?;
                        let group = |group| Unit::Group(number, Arc::clone(&opened), group);
                        queue.opened((0..opened.groups()).map(group));
                    }
                    Format::Csv => {
                        queue.opened(std::iter::empty());
                        let read = csv::read(open, columns, |row| self.take(row));
                        read.map_err(|error| broken(file, error))?;
                    }
                }
                Ok(())
            }
            Unit::Group(_, opened, group) => {
                opened.read(group, |row| self.take(row)).map_err(|error| broken(file, error))
            }
        }));
        done.unwrap_or_else(|_| Err(broken(file, "it cannot be decoded".to_owned().into())))
    }

    #[inline]
    fn take(&mut self, row: &Row<'_>) -> Result<(), Broken> {
        self.rows += 1;
        if self.rows.is_multiple_of(REPORTED) {
            (self.progress)(REPORTED);
        }
        if row.key.is_empty() {
            return Err(Broken::Damaged("a row without a key".to_owned()));
        }
        if !self.judge.counts(row) {
            self.candidates.push(row.key).map_err(Broken::Spill)?;
        }
        Ok(())
    }
}

fn broken(file: &DataFile, broken: Broken) -> InventoryError {
    match broken {
        Broken::Damaged(what) => InventoryError::Damaged { file: file.key.clone(), what },
        Broken::Spill(error) => error.into(),
    }
}

/// The file, once it is seen to be the one that was delivered.
fn checked(said: &DataFile, mut file: File) -> Result<File, InventoryError> {
    let wrong =
        |error: std::io::Error| InventoryError::Fetch { file: said.key.clone(), source: error.into() };
    let mut hash = Md5::new();
    let mut found = 0;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer).map_err(wrong)?;
        if count == 0 {
            break;
        }
        found += count as u64;
        hash.update(&buffer[..count]);
    }
    if found != said.size {
        return Err(InventoryError::Size { file: said.key.clone(), said: said.size, found });
    }
    if said.md5 != <[u8; 16]>::from(hash.finalize()) {
        return Err(InventoryError::Checksum { file: said.key.clone() });
    }
    file.rewind().map_err(wrong)?;
    Ok(file)
}
