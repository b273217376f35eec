//! What is kept for now by what its row says, counted; all else is a candidate.

use chrono::{DateTime, Utc};

use super::row::Row;
use crate::decide::{self, Decision, Plain, Step, Verdict};
use crate::object::{BucketFacts, Kind, Observed};
use crate::plan::{PlainCounts, Summary, Tenants};
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
            self.counted.add(&plain, &observed, counts_tenants);
            return true;
        }
        let Some(decision) = self.kept(&observed) else { return false };
        let plain = Plain {
            verdict: decision.verdict,
            rule: decision.rules.first().copied(),
            due: decision.due,
            tenant: decision.tenant.as_deref(),
        };
        self.counted.add(&plain, &observed, counts_tenants);
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
    kept: PlainCounts,
    tenants: Tenants,
}

impl Counted {
    fn add(&mut self, plain: &Plain<'_>, observed: &Observed<'_>, counts_tenants: bool) {
        // That of the others may be later than what their rows lead to.
        let is_exact = observed.is_latest && observed.kind != Kind::Marker;
        self.kept.add(plain, observed.size, plain.due.filter(|_| is_exact));
        if counts_tenants && plain.rule.is_some() {
            self.tenants.add(plain.tenant, observed.size, false);
        }
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        self.kept.merge(&other.kept);
        self.tenants.merge(&other.tenants);
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.kept.objects()
    }

    /// What was counted of each tenant, where the policy limits what may go of one.
    pub const fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The same by lines of a plan's summary.
    pub fn summary(&self, policy: &Policy, bucket: &str) -> Summary {
        let mut summary = Summary::default();
        self.kept.add_to(&mut summary, policy, bucket);
        summary
    }
}
