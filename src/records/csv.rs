//! Reading a record file: CSV in UTF-8 with a header, a comma between fields, quotes as in
//! RFC 4180 and nowhere else ([`strict`]).
//!
//! What makes the whole file doubtful is an error; what makes some of its answers unknown is a
//! fault, and the table says so itself.

mod strict;

use std::io::Read;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use memchr::memchr_iter;

use super::fault::{At, LONGEST_FIELD, LONGEST_ROW, MOST_COLUMNS, RecordError};
use super::intake::{Intake, ReadTable};
use super::table::RecordTable;
use crate::policy::Table;
use strict::Strict;

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
        let mut rows = Rows::new(reader)?;
        let header = rows.next()?.ok_or(RecordError::Empty)?;
        let columns = Columns::find(table, &header.fields)?;
        let mut intake = Intake::new(table, zone, At::Line);
        if header.is_cut {
            intake.cut(header.line, "");
        }
        while let Some(row) = rows.next()? {
            let field = |place: usize| row.fields.get(place).copied().unwrap_or_default();
            let id = field(columns.id);
            let values = columns.values.iter().map(|place| Some(field(*place)));
            intake.row(row.line, id, columns.exported_at.map(field), values)?;
            if row.is_cut {
                intake.cut(row.line, id);
            }
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
    fn find(table: &Table, header: &[&str]) -> Result<Self, RecordError> {
        let exported_at = table.fresh.as_ref().map(|fresh| &fresh.exported_at);
        let wanted = || [&table.id].into_iter().chain(exported_at).chain(&table.columns);
        let missing: Vec<_> = wanted().filter(|name| !header.contains(&name.as_str())).cloned().collect();
        if !missing.is_empty() {
            let found = header.iter().map(|name| (*name).to_owned()).collect();
            return Err(RecordError::MissingColumns { missing, found });
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

/// A row as trimmed text.
struct Row<'r> {
    /// The line on which it begins.
    line: u64,
    fields: Vec<&'r str>,
    /// Whether the file ends in it, without a line break.
    is_cut: bool,
}

/// The rows of a file, within the limits.
struct Rows<R> {
    reader: Reader<Strict<R>>,
    record: ByteRecord,
    /// Fields of the header, once it is read.
    width: Option<usize>,
}

impl<R: Read> Rows<R> {
    fn new(reader: R) -> Result<Self, RecordError> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // With `\r\n` as one terminator the reader counts its lines one too low. So the `\r`
            // is left to the field, which is trimmed.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Strict::new(reader)?);
        Ok(Self { reader, record: ByteRecord::new(), width: None })
    }

    /// The next row that is not empty.
    fn next(&mut self) -> Result<Option<Row<'_>>, RecordError> {
        let line = loop {
            match self.read_record()? {
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
        let expected = *self.width.get_or_insert(found);
        if found != expected {
            return Err(RecordError::Ragged { line, expected, found });
        }
        if self.record.iter().any(|field| field.len() > LONGEST_FIELD) {
            return Err(RecordError::FieldTooLong { line });
        }
        if has_two_readings(&self.record) {
            return Err(RecordError::TwoReadings { line });
        }
        let is_cut = self.reader.get_ref().cut == Some(line);
        let fields: Result<Vec<_>, _> =
            self.record.iter().map(|field| str::from_utf8(field).map(str::trim)).collect();
        match fields {
            Ok(fields) => Ok(Some(Row { line, fields, is_cut })),
            Err(_) => Err(RecordError::NotUtf8 { line }),
        }
    }

    /// Reads one record and returns the line on which it starts.
    fn read_record(&mut self) -> Result<Option<u64>, RecordError> {
        self.reader.get_mut().left = LONGEST_ROW;
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let source = self.reader.get_mut();
                return Err(match source.fault.take() {
                    Some(fault) => fault,
                    None if source.left == 0 => RecordError::RowTooLong { line },
                    None => RecordError::Io { line, source: error.into() },
                });
            }
        }
        // The reader's own position of a record lies before the empty lines above it.
        let after = self.reader.position().line();
        Ok(Some(after.saturating_sub(1 + line_breaks(&self.record) as u64)))
    }
}

fn line_breaks(record: &ByteRecord) -> usize {
    memchr_iter(b'\n', record.as_slice()).count()
}

/// Whether the row could be several as well, the first with a quote too many at a field's start and
/// the last at a field's end: each of its lines has fields enough for a row, some perhaps with a comma
/// in them. One customer's date would then stand in another's row.
fn has_two_readings(record: &ByteRecord) -> bool {
    if line_breaks(record) == 0 {
        return false;
    }
    let mut fields = 1;
    for (place, field) in record.iter().enumerate() {
        fields += usize::from(place > 0);
        for byte in field {
            match byte {
                b',' => fields += 1,
                b'\n' if fields < record.len() => return false,
                b'\n' => fields = 1,
                _ => {}
            }
        }
    }
    fields >= record.len()
}
