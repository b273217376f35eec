//! The notice read naively, day by day: what the demo holds Shelflife to.
//!
//! It shares no code with the decider: it counts days on its fingers.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, TimeZone, Utc};

use super::world::{EMAIL, OTT, RECORDINGS, SHORTER, SHORTER_DAYS, SUED, Said, Sent, World};

/// How late the shipped policies allow S3 to be, in days.
pub const TOLERANCE_DAYS: i64 = 4;

/// The first midnight UTC at which an object's time is up; `None` if it is not within the
/// demo's months.
pub fn due(world: World, sent: &Sent) -> Option<DateTime<Utc>> {
    if sent.bucket == RECORDINGS {
        return recording_due(world, sent.tenant);
    }
    // What is not said counts as the upload; nonsense as the latest that it can be: an hour after it, and
    // 90 days where an email can be scheduled.
    let (start, whole_day) = match sent.said {
        Said::At(at) => (at, None),
        Said::On(day) => (sent.at, Some(day)),
        Said::Nothing => (sent.at, None),
        Said::Nonsense(_) if sent.bucket == EMAIL => (sent.at + Duration::days(90), None),
        Said::Nonsense(_) => (sent.at + Duration::hours(1), None),
    };
    let first = whole_day.unwrap_or_else(|| start.date_naive());
    let last = if sent.bucket == OTT { walk(first, 30) } else { a_year_later(first) };
    Some(match whole_day {
        Some(_) => midnight_after_local_day(last),
        None => {
            let end = last.and_time(start.time()).and_utc();
            if end.time() == NaiveTime::MIN { end } else { midnight(walk(last, 1)) }
        }
    })
}

/// The earlier of the contract's end and 18 months without activity, and then 30 days.
fn recording_due(world: World, tenant: &str) -> Option<DateTime<Utc>> {
    let days = if tenant == SHORTER { SHORTER_DAYS } else { 30 };
    let ended = world.contract_end(tenant).map(|end| midnight_after_local_day(walk(end, days)));
    let idle = world.last_active(tenant).map(|last| {
        let mut day = last;
        for _ in 0..18 {
            day = same_day_next_month(day, last.day());
        }
        midnight_after_local_day(walk(day, days))
    });
    ended.into_iter().chain(idle).min()
}

/// Whether an object is under the legal hold at `at`: from the run that knows of it on.
pub fn is_held(world: World, sent: &Sent, at: DateTime<Utc>) -> bool {
    let placed = World::run_at(world.hold_placed());
    sent.tenant == SUED && placed <= at && at < midnight_after_local_day(world.hold_released())
}

/// The last instant at which the object may still be there.
pub fn latest(world: World, sent: &Sent) -> Option<DateTime<Utc>> {
    let due = due(world, sent)?;
    let held_until = midnight_after_local_day(world.hold_released());
    let held =
        sent.tenant == SUED && due + Duration::days(TOLERANCE_DAYS) >= World::run_at(world.hold_placed());
    Some(if held { due.max(held_until) } else { due } + Duration::days(TOLERANCE_DAYS))
}

fn walk(mut day: NaiveDate, days: u64) -> NaiveDate {
    for _ in 0..days {
        day = day.succ_opt().unwrap_or(day);
    }
    day
}

fn a_year_later(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year() + 1, day.month(), day.day())
        .or_else(|| NaiveDate::from_ymd_opt(day.year() + 1, 2, 28))
        .unwrap_or(day)
}

/// The `wanted` day of the next month, or that month's last one.
fn same_day_next_month(day: NaiveDate, wanted: u32) -> NaiveDate {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    (28..=wanted.max(28))
        .rev()
        .find_map(|last| NaiveDate::from_ymd_opt(year, month, wanted.min(last)))
        .unwrap_or(day)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Zagreb's clock is never set at midnight, and is ahead of UTC: its day ends on the same date.
fn midnight_after_local_day(day: NaiveDate) -> DateTime<Utc> {
    let end = chrono_tz::Europe::Zagreb.from_local_datetime(&walk(day, 1).and_time(NaiveTime::MIN)).latest();
    end.map_or_else(
        || midnight(walk(day, 1)),
        |end| {
            let end = end.with_timezone(&Utc);
            if end.time() == NaiveTime::MIN { end } else { midnight(walk(end.date_naive(), 1)) }
        },
    )
}
