//! Where evidence lies: its names, its folder, and the log before.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveTime, Utc};

use super::exit::Failure;
use super::output;
use crate::evidence::{self, EvidenceError};
use crate::policy::Policy;

/// Where the evidence of a plan goes: beside it, or into `folder`, named after its digest.
pub fn evidence_path(plan: &Path, folder: Option<&Path>, digest: &str) -> PathBuf {
    let stem = plan.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}.{}.evidence.jsonl", &digest[..digest.len().min(12)]);
    folder.map_or_else(|| plan.with_file_name(&name), |folder| folder.join(&name))
}

/// Makes sure that evidence can be written, before anything is asked of a store: into `folder`,
/// which is made if it is not there, or beside the plan.
pub fn check_evidence_folder(plan: &Path, folder: Option<&Path>) -> Result<(), Failure> {
    let probe = evidence_path(plan, folder, "probe");
    let tried = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&probe));
    tried.and_then(|_| fs::remove_file(&probe)).map_err(|error| {
        let place = probe.parent().filter(|place| !place.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Failure::usage(format!("evidence could not be written to {}: {error}", output::path(place)))
            .help("choose another folder with --evidence-dir; without evidence nothing is deleted")
    })
}

/// Until when the evidence of a run must be kept: the end of that day.
pub fn keep_until(policy: &Policy, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = policy.evidence_retain?.after(now.date_naive())?;
    Some(day.succ_opt()?.and_time(NaiveTime::MIN).and_utc())
}

/// The head of the newest log of `policy` in the folder but for `own`, which is to follow it. A log that a
/// crash has torn is followed as well, from its last whole entry: it could else be taken away without a gap.
pub fn previous_head(folder: &Path, policy: &str, own: &Path) -> Option<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let logs = fs::read_dir(folder).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_log = path.file_name()?.to_string_lossy().ends_with(".evidence.jsonl")
            && path.file_name() != own.file_name();
        let modified = fs::metadata(&path).ok()?.modified().ok()?;
        is_log.then_some((modified, path))
    });
    let mut logs: Vec<_> = logs.collect();
    logs.sort();
    logs.into_iter().rev().find_map(|(_, path)| {
        let mut log = File::open(path).ok()?;
        let opened = evidence::opened(BufReader::new(&log)).ok()?;
        if opened.opening.policy != policy {
            return None;
        }
        evidence::head(&mut log).ok().flatten()
    })
}

/// What to do about a log that cannot be used.
pub fn evidence_failure(path: &Path, error: &EvidenceError) -> Failure {
    let failure = Failure::failed(format!("evidence {}: {}", output::path(path), Failure::chain(error)));
    match error {
        EvidenceError::InUse => failure.help("another run is writing to it; wait for it to end"),
        _ => failure.help("choose another folder with --evidence-dir; without evidence nothing is deleted"),
    }
}
