//! Periods, moments and due dates: when a retention that starts at a date is over.
//!
//! Everything here is arithmetic on values; nothing reads a clock.

mod format;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use chrono::{
    DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use smol_str::{SmolStr, ToSmolStr};

pub use format::{DateFormat, DateFormatError};

/// A calendar length: whole months and whole days, months first.
///
/// Adding months clamps to the last day of the month (31 January + 1 month = 28 February).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// Whole months; a year is twelve.
    pub months: u32,
    /// Whole days, added after the months.
    pub days: u32,
}

/// Why a text is not a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The text has not the form of a period.
    #[error(
        "not a period: write a whole number and a unit, such as `30 days`, `6 months`, `1 year` or `P6M`"
    )]
    Form,
    /// Longer than a century: surely a slip.
    #[error("longer than 100 years")]
    TooLong,
}

impl Period {
    /// The longest period that a policy may name.
    pub const MAX_YEARS: u32 = 100;

    /// A period of whole days.
    pub const fn days(days: u32) -> Self {
        Self { months: 0, days }
    }

    /// A period of whole calendar months.
    pub const fn months(months: u32) -> Self {
        Self { months, days: 0 }
    }

    /// Whether it has no length at all.
    pub const fn is_zero(self) -> bool {
        self.months == 0 && self.days == 0
    }

    /// Reads `30 days`, `6 months`, `1 year`, `2 weeks`, or ISO 8601 in years, months,
    /// weeks and days (`P1Y6M`).
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let period = match text.strip_prefix('P') {
            Some(iso) => Self::parse_iso(iso)?,
            None => {
                let (number, unit) = text.split_once(' ').ok_or(PeriodError::Form)?;
                Self::of(number, unit)?
            }
        };
        if u64::from(period.months) * 31 + u64::from(period.days) > u64::from(Self::MAX_YEARS) * 372 {
            return Err(PeriodError::TooLong);
        }
        Ok(period)
    }

    fn of(number: &str, unit: &str) -> Result<Self, PeriodError> {
        let n = whole_number(number)?;
        let (months, days) = match unit {
            "day" | "days" => (0, n),
            "week" | "weeks" => (0, n.checked_mul(7).ok_or(PeriodError::TooLong)?),
            "month" | "months" => (n, 0),
            "year" | "years" => (n.checked_mul(12).ok_or(PeriodError::TooLong)?, 0),
            _ => return Err(PeriodError::Form),
        };
        Ok(Self { months, days })
    }

    fn parse_iso(mut rest: &str) -> Result<Self, PeriodError> {
        let mut period = Self::default();
        let mut units = "YMWD";
        if rest.is_empty() {
            return Err(PeriodError::Form);
        }
        while !rest.is_empty() {
            let at = rest.find(|c: char| !c.is_ascii_digit()).ok_or(PeriodError::Form)?;
            let (number, tail) = rest.split_at(at);
            let designator = tail.chars().next().ok_or(PeriodError::Form)?;
            let place = units.find(designator).ok_or(PeriodError::Form)?;
            units = &units[place + 1..];
            let n = whole_number(number)?;
            let add = |sum: u32, n: u32, times: u32| {
                n.checked_mul(times).and_then(|n| sum.checked_add(n)).ok_or(PeriodError::TooLong)
            };
            match designator {
                'Y' => period.months = add(period.months, n, 12)?,
                'M' => period.months = add(period.months, n, 1)?,
                'W' => period.days = add(period.days, n, 7)?,
                _ => period.days = add(period.days, n, 1)?,
            }
            rest = &tail[1..];
        }
        Ok(period)
    }

    /// `date` + this period, or `None` beyond the calendar's end.
    pub fn after(self, date: NaiveDate) -> Option<NaiveDate> {
        date.checked_add_months(Months::new(self.months))?.checked_add_days(Days::new(self.days.into()))
    }

    /// The most days that it can span, whichever day it starts (6 months: 184).
    ///
    /// Clamping only shortens, so the longest span starts on the first of some month.
    pub fn max_days(self) -> u32 {
        self.days.saturating_add(self.of_months().1)
    }

    /// Whether there is a day from which it ends later than `other`.
    pub fn can_exceed(self, other: Self) -> bool {
        if self.months == other.months {
            return self.days > other.days;
        }
        // From the 1st to the 28th nothing is clamped, so each of these days compares alike; and
        // the calendar repeats after 400 years.
        (2000..2400)
            .flat_map(|year| {
                (1..=12).flat_map(move |month| [1, 29, 30, 31].map(move |day| (year, month, day)))
            })
            .filter_map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day))
            .any(|start| self.after(start) > other.after(start))
    }

    /// The fewest days that it can span, whichever day it starts (1 month: 28).
    pub fn min_days(self) -> u32 {
        self.days.saturating_add(self.of_months().0)
    }

    /// The fewest and the most days of its months alone.
    fn of_months(self) -> (u32, u32) {
        if self.months == 0 {
            return (0, 0);
        }
        // Asked for with every rule and every bucket, and always the same.
        static KNOWN: RwLock<BTreeMap<u32, (u32, u32)>> = RwLock::new(BTreeMap::new());
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&self.months).copied();
        known.unwrap_or_else(|| {
            let months = Self { days: 0, ..self };
            let found = (months.spans().min().unwrap_or(0), months.spans().max().unwrap_or(0));
            KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(self.months, found);
            found
        })
    }

    /// Lengths in days from every day of one 400-year cycle's months that can make a
    /// difference: the first, and those from the 28th on.
    fn spans(self) -> impl Iterator<Item = u32> {
        (2000..2400).flat_map(|year| (1..=12).map(move |month| (year, month))).flat_map(
            move |(year, month)| {
                [1, 28, 29, 30, 31].into_iter().filter_map(move |day| {
                    let start = NaiveDate::from_ymd_opt(year, month, day)?;
                    let end = self.after(start)?;
                    u32::try_from((end - start).num_days()).ok()
                })
            },
        )
    }
}

