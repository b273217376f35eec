//! What can be wrong with a record file.

use std::fmt;
use std::io;

use chrono::{DateTime, Utc};

/// The most columns.
pub(super) const MOST_COLUMNS: usize = 1000;

/// The longest field, in bytes.
pub(super) const LONGEST_FIELD: usize = 64 << 10;

/// The longest row, in bytes. A quote that is never closed would otherwise take the rest of
/// the file into memory as one field.
pub(super) const LONGEST_ROW: usize = 1 << 20;

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// On this line, counted from 1, a header included.
    Line(u64),
    /// In this row, counted from 1.
    Row(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why a record file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It could not be read.
    #[error("the file cannot be read from line {line} on")]
    Io {
        /// The line at which reading stopped.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// There is no header.
    #[error("the file is empty; its first line must name the columns")]
    Empty,
    /// Columns that the policy asks for are not there.
    #[error("the header has no column {}; it has {}", quoted(missing), quoted(found))]
    MissingColumns {
        /// Those that are missing.
        missing: Vec<String>,
        /// Those that are there.
        found: Vec<String>,
    },
    /// Columns that the policy asks for stand in no row at all.
    #[error("no row has {}; was it renamed?", quoted(missing))]
    InNoRow {
        /// Those that are missing.
        missing: Vec<String>,
    },
    /// Not a single row, in a kind of file that has no header.
    #[error("the file has no rows; an empty export is more often broken than true")]
    NoRows,
    /// A column that the policy asks for stands twice.
    #[error("the header has the column `{0}` twice")]
    RepeatedColumn(String),
    /// More columns than any record file has.
    #[error("line {line} has more than {MOST_COLUMNS} fields")]
    TooManyColumns {
        /// Where.
        line: u64,
    },
    /// A row is longer or shorter than the header.
    #[error("line {line} has {found} fields where the header has {expected}")]
    Ragged {
        /// Where.
        line: u64,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
    /// A line break in quotes, and fields enough for a row on every line if the quotes were not there.
    #[error(
        "line {line} begins a row that goes on over a line break in quotes, or several rows with a stray quote each: which, nobody can tell; leave line breaks out of its fields"
    )]
    TwoReadings {
        /// Where.
        line: u64,
    },
    /// Not UTF-8.
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 {
        /// Where.
        line: u64,
    },
    /// UTF-16, by its byte-order mark.
    #[error("the file is UTF-16; save it again as UTF-8")]
    Utf16,
    /// A line of JSON Lines that is no object of plain values.
    #[error("line {line} is no row: {what}")]
    Json {
        /// Where.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A Parquet file that cannot be read.
    #[error("not a Parquet file that can be read: {what}")]
    Parquet {
        /// What is wrong.
        what: String,
    },
    /// A column of Parquet that has no plain text, number or date in it.
    #[error("the column `{column}` holds {found}, and text, whole numbers, dates or times are read")]
    ColumnType {
        /// Its name.
        column: String,
        /// What it holds.
        found: String,
    },
    /// More than four billion bytes of ids or of different values.
    #[error("the file has more ids, or more different values, than fit into memory (4 GiB of either)")]
    TooLarge,
    /// A field longer than 64 KiB.
    #[error("line {line} has a field of more than 64 KiB; a quote may be open")]
    FieldTooLong {
        /// Where.
        line: u64,
    },
    /// CSV that is not as RFC 4180 has it.
    #[error("line {line}, column {column}: {what}")]
    Csv {
        /// Where.
        line: u64,
        /// Where in the line, in characters.
        column: u64,
        /// What is wrong there.
        what: CsvFault,
    },
    /// A row longer than 1 MiB.
    #[error("line {line} starts a row of more than 1 MiB; a quote may be open")]
    RowTooLong {
        /// Where.
        line: u64,
    },
}

/// What RFC 4180 does not allow in CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvFault {
    /// It would stand for itself to one reader, and open a field to another.
    #[error(
        "a quote within a field that has none at its start; put the field in quotes and write \"\" for each one in it"
    )]
    QuoteInside,
    /// A quote inside a field that was not doubled, most likely.
    #[error("text after the quote that ends its field; write \"\" for a quote within it")]
    AfterQuote,
    /// The file ends before its partner.
    #[error("the quote that opens here is never closed; the file may have been cut off")]
    OpenQuote,
    /// Text has none.
    #[error("a NUL byte; save the file again as UTF-8 text")]
    Nul,
    /// Not a line break to all readers.
    #[error("a carriage return stands alone before this; end lines with LF or CR LF")]
    LoneReturn,
}

fn quoted(names: &[String]) -> String {
    // A header of a thousand columns is no help in a message.
    const SHOWN: usize = 12;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// What makes some answers of a table unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// Two rows have the same id, so which is right is unknown.
    #[error("{at} has the id `{id}` that {first} has already; both are ignored")]
    Duplicate {
        /// The id.
        id: String,
        /// Where it stood first.
        first: At,
        /// Where it stands again.
        at: At,
    },
    /// A row without an id can be nobody's.
    #[error("{at} has no id and is ignored")]
    NoId {
        /// Where.
        at: At,
    },
    /// The file ends without a line break, so its last row may be the beginning of one.
    #[error(
        "{at} is the last and has no line break, so it may have been cut off and counts as unknown; end the file with a line break"
    )]
    Cut {
        /// Where.
        at: At,
    },
    /// A column that other rows have has another name here, or nothing to say.
    #[error(
        "{rows} of the rows have no `{column}` at all, the first of them {first}; it counts as not having happened: write null if so, and look whether it has another name there"
    )]
    NotThere {
        /// The column.
        column: String,
        /// How many rows.
        rows: u64,
        /// The first of them.
        first: At,
    },
    /// An export time is not there or is no date.
    #[error("{at} has no export time that can be read, so the whole file counts as unknown")]
    NoExportTime {
        /// Where.
        at: At,
    },
    /// No row at all, so that nothing says when the file was exported.
    #[error("the file has no rows, so nothing says when it was exported, and all of it counts as unknown")]
    NoRows,
    /// An export time lies in the future.
    #[error("{at} was exported at {exported}, which is in the future, so the whole file counts as unknown")]
    FromTheFuture {
        /// Where.
        at: At,
        /// The export time.
        exported: DateTime<Utc>,
    },
    /// The oldest export time is too long ago.
    #[error("{at} was exported at {oldest}, too long ago, so the whole file counts as unknown")]
    Stale {
        /// Where.
        at: At,
        /// The oldest export time.
        oldest: DateTime<Utc>,
    },
}

impl RecordFault {
    /// Whether every answer counts all the same, so that nothing need be refused for it.
    pub const fn is_remark(&self) -> bool {
        matches!(self, Self::NotThere { .. })
    }

    /// Whether it depends on the date at which the file is looked at.
    pub const fn is_of_the_date(&self) -> bool {
        matches!(self, Self::NoRows | Self::FromTheFuture { .. } | Self::Stale { .. })
    }
}
