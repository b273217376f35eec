//! A column of a data file in Parquet, some rows at a time.

use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
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
    /// The column of a group of rows. Whether it is of type `T` has been looked at.
    pub(super) fn open(group: &dyn RowGroupReader, leaf: Leaf) -> Result<Self, Wrong> {
        let pages = Sound(group.get_column_page_reader(leaf.place).map_err(wrong)?);
        let of = group.metadata().column(leaf.place).column_descr_ptr();
        let reader = ColumnReaderImpl::new(of, Box::new(pages));
        Ok(Self { is_optional: leaf.is_optional, reader, values: Vec::new(), levels: Vec::new(), next: 0 })
    }

    /// Reads so many rows on.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), Wrong> {
        self.values.clear();
        self.levels.clear();
        self.next = 0;
        let mut done = 0;
        while done < count {
            let rows = self.read(count - done)?;
            if rows == 0 {
                return Err("a column that is shorter than its group of rows".to_owned());
            }
            done += rows;
        }
        Ok(())
    }

    /// Reads at most so many rows on; how many there were.
    fn read(&mut self, at_most: usize) -> Result<usize, Wrong> {
        let levels = self.is_optional.then_some(&mut self.levels);
        let read = self.reader.read_records(at_most, levels, None, &mut self.values);
        read.map(|(rows, ..)| rows).map_err(wrong)
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
    pub(super) fn has_more(&mut self) -> Result<bool, Wrong> {
        Ok(self.read(1)? > 0)
    }
}

/// Pages whose dictionaries have room for all that they announce: the decoder takes memory for as much as
/// they say.
struct Sound(Box<dyn PageReader>);

/// The bytes that an entry of a dictionary takes at least, whether a number or a length with its text.
const LEAST: usize = 4;

impl PageReader for Sound {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let page = self.0.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page
            && *num_values as usize > buf.len() / LEAST
        {
            return Err(ParquetError::General("a dictionary that is shorter than it says".to_owned()));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.0.skip_next_page()
    }
}

impl Iterator for Sound {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

pub(super) fn wrong(error: ParquetError) -> Wrong {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use parquet::basic::Encoding;

    use super::*;

    /// One dictionary of so many entries.
    struct Announced(u32, Option<&'static [u8]>);

    impl Iterator for Announced {
        type Item = Result<Page, ParquetError>;

        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    impl PageReader for Announced {
        fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
            Ok(self.1.take().map(|bytes| Page::DictionaryPage {
                buf: bytes.into(),
                num_values: self.0,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            }))
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<(), ParquetError> {
            Ok(())
        }
    }

    #[test]
    fn a_dictionary_that_announces_more_than_it_has_room_for_is_refused_before_memory_is_taken() {
        let two_keys = b"\x01\0\0\0a\0\0\0\0";
        let read = |entries| Sound(Box::new(Announced(entries, Some(two_keys)))).get_next_page();
        assert!(matches!(read(2), Ok(Some(Page::DictionaryPage { num_values: 2, .. }))));
        for entries in [3, i32::MAX as u32, u32::MAX] {
            let refused = read(entries).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("a dictionary that is shorter than it says"), "{refused}");
        }
    }
}
