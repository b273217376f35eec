//! The keys of a data file in Parquet, read where they stand in their page: the column that takes longest.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::data_type::ByteArrayType;
use parquet::file::reader::RowGroupReader;

use super::column::{BATCH, Column, Leaf, Wrong, text, wrong};

/// The keys of a group of rows, one after the other.
pub(super) enum Keys {
    /// Plain or by number in a dictionary, as writers usually have them.
    InPages(Pages),
    /// However else.
    Decoded(Box<Decoded>),
}

impl Keys {
    pub(super) fn open(group: &dyn RowGroupReader, leaf: Leaf, rows: usize) -> Result<Self, Wrong> {
        #[expect(deprecated, reason = "older writers have it for levels")]
        let is_usual = |encoding| {
            use Encoding::{BIT_PACKED, PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY};
            matches!(encoding, PLAIN | PLAIN_DICTIONARY | RLE_DICTIONARY | RLE | BIT_PACKED)
        };
        if leaf.is_optional || !group.metadata().column(leaf.place).encodings().all(is_usual) {
            let column = Column::open(group, leaf, text)?;
            return Ok(Self::Decoded(Box::new(Decoded { column, place: 0, filled: 0, left: rows })));
        }
        let pages = group.get_column_page_reader(leaf.place).map_err(wrong)?;
        Ok(Self::InPages(Pages {
            pages,
            dictionary: None,
            page: Text::new(Bytes::new()),
            left: 0,
            at: At::Plain(0),
        }))
    }

    /// The next one; `None` where a row has none.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<&str>, Wrong> {
        match self {
            Self::InPages(pages) => pages.next().map(Some),
            Self::Decoded(decoded) => decoded.next(),
        }
    }

    /// Whether there is another one.
    pub(super) fn has_more(&mut self) -> Result<bool, Wrong> {
        match self {
            Self::InPages(pages) => pages.has_more(),
            Self::Decoded(decoded) => Ok(decoded.column.has_more()),
        }
    }
}

/// Keys as another decoder has them.
pub(super) struct Decoded {
    column: Column<ByteArrayType>,
    /// Which of those that are filled in comes next.
    place: usize,
    filled: usize,
    left: usize,
}

impl Decoded {
    fn next(&mut self) -> Result<Option<&str>, Wrong> {
        if self.place == self.filled {
            (self.place, self.filled) = (0, self.left.min(BATCH));
            self.column.fill(self.filled)?;
            self.left -= self.filled;
        }
        self.place += 1;
        let key = self.column.next(self.place - 1).map(|key| str::from_utf8(key.data()));
        key.transpose().map_err(|_| no_text())
    }
}

/// Pages of keys.
pub(super) struct Pages {
    pages: Box<dyn PageReader>,
    dictionary: Option<Dictionary>,
    page: Text,
    /// How many are left in the page.
    left: u32,
    at: At,
}

/// Keys that are named by their numbers.
struct Dictionary {
    page: Text,
    places: Vec<Range<usize>>,
}

/// Where in a page the next key stands.
enum At {
    Plain(usize),
    Numbers(Numbers),
}

impl Pages {
    #[inline]
    fn next(&mut self) -> Result<&str, Wrong> {
        while self.left == 0 {
            if !self.turn()? {
                return Err("a column that is shorter than its group of rows".to_owned());
            }
        }
        self.left -= 1;
        match &mut self.at {
            At::Plain(at) => self.page.get(plain(self.page.bytes(), at).ok_or_else(cut_off)?),
            At::Numbers(numbers) => {
                let number = numbers.next(self.page.bytes()).ok_or_else(cut_off)?;
                let Dictionary { page, places } =
                    self.dictionary.as_ref().ok_or("keys by numbers without a dictionary")?;
                page.get(places.get(number).ok_or("a key that is not in its dictionary")?.clone())
            }
        }
    }

    fn has_more(&mut self) -> Result<bool, Wrong> {
        while self.left == 0 {
            if !self.turn()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Turns to the next page of keys, if there is one.
    fn turn(&mut self) -> Result<bool, Wrong> {
        let Some(page) = self.pages.get_next_page().map_err(wrong)? else { return Ok(false) };
        let (page, count, encoding, start) = match page {
            Page::DictionaryPage { buf, num_values, encoding, .. } => {
                if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                    return Err("a dictionary of keys that is not plain".to_owned());
                }
                self.dictionary = Some(Dictionary::read(buf, num_values)?);
                return Ok(true);
            }
            Page::DataPage { buf, num_values, encoding, .. } => (buf, num_values, encoding, 0),
            Page::DataPageV2 {
                buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, ..
            } => (buf, num_values, encoding, def_levels_byte_len as usize + rep_levels_byte_len as usize),
        };
        self.at = match encoding {
            Encoding::PLAIN => At::Plain(start),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                At::Numbers(Numbers::of(&page, start).ok_or_else(cut_off)?)
            }
            _ => return Err(format!("a page of keys in {encoding}, which the file does not say")),
        };
        (self.page, self.left) = (Text::new(page), count);
        Ok(true)
    }
}

