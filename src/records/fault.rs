//! What can be wrong with a record file.

use std::io;

use chrono::{DateTime, Utc};

/// The most columns.
pub(super) const MOST_COLUMNS: usize = 1000;

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
    /// Not UTF-8.
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 {
        /// Where.
        line: u64,
    },
    /// A field longer than 64 KiB.
    #[error("line {line} has a field of more than 64 KiB; a quote may be open")]
    FieldTooLong {
        /// Where.
        line: u64,
    },
    /// Quotes come in pairs, and one has no partner.
    #[error("a quote is open at the end of the file; it may have been cut off")]
    OpenQuote,
    /// A row longer than 1 MiB.
    #[error("line {line} starts a row of more than 1 MiB; a quote may be open")]
    RowTooLong {
        /// Where.
        line: u64,
    },
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
    #[error("line {line} has the id `{id}` that line {first} has already; both are ignored")]
    Duplicate {
        /// The id.
        id: String,
        /// The line of the first row.
        first: u64,
        /// The line of this row.
        line: u64,
    },
    /// A row without an id can be nobody's.
    #[error("line {line} has no id and is ignored")]
    NoId {
        /// Where.
        line: u64,
    },
    /// An export time is not there or is no date.
    #[error("line {line} has no export time that can be read, so the whole file counts as unknown")]
    NoExportTime {
        /// Where.
        line: u64,
    },
    /// No row at all, so that nothing says when the file was exported.
    #[error("the file has no rows, so nothing says when it was exported, and all of it counts as unknown")]
    NoRows,
    /// An export time lies in the future.
    #[error(
        "line {line} was exported at {exported}, which is in the future, so the whole file counts as unknown"
    )]
    FromTheFuture {
        /// Where.
        line: u64,
        /// The export time.
        exported: DateTime<Utc>,
    },
    /// The oldest export time is too long ago.
    #[error("line {line} was exported at {oldest}, too long ago, so the whole file counts as unknown")]
    Stale {
        /// Where.
        line: u64,
        /// The oldest export time.
        oldest: DateTime<Utc>,
    },
}
