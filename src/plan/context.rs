//! What a policy comes to in one bucket: the bucket itself, and which rules S3 carries out there.

use crate::lifecycle::{Claim, Compiled, Engine};
use crate::object::{BucketFacts, Kind};

/// What the planner has to know of a bucket.
#[derive(Clone, Debug)]
pub struct BucketContext {
    /// Versioning, locks, MFA.
    pub facts: BucketFacts,
    /// Which rules S3 carries out there.
    pub compiled: Compiled,
}

impl BucketContext {
    /// Whether the policy demands the rule of S3, which cannot be proved to keep it.
    pub(super) fn is_refused(&self, rule: usize) -> bool {
        matches!(self.compiled.engine(rule), Some(Engine::Refused(_)))
    }

    /// Whether S3 removes what is due under `rules`.
    pub(super) fn is_done_by_s3(&self, key: &str, kind: Kind, rules: &[usize]) -> bool {
        self.claims_on(key, kind, rules).next().is_some()
    }

    /// By what S3 removes what is due under `rules`. Without a rule of its own for them, S3 never
    /// removes incomplete uploads (user guide, "Lifecycle rules"), nor lone delete markers.
    pub(super) fn claims_on<'c>(
        &'c self,
        key: &'c str,
        kind: Kind,
        rules: &'c [usize],
    ) -> impl Iterator<Item = &'c Claim> {
        self.compiled.claims_on(key, rules).filter(move |claim| match kind {
            Kind::Upload => claim.terms.abort_days.is_some(),
            Kind::Marker => claim.removes_markers,
            Kind::Object | Kind::Version => true,
        })
    }
}
