//! Reading a plan file, a batch of rows at a time, and holding it to its digest.

use std::io::Read;
use std::sync::Arc;
use std::{iter, vec};

use chrono::{DateTime, Utc};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use serde_json::Value;
use smol_str::SmolStr;

use super::seal::{self, Seal, TAIL};
use super::{FORMAT, FORMAT_KEY, HEADER_KEY, PlanFileError, schema};
use crate::object::Kind;
use crate::plan::row::{Action, Order, PlanRow};

/// How many rows are decoded at once.
const BATCH_ROWS: usize = 1_024;

/// What a Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// A plan file that is open for reading, and is as it was written.
pub struct PlanReader<R: ChunkReader + 'static> {
    file: Arc<SerializedFileReader<R>>,
    header: Value,
    digest: String,
    rows: u64,
}

impl<R: ChunkReader + 'static> PlanReader<R> {
    /// Opens a plan: reads the whole file once to hold it to its seal, then its footer.
    ///
    /// # Errors
    /// [`NotAPlan`](PlanFileError::NotAPlan), [`CutOff`](PlanFileError::CutOff),
    /// [`Edited`](PlanFileError::Edited), [`Newer`](PlanFileError::Newer) or
    /// [`Damaged`](PlanFileError::Damaged).
    pub fn open(source: R) -> Result<Self, PlanFileError> {
        let footer_start = check_ends(&source)?;
        let seal = seal::check(&source, footer_start).map_err(unreadable("it cannot be read"))?;
        if matches!(seal, Seal::Broken) {
            return Err(PlanFileError::Edited);
        }
        let file = SerializedFileReader::new(source).map_err(unreadable("its footer cannot be read"))?;
        let footer = file.metadata().file_metadata();
        let value = |key: &str| {
            let pairs = footer.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
        };
        let format = value(FORMAT_KEY).ok_or(PlanFileError::NotAPlan)?;
        let format: u32 = format.parse().map_err(|_| damaged("its format is no number"))?;
        if format > FORMAT {
            return Err(PlanFileError::Newer { found: format });
        }
        if format < FORMAT {
            return Err(PlanFileError::Older { found: format });
        }
        let Seal::Whole(digest) = seal else {
            return Err(damaged("it has no seal"));
        };
        let header = value(HEADER_KEY).ok_or(damaged("it has no header"))?;
        let header = serde_json::from_str(header).map_err(|_| damaged("its header is no JSON"))?;
        let columns = schema().map_err(unreadable("its columns cannot be known"))?;
        if footer.schema() != columns.as_ref() {
            return Err(damaged("its columns are not those of a plan"));
        }
        let rows =
            u64::try_from(footer.num_rows()).map_err(|_| damaged("it claims to have less than no rows"))?;
        Ok(Self { file: Arc::new(file), header, digest, rows })
    }

    /// The JSON header.
    pub const fn header(&self) -> &Value {
        &self.header
    }

    /// How many rows there are.
    pub const fn row_count(&self) -> u64 {
        self.rows
    }

    /// SHA-256 (hex) of the whole file, as it was when it was opened.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The rows, read as they are asked for, each sound and at its place; an error is the last
    /// item.
    pub fn rows(&self) -> Rows<R> {
        Rows {
            file: Arc::clone(&self.file),
            next_group: 0,
            columns: Vec::new(),
            left: 0,
            batch: Vec::new().into_iter(),
            order: Order::default(),
            row: 0,
            over: false,
        }
    }
}

/// Tells a cut plan from a file that was never one; gives the place where its footer begins.
fn check_ends<R: ChunkReader>(source: &R) -> Result<u64, PlanFileError> {
    let length = source.len();
    let read = |start: u64, count: usize| {
        let mut bytes = Vec::with_capacity(count);
        source
            .get_read(start)
            .and_then(|part| Ok(part.take(count as u64).read_to_end(&mut bytes)?))
            .map_err(unreadable("it cannot be read"))?;
        Ok::<_, PlanFileError>(bytes)
    };
    if !MAGIC.starts_with(&read(0, MAGIC.len())?) {
        return Err(PlanFileError::NotAPlan);
    }
    let body = length.checked_sub((MAGIC.len() + TAIL) as u64).ok_or(PlanFileError::CutOff)?;
    let [a, b, c, d, magic @ ..] = &read(length - TAIL as u64, TAIL)?[..] else {
        return Err(PlanFileError::CutOff);
    };
    if magic != MAGIC {
        return Err(PlanFileError::CutOff);
    }
    let footer = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    if footer > body {
        return Err(damaged("its footer is longer than the file"));
    }
    Ok(length - TAIL as u64 - footer)
}

