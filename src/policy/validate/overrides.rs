//! Overrides: which rule they change, and whether they may lengthen it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::placed::PlacedRule;
use crate::calendar::Period;
use crate::policy::codes::Code;
use crate::policy::decode::{RawOverride, RawRule, closest};
use crate::policy::diagnostic::{At, Faults};
use crate::policy::model::Override;

/// An override with the places that a warning can point to.
pub(super) struct PlacedOverride {
    pub over: Override,
    pub retain_at: At,
    pub until_at: Option<At>,
}

/// Builds the overrides, sorted, recording what is wrong with them.
pub(super) fn overrides(
    raw: &[RawOverride],
    raw_rules: &[RawRule],
    rules: &[PlacedRule],
    complete: bool,
    faults: &mut Faults,
) -> Vec<PlacedOverride> {
    // From the raw rules, so that an override of a rule with a fault is still looked at.
    let periods: BTreeMap<&str, Option<Period>> =
        raw_rules.iter().filter_map(|rule| Some((rule.id.as_ref()?.value.as_str(), rule.retain))).collect();
    let places: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(place, placed)| (placed.rule.id.as_str(), place)).collect();
    let mut lengths = Lengths::default();
    let mut built = Vec::new();
    for raw in raw {
        let Some(rule) = &raw.rule else { continue };
        let Some(period) = periods.get(rule.value.as_str()) else {
            if complete {
                let fault =
                    faults.add(Code::UnknownReference, rule.at, format!("there is no rule `{}`", rule.value));
                if let Some(near) = closest(&rule.value, periods.keys().copied()) {
                    fault.help(format!("did you mean `{near}`?"));
                }
            }
            continue;
        };
        let Some(retain) = &raw.retain else { continue };
        if let Some(period) = period
            && raw.agreement.is_none()
            && lengths.can_exceed(retain.value, *period)
        {
            let message =
                format!("{} can be longer than the rule's {period}, and no agreement is named", retain.value);
            faults.add(Code::NeedsAgreement, retain.at, message).help("name it: `agreement: MSA-2025-118`");
        }
        if let Some((tenants, place)) = raw.tenants.as_ref().zip(places.get(rule.value.as_str())) {
            built.push(PlacedOverride {
                over: Override {
                    tenants: tenants.clone(),
                    rule: *place,
                    retain: retain.value,
                    agreement: raw.agreement.as_ref().and_then(|agreement| agreement.value.clone()),
                    until: raw.until.as_ref().map(|until| until.value),
                },
                retain_at: retain.at,
                until_at: raw.until.as_ref().map(|until| until.at),
            });
        }
    }
    built.sort_by(|a, b| key(&a.over).cmp(&key(&b.over)));
    built
}

type Key<'o> = (usize, &'o [String], Period, Option<&'o str>, Option<NaiveDate>);

fn key(over: &Override) -> Key<'_> {
    (over.rule, &over.tenants, over.retain, over.agreement.as_deref(), over.until)
}

/// Comparisons of periods, each made once.
#[derive(Default)]
struct Lengths(HashMap<(Period, Period), bool>);

impl Lengths {
    fn can_exceed(&mut self, a: Period, b: Period) -> bool {
        *self.0.entry((a, b)).or_insert_with(|| can_exceed(a, b))
    }
}

/// Whether there is a day from which `a` ends later than `b`.
fn can_exceed(a: Period, b: Period) -> bool {
    if a.months == b.months {
        return a.days > b.days;
    }
    // From the 1st to the 28th nothing is clamped, so each of these days compares alike; and
    // the calendar repeats after 400 years.
    (2000..2400)
        .flat_map(|year| (1..=12).flat_map(move |month| [1, 29, 30, 31].map(move |day| (year, month, day))))
        .filter_map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day))
        .any(|start| a.after(start) > b.after(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_exceeds_another_if_it_does_so_from_any_day() {
        let (days, months) = (Period::days, Period::months);
        for (a, b, expected) in [
            (days(31), months(1), true),
            (days(28), months(1), false),
            (days(29), months(1), true),
            (months(1), days(30), true),
            (months(1), days(31), false),
            (days(365), months(12), false),
            (days(366), months(12), true),
            (months(12), days(365), true),
            (months(12), months(12), false),
            (months(6), days(184), false),
            (months(6), days(183), true),
        ] {
            assert_eq!(can_exceed(a, b), expected, "{a} over {b}");
        }
    }
}
