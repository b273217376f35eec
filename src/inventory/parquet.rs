//! Data files in Parquet: five columns at most are decoded, one group of rows at a time.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::column::{BATCH, Column, Leaf, Wrong, wrong};
use super::row::{Instant, Row};

/// The most bytes of one column in one group of rows: more is no inventory but an attack on memory.
const LARGEST_CHUNK: i64 = 2 << 30;

/// A data file, opened.
pub(super) struct Opened {
    file: SerializedFileReader<Shared>,
    columns: Places,
}

/// Where the columns stand among the file's leaves; each with its greatest definition level.
#[derive(Clone, Copy)]
struct Places {
    key: Leaf,
    size: Leaf,
    last_modified: Leaf,
    unit: TimeUnit,
    versions: Option<(Leaf, Leaf)>,
}

impl Opened {
    /// Opens a file; with versions if `versions`.
    pub(super) fn open(file: File, versions: bool) -> Result<Arc<Self>, Wrong> {
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let shared = Shared { file: Arc::new(Mutex::new(file)), length };
        let file = SerializedFileReader::new(shared).map_err(wrong)?;
        let columns = Places::of(file.metadata().file_metadata().schema_descr(), versions)?;
        let groups = file.metadata().row_groups();
        if groups
            .iter()
            .flat_map(|group| group.columns())
            .any(|chunk| chunk.uncompressed_size() > LARGEST_CHUNK)
        {
            return Err("a column of more than 2 GiB in one group of rows".to_owned());
        }
        let rows: i64 = groups.iter().map(|group| group.num_rows()).sum();
        if rows != file.metadata().file_metadata().num_rows() {
            return Err("it has not as many rows as it says".to_owned());
        }
        Ok(Arc::new(Self { file, columns }))
    }

    /// How many groups of rows there are.
    pub(super) fn groups(&self) -> usize {
        self.file.num_row_groups()
    }

    /// Hands every row of a group to `take`.
    pub(super) fn read<E: From<Wrong>>(
        &self,
        group: usize,
        mut take: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let group = self.file.get_row_group(group).map_err(wrong)?;
        let mut left = usize::try_from(group.metadata().num_rows())
            .map_err(|_| Wrong::from("a group of rows of no size"))?;
        let Places { key, size, last_modified, unit, versions } = self.columns;
        let group = group.as_ref();
        let mut keys = Column::<ByteArrayType>::open(group, key)?;
        let mut sizes = Column::<Int64Type>::open(group, size)?;
        let mut dates = Column::<Int64Type>::open(group, last_modified)?;
        let mut flags = match versions {
            None => None,
            Some((latest, marker)) => {
                Some((Column::<BoolType>::open(group, latest)?, Column::<BoolType>::open(group, marker)?))
            }
        };
        while left > 0 {
            let count = left.min(BATCH);
            keys.fill(count)?;
            sizes.fill(count)?;
            dates.fill(count)?;
            if let Some((latest, marker)) = &mut flags {
                latest.fill(count)?;
                marker.fill(count)?;
            }
            for place in 0..count {
                let key = keys.next(place).ok_or_else(|| Wrong::from("a row without a key"))?;
                let key = str::from_utf8(key.data()).map_err(|_| Wrong::from("a key that is not UTF-8"))?;
                let uploaded = dates.next(place).and_then(|date| instant(*date, unit));
                let (is_latest, is_marker) = match &mut flags {
                    None => (Some(true), Some(false)),
                    Some((latest, marker)) => (latest.next(place).copied(), marker.next(place).copied()),
                };
                let size = sizes.next(place).and_then(|size| u64::try_from(*size).ok());
                take(&Row { key, uploaded, size, is_latest, is_marker })?;
            }
            left -= count;
        }
        if keys.has_more()? {
            return Err(Wrong::from("a column that is longer than its group of rows").into());
        }
        Ok(())
    }
}

#[inline]
fn instant(value: i64, unit: TimeUnit) -> Option<Instant> {
    match unit {
        TimeUnit::MILLIS => split::<1_000>(value),
        TimeUnit::MICROS => split::<1_000_000>(value),
        TimeUnit::NANOS => split::<1_000_000_000>(value),
    }
}

/// Divides by a number that the compiler knows.
#[inline]
fn split<const PER_SECOND: i64>(value: i64) -> Option<Instant> {
    let nanos = value.rem_euclid(PER_SECOND) * (1_000_000_000 / PER_SECOND);
    Some(Instant { seconds: value.div_euclid(PER_SECOND), nanos: u32::try_from(nanos).ok()? })
}

impl Places {
    fn of(schema: &SchemaDescriptor, versions: bool) -> Result<Self, Wrong> {
        let find = |name: &str, physical: Physical| {
            let mut found =
                schema.columns().iter().enumerate().filter(|(_, leaf)| leaf.path().parts() == [name]);
            let (place, leaf) = found.next().ok_or_else(|| format!("it has no column {name}"))?;
            if found.next().is_some() {
                return Err(format!("it has the column {name} twice"));
            }
            let is_plain = leaf.max_rep_level() == 0 && leaf.max_def_level() <= 1;
            if !is_plain || leaf.physical_type() != physical {
                return Err(format!("the column {name} does not hold what it does in an inventory"));
            }
            Ok((Leaf { place, is_optional: leaf.max_def_level() == 1 }, leaf.as_ref()))
        };
        let (last_modified, dates) = find("last_modified_date", Physical::INT64)?;
        Ok(Self {
            key: find("key", Physical::BYTE_ARRAY)?.0,
            size: find("size", Physical::INT64)?.0,
            last_modified,
            unit: unit(dates).ok_or("the column last_modified_date holds no times in UTC")?,
            versions: if versions {
                let flag = |name| find(name, Physical::BOOLEAN).map(|(leaf, _)| leaf);
                Some((flag("is_latest")?, flag("is_delete_marker")?))
            } else {
                None
            },
        })
    }
}

fn unit(leaf: &ColumnDescriptor) -> Option<TimeUnit> {
    match (leaf.logical_type_ref(), leaf.converted_type()) {
        (Some(LogicalType::Timestamp(stamp)), _) if stamp.is_adjusted_to_u_t_c => Some(stamp.unit),
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some(TimeUnit::MILLIS),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some(TimeUnit::MICROS),
        _ => None,
    }
}

/// One file read by several threads, each from a place of its own: the clones of a [`File`] share theirs.
struct Shared {
    file: Arc<Mutex<File>>,
    length: u64,
}

/// Reads on from a place.
struct Reading {
    file: Arc<Mutex<File>>,
    at: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let count = file.read(buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<Reading>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(Reading { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF("a page beyond the end of the file".to_owned()));
        }
        let mut bytes = Vec::with_capacity(length);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        if (&mut *file).take(length as u64).read_to_end(&mut bytes)? < length {
            return Err(ParquetError::EOF("a page beyond the end of the file".to_owned()));
        }
        Ok(bytes.into())
    }
}
