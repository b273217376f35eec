//! From what follows for each tenant that an object could have to one decision.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::decision::{Decision, Needs, Reason, Step, Verdict};
use super::judge::{self, Scope};
use super::tenant::{self, Owner, Tenancy, tenancy};
use crate::calendar::Period;
use crate::object::{Observed, Unreadable};
use crate::policy::{Enforce, Policy, Rule};
use crate::records::Records;

/// Decides `object` at `now`, as far as what is known of it allows.
pub fn decide(policy: &Policy, records: &Records, object: &Observed<'_>, now: DateTime<Utc>) -> Step {
    decide_within((policy, Scope::Everything), records, object, now)
}

/// The same, where all that is not in the scope is known to miss the object.
pub fn decide_within(
    (policy, scope): (&Policy, Scope<'_>),
    records: &Records,
    object: &Observed<'_>,
    now: DateTime<Utc>,
) -> Step {
    let (decision, needs) = settle((policy, scope), records, object, &tenancy(policy, object), now);
    if needs.is_none() { Step::Decided(decision) } else { Step::Needs(needs) }
}

/// What can be said, and what could be read to say more; none unless `Undecided`.
pub fn settle(
    (policy, scope): (&Policy, Scope<'_>),
    records: &Records,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    now: DateTime<Utc>,
) -> (Decision, Needs) {
    let mut suppositions = tenant::suppositions(policy, tenancy.owner).into_iter();
    let judged = |tenant| {
        let judgement = judge::judge((policy, scope), records, object, tenancy, tenant, now);
        (judgement.decision, judgement.needs)
    };
    // There is always at least one supposition; were there none, the object would be kept.
    let Some(first) = suppositions.next() else {
        return (undecided(vec![Reason::NoRule]), Needs::NONE);
    };
    let (mut decision, mut needs) = judged(first);
    for supposed in suppositions {
        let (other, more) = judged(supposed);
        needs = needs.and(more);
        decision =
            either((policy, object), decision, other, tenancy.obscured.and_then(|obscured| obscured.why));
    }
    if decision.verdict != Verdict::Undecided {
        return (decision, Needs::NONE);
    }
    if tenancy.owner == Owner::Anybody {
        needs = needs.and(tenancy.obscured.map_or(Needs::NONE, |obscured| obscured.needs));
    }
    // The lock is read last, and only for what is expired otherwise.
    needs.lock &= !(needs.head || needs.tags);
    (decision, needs)
}

/// What holds if either of two decisions may be the right one.
fn either(
    (policy, object): (&Policy, &Observed<'_>),
    a: Decision,
    b: Decision,
    why: Option<Unreadable>,
) -> Decision {
    let kept = |verdict| !matches!(verdict, Verdict::Expired | Verdict::Undecided);
    // Under one of them nobody removes it: that is as much of a difference as a later date.
    let acts = |decision: &Decision| {
        let enforce = |rule: &usize| policy.rules.get(*rule).map(|rule| rule.enforce);
        let by_rule = decision.rules.iter().any(|rule| enforce(rule) != Some(Enforce::Observe));
        // With no rule at all it is an erasure that acts.
        by_rule || decision.rules.is_empty()
    };
    let differ = a.verdict == Verdict::Expired
        && b.verdict == Verdict::Expired
        && (acts(&a) != acts(&b) || object.holds_data() && asked(policy, &a) != asked(policy, &b));
    match (a.verdict, b.verdict) {
        (x, y) if !differ && x == y || (kept(x) && kept(y)) => {
            let (mut later, other) = if b.due > a.due { (b, a) } else { (a, b) };
            if x != y {
                later.verdict = Verdict::Retained;
                later.reasons.extend(other.reasons);
            }
            // The due date holds only if both agree on there being one.
            let erasure = later.erasure.or(other.erasure);
            Decision { due: other.due.and(later.due), erasure, ..later }
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

/// Undo windows, and the buckets and prefixes of copies.
type Asked<'p> = (BTreeSet<Period>, BTreeSet<(&'p str, &'p str)>);

/// What has to be done before it goes: how long it is hidden, and where copies go.
fn asked<'p>(policy: &'p Policy, decision: &Decision) -> Asked<'p> {
    let rules = || decision.rules.iter().filter_map(|rule| policy.rules.get(*rule));
    let place = |rule: &'p Rule| rule.export.as_ref().map(|to| (to.bucket.as_str(), to.prefix.as_str()));
    let windows = rules().filter_map(|rule| rule.undo_window).collect();
    // What goes on request is not copied.
    let places = rules().filter_map(place).filter(|_| decision.erasure.is_none()).collect();
    (windows, places)
}

const fn undecided(reasons: Vec<Reason>) -> Decision {
    Decision {
        verdict: Verdict::Undecided,
        due: None,
        rules: Vec::new(),
        tenant: None,
        trigger: None,
        erasure: None,
        reasons,
    }
}
