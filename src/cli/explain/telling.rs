//! From a judgement to an explanation.

use chrono::{DateTime, Utc};

use super::explaining::Explaining;
use super::reach::Reach;
use super::told::{Told, ToldErasure, ToldHold, ToldNext, ToldRule};
use super::values::Values;
use super::{engines, known, rule, words};
use crate::decide::{self, Decision, Fit, Judgement, Owner, RuleView, Tenancy};
use crate::lifecycle::{self, Compiled};
use crate::object::Observed;
use crate::policy::Policy;

/// Explains `object`.
pub fn tell(of: &Explaining<'_>, object: &Observed<'_>) -> Told {
    let tenancy = decide::tenancy(of.policy, object);
    let tenancy = match of.tenant {
        Some(tenant) => tenancy.said_to_be(tenant),
        None => tenancy,
    };
    let judgement = decide::explain_as(of.policy, of.records, object, &tenancy, of.now);
    let compiled = lifecycle::compile(of.policy, of.facts, of.around, of.now);
    let values = Values { policy: of.policy, records: of.records, object, tenancy: &tenancy };
    let decision = &judgement.decision;
    let next = decide::next_change(of.policy, of.records, object, &tenancy, of.now);
    Told {
        object: words::address(object),
        kind: object.kind.word(),
        uploaded: object.uploaded,
        superseded: object.superseded,
        size: (of.knows_size && known::has_size(object)).then_some(object.size),
        is_latest: object.is_latest,
        at: of.now,
        untouched: of.reach.why_untouched(of.policy),
        tenant: owner(&tenancy),
        tenant_source: tenant_source(of.policy, &tenancy),
        rules: judgement.rules.iter().filter_map(|view| tell_rule(of, values, view, &compiled)).collect(),
        erasures: erasures(of.policy, &judgement),
        holds: holds(of.policy, &judgement),
        decision: decision.verdict.word(),
        due: decision.due,
        reasons: reasons(of.policy, decision),
        removal: removal(of, object, decision, &compiled),
        next: next.map(|(on, decision)| tell_next(of.policy, on, &decision)),
        to_know: known::wanted(values, &judgement),
    }
}

fn owner(tenancy: &Tenancy<'_>) -> Option<String> {
    match tenancy.owner {
        Owner::Is(tenant, _) => Some(tenant.to_owned()),
        Owner::Nobody | Owner::Anybody => None,
    }
}

fn tenant_source(policy: &Policy, tenancy: &Tenancy<'_>) -> String {
    match tenancy.owner {
        Owner::Is(tenant, place) => {
            let source = match policy.tenant.get(place) {
                Some(source) => format!("from {}", words::attribute(source)),
                None => "as the description says".to_owned(),
            };
            format!("{tenant}, {source}")
        }
        Owner::Nobody => "none: no source that the policy names is present".to_owned(),
        Owner::Anybody => "unknown: a source that the policy names is not known".to_owned(),
    }
}

fn tell_rule(
    of: &Explaining<'_>,
    values: Values<'_>,
    view: &RuleView,
    compiled: &Compiled,
) -> Option<ToldRule> {
    let rule = of.policy.rules.get(view.rule)?;
    let mut told = rule::tell(values, rule, view);
    if let Ok(finding) = &view.view
        && of.reach == Reach::Enrolled
    {
        told.lifecycle = Some(engines::under_lifecycle(values.object, view.rule, compiled));
        told.direct = Some(engines::under_direct(values.object, of.facts, rule, finding));
    }
    Some(told)
}

fn erasures(policy: &Policy, judgement: &Judgement) -> Vec<ToldErasure> {
    let told = |(place, fit): &(usize, Fit)| {
        let erasure = policy.erasures.get(*place)?;
        Some(ToldErasure {
            id: erasure.id.clone(),
            reason: erasure.reason.clone(),
            requested: erasure.requested,
            due: erasure.due(policy.timezone),
            certain: *fit == Fit::Yes,
        })
    };
    judgement.erasures.iter().filter_map(told).collect()
}

fn holds(policy: &Policy, judgement: &Judgement) -> Vec<ToldHold> {
    let told = |(place, fit): &(usize, Fit)| {
        let hold = policy.holds.get(*place)?;
        Some(ToldHold {
            id: hold.id.clone(),
            reason: hold.reason.clone(),
            released: hold.released,
            certain: *fit == Fit::Yes,
        })
    };
    judgement.holds.iter().filter_map(told).collect()
}

fn reasons(policy: &Policy, decision: &Decision) -> Vec<String> {
    decision.reasons.iter().map(|reason| reason.describe(policy)).collect()
}

/// Who removes what is expired, in words.
fn removal(
    of: &Explaining<'_>,
    object: &Observed<'_>,
    decision: &Decision,
    compiled: &Compiled,
) -> Option<String> {
    let disposal = engines::disposal(of.policy, of.facts, compiled, object, decision, of.now)?;
    Some(match of.reach {
        Reach::Enrolled => engines::describe_disposal(of.policy, of.facts, object, decision.due, disposal),
        Reach::NotEnrolled | Reach::NoRule => "it stays: nothing is touched in this bucket".to_owned(),
    })
}

fn tell_next(policy: &Policy, on: DateTime<Utc>, decision: &Decision) -> ToldNext {
    ToldNext { on, becomes: decision.verdict.word(), reasons: reasons(policy, decision) }
}
