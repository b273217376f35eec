//! Text as it stands in an answer, where it ends, and what it means: references resolved, or an error with its
//! place.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

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
    pub(in crate::s3) fn new(at: usize, what: impl Into<Cow<'static, str>>) -> Self {
        Self { at, what: what.into() }
    }
}

/// A stretch of the answer, references not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::s3) struct Raw {
    /// Where it starts.
    pub(in crate::s3) at: usize,
    /// Its length in bytes.
    pub(in crate::s3) len: usize,
    /// Whether it is known to have nothing to resolve.
    pub(in crate::s3) plain: bool,
}

impl Raw {
    /// The text in the answer that it is a part of, references resolved.
    pub(in crate::s3) fn resolve<'a>(&self, answer: &'a str) -> Result<Cow<'a, str>, Malformed> {
        let raw = &answer[self.at..self.at + self.len];
        if self.plain { Ok(Cow::Borrowed(raw)) } else { resolve(raw, self.at) }
    }
}

/// The text at the start of `content`, which starts at `at`, if nothing but the end tag of `name` follows it.
#[inline(always)]
pub(super) fn leaf_at(at: usize, content: &[u8], name: &str) -> Option<Raw> {
    let special = memchr3(b'<', b'&', b'\r', content)?;
    let plain = content[special] == b'<';
    let len = if plain { special } else { special + memchr(b'<', &content[special..])? };
    closed(&content[len..], name).is_some().then_some(Raw { at, len, plain })
}

/// What follows in `text` behind the end tag that it starts with.
#[inline(always)]
pub(super) fn closed<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    behind(text.strip_prefix(b"<")?, b'/', name)
}

/// What follows in `text` behind one byte, a name and the end of a tag.
#[inline(always)]
pub(super) fn behind<'t>(text: &'t [u8], first: u8, name: &str) -> Option<&'t [u8]> {
    let end = name.len() + 1;
    let is_tag = *text.first()? == first && text.get(1..end)? == name.as_bytes() && *text.get(end)? == b'>';
    is_tag.then(|| &text[end + 1..])
}

/// Resolves entity and character references. A raw carriage return is refused: XML would have it
/// read as a line feed, which in a key is another key.
pub(in crate::s3) fn resolve(raw: &str, at: usize) -> Result<Cow<'_, str>, Malformed> {
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
