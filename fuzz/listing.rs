//! A listing read the long way, with an XML library, and held against ours.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::Event;
use shelflife::object::Kind;
use shelflife::s3::{Entry, Malformed, Page};

/// One of the two kinds of listings: how it is written, and how it is read by ours.
#[derive(Debug)]
pub struct Listing {
    pub root: &'static str,
    pub entries: &'static [(&'static str, Kind)],
    pub id: &'static str,
    pub time: &'static str,
    pub next_id: &'static str,
    read: fn(Vec<u8>) -> Result<Page, Malformed>,
}

/// ListObjectVersions.
pub const VERSIONS: Listing = Listing {
    root: "ListVersionsResult",
    entries: &[("Version", Kind::Version), ("DeleteMarker", Kind::Marker)],
    id: "VersionId",
    time: "LastModified",
    next_id: "NextVersionIdMarker",
    read: Page::from_answer,
};

/// ListMultipartUploads.
pub const UPLOADS: Listing = Listing {
    root: "ListMultipartUploadsResult",
    entries: &[("Upload", Kind::Upload)],
    id: "UploadId",
    time: "Initiated",
    next_id: "NextUploadIdMarker",
    read: Page::from_uploads_answer,
};

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    pub kind: Kind,
    /// Of the version or the upload.
    pub id: Option<String>,
    pub is_latest: bool,
    pub last_modified: DateTime<Utc>,
    pub etag: Option<String>,
    pub size: u64,
    pub storage_class: Option<String>,
}

impl From<Entry<'_>> for Listed {
    fn from(entry: Entry<'_>) -> Self {
        let (id, none) = match entry.kind {
            Kind::Upload => (entry.upload_id, entry.version_id),
            _ => (entry.version_id, entry.upload_id),
        };
        assert_eq!(none, None, "an id of another kind");
        Self {
            key: entry.key.to_owned(),
            kind: entry.kind,
            id: id.map(str::to_owned),
            is_latest: entry.is_latest,
            last_modified: entry.last_modified,
            etag: entry.etag.map(str::to_owned),
            size: entry.size,
            storage_class: entry.storage_class.map(str::to_owned),
        }
    }
}

impl Listing {
    /// Reads an answer with ours. Where that succeeds the library must have found the same; what
    /// cannot be read has a place.
    pub fn held(&self, body: &[u8]) -> Result<Vec<Listed>, Malformed> {
        let page = match (self.read)(body.to_vec()) {
            Ok(page) => page,
            Err(wrong) => {
                assert!(wrong.at <= body.len(), "{wrong}");
                return Err(wrong);
            }
        };
        let ours: Vec<Listed> = page.entries().map(Listed::from).collect();
        let (theirs, truncated) = self.naive(body).expect("ours read what is no listing");
        assert_eq!(page.is_truncated(), truncated);
        if ours != theirs {
            // What came as two lists stands as one, in which each has kept its order.
            let switches = theirs.windows(2).filter(|pair| pair[0].kind != pair[1].kind).count();
            assert_eq!(switches, 1, "{ours:#?}\n{theirs:#?}");
            let only = |of: &[Listed], kind| -> Vec<Listed> {
                of.iter().filter(|listed| listed.kind == kind).cloned().collect()
            };
            for (_, kind) in self.entries {
                assert_eq!(only(&ours, *kind), only(&theirs, *kind));
            }
        }
        assert!(ours.is_sorted_by_key(|listed| &listed.key));
        Ok(ours)
    }

    /// The entries in the order that they stand in, and whether there are more.
    fn naive(&self, body: &[u8]) -> Option<(Vec<Listed>, bool)> {
        let root = tree(std::str::from_utf8(body).ok()?)?;
        if root.name != self.root {
            return None;
        }
        let encoded = root.optional("EncodingType")?.is_some_and(|encoding| encoding == "url");
        let truncated = root.only("IsTruncated")?.parse().ok()?;
        let (next_key, _) = (root.optional("NextKeyMarker")?, root.optional(self.next_id)?);
        if truncated {
            decoded(next_key.filter(|key| !key.is_empty())?, encoded)?;
        }
        let entries = root.children.iter().filter_map(|child| {
            let (_, kind) = self.entries.iter().find(|(name, _)| *name == child.name)?;
            Some(child.listed(self, *kind, encoded))
        });
        Some((entries.collect::<Option<_>>()?, truncated))
    }
}

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The text of the only child of this name; the outer `None` if there are several.
    fn optional(&self, name: &str) -> Option<Option<&str>> {
        let mut named = self.children.iter().filter(|child| child.name == name);
        let first = named.next();
        let fits = named.next().is_none() && first.is_none_or(|child| child.children.is_empty());
        fits.then(|| first.map(|child| child.text.as_str()))
    }

    fn only(&self, name: &str) -> Option<&str> {
        self.optional(name)?
    }

    fn listed(&self, listing: &Listing, kind: Kind, encoded: bool) -> Option<Listed> {
        let owned = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let etag = self.optional("ETag")?.map(|sent| match sent.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"').unwrap_or(sent),
            None => sent,
        });
        let id = owned(self.optional(listing.id)?);
        Some(Listed {
            key: decoded(self.only("Key")?, encoded)?,
            kind,
            id: if kind == Kind::Upload { Some(id?) } else { id },
            is_latest: kind == Kind::Upload || self.only("IsLatest")?.parse().ok()?,
            last_modified: DateTime::parse_from_rfc3339(self.only(listing.time)?).ok()?.to_utc(),
            etag: owned(etag),
            size: if kind == Kind::Version { self.only("Size")?.parse().ok()? } else { 0 },
            storage_class: owned(self.optional("StorageClass")?),
        })
    }
}

fn decoded(key: &str, encoded: bool) -> Option<String> {
    if !encoded {
        return Some(key.to_owned());
    }
    percent_decode_str(&key.replace('+', " ")).decode_utf8().ok().map(|key| key.into_owned())
}

fn tree(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    // Where a text is passed over, whatever stands in it.
    reader.config_mut().allow_dangling_amp = true;
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(piece) => open.last_mut()?.text.push_str(&piece.decode().ok()?),
            Event::CData(piece) => open.last_mut()?.text.push_str(&piece.decode().ok()?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().ok()?;
                let number =
                    match (name.strip_prefix("#x").or(name.strip_prefix("#X")), name.strip_prefix('#')) {
                        (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
                        (None, digits) => digits.and_then(|digits| digits.parse().ok()),
                    };
                let text = &mut open.last_mut()?.text;
                match (number.and_then(char::from_u32), quick_xml::escape::resolve_predefined_entity(&name)) {
                    (Some(character), _) => text.push(character),
                    (None, Some(resolved)) => text.push_str(resolved),
                    // An error if it is a text that matters.
                    (None, None) => text.push_str("\u{fffd}unresolved"),
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => {
                let mut document = open.pop().filter(|_| open.is_empty())?;
                return document.children.pop().filter(|_| document.children.is_empty());
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
}
