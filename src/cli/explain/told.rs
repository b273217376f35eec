//! An explanation as data: what `--json` prints, and what the text is made of.
//!
//! The names and shapes are stable: they may grow, and nothing in them is taken away or changes
//! its meaning.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// Why one object is kept or not.
#[derive(Debug, Serialize)]
pub struct Told {
    /// `s3://bucket/key`, with its version where it has one.
    pub object: String,
    pub kind: &'static str,
    pub uploaded: DateTime<Utc>,
    pub superseded: Option<DateTime<Utc>>,
    /// Bytes, where they are known.
    pub size: Option<u64>,
    pub is_latest: bool,
    /// The date that is asked about.
    pub at: DateTime<Utc>,
    /// Why nothing is touched in the bucket.
    pub untouched: Option<String>,
    pub tenant: Option<String>,
    /// Where the tenant was found, in words.
    pub tenant_source: String,
    pub rules: Vec<ToldRule>,
    pub erasures: Vec<ToldErasure>,
    pub holds: Vec<ToldHold>,
    /// A verdict's word.
    pub decision: &'static str,
    pub due: Option<DateTime<Utc>>,
    pub reasons: Vec<String>,
    /// Who removes it, for what is expired.
    pub removal: Option<String>,
    /// When the decision changes next, if a date alone changes it.
    pub next: Option<ToldNext>,
    /// What would have to be known to decide what is undecided.
    pub to_know: Vec<String>,
}

/// What one rule says of it.
#[derive(Debug, Default, Serialize)]
pub struct ToldRule {
    pub rule: String,
    /// The notice's own words.
    pub data: Option<String>,
    /// Whether the rule covers it, or may.
    pub covers: bool,
    /// Whether that is certain.
    pub certain: bool,
    /// Why it does not cover it, or only may.
    pub why: Option<String>,
    /// Why it is not simply the rule's period from its trigger.
    pub clock: Option<String>,
    pub overridden: Option<ToldOverride>,
    /// Overrides that may apply.
    pub might_apply: Vec<ToldOverride>,
    /// What keeps it from an erasure.
    pub laws: Vec<ToldLaw>,
    /// Where the trigger takes its date from, if from several.
    pub combination: Option<String>,
    /// The trigger's value in words.
    pub trigger: Option<String>,
    /// The date that is counted from: an instant, or a day that is meant whole.
    pub trigger_date: Option<String>,
    /// Where it was found.
    pub trigger_source: Option<String>,
    /// What is written there.
    pub trigger_value: Option<String>,
    pub period: Option<String>,
    /// From the date to the due date, one addition at a time.
    pub steps: Vec<ToldStep>,
    pub due: Option<DateTime<Utc>>,
    /// It is not due before this.
    pub not_before: Option<DateTime<Utc>>,
    /// It is due from this on, whatever the unknown turns out to be.
    pub at_the_latest: Option<DateTime<Utc>>,
    /// What S3 does with it.
    pub lifecycle: Option<String>,
    /// What Shelflife does with it.
    pub direct: Option<String>,
}

/// One step of adding up.
#[derive(Debug, Serialize)]
pub struct ToldStep {
    /// `+ 30 days`, or `due`.
    pub step: String,
    /// What comes of it.
    pub gives: String,
}

/// A customised period.
#[derive(Debug, Serialize)]
pub struct ToldOverride {
    pub retain: String,
    pub instead_of: String,
    /// `free`, `priced` or `by law`.
    pub price: &'static str,
    pub tenants: Option<Vec<String>>,
    /// What the record must say.
    pub condition: Option<String>,
    pub agreement: Option<String>,
    pub legal_basis: Option<String>,
    /// Through the end of this day.
    pub until: Option<NaiveDate>,
    /// All of it in words.
    pub text: String,
}

/// A law that an erasure does not outweigh.
#[derive(Debug, Serialize)]
pub struct ToldLaw {
    pub legal_basis: String,
    /// Whether it applies for certain.
    pub certain: bool,
    /// It keeps the object until this, where that is known.
    pub until: Option<DateTime<Utc>>,
}

/// A request to erase.
#[derive(Debug, Serialize)]
pub struct ToldErasure {
    pub id: String,
    pub reason: String,
    pub requested: NaiveDate,
    pub due: DateTime<Utc>,
    /// Whether it is certain that it covers the object.
    pub certain: bool,
}

/// A legal hold.
#[derive(Debug, Serialize)]
pub struct ToldHold {
    pub id: String,
    pub reason: String,
    /// Through the end of this day.
    pub released: Option<NaiveDate>,
    /// Whether it is certain that it covers the object.
    pub certain: bool,
}

/// The next change.
#[derive(Debug, Serialize)]
pub struct ToldNext {
    pub on: DateTime<Utc>,
    /// A verdict's word.
    pub becomes: &'static str,
    pub reasons: Vec<String>,
}