/// The rows of a plan: see [`PlanReader::rows`].
pub struct Rows<R: ChunkReader + 'static> {
    file: Arc<SerializedFileReader<R>>,
    next_group: usize,
    columns: Vec<ColumnReader>,
    left: usize,
    batch: vec::IntoIter<PlanRow>,
    order: Order,
    row: u64,
    over: bool,
}

impl<R: ChunkReader + 'static> Iterator for Rows<R> {
    type Item = Result<PlanRow, PlanFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.advance().transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl<R: ChunkReader + 'static> Rows<R> {
    fn advance(&mut self) -> Result<Option<PlanRow>, PlanFileError> {
        loop {
            if let Some(row) = self.batch.next() {
                self.row += 1;
                self.order.admit(&row).map_err(|fault| PlanFileError::Row { row: self.row, fault })?;
                return Ok(Some(row));
            }
            if self.left > 0 {
                let count = self.left.min(BATCH_ROWS);
                self.left -= count;
                self.batch = Batch::read(&mut self.columns, count)?.into_iter();
            } else if self.next_group < self.file.num_row_groups() {
                self.open_group()?;
            } else {
                return Ok(None);
            }
        }
    }

    fn open_group(&mut self) -> Result<(), PlanFileError> {
        let cannot_read = || unreadable("a group of rows cannot be read");
        let group = self.file.get_row_group(self.next_group).map_err(cannot_read())?;
        self.next_group += 1;
        self.left = usize::try_from(group.metadata().num_rows())
            .map_err(|_| damaged("a group of rows claims to have less than none"))?;
        self.columns = (0..group.num_columns())
            .map(|column| group.get_column_reader(column))
            .collect::<Result<_, _>>()
            .map_err(cannot_read())?;
        Ok(())
    }
}

/// Rows that are being put together, a column at a time.
struct Batch<'a> {
    columns: std::slice::IterMut<'a, ColumnReader>,
    rows: Vec<PlanRow>,
}

impl Batch<'_> {
    fn read(columns: &mut [ColumnReader], count: usize) -> Result<Vec<PlanRow>, PlanFileError> {
        let rows = iter::repeat_with(blank).take(count).collect();
        let mut batch = Batch { columns: columns.iter_mut(), rows };
        batch.required::<ByteArrayType>(|row, value| {
            row.action = Action::from_word(text(value)?).ok_or(damaged("an unknown action"))?;
            Ok(())
        })?;
        batch.required::<ByteArrayType>(|row, value| {
            row.kind = Kind::from_word(text(value)?).ok_or(damaged("an unknown kind"))?;
            Ok(())
        })?;
        batch.text(|row| &mut row.bucket)?;
        batch.text(|row| &mut row.key)?;
        batch.text_if_any(|row| &mut row.version_id)?;
        batch.text_if_any(|row| &mut row.upload_id)?;
        batch.flag(|row| &mut row.is_latest)?;
        batch.text_if_any(|row| &mut row.etag)?;
        batch.time(|row| &mut row.last_modified)?;
        batch.required::<Int64Type>(|row, value| {
            row.size = u64::try_from(*value).map_err(|_| damaged("a size below zero"))?;
            Ok(())
        })?;
        batch.text_if_any(|row| &mut row.storage_class)?;
        batch.text_if_any(|row| &mut row.tenant)?;
        batch.text(|row| &mut row.rule)?;
        batch.text_if_any(|row| &mut row.erasure)?;
        batch.text_if_any(|row| &mut row.trigger)?;
        batch.text_if_any(|row| &mut row.trigger_source)?;
        batch.time(|row| &mut row.due)?;
        batch.text(|row| &mut row.reason)?;
        batch.flag(|row| &mut row.overdue_sweep)?;
        batch.text_if_any(|row| &mut row.export)?;
        Ok(batch.rows)
    }

    fn text(&mut self, field: impl Fn(&mut PlanRow) -> &mut SmolStr) -> Result<(), PlanFileError> {
        let mut shared = Shared::default();
        self.required::<ByteArrayType>(|row, value| {
            *field(row) = shared.text(value)?;
            Ok(())
        })
    }

    fn flag(&mut self, field: impl Fn(&mut PlanRow) -> &mut bool) -> Result<(), PlanFileError> {
        self.required::<BoolType>(|row, value| {
            *field(row) = *value;
            Ok(())
        })
    }

    fn time(&mut self, field: impl Fn(&mut PlanRow) -> &mut DateTime<Utc>) -> Result<(), PlanFileError> {
        self.required::<Int64Type>(|row, value| {
            *field(row) = DateTime::from_timestamp_millis(*value).ok_or(damaged("a time out of range"))?;
            Ok(())
        })
    }

    fn text_if_any(
        &mut self,
        field: impl Fn(&mut PlanRow) -> &mut Option<SmolStr>,
    ) -> Result<(), PlanFileError> {
        let mut levels = Vec::new();
        let values = self.column::<ByteArrayType>(Some(&mut levels))?;
        let (mut values, mut shared) = (values.iter(), Shared::default());
        for (row, level) in self.rows.iter_mut().zip(levels) {
            *field(row) = match level {
                0 => None,
                _ => Some(shared.text(values.next().ok_or(SHORT)?)?),
            };
        }
        Ok(())
    }

    fn required<T: Physical>(
        &mut self,
        mut set: impl FnMut(&mut PlanRow, &T::T) -> Result<(), PlanFileError>,
    ) -> Result<(), PlanFileError> {
        let values = self.column::<T>(None)?;
        if values.len() != self.rows.len() {
            return Err(SHORT);
        }
        self.rows.iter_mut().zip(&values).try_for_each(|(row, value)| set(row, value))
    }

    /// As many values of the next column as there are rows, those that are not there aside.
    fn column<T: Physical>(&mut self, levels: Option<&mut Vec<i16>>) -> Result<Vec<T::T>, PlanFileError> {
        let reader = self.columns.next().ok_or(SHORT)?;
        let reader = T::reader(reader).ok_or(SHORT)?;
        let mut values = Vec::with_capacity(self.rows.len());
        let (records, ..) = reader
            .read_records(self.rows.len(), levels, None, &mut values)
            .map_err(unreadable("a column cannot be read"))?;
        if records == self.rows.len() { Ok(values) } else { Err(SHORT) }
    }
}