fn whole_number(text: &str) -> Result<u32, PeriodError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PeriodError::Form);
    }
    text.parse().map_err(|_| PeriodError::TooLong)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |n: u32, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
        match (self.months, self.days) {
            (0, days) => f.write_str(&part(days, "day")),
            (months, 0) if months % 12 == 0 => f.write_str(&part(months / 12, "year")),
            (months, 0) => f.write_str(&part(months, "month")),
            (months, days) => write!(f, "P{months}M{days}D"),
        }
    }
}

/// A date as somebody wrote it: an instant, or a whole civil day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A point in time.
    Instant(DateTime<Utc>),
    /// A day in the policy's time zone, meant whole.
    Civil(NaiveDate),
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(at) => f.write_str(&to_the_second(at)),
            Self::Civil(day) => write!(f, "{day}"),
        }
    }
}

/// An instant as `2026-01-31T10:00:00Z`, its fraction of a second left away. Every row of a plan and of a log
/// has one, and what formats any form takes ten times as long.
pub fn to_the_second(at: &DateTime<Utc>) -> SmolStr {
    written(at).map_or_else(|| at.format("%Y-%m-%dT%H:%M:%SZ").to_smolstr(), |text| ascii(&text))
}

/// Its day alone, in UTC.
pub fn to_the_day(at: &DateTime<Utc>) -> SmolStr {
    written(at).map_or_else(|| at.format("%Y-%m-%d").to_smolstr(), |text| ascii(&text[..10]))
}

fn ascii(text: &[u8]) -> SmolStr {
    std::str::from_utf8(text).map(SmolStr::new).unwrap_or_default()
}

/// For years of four digits, and minutes of sixty seconds.
fn written(at: &DateTime<Utc>) -> Option<[u8; 20]> {
    const DIGITS: &[u8; 10] = b"0123456789";
    let (day, time) = (at.date_naive(), at.time());
    let year = u32::try_from(day.year()).ok().filter(|year| *year <= 9_999)?;
    if time.nanosecond() >= 1_000_000_000 {
        // A leap second.
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let parts = [(0, year / 100), (2, year % 100), (5, day.month()), (8, day.day())];
    let parts = parts.into_iter().chain([(11, time.hour()), (14, time.minute()), (17, time.second())]);
    for (place, two) in parts {
        text[place] = DIGITS[(two / 10 % 10) as usize];
        text[place + 1] = DIGITS[(two % 10) as usize];
    }
    Some(text)
}

/// Why a text is not a date to count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MomentError {
    /// It is in no known form.
    #[error("is not a date")]
    Form,
    /// Exactly 1 January 1970: what software writes for "no date".
    #[error("is the Unix epoch, which is what software writes for no date")]
    Epoch,
    /// Before the year 2000: older than S3 itself, so surely a slip.
    #[error("lies before the year 2000")]
    Before2000,
    /// The key that it stands in can be taken apart in several ways.
    #[error("could be any of several parts of the key")]
    Several,
}

