//! One object under one supposed tenant: every rule and hold, and what follows from them.

use chrono::{DateTime, Utc};

use super::decision::{Basis, Decision, Needs, Reason, Unknown, Verdict};
use super::select::{self, Fit, Miss};
use super::tenant::{Obscured, Owner, Supposed, Tenancy};
use super::trigger::{self, Context, Finding, NEVER, Outlook};
use crate::calendar::{Moment, Period};
use crate::object::{Kind, Observed, Reading};
use crate::policy::{Policy, Rule};
use crate::records::Records;

/// How one rule looks at the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// The rule: index into the policy.
    pub rule: usize,
    /// Why it does not cover the object, or what it says of it.
    pub view: Result<RuleFinding, Miss>,
}

/// What a rule that covers the object says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The due dates that are possible.
    pub outlook: Outlook,
    /// The period that was added.
    pub period: Period,
    /// Why that period.
    pub clock: Clock,
}

/// Which clock a rule runs by for the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The rule's trigger and period.
    Trigger,
    /// The trigger, with the period of this override: index into the policy.
    Override(usize),
    /// From the successor's creation, under `noncurrent`.
    Superseded,
    /// Kept by number, under `noncurrent`.
    KeptByNumber,
    /// A delete marker that is all that is left of its key: at once.
    LoneMarker,
    /// A delete marker on top of versions: not before they are gone.
    HidesVersions,
    /// From the initiation, under `incomplete-uploads`.
    Initiation,
}

/// All that was found for one supposed tenant.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Every rule of the policy, in its order.
    pub rules: Vec<RuleView>,
    /// Every hold in force that may fit: index into the policy.
    pub holds: Vec<(usize, Fit)>,
    /// What follows, if that can be said.
    pub decision: Decision,
    /// What would have to be read to say more; none unless `Undecided`.
    pub needs: Needs,
}

/// Looks at `object` as if it were `tenant`'s.
pub fn judge(
    policy: &Policy,
    records: &Records,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    tenant: Supposed<'_>,
    now: DateTime<Utc>,
) -> Judgement {
    let context = Context { policy, records, object, tenant };
    let rules: Vec<RuleView> = policy
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| RuleView { rule: index, view: view(context, index, rule, now) })
        .collect();
    let holds: Vec<(usize, Fit)> = policy
        .holds
        .iter()
        .enumerate()
        .filter(|(_, hold)| hold.in_force(now, policy.timezone))
        .map(|(index, hold)| (index, select::holds(&hold.select, object, tenant, tenancy)))
        .filter(|(_, fit)| !matches!(fit, Fit::No(_)))
        .collect();
    let (mut decision, needs) = conclude(object, tenancy, &rules, &holds, now);
    decision.tenant = match tenancy.owner {
        Owner::Is(tenant, _) => Some(tenant.to_owned()),
        Owner::Nobody | Owner::Anybody => None,
    };
    Judgement { rules, holds, decision, needs }
}

fn view(context: Context<'_>, index: usize, rule: &Rule, now: DateTime<Utc>) -> Result<RuleFinding, Miss> {
    let Context { policy, object, tenant, .. } = context;
    if let Fit::No(miss) = select::covers(&rule.select, object, tenant) {
        return Err(miss);
    }
    let fixed = |clock, period: Period, from: DateTime<Utc>| {
        let due = Moment::Instant(from).due(period, policy.timezone).unwrap_or(NEVER);
        let basis = Basis { moment: Moment::Instant(from), source: clock_source(clock).to_owned() };
        RuleFinding { outlook: Outlook::certain(due, Finding::Known(basis)), period, clock }
    };
    let kept = |clock| RuleFinding {
        outlook: Outlook::certain(NEVER, Finding::NotHappened),
        period: Period::default(),
        clock,
    };
    Ok(match (object.kind, object.superseded, rule.noncurrent) {
        (Kind::Marker, _, _) if object.alone => fixed(Clock::LoneMarker, Period::default(), object.uploaded),
        (Kind::Marker, None, _) => kept(Clock::HidesVersions),
        (_, Some(_), Some(noncurrent)) if object.newer_noncurrent < noncurrent.newer_versions => {
            kept(Clock::KeptByNumber)
        }
        (_, Some(at), Some(noncurrent)) => fixed(Clock::Superseded, noncurrent.retain, at),
        (Kind::Upload, _, _) if rule.incomplete_uploads.is_some() => {
            fixed(Clock::Initiation, rule.incomplete_uploads.unwrap_or(rule.retain), object.uploaded)
        }
        _ => by_trigger(context, index, rule, now),
    })
}

/// Where a date that follows from the listing alone comes from.
const fn clock_source(clock: Clock) -> &'static str {
    match clock {
        Clock::Superseded => "creation of the next newer version",
        Clock::Initiation => "initiation of the upload",
        _ => "uploaded",
    }
}

