//! Reading the record files that a policy names, each of them once, from its folder or a store.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::exit::{Exit, Failure};
use super::inputs::Loaded;
use crate::plan::RecordsDigest;
use crate::policy::{Policy, RecordFormat, RecordPlace, Table};
use crate::records::{ReadTable, RecordError, RecordFault, RecordTable, Records, Unusable};
use crate::s3::{Store, StoreError};
use crate::text;

/// Record files as they were read.
pub struct LoadedRecords {
    /// Their rows.
    pub records: Records,
    /// Their digests, by table.
    pub digests: BTreeMap<String, RecordsDigest>,
    /// What is wrong with them.
    pub faults: Vec<FileProblem>,
    /// What was not read because no store was asked.
    pub not_read: Vec<String>,
}

/// What is wrong with a record file.
#[derive(Clone, Debug)]
pub struct FileProblem {
    /// Index into the policy's tables.
    pub table: usize,
    /// The file and the fault, fit for a terminal.
    pub message: String,
    /// Whether it comes with the time that has passed since the export, and not with the file.
    pub is_of_the_date: bool,
    /// Whether it is worth a look and nothing is unknown because of it.
    pub is_remark: bool,
}

/// The record files of a policy on their way.
pub struct RecordFiles {
    /// In the order of the policy's tables.
    files: Vec<Progress>,
}

enum Progress {
    Read(Box<ReadTable>, RecordsDigest),
    /// It cannot be used, for this reason.
    Failed(String),
    /// It lies in a store that was not asked yet.
    InStore,
}

/// Reads the record files in the policy's folder as they are at `now`; those in a store are missing.
pub fn load_records(loaded: &Loaded, now: DateTime<Utc>) -> LoadedRecords {
    RecordFiles::read_local(loaded, now).judged(loaded.policy(), now)
}

impl RecordFiles {
    /// Reads the files in the policy's folder.
    pub fn read_local(loaded: &Loaded, now: DateTime<Utc>) -> Self {
        let zone = loaded.policy().timezone;
        let read = |table: &Table| match &table.place {
            RecordPlace::Store { .. } => Progress::InStore,
            RecordPlace::Folder(path) => match read_file(table, &loaded.folder.join(path), now, zone) {
                Ok((read, digest)) => Progress::Read(Box::new(read), digest),
                Err(fault) => Progress::Failed(Failure::chain(&fault)),
            },
        };
        Self { files: loaded.policy().tables.iter().map(read).collect() }
    }

    /// Fetches and reads the files that lie in a store.
    pub async fn fetch(&mut self, store: &Store, policy: &Policy, now: DateTime<Utc>) {
        for (file, table) in self.files.iter_mut().zip(&policy.tables) {
            if let (Progress::InStore, RecordPlace::Store { bucket, key }) = (&*file, &table.place) {
                *file = match fetch(store, bucket, key, table, now, policy.timezone).await {
                    Ok((read, digest)) => Progress::Read(Box::new(read), digest),
                    Err(fault) => Progress::Failed(Failure::chain(&fault)),
                };
            }
        }
    }

    /// The records as they count at `now`.
    pub fn judged(mut self, policy: &Policy, now: DateTime<Utc>) -> LoadedRecords {
        let mut all = LoadedRecords {
            records: Records::default(),
            digests: BTreeMap::new(),
            faults: self.faults(policy, now),
            not_read: Vec::new(),
        };
        for (file, table) in self.files.into_iter().zip(&policy.tables) {
            all.records.tables.push(match file {
                Progress::Read(read, digest) => {
                    all.digests.insert(table.name.clone(), digest);
                    read.table
                }
                Progress::Failed(_) => RecordTable::unusable(Unusable::Missing),
                Progress::InStore => {
                    all.not_read.push(format!("{} lies in a store and was not read", place_of(table)));
                    RecordTable::unusable(Unusable::Missing)
                }
            });
        }
        all
    }

    /// What is wrong with the files that were read so far, as they count at `now`.
    pub fn faults(&mut self, policy: &Policy, now: DateTime<Utc>) -> Vec<FileProblem> {
        let mut found = Vec::new();
        for (index, (file, table)) in self.files.iter_mut().zip(&policy.tables).enumerate() {
            let place = place_of(table);
            // Ids and column names are untrusted text.
            let problem = |fault: &dyn Display| FileProblem {
                table: index,
                message: format!("{place}: {}", text::terminal(&fault.to_string())),
                is_of_the_date: false,
                is_remark: false,
            };
            match file {
                Progress::Read(read, _) => {
                    read.judge(table, now);
                    found.extend(read.faults.iter().map(|fault| FileProblem {
                        is_of_the_date: fault.is_of_the_date(),
                        is_remark: fault.is_remark(),
                        ..problem(fault)
                    }));
                    let more = read.fault_count.saturating_sub(read.faults.len() as u64);
                    if more > 0 {
                        let is_remark = read.faults.iter().all(RecordFault::is_remark);
                        let more = format!("and {} more, which are not listed", text::count(more));
                        found.push(FileProblem { is_remark, ..problem(&more) });
                    }
                }
                Progress::Failed(fault) => found.push(problem(fault)),
                Progress::InStore => {}
            }
        }
        found
    }
}

