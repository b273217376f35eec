//! Reading Apache Parquet: columns of text, whole numbers, dates, times and booleans.
//!
//! The decoder is known to panic on damaged files. It runs in a thread of its own, so that a panic
//! is an error like any other.

use std::panic::{self, AssertUnwindSafe};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{BoolType, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::fault::{At, LONGEST_FIELD, RecordError};
use super::intake::{Intake, ReadTable};
use super::table::RecordTable;
use crate::policy::Table;

/// The name of the thread that decodes: whoever prints panics can leave its out.
pub const READING_THREAD: &str = "parquet-records";

/// How many rows are decoded at once.
const BATCH_ROWS: usize = 4_096;

/// The most bytes of one column in one row group: more is no export but an attack on memory.
const LARGEST_CHUNK: i64 = 1 << 30;

impl RecordTable {
    /// Reads the file of `table`, keeping the columns that the policy asks for. Whole numbers,
    /// dates and times become the text that CSV would have for them; a null is an empty field.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, or has not the columns that `table` names, or has
    /// something else than plain values in them.
    pub fn read_parquet(
        table: &Table,
        file: impl ChunkReader + 'static,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<ReadTable, RecordError> {
        let damaged = || Err(RecordError::Parquet { what: "it is damaged".to_owned() });
        std::thread::scope(|scope| {
            let decode = || panic::catch_unwind(AssertUnwindSafe(|| read(table, file, now, zone)));
            match std::thread::Builder::new().name(READING_THREAD.to_owned()).spawn_scoped(scope, decode) {
                Ok(running) => {
                    running.join().map_or_else(|_| damaged(), |read| read.unwrap_or_else(|_| damaged()))
                }
                Err(source) => Err(RecordError::Io { line: 0, source }),
            }
        })
    }
}

fn read(
    table: &Table,
    file: impl ChunkReader + 'static,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<ReadTable, RecordError> {
    let file = SerializedFileReader::new(file)?;
    let metadata = file.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let exported_at = table.fresh.as_ref().map(|fresh| &fresh.exported_at);
    let names: Vec<&String> = [&table.id].into_iter().chain(&table.columns).chain(exported_at).collect();
    let columns = columns(schema, &names)?;
    let mut intake = Intake::new(table, zone, At::Row);
    let mut row = 0;
    for number in 0..file.num_row_groups() {
        let group = file.get_row_group(number)?;
        let mut left =
            usize::try_from(group.metadata().num_rows()).map_err(|_| damaged("a row group of no size"))?;
        for column in &columns {
            if group.metadata().column(column.place).uncompressed_size() > LARGEST_CHUNK {
                return Err(damaged("a column of more than 1 GiB in one row group"));
            }
        }
        let mut readers: Vec<ColumnReader> =
            columns.iter().map(|column| group.get_column_reader(column.place)).collect::<Result<_, _>>()?;
        while left > 0 {
            let count = left.min(BATCH_ROWS);
            let batch: Vec<Vec<Option<String>>> = readers
                .iter_mut()
                .zip(&columns)
                .map(|(reader, column)| column.values(reader, count))
                .collect::<Result<_, _>>()?;
            for place in 0..count {
                row += 1;
                let field = |column: usize| {
                    let text = batch.get(column).and_then(|values| values.get(place));
                    text.and_then(Option::as_deref).unwrap_or_default().trim()
                };
                let exported = exported_at.map(|_| field(names.len() - 1));
                let values = (1..=table.columns.len()).map(|column| Some(field(column)));
                intake.row(row, field(0), exported, values)?;
            }
            left -= count;
        }
        for (reader, column) in readers.iter_mut().zip(&columns) {
            if column.values(reader, 1).is_ok() {
                return Err(damaged("a column that is longer than the others"));
            }
        }
    }
    if i64::try_from(intake.rows()).ok() != Some(metadata.file_metadata().num_rows()) {
        return Err(damaged("it has not as many rows as it says"));
    }
    if intake.rows() == 0 {
        return Err(RecordError::NoRows);
    }
    Ok(intake.finish(table, now))
}

fn damaged(what: &str) -> RecordError {
    RecordError::Parquet { what: what.to_owned() }
}

impl From<ParquetError> for RecordError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet { what: error.to_string() }
    }
}

/// A column that is read.
struct Column {
    /// Its place among the file's leaves.
    place: usize,
    kind: Kind,
    is_optional: bool,
}

/// How a column's values become text.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Boolean,
    Int32 {
        is_signed: bool,
    },
    Int64 {
        is_signed: bool,
    },
    /// Days since 1970.
    Date,
    /// So many parts of a second since 1970.
    Time {
        per_second: i64,
        is_utc: bool,
    },
}

fn columns(schema: &SchemaDescriptor, names: &[&String]) -> Result<Vec<Column>, RecordError> {
    let is = |leaf: &ColumnDescPtr, name: &str| leaf.path().parts() == [name];
    let leaves = schema.columns();
    let missing: Vec<String> = names
        .iter()
        .filter(|name| !leaves.iter().any(|leaf| is(leaf, name)))
        .map(|name| (*name).clone())
        .collect();
    if !missing.is_empty() {
        let found = leaves.iter().map(|leaf| leaf.path().string()).collect();
        return Err(RecordError::MissingColumns { missing, found });
    }
    names
        .iter()
        .map(|name| {
            let mut found = leaves.iter().enumerate().filter(|(_, leaf)| is(leaf, name));
            let Some((place, leaf)) = found.next() else { return Err(damaged("a column is not there")) };
            if found.next().is_some() {
                return Err(RecordError::RepeatedColumn((*name).clone()));
            }
            let kind = kind(leaf).filter(|_| leaf.max_rep_level() == 0 && leaf.max_def_level() <= 1);
            let kind = kind
                .ok_or_else(|| RecordError::ColumnType { column: (*name).clone(), found: describe(leaf) })?;
            Ok(Column { place, kind, is_optional: leaf.max_def_level() == 1 })
        })
        .collect()
}

