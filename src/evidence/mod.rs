//! The append-only, hash-chained log of what was intended and what happened.
//!
//! One JSON object a line: `seq` counts from 1, `at` is when it was written, `kind` names the
//! [`Body`], and `prev` is the SHA-256 of the line before, without its newline. The hash of the
//! last line is the log's head. Nothing is ever taken out of a log: a line that a crash left
//! torn stays where it is, and the [`Resumed`] entry after it names its hash.

mod chain;
mod entry;
mod item_result;
mod ledger;
mod log;
mod pieces;
mod several;
mod tail;
#[cfg(test)]
mod tests;
mod told;

pub use self::chain::{
    Checked, Entries, Verified, VerifyError, check, done, entries, opened, verify, verify_torn,
};
pub use self::entry::{
    Action, Body, Closing, ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, Entry, FORMAT,
    Intent, Item, ItemOutcome, Opened, Opening, Outcome, Resumed, Totals,
};
pub use self::item_result::ItemResult;
pub use self::ledger::{End, EntryFault, Unresolved};
pub use self::log::{Closed, EvidenceError, EvidenceLog, Resuming, is_in_use};
pub use self::pieces::{Copy, CopyError, fetch};
pub use self::several::{Follows, Heads, chained, confirm, holder, in_order};
pub use self::tail::head;
pub use self::told::{Outcomes, Told, told};
