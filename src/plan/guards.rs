//! Limits that hold before the first change: what a run may remove at most.

use serde::{Deserialize, Serialize};

use super::summary::{Line, Tally, total};
use crate::policy::{Guards, Policy};
use crate::text;

/// Stands for a rule where all erasures together are held to the policy's guards. No rule's id
/// has capitals.
const ERASURES: &str = "ERASURES";

/// A limit and what the plan would do to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardResult {
    /// The key in the policy, `max-share`.
    pub guard: String,
    /// The rule whose guard it is; `None` for the policy's own.
    pub rule: Option<String>,
    /// The most that is allowed: objects, bytes, or a share of 0 to 1.
    pub limit: f64,
    /// What the plan would remove.
    pub value: f64,
    /// Whether the plan keeps within the limit.
    pub kept: bool,
}

/// Holds `lines` to the policy's guards and to each rule's own.
pub fn evaluate(policy: &Policy, lines: &[Line]) -> Vec<GuardResult> {
    let mut results = check(&policy.guards, None, lines);
    let erased: Vec<Line> = lines.iter().filter(|line| line.erasure.is_some()).cloned().collect();
    if !erased.is_empty() {
        // A request that names too much must be seen beside all that goes in its time.
        let share_of = total(lines, Line::is_covered);
        results.extend(check_share(&policy.guards, Some(ERASURES), &erased, share_of));
    }
    for rule in &policy.rules {
        let own: Vec<Line> =
            lines.iter().filter(|line| line.rule.as_deref() == Some(&rule.id)).cloned().collect();
        results.extend(check(&rule.guards, Some(&rule.id), &own));
    }
    results
}

fn check(guards: &Guards, rule: Option<&str>, lines: &[Line]) -> Vec<GuardResult> {
    check_share(guards, rule, lines, total(lines, Line::is_covered))
}

// Counts beyond 2^53 would lose their last digits; no limit is that fine.
#[expect(clippy::cast_precision_loss, reason = "no bucket has 2^53 objects, and bytes are compared roughly")]
fn check_share(guards: &Guards, rule: Option<&str>, lines: &[Line], listed: Tally) -> Vec<GuardResult> {
    let removed = total(lines, Line::is_removed);
    let share = if listed.objects == 0 { 0.0 } else { removed.objects as f64 / listed.objects as f64 };
    let measured = [
        ("max-share", guards.max_share, share),
        ("max-objects", guards.max_objects.map(|n| n as f64), removed.objects as f64),
        ("max-bytes", guards.max_bytes.map(|n| n as f64), removed.bytes as f64),
    ];
    measured
        .into_iter()
        .filter_map(|(guard, limit, value)| {
            let limit = limit?;
            Some(GuardResult {
                guard: guard.to_owned(),
                rule: rule.map(str::to_owned),
                limit,
                value,
                kept: value <= limit,
            })
        })
        .collect()
}

impl GuardResult {
    /// What to pass to accept it: `max-share`, or `ott-media:max-share` for a rule's own, or
    /// `ERASURES:max-share` for what goes by erasures.
    pub fn name(&self) -> String {
        self.rule.as_ref().map_or_else(|| self.guard.clone(), |rule| format!("{rule}:{}", self.guard))
    }

    /// The limit and the value in words.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, made from u64")]
    pub fn describe(&self) -> String {
        let figure = |n: f64| match self.guard.as_str() {
            "max-share" => format!("{:.1}%", n * 100.0),
            "max-bytes" => text::bytes(n as u64),
            _ if n == 1.0 => "1 object".to_owned(),
            _ => format!("{} objects", text::count(n as u64)),
        };
        format!("{} would remove {}, the limit is {}", self.name(), figure(self.value), figure(self.limit))
    }
}
