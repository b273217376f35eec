//! How far erasures and overrides reach: less far, or further, than may be meant.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::may_meet;
use crate::calendar::Period;
use crate::policy::{Code, Enforce, Select};

/// The comparisons of erasures with rules that are made at most.
const MOST_COMPARISONS: usize = 1_000_000;

/// Rules that are named at once.
const MOST_NAMED: usize = 4;

/// Finds overrides that superseded versions do not go by, under a rule that has another period for these.
pub(super) fn noncurrent(findings: &mut Findings<'_>, now: DateTime<Utc>) {
    let read = findings.read;
    // To compare two periods takes a walk through the calendar, and many overrides have the same.
    let mut compared: BTreeMap<(Period, Period), bool> = BTreeMap::new();
    let mut can_exceed = |a: Period, b: Period| *compared.entry((a, b)).or_insert_with(|| a.can_exceed(b));
    for (over, layout) in read.policy.overrides.iter().zip(&read.layout.overrides) {
        let rule = read.policy.rules.get(over.rule).zip(read.layout.rules.get(over.rule));
        let Some((rule, rule_at)) = rule else { continue };
        let Some(noncurrent) = rule.noncurrent else { continue };
        if !over.in_force(now, read.policy.timezone) {
            continue;
        }
        // To make it shorter would have the versions of all others go sooner, too.
        let or_else = if can_exceed(over.retain, rule.retain) {
            can_exceed(over.retain, noncurrent.retain).then_some(", or make it as long")
        } else if can_exceed(rule.retain, over.retain) {
            can_exceed(noncurrent.retain, over.retain).then_some("")
        } else {
            None
        };
        let Some(or_else) = or_else else { continue };
        let period = match (&over.legal_basis, &over.agreement) {
            (Some(basis), _) => format!("the {} that the legal basis `{basis}` asks for", over.retain),
            (None, Some(agreement)) => format!("the {} that the agreement `{agreement}` allows", over.retain),
            (None, None) => format!("the {} of the override", over.retain),
        };
        let message = format!(
            "under `{}` superseded versions go by its `noncurrent`, {}, and not by {period}",
            rule.id, noncurrent.retain
        );
        findings
            .warn(Code::NoncurrentByItself, layout.whole, message)
            .see(rule_at.id, "the rule with `noncurrent`")
            .help(format!("leave `noncurrent` out, so that each version goes on its own date{or_else}"));
    }
}

/// Finds erasures that reach what rules leave out, or only observe.
pub(super) fn erasures(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) {
    let read = findings.read;
    let mut bare = Vec::new();
    for rule in &read.policy.rules {
        let is_observed = rule.enforce == Enforce::Observe;
        if is_observed || !rule.select.except.is_empty() {
            bare.push((rule, is_observed, Select { except: Vec::new(), ..rule.select.clone() }));
        }
    }
    let mut comparisons = 0;
    for (erasure, layout) in read.policy.erasures.iter().zip(&read.layout.erasures) {
        let (mut left_out, mut observed, mut example) = (Vec::new(), Vec::new(), None);
        for (rule, is_observed, select) in &bare {
            comparisons += 1 + rule.select.except.len();
            if comparisons > MOST_COMPARISONS || !may_meet(&erasure.select, select) {
                continue;
            }
            let mut meet = |all: &[&Select]| match meetings.of(all, &[]) {
                Meeting::At(found) => {
                    example.get_or_insert(found);
                    true
                }
                Meeting::Apart | Meeting::Unclear => false,
            };
            if *is_observed && meet(&[&erasure.select, &rule.select]) {
                observed.push(rule.id.as_str());
            }
            let exceptions = || rule.select.except.iter();
            if exceptions().any(|exception| meet(&[&erasure.select, select, exception])) {
                left_out.push(rule.id.as_str());
            }
        }
        let Some(example) = example else { continue };
        let mut parts = Vec::new();
        parts.extend(named(&left_out).map(|rules| format!("what {rules} leaves out with `except`")));
        parts.extend(named(&observed).map(|rules| format!("what {rules} only observes")));
        let message =
            format!("the erasure `{}` also reaches {}: {example}", erasure.id, parts.join(", and "));
        findings
            .note(Code::ErasesMore, layout.select, message)
            .help("to leave it out of the request too, write `except` in its `select`");
    }
}

/// `a`, `b` and 3 others.
fn named(rules: &[&str]) -> Option<String> {
    let shown: Vec<String> = rules.iter().take(MOST_NAMED).map(|id| format!("`{id}`")).collect();
    let more = rules.len().saturating_sub(MOST_NAMED);
    let rest = if more > 0 { format!(" or one of {more} more rules") } else { String::new() };
    (!rules.is_empty()).then(|| shown.join(" or ") + &rest)
}