impl Dictionary {
    fn read(page: Bytes, count: u32) -> Result<Self, Wrong> {
        let mut at = 0;
        let places: Option<_> = (0..count).map(|_| plain(&page, &mut at)).collect();
        Ok(Self { places: places.ok_or_else(cut_off)?, page: Text::new(page) })
    }
}

/// A page, which is text as a whole if all keys are, and no length between them looks otherwise: then
/// none of them need be looked at again.
enum Text {
    Whole(String),
    Bytes(Vec<u8>),
}

impl Text {
    fn new(page: Bytes) -> Self {
        String::from_utf8(page.into()).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Whole)
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    #[inline]
    fn get(&self, place: Range<usize>) -> Result<&str, Wrong> {
        let found = match self {
            Self::Whole(text) => text.get(place),
            Self::Bytes(bytes) => bytes.get(place).and_then(|bytes| str::from_utf8(bytes).ok()),
        };
        found.ok_or_else(no_text)
    }
}

#[cold]
fn no_text() -> Wrong {
    "a key that is not UTF-8".to_owned()
}

#[cold]
fn cut_off() -> Wrong {
    "a page of keys that is cut off".to_owned()
}

/// Where the next key stands that is written behind its length.
#[inline]
fn plain(page: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let length = u32::from_le_bytes(*page.get(*at..)?.first_chunk()?);
    let start = *at + size_of::<u32>();
    let end = start.checked_add(length as usize).filter(|end| *end <= page.len())?;
    *at = end;
    Some(start..end)
}

/// Numbers in Parquet's hybrid of runs of the same one and of packed ones.
struct Numbers {
    /// Bits of each.
    width: usize,
    /// Where in the page the next run begins.
    at: usize,
    run: Run,
}

enum Run {
    Same {
        number: usize,
        left: u64,
    },
    /// The first bit of the next, and of what follows the run.
    Packed {
        bit: usize,
        end: usize,
    },
}

impl Numbers {
    /// Those of a page, which begin at a place with their width.
    fn of(page: &[u8], start: usize) -> Option<Self> {
        let width = usize::from(*page.get(start)?);
        (width <= u32::BITS as usize).then_some(Self {
            width,
            at: start + 1,
            run: Run::Same { number: 0, left: 0 },
        })
    }

    #[inline]
    fn next(&mut self, page: &[u8]) -> Option<usize> {
        loop {
            match &mut self.run {
                Run::Same { number, left } if *left > 0 => {
                    *left -= 1;
                    return Some(*number);
                }
                Run::Packed { bit, end } if *bit < *end => {
                    let number = bits(page, *bit, self.width);
                    *bit += self.width;
                    return Some(number);
                }
                _ => self.turn(page)?,
            }
        }
    }

    /// Turns to the next run.
    fn turn(&mut self, page: &[u8]) -> Option<()> {
        let mut header = 0_u64;
        for shift in (0..).step_by(7) {
            let byte = *page.get(self.at)?;
            self.at += 1;
            header |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let count = header >> 1;
        if self.width == 0 {
            self.run = Run::Same { number: 0, left: if header & 1 == 0 { count } else { count * 8 } };
        } else if header & 1 == 0 {
            let bytes = self.width.div_ceil(8);
            let number = bits(page.get(..self.at + bytes)?, self.at * 8, bytes * 8);
            self.at += bytes;
            self.run = Run::Same { number, left: count };
        } else {
            // Eight of them take as many bytes as one takes bits; the last run may be cut off.
            let bytes = usize::try_from(count).ok()?.checked_mul(self.width)?;
            let end = self.at.checked_add(bytes)?.min(page.len());
            let whole = (end - self.at) * 8 / self.width * self.width;
            self.run = Run::Packed { bit: self.at * 8, end: self.at * 8 + whole };
            self.at = end;
        }
        Some(())
    }
}

/// So many bits from one on, 32 at most; what lies beyond the end is zero.
#[inline]
fn bits(page: &[u8], bit: usize, width: usize) -> usize {
    let from = page.get(bit / 8..).unwrap_or_default();
    let word = match from.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => from.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (word >> (bit % 8) & ((1 << width) - 1)) as usize
}
