//! The promise itself: compiled rules, run by a naive reading of S3's documented arithmetic, against
//! due dates from a naive walk through the calendar. Neither shares code with the compiler.

use chrono::{Datelike, Duration, NaiveDate, NaiveTime};
use proptest::prelude::*;
use shelflife::lifecycle::{LifecycleTerms, Surroundings, compile};
use shelflife::object::Versioning;

use super::*;

// --- The calendar, by walking ---

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn first_midnight_from(at: DateTime<Utc>) -> DateTime<Utc> {
    let mut day = at.date_naive() - Duration::days(1);
    while midnight(day) < at {
        day = day.succ_opt().unwrap();
    }
    midnight(day)
}

fn walk(day: NaiveDate, period: Period) -> NaiveDate {
    let (mut year, mut month) = (day.year(), day.month());
    for _ in 0..period.months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let mut number = day.day();
    let mut day = loop {
        match NaiveDate::from_ymd_opt(year, month, number) {
            Some(day) => break day,
            None => number -= 1,
        }
    };
    for _ in 0..period.days {
        day = day.succ_opt().unwrap();
    }
    day
}

fn local_date(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// Where the civil day ends, looked for in steps of a quarter of an hour. If clocks go back at
/// midnight there are two answers: the first and the last moment at which it has ended.
fn ends_of(day: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let start = midnight(day) - Duration::hours(26);
    let mut moments = (0..4 * 100).map(|n| start + Duration::minutes(15 * n));
    let first = moments.clone().find(|at| local_date(*at, zone) > day).unwrap();
    let local_midnight = day.succ_opt().unwrap().and_time(NaiveTime::MIN);
    let shows_midnight = |at: &DateTime<Utc>| at.with_timezone(&zone).naive_local() == local_midnight;
    let last = moments.rfind(shows_midnight).unwrap_or(first).max(first);
    (first, last)
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Instant(DateTime<Utc>),
    Civil(NaiveDate),
}

/// The earliest and the latest that the notice can be read to mean.
fn due(value: Value, retain: Period, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    match value {
        Value::Instant(at) => {
            let due = first_midnight_from(walk(at.date_naive(), retain).and_time(at.time()).and_utc());
            (due, due)
        }
        Value::Civil(day) => {
            let (first, last) = ends_of(walk(day, retain), zone);
            (first_midnight_from(first), first_midnight_from(last))
        }
    }
}

// --- S3, as documented: the sum, rounded up to midnight; an exact midnight both ways ---

fn eligible(created: DateTime<Utc>, days: u32) -> (DateTime<Utc>, DateTime<Utc>) {
    let sum = created + Duration::days(i64::from(days));
    (first_midnight_from(sum), first_midnight_from(sum + Duration::nanoseconds(1)))
}

/// In a versioned bucket: a marker stamped at the midnight of eligibility, and from there on.
fn gone(created: DateTime<Utc>, terms: LifecycleTerms) -> (DateTime<Utc>, DateTime<Utc>) {
    let (early, late) = eligible(created, terms.expire_days);
    match terms.noncurrent_days {
        None => (early, late),
        Some(days) => (early, eligible(late, days).1),
    }
}

// --- Random cases ---

/// Values that an object of `uploaded` can carry: the edges of the window, inside it, and every civil
/// day of which a moment lies in it.
fn values(uploaded: DateTime<Utc>, before: u64, after: u64, zone: Tz) -> Vec<Value> {
    let seconds = |n: u64| Duration::seconds(i64::try_from(n).unwrap());
    let (start, end) = (uploaded - seconds(before), uploaded + seconds(after));
    let mut values = vec![Value::Instant(start), Value::Instant(end), Value::Instant(uploaded)];
    let mut moment = start;
    let mut last = None;
    while moment < end {
        if last != Some(local_date(moment, zone)) {
            last = Some(local_date(moment, zone));
            values.push(Value::Instant(moment));
            values.push(Value::Civil(local_date(moment, zone)));
        }
        moment += Duration::minutes(15);
    }
    values.push(Value::Civil(local_date(end, zone)));
    values
}

fn zones() -> impl Strategy<Value = Tz> {
    let odd = [
        chrono_tz::UTC,
        chrono_tz::Europe::Zagreb,
        chrono_tz::Pacific::Apia,
        chrono_tz::America::Havana,
        chrono_tz::Australia::Lord_Howe,
        chrono_tz::Atlantic::Azores,
        chrono_tz::Asia::Kathmandu,
        chrono_tz::America::New_York,
        chrono_tz::Africa::Casablanca,
        chrono_tz::Pacific::Kiritimati,
        chrono_tz::Etc::GMTPlus12,
    ];
    prop_oneof![prop::sample::select(odd.to_vec()), prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),]
}

