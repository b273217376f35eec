//! Writing a plan file, a row group at a time.

use std::io::Write;
use std::mem;
use std::ops::Range;
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

use super::seal::{self, Sealing};
use super::{FORMAT, FORMAT_KEY, HEADER_KEY, PlanFileError, schema};
use crate::plan::row::{Order, PlanRow};

/// How many rows are held before they are written, as columns: 2 or 3 MB.
const GROUP_ROWS: usize = 8_192;

/// Columns whose values are each their own: a dictionary of them would hold them all.
const UNIQUE: [&str; 4] = ["key", "version_id", "upload_id", "etag"];

/// Writes a plan file. One that is not [finished](PlanWriter::finish) is no plan.
pub struct PlanWriter<W: Write + Send> {
    file: SerializedFileWriter<Sealing<W>>,
    pending: Columns,
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
        Ok(Self { file, pending: Columns::default(), order: Order::default(), rows: 0 })
    }

    /// Adds a row. Rows come by bucket, then by key in byte order; for each key uploads first,
    /// then versions from the oldest to the latest.
    ///
    /// # Errors
    /// [`PlanFileError::Row`] for a row that is not sound or not at its place, which is then not
    /// added; [`PlanFileError::Write`].
    pub fn push(&mut self, row: &PlanRow) -> Result<(), PlanFileError> {
        self.order.admit(row).map_err(|fault| PlanFileError::Row { row: self.rows + 1, fault })?;
        self.rows += 1;
        self.pending.push(row);
        if self.pending.rows() >= GROUP_ROWS {
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
        if self.pending.rows() == 0 {
            return Ok(());
        }
        let Columns {
            actions,
            kinds,
            buckets,
            keys,
            version_ids,
            upload_ids,
            are_latest,
            etags,
            last_modified,
            sizes,
            storage_classes,
            tenants,
            rules,
            erasures,
            triggers,
            trigger_sources,
            due,
            reasons,
            are_swept,
            exports,
        } = &mut self.pending;
        let mut group = Group(self.file.next_row_group()?);
        group.texts(actions, REQUIRED)?;
        group.texts(kinds, REQUIRED)?;
        group.texts(buckets, REQUIRED)?;
        group.texts(keys, REQUIRED)?;
        group.texts(version_ids, OPTIONAL)?;
        group.texts(upload_ids, OPTIONAL)?;
        group.values::<BoolType>(are_latest)?;
        group.texts(etags, OPTIONAL)?;
        group.values::<Int64Type>(last_modified)?;
        group.values::<Int64Type>(sizes)?;
        group.texts(storage_classes, OPTIONAL)?;
        group.texts(tenants, OPTIONAL)?;
        group.texts(rules, REQUIRED)?;
        group.texts(erasures, OPTIONAL)?;
        group.texts(triggers, OPTIONAL)?;
        group.texts(trigger_sources, OPTIONAL)?;
        group.values::<Int64Type>(due)?;
        group.texts(reasons, REQUIRED)?;
        group.values::<BoolType>(are_swept)?;
        group.texts(exports, OPTIONAL)?;
        group.0.close()?;
        Ok(())
    }
}

const REQUIRED: bool = true;
const OPTIONAL: bool = false;

/// Rows that wait to be written, column by column.
#[derive(Default)]
struct Columns {
    actions: Texts,
    kinds: Texts,
    buckets: Texts,
    keys: Texts,
    version_ids: Texts,
    upload_ids: Texts,
    are_latest: Vec<bool>,
    etags: Texts,
    last_modified: Vec<i64>,
    sizes: Vec<i64>,
    storage_classes: Texts,
    tenants: Texts,
    rules: Texts,
    erasures: Texts,
    triggers: Texts,
    trigger_sources: Texts,
    due: Vec<i64>,
    reasons: Texts,
    are_swept: Vec<bool>,
    exports: Texts,
}

impl Columns {
    const fn rows(&self) -> usize {
        self.sizes.len()
    }

    fn push(&mut self, row: &PlanRow) {
        self.actions.push(Some(row.action.word()));
        self.kinds.push(Some(row.kind.word()));
        self.buckets.push(Some(&row.bucket));
        self.keys.push(Some(&row.key));
        self.version_ids.push(row.version_id.as_deref());
        self.upload_ids.push(row.upload_id.as_deref());
        self.are_latest.push(row.is_latest);
        self.etags.push(row.etag.as_deref());
        self.last_modified.push(row.last_modified.timestamp_millis());
        // `PlanRow::check` has seen that the size fits.
        self.sizes.push(row.size.cast_signed());
        self.storage_classes.push(row.storage_class.as_deref());
        self.tenants.push(row.tenant.as_deref());
        self.rules.push(Some(&row.rule));
        self.erasures.push(row.erasure.as_deref());
        self.triggers.push(row.trigger.as_deref());
        self.trigger_sources.push(row.trigger_source.as_deref());
        self.due.push(row.due.timestamp_millis());
        self.reasons.push(Some(&row.reason));
        self.are_swept.push(row.overdue_sweep);
        self.exports.push(row.export.as_deref());
    }
}

/// The texts of a column, all in one piece of memory; what is the same as the text before stands there once.
#[derive(Default)]
struct Texts {
    all: Vec<u8>,
    places: Vec<Range<usize>>,
    /// 1 for each row that has one, else 0.
    levels: Vec<i16>,
}

impl Texts {
    fn push(&mut self, text: Option<&str>) {
        self.levels.push(text.is_some().into());
        let Some(text) = text.map(str::as_bytes) else { return };
        let place = match self.places.last() {
            Some(last) if self.all.get(last.clone()) == Some(text) => last.clone(),
            _ => {
                self.all.extend_from_slice(text);
                self.all.len() - text.len()..self.all.len()
            }
        };
        self.places.push(place);
    }
}

/// A row group whose columns are written one after the other, in the schema's order.
struct Group<'a, W: Write + Send>(SerializedRowGroupWriter<'a, W>);

impl<W: Write + Send> Group<'_, W> {
    /// Writes a column of texts, and empties it.
    fn texts(&mut self, texts: &mut Texts, is_required: bool) -> Result<(), ParquetError> {
        let Texts { all, places, levels } = texts;
        let size = all.len();
        let whole = Bytes::from(mem::replace(all, Vec::with_capacity(size)));
        let values: Vec<_> = places.drain(..).map(|place| ByteArray::from(whole.slice(place))).collect();
        self.write::<ByteArrayType>(&values, (!is_required).then_some(&**levels))?;
        levels.clear();
        Ok(())
    }

    /// Writes a column of numbers or flags, and empties it.
    fn values<T: DataType>(&mut self, values: &mut Vec<T::T>) -> Result<(), ParquetError> {
        self.write::<T>(values, None)?;
        values.clear();
        Ok(())
    }

    fn write<T: DataType>(&mut self, values: &[T::T], levels: Option<&[i16]>) -> Result<(), ParquetError> {
        let mut column = self
            .0
            .next_column()?
            .ok_or_else(|| ParquetError::General("more columns than the schema has".into()))?;
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }
}
