//! JSON Lines, as people export them and as they should not.

use super::*;

fn read(text: &str) -> Result<ReadTable, RecordError> {
    RecordTable::read_json_lines(&table(false), text.as_bytes(), at(NOW), Tz::Europe__Zagreb)
}

#[test]
fn text_and_whole_numbers_are_values_and_nothing_is_absent() {
    let read = read(concat!(
        "\u{feff}{\"customer_id\": 4711, \"ended\": \" 2026-11-01 \", \"active\": null, \"more\": [1.5, {}]}\r\n",
        "\n",
        "{\"customer_id\": \"0815\", \"active\": 1774353600, \"ended\": \"\"}\n",
        "{\"customer_id\": \"7\", \"active\": -1}",
    ))
    .unwrap();
    assert_eq!((read.rows, read.fault_count), (3, 1));
    let records = records(read);
    assert_eq!(lookup(&records, "4711", "ended"), Lookup::Known("2026-11-01"));
    assert_eq!(lookup(&records, "4711", "active"), Lookup::Absent);
    assert_eq!(lookup(&records, "0815", "active"), Lookup::Known("1774353600"));
    assert_eq!(lookup(&records, "0815", "ended"), Lookup::Absent);
    assert_eq!(lookup(&records, "7", "ended"), Lookup::Absent);
}

#[test]
fn a_column_that_no_row_has_was_renamed_and_never_means_that_nothing_has_happened() {
    let error = read("{\"customer_id\": \"1\", \"active\": \"a\", \"end\": \"2026-01-01\"}\n").unwrap_err();
    assert_eq!(error.to_string(), "no row has `ended`; was it renamed?");
    for empty in ["", "\n\n"] {
        assert!(matches!(read(empty), Err(RecordError::NoRows)), "{empty:?}");
    }
}

#[test]
fn a_column_that_some_rows_lack_is_absent_there_and_remarked_on_once() {
    let read = read(concat!(
        "{\"customer_id\": 1, \"ended\": null, \"active\": \"a\"}\n\n",
        "{\"customer_id\": 2, \"end\": \"2026-01-01\", \"active\": \"a\"}\n",
        "{\"customer_id\": 3, \"active\": \"\"}\n",
    ))
    .unwrap();
    let remark = RecordFault::NotThere { column: "ended".to_owned(), rows: 2, first: At::Line(3) };
    assert_eq!(read.faults, std::slice::from_ref(&remark));
    assert!(remark.is_remark());
    assert_eq!(lookup(&records(read), "2", "ended"), Lookup::Absent);
}

#[test]
fn a_line_that_is_cut_off_is_never_taken_for_a_shorter_one() {
    let first = "{\"customer_id\": 1, \"ended\": \"\", \"active\": \"a\"}\n";
    let last = "{\"customer_id\": 12, \"ended\": \"2026-11-30\", \"active\": 17743536, \"more\": {\"x\": 1}}";
    for cut in 1..last.len() {
        assert!(read(&format!("{first}{}", &last[..cut])).is_err(), "{}", &last[..cut]);
    }
    assert_eq!(read(&format!("{first}{last}")).unwrap().fault_count, 0);
}

#[test]
fn duplicate_ids_are_unknown_and_named_with_their_lines() {
    let read = read(concat!(
        "{\"customer_id\": \"1\", \"ended\": \"a\", \"active\": \"b\"}\n\n",
        "{\"customer_id\": 1, \"ended\": \"a\", \"active\": \"b\"}\n"
    ))
    .unwrap();
    let duplicate = RecordFault::Duplicate { id: "1".to_owned(), first: At::Line(1), at: At::Line(3) };
    assert_eq!(read.faults, [duplicate]);
    assert_eq!(lookup(&records(read), "1", "ended"), Lookup::Unknown(NoValue::Duplicate));
}

#[test]
fn what_is_no_row_is_an_error_with_its_line() {
    let sound = "{\"customer_id\": \"1\", \"ended\": \"a\", \"active\": \"b\"}\n";
    for (line, fragment) in [
        ("{\"customer_id\": \"2\", \"ended\": 1.5}", "`ended` is no text or whole number"),
        ("{\"customer_id\": \"2\", \"ended\": true}", "`ended` is no text or whole number"),
        ("{\"customer_id\": \"2\", \"ended\": [\"a\"]}", "`ended` is no text or whole number"),
        ("{\"customer_id\": \"2\", \"ended\": \"a\", \"ended\": \"b\"}", "a key stands twice"),
        ("{\"customer_id\": \"2\", \"x\": 1, \"x\": 2}", "a key stands twice"),
        ("[1, 2]", "an object"),
        ("{\"customer_id\": \"2\"", "EOF"),
        ("{\"customer_id\": \"2\"} {}", "trailing"),
        ("4711,2026-01-01", "an object"),
        ("{\"customer_id\": 99999999999999999999999, \"ended\": \"\"}", "`customer_id` is no text"),
    ] {
        let error = read(&format!("{sound}{line}\n")).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is no row: ") && error.contains(fragment), "{line}: {error}");
    }
}

#[test]
fn hostile_lines_are_errors_and_take_no_memory() {
    let deep = format!("{{\"x\": {}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep).is_err());
    let endless = io::Cursor::new(b"{\"customer_id\": \"".as_slice()).chain(io::repeat(b'x'));
    let read_endless = RecordTable::read_json_lines(&table(false), endless, at(NOW), Tz::UTC);
    assert!(matches!(read_endless, Err(RecordError::RowTooLong { line: 1 })));
    let long = format!("{{\"customer_id\": \"{}\"}}\n", "x".repeat((64 << 10) + 1));
    assert!(matches!(read(&long), Err(RecordError::Json { line: 1, .. })));
    let keys: Vec<String> = (0..1001).map(|n| format!("\"k{n}\": 1")).collect();
    assert!(matches!(read(&format!("{{{}}}\n", keys.join(","))), Err(RecordError::Json { line: 1, .. })));
    let bytes = |bytes: &[u8]| RecordTable::read_json_lines(&table(false), bytes, at(NOW), Tz::UTC);
    assert!(matches!(bytes(b"\xff\xfe{\0}\0"), Err(RecordError::Utf16)));
    assert!(matches!(bytes(b"{}\n{\"a\": \"\xe9\"}\n"), Err(RecordError::NotUtf8 { line: 2 })));
}

#[test]
fn export_times_are_judged_as_in_every_kind_of_file() {
    let text = "{\"customer_id\": 1, \"ended\": \"\", \"active\": \"\", \"exported_at\": \"2026-11-21T11:59:59Z\"}\n";
    let read =
        RecordTable::read_json_lines(&table(true), text.as_bytes(), at(NOW), Tz::Europe__Zagreb).unwrap();
    assert!(matches!(read.table.unusable, Some(Unusable::Stale { .. })));
}
