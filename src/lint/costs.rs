//! What every run has to ask the store object by object, and what that costs.

use super::findings::Findings;
use super::triggers::leaves;
use crate::policy::{Attribute, By, Code, Policy, Rule, Select};

/// Dollars for a million HEADs, at AWS's list price in us-east-1; a GET costs the same.
pub const HEAD_PRICE: f64 = 0.40;

/// Dollars for a million reads of tags, which are priced like writes.
pub const TAGS_PRICE: f64 = 5.00;

/// What has to be read of every object.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Reads {
    head: bool,
    tags: bool,
    /// Whether a `within` would help.
    by_date: bool,
}

/// Finds rules that need every object read.
pub(super) fn rules(findings: &mut Findings<'_>) {
    let read = findings.read;
    for (rule, layout) in read.policy.rules.iter().zip(&read.layout.rules) {
        let by_select = of_select(&read.policy, &rule.select);
        let by_trigger = of_trigger(&read.policy, rule);
        // The trigger is the one to point at where it alone is the reason.
        let (reads, at) = match (by_select.is_any(), by_trigger.is_any()) {
            (true, _) => (by_select.and(by_trigger), layout.select),
            (false, true) => (by_trigger, layout.trigger),
            (false, false) => continue,
        };
        let (what, cost) = match (reads.head, reads.tags) {
            (true, true) => ("a HEAD and a read of its tags", HEAD_PRICE + TAGS_PRICE),
            (true, false) => ("a HEAD", HEAD_PRICE),
            _ => ("a read of its tags", TAGS_PRICE),
        };
        let message = format!("under `{}` every object needs {what} in every run", rule.id);
        let price = format!(
            "a million objects cost about ${cost:.2} in us-east-1, and half an hour at 500 requests a second"
        );
        let help = if reads.by_date && !by_select.is_any() {
            format!("{price}; with `within` most of them are decided by the upload alone")
        } else {
            price
        };
        findings.note(Code::ReadsEveryObject, at, message).help(help);
    }
}

impl Reads {
    const fn is_any(self) -> bool {
        self.head || self.tags
    }

    const fn and(self, other: Self) -> Self {
        Self {
            head: self.head || other.head,
            tags: self.tags || other.tags,
            by_date: self.by_date || other.by_date,
        }
    }

    const fn of(attribute: &Attribute) -> Self {
        Self {
            head: matches!(attribute, Attribute::Metadata(_)),
            tags: matches!(attribute, Attribute::Tag(_)),
            by_date: false,
        }
    }
}

/// What tells an object's tenant, if the first source does not lie in the key.
fn of_tenant(policy: &Policy) -> Reads {
    policy.tenant.first().map_or(Reads::default(), Reads::of)
}

fn of_select(policy: &Policy, select: &Select) -> Reads {
    let own = Reads {
        head: select.content_type.is_some() || !select.metadata.is_empty(),
        tags: !select.tags.is_empty(),
        by_date: false,
    };
    let tenant = if select.tenants.is_some() { of_tenant(policy) } else { Reads::default() };
    select.except.iter().map(|exception| of_select(policy, exception)).fold(own.and(tenant), Reads::and)
}

fn of_trigger(policy: &Policy, rule: &Rule) -> Reads {
    leaves(&rule.trigger)
        .into_iter()
        .map(|leaf| match (leaf.source, leaf.table.and_then(|table| policy.tables.get(table))) {
            (Some(attribute), _) => {
                let is_bounded = leaf.trigger.within.is_some_and(|within| within.before.is_some());
                if is_bounded { Reads::default() } else { Reads { by_date: true, ..Reads::of(attribute) } }
            }
            (None, Some(table)) => match &table.by {
                By::Tenant => of_tenant(policy),
                By::Attribute(attribute) => Reads::of(attribute),
            },
            (None, None) => Reads::default(),
        })
        .fold(Reads::default(), Reads::and)
}
