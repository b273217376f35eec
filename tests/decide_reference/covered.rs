//! That nothing need be listed but what starts as `covered` says: all else is unmatched, whoever's it is and
//! whatever can be read of it.

use shelflife::decide::{self, Step, Verdict};
use shelflife::object::{Observed, Reading};

use crate::compiled::{self, RUN, Run};
use crate::{cases, checks, how_many};

/// Objects that lie under no start, and those under one that is not empty which are not unmatched.
#[derive(Default)]
struct Told {
    beyond: u64,
    within: u64,
}

#[test]
fn an_object_that_is_not_unmatched_lies_under_what_is_covered() {
    let mut told = Told::default();
    for seed in 0..how_many().div_ceil(RUN as u64) {
        check(seed, &compiled::anything(seed), &mut told);
        check(seed, &compiled::listing(seed), &mut told);
    }
    let Told { beyond, within } = told;
    println!("{beyond} beyond, {within} within");
    assert!(beyond * 20 > how_many() && within * 20 > how_many(), "{beyond} beyond, {within} within");
}

fn check(seed: u64, run: &Run, told: &mut Told) {
    let now = cases::instant(run.now);
    for bucket in ["media", "other"] {
        let starts = decide::covered(&run.policy, bucket, now);
        let is_whole = starts.iter().any(String::is_empty);
        let is_apart = |pair: &[String]| pair[0] < pair[1] && !pair[1].starts_with(&pair[0]);
        assert!(starts.windows(2).all(is_apart), "seed {seed}: {starts:?}");
        for (thing, sights) in run.things.iter().filter(|(thing, _)| thing.bucket == bucket) {
            let is_within = starts.iter().any(|start| thing.key.starts_with(start));
            // As a listing shows it; as far as the case goes; and all of it.
            for sights in [compiled::LISTED, *sights, cases::ALL_SEEN] {
                let seen = checks::observed(thing, sights);
                // Nobody asks for the lock of what nothing covers.
                let object = Observed { lock: Reading::Unread, ..seen };
                let step = decide::decide(&run.policy, &run.records, &object, now);
                let is_unmatched =
                    matches!(&step, Step::Decided(decision) if decision.verdict == Verdict::Unmatched);
                assert!(
                    is_within || is_unmatched,
                    "seed {seed}: {step:?} not under {starts:?}\n{object:#?}\n{:#?}",
                    run.policy
                );
                told.within += u64::from(!is_unmatched && !is_whole);
            }
            told.beyond += u64::from(!is_within);
        }
    }
}
