//! `decide` against a naive reading of the promise that shares no code with it: random
//! policies, records, objects and dates; everything seen, and only some of it.

#![expect(clippy::expect_used, reason = "a test that meets what cannot be has failed")]

mod cases;
mod checks;
mod compiled;
mod completions;
mod coverage;
mod covered;
mod dates;
mod facts;
mod glob;
mod policies;
mod reference;
mod rng;
mod selects;
mod shrink;
mod terms;

use std::sync::atomic::{AtomicBool, Ordering};

/// Cases that a run tries: the seeds are the same every time, so that a failure is found again.
/// `SHELFLIFE_CASES` asks for another number of them.
fn how_many() -> u64 {
    if let Some(asked) = std::env::var_os("SHELFLIFE_CASES") {
        return asked.to_str().and_then(|asked| asked.parse().ok()).expect("SHELFLIFE_CASES is a number");
    }
    if std::env::var_os("CI").is_some() { 100_000 } else { 20_000 }
}

#[test]
fn decide_agrees_with_the_naive_reading_of_the_promise() {
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().min(4)) as u64;
    let broken = AtomicBool::new(false);
    let first: Option<(u64, String)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let broken = &broken;
                scope.spawn(move || {
                    (worker..how_many()).step_by(workers as usize).find_map(|seed| {
                        if broken.load(Ordering::Relaxed) {
                            return None;
                        }
                        let why = checks::check(&cases::case(seed)).err()?;
                        broken.store(true, Ordering::Relaxed);
                        Some((seed, why))
                    })
                })
            })
            .collect();
        running.into_iter().filter_map(|worker| worker.join().expect("a worker panicked")).min()
    });
    if let Some((seed, why)) = first {
        let (case, why) = shrink::shrink(cases::case(seed), why);
        panic!("seed {seed}: {why}\n\n{case:#?}");
    }
}
