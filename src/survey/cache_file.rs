//! The cache's file: what HEAD told of object versions, sealed so that the file alone tells nothing.
//!
//! An entry lies under a hash, and is sealed with another hash of all that tells its object version apart.
//! Who has the file and not the object's key, ETag and dates cannot read it, and what a page that was
//! freed still holds of a removed entry is as closed to him.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use memchr::memmem;
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use sha2::{Digest, Sha256};

use crate::object::Attributes;

/// Metadata and content type.
pub(super) type Told = (Attributes, String);

/// The first bytes of a bucket's entries.
pub(super) type BucketId = [u8; 8];

/// Under what an entry lies: its bucket, a hash of its directory, so that what is listed together lies
/// together, and a hash of its own.
type Place = [u8; 28];

/// What tells an object version apart, hashed.
#[derive(Clone, Debug)]
pub(super) struct Id {
    pub place: Place,
    /// Of it `place` is a hash; the file has only that.
    pub secret: [u8; 32],
}

/// Why a cache is of no use. What it would have told is asked for.
#[derive(Debug, thiserror::Error)]
pub enum CacheFault {
    /// It could not be opened, read or written.
    #[error("it could not be used: {0}")]
    Io(#[source] io::Error),
    /// Another run has it.
    #[error("it is in use by another run")]
    InUse,
    /// There is something else in the file, which is left as it is.
    #[error("what is there is no cache")]
    Foreign,
    /// Others could have written into it.
    #[error("others may write to it")]
    Exposed,
    /// It is not as this version writes it.
    #[error("it is damaged")]
    Damaged,
}

const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("shelflife-about");
/// On which day a bucket was last gone through completely, in days of the common era.
const BUCKETS: TableDefinition<'_, BucketId, i32> = TableDefinition::new("shelflife-buckets");
/// Number, check, sealed answer.
const HEADS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("shelflife-heads");

const FORMAT: u64 = 1;
/// What the names of all tables begin with.
const NAME: &[u8] = b"shelflife-";

/// How a file of the database begins.
pub(super) const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// How many days entries of a bucket stay that no run has gone through completely since.
const MOST_DAYS: i32 = 90;

/// How many new entries a broken run may lose.
const UNWRITTEN: usize = 1_024;

/// Bytes of the file that are kept in memory; the rest is left to the system.
const IN_MEMORY: usize = 16 << 20;

/// An open cache file.
pub(super) struct CacheFile {
    database: Database,
    unwritten: Vec<(Place, Vec<u8>)>,
    /// The number of the next entry.
    next: u64,
    used: Numbers,
    today: i32,
}

impl CacheFile {
    /// Opens the file, makes it if it is not there, and forgets what is too old on the day `today`.
    pub fn open(path: &Path, today: NaiveDate) -> Result<Self, CacheFault> {
        let file = open_file(path)?;
        #[cfg(unix)]
        let private = file.try_clone().map_err(CacheFault::Io)?;
        let backend = FileBackend::new(file).map_err(fault)?;
        // A file that somebody else changed is found out here, and not by a panic or a circle later.
        let database = Database::builder()
            .set_cache_size(IN_MEMORY)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)
            .map_err(fault)?;
        let mut cache = Self {
            database,
            unwritten: Vec::new(),
            next: 0,
            used: Numbers::default(),
            today: today.num_days_from_ce(),
        };
        cache.prepare()?;
        #[cfg(unix)]
        private
            .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(CacheFault::Io)?;
        Ok(cache)
    }

