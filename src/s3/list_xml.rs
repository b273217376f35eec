//! Reads the answers of ListObjectVersions and ListMultipartUploads into pages: every entry, in
//! order, or an error with its place.
//!
//! Elements may stand in any order. Entries borrow from the page; only keys that are encoded are
//! copied. What is missing, doubled, unordered or does not parse makes the page an error: an entry
//! that is silently left out could be the newer version that keeps an older one noncurrent.

use std::cmp::Ordering;

use bytes::Bytes;
use bytes_utils::Str;
use chrono::{DateTime, Utc};
use hashbrown::HashSet;
use memchr::memchr2;

use super::list_entry::{Row, Span, flag, keep, read_entry, text_of};
pub(super) use super::list_entry::{Shape, Uploads, Versions};
use super::list_order::{self, Standing};
use super::values::{self, Time};
use super::xml::{Malformed, Reader};
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
    /// Whether one before it on its page, under the same key, has the same id.
    pub is_repeated: bool,
}

/// A current version, as far as most rules ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current<'a> {
    /// The key, decoded.
    pub key: &'a str,
    /// Bytes.
    pub size: u64,
    /// Last-Modified, in whole seconds since 1970.
    pub uploaded: i64,
    /// Whether more than these had passed.
    pub and_more: bool,
}

/// One answer of a listing: its text and where the entries stand in it.
#[derive(Debug)]
pub struct Page {
    body: Str,
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

impl Page {
    /// Reads a whole answer of ListObjectVersions to a request without prefix, markers or
    /// delimiter, such as one that was saved.
    ///
    /// # Errors
    /// Whatever is not as S3 has it, with its place: an entry is never passed over.
    pub fn from_answer(body: impl Into<Bytes>) -> Result<Self, Malformed> {
        Self::from_bytes::<Versions>(body.into())
    }

    /// The same of ListMultipartUploads.
    ///
    /// # Errors
    /// As [`Page::from_answer`].
    pub fn from_uploads_answer(body: impl Into<Bytes>) -> Result<Self, Malformed> {
        Self::from_bytes::<Uploads>(body.into())
    }

    fn from_bytes<S: Shape>(body: Bytes) -> Result<Self, Malformed> {
        let body = Str::from_inner(body)
            .map_err(|error| Malformed::new(error.utf8_error().valid_up_to(), "not UTF-8"))?;
        Self::read::<S>(body, Asked { prefix: "", from: "", from_is_done: false })
    }

    /// Reads a whole answer.
    pub(super) fn read<S: Shape>(body: Str, asked: Asked<'_>) -> Result<Self, Malformed> {
        if body.len() > LONGEST {
            return Err(Malformed::new(0, "the answer is too long"));
        }
        let mut decoded = String::new();
        // Few entries take fewer bytes, and no page of S3 has more entries.
        let mut rows = Vec::with_capacity((body.len() / 200).min(1_000));
        let head = read_elements::<S>(&body, &mut decoded, &mut rows)?;
        let mut page = Self { body, decoded, rows, next: None };
        // What was a reference stands among the decoded texts only.
        let has_encoded = |text: &str| memchr2(b'%', b'+', text.as_bytes()).is_some();
        if head.url_encoded && (has_encoded(&page.body) || has_encoded(&page.decoded)) {
            page.decode_keys()?;
        }
        page.next = head.next()?;
        page.order();
        if page.check(asked)? {
            page.note_repeated();
        }
        Ok(page)
    }

    /// The entries by key and, within a key, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.rows.iter().map(|row| self.entry(row))
    }

