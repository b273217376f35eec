//! Rows of inventories, written as S3 writes them.

use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::basic::Compression as Codec;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{PARQUET_SCHEMA, days_ago};

/// A row to be written.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) key: String,
    pub(super) is_latest: bool,
    pub(super) is_marker: bool,
    pub(super) size: Option<i64>,
    pub(super) uploaded: Option<DateTime<Utc>>,
}

pub(super) fn object(key: &str, days: i64) -> Written {
    Written {
        key: key.to_owned(),
        is_latest: true,
        is_marker: false,
        size: Some(5),
        uploaded: Some(days_ago(days)),
    }
}

pub(super) fn parquet_of(rows: &[Written], group: usize) -> Vec<u8> {
    parquet_as(rows, group, WriterProperties::builder().set_compression(Codec::SNAPPY).build())
}

pub(super) fn parquet_as(rows: &[Written], group: usize, properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(PARQUET_SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(group) {
        let mut group = writer.next_row_group().unwrap();
        let texts = |text: &dyn Fn(&Written) -> String| -> Vec<ByteArray> {
            rows.iter().map(|row| ByteArray::from(text(row).into_bytes())).collect()
        };
        let all = vec![1; rows.len()];
        for place in 0..8 {
            let mut column = group.next_column().unwrap().unwrap();
            match place {
                0 => {
                    let names = texts(&|_| "media".to_owned());
                    column.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
                }
                1 => {
                    let keys = texts(&|row| row.key.clone());
                    column.typed::<ByteArrayType>().write_batch(&keys, None, None).unwrap();
                }
                2 | 7 => {
                    let ids = texts(&|row| row.key.len().to_string());
                    column.typed::<ByteArrayType>().write_batch(&ids, Some(&all), None).unwrap();
                }
                3 | 4 => {
                    let flags: Vec<bool> = rows
                        .iter()
                        .map(|row| if place == 3 { row.is_latest } else { row.is_marker })
                        .collect();
                    column.typed::<BoolType>().write_batch(&flags, Some(&all), None).unwrap();
                }
                _ => {
                    let value = |row: &Written| {
                        if place == 5 { row.size } else { row.uploaded.map(|at| at.timestamp_millis()) }
                    };
                    let levels: Vec<i16> = rows.iter().map(|row| value(row).is_some().into()).collect();
                    let values: Vec<i64> = rows.iter().filter_map(value).collect();
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap();
                }
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

pub(super) fn csv_of(rows: &[Written]) -> Vec<u8> {
    let mut lines = String::new();
    for row in rows {
        let key: String = row
            .key
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => {
                    char::from(byte).to_string()
                }
                b' ' => "+".to_owned(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let size = row.size.map(|size| size.to_string()).unwrap_or_default();
        let uploaded =
            row.uploaded.map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default();
        lines += &format!(
            "\"media\",\"{key}\",\"\",\"{}\",\"{}\",\"{size}\",\"{uploaded}\",\"STANDARD\"\n",
            row.is_latest, row.is_marker
        );
    }
    gzipped(&lines)
}

pub(super) fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
