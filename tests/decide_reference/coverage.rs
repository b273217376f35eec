//! That the random cases reach the whole language: a reference that agrees on nothing but plain
//! cases proves nothing.

use std::collections::BTreeMap;

use shelflife::decide::Step;
use shelflife::policy::{Attribute, IfMissing, Outside, Policy, Select, Source};

use crate::cases::{self, ALL_SEEN, Case};
use crate::checks::{Tried, decided, naive};
use crate::completions::{TURNS, completions};
use crate::policies;
use crate::reference::Answer;

const SEEDS: u64 = 10_000;

/// How often at least, over all seeds, the answer must be another one without each of these.
type Feature = (&'static str, u32, fn(&mut Case));

const FEATURES: [Feature; 37] = [
    ("buckets", 300, |case| each_select(case, |select| select.buckets.clear())),
    ("prefix", 300, |case| each_select(case, |select| select.prefix = None)),
    ("key", 150, |case| each_select(case, |select| select.key = None)),
    ("media", 150, |case| each_select(case, |select| select.media = None)),
    ("content type", 150, |case| each_select(case, |select| select.content_type = None)),
    ("tags", 150, |case| each_select(case, |select| select.tags.clear())),
    ("metadata", 150, |case| each_select(case, |select| select.metadata.clear())),
    ("size", 100, |case| each_select(case, |select| select.size = None)),
    ("the upper bound of the size", 50, |case| {
        each_select(case, |select| select.size.iter_mut().for_each(|size| size.under = None));
    }),
    ("tenants", 300, |case| each_select(case, |select| select.tenants = None)),
    ("exceptions of rules", 100, |case| {
        case.policy.rules.iter_mut().for_each(|rule| rule.select.except.clear());
    }),
    ("exceptions of erasures", 50, |case| {
        case.policy.erasures.iter_mut().for_each(|erasure| erasure.select.except.clear());
    }),
    ("exceptions of holds", 50, |case| {
        case.policy.holds.iter_mut().for_each(|hold| hold.select.except.clear());
    }),
    ("tenant sources behind the first", 50, |case| case.policy.tenant.truncate(1)),
    ("the latest of several dates", 100, |case| {
        each_source(case, |source| {
            if let Source::Latest(terms) = source {
                *source = Source::Earliest(terms.clone());
            }
        });
    }),
    ("the first of several dates", 100, |case| {
        each_source(case, |source| {
            if let Source::First(terms) = source {
                *source = Source::Earliest(terms.clone());
            }
        });
    }),
    ("the earliest of several dates", 100, |case| {
        each_source(case, |source| {
            if let Source::Earliest(terms) = source {
                *source = Source::Latest(terms.clone());
            }
        });
    }),
    ("plus", 200, |case| {
        each_source(case, |source| {
            if let Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) = source {
                terms.iter_mut().for_each(|term| term.plus = None);
            }
        });
    }),
    ("formats", 200, |case| policies::each_trigger(&mut case.policy, &|trigger| trigger.format = None)),
    ("metadata as trigger", 500, |case| {
        uploaded_for(case, |source| matches!(source, Source::Attribute(Attribute::Metadata(_))))
    }),
    ("tags as trigger", 200, |case| {
        uploaded_for(case, |source| matches!(source, Source::Attribute(Attribute::Tag(_))))
    }),
    ("keys as trigger", 200, |case| {
        uploaded_for(case, |source| matches!(source, Source::Attribute(Attribute::Key(_))))
    }),
    ("records as trigger", 200, |case| uploaded_for(case, |source| matches!(source, Source::Record { .. }))),
    ("within", 300, |case| policies::each_trigger(&mut case.policy, &|trigger| trigger.within = None)),
    ("clamp", 200, |case| {
        policies::each_trigger(&mut case.policy, &|trigger| trigger.outside = Outside::Undecided);
    }),
    ("if-missing: uploaded", 300, |case| no_word_for(case, IfMissing::Uploaded)),
    ("if-missing: retained", 200, |case| no_word_for(case, IfMissing::Retained)),
    ("overrides by tenants", 100, |case| {
        case.policy.overrides.retain(|o| o.condition.is_some());
    }),
    ("overrides by record", 200, |case| case.policy.overrides.retain(|o| o.condition.is_none())),
    ("the end of overrides", 50, |case| {
        case.policy.overrides.iter_mut().for_each(|o| o.until = None);
    }),
    ("legal basis", 50, |case| case.policy.overrides.iter_mut().for_each(|o| o.legal_basis = None)),
    ("erasures", 500, |case| case.policy.erasures.clear()),
    ("holds", 300, |case| case.policy.holds.clear()),
    ("the release of holds", 100, |case| {
        case.policy.holds.iter_mut().for_each(|hold| hold.released = None);
    }),
    ("noncurrent", 300, |case| case.policy.rules.iter_mut().for_each(|rule| rule.noncurrent = None)),
    ("incomplete uploads", 100, |case| {
        case.policy.rules.iter_mut().for_each(|rule| rule.incomplete_uploads = None);
    }),
    ("unusable records", 12, |case| case.facts.iter_mut().for_each(|facts| facts.unusable = false)),
];

