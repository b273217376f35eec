//! What can be wrong with an inventory.

use std::error::Error;
use std::io;

use chrono::{DateTime, Utc};

/// The one version of manifests.
pub(super) const VERSION: &str = "2016-11-30";

/// An older inventory finds too little of what is due. A weekly one takes up to two days to arrive.
pub const MOST_DAYS: i64 = 9;

type Cause = Box<dyn Error + Send + Sync>;

/// Why an inventory cannot be used. A part of one is never used without the rest.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It is no manifest.
    #[error("the manifest is not one of S3 Inventory")]
    Manifest(#[source] serde_json::Error),
    /// The manifest contradicts itself.
    #[error("the manifest is not one of S3 Inventory: {0}")]
    Unsound(String),
    /// It is not as it was when it was delivered.
    #[error("the manifest is not the one that manifest.checksum is about: it was changed, or cut off")]
    ManifestChecksum,
    /// A version that nobody knew when this was written.
    #[error("the manifest has the version {0:?}, and {VERSION} is read")]
    Version(String),
    /// ORC and what may come.
    #[error("the inventory is in the format {0:?}, and Parquet and CSV are read")]
    Format(String),
    /// It does not tell what a decision takes.
    #[error("the inventory has no field {0}")]
    MissingField(&'static str),
    /// It leaves out noncurrent versions.
    #[error("the inventory lists current versions alone, and the bucket keeps others: it has no field {0}")]
    CurrentOnly(&'static str),
    /// It is too old to be of use.
    #[error("the inventory is of {created}, more than {MOST_DAYS} days ago")]
    Stale {
        /// When its making began.
        created: DateTime<Utc>,
    },
    /// It cannot have been made yet.
    #[error("the inventory is of {created}, which has not come yet")]
    Future {
        /// When its making began.
        created: DateTime<Utc>,
    },
    /// A file could not be read.
    #[error("the inventory's file {file} could not be read")]
    Fetch {
        /// Its key.
        file: String,
        /// Why.
        source: Cause,
    },
    /// A file is longer or shorter than it was.
    #[error("the inventory's file {file} has {found} bytes, and the manifest says {said}")]
    Size {
        /// Its key.
        file: String,
        /// Bytes as the manifest has them.
        said: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A file has other bytes than it had.
    #[error("the inventory's file {file} has not the MD5 that the manifest says: it was changed")]
    Checksum {
        /// Its key.
        file: String,
    },
    /// A file is not what its format says.
    #[error("the inventory's file {file} is damaged: {what}")]
    Damaged {
        /// Its key.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// Keys could not be put aside.
    #[error("keys could not be put aside in a temporary file")]
    Spill(#[from] io::Error),
}
