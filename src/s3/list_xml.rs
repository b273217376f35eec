//! Reads the answers of ListObjectVersions and ListMultipartUploads into pages: every entry, in
//! order, or an error with its place.
//!
//! Elements may stand in any order. Entries borrow from the page; only keys that are encoded are
//! copied. What is missing, doubled, unordered or does not parse makes the page an error: an entry
//! that is silently left out could be the newer version that keeps an older one noncurrent.

use chrono::{DateTime, Utc};
use memchr::memchr2;

use super::list_order::{self, Standing};
use super::values;
use super::xml::{Malformed, Reader, Text, resolve};
use crate::object::Kind;

/// Of a body, in bytes; four times as long, its texts could not be addressed.
const LONGEST: usize = 1 << 30;

/// One thing that a listing names, borrowed from its [`Page`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key, decoded; never empty.
    pub key: &'a str,
    /// [`Kind::Version`] (also for objects of buckets that never had versioning),
    /// [`Kind::Marker`] or [`Kind::Upload`].
    pub kind: Kind,
    /// The version id as sent: `null` for null versions and, on AWS, in buckets that never had
    /// versioning; `None` for uploads and where the store sent none.
    pub version_id: Option<&'a str>,
    /// The upload id; `None` but for uploads.
    pub upload_id: Option<&'a str>,
    /// Whether it is the newest of its key. True for uploads.
    pub is_latest: bool,
    /// Last-Modified; for uploads when they were initiated.
    pub last_modified: DateTime<Utc>,
    /// The ETag without its quotes, where sent.
    pub etag: Option<&'a str>,
    /// Bytes; zero for markers and uploads.
    pub size: u64,
    /// The storage class, where sent.
    pub storage_class: Option<&'a str>,
}

/// One answer of a listing: its text and where the entries stand in it.
#[derive(Debug)]
pub struct Page {
    body: String,
    /// Texts that do not stand in the body as they are meant.
    decoded: String,
    rows: Vec<Row>,
    next: Option<Marker>,
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Everything up to this key, or in it up to `id`, has been listed.
    pub(super) key: String,
    /// The version or upload in it; `None` for all of the key.
    pub(super) id: Option<String>,
}

/// What was asked for, so that an answer to something else is noticed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The prefix that all keys have.
    pub(super) prefix: &'a str,
    /// The key that the page starts at.
    pub(super) from: &'a str,
    /// Whether that key itself is already done.
    pub(super) from_is_done: bool,
}

/// Names of the elements of one kind of listing.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) root: &'static str,
    entries: &'static [(&'static str, Kind)],
    id: &'static str,
    time: &'static str,
    next_id: &'static str,
}

/// ListObjectVersions.
pub(super) const VERSIONS: Shape = Shape {
    root: "ListVersionsResult",
    entries: &[("Version", Kind::Version), ("DeleteMarker", Kind::Marker)],
    id: "VersionId",
    time: "LastModified",
    next_id: "NextVersionIdMarker",
};

/// ListMultipartUploads.
pub(super) const UPLOADS: Shape = Shape {
    root: "ListMultipartUploadsResult",
    entries: &[("Upload", Kind::Upload)],
    id: "UploadId",
    time: "Initiated",
    next_id: "NextUploadIdMarker",
};

/// A stretch of the body or, if `decoded`, of the decoded texts.
#[derive(Clone, Copy, Debug)]
struct Span {
    at: u32,
    len: u32,
    decoded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    kind: Kind,
    key: Span,
    id: Option<Span>,
    is_latest: bool,
    last_modified: DateTime<Utc>,
    etag: Option<Span>,
    size: u64,
    storage_class: Option<Span>,
    /// Offset of the entry in the body, for messages.
    at: usize,
}

impl Page {
    /// Reads a whole answer.
    pub(super) fn read(body: String, shape: &Shape, asked: Asked<'_>) -> Result<Self, Malformed> {
        if body.len() > LONGEST {
            return Err(Malformed::new(0, "the answer is too long"));
        }
        let mut decoded = String::new();
        let mut rows = Vec::with_capacity(body.len() / 400);
        let head = read_elements(&body, shape, &mut decoded, &mut rows)?;
        let mut page = Self { body, decoded, rows, next: None };
        if head.url_encoded {
            page.decode_keys()?;
        }
        page.next = head.next()?;
        page.order();
        page.check(asked)?;
        Ok(page)
    }