fn periods() -> impl Strategy<Value = Period> {
    prop_oneof![
        (1..400u32).prop_map(Period::days),
        (1..26u32).prop_map(Period::months),
        (0..14u32, 0..40u32).prop_map(|(months, days)| Period { months, days }),
    ]
}

/// Any second of 1999 to 2035, mostly near a midnight, a month's end or a change of clocks.
fn uploads() -> impl Strategy<Value = DateTime<Utc>> {
    let days = 0..36 * 366i64;
    let seconds = prop_oneof![
        Just(0),
        Just(1),
        Just(86_399),
        (0..24i64).prop_map(|hour| hour * 3600),
        (0..24i64).prop_map(|hour| hour * 3600 + 1),
        0..86_400i64,
    ];
    let ends = (1999..2035, 1..13u32, -2..2i64).prop_map(|(year, month, beside)| {
        NaiveDate::from_ymd_opt(year, month, 1).unwrap() + Duration::days(beside)
    });
    let first = NaiveDate::from_ymd_opt(1999, 1, 1).unwrap();
    let day = prop_oneof![days.prop_map(move |n| first + Duration::days(n)), ends];
    (day, seconds).prop_map(|(day, seconds)| midnight(day) + Duration::seconds(seconds))
}

fn windows() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        (0..4u64).prop_map(|days| days * DAY),
        (0..30u64).prop_map(|hours| hours * HOUR),
        0..3 * DAY,
    ]
}

