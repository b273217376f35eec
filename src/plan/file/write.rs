//! Writing a plan file, a row group at a time.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use serde_json::Value;
use smol_str::SmolStr;

use super::seal::{self, Sealing};
use super::{FORMAT, FORMAT_KEY, HEADER_KEY, PlanFileError, schema};
use crate::plan::row::{Order, PlanRow};

/// How many rows are held before they are written: about 5 MB.
const GROUP_ROWS: usize = 8_192;

/// Columns whose values are each their own: a dictionary of them would hold them all.
const UNIQUE: [&str; 4] = ["key", "version_id", "upload_id", "etag"];

/// Writes a plan file. One that is not [finished](PlanWriter::finish) is no plan.
pub struct PlanWriter<W: Write + Send> {
    file: SerializedFileWriter<Sealing<W>>,
    pending: Vec<PlanRow>,
    order: Order,
    rows: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 (hex) of the whole file.
    pub digest: String,
}

impl<W: Write + Send> PlanWriter<W> {
    /// Starts a plan file.
    ///
    /// # Errors
    /// [`PlanFileError::Write`].
    pub fn new(output: W) -> Result<Self, PlanFileError> {
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("shelflife {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true);
        for column in UNIQUE {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
        }
        let file = schema()
            .and_then(|schema| {
                SerializedFileWriter::new(Sealing::new(output), schema, Arc::new(properties.build()))
            })
            .map_err(PlanFileError::Write)?;
        Ok(Self { file, pending: Vec::new(), order: Order::default(), rows: 0 })
    }

    /// Adds a row. Rows come by bucket, then by key in byte order; for each key uploads first,
    /// then versions from the oldest to the latest.
    ///
    /// # Errors
    /// [`PlanFileError::Row`] for a row that is not sound or not at its place, which is then not
    /// added; [`PlanFileError::Write`].
    pub fn push(&mut self, row: PlanRow) -> Result<(), PlanFileError> {
        self.order.admit(&row).map_err(|fault| PlanFileError::Row { row: self.rows + 1, fault })?;
        self.rows += 1;
        self.pending.push(row);
        if self.pending.len() == GROUP_ROWS {
            self.write_group().map_err(PlanFileError::Write)?;
        }
        Ok(())
    }

    /// How many rows there are so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what is left, the header and the footer.
    ///
    /// # Errors
    /// [`PlanFileError::Write`].
    pub fn finish(mut self, header: &Value) -> Result<Written, PlanFileError> {
        self.write_group().and_then(|()| self.seal(header)).map_err(PlanFileError::Write)
    }

    fn seal(mut self, header: &Value) -> Result<Written, ParquetError> {
        self.file.inner_mut().hold_footer();
        for (key, value) in [(FORMAT_KEY, FORMAT.to_string()), (HEADER_KEY, header.to_string())] {
            self.file.append_key_value_metadata(KeyValue::new(key.to_string(), value));
        }
        self.file.append_key_value_metadata(seal::blank());
        let digest = self.file.into_inner()?.seal()?;
        Ok(Written { rows: self.rows, digest })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let rows = mem::take(&mut self.pending);
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = Group { columns: self.file.next_row_group()?, rows: &rows };
        group.text(|row| row.action.word())?;
        group.text(|row| row.kind.word())?;
        group.text(|row| &row.bucket)?;
        group.text(|row| &row.key)?;
        group.text_if_any(|row| &row.version_id)?;
        group.text_if_any(|row| &row.upload_id)?;
        group.required::<BoolType>(|row| row.is_latest)?;
        group.text_if_any(|row| &row.etag)?;
        group.required::<Int64Type>(|row| row.last_modified.timestamp_millis())?;
        // `PlanRow::check` has seen that the size fits.
        group.required::<Int64Type>(|row| row.size.cast_signed())?;
        group.text_if_any(|row| &row.storage_class)?;
        group.text_if_any(|row| &row.tenant)?;
        group.text(|row| &row.rule)?;
        group.text_if_any(|row| &row.erasure)?;
        group.text_if_any(|row| &row.trigger)?;
        group.text_if_any(|row| &row.trigger_source)?;
        group.required::<Int64Type>(|row| row.due.timestamp_millis())?;
        group.text(|row| &row.reason)?;
        group.required::<BoolType>(|row| row.overdue_sweep)?;
        group.text_if_any(|row| &row.export)?;
        group.columns.close()?;
        Ok(())
    }
}

/// A row group whose columns are written one after the other, in the schema's order.
struct Group<'a, W: Write + Send> {
    columns: SerializedRowGroupWriter<'a, W>,
    rows: &'a [PlanRow],
}

impl<W: Write + Send> Group<'_, W> {
    fn required<T: DataType>(&mut self, value: impl Fn(&PlanRow) -> T::T) -> Result<(), ParquetError> {
        let values: Vec<_> = self.rows.iter().map(value).collect();
        self.write::<T>(&values, None)
    }

    fn text(&mut self, value: impl Fn(&PlanRow) -> &str) -> Result<(), ParquetError> {
        let values = texts(self.rows.iter().map(value));
        self.write::<ByteArrayType>(&values, None)
    }

    fn text_if_any(&mut self, value: impl Fn(&PlanRow) -> &Option<SmolStr>) -> Result<(), ParquetError> {
        let levels: Vec<_> = self.rows.iter().map(|row| i16::from(value(row).is_some())).collect();
        let values = texts(self.rows.iter().filter_map(|row| value(row).as_deref()));
        self.write::<ByteArrayType>(&values, Some(&levels))
    }

    fn write<T: DataType>(&mut self, values: &[T::T], levels: Option<&[i16]>) -> Result<(), ParquetError> {
        let mut column = self
            .columns
            .next_column()?
            .ok_or_else(|| ParquetError::General("more columns than the schema has".into()))?;
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }
}

/// The texts of a column, all in one piece of memory; what is the same as the text before stands there once.
fn texts<'r>(texts: impl Iterator<Item = &'r str>) -> Vec<ByteArray> {
    let (mut all, mut places, mut last) = (Vec::new(), Vec::new(), None);
    for text in texts {
        if last != Some(text) {
            all.extend_from_slice(text.as_bytes());
            last = Some(text);
        }
        places.push(all.len() - text.len()..all.len());
    }
    let all = Bytes::from(all);
    places.into_iter().map(|place| ByteArray::from(all.slice(place))).collect()
}
