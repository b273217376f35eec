//! Proof, not hope: what is compiled is run by a simulator of S3's documented behaviour, and held
//! to the naive reading of the promise. None early, none later than its bound. And each
//! condition of the proof is left out once, to see that it is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod cases;
mod conditions;
mod held;
mod s3;

#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/dates.rs"]
mod dates;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/facts.rs"]
mod facts;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/glob.rs"]
mod glob;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/reference.rs"]
mod reference;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/rng.rs"]
mod rng;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/selects.rs"]
mod selects;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/terms.rs"]
mod terms;

use std::sync::atomic::{AtomicU64, Ordering};

use shelflife::decide;
use shelflife::lifecycle::DirectReason;

use held::Told;

/// Cases that a run tries: the seeds are the same every time. `SHELFLIFE_CASES` asks for another
/// number of them.
fn how_many() -> u64 {
    if let Some(asked) = std::env::var_os("SHELFLIFE_CASES") {
        return asked.to_str().and_then(|asked| asked.parse().ok()).expect("SHELFLIFE_CASES is a number");
    }
    if std::env::var_os("CI").is_some() { 500_000 } else { 50_000 }
}

/// The first seed below `cases` that breaks the promise, found by all processors.
fn first_broken(cases: u64, waived: fn(&DirectReason) -> bool) -> (Option<(u64, String)>, Told) {
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().min(4)) as u64;
    let first = AtomicU64::new(u64::MAX);
    let results: Vec<(Option<(u64, String)>, Told)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let first = &first;
                scope.spawn(move || {
                    let mut told = Told::default();
                    for seed in (worker..cases).step_by(workers as usize) {
                        if first.load(Ordering::Relaxed) < seed {
                            break;
                        }
                        if let Err(why) = held::check(&cases::case(seed), &waived, &mut told) {
                            first.fetch_min(seed, Ordering::Relaxed);
                            return (Some((seed, why)), told);
                        }
                    }
                    (None, told)
                })
            })
            .collect();
        running.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect()
    });
    let told = results.iter().fold(Told::default(), |told, (_, more)| told.and(more));
    (results.into_iter().filter_map(|(broken, _)| broken).min(), told)
}

#[test]
fn s3_is_never_early_and_never_later_than_the_bound() {
    let (broken, told) = first_broken(how_many(), |_| false);
    if let Some((seed, why)) = broken {
        panic!("seed {seed}: {why}\n\n{:#?}", cases::case(seed));
    }
    told.is_worth_something(how_many());
}

/// Guards count what is listed, and S3 must not be given what they have not counted.
#[test]
fn whatever_s3_is_given_is_listed() {
    let mut given = 0;
    for case in (0..how_many().min(20_000)).map(cases::case) {
        let compiled = held::compiled(&case, &|_| false);
        let starts = decide::covered(&case.policy, &case.facts.name, held::instant(case.now));
        for prefix in compiled.rules.iter().map(|rule| &rule.filter().prefix) {
            given += usize::from(!starts[0].is_empty());
            let is_listed = starts.iter().any(|start| prefix.starts_with(start));
            assert!(is_listed, "`{prefix}` is not under {starts:?}\n{case:#?}");
        }
    }
    assert!(given > 500, "{given}");
}

#[test]
fn every_condition_of_the_proof_is_needed() {
    for (name, waived) in conditions::ALL {
        let (broken, _) = first_broken(conditions::ENOUGH, *waived);
        assert!(broken.is_some(), "without the condition `{name}` nothing was found broken");
    }
}
