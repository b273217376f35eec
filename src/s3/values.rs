//! Single values as S3 writes them: times, ETags, url-encoded keys, metadata values.

use chrono::{DateTime, Utc};
use memchr::memchr2;

/// Decodes `application/x-www-form-urlencoded` text: `+` is a space, `%2B` a plus (Ceph sends
/// `%20`; both read alike). `None` for a `%` without two hex digits and for what is not UTF-8.
pub(super) fn form_decode(text: &str) -> Option<String> {
    form_decode_into(text, &mut Vec::new()).map(str::to_owned)
}

/// The same into a buffer, which is emptied first.
pub(super) fn form_decode_into<'a>(text: &str, buffer: &'a mut Vec<u8>) -> Option<&'a str> {
    buffer.clear();
    let mut rest = text.as_bytes();
    while let Some(special) = memchr2(b'%', b'+', rest) {
        buffer.extend_from_slice(&rest[..special]);
        let (byte, after) = match &rest[special..] {
            [b'%', high, low, after @ ..] => (hex_digit(*high)? * 16 + hex_digit(*low)?, after),
            [b'+', after @ ..] => (b' ', after),
            _ => return None,
        };
        buffer.push(byte);
        rest = after;
    }
    buffer.extend_from_slice(rest);
    str::from_utf8(buffer).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// An ETag without its quotes.
pub(super) fn unquoted(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(etag)
}

/// An ETag as a condition takes it.
pub(super) fn quoted(etag: &str) -> String {
    let etag = unquoted(etag);
    let mut quoted = String::with_capacity(etag.len() + 2);
    quoted.extend(["\"", etag, "\""]);
    quoted
}

/// A time as XML answers carry it: `2026-11-24T06:15:00.000Z`, the fraction optional.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.with_timezone(&Utc))
}

/// An instant that a listing can tell as two numbers, which is all that most decisions ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    /// Since 1970.
    pub(super) seconds: i64,
    /// More than these.
    pub(super) nanos: u32,
}

impl Time {
    /// Of the same instant.
    pub(super) fn of(instant: DateTime<Utc>) -> Self {
        Self { seconds: instant.timestamp(), nanos: instant.timestamp_subsec_nanos() }
    }

