//! A calendar of its own: days are walked one by one, local times are tried offset by offset.
//! Only the time zone database is shared with the crate under test.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// Seconds since 1970 began in UTC.
pub type Sec = i64;
/// Days since 1 January 1970.
pub type Day = i64;

pub const DAY: Sec = 86_400;

/// A year, a month and a day of the month.
pub type Ymd = (i32, u32, u32);

const FIRST_YEAR: i32 = 1960;
const LAST_YEAR: i32 = 2500;

struct Walk {
    /// The date of each day since [`FIRST_YEAR`] began.
    dates: Vec<Ymd>,
    /// The way back.
    places: HashMap<Ymd, usize>,
    /// How many days before 1970 the walk starts.
    before_1970: i64,
}

static WALK: LazyLock<Walk> = LazyLock::new(|| {
    let mut dates = Vec::new();
    let mut today = (FIRST_YEAR, 1, 1);
    while today.0 <= LAST_YEAR {
        dates.push(today);
        today = tomorrow(today);
    }
    let places: HashMap<Ymd, usize> = dates.iter().enumerate().map(|(place, date)| (*date, place)).collect();
    let before_1970 = places[&(1970, 1, 1)] as i64;
    Walk { dates, places, before_1970 }
});

fn tomorrow((year, month, day): Ymd) -> Ymd {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match (month, day) {
        (_, day) if day < length => (year, month, day + 1),
        (12, _) => (year + 1, 1, 1),
        _ => (year, month + 1, 1),
    }
}

/// The date of a day.
pub fn date_of(day: Day) -> Ymd {
    WALK.dates[(day + WALK.before_1970) as usize]
}

/// The day of a date, if there is such a date.
pub fn day_of(date: Ymd) -> Option<Day> {
    Some(*WALK.places.get(&date)? as i64 - WALK.before_1970)
}

/// Counts months forward one at a time, then goes back to a day that the month has, then
/// counts the days.
pub fn add(day: Day, months: u32, days: u32) -> Day {
    let (mut year, mut month, mut of_month) = date_of(day);
    for _ in 0..months {
        month += 1;
        if month == 13 {
            (year, month) = (year + 1, 1);
        }
    }
    loop {
        match day_of((year, month, of_month)) {
            Some(there) => return there + i64::from(days),
            None => of_month -= 1,
        }
    }
}

/// A date as somebody wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    At(Sec),
    Whole(Day),
}

impl When {
    pub fn plus(self, months: u32, days: u32) -> Self {
        match self {
            Self::At(at) => Self::At(add(at.div_euclid(DAY), months, days) * DAY + at.rem_euclid(DAY)),
            Self::Whole(day) => Self::Whole(add(day, months, days)),
        }
    }

    /// When it is over, rounded up to midnight UTC.
    pub fn rounded_up(self, zone: Tz) -> Sec {
        let end = match self {
            Self::At(at) => at,
            Self::Whole(day) => day_end(day, zone),
        };
        midnight(end)
    }
}

/// The first midnight UTC at or after.
pub fn midnight(at: Sec) -> Sec {
    let mut midnight = at - at.rem_euclid(DAY);
    while midnight < at {
        midnight += DAY;
    }
    midnight
}

/// Seconds that clocks in `zone` are ahead of UTC.
pub fn offset(at: Sec, zone: Tz) -> Sec {
    let at = DateTime::from_timestamp(at, 0).expect("a time of our own making").naive_utc();
    zone.offset_from_utc_datetime(&at).fix().local_minus_utc().into()
}

/// What clocks in `zone` show, as if it were UTC.
pub fn shown(at: Sec, zone: Tz) -> Sec {
    at + offset(at, zone)
}

/// Every instant at which clocks in `zone` show `local`; if they skip it, the one instant that
/// the later reading gives.
fn meant(local: Sec, zone: Tz) -> (Sec, Sec) {
    thread_local! {
        static SEEN: RefCell<HashMap<(Tz, Sec), (Sec, Sec)>> = RefCell::default();
    }
    SEEN.with_borrow_mut(|seen| {
        *seen.entry((zone, local)).or_insert_with(|| {
            let mut offsets: Vec<Sec> = (-40..=40).map(|hour| offset(local + hour * 3600, zone)).collect();
            offsets.sort_unstable();
            offsets.dedup();
            let readings: Vec<Sec> = offsets.iter().map(|offset| local - offset).collect();
            let shows = |at: &&Sec| shown(**at, zone) == local;
            let first = readings.iter().filter(shows).min();
            let last = readings.iter().filter(shows).max();
            let skipped = *readings.iter().max().expect("some offset holds");
            (*first.unwrap_or(&skipped), *last.unwrap_or(&skipped))
        })
    })
}

/// The later of the instants that a local time can mean.
pub fn later(local: Sec, zone: Tz) -> Sec {
    meant(local, zone).1
}

/// The first moment of a local day.
pub fn day_start(day: Day, zone: Tz) -> Sec {
    meant(day * DAY, zone).0
}

/// When a local day is over for good.
pub fn day_end(day: Day, zone: Tz) -> Sec {
    meant((day + 1) * DAY, zone).1
}

/// The local day at an instant.
pub fn local_day(at: Sec, zone: Tz) -> Day {
    shown(at, zone).div_euclid(DAY)
}

