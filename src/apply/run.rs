//! A run: what it works on, who hears of it, and what came of it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::pace::Pace;
use super::stop_file::{StopFile, StopFileError};
use crate::evidence::{ConfigurationResult, EvidenceError, ItemOutcome, ItemResult};
use crate::plan::{PlanFileError, PlanHeader};
use crate::policy::Policy;
use crate::records::Records;
use crate::s3::{Bucket, StoreError};
use crate::survey::Enrolled;

/// What a run carries out, and under which policy.
pub struct Run<'a> {
    /// The policy as it is now.
    pub policy: &'a Policy,
    /// External facts as they are now.
    pub records: &'a Records,
    /// The plan's header.
    pub header: &'a PlanHeader,
    /// The buckets of the plan, enrolled now.
    pub buckets: &'a BTreeMap<String, Enrolled>,
    /// The buckets that copies go to, by name.
    pub exports: &'a BTreeMap<String, Bucket>,
    /// Whether a configuration of the old form may be rewritten.
    pub upgrade_v1: bool,
    /// Whether only what makes S3 do less is written, and nothing is deleted.
    pub narrow_only: bool,
    /// Whether the rows are some of the plan's only: then of the configurations only what makes S3 do
    /// less is written.
    pub is_canary: bool,
    /// What time it is.
    pub clock: &'a (dyn Fn() -> DateTime<Utc> + Send + Sync),
    /// Set when the run is to stop after the batches in flight.
    pub stop: &'a AtomicBool,
    /// What stops it in the same way while it is there.
    pub stop_file: Option<&'a StopFile>,
    /// How fast keys are deleted.
    pub pace: &'a Pace,
    /// How many chunks of rows are worked on at a time.
    pub at_once: usize,
    /// How long the first pause is before what the store puts off is tried again; each further one is
    /// twice as long.
    pub first_pause: Duration,
}

impl Run<'_> {
    /// Whether the stop file is there.
    pub(super) async fn is_stopped_by_file(&self) -> Result<bool, ApplyError> {
        match self.stop_file {
            Some(file) => Ok(file.is_raised((self.clock)()).await?),
            None => Ok(false),
        }
    }
}

/// Hears of what a run does.
pub trait Watch {
    /// A bucket's configuration was dealt with.
    fn configured(&mut self, _bucket: &str, _configured: &Configured) {}
    /// Rows were dealt with.
    fn removed(&mut self, _outcomes: &[ItemOutcome]) {}
    /// So many keys a second go where the store has asked for fewer requests; `None` where it has not.
    fn slowed(&mut self, _keys_a_second: Option<f64>) {}
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Applied {
    /// How many rows ended in which way.
    pub results: BTreeMap<ItemResult, u64>,
    /// What became of each bucket's configuration.
    pub configured: BTreeMap<String, Configured>,
    /// Buckets that could not be worked on to the end, and why; their other rows were left alone.
    pub broken: BTreeMap<String, ApplyError>,
    /// Rows that an earlier, interrupted run had done.
    pub done_before: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Whether it was the stop file that stopped it.
    pub stopped_by_file: bool,
}

/// Why a run had to end before its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan could not be read on.
    #[error("the plan could not be read")]
    Plan(#[from] PlanFileError),
    /// The store could not be asked what is there now. It ends the work on that bucket alone.
    #[error("the store could not be asked what is there now")]
    Store(#[from] StoreError),
    /// Versioning, MFA delete or Object Lock of the bucket is not what it was when the run began.
    /// It ends the work on that bucket alone.
    #[error("the bucket's versioning or Object Lock was changed during the run")]
    BucketChanged,
    /// It is not known whether the run is to stop.
    #[error(transparent)]
    StopFile(#[from] StopFileError),
    /// The evidence could not be written, so nothing more is done.
    #[error("the evidence could not be written, so nothing more is done")]
    Evidence(#[from] EvidenceError),
    /// The plan names a bucket that is not enrolled; `preflight` finds that first.
    #[error("bucket {0} is in the plan and is not enrolled any more")]
    NotEnrolled(String),
}

impl Applied {
    /// Rows that could not be removed although they were due.
    pub fn failed(&self) -> u64 {
        [ItemResult::Denied, ItemResult::Failed, ItemResult::Unclear]
            .iter()
            .filter_map(|result| self.results.get(result))
            .sum()
    }
}

/// What became of a bucket's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// How it ended.
    pub result: ConfigurationResult,
    /// More, for people.
    pub detail: Option<String>,
}
