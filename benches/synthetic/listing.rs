//! Pages of a listing: entries are copied from a template, and only what differs is written over it.

use crate::space::{MAX_KEY, NOW, Pen, Space};

/// What has been deleted: a bit for each entry.
pub struct Deleted(Vec<u64>);

impl Deleted {
    pub fn none_of(entries: u64) -> Self {
        Self(vec![0; entries.div_ceil(64) as usize])
    }

    pub fn insert(&mut self, entry: u64) {
        self.0[(entry / 64) as usize] |= 1 << (entry % 64);
    }

    /// The first entry from this one on that is still there.
    pub fn next_left(&self, entry: u64) -> u64 {
        let mut word = (entry / 64) as usize;
        let mut before = (1 << (entry % 64)) - 1;
        while let Some(bits) = self.0.get(word) {
            let left = !(bits | before);
            if left != 0 {
                return word as u64 * 64 + u64::from(left.trailing_zeros());
            }
            before = 0;
            word += 1;
        }
        u64::MAX
    }
}

/// Of the head of an answer, in bytes.
const LONGEST_HEAD: usize = 2_048;

/// A body that is written before its head is known, with room for that in front.
pub struct Answer {
    pub bytes: Vec<u8>,
    start: usize,
}

impl Answer {
    /// In a buffer of an earlier answer.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.resize(LONGEST_HEAD, 0);
        Self { bytes, start: LONGEST_HEAD }
    }

    pub fn prepend(&mut self, text: &[u8]) {
        let end = self.start;
        self.start -= text.len();
        self.bytes[self.start..end].copy_from_slice(text);
    }

    pub fn written(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Which of the two listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ListObjectsV2: the newest version of each key.
    Objects,
    /// ListObjectVersions.
    Versions,
}

/// What is asked for.
#[derive(Debug)]
pub struct Asked {
    pub kind: Kind,
    pub prefix: Vec<u8>,
    pub delimiter: Option<u8>,
    /// After all of this key, or if it is a prefix that the delimiter makes, after all that has it.
    pub after: Vec<u8>,
    /// After this version of that key.
    pub after_version: Option<u64>,
    /// A token of an earlier page: the entry to begin with.
    pub token: Option<u64>,
    pub at_most: usize,
}

/// Where the parts of an entry stand in its template.
#[derive(Clone)]
pub struct Template {
    text: Vec<u8>,
    key: usize,
    id: usize,
    time: usize,
    etag: usize,
    size: usize,
}

const TIME: &[u8] = b"0000-00-00T00:00:00.000Z";
const BLANK: &[u8] = &[b'0'; MAX_KEY];
/// As long as those of AWS.
const OWNER: &[u8] = b"9a1f3c5d7e9b1a3c5e7f9b1d3a5c7e9f1b3d5a7c9e1f3b5d7a9c1e3f5b7d9a1c";

impl Template {
    fn new(space: &Space, kind: Kind, is_latest: bool) -> Self {
        let mut it = Self { text: Vec::new(), key: 0, id: 0, time: 0, etag: 0, size: 0 };
        let element = if kind == Kind::Objects { "Contents" } else { "Version" };
        let put = |text: &mut Vec<u8>, parts: &[&[u8]]| {
            parts.iter().for_each(|part| text.extend_from_slice(part));
            text.len()
        };
        let length = space.key(0, &mut [0; MAX_KEY]);
        it.key = put(&mut it.text, &[b"<", element.as_bytes(), b"><Key>"]);
        put(&mut it.text, &[&BLANK[..length], b"</Key>"]);
        if kind == Kind::Versions {
            it.id = put(&mut it.text, &[b"<VersionId>"]);
            put(&mut it.text, &[if space.versions == 1 { b"null" } else { &BLANK[..32] }]);
            let latest: &[u8] = if is_latest { b"true" } else { b"false" };
            put(&mut it.text, &[b"</VersionId><IsLatest>", latest, b"</IsLatest>"]);
        }
        it.time = put(&mut it.text, &[b"<LastModified>"]);
        it.etag = put(&mut it.text, &[TIME, b"</LastModified><ETag>&quot;"]);
        it.size = put(&mut it.text, &[&BLANK[..32], b"&quot;</ETag><Size>"]);
        put(&mut it.text, &[&BLANK[..7], b"</Size><StorageClass>STANDARD</StorageClass>"]);
        if kind == Kind::Versions {
            put(&mut it.text, &[b"<Owner><ID>", OWNER, b"</ID></Owner>"]);
        }
        put(&mut it.text, &[b"</", element.as_bytes(), b">"]);
        it
    }

