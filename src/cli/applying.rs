//! Carrying a plan out: preflight, evidence, progress, and the way back after an interruption.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};

use super::copying::{Copied, Copying};
use super::evidence_files::{evidence_failure, keep_until};
use super::exit::Failure;
use super::output;
use super::progress::Progress;
use super::refusing::{not_while_stopped, refused, stop_file_failure};
use super::store::store_failure;
use crate::apply::{self, Applied, ApplyError, Configured, DoneRows, Pace, Preflight, Run, StopFile, Watch};
use crate::evidence::{self, Body, EvidenceError, EvidenceLog, ItemOutcome, ItemResult, Opening, Resuming};
use crate::plan::{BucketPlan, GuardResult, History, PlanHeader, PlanReader, Planned, RecordsDigest, canary};
use crate::policy::Policy;
use crate::records::Records;
use crate::s3::Bucket;
use crate::survey::Enrolment;

/// A plan file that is open and whole.
pub struct OpenPlan {
    /// The file.
    pub reader: PlanReader<File>,
    /// Its header.
    pub header: PlanHeader,
}

/// What is carried out, and under what.
pub struct Carrying<'a> {
    /// The plan.
    pub plan: &'a OpenPlan,
    /// The policy as it is now.
    pub policy: &'a Policy,
    /// External facts as they are now.
    pub records: &'a Records,
    /// The buckets.
    pub enrolment: &'a Enrolment,
    /// The record files that these come from.
    pub digests: &'a BTreeMap<String, RecordsDigest>,
    /// What earlier runs were to do.
    pub history: History,
    /// Those that copies go to.
    pub exports: &'a BTreeMap<String, Bucket>,
    /// Guards to go beyond.
    pub accepted: &'a [String],
    /// Whether a first run on a bucket is meant.
    pub first_run: bool,
    /// How many rows are carried out, the oldest, where not all of them are.
    pub limit: Option<u64>,
    /// What stops the run while it is there.
    pub stop_file: Option<&'a StopFile>,
    /// Whether configurations of the old form may be rewritten.
    pub upgrade_v1: bool,
    /// Whether only what makes S3 do less is carried out.
    pub narrow_only: bool,
    /// Where the evidence goes.
    pub evidence: PathBuf,
    /// The store's address, if it is not AWS.
    pub endpoint: Option<String>,
    /// The head of the newest other log, if there is one.
    pub previous_head: Option<String>,
    /// What time it is.
    pub clock: &'a (dyn Fn() -> DateTime<Utc> + Send + Sync),
    /// Set when it is to stop.
    pub stop: Arc<AtomicBool>,
    /// The most keys that are deleted in a second.
    pub max_rate: Option<u32>,
    /// How many chunks of rows are worked on at a time.
    pub at_once: usize,
    /// How long the first pause is before what the store puts off is tried again.
    pub first_pause: std::time::Duration,
    /// Where the evidence is copied to meanwhile.
    pub copying: Option<Copying>,
    /// Whether to keep quiet.
    pub quiet: bool,
}

/// How it ended.
#[derive(Debug)]
pub struct Carried {
    /// What was done.
    pub applied: Applied,
    /// The head of the evidence log; of one that could not be closed, as far as it was written.
    pub head: String,
    /// The log.
    pub evidence: PathBuf,
    /// Whether the log was there already: the run was resumed.
    pub resumed: bool,
    /// The copy of the log, if one was made.
    pub copied: Option<Copied>,
    /// What ended it before its end, if anything did.
    pub ended_by: Option<Failure>,
    /// Whether the plan had been carried out before, and this is what the log tells of it.
    pub spent: bool,
    /// Whether it was to carry out a part of the plan only, and more is left.
    pub is_part: bool,
    /// The stop file, if the policy names one.
    pub stop_file: Option<String>,
}

