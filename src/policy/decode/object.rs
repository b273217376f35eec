//! An object as somebody describes it, and the values that stand in such descriptions.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use crate::object::{Attributes, Kind, Lock, Versioning};
use crate::policy::case::{GivenObject, GivenUnreadable};
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::yaml::{Data, Entry, Node, look_alike};

const OBJECT: Keys = Keys {
    what: "an object",
    known: &[
        "bucket",
        "key",
        "uploaded",
        "size",
        "metadata",
        "tags",
        "content-type",
        "tenant",
        "kind",
        "versioning",
        "version-id",
        "superseded",
        "newer-noncurrent",
        "alone",
        "lock",
        "unreadable",
    ],
};

const LOCK: Keys = Keys { what: "`lock`", known: &["legal-hold", "retain-until"] };

const KINDS: [(&str, Kind); 4] = [
    ("object", Kind::Object),
    ("version", Kind::Version),
    ("marker", Kind::Marker),
    ("upload", Kind::Upload),
];

const VERSIONING: [(&str, Versioning); 3] =
    [("never", Versioning::Never), ("enabled", Versioning::Enabled), ("suspended", Versioning::Suspended)];

#[derive(Clone, Copy)]
enum Asked {
    Metadata,
    Tags,
    Lock,
}

const ASKED: [(&str, Asked); 3] =
    [("metadata", Asked::Metadata), ("tags", Asked::Tags), ("lock", Asked::Lock)];

const YES_OR_NO: [(&str, bool); 2] = [("true", true), ("false", false)];

/// The object that a document describes.
pub(in crate::policy) fn object(root: &Node, faults: &mut Faults) -> Option<GivenObject> {
    if root.is_nothing() {
        faults.add(Code::Empty, root.at, "this document says nothing");
        return None;
    }
    Decoder { faults, warnings: &mut Faults::default() }.given_object("object", root)
}

