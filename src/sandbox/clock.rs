//! The sandbox's own time: it stands still until it is turned forward.

use chrono::{DateTime, Days, NaiveTime, Utc};

/// A clock that starts at a given instant and can only be turned forward.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    now: DateTime<Utc>,
}

/// The clock was asked to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox's clock stands at {now} and cannot be turned back to {asked}")]
pub struct TurnedBack {
    /// Where the clock stands.
    pub now: DateTime<Utc>,
    /// The earlier instant that was asked for.
    pub asked: DateTime<Utc>,
}

impl Clock {
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self { now }
    }

    /// Where the clock stands.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Turns the clock forward to `to`.
    pub fn turn_to(&mut self, to: DateTime<Utc>) -> Result<(), TurnedBack> {
        if to < self.now {
            return Err(TurnedBack { now: self.now, asked: to });
        }
        self.now = to;
        Ok(())
    }

    /// The first midnight UTC after now that is not after `until`.
    pub fn next_midnight(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = midnight_of(self.now).checked_add_days(Days::new(1))?;
        (next <= until).then_some(next)
    }
}

/// The midnight UTC that begins the day of `at`.
pub(super) fn midnight_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}
