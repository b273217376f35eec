//! How many days S3 has to wait so that it is never early, and how late it can then be.
//!
//! Everything is counted in whole days from the midnight UTC that starts the day of the
//! upload `u`, which lies `s` seconds after it. S3 makes an object eligible at `u + N days`
//! rounded up to midnight UTC. Where that sum is exactly midnight, S3 does not document
//! whether it stays there or goes to the next: never-early takes the earlier, lateness the
//! later.
//!
//! **The period.** A period of months spans a different number of days from each day on, so
//! never-early counts the most that it can span and lateness the fewest. Every day of the
//! calendar is some object's day, so neither can be improved.
//!
//! **A value that is an instant** lies in `[u − before, u + after]`. Adding a period keeps the
//! order of instants (clamping too), so the latest due date comes from `u + after` and the
//! earliest from `u − before`. The period is added to the date and the time of day is kept:
//! the due date is the instant rounded up to midnight, plus the period's days.
//!
//! **A value that is clamped** counts as `u + after`, and one that is missing as `u`. Both are
//! instants inside the same window, so they add nothing of their own.
//!
//! **A value that is a civil day** is admissible when any moment of it lies in the window. The
//! last such day is the one that the local clock shows at `u + after`; its end is a local
//! midnight, which is a UTC midnight less the offset then in force, and is rounded up. The zone
//! has one offset at the upload and perhaps another when the period is over, so never-early
//! pairs the largest offset at the upload with the smallest at the end, and lateness the
//! smallest at the upload with the largest at the end. The first admissible day is taken to
//! include one that ends exactly where the window starts.
//!
//! **Enough points.** Each of these is a floor or a ceiling of `(s + c) / day` for a handful of
//! constants `c`, so it is constant between the seconds where some `s + c` is a whole day. Those
//! seconds, and half a second either side (which also stands for fractions of seconds that
//! Last-Modified does not show), are all the cases that there are.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use chrono::{Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use crate::calendar::Period;

/// Half seconds in a day. All arithmetic is in half seconds.
const DAY: i64 = 2 * 86_400;

/// Windows longer than this (in seconds, 200 years) are beyond any period that a policy can name.
const LONGEST_WINDOW: u64 = 200 * 366 * 86_400;

/// The UTC offsets of a zone, in half seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offsets {
    least: i64,
    most: i64,
}

impl Offsets {
    /// The least and the most that `zone` was, or is to be, ahead of UTC from 2000 on.
    ///
    /// One look a day is enough: no zone keeps an offset for less. Two centuries are enough:
    /// after its last known change a zone stays as it is.
    pub(super) fn of(zone: Tz) -> Self {
        // Always the same for a zone, and asked for with every bucket.
        static SEEN: RwLock<BTreeMap<&str, Offsets>> = RwLock::new(BTreeMap::new());
        let seen = SEEN.read().unwrap_or_else(PoisonError::into_inner).get(zone.name()).copied();
        seen.unwrap_or_else(|| {
            let found = Self::look_at_each_day(zone);
            SEEN.write().unwrap_or_else(PoisonError::into_inner).insert(zone.name(), found);
            found
        })
    }

    fn look_at_each_day(zone: Tz) -> Self {
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let days = first.iter_days().take_while(|day| day.year() < 2200);
        days.map(|day| {
            let noon = day.and_time(chrono::NaiveTime::MIN) + chrono::Duration::hours(12);
            2 * i64::from(zone.offset_from_utc_datetime(&noon).fix().local_minus_utc())
        })
        .fold(Self { least: i64::MAX, most: i64::MIN }, |seen, offset| Self {
            least: seen.least.min(offset),
            most: seen.most.max(offset),
        })
    }
}

/// How far a trigger's date can lie from the upload, in half seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// `None` is unlimited.
    before: Option<i64>,
    after: i64,
    /// `None` where no value can be a civil day: the upload itself is the trigger.
    offsets: Option<Offsets>,
}

impl Window {
    /// The trigger is the upload itself.
    pub(super) const UPLOADED: Self = Self { before: Some(0), after: 0, offsets: None };

    /// From `before` seconds before the upload (`None`: unlimited) to `after` seconds after it.
    /// `None` if that is beyond all reason.
    pub(super) fn new(before: Option<u64>, after: u64, offsets: Offsets) -> Option<Self> {
        let halves = |seconds: u64| {
            (seconds <= LONGEST_WINDOW).then(|| i64::try_from(seconds).ok().map(|s| 2 * s)).flatten()
        };
        let before = match before {
            Some(before) => Some(halves(before)?),
            None => None,
        };
        Some(Self { before, after: halves(after)?, offsets: Some(offsets) })
    }

    /// The least number of days with which S3 is never early, at least one.
    pub(super) fn least_days(self, retain: Period) -> i64 {
        let most = i64::from(retain.max_days());
        self.points().map(|s| self.latest_due(s, most) - ceil(s)).max().unwrap_or(most).max(1)
    }