impl Decoder<'_> {
    pub(super) fn given_object(&mut self, name: &str, node: &Node) -> Option<GivenObject> {
        let fields = self.fields(name, node, &OBJECT)?;
        let bucket = self.need(&fields, "bucket").and_then(|e| self.exact("bucket", &e.value));
        let key = self.need(&fields, "key").and_then(|e| self.exact("key", &e.value));
        let uploaded = self.need(&fields, "uploaded").and_then(|e| self.instant("uploaded", &e.value));
        let (kind, versioning) = self.kind_and_versioning(&fields);
        let superseded = fields.get("superseded").and_then(|e| self.instant("superseded", &e.value));
        let newer = fields.get("newer-noncurrent").and_then(|e| {
            let number = self.whole_number("newer-noncurrent", &e.value, 1_000_000)?;
            u32::try_from(number).ok()
        });
        let alone = fields.get("alone").and_then(|e| self.yes_or_no(e));
        let size = fields.get("size").and_then(|e| self.amount("size", &e.value));
        let given = GivenObject {
            bucket: bucket.map(|text| text.value).unwrap_or_default(),
            key: key.map(|text| text.value).unwrap_or_default(),
            kind,
            version_id: fields
                .get("version-id")
                .and_then(|e| self.exact("version-id", &e.value))
                .map(|text| text.value),
            uploaded: uploaded.unwrap_or_default(),
            superseded,
            newer_noncurrent: newer.unwrap_or_default(),
            alone: alone.unwrap_or_default(),
            size,
            metadata: fields.get("metadata").and_then(|e| self.attributes(e, false)),
            content_type: fields.get("content-type").and_then(|e| self.value("content-type", &e.value)),
            tags: fields.get("tags").and_then(|e| self.attributes(e, true)),
            tenant: fields
                .get("tenant")
                .and_then(|e| self.one_value("tenant", &e.value))
                .map(|text| text.value),
            lock: fields.get("lock").and_then(|e| self.lock(e)),
            unreadable: fields.get("unreadable").map(|e| self.unreadable(e, &fields)).unwrap_or_default(),
            versioning,
        };
        self.fits_together(&given, &fields);
        Some(given)
    }

    fn kind_and_versioning(&mut self, fields: &Fields<'_>) -> (Kind, Versioning) {
        let kind = fields.get("kind").and_then(|e| self.word("kind", &e.value, &KINDS));
        let versioning =
            fields.get("versioning").and_then(|e| self.word("versioning", &e.value, &VERSIONING));
        let kind = kind.map(|word| word.value);
        let versioning = versioning.map(|word| word.value);
        let keeps = matches!(versioning, Some(Versioning::Enabled | Versioning::Suspended));
        let kind = kind.unwrap_or(if keeps { Kind::Version } else { Kind::Object });
        let is_version = matches!(kind, Kind::Version | Kind::Marker);
        let versioning =
            versioning.unwrap_or(if is_version { Versioning::Enabled } else { Versioning::Never });
        if let Some(entry) = fields.get("kind") {
            let wrong = match kind {
                Kind::Object if keeps => Some("an object in a bucket with versioning is a `version`"),
                Kind::Version | Kind::Marker if versioning == Versioning::Never => {
                    Some("there are no versions in a bucket that never had versioning")
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.faults.add(Code::OutOfPlace, entry.value.at, wrong);
            }
        }
        (kind, versioning)
    }

    /// What can be said of some kinds of things alone.
    fn fits_together(&mut self, given: &GivenObject, fields: &Fields<'_>) {
        let is_version = matches!(given.kind, Kind::Version | Kind::Marker);
        let carries_nothing = matches!(given.kind, Kind::Marker | Kind::Upload);
        let wrong = [
            ("superseded", !is_version, "only versions and delete markers are superseded"),
            ("newer-noncurrent", given.superseded.is_none(), "only a superseded version has newer ones"),
            ("alone", given.kind != Kind::Marker, "only a delete marker can be all that is left of its key"),
            ("version-id", !is_version, "only versions and delete markers have a version id"),
            ("metadata", carries_nothing, "uploads and delete markers show no metadata"),
            ("content-type", carries_nothing, "uploads and delete markers show no content type"),
            ("tags", carries_nothing, "uploads and delete markers show no tags"),
            ("size", carries_nothing, "uploads and delete markers show no size"),
        ];
        for (key, is_wrong, why) in wrong {
            if is_wrong && let Some(entry) = fields.get(key) {
                self.faults.add(Code::OutOfPlace, entry.key_at, why);
            }
        }
    }

    fn lock(&mut self, entry: &Entry) -> Option<Lock> {
        let fields = self.fields("lock", &entry.value, &LOCK)?;
        Some(Lock {
            legal_hold: fields.get("legal-hold").and_then(|e| self.yes_or_no(e)).unwrap_or_default(),
            retain_until: fields.get("retain-until").and_then(|e| self.instant("retain-until", &e.value)),
        })
    }

    fn unreadable(&mut self, entry: &Entry, fields: &Fields<'_>) -> GivenUnreadable {
        let mut found = GivenUnreadable::default();
        for item in self.list("unreadable", &entry.value, true).unwrap_or_default() {
            let Some(asked) = self.word("unreadable", item, &ASKED) else { continue };
            let known: &[&str] = match asked.value {
                Asked::Metadata => &["metadata", "content-type"],
                Asked::Tags => &["tags"],
                Asked::Lock => &["lock"],
            };
            match asked.value {
                Asked::Metadata => found.metadata = true,
                Asked::Tags => found.tags = true,
                Asked::Lock => found.lock = true,
            }
            if let Some(given) = known.iter().find_map(|key| fields.get(key)) {
                let message = format!("`{}` is given, so it can be read", given.key);
                self.faults.add(Code::OutOfPlace, asked.at, message).see(given.key_at, "given here");
            }
        }
        found
    }

    fn yes_or_no(&mut self, entry: &Entry) -> Option<bool> {
        self.word(&entry.key, &entry.value, &YES_OR_NO).map(|word| word.value)
    }

    fn attributes(&mut self, entry: &Entry, of_tags: bool) -> Option<Attributes> {
        let Data::Map(entries) = &entry.value.data else {
            self.wrong_shape(&entry.key, &entry.value, "a mapping from names to texts");
            return None;
        };
        let mut attributes = Attributes::new();
        for one in entries {
            let name = Spanned { value: one.key.clone(), at: one.key_at };
            let name = if of_tags { self.check_tag_key(name) } else { self.check_metadata_name(name) };
            let value = self.value(&one.key, &one.value);
            if let (Some(name), Some(value)) = (name, value)
                && attributes.insert(name, value).is_some()
            {
                self.faults.add(Code::DuplicateKey, one.key_at, format!("`{}` is given twice", one.key));
            }
        }
        Some(attributes)
    }

    /// Text as the store or a record holds it: dates need no quotes, and it may be empty.
    pub(super) fn value(&mut self, name: &str, node: &Node) -> Option<String> {
        match &node.data {
            Data::Scalar { text, plain: false } if text.is_empty() => Some(String::new()),
            Data::Scalar { text, plain: true } if look_alike(text) == Some("a date") => Some(text.clone()),
            _ => self.exact(name, node).map(|text| text.value),
        }
    }

    /// A point in time: an instant with its zone, or a day, which is its first instant in UTC.
    pub(super) fn instant(&mut self, name: &str, node: &Node) -> Option<DateTime<Utc>> {
        let Data::Scalar { text, .. } = &node.data else {
            self.wrong_shape(name, node, "a date such as `2027-01-31` or `2027-01-31T12:00:00Z`");
            return None;
        };
        self.instant_of(text, node.at)
    }

    pub(super) fn instant_of(&mut self, text: &str, at: At) -> Option<DateTime<Utc>> {
        let day = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
        let found = match day {
            Some(day) => Some(day.and_time(NaiveTime::MIN).and_utc()),
            None => DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)),
        };
        if found.is_none() {
            self.faults.add(Code::Date, at, format!("`{text}` is neither a day nor an instant")).help(
                "write a day, 2027-01-31, which is its first instant in UTC; or an instant with its zone, \
                 2027-01-31T12:00:00Z",
            );
        }
        found
    }
}