impl Moment {
    /// Reads an instant (`2026-03-01T12:00:00Z`, any offset), a day (`2026-03-01`), or a
    /// local time (`2026-03-01T12:00:00`, seconds optional), the last one in `zone`.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, MomentError> {
        let text = text.trim();
        // A day of one digit may be the first half of two, in a file that was cut off.
        let is_whole_day = text.len() == "2026-03-01".len();
        let moment = if is_whole_day && let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Self::Civil(day)
        } else if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            Self::Instant(at.with_timezone(&Utc))
        } else {
            let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
                .ok_or(MomentError::Form)?;
            // Years of more or fewer digits than four are read too, to the calendar's very end.
            Self::Civil(local.date()).plausible()?;
            Self::Instant(instant_of_local(local, zone))
        };
        moment.plausible()
    }

    /// Refuses what no communication can carry: the epoch, and dates before 2000 or after 9999.
    pub fn plausible(self) -> Result<Self, MomentError> {
        let day = match self {
            Self::Instant(at) if at == DateTime::UNIX_EPOCH => return Err(MomentError::Epoch),
            Self::Instant(at) => at.date_naive(),
            Self::Civil(day) => day,
        };
        match day.year() {
            1970 if matches!(self, Self::Civil(_)) && day.ordinal() == 1 => Err(MomentError::Epoch),
            ..2000 => Err(MomentError::Before2000),
            2000..=9999 => Ok(self),
            _ => Err(MomentError::Form),
        }
    }

    /// This moment + `period`. Months and years are added to an instant's UTC date, its time
    /// of day kept. `None` beyond the calendar's end.
    pub fn plus(self, period: Period) -> Option<Self> {
        Some(match self {
            Self::Instant(at) => {
                let at = at.naive_utc();
                Self::Instant(period.after(at.date())?.and_time(at.time()).and_utc())
            }
            Self::Civil(day) => Self::Civil(period.after(day)?),
        })
    }

    /// The first instant at which it is over: itself, or the end of its day in `zone`.
    pub fn end(self, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Instant(at) => Some(at),
            Self::Civil(day) => Some(end_of_day(day, zone)),
        }
    }

    /// When a retention of `period` that runs from here is over: the first midnight UTC at or
    /// after its end. `None` beyond the calendar's end, which means never.
    pub fn due(self, period: Period, zone: Tz) -> Option<DateTime<Utc>> {
        self.plus(period)?.end(zone).map(midnight_at_or_after)
    }
}

/// The first instant after the civil day `day` in `zone`.
pub fn end_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    // Beyond the calendar's end the same day stands in; parsed dates never reach it.
    let next = day.succ_opt().unwrap_or(day);
    instant_of_local(next.and_time(NaiveTime::MIN), zone)
}

/// The first instant of the civil day `day` in `zone`: where the clock shows midnight twice,
/// the earlier one.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight).earliest() {
        Some(at) => at.with_timezone(&Utc),
        None => in_gap(midnight, zone),
    }
}

/// The instant that a wall clock in `zone` means; the later one where the clock shows the
/// time twice (fold) or skips it (gap).
pub fn instant_of_local(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    use chrono::offset::LocalResult;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => at.with_timezone(&Utc),
        LocalResult::Ambiguous(a, b) => a.max(b).with_timezone(&Utc),
        LocalResult::None => in_gap(local, zone),
    }
}

/// A time that the clock skips is read with the offset in force before the gap.
fn in_gap(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    use chrono::Offset;
    // No zone has ever skipped more than a day, so two days earlier the old offset holds,
    // and no zone has changed its offset twice within two days.
    let before = local.checked_sub_signed(Duration::days(2)).unwrap_or(local);
    let offset = Duration::seconds(zone.offset_from_utc_datetime(&before).fix().local_minus_utc().into());
    local.checked_sub_signed(offset).unwrap_or(local).and_utc()
}

/// Rounds up to midnight UTC; a midnight stays.
pub fn midnight_at_or_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = at.date_naive().and_time(NaiveTime::MIN).and_utc();
    if midnight == at { at } else { midnight.checked_add_days(Days::new(1)).unwrap_or(at) }
}
