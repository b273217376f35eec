mod csv;
mod json;
mod parquet;

use std::io::{self, Read};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::*;
use crate::calendar::Period;
use crate::policy::{By, Freshness, Table};

const NOW: &str = "2026-11-23T12:00:00Z";

fn table(fresh: bool) -> Table {
    Table {
        name: "customers".to_owned(),
        place: crate::policy::RecordPlace::Folder("customers.csv".to_owned()),
        format: crate::policy::RecordFormat::Csv,
        id: "customer_id".to_owned(),
        by: By::Tenant,
        fresh: fresh.then(|| Freshness { within: Period::days(2), exported_at: "exported_at".to_owned() }),
        columns: vec!["ended".to_owned(), "active".to_owned()],
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn read_from(reader: impl Read, fresh: bool) -> Result<ReadTable, RecordError> {
    RecordTable::read_csv(&table(fresh), reader, at(NOW), Tz::Europe__Zagreb)
}

fn read(text: &str) -> Result<ReadTable, RecordError> {
    read_from(text.as_bytes(), false)
}

fn read_exported(exports: &[&str]) -> ReadTable {
    let rows: String = exports.iter().enumerate().map(|(id, at)| format!("{id},,,{at}\n")).collect();
    read_from(format!("customer_id,ended,active,exported_at\n{rows}").as_bytes(), true).unwrap()
}

fn lookup<'t>(records: &'t Records, id: &str, column: &str) -> Lookup<'t> {
    records.lookup(0, id, column)
}

fn records(read: ReadTable) -> Records {
    Records { tables: vec![read.table] }
}

#[test]
fn a_field_is_known_or_absent_and_an_id_is_exact() {
    let read = read("customer_id,active,name,ended\n0815, 2026-11-01 ,\"A, B\",\n").unwrap();
    assert_eq!((read.rows, read.fault_count), (1, 0));
    let records = records(read);
    assert_eq!(lookup(&records, "0815", "active"), Lookup::Known("2026-11-01"));
    assert_eq!(lookup(&records, "0815", "ended"), Lookup::Absent);
    assert_eq!(lookup(&records, "815", "active"), Lookup::Unknown(NoValue::NoRow));
    assert_eq!(lookup(&records, "0815", "name"), Lookup::Unknown(NoValue::Unusable));
}

#[test]
fn a_duplicate_id_is_unknown_and_both_lines_are_named() {
    let read = read("customer_id,ended,active\n1,a,b\n2,a,b\n1,a,b\n").unwrap();
    assert_eq!(
        read.faults,
        [RecordFault::Duplicate { id: "1".to_owned(), first: At::Line(2), at: At::Line(4) }]
    );
    let records = records(read);
    assert_eq!(lookup(&records, "1", "ended"), Lookup::Unknown(NoValue::Duplicate));
    assert_eq!(lookup(&records, "2", "ended"), Lookup::Known("a"));
}

#[test]
fn lines_are_counted_across_empty_ones_and_line_breaks_in_quotes() {
    let read = read("customer_id,ended,active\r\n1,\"a\nb\",c\r\n\r\n\r\n1,a,b\r\n").unwrap();
    assert_eq!(
        read.faults,
        [RecordFault::Duplicate { id: "1".to_owned(), first: At::Line(2), at: At::Line(6) }]
    );
}

#[test]
fn a_row_without_an_id_is_named_and_is_nobodys() {
    let read = read("customer_id,ended,active\n ,a,b\n").unwrap();
    assert_eq!(read.faults, [RecordFault::NoId { at: At::Line(2) }]);
    assert!(read.table.is_empty());
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let text = "\u{feff}customer_id,ended,active\n1,a,b\n";
    assert_eq!(read(text).unwrap().rows, 1);

    struct Dripping<'t>(&'t [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }
    assert_eq!(read_from(Dripping(text.as_bytes()), false).unwrap().rows, 1);
}

#[test]
fn a_missing_or_repeated_column_is_an_error() {
    let error = read("customer_id,active\n1,a\n").unwrap_err();
    assert_eq!(error.to_string(), "the header has no column `ended`; it has `customer_id`, `active`");
    let error = read("customer_id,ended,active,ended\n").unwrap_err();
    assert!(matches!(error, RecordError::RepeatedColumn(name) if name == "ended"));
    assert!(matches!(read(""), Err(RecordError::Empty)));
}

#[test]
fn what_is_no_table_is_an_error_with_its_line() {
    let header = "customer_id,ended,active\n1,a,b\n";
    let error = read(&format!("{header}2,a\n")).unwrap_err();
    assert_eq!(error.to_string(), "line 3 has 2 fields where the header has 3");

    let mut bytes = format!("{header}2,a,").into_bytes();
    bytes.extend(b"\xff\n");
    assert!(matches!(read_from(&bytes[..], false), Err(RecordError::NotUtf8 { line: 3 })));

    let long = format!("{header}2,a,{}\n", "x".repeat((64 << 10) + 1));
    assert!(matches!(read(&long), Err(RecordError::FieldTooLong { line: 3 })));

    let wide = format!("{}\n", ",".repeat(1000));
    assert!(matches!(read(&wide), Err(RecordError::TooManyColumns { line: 1 })));
}

