//! The window around the upload in which a trigger's date can lie.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use crate::calendar::{Moment, end_of_day, midnight_at_or_after, start_of_day};
use crate::policy::Within;

/// Due before any date: nothing speaks against it.
pub const ANY_TIME: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

/// The instants that a trigger's date can have.
#[derive(Clone, Copy)]
pub struct Window {
    /// The first; `None` if there is none.
    pub from: Option<DateTime<Utc>>,
    /// The last; `None` if there is none.
    pub to: Option<DateTime<Utc>>,
}

impl Window {
    /// The window of `within` around an upload.
    pub fn around(uploaded: DateTime<Utc>, within: Within) -> Self {
        let seconds = |n: u64| i64::try_from(n).ok().and_then(Duration::try_seconds);
        Self {
            from: within.before.and_then(seconds).and_then(|before| uploaded.checked_sub_signed(before)),
            to: within.after.and_then(seconds).and_then(|after| uploaded.checked_add_signed(after)),
        }
    }

    /// Whether the date lies within; a civil day does when any moment of it does.
    pub fn admits(self, moment: Moment, zone: Tz) -> bool {
        let (first, end) = match moment {
            Moment::Instant(at) => (at, None),
            Moment::Civil(day) => (start_of_day(day, zone), Some(end_of_day(day, zone))),
        };
        let not_before = self.from.is_none_or(|from| end.map_or(first >= from, |end| end > from));
        not_before && self.to.is_none_or(|to| first <= to)
    }

    /// The due date of the earliest date within, be it an instant or a civil day.
    ///
    /// A later instant can be due earlier: 30 January 23:00 and 31 January 00:00 both come to
    /// the last of February, each at its own time of day. So the next midnight is tried too.
    pub fn earliest_due(self, zone: Tz, due: &dyn Fn(Moment) -> DateTime<Utc>) -> DateTime<Utc> {
        let Some(from) = self.from else { return ANY_TIME };
        let midnight = Moment::Instant(midnight_at_or_after(from));
        let midnight = Some(midnight).filter(|midnight| self.admits(*midnight, zone));
        self.dates_around(from, zone).chain(midnight).map(due).min().unwrap_or(ANY_TIME)
    }

    /// The due date of the latest date within; `None` if there is no latest. No instant before
    /// it, whatever its time of day, is due later than its civil day.
    pub fn latest_due(self, zone: Tz, due: &dyn Fn(Moment) -> DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.to.and_then(|to| self.dates_around(to, zone).map(due).max())
    }

    /// The instant, and the civil days at it that lie within. A clock that is set back just
    /// after midnight shows a day again, so the neighbours are looked at too.
    fn dates_around(self, at: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = Moment> {
        let day = at.with_timezone(&zone).date_naive();
        let days = [day.pred_opt(), Some(day), day.succ_opt()];
        let civil = days.into_iter().flatten().map(Moment::Civil).filter(move |day| self.admits(*day, zone));
        std::iter::once(Moment::Instant(at)).chain(civil)
    }
}
