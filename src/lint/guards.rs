//! Limits on what one run may remove, which a policy that deletes should have.

use super::findings::Findings;
use crate::policy::{Attribute, Code, Enforce};

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
    let is_unread = !policy.tenant.first().is_none_or(|source| matches!(source, Attribute::Key(_)));
    if !all.per_tenant.is_none() && is_unread {
        let at = findings.read.layout.name;
        findings
            .warn(Code::TenantsUnread, at, "objects whose tenant need not be read count as one tenant's")
            .help("name the tenant by a `key:` pattern, or expect the limit per tenant to stop runs early");
    }
}
