//! Dates written otherwise than in ISO 8601: epoch numbers, and forms in strftime's words.

use std::fmt::{self, Write as _};

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{Moment, MomentError, instant_of_local};

/// How a date is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DateFormat {
    /// Whole seconds since 1970.
    EpochSeconds,
    /// Whole milliseconds since 1970.
    EpochMilliseconds,
    /// In strftime's words, such as `%d.%m.%Y`.
    Strftime(Box<str>),
}

/// Why a text does not describe how dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateFormatError {
    /// A specifier that does not exist.
    #[error("a `%` specifier that does not exist")]
    Specifier,
    /// The name of a zone says nothing that can be relied on.
    #[error("`%Z` is a name that many zones share; write the offset, `%z`")]
    ZoneName,
    /// A letter in the form is no zone: the time would be read in the policy's.
    #[error(
        "`Z`, `UTC` and `GMT` are only letters in a form, and the time would be local; write `%z`, or leave `format` out where dates are in ISO 8601"
    )]
    LiteralZone,
    /// So is whatever else stands for a zone after a time.
    #[error(
        "what stands after the time is only text in a form, as `+01:00` or `EST` would be, and the time would be local; write `%z` for the offset, or leave the text out of your dates and set the policy's `timezone`"
    )]
    TextAfterTime,
    /// An offset in any form is read, and cannot be written again to see that nothing was cut short.
    #[error(
        "`%#z` stands for offsets of any form; write the one that your dates have: `%z`, `%:z` or `%::z`"
    )]
    AnyOffset,
    /// Two digits do not say which century.
    #[error("`%y`, `%g`, `%C`, `%D` and `%x` do not say the whole year; write `%Y`")]
    Century,
    /// It does not say the day.
    #[error("it says no whole date; `%Y`, `%m` and `%d` do")]
    NoDate,
    /// Hours without minutes, or half a day that is not named.
    #[error("it says half a time; `%H:%M` does say one")]
    HalfTime,
}

impl DateFormat {
    /// Reads `epoch-seconds`, `epoch-milliseconds`, or a form in strftime's words.
    ///
    /// # Errors
    /// If what is written in the form would not be a date, whole and unmistakable.
    pub fn parse(text: &str) -> Result<Self, DateFormatError> {
        match text {
            "epoch-seconds" => return Ok(Self::EpochSeconds),
            "epoch-milliseconds" => return Ok(Self::EpochMilliseconds),
            _ => {}
        }
        if StrftimeItems::new(text).any(|item| item == Item::Error) {
            return Err(DateFormatError::Specifier);
        }
        let words = specifiers(text);
        if words.contains('Z') {
            return Err(DateFormatError::ZoneName);
        }
        if StrftimeItems::new(text).any(|item| StrftimeItems::new("%#z").eq([item])) {
            return Err(DateFormatError::AnyOffset);
        }
        if !words.contains(['z', 's', '+']) {
            let plain = PlainText::of(text);
            if ["Z", "UTC", "GMT"].iter().any(|zone| plain.all.contains(zone)) {
                return Err(DateFormatError::LiteralZone);
            }
            if plain.after_time.as_deref().is_some_and(could_be_a_zone) {
                return Err(DateFormatError::TextAfterTime);
            }
        }
        if words.contains(['y', 'g', 'C', 'D', 'x']) {
            return Err(DateFormatError::Century);
        }
        // Two samples that differ in every field must come back as they are.
        let format = Self::Strftime(text.into());
        for (day, hour) in [((2026, 11, 24), 21), ((2031, 2, 8), 4)] {
            let sample = NaiveDate::from_ymd_opt(day.0, day.1, day.2)
                .and_then(|day| day.and_hms_opt(hour, 43, 27))
                .ok_or(DateFormatError::NoDate)?;
            // With a zone's offset where the form wants one.
            let text = written(sample.and_utc().format(text)).ok_or(DateFormatError::Specifier)?;
            match format.read(&text, Tz::UTC) {
                Ok(Moment::Civil(day)) if day == sample.date() => {}
                Ok(Moment::Instant(at)) if at.date_naive() == sample.date() => {
                    let seconds = at.naive_utc().signed_duration_since(sample).num_seconds();
                    if !(-27..=32).contains(&seconds) {
                        return Err(DateFormatError::HalfTime);
                    }
                }
                Ok(_) | Err(_) if words.contains(['H', 'I', 'k', 'l', 'M', 'S']) && says_date(&words) => {
                    return Err(DateFormatError::HalfTime);
                }
                Ok(_) | Err(_) => return Err(DateFormatError::NoDate),
            }
        }
        Ok(format)
    }

    /// Reads a date that is written so; a time without an offset is read in `zone`.
    ///
    /// Written again in the same form it must come out as it was: a number that was cut short,
    /// or a field that is ignored, makes it no date.
    ///
    /// # Errors
    /// As [`Moment::parse`].
    pub fn read(&self, text: &str, zone: Tz) -> Result<Moment, MomentError> {
        let text = text.trim();
        let moment = match self {
            Self::EpochSeconds => DateTime::from_timestamp(whole(text)?, 0).map(Moment::Instant),
            Self::EpochMilliseconds => DateTime::from_timestamp_millis(whole(text)?).map(Moment::Instant),
            Self::Strftime(form) => strftime(form, text, zone),
        };
        moment.ok_or(MomentError::Form)?.plausible()
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EpochSeconds => "epoch-seconds",
            Self::EpochMilliseconds => "epoch-milliseconds",
            Self::Strftime(form) => form,
        })
    }
}

