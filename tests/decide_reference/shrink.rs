//! Takes away from a failing case whatever it fails without.

use shelflife::calendar::Period;
use shelflife::object::Lock;
use shelflife::policy::{Select, Source, Term, Trigger};

use crate::cases::{Case, Sight};
use crate::checks;
use crate::policies;

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
    (0..case.policy.erasures.len()).for_each(|at| with(&|case| drop(case.policy.erasures.remove(at))));
    for at in 0..case.policy.overrides.len() {
        with(&|case| case.policy.overrides[at].until = None);
        with(&|case| case.policy.overrides[at].legal_basis = None);
        with(&|case| case.policy.overrides[at].condition = None);
        if case.policy.overrides[at].condition.is_some() {
            with(&|case| case.policy.overrides[at].tenants = None);
        }
    }
    for at in 0..policies::selects_mut(&mut case.policy.clone()).count() {
        for simplify in SELECTS {
            with(&|case| {
                simplify(policies::selects_mut(&mut case.policy).nth(at).expect("as many as before"))
            });
        }
    }
    for facts in 0..case.facts.len() {
        for id in case.facts[facts].rows.keys() {
            with(&|case| drop(case.facts[facts].rows.remove(id)));
        }
    }
    with(&|case| case.policy.timezone = chrono_tz::UTC);
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

/// Takes one thing away from a select.
const SELECTS: [fn(&mut Select); 11] = [
    |select| select.prefix = None,
    |select| select.key = None,
    |select| select.media = None,
    |select| select.content_type = None,
    |select| select.size = None,
    |select| select.tenants = None,
    |select| select.tags.truncate(1),
    |select| select.tags.clear(),
    |select| select.metadata.clear(),
    |select| drop(select.except.pop()),
    |select| {
        if select.except.len() > 1 {
            select.except.remove(0);
        }
    },
];

fn simpler(period: Period) -> Vec<Period> {
    [Period::days(0), Period::days(period.days), Period::months(period.months)]
        .into_iter()
        .filter(|simpler| *simpler != period)
        .collect()
}

fn simpler_triggers(trigger: &Trigger) -> Vec<Trigger> {
    let mut found = Vec::new();
    if trigger.format.is_some() {
        found.push(Trigger { format: None, ..trigger.clone() });
    }
    let (terms, whole): (_, fn(Vec<Term>) -> Source) = match &trigger.source {
        Source::Earliest(terms) => (terms, Source::Earliest),
        Source::Latest(terms) => (terms, Source::Latest),
        Source::First(terms) => (terms, Source::First),
        _ => return found,
    };
    for place in 0..terms.len() {
        let mut with = |change: &dyn Fn(&mut Vec<Term>)| {
            let mut terms = terms.clone();
            change(&mut terms);
            found.push(Trigger { source: whole(terms), ..trigger.clone() });
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