fn describe(leaf: &ColumnDescPtr) -> String {
    if leaf.max_rep_level() > 0 || leaf.max_def_level() > 1 {
        return "lists or nested values".to_owned();
    }
    match leaf.logical_type_ref() {
        Some(logical) => format!("{logical:?}"),
        None => leaf.physical_type().to_string(),
    }
}

fn kind(leaf: &ColumnDescPtr) -> Option<Kind> {
    let per_second = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    match (leaf.physical_type(), leaf.logical_type_ref(), leaf.converted_type()) {
        (Physical::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum), _)
        | (Physical::BYTE_ARRAY, None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::NONE) => {
            Some(Kind::Text)
        }
        (Physical::BOOLEAN, None, _) => Some(Kind::Boolean),
        (Physical::INT32, Some(LogicalType::Date), _) | (Physical::INT32, None, ConvertedType::DATE) => {
            Some(Kind::Date)
        }
        (Physical::INT64, Some(LogicalType::Timestamp(stamp)), _) => {
            Some(Kind::Time { per_second: per_second(&stamp.unit), is_utc: stamp.is_adjusted_to_u_t_c })
        }
        (Physical::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => {
            Some(Kind::Time { per_second: 1_000, is_utc: true })
        }
        (Physical::INT64, None, ConvertedType::TIMESTAMP_MICROS) => {
            Some(Kind::Time { per_second: 1_000_000, is_utc: true })
        }
        (Physical::INT32, Some(LogicalType::Integer(int)), _) => {
            Some(Kind::Int32 { is_signed: int.is_signed })
        }
        (Physical::INT64, Some(LogicalType::Integer(int)), _) => {
            Some(Kind::Int64 { is_signed: int.is_signed })
        }
        (
            Physical::INT32,
            None,
            ConvertedType::NONE | ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32,
        ) => Some(Kind::Int32 { is_signed: true }),
        (Physical::INT64, None, ConvertedType::NONE | ConvertedType::INT_64) => {
            Some(Kind::Int64 { is_signed: true })
        }
        _ => None,
    }
}

impl Column {
    /// The next `count` values as text.
    fn values(&self, reader: &mut ColumnReader, count: usize) -> Result<Vec<Option<String>>, RecordError> {
        match (self.kind, reader) {
            (Kind::Text, ColumnReader::ByteArrayColumnReader(reader)) => {
                self.read::<ByteArrayType>(reader, count, |value| {
                    if value.len() > LONGEST_FIELD {
                        return Err(damaged("a field of more than 64 KiB"));
                    }
                    let text = value.as_utf8().map_err(|_| damaged("text that is not UTF-8"))?;
                    Ok(text.to_owned())
                })
            }
            (Kind::Boolean, ColumnReader::BoolColumnReader(reader)) => {
                self.read::<BoolType>(reader, count, |value| Ok(value.to_string()))
            }
            (Kind::Int32 { is_signed }, ColumnReader::Int32ColumnReader(reader)) => {
                self.read::<Int32Type>(reader, count, |value| {
                    Ok(if is_signed { value.to_string() } else { value.cast_unsigned().to_string() })
                })
            }
            (Kind::Int64 { is_signed }, ColumnReader::Int64ColumnReader(reader)) => {
                self.read::<Int64Type>(reader, count, |value| {
                    Ok(if is_signed { value.to_string() } else { value.cast_unsigned().to_string() })
                })
            }
            (Kind::Date, ColumnReader::Int32ColumnReader(reader)) => {
                self.read::<Int32Type>(reader, count, |value| {
                    let day = DateTime::from_timestamp(i64::from(*value) * 86_400, 0);
                    Ok(day.map_or_else(|| value.to_string(), |day| day.date_naive().to_string()))
                })
            }
            (Kind::Time { per_second, is_utc }, ColumnReader::Int64ColumnReader(reader)) => {
                self.read::<Int64Type>(reader, count, |value| Ok(time(*value, per_second, is_utc)))
            }
            _ => Err(damaged("a column of another type than it says")),
        }
    }

    fn read<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        count: usize,
        text: impl Fn(&T::T) -> Result<String, RecordError>,
    ) -> Result<Vec<Option<String>>, RecordError> {
        let mut values = Vec::new();
        let mut levels: Vec<i16> = Vec::new();
        let mut done = 0;
        while done < count {
            let wanted = self.is_optional.then_some(&mut levels);
            let (records, _, _) = reader.read_records(count - done, wanted, None, &mut values)?;
            if records == 0 {
                return Err(damaged("a column that is shorter than the others"));
            }
            done += records;
        }
        let mut values = values.iter();
        let mut next = || {
            let value = values.next().ok_or_else(|| damaged("fewer values than rows"))?;
            text(value).map(Some)
        };
        (0..count)
            .map(|place| {
                let is_there = !self.is_optional || levels.get(place).is_some_and(|level| *level == 1);
                if is_there { next() } else { Ok(None) }
            })
            .collect()
    }
}

/// A time as text; one beyond the calendar stays a number, which is no date.
fn time(value: i64, per_second: i64, is_utc: bool) -> String {
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    let at = DateTime::from_timestamp(value.div_euclid(per_second), u32::try_from(nanos).unwrap_or_default());
    let form = if is_utc { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f" };
    at.map_or_else(|| value.to_string(), |at| at.format(form).to_string())
}