    fn write(&self, space: &Space, entry: u64, key: &[u8], to: &mut Vec<u8>) {
        let start = to.len();
        to.extend_from_slice(&self.text);
        let facts = space.facts(entry);
        let second = facts.uploaded % 86_400;
        let mut pen = Pen { to: &mut to[start..], at: self.key };
        pen.text(key);
        if self.id > 0 && space.versions > 1 {
            pen.at = self.id;
            pen.text(&version_id(entry));
        }
        pen.at = self.time;
        pen.text(&space.day_of(facts.uploaded)).text(b"T");
        pen.decimal(second / 3_600, 2).text(b":").decimal(second / 60 % 60, 2).text(b":");
        pen.decimal(second % 60, 2);
        pen.at = self.etag;
        pen.hex(facts.etag[0], 16).hex(facts.etag[1], 16);
        pen.at = self.size;
        pen.decimal(facts.size, 7);
    }
}

/// As long as those of AWS, and telling its entry.
pub fn version_id(entry: u64) -> [u8; 32] {
    let mut id = [b'.'; 32];
    Pen { to: &mut id, at: 0 }.hex(entry, 16).hex(entry ^ NOW, 16);
    id
}

pub fn entry_of(version_id: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(version_id.get(..16)?).ok()?, 16).ok()
}

/// The templates of a bucket.
pub struct Pages {
    objects: Template,
    latest: Template,
    older: Template,
}

impl Pages {
    pub fn of(space: &Space) -> Self {
        Self {
            objects: Template::new(space, Kind::Objects, true),
            latest: Template::new(space, Kind::Versions, true),
            older: Template::new(space, Kind::Versions, false),
        }
    }

    pub fn write(&self, space: &Space, deleted: Option<&Deleted>, asked: &Asked, answer: &mut Answer) {
        let left = |entry| deleted.map_or(entry, |deleted| deleted.next_left(entry));
        let versions = space.versions;
        let end = space.seek(&asked.prefix, true) * versions;
        let mut entry = left(first(space, asked));
        let body = &mut answer.bytes;
        let mut prefixes: Vec<u8> = Vec::new();
        let (mut count, mut next) = (0, None);
        let mut buffer = [0; MAX_KEY];
        let mut last = (0, [0; MAX_KEY]);
        while entry < end && count < asked.at_most {
            let number = entry / versions;
            let length = space.key(number, &mut buffer);
            let key = &buffer[..length];
            count += 1;
            let cut = asked.delimiter.and_then(|delimiter| {
                let rest = key.get(asked.prefix.len()..)?;
                Some(asked.prefix.len() + 1 + rest.iter().position(|byte| *byte == delimiter)?)
            });
            next = None;
            if let Some(cut) = cut {
                for part in [b"<CommonPrefixes><Prefix>", &key[..cut], b"</Prefix></CommonPrefixes>"] {
                    prefixes.extend_from_slice(part);
                }
                last = (cut, buffer);
                entry = left(space.seek(&key[..cut], true) * versions);
                continue;
            }
            last = (length, buffer);
            if asked.kind == Kind::Objects {
                self.objects.write(space, entry, key, body);
                entry = left((number + 1) * versions);
                continue;
            }
            let is_latest = versions == 1 || left(number * versions) == entry;
            let template = if is_latest { &self.latest } else { &self.older };
            template.write(space, entry, key, body);
            next = Some(entry);
            entry = left(entry + 1);
        }
        let truncated = entry < end && count > 0;
        body.extend_from_slice(&prefixes);
        body.extend_from_slice(tail(asked.kind));
        let next = truncated.then_some((entry, &last.1[..last.0], next));
        answer.prepend(&head(asked, count, next, versions));
    }
}

/// The entry that a page begins with.
fn first(space: &Space, asked: &Asked) -> u64 {
    let from = space.seek(&asked.prefix, false) * space.versions;
    let after = match (asked.token, asked.after_version) {
        (Some(token), _) => token,
        (None, Some(version)) => version + 1,
        (None, None) if asked.after.is_empty() => 0,
        (None, None) => {
            let folded = asked.delimiter.is_some_and(|delimiter| asked.after.ends_with(&[delimiter]))
                && asked.after.len() > asked.prefix.len();
            let number = space.seek(&asked.after, folded);
            let is_same = !folded && space.find(&asked.after, number) == Some(number);
            (number + u64::from(is_same)) * space.versions
        }
    };
    from.max(after)
}

fn head(asked: &Asked, count: usize, next: Option<(u64, &[u8], Option<u64>)>, versions: u64) -> Vec<u8> {
    let root = if asked.kind == Kind::Objects { "ListBucketResult" } else { "ListVersionsResult" };
    let (at_most, truncated) = (asked.at_most, next.is_some());
    let mut head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <MaxKeys>{at_most}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>"
    )
    .into_bytes();
    let mut element = |name: &str, text: &[u8]| {
        for part in [b"<", name.as_bytes(), b">", text, b"</", name.as_bytes(), b">"] {
            head.extend_from_slice(part);
        }
    };
    match (asked.kind, next) {
        (Kind::Objects, next) => {
            element("KeyCount", count.to_string().as_bytes());
            if let Some((entry, ..)) = next {
                element("NextContinuationToken", entry.to_string().as_bytes());
            }
        }
        (Kind::Versions, Some((_, key, version))) => {
            element("NextKeyMarker", key);
            match version {
                Some(_) if versions == 1 => element("NextVersionIdMarker", b"null"),
                Some(version) => element("NextVersionIdMarker", &version_id(version)),
                None => {}
            }
        }
        (Kind::Versions, None) => {}
    }
    head
}

