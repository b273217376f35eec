//! How long a decision takes, in nanoseconds an object: for keys that are merely looked at, by the naive
//! decider, and by the one that is made ready for a bucket, with keys in order and in none.
//!
//! `cargo bench --bench decide [-- OBJECTS]`
//!
//! With `--count N [RULES]` it decides N objects, in order, and does nothing else that would not be the same for
//! any N: for tools that count instructions, which take the difference of two runs.

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::decide::{Decider, Step, decide};
use shelflife::object::{Kind, Observed, Reading};
use shelflife::policy::{self, Policy, SourceFile};
use shelflife::records::Records;

const NOW: &str = "2026-11-28T00:00:00Z";
/// Objects that `--count` chooses from.
const POOL: usize = 20_000;
/// Runs of which the fastest counts.
const RUNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let figures: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    if args.iter().any(|arg| arg == "--count") {
        let objects = figures.first().copied().unwrap_or(100_000);
        return count(objects, figures.get(1).copied().unwrap_or(20));
    }
    let objects = figures.first().copied().unwrap_or(200_000);
    println!("ns/object, the fastest of {RUNS} runs over {objects} objects");
    for rules in [20, 500] {
        compare(rules, objects);
    }
}

fn count(objects: usize, rules: usize) {
    let (policy, records) = (policy(rules), Records::default());
    let decider = Decider::new(&policy, &records, "media", now());
    let mut trail = decider.trail();
    let keys = keys(POOL);
    let mut plain = 0_usize;
    for number in 0..objects {
        let (key, uploaded) = &keys[number % POOL];
        let object = object(key, *uploaded);
        match trail.plainly(&object) {
            Some(_) => plain += 1,
            None => drop(black_box(trail.decide(&object))),
        }
    }
    println!("{objects} objects under {rules} rules, {plain} of them plain");
}

fn compare(rules: usize, objects: usize) {
    let (policy, records) = (policy(rules), Records::default());
    let in_order = keys(objects);
    let mut in_none = in_order.clone();
    let mut random = Random(7);
    for at in (1..in_none.len()).rev() {
        in_none.swap(at, random.below(at + 1));
    }
    let decider = Decider::new(&policy, &records, "media", now());
    let plain = |keys: &[Key]| {
        let mut trail = decider.trail();
        keys.iter().filter(|(key, at)| trail.plainly(&object(key, *at)).is_some()).count()
    };
    let few = &in_order[..objects / rules.max(20)];
    println!("{rules} rules, {:.1}% plain", plain(&in_order) as f64 * 100.0 / objects as f64);
    let floor =
        |(key, _): &Key| key.as_bytes().iter().step_by(8).map(|byte| usize::from(*byte)).sum::<usize>();
    time("the key looked at", objects, || in_order.iter().map(floor).sum());
    time("naive", few.len(), || {
        let decided = few.iter().map(|(key, at)| decide(&policy, &records, &object(key, *at), now()));
        decided.map(|step| usize::from(matches!(black_box(step), Step::Decided(_)))).sum()
    });
    time("plainly, in order", objects, || plain(&in_order));
    time("plainly, in no order", objects, || plain(&in_none));
    time("plainly or in full, in order", objects, || full(&decider, &in_order, true));
    time("plainly or in full, in no order", objects, || full(&decider, &in_none, true));
    time("in full, in order", objects, || full(&decider, &in_order, false));
}

/// Decides all, plainly first or not.
fn full(decider: &Decider<'_>, keys: &[Key], plainly: bool) -> usize {
    let mut trail = decider.trail();
    let mut in_full = 0;
    for (key, at) in keys {
        let object = object(key, *at);
        if !plainly || trail.plainly(&object).is_none() {
            black_box(trail.decide(&object));
            in_full += 1;
        }
    }
    in_full
}

fn time(what: &str, objects: usize, mut run: impl FnMut() -> usize) {
    let fastest = (0..RUNS).map(|_| {
        let began = Instant::now();
        black_box(run());
        began.elapsed()
    });
    let nanoseconds = fastest.min().unwrap().as_secs_f64() * 1e9;
    println!("  {what:32} {:8.1}", nanoseconds / objects as f64);
}

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

type Key = (String, DateTime<Utc>);

/// Keys in order, as a platform would write them, all through the last year.
fn keys(objects: usize) -> Vec<Key> {
    let mut random = Random(1);
    let mut keys: Vec<Key> = (0..objects)
        .map(|_| {
            let uploaded = now() - TimeDelta::seconds(random.below(375 * 86_400) as i64);
            let (day, name) = (uploaded.format("%Y/%m/%d"), random.next());
            let tenant = random.below(400);
            let key = match random.below(10) {
                0..=5 => format!("inbound/t{tenant}/{day}/{name:016x}.jpg"),
                6 => format!("outbound/t{tenant}/{day}/{name:016x}.pdf"),
                7 => format!("calls/t{tenant}/call-{name:016x}.wav"),
                8 => format!("mail/t{tenant}/p{}/{name:016x}.eml", random.below(100)),
                _ => format!("misc/{name:016x}"),
            };
            (key, uploaded)
        })
        .collect();
    keys.sort();
    keys
}

/// Rules with patterns: under each key one or several stand, or none.
fn policy(rules: usize) -> Policy {
    let mut text = String::from("version: 1\nname: bench\nrules:\n");
    for number in 0..rules {
        let key = match number % 5 {
            _ if number < 4 => {
                ["inbound/**", "outbound/*/*/*/*/*.pdf", "calls/*/call-*.wav", "mail/**"][number].to_owned()
            }
            0 | 1 => format!("*/t{number}/**"),
            2 => format!("calls/t{number}/*.wav"),
            3 => format!("**/p{number}/*.eml"),
            _ => format!("inbound/t{number}/*/*/**.jpg"),
        };
        let retain = ["1 year", "370 days", "400 days", "13 months", "2 years"][number % 5];
        text += &format!(
            "  - {{id: rule-{number:03}, select: {{buckets: [media], key: \"{key}\"}}, trigger: uploaded, retain: {retain}}}\n"
        );
    }
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into_bytes() }];
    policy::read(&files).unwrap_or_else(|faults| panic!("{faults:?}")).policy
}

fn object(key: &str, uploaded: DateTime<Utc>) -> Observed<'_> {
    Observed {
        bucket: "media",
        key,
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded,
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: 100_000,
        etag: None,
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Unread,
        lock: Reading::Unread,
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
