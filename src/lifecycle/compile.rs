//! From a policy to lifecycle rules: which rules S3 can be proved to keep, and with what.
//!
//! A rule goes to S3 only if every condition below holds; each failing one is a
//! [`DirectReason`]. What S3 does is taken from S3-documented behaviour alone.
//!
//! **Which objects.** S3 selects by a literal start of the key. A key pattern or a list of
//! tenants cannot be said with it.
//!
//! **From when.** S3 counts from the upload. A trigger on an attribute is still provable when
//! every object has a date near its upload: `within` limits it, `outside: clamp` does so for
//! values outside, and `if-missing: uploaded` for objects without one. A value that cannot be
//! read may be any of these, so it is covered. [`super::days`] finds the days and the bound.
//!
//! **How late.** The bound must not exceed the policy's tolerance. Lag between eligibility and
//! removal is S3's own and has no documented limit; it is not counted.
//!
//! **One period for all.** Of two lifecycle rules the shorter wins, so a longer period can
//! never be protected against a shorter one on the same objects. An override in force, a hold
//! in force, or another rule of the policy therefore keeps a rule from S3 as soon as the two
//! could meet on one object. They cannot only where their prefixes exclude each other. A rule that
//! is merely observed counts as well: whether it keeps an object is for deciding to say. An
//! override or hold that has run out never comes back, and one of the future does not exist.
//!
//! **Versions.** In a bucket that never had versioning, expiration removes the object. Where
//! versioning is enabled it only puts a delete marker on top, and the object goes as a
//! noncurrent version after that, so the rule must say so (`noncurrent`). A noncurrent version
//! is due when its successor was created plus `noncurrent.retain`; markers made by S3 carry
//! midnight, so the days that never-early needs are the period's longest span, and the whole
//! way of a current version takes its own bound, those days, and one more for an exact
//! midnight. Versions kept by number (`newer-noncurrent-versions`) would include objects that
//! have expired, and keep them for ever. Markers that are left alone are removed by a rule of
//! their own, because S3 does not take that action beside expiration days. Where versioning is
//! suspended S3's marker replaces the null version at once; with MFA delete there is no
//! lifecycle; with Object Lock S3 would hide what is locked.
//!
//! **Incomplete uploads** count from their initiation, like an upload without slack. The
//! action is legal only in rules without tag or size filters, which ours are.

use std::cell::LazyCell;

use chrono::{DateTime, Utc};

use crate::calendar::{self, Period};
use crate::object::{BucketFacts, Versioning};
use crate::policy::{Attribute, Enforce, IfMissing, Outside, Policy, Rule, Select, Source, Trigger};

use super::days::{Offsets, Window};
use super::owned::{Action, LONGEST_ID, OwnedRule};
use super::reason::DirectReason;
use super::rule::prefixes_meet;
use super::xml;

/// The longest key, and so the longest prefix, in bytes.
const LONGEST_KEY: usize = 1024;

/// What becomes of each rule of a policy in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The lifecycle rules to have in the bucket, sorted by id. Rules that are
    /// [`Engine::Refused`] have none, so merging these takes away what stood for them.
    pub rules: Vec<OwnedRule>,
    /// One entry for each policy rule that covers the bucket, in the policy's order.
    pub engines: Vec<RuleEngine>,
}

/// Who removes what is due under one rule in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEngine {
    /// Index into the policy's rules.
    pub rule: usize,
    /// Who.
    pub engine: Engine,
}

/// Who removes what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// S3.
    Lifecycle(LifecycleTerms),
    /// Shelflife, for these reasons; never empty.
    Direct(Vec<DirectReason>),
    /// Nobody: the policy says `enforce: lifecycle` and S3 cannot be proved to keep the promise, for
    /// these reasons; never empty. An error of the policy.
    Refused(Vec<DirectReason>),
    /// Nobody: the policy says `enforce: observe`.
    Observe,
}

