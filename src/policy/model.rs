//! The validated policy: types that cannot hold what a policy must not say.
//!
//! Made by [`super::read`] alone; immutable from then on.

mod exception;
mod guards;
mod select;
mod table;
mod trigger;

use chrono_tz::Tz;

pub use exception::*;
pub use guards::*;
pub use select::*;
pub use table::*;
pub use trigger::*;

use crate::calendar::Period;

/// Everything a policy folder says.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Owns the lifecycle rules `shelflife:<name>:…` and the bucket tag `shelflife=<name>`.
    pub name: String,
    /// Where dates and times without a zone are read.
    pub timezone: Tz,
    /// The account that every bucket must belong to, if it was said.
    pub account: Option<String>,
    /// Where an object's tenant stands: the first source that is present counts.
    pub tenant: Vec<Attribute>,
    /// Tables of external facts.
    pub tables: Vec<Table>,
    /// Rules, sorted by id.
    pub rules: Vec<Rule>,
    /// Customised periods.
    pub overrides: Vec<Override>,
    /// Requests to erase, sorted by id.
    pub erasures: Vec<Erasure>,
    /// Legal holds, sorted by id.
    pub holds: Vec<Hold>,
    /// Limits that hold before the first change.
    pub guards: Guards,
    /// How late S3 may be and still count as exact enough for [`Enforce::Auto`], in days.
    pub tolerance_days: u32,
    /// How long the evidence of a run must be kept, if it was said.
    pub evidence_retain: Option<Period>,
    /// SHA-256 (hex) of all that the policy says except its holds, formatting aside.
    pub digest: String,
    /// SHA-256 (hex) of the holds.
    pub holds_digest: String,
}

/// One row of a retention notice.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique id.
    pub id: String,
    /// The notice's own words for the data.
    pub data: Option<String>,
    /// Which objects.
    pub select: Select,
    /// From when retention runs.
    pub trigger: Trigger,
    /// How long it runs.
    pub retain: Period,
    /// Who removes what is due.
    pub enforce: Enforce,
    /// What becomes of superseded versions.
    pub noncurrent: Option<Noncurrent>,
    /// How long an incomplete upload stays, from its initiation.
    pub incomplete_uploads: Option<Period>,
    /// Moves to colder storage on the way, each later than the one before. S3 alone makes them.
    pub transitions: Vec<Transition>,
    /// Where a copy goes before an object is deleted.
    pub export: Option<ExportPlace>,
    /// How long a deletion in a versioned bucket can be undone.
    pub undo_window: Option<Period>,
    /// Whether each object's deletion must leave evidence, which S3 cannot give.
    pub evidence_per_object: bool,
    /// Limits of this rule, beside the policy's.
    pub guards: Guards,
}

/// Who removes what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforce {
    /// S3 where it can be proved to keep the promise, else Shelflife.
    #[default]
    Auto,
    /// S3; an error where it cannot be proved.
    Lifecycle,
    /// Shelflife.
    Direct,
    /// Nobody: decide and report only.
    Observe,
}

/// A move to colder storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// How long after the trigger.
    pub after: Period,
    /// The storage class in S3's own words, `GLACIER_IR`.
    pub to: String,
}

/// A place for copies: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPlace {
    /// The bucket.
    pub bucket: String,
    /// The start of every copy's key; empty, or ending in `/`.
    pub prefix: String,
}

/// What becomes of superseded versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noncurrent {
    /// How long after its successor's creation a superseded version stays.
    pub retain: Period,
    /// How many of the newest superseded versions stay whatever their age.
    pub newer_versions: u32,
}
