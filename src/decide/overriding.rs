//! A rule's trigger with its own period, or with that of the overrides that apply.

use chrono::{DateTime, Utc};

use super::context::Context;
use super::decision::Needs;
use super::finding::{Clock, Law, RuleFinding};
use super::outlook::{NEVER, Outlook};
use super::record::{self, Field};
use super::tenant::Supposed;
use super::trigger;
use crate::calendar::{Moment, Period};
use crate::policy::{Override, Rule};
use crate::text::is_invisible;

/// Evaluates the rule's trigger under every override of it that is in force.
pub fn by_trigger(context: Context<'_>, index: usize, rule: &Rule, now: DateTime<Utc>) -> RuleFinding {
    let policy = context.policy;
    let under = |period: Period| {
        let due = |moment: Moment| moment.due(period, policy.timezone).unwrap_or(NEVER);
        trigger::outlook(context, &rule.trigger, &due)
    };
    let with = |period: Period, clock: Clock, outlook: Outlook| RuleFinding {
        obscured: None,
        outlook,
        period,
        clock,
        might_apply: Vec::new(),
        laws: Vec::new(),
    };
    let mut laws = Vec::new();
    let mut certain: Option<RuleFinding> = None;
    let mut open: Vec<Open> = Vec::new();
    let of_rule = policy.overrides.iter().enumerate().filter(|(_, over)| over.rule == index);
    for (place, over) in of_rule.filter(|(_, over)| over.in_force(now, policy.timezone)) {
        let applies = match applies(context, over) {
            Applies::No => continue,
            Applies::Yes => None,
            Applies::Maybe(needs) => Some(needs),
        };
        let outlook = under(over.retain);
        if over.legal_basis.is_some() && !policy.erasures.is_empty() {
            laws.push(Law { over: place, open: applies, outlook: outlook.clone() });
        }
        match applies {
            Some(needs) => open.push((place, needs, outlook)),
            None => {
                let found = with(over.retain, Clock::Override(place), outlook);
                let order =
                    |found: &RuleFinding| (found.outlook.latest, found.outlook.earliest, found.period);
                if certain.as_ref().is_none_or(|before| order(&found) >= order(before)) {
                    certain = Some(found);
                }
            }
        }
    }
    let has_certain = certain.is_some();
    let mut found = certain.unwrap_or_else(|| with(rule.retain, Clock::Trigger, under(rule.retain)));
    found.laws = laws;
    let alone = found.outlook.clone();
    found.outlook.needs = found.outlook.needs.and(needs(&alone, &open, has_certain, now));
    for (place, _, outlook) in open {
        // Beside one that applies for certain another can only lengthen; in place of the rule's
        // own period it can shorten as well.
        let earliest = if has_certain { alone.earliest } else { alone.earliest.min(outlook.earliest) };
        if (earliest, alone.latest.max(outlook.latest)) != (alone.earliest, alone.latest) {
            found.might_apply.push(place);
            found.outlook.earliest = found.outlook.earliest.min(earliest);
            found.outlook.latest = found.outlook.latest.max(outlook.latest);
        }
    }
    found
}

/// What exports write where there is no value.
const NO_VALUE: [&str; 13] = [
    "null",
    "(null)",
    "<null>",
    "nil",
    "<nil>",
    "none",
    "n/a",
    "#n/a",
    "<na>",
    "nan",
    "undefined",
    "unknown",
    r"\N",
];

/// An override that may apply: index into the policy, what would tell, and what it leads to.
type Open = (usize, Needs, Outlook);

/// What would tell which overrides apply, as far as it matters at `now` to the dates that are
/// possible without them.
fn needs(alone: &Outlook, open: &[Open], has_certain: bool, now: DateTime<Utc>) -> Needs {
    let keeps = |(_, _, outlook): &&Open| outlook.latest > now;
    // One of them could make it due in place of a period that does not.
    let is_replaced = alone.latest > now && !has_certain;
    let is_settled = alone.needs.is_none() && {
        let keeps_for_good = open.iter().filter(keeps).any(|(_, needs, _)| needs.is_none());
        let could_make_due = open.iter().any(|one| !keeps(&one) && !one.1.is_none());
        keeps_for_good || alone.latest > now && !(is_replaced && could_make_due)
    };
    if is_settled {
        return Needs::NONE;
    }
    let matter = open.iter().filter(|one| is_replaced || keeps(one));
    matter.fold(Needs::NONE, |needs, (_, more, _)| needs.and(*more))
}

enum Applies {
    Yes,
    No,
    /// The record that says so is not known; this would tell.
    Maybe(Needs),
}

fn applies(context: Context<'_>, over: &Override) -> Applies {
    if let Some(named) = &over.tenants
        && !matches!(context.tenant, Supposed::Tenant(tenant) if named.iter().any(|name| name == tenant))
    {
        return Applies::No;
    }
    let Some(condition) = &over.condition else { return Applies::Yes };
    match record::field(context, condition.table, &condition.column) {
        Field::Known(text) if condition.is.iter().any(|wanted| wanted == text) => Applies::Yes,
        // `de` where the policy says `DE`: more likely a slip of whoever keeps the records than
        // another value, and nobody can tell.
        Field::Known(text) if condition.is.iter().any(|wanted| is_same_but_for_case(wanted, text)) => {
            Applies::Maybe(Needs::NONE)
        }
        Field::Known(text) if is_no_value(text) => Applies::Maybe(Needs::NONE),
        Field::Known(_) => Applies::No,
        // A field that nobody has filled in says no more than one that is not there.
        Field::Absent => Applies::Maybe(Needs::NONE),
        Field::Unknown { needs, .. } => Applies::Maybe(needs),
    }
}

/// Whether it is nothing that anybody can have meant: a word for no value, or what a broken export leaves.
fn is_no_value(text: &str) -> bool {
    let is_unseen = |c: char| c.is_control() || is_invisible(c) || c == char::REPLACEMENT_CHARACTER;
    NO_VALUE.iter().any(|none| text.eq_ignore_ascii_case(none))
        || text.chars().any(is_unseen)
        || !text.chars().any(char::is_alphanumeric)
}

fn is_same_but_for_case(one: &str, two: &str) -> bool {
    one.to_lowercase() == two.to_lowercase()
}
