//! What departs from a rule: customised periods, requests to erase, and legal holds.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{Rule, Select};
use crate::calendar::{self, Period};

/// A customised period for some objects under one rule: of certain tenants, of those whose
/// record says something, or both.
#[derive(Clone, Debug)]
pub struct Override {
    /// Whose objects; `None` only if there is a condition.
    pub tenants: Option<Vec<String>>,
    /// What the object's record must say.
    pub condition: Option<RecordCondition>,
    /// Index into [`super::Policy::rules`].
    pub rule: usize,
    /// The period in place of the rule's.
    pub retain: Period,
    /// Reference of the agreement; there is one wherever the period is longer and no law asks for it.
    pub agreement: Option<String>,
    /// The law that asks for the period; it outweighs an erasure.
    pub legal_basis: Option<String>,
    /// Through the end of this day in the policy's time zone.
    pub until: Option<NaiveDate>,
}

/// What a record must say, word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordCondition {
    /// Index into [`super::Policy::tables`].
    pub table: usize,
    /// The column.
    pub column: String,
    /// Any of these; never empty.
    pub is: Vec<String>,
}

/// What a customised period costs the customer, as the notice promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceClass {
    /// Not longer than the rule's: free of charge.
    Free,
    /// Longer, by agreement.
    Priced,
    /// Longer because a law asks for it.
    ByLaw,
}

/// A request to erase: what it selects, and was uploaded by the end of the day of the request, is
/// due at the end of that day, unless it is held, locked or kept by law.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Unique id.
    pub id: String,
    /// Why.
    pub reason: String,
    /// What is to be erased.
    pub select: Select,
    /// The day of the request in the policy's time zone.
    pub requested: NaiveDate,
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

impl Override {
    /// What it costs under `rule`.
    pub fn price(&self, rule: &Rule) -> PriceClass {
        if !self.retain.can_exceed(rule.retain) {
            PriceClass::Free
        } else if self.legal_basis.is_some() {
            PriceClass::ByLaw
        } else {
            PriceClass::Priced
        }
    }

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

impl Erasure {
    /// When what it selects is due: the first midnight UTC at or after the end of its day.
    pub fn due(&self, zone: Tz) -> DateTime<Utc> {
        calendar::midnight_at_or_after(calendar::end_of_day(self.requested, zone))
    }

    /// Whether an upload is old enough for the request to be about it.
    pub fn reaches(&self, uploaded: DateTime<Utc>, zone: Tz) -> bool {
        // Where midnight comes twice, what lies between the two may be of the next day.
        self.requested.succ_opt().is_none_or(|next| uploaded < calendar::start_of_day(next, zone))
    }
}

impl PriceClass {
    /// In a word or three, as shown beside an override.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Priced => "priced",
            Self::ByLaw => "by law",
        }
    }
}

fn in_force(last_day: Option<NaiveDate>, now: DateTime<Utc>, zone: Tz) -> bool {
    last_day.is_none_or(|day| now < calendar::end_of_day(day, zone))
}
