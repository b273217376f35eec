//! Reading JSON Lines: on each line one object in UTF-8. Empty lines are left out.
//!
//! Text and whole numbers are values; `null`, `""` and a key that is not there are empty fields. A
//! column that no row has at all is an error: it was renamed rather than never filled in. One that
//! some rows lack is remarked on. A last line without a line break needs no doubt: an object that is
//! cut off has no end, and is an error.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::fault::{At, LONGEST_FIELD, LONGEST_ROW, MOST_COLUMNS, RecordError};
use super::intake::{Intake, ReadTable};
use super::table::RecordTable;
use crate::policy::Table;

impl RecordTable {
    /// Reads the file of `table`, keeping the columns that the policy asks for; what
    /// [`RecordTable::read_csv`] says of values holds here too.
    ///
    /// # Errors
    /// If the file cannot be read, is not a table, or has not the columns that `table` names.
    pub fn read_json_lines(
        table: &Table,
        reader: impl Read,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<ReadTable, RecordError> {
        let exported_at = table.fresh.as_ref().map(|fresh| &fresh.exported_at);
        let mut wanted: Vec<&str> = vec![&table.id];
        wanted.extend(table.columns.iter().map(String::as_str));
        wanted.extend(exported_at.map(String::as_str));
        // For each name in how many rows it is not there, and the first of them.
        let mut lacking = vec![(0, 0); wanted.len()];
        let mut lines = Lines { reader: BufReader::new(reader), text: Vec::new(), line: 0 };
        let mut intake = Intake::new(table, zone, At::Line);
        while let Some((line, text)) = lines.next()? {
            let mut json = serde_json::Deserializer::from_str(text);
            let row = Wanted { names: &wanted }
                .deserialize(&mut json)
                .and_then(|row| json.end().map(|()| row))
                .map_err(|error| RecordError::Json { line, what: without_place(&error) })?;
            for ((rows, first), _) in lacking.iter_mut().zip(&row).filter(|(_, field)| field.is_none()) {
                *first = if *rows == 0 { line } else { *first };
                *rows += 1;
            }
            let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default().trim();
            let last = wanted.len() - 1;
            let exported = exported_at.map(|_| text(last));
            let values = (1..=table.columns.len()).map(|place| Some(text(place)));
            intake.row(line, text(0), exported, values)?;
        }
        if intake.rows() == 0 {
            return Err(RecordError::NoRows);
        }
        let lacking = || wanted.iter().zip(&lacking).filter(|(_, (rows, _))| *rows > 0);
        let everywhere = lacking().filter(|(_, (rows, _))| *rows == intake.rows());
        let missing: Vec<String> = everywhere.map(|(name, _)| (*name).to_owned()).collect();
        if !missing.is_empty() {
            return Err(RecordError::InNoRow { missing });
        }
        let mut remarked = std::collections::BTreeSet::new();
        for (name, (rows, first)) in lacking() {
            // A row without an id or an export time is a fault already.
            let is_a_value = table.columns.iter().any(|column| column == name);
            if is_a_value && remarked.insert(name) {
                intake.not_there(name, *rows, *first);
            }
        }
        Ok(intake.finish(table, now))
    }
}

/// The error without the place, which is always on the one line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line 1 column ") {
        Some((what, column)) => format!("{what} (column {column})"),
        None => text,
    }
}

/// Lines as text, within the limits.
struct Lines<R> {
    reader: BufReader<R>,
    text: Vec<u8>,
    line: u64,
}

impl<R: Read> Lines<R> {
    /// The next line that is not empty, and its number.
    fn next(&mut self) -> Result<Option<(u64, &str)>, RecordError> {
        loop {
            self.text.clear();
            self.line += 1;
            let line = self.line;
            let most = u64::try_from(LONGEST_ROW).unwrap_or(u64::MAX) + 1;
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.text);
            match read {
                Ok(0) => return Ok(None),
                Ok(_) if self.text.len() > LONGEST_ROW => return Err(RecordError::RowTooLong { line }),
                Ok(_) => {}
                Err(source) => return Err(RecordError::Io { line, source }),
            }
            if line == 1 {
                if self.text.starts_with(b"\xff\xfe") || self.text.starts_with(b"\xfe\xff") {
                    return Err(RecordError::Utf16);
                }
                if self.text.starts_with("\u{feff}".as_bytes()) {
                    self.text.drain(..3);
                }
            }
            if !self.text.trim_ascii().is_empty() {
                break;
            }
        }
        let text = str::from_utf8(&self.text).map_err(|_| RecordError::NotUtf8 { line: self.line })?;
        Ok(Some((self.line, text)))
    }
}

/// Reads an object and keeps the values of `names`, in their order.
struct Wanted<'n> {
    names: &'n [&'n str],
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Vec<Option<String>>;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Vec<Option<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.names.len()];
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = self.names.iter().position(|name| *name == key);
            match place.and_then(|place| found.get_mut(place)) {
                Some(field) => {
                    let Plain(value) = map.next_value::<Plain>().map_err(|error| {
                        de::Error::custom(format_args!("`{key}` is no text or whole number: {error}"))
                    })?;
                    *field = Some(value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if keys.len() >= MOST_COLUMNS {
                return Err(de::Error::custom(format_args!("more than {MOST_COLUMNS} keys")));
            }
            if !keys.insert(key) {
                return Err(de::Error::custom("a key stands twice"));
            }
        }
        // One name can be asked for twice, as an id that is a date too.
        for place in 1..self.names.len() {
            let first = self.names.iter().position(|name| Some(name) == self.names.get(place));
            let value = first.and_then(|first| found.get(first)).cloned().flatten();
            if let Some(field) = found.get_mut(place) {
                *field = value;
            }
        }
        Ok(found)
    }
}

/// A plain value as text; `null` is empty.
struct Plain(String);

impl<'de> de::Deserialize<'de> for Plain {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a whole number or null")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Plain, E> {
                if text.len() > LONGEST_FIELD {
                    return Err(E::custom("a text of more than 64 KiB"));
                }
                Ok(Plain(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Plain, E> {
                Ok(Plain(String::new()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}