/// What S3 does under one rule. All in whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifecycleTerms {
    /// From the upload to expiration.
    pub expire_days: u32,
    /// The most that S3 can be late: from the due date to eligibility, in a versioned bucket to
    /// that of the version itself.
    pub lateness_days: u32,
    /// In a versioned bucket, from the creation of its successor to a version's removal.
    pub noncurrent_days: Option<u32>,
    /// From the initiation of an incomplete upload to its abortion.
    pub abort_days: Option<u32>,
}

impl Compiled {
    /// Who removes what is due under the policy's rule at this index; `None` if the rule does not
    /// cover the bucket.
    pub fn engine(&self, rule: usize) -> Option<&Engine> {
        self.engines.iter().find(|entry| entry.rule == rule).map(|entry| &entry.engine)
    }

    /// What S3 does under the policy's rule at this index; `None` if S3 has no part in it.
    pub fn lifecycle(&self, rule: usize) -> Option<LifecycleTerms> {
        match self.engine(rule) {
            Some(Engine::Lifecycle(terms)) => Some(*terms),
            _ => None,
        }
    }

    /// The rules that the policy demands of S3 and S3 cannot be proved to keep.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &[DirectReason])> {
        self.engines.iter().filter_map(|entry| match &entry.engine {
            Engine::Refused(reasons) => Some((entry.rule, reasons.as_slice())),
            _ => None,
        })
    }
}

/// When S3 makes an object of `uploaded` eligible under a rule of `days`: the sum, rounded up to
/// midnight UTC. A sum that is exactly midnight is taken to stay; S3 does not document it.
/// `None` beyond the calendar's end.
pub fn eligible_at(uploaded: DateTime<Utc>, days: u32) -> Option<DateTime<Utc>> {
    uploaded.checked_add_days(chrono::Days::new(days.into())).map(calendar::midnight_at_or_after)
}

/// Decides for every rule of the policy that covers the bucket who removes what is due at `now`,
/// and with which lifecycle rules.
pub fn compile(policy: &Policy, bucket: &BucketFacts, now: DateTime<Utc>) -> Compiled {
    let offsets = LazyCell::new(|| Offsets::of(policy.timezone));
    let mut compiled = Compiled::default();
    for (index, rule) in policy.rules.iter().enumerate() {
        if !covers_bucket(&rule.select, &bucket.name) {
            continue;
        }
        let engine = match rule.enforce {
            Enforce::Observe => Engine::Observe,
            Enforce::Direct => Engine::Direct(vec![DirectReason::PolicySaysDirect]),
            Enforce::Auto | Enforce::Lifecycle => {
                let mut reasons = conflicts(policy, index, bucket, now);
                reasons.extend(select_reasons(policy, rule));
                match terms(policy, rule, bucket, || *offsets) {
                    Ok(terms) if reasons.is_empty() => {
                        compiled.rules.extend(owned_rules(policy, rule, terms));
                        Engine::Lifecycle(terms)
                    }
                    Ok(_) => not_lifecycle(rule.enforce, reasons),
                    Err(more) => {
                        reasons.extend(more);
                        not_lifecycle(rule.enforce, reasons)
                    }
                }
            }
        };
        compiled.engines.push(RuleEngine { rule: index, engine });
    }
    compiled.rules.sort();
    compiled
}

fn not_lifecycle(enforce: Enforce, mut reasons: Vec<DirectReason>) -> Engine {
    reasons.sort();
    reasons.dedup();
    if enforce == Enforce::Lifecycle && !reasons.iter().all(DirectReason::is_passing) {
        Engine::Refused(reasons)
    } else {
        Engine::Direct(reasons)
    }
}

/// Whether a rule's or a hold's selection covers the bucket. No bucket named means every bucket.
pub(super) fn covers_bucket(select: &Select, bucket: &str) -> bool {
    select.buckets.is_empty() || select.buckets.iter().any(|pattern| pattern.matches(bucket))
}

/// Whether two selections that cover the same bucket could both take some object.
fn could_meet(a: &Select, b: &Select) -> bool {
    prefixes_meet(a.prefix.as_deref().unwrap_or_default(), b.prefix.as_deref().unwrap_or_default())
}