    /// The most days by which an object can become eligible after its due date when S3 waits for
    /// `days`; `None` if there is no limit.
    pub(super) fn lateness(self, retain: Period, days: i64) -> Option<i64> {
        let fewest = i64::from(retain.min_days());
        let mut worst = 0;
        for s in self.points() {
            // Exactly midnight goes to the next midnight; anything else goes there anyway.
            let eligible = floor(s) + 1 + days;
            worst = worst.max(eligible - self.earliest_due(s, fewest)?);
        }
        Some(worst)
    }

    fn latest_due(self, s: i64, period: i64) -> i64 {
        let instant = ceil(s + self.after) + period;
        let civil = self.offsets.map(|offsets| {
            let last_day = floor(s + self.after + offsets.most);
            last_day + period + 1 + ceil(-offsets.least)
        });
        civil.map_or(instant, |civil| civil.max(instant))
    }

    fn earliest_due(self, s: i64, period: i64) -> Option<i64> {
        let start = s - self.before?;
        let instant = ceil(start) + period;
        let civil = self.offsets.map(|offsets| {
            let first_day = ceil(start + offsets.least) - 1;
            first_day + period + 1 + ceil(-offsets.most)
        });
        Some(civil.map_or(instant, |civil| civil.min(instant)))
    }

    /// Every time of day at which something can change, with half a second either side.
    fn points(self) -> impl Iterator<Item = i64> {
        let before = self.before.unwrap_or(0);
        let Offsets { least, most } = self.offsets.unwrap_or(Offsets { least: 0, most: 0 });
        [0, self.after, self.after + most, -before, least - before]
            .into_iter()
            .flat_map(|shift| (-1..=1).map(move |beside| (beside - shift).rem_euclid(DAY)))
    }
}

/// Whole days, rounded up.
const fn ceil(halves: i64) -> i64 {
    -(-halves).div_euclid(DAY)
}

/// Whole days, rounded down.
const fn floor(halves: i64) -> i64 {
    halves.div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn window(before: u64, after: u64, zone: Tz) -> Window {
        Window::new(Some(before), after, Offsets::of(zone)).unwrap()
    }

    fn fit(window: Window, retain: Period) -> (i64, i64) {
        let days = window.least_days(retain);
        (days, window.lateness(retain, days).unwrap())
    }

    #[test]
    fn the_notices_media_rule_takes_31_days_and_is_at_most_3_late() {
        let media = window(24 * HOUR, HOUR, chrono_tz::Europe::Zagreb);
        assert_eq!(fit(media, Period::days(30)), (31, 3));
        // A year can be 366 days long, or 365.
        assert_eq!(fit(media, Period::months(12)), (367, 4));
    }

    #[test]
    fn an_upload_has_no_slack_but_the_length_of_months_and_the_doubt_about_midnight() {
        assert_eq!(fit(Window::UPLOADED, Period::days(30)), (30, 1));
        assert_eq!(fit(Window::UPLOADED, Period::months(6)), (184, 4));
        assert_eq!(fit(Window::UPLOADED, Period::months(12)), (366, 2));
    }

    #[test]
    fn s3_knows_no_day_zero_so_it_waits_for_one() {
        assert_eq!(fit(Window::UPLOADED, Period::days(0)), (1, 2));
    }

    #[test]
    fn an_unlimited_past_has_no_bound_but_is_still_never_early() {
        let window = Window::new(None, HOUR, Offsets::of(chrono_tz::UTC)).unwrap();
        assert_eq!(window.least_days(Period::days(30)), 31);
        assert_eq!(window.lateness(Period::days(30), 31), None);
    }

    #[test]
    fn a_window_of_centuries_is_refused_rather_than_overflowed() {
        assert_eq!(Window::new(Some(u64::MAX), 0, Offsets::of(chrono_tz::UTC)), None);
        assert_eq!(Window::new(None, u64::MAX, Offsets::of(chrono_tz::UTC)), None);
    }

    #[test]
    fn the_points_miss_nothing_that_all_half_seconds_of_the_day_would_find() {
        let zones = [chrono_tz::UTC, chrono_tz::Europe::Zagreb, chrono_tz::Asia::Kathmandu]
            .into_iter()
            .chain([chrono_tz::Pacific::Apia, chrono_tz::America::New_York, chrono_tz::Atlantic::Azores]);
        for zone in zones {
            let offsets = Offsets::of(zone);
            for (before, after) in [(0, 0), (1, 0), (0, 1), (7 * HOUR + 61, 3 * HOUR + 7), (24 * HOUR, HOUR)]
            {
                let window = Window::new(Some(before), after, offsets).unwrap();
                let latest = (0..DAY).map(|s| window.latest_due(s, 30) - ceil(s)).max().unwrap();
                assert_eq!(window.least_days(Period::days(30)), latest, "{zone} {before} {after}");
                let late = (0..DAY)
                    .map(|s| floor(s) + 1 + latest - window.earliest_due(s, 30).unwrap())
                    .max()
                    .unwrap();
                assert_eq!(window.lateness(Period::days(30), latest), Some(late), "{zone} {before} {after}");
            }
        }
    }
}
