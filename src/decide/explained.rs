//! A decision with all that it stands on, for people to be told.

use chrono::{DateTime, Utc};

use super::attribute::Obscured;
use super::decision::Needs;
use super::finding::{Clock, RuleFinding};
use super::judge::{self, Judgement, Scope};
use super::select::{Fit, Miss};
use super::settle::settle;
use super::tenant::{self, Owner, Supposed, Tenancy, tenancy};
use crate::object::Observed;
use crate::policy::Policy;
use crate::records::Records;

/// Judges `object` in full, for [`super::decide`]'s answer to be explained.
pub fn explain(policy: &Policy, records: &Records, object: &Observed<'_>, now: DateTime<Utc>) -> Judgement {
    explain_as(policy, records, object, &tenancy(policy, object), now)
}

/// The same, for an object of which `tenancy` says whose it is. Where that is not known, what
/// covers the object for some tenant alone may cover it.
pub fn explain_as(
    policy: &Policy,
    records: &Records,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    now: DateTime<Utc>,
) -> Judgement {
    let judged = |tenant| judge::judge((policy, Scope::Everything), records, object, tenancy, tenant, now);
    let mut judgement = match tenancy.owner {
        Owner::Is(tenant, _) => judged(Supposed::Tenant(tenant)),
        Owner::Nobody => judged(Supposed::Nobody),
        Owner::Anybody => judged(Supposed::Stranger),
    };
    if tenancy.owner == Owner::Anybody {
        let obscured = tenancy.obscured.unwrap_or(Obscured { needs: Needs::NONE, why: None });
        for other in tenant::suppositions(policy, tenancy.owner).into_iter().map(judged) {
            widen(&mut judgement, other, obscured);
        }
    }
    let (decision, needs) = settle((policy, Scope::Everything), records, object, tenancy, now);
    Judgement { decision, needs, ..judgement }
}

/// Adds what holds only if the object is a certain tenant's.
fn widen(judgement: &mut Judgement, other: Judgement, obscured: Obscured) {
    for (mine, theirs) in judgement.rules.iter_mut().zip(other.rules) {
        let Ok(theirs) = theirs.view else { continue };
        match &mut mine.view {
            Ok(mine) => also(mine, &theirs),
            Err(Miss::Tenant | Miss::Excepted) => {
                let whole = theirs.obscured.map_or(obscured, |before| before.and(obscured));
                mine.view = Ok(RuleFinding { obscured: Some(whole), ..theirs });
            }
            Err(_) => {}
        }
    }
    add(&mut judgement.erasures, other.erasures, obscured);
    add(&mut judgement.holds, other.holds, obscured);
}

fn also(mine: &mut RuleFinding, theirs: &RuleFinding) {
    let own = match mine.clock {
        Clock::Override(place) => Some(place),
        _ => None,
    };
    let theirs_alone = match theirs.clock {
        Clock::Override(place) => Some(place),
        _ => None,
    };
    for place in theirs_alone.into_iter().chain(theirs.might_apply.iter().copied()) {
        if own != Some(place) && !mine.might_apply.contains(&place) {
            mine.might_apply.push(place);
        }
    }
    mine.outlook.earliest = mine.outlook.earliest.min(theirs.outlook.earliest);
    mine.outlook.latest = mine.outlook.latest.max(theirs.outlook.latest);
}

fn add(mine: &mut Vec<(usize, Fit)>, theirs: Vec<(usize, Fit)>, obscured: Obscured) {
    for (index, _) in theirs {
        if mine.iter().all(|(known, _)| *known != index) {
            mine.push((index, Fit::Maybe(obscured)));
        }
    }
    mine.sort_by_key(|(index, _)| *index);
}
