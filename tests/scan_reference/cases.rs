//! Random listings, written in the many ways that XML has for the same thing.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::listing::Listed;
use crate::rng::Rng;

/// A listing and what must be read from it.
pub struct Case {
    pub wanted: Vec<Listed>,
    pub body: String,
}

/// Versions and markers as S3 orders them: by key, within a key the newest first.
pub fn case(rng: &mut Rng) -> Case {
    let wanted = entries(rng);
    let body = Writer::new(rng).listing(&wanted);
    Case { wanted, body }
}

/// The same, all versions before all markers or behind them.
pub fn in_two_lists(rng: &mut Rng) -> Case {
    let mut wanted = entries(rng);
    let first = rng.chance(50);
    wanted.sort_by_key(|listed| listed.marker == first);
    let body = Writer::new(rng).listing(&wanted);
    Case { wanted, body }
}

/// The same in forms that the AWS SDK reads too: it takes CDATA for nothing, a text for over at the first comment, and
/// sizes for signed.
pub fn for_the_sdk(rng: &mut Rng) -> Case {
    let mut wanted = entries(rng);
    for listed in &mut wanted {
        listed.size >>= 1;
        listed.key = listed.key.replace('\u{1}', "");
    }
    wanted.retain(|listed| !listed.key.is_empty());
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut writer = Writer::new(rng);
    writer.forms = 4;
    let body = writer.listing(&wanted);
    Case { wanted, body }
}

fn entries(rng: &mut Rng) -> Vec<Listed> {
    let mut keys: Vec<String> = (0..rng.below(6)).map(|_| key(rng)).collect();
    keys.sort();
    keys.dedup();
    let mut entries = Vec::new();
    for (place, key) in keys.into_iter().enumerate() {
        let mut at = DateTime::from_timestamp_millis(1_790_000_000_000).unwrap_or_default();
        for age in 0..=rng.below(3) {
            at -= chrono::TimeDelta::milliseconds(1 + (rng.next() % 100_000_000) as i64);
            let marker = rng.chance(30);
            entries.push(Listed {
                key: key.clone(),
                marker,
                id: rng.chance(90).then(|| format!("{age}{}", word(rng))),
                // The first key of a page may go on from the page before.
                is_latest: age == 0 && (place > 0 || rng.chance(90)),
                last_modified: at,
                etag: (!marker && rng.chance(90)).then(|| word(rng)),
                size: if marker { 0 } else { rng.next() >> rng.below(64) },
                storage_class: (!marker && rng.chance(80))
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

fn word(rng: &mut Rng) -> String {
    format!("{:x}", rng.next() >> rng.below(60))
}

struct Writer<'a> {
    rng: &'a mut Rng,
    /// Percent of the places in which it does as S3 does.
    plain: usize,
    prefix: &'static str,
    encoded: bool,
    /// Of those in which a character can be written.
    forms: usize,
}

impl<'a> Writer<'a> {
    fn new(rng: &'a mut Rng) -> Self {
        let plain = rng.pick(&[100, 97, 80]);
        let prefix = if rng.chance(90) { "" } else { "s3:" };
        let encoded = rng.chance(60);
        Self { rng, plain, prefix, encoded, forms: 6 }
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
        let name = format!("{}ListVersionsResult", self.prefix);
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
            fields.push(self.element("VersionId", id));
        }
        fields.push(self.element("IsLatest", if listed.is_latest { "true" } else { "false" }));
        let time = self.time(listed.last_modified);
        fields.push(self.element("LastModified", &time));
        match &listed.etag {
            Some(etag) => {
                let quoted = if self.odd() { etag.clone() } else { format!("\"{etag}\"") };
                let written = if self.odd() { self.text(&quoted) } else { quoted.replace('"', "&quot;") };
                fields.push(self.written("ETag", &written));
            }
            None if self.odd() => fields.push(self.written("ETag", "")),
            None => {}
        }
        if !listed.marker {
            fields.push(self.element("Size", &listed.size.to_string()));
        }
        match &listed.storage_class {
            Some(class) => fields.push(self.element("StorageClass", class)),
            None if self.odd() => fields.push(self.written("StorageClass", "")),
            None => {}
        }
        for other in [
            "<Owner><ID>75aa</ID><DisplayName/></Owner>",
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
        self.written(if listed.marker { "DeleteMarker" } else { "Version" }, &content)
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

    fn element(&mut self, name: &str, text: &str) -> String {
        let written = self.text(text);
        self.written(name, &written)
    }

    fn written(&mut self, name: &str, content: &str) -> String {
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

/// Changes a few bytes of a listing, often so that it stays nearly sound.
pub fn tamper(rng: &mut Rng, body: &mut Vec<u8>) {
    let tokens: [&[u8]; 40] = [
        b"<",
        b">",
        b"/",
        b"&",
        b";",
        b"\"",
        b"'",
        b"=",
        b" ",
        b"\r",
        b"]]>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"<?",
        b"?>",
        b"&#",
        b"&#x",
        b"&lt;",
        b"&#0;",
        b"%",
        b"+",
        b"true",
        b"false",
        b"<Key>",
        b"</Key>",
        b"<Key/>",
        b"<Size>1</Size>",
        b"<Version>",
        b"</Version>",
        b"<DeleteMarker>",
        b"</DeleteMarker>",
        b"<IsTruncated>true</IsTruncated>",
        b"<EncodingType>url</EncodingType>",
        b"<IsLatest>true</IsLatest>",
        b"</ListVersionsResult>",
        b"\xff",
        b"\xc3\xa9",
        b"<!DOCTYPE a>",
        b"x:",
    ];
    for _ in 0..=rng.below(2) {
        let start = rng.below(body.len() + 1);
        let end = body.len().min(start + if rng.chance(70) { rng.below(4) } else { rng.below(60) });
        match rng.below(5) {
            0 if start < body.len() => body[start] ^= 1 << rng.below(8),
            1 => drop(body.drain(start..end)),
            2 => {
                let copy = body[start..end].to_vec();
                let at = rng.below(body.len() + 1);
                drop(body.splice(at..at, copy));
            }
            3 => drop(body.splice(start..end, rng.pick(&tokens).iter().copied())),
            _ => drop(body.splice(start..start, rng.pick(&tokens).iter().copied())),
        }
    }
}
