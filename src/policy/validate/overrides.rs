//! Overrides: which rule they change, and whether they may lengthen it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::lengths::Lengths;
use super::placed::{PlacedOverride, PlacedRule};
use super::references::Tables;
use crate::calendar::Period;
use crate::policy::codes::Code;
use crate::policy::decode::{RawOverride, RawRule, closest};
use crate::policy::diagnostic::Faults;
use crate::policy::model::{Override, RecordCondition};

/// Builds the overrides, sorted, recording what is wrong with them.
pub(super) fn overrides(
    raw: Vec<RawOverride>,
    raw_rules: &[RawRule],
    rules: &[PlacedRule],
    tables: &Tables,
    lengths: &mut Lengths,
    faults: &mut Faults,
) -> Vec<PlacedOverride> {
    // From the raw rules, so that an override of a rule with a fault is still looked at.
    let periods: BTreeMap<&str, Option<Period>> = raw_rules
        .iter()
        .filter_map(|rule| Some((rule.id.as_ref()?.value.as_str(), rule.retain.as_ref().map(|p| p.value))))
        .collect();
    let places: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(place, placed)| (placed.rule.id.as_str(), place)).collect();
    let mut built = Vec::new();
    for raw in raw {
        let condition = raw.condition.map(|condition| {
            let condition = condition?;
            let table = tables.find(&condition.table, condition.at, faults)?;
            Some(RecordCondition { table, column: condition.column, is: condition.is })
        });
        let Some(rule) = &raw.rule else { continue };
        let Some(period) = periods.get(rule.value.as_str()) else {
            if tables.complete {
                let near = closest(&rule.value, periods.keys().copied(), faults);
                let fault =
                    faults.add(Code::UnknownReference, rule.at, format!("there is no rule `{}`", rule.value));
                if let Some(near) = near {
                    fault.help(format!("did you mean `{near}`?"));
                }
            }
            continue;
        };
        let Some(retain) = &raw.retain else { continue };
        if let Some(period) = period
            && raw.agreement.is_none()
            && raw.legal_basis.is_none()
            && lengths.can_exceed(retain.value, *period)
        {
            let message =
                format!("{} can be longer than the rule's {period}, and no agreement is named", retain.value);
            faults
                .add(Code::NeedsAgreement, retain.at, message)
                .help("name it: `agreement: MSA-2025-118`; or the law that asks for it: `legal-basis: …`");
        }
        let condition = match condition {
            Some(None) => continue,
            Some(Some(condition)) => Some(condition),
            None => None,
        };
        let Some(place) =
            places.get(rule.value.as_str()).filter(|_| raw.tenants.is_some() || condition.is_some())
        else {
            continue;
        };
        built.push(PlacedOverride {
            over: Override {
                tenants: raw.tenants,
                condition,
                rule: *place,
                retain: retain.value,
                agreement: raw.agreement.and_then(|agreement| agreement.value),
                legal_basis: raw.legal_basis.and_then(|basis| basis.value),
                until: raw.until.as_ref().map(|until| until.value),
            },
            at: raw.at,
            retain_at: retain.at,
            until_at: raw.until.as_ref().map(|until| until.at),
        });
    }
    built.sort_by(|a, b| key(&a.over).cmp(&key(&b.over)));
    built
}

type Key<'o> = (
    usize,
    Option<&'o [String]>,
    Option<(usize, &'o str, &'o [String])>,
    Period,
    Option<&'o str>,
    Option<&'o str>,
    Option<NaiveDate>,
);

fn key(over: &Override) -> Key<'_> {
    let condition = over.condition.as_ref().map(|c| (c.table, c.column.as_str(), c.is.as_slice()));
    let (agreement, basis) = (over.agreement.as_deref(), over.legal_basis.as_deref());
    (over.rule, over.tenants.as_deref(), condition, over.retain, agreement, basis, over.until)
}