#[test]
fn a_quote_that_is_never_closed_is_found_however_long_the_rest_is() {
    let header = "customer_id,ended,active\n1,a,b\n";
    let short = format!("{header}2,a,\"b\n3,a,b\n");
    let open = RecordError::Csv { line: 3, column: 5, what: CsvFault::OpenQuote };
    assert_eq!(read(&short).unwrap_err().to_string(), open.to_string());
    let endless = io::Cursor::new(format!("{header}2,a,\"")).chain(io::repeat(b'x'));
    assert!(matches!(read_from(endless, false), Err(RecordError::RowTooLong { line: 3 })));
}

#[test]
fn the_oldest_export_time_decides_whether_the_file_is_fresh() {
    assert_eq!(read_exported(&["2026-11-23T11:00:00Z", "2026-11-21T12:00:00Z"]).table.unusable, None);
    let read = read_exported(&["2026-11-23T11:00:00Z", "2026-11-21T11:59:59Z"]);
    let oldest = at("2026-11-21T11:59:59Z");
    assert_eq!(read.faults, [RecordFault::Stale { at: At::Line(3), oldest }]);
    assert_eq!(read.table.unusable, Some(Unusable::Stale { oldest }));
    assert_eq!(lookup(&records(read), "0", "ended"), Lookup::Unknown(NoValue::Unusable));
}

#[test]
fn an_export_time_in_the_future_makes_the_file_unknown() {
    assert_eq!(read_exported(&[NOW]).table.unusable, None);
    let exported = at("2026-11-23T12:00:01Z");
    let read = read_exported(&["2026-11-23T11:00:00Z", "2026-11-23T12:00:01Z"]);
    assert_eq!(read.faults, [RecordFault::FromTheFuture { at: At::Line(3), exported }]);
    assert_eq!(read.table.unusable, Some(Unusable::FromTheFuture { exported }));
}

#[test]
fn without_an_export_time_the_file_is_unknown() {
    for exports in
        [&["", "2026-11-23T11:00:00Z"][..], &["2026-11-23T11:00:00Z", "yesterday"], &["2026-11-2"], &[]]
    {
        let read = read_exported(exports);
        assert_eq!(read.table.unusable, Some(Unusable::NoExportTime), "{exports:?}");
        assert_eq!(read.fault_count, 1, "{exports:?}");
    }
}

#[test]
fn an_export_day_counts_from_its_start_in_the_policys_zone() {
    // 21 November starts at 23:00 UTC of the 20th in Zagreb: 2 days and 13 hours before.
    assert!(matches!(read_exported(&["2026-11-21"]).table.unusable, Some(Unusable::Stale { .. })));
    assert_eq!(read_exported(&["2026-11-22"]).table.unusable, None);
    assert!(matches!(read_exported(&["2026-11-24"]).table.unusable, Some(Unusable::FromTheFuture { .. })));
}

#[test]
fn faults_beyond_a_hundred_are_counted_and_not_kept() {
    let rows = "7,a,b\n".repeat(301);
    let read = read(&format!("customer_id,ended,active\n{rows}")).unwrap();
    assert_eq!((read.faults.len(), read.fault_count, read.rows), (100, 300, 301));
}

#[test]
fn a_table_answers_for_many_ids_and_texts() {
    let rows = (0..10_000).map(|n| {
        let ended = (n % 3 != 0).then(|| Box::from(format!("2026-01-{:02}", n % 28 + 1)));
        (format!("id-{n}"), Row::Once(Box::new([ended, None])))
    });
    let table = RecordTable::of(vec!["ended".to_owned(), "active".to_owned()], rows);
    assert_eq!(table.len(), 10_000);
    let records = Records { tables: vec![table] };
    assert_eq!(lookup(&records, "id-9999", "ended"), Lookup::Absent);
    assert_eq!(lookup(&records, "id-9998", "ended"), Lookup::Known("2026-01-03"));
    assert_eq!(lookup(&records, "id-9998", "active"), Lookup::Absent);
    assert_eq!(lookup(&records, "id-10000", "ended"), Lookup::Unknown(NoValue::NoRow));
}

#[test]
fn a_file_that_was_read_can_be_judged_at_another_time() {
    let mut read = read_exported(&["2026-11-23T11:00:00Z"]);
    assert_eq!((read.table.unusable.clone(), read.fault_count), (None, 0));
    for _ in 0..2 {
        read.judge(&table(true), at("2026-11-30T00:00:00Z"));
        assert!(matches!(read.table.unusable, Some(Unusable::Stale { .. })));
        assert_eq!((read.faults.len(), read.fault_count), (1, 1));
    }
    read.judge(&table(true), at(NOW));
    assert_eq!((read.table.unusable, read.faults.len(), read.fault_count), (None, 0, 0));
}

#[test]
fn files_in_other_encodings_say_so() {
    assert!(matches!(read_from(&b"\xff\xfec\0u\0"[..], false), Err(RecordError::Utf16)));
    let latin = b"customer_id,ended,active\n1,caf\xe9,b\n";
    assert!(matches!(read_from(&latin[..], false), Err(RecordError::NotUtf8 { line: 2 })));
    // Old Mac line ends make one line of everything.
    let mac = "customer_id,ended,active\r1,a,b\r";
    assert!(read(mac).is_err());
}