/// What else in the policy could want another period for some object of the rule.
fn conflicts(policy: &Policy, index: usize, bucket: &BucketFacts, now: DateTime<Utc>) -> Vec<DirectReason> {
    let rule = &policy.rules[index];
    let zone = policy.timezone;
    let overridden = policy.overrides.iter().filter(|o| o.rule == index && o.in_force(now, zone));
    let tenants = overridden.clone().filter_map(|o| o.tenants.as_ref()).map(Vec::len).sum();
    let by_record = overridden.clone().any(|o| o.condition.is_some());
    let overridden = overridden.count() > 0;
    let overridden = overridden.then_some(DirectReason::Overridden { tenants, by_record });
    let meets = |select: &Select| covers_bucket(select, &bucket.name) && could_meet(select, &rule.select);
    let holds = policy.holds.iter().filter(|hold| hold.in_force(now, zone) && meets(&hold.select));
    let others = policy.rules.iter().enumerate().filter(|(at, other)| *at != index && meets(&other.select));
    overridden
        .into_iter()
        .chain(holds.map(|hold| DirectReason::Hold(hold.id.clone())))
        .chain(others.map(|(_, other)| DirectReason::Overlaps(other.id.clone())))
        .collect()
}

fn select_reasons(policy: &Policy, rule: &Rule) -> Vec<DirectReason> {
    let prefix = rule.select.prefix.as_deref().unwrap_or_default();
    let probe = OwnedRule::new(&policy.name, &rule.id, prefix, Action::RemoveMarkers);
    [
        (rule.select.key.is_some(), DirectReason::KeyPattern),
        (rule.select.tenants.is_some(), DirectReason::Tenants),
        (rule.select.media.is_some(), DirectReason::Media),
        (rule.select.needs_reading() || rule.select.size.is_some(), DirectReason::Attributes),
        (!rule.select.except.is_empty(), DirectReason::Exception),
        (rule.export.is_some(), DirectReason::Export),
        (rule.evidence_per_object, DirectReason::EvidencePerObject),
        (prefix.len() > LONGEST_KEY || !prefix.chars().all(xml::is_xml_char), DirectReason::Prefix),
        (probe.id().len() > LONGEST_ID, DirectReason::IdTooLong),
    ]
    .into_iter()
    .filter_map(|(fails, reason)| fails.then_some(reason))
    .collect()
}

/// How far the trigger's date can lie from the upload, or why that cannot be said.
fn window(trigger: &Trigger, offsets: impl FnOnce() -> Offsets) -> Result<Window, Vec<DirectReason>> {
    match &trigger.source {
        Source::Uploaded => return Ok(Window::UPLOADED),
        Source::Record { .. } => return Err(vec![DirectReason::TriggerNeedsRecords]),
        Source::Earliest(_) | Source::Latest(_) | Source::First(_) if needs_records(trigger) => {
            return Err(vec![DirectReason::TriggerNeedsRecords]);
        }
        Source::Earliest(_) | Source::Latest(_) | Source::First(_) => {
            return Err(vec![DirectReason::TriggerOfSeveralDates]);
        }
        Source::Attribute(Attribute::Key(_) | Attribute::Metadata(_) | Attribute::Tag(_)) => {}
    }
    let mut reasons = Vec::new();
    if trigger.outside != Outside::Clamp {
        reasons.push(DirectReason::NoClamp);
    }
    if trigger.if_missing != Some(IfMissing::Uploaded) {
        reasons.push(DirectReason::MissingIsNotUploaded);
    }
    let Some(within) = trigger.within else {
        reasons.push(DirectReason::NoWithin);
        return Err(reasons);
    };
    if within.before.is_none() {
        reasons.push(DirectReason::UnlimitedBefore);
    }
    let Some(after) = within.after else {
        reasons.push(DirectReason::UnlimitedAfter);
        return Err(reasons);
    };
    match Window::new(within.before, after, offsets()) {
        Some(window) if reasons.is_empty() => Ok(window),
        Some(_) => Err(reasons),
        None => {
            reasons.push(DirectReason::TooLong);
            Err(reasons)
        }
    }
}

fn needs_records(trigger: &Trigger) -> bool {
    match &trigger.source {
        Source::Record { .. } => true,
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().any(|term| needs_records(&term.trigger))
        }
        Source::Uploaded | Source::Attribute(_) => false,
    }
}

