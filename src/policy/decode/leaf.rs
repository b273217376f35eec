//! Single values: text, names, periods, lengths of time, numbers, dates, words.

use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};

use super::decoder::Decoder;
use super::suggest::closest;
use crate::calendar::{Period, PeriodError};
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Spanned};
use crate::policy::yaml::{Data, Node, look_alike};

/// What a length of time can be measured in.
const UNITS: [(&str, u64); 5] =
    [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400), ("week", 7 * 86_400)];

/// What an amount of data can be measured in.
const BYTE_UNITS: [(&str, u64); 11] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
];

impl Decoder<'_> {
    /// Any single value as text, and whether it was written plainly.
    fn scalar<'n>(&mut self, name: &str, node: &'n Node, wanted: &str) -> Option<(&'n str, bool)> {
        match &node.data {
            Data::Scalar { text, plain } if !node.is_nothing() => Some((text, *plain)),
            _ => {
                self.wrong_shape(name, node, wanted);
                None
            }
        }
    }

    /// Text for people.
    pub(super) fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        let (text, plain) = self.scalar(name, node, "text")?;
        if text.trim().is_empty() || (plain && look_alike(text) == Some("nothing")) {
            self.faults.add(Code::EmptyValue, node.at, format!("`{name}` is empty"));
            return None;
        }
        self.printable(name, node.at, text)?;
        Some(text.to_owned())
    }

    /// Text that must reach the store or a record exactly as its author meant it.
    pub(super) fn exact(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let (text, plain) = self.scalar(name, node, "text")?;
        if plain && let Some(kind) = look_alike(text) {
            self.faults
                .add(Code::Unquoted, node.at, format!("`{text}` can be read as {kind}"))
                .help(format!("quote it: \"{text}\""));
            return None;
        }
        if text.is_empty() {
            self.faults.add(Code::EmptyValue, node.at, format!("`{name}` is empty"));
            return None;
        }
        if text.contains('\n') {
            self.faults.add(Code::ControlCharacter, node.at, format!("`{name}` holds a line break")).help(
                "write it on one line; text after `|` or `>` ends in a line break, text after `>-` does not",
            );
            return None;
        }
        self.printable(name, node.at, text)?;
        Some(Spanned { value: text.to_owned(), at: node.at })
    }

    /// Quoted text can spell characters that the file itself must not hold.
    pub(super) fn printable(&mut self, name: &str, at: At, text: &str) -> Option<()> {
        if text.chars().any(|c| c.is_control() && c != '\n') {
            self.faults.add(Code::ControlCharacter, at, format!("`{name}` holds a control character"));
            return None;
        }
        Some(())
    }

    /// A name in lower-case letters, digits and hyphens.
    pub(super) fn name(&mut self, name: &str, node: &Node, most: usize) -> Option<Spanned<String>> {
        let found = self.exact(name, node)?;
        self.check_name(&found, most).then_some(found)
    }

    /// Whether it has the form of a name; records if not.
    pub(super) fn check_name(&mut self, found: &Spanned<String>, most: usize) -> bool {
        let text = &found.value;
        let fits = (1..=most).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !fits {
            self.faults
                .add(Code::Name, found.at, format!("`{text}` is no name"))
                .help(format!("use 1 to {most} lower-case letters, digits and hyphens"));
        }
        fits
    }

    /// A calendar period that is not zero.
    pub(super) fn period(&mut self, name: &str, node: &Node) -> Option<Spanned<Period>> {
        let (text, _) = self.scalar(name, node, "a period such as `30 days`")?;
        match Period::parse(text) {
            Ok(period) if period.is_zero() => {
                self.faults.add(Code::Period, node.at, format!("`{name}` is zero"));
                None
            }
            Ok(value) => Some(Spanned { value, at: node.at }),
            Err(PeriodError::Form) => {
                self.faults.add(Code::Period, node.at, format!("`{text}` is not a period")).help(
                    "write a whole number and a unit, such as `30 days`, `6 months`, `1 year` or `P6M`",
                );
                None
            }
            Err(PeriodError::TooLong) => {
                let message = format!("`{text}` is longer than {} years", Period::MAX_YEARS);
                self.faults.add(Code::Period, node.at, message);
                None
            }
        }
    }

    /// A length of time in seconds; `None` inside for `unlimited`.
    pub(super) fn length_of_time(&mut self, name: &str, node: &Node) -> Option<Option<u64>> {
        let (text, _) = self.scalar(name, node, "a length of time such as `1 day`")?;
        if text == "unlimited" {
            return Some(None);
        }
        let seconds = text.split_once(' ').and_then(|(number, unit)| {
            let unit = UNITS.iter().find(|(known, _)| unit.strip_suffix('s').unwrap_or(unit) == *known)?;
            digits(number)?.checked_mul(unit.1)
        });
        // A century, as for periods: more is a slip.
        let seconds = seconds.filter(|seconds| *seconds <= u64::from(Period::MAX_YEARS) * 366 * 86_400);
        if seconds.is_none() {
            self.faults
                .add(Code::Duration, node.at, format!("`{text}` is no length of time"))
                .help("write a whole number and seconds, minutes, hours, days or weeks, or `unlimited`");
        }
        seconds.map(Some)
    }

    /// A whole number without quotes.
    pub(super) fn whole_number(&mut self, name: &str, node: &Node, most: u64) -> Option<u64> {
        let (text, plain) = self.scalar(name, node, "a whole number")?;
        let number = digits(text).filter(|number| plain && *number <= most);
        if number.is_none() {
            let limit = if most == u64::MAX { String::new() } else { format!(", at most {most}") };
            self.faults
                .add(Code::Number, node.at, format!("`{text}` is not the number that `{name}` takes"))
                .help(format!("write a whole number in digits alone, without quotes{limit}"));
        }
        number
    }

    /// `20%` as 0.2.
    pub(super) fn share(&mut self, name: &str, node: &Node) -> Option<f64> {
        let (text, _) = self.scalar(name, node, "a share such as `20%`")?;
        let percent = text.strip_suffix('%').filter(|number| {
            number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                && number.starts_with(|c: char| c.is_ascii_digit())
        });
        let percent =
            percent.and_then(|number| number.parse::<f64>().ok()).filter(|percent| *percent <= 100.0);
        if percent.is_none() {
            self.faults
                .add(Code::Number, node.at, format!("`{text}` is no share"))
                .help("write a percentage from 0% to 100%, such as `20%`");
        }
        percent.map(|percent| percent / 100.0)
    }

    /// `10 TiB` in bytes.
    pub(super) fn bytes(&mut self, name: &str, node: &Node) -> Option<u64> {
        let (text, _) = self.scalar(name, node, "an amount of data such as `10 TiB`")?;
        let bytes = text.split_once(' ').and_then(|(number, unit)| {
            let (_, factor) = BYTE_UNITS.iter().find(|(known, _)| *known == unit)?;
            digits(number)?.checked_mul(*factor)
        });
        if bytes.is_none() {
            let units: Vec<_> = BYTE_UNITS.iter().map(|(unit, _)| *unit).collect();
            self.faults
                .add(Code::Number, node.at, format!("`{text}` is no amount of data"))
                .help(format!("write a whole number and a unit: {}", units.join(", ")));
        }
        bytes
    }

    /// A civil date.
    pub(super) fn date(&mut self, name: &str, node: &Node) -> Option<Spanned<NaiveDate>> {
        let (text, _) = self.scalar(name, node, "a date such as `2027-01-31`")?;
        // Signs, blanks and single digits would pass as well.
        let has_form = text.len() == 10
            && text.bytes().enumerate().all(|(place, b)| match place {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let date = has_form.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
        if date.is_none() {
            self.faults
                .add(Code::Date, node.at, format!("`{text}` is no date"))
                .help("write year, month and day: 2027-01-31");
        }
        date.map(|value| Spanned { value, at: node.at })
    }

    /// An IANA time zone.
    pub(super) fn zone(&mut self, name: &str, node: &Node) -> Option<Tz> {
        let (text, _) = self.scalar(name, node, "a time zone such as `Europe/Zagreb`")?;
        let zone = Tz::from_str(text).ok();
        if zone.is_none() {
            let near = closest(text, TZ_VARIANTS.iter().map(|zone| zone.name()), self.faults);
            let fault = self.faults.add(Code::TimeZone, node.at, format!("`{text}` is no known time zone"));
            match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("write a name of the IANA database, such as `Europe/Zagreb` or `UTC`"),
            };
        }
        zone
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        node: &Node,
        words: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let (text, _) = self.scalar(name, node, &format!("one of: {}", names.join(", ")))?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Some(Spanned { value: *value, at: node.at }),
            None => {
                let help = match closest(text, names.iter().copied(), self.faults) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it takes one of: {}", names.join(", ")),
                };
                self.faults
                    .add(Code::Choice, node.at, format!("`{text}` is not a choice for `{name}`"))
                    .help(help);
                None
            }
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
