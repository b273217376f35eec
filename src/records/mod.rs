//! External facts: rows of record files, looked up by id.
//!
//! A table is read from CSV ([`RecordTable::read_csv`]); what it answers is known, absent or
//! unknown, never a guess.

mod csv;
mod fault;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

pub use self::csv::ReadTable;
pub use fault::{RecordError, RecordFault};

/// The rows of one file, kept to the columns that the policy asks for.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// In the order of [`crate::policy::Policy::tables`].
    pub tables: Vec<RecordTable>,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub struct RecordTable {
    /// Column names, in the order of the values of a row.
    pub columns: Vec<String>,
    /// Rows by id.
    pub rows: HashMap<String, Row>,
    /// Why nothing in this table can be trusted, if so.
    pub unusable: Option<Unusable>,
}

/// What stands under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Values in the order of [`RecordTable::columns`]; an empty field is `None`.
    Once(Box<[Option<Box<str>>]>),
    /// Several rows claim the id: which one is right is unknown.
    Duplicate,
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
    /// The table is missing, stale or from the future.
    Unusable,
}

impl Records {
    /// The field `column` of the row `id` in the table at index `table`.
    pub fn lookup(&self, table: usize, id: &str, column: &str) -> Lookup<'_> {
        let Some(table) = self.tables.get(table).filter(|table| table.unusable.is_none()) else {
            return Lookup::Unknown(NoValue::Unusable);
        };
        let Some(place) = table.columns.iter().position(|name| name == column) else {
            return Lookup::Unknown(NoValue::Unusable);
        };
        match table.rows.get(id) {
            None => Lookup::Unknown(NoValue::NoRow),
            Some(Row::Duplicate) => Lookup::Unknown(NoValue::Duplicate),
            Some(Row::Once(values)) => match values.get(place).and_then(Option::as_deref) {
                Some(text) => Lookup::Known(text),
                None => Lookup::Absent,
            },
        }
    }
}

#[cfg(test)]
mod tests;
