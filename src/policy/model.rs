//! The validated policy: types that cannot hold what a policy must not say.
//!
//! Made by [`super::read`] alone; immutable from then on.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::calendar::{self, Period};
use crate::pattern::{BucketPattern, KeyPattern};

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
    /// Legal holds, sorted by id.
    pub holds: Vec<Hold>,
    /// Limits that hold before the first change.
    pub guards: Guards,
    /// How late S3 may be and still count as exact enough for [`Enforce::Auto`], in days.
    pub tolerance_days: u32,
    /// SHA-256 (hex) of all that the policy says except its holds, formatting aside.
    pub digest: String,
    /// SHA-256 (hex) of the holds.
    pub holds_digest: String,
}

/// Where a value of an object stands.
#[derive(Clone, Debug)]
pub enum Attribute {
    /// In the key, at the pattern's capture.
    Key(KeyPattern),
    /// In user metadata, under this name in lower case.
    Metadata(String),
    /// In the tag of this key.
    Tag(String),
}

/// A file of records.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name in the policy, `customers`.
    pub name: String,
    /// Path of the CSV file, relative to the policy folder.
    pub file: String,
    /// The column that identifies a row.
    pub id: String,
    /// What of an object is looked up in that column.
    pub by: By,
    /// How old the oldest export time may be.
    pub fresh: Option<Freshness>,
    /// Columns that the policy asks for, sorted, the id and the export time aside.
    pub columns: Vec<String>,
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

/// What becomes of superseded versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noncurrent {
    /// How long after its successor's creation a superseded version stays.
    pub retain: Period,
    /// How many of the newest superseded versions stay whatever their age.
    pub newer_versions: u32,
}

/// Which objects: all conditions that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Names or patterns; any of them. Empty in a hold means every bucket.
    pub buckets: Vec<BucketPattern>,
    /// Literal start of the key.
    pub prefix: Option<String>,
    /// Pattern that the whole key must match.
    pub key: Option<KeyPattern>,
    /// Exact tenants; any of them.
    pub tenants: Option<Vec<String>>,
}

/// A date from which retention runs.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name under `triggers:`, where it has one.
    pub name: Option<String>,
    /// Where the date comes from.
    pub source: Source,
    /// How far from the upload it can lie.
    pub within: Option<Within>,
    /// What a value outside counts as.
    pub outside: Outside,
    /// What it means that there is no value. `None` only in a term of a larger trigger,
    /// which then sees that it is absent.
    pub if_missing: Option<IfMissing>,
}

/// Where a trigger's date comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Last-Modified.
    Uploaded,
    /// An attribute of the object; a key pattern carries date fields.
    Attribute(Attribute),
    /// A field of the object's row.
    Record {
        /// Index into [`Policy::tables`].
        table: usize,
        /// The column.
        column: String,
    },
    /// The term that leads to the earliest due date.
    Earliest(Vec<Term>),
}

/// A part of a larger trigger.
#[derive(Clone, Debug)]
pub struct Term {
    /// The date.
    pub trigger: Trigger,
    /// Added to it before the rule's period.
    pub plus: Option<Period>,
}

/// How far from the upload a trigger's date can lie, in seconds; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Seconds before the upload.
    pub before: Option<u64>,
    /// Seconds after it.
    pub after: Option<u64>,
}

/// What a value outside of `within`, or one that is no date, counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// It is unknown.
    #[default]
    Undecided,
    /// It counts as the upload + `within.after`, which is then limited.
    Clamp,
}

/// What it means that a trigger has no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfMissing {
    /// Nothing can be said.
    #[default]
    Undecided,
    /// The upload counts.
    Uploaded,
    /// It has not happened yet: the object stays.
    Retained,
}

/// A customised period for some tenants under one rule.
#[derive(Clone, Debug)]
pub struct Override {
    /// Whose objects.
    pub tenants: Vec<String>,
    /// Index into [`Policy::rules`].
    pub rule: usize,
    /// The period in place of the rule's.
    pub retain: Period,
    /// Reference of the agreement; there is one wherever the period is longer.
    pub agreement: Option<String>,
    /// Through the end of this day in the policy's time zone.
    pub until: Option<NaiveDate>,
}

/// A legal hold.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Unique id.
    pub id: String,
    /// Why.
    pub reason: String,
    /// What it holds.
    pub select: Select,
    /// Through the end of this day in the policy's time zone.
    pub released: Option<NaiveDate>,
}

/// Limits on what one run may remove; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Guards {
    /// Share of the objects that were listed, 0 to 1.
    pub max_share: Option<f64>,
    /// Objects.
    pub max_objects: Option<u64>,
    /// Bytes.
    pub max_bytes: Option<u64>,
    /// How old a plan may be when it is applied.
    pub max_plan_age: Option<Period>,
}

impl Override {
    /// Whether it is in force at `now`.
    pub fn in_force(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        in_force(self.until, now, zone)
    }
}

impl Hold {
    /// Whether it is in force at `now`; it still is on its `released` day.
    pub fn in_force(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        in_force(self.released, now, zone)
    }
}

fn in_force(last_day: Option<NaiveDate>, now: DateTime<Utc>, zone: Tz) -> bool {
    last_day.is_none_or(|day| now < calendar::end_of_day(day, zone))
}
