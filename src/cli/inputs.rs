//! Reading the policy folder.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::output::{self, Style, WIDTH};
use crate::policy::{self, Diagnostic, Policy, SourceFile};

/// A policy is a folder of documents; more than this is surely another folder.
const MAX_FILES: usize = 1000;

/// A policy's folders are not nested deeper than this.
const MAX_DEPTH: u32 = 16;

/// The largest file that is read as YAML, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A policy that was read, and what belongs to it.
pub struct Loaded {
    /// The policy, with its places.
    pub read: policy::ReadPolicy,
    /// Its files.
    pub sources: Vec<SourceFile>,
    /// The folder that record files are relative to.
    pub folder: PathBuf,
    /// Where it was read from: a folder, or its one file.
    pub path: PathBuf,
}

impl Loaded {
    /// The validated policy.
    pub const fn policy(&self) -> &Policy {
        &self.read.policy
    }

    /// What tells it from another policy: the digest of all but its holds, and that of its holds.
    pub fn digests(&self) -> (&str, &str) {
        (&self.read.policy.digest, &self.read.policy.holds_digest)
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
            PolicyFault::Files(Failure::usage(format!("{} could not be read: {error}", output::path(&file))))
        })?;
        sources.push(SourceFile { path: file.display().to_string(), bytes });
    }
    match policy::read(&sources) {
        Ok(read) => Ok(Loaded { read, sources, folder, path: path.to_owned() }),
        Err(faults) => Err(PolicyFault::Invalid(faults, sources)),
    }
}

fn files(path: &Path) -> Result<(Vec<PathBuf>, PathBuf), Failure> {
    let help = "name the policy's folder or file, as in `shelflife check policies/`";
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("policy {} could not be read: {error}", output::path(path))).help(help)
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
                    return Err(Failure::usage(format!("{} lies too deep", output::path(&entry)))
                        .help("is there a link that leads back into the folder?"));
                }
                folders.push((entry, depth + 1));
            } else if name.ends_with(".yaml") || name.ends_with(".yml") {
                found.push(entry);
            } else if name.contains(".yaml") || name.contains(".yml") {
                return Err(Failure::usage(format!(
                    "{} looks like a policy file and is none",
                    output::path(&entry)
                ))
                .help("end its name in .yaml, or take it out of the folder: what it holds could be a hold"));
            }
        }
    }
    found.sort();
    if found.is_empty() || found.len() > MAX_FILES {
        let what = if found.is_empty() { "no YAML file" } else { "far too many YAML files" };
        return Err(Failure::usage(format!("policy {} holds {what}", output::path(path))).help(help));
    }
    Ok((found, path.to_owned()))
}

/// One file that stands beside a policy, as far as the reader would take it: of a larger one
/// enough for it to say so.
pub fn read_source(path: &Path) -> std::io::Result<SourceFile> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(SourceFile { path: path.display().to_string(), bytes })
}
