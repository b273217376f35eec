//! Whether an object may go at a date: the decider is asked, as of that date.

use chrono::{DateTime, Utc};

use crate::decide::{self, Decision, Needs, Reason, Step, Verdict};
use crate::object::{Observed, Reading};
use crate::policy::{Enforce, Policy};
use crate::records::Records;

/// What the promise says of an object at a date.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// It may go: it is expired by then, or nothing was promised.
    Free,
    /// That is to be known only after these reads.
    Needs(Needs),
    /// Object Lock keeps it, whatever S3's rules say.
    Locked(Decision),
    /// It is to stay.
    Kept(Decision),
}

/// Whether `object` may go at `at`, as far as it is known.
pub fn then(policy: &Policy, records: &Records, object: &Observed<'_>, at: DateTime<Utc>) -> Then {
    let decision = match decide::decide(policy, records, object, at) {
        // The lock is asked for last, of what is expired otherwise, and S3 obeys it itself.
        Step::Needs(needs) if needs.lock => return Then::Free,
        Step::Needs(needs) => return Then::Needs(needs),
        Step::Decided(decision) => decision,
    };
    let only_lock = |reasons: &[Reason]| {
        !reasons.is_empty() && reasons.iter().all(|reason| matches!(reason, Reason::LockUnknown(_)))
    };
    let is_locked = matches!(object.lock, Reading::Known(lock) if lock.is_locked(at));
    match decision.verdict {
        Verdict::Expired | Verdict::Unmatched => Then::Free,
        Verdict::Undecided if only_lock(&decision.reasons) => Then::Free,
        _ if is_locked => Then::Locked(Decision { verdict: Verdict::Locked, ..decision }),
        _ if object.lock == Reading::Unread => Then::Needs(Needs { lock: true, ..Needs::NONE }),
        _ => Then::Kept(decision),
    }
}

/// Whether only rules that are merely observed keep it.
pub fn is_observed(policy: &Policy, decision: &Decision) -> bool {
    matches!(decision.verdict, Verdict::Retained | Verdict::Undecided)
        && !decision.rules.is_empty()
        && decision
            .rules
            .iter()
            .all(|rule| policy.rules.get(*rule).is_some_and(|rule| rule.enforce == Enforce::Observe))
}

/// Why it is kept, without dates that differ from one object to the next.
pub fn why(policy: &Policy, decision: &Decision) -> String {
    let rule = |rule: usize| policy.rules.get(rule).map_or("?", |rule| rule.id.as_str());
    match decision.reasons.first() {
        Some(Reason::LockedUntil { .. }) => "Object Lock retention".to_owned(),
        Some(Reason::NotDue { rule: index, .. } | Reason::KeptByLaw { rule: index, .. }) => {
            format!("when it is due under {} is not known for certain", rule(*index))
        }
        Some(Reason::ErasureNotDue { .. } | Reason::Due { .. } | Reason::Erased { .. }) | None => {
            "when it is due is not known for certain".to_owned()
        }
        Some(reason) => reason.describe(policy),
    }
}
