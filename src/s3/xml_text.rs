//! Text as it stands in an answer, and what it means: references resolved, or an error with its place.

use std::borrow::Cow;

use memchr::memchr2;

/// What is wrong with an answer, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {at})")]
pub struct Malformed {
    /// Offset into the answer, in bytes.
    pub at: usize,
    /// What is wrong.
    pub what: Cow<'static, str>,
}

impl Malformed {
    /// Says what is wrong at an offset.
    pub(super) fn new(at: usize, what: impl Into<Cow<'static, str>>) -> Self {
        Self { at, what: what.into() }
    }
}

/// A stretch of the answer, references not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    /// Where it starts.
    pub(super) at: usize,
    /// Its length in bytes.
    pub(super) len: usize,
    /// Whether it is known to have nothing to resolve.
    pub(super) plain: bool,
}

impl Raw {
    /// The text in the answer that it is a part of, references resolved.
    pub(super) fn resolve<'a>(&self, answer: &'a str) -> Result<Cow<'a, str>, Malformed> {
        let raw = &answer[self.at..self.at + self.len];
        if self.plain { Ok(Cow::Borrowed(raw)) } else { resolve(raw, self.at) }
    }
}

/// Resolves entity and character references. A raw carriage return is refused: XML would have it
/// read as a line feed, which in a key is another key.
pub(super) fn resolve(raw: &str, at: usize) -> Result<Cow<'_, str>, Malformed> {
    let Some(first) = memchr2(b'&', b'\r', raw.as_bytes()) else { return Ok(Cow::Borrowed(raw)) };
    let mut resolved = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(special) = next {
        resolved.push_str(&rest[..special]);
        let here = at + raw.len() - rest.len() + special;
        let Some(reference) = rest[special..].strip_prefix('&') else {
            return Err(Malformed::new(here, "a raw carriage return"));
        };
        let (name, after) =
            reference.split_once(';').ok_or_else(|| Malformed::new(here, "a reference without its end"))?;
        resolved.push(character(name).ok_or_else(|| Malformed::new(here, "an unknown reference"))?);
        rest = after;
        next = memchr2(b'&', b'\r', rest.as_bytes());
    }
    resolved.push_str(rest);
    Ok(Cow::Owned(resolved))
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                Some(hex) => (hex, 16),
                None => (number, 10),
            };
            let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            plain.then(|| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)).flatten()
        }
    }
}
