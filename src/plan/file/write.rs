//! Writing a plan file, a row group at a time.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use serde_json::Value;

use super::seal::{self, Sealing};
use super::{FORMAT, FORMAT_KEY, HEADER_KEY, PlanFileError, schema};
use crate::plan::row::{Order, PlanRow};

/// How many rows are held before they are written: about 5 MB.
const GROUP_ROWS: usize = 8_192;

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
        let properties = WriterProperties::builder()
            .set_created_by(format!("shelflife {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .build();
        let file = schema()
            .and_then(|schema| SerializedFileWriter::new(Sealing::new(output), schema, Arc::new(properties)))
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
        group.required::<ByteArrayType>(|row| row.action.word().into())?;
        group.required::<ByteArrayType>(|row| row.kind.word().into())?;
        group.required::<ByteArrayType>(|row| row.bucket.as_str().into())?;
        group.required::<ByteArrayType>(|row| row.key.as_str().into())?;
        group.text_if_any(|row| &row.version_id)?;
        group.text_if_any(|row| &row.upload_id)?;
        group.required::<BoolType>(|row| row.is_latest)?;
        group.text_if_any(|row| &row.etag)?;
        group.required::<Int64Type>(|row| row.last_modified.timestamp_millis())?;
        // `PlanRow::check` has seen that the size fits.
        group.required::<Int64Type>(|row| row.size.cast_signed())?;
        group.text_if_any(|row| &row.storage_class)?;
        group.text_if_any(|row| &row.tenant)?;
        group.required::<ByteArrayType>(|row| row.rule.as_str().into())?;
        group.text_if_any(|row| &row.erasure)?;
        group.text_if_any(|row| &row.trigger)?;
        group.text_if_any(|row| &row.trigger_source)?;
        group.required::<Int64Type>(|row| row.due.timestamp_millis())?;
        group.required::<ByteArrayType>(|row| row.reason.as_str().into())?;
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

    fn text_if_any(&mut self, value: impl Fn(&PlanRow) -> &Option<String>) -> Result<(), ParquetError> {
        let levels: Vec<_> = self.rows.iter().map(|row| i16::from(value(row).is_some())).collect();
        let values: Vec<_> =
            self.rows.iter().filter_map(|row| value(row).as_deref()).map(ByteArray::from).collect();
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
