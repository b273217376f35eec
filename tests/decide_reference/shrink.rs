//! Takes away from a failing case whatever it fails without.

use shelflife::calendar::Period;
use shelflife::object::Lock;
use shelflife::policy::{Source, Trigger};

use crate::cases::{Case, Sight};
use crate::checks;

/// A smaller case that still breaks something, and what it breaks.
pub fn shrink(mut case: Case, mut broken: String) -> (Case, String) {
    while let Some((smaller, why)) =
        smaller(&case).into_iter().find_map(|smaller| Some((smaller.clone(), checks::check(&smaller).err()?)))
    {
        (case, broken) = (smaller, why);
    }
    (case, broken)
}

fn smaller(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        found.push(other);
    };
    for place in 0..case.policy.rules.len() {
        if case.policy.rules.len() > 1 {
            with(&|case| {
                case.policy.rules.remove(place);
                case.policy.overrides.retain(|o| o.rule != place);
                case.policy.overrides.iter_mut().filter(|o| o.rule > place).for_each(|o| o.rule -= 1);
            });
        }
        let rule = &case.policy.rules[place];
        let select = &rule.select;
        if select.prefix.is_some() || select.key.is_some() || select.tenants.is_some() {
            with(&|case| case.policy.rules[place].select.prefix = None);
            with(&|case| case.policy.rules[place].select.key = None);
            with(&|case| case.policy.rules[place].select.tenants = None);
        }
        if rule.noncurrent.is_some() {
            with(&|case| case.policy.rules[place].noncurrent = None);
        }
        if rule.incomplete_uploads.is_some() {
            with(&|case| case.policy.rules[place].incomplete_uploads = None);
        }
        for period in simpler(rule.retain) {
            with(&move |case| case.policy.rules[place].retain = period);
        }
        for trigger in simpler_triggers(&rule.trigger) {
            with(&move |case| case.policy.rules[place].trigger = trigger.clone());
        }
    }
    (0..case.policy.overrides.len()).for_each(|at| with(&|case| drop(case.policy.overrides.remove(at))));
    (0..case.policy.holds.len()).for_each(|at| with(&|case| drop(case.policy.holds.remove(at))));
    (0..case.policy.tenant.len()).for_each(|at| with(&|case| drop(case.policy.tenant.remove(at))));
    for name in case.thing.metadata.keys() {
        with(&|case| drop(case.thing.metadata.remove(name)));
    }
    for name in case.thing.tags.keys() {
        with(&|case| drop(case.thing.tags.remove(name)));
    }
    if case.thing.lock != Lock::default() {
        with(&|case| case.thing.lock = Lock::default());
    }
    if case.sights.metadata != Sight::Seen {
        with(&|case| case.sights.metadata = Sight::Seen);
    }
    if case.sights.tags != Sight::Seen {
        with(&|case| case.sights.tags = Sight::Seen);
    }
    if case.sights.lock != Sight::Seen {
        with(&|case| case.sights.lock = Sight::Seen);
    }
    // A change that changed nothing would go on for ever.
    let before = format!("{case:?}");
    found.retain(|smaller| format!("{smaller:?}") != before);
    found
}

fn simpler(period: Period) -> Vec<Period> {
    [Period::days(0), Period::days(period.days), Period::months(period.months)]
        .into_iter()
        .filter(|simpler| *simpler != period)
        .collect()
}

fn simpler_triggers(trigger: &Trigger) -> Vec<Trigger> {
    let Source::Earliest(terms) = &trigger.source else { return Vec::new() };
    let mut found = Vec::new();
    for place in 0..terms.len() {
        let mut with = |change: &dyn Fn(&mut Vec<shelflife::policy::Term>)| {
            let mut terms = terms.clone();
            change(&mut terms);
            found.push(Trigger { source: Source::Earliest(terms), ..trigger.clone() });
        };
        if terms.len() > 1 {
            with(&|terms| drop(terms.remove(place)));
        }
        if terms[place].plus.is_some() {
            with(&|terms| terms[place].plus = None);
        }
        for simpler in simpler_triggers(&terms[place].trigger) {
            with(&move |terms| terms[place].trigger = simpler.clone());
        }
    }
    found
}
