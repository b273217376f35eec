//! Single values, in the forms that stores send.

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::values::{
    Time, day_number, form_decode, http_date, instant, metadata_value, quoted, unquoted, usual_instant,
    usual_size,
};

#[test]
fn keys_are_decoded_as_forms() {
    assert_eq!(form_decode("a+b%2Bc%20d").as_deref(), Some("a b+c d"));
    assert_eq!(form_decode("%C3%a9%F0%9F%8E%A7").as_deref(), Some("é🎧"));
    assert_eq!(form_decode("%01%0d%00").as_deref(), Some("\u{1}\r\0"));
    for broken in ["%", "a%2", "%zz", "%+1", "100% sure", "%ff", "%C3"] {
        assert_eq!(form_decode(broken), None, "{broken}");
    }
}

#[test]
fn times_are_read_with_and_without_fraction_and_zone() {
    for (text, read) in [
        ("2026-11-24T06:15:09.000Z", "2026-11-24T06:15:09+00:00"),
        ("2026-11-24T06:15:09Z", "2026-11-24T06:15:09+00:00"),
        ("2026-11-24T06:15:09.123Z", "2026-11-24T06:15:09.123+00:00"),
        ("2026-11-24T06:15:09.123456Z", "2026-11-24T06:15:09.123456+00:00"),
        ("2026-11-24T07:15:09+01:00", "2026-11-24T06:15:09+00:00"),
        ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00+00:00"),
    ] {
        assert_eq!(instant(text).unwrap().to_rfc3339(), read);
    }
    for broken in [
        "",
        "2026-11-24",
        "2026-11-24T06:15:09",
        "2026-02-29T00:00:00.000Z",
        "2026-11-24T24:00:00.000Z",
        "2026-11-2406:15:09.0000Z",
        "20x6-11-24T06:15:09.000Z",
        "yesterday",
    ] {
        assert_eq!(instant(broken), None, "{broken}");
    }
    assert_eq!(http_date("Tue, 24 Nov 2026 06:15:00 GMT").unwrap().to_rfc3339(), "2026-11-24T06:15:00+00:00");
    assert_eq!(http_date("now"), None);
}

/// What the quick way to read a time makes of it.
fn quick(text: &[u8]) -> Option<(DateTime<Utc>, usize)> {
    usual_instant(text).map(|(time, len)| (time.instant(), len))
}

#[test]
fn no_byte_in_a_time_is_taken_for_another() {
    for sound in ["2026-11-24T06:15:09.123Z", "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"] {
        assert_eq!(quick(sound.as_bytes()), Some((instant(sound).unwrap(), 24)));
        for (place, byte) in (0..24).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            let mut text = sound.as_bytes().to_vec();
            text[place] = byte;
            let was = sound.as_bytes()[place];
            let has_form = byte == was || was.is_ascii_digit() && byte.is_ascii_digit();
            let is_leap_second = &text[17..19] == b"60";
            let general = str::from_utf8(&text).ok().and_then(instant);
            let expected = general.filter(|_| has_form && !is_leap_second).map(|instant| (instant, 24));
            assert_eq!(quick(&text), expected, "{place} {byte}");
        }
    }
}

#[test]
fn an_instant_is_the_same_as_two_numbers() {
    for text in ["1969-12-31T23:59:59.999Z", "2016-12-31T23:59:60.5Z", "9999-12-31T23:59:59.999999999Z"] {
        let instant = instant(text).unwrap();
        assert_eq!(Time::of(instant).instant(), instant);
    }
}

#[test]
fn every_day_of_ten_thousand_years_has_its_number_and_no_other_does() {
    for (year, month) in (0..=9_999).flat_map(|year| (0..=13).map(move |month| (year, month))) {
        for day in 0..=32 {
            let expected = NaiveDate::from_ymd_opt(year, month, day);
            let found = day_number(year as u64, month.into(), day.into());
            assert_eq!(found, expected.map(|day| day.to_epoch_days().into()), "{year}-{month}-{day}");
        }
    }
    assert_eq!(day_number(2026, 99, 99), None);
}

#[test]
fn etags_lose_and_gain_their_quotes() {
    assert_eq!(unquoted("\"abc-2\""), "abc-2");
    assert_eq!(unquoted("abc"), "abc");
    assert_eq!(unquoted("\""), "\"");
    assert_eq!((quoted("abc"), quoted("\"abc\"")), ("\"abc\"".to_owned(), "\"abc\"".to_owned()));
}

#[test]
fn encoded_words_in_metadata_are_decoded() {
    for (sent, read) in [
        ("plain", Some("plain")),
        ("=?UTF-8?B?TcO8bGxlcg==?=", Some("Müller")),
        ("=?utf-8?q?M=C3=BCller_AG?=", Some("Müller AG")),
        ("a =?UTF-8?Q?=C3=A9?= b", Some("a é b")),
        ("=?UTF-8?Q?a?= =?UTF-8?Q?b?=", Some("ab")),
        ("=?UTF-8?Q?a?= x =?UTF-8?Q?b?=", Some("a x b")),
        ("1=?2", Some("1=?2")),
        ("=?UTF-8?X?a?=", Some("=?UTF-8?X?a?=")),
        ("=?KOI8-R?Q?a?=", None),
        ("=?UTF-8?B?%?=", None),
        ("=?UTF-8?Q?=F?=", None),
        ("=?UTF-8?Q?=FF?=", None),
    ] {
        assert_eq!(metadata_value(sent).as_deref(), read, "{sent}");
    }
}

proptest! {
    #[test]
    fn what_a_form_encodes_it_decodes(key in any::<String>()) {
        let encoded: String = key
            .bytes()
            .map(|byte| match byte {
                b' ' => "+".to_owned(),
                b'a'..=b'z' | b'/' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        prop_assert_eq!(form_decode(&encoded), Some(key));
    }

    #[test]
    fn the_quick_way_to_read_a_time_agrees_with_the_general_one(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z", more in ".{0,3}") {
        match quick(format!("{text}{more}").as_bytes()) {
            Some((quick, len)) => prop_assert_eq!((Some(quick), len), (instant(&text), text.len())),
            // The second that is put in once in some years is left to the general way.
            None => prop_assert!(text.len() != 24 || instant(&text).is_none() || text[17..].starts_with("60")),
        }
    }

    #[test]
    fn the_quick_way_to_read_a_size_agrees_with_the_general_one(text in "[0-9]{0,22}", more in "([^0-9].{0,9})?") {
        match usual_size(format!("{text}{more}").as_bytes()) {
            Some((size, len)) => prop_assert_eq!((Ok(size), len), (text.parse(), text.len())),
            None => prop_assert!(text.is_empty() || text.len() > 19),
        }
    }
}
