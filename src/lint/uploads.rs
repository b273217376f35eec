//! Uploads in progress: what a rule says of those that are never completed, and whether it can.

use super::findings::Findings;
use crate::policy::{Attribute, Code, Enforce, IfMissing, Outside, Policy, Rule, Select, Source, Trigger};

/// Rules that are shown beside the first that says nothing.
const MOST_ALIKE: usize = 8;

/// Finds rules whose `incomplete-uploads` has no effect, and rules under which uploads may stay for ever.
pub(super) fn rules(findings: &mut Findings<'_>) {
    let read = findings.read;
    let rules = || read.policy.rules.iter().zip(&read.layout.rules);
    for (rule, layout) in rules().filter(|(rule, _)| rule.incomplete_uploads.is_some()) {
        let own = hidden(&rule.select, &read.policy);
        let of_exceptions = || rule.select.except.iter().find_map(|one| hidden(one, &read.policy));
        let message = match (own, of_exceptions()) {
            (Some(what), _) => {
                format!("`incomplete-uploads` of `{}` has no effect: the rule selects by {what}", rule.id)
            }
            (None, Some(what)) => format!(
                "`incomplete-uploads` of `{}` has no effect where an exception may apply: it goes by {what}",
                rule.id
            ),
            (None, None) => continue,
        };
        findings
            .warn(Code::UploadsNotSelected, layout.select, message)
            .help("an upload in progress does not show that, so it stays: write a rule that selects by the key alone");
    }
    let mut silent: Vec<_> = rules().filter(|(rule, _)| may_stay(rule)).collect();
    silent.sort_by_key(|(_, layout)| layout.id);
    let [(first, at), others @ ..] = silent.as_slice() else { return };
    let alike = match others.len() {
        0 => String::new(),
        1 => " and 1 other rule".to_owned(),
        more => format!(" and {more} other rules"),
    };
    let message = format!("under `{}`{alike} an upload that is never completed may stay for ever", first.id);
    let mut finding = findings
        .warn(Code::UploadsStay, at.id, message)
        .help("say how long it may stay from its beginning: `incomplete-uploads: 7 days`");
    for (_, layout) in others.iter().take(MOST_ALIKE) {
        finding = finding.see(layout.id, "this one too");
    }
}

/// What the select asks that an upload in progress does not tell.
fn hidden(select: &Select, policy: &Policy) -> Option<&'static str> {
    let knows_tenant = matches!(policy.tenant.first(), Some(Attribute::Key(_)));
    [
        (select.size.is_some(), "size"),
        (!select.tags.is_empty(), "tags"),
        (!select.metadata.is_empty(), "metadata"),
        (select.content_type.is_some(), "content type"),
        (select.tenants.is_some() && !knows_tenant, "tenants, which do not stand in the key"),
    ]
    .into_iter()
    .find_map(|(is_asked, what)| is_asked.then_some(what))
}

fn may_stay(rule: &Rule) -> bool {
    rule.incomplete_uploads.is_none()
        && rule.enforce != Enforce::Observe
        && (may_be_unknown(&rule.trigger) || may_be_missing(rule))
}

/// Whether the trigger may have no date for an upload in progress, which has no metadata and no tags.
fn may_be_unknown(trigger: &Trigger) -> bool {
    match &trigger.source {
        Source::Uploaded | Source::Attribute(Attribute::Key(_)) => false,
        Source::Attribute(Attribute::Metadata(_) | Attribute::Tag(_)) => trigger.outside != Outside::Clamp,
        // Whoever the row is about may never leave.
        Source::Record { .. } => true,
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().any(|term| may_be_unknown(&term.trigger))
        }
    }
}

/// Whether it has no date where nothing is said.
fn may_be_missing(rule: &Rule) -> bool {
    let is_bare = matches!(rule.trigger.source, Source::Uploaded | Source::Attribute(Attribute::Key(_)));
    !is_bare && rule.trigger.if_missing != Some(IfMissing::Uploaded)
}
