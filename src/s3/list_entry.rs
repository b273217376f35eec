//! Reads one entry of a listing. What it says stays in the answer; only texts that do not stand
//! there as they are meant are copied.

use std::borrow::Cow;

use super::values::{self, Time};
use super::xml::{Malformed, Raw, Reader, Text};
use crate::object::Kind;

/// The names of the elements of one kind of listing: constants, so that reading compares with them at once.
pub(super) trait Shape {
    const ROOT: &'static str;
    const ENTRIES: &'static [(&'static str, Kind)];
    const ID: &'static str;
    const TIME: &'static str;
    const NEXT_ID: &'static str;
}

/// ListObjectVersions.
#[derive(Debug)]
pub(super) enum Versions {}

impl Shape for Versions {
    const ROOT: &'static str = "ListVersionsResult";
    const ENTRIES: &'static [(&'static str, Kind)] =
        &[("Version", Kind::Version), ("DeleteMarker", Kind::Marker)];
    const ID: &'static str = "VersionId";
    const TIME: &'static str = "LastModified";
    const NEXT_ID: &'static str = "NextVersionIdMarker";
}

/// ListMultipartUploads.
#[derive(Debug)]
pub(super) enum Uploads {}

impl Shape for Uploads {
    const ROOT: &'static str = "ListMultipartUploadsResult";
    const ENTRIES: &'static [(&'static str, Kind)] = &[("Upload", Kind::Upload)];
    const ID: &'static str = "UploadId";
    const TIME: &'static str = "Initiated";
    const NEXT_ID: &'static str = "NextUploadIdMarker";
}

/// A stretch of the body or, if `decoded`, of the decoded texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    at: u32,
    len: u32,
    decoded: bool,
}

/// One entry, as stretches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) key: Span,
    pub(super) id: Option<Span>,
    pub(super) is_latest: bool,
    pub(super) last_modified: Time,
    pub(super) etag: Option<Span>,
    pub(super) size: u64,
    pub(super) storage_class: Option<Span>,
    /// Whether the entry before has the same key; known when the page is in order.
    pub(super) is_same_key: bool,
    /// Whether one before it, under the same key, has the same id.
    pub(super) is_repeated: bool,
    /// Offset of the entry in the body, for messages.
    pub(super) at: usize,
}

/// What stood behind the size of an entry, down to its end tag: storage class and owner, which are the same in
/// nearly all.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    /// The entry's name, as written.
    name: &'a str,
    text: &'a str,
    class: Option<Span>,
}