const fn tail(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Objects => b"</ListBucketResult>",
        Kind::Versions => b"</ListVersionsResult>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(page: &str, element: &str) -> Vec<String> {
        let start = format!("<{element}>");
        page.split(&start).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    }

    /// All pages from `asked` on, as texts.
    fn pages(space: &Space, deleted: Option<&Deleted>, mut asked: Asked) -> Vec<String> {
        let templates = Pages::of(space);
        let mut pages = Vec::new();
        loop {
            let mut answer = Answer::new(Vec::new());
            templates.write(space, deleted, &asked, &mut answer);
            let page = String::from_utf8(answer.written().to_vec()).unwrap();
            asked.token = texts(&page, "NextContinuationToken").first().map(|it| it.parse().unwrap());
            asked.after = texts(&page, "NextKeyMarker").concat().into_bytes();
            asked.after_version = entry_of(texts(&page, "NextVersionIdMarker").concat().as_bytes());
            pages.push(page);
            if asked.token.is_none() && asked.after.is_empty() {
                return pages;
            }
            assert!(pages.len() < 10_000, "it does not get on");
        }
    }

    fn all(kind: Kind, at_most: usize) -> Asked {
        Asked {
            kind,
            prefix: Vec::new(),
            delimiter: None,
            after: Vec::new(),
            after_version: None,
            token: None,
            at_most,
        }
    }

    fn keys(space: &Space) -> Vec<String> {
        let mut buffer = [0; MAX_KEY];
        let key = |number| {
            let length = space.key(number, &mut buffer);
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        (0..space.keys).map(key).collect()
    }

    #[test]
    fn pages_hold_every_entry_that_is_left_once() {
        for name in ["hierarchical-3000", "flat-777", "skewed-1500-v3", "one-key-250", "flat-1"] {
            let space = Space::named(name).unwrap();
            let mut deleted = Deleted::none_of(space.entries());
            let gone = |entry: u64| entry % 5 == 1 || (100..300).contains(&entry);
            (0..space.entries()).filter(|it| gone(*it)).for_each(|it| deleted.insert(it));
            let keys = keys(&space);
            let key = |entry: u64| keys[(entry / space.versions) as usize].clone();
            for at_most in [1, 7, 1_000] {
                let found = pages(&space, Some(&deleted), all(Kind::Versions, at_most)).concat();
                let left: Vec<u64> = (0..space.entries()).filter(|it| !gone(*it)).collect();
                let expected: Vec<_> = left.iter().map(|entry| key(*entry)).collect();
                assert_eq!(texts(&found, "Key"), expected, "{name}");
                let mut expected = expected;
                expected.dedup();
                let latest = texts(&found, "IsLatest").iter().filter(|it| *it == "true").count();
                assert_eq!(latest, expected.len(), "{name}");
                let found = pages(&space, Some(&deleted), all(Kind::Objects, at_most)).concat();
                assert_eq!(texts(&found, "Key"), expected, "{name}");
            }
        }
    }

    #[test]
    fn prefixes_delimiters_and_starts_are_kept_to() {
        let space = Space::named("hierarchical-20000").unwrap();
        let keys = keys(&space);
        for (prefix, depth) in [("", 1), ("area-3/", 2), ("area-3/tenant-042/2026/", 4)] {
            for kind in [Kind::Objects, Kind::Versions] {
                let asked = Asked { prefix: prefix.into(), delimiter: Some(b'/'), ..all(kind, 3) };
                let mut expected: Vec<String> = keys
                    .iter()
                    .filter(|key| key.starts_with(prefix))
                    .map(|key| key.split_inclusive('/').take(depth).collect())
                    .collect();
                expected.dedup();
                let found = pages(&space, None, asked).concat();
                assert_eq!(texts(&found, "Prefix"), expected, "{prefix} {kind:?}");
                let asked =
                    Asked { prefix: prefix.into(), after: keys[7_000].clone().into(), ..all(kind, 100) };
                let found = pages(&space, None, asked).concat();
                let expected: Vec<_> =
                    keys[7_001..].iter().filter(|key| key.starts_with(prefix)).cloned().collect();
                assert_eq!(texts(&found, "Key"), expected, "{prefix} {kind:?}");
            }
        }
    }
}