    /// The entry at this place among them, counted from 0.
    pub fn get(&self, place: usize) -> Option<Entry<'_>> {
        self.rows.get(place).map(|row| self.entry(row))
    }

    /// Its key.
    pub fn key(&self, place: usize) -> Option<&str> {
        self.rows.get(place).map(|row| self.text(row.key))
    }

    /// The place behind the last entry of the key that the entry at this place is of.
    pub fn end_of_key(&self, place: usize) -> usize {
        let more = self.rows.iter().skip(place + 1).take_while(|row| row.is_same_key);
        place + 1 + more.count()
    }

    /// Its key, size and upload if it is the current version of its key, and no delete marker.
    pub fn current(&self, place: usize) -> Option<Current<'_>> {
        let row = self.rows.get(place).filter(|row| row.is_latest && row.kind == Kind::Version)?;
        let Time { seconds, nanos } = row.last_modified;
        Some(Current { key: self.text(row.key), size: row.size, uploaded: seconds, and_more: nanos != 0 })
    }

    /// The id of the entry at this place.
    pub(super) fn id(&self, place: usize) -> Option<&str> {
        self.rows.get(place).map(|row| self.id_of(row))
    }

    /// The id of the last entry, and that of the newest one under the same key.
    pub(super) fn last_ids(&self) -> Option<(&str, &str)> {
        let of_key = self.rows.chunk_by(|_, row| row.is_same_key).next_back()?;
        Some((self.id_of(of_key.last()?), self.id_of(of_key.first()?)))
    }

    /// Leaves out what stands under the first key down to the entry with this id, if that is there: some stores
    /// begin a key anew where they do not find the id that they are to go on from. Whether it was left out.
    pub(super) fn leave_out_through(&mut self, id: &str) -> bool {
        let first_key = self.end_of_key(0).min(self.rows.len());
        let Some(place) = self.rows[..first_key].iter().position(|row| self.id_of(row) == id) else {
            return false;
        };
        self.rows.drain(..=place);
        if let Some(first) = self.rows.first_mut() {
            first.is_same_key = false;
        }
        true
    }

    /// The last of them.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.rows.last().map(|row| self.entry(row))
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
            last_modified: row.last_modified.instant(),
            etag: row.etag.map(|span| self.text(span)),
            size: row.size,
            storage_class: row.storage_class.map(|span| self.text(span)),
            is_repeated: row.is_repeated,
        }
    }

    fn text(&self, span: Span) -> &str {
        text_of(&self.body, &self.decoded, span)
    }

    fn decode_keys(&mut self) -> Result<(), Malformed> {
        let mut buffer = Vec::new();
        for row in &mut self.rows {
            let text = text_of(&self.body, &self.decoded, row.key);
            if memchr2(b'%', b'+', text.as_bytes()).is_some() {
                let plain = values::form_decode_into(text, &mut buffer)
                    .ok_or_else(|| Malformed::new(row.at, "a key that is not url-encoded as announced"))?;
                row.key = keep(&mut self.decoded, plain);
            }
        }
        Ok(())
    }

    /// Puts the entries of stores that send versions and markers as two lists into one order.
    fn order(&mut self) {
        let has = |markers: bool| self.rows.iter().any(|row| (row.kind == Kind::Marker) == markers);
        if !has(true) || !has(false) {
            return;
        }
        let standing = |row: &Row| Standing {
            key: text_of(&self.body, &self.decoded, row.key),
            marker: row.kind == Kind::Marker,
            is_latest: row.is_latest,
            last_modified: row.last_modified.instant(),
        };
        if let Some(merged) = list_order::merged(&self.rows, standing) {
            self.rows = merged;
        }
    }

    /// Keys ascend from where the page was to start, and are those that were asked for. Notes which are the same,
    /// and says whether any are.
    fn check(&mut self, asked: Asked<'_>) -> Result<bool, Malformed> {
        let (mut last, mut any_is_same) = (asked.from, false);
        for (place, row) in self.rows.iter_mut().enumerate() {
            let key = text_of(&self.body, &self.decoded, row.key);
            if key.is_empty() {
                return Err(Malformed::new(row.at, "an entry with an empty key"));
            }
            if !asked.prefix.is_empty() && !key.starts_with(asked.prefix) {
                return Err(Malformed::new(row.at, "a key outside the prefix that was asked for"));
            }
            let order = last.cmp(key);
            row.is_same_key = place > 0 && order == Ordering::Equal;
            any_is_same |= row.is_same_key;
            if order == Ordering::Greater || (place == 0 && asked.from_is_done && order == Ordering::Equal) {
                return Err(Malformed::new(
                    row.at,
                    "keys do not ascend in byte order from where they should",
                ));
            }
            last = key;
        }
        Ok(any_is_same)
    }

    /// Notes what stands under its key a second time.
    fn note_repeated(&mut self) {
        let (mut repeated, mut start) = (Vec::new(), 0);
        for of_key in self.rows.chunk_by(|_, row| row.is_same_key) {
            if of_key.len() > 1 {
                let mut seen = HashSet::with_capacity(of_key.len());
                let again = of_key.iter().zip(start..).filter(|(row, _)| !seen.insert(self.id_of(row)));
                repeated.extend(again.map(|(_, place)| place));
            }
            start += of_key.len();
        }
        for place in repeated {
            self.rows[place].is_repeated = true;
        }
    }

    fn id_of(&self, row: &Row) -> &str {
        row.id.map_or(NULL, |span| self.text(span))
    }
}

/// The id of a version that has none, where none is listed.
const NULL: &str = "null";

/// What a listing says beside its entries.
#[derive(Default)]
struct Head {
    truncated: Option<bool>,
    encoding: Option<String>,
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
        let key = self
            .next_key
            .filter(|key| !key.is_empty())
            .ok_or_else(|| wrong("there is more, but not said from where"))?;
        let key = if self.url_encoded {
            values::form_decode(&key).ok_or_else(|| wrong("a marker that is not url-encoded as announced"))?
        } else {
            key
        };
        Ok(Some(Marker { key, id: self.next_id.filter(|id| !id.is_empty()) }))
    }
}

fn read_elements<S: Shape>(body: &str, decoded: &mut String, rows: &mut Vec<Row>) -> Result<Head, Malformed> {
    let mut reader = Reader::enter(body, S::ROOT)?;
    let (mut head, mut ending) = (Head::default(), None);
    loop {
        let opened = S::ENTRIES.iter().find(|(entry, _)| reader.opens(entry)).map(|(entry, _)| *entry);
        let Some(name) = opened.map_or_else(|| reader.child(), |entry| Ok(Some(entry)))? else { break };
        if let Some((_, kind)) = S::ENTRIES.iter().find(|(entry, _)| *entry == name) {
            rows.push(read_entry::<S>(&mut reader, body, *kind, decoded, &mut ending)?);
            continue;
        }
        let twice = match name {
            "IsTruncated" => head.truncated.replace(flag(&reader.value()?, &reader)?).is_some(),
            "EncodingType" => head.encoding.replace(reader.string()?).is_some(),
            "NextKeyMarker" => head.next_key.replace(reader.string()?).is_some(),
            "CommonPrefixes" => {
                return Err(reader.wrong("keys folded into prefixes, which was not asked for"));
            }
            name if name == S::NEXT_ID => head.next_id.replace(reader.string()?).is_some(),
            _ => {
                reader.skip()?;
                false
            }
        };
        if twice {
            return Err(reader.wrong(format!("`{name}` stands twice in the answer")));
        }
    }
    head.url_encoded = match head.encoding.as_deref() {
        Some("url") => true,
        None | Some("") => false,
        Some(_) => return Err(reader.wrong("an unknown encoding of keys")),
    };
    head.end = reader.position();
    reader.finish()?;
    Ok(head)
}
