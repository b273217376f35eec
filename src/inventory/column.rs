//! A column of a data file in Parquet, some rows at a time.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{BoolType, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;

/// How many rows are decoded at once.
pub(super) const BATCH: usize = 8_192;

/// What is wrong, in words.
pub(super) type Wrong = String;

/// Where a column stands among a file's leaves.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    pub(super) place: usize,
    pub(super) is_optional: bool,
}

/// A column on its way.
pub(super) struct Column<T: DataType> {
    is_optional: bool,
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    levels: Vec<i16>,
    next: usize,
}

impl<T: DataType> Column<T> {
    /// The column of a group of rows, if it has the type that `of_type` takes.
    pub(super) fn open(
        group: &dyn RowGroupReader,
        leaf: Leaf,
        of_type: fn(ColumnReader) -> Option<ColumnReaderImpl<T>>,
    ) -> Result<Self, Wrong> {
        let reader = group.get_column_reader(leaf.place).map_err(wrong)?;
        let reader = of_type(reader).ok_or("a column of another type than it says")?;
        Ok(Self { is_optional: leaf.is_optional, reader, values: Vec::new(), levels: Vec::new(), next: 0 })
    }

    /// Reads so many rows on.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), Wrong> {
        self.values.clear();
        self.levels.clear();
        self.next = 0;
        let mut done = 0;
        while done < count {
            let levels = self.is_optional.then_some(&mut self.levels);
            let (rows, _, _) =
                self.reader.read_records(count - done, levels, None, &mut self.values).map_err(wrong)?;
            if rows == 0 {
                return Err("a column that is shorter than its group of rows".to_owned());
            }
            done += rows;
        }
        Ok(())
    }

    /// The value of the next row, which stands at this place.
    #[inline]
    pub(super) fn next(&mut self, place: usize) -> Option<&T::T> {
        if self.is_optional && self.levels.get(place) != Some(&1) {
            return None;
        }
        self.next += 1;
        self.values.get(self.next - 1)
    }

    /// Whether there is another row.
    pub(super) fn has_more(&mut self) -> bool {
        self.fill(1).is_ok()
    }
}

pub(super) fn text(reader: ColumnReader) -> Option<ColumnReaderImpl<ByteArrayType>> {
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => Some(reader),
        _ => None,
    }
}

pub(super) fn int64(reader: ColumnReader) -> Option<ColumnReaderImpl<Int64Type>> {
    match reader {
        ColumnReader::Int64ColumnReader(reader) => Some(reader),
        _ => None,
    }
}

pub(super) fn boolean(reader: ColumnReader) -> Option<ColumnReaderImpl<BoolType>> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => Some(reader),
        _ => None,
    }
}

pub(super) fn wrong(error: ParquetError) -> Wrong {
    error.to_string()
}
