//! One table, packed: ids in one piece of memory, each different text once.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::{Lookup, NoValue, Unusable};

/// Stands for an empty field.
const NOTHING: u32 = u32::MAX;

/// One table.
#[derive(Clone, Debug, Default)]
pub struct RecordTable {
    /// Why nothing in it can be trusted, if so.
    pub unusable: Option<Unusable>,
    columns: Vec<String>,
    ids: Texts,
    /// For each row a number for each column: the place of its text, or [`NOTHING`].
    fields: Vec<u32>,
    texts: Texts,
    /// Rows whose id others claim as well; sorted once the table is whole.
    duplicates: Vec<u32>,
    /// A row that may be the beginning of one only.
    cut: Option<u32>,
}

/// What stands under an id, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Values in the order of the columns; an empty field is `None`.
    Once(Box<[Option<Box<str>>]>),
    /// Several rows claim the id, or the one that does may be cut off: what is right is unknown.
    Duplicate,
}

/// Whether a row could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Under this number.
    As(u32),
    /// The row of this number has the same id.
    Duplicate(u32),
    /// There is no room for more: over four billion bytes of ids or texts.
    Full,
}

impl RecordTable {
    /// A table without rows.
    pub fn new(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// A table that cannot be used.
    pub fn unusable(why: Unusable) -> Self {
        Self { unusable: Some(why), ..Self::default() }
    }

    /// A table of the given rows, as far as they fit.
    pub fn of(columns: Vec<String>, rows: impl IntoIterator<Item = (String, Row)>) -> Self {
        let mut table = Self::new(columns);
        for (id, row) in rows {
            match row {
                Row::Once(values) => {
                    table.insert(&id, values.iter().map(Option::as_deref));
                }
                Row::Duplicate => {
                    table.insert(&id, std::iter::empty());
                    table.insert(&id, std::iter::empty());
                }
            }
        }
        table.finish();
        table
    }

    /// Column names, in the order of the values of a row.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many different ids there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows, written out.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Row)> {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(|row| {
            let values = (0..self.columns.len()).map(|place| self.field(row, place).map(Box::from));
            let is_in_doubt = self.duplicates.contains(&row) || self.cut == Some(row);
            let found = if is_in_doubt { Row::Duplicate } else { Row::Once(values.collect()) };
            (self.ids.get(row), found)
        })
    }

    /// The field `column` of the row `id`.
    pub fn lookup(&self, id: &str, column: &str) -> Lookup<'_> {
        let place = self.columns.iter().position(|name| name == column);
        let Some(place) = place.filter(|_| self.unusable.is_none()) else {
            return Lookup::Unknown(NoValue::Unusable);
        };
        let Some(row) = self.ids.find(id) else { return Lookup::Unknown(NoValue::NoRow) };
        if self.duplicates.binary_search(&row).is_ok() {
            return Lookup::Unknown(NoValue::Duplicate);
        }
        if self.cut == Some(row) {
            return Lookup::Unknown(NoValue::Unusable);
        }
        self.field(row, place).map_or(Lookup::Absent, Lookup::Known)
    }

    fn field(&self, row: u32, place: usize) -> Option<&str> {
        let start = usize::try_from(row).ok()?.checked_mul(self.columns.len())?;
        let text = *self.fields.get(start + place)?;
        (text != NOTHING).then(|| self.texts.get(text))
    }

    /// Adds a row. Fields that are not given are empty.
    pub(super) fn insert<'v>(&mut self, id: &str, values: impl Iterator<Item = Option<&'v str>>) -> Taken {
        match self.ids.add(id) {
            Added::New(row) => {
                let mut values = values.chain(std::iter::repeat(None));
                for _ in 0..self.columns.len() {
                    let text = match values.next().flatten().filter(|text| !text.is_empty()) {
                        None => NOTHING,
                        Some(text) => match self.texts.add(text) {
                            Added::New(text) | Added::Known(text) => text,
                            Added::Full => return Taken::Full,
                        },
                    };
                    self.fields.push(text);
                }
                Taken::As(row)
            }
            Added::Known(row) => {
                self.duplicates.push(row);
                Taken::Duplicate(row)
            }
            Added::Full => Taken::Full,
        }
    }

    /// Takes the row of this id, if there is one, for the beginning of a row.
    pub(super) fn doubt(&mut self, id: &str) {
        self.cut = self.ids.find(id);
    }

    /// Makes a table that is whole fit for look-ups, and as small as it can be.
    pub(super) fn finish(&mut self) {
        self.duplicates.sort_unstable();
        self.duplicates.dedup();
        self.fields.shrink_to_fit();
        self.ids.shrink();
        self.texts.shrink();
    }
}

/// Different texts, each with a number.
#[derive(Clone, Debug, Default)]
struct Texts {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
    by_text: HashTable<u32>,
    /// Keyed anew in every process, so that no file can be made to collide.
    hasher: RandomState,
}

enum Added {
    New(u32),
    Known(u32),
    Full,
}

impl Texts {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, number: u32) -> &str {
        text_at(&self.bytes, &self.ends, number)
    }

    fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.by_text.find(hash, |number| self.get(*number) == text).copied()
    }

    fn add(&mut self, text: &str) -> Added {
        let Self { bytes, ends, by_text, hasher } = self;
        let hash = hasher.hash_one(text);
        if let Some(number) = by_text.find(hash, |number| text_at(bytes, ends, *number) == text) {
            return Added::Known(*number);
        }
        let (Ok(number), Ok(end)) = (u32::try_from(ends.len()), u32::try_from(bytes.len() + text.len()))
        else {
            return Added::Full;
        };
        if number == NOTHING {
            return Added::Full;
        }
        bytes.push_str(text);
        ends.push(end);
        by_text.insert_unique(hash, number, |number| hasher.hash_one(text_at(bytes, ends, *number)));
        Added::New(number)
    }

    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

fn text_at<'b>(bytes: &'b str, ends: &[u32], number: u32) -> &'b str {
    let end_of = |number: u32| {
        let end = usize::try_from(number).ok().and_then(|place| ends.get(place));
        end.and_then(|end| usize::try_from(*end).ok())
    };
    let start = number.checked_sub(1).and_then(end_of).unwrap_or_default();
    end_of(number).and_then(|end| bytes.get(start..end)).unwrap_or_default()
}
