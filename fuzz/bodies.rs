//! What the fuzz targets try, for the fuzzer and for the bounded test alike: nothing panics, and
//! what comes out keeps to its own promises.

mod listing;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shelflife::calendar::DateFormat;
use shelflife::pattern::{BucketPattern, Captured, KeyPattern};
use shelflife::policy::{self, By, Freshness, RecordFormat, RecordPlace, SourceFile, Table};
use shelflife::records::{RecordTable, Records};

/// A policy of one file or, split at form feeds, of several: it is read, or every fault has a place
/// in its file and can be shown.
pub fn policy(data: &[u8]) {
    let files: Vec<SourceFile> = data
        .split(|byte| *byte == 0x0c)
        .enumerate()
        .map(|(number, bytes)| SourceFile { path: format!("{number}.yaml"), bytes: bytes.to_vec() })
        .collect();
    match policy::read(&files) {
        Ok(read) => {
            let shown = policy::render(&read.warnings, &files, false, 80);
            assert_eq!(shown.is_empty(), read.warnings.is_empty());
            let again = policy::read(&files).map(|read| read.policy.digest);
            assert_eq!(again.ok(), Some(read.policy.digest), "the same files, another digest");
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                let file = files.iter().find(|file| file.path == fault.at.file);
                assert!(file.is_some_and(|file| fault.at.span.end <= file.bytes.len()), "{fault:?}");
            }
            let shown = policy::render(&faults, &files, true, data.len() % 200);
            assert!(shown.chars().all(|c| matches!(c, '\n' | '\u{1b}') || !c.is_control()));
        }
    }
}

/// A pattern and a key, with a zero byte between them.
pub fn key_pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, key) = text.split_once('\0').unwrap_or((&text, ""));
    if let Ok(bucket) = BucketPattern::parse(pattern) {
        bucket.matches(key);
    }
    let Ok(pattern) = KeyPattern::parse(pattern) else { return };
    let matches = pattern.matches(key);
    for capture in ["tenant", "id", "yyyy", "MM", "dd", "HH", "mm", "ss", "other"] {
        let found = pattern.capture(capture, key);
        assert!(found == Captured::Nothing || matches, "a capture without a match");
        if let Captured::Part(found) = found {
            assert!(key.contains(found) && !found.contains('/'));
        }
    }
    assert!(pattern.date(key, Tz::Europe__Zagreb).is_none() || matches);
}

/// A form of dates and a text, with a zero byte between them.
pub fn date_format(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (form, text) = text.split_once('\0').unwrap_or((&text, ""));
    let Ok(format) = DateFormat::parse(form) else { return };
    assert_eq!(DateFormat::parse(&format.to_string()).as_ref(), Ok(&format));
    if let Ok(moment) = format.read(text, Tz::America__Sao_Paulo) {
        assert!(moment.plausible().is_ok());
    }
}

/// A record file; its first byte says of which kind.
pub fn records(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let Ok(now) = "2026-11-24T12:00:00Z".parse::<DateTime<Utc>>() else { return };
    let fresh =
        Freshness { within: shelflife::calendar::Period::days(2), exported_at: "exported_at".to_owned() };
    let table = Table {
        name: "customers".to_owned(),
        place: RecordPlace::Folder("customers".to_owned()),
        format: RecordFormat::Csv,
        id: "id".to_owned(),
        by: By::Tenant,
        fresh: (kind % 2 == 0).then_some(fresh),
        columns: vec!["ended".to_owned()],
    };
    let zone = Tz::Europe__Zagreb;
    let read = match kind / 2 % 3 {
        0 => RecordTable::read_csv(&table, data, now, zone),
        1 => RecordTable::read_json_lines(&table, data, now, zone),
        _ => RecordTable::read_parquet(&table, Bytes::copy_from_slice(data), now, zone),
    };
    let Ok(mut read) = read else { return };
    assert!(read.faults.len() <= 101 && read.fault_count >= read.faults.len() as u64);
    assert!(read.table.len() as u64 <= read.rows);
    read.judge(&table, now);
    let ids: Vec<String> = read.table.rows().take(10).map(|(id, _)| id.to_owned()).collect();
    let records = Records { tables: vec![read.table] };
    for id in ids {
        records.lookup(0, &id, "ended");
    }
}

/// A listing of versions or uploads: nothing in it is passed over, and nothing is made of what is none.
pub fn listing(data: &[u8]) {
    for listing in [listing::VERSIONS, listing::UPLOADS] {
        let _ = listing.held(data);
    }
}