/// What stands for itself in a form.
#[derive(Default)]
struct PlainText {
    all: String,
    /// What of it stands after the last part of a time; `None` without a time.
    after_time: Option<String>,
}

impl PlainText {
    fn of(form: &str) -> Self {
        let mut plain = Self::default();
        for item in StrftimeItems::new(form) {
            let text: &str = match &item {
                Item::Literal(text) | Item::Space(text) => text,
                Item::OwnedLiteral(text) | Item::OwnedSpace(text) => text,
                Item::Numeric(
                    Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second | Numeric::Nanosecond,
                    _,
                )
                | Item::Fixed(
                    Fixed::LowerAmPm
                    | Fixed::UpperAmPm
                    | Fixed::Nanosecond
                    | Fixed::Nanosecond3
                    | Fixed::Nanosecond6
                    | Fixed::Nanosecond9
                    | Fixed::Internal(_),
                ) => {
                    plain.after_time = Some(String::new());
                    continue;
                }
                // What stands between parts of a date does not run together.
                _ => " ",
            };
            plain.all.push_str(text);
            if let Some(after) = &mut plain.after_time {
                after.push_str(text);
            }
        }
        plain
    }
}

/// An offset, or letters; `T` stands between a time and a date.
fn could_be_a_zone(text: &str) -> bool {
    let signs = text.char_indices().filter(|(_, c)| matches!(c, '+' | '-' | '\u{2212}'));
    let mut after_signs = signs.map(|(place, sign)| &text[place + sign.len_utf8()..]);
    after_signs.any(|rest| rest.trim_start().starts_with(|c: char| c.is_numeric()))
        || text.chars().any(|c| c.is_alphabetic() && c != 'T')
}

/// The letters of all specifiers, flags and widths aside.
fn specifiers(form: &str) -> String {
    let mut letters = String::new();
    let mut rest = form.chars();
    while let Some(c) = rest.next() {
        if c == '%' {
            letters.extend(rest.by_ref().find(|c| c.is_ascii_alphabetic() || matches!(c, '%' | '+')));
        }
    }
    letters
}

fn says_date(words: &str) -> bool {
    words.contains(['F', 'j', 'd', 'e', 'c', 'v', 's', '+'])
}

fn whole(text: &str) -> Result<i64, MomentError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MomentError::Form);
    }
    text.parse().map_err(|_| MomentError::Form)
}

fn strftime(form: &str, text: &str, zone: Tz) -> Option<Moment> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, StrftimeItems::new(form)).ok()?;
    let (moment, again) = if let Some(offset) = parsed.offset() {
        // Years of more digits than four reach the calendar's very end.
        let at = parsed.to_datetime().ok()?;
        (
            Moment::Instant(at.with_timezone(&Utc)),
            written(at.with_timezone(&chrono::FixedOffset::east_opt(offset)?).format(form))?,
        )
    } else if parsed.timestamp().is_some() {
        let at = parsed.to_datetime_with_timezone(&Utc).ok()?;
        (Moment::Instant(at), written(at.format(form))?)
    } else {
        let date = parsed.to_naive_date().ok()?;
        Moment::Civil(date).plausible().ok()?;
        match parsed.to_naive_time() {
            Ok(time) => {
                let local: NaiveDateTime = date.and_time(time);
                (Moment::Instant(instant_of_local(local, zone)), written(local.format(form))?)
            }
            // No time at all, or half of one, which then is missing when it is written again.
            Err(_) => {
                let midnight = date.and_time(NaiveTime::MIN);
                let again = written(date.format(form)).or_else(|| written(midnight.format(form)))?;
                if specifiers(form)
                    .contains(['H', 'I', 'k', 'l', 'M', 'S', 'T', 'R', 'p', 'P', 'r', 'X', 'f'])
                {
                    return None;
                }
                (Moment::Civil(date), again)
            }
        }
    };
    (without_idle_zeros(&again) == without_idle_zeros(text)).then_some(moment)
}

/// `None` if there is a part in the form that what is written does not have.
fn written(date: impl fmt::Display) -> Option<String> {
    let mut text = String::new();
    write!(text, "{date}").ok()?;
    Some(text)
}

