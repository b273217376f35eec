//! Deciding: policy + records + one observed object + a date → a decision, or what to read first.
//!
//! An object is expired only if it is so under every value that the unknown could take, and
//! retained only if it is expired under none; else it is undecided, and kept. Where a read
//! could settle it, [`decide`] answers with what to read, and nothing is read in vain.

mod attribute;
mod decision;
mod judge;
mod select;
mod tenant;
#[cfg(test)]
mod tests;
mod trigger;
mod window;

use chrono::{DateTime, Utc};

pub use decision::*;
pub use judge::{Clock, Judgement, RuleFinding, RuleView};
pub use select::{Fit, Miss};
pub use tenant::{Obscured, Owner, Supposed, Tenancy, tenancy};
pub use trigger::{Finding, NEVER, Outlook};

use crate::object::{Observed, Unreadable};
use crate::policy::{Enforce, Policy};
use crate::records::Records;

/// Decides `object` at `now`, as far as what is known of it allows.
pub fn decide(policy: &Policy, records: &Records, object: &Observed<'_>, now: DateTime<Utc>) -> Step {
    let tenancy = tenancy(policy, object);
    let mut suppositions = tenant::suppositions(policy, tenancy.owner).into_iter();
    let judged = |tenant| {
        let judgement = judge::judge(policy, records, object, &tenancy, tenant, now);
        (judgement.decision, judgement.needs)
    };
    // There is always at least one supposition; were there none, the object would be kept.
    let Some(first) = suppositions.next() else {
        return Step::Decided(undecided(vec![Reason::NoRule]));
    };
    let (mut decision, mut needs) = judged(first);
    for supposed in suppositions {
        let (other, more) = judged(supposed);
        needs = needs.and(more);
        decision = either(policy, decision, other, tenancy.obscured.and_then(|obscured| obscured.why));
    }
    if decision.verdict != Verdict::Undecided {
        return Step::Decided(decision);
    }
    if tenancy.owner == Owner::Anybody {
        needs = needs.and(tenancy.obscured.map_or(Needs::NONE, |obscured| obscured.needs));
    }
    // The lock is read last, and only for what is expired otherwise.
    needs.lock &= !(needs.head || needs.tags);
    if needs.is_none() { Step::Decided(decision) } else { Step::Needs(needs) }
}

/// Judges `object` in full for [`decide`]'s answer to be explained; an unknown tenant is
/// taken for one that the policy does not name.
pub fn explain(policy: &Policy, records: &Records, object: &Observed<'_>, now: DateTime<Utc>) -> Judgement {
    let tenancy = tenancy(policy, object);
    let tenant = match tenancy.owner {
        Owner::Is(tenant, _) => Supposed::Tenant(tenant),
        Owner::Nobody => Supposed::Nobody,
        Owner::Anybody => Supposed::Stranger,
    };
    let judgement = judge::judge(policy, records, object, &tenancy, tenant, now);
    match decide(policy, records, object, now) {
        Step::Decided(decision) => Judgement { decision, ..judgement },
        Step::Needs(needs) => Judgement { needs, ..judgement },
    }
}

/// What holds if either of two decisions may be the right one.
fn either(policy: &Policy, a: Decision, b: Decision, why: Option<Unreadable>) -> Decision {
    let kept = |verdict| !matches!(verdict, Verdict::Expired | Verdict::Undecided);
    // Under one of them nobody removes it: that is as much of a difference as a later date.
    let acts = |decision: &Decision| {
        let enforce = |rule: &usize| policy.rules.get(*rule).map(|rule| rule.enforce);
        decision.rules.iter().any(|rule| enforce(rule) != Some(Enforce::Observe))
    };
    let differ = a.verdict == Verdict::Expired && b.verdict == Verdict::Expired && acts(&a) != acts(&b);
    match (a.verdict, b.verdict) {
        (x, y) if !differ && x == y || (kept(x) && kept(y)) => {
            let (mut later, other) = if b.due > a.due { (b, a) } else { (a, b) };
            if x != y {
                later.verdict = Verdict::Retained;
                later.reasons.extend(other.reasons);
            }
            // The due date holds only if both agree on there being one.
            Decision { due: other.due.and(later.due), ..later }
        }
        _ => {
            let mut reasons: Vec<Reason> = why.map(Reason::TenantUnknown).into_iter().collect();
            let undecided_ones = [&a, &b].into_iter().filter(|d| d.verdict == Verdict::Undecided);
            for reason in undecided_ones.flat_map(|decision| &decision.reasons) {
                if !reasons.contains(reason) {
                    reasons.push(*reason);
                }
            }
            Decision { reasons, ..undecided(Vec::new()) }
        }
    }
}

const fn undecided(reasons: Vec<Reason>) -> Decision {
    Decision {
        verdict: Verdict::Undecided,
        due: None,
        rules: Vec::new(),
        tenant: None,
        trigger: None,
        reasons,
    }
}
