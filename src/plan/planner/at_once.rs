//! What S3 removes of what is listed as soon as it is given a rule.
//!
//! It is counted for each claim and not for each lifecycle rule: which of a claim's filters picks an object
//! only S3 knows.

use std::collections::BTreeSet;

use super::{BucketContext, Item, Planner};
use crate::decide::Decision;
use crate::lifecycle::{Claim, ClaimTarget};
use crate::plan::header::LifecycleChange;
use crate::plan::summary::Disposal;

impl Planner<'_> {
    /// Counts what S3 removes; what is swept too, for S3 does not wait for that.
    pub(super) fn count_at_once(
        &mut self,
        bucket: &BucketContext,
        key: &str,
        item: &Item,
        decision: &Decision,
        disposal: Option<Disposal>,
    ) {
        if !matches!(disposal, Some(Disposal::LeftToS3 | Disposal::Swept)) {
            return;
        }
        let claims = bucket.claims_on(key, item.kind, &decision.rules);
        if let Some(claim) = claims.min_by_key(|claim| claim.terms.expire_days) {
            self.at_once.entry(place(bucket, claim)).or_default().add(item.size, decision.due);
        }
    }

    /// Says of each lifecycle rule that does more than before what S3 removes by it at once. Of several that
    /// stand for one claim, the first says it for all.
    pub fn tell_at_once(&self, bucket: &BucketContext, changes: &mut [LifecycleChange]) {
        let mut told = BTreeSet::new();
        let does_more =
            |change: &&mut LifecycleChange| !matches!(change.kind.as_str(), "kept" | "narrowed" | "removed");
        for change in changes.iter_mut().filter(does_more) {
            let rule = bucket.compiled.rules.iter().find(|rule| rule.id() == change.id);
            let claims = &bucket.compiled.claims;
            let claim =
                rule.and_then(|rule| claims.iter().find(|claim| claim.is_given_by(rule, self.policy)));
            let Some(claim) = claim else { continue };
            if told.insert((&claim.start, claim.target)) {
                change.at_once = Some(self.at_once.get(&place(bucket, claim)).copied().unwrap_or_default());
            }
        }
    }
}

fn place(bucket: &BucketContext, claim: &Claim) -> (String, String, ClaimTarget) {
    (bucket.facts.name.clone(), claim.start.clone(), claim.target)
}
