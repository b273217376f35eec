//! Random listings, written in the many ways that XML has for the same thing.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use shelflife::object::Kind;

use crate::listing::{Listed, Listing};
use crate::rng::Rng;

/// A listing and what must be read from it.
pub struct Case {
    /// `None` if it must be refused.
    pub wanted: Option<Vec<Listed>>,
    pub body: String,
}

/// Entries as S3 orders them: by key, within a key the newest first.
pub fn case(listing: &Listing, rng: &mut Rng) -> Case {
    let wanted = entries(listing, rng);
    let body = Writer::new(listing, rng).listing(&wanted);
    Case { wanted: Some(wanted), body }
}

/// The same, one kind of entries before the other.
pub fn in_two_lists(listing: &Listing, rng: &mut Rng) -> Case {
    let mut wanted = entries(listing, rng);
    let first = rng.chance(50);
    wanted.sort_by_key(|listed| (listed.kind == Kind::Marker) == first);
    let body = Writer::new(listing, rng).listing(&wanted);
    Case { wanted: Some(wanted), body }
}

/// The same with a part that is not there, or twice, in one of the places where it belongs.
pub fn with_a_part_wrong(listing: &Listing, rng: &mut Rng) -> Case {
    let wanted = entries(listing, rng);
    let needed = ["IsTruncated", "NextKeyMarker", "Key", "IsLatest", "Size", listing.time, "UploadId"];
    let known = ["EncodingType", listing.next_id, "ETag", "StorageClass", "VersionId"];
    let times = if rng.chance(50) { 0 } else { 2 };
    let name = if times == 0 || rng.chance(50) { rng.pick(&needed) } else { rng.pick(&known) };
    let place = rng.below(4);
    let mut writer = Writer::new(listing, rng);
    writer.wrong = Some(Wrong { name, place, times });
    let body = writer.listing(&wanted);
    let is_sound = writer.wrong.is_some();
    Case { wanted: is_sound.then_some(wanted), body }
}

/// The same in forms that the AWS SDK reads too: it takes CDATA for nothing, a text for over at the first comment, and
/// sizes for signed.
pub fn for_the_sdk(listing: &Listing, rng: &mut Rng) -> Case {
    let mut wanted = entries(listing, rng);
    for listed in &mut wanted {
        listed.size >>= 1;
        // No key has a `c` of its own, so that those of two stay apart.
        listed.key = listed.key.replace('\u{1}', "c");
    }
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut writer = Writer::new(listing, rng);
    writer.forms = 4;
    let body = writer.listing(&wanted);
    Case { wanted: Some(wanted), body }
}

fn entries(listing: &Listing, rng: &mut Rng) -> Vec<Listed> {
    let mut keys: Vec<String> = (0..rng.below(6)).map(|_| key(rng)).collect();
    keys.sort();
    keys.dedup();
    let mut entries = Vec::new();
    for (place, key) in keys.into_iter().enumerate() {
        let mut at = DateTime::from_timestamp_millis(1_790_000_000_000).unwrap_or_default();
        for age in 0..=rng.below(3) {
            at -= chrono::TimeDelta::milliseconds(1 + (rng.next() % 100_000_000) as i64);
            let kind = listing.entries[usize::from(rng.chance(30)) % listing.entries.len()].1;
            let (is_version, is_upload) = (kind == Kind::Version, kind == Kind::Upload);
            let id = (is_upload || rng.chance(90)).then(|| id(age, rng));
            // No two under one key have the same, and what has none is a null version.
            let name = |id: &Option<String>| id.clone().unwrap_or_else(|| "null".to_owned());
            let is_taken = entries.iter().any(|it: &Listed| it.key == key && name(&it.id) == name(&id));
            let id = if is_taken { Some(format!("{age}-{}", word(rng))) } else { id };
            entries.push(Listed {
                key: key.clone(),
                kind,
                id,
                // The first key of a page may go on from the page before.
                is_latest: is_upload || age == 0 && (place > 0 || rng.chance(90)),
                last_modified: at,
                etag: (is_version && rng.chance(90)).then(|| word(rng)),
                size: if is_version { rng.next() >> rng.below(64) } else { 0 },
                storage_class: (kind != Kind::Marker && rng.chance(80))
                    .then(|| rng.pick(&["STANDARD", "GLACIER", "x"]).to_owned()),
            });
        }
    }
    entries
}

