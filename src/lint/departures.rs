//! Overrides, erasures and holds: those that are over, not yet due, or about nothing.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::may_meet;
use crate::calendar::{end_of_day, start_of_day};
use crate::policy::{At, Code, Select};

/// The comparisons of holds and erasures with rules that are made at most.
const MOST_COMPARISONS: usize = 5_000_000;

/// Finds what is over by `now`, and requests that have not been made yet.
pub(super) fn dates(findings: &mut Findings<'_>, now: DateTime<Utc>) {
    let read = findings.read;
    let zone = read.policy.timezone;
    let mut over = |last: Option<NaiveDate>, at: Option<At>, what: &dyn Fn() -> String| {
        if let Some((last, at)) = last.zip(at)
            && now >= end_of_day(last, zone)
        {
            findings
                .warn(Code::Past, at, format!("{} is over since the end of {last}", what()))
                .help("it has no effect any more: remove it, or correct the date");
        }
    };
    for (it, layout) in read.policy.overrides.iter().zip(&read.layout.overrides) {
        let rule = read.policy.rules.get(it.rule).map_or("", |rule| rule.id.as_str());
        over(it.until, layout.until, &|| format!("the override of `{rule}`"));
    }
    for (it, layout) in read.policy.holds.iter().zip(&read.layout.holds) {
        over(it.released, layout.released, &|| format!("the hold `{}`", it.id));
    }
    for (it, layout) in read.policy.erasures.iter().zip(&read.layout.erasures) {
        if now < start_of_day(it.requested, zone) {
            let message = format!("the request of `{}` lies in the future: {}", it.id, it.requested);
            findings.warn(Code::FutureErasure, layout.requested, message).help(
                "nothing is erased before the end of that day; correct the date if it has been requested",
            );
        }
    }
}

/// Finds overrides of tenants that their rule does not select.
pub(super) fn overrides(findings: &mut Findings<'_>) {
    let read = findings.read;
    let selected: Vec<Option<BTreeSet<&str>>> = read
        .policy
        .rules
        .iter()
        .map(|rule| rule.select.tenants.as_ref().map(|named| named.iter().map(String::as_str).collect()))
        .collect();
    for (over, layout) in read.policy.overrides.iter().zip(&read.layout.overrides) {
        let Some(rule) = read.policy.rules.get(over.rule) else { continue };
        let selected = selected.get(over.rule).and_then(Option::as_ref);
        // What is left out for certain: an exception that asks for nothing but a tenant.
        let left_out =
            |tenant: &String| rule.select.except.iter().any(|it| is_by_tenant_alone(it) && names(it, tenant));
        let in_vain =
            |tenant: &&String| selected.is_some_and(|all| !all.contains(tenant.as_str())) || left_out(tenant);
        if let Some(tenant) = over.tenants.iter().flatten().find(in_vain) {
            let message = format!("`{}` selects nothing of the tenant `{tenant}`", rule.id);
            let finding = findings.warn(Code::OverrideNeverApplies, layout.whole, message);
            if let Some(rule_at) = read.layout.rules.get(over.rule) {
                finding.see(rule_at.select, "what the rule selects");
            }
        }
    }
}

fn names(select: &Select, tenant: &String) -> bool {
    select.tenants.as_ref().is_some_and(|named| named.contains(tenant))
}

fn is_by_tenant_alone(select: &Select) -> bool {
    select.buckets.is_empty()
        && select.prefix.is_none()
        && select.key.is_none()
        && select.media.is_none()
        && select.size.is_none()
        && !select.needs_reading()
}

/// Finds holds and erasures that meet no rule.
pub(super) fn reach(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) {
    let read = findings.read;
    let holds = read.policy.holds.iter().zip(&read.layout.holds);
    let holds = holds.map(|(it, layout)| ("hold", &it.id, &it.select, layout.select));
    let erasures = read.policy.erasures.iter().zip(&read.layout.erasures);
    let erasures = erasures.map(|(it, layout)| ("erasure", &it.id, &it.select, layout.select));
    let mut comparisons = 0;
    for (what, id, select, at) in holds.chain(erasures) {
        let place = of_place(select, what == "hold");
        let meets_a_rule = read.policy.rules.iter().any(|rule| {
            comparisons += 1 + place.buckets.len() * rule.select.buckets.len();
            comparisons > MOST_COMPARISONS
                || may_meet(&place, &rule.select)
                    && meetings.of(&[&place, &of_place(&rule.select, true)], &[]) != Meeting::Apart
        });
        if !meets_a_rule {
            findings
                .warn(
                    Code::CoversNothing,
                    at,
                    format!("the {what} `{id}` covers nothing that any rule covers"),
                )
                .help("look for a slip in its buckets, prefix or key");
        }
    }
}

/// Where the select reaches, whoever's the objects are and whatever they say. An erasure also erases
/// what no rule covers, in any bucket that has rules.
fn of_place(select: &Select, with_keys: bool) -> Select {
    let place = Select { buckets: select.buckets.clone(), ..Select::default() };
    if !with_keys {
        return place;
    }
    Select { prefix: select.prefix.clone(), key: select.key.clone(), media: select.media.clone(), ..place }
}
