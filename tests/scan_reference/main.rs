//! Listings as they are read against listings as they were written, and against an XML library that shares no
//! code with the reader, and the AWS SDK: sound ones of every form that XML allows, cut ones, and ones that were tampered with.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod cases;
#[path = "../../fuzz/listing.rs"]
mod listing;
#[path = "../decide_reference/rng.rs"]
#[expect(dead_code, reason = "numbers between two others are not asked for")]
mod rng;
mod sdk;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rng::Rng;

/// Cases that a run tries: the seeds are the same every time, so that a failure is found again.
/// `SHELFLIFE_CASES` asks for another number of them.
fn how_many() -> u64 {
    if let Some(asked) = std::env::var_os("SHELFLIFE_CASES") {
        return asked.to_str().and_then(|asked| asked.parse().ok()).expect("SHELFLIFE_CASES is a number");
    }
    if std::env::var_os("CI").is_some() { 20_000 } else { 4_000 }
}

fn try_all(check: impl Fn(&mut Rng) + Sync) {
    try_with(|| (), |(), rng| check(rng), how_many());
}

/// The same with something that every worker has one of.
fn try_with<T>(with: impl Fn() -> T + Sync, check: impl Fn(&T, &mut Rng) + Sync, cases: u64) {
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().min(4)) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (with, check) = (&with, &check);
            scope.spawn(move || {
                let with = with();
                for seed in (worker..cases).step_by(workers as usize) {
                    let result = catch_unwind(AssertUnwindSafe(|| check(&with, &mut Rng(seed))));
                    assert!(result.is_ok(), "seed {seed}");
                }
            });
        }
    });
}

#[test]
fn a_listing_is_read_as_it_was_written_in_whatever_form() {
    try_all(|rng| {
        let case = cases::case(rng);
        let read = listing::listing(case.body.as_bytes());
        assert_eq!(read.as_ref(), Ok(&case.wanted), "{}", case.body);
    });
}

#[test]
fn versions_and_markers_in_two_lists_are_all_there() {
    try_all(|rng| {
        let case = cases::in_two_lists(rng);
        let mut read =
            listing::listing(case.body.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {}", case.body));
        let order = |listed: &listing::Listed| (listed.key.clone(), listed.last_modified);
        let mut wanted = case.wanted;
        read.sort_by_key(order);
        wanted.sort_by_key(order);
        assert_eq!(read, wanted, "{}", case.body);
    });
}

#[test]
fn the_sdk_reads_the_same() {
    let check = |sdk: &sdk::Sdk, rng: &mut Rng| {
        let case = cases::for_the_sdk(rng);
        let mut read =
            listing::listing(case.body.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {}", case.body));
        for listed in read.iter_mut().filter(|listed| listed.marker) {
            listed.storage_class = None;
            listed.etag = None;
        }
        read.sort_by_key(|listed| listed.marker);
        assert_eq!(read, sdk.read(&case.body), "{}", case.body);
    };
    try_with(sdk::Sdk::new, check, how_many() / 10);
}

#[test]
fn a_listing_that_was_cut_is_never_a_shorter_one() {
    try_all(|rng| {
        let body = cases::case(rng).body;
        for _ in 0..8 {
            let end = rng.below(body.len());
            assert!(listing::listing(&body.as_bytes()[..end]).is_err(), "{end}: {body}");
        }
    });
}

#[test]
fn a_listing_that_was_tampered_with_is_refused_or_read_as_the_library_reads_it() {
    try_all(|rng| {
        let mut body = cases::case(rng).body.into_bytes();
        for _ in 0..4 {
            cases::tamper(rng, &mut body);
            if catch_unwind(|| listing::listing(&body)).is_err() {
                panic!("{}", body.escape_ascii());
            }
        }
    });
}
