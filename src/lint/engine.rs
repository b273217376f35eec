//! Who carries a rule out: what S3 cannot be given and why, and dates that others can move.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::candidates;
use super::triggers::{Leaf, leaves};
use crate::lifecycle::{DirectReason, Engine, Surroundings, compile};
use crate::object::{BucketFacts, Versioning};
use crate::policy::{Attribute, Code, Enforce, Override, Policy, ReadPolicy, Rule, Select, Severity};

/// Other rules that are named as a reason against S3.
const MOST_NEIGHBOURS: usize = 3;

/// Rules of a policy for which S3 is tried; nobody reads the notes on more.
const MOST_RULES: usize = 500;

/// The pairs of rules that are looked at for neighbours.
const MOST_PAIRS: usize = 1_000_000;

/// Rules that are shown beside the first that has the same reasons.
const MOST_ALIKE: usize = 8;

/// Reasons that are told at once.
const MOST_REASONS: usize = 3;

/// Finds rules that S3 cannot be given, and rules that go by tags.
pub(super) fn rules(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>, now: DateTime<Utc>) {
    let read = findings.read;
    let neighbours = neighbours(&read.policy);
    let mut alone = without_rules(&read.policy, now);
    let mut alike: BTreeMap<Vec<DirectReason>, Vec<usize>> = BTreeMap::new();
    for (index, rule) in read.policy.rules.iter().enumerate() {
        let engine = if index < MOST_RULES && matches!(rule.enforce, Enforce::Auto | Enforce::Lifecycle) {
            let near = neighbours.get(index).map(Vec::as_slice).unwrap_or_default();
            in_an_assumed_bucket(&read.policy, &mut alone, index, near, meetings, now)
        } else {
            None
        };
        tags(index, rule, matches!(engine, Some((_, Engine::Lifecycle(_)))), findings);
        match engine {
            // The bucket itself will tell.
            Some((_, Engine::Direct(reasons)))
                if reasons.iter().any(|reason| matches!(reason, DirectReason::Unlisted(_))) => {}
            Some((_, Engine::Direct(reasons))) if rule.enforce == Enforce::Auto => {
                alike.entry(reasons).or_default().push(index);
            }
            Some((bucket, Engine::Refused(reasons))) => {
                refused(read, index, rule, &bucket, &reasons, findings);
            }
            _ => {}
        }
    }
    for (reasons, rules) in &alike {
        direct(read, rules, reasons, findings);
    }
}

/// What of the policy bears on any rule.
fn without_rules(policy: &Policy, now: DateTime<Utc>) -> Policy {
    let in_force = policy.holds.iter().filter(|hold| hold.in_force(now, policy.timezone));
    Policy {
        name: policy.name.clone(),
        account: None,
        tenant: policy.tenant.clone(),
        tables: Vec::new(),
        rules: Vec::new(),
        overrides: Vec::new(),
        erasures: Vec::new(),
        holds: in_force.cloned().collect(),
        guards: policy.guards.clone(),
        digest: String::new(),
        holds_digest: String::new(),
        ..*policy
    }
}

/// What becomes of the rule in a bucket that it covers, has no versions and nothing else against
/// it: so what speaks against S3 there does so everywhere, other rules aside.
fn in_an_assumed_bucket(
    policy: &Policy,
    alone: &mut Policy,
    index: usize,
    neighbours: &[usize],
    meetings: &mut Meetings<'_>,
    now: DateTime<Utc>,
) -> Option<(String, Engine)> {
    let rule = policy.rules.get(index)?;
    let exact = rule.select.buckets.iter().find(|bucket| bucket.is_exact());
    let name = match exact {
        Some(name) => name.as_str().to_owned(),
        None => {
            match meetings.of(&[&Select { buckets: rule.select.buckets.clone(), ..Select::default() }], &[]) {
                Meeting::At(found) => found.bucket,
                Meeting::Apart | Meeting::Unclear => return None,
            }
        }
    };
    // The rule stands first, so that nothing of the others is worked out in vain.
    let kept = std::iter::once(index).chain(neighbours.iter().copied());
    alone.rules = kept.filter_map(|rule| policy.rules.get(rule).cloned()).collect();
    let own = policy.overrides.iter().filter(|over| over.rule == index);
    alone.overrides = own.map(|over| Override { rule: 0, ..over.clone() }).collect();
    let facts = BucketFacts {
        name: name.clone(),
        versioning: Versioning::Never,
        mfa_delete: false,
        object_lock: false,
    };
    compile(alone, &facts, &Surroundings::default(), now).engine(0).cloned().map(|engine| (name, engine))
}

