//! Data files in CSV: compressed by gzip, no header, every field in quotes, keys url-encoded.

use std::fs::File;
use std::io::{self, Read};

use chrono::{DateTime, Utc};
use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;
use memchr::memchr2;

use super::manifest::Columns;
use super::row::{Instant, Row};

/// The longest row, in bytes. A quote that is never closed would otherwise take the rest of the
/// file into memory as one field.
const LONGEST_ROW: u64 = 64 << 10;

/// How much is read at once, in bytes.
const BUFFER: usize = 64 << 10;

/// What is wrong, in words.
type Wrong = String;

/// Hands every row of a file to `take`.
pub(super) fn read<E: From<Wrong>>(
    file: File,
    columns: Columns,
    mut take: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let limited =
        Limited { inner: MultiGzDecoder::new(io::BufReader::with_capacity(1 << 18, file)), left: 0 };
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(BUFFER).from_reader(limited);
    let mut record = ByteRecord::new();
    let mut decoded = Vec::new();
    for number in 1_u64.. {
        reader.get_mut().left = LONGEST_ROW + BUFFER as u64;
        let is_there =
            reader.read_byte_record(&mut record).map_err(|error| format!("row {number}: {error}"))?;
        if !is_there {
            break;
        }
        let wrong = |what: &str| format!("row {number}: {what}");
        if record.len() != columns.width {
            return Err(wrong("it has not as many fields as the manifest says").into());
        }
        let field = |place: usize| record.get(place).unwrap_or_default();
        let key =
            decode(field(columns.key), &mut decoded).ok_or_else(|| wrong("its key is not url-encoded"))?;
        if key.is_empty() {
            return Err(wrong("it has no key").into());
        }
        let (is_latest, is_marker) = match columns.versions {
            None => (Some(true), Some(false)),
            Some((latest, marker)) => (flag(field(latest)), flag(field(marker))),
        };
        take(&Row {
            key,
            uploaded: time(field(columns.last_modified)).map(Instant::from),
            size: number_of(field(columns.size)),
            is_latest,
            is_marker,
        })?;
    }
    Ok(())
}

/// The key as it is in the bucket: a `+` is a space, as in forms.
fn decode<'a>(field: &'a [u8], decoded: &'a mut Vec<u8>) -> Option<&'a str> {
    let Some(first) = memchr2(b'%', b'+', field) else { return str::from_utf8(field).ok() };
    let (plain, rest) = field.split_at(first);
    decoded.clear();
    decoded.extend_from_slice(plain);
    let mut bytes = rest;
    while let [byte, after @ ..] = bytes {
        bytes = match (byte, after) {
            (b'+', _) => {
                decoded.push(b' ');
                after
            }
            // A `%` that was not encoded: to guess would be to look for another key.
            (b'%', [high, low, after @ ..]) => {
                decoded.push(digit(*high)? << 4 | digit(*low)?);
                after
            }
            (b'%', _) => return None,
            (byte, _) => {
                decoded.push(*byte);
                after
            }
        };
    }
    str::from_utf8(decoded).ok()
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn flag(field: &[u8]) -> Option<bool> {
    match field {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

fn number_of(field: &[u8]) -> Option<u64> {
    str::from_utf8(field).ok()?.parse().ok()
}

fn time(field: &[u8]) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(str::from_utf8(field).ok()?).ok().map(|time| time.to_utc())
}

/// Gives no more than it is allowed between two rows.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row of more than 64 KiB"));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}