/// Opens a plan file.
pub fn open(path: &Path) -> Result<OpenPlan, Failure> {
    let wrong = |error: &dyn std::error::Error| {
        Failure::refused(format!("{}: {}", output::path(path), Failure::chain(error)))
            .help("make a new plan with `shelflife plan`; nothing was changed")
    };
    let file = File::open(path).map_err(|error| {
        Failure::usage(format!("plan {} could not be opened: {error}", output::path(path)))
            .help("name the file that `shelflife plan` wrote")
    })?;
    let reader = PlanReader::open(file).map_err(|error| wrong(&error))?;
    let header = serde_json::from_value(reader.header().clone()).map_err(|error| wrong(&error))?;
    Ok(OpenPlan { reader, header })
}

/// Carries the plan out.
pub async fn carry_out(carrying: &Carrying<'_>) -> Result<Carried, Failure> {
    let Carrying { plan, policy, .. } = carrying;
    let now = (carrying.clock)();
    let preflight = Preflight {
        policy,
        header: &plan.header,
        enrolled: &carrying.enrolment.buckets,
        records: carrying.digests,
        history: &carrying.history,
        now,
        accepted: carrying.accepted,
        first_run: carrying.first_run,
        narrow_only: carrying.narrow_only,
    };
    let accepted = preflight.check().map_err(|refusal| refused(&refusal, &plan.header))?;
    // What a hold narrows must not wait for anything.
    not_while_stopped(carrying.stop_file.filter(|_| !carrying.narrow_only), now).await?;
    let (mut log, done, resumed) = match open_log(carrying, &accepted, now)? {
        Log::Open(log, done, resumed) => (*log, done, resumed),
        Log::Spent(carried) => return Ok(with_copy(carrying, *carried, false).await),
    };
    if let Some(copying) = &carrying.copying {
        copying.begin().await?;
    }

    let progress = Progress::of("applying", plan.reader.row_count(), carrying.quiet);
    let run = Run {
        policy,
        records: carrying.records,
        header: &plan.header,
        buckets: &carrying.enrolment.buckets,
        exports: carrying.exports,
        upgrade_v1: carrying.upgrade_v1,
        narrow_only: carrying.narrow_only,
        is_canary: carrying.limit.is_some(),
        clock: carrying.clock,
        stop: &carrying.stop,
        stop_file: carrying.stop_file,
        pace: &Pace::new(carrying.max_rate),
        at_once: carrying.at_once,
        first_pause: carrying.first_pause,
    };
    let mut applied = Applied::default();
    let rows = || (0..).zip(plan.reader.rows()).map(|(number, row)| row.map(|row| (number, row)));
    let picked = carrying.limit.map(|limit| canary::pick(rows(), limit, |number| done.contains(number)));
    let picked = picked.transpose().map_err(|error| Failure::failed(Failure::chain(&error)))?;
    let is_part = picked
        .as_ref()
        .is_some_and(|picked| picked.leaves_some || plan.header.buckets.values().any(BucketPlan::is_changed));
    let rows = canary::only(rows(), picked);
    let mut bar = Bar(&progress);
    let running = apply::run(&run, rows, &done, &mut log, &mut applied, &mut bar);
    let result = match &carrying.copying {
        Some(copying) => copying.beside(&carrying.stop, running).await,
        None => running.await,
    };
    progress.finish();
    // The rest of a plan of which only a part was wanted can still be carried out.
    let is_whole = plan.header.narrow_only || !carrying.narrow_only;
    let is_whole = is_whole && !is_part;
    let finished = result.is_ok() && !applied.interrupted && applied.broken.is_empty() && is_whole;
    let indexed = if finished { index(carrying).await } else { Ok(()) };
    let finished = finished && indexed.is_ok();
    let reached = log.head().to_owned();
    let closed = log.close((carrying.clock)(), finished);
    let mut is_cut = false;
    if let Some(copying) = &carrying.copying {
        // Nobody has interrupted it; the copy's failure is told instead.
        is_cut = applied.interrupted && copying.is_stopped().await;
        applied.interrupted &= !is_cut;
    }
    let ended_by = result.err().map(|error| match error {
        ApplyError::Store(error) => store_failure(&error),
        ApplyError::StopFile(error) => stop_file_failure(&error),
        error => Failure::failed(Failure::chain(&error)),
    });
    let ended_by = ended_by.or(indexed.err());
    let (head, ended_by) = match closed {
        Ok(closed) => (closed.head, ended_by),
        // What broke the log has mostly ended the run, and is the first cause. What was done until then is
        // copied and shown all the same.
        Err(error) => (reached, ended_by.or_else(|| Some(evidence_failure(&carrying.evidence, &error)))),
    };
    let carried = Carried {
        applied,
        head,
        evidence: carrying.evidence.clone(),
        resumed,
        copied: None,
        ended_by,
        spent: false,
        is_part,
        stop_file: carrying.stop_file.map(|file| file.name().to_owned()),
    };
    Ok(with_copy(carrying, carried, is_cut).await)
}