fn place_of(table: &Table) -> String {
    text::terminal(&table.place.to_string()).into_owned()
}

/// Refuses record files with faults, remarks aside, unless they are to be tolerated.
pub fn refuse_faults(faults: &[FileProblem], tolerate: bool) -> Result<(), Failure> {
    let worse = faults.iter().filter(|fault| !fault.is_remark);
    let messages: Vec<&str> = worse.map(|fault| fault.message.as_str()).collect();
    if messages.is_empty() || tolerate {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("record files have faults\n  {}", messages.join("\n  "))).help(
        "export them again; or pass --tolerate-record-faults to keep what depends on them, and go on with the rest",
    ))
}

/// Why a record file cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileFault {
    #[error("could not be opened")]
    Open(#[source] io::Error),
    #[error("is no regular file")]
    NotAFile,
    #[error("was changed while it was read; let it be written elsewhere and moved here when it is whole")]
    Changed,
    #[error("could not be kept in a temporary file")]
    Temporary(#[source] io::Error),
    #[error(transparent)]
    Records(#[from] RecordError),
    #[error("could not be fetched")]
    Store(#[from] StoreError),
}

fn read_file(
    table: &Table,
    path: &Path,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<(ReadTable, RecordsDigest), FileFault> {
    // A pipe would be waited for without end.
    if !std::fs::metadata(path).map_err(FileFault::Open)?.is_file() {
        return Err(FileFault::NotAFile);
    }
    let file = File::open(path).map_err(FileFault::Open)?;
    let before = file.metadata().map_err(FileFault::Open)?;
    let read = read_open(table, file, now, zone)?;
    let after = std::fs::metadata(path).map_err(FileFault::Open)?;
    if is_same(&before, &after) { Ok(read) } else { Err(FileFault::Changed) }
}

/// Whether nothing was written to the file between the two looks, and no other put in its place.
fn is_same(before: &Metadata, after: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (before.dev(), before.ino(), before.ctime(), before.ctime_nsec())
            != (after.dev(), after.ino(), after.ctime(), after.ctime_nsec())
        {
            return false;
        }
    }
    before.len() == after.len() && before.modified().ok() == after.modified().ok()
}

async fn fetch(
    store: &Store,
    bucket: &str,
    key: &str,
    table: &Table,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<(ReadTable, RecordsDigest), FileFault> {
    let mut body = store.bucket(bucket).await?.get(key).await?;
    // Without a name, and readable by nobody else.
    let mut file = tempfile::tempfile().map_err(FileFault::Temporary)?;
    while let Some(bytes) = body.next().await? {
        file.write_all(&bytes).map_err(FileFault::Temporary)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(FileFault::Temporary)?;
    read_open(table, file, now, zone)
}

fn read_open(
    table: &Table,
    mut file: File,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<(ReadTable, RecordsDigest), FileFault> {
    let mut hash = Sha256::new();
    let read = if table.format == RecordFormat::Parquet {
        // It is read back and forth, so its digest takes a pass of its own.
        let mut hashed = Hashing { inner: &mut file, hash: &mut hash };
        io::copy(&mut hashed, &mut io::sink()).map_err(FileFault::Open)?;
        file.seek(SeekFrom::Start(0)).map_err(FileFault::Open)?;
        RecordTable::read_parquet(table, file, now, zone)?
    } else {
        let mut hashed = Hashing { inner: BufReader::new(file), hash: &mut hash };
        match table.format {
            RecordFormat::JsonLines => RecordTable::read_json_lines(table, &mut hashed, now, zone)?,
            RecordFormat::Csv | RecordFormat::Parquet => {
                RecordTable::read_csv(table, &mut hashed, now, zone)?
            }
        }
    };
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let ids = read.table.len() as u64;
    let digest = RecordsDigest { file: table.place.to_string(), sha256, rows: read.rows, ids };
    Ok((read, digest))
}

/// Hashes what passes through.
struct Hashing<'h, R> {
    inner: R,
    hash: &'h mut Sha256,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customers.csv");
        std::fs::write(&path, "customer_id\n1\n").unwrap();
        let look = || std::fs::metadata(&path).unwrap();
        let before = look();
        assert!(is_same(&before, &look()));
        std::fs::write(&path, "customer_id\n1\n2\n").unwrap();
        assert!(!is_same(&before, &look()), "it has grown");
        let before = look();
        let other = folder.path().join("other.csv");
        std::fs::write(&other, "customer_id\n1\n3\n").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(!is_same(&before, &look()), "another file of the same length is in its place");
    }
}