/// How often each must be among the reasons, over all seeds, with everything seen or with less.
const REASONS: [(&str, u32); 19] = [
    ("Due", 1000),
    ("NotDue", 1000),
    ("NotHappened", 200),
    ("KeptByNumber", 100),
    ("HidesVersions", 100),
    ("Hold", 300),
    ("HoldMightFit", 50),
    ("Erased", 300),
    ("ErasureNotDue", 100),
    ("KeptByLaw", 50),
    ("ErasureMightFit", 50),
    ("RuleMightCover", 200),
    ("OverrideMightApply", 50),
    ("LegalHold", 100),
    ("LockedUntil", 100),
    ("LockUnknown", 50),
    ("TriggerUnknown", 1000),
    ("TenantUnknown", 50),
    ("NoRule", 1000),
];

const VERDICTS: [(&str, u32); 6] = [
    ("expired", 1000),
    ("retained", 1000),
    ("held", 300),
    ("locked", 300),
    ("undecided", 500),
    ("unmatched", 1000),
];

type Tally = BTreeMap<String, u32>;

#[test]
fn the_cases_reach_the_whole_language() {
    let mut verdicts = Tally::new();
    let mut features = Tally::new();
    let mut reasons = Tally::new();
    let mut by_law = 0;
    for seed in 0..SEEDS {
        let case = cases::case(seed);
        let answer = naive(&case, &case.thing);
        *verdicts.entry(answer.verdict.to_owned()).or_default() += 1;
        for (feature, _, without) in FEATURES {
            let mut other = case.clone();
            without(&mut other);
            *features.entry(feature.to_owned()).or_default() +=
                u32::from(naive(&other, &case.thing) != answer);
        }
        let tried = Tried::new(&case);
        for sights in [ALL_SEEN, case.sights] {
            if let Step::Decided(decision) = decided(&tried, &case.thing, sights) {
                let names = decision.reasons.iter().map(|reason| {
                    let told = format!("{reason:?}");
                    told.split(['(', ' ']).next().unwrap_or_default().to_owned()
                });
                names.for_each(|name| *reasons.entry(name).or_default() += 1);
            }
        }
        by_law += u32::from(is_by_erasure_after_a_law(&case, &answer));
    }
    println!("{verdicts:#?}\n{features:#?}\n{reasons:#?}\nerased after a law: {by_law}");
    let enough = |tally: &Tally, name: &str, least: u32| {
        let found = tally.get(name).copied().unwrap_or_default();
        assert!(found >= least, "{name}: {found} times in {SEEDS} cases, which proves little");
    };
    VERDICTS.iter().for_each(|(verdict, least)| enough(&verdicts, verdict, *least));
    FEATURES.iter().for_each(|(feature, least, _)| enough(&features, feature, *least));
    REASONS.iter().for_each(|(reason, least)| enough(&reasons, reason, *least));
    let unknown: Vec<&String> =
        reasons.keys().filter(|found| !REASONS.iter().any(|(reason, _)| reason == found)).collect();
    assert!(unknown.is_empty(), "reasons that nobody counts: {unknown:?}");
    assert!(by_law >= 5, "erased only after a law has let go: {by_law} times");
}

/// Whether it is an erasure that makes it expired, on a date that a law had put off.
fn is_by_erasure_after_a_law(case: &Case, answer: &Answer) -> bool {
    let mut other = case.clone();
    other.policy.overrides.iter_mut().for_each(|o| o.legal_basis = None);
    answer.by_erasure && naive(&other, &case.thing).due != answer.due
}

/// Reads are paid for: what is asked for may settle nothing only now and then.
#[test]
fn what_is_asked_for_mostly_matters() {
    let (mut asked, mut in_vain) = (0, 0);
    for seed in 0..SEEDS / 2 {
        let case = cases::case(seed);
        if let Step::Needs(_) = decided(&Tried::new(&case), &case.thing, case.sights) {
            let verdicts =
                completions(&case, case.sights, TURNS).into_iter().map(|thing| naive(&case, &thing).verdict);
            let expired = verdicts.filter(|verdict| *verdict == "expired").count();
            asked += 1;
            in_vain += u32::from(expired == 0);
        }
    }
    println!("asked {asked}, in vain {in_vain}");
    assert!(in_vain * 100 < asked * 20, "of {asked} questions {in_vain} in vain");
}

fn each_select(case: &mut Case, change: fn(&mut Select)) {
    for select in policies::selects_mut(&mut case.policy) {
        change(select);
        select.except.iter_mut().for_each(change);
    }
}

fn each_source(case: &mut Case, change: fn(&mut Source)) {
    policies::each_trigger(&mut case.policy, &|trigger| change(&mut trigger.source));
}

fn uploaded_for(case: &mut Case, is: fn(&Source) -> bool) {
    policies::each_trigger(&mut case.policy, &|trigger| {
        if is(&trigger.source) {
            trigger.source = Source::Uploaded;
        }
    });
}

fn no_word_for(case: &mut Case, word: IfMissing) {
    let change = |policy: &mut Policy| {
        policies::each_trigger(policy, &|trigger| {
            if trigger.if_missing == Some(word) {
                trigger.if_missing = Some(IfMissing::Undecided);
            }
        });
    };
    change(&mut case.policy);
}
