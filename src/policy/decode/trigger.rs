//! Triggers, and the attributes of objects that they and others read.

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::raw::{RawInline, RawSource, RawTrigger};
use crate::calendar::DateFormat;
use crate::pattern::KeyPattern;
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Spanned};
use crate::policy::model::{Attribute, IfMissing, Outside, Within};
use crate::policy::yaml::{Data, Entry, Node};

pub(super) const TRIGGER: Keys = Keys {
    what: "a trigger",
    known: &[
        "metadata",
        "tag",
        "key",
        "record",
        "uploaded",
        "earliest",
        "latest",
        "first",
        "format",
        "plus",
        "within",
        "outside",
        "if-missing",
    ],
};

/// The keys of [`TRIGGER`] that say where the date comes from.
const SOURCES: [&str; 8] = ["metadata", "tag", "key", "record", "uploaded", "earliest", "latest", "first"];

pub(super) const ATTRIBUTE: Keys = Keys { what: "an attribute", known: &["key", "metadata", "tag"] };

pub(super) const WITHIN: Keys = Keys { what: "`within`", known: &["before", "after"] };

/// The longest form of a date, in bytes: far more than any date takes.
const LONGEST_FORMAT: usize = 100;

/// The most characters of a column's name.
const LONGEST_COLUMN: usize = 1_024;

const OUTSIDE: [(&str, Outside); 2] = [("undecided", Outside::Undecided), ("clamp", Outside::Clamp)];

const IF_MISSING: [(&str, IfMissing); 3] = [
    ("undecided", IfMissing::Undecided),
    ("uploaded", IfMissing::Uploaded),
    ("retained", IfMissing::Retained),
];

/// The most characters of a tag's key in S3.
const LONGEST_TAG_KEY: usize = 128;

/// The most bytes of user metadata, names and values together, that an object has in S3.
pub(super) const MOST_METADATA: usize = 2_048;

pub(super) const TOO_MUCH_METADATA: &str = "all user metadata of an object has at most 2,048 bytes";

