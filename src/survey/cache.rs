//! What HEAD told in earlier runs, so that it need not be asked again.
//!
//! Metadata and content type of an object version never change: who writes them anew makes another version,
//! or another Last-Modified. Tags, locks and holds change without a trace and are never kept.
//! What cannot be read from the cache is asked for; no fault of it is one of the run.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::{fs, io};

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

pub use super::cache_file::CacheFault;
use super::cache_file::{self, BucketId, CacheFile, Id, Told};

/// The name of the thread that has the file: whoever prints panics can leave its out.
pub const CACHE_THREAD: &str = "metadata-cache";

/// How old an object must be for what is read of it to be kept. Last-Modified counts in seconds: what is
/// written over within the same one looks the same.
const SETTLED: Duration = Duration::minutes(15);

/// An open cache.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    ask: mpsc::Sender<Ask>,
    thread: Option<JoinHandle<Result<(), CacheFault>>>,
    now: DateTime<Utc>,
    /// Whether what was there was damaged and was thrown away.
    pub is_anew: bool,
}

/// What the thread is asked.
enum Ask {
    Look(Vec<Id>, oneshot::Sender<Vec<Option<Told>>>),
    Keep(Vec<(Id, Told)>),
    Complete(BucketId),
    Close,
}

impl Cache {
    /// Opens the cache at `path`, or makes it; `now` is the date of today.
    ///
    /// # Errors
    /// If it cannot be used. A damaged one is thrown away, and anything else left as it is.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, CacheFault> {
        match Self::start(path, now) {
            // What is damaged beyond recognition may be somebody else's.
            Err(CacheFault::Damaged) if !cache_file::is_named_in(path).map_err(CacheFault::Io)? => {
                Err(CacheFault::Foreign)
            }
            Err(CacheFault::Damaged) => {
                throw_away(path)?;
                let mut cache = Self::start(path, now)?;
                cache.is_anew = true;
                Ok(cache)
            }
            opened => opened,
        }
    }

    /// A damaged file can make its reader panic; that must end no more than this thread.
    fn start(path: &Path, now: DateTime<Utc>) -> Result<Self, CacheFault> {
        let (ask, asked) = mpsc::channel();
        let (opened, is_open) = mpsc::sync_channel(1);
        let file = path.to_owned();
        let serve = move || match CacheFile::open(&file, now.date_naive()) {
            Ok(file) => {
                let _ = opened.send(Ok(()));
                serve(file, &asked)
            }
            Err(fault) => {
                let _ = opened.send(Err(fault));
                Ok(())
            }
        };
        let thread = thread::Builder::new().name(CACHE_THREAD.to_owned()).spawn(serve);
        let thread = thread.map_err(CacheFault::Io)?;
        let is_open = is_open.recv();
        let cache = Self { path: path.to_owned(), ask, thread: Some(thread), now, is_anew: false };
        // Nothing received: the thread broke while it opened the file.
        is_open.unwrap_or(Err(CacheFault::Damaged)).map(|()| cache)
    }

    /// What the cache has of a bucket, which `parts` name: the store's address, the account, the policy, the
    /// bucket.
    pub fn bucket(&self, parts: [&str; 4]) -> BucketCache {
        let hash = hash_of(Sha256::new(), &parts.map(str::as_bytes));
        BucketCache { hash, ask: self.ask.clone(), settled: self.now - SETTLED }
    }

    /// Writes all down and closes the file.
    ///
    /// # Errors
    /// What has kept the cache from being of use since it was opened. A damaged file is thrown away.
    pub fn close(mut self) -> Result<(), CacheFault> {
        self.end()
    }

    fn end(&mut self) -> Result<(), CacheFault> {
        let _ = self.ask.send(Ask::Close);
        let ended = self.thread.take().map_or(Ok(()), |thread| {
            // A panic is a state of the file that nobody has thought of.
            thread.join().unwrap_or(Err(CacheFault::Damaged))
        });
        if matches!(ended, Err(CacheFault::Damaged)) {
            throw_away(&self.path)?;
        }
        ended
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // A run that ends early keeps what it has read.
        let _ = self.end();
    }
}

fn throw_away(path: &Path) -> Result<(), CacheFault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CacheFault::Io(error)),
        _ => Ok(()),
    }
}

fn serve(mut file: CacheFile, asked: &mpsc::Receiver<Ask>) -> Result<(), CacheFault> {
    while let Ok(ask) = asked.recv() {
        match ask {
            Ask::Look(ids, answer) => {
                // Nobody waits any more where a run was given up.
                let _ = answer.send(file.look(&ids)?);
            }
            Ask::Keep(told) => file.keep(told)?,
            Ask::Complete(bucket) => file.complete(bucket)?,
            Ask::Close => break,
        }
    }
    file.write()
}

/// What a cache has of one bucket.
#[derive(Clone, Debug)]
pub struct BucketCache {
    hash: [u8; 32],
    ask: mpsc::Sender<Ask>,
    settled: DateTime<Utc>,
}

/// What tells an object version apart.
pub(super) struct Version<'a> {
    pub key: &'a str,
    pub version_id: Option<&'a str>,
    pub etag: &'a str,
    /// Last-Modified.
    pub uploaded: DateTime<Utc>,
}

impl BucketCache {
    /// What is known of `versions`, in their order; of none of them if the cache has broken.
    pub(super) async fn look(&self, versions: &[Version<'_>]) -> Vec<Option<Told>> {
        let (answer, answered) = oneshot::channel();
        let ids = versions.iter().map(|version| self.id(version)).collect();
        // Without a thread the answer's sender is gone at once.
        let _ = self.ask.send(Ask::Look(ids, answer));
        answered.await.unwrap_or_else(|_| vec![None; versions.len()])
    }

    /// Keeps what was read just now.
    pub(super) fn keep<'a>(&self, told: impl Iterator<Item = (Version<'a>, Told)>) {
        let settled = told.filter(|(version, _)| version.uploaded < self.settled);
        let told: Vec<_> = settled.map(|(version, told)| (self.id(&version), told)).collect();
        if !told.is_empty() {
            let _ = self.ask.send(Ask::Keep(told));
        }
    }

    /// Hears that the whole bucket was gone through: what was of no use is forgotten.
    pub fn complete(&self) {
        let _ = self.ask.send(Ask::Complete(self.id_of_bucket()));
    }

    fn id_of_bucket(&self) -> BucketId {
        std::array::from_fn(|place| self.hash[place])
    }

    fn id(&self, version: &Version<'_>) -> Id {
        let Version { key, version_id, etag, uploaded } = version;
        let directory = key.rfind('/').map_or("", |end| &key[..end]);
        let directory = hash_of(Sha256::new_with_prefix(self.hash), &[directory.as_bytes()]);
        let millis = uploaded.timestamp_millis().to_be_bytes();
        let parts = [key.as_bytes(), version_id.unwrap_or("").as_bytes(), etag.as_bytes(), &millis];
        let secret = hash_of(Sha256::new_with_prefix(self.hash), &parts);
        let own = Sha256::digest(secret);
        let mut place = [0; 28];
        place[..8].copy_from_slice(&self.hash[..8]);
        place[8..12].copy_from_slice(&directory[..4]);
        place[12..].copy_from_slice(&own[..16]);
        Id { place, secret }
    }
}

/// A hash of `parts`, each with its length, so that none can pass for two others.
fn hash_of(mut hash: Sha256, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