    /// The entries by key and, within a key, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.rows.iter().map(|row| self.entry(row))
    }

    /// Whether the listing goes on after this page.
    pub const fn is_truncated(&self) -> bool {
        self.next.is_some()
    }

    /// Where to go on; `None` after the last page.
    pub(super) const fn next(&self) -> Option<&Marker> {
        self.next.as_ref()
    }

    fn entry(&self, row: &Row) -> Entry<'_> {
        let id = row.id.map(|span| self.text(span));
        let (version_id, upload_id) = if row.kind == Kind::Upload { (None, id) } else { (id, None) };
        Entry {
            key: self.text(row.key),
            kind: row.kind,
            version_id,
            upload_id,
            is_latest: row.is_latest,
            last_modified: row.last_modified,
            etag: row.etag.map(|span| self.text(span)),
            size: row.size,
            storage_class: row.storage_class.map(|span| self.text(span)),
        }
    }

    fn text(&self, span: Span) -> &str {
        text_of(&self.body, &self.decoded, span)
    }

    fn decode_keys(&mut self) -> Result<(), Malformed> {
        for place in 0..self.rows.len() {
            let Row { key, at, .. } = self.rows[place];
            let text = self.text(key);
            if memchr2(b'%', b'+', text.as_bytes()).is_some() {
                let plain = values::form_decode(text)
                    .ok_or_else(|| Malformed::new(at, "a key that is not url-encoded as announced"))?;
                self.rows[place].key = keep(&mut self.decoded, &plain);
            }
        }
        Ok(())
    }

    /// Puts the entries of stores that send versions and markers as two lists into one order.
    fn order(&mut self) {
        let standing = |row: &Row| Standing {
            key: text_of(&self.body, &self.decoded, row.key),
            marker: row.kind == Kind::Marker,
            is_latest: row.is_latest,
            last_modified: row.last_modified,
        };
        if let Some(merged) = list_order::merged(&self.rows, standing) {
            self.rows = merged;
        }
    }

    /// Keys ascend from where the page was to start, and are those that were asked for.
    fn check(&self, asked: Asked<'_>) -> Result<(), Malformed> {
        let mut last = asked.from;
        for (place, row) in self.rows.iter().enumerate() {
            let key = self.text(row.key);
            if key.is_empty() {
                return Err(Malformed::new(row.at, "an entry with an empty key"));
            }
            if !key.starts_with(asked.prefix) {
                return Err(Malformed::new(row.at, "a key outside the prefix that was asked for"));
            }
            if key < last || (place == 0 && asked.from_is_done && key == last) {
                return Err(Malformed::new(
                    row.at,
                    "keys do not ascend in byte order from where they should",
                ));
            }
            last = key;
        }
        Ok(())
    }
}

/// What a listing says beside its entries.
#[derive(Default)]
struct Head {
    truncated: Option<bool>,
    url_encoded: bool,
    next_key: Option<String>,
    next_id: Option<String>,
    end: usize,
}

impl Head {
    fn next(self) -> Result<Option<Marker>, Malformed> {
        let wrong = |what| Malformed::new(self.end, what);
        if !self.truncated.ok_or_else(|| wrong("`IsTruncated` is missing"))? {
            return Ok(None);
        }
        let key = self.next_key.ok_or_else(|| wrong("there is more, but not said from where"))?;
        let key = if self.url_encoded {
            values::form_decode(&key).ok_or_else(|| wrong("a marker that is not url-encoded as announced"))?
        } else {
            key
        };
        Ok(Some(Marker { key, id: self.next_id.filter(|id| !id.is_empty()) }))
    }
}

fn read_elements(
    body: &str,
    shape: &Shape,
    decoded: &mut String,
    rows: &mut Vec<Row>,
) -> Result<Head, Malformed> {
    let mut reader = Reader::enter(body, shape.root)?;
    let mut head = Head::default();
    while let Some(name) = reader.child()? {
        if let Some((_, kind)) = shape.entries.iter().find(|(entry, _)| *entry == name) {
            rows.push(read_entry(&mut reader, body, shape, *kind, decoded)?);
            continue;
        }
        match name {
            "IsTruncated" => head.truncated = Some(flag(&mut reader)?),
            "EncodingType" => match reader.string()?.as_str() {
                "url" => head.url_encoded = true,
                "" => {}
                _ => return Err(reader.wrong("an unknown encoding of keys")),
            },
            "NextKeyMarker" => head.next_key = Some(reader.string()?).filter(|key| !key.is_empty()),
            "CommonPrefixes" => {
                return Err(reader.wrong("keys folded into prefixes, which was not asked for"));
            }
            name if name == shape.next_id => head.next_id = Some(reader.string()?),
            _ => reader.skip()?,
        }
    }
    head.end = reader.position();
    reader.finish()?;
    Ok(head)
}

