//! CSV as RFC 4180 has it: what passes means the same to every reader, and the rest is refused.

use proptest::prelude::*;

use super::*;

const HEADER: &str = "customer_id,ended,active\n";

/// Line, column and kind of what is wrong below the header.
fn fault(rows: &str) -> (u64, u64, CsvFault) {
    match read(&format!("{HEADER}{rows}")) {
        Err(RecordError::Csv { line, column, what }) => (line, column, what),
        other => panic!("{rows:?}: {other:?}"),
    }
}

#[test]
fn two_quotes_that_are_never_closed_do_not_join_the_rows_of_two_customers() {
    assert_eq!(fault("1,\"Acme,\n2,\"Acme,2024-01-31\n"), (3, 4, CsvFault::AfterQuote));
    assert_eq!(fault("1,5\" screen,\n2,6\" screen,2024-01-31\n"), (2, 4, CsvFault::QuoteInside));
    // RFC 4180 takes it for one row, of customer 1 with the date of customer 2.
    for rows in [
        "1,\"Acme,\n2,Acme\",2024-01-31\n",
        "1,\"Acme,\n3,,\n2,Acme\",2024-01-31\n",
        "1,\"Acme, Ltd,\n2,Acme\",2024-01-31\n",
    ] {
        let found = read(&format!("{HEADER}{rows}"));
        assert!(matches!(found, Err(RecordError::TwoReadings { line: 2 })), "{found:?}");
    }
    assert_eq!(read(&format!("{HEADER}1,\"Street 1,\n10000 Zagreb\",2024-01-31\n")).unwrap().fault_count, 0);
}

#[test]
fn a_quote_opens_a_field_at_its_start_closes_it_at_its_end_or_is_a_fault() {
    for (rows, expected) in [
        ("1, \"a\",b\n", (2, 4, CsvFault::QuoteInside)),
        ("1,\"a\" ,b\n", (2, 6, CsvFault::AfterQuote)),
        ("1,\"a\"b\",c\n", (2, 6, CsvFault::AfterQuote)),
        ("1,\"čć\n\"x,c\n", (3, 2, CsvFault::AfterQuote)),
        ("1,čć\",c\n", (2, 5, CsvFault::QuoteInside)),
        ("1,a,\"b", (2, 5, CsvFault::OpenQuote)),
        ("1,a,\"b\"\"", (2, 5, CsvFault::OpenQuote)),
        ("1,a\0,b\n", (2, 4, CsvFault::Nul)),
        ("1,\"a\0\",b\n", (2, 5, CsvFault::Nul)),
        ("1,a,b\r2,a,b\n", (2, 7, CsvFault::LoneReturn)),
        ("1,\"a\"\r\"b\",c\n", (2, 7, CsvFault::LoneReturn)),
    ] {
        assert_eq!(fault(rows), expected, "{rows:?}");
    }
    let read = read("\u{feff}\"customer_id\",ended,active\r\n\"1\",\"a \"\"b\"\"\",\"\"\r\n").unwrap();
    assert_eq!(read.fault_count, 0);
    assert_eq!(lookup(&records(read), "1", "ended"), Lookup::Known("a \"b\""));
}

#[test]
fn a_last_row_without_a_line_break_is_unknown_and_no_other_is() {
    for end in ["2,2024-01-3", "2,2024-01-31,", "2,\"2024-01-31\",\"x\"", "2,2024-01-31,x\r", "\n\n2,,"] {
        // A field short it is no row at all.
        let Ok(read) = read(&format!("{HEADER}1,2024-01-31,x\n{end}")) else {
            assert_eq!(end, "2,2024-01-3");
            continue;
        };
        let line = if end.starts_with('\n') { 5 } else { 3 };
        assert_eq!(read.faults, [RecordFault::Cut { at: At::Line(line) }], "{end:?}");
        assert!(!read.faults[0].is_remark() && !read.faults[0].is_of_the_date());
        let records = records(read);
        assert_eq!(lookup(&records, "2", "ended"), Lookup::Unknown(NoValue::Unusable), "{end:?}");
        assert_eq!(lookup(&records, "1", "ended"), Lookup::Known("2024-01-31"), "{end:?}");
    }
    // Cut off in its id it may be another's, and makes one that was there before unknown.
    let read = read("ended,active,customer_id\n2024-01-31,x,12\n2024-02-29,x,1").unwrap();
    let records = records(read);
    assert_eq!(lookup(&records, "1", "ended"), Lookup::Unknown(NoValue::Unusable));
    assert_eq!(lookup(&records, "12", "ended"), Lookup::Known("2024-01-31"));
    assert_eq!(
        super::read("customer_id,ended,active").unwrap().faults,
        [RecordFault::Cut { at: At::Line(1) }]
    );
}