    /// The same instant.
    pub(super) fn instant(self) -> DateTime<Utc> {
        // There is one for all that these can be; what was uploaded at the end of time would stay.
        DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// The time that `text` starts with in the form that S3 itself writes, at a tenth of the price of the general
/// parser, and its length.
#[inline]
pub(super) fn usual_instant(text: &[u8]) -> Option<(Time, usize)> {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    // Eight bytes at once: of a digit its value is left, of what stands between digits nothing.
    const ADDED: [u64; 3] = of_form(FORM, 6, 0);
    const ODD: [u64; 3] = of_form(FORM, 0xf0, 0xff);
    let text = text.first_chunk::<24>()?;
    let (mut pairs, mut odd, mut last) = ([0; 3], 0, 0);
    for (place, form) in FORM.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(text.as_chunks::<8>().0[place]) ^ u64::from_le_bytes(*form);
        odd |= (word.wrapping_add(ADDED[place]) | word) & ODD[place];
        // Each byte with the one behind it as a number of two digits.
        pairs[place] = word.wrapping_mul(10).wrapping_add(word >> 8);
        last = word;
    }
    if odd != 0 {
        return None;
    }
    let pair = |at: usize| pairs[at / 8] >> (at % 8 * 8) & 0xff;
    let day = day_number(pair(0) * 100 + pair(2), pair(5), pair(8))?;
    let (hour, minute, second) = (pair(11), pair(14), pair(17));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = hour * 3_600 + minute * 60 + second;
    let millis = pair(20) * 10 + (last >> 48 & 0xff);
    let time = Time { seconds: day * 86_400 + of_day.cast_signed(), nanos: millis as u32 * 1_000_000 };
    Some((time, FORM.len()))
}

/// Days since 1970 of a date of the years 0 to 9999, if there is such a date.
#[inline]
pub(super) const fn day_number(year: u64, month: u64, day: u64) -> Option<i64> {
    const LENGTHS: [u64; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    /// From 1 March of the year -400, by the calendar of today, to 1970.
    const BEFORE_1970: i64 = 719_468 + 146_097;
    if month > 12 {
        return None;
    }
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = LENGTHS[month as usize] + (month == 2 && is_leap) as u64;
    if day == 0 || day > length {
        return None;
    }
    // Years begin in March here, so that the day that not every year has is their last one.
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(days.cast_signed() - BEFORE_1970)
}

/// A word for each eight bytes of a form: one value for each digit and another for all else.
const fn of_form(form: &[u8; 24], digit: u8, other: u8) -> [u64; 3] {
    let mut words = [0; 3];
    let mut place = 24;
    while place > 0 {
        place -= 1;
        let value = if form[place] == b'0' { digit } else { other };
        words[place / 8] = words[place / 8] << 8 | value as u64;
    }
    words
}

/// The size that `text` starts with, in bytes, and the number of its digits; `None` also for more digits than any
/// size has.
#[inline]
pub(super) fn usual_size(text: &[u8]) -> Option<(u64, usize)> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    const SIXES: u64 = u64::from_le_bytes([6; 8]);
    const HIGH_HALVES: u64 = u64::from_le_bytes([0xf0; 8]);
    // Up to seven digits at once: each byte that is one is its value, and the first that is none ends them.
    if let Some(first) = text.first_chunk() {
        let values = u64::from_le_bytes(*first) ^ ZEROS;
        let others = (values.wrapping_add(SIXES) | values) & HIGH_HALVES;
        let digits = others.trailing_zeros() / 8;
        if (1..8).contains(&digits) {
            // As if there were zeros before them; then twos, fours and all eight as numbers.
            let eight = values << (64 - digits * 8);
            let twos = (eight.wrapping_mul(10) + (eight >> 8)) & 0x00ff_00ff_00ff_00ff;
            let fours = (twos.wrapping_mul(100) + (twos >> 16)) & 0x0000_ffff_0000_ffff;
            let size = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff;
            return Some((size, digits as usize));
        }
    }
    long_size(text)
}

/// The same of any number of digits.
fn long_size(text: &[u8]) -> Option<(u64, usize)> {
    let (mut size, mut len) = (0, 0);
    while let Some(byte @ b'0'..=b'9') = text.get(len) {
        // Nineteen always fit.
        if len == 19 {
            return None;
        }
        size = size * 10 + u64::from(byte - b'0');
        len += 1;
    }
    (len > 0).then_some((size, len))
}

/// A time as HTTP headers carry it: `Tue, 24 Nov 2026 06:15:00 GMT`.
pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|instant| instant.with_timezone(&Utc))
}

/// A metadata value in the user's own characters. S3 sends what is not ASCII as RFC 2047 encoded
/// words (UserGuide, UsingMetadata). `None` for an encoded word that cannot be read.
pub(super) fn metadata_value(sent: &str) -> Option<String> {
    let mut value = String::new();
    let mut rest = sent;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let between = &rest[..start];
        let Some((word, after)) = encoded_word(&rest[start..]) else {
            value.push_str(between);
            value.push_str("=?");
            rest = &rest[start + 2..];
            after_word = false;
            continue;
        };
        // White space between two encoded words only separates them (RFC 2047, 6.2).
        if !(after_word && between.bytes().all(|byte| byte.is_ascii_whitespace())) {
            value.push_str(between);
        }
        value.push_str(&word?);
        rest = after;
        after_word = true;
    }
    value.push_str(rest);
    Some(value)
}

/// The word that `text` starts with, decoded, and what follows it. The outer `None`: it is none;
/// the inner: it is one that cannot be read.
fn encoded_word(text: &str) -> Option<(Option<String>, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (data, after) = rest.split_once("?=")?;
    if charset.contains(' ') || data.contains([' ', '?']) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => aws_smithy_types::base64::decode(data).ok(),
        "Q" | "q" => quoted_printable(data),
        _ => return None,
    };
    let word =
        bytes.filter(|_| charset.eq_ignore_ascii_case("utf-8")).and_then(|b| String::from_utf8(b).ok());
    Some((word, after))
}

fn quoted_printable(data: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => hex_digit(rest.next()?)? * 16 + hex_digit(rest.next()?)?,
            byte => byte,
        });
    }
    Some(bytes)
}
