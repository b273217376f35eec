//! Rules: what they select, from when and how long they retain, and how they are carried out.

use super::decoder::Decoder;
use super::fields::Keys;
use super::raw::{Raw, RawRule, RawTransition};
use super::select::Of;
use crate::policy::codes::Code;
use crate::policy::diagnostic::Spanned;
use crate::policy::model::{Enforce, ExportPlace, Guards, Noncurrent};
use crate::policy::yaml::{Entry, Node};

/// The longest rule or hold id, so that lifecycle rule ids stay under S3's 255 characters.
pub(super) const LONGEST_ID: usize = 60;

pub(super) const RULE: Keys = Keys {
    what: "a rule",
    known: &[
        "id",
        "data",
        "select",
        "trigger",
        "retain",
        "enforce",
        "noncurrent",
        "incomplete-uploads",
        "transitions",
        "export",
        "undo-window",
        "evidence",
        "guards",
    ],
};

pub(super) const NONCURRENT: Keys =
    Keys { what: "`noncurrent`", known: &["retain", "newer-noncurrent-versions"] };

pub(super) const TRANSITION: Keys = Keys { what: "a transition", known: &["after", "to"] };

const ENFORCE: [(&str, Enforce); 4] = [
    ("auto", Enforce::Auto),
    ("lifecycle", Enforce::Lifecycle),
    ("direct", Enforce::Direct),
    ("observe", Enforce::Observe),
];

const EVIDENCE: [(&str, bool); 1] = [("per-object", true)];

/// Storage classes that objects can be moved to.
const STORAGE_CLASSES: [(&str, &str); 6] = [
    ("STANDARD_IA", "STANDARD_IA"),
    ("INTELLIGENT_TIERING", "INTELLIGENT_TIERING"),
    ("ONEZONE_IA", "ONEZONE_IA"),
    ("GLACIER_IR", "GLACIER_IR"),
    ("GLACIER", "GLACIER"),
    ("DEEP_ARCHIVE", "DEEP_ARCHIVE"),
];

impl Decoder<'_> {
    pub(super) fn rule(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("rules", node, &RULE) else { return };
        let id = self.need(&fields, "id").and_then(|e| self.name("id", &e.value, LONGEST_ID));
        let select = self.need(&fields, "select").and_then(|e| self.select(&e.value, raw, Of::Rule));
        let trigger_at = fields.get("trigger").map(|e| e.key_at);
        let trigger = self.need(&fields, "trigger").and_then(|e| self.trigger("trigger", &e.value, false));
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        raw.rules.push(RawRule {
            id,
            data: fields.get("data").and_then(|e| self.text("data", &e.value)),
            select,
            trigger,
            trigger_at,
            retain,
            enforce: fields.get("enforce").and_then(|e| self.word("enforce", &e.value, &ENFORCE)),
            noncurrent: fields.get("noncurrent").and_then(|e| self.noncurrent(e)),
            incomplete_uploads: fields
                .get("incomplete-uploads")
                .and_then(|e| self.period("incomplete-uploads", &e.value))
                .map(|period| period.value),
            transitions: fields.get("transitions").map(|e| self.transitions(e)).unwrap_or_default(),
            export: fields.get("export").and_then(|e| self.export(e)),
            undo_window: fields.get("undo-window").and_then(|e| self.period("undo-window", &e.value)),
            evidence: fields.get("evidence").and_then(|e| self.word("evidence", &e.value, &EVIDENCE)),
            guards: fields.get("guards").map_or_else(Guards::default, |e| self.rule_guards(e)),
        });
    }

    fn noncurrent(&mut self, entry: &Entry) -> Option<Spanned<Noncurrent>> {
        let fields = self.fields("noncurrent", &entry.value, &NONCURRENT)?;
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        // S3 keeps 100 newer noncurrent versions at most.
        let newer = fields.get("newer-noncurrent-versions").map_or(Some(0), |e| {
            let number = self.whole_number("newer-noncurrent-versions", &e.value, 100)?;
            u32::try_from(number).ok()
        });
        let value = Noncurrent { retain: retain?.value, newer_versions: newer? };
        Some(Spanned { value, at: fields.at })
    }

    fn transitions(&mut self, entry: &Entry) -> Vec<RawTransition> {
        let items = self.list("transitions", &entry.value, true).unwrap_or_default();
        items.iter().filter_map(|item| self.transition(item)).collect()
    }

    fn transition(&mut self, node: &Node) -> Option<RawTransition> {
        let fields = self.fields("transitions", node, &TRANSITION)?;
        let after = self.need(&fields, "after").and_then(|e| self.period("after", &e.value));
        let to = self.need(&fields, "to").and_then(|e| self.word("to", &e.value, &STORAGE_CLASSES));
        Some(RawTransition { after: after?, to: to? })
    }

    fn export(&mut self, entry: &Entry) -> Option<Spanned<ExportPlace>> {
        let found = self.exact("export", &entry.value)?;
        match s3_uri(&found.value) {
            Some((bucket, prefix)) if prefix.is_empty() || prefix.ends_with('/') => Some(Spanned {
                value: ExportPlace { bucket: bucket.to_owned(), prefix: prefix.to_owned() },
                at: found.at,
            }),
            _ => {
                self.faults
                    .add(Code::StorePlace, found.at, format!("`{}` is no place for copies", found.value))
                    .help("write a bucket and a prefix that ends in `/`: s3://exports/media/");
                None
            }
        }
    }
}

/// Bucket and key of an S3 URI; the key can be empty.
pub(super) fn s3_uri(text: &str) -> Option<(&str, &str)> {
    let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
    let is_name = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        && !bucket.starts_with(['-', '.'])
        && !bucket.ends_with(['-', '.'])
        && !bucket.contains("..");
    (is_name && key.len() <= 1024).then_some((bucket, key))
}
