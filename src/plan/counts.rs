//! What a run found, counted without a copy of anything: by places in the policy, and only at the end by names.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::summary::{Disposal, Summary, Tally};
use crate::decide::{Plain, Stay, Verdict};
use crate::policy::Policy;

/// What plainly stays in one bucket.
#[derive(Clone, Debug, Default)]
pub struct PlainCounts {
    /// The first place is for what no rule covers.
    cells: Vec<[PlainTally; Verdict::ALL.len()]>,
}

/// A [`Tally`] with its date in seconds since 1970, which cost less to compare.
#[derive(Clone, Copy, Debug, Default)]
struct PlainTally {
    objects: u64,
    bytes: u64,
    oldest_due: Option<i64>,
}

impl PlainCounts {
    /// Counts one of so many bytes; `due` is its due date, in seconds since 1970, as far as that is exact.
    pub fn add(&mut self, plain: &Plain<'_>, bytes: u64, due: Option<i64>) {
        self.add_one(plain.rule, plain.verdict, bytes, due);
    }

    /// Counts one of so many bytes.
    #[inline]
    pub fn add_stay(&mut self, stay: Stay, bytes: u64) {
        self.add_one(stay.rule, stay.verdict(), bytes, stay.due);
    }

    #[inline]
    fn add_one(&mut self, rule: Option<usize>, verdict: Verdict, bytes: u64, oldest_due: Option<i64>) {
        let place = rule.map_or(0, |rule| rule + 1);
        if self.cells.len() <= place {
            self.cells.resize(place + 1, Default::default());
        }
        let verdict = Verdict::ALL.iter().position(|one| *one == verdict).unwrap_or_default();
        if let Some(counted) = self.cells.get_mut(place).and_then(|of_rule| of_rule.get_mut(verdict)) {
            counted.merge(PlainTally { objects: 1, bytes, oldest_due });
        }
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        if self.cells.len() < other.cells.len() {
            self.cells.resize(other.cells.len(), Default::default());
        }
        for (mine, others) in self.cells.iter_mut().flatten().zip(other.cells.iter().flatten()) {
            mine.merge(*others);
        }
    }

    /// How many there are.
    pub fn objects(&self) -> u64 {
        self.cells.iter().flatten().map(|tally| tally.objects).sum()
    }

    /// How many of them a rule covers.
    pub fn covered(&self) -> u64 {
        self.cells.iter().skip(1).flatten().map(|tally| tally.objects).sum()
    }

    /// Adds them to a summary as those of `bucket`.
    pub fn add_to(&self, summary: &mut Summary, policy: &Policy, bucket: &str) {
        for (place, of_rule) in self.cells.iter().enumerate() {
            let rule = place.checked_sub(1).and_then(|rule| policy.rules.get(rule));
            for (verdict, tally) in Verdict::ALL.into_iter().zip(of_rule) {
                let PlainTally { objects, bytes, oldest_due } = *tally;
                let oldest_due = oldest_due.and_then(|due| DateTime::from_timestamp(due, 0));
                let tally = Tally { objects, bytes, oldest_due };
                summary.merge(bucket, rule.map(|rule| rule.id.as_str()), None, (verdict, None), tally);
            }
        }
    }
}

impl PlainTally {
    #[inline]
    fn merge(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.oldest_due = match (self.oldest_due, other.oldest_due) {
            (Some(oldest), Some(due)) => Some(oldest.min(due)),
            (oldest, due) => oldest.or(due),
        };
    }
}

/// Rule and erasure, indices into the policy; verdict, and who removes it.
pub type Cell = (Option<usize>, Option<usize>, Verdict, Option<Disposal>);

/// All that is counted, bucket by bucket.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    buckets: Vec<OfBucket>,
}

#[derive(Clone, Debug, Default)]
struct OfBucket {
    bucket: String,
    plain: PlainCounts,
    cells: BTreeMap<Cell, Tally>,
}

impl Counts {
    /// Those of a bucket; buckets come one after the other.
    fn of(&mut self, bucket: &str) -> Option<&mut OfBucket> {
        if self.buckets.last().is_none_or(|last| last.bucket != bucket) {
            self.buckets.push(OfBucket { bucket: bucket.to_owned(), ..OfBucket::default() });
        }
        self.buckets.last_mut()
    }

    /// Counts one of so many bytes, and its due date as far as that is exact.
    pub fn add(&mut self, bucket: &str, cell: Cell, bytes: u64, due: Option<DateTime<Utc>>) {
        if let Some(counts) = self.of(bucket) {
            counts.cells.entry(cell).or_default().add(bytes, due);
        }
    }

    /// Counts one that plainly stays.
    pub fn add_plain(&mut self, bucket: &str, plain: &Plain<'_>, bytes: u64) {
        if let Some(counts) = self.of(bucket) {
            counts.plain.add(plain, bytes, plain.due);
        }
    }

    /// Counts all that was counted of a bucket elsewhere.
    pub fn merge_plain(&mut self, bucket: &str, plain: &PlainCounts) {
        if let Some(counts) = self.of(bucket) {
            counts.plain.merge(plain);
        }
    }

    /// Adds them to a summary.
    pub fn add_to(&self, summary: &mut Summary, policy: &Policy) {
        for OfBucket { bucket, plain, cells } in &self.buckets {
            plain.add_to(summary, policy, bucket);
            for ((rule, erasure, verdict, disposal), tally) in cells {
                let rule = rule.and_then(|rule| policy.rules.get(rule)).map(|rule| rule.id.as_str());
                let erasure = erasure.and_then(|erasure| policy.erasures.get(erasure));
                let erasure = erasure.map(|erasure| erasure.id.as_str());
                summary.merge(bucket, rule, erasure, (*verdict, *disposal), *tally);
            }
        }
    }
}