fn key(rng: &mut Rng) -> String {
    let parts = [
        "a",
        "b",
        "in/",
        "4711",
        "/",
        " ",
        "+",
        "%",
        "%41",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "é",
        "🎧",
        "]]>",
        "\n",
        "\r",
        "\t",
        "&amp;",
        ";",
        "=",
        "-->",
        "?",
        "\u{1}",
        "\u{7f}",
        "2026-11-24",
    ];
    (0..=rng.below(5)).map(|_| rng.pick(&parts)).collect()
}

/// One of its own, or what S3 calls what it put there without versioning, or what begins so.
fn id(age: usize, rng: &mut Rng) -> String {
    if rng.chance(20) { rng.pick(&["null", "nullable"]).to_owned() } else { format!("{age}{}", word(rng)) }
}

fn word(rng: &mut Rng) -> String {
    format!("{:x}", rng.next() >> rng.below(60))
}

/// One element of this name is written so many times.
struct Wrong {
    name: &'static str,
    /// How many of them come before it.
    place: usize,
    times: usize,
}

struct Writer<'a> {
    listing: &'a Listing,
    rng: &'a mut Rng,
    /// Percent of the places in which it does as S3 does.
    plain: usize,
    prefix: &'static str,
    encoded: bool,
    /// Of those in which a character can be written.
    forms: usize,
    /// `None` as soon as it has been done.
    wrong: Option<Wrong>,
}

impl<'a> Writer<'a> {
    fn new(listing: &'a Listing, rng: &'a mut Rng) -> Self {
        let plain = rng.pick(&[100, 97, 80]);
        let prefix = if rng.chance(90) { "" } else { "s3:" };
        let encoded = rng.chance(60);
        Self { listing, rng, plain, prefix, encoded, forms: 6, wrong: None }
    }

    fn odd(&mut self) -> bool {
        !self.rng.chance(self.plain)
    }

    fn listing(&mut self, entries: &[Listed]) -> String {
        let truncated = self.rng.chance(30);
        let mut head = vec![self.element("IsTruncated", if truncated { "true" } else { "false" })];
        head.push(self.element("Name", "media"));
        if self.encoded {
            head.push(self.element("EncodingType", "url"));
        }
        if truncated {
            let key = self.key(entries.last().map_or("x", |last| &last.key));
            head.push(self.written("NextKeyMarker", &key));
        }
        if self.rng.chance(50) {
            head.push(self.element(self.listing.next_id, if truncated { "3L4" } else { "" }));
        }
        let entries: Vec<String> = entries.iter().map(|listed| self.entry(listed)).collect();
        let mut children = head;
        if self.odd() {
            // The head stands anywhere, the entries keep their order.
            let mut rest = entries.into_iter();
            let mut mixed = Vec::new();
            for child in children {
                mixed.extend(rest.by_ref().take(self.rng.below(4)));
                mixed.push(child);
            }
            mixed.extend(rest);
            children = mixed;
        } else {
            children.extend(entries);
        }
        let name = format!("{}{}", self.prefix, self.listing.root);
        let mut body = String::new();
        if self.odd() {
            body.push('\u{feff}');
        }
        if !self.odd() {
            body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        }
        let _ = write!(
            body,
            "<{name} xmlns{}=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
            self.prefix.replace("s3:", ":s3")
        );
        for child in children {
            let between = self.between();
            let _ = write!(body, "{between}{child}");
        }
        let _ = write!(body, "</{name}>");
        body
    }

