//! Reading a record file: CSV in UTF-8 with a header, a comma between fields, quotes as in
//! RFC 4180.
//!
//! What makes the whole file doubtful is an error; what makes some of its answers unknown is a
//! fault, and the table says so itself.

use std::io::{self, Chain, Read};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use memchr::memchr_iter;

use super::fault::{At, LONGEST_FIELD, LONGEST_ROW, MOST_COLUMNS, RecordError};
use super::intake::{Intake, ReadTable};
use super::table::RecordTable;
use crate::policy::Table;

impl RecordTable {
    /// Reads the file of `table`, keeping the columns that the policy asks for.
    ///
    /// Fields are trimmed of white space; ids are exact texts from then on. Export times
    /// without a zone are read in `zone`; a date alone counts from the start of its day. Lines
    /// are counted from 1, the header included.
    ///
    /// # Errors
    /// If the file cannot be read, is not a table, or has not the columns that `table` names.
    pub fn read_csv(
        table: &Table,
        reader: impl Read,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<ReadTable, RecordError> {
        let mut rows = Rows::new(reader);
        let header: Vec<String> = match rows.next()? {
            // The CSV reader misses a byte-order mark that arrives in pieces.
            Some((_, row)) => row.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect(),
            None => return Err(RecordError::Empty),
        };
        let columns = Columns::find(table, &header)?;
        let mut intake = Intake::new(table, zone, At::Line);
        while let Some((line, row)) = rows.next()? {
            let field = |place: usize| row.get(place).copied().unwrap_or_default();
            let values = columns.values.iter().map(|place| Some(field(*place)));
            intake.row(line, field(columns.id), columns.exported_at.map(field), values)?;
        }
        Ok(intake.finish(table, now))
    }
}

/// Where the columns that matter stand in the file.
struct Columns {
    id: usize,
    exported_at: Option<usize>,
    /// In the order of [`Table::columns`].
    values: Vec<usize>,
}

impl Columns {
    fn find(table: &Table, header: &[String]) -> Result<Self, RecordError> {
        let exported_at = table.fresh.as_ref().map(|fresh| &fresh.exported_at);
        let wanted = || [&table.id].into_iter().chain(exported_at).chain(&table.columns);
        let missing: Vec<_> = wanted().filter(|name| !header.contains(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(RecordError::MissingColumns { missing, found: header.to_vec() });
        }
        if let Some(name) = wanted().find(|name| header.iter().filter(|column| column == name).count() > 1) {
            return Err(RecordError::RepeatedColumn(name.clone()));
        }
        let place = |name: &String| header.iter().position(|column| column == name).unwrap_or(usize::MAX);
        Ok(Self {
            id: place(&table.id),
            exported_at: exported_at.map(place),
            values: table.columns.iter().map(place).collect(),
        })
    }
}

/// Rows as trimmed text, within the limits.
struct Rows<R> {
    reader: Reader<Metered<R>>,
    record: ByteRecord,
    /// Fields of the header, once it is read.
    width: Option<usize>,
}

impl<R: Read> Rows<R> {
    fn new(reader: R) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // With `\r\n` as one terminator the reader counts its lines one too low. So the `\r`
            // is left to the field, which is trimmed.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Metered::new(reader));
        Self { reader, record: ByteRecord::new(), width: None }
    }

    /// The next row that is not empty, and its line.
    fn next(&mut self) -> Result<Option<(u64, Vec<&str>)>, RecordError> {
        let line = loop {
            match self.read_record()? {
                None if self.reader.get_ref().quotes % 2 == 1 => return Err(RecordError::OpenQuote),
                None => return Ok(None),
                Some(line)
                    if self.record.len() > 1
                        || !self.record.iter().all(|field| field.trim_ascii().is_empty()) =>
                {
                    break line;
                }
                Some(_) => {}
            }
        };
        let found = self.record.len();
        if found > MOST_COLUMNS {
            return Err(RecordError::TooManyColumns { line });
        }
        let expected_first = self.width.is_none();
        let expected = *self.width.get_or_insert(found);
        if found != expected {
            return Err(RecordError::Ragged { line, expected, found });
        }
        if self.record.iter().any(|field| field.len() > LONGEST_FIELD) {
            return Err(RecordError::FieldTooLong { line });
        }
        let fields: Result<Vec<_>, _> =
            self.record.iter().map(|field| str::from_utf8(field).map(str::trim)).collect();
        fields.map(|fields| Some((line, fields))).map_err(|_| {
            let first = self.record.get(0).unwrap_or_default();
            let is_utf16 =
                expected_first && (first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff"));
            if is_utf16 { RecordError::Utf16 } else { RecordError::NotUtf8 { line } }
        })
    }

    /// Reads one record and returns the line on which it starts.
    fn read_record(&mut self) -> Result<Option<u64>, RecordError> {
        self.reader.get_mut().left = LONGEST_ROW;
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(_) if self.reader.get_ref().left == 0 => return Err(RecordError::RowTooLong { line }),
            Err(error) => return Err(RecordError::Io { line, source: error.into() }),
        }
        // The reader's own position of a record lies before the empty lines above it.
        let after = self.reader.position().line();
        let within: usize = self.record.iter().map(|field| memchr_iter(b'\n', field).count()).sum();
        Ok(Some(after.saturating_sub(1 + within as u64)))
    }
}

/// Hands on a limited number of bytes, then fails; counts quotes, since the CSV reader takes
/// the end of the file for the end of a quoted field.
struct Metered<R> {
    /// Followed by a line break, so that the last row ends as all others do.
    inner: Chain<R, &'static [u8]>,
    left: usize,
    quotes: usize,
}

impl<R: Read> Metered<R> {
    fn new(inner: R) -> Self {
        Self { inner: inner.chain(&b"\n"[..]), left: 0, quotes: 0 }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the row is too long"));
        }
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        self.quotes += memchr_iter(b'"', &buffer[..read]).count();
        Ok(read)
    }
}