impl Decoder<'_> {
    /// A trigger, by name or written out. `plus` can stand in a term of a larger one alone.
    pub(super) fn trigger(&mut self, name: &str, node: &Node, is_term: bool) -> Option<RawTrigger> {
        if matches!(node.data, Data::Scalar { .. }) {
            return self.exact(name, node).map(RawTrigger::Named);
        }
        let fields = self.fields(name, node, &TRIGGER)?;
        let source = self.source(&fields);
        let plus = fields.get("plus").and_then(|entry| {
            if !is_term {
                self.faults
                    .add(
                        Code::OutOfPlace,
                        entry.key_at,
                        "`plus` stands only in a term of `earliest`, `latest` or `first`",
                    )
                    .help("add it to the rule's `retain`, or make this the one term of an `earliest`");
                return None;
            }
            self.period("plus", &entry.value)
        });
        let format = fields.get("format").and_then(|entry| self.date_format(entry));
        let within = fields.get("within").and_then(|entry| {
            let value = self.within(entry)?;
            Some(Spanned { value, at: entry.key_at })
        });
        let outside = fields.get("outside").and_then(|entry| {
            let word = self.word("outside", &entry.value, &OUTSIDE)?;
            // What can have no `within` either is told so below.
            if fields.get("within").is_none() && source.as_ref().is_none_or(takes_within) {
                self.faults
                    .add(Code::OutsideNeedsWithin, entry.key_at, "`outside` needs `within`")
                    .help("say how far from the upload the date can lie: `within: 1 day`");
            }
            Some(word)
        });
        let if_missing =
            fields.get("if-missing").and_then(|entry| self.word("if-missing", &entry.value, &IF_MISSING));
        if let (Some(within), Some(outside)) = (&within, &outside)
            && outside.value == Outside::Clamp
            && within.value.after.is_none()
        {
            self.faults
                .add(Code::ClampNeedsLimit, outside.at, "`clamp` needs a limit after the upload")
                .see(within.at, "unlimited here")
                .help("write `within: {before: …, after: 1 hour}`");
        }
        let source = source?;
        self.in_place(&source, &fields);
        Some(RawTrigger::Inline(Box::new(RawInline {
            at: fields.at,
            source,
            format,
            plus: plus.map(|plus| plus.value),
            within: within.map(|within| within.value),
            outside: outside.map(|outside| outside.value).unwrap_or_default(),
            if_missing,
        })))
    }

    fn date_format(&mut self, entry: &Entry) -> Option<DateFormat> {
        let text = self.exact("format", &entry.value)?;
        if text.value.len() > LONGEST_FORMAT {
            let message = format!("a form of {} bytes is longer than any date's", text.value.len());
            self.faults.add(Code::DateFormat, text.at, message);
            return None;
        }
        match DateFormat::parse(&text.value) {
            Ok(format) => Some(format),
            Err(error) => {
                self.faults
                    .add(
                        Code::DateFormat,
                        text.at,
                        format!("`{}` does not say how dates are written: {error}", text.value),
                    )
                    .help("write `epoch-seconds`, `epoch-milliseconds`, or a form such as `%d.%m.%Y`");
                None
            }
        }
    }

    fn in_place(&mut self, source: &RawSource, fields: &Fields<'_>) {
        let (pointless, why): (&[&str], _) = match source {
            RawSource::Uploaded => (
                &["format", "within", "outside", "if-missing"],
                "the upload time itself, which is always there",
            ),
            RawSource::Earliest(_) | RawSource::Latest(_) | RawSource::First(_) => {
                (&["format", "within", "outside"], "a combination; its terms can have it")
            }
            RawSource::Attribute(Attribute::Key(_)) => {
                (&["format"], "a key; its captures say which part is which")
            }
            RawSource::Attribute(_) | RawSource::Record { .. } => return,
        };
        for entry in pointless.iter().filter_map(|key| fields.get(key)) {
            let message = format!("`{}` has no meaning for {why}", entry.key);
            self.faults.add(Code::OutOfPlace, entry.key_at, message);
        }
    }

    fn source(&mut self, fields: &Fields<'_>) -> Option<RawSource> {
        let mut sources = SOURCES.iter().filter_map(|key| fields.get(key));
        let Some(entry) = sources.next() else {
            self.faults
                .add(Code::OneSource, fields.at, "the trigger does not say where its date comes from")
                .help(format!("it takes one of: {}", SOURCES.join(", ")));
            return None;
        };
        if let Some(second) = sources.next() {
            self.faults
                .add(Code::OneSource, second.key_at, "a trigger takes its date from one source")
                .see(entry.key_at, "the other source")
                .help("to combine several, use `earliest`, `latest` or `first`");
            return None;
        }
        Some(match entry.key.as_str() {
            "metadata" => RawSource::Attribute(Attribute::Metadata(self.metadata_name(entry)?)),
            "key" => {
                let pattern = self.key_pattern(entry)?;
                self.captures(entry, &pattern, &["yyyy", "MM", "dd"])?;
                RawSource::Attribute(Attribute::Key(pattern))
            }
            "record" => self.record(entry)?,
            "uploaded" => {
                let yes = matches!(&entry.value.data, Data::Scalar { text, plain: true } if text == "true");
                if !yes {
                    self.faults.add(Code::Choice, entry.value.at, "`uploaded` takes only `true`");
                }
                RawSource::Uploaded
            }
            "tag" => RawSource::Attribute(Attribute::Tag(self.tag_key(entry)?)),
            combination => {
                let items = self.list(combination, &entry.value, true)?;
                let terms = items.iter().filter_map(|item| self.trigger(combination, item, true)).collect();
                match combination {
                    "earliest" => RawSource::Earliest(terms),
                    "latest" => RawSource::Latest(terms),
                    _ => RawSource::First(terms),
                }
            }
        })
    }

    fn record(&mut self, entry: &Entry) -> Option<RawSource> {
        let (at, table, column) = self.record_field(entry)?;
        Some(RawSource::Record { at, table, column })
    }

    /// A record file's name and a column: `customers.country`.
    pub(super) fn record_field(&mut self, entry: &Entry) -> Option<(At, String, String)> {
        let text = self.verbatim("record", &entry.value)?;
        match text.value.split_once('.') {
            Some((_, column)) if column.chars().count() > LONGEST_COLUMN => {
                let message = format!("a column's name has at most {LONGEST_COLUMN} characters");
                self.faults.add(Code::RecordField, text.at, message);
                None
            }
            Some((table, column)) if !table.is_empty() && !column.is_empty() => {
                Some((text.at, table.to_owned(), column.to_owned()))
            }
            _ => {
                self.faults
                    .add(Code::RecordField, text.at, format!("`{}` names no field of a record", text.value))
                    .help("write the record file's name and the column: customers.contract_ended_on");
                None
            }
        }
    }

    fn within(&mut self, entry: &Entry) -> Option<Within> {
        if matches!(entry.value.data, Data::Scalar { .. }) {
            let both = self.length_of_time("within", &entry.value)?;
            return Some(Within { before: both, after: both });
        }
        let fields = self.fields("within", &entry.value, &WITHIN)?;
        let before = self.need(&fields, "before").and_then(|e| self.length_of_time("before", &e.value));
        let after = self.need(&fields, "after").and_then(|e| self.length_of_time("after", &e.value));
        Some(Within { before: before?, after: after? })
    }

    /// An attribute of an object; a key pattern must capture under `capture`.
    pub(super) fn attribute(&mut self, name: &str, node: &Node, capture: &str) -> Option<Attribute> {
        let fields = self.fields(name, node, &ATTRIBUTE)?;
        let mut given = ATTRIBUTE.known.iter().filter_map(|key| fields.get(key));
        let (Some(entry), None) = (given.next(), given.next()) else {
            self.faults.add(
                Code::OneSource,
                fields.at,
                format!("`{name}` takes exactly one of key, metadata, tag"),
            );
            return None;
        };
        Some(match entry.key.as_str() {
            "key" => {
                let pattern = self.key_pattern(entry)?;
                self.captures(entry, &pattern, &[capture])?;
                Attribute::Key(pattern)
            }
            "metadata" => Attribute::Metadata(self.metadata_name(entry)?),
            _ => Attribute::Tag(self.tag_key(entry)?),
        })
    }

    fn captures(&mut self, entry: &Entry, pattern: &KeyPattern, needed: &[&str]) -> Option<()> {
        let missing: Vec<_> =
            needed.iter().filter(|name| !pattern.has(name)).map(|name| format!("{{{name}}}")).collect();
        if missing.is_empty() {
            return Some(());
        }
        let message = format!("the key pattern needs {}", missing.join(" and "));
        self.faults.add(Code::CaptureMissing, entry.value.at, message);
        None
    }

    /// A name of user metadata, in lower case as S3 returns it and without S3's own prefix.
    fn metadata_name(&mut self, entry: &Entry) -> Option<String> {
        let found = self.exact("metadata", &entry.value)?;
        self.check_metadata_name(found)
    }

    /// The name in lower case, if user metadata can have it.
    pub(super) fn check_metadata_name(&mut self, found: Spanned<String>) -> Option<String> {
        let name = found.value.to_ascii_lowercase();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) || name.starts_with("x-amz-") {
            self.faults
                .add(Code::AttributeName, found.at, format!("`{}` is no name of user metadata", found.value))
                .help("write the part after `x-amz-meta-`");
            return None;
        }
        if name.len() > MOST_METADATA {
            self.faults.add(Code::AttributeName, found.at, TOO_MUCH_METADATA);
            return None;
        }
        Some(name)
    }

    fn tag_key(&mut self, entry: &Entry) -> Option<String> {
        let found = self.verbatim("tag", &entry.value)?;
        self.check_tag_key(found)
    }

    /// The key, if a tag can have it.
    pub(super) fn check_tag_key(&mut self, found: Spanned<String>) -> Option<String> {
        if !(1..=LONGEST_TAG_KEY).contains(&found.value.chars().count()) {
            let message = format!("a tag's key has 1 to {LONGEST_TAG_KEY} characters");
            self.faults.add(Code::AttributeName, found.at, message);
            return None;
        }
        self.printable("tag", found.at, &found.value)?;
        Some(found.value)
    }
}

/// Whether a date from the source can lie far from the upload.
const fn takes_within(source: &RawSource) -> bool {
    matches!(source, RawSource::Attribute(_) | RawSource::Record { .. })
}
