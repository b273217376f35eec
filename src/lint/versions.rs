//! Superseded versions that stay whatever their age.

use super::findings::Findings;
use crate::policy::{Code, Enforce};

/// Finds rules that keep superseded versions by number.
pub(super) fn by_number(findings: &mut Findings<'_>) {
    let read = findings.read;
    let rules = read.policy.rules.iter().zip(&read.layout.rules);
    for (rule, layout) in rules.filter(|(rule, _)| rule.enforce != Enforce::Observe) {
        let what = match rule.noncurrent.map_or(0, |noncurrent| noncurrent.newer_versions) {
            0 => continue,
            1 => "newest superseded version of a key is".to_owned(),
            more => format!("{more} newest superseded versions of a key are"),
        };
        findings
            .warn(Code::KeptByNumber, layout.id, format!("under `{}` the {what} never removed", rule.id))
            .help("leave `newer-noncurrent-versions` out, so that each goes when `noncurrent` is over");
    }
}