/// Sends the rest of the log, also of one that was closed long ago or could not be closed. The run `is_cut`
/// where a piece could not be sent for a while. What ended the run is told before what is wrong with the
/// copy.
async fn with_copy(carrying: &Carrying<'_>, mut carried: Carried, is_cut: bool) -> Carried {
    match &carrying.copying {
        None => {}
        Some(copying) => match copying.finish().await {
            Ok(copied) => {
                carried.copied = Some(copied);
                let cut = || {
                    Failure::failed("the evidence could not be copied for a while, so the run was stopped")
                        .help("all of it is copied now; the same command goes on")
                };
                carried.ended_by = carried.ended_by.or_else(|| is_cut.then(cut));
            }
            Err(failure) => carried.ended_by = Some(carried.ended_by.unwrap_or(failure)),
        },
    }
    carried
}

/// Stores the index of what was copied, before the log is closed: without it the run can go on.
async fn index(carrying: &Carrying<'_>) -> Result<(), Failure> {
    if carrying.exports.is_empty() {
        return Ok(());
    }
    let digest = carrying.plan.reader.digest();
    let run = &digest[..digest.len().min(12)];
    let written = apply::write_index(carrying.policy, run, &carrying.evidence, carrying.exports).await;
    written.map(drop).map_err(|error| {
        Failure::failed(format!("the index of the copies: {}", Failure::chain(&error)))
            .help("everything else is done; the same command writes it again")
    })
}

/// A plan's log.
enum Log {
    /// It takes entries; the rows that are done; whether a run is resumed.
    Open(Box<EvidenceLog>, DoneRows, bool),
    /// The plan was carried out to its end before; what came of it.
    Spent(Box<Carried>),
}

/// A new log, or the one that an earlier run of the same plan has left.
fn open_log(carrying: &Carrying<'_>, accepted: &[GuardResult], now: DateTime<Utc>) -> Result<Log, Failure> {
    let path = &carrying.evidence;
    let wrong = |error: &EvidenceError| evidence_failure(path, error);
    let digest = carrying.plan.reader.digest();
    if !path.exists() {
        let opening = Opening {
            policy: carrying.policy.name.clone(),
            policy_digest: carrying.policy.digest.clone(),
            holds_digest: carrying.policy.holds_digest.clone(),
            plan_digest: digest.to_owned(),
            guards_accepted: accepted.iter().map(GuardResult::describe).collect(),
            endpoint: carrying.endpoint.clone(),
            as_of: carrying.plan.header.as_of,
            keep_until: keep_until(carrying.policy, now),
            previous_head: carrying.previous_head.clone(),
            planned: planned(carrying),
        };
        let log = EvidenceLog::create(path, now, opening).map_err(|error| wrong(&error))?;
        return Ok(Log::Open(Box::new(log), DoneRows::default(), false));
    }
    let read = || File::open(path).map(BufReader::new).map_err(|error| wrong(&EvidenceError::Open(error)));
    let resuming = Resuming {
        holds_digest: carrying.policy.holds_digest.clone(),
        guards_accepted: accepted.iter().map(GuardResult::describe).collect(),
        planned: planned(carrying),
        previous_head: carrying.previous_head.clone(),
    };
    let log = match EvidenceLog::resume(path, now, digest, resuming) {
        Err(EvidenceError::Finished) => {
            return spent(path, carrying.plan.reader.row_count())
                .map(|carried| Log::Spent(Box::new(carried)));
        }
        resumed => resumed.map_err(|error| wrong(&error))?,
    };
    let mut done = DoneRows::of(carrying.plan.reader.row_count());
    for outcome in evidence::done(read()?) {
        done.take(&outcome.map_err(|error| wrong(&EvidenceError::Verify(error)))?);
    }
    Ok(Log::Open(Box::new(log), done, true))
}

