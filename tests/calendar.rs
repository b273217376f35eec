//! The calendar against a walk through the days, and against what clocks have really shown.

#![expect(clippy::unwrap_used, reason = "a test that meets what cannot be has failed")]

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use shelflife::calendar::{
    Moment, MomentError, Period, PeriodError, end_of_day, instant_of_local, midnight_at_or_after,
    start_of_day, to_the_day, to_the_second,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

#[test]
fn periods_are_read_in_words_and_in_iso_8601() {
    for (text, months, days) in [
        ("30 days", 0, 30),
        ("1 day", 0, 1),
        ("0 days", 0, 0),
        ("2 weeks", 0, 14),
        ("6 months", 6, 0),
        ("1 year", 12, 0),
        ("100 years", 1200, 0),
        ("P6M", 6, 0),
        ("P1Y6M", 18, 0),
        ("P1Y2M3W4D", 14, 25),
        ("P0D", 0, 0),
    ] {
        assert_eq!(Period::parse(text), Ok(Period { months, days }), "{text}");
    }
}

#[test]
fn what_is_no_period_is_refused() {
    for text in [
        "",
        "30",
        "days",
        "30days",
        "30  days",
        " 30 days",
        "30 days ",
        "-1 days",
        "+1 days",
        "1.5 years",
        "1 fortnight",
        "30 Days",
        "P",
        "P30",
        "PD",
        "P1D1Y",
        "P1M1M",
        "PT1H",
        "P-1D",
        "p6m",
        "P1é",
        "٣ days",
    ] {
        assert_eq!(Period::parse(text), Err(PeriodError::Form), "{text}");
    }
    for text in ["101 years", "1201 months", "99999999999 days", "4294967295 years", "P999999999W", "P100Y1M"]
    {
        assert_eq!(Period::parse(text), Err(PeriodError::TooLong), "{text}");
    }
}

#[test]
fn a_period_reads_back_as_it_is_written() {
    for text in ["30 days", "1 day", "6 months", "1 year", "10 years", "0 days", "P14M3D"] {
        assert_eq!(period(text).to_string(), text);
    }
    for months in 0..30 {
        for days in 0..30 {
            let period = Period { months, days };
            assert_eq!(Period::parse(&period.to_string()), Ok(period));
        }
    }
}

#[test]
fn months_are_clamped_to_the_last_day_and_days_come_after_them() {
    for (from, length, to) in [
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2028-01-31", "1 month", "2028-02-29"),
        ("2024-02-29", "1 year", "2025-02-28"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2096-02-29", "4 years", "2100-02-28"),
        ("2026-08-31", "6 months", "2027-02-28"),
        ("2026-01-31", "P1M1D", "2026-03-01"),
        ("2026-12-31", "2 months", "2027-02-28"),
        ("2026-03-01", "0 days", "2026-03-01"),
    ] {
        assert_eq!(period(length).after(day(from)), Some(day(to)), "{from} + {length}");
    }
}

#[test]
fn the_longest_and_the_shortest_span_are_those_of_some_day_in_four_hundred_years() {
    for text in [
        "1 month",
        "2 months",
        "3 months",
        "6 months",
        "11 months",
        "1 year",
        "18 months",
        "4 years",
        "P1M30D",
    ] {
        let spans: Vec<i64> = day("2000-01-01")
            .iter_days()
            .take_while(|start| start.year() < 2400)
            .map(|start| (period(text).after(start).unwrap() - start).num_days())
            .collect();
        let (max, min) = (spans.iter().max().unwrap(), spans.iter().min().unwrap());
        assert_eq!(i64::from(period(text).max_days()), *max, "{text}");
        assert_eq!(i64::from(period(text).min_days()), *min, "{text}");
    }
    assert_eq!(period("6 months").max_days(), 184);
    assert_eq!(period("1 month").min_days(), 28);
    assert_eq!((period("30 days").max_days(), period("30 days").min_days()), (30, 30));
}

#[test]
fn dates_are_read_as_days_instants_and_local_times() {
    let zagreb = |text| Moment::parse(text, Tz::Europe__Zagreb);
    assert_eq!(zagreb("2026-03-01"), Ok(Moment::Civil(day("2026-03-01"))));
    for (text, meant) in [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        (" 2026-03-01T12:00:00.250+05:30\n", "2026-03-01T06:30:00.250Z"),
        ("2026-03-01T12:00:00", "2026-03-01T11:00:00Z"),
        ("2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
        ("2026-03-01T12:00", "2026-03-01T11:00:00Z"),
        ("2026-03-01 12:00", "2026-03-01T11:00:00Z"),
    ] {
        assert_eq!(zagreb(text), Ok(Moment::Instant(at(meant))), "{text}");
    }
}

#[test]
fn what_nobody_can_have_meant_is_no_date() {
    let read = |text| Moment::parse(text, Tz::UTC).unwrap_err();
    for text in [
        "",
        "soon",
        "2026-02-29",
        "2026-13-01",
        "01-03-2026",
        "1/3/2026",
        "20260301",
        "1767225600",
        "2026-03",
        "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:00+0530x",
        "2026-03-01T12",
        "10000-01-01",
        "+12026-01-01",
    ] {
        assert_eq!(read(text), MomentError::Form, "{text}");
    }
    for text in ["1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00"] {
        assert_eq!(read(text), MomentError::Epoch, "{text}");
    }
    for text in
        ["1999-12-31", "1999-12-31T23:59:59Z", "0001-01-01", "1970-01-02", "2000-01-01T00:00:00+01:00"]
    {
        assert_eq!(read(text), MomentError::Before2000, "{text}");
    }
    assert!(Moment::parse("2000-01-01", Tz::UTC).is_ok());
    assert!(Moment::parse("9999-12-31T23:59:59Z", Tz::UTC).is_ok());
}

#[test]
fn an_instant_is_due_at_the_midnight_at_or_after_it_and_its_period() {
    let due =
        |text: &str, length| Moment::Instant(at(text)).due(period(length), Tz::Asia__Kathmandu).unwrap();
    assert_eq!(due("2026-03-01T00:00:00Z", "30 days"), at("2026-03-31T00:00:00Z"));
    assert_eq!(due("2026-03-01T00:00:00.001Z", "30 days"), at("2026-04-01T00:00:00Z"));
    assert_eq!(due("2026-03-01T23:59:59Z", "30 days"), at("2026-04-01T00:00:00Z"));
    // Months are added to the date in UTC, whatever the policy's zone.
    assert_eq!(due("2026-01-31T23:00:00Z", "1 month"), at("2026-03-01T00:00:00Z"));
}

#[test]
fn a_day_is_due_when_it_is_over_where_the_policy_lives() {
    let due = |zone, text, length| Moment::Civil(day(text)).due(period(length), zone).unwrap();
    assert_eq!(due(Tz::UTC, "2026-03-01", "30 days"), at("2026-04-01T00:00:00Z"));
    assert_eq!(due(Tz::Europe__Zagreb, "2026-03-01", "30 days"), at("2026-04-01T00:00:00Z"));
    assert_eq!(due(Tz::America__St_Johns, "2026-03-01", "30 days"), at("2026-04-02T00:00:00Z"));
    // In Kiritimati 31 March is over at 10:00 UTC on the 31st itself.
    assert_eq!(due(Tz::Pacific__Kiritimati, "2026-03-01", "30 days"), at("2026-04-01T00:00:00Z"));
    assert_eq!(due(Tz::Etc__GMTPlus12, "2026-03-01", "30 days"), at("2026-04-02T00:00:00Z"));
    assert_eq!(due(Tz::Etc__GMTPlus12, "2024-02-29", "1 year"), at("2025-03-02T00:00:00Z"));
}

#[test]
fn an_added_period_keeps_the_time_of_day_and_clamps_each_time() {
    let moment = Moment::Instant(at("2026-08-31T10:00:00Z"));
    assert_eq!(moment.plus(period("6 months")), Some(Moment::Instant(at("2027-02-28T10:00:00Z"))));
    let twice = moment.plus(period("6 months")).unwrap().plus(period("1 month"));
    assert_eq!(twice, Some(Moment::Instant(at("2027-03-28T10:00:00Z"))));
    assert_eq!(
        Moment::Civil(day("2026-08-31")).plus(period("6 months")),
        Some(Moment::Civil(day("2027-02-28")))
    );
}

#[test]
fn a_local_time_in_a_fold_or_a_gap_means_the_later_instant() {
    for (zone, text, meant) in [
        // 02:30 comes twice, at 00:30 and at 01:30 UTC.
        (Tz::Europe__Zagreb, "2026-10-25T02:30:00", "2026-10-25T01:30:00Z"),
        // 02:30 is skipped: with the winter's offset it is 01:30 UTC, with the summer's 00:30.
        (Tz::Europe__Zagreb, "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        // Midnight itself is skipped.
        (Tz::America__Sao_Paulo, "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),
        (Tz::Asia__Beirut, "2026-03-29T00:00:00", "2026-03-28T22:00:00Z"),
        // Midnight comes twice: at 00:01 the clock went back to 23:01 of the day before.
        (Tz::America__St_Johns, "2006-10-29T00:00:00", "2006-10-29T03:30:00Z"),
        // Half an hour, and a fold of half an hour.
        (Tz::Australia__Lord_Howe, "2026-04-05T01:45:00", "2026-04-04T15:15:00Z"),
        (Tz::Asia__Pyongyang, "2015-08-14T23:45:00", "2015-08-14T15:15:00Z"),
    ] {
        assert_eq!(instant_of_local(local(text), zone), at(meant), "{zone} {text}");
    }
}

#[test]
fn the_day_that_samoa_skipped_is_over_when_the_day_before_is() {
    let zone = Tz::Pacific__Apia;
    let change = at("2011-12-30T10:00:00Z");
    assert_eq!(end_of_day(day("2011-12-29"), zone), change);
    assert_eq!(start_of_day(day("2011-12-30"), zone), change);
    assert_eq!(end_of_day(day("2011-12-30"), zone), change);
    assert_eq!(start_of_day(day("2011-12-31"), zone), change);
    assert_eq!(Moment::Civil(day("2011-12-30")).due(Period::days(0), zone), Some(at("2011-12-31T00:00:00Z")));
    // A time on the day that never was is read with the offset that was in force before it.
    assert_eq!(instant_of_local(local("2011-12-30T15:00:00"), zone), at("2011-12-31T01:00:00Z"));
}

#[test]
fn a_day_whose_midnight_comes_twice_starts_at_the_first_and_the_one_before_ends_at_the_second() {
    let zone = Tz::America__Havana;
    assert_eq!(start_of_day(day("2026-11-01"), zone), at("2026-11-01T04:00:00Z"));
    assert_eq!(end_of_day(day("2026-10-31"), zone), at("2026-11-01T05:00:00Z"));
}

/// Every quarter of an hour on the clock, a few days around each change of it.
#[test]
fn every_local_time_is_the_last_instant_at_which_the_clock_shows_it() {
    let zones = [
        Tz::Europe__Zagreb,
        Tz::America__St_Johns,
        Tz::America__Sao_Paulo,
        Tz::America__Havana,
        Tz::Asia__Beirut,
        Tz::Asia__Kathmandu,
        Tz::Asia__Pyongyang,
        Tz::Africa__Casablanca,
        Tz::Australia__Lord_Howe,
        Tz::Antarctica__Troll,
        Tz::Pacific__Apia,
    ];
    let step = Duration::minutes(15);
    for zone in zones {
        let shown = |instant: DateTime<Utc>| zone.from_utc_datetime(&instant.naive_utc()).naive_local();
        let offset = |instant| shown(instant) - instant.naive_utc();
        let days = day("2004-01-01").iter_days().take_while(|day| day.year() < 2030);
        let midnights = days.map(|day| day.and_hms_opt(0, 0, 0).unwrap().and_utc());
        for change in midnights.filter(|at| offset(*at) != offset(*at + Days::new(1))) {
            let start = change - Days::new(2);
            let instants: Vec<_> = (0..4 * 24 * 5).map(|n| start + step * n).collect();
            for clock in instants.iter().map(|at| at.naive_utc()).filter(|t| {
                (change - Days::new(1)).naive_utc() <= *t && *t <= (change + Days::new(2)).naive_utc()
            }) {
                let meant = instant_of_local(clock, zone);
                match instants.iter().rev().find(|at| shown(**at) == clock) {
                    Some(last) => assert_eq!(meant, *last, "{zone} {clock}"),
                    // Skipped: it lies after the change by as much as it lies in the gap.
                    None => {
                        let after = instants.iter().find(|at| shown(**at) > clock).unwrap();
                        assert!(meant >= *after - step && shown(meant) > clock, "{zone} {clock} {meant}");
                    }
                }
            }
        }
    }
}

#[test]
fn midnight_stays_and_all_else_is_rounded_up() {
    assert_eq!(midnight_at_or_after(at("2026-03-01T00:00:00Z")), at("2026-03-01T00:00:00Z"));
    assert_eq!(midnight_at_or_after(at("2026-03-01T00:00:00.000000001Z")), at("2026-03-02T00:00:00Z"));
    assert_eq!(midnight_at_or_after(at("2026-12-31T23:59:59Z")), at("2027-01-01T00:00:00Z"));
    // A leap second is still of its day.
    assert_eq!(midnight_at_or_after(at("2016-12-31T23:59:60Z")), at("2017-01-01T00:00:00Z"));
}

#[test]
fn beyond_the_calendars_end_nothing_is_ever_due() {
    let last = Moment::Civil(NaiveDate::MAX);
    assert_eq!(last.due(Period::days(1), Tz::UTC), None);
    assert_eq!(Moment::Instant(DateTime::<Utc>::MAX_UTC).due(Period::months(1), Tz::UTC), None);
}

#[test]
fn years_at_the_calendars_ends_are_no_dates_and_no_panics() {
    for zone in [Tz::Europe__Zagreb, Tz::America__Sao_Paulo, Tz::UTC] {
        for text in
            ["-262143-01-01T00:00:00", "+262142-12-31T23:59:59", "-0001-01-01 00:00", "12026-01-01T00:00"]
        {
            assert!(Moment::parse(text, zone).is_err(), "{text} in {zone}");
        }
    }
}

proptest! {
    /// It is what the library writes, one form at a time.
    #[test]
    fn an_instant_is_written_to_the_second(seconds in -62_167_219_200_i64..253_402_300_800, nanos in 0_u32..1_000_000_000) {
        let at = DateTime::from_timestamp(seconds, nanos).unwrap();
        prop_assert_eq!(to_the_second(&at), at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        prop_assert_eq!(to_the_day(&at), at.format("%Y-%m-%d").to_string());
    }
}