/// The days that S3 needs so that it is never early under the rule, whatever else speaks against
/// it; `None` where the trigger alone rules S3 out.
pub(super) fn least_days(policy: &Policy, rule: &Rule) -> Option<i64> {
    let window = window(&rule.trigger, || Offsets::of(policy.timezone)).ok()?;
    Some(window.least_days(rule.retain))
}

fn terms(
    policy: &Policy,
    rule: &Rule,
    bucket: &BucketFacts,
    offsets: impl FnOnce() -> Offsets,
) -> Result<LifecycleTerms, Vec<DirectReason>> {
    let mut reasons = Vec::new();
    if bucket.mfa_delete {
        reasons.push(DirectReason::MfaDelete);
    }
    if bucket.object_lock {
        reasons.push(DirectReason::ObjectLock);
    }
    let noncurrent = match (bucket.versioning, rule.noncurrent) {
        (Versioning::Never, _) => None,
        (Versioning::Enabled, Some(noncurrent)) => {
            if noncurrent.newer_versions > 0 {
                reasons.push(DirectReason::NewerVersionsStay(noncurrent.newer_versions));
            }
            Some(noncurrent.retain)
        }
        (Versioning::Enabled, None) => {
            reasons.push(DirectReason::VersionedWithoutNoncurrent);
            None
        }
        (Versioning::Suspended, _) => {
            reasons.push(DirectReason::Suspended);
            None
        }
    };
    let window = match window(&rule.trigger, offsets) {
        Ok(window) => window,
        Err(more) => {
            reasons.extend(more);
            return Err(reasons);
        }
    };
    let Some(terms) = bounded(window, rule, noncurrent) else {
        reasons.push(DirectReason::TooLong);
        return Err(reasons);
    };
    if terms.lateness_days > policy.tolerance_days {
        let (bound, tolerance) = (terms.lateness_days, policy.tolerance_days);
        reasons.push(DirectReason::Late { bound, tolerance });
    }
    if reasons.is_empty() { Ok(terms) } else { Err(reasons) }
}

/// `None` for days beyond S3's 32-bit integers.
fn bounded(window: Window, rule: &Rule, noncurrent: Option<Period>) -> Option<LifecycleTerms> {
    let from_event = |period: Period| {
        let days = Window::UPLOADED.least_days(period);
        Some((days, Window::UPLOADED.lateness(period, days)?))
    };
    let expire = window.least_days(rule.retain);
    let mut lateness = window.lateness(rule.retain, expire)?;
    let mut noncurrent_days = None;
    if let Some(retain) = noncurrent {
        let (days, own) = from_event(retain)?;
        // The marker stands at midnight, and an exact midnight may go to the next.
        lateness = own.max(lateness + days + 1);
        noncurrent_days = Some(days);
    }
    let mut abort_days = None;
    if let Some(period) = rule.incomplete_uploads {
        let (days, own) = from_event(period)?;
        lateness = lateness.max(own);
        abort_days = Some(days);
    }
    let days = |days: i64| i32::try_from(days).ok().and_then(|days| u32::try_from(days).ok());
    let optional = |value: Option<i64>| value.map_or(Some(None), |value| days(value).map(Some));
    Some(LifecycleTerms {
        expire_days: days(expire)?,
        lateness_days: days(lateness)?,
        noncurrent_days: optional(noncurrent_days)?,
        abort_days: optional(abort_days)?,
    })
}

fn owned_rules(policy: &Policy, rule: &Rule, terms: LifecycleTerms) -> Vec<OwnedRule> {
    let prefix = rule.select.prefix.as_deref().unwrap_or_default();
    let own = |action| OwnedRule::new(&policy.name, &rule.id, prefix, action);
    let LifecycleTerms { expire_days, noncurrent_days, abort_days, .. } = terms;
    let expire = own(Action::Expire { days: expire_days, noncurrent_days, abort_days });
    let markers = noncurrent_days.map(|_| own(Action::RemoveMarkers));
    std::iter::once(expire).chain(markers).collect()
}