/// What the run is to do, for those after it to be compared with: one that only makes S3 do less tells
/// nothing of what is usual.
fn planned(carrying: &Carrying<'_>) -> Option<Planned> {
    if carrying.narrow_only { None } else { Planned::of(carrying.policy, &carrying.plan.header) }
}

/// The plan was carried out before: what became of each row and configuration in the end.
fn spent(path: &Path, rows: u64) -> Result<Carried, Failure> {
    let wrong = |error: EvidenceError| evidence_failure(path, &error);
    let read = || File::open(path).map(BufReader::new).map_err(|error| wrong(EvidenceError::Open(error)));
    let head = evidence::verify(read()?, None).map_err(|error| wrong(EvidenceError::Verify(error)))?.head;
    let mut applied = Applied::default();
    // A row that was tried again has several outcomes, of which the last one counts.
    let (mut done, mut open) = (DoneRows::of(rows), HashMap::new());
    // Each try of a row makes sure of its copy once more.
    let mut copied = HashSet::new();
    let mut results = BTreeMap::new();
    for entry in evidence::entries(read()?) {
        match entry.map_err(|error| wrong(EvidenceError::Verify(error)))?.body {
            Body::Outcome(outcome) => {
                // What a killed run has left open is told without its row, and was looked at again.
                let was_killed = outcome.items.iter().all(|item| item.row.is_none());
                for item in outcome.items {
                    let is_marker = item.row.is_none()
                        && !was_killed
                        && !matches!(item.result, ItemResult::PutOff | ItemResult::MarkerRemoved);
                    let is_copied = item.result == ItemResult::Exported;
                    if is_copied && !copied.insert(item.row) {
                        continue;
                    }
                    if is_marker || is_copied || done.take(&item) {
                        if !is_copied {
                            copied.remove(&item.row);
                        }
                        open.remove(&item.row);
                        *results.entry(item.result).or_default() += 1;
                    } else if item.row.is_some_and(|row| !done.contains(row)) {
                        open.insert(item.row, item.result);
                    }
                }
            }
            Body::ConfigurationOutcome(outcome) => {
                let configured = Configured { result: outcome.result, detail: outcome.detail };
                applied.configured.insert(outcome.bucket, configured);
            }
            _ => {}
        }
    }
    for result in open.into_values() {
        *results.entry(result).or_default() += 1;
    }
    applied.results = results;
    Ok(Carried {
        applied,
        head,
        evidence: path.to_owned(),
        resumed: false,
        copied: None,
        ended_by: None,
        spent: true,
        is_part: false,
        stop_file: None,
    })
}

struct Bar<'a>(&'a Progress);

impl Watch for Bar<'_> {
    fn removed(&mut self, outcomes: &[ItemOutcome]) {
        let rows = outcomes.iter().filter(|outcome| outcome.row.is_some());
        // A copy is only the first half of a row.
        self.0.advance(rows.filter(|outcome| outcome.result != ItemResult::Exported).count() as u64);
    }

    fn slowed(&mut self, keys_a_second: Option<f64>) {
        let said = keys_a_second.map(|rate| format!("slowed by the store to {rate:.0}/s"));
        self.0.say(said.unwrap_or_default());
    }
}
