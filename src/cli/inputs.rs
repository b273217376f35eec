//! Reading the policy folder and the record files that it names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::exit::{Exit, Failure};
use super::output::{Style, WIDTH};
use crate::plan::RecordsDigest;
use crate::policy::{self, Diagnostic, Policy, SourceFile};
use crate::records::{RecordTable, Records, Unusable};
use crate::text;

/// A policy is a folder of documents; more than this is surely another folder.
const MAX_FILES: usize = 1000;

/// A policy's folders are not nested deeper than this.
const MAX_DEPTH: u32 = 16;

/// A policy that was read, and what belongs to it.
pub struct Loaded {
    /// The policy, with its places.
    pub read: policy::ReadPolicy,
    /// Its files.
    pub sources: Vec<SourceFile>,
    /// The folder that record files are relative to.
    pub folder: PathBuf,
}

impl Loaded {
    /// The validated policy.
    pub const fn policy(&self) -> &Policy {
        &self.read.policy
    }
}

/// Why a policy could not be loaded.
pub enum PolicyFault {
    /// Its files could not be read.
    Files(Failure),
    /// It is not valid.
    Invalid(Vec<Diagnostic>, Vec<SourceFile>),
}

impl PolicyFault {
    /// As a failure with every fault shown at its place.
    pub fn into_failure(self, style: Style) -> Failure {
        match self {
            Self::Files(failure) => failure,
            Self::Invalid(faults, sources) => {
                let shown = policy::render(&faults, &sources, style.colour, WIDTH);
                Failure::usage(format!("the policy is not valid\n\n{}", shown.trim_end()))
                    .help("`shelflife check` shows every fault; `check --explain CODE` tells more of one")
            }
        }
    }
}

/// Reads all files of the policy at `path`.
pub fn load(path: &Path) -> Result<Loaded, PolicyFault> {
    let (files, folder) = files(path).map_err(PolicyFault::Files)?;
    let mut sources = Vec::new();
    for file in files {
        let bytes = fs::read(&file).map_err(|error| {
            PolicyFault::Files(Failure::usage(format!("{} could not be read: {error}", file.display())))
        })?;
        sources.push(SourceFile { path: file.display().to_string(), bytes });
    }
    match policy::read(&sources) {
        Ok(read) => Ok(Loaded { read, sources, folder }),
        Err(faults) => Err(PolicyFault::Invalid(faults, sources)),
    }
}

fn files(path: &Path) -> Result<(Vec<PathBuf>, PathBuf), Failure> {
    let help = "name the policy's folder or file, as in `shelflife check policies/`";
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("policy {} could not be read: {error}", path.display())).help(help)
    };
    if fs::metadata(path).map_err(wrong)?.is_file() {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        return Ok((vec![path.to_owned()], folder));
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?.path();
            let name = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if name.starts_with('.') || name.ends_with(".test.yaml") {
                continue;
            }
            // Links are followed: behind one may be a hold.
            if fs::metadata(&entry).map_err(wrong)?.is_dir() {
                if depth >= MAX_DEPTH {
                    return Err(Failure::usage(format!("{} lies too deep", entry.display()))
                        .help("is there a link that leads back into the folder?"));
                }
                folders.push((entry, depth + 1));
            } else if name.ends_with(".yaml") || name.ends_with(".yml") {
                found.push(entry);
            } else if name.contains(".yaml") || name.contains(".yml") {
                return Err(Failure::usage(format!(
                    "{} looks like a policy file and is none",
                    entry.display()
                ))
                .help("end its name in .yaml, or take it out of the folder: what it holds could be a hold"));
            }
        }
    }
    found.sort();
    if found.is_empty() || found.len() > MAX_FILES {
        let what = if found.is_empty() { "no YAML file" } else { "far too many YAML files" };
        return Err(Failure::usage(format!("policy {} holds {what}", path.display())).help(help));
    }
    Ok((found, path.to_owned()))
}

/// Record files as they were read.
pub struct LoadedRecords {
    /// Their rows.
    pub records: Records,
    /// Their digests, by table.
    pub digests: BTreeMap<String, RecordsDigest>,
    /// What is wrong with them.
    pub faults: Vec<String>,
}

/// Reads the record files of `loaded` as they are at `now`.
pub fn load_records(loaded: &Loaded, now: DateTime<Utc>) -> LoadedRecords {
    let mut all = LoadedRecords { records: Records::default(), digests: BTreeMap::new(), faults: Vec::new() };
    for table in &loaded.policy().tables {
        let path = loaded.folder.join(&table.file);
        let mut hashed = match File::open(&path) {
            Ok(file) => Hashing { inner: BufReader::new(file), hash: Sha256::new() },
            Err(error) => {
                all.faults.push(format!("{}: could not be opened: {error}", path.display()));
                all.records
                    .tables
                    .push(RecordTable { unusable: Some(Unusable::Missing), ..RecordTable::default() });
                continue;
            }
        };
        match RecordTable::read_csv(table, &mut hashed, now, loaded.policy().timezone) {
            Ok(read) => {
                all.faults.extend(read.faults.iter().map(|fault| in_file(&path, &fault.to_string())));
                let digest =
                    RecordsDigest { file: table.file.clone(), sha256: hashed.digest(), rows: read.rows };
                all.digests.insert(table.name.clone(), digest);
                all.records.tables.push(read.table);
            }
            Err(error) => {
                all.faults.push(in_file(&path, &Failure::chain(&error)));
                all.records
                    .tables
                    .push(RecordTable { unusable: Some(Unusable::Missing), ..RecordTable::default() });
            }
        }
    }
    all
}

/// A fault with its file; ids and column names in it are untrusted text.
fn in_file(path: &Path, fault: &str) -> String {
    format!("{}: {}", path.display(), text::terminal(fault))
}

/// Refuses record files with faults, unless they are to be tolerated.
pub fn refuse_faults(records: &LoadedRecords, tolerate: bool) -> Result<(), Failure> {
    if records.faults.is_empty() || tolerate {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("record files have faults\n  {}", records.faults.join("\n  "))).help(
        "export them again; or pass --tolerate-record-faults to keep what depends on them, and go on with the rest",
    ))
}

/// Hashes what passes through.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

impl<R> Hashing<R> {
    fn digest(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
