//! What is kept for now by what its row says, counted; all else is a candidate.

use super::row::Row;
use crate::decide::{Decider, Decision, Plain, Step, Trail, Verdict};
use crate::object::{BucketFacts, Kind, Observed};
use crate::plan::{PlainCounts, Summary, Tenants};
use crate::policy::Policy;

/// Judges the rows of one bucket's inventory.
#[derive(Debug)]
pub struct Judge<'d> {
    facts: &'d BucketFacts,
    trail: Trail<'d>,
    counts_tenants: bool,
    /// Of most rows the key and the upload say all.
    is_fast: bool,
    counted: Counted,
}

impl<'d> Judge<'d> {
    /// For the rows of the decider's bucket.
    pub fn new(decider: &'d Decider<'_>, facts: &'d BucketFacts) -> Self {
        let counts_tenants = !decider.policy().guards.per_tenant.is_none();
        Self {
            facts,
            trail: decider.trail(),
            counts_tenants,
            is_fast: !counts_tenants && decider.bucket() == facts.name,
            counted: Counted::default(),
        }
    }

    /// Counts what the row shows to be kept, whatever could be read of it. `false`: its key is to be looked up.
    #[inline]
    pub fn counts(&mut self, row: &Row<'_>) -> bool {
        if let (true, Some(true), Some(false), Some(uploaded), Some(size)) =
            (self.is_fast, row.is_latest, row.is_marker, row.uploaded, row.size)
            && let Some(stay) = self.trail.stays(row.key, uploaded.seconds, uploaded.nanos != 0)
        {
            self.counted.kept.add_stay(stay, size);
            return true;
        }
        self.counts_at_length(row)
    }

    fn counts_at_length(&mut self, row: &Row<'_>) -> bool {
        let Some(observed) = row.observed(self.facts) else { return false };
        if let Some(plain) = self.trail.plainly(&observed) {
            self.counted.add(&plain, &observed, self.counts_tenants);
            return true;
        }
        let Some(decision) = kept(&mut self.trail, &observed) else { return false };
        let plain = Plain {
            verdict: decision.verdict,
            rule: decision.rules.first().copied(),
            due: decision.due.map(|due| due.timestamp()),
            tenant: decision.tenant.as_deref(),
        };
        self.counted.add(&plain, &observed, self.counts_tenants);
        true
    }

    /// Whether [`Judge::counts`] would count the row.
    pub fn would_count(&mut self, row: &Row<'_>) -> bool {
        row.observed(self.facts).is_some_and(|observed| kept(&mut self.trail, &observed).is_some())
    }

    /// What was counted.
    pub fn finish(self) -> Counted {
        self.counted
    }
}

/// The decision, if whatever could be read leads to none that removes it.
fn kept(trail: &mut Trail<'_>, observed: &Observed<'_>) -> Option<Decision> {
    match trail.decide(observed) {
        Step::Decided(decision) if decision.verdict != Verdict::Expired && decision.erasure.is_none() => {
            Some(decision)
        }
        Step::Decided(_) | Step::Needs(_) => None,
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

    /// What was counted as kept, by lines of a plan's summary.
    pub fn summary(&self, policy: &Policy, bucket: &str) -> Summary {
        let mut summary = Summary::default();
        self.kept.add_to(&mut summary, policy, bucket);
        summary
    }
}