/// Reads a date as people and programs write it; `None` for whatever else, for the epoch and
/// for all before 2000.
pub fn read(text: &str, zone: Tz) -> Option<When> {
    let text = text.trim();
    let digits = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let stands = |at: usize, any: &str| text.get(at..=at).is_none_or(|c| any.contains(c));
    if !(stands(4, "-") && stands(7, "-") && stands(10, "T ") && stands(13, ":") && stands(16, ":")) {
        return None;
    }
    let day = day_of((digits(0, 4)? as i32, digits(5, 7)? as u32, digits(8, 10)? as u32))?;
    let when = if text.len() == 10 {
        When::Whole(day)
    } else {
        let minute = day * DAY + digits(11, 13)? * 3600 + digits(14, 16)? * 60;
        match text.get(16..)? {
            "" => When::At(later(minute, zone)),
            _ => {
                let local = minute + digits(17, 19)?;
                match text.get(19..)? {
                    "" => When::At(later(local, zone)),
                    "Z" => When::At(local),
                    _ => {
                        let ahead = digits(20, 22)? * 3600 + digits(23, 25)? * 60;
                        When::At(if text.as_bytes()[19] == b'-' { local + ahead } else { local - ahead })
                    }
                }
            }
        }
    };
    let day = match when {
        When::At(at) => at.div_euclid(DAY),
        When::Whole(day) => day,
    };
    (date_of(day).0 >= 2000).then_some(when)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The forms, other than the usual ones, that dates are written in here.
pub const FORMS: [&str; 6] = [
    "epoch-seconds",
    "epoch-milliseconds",
    "%d.%m.%Y",
    "%Y%m%dT%H%M%S",
    "%Y-%m-%d %H:%M",
    "%d/%b/%Y:%H:%M:%S %z",
];

/// Reads a date in one of [`FORMS`], or as [`read`] does.
pub fn read_as(form: Option<&str>, text: &str, zone: Tz) -> Option<When> {
    let Some(form) = form else { return read(text, zone) };
    let text = text.trim();
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    // What is no digit must stand where the form says.
    let looks = |like: &str| {
        let pairs = like.chars().zip(text.chars());
        like.chars().count() == text.chars().count() && { pairs }.all(|(l, t)| l == '0' || l == 'A' || l == t)
    };
    let time = |hour: i64, minute: i64, second: i64| {
        (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
    };
    let day = |year: i64, month: i64, day: i64| day_of((year as i32, month as u32, day as u32));
    let when = match form {
        "epoch-seconds" => When::At(number(0, text.len())?),
        "epoch-milliseconds" => When::At(number(0, text.len())?.div_euclid(1000)),
        "%d.%m.%Y" if looks("00.00.0000") => When::Whole(day(number(6, 10)?, number(3, 5)?, number(0, 2)?)?),
        "%Y%m%dT%H%M%S" if looks("00000000T000000") => {
            let local = day(number(0, 4)?, number(4, 6)?, number(6, 8)?)? * DAY
                + time(number(9, 11)?, number(11, 13)?, number(13, 15)?)?;
            When::At(later(local, zone))
        }
        "%Y-%m-%d %H:%M" if looks("0000-00-00 00:00") => {
            let local = day(number(0, 4)?, number(5, 7)?, number(8, 10)?)? * DAY
                + time(number(11, 13)?, number(14, 16)?, 0)?;
            When::At(later(local, zone))
        }
        "%d/%b/%Y:%H:%M:%S %z" if looks("00/AAA/0000:00:00:00 A0000") => {
            let month = MONTHS.iter().position(|month| Some(*month) == text.get(3..6))? as i64 + 1;
            let local = day(number(7, 11)?, month, number(0, 2)?)? * DAY
                + time(number(12, 14)?, number(15, 17)?, number(18, 20)?)?;
            let ahead = number(22, 24)? * 3600 + number(24, 26)? * 60;
            match text.as_bytes()[21] {
                b'+' => When::At(local - ahead),
                b'-' => When::At(local + ahead),
                _ => return None,
            }
        }
        _ => return None,
    };
    let day = match when {
        When::At(at) => at.div_euclid(DAY),
        When::Whole(day) => day,
    };
    let year = WALK.dates.get(usize::try_from(day + WALK.before_1970).ok()?)?.0;
    (year >= 2000).then_some(when)
}

/// Writes a date in one of [`FORMS`]; the usual one is for instants in UTC, and for days.
pub fn write_as(form: Option<&str>, when: When, zone: Tz) -> String {
    let (at, day) = match when {
        When::At(at) => (at, local_day(at, zone)),
        When::Whole(day) => (day_start(day, zone), day),
    };
    let fields = |at: Sec| {
        let ((year, month, day), second) = (date_of(at.div_euclid(DAY)), at.rem_euclid(DAY));
        (year, month, day, second / 3600, second / 60 % 60, second % 60)
    };
    let (year, month, of_month) = date_of(day);
    match form {
        None => match when {
            When::At(at) => format!("{}Z", write_time(at)),
            When::Whole(day) => write_day(day),
        },
        Some("epoch-seconds") => at.to_string(),
        Some("epoch-milliseconds") => format!("{at}000"),
        Some("%d.%m.%Y") => format!("{of_month:02}.{month:02}.{year:04}"),
        Some("%Y%m%dT%H%M%S") => {
            let (year, month, day, hour, minute, second) = fields(shown(at, zone));
            format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}")
        }
        Some("%Y-%m-%d %H:%M") => {
            let (year, month, day, hour, minute, _) = fields(shown(at, zone));
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
        }
        Some(_) => {
            let (year, month, day, hour, minute, second) = fields(at + 19_800);
            let month = MONTHS[month as usize - 1];
            format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} +0530")
        }
    }
}

/// Writes a day.
pub fn write_day(day: Day) -> String {
    let (year, month, day) = date_of(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Writes a time of day on a day, without a zone.
pub fn write_time(local: Sec) -> String {
    let seconds = local.rem_euclid(DAY);
    format!(
        "{}T{:02}:{:02}:{:02}",
        write_day(local.div_euclid(DAY)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
