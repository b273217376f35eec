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
    usual_instant(text.as_bytes())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.with_timezone(&Utc)))
}

/// The form that S3 itself writes, at a tenth of the price of the general parser.
fn usual_instant(text: &[u8]) -> Option<DateTime<Utc>> {
    let (text, b"Z") = text.split_last_chunk::<1>()? else { return None };
    let (millis, text) = match text.len() {
        19 => (0, text),
        23 if text[19] == b'.' => (digits(&text[20..])?, &text[..19]),
        _ => return None,
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !separators.iter().all(|(at, separator)| text[*at] == *separator) {
        return None;
    }
    let year = i32::try_from(digits(&text[..4])?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, digits(&text[5..7])?, digits(&text[8..10])?)?;
    let time =
        day.and_hms_milli_opt(digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..])?, millis)?;
    Some(time.and_utc())
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
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