/// The text with zeros at the end of fractions left out: `.120` and `.12` are the same.
fn without_idle_zeros(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dot) = rest.find('.') {
        let (before, after) = rest.split_at(dot);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        kept.push_str(before);
        kept.push_str(after[..=digits].trim_end_matches('0'));
        rest = &after[1 + digits..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, text: &str) -> Result<String, MomentError> {
        let format = DateFormat::parse(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        format.read(text, Tz::Europe__Zagreb).map(|moment| moment.to_string())
    }

    #[test]
    fn a_date_is_read_in_the_form_that_it_is_written_in() {
        for (form, text, expected) in [
            ("epoch-seconds", "1774353600", "2026-03-24T12:00:00Z"),
            ("epoch-milliseconds", "1774353600000", "2026-03-24T12:00:00Z"),
            ("%d.%m.%Y", "24.03.2026", "2026-03-24"),
            ("%Y%m%d", "20260324", "2026-03-24"),
            ("%Y-%j", "2026-083", "2026-03-24"),
            ("%d/%b/%Y:%H:%M:%S %z", "24/Mar/2026:12:00:00 +0530", "2026-03-24T06:30:00Z"),
            ("%Y-%m-%d %H:%M:%S", "2026-03-24 12:00:00", "2026-03-24T11:00:00Z"),
            // A time that the clock shows twice is the later one.
            ("%Y%m%dT%H%M%S", "20261025T023000", "2026-10-25T01:30:00Z"),
            ("%d.%m.%Y %H:%M", "24.03.2026 12:00", "2026-03-24T11:00:00Z"),
            ("%Y-%m-%dT%H:%M:%S%.fZ%z", "2026-03-24T12:00:00.120000Z+0000", "2026-03-24T12:00:00Z"),
            ("%s", "1774353600", "2026-03-24T12:00:00Z"),
            ("%H:%MT%d-%m-%Y", "12:00T24-03-2026", "2026-03-24T11:00:00Z"),
            ("on %d.%m.%Y at %Hh%M.%S", "on 24.03.2026 at 12h00.00", "2026-03-24T11:00:00Z"),
            ("%H:%M:%S+01:00 %Y-%m-%d %z", "12:00:00+01:00 2026-03-24 +0200", "2026-03-24T10:00:00Z"),
            ("%m/%d/%Y %I:%M %p", "03/24/2026 11:05 PM", "2026-03-24T22:05:00Z"),
        ] {
            assert_eq!(read(form, text).as_deref(), Ok(expected), "{form} {text}");
        }
    }

    #[test]
    fn what_is_cut_short_or_in_another_form_is_no_date() {
        for (form, text) in [
            ("epoch-seconds", "1774353600000"),
            ("epoch-seconds", "1774353600.5"),
            ("epoch-seconds", "-1"),
            ("epoch-seconds", ""),
            ("%d.%m.%Y", "24.3.2026"),
            ("%d.%m.%Y", "24.03.202"),
            ("%d.%m.%Y", "24.03.2026 12:00"),
            ("%Y%m%d", "2026032"),
            ("%d.%m.%Y", "31.02.2026"),
            ("%d.%m.%Y", "24.03.20266"),
            ("%a %d.%m.%Y", "Mon 24.03.2026"),
            ("%d.%m.%Y", "24.03.+262142"),
        ] {
            assert_eq!(read(form, text), Err(MomentError::Form), "{form} {text}");
        }
        assert_eq!(read("epoch-seconds", "0"), Err(MomentError::Epoch));
        assert_eq!(read("epoch-milliseconds", "1774353600"), Err(MomentError::Before2000));
    }

    #[test]
    fn a_form_that_does_not_say_a_whole_date_is_refused() {
        for (form, expected) in [
            ("", DateFormatError::NoDate),
            ("yyyy-mm-dd", DateFormatError::NoDate),
            ("%Y-%m", DateFormatError::NoDate),
            ("%H:%M", DateFormatError::NoDate),
            ("%d.%m.%y", DateFormatError::Century),
            ("%D", DateFormatError::Century),
            ("%d.%m.%Y %Z", DateFormatError::ZoneName),
            ("%Y-%m-%dT%H:%M:%S%#z", DateFormatError::AnyOffset),
            ("%#z", DateFormatError::AnyOffset),
            ("%d.%m.%Y %Q", DateFormatError::Specifier),
            ("%Y-%m-%dT%H:%M:%SZ", DateFormatError::LiteralZone),
            ("%d.%m.%Y %H:%M UTC", DateFormatError::LiteralZone),
            ("%Y-%m-%dT%H:%M:%S+01:00", DateFormatError::TextAfterTime),
            ("%Y-%m-%dT%H:%M:%S%.f+0000", DateFormatError::TextAfterTime),
            ("%Y-%m-%d %H:%M:%S -5", DateFormatError::TextAfterTime),
            ("%T%.3f - 05 %F", DateFormatError::TextAfterTime),
            ("%d.%m.%Y %H:%M EST", DateFormatError::TextAfterTime),
            ("%d.%m.%Y %H:%MCET", DateFormatError::TextAfterTime),
            ("%I:%M %p PST, %d.%m.%Y", DateFormatError::TextAfterTime),
            ("%d.%m.%Y %H:%M (Europe/Berlin)", DateFormatError::TextAfterTime),
            ("%d.%m.%Y %I:%M", DateFormatError::HalfTime),
            ("%d.%m.%Y %M", DateFormatError::HalfTime),
            ("%d.%m.%Y %H", DateFormatError::HalfTime),
        ] {
            assert_eq!(DateFormat::parse(form), Err(expected), "{form}");
        }
    }
}
