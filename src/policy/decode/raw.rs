//! What the documents of a policy say, merged, before anything is compared.
//!
//! `None` in a field that the language demands means that its fault is recorded.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::calendar::{DateFormat, Period};
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::model::{
    Attribute, By, Enforce, ExportPlace, Guards, IfMissing, Noncurrent, Outside, RecordFormat, RecordPlace,
    Select, Within,
};

/// A setting that can stand once.
#[derive(Debug)]
pub(in crate::policy) struct Once<T> {
    /// Where its key stands.
    pub at: At,
    /// `None` if the value was at fault.
    pub value: Option<T>,
}

/// Everything that was said.
#[derive(Debug, Default)]
pub(in crate::policy) struct Raw {
    pub version: Option<At>,
    pub name: Option<Once<String>>,
    pub timezone: Option<Once<Tz>>,
    pub account: Option<Once<String>>,
    pub tenant: Option<Once<Vec<Attribute>>>,
    pub guards: Option<Once<Guards>>,
    pub tolerance: Option<Once<u32>>,
    pub evidence: Option<Once<Period>>,
    pub tables: Vec<(Spanned<String>, Option<RawTable>)>,
    pub triggers: Vec<(Spanned<String>, Option<RawTrigger>)>,
    pub rules: Vec<RawRule>,
    pub overrides: Vec<RawOverride>,
    pub erasures: Vec<RawErasure>,
    pub holds: Vec<RawHold>,
    /// Where tenants are used that need a source.
    pub wanted_tenants: Vec<Wanted>,
    /// What can be used and may not be meant.
    pub warnings: Faults,
}

/// A place that makes sense only if tenants are known.
#[derive(Debug)]
pub(in crate::policy) struct Wanted {
    pub at: At,
    pub by: &'static str,
}

#[derive(Debug)]
pub(in crate::policy) struct RawTable {
    pub place: Option<RecordPlace>,
    pub format: Option<RecordFormat>,
    pub id: Option<String>,
    pub by: Option<By>,
    pub fresh_within: Option<Spanned<Period>>,
    pub exported_at: Option<Spanned<String>>,
}

#[derive(Debug)]
pub(in crate::policy) enum RawTrigger {
    /// A name under `triggers:`, or `uploaded`.
    Named(Spanned<String>),
    Inline(Box<RawInline>),
}

#[derive(Debug)]
pub(in crate::policy) struct RawInline {
    pub at: At,
    pub source: RawSource,
    pub format: Option<DateFormat>,
    /// There in a term of a larger trigger alone.
    pub plus: Option<Period>,
    pub within: Option<Within>,
    pub outside: Outside,
    pub if_missing: Option<Spanned<IfMissing>>,
}

impl RawTrigger {
    /// Where it stands.
    pub(in crate::policy) fn at(&self) -> At {
        match self {
            Self::Named(name) => name.at,
            Self::Inline(inline) => inline.at,
        }
    }
}

#[derive(Debug)]
pub(in crate::policy) enum RawSource {
    Uploaded,
    Attribute(Attribute),
    Record { at: At, table: String, column: String },
    Earliest(Vec<RawTrigger>),
    Latest(Vec<RawTrigger>),
    First(Vec<RawTrigger>),
}

#[derive(Debug)]
pub(in crate::policy) struct RawSelect {
    pub select: Select,
    pub at: At,
}

#[derive(Debug)]
pub(in crate::policy) struct RawRule {
    pub id: Option<Spanned<String>>,
    pub data: Option<String>,
    pub select: Option<RawSelect>,
    pub trigger: Option<RawTrigger>,
    pub trigger_at: Option<At>,
    pub retain: Option<Spanned<Period>>,
    pub enforce: Option<Spanned<Enforce>>,
    pub noncurrent: Option<Spanned<Noncurrent>>,
    pub incomplete_uploads: Option<Period>,
    pub transitions: Vec<RawTransition>,
    pub export: Option<Spanned<ExportPlace>>,
    pub undo_window: Option<Spanned<Period>>,
    pub evidence: Option<Spanned<bool>>,
    pub guards: Guards,
}

#[derive(Debug)]
pub(in crate::policy) struct RawTransition {
    pub after: Spanned<Period>,
    pub to: Spanned<&'static str>,
}

#[derive(Debug)]
pub(in crate::policy) struct RawOverride {
    pub at: At,
    pub tenants: Option<Vec<String>>,
    /// `Some(None)` if it is at fault.
    pub condition: Option<Option<RawCondition>>,
    pub rule: Option<Spanned<String>>,
    pub retain: Option<Spanned<Period>>,
    pub agreement: Option<Once<String>>,
    pub legal_basis: Option<Once<String>>,
    pub until: Option<Spanned<NaiveDate>>,
}

#[derive(Debug)]
pub(in crate::policy) struct RawCondition {
    pub at: At,
    pub table: String,
    pub column: String,
    pub is: Vec<String>,
}

#[derive(Debug)]
pub(in crate::policy) struct RawErasure {
    pub id: Option<Spanned<String>>,
    pub reason: Option<String>,
    pub select: Option<RawSelect>,
    pub requested: Option<Spanned<NaiveDate>>,
}

#[derive(Debug)]
pub(in crate::policy) struct RawHold {
    pub id: Option<Spanned<String>>,
    pub reason: Option<String>,
    pub select: Option<RawSelect>,
    pub released: Option<Spanned<NaiveDate>>,
}