    fn entry(&mut self, listed: &Listed) -> String {
        let key = self.key(&listed.key);
        let mut fields = vec![self.written("Key", &key)];
        if let Some(id) = &listed.id {
            fields.push(self.element(self.listing.id, id));
        }
        if listed.kind != Kind::Upload {
            fields.push(self.element("IsLatest", if listed.is_latest { "true" } else { "false" }));
        }
        let time = self.time(listed.last_modified);
        fields.push(self.element(self.listing.time, &time));
        match &listed.etag {
            Some(etag) => {
                let quoted = if self.odd() { etag.clone() } else { format!("\"{etag}\"") };
                let written = if self.odd() { self.text(&quoted) } else { quoted.replace('"', "&quot;") };
                fields.push(self.written("ETag", &written));
            }
            None if self.odd() => fields.push(self.written("ETag", "")),
            None => {}
        }
        if listed.kind == Kind::Version {
            fields.push(self.element("Size", &listed.size.to_string()));
        }
        match &listed.storage_class {
            Some(class) => fields.push(self.element("StorageClass", class)),
            None if self.odd() => fields.push(self.written("StorageClass", "")),
            None => {}
        }
        for other in [
            "<Owner><ID>75aa</ID><DisplayName/></Owner>",
            "<Initiator><ID>75aa</ID><DisplayName>o</DisplayName></Initiator>",
            "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>",
            "<ChecksumType>FULL_OBJECT</ChecksumType>",
            "<Other><Key>not this</Key><a b='>'/>text &unknown; <![CDATA[</Other>]]></Other>",
            "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>",
        ] {
            if self.rng.chance(30) {
                let at = fields.len() - self.rng.below(2);
                fields.insert(at, other.to_owned());
            }
        }
        if self.odd() {
            self.rng.shuffle(&mut fields);
        }
        let mut content = String::new();
        for field in fields {
            let between = self.between();
            let _ = write!(content, "{between}{field}");
        }
        let of_its_kind = self.listing.entries.iter().find(|(_, kind)| *kind == listed.kind);
        self.written(of_its_kind.expect("a kind of this listing").0, &content)
    }

    fn time(&mut self, at: DateTime<Utc>) -> String {
        let general = at.with_timezone(&chrono_tz::Europe::Zagreb);
        if self.odd() { general.to_rfc3339() } else { at.to_rfc3339_opts(SecondsFormat::Millis, true) }
    }

    /// What may stand between two elements.
    fn between(&mut self) -> &'static str {
        if self.odd() {
            self.rng.pick(&[" ", "\n\t", "\r\n", "<!-- <Key>no</Key> -->", "<?any thing?>", "<!----> "])
        } else {
            ""
        }
    }

    fn element(&mut self, name: &'static str, text: &str) -> String {
        let written = self.text(text);
        self.written(name, &written)
    }

    fn written(&mut self, name: &'static str, content: &str) -> String {
        let times = match self.wrong.take() {
            Some(wrong) if wrong.name == name && wrong.place == 0 => wrong.times,
            Some(wrong) => {
                self.wrong = Some(Wrong { place: wrong.place - usize::from(wrong.name == name), ..wrong });
                1
            }
            None => 1,
        };
        (0..times).map(|_| self.one(name, content)).collect()
    }

    fn one(&mut self, name: &str, content: &str) -> String {
        let name = format!("{}{name}", self.prefix);
        let attributes =
            if self.odd() { self.rng.pick(&[" ", " a='/>'", "\nxml:space = \"preserve\" "]) } else { "" };
        if content.is_empty() && self.rng.chance(50) {
            return format!("<{name}{attributes}/>");
        }
        format!("<{name}{attributes}>{content}</{name}{}>", if self.odd() { " " } else { "" })
    }

    fn key(&mut self, key: &str) -> String {
        if !self.encoded {
            return self.text(key);
        }
        let mut sent = String::new();
        for byte in key.bytes() {
            match byte {
                b' ' if self.rng.chance(50) => sent.push('+'),
                b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' if !self.odd() => sent.push(char::from(byte)),
                byte if self.rng.chance(70) => {
                    let _ = write!(sent, "%{byte:02X}");
                }
                byte => {
                    let _ = write!(sent, "%{byte:02x}");
                }
            }
        }
        self.text(&sent)
    }

    /// Text in any of the forms that XML has for it.
    fn text(&mut self, text: &str) -> String {
        let mut written = String::new();
        for character in text.chars() {
            let number = u32::from(character);
            let form = if self.odd() { self.rng.below(self.forms) } else { 0 };
            let _ = match form {
                1 => write!(written, "&#{number};"),
                2 => write!(written, "&#x{number:X};"),
                3 => write!(written, "&#x000{number:x};"),
                4 if character != '\r' => write!(written, "<![CDATA[{character}]]>"),
                5 => write!(written, "<!-- - -->&#{number};<?x?>"),
                _ => match character {
                    '&' => write!(written, "&amp;"),
                    '<' => write!(written, "&lt;"),
                    '>' => write!(written, "&gt;"),
                    '"' => write!(written, "&quot;"),
                    '\'' => write!(written, "&apos;"),
                    '\r' => write!(written, "&#13;"),
                    plain => write!(written, "{plain}"),
                },
            };
        }
        written
    }
}
