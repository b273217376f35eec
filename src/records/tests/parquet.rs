//! Parquet as other tools write it, and damaged.

use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use bytes::Bytes;

use super::*;

const SCHEMA: &str = "message customers {
    REQUIRED BYTE_ARRAY customer_id (STRING);
    OPTIONAL INT32 ended (DATE);
    OPTIONAL INT64 active (TIMESTAMP(MICROS,true));
    OPTIONAL INT64 local (TIMESTAMP(MILLIS,false));
    OPTIONAL INT32 number;
    OPTIONAL BOOLEAN flag;
    OPTIONAL DOUBLE score;
}";

/// Two row groups of two rows: 4711 with everything, 0815 without anything; then both again if `twice`.
fn file(compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    for ids in [["4711", "0815"], ["7", "8"]] {
        let mut group = writer.next_row_group().unwrap();
        let ids: Vec<ByteArray> = ids.map(ByteArray::from).to_vec();
        let levels = Some(&[1_i16, 0][..]);
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        macro_rules! write {
            ($kind:ty, $value:expr) => {
                let mut column = group.next_column().unwrap().unwrap();
                column.typed::<$kind>().write_batch(&[$value], levels, None).unwrap();
                column.close().unwrap();
            };
        }
        write!(Int32Type, 20_537);
        write!(Int64Type, 1_774_353_600_250_000);
        write!(Int64Type, 1_774_353_600_000);
        write!(Int32Type, -5);
        write!(BoolType, true);
        write!(::parquet::data_type::DoubleType, 0.5);
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn read_columns(bytes: Vec<u8>, columns: &[&str]) -> Result<ReadTable, RecordError> {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    let table = Table { columns, ..table(false) };
    RecordTable::read_parquet(&table, Bytes::from(bytes), at(NOW), Tz::Europe__Zagreb)
}

#[test]
fn dates_times_and_numbers_become_the_text_that_csv_would_have() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::GZIP(Default::default()),
        Compression::LZ4_RAW,
    ] {
        let read = read_columns(file(compression), &["ended", "active", "local", "number", "flag"]).unwrap();
        assert_eq!((read.rows, read.fault_count), (4, 0));
        let records = records(read);
        assert_eq!(lookup(&records, "4711", "ended"), Lookup::Known("2026-03-25"));
        assert_eq!(lookup(&records, "4711", "active"), Lookup::Known("2026-03-24T12:00:00.250Z"));
        assert_eq!(lookup(&records, "7", "local"), Lookup::Known("2026-03-24T12:00:00"));
        assert_eq!(lookup(&records, "4711", "number"), Lookup::Known("-5"));
        assert_eq!(lookup(&records, "4711", "flag"), Lookup::Known("true"));
        for column in ["ended", "active", "local", "number", "flag"] {
            assert_eq!(lookup(&records, "0815", column), Lookup::Absent);
        }
        assert_eq!(lookup(&records, "815", "ended"), Lookup::Unknown(NoValue::NoRow));
    }
}

#[test]
fn a_column_that_is_not_there_or_holds_no_plain_value_is_an_error() {
    let error = read_columns(file(Compression::SNAPPY), &["end"]).unwrap_err().to_string();
    assert!(error.contains("no column `end`") && error.contains("`ended`"), "{error}");
    let error = read_columns(file(Compression::SNAPPY), &["score"]).unwrap_err().to_string();
    assert_eq!(error, "the column `score` holds DOUBLE, and text, whole numbers, dates or times are read");
}

#[test]
fn what_is_no_parquet_is_an_error() {
    for bytes in [&b""[..], b"PAR1", b"customer_id,ended\n1,2\n", &[0; 100]] {
        assert!(matches!(read_columns(bytes.to_vec(), &["ended"]), Err(RecordError::Parquet { .. })));
    }
}

/// The decoder panics on some of these; none may get out, and none may look like a whole file of
/// other rows.
#[test]
fn a_damaged_file_is_an_error_or_is_read_as_it_says() {
    std::panic::set_hook(Box::new(|info| {
        if std::thread::current().name() != Some(READING_THREAD) {
            eprintln!("{info}");
        }
    }));
    let whole = file(Compression::SNAPPY);
    for length in 0..whole.len() {
        assert!(read_columns(whole[..length].to_vec(), &["ended"]).is_err(), "cut at {length}");
    }
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x40;
        if let Ok(read) = read_columns(damaged, &["ended", "active"]) {
            assert_eq!(read.rows, 4, "at {place}");
        }
    }
}
