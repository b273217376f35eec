//! Files of external facts.

use super::Attribute;
use crate::calendar::Period;

/// A file of records.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name in the policy, `customers`.
    pub name: String,
    /// Where the file lies.
    pub place: RecordPlace,
    /// What kind of file it is.
    pub format: RecordFormat,
    /// The column that identifies a row.
    pub id: String,
    /// What of an object is looked up in that column.
    pub by: By,
    /// How old the oldest export time may be.
    pub fresh: Option<Freshness>,
    /// Columns that the policy asks for, sorted, the id and the export time aside.
    pub columns: Vec<String>,
}

/// Where a record file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordPlace {
    /// In the policy folder: a relative path that stays in it.
    Folder(String),
    /// In a store: `s3://bucket/key`.
    Store {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
}

impl std::fmt::Display for RecordPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => f.write_str(path),
            Self::Store { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// What kind of file a record file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordFormat {
    /// A header, then rows; RFC 4180.
    #[default]
    Csv,
    /// A JSON object on each line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// What of an object is looked up in a table.
#[derive(Clone, Debug)]
pub enum By {
    /// Its tenant.
    Tenant,
    /// An attribute.
    Attribute(Attribute),
}

/// How recent a record file must be.
#[derive(Clone, Debug)]
pub struct Freshness {
    /// The oldest age that still counts.
    pub within: Period,
    /// The column that says when a row was exported.
    pub exported_at: String,
}
