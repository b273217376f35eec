//! Limits on what one run may remove, which a policy that deletes should have.

use super::findings::Findings;
use crate::policy::{Code, Enforce};

/// Finds a policy that deletes and says nowhere how much.
pub(super) fn any(findings: &mut Findings<'_>) {
    let policy = &findings.read.policy;
    let all = &policy.guards;
    let is_limited = [all.limits(), all.per_bucket, all.per_tenant].iter().any(|limits| !limits.is_none());
    let deletes =
        policy.rules.iter().any(|rule| rule.enforce != Enforce::Observe && rule.guards.limits().is_none());
    if deletes && !is_limited {
        let at = findings.read.layout.name;
        findings
            .warn(Code::NoGuards, at, "nothing says how much one run may remove at most")
            .help("write `guards: {max-share: 20%}`, with a share that your usual runs keep well within");
    }
}
