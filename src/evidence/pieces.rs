//! A copy of a log in a store, in pieces that are sent while it is written.
//!
//! Each piece is whole lines, and never written over; put together in the order of their numbers
//! they are the log. What was cut off or rewritten here is still there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::object::Kind;
use crate::s3::{Bucket, StoreError, StoreErrorKind};

/// How large a piece becomes, but for its last line.
const LARGEST: usize = 8 << 20;

/// How often a piece is sent while another request seems to write it.
const ATTEMPTS: u32 = 5;

const PAUSE: Duration = Duration::from_millis(300);

const CONTENT_TYPE: &str = "application/x-ndjson";

/// Why the copy is not whole.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What is there could not be asked for.
    #[error("what is there of the log's copy could not be read")]
    Ask(#[source] StoreError),
    /// The log itself could not be read.
    #[error("the log could not be read")]
    Log(#[source] io::Error),
    /// A piece could not be sent.
    #[error("{piece} could not be sent")]
    Send {
        /// The piece's key.
        piece: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// Something else stands there.
    #[error("{piece} is there and is not this part of the log")]
    Other {
        /// The piece's key.
        piece: String,
    },
    /// A piece is missing, and later ones are there.
    #[error("{piece} is missing, and later pieces are there")]
    Gap {
        /// The piece's key.
        piece: String,
    },
    /// The log is shorter than its copy.
    #[error("the copy holds more than the log, which was cut off or is another one")]
    Longer,
    /// There is no piece at all.
    #[error("there is no piece of a log")]
    Nothing,
}

/// A copy that goes on.
#[derive(Debug)]
pub struct Copy {
    bucket: Bucket,
    /// Of all pieces; ends in a slash.
    prefix: String,
    log: PathBuf,
    /// How far the log is copied.
    offset: u64,
    /// How many pieces there are.
    pieces: u32,
    largest: usize,
    lock_until: Option<DateTime<Utc>>,
}

impl Copy {
    /// Takes up the copy of `log`, whose pieces stand under `prefix`, which ends in a slash. Both
    /// may not be there yet.
    ///
    /// # Errors
    /// [`CopyError`], where what is there is not the beginning of the log.
    pub async fn open(bucket: Bucket, prefix: String, log: &Path) -> Result<Self, CopyError> {
        let there = list(&bucket, &prefix).await?;
        let mut copy = Self {
            bucket,
            prefix,
            log: log.to_owned(),
            offset: 0,
            pieces: 0,
            largest: LARGEST,
            lock_until: None,
        };
        let mut last = 0;
        for (number, piece) in &there.pieces {
            if *number != copy.pieces + 1 {
                return Err(CopyError::Gap { piece: copy.key(copy.pieces + 1) });
            }
            last = copy.offset;
            copy.offset += piece.size;
            copy.pieces = *number;
            if !copy.ends_a_line().map_err(CopyError::Log)? {
                return Err(CopyError::Longer);
            }
        }
        if copy.pieces > 0 {
            // Pieces are never written over, so that one tells for those before it.
            let key = copy.key(copy.pieces);
            let ours = copy.read(last, copy.offset - last).map_err(CopyError::Log)?;
            if read(&copy.bucket, &key, ours.len()).await? != ours {
                return Err(CopyError::Other { piece: key });
            }
        }
        Ok(copy)
    }

    /// Makes pieces of at most so many bytes, but for their last line.
    #[must_use]
    pub const fn pieces_of(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Locks what is sent from now on.
    #[must_use]
    pub const fn locked_until(mut self, until: Option<DateTime<Utc>>) -> Self {
        self.lock_until = until;
        self
    }

    /// How many pieces are there.
    pub const fn pieces(&self) -> u32 {
        self.pieces
    }

    /// The key of the piece that comes next.
    pub fn next_key(&self) -> String {
        self.key(self.pieces + 1)
    }

    /// How many bytes of the log are not copied yet.
    pub fn waiting(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len().saturating_sub(self.offset))
    }

    /// Sends all whole lines that are not there yet. May be dropped at any moment and called again.
    ///
    /// # Errors
    /// [`CopyError`]; what could not be sent is tried again by the next call.
    pub async fn send(&mut self) -> Result<(), CopyError> {
        loop {
            let lines = self.lines().map_err(CopyError::Log)?;
            if lines.is_empty() {
                return Ok(());
            }
            let sent = self.put(Bytes::from(lines)).await?;
            self.offset += sent;
            self.pieces += 1;
        }
    }

    /// Puts the next piece; how many of `lines`' bytes it has, which are fewer where an earlier
    /// try has arrived after all.
    async fn put(&self, lines: Bytes) -> Result<u64, CopyError> {
        let piece = self.next_key();
        let mut attempt = 1;
        loop {
            let error = match self.bucket.put_new(&piece, lines.clone(), CONTENT_TYPE, self.lock_until).await
            {
                Ok(()) => return Ok(lines.len() as u64),
                Err(error) => error,
            };
            if *error.kind() == StoreErrorKind::Changed {
                let there = read(&self.bucket, &piece, lines.len()).await?;
                return if lines.starts_with(&there) && there.ends_with(b"\n") {
                    Ok(there.len() as u64)
                } else {
                    Err(CopyError::Other { piece })
                };
            }
            if *error.kind() != StoreErrorKind::Conflict || attempt == ATTEMPTS {
                return Err(CopyError::Send { piece, source: error });
            }
            attempt += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn key(&self, number: u32) -> String {
        format!("{}{number:06}.jsonl", self.prefix)
    }

    /// Whole lines from where the copy ends.
    fn lines(&self) -> io::Result<Vec<u8>> {
        let mut log = BufReader::new(self.opened(self.offset)?);
        let mut lines = Vec::new();
        while lines.len() < self.largest {
            let whole = lines.len();
            log.read_until(b'\n', &mut lines)?;
            if !lines.ends_with(b"\n") {
                lines.truncate(whole);
                break;
            }
            if lines.len() == whole {
                break;
            }
        }
        Ok(lines)
    }

    fn ends_a_line(&self) -> io::Result<bool> {
        let Some(last) = self.offset.checked_sub(1) else { return Ok(false) };
        self.read(last, 1).map(|byte| byte == b"\n")
    }

    fn read(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.opened(from) {
            Ok(log) => log.take(length).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(bytes)
    }

    fn opened(&self, at: u64) -> io::Result<File> {
        let mut log = File::open(&self.log)?;
        // The copy must not know more than the disk does, or a power cut would make them differ.
        #[cfg(unix)]
        log.sync_data()?;
        log.seek(SeekFrom::Start(at))?;
        Ok(log)
    }
}

/// What is there of a copy.
#[derive(Debug, Default)]
struct There {
    pieces: BTreeMap<u32, Piece>,
    /// Keys that were written or deleted more than once.
    altered: Vec<String>,
}

#[derive(Debug)]
struct Piece {
    key: String,
    size: u64,
}

async fn list(bucket: &Bucket, prefix: &str) -> Result<There, CopyError> {
    let mut there = There::default();
    let mut pages = bucket.versions(prefix, None);
    while let Some(page) = pages.next().await.map_err(CopyError::Ask)? {
        for entry in page.entries() {
            let name = entry.key.strip_prefix(prefix).and_then(|name| name.strip_suffix(".jsonl"));
            let Some(number) = name.filter(|name| name.len() >= 6).and_then(|name| name.parse().ok()) else {
                continue;
            };
            if !entry.is_latest {
                there.altered.push(entry.key.to_owned());
            } else if entry.kind != Kind::Marker {
                there.pieces.insert(number, Piece { key: entry.key.to_owned(), size: entry.size });
            }
        }
    }
    there.altered.dedup();
    Ok(there)
}

/// An object that should have no more than `most` bytes; of a longer one a little more than that.
async fn read(bucket: &Bucket, key: &str, most: usize) -> Result<Vec<u8>, CopyError> {
    let mut body = bucket.get(key).await.map_err(CopyError::Ask)?;
    let mut bytes = Vec::new();
    while bytes.len() <= most {
        match body.next().await.map_err(CopyError::Ask)? {
            Some(more) => bytes.extend_from_slice(&more),
            None => break,
        }
    }
    Ok(bytes)
}

/// Puts the log under `prefix` together again, into `log`; the keys of pieces that were written or
/// deleted more than once.
///
/// # Errors
/// [`CopyError`], where a piece is missing or cannot be read.
pub async fn fetch(bucket: &Bucket, prefix: &str, log: &mut impl Write) -> Result<Vec<String>, CopyError> {
    let there = list(bucket, prefix).await?;
    let mut next = 1;
    for (number, piece) in &there.pieces {
        if *number != next {
            return Err(CopyError::Gap { piece: format!("{prefix}{next:06}.jsonl") });
        }
        next += 1;
        let mut body = bucket.get(&piece.key).await.map_err(CopyError::Ask)?;
        while let Some(bytes) = body.next().await.map_err(CopyError::Ask)? {
            log.write_all(&bytes).map_err(CopyError::Log)?;
        }
    }
    if next == 1 { Err(CopyError::Nothing) } else { Ok(there.altered) }
}
