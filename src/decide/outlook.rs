//! The due dates that are still possible, and what is known of the date behind them.

use chrono::{DateTime, Utc};

use super::decision::{Basis, Needs, Unknown};
use super::window::ANY_TIME;

/// Never due.
pub const NEVER: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

/// The due dates that a trigger can lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// It is not due before this.
    pub earliest: DateTime<Utc>,
    /// It is due from this on, whatever the unknown turns out to be; [`NEVER`] if that can't be said.
    pub latest: DateTime<Utc>,
    /// What is known of the value.
    pub finding: Finding,
    /// What could still be read that bears on it.
    pub needs: Needs,
    /// In a term: the value may turn out to be absent.
    pub(super) may_be_absent: bool,
    /// In a term: the value may turn out to be unknown, which makes the whole unknown.
    pub(super) may_be_unknown: bool,
}

/// What is known of a trigger's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// This date.
    Known(Basis),
    /// The value is not usable, so the date is the upload + `within.after`.
    Clamped(Basis, Unknown),
    /// There is none, so the upload counts.
    UploadedInstead(Basis),
    /// It has not happened.
    NotHappened,
    /// It cannot be known, or has not been read.
    Unknown(Unknown),
}

impl Finding {
    /// The date that retention runs from, where it is known.
    pub const fn basis(&self) -> Option<&Basis> {
        match self {
            Self::Known(basis) | Self::Clamped(basis, _) | Self::UploadedInstead(basis) => Some(basis),
            Self::NotHappened | Self::Unknown(_) => None,
        }
    }
}

impl Outlook {
    /// A due date that is certain.
    pub const fn certain(due: DateTime<Utc>, finding: Finding) -> Self {
        Self {
            earliest: due,
            latest: due,
            finding,
            needs: Needs::NONE,
            may_be_absent: false,
            may_be_unknown: false,
        }
    }

    /// One that nothing bounds.
    pub const fn unknown(why: Unknown) -> Self {
        Self {
            earliest: ANY_TIME,
            latest: NEVER,
            finding: Finding::Unknown(why),
            needs: Needs::NONE,
            may_be_absent: false,
            may_be_unknown: true,
        }
    }

    /// Whether it is a term of which it is known that it is absent.
    pub fn is_absent(&self) -> bool {
        self.may_be_absent && !self.may_be_unknown && self.finding == Finding::Unknown(Unknown::Missing)
    }

    /// The due date, if there is just one and it is a date at all.
    pub fn due(&self) -> Option<DateTime<Utc>> {
        (self.earliest == self.latest && self.latest != NEVER).then_some(self.latest)
    }
}

/// The due date is no earlier and no later than these.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub earliest: DateTime<Utc>,
    pub latest: DateTime<Utc>,
}
