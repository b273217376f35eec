//! S3 Inventory: finds the keys worth looking at without listing the bucket.
//!
//! An inventory is a day or more old, in no order, and knows no tags and no metadata. So nothing is decided
//! from it: what a row shows to be kept for now is counted, and the key of every other row is a
//! candidate, to be looked up in the store. Of an object that is newer than the inventory nothing
//! is known; it waits for the next one.

mod candidates;
mod column;
mod counting;
mod csv;
mod fault;
mod manifest;
mod parquet;
mod row;
mod scan;
#[cfg(test)]
mod tests;

pub use candidates::{Candidates, Keys};
pub use counting::{Counted, Judge};
pub use fault::{InventoryError, MOST_DAYS};
pub use manifest::{Columns, DataFile, Format, Manifest};
pub use row::{Instant, Row};
pub use scan::{DECODING_THREAD, Found, Scan};