/// A physical type that plans use.
trait Physical: DataType + Sized {
    /// The reader of a column of this type.
    fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<Self>>;
}

impl Physical for BoolType {
    fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<Self>> {
        if let ColumnReader::BoolColumnReader(reader) = column { Some(reader) } else { None }
    }
}

impl Physical for Int64Type {
    fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<Self>> {
        if let ColumnReader::Int64ColumnReader(reader) = column { Some(reader) } else { None }
    }
}

impl Physical for ByteArrayType {
    fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<Self>> {
        if let ColumnReader::ByteArrayColumnReader(reader) = column { Some(reader) } else { None }
    }
}

const SHORT: PlanFileError = damaged("a column has fewer values than the plan has rows");

/// A row whose every field is yet to be read.
fn blank() -> PlanRow {
    PlanRow {
        action: Action::Delete,
        kind: Kind::Object,
        bucket: SmolStr::default(),
        key: SmolStr::default(),
        version_id: None,
        upload_id: None,
        is_latest: false,
        etag: None,
        last_modified: DateTime::UNIX_EPOCH,
        size: 0,
        storage_class: None,
        tenant: None,
        rule: SmolStr::default(),
        trigger: None,
        trigger_source: None,
        due: DateTime::UNIX_EPOCH,
        reason: SmolStr::default(),
        erasure: None,
        overdue_sweep: false,
        export: None,
    }
}

/// A column's texts, of which neighbours are often the same: those are held once.
#[derive(Default)]
struct Shared {
    last: SmolStr,
}

impl Shared {
    fn text(&mut self, value: &ByteArray) -> Result<SmolStr, PlanFileError> {
        if value.data() != self.last.as_bytes() {
            self.last = text(value)?.into();
        }
        Ok(self.last.clone())
    }
}

fn text(value: &ByteArray) -> Result<&str, PlanFileError> {
    std::str::from_utf8(value.data()).map_err(|_| damaged("a text that is no UTF-8"))
}

const fn damaged(what: &'static str) -> PlanFileError {
    PlanFileError::Damaged { what, source: None }
}

fn unreadable(what: &'static str) -> impl Fn(ParquetError) -> PlanFileError {
    move |error| PlanFileError::Damaged { what, source: Some(error) }
}
