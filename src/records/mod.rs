//! External facts: rows of record files, looked up by id.
//!
//! A table is read from CSV, JSON Lines or Parquet; what it answers is known, absent or unknown,
//! never a guess. Of a file only the id and the columns that the policy asks for are kept.
//!
//! **Memory.** A row takes its id's bytes + 8 to 18 bytes + 4 bytes for each column; each
//! different text in all columns together its own bytes + 9 to 14. Ten million rows with ids of 10
//! bytes and two dates, and a million objects decided by them under 500 rules, take 350 MB at their
//! peak (`cargo bench --bench memory`).

mod csv;
mod fault;
mod intake;
mod json;
mod parquet;
mod table;

pub use fault::{At, CsvFault, RecordError, RecordFault};
pub use intake::ReadTable;
pub use parquet::READING_THREAD;
pub use table::{RecordTable, Row};

use chrono::{DateTime, Utc};

/// The tables of a policy.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// In the order of [`crate::policy::Policy::tables`].
    pub tables: Vec<RecordTable>,
}

/// Why nothing in a table can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The file is not there or could not be read.
    Missing,
    /// The oldest export time in it is too long ago.
    Stale {
        /// The oldest export time found.
        oldest: DateTime<Utc>,
    },
    /// An export time lies in the future.
    FromTheFuture {
        /// The latest export time found.
        exported: DateTime<Utc>,
    },
    /// An export time is missing or is no date.
    NoExportTime,
}

/// The answer to a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The field holds this text.
    Known(&'a str),
    /// The field is there and empty: it has not happened.
    Absent,
    /// It cannot be known.
    Unknown(NoValue),
}

/// Why a field cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoValue {
    /// No row has this id.
    NoRow,
    /// Several rows have it.
    Duplicate,
    /// The table is missing, stale or from the future, or the row may be cut off.
    Unusable,
}

impl Records {
    /// The field `column` of the row `id` in the table at index `table`.
    pub fn lookup(&self, table: usize, id: &str, column: &str) -> Lookup<'_> {
        match self.tables.get(table) {
            Some(table) => table.lookup(id, column),
            None => Lookup::Unknown(NoValue::Unusable),
        }
    }
}

#[cfg(test)]
mod tests;