fn read_entry(
    reader: &mut Reader<'_>,
    body: &str,
    shape: &Shape,
    kind: Kind,
    decoded: &mut String,
) -> Result<Row, Malformed> {
    let at = reader.position();
    let (mut key, mut id, mut latest, mut time, mut etag, mut size, mut class) =
        (None, None, None, None, None, None, None);
    while let Some(name) = reader.child()? {
        let twice = match name {
            "Key" => key.replace(span(reader, body, decoded)?).is_some(),
            "IsLatest" => latest.replace(flag(reader)?).is_some(),
            "Size" => size.replace(number(reader)?).is_some(),
            "ETag" => etag.replace(unquoted(reader, body, decoded)?).is_some(),
            "StorageClass" => class.replace(span(reader, body, decoded)?).is_some(),
            name if name == shape.id => id.replace(span(reader, body, decoded)?).is_some(),
            name if name == shape.time => time.replace(instant(reader)?).is_some(),
            _ => {
                reader.skip()?;
                false
            }
        };
        if twice {
            return Err(reader.wrong(format!("`{name}` stands twice in an entry")));
        }
    }
    let missing = |what: &str| Malformed::new(at, format!("`{what}` is missing from an entry"));
    if id.is_some_and(|id: Span| id.len == 0) || (id.is_none() && kind == Kind::Upload) {
        return Err(missing(shape.id));
    }
    Ok(Row {
        kind,
        key: key.ok_or_else(|| missing("Key"))?,
        id,
        is_latest: if kind == Kind::Upload { true } else { latest.ok_or_else(|| missing("IsLatest"))? },
        last_modified: time.ok_or_else(|| missing(shape.time))?,
        etag: etag.filter(|etag| etag.len > 0),
        size: if kind == Kind::Version { size.ok_or_else(|| missing("Size"))? } else { 0 },
        storage_class: class.filter(|class| class.len > 0),
        at,
    })
}

fn span(reader: &mut Reader<'_>, body: &str, decoded: &mut String) -> Result<Span, Malformed> {
    Ok(match reader.text()? {
        Text::Raw { at, len } => span_of(body, at, len, decoded)?,
        Text::Pieced(text) => keep(decoded, &text),
    })
}

/// An ETag, which AWS sends between `&quot;` references.
fn unquoted(reader: &mut Reader<'_>, body: &str, decoded: &mut String) -> Result<Span, Malformed> {
    Ok(match reader.text()? {
        Text::Raw { at, len } => {
            let raw = &body[at..at + len];
            let bare = raw.strip_prefix("&quot;").and_then(|rest| rest.strip_suffix("&quot;"));
            match bare {
                Some(bare) => span_of(body, at + "&quot;".len(), bare.len(), decoded)?,
                None => keep(decoded, values::unquoted(&resolve(raw, at)?)),
            }
        }
        Text::Pieced(text) => keep(decoded, values::unquoted(&text)),
    })
}

fn span_of(body: &str, at: usize, len: usize, decoded: &mut String) -> Result<Span, Malformed> {
    match resolve(&body[at..at + len], at)? {
        std::borrow::Cow::Borrowed(_) => Ok(narrow(at, len, false)),
        std::borrow::Cow::Owned(text) => Ok(keep(decoded, &text)),
    }
}

fn keep(decoded: &mut String, text: &str) -> Span {
    let at = decoded.len();
    decoded.push_str(text);
    narrow(at, text.len(), true)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bodies are at most LONGEST, and what is decoded at most twice as long"
)]
const fn narrow(at: usize, len: usize, decoded: bool) -> Span {
    Span { at: at as u32, len: len as u32, decoded }
}

fn text_of<'a>(body: &'a str, decoded: &'a str, span: Span) -> &'a str {
    let text = if span.decoded { decoded } else { body };
    &text[span.at as usize..(span.at + span.len) as usize]
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match &*reader.value()? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(reader.wrong("neither `true` nor `false`")),
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let text = reader.value()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| reader.wrong("not a size"))
}

fn instant(reader: &mut Reader<'_>) -> Result<DateTime<Utc>, Malformed> {
    let text = reader.value()?;
    values::instant(&text).ok_or_else(|| reader.wrong("not a time"))
}
