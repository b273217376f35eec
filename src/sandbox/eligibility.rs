//! When something is eligible for a lifecycle action, and when the sandbox acts on it.

use chrono::{DateTime, Days, Utc};

use super::clock::midnight_of;
use super::rules::When;

/// Where "rounded up to the next midnight UTC" leads from a sum that is midnight already. S3 does not
/// document it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExactMidnight {
    /// To the same midnight.
    #[default]
    Same,
    /// To the midnight a day later.
    Next,
}

/// How the sandbox's lifecycle rules run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub exact_midnight: ExactMidnight,
    /// How many days after eligibility S3 acts.
    pub lag_days: u32,
}

impl Settings {
    /// When what was created at `created` is eligible after `days`.
    pub fn eligible(self, created: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        let after = |at: DateTime<Utc>, days: u32| {
            at.checked_add_days(Days::new(days.into())).unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let sum = after(created, days);
        let midnight = midnight_of(sum);
        if midnight == sum && self.exact_midnight == ExactMidnight::Same { sum } else { after(midnight, 1) }
    }

    pub fn when(self, created: DateTime<Utc>, when: When) -> DateTime<Utc> {
        match when {
            When::Days(days) => self.eligible(created, days),
            When::Date(date) => date,
        }
    }

    pub fn is_due(self, eligible: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        eligible.checked_add_days(Days::new(self.lag_days.into())).is_some_and(|due| due <= at)
    }
}
