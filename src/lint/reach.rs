//! How far holds, erasures, exceptions and overrides reach: less far, or further, than may be meant.

use chrono::{DateTime, Utc};

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::may_meet;
use crate::policy::{At, Code, Enforce, Select};

/// The comparisons of erasures with rules that are made at most.
const MOST_COMPARISONS: usize = 1_000_000;

/// Rules that are named at once.
const MOST_NAMED: usize = 4;

/// Finds key patterns that end at one level where more may be meant.
pub(super) fn levels(findings: &mut Findings<'_>) {
    let read = findings.read;
    let exceptions = |select: &Select, at: At| {
        let one = |exception: &Select| ("an exception", exception.key.clone(), at);
        select.except.iter().map(one).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for (rule, layout) in read.policy.rules.iter().zip(&read.layout.rules) {
        all.extend(exceptions(&rule.select, layout.select));
    }
    for (hold, layout) in read.policy.holds.iter().zip(&read.layout.holds) {
        all.push(("the hold", hold.select.key.clone(), layout.select));
        all.extend(exceptions(&hold.select, layout.select));
    }
    for (erasure, layout) in read.policy.erasures.iter().zip(&read.layout.erasures) {
        all.push(("the erasure", erasure.select.key.clone(), layout.select));
        all.extend(exceptions(&erasure.select, layout.select));
    }
    for (what, key, at) in all {
        let Some(key) = key else { continue };
        let Some(folder) = key.as_str().strip_suffix("/*") else { continue };
        findings
            .note(
                Code::OneLevel,
                at,
                format!("`{}` reaches one level: {what} is not about `{folder}/a/b`", key.as_str()),
            )
            .help(format!("if all that lies below is meant, write `{folder}/**`"));
    }
}

/// Finds overrides that lengthen a rule under which superseded versions go by another period.
pub(super) fn noncurrent(findings: &mut Findings<'_>, now: DateTime<Utc>) {
    let read = findings.read;
    for (over, layout) in read.policy.overrides.iter().zip(&read.layout.overrides) {
        let rule = read.policy.rules.get(over.rule).zip(read.layout.rules.get(over.rule));
        let Some((rule, rule_at)) = rule else { continue };
        let Some(noncurrent) = rule.noncurrent else { continue };
        let why = match (&over.legal_basis, &over.agreement) {
            (Some(basis), _) => format!("the legal basis `{basis}` asks for"),
            (None, Some(agreement)) => format!("the agreement `{agreement}` allows"),
            (None, None) => continue,
        };
        if over.in_force(now, read.policy.timezone) && over.retain.can_exceed(rule.retain) {
            let message = format!(
                "under `{}` superseded versions go by its `noncurrent`, {}, and not by the {} that {why}",
                rule.id, noncurrent.retain, over.retain
            );
            findings
                .warn(Code::NoncurrentByItself, layout.whole, message)
                .see(rule_at.id, "the rule with `noncurrent`")
                .help(
                    "leave `noncurrent` out, so that each version goes on its own date, or make it as long",
                );
        }
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