    fn prepare(&mut self) -> Result<(), CacheFault> {
        let write = self.database.begin_write().map_err(fault)?;
        let names: Vec<String> =
            write.list_tables().map_err(fault)?.map(|table| table.name().to_owned()).collect();
        if !names.is_empty() && !names.iter().any(|name| name == ABOUT.name()) {
            return Err(CacheFault::Foreign);
        }
        {
            let mut about = write.open_table(ABOUT).map_err(fault)?;
            let format = about.get("format").map_err(fault)?.map(|format| format.value());
            match format {
                None => about.insert("format", FORMAT).map(drop).map_err(fault)?,
                Some(FORMAT) => {}
                Some(_) => return Err(CacheFault::Damaged),
            }
            self.next = about.get("next").map_err(fault)?.map_or(0, |next| next.value());
            let mut buckets = write.open_table(BUCKETS).map_err(fault)?;
            let mut heads = write.open_table(HEADS).map_err(fault)?;
            let all = buckets.iter().map_err(fault)?;
            let all = all.map(|row| row.map(|(bucket, day)| (bucket.value(), day.value())));
            for (bucket, day) in all.collect::<Result<Vec<_>, _>>().map_err(fault)? {
                if day > self.today {
                    // Written when a clock was fast; it must not keep the entries for longer.
                    buckets.insert(bucket, self.today).map_err(fault)?;
                } else if self.today - day > MOST_DAYS {
                    heads.retain_in(all_of(bucket), |_, _| false).map_err(fault)?;
                    buckets.remove(bucket).map_err(fault)?;
                }
            }
        }
        write.commit().map_err(fault)
    }

    /// What is known of `ids`, in their order.
    pub fn look(&mut self, ids: &[Id]) -> Result<Vec<Option<Told>>, CacheFault> {
        let read = self.database.begin_read().map_err(fault)?;
        let heads = read.open_table(HEADS).map_err(fault)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let entry = heads.get(id.place).map_err(fault)?;
            let opened = entry.and_then(|entry| open_entry(&id.secret, entry.value()));
            found.push(opened.map(|(number, told)| {
                self.used.insert(number);
                told
            }));
        }
        Ok(found)
    }

    /// Keeps what was told of object versions.
    pub fn keep(&mut self, told: Vec<(Id, Told)>) -> Result<(), CacheFault> {
        for (id, told) in told {
            if let Some(entry) = close_entry(&id.secret, self.next, &told) {
                self.unwritten.push((id.place, entry));
                self.used.insert(self.next);
                self.next += 1;
            }
        }
        if self.unwritten.len() >= UNWRITTEN { self.write() } else { Ok(()) }
    }

    /// Writes down what is not yet written.
    pub fn write(&mut self) -> Result<(), CacheFault> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let write = self.database.begin_write().map_err(fault)?;
        {
            let mut heads = write.open_table(HEADS).map_err(fault)?;
            let mut buckets = write.open_table(BUCKETS).map_err(fault)?;
            self.unwritten.sort_unstable();
            for (place, entry) in self.unwritten.drain(..) {
                heads.insert(place, entry.as_slice()).map_err(fault)?;
                let bucket = bucket_of(place);
                if buckets.get(bucket).map_err(fault)?.is_none() {
                    buckets.insert(bucket, self.today).map_err(fault)?;
                }
            }
            write.open_table(ABOUT).map_err(fault)?.insert("next", self.next).map_err(fault)?;
        }
        write.commit().map_err(fault)
    }

    /// Hears that this run has gone through a whole bucket: what it had no use for is gone, or decided
    /// without, and is forgotten.
    pub fn complete(&mut self, bucket: BucketId) -> Result<(), CacheFault> {
        self.write()?;
        let (mut kept, mut removed) = (0_u64, 0_u64);
        let write = self.database.begin_write().map_err(fault)?;
        {
            let mut heads = write.open_table(HEADS).map_err(fault)?;
            let is_used = |_: Place, entry: &[u8]| {
                let is_used = number_of(entry).is_some_and(|number| self.used.contains(number));
                *if is_used { &mut kept } else { &mut removed } += 1;
                is_used
            };
            heads.retain_in(all_of(bucket), is_used).map_err(fault)?;
            write.open_table(BUCKETS).map_err(fault)?.insert(bucket, self.today).map_err(fault)?;
        }
        write.commit().map_err(fault)?;
        if removed > kept {
            self.database.compact().map_err(fault)?;
        }
        Ok(())
    }
}

/// Whether a file names a table of the cache anywhere.
pub(super) fn is_named_in(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 20];
    let mut held = 0;
    loop {
        let read = file.read(&mut block[held..])?;
        if read == 0 {
            return Ok(false);
        }
        let end = held + read;
        if memmem::find(&block[..end], NAME).is_some() {
            return Ok(true);
        }
        // The name may lie across two reads.
        held = end.min(NAME.len() - 1);
        block.copy_within(end - held..end, 0);
    }
}