/// For each rule some others that could cover the same objects as far as S3 can tell.
fn neighbours(policy: &Policy) -> Vec<Vec<usize>> {
    let selects: Vec<&Select> = policy.rules.iter().map(|rule| &rule.select).collect();
    let mut found = vec![Vec::new(); selects.len()];
    let mut pairs = 0;
    candidates(&selects, |a, b| {
        for (one, other) in [(a, b), (b, a)] {
            if let Some(own) = found.get_mut(one).filter(|own| own.len() < MOST_NEIGHBOURS) {
                own.push(other);
            }
        }
        pairs += 1;
        pairs < MOST_PAIRS
    });
    found
}

/// One note for all rules that are kept from S3 by the same reasons.
fn direct(read: &ReadPolicy, rules: &[usize], reasons: &[DirectReason], findings: &mut Findings<'_>) {
    let place = |rule: &usize| read.layout.rules.get(*rule).map(|layout| layout.enforce.unwrap_or(layout.id));
    let mut rules = rules.to_vec();
    rules.sort_by_key(place);
    let [first, others @ ..] = rules.as_slice() else { return };
    let (Some(rule), Some(at)) = (read.policy.rules.get(*first), place(first)) else { return };
    let alike = match others.len() {
        0 => String::new(),
        1 => " and 1 other rule".to_owned(),
        more => format!(" and {more} other rules"),
    };
    let is_or_are = if others.is_empty() { "is" } else { "are" };
    let message = format!("`{}`{alike} {is_or_are} not given to S3: {}", rule.id, listed(reasons));
    let help = match reasons {
        [DirectReason::Late { bound, .. }] => format!("with `tolerance: {bound} days` S3 could be given it"),
        _ => "Shelflife deletes what is due itself; `enforce: direct` says that this is known".to_owned(),
    };
    let mut finding = findings.note(Code::Direct, at, message).help(help);
    for at in others.iter().take(MOST_ALIKE).filter_map(place) {
        finding = finding.see(at, "this one too");
    }
}

fn refused(
    read: &ReadPolicy,
    index: usize,
    rule: &Rule,
    bucket: &str,
    reasons: &[DirectReason],
    findings: &mut Findings<'_>,
) {
    let Some(layout) = read.layout.rules.get(index) else { return };
    let is_certain = rule.select.buckets.iter().any(|own| own.is_exact() && own.as_str() == bucket)
        || reasons.iter().any(|reason| !matches!(reason, DirectReason::Overlaps(_) | DirectReason::Hold(_)));
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let message = format!("S3 cannot be proved to keep the promise of `{}`: {}", rule.id, listed(reasons));
    findings
        .add(Code::CannotBeLifecycle, severity, layout.enforce.unwrap_or(layout.id), message)
        .help("write `enforce: auto` or `enforce: direct`, or remove the reason");
}

fn listed(reasons: &[DirectReason]) -> String {
    let told: Vec<String> = reasons.iter().take(MOST_REASONS).map(ToString::to_string).collect();
    let more = reasons.len().saturating_sub(MOST_REASONS);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    told.join("; ") + &rest
}

fn tags(index: usize, rule: &Rule, is_lifecycle: bool, findings: &mut Findings<'_>) {
    let Some(layout) = findings.read.layout.rules.get(index) else { return };
    if rule.enforce == Enforce::Observe {
        return;
    }
    let by_trigger = leaves(&rule.trigger).into_iter().find_map(|leaf| match leaf {
        Leaf { source: Some(Attribute::Tag(name)), .. } => Some(name),
        _ => None,
    });
    if let Some(name) = by_trigger {
        let message = format!("whoever may tag objects can move the date of `{}`: tag `{name}`", rule.id);
        if is_lifecycle {
            findings.warn(Code::MutableTag, layout.trigger, message).help(
                "S3 is given this rule and does not look at the tag; use metadata, or `enforce: direct`",
            );
        } else {
            findings
                .note(Code::MutableTag, layout.trigger, message)
                .help("metadata cannot be changed in place");
        }
    }
    let selects = std::iter::once(&rule.select).chain(&rule.select.except);
    if let Some(condition) = selects.flat_map(|select| &select.tags).next() {
        let message = format!(
            "whoever may tag objects can take them out of `{}`, or put them in: tag `{}`",
            rule.id, condition.name
        );
        findings.note(Code::MutableTag, layout.select, message).help("metadata cannot be changed in place");
    }
}
