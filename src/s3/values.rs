//! Single values as S3 writes them: times, ETags, url-encoded keys, metadata values.

use chrono::{DateTime, NaiveDate, Utc};
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

/// The time that `text` starts with in the form that S3 itself writes, at a tenth of the price of the general
/// parser, and its length.
pub(super) fn usual_instant(text: &[u8]) -> Option<(DateTime<Utc>, usize)> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        b'.',
        f1,
        f2,
        f3,
        b'Z',
    ] = text.first_chunk::<24>()?
    else {
        return None;
    };
    let year = i32::try_from(digits([*y1, *y2, *y3, *y4])?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, digits([*mo1, *mo2])?, digits([*d1, *d2])?)?;
    let (hour, minute, second) = (digits([*h1, *h2])?, digits([*mi1, *mi2])?, digits([*s1, *s2])?);
    let time = day.and_hms_milli_opt(hour, minute, second, digits([*f1, *f2, *f3])?)?;
    Some((time.and_utc(), 24))
}

fn digits<const N: usize>(text: [u8; N]) -> Option<u32> {
    let digits = text.map(|byte| byte.wrapping_sub(b'0'));
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
    digits.iter().all(|digit| *digit < 10).then_some(number)
}

/// The size that `text` starts with, in bytes, and the number of its digits; `None` also for more of them than
/// any size has.
pub(super) fn usual_size(text: &[u8]) -> Option<(u64, usize)> {
    let (mut size, mut len) = (0, 0);
    while let Some(byte @ b'0'..=b'9') = text.get(len)
        && len < 19
    {
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
