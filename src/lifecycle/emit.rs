//! The lifecycle rules for what S3 is given.

use std::collections::BTreeSet;

use crate::policy::Policy;

use super::claim::Claim;
use super::owned::{Action, Move, OwnedRule};
use super::reach::Reaches;
use super::rule::Filter;
use super::terms::LifecycleTerms;

/// The lifecycle rules for `claims`, sorted by id.
pub(super) fn owned_rules(policy: &Policy, reaches: &Reaches<'_>, claims: &[Claim]) -> Vec<OwnedRule> {
    let mut rules = BTreeSet::new();
    for claim in claims {
        let Some(rule) = policy.rules.get(claim.speaker) else { continue };
        let LifecycleTerms { expire_days, noncurrent_days, abort_days, .. } = claim.terms;
        let expire = Action::Expire { days: expire_days, noncurrent_days, abort_days };
        let own = |filter: Filter, action, moves: &[Move]| {
            OwnedRule::new(&policy.name, &rule.id, filter, action).moving(moves)
        };
        rules.extend(claim.filters.iter().map(|filter| own(filter.clone(), expire, &claim.moves)));
        if claim.removes_markers {
            let start = reaches.markers_under(&claim.start, rule);
            rules.insert(own(Filter::prefix(&start), Action::RemoveMarkers, &[]));
        }
    }
    let mut rules: Vec<OwnedRule> = rules.into_iter().collect();
    // One rule is enough for the markers of a start, whichever rule of the policy it stands for.
    let mut markers = BTreeSet::new();
    rules.retain(|rule| {
        rule.action() != Action::RemoveMarkers || markers.insert(rule.filter().prefix.clone())
    });
    rules
}