/// Opens a file that only its owner reads, and that is empty or of the right kind.
fn open_file(path: &Path) -> Result<File, CacheFault> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(CacheFault::Io)?;
    let about = file.metadata().map_err(CacheFault::Io)?;
    if !about.is_file() {
        return Err(CacheFault::Foreign);
    }
    let mut start = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start).map_err(CacheFault::Io)?;
    file.rewind().map_err(CacheFault::Io)?;
    if !(start.is_empty() || start == MAGIC) {
        return Err(CacheFault::Foreign);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if about.mode() & 0o022 != 0 {
            return Err(CacheFault::Exposed);
        }
    }
    Ok(file)
}

fn fault(error: impl Into<redb::Error>) -> CacheFault {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => CacheFault::InUse,
        redb::Error::UpgradeRequired(_) => CacheFault::Foreign,
        redb::Error::Io(error)
            if !matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
        {
            CacheFault::Io(error)
        }
        _ => CacheFault::Damaged,
    }
}

fn all_of(bucket: BucketId) -> std::ops::RangeInclusive<Place> {
    let (mut first, mut last) = ([0; 28], [u8::MAX; 28]);
    first[..8].copy_from_slice(&bucket);
    last[..8].copy_from_slice(&bucket);
    first..=last
}

fn bucket_of(place: Place) -> BucketId {
    let mut bucket = [0; 8];
    bucket.copy_from_slice(&place[..8]);
    bucket
}

fn close_entry(secret: &[u8; 32], number: u64, told: &Told) -> Option<Vec<u8>> {
    let mut plain = serde_json::to_vec(told).ok()?;
    let mut entry = number.to_be_bytes().to_vec();
    entry.extend(check(secret, number, &plain));
    pad(secret, &mut plain);
    entry.extend(plain);
    Some(entry)
}

/// The entry, if it is as it was written: a wrong date of one object is worse than asking again for all.
fn open_entry(secret: &[u8; 32], entry: &[u8]) -> Option<(u64, Told)> {
    let number = number_of(entry)?;
    let (checked, sealed) = entry.get(8..)?.split_at_checked(8)?;
    let mut plain = sealed.to_vec();
    pad(secret, &mut plain);
    let told = serde_json::from_slice(&plain).ok()?;
    (checked == check(secret, number, &plain)).then_some((number, told))
}

fn number_of(entry: &[u8]) -> Option<u64> {
    entry.first_chunk().map(|number| u64::from_be_bytes(*number))
}

fn check(secret: &[u8; 32], number: u64, plain: &[u8]) -> [u8; 8] {
    let hash = Sha256::new().chain_update([0]).chain_update(secret).chain_update(number.to_be_bytes());
    let hash = hash.chain_update(plain).finalize();
    std::array::from_fn(|place| hash[place])
}

/// Seals and unseals. One secret seals one answer only, for what HEAD tells of it never changes.
fn pad(secret: &[u8; 32], bytes: &mut [u8]) {
    for (number, block) in (0_u64..).zip(bytes.chunks_mut(32)) {
        let hash = Sha256::new().chain_update([1]).chain_update(secret).chain_update(number.to_be_bytes());
        block.iter_mut().zip(hash.finalize()).for_each(|(byte, pad)| *byte ^= pad);
    }
}

/// A set of numbers, most of them side by side: a bit each.
#[derive(Default)]
struct Numbers(BTreeMap<u64, Box<[u64; 512]>>);

impl Numbers {
    const BITS: u64 = 512 * 64;

    fn insert(&mut self, number: u64) {
        let block = self.0.entry(number / Self::BITS).or_insert_with(|| Box::new([0; 512]));
        let bit = number % Self::BITS;
        block[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    fn contains(&self, number: u64) -> bool {
        let bit = number % Self::BITS;
        self.0
            .get(&(number / Self::BITS))
            .is_some_and(|block| block[(bit / 64) as usize] & (1 << (bit % 64)) != 0)
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