/// Reads the entry whose start tag was just read. `ending` is that of an entry before.
pub(super) fn read_entry<'a, S: Shape>(
    reader: &mut Reader<'a>,
    body: &str,
    kind: Kind,
    decoded: &mut String,
    ending: &mut Option<Ending<'a>>,
) -> Result<Row, Malformed> {
    let (at, name) = (reader.position(), reader.current());
    // As AWS writes it. Whatever stands otherwise, or in other places, is left to the loop.
    let mut key = reader.leaf("Key").map(|raw| span_of(body, raw, decoded)).transpose()?;
    let null =
        |text: &'a [u8]| text.starts_with(b"null").then(|| (narrow(body.len() - text.len(), 4, false), 4));
    let mut id = match reader.leaf_as(S::ID, null) {
        Some(null) => Some(null),
        None => reader.leaf(S::ID).map(|raw| span_of(body, raw, decoded)).transpose()?,
    };
    let mut latest = if reader.passes("<IsLatest>true</IsLatest>") {
        Some(true)
    } else {
        reader.passes("<IsLatest>false</IsLatest>").then_some(false)
    };
    let mut time = match reader.leaf_as(S::TIME, values::usual_instant) {
        Some(time) => Some(time),
        None => reader.leaf(S::TIME).map(|raw| instant(&raw.resolve(body)?, reader)).transpose()?,
    };
    let mut etag = match reader.quoted_leaf("ETag") {
        Some(raw) => Some(narrow(raw.at, raw.len, false)),
        None => reader.leaf("ETag").map(|raw| bare(body, raw, decoded)).transpose()?,
    };
    reader.leaf("ChecksumAlgorithm");
    reader.leaf("ChecksumType");
    let mut size = reader.leaf_as("Size", values::usual_size);
    let behind = reader.position();
    let known = ending.as_ref().filter(|known| reader.leaves_like(known.name, known.text));
    let class = if let Some(known) = known {
        known.class
    } else {
        let mut is_usual = true;
        let mut class = reader.leaf("StorageClass").map(|raw| span_of(body, raw, decoded)).transpose()?;
        if reader.opens("Owner") {
            reader.leaf("ID");
            reader.leaf("DisplayName");
            reader.skip()?;
        }
        if class.is_none() {
            class = reader.leaf("StorageClass").map(|raw| span_of(body, raw, decoded)).transpose()?;
        }
        while let Some(name) = reader.child()? {
            is_usual = false;
            let twice = match name {
                "Key" => key.replace(span(reader, body, decoded)?).is_some(),
                "IsLatest" => latest.replace(flag(&reader.value()?, reader)?).is_some(),
                "Size" => size.replace(number(&reader.value()?, reader)?).is_some(),
                "ETag" => etag.replace(unquoted(reader, body, decoded)?).is_some(),
                "StorageClass" => class.replace(span(reader, body, decoded)?).is_some(),
                name if name == S::ID => id.replace(span(reader, body, decoded)?).is_some(),
                name if name == S::TIME => time.replace(instant(&reader.value()?, reader)?).is_some(),
                _ => {
                    reader.skip()?;
                    false
                }
            };
            if twice {
                return Err(reader.wrong(format!("`{name}` stands twice in an entry")));
            }
        }
        // Anything else in it would have to be compared with what stands before.
        if let (Some(name), true) = (name, is_usual) {
            *ending = Some(Ending { name, text: reader.ending(behind), class });
        }
        class
    };
    let missing = |what: &str| Malformed::new(at, format!("`{what}` is missing from an entry"));
    if id.is_some_and(|id| id.len == 0) || (id.is_none() && kind == Kind::Upload) {
        return Err(missing(S::ID));
    }
    Ok(Row {
        kind,
        key: key.ok_or_else(|| missing("Key"))?,
        id,
        is_latest: if kind == Kind::Upload { true } else { latest.ok_or_else(|| missing("IsLatest"))? },
        last_modified: time.ok_or_else(|| missing(S::TIME))?,
        etag: etag.filter(|etag| etag.len > 0),
        size: if kind == Kind::Version { size.ok_or_else(|| missing("Size"))? } else { 0 },
        storage_class: class.filter(|class| class.len > 0),
        is_same_key: false,
        is_repeated: false,
        at,
    })
}

fn span(reader: &mut Reader<'_>, body: &str, decoded: &mut String) -> Result<Span, Malformed> {
    Ok(match reader.text()? {
        Text::Raw(raw) => span_of(body, raw, decoded)?,
        Text::Pieced(text) => keep(decoded, &text),
    })
}

fn unquoted(reader: &mut Reader<'_>, body: &str, decoded: &mut String) -> Result<Span, Malformed> {
    Ok(match reader.text()? {
        Text::Raw(raw) => bare(body, raw, decoded)?,
        Text::Pieced(text) => keep(decoded, values::unquoted(&text)),
    })
}

/// An ETag without its quotes.
fn bare(body: &str, raw: Raw, decoded: &mut String) -> Result<Span, Malformed> {
    Ok(keep(decoded, values::unquoted(&raw.resolve(body)?)))
}

fn span_of(body: &str, raw: Raw, decoded: &mut String) -> Result<Span, Malformed> {
    if raw.plain {
        return Ok(narrow(raw.at, raw.len, false));
    }
    match raw.resolve(body)? {
        Cow::Borrowed(_) => Ok(narrow(raw.at, raw.len, false)),
        Cow::Owned(text) => Ok(keep(decoded, &text)),
    }
}

/// Adds a text to the decoded ones.
pub(super) fn keep(decoded: &mut String, text: &str) -> Span {
    let at = decoded.len();
    decoded.push_str(text);
    narrow(at, text.len(), true)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bodies are at most `LONGEST`, and what is decoded at most twice as long"
)]
const fn narrow(at: usize, len: usize, decoded: bool) -> Span {
    Span { at: at as u32, len: len as u32, decoded }
}

/// The text of a stretch.
pub(super) fn text_of<'a>(body: &'a str, decoded: &'a str, span: Span) -> &'a str {
    let text = if span.decoded { decoded } else { body };
    &text[span.at as usize..(span.at + span.len) as usize]
}

/// Reads `true` or `false`.
pub(super) fn flag(text: &str, reader: &Reader<'_>) -> Result<bool, Malformed> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(reader.wrong("neither `true` nor `false`")),
    }
}

fn number(text: &str, reader: &Reader<'_>) -> Result<u64, Malformed> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| reader.wrong("not a size"))
}

fn instant(text: &str, reader: &Reader<'_>) -> Result<Time, Malformed> {
    values::instant(text).map(Time::of).ok_or_else(|| reader.wrong("not a time"))
}
