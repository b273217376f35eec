//! One object under one supposed tenant: what every rule, erasure and hold says of it.

use chrono::{DateTime, Utc};

use super::attribute::Obscured;
use super::conclude::{self, Found};
use super::context::Context;
use super::decision::{Basis, Decision, Needs, Unknown};
use super::finding::{Clock, RuleFinding, RuleView};
use super::outlook::{Finding, NEVER, Outlook};
use super::overriding;
use super::select::{self, Fit, Miss};
use super::tenant::{Owner, Supposed, Tenancy};
use crate::calendar::{Moment, Period};
use crate::object::{Kind, Observed};
use crate::policy::{Erasure, Hold, Policy, Rule};
use crate::records::Records;

/// All that was found for one supposed tenant.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Every rule that was looked at, in the policy's order.
    pub rules: Vec<RuleView>,
    /// Every erasure that covers the object, or may: index into the policy.
    pub erasures: Vec<(usize, Fit)>,
    /// Every hold in force that covers the object, or may: index into the policy.
    pub holds: Vec<(usize, Fit)>,
    /// What follows, if that can be said.
    pub decision: Decision,
    /// What would have to be read to say more; none unless `Undecided`.
    pub needs: Needs,
}

/// What of a policy is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'s> {
    /// All of it.
    Everything,
    /// These alone, in their order: of all others it is known that they miss the object by the
    /// name of the bucket or by the key.
    Only {
        /// Indices of rules.
        rules: &'s [usize],
        /// Indices of erasures.
        erasures: &'s [usize],
        /// Indices of holds.
        holds: &'s [usize],
    },
}

impl Scope<'_> {
    fn rules(self, policy: &Policy) -> impl Iterator<Item = (usize, &Rule)> {
        self.pick(&policy.rules, |only| only.0)
    }

    fn erasures(self, policy: &Policy) -> impl Iterator<Item = (usize, &Erasure)> {
        self.pick(&policy.erasures, |only| only.1)
    }

    fn holds(self, policy: &Policy) -> impl Iterator<Item = (usize, &Hold)> {
        self.pick(&policy.holds, |only| only.2)
    }
}

type Picked<'s> = (&'s [usize], &'s [usize], &'s [usize]);

