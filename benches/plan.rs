//! What a row costs on its way through a plan file: put aside until its place comes, written, checked, and read
//! again. Time and bytes for each row.
//!
//! `cargo bench --bench plan [-- ROWS]`
//!
//! With `--count N` it takes N rows all the way once, and does nothing else that would not be the same for any N:
//! for tools that count instructions, which take the difference of two runs.

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::io::{self, Cursor};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use shelflife::object::Kind;
use shelflife::plan::{Action, PlanFileError, PlanReader, PlanRow, PlanWriter, Spool, Stretch};

/// Runs of which the fastest counts.
const RUNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rows = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(200_000);
    if args.iter().any(|arg| arg == "--count") {
        pass(rows);
        return;
    }
    let mut best = [Duration::MAX; 4];
    let mut bytes = 0;
    for _ in 0..RUNS {
        let (times, length) = pass(rows);
        best.iter_mut().zip(times).for_each(|(best, time)| *best = time.min(*best));
        bytes = length;
    }
    println!(
        "ns/row, the fastest of {RUNS} runs over {rows} rows; {:.1} bytes a row",
        bytes as f64 / rows as f64
    );
    for (what, time) in
        ["put aside", "taken again and written", "opened and checked", "read"].iter().zip(best)
    {
        println!("{what:<26}{:>7.0}", time.as_secs_f64() * 1e9 / rows as f64);
    }
}

/// Takes so many rows all the way; how long each part of it took, and how many bytes the file has.
fn pass(rows: usize) -> ([Duration; 4], usize) {
    let mut spool = Spool::new(|| Ok(Cursor::new(Vec::new())));
    let mut stretch = Stretch::default();
    let began = Instant::now();
    (0..rows).for_each(|number| spool.push(&mut stretch, row(number)).unwrap());
    let aside = began.elapsed();

    let began = Instant::now();
    let mut file = Vec::new();
    let mut writer = PlanWriter::new(&mut file).unwrap();
    spool.take(stretch, |row| writer.push(row).map_err(as_io)).unwrap();
    writer.finish(&serde_json::json!({})).unwrap();
    let written = began.elapsed();

    let began = Instant::now();
    let length = file.len();
    let reader = PlanReader::open(Bytes::from(file)).unwrap();
    let checked = began.elapsed();

    let began = Instant::now();
    assert_eq!(reader.rows().map(Result::unwrap).count(), rows);
    ([aside, written, checked, began.elapsed()], length)
}

fn as_io(error: PlanFileError) -> io::Error {
    io::Error::other(error)
}

/// One of many objects in order; tenants, days and ETags differ as they do in buckets.
fn row(number: usize) -> PlanRow {
    let uploaded = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + number as i64 * 97);
    let due = uploaded.date_naive().and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::days(31);
    let mixed = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    PlanRow {
        action: Action::Delete,
        kind: Kind::Object,
        bucket: "acme-ott-media".into(),
        key: format!("media/{:04}/{number:010}-{mixed:016x}.jpg", number / 5_000).into(),
        version_id: None,
        upload_id: None,
        is_latest: true,
        etag: Some(format!("{mixed:016x}{:016x}", mixed.rotate_left(31)).into()),
        last_modified: uploaded,
        size: mixed % 10_000_000,
        storage_class: Some("STANDARD".into()),
        tenant: Some(format!("{:04}", number / 5_000).into()),
        rule: "ott-media".into(),
        erasure: None,
        trigger: Some(uploaded.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
        trigger_source: Some("uploaded".into()),
        due,
        reason: format!("due since {} under ott-media", due.date_naive()).into(),
        overdue_sweep: false,
        export: None,
    }
}
