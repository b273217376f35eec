//! How long Object Lock keeps versions: modes, periods, and a bucket's default.

use chrono::{DateTime, Days, Months, Utc};

use super::refusal::Refusal;

/// How strict a retention is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// Can be bypassed by who asks for it explicitly.
    Governance,
    /// Cannot be bypassed or shortened by anybody.
    Compliance,
}

impl RetentionMode {
    /// S3's name of the mode.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "GOVERNANCE" => Ok(Self::Governance),
            "COMPLIANCE" => Ok(Self::Compliance),
            _ => Err(Refusal::invalid_argument("Unknown wormMode directive.")),
        }
    }
}

/// A version's retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How strict it is.
    pub mode: RetentionMode,
    /// The instant from which the version can be removed again.
    pub until: DateTime<Utc>,
}

/// How long new versions are retained by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultPeriod {
    /// Whole days.
    Days(u32),
    /// Whole years.
    Years(u32),
}

/// A bucket's Object Lock configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockConfiguration {
    /// What new versions get when their writer says nothing.
    pub default: Option<(RetentionMode, DefaultPeriod)>,
}

impl LockConfiguration {
    pub(super) fn default_retention(&self, now: DateTime<Utc>) -> Option<Retention> {
        let (mode, period) = self.default?;
        let until = match period {
            DefaultPeriod::Days(days) => now.checked_add_days(Days::new(days.into())),
            DefaultPeriod::Years(years) => now.checked_add_months(Months::new(years.saturating_mul(12))),
        };
        Some(Retention { mode, until: until.unwrap_or(DateTime::<Utc>::MAX_UTC) })
    }
}
