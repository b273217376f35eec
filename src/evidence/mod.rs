//! The append-only, hash-chained log of what was intended and what happened.
//!
//! One JSON object a line: `seq` counts from 1, `at` is when it was written, `kind` names the
//! [`Body`], and `prev` is the SHA-256 of the line before, without its newline. The hash of the
//! last line is the log's head. Nothing is ever taken out of a log: a line that a crash left
//! torn stays where it is, and the [`Resumed`] entry after it names its hash.

mod chain;
mod entry;
mod ledger;
mod log;
#[cfg(test)]
mod tests;

pub use self::chain::{Entries, Verified, VerifyError, done, entries, verify};
pub use self::entry::{
    Action, Body, Closing, ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, Entry, FORMAT,
    Intent, Item, ItemOutcome, ItemResult, Opened, Opening, Outcome, Resumed, Totals,
};
pub use self::ledger::{End, EntryFault, Unresolved};
pub use self::log::{Closed, EvidenceError, EvidenceLog};