impl<'s> Scope<'s> {
    fn pick<T>(self, all: &[T], of: impl Fn(Picked<'s>) -> &'s [usize]) -> impl Iterator<Item = (usize, &T)> {
        let (everything, only) = match self {
            Self::Everything => (all, &[][..]),
            Self::Only { rules, erasures, holds } => (&[][..], of((rules, erasures, holds))),
        };
        let picked = only.iter().filter_map(|index| Some((*index, all.get(*index)?)));
        everything.iter().enumerate().chain(picked)
    }
}

/// Looks at `object` as if it were `tenant`'s, at what of the policy is in `scope`.
pub fn judge(
    (policy, scope): (&Policy, Scope<'_>),
    records: &Records,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    tenant: Supposed<'_>,
    now: DateTime<Utc>,
) -> Judgement {
    let context = Context { policy, records, object, tenant };
    let rules: Vec<RuleView> = scope
        .rules(policy)
        .map(|(index, rule)| RuleView { rule: index, view: view(context, index, rule, now) })
        .collect();
    let erasures = erasures(context, scope);
    let holds: Vec<(usize, Fit)> = scope
        .holds(policy)
        .filter(|(_, hold)| hold.in_force(now, policy.timezone))
        .map(|(index, hold)| (index, select::holds(&hold.select, object, tenant, tenancy)))
        .filter(|(_, fit)| !matches!(fit, Fit::No(_)))
        .collect();
    let found = Found { policy, object, rules: &rules, erasures: &erasures, holds: &holds, now };
    let (mut decision, needs) = conclude::conclude(found);
    decision.tenant = match tenancy.owner {
        Owner::Is(tenant, _) => Some(tenant.into()),
        Owner::Nobody | Owner::Anybody => None,
    };
    Judgement { rules, erasures, holds, decision, needs }
}

/// Whether the object is a delete marker that hides versions which are still there.
pub const fn hides_versions(object: &Observed<'_>) -> bool {
    matches!(object.kind, Kind::Marker) && !object.alone && object.superseded.is_none()
}

/// The erasures that are about the object: what was uploaded after the day of a request is not, and what the
/// store does not know the upload of may be. A lone delete marker goes whenever it was made.
fn erasures(context: Context<'_>, scope: Scope<'_>) -> Vec<(usize, Fit)> {
    let Context { policy, object, tenant, .. } = context;
    if hides_versions(object) {
        return Vec::new();
    }
    let is_lone_marker = object.kind == Kind::Marker && object.alone;
    let is_known = is_lone_marker || Moment::Instant(object.uploaded).plausible().is_ok();
    let fit = |erasure: &Erasure| match select::covers(&erasure.select, object, tenant) {
        Fit::Yes if !is_known => Fit::Maybe(Obscured { needs: Needs::NONE, why: None }),
        fit => fit,
    };
    scope
        .erasures(policy)
        .filter(|(_, erasure)| is_lone_marker || erasure.reaches(object.uploaded, policy.timezone))
        .map(|(index, erasure)| (index, fit(erasure)))
        .filter(|(_, fit)| !matches!(fit, Fit::No(_)))
        .collect()
}

fn view(context: Context<'_>, index: usize, rule: &Rule, now: DateTime<Utc>) -> Result<RuleFinding, Miss> {
    let Context { policy, object, tenant, .. } = context;
    let obscured = match select::covers(&rule.select, object, tenant) {
        Fit::Yes => None,
        Fit::No(miss) => return Err(miss),
        Fit::Maybe(obscured) => Some(obscured),
    };
    let by_trigger = || overriding::by_trigger(context, index, rule, now);
    let is_alone = object.kind == Kind::Marker && object.alone;
    let has_no_laws = is_alone || object.kind == Kind::Marker && object.superseded.is_none();
    let plain = |outlook: Outlook, period, clock| {
        let mut laws = if has_no_laws { Vec::new() } else { by_trigger().laws };
        for law in &mut laws {
            // No law keeps it longer than the rule that the law is about.
            law.outlook.earliest = law.outlook.earliest.min(outlook.earliest);
            law.outlook.latest = law.outlook.latest.min(outlook.latest);
        }
        RuleFinding { obscured, outlook, period, clock, might_apply: Vec::new(), laws }
    };
    let fixed = |clock, period: Period, from: DateTime<Utc>| {
        // Of a lone delete marker nothing is left but the name, whenever it was made.
        if clock != Clock::LoneMarker
            && let Err(why) = Moment::Instant(from).plausible()
        {
            return plain(Outlook::unknown(Unknown::NoDate(why)), period, clock);
        }
        let due = Moment::Instant(from).due(period, policy.timezone).unwrap_or(NEVER);
        let basis = Basis { moment: Moment::Instant(from), source: clock_source(clock).into() };
        plain(Outlook::certain(due, Finding::Known(basis)), period, clock)
    };
    let kept = |clock| plain(Outlook::certain(NEVER, Finding::NotHappened), Period::default(), clock);
    Ok(match (object.kind, object.superseded, rule.noncurrent) {
        // Under another marker it is noncurrent, to S3 too. It is no version that could be kept by number.
        (_, Some(at), Some(noncurrent)) if is_alone => fixed(Clock::Superseded, noncurrent.retain, at),
        _ if is_alone => fixed(Clock::LoneMarker, Period::default(), object.uploaded),
        (Kind::Marker, None, _) => kept(Clock::HidesVersions),
        (_, Some(_), Some(noncurrent)) if object.newer_noncurrent < noncurrent.newer_versions => {
            kept(Clock::KeptByNumber)
        }
        (_, Some(at), Some(noncurrent)) => fixed(Clock::Superseded, noncurrent.retain, at),
        (Kind::Upload, _, _) if rule.incomplete_uploads.is_some() => {
            fixed(Clock::Initiation, rule.incomplete_uploads.unwrap_or(rule.retain), object.uploaded)
        }
        _ => RuleFinding { obscured, ..by_trigger() },
    })
}

/// Where a date that follows from the listing alone comes from.
pub const fn clock_source(clock: Clock) -> &'static str {
    match clock {
        Clock::Superseded => "creation of the next newer version",
        Clock::Initiation => "initiation of the upload",
        _ => "uploaded",
    }
}
