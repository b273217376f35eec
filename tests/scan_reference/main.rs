//! Listings as they are read against listings as they were written, and against an XML library that shares no
//! code with the reader, and the AWS SDK: sound ones of every form that XML allows, ones without a part or with one twice, cut
//! ones, and ones that were tampered with.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod cases;
#[path = "../../fuzz/listing.rs"]
mod listing;
#[path = "../decide_reference/rng.rs"]
#[expect(dead_code, reason = "numbers between two others are not asked for")]
mod rng;
mod sdk;
mod tamper;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cases::Case;
use listing::{Listed, Listing, UPLOADS, VERSIONS};
use rng::Rng;
use shelflife::object::Kind;

/// Cases that a run tries: the seeds are the same every time, so that a failure is found again.
/// `SHELFLIFE_CASES` asks for another number of them.
fn how_many() -> u64 {
    if let Some(asked) = std::env::var_os("SHELFLIFE_CASES") {
        return asked.to_str().and_then(|asked| asked.parse().ok()).expect("SHELFLIFE_CASES is a number");
    }
    if std::env::var_os("CI").is_some() { 20_000 } else { 4_000 }
}

/// That many cases of versions and markers, and as many of uploads.
fn try_all(check: impl Fn(&Listing, &mut Rng) + Sync) {
    try_each(&VERSIONS, &check);
    try_each(&UPLOADS, &check);
}

fn try_each(listing: &Listing, check: impl Fn(&Listing, &mut Rng) + Sync) {
    let cases = how_many();
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().min(4)) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let check = &check;
            scope.spawn(move || {
                for seed in (worker..cases).step_by(workers as usize) {
                    let result = catch_unwind(AssertUnwindSafe(|| check(listing, &mut Rng(seed))));
                    assert!(result.is_ok(), "seed {seed} of {}", listing.root);
                }
            });
        }
    });
}

fn read(listing: &Listing, case: &Case) -> Vec<Listed> {
    listing.held(case.body.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {}", case.body))
}

#[test]
fn a_listing_is_read_as_it_was_written_in_whatever_form() {
    try_all(|listing, rng| {
        let case = cases::case(listing, rng);
        assert_eq!(Some(read(listing, &case)), case.wanted, "{}", case.body);
    });
}

#[test]
fn versions_and_markers_in_two_lists_are_all_there() {
    try_each(&VERSIONS, |listing, rng| {
        let case = cases::in_two_lists(listing, rng);
        let order = |listed: &Listed| (listed.key.clone(), listed.last_modified);
        let mut read = read(listing, &case);
        let mut wanted = case.wanted.unwrap();
        read.sort_by_key(order);
        wanted.sort_by_key(order);
        assert_eq!(read, wanted, "{}", case.body);
    });
}

#[test]
fn a_listing_with_a_part_missing_or_told_twice_is_refused() {
    try_all(|listing, rng| {
        let case = cases::with_a_part_wrong(listing, rng);
        assert_eq!(listing.held(case.body.as_bytes()).ok(), case.wanted, "{}", case.body);
    });
}

#[test]
fn the_sdk_reads_the_same_versions_and_markers() {
    try_each(&VERSIONS, |listing, rng| {
        let case = cases::for_the_sdk(listing, rng);
        let mut read = read(listing, &case);
        for listed in read.iter_mut().filter(|listed| listed.kind == Kind::Marker) {
            listed.storage_class = None;
            listed.etag = None;
        }
        read.sort_by_key(|listed| listed.kind);
        assert_eq!(read, sdk::versions(&case.body), "{}", case.body);
    });
}

#[test]
fn the_sdk_reads_the_same_uploads() {
    try_each(&UPLOADS, |listing, rng| {
        let case = cases::for_the_sdk(listing, rng);
        assert_eq!(read(listing, &case), sdk::uploads(&case.body), "{}", case.body);
    });
}

#[test]
fn a_listing_that_was_cut_is_never_a_shorter_one() {
    try_all(|listing, rng| {
        let body = cases::case(listing, rng).body;
        for _ in 0..8 {
            let end = rng.below(body.len());
            assert!(listing.held(&body.as_bytes()[..end]).is_err(), "{end}: {body}");
        }
    });
}

#[test]
fn a_listing_that_was_tampered_with_is_refused_or_read_as_the_library_reads_it() {
    try_all(|listing, rng| {
        let mut body = cases::case(listing, rng).body.into_bytes();
        for _ in 0..4 {
            tamper::tamper(rng, &mut body);
            if catch_unwind(|| listing.held(&body)).is_err() {
                panic!("{}", body.escape_ascii());
            }
        }
    });
}
