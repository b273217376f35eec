//! What the chunks of a run share: the evidence and the counts, and what the policy compiles to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::ready::Ready;
use super::run::{Applied, ApplyError, Run, Watch};
use crate::evidence::{EvidenceError, EvidenceLog, Item, ItemOutcome, ItemResult};
use crate::lifecycle::{self, Surroundings};
use crate::object::BucketFacts;
use crate::plan::BucketContext;

/// How long what was compiled is used: time alone changes it, when a hold or an override ends.
const COMPILED_FOR: TimeDelta = TimeDelta::minutes(1);

/// A run under way.
pub(super) struct Session<'a> {
    pub run: &'a Run<'a>,
    books: Mutex<Books<'a>>,
    pub ready: Ready<'a>,
    compiled: Mutex<BTreeMap<String, Compiled>>,
    /// Nothing new begins any more.
    halted: AtomicBool,
}

/// What the policy compiles to in a bucket, and when that was worked out.
type Compiled = (DateTime<Utc>, Arc<BucketContext>);

struct Books<'a> {
    log: &'a mut EvidenceLog,
    applied: &'a mut Applied,
    watch: &'a mut (dyn Watch + Send),
    /// Rows whose copy is counted, until they end themselves.
    copied: BTreeSet<u64>,
}

impl Books<'_> {
    /// Whether it has not been counted: each try of a row makes sure of its copy once more.
    fn is_news(&mut self, outcome: &ItemOutcome) -> bool {
        match (outcome.row, outcome.result) {
            (Some(row), ItemResult::Exported) => self.copied.insert(row),
            (Some(row), _) => {
                self.copied.remove(&row);
                true
            }
            (None, _) => true,
        }
    }
}

impl<'a> Session<'a> {
    pub fn new(
        run: &'a Run<'a>,
        log: &'a mut EvidenceLog,
        applied: &'a mut Applied,
        watch: &'a mut (dyn Watch + Send),
    ) -> Self {
        Self {
            run,
            books: Mutex::new(Books { log, applied, watch, copied: BTreeSet::new() }),
            ready: Ready::new(run.policy, run.records),
            compiled: Mutex::default(),
            halted: AtomicBool::new(false),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books<'a>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is about to be done; it is on the disk when this returns.
    pub fn intent(&self, items: Vec<Item>) -> Result<u64, EvidenceError> {
        self.books().log.intent((self.run.clock)(), items)
    }

    /// Says what came of it, to the log and to whoever watches.
    pub fn outcome(&self, batch: u64, outcomes: Vec<ItemOutcome>) -> Result<(), EvidenceError> {
        // What comes again counts when it ends, and a marker that was taken away again is as if never put.
        self.outcome_of(batch, outcomes, |outcome| {
            !matches!(outcome.result, ItemResult::PutOff | ItemResult::MarkerRemoved)
        })
    }

    /// The same; to whoever watches, only of those that count.
    pub fn outcome_of(
        &self,
        batch: u64,
        outcomes: Vec<ItemOutcome>,
        counts: impl Fn(&ItemOutcome) -> bool,
    ) -> Result<(), EvidenceError> {
        let mut books = self.books();
        let mut outcomes = books.log.outcome((self.run.clock)(), batch, outcomes)?;
        outcomes.retain(|outcome| counts(outcome) && books.is_news(outcome));
        for outcome in &outcomes {
            *books.applied.results.entry(outcome.result).or_default() += 1;
        }
        books.watch.removed(&outcomes);
        Ok(())
    }

    /// Rows that an earlier run has done.
    pub fn skip(&self, rows: u64) {
        self.books().applied.done_before += rows;
    }

    /// The run ends before its end.
    pub fn interrupt(&self) {
        self.books().applied.interrupted = true;
    }

    /// Whether nothing new is to begin, whoever said so last.
    pub fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed) || self.run.stop.load(Ordering::Relaxed)
    }

    /// Nothing new begins.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Whether a batch may begin now: nobody has said stop, and the stop file is not there. Where that is
    /// not known it may not, nor may any after it.
    pub async fn may_begin(&self) -> Result<bool, ApplyError> {
        if self.is_halted() {
            return Ok(false);
        }
        let is_there = self.run.is_stopped_by_file().await;
        if !matches!(is_there, Ok(false)) {
            self.halt();
        }
        self.books().applied.stopped_by_file |= matches!(is_there, Ok(true));
        is_there.map(|is_there| !is_there)
    }

    /// No more can be done in the bucket.
    pub fn give_up(&self, bucket: String, why: ApplyError) {
        self.books().applied.broken.insert(bucket, why);
    }

    /// Whether no more can be done in the bucket.
    pub fn is_broken(&self, bucket: &str) -> bool {
        self.books().applied.broken.contains_key(bucket)
    }

    /// Tells how fast it goes.
    pub fn tell_pace(&self, keys_a_second: Option<f64>) {
        self.books().watch.slowed(keys_a_second);
    }

    /// The bucket and what the policy compiles to in it.
    pub fn context(&self, facts: &BucketFacts, now: DateTime<Utc>) -> Arc<BucketContext> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, context)) = compiled.get(&facts.name)
            && (now - at).abs() < COMPILED_FOR
            && context.facts == *facts
        {
            return Arc::clone(context);
        }
        let context = Arc::new(BucketContext {
            compiled: lifecycle::compile(self.run.policy, facts, self.around(&facts.name), now),
            facts: facts.clone(),
        });
        compiled.insert(facts.name.clone(), (now, Arc::clone(&context)));
        context
    }

    /// What the plan found in the bucket: S3 was given rules by it.
    fn around(&self, bucket: &str) -> &Surroundings {
        static NOTHING: Surroundings = Surroundings::NOTHING;
        self.run.header.buckets.get(bucket).map_or(&NOTHING, |plan| &plan.around)
    }
}
