//! The plan file: one Parquet file, its footer last, so that half a plan is no plan.
//!
//! Columns and metadata are described at [`COLUMNS`]. DuckDB, pandas and Spark read the file as
//! it is; Shelflife also holds it to its seal.

mod read;
mod seal;
mod spool;
#[cfg(test)]
mod tests;
mod write;

use std::io::{self, Read};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use sha2::{Digest, Sha256};

pub use self::read::{PlanReader, Rows};
pub use self::spool::{Spool, Stretch};
pub use self::write::{PlanWriter, Written};
use super::row::RowFault;
use crate::text::hex;

/// The format of plan files that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 3;

/// The columns, as a Parquet message type; one row for each thing to do, see
/// [`PlanRow`](super::row::PlanRow).
///
/// The footer's key-value metadata holds `shelflife.format` (a number), `shelflife.header` (a
/// JSON object) and `shelflife.seal` (SHA-256, hex, over the file with these 64 digits as zeros).
pub const COLUMNS: &str = "message shelflife_plan {
    REQUIRED BYTE_ARRAY action (STRING);
    REQUIRED BYTE_ARRAY kind (STRING);
    REQUIRED BYTE_ARRAY bucket (STRING);
    REQUIRED BYTE_ARRAY key (STRING);
    OPTIONAL BYTE_ARRAY version_id (STRING);
    OPTIONAL BYTE_ARRAY upload_id (STRING);
    REQUIRED BOOLEAN is_latest;
    OPTIONAL BYTE_ARRAY etag (STRING);
    REQUIRED INT64 last_modified (TIMESTAMP(MILLIS,true));
    REQUIRED INT64 size;
    OPTIONAL BYTE_ARRAY storage_class (STRING);
    OPTIONAL BYTE_ARRAY tenant (STRING);
    REQUIRED BYTE_ARRAY rule (STRING);
    OPTIONAL BYTE_ARRAY erasure (STRING);
    OPTIONAL BYTE_ARRAY trigger (STRING);
    OPTIONAL BYTE_ARRAY trigger_source (STRING);
    REQUIRED INT64 due (TIMESTAMP(MILLIS,true));
    REQUIRED BYTE_ARRAY reason (STRING);
    REQUIRED BOOLEAN overdue_sweep;
    OPTIONAL BYTE_ARRAY export (STRING);
}";

const FORMAT_KEY: &str = "shelflife.format";
const HEADER_KEY: &str = "shelflife.header";

/// Why a plan file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file is something else.
    #[error("not a Shelflife plan")]
    NotAPlan,
    /// It begins like a plan, and its end is missing.
    #[error("the plan is cut off: its end is missing")]
    CutOff,
    /// An earlier version of Shelflife wrote it.
    #[error("the plan has format {found}, and this version reads format {FORMAT}: make it again")]
    Older {
        /// The format that it has.
        found: u32,
    },
    /// A later version of Shelflife wrote it.
    #[error("the plan has format {found}, and this version reads formats up to {FORMAT}")]
    Newer {
        /// The format that it has.
        found: u32,
    },
    /// It cannot be read, or holds what no plan holds.
    #[error("the plan is damaged: {what}")]
    Damaged {
        /// What of it.
        what: &'static str,
        /// How that was seen, if the file itself cannot be read.
        #[source]
        source: Option<ParquetError>,
    },
    /// It is not as it was written.
    #[error("the plan was edited or damaged after it was made: it does not fit its seal")]
    Edited,
    /// A row that no plan may hold, or not at this place.
    #[error("row {row} of the plan cannot stand there")]
    Row {
        /// Counted from 1.
        row: u64,
        /// What is wrong with it.
        #[source]
        fault: RowFault,
    },
    /// The file could not be written.
    #[error("the plan could not be written")]
    Write(#[source] ParquetError),
}

/// SHA-256 (hex) of a whole file: the digest that is printed for a plan and asked for when it
/// is applied.
///
/// # Errors
/// Those of `file`.
pub fn file_digest(mut file: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut file, &mut seal::Feed(&mut digest))?;
    Ok(hex(&digest.finalize()))
}

fn schema() -> Result<Arc<Type>, ParquetError> {
    parse_message_type(COLUMNS).map(Arc::new)
}
