//! What is kept for now by what its row says, counted; all else is a candidate.

use chrono::{DateTime, Utc};

use super::row::Row;
use crate::decide::{self, Decision, Plain, Step, Verdict};
use crate::object::{BucketFacts, Kind, Observed};
use crate::plan::{Summary, Tally, Tenants};
use crate::policy::Policy;
use crate::records::Records;

/// Judges the rows of one bucket's inventory.
pub struct Judge<'p, P> {
    policy: &'p Policy,
    records: &'p Records,
    facts: &'p BucketFacts,
    now: DateTime<Utc>,
    plainly: P,
    counted: Counted,
}

impl<'p, P: for<'k> FnMut(&Observed<'k>) -> Option<Plain<'k>>> Judge<'p, P> {
    /// For the rows of the bucket at `now`. `plainly` may say at once what deciding in full would.
    pub fn new(
        policy: &'p Policy,
        records: &'p Records,
        facts: &'p BucketFacts,
        now: DateTime<Utc>,
        plainly: P,
    ) -> Self {
        Self { policy, records, facts, now, plainly, counted: Counted::default() }
    }

    /// Counts what the row shows to be kept, whatever could be read of it. `false`: its key is to be looked up.
    pub fn counts(&mut self, row: &Row<'_>) -> bool {
        let Some(observed) = row.observed(self.facts) else { return false };
        let counts_tenants = !self.policy.guards.per_tenant.is_none();
        if let Some(plain) = (self.plainly)(&observed) {
            self.counted.add(plain, &observed, counts_tenants);
            return true;
        }
        let Some(decision) = self.kept(&observed) else { return false };
        let plain = Plain {
            verdict: decision.verdict,
            rule: decision.rules.first().copied(),
            due: decision.due,
            tenant: decision.tenant.as_deref(),
        };
        self.counted.add(plain, &observed, counts_tenants);
        true
    }

    /// Whether [`Judge::counts`] would count the row.
    pub fn would_count(&self, row: &Row<'_>) -> bool {
        row.observed(self.facts).is_some_and(|observed| self.kept(&observed).is_some())
    }

    fn kept(&self, observed: &Observed<'_>) -> Option<Decision> {
        match decide::decide(self.policy, self.records, observed, self.now) {
            Step::Decided(decision) if decision.verdict != Verdict::Expired && decision.erasure.is_none() => {
                Some(decision)
            }
            Step::Decided(_) | Step::Needs(_) => None,
        }
    }

    /// What was counted.
    pub fn finish(self) -> Counted {
        self.counted
    }
}

/// What was counted of one inventory.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// By the rule and the verdict, the first place for what no rule covers.
    cells: Vec<[Tally; Verdict::ALL.len()]>,
    tenants: Tenants,
}

impl Counted {
    fn add(&mut self, plain: Plain<'_>, observed: &Observed<'_>, counts_tenants: bool) {
        // That of the others may be later than what their rows lead to.
        let is_exact = observed.is_latest && observed.kind != Kind::Marker;
        let due = plain.due.filter(|_| is_exact);
        let place = plain.rule.map_or(0, |rule| rule + 1);
        if self.cells.len() <= place {
            self.cells.resize(place + 1, Default::default());
        }
        if let Some(tally) = self.cells.get_mut(place).and_then(|row| row.get_mut(plain.verdict as usize)) {
            tally.add(observed.size, due);
        }
        if counts_tenants && plain.rule.is_some() {
            self.tenants.add(plain.tenant, observed.size, false);
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
        self.tenants.merge(&other.tenants);
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.cells.iter().flatten().map(|tally| tally.objects).sum()
    }

    /// What was counted of each tenant, where the policy limits what may go of one.
    pub const fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The same by lines of a plan's summary.
    pub fn summary(&self, policy: &Policy, bucket: &str) -> Summary {
        let mut summary = Summary::default();
        for (place, row) in self.cells.iter().enumerate() {
            let rule = place.checked_sub(1).and_then(|rule| policy.rules.get(rule));
            for (verdict, tally) in Verdict::ALL.into_iter().zip(row).filter(|(_, tally)| tally.objects > 0) {
                summary.merge(bucket, rule.map(|rule| rule.id.as_str()), verdict, *tally);
            }
        }
        summary
    }
}