/// The rule's trigger with its period, or with that of the override that keeps longest.
fn by_trigger(context: Context<'_>, index: usize, rule: &Rule, now: DateTime<Utc>) -> RuleFinding {
    let Context { policy, tenant, .. } = context;
    let with = |period: Period, clock: Clock| {
        let due = |moment: Moment| moment.due(period, policy.timezone).unwrap_or(NEVER);
        RuleFinding { outlook: trigger::outlook(context, &rule.trigger, &due), period, clock }
    };
    policy
        .overrides
        .iter()
        .enumerate()
        .filter(|(_, o)| o.rule == index && o.in_force(now, policy.timezone))
        .filter(|(_, o)| matches!(tenant, Supposed::Tenant(t) if o.tenants.iter().any(|name| name == t)))
        .map(|(place, o)| with(o.retain, Clock::Override(place)))
        .max_by_key(|finding| (finding.outlook.latest, finding.outlook.earliest, finding.period))
        .unwrap_or_else(|| with(rule.retain, Clock::Trigger))
}

/// From what every rule and hold says to the decision, and to what could still change it.
fn conclude(
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    rules: &[RuleView],
    holds: &[(usize, Fit)],
    now: DateTime<Utc>,
) -> (Decision, Needs) {
    let mut covering: Vec<(usize, &RuleFinding)> =
        rules.iter().filter_map(|rule| Some((rule.rule, rule.view.as_ref().ok()?))).collect();
    covering.sort_by_key(|(index, finding)| {
        (std::cmp::Reverse((finding.outlook.latest, finding.outlook.earliest)), *index)
    });
    let decision = |verdict, reasons| Decision {
        verdict,
        due: covering.first().and_then(|(_, finding)| finding.outlook.due()),
        rules: covering.iter().map(|(index, _)| *index).collect(),
        tenant: None,
        trigger: covering.first().and_then(|(_, finding)| finding.outlook.finding.basis().cloned()),
        reasons,
    };
    let settled = |verdict, reasons| (decision(verdict, reasons), Needs::NONE);
    let open = |reasons, needs| (decision(Verdict::Undecided, reasons), needs);

    let held: Vec<Reason> = holds
        .iter()
        .filter(|(_, fit)| *fit == Fit::Yes)
        .map(|(hold, _)| Reason::Hold { hold: *hold })
        .collect();
    if !held.is_empty() {
        return settled(Verdict::Held, held);
    }
    if let Reading::Known(lock) = object.lock
        && lock.is_locked(now)
    {
        let hold = lock.legal_hold.then_some(Reason::LegalHold);
        let until = lock.retain_until.filter(|until| *until > now).map(|until| Reason::LockedUntil { until });
        return settled(Verdict::Locked, hold.into_iter().chain(until).collect());
    }
    if covering.is_empty() {
        return settled(Verdict::Unmatched, vec![Reason::NoRule]);
    }
    let retained: Vec<Reason> = covering
        .iter()
        .filter(|(_, finding)| finding.outlook.earliest > now)
        .map(|(index, finding)| finding.why_retained(*index))
        .collect();
    if !retained.is_empty() {
        return settled(Verdict::Retained, retained);
    }
    let mut unknown = Vec::new();
    let mut needs = Needs::NONE;
    let mut hopeless = false;
    for (index, finding) in covering.iter().filter(|(_, finding)| finding.outlook.latest > now) {
        unknown.push(finding.why_undecided(*index));
        needs = needs.and(finding.outlook.needs);
        hopeless |= finding.outlook.needs.is_none();
    }
    for (hold, _) in holds {
        unknown.push(Reason::HoldMightFit { hold: *hold });
        let obscured = tenancy.obscured.unwrap_or(Obscured { needs: Needs::NONE, why: None });
        needs = needs.and(obscured.needs);
        hopeless |= obscured.why.is_some();
    }
    if !unknown.is_empty() {
        // Where one ground to keep it is there for good, reading about the others is in vain.
        return open(unknown, if hopeless { Needs::NONE } else { needs });
    }
    match object.lock {
        Reading::Unread => open(Vec::new(), Needs { lock: true, ..Needs::NONE }),
        Reading::Unknown(why) => open(vec![Reason::LockUnknown(why)], Needs::NONE),
        Reading::Known(_) => {
            let reasons = covering
                .iter()
                .map(|(rule, finding)| Reason::Due { rule: *rule, due: finding.outlook.latest })
                .collect();
            let mut expired = decision(Verdict::Expired, reasons);
            // Where the exact date was never read, it is due from this on at the latest.
            expired.due = covering.first().map(|(_, finding)| finding.outlook.latest);
            (expired, Needs::NONE)
        }
    }
}

impl RuleFinding {
    fn why_retained(&self, rule: usize) -> Reason {
        match (self.clock, &self.outlook.finding) {
            (Clock::KeptByNumber, _) => Reason::KeptByNumber { rule },
            (Clock::HidesVersions, _) => Reason::HidesVersions,
            (_, Finding::NotHappened) => Reason::NotHappened { rule },
            _ => Reason::NotDue { rule, earliest: self.outlook.earliest },
        }
    }

    fn why_undecided(&self, rule: usize) -> Reason {
        let why = match self.outlook.finding {
            Finding::Unknown(why) => why,
            _ => Unknown::Unread,
        };
        Reason::TriggerUnknown { rule, why }
    }
}
