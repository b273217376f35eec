//! `--cache`: what earlier runs have read, and what was asked of single objects and what that costs.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::args::CacheArg;
use super::context::Context;
use super::output;
use crate::lint::{HEAD_PRICE, TAGS_PRICE};
use crate::policy::Policy;
use crate::s3::Store;
use crate::survey::{Cache, CacheFault, ReadTally, Reads};
use crate::text;

/// A cache, if there is one that can be used, and what is read in spite of it.
#[derive(Debug, Default)]
pub struct Caching {
    cache: Option<Cache>,
    /// The store's address, its account and the policy.
    names: [String; 3],
    report: ReadReport,
}

/// What was asked of single objects.
#[derive(Debug, Default)]
pub struct ReadReport {
    tally: ReadTally,
    file: Option<PathBuf>,
    fault: Option<CacheFault>,
}

impl Caching {
    /// Opens the cache that the arguments name; one that cannot be used is told of, and no more.
    pub fn open(
        context: &Context,
        arg: &CacheArg,
        store: &Store,
        policy: &Policy,
        today: DateTime<Utc>,
    ) -> Self {
        let endpoint = store.endpoint_url().unwrap_or_default().to_owned();
        let names = [endpoint, policy.account.clone().unwrap_or_default(), policy.name.clone()];
        let mut report = ReadReport { file: arg.cache.clone(), ..ReadReport::default() };
        let cache = arg.cache.as_ref().and_then(|path| match Cache::open(path, today) {
            Ok(cache) => {
                if cache.is_anew {
                    report.note(context, "what was there is damaged: begun anew");
                }
                Some(cache)
            }
            Err(fault) => {
                report.fail(context, fault);
                None
            }
        });
        Self { cache, names, report }
    }

    /// For the survey of one bucket.
    pub fn reads(&self, bucket: &str) -> Arc<Reads> {
        let [endpoint, account, policy] = &self.names;
        let cache = self.cache.as_ref().map(|cache| cache.bucket([endpoint, account, policy, bucket]));
        Arc::new(Reads::cached(cache))
    }

    /// Counts what was read in a bucket.
    pub fn count(&mut self, reads: &Reads) {
        self.report.tally += reads.tally();
    }

    /// The same, for a bucket that was gone through to its end: what was not asked for there is forgotten.
    pub fn complete(&mut self, reads: &Reads) {
        self.count(reads);
        reads.complete();
    }

    /// Closes the cache.
    pub fn end(self, context: &Context) -> ReadReport {
        let mut report = self.report;
        if let Some(Err(fault)) = self.cache.map(Cache::close) {
            report.fail(context, fault);
        }
        report
    }
}

impl ReadReport {
    fn note(&self, context: &Context, what: &str) {
        if let Some(file) = &self.file {
            context.note("cache:", &format!("{}: {what}", output::path(file)));
        }
    }

    fn fail(&mut self, context: &Context, fault: CacheFault) {
        self.note(context, &format!("{fault}; what it does not tell is asked for"));
        self.fault = Some(fault);
    }

    /// Dollars, for what was asked and for what was not.
    fn dollars(&self) -> (f64, f64) {
        let ReadTally { heads, tags, locks, recalled } = self.tally;
        let gets = (heads + 2 * locks) as f64 * HEAD_PRICE + tags as f64 * TAGS_PRICE;
        (gets / 1e6, recalled as f64 * HEAD_PRICE / 1e6)
    }

    /// For people; nothing where nothing was needed of single objects.
    pub fn words(&self) -> Option<String> {
        let ReadTally { heads, tags, locks, recalled } = self.tally;
        let counts = [(heads, "HEAD"), (tags, "reads of tags"), (locks, "reads of locks")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let made: Vec<String> =
            counts.map(|(count, what)| format!("{} {what}", text::count(count))).collect();
        let (spent, spared) = self.dollars();
        let made = (!made.is_empty()).then(|| format!("{} for {}", made.join(", "), price(spent)));
        let recalled = (recalled > 0)
            .then(|| format!("{} HEAD for {} spared by the cache", text::count(recalled), price(spared)));
        let all: Vec<String> = made.into_iter().chain(recalled).collect();
        (!all.is_empty()).then(|| format!("{} (AWS list price)", all.join("; ")))
    }

    /// For machines: requests sent for single objects, and spared; dollars at AWS's list price in us-east-1.
    pub fn json(&self) -> Value {
        let ReadTally { heads, tags, locks, recalled } = self.tally;
        let (spent, spared) = self.dollars();
        json!({
            "heads": heads,
            "tags": tags,
            "locks": locks,
            "heads_spared": recalled,
            "usd": spent,
            "usd_spared": spared,
            "cache": self.file.as_ref().map(|file| json!({
                "file": file.display().to_string(),
                "fault": self.fault.as_ref().map(ToString::to_string),
            })),
        })
    }
}

fn price(dollars: f64) -> String {
    if dollars < 0.01 { "less than $0.01".to_owned() } else { format!("about ${dollars:.2}") }
}
