//! From when retention runs, and where that stands.

use crate::calendar::{DateFormat, Period};
use crate::pattern::KeyPattern;

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

/// A date from which retention runs.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name under `triggers:`, where it has one.
    pub name: Option<String>,
    /// Where the date comes from.
    pub source: Source,
    /// How the value of an attribute or a record is written, where not as
    /// [`crate::calendar::Moment::parse`] reads it.
    pub format: Option<DateFormat>,
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
        /// Index into [`super::Policy::tables`].
        table: usize,
        /// The column.
        column: String,
    },
    /// The term that leads to the earliest due date; absent ones are left out.
    Earliest(Vec<Term>),
    /// The term that leads to the latest due date; absent if any of them is.
    Latest(Vec<Term>),
    /// The first term that is not absent.
    First(Vec<Term>),
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