/// The rows of three fields of a file, as the grammar in RFC 4180 says it, and whether the last of them has
/// no line break; `None` where the grammar does not fit, or without its quotes would fit as well.
fn by_the_grammar(text: &str) -> Option<(Vec<Vec<String>>, bool)> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut is_cut = false;
    let mut rest = text;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let mut field = String::new();
            if let Some(mut quoted) = rest.strip_prefix('"') {
                loop {
                    let (part, after) = quoted.split_once('"')?;
                    field.push_str(part);
                    match after.strip_prefix('"') {
                        Some(more) => (field.push('"'), quoted = more).1,
                        None => break rest = after,
                    }
                }
            } else {
                let end = rest.find([',', '\r', '\n', '"']).unwrap_or(rest.len());
                field.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            row.push(field);
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        is_cut = matches!(rest, "" | "\r");
        rest = match rest {
            "" | "\r" => "",
            _ => rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?,
        };
        let all = row.join(",");
        let is_blank = row.len() == 1 && all.trim().is_empty();
        is_cut &= !is_blank;
        if !is_blank {
            let is_several = all.contains('\n') && all.split('\n').all(|line| line.matches(',').count() >= 2);
            if row.len() != 3 || is_several {
                return None;
            }
            rows.push(row.iter().map(|field| field.trim().to_owned()).collect());
        }
    }
    Some((rows, is_cut))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_passes_is_read_as_a_naive_reader_of_the_grammar_reads_it(
        rows in proptest::collection::vec("[12](,(\"(\"\"|[ab,\\n]){0,3}\"|[a ]{0,2})){2}\r?\n", 0..4),
        slip in proptest::option::of(("[\",\\r\\na1]", any::<prop::sample::Index>())),
    ) {
        let mut text = rows.concat();
        if let Some((slip, place)) = slip {
            text.insert_str(place.index(text.len() + 1), &slip);
        }
        let found = read(&format!("{HEADER}{text}"));
        match (found, by_the_grammar(&text)) {
            (Err(_), None) => {}
            (Ok(found), Some((rows, is_cut))) => {
                prop_assert_eq!(found.rows, rows.len() as u64);
                let says_cut = found.faults.iter().any(|fault| matches!(fault, RecordFault::Cut { .. }));
                prop_assert_eq!(says_cut, is_cut);
                let records = records(found);
                for (place, row) in rows.iter().enumerate() {
                    let is_only = rows.iter().filter(|other| other[0] == row[0]).count() == 1;
                    let is_whole = !is_cut || place + 1 < rows.len();
                    if is_only && is_whole && !row[0].is_empty() {
                        for (column, value) in [("ended", &row[1]), ("active", &row[2])] {
                            let expected = if value.is_empty() { Lookup::Absent } else { Lookup::Known(value) };
                            prop_assert_eq!(lookup(&records, &row[0], column), expected, "{:?}", text);
                        }
                    } else if is_only && !row[0].is_empty() {
                        prop_assert_eq!(lookup(&records, &row[0], "ended"), Lookup::Unknown(NoValue::Unusable));
                    }
                }
            }
            (found, naive) => prop_assert!(false, "{:?}: {:?}, and by the grammar {:?}", text, found.map(|read| read.rows), naive),
        }
    }
}