/// S3's terms for a rule, whatever the bound.
fn terms(trigger: Trigger, retain: Period, zone: Tz, versioning: Versioning) -> LifecycleTerms {
    let rule = Rule { trigger, retain, noncurrent: Some(NONCURRENT), ..rule("media", "") };
    let policy = Policy { tolerance_days: 1000, ..policy(zone, vec![rule]) };
    compile(&policy, &bucket(versioning), &Surroundings::default(), at(NOW)).lifecycle(0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn s3_is_never_early_and_never_later_than_the_bound(
        zone in zones(),
        retain in periods(),
        before in windows(),
        after in windows(),
        from_attribute in prop::bool::weighted(0.8),
        versioned in any::<bool>(),
        uploads in prop::collection::vec(uploads(), 1..16),
    ) {
        let versioning = if versioned { Versioning::Enabled } else { Versioning::Never };
        let trigger = if from_attribute { communicated(before, after) } else { uploaded() };
        let terms = terms(trigger, retain, zone, versioning);
        for uploaded in uploads {
            let values = match from_attribute {
                true => values(uploaded, before, after, zone),
                false => vec![Value::Instant(uploaded)],
            };
            let (early, late) = gone(uploaded, terms);
            for value in values {
                let (first_due, last_due) = due(value, retain, zone);
                prop_assert!(early >= last_due, "{value:?} is due {last_due}, gone {early}: {terms:?}");
                let lateness = (late - first_due).num_days();
                prop_assert!(
                    lateness <= i64::from(terms.lateness_days),
                    "{value:?} is due {first_due}, gone {late}: {terms:?}"
                );
            }
        }
    }

    #[test]
    fn a_superseded_version_and_an_upload_in_progress_are_never_removed_early(
        retain in periods(),
        created in uploads(),
    ) {
        let rule = Rule {
            noncurrent: Some(Noncurrent { retain, newer_versions: 0 }),
            incomplete_uploads: Some(retain),
            ..rule("media", "")
        };
        let policy = Policy { tolerance_days: 2000, ..policy(chrono_tz::UTC, vec![rule]) };
        let terms = compile(&policy, &bucket(Versioning::Enabled), &Surroundings::default(), at(NOW)).lifecycle(0).unwrap();
        let (due, _) = due(Value::Instant(created), retain, chrono_tz::UTC);
        for days in [terms.noncurrent_days, terms.abort_days] {
            let (early, late) = eligible(created, days.unwrap());
            prop_assert!(early >= due);
            prop_assert!((late - due).num_days() <= i64::from(terms.lateness_days));
        }
    }
}

#[test]
fn the_bound_and_the_promise_hold_over_every_change_of_clocks_in_zones_on_both_sides_of_utc() {
    let zones = [
        chrono_tz::Atlantic::Azores,
        chrono_tz::Europe::London,
        chrono_tz::Europe::Zagreb,
        chrono_tz::America::New_York,
        chrono_tz::Pacific::Apia,
    ];
    let retain = Period::days(30);
    // Half an hour less than a day: only with the offset of the Azores does it reach a day more.
    let windows = [(0, 0), (DAY, HOUR), (DAY - HOUR / 2, 0)];
    for (zone, (before, after)) in zones.into_iter().flat_map(|zone| windows.map(|window| (zone, window))) {
        let terms = terms(communicated(before, after), retain, zone, Versioning::Never);
        let first = midnight(NaiveDate::from_ymd_opt(2011, 2, 20).unwrap());
        let uploads = (0..330 * 24).step_by(5).flat_map(|hour| {
            [-1, 0, 1800].map(|beside| first + Duration::hours(hour) + Duration::seconds(beside))
        });
        for uploaded in uploads {
            let (early, late) = eligible(uploaded, terms.expire_days);
            for value in values(uploaded, before, after, zone) {
                let (first_due, last_due) = due(value, retain, zone);
                assert!(early >= last_due, "{zone}: {value:?} is due {last_due}, gone {early}");
                let lateness = (late - first_due).num_days();
                assert!(lateness <= i64::from(terms.lateness_days), "{zone}: {value:?}, gone {late}");
            }
        }
    }
}

/// Uploads at every quarter of an hour, and a second beside each, of the days around a leap day.
fn around_a_leap_day() -> impl Iterator<Item = DateTime<Utc>> {
    let first = midnight(NaiveDate::from_ymd_opt(2027, 12, 25).unwrap());
    (0..100 * 96).flat_map(move |n| {
        [-1, 0, 1].map(|beside| first + Duration::minutes(15 * n) + Duration::seconds(beside))
    })
}

#[test]
fn one_day_less_would_be_early_for_some_object() {
    let cases = [
        (uploaded(), (0, 0), Period::days(30), chrono_tz::UTC),
        (uploaded(), (0, 0), Period::months(6), chrono_tz::UTC),
        (uploaded(), (0, 0), Period::months(12), chrono_tz::UTC),
        (communicated(DAY, HOUR), (DAY, HOUR), Period::days(30), chrono_tz::Europe::Zagreb),
        (communicated(DAY, HOUR), (DAY, HOUR), Period::months(12), chrono_tz::Europe::Zagreb),
        (communicated(0, 0), (0, 0), Period::days(30), chrono_tz::America::New_York),
        (communicated(0, 3 * DAY), (0, 3 * DAY), Period::days(7), chrono_tz::Asia::Kathmandu),
    ];
    for (trigger, (before, after), retain, zone) in cases {
        let from_attribute = trigger.name.is_some();
        let terms = terms(trigger, retain, zone, Versioning::Never);
        let is_early = around_a_leap_day().any(|uploaded| {
            let values = match from_attribute {
                true => vec![
                    Value::Instant(uploaded + Duration::seconds(i64::try_from(after).unwrap())),
                    *values(uploaded, before, after, zone).last().unwrap(),
                ],
                false => vec![Value::Instant(uploaded)],
            };
            let (early, _) = eligible(uploaded, terms.expire_days - 1);
            values.into_iter().any(|value| early < due(value, retain, zone).1)
        });
        assert!(is_early, "{} days less one would do for {retain} in {zone}", terms.expire_days);
    }
}

#[test]
fn the_bound_is_reached_by_some_object() {
    // Nothing to spare where the zone has one offset and the period one length.
    for (before, after) in [(0, 0), (DAY, HOUR), (3 * HOUR, 0)] {
        let retain = Period::days(30);
        let terms = terms(communicated(before, after), retain, chrono_tz::UTC, Versioning::Enabled);
        let worst = around_a_leap_day()
            .map(|uploaded| {
                let earliest = Value::Instant(uploaded - Duration::seconds(i64::try_from(before).unwrap()));
                (gone(uploaded, terms).1 - due(earliest, retain, chrono_tz::UTC).0).num_days()
            })
            .max();
        assert_eq!(worst, Some(i64::from(terms.lateness_days)), "{before} {after}");
    }
}
