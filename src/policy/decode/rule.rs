//! Rules, overrides, holds, and what selects objects.

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::raw::{Once, Raw, RawHold, RawOverride, RawRule, RawSelect, Wanted};
use crate::pattern::{BucketPattern, KeyPattern};
use crate::policy::codes::Code;
use crate::policy::diagnostic::Spanned;
use crate::policy::model::{Enforce, Guards, Noncurrent, Select};
use crate::policy::yaml::{Entry, Node};

/// The longest rule or hold id, so that lifecycle rule ids stay under S3's 255 characters.
pub(super) const LONGEST_ID: usize = 60;

/// The longest key in S3, in bytes.
const LONGEST_KEY: usize = 1024;

const RULE: Keys = Keys {
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
        "guards",
    ],
    later: &["export", "undo-window", "transitions", "evidence"],
};

const SELECT: Keys = Keys {
    what: "a select",
    known: &["buckets", "prefix", "key", "tenants"],
    later: &["media", "content-type", "tags", "metadata", "size", "except"],
};

const NONCURRENT: Keys =
    Keys { what: "`noncurrent`", known: &["retain", "newer-noncurrent-versions"], later: &[] };

const OVERRIDE: Keys = Keys {
    what: "an override",
    known: &["tenants", "rule", "retain", "agreement", "until"],
    later: &["where", "legal-basis"],
};

const HOLD: Keys = Keys { what: "a hold", known: &["id", "reason", "select", "released"], later: &[] };

const POLICY_GUARDS: Keys = Keys {
    what: "`guards`",
    known: &["max-share", "max-objects", "max-bytes", "max-plan-age"],
    later: &["max-shrink"],
};

const RULE_GUARDS: Keys = Keys {
    what: "the `guards` of a rule",
    known: &["max-share", "max-objects", "max-bytes"],
    later: &["max-shrink"],
};

const ENFORCE: [(&str, Enforce); 4] = [
    ("auto", Enforce::Auto),
    ("lifecycle", Enforce::Lifecycle),
    ("direct", Enforce::Direct),
    ("observe", Enforce::Observe),
];

impl Decoder<'_> {
    pub(super) fn rule(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("rules", node, &RULE) else { return };
        let id = self.need(&fields, "id").and_then(|e| self.name("id", &e.value, LONGEST_ID));
        let select = self.need(&fields, "select").and_then(|e| self.select(&e.value, raw, true));
        let trigger = self.need(&fields, "trigger").and_then(|e| self.trigger("trigger", &e.value, false));
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        let retain = retain.map(|retain| retain.value);
        raw.rules.push(RawRule {
            id,
            data: fields.get("data").and_then(|e| self.text("data", &e.value)),
            select,
            trigger,
            retain,
            enforce: fields
                .get("enforce")
                .and_then(|e| self.word("enforce", &e.value, &ENFORCE))
                .map_or_else(Enforce::default, |word| word.value),
            noncurrent: fields.get("noncurrent").and_then(|e| self.noncurrent(e)),
            incomplete_uploads: fields
                .get("incomplete-uploads")
                .and_then(|e| self.period("incomplete-uploads", &e.value))
                .map(|period| period.value),
            guards: fields.get("guards").map_or_else(Guards::default, |e| self.guards(e, false)),
        });
    }

    fn noncurrent(&mut self, entry: &Entry) -> Option<Noncurrent> {
        let fields = self.fields("noncurrent", &entry.value, &NONCURRENT)?;
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        // S3 keeps 100 newer noncurrent versions at most.
        let newer = fields.get("newer-noncurrent-versions").map_or(Some(0), |e| {
            let number = self.whole_number("newer-noncurrent-versions", &e.value, 100)?;
            u32::try_from(number).ok()
        });
        Some(Noncurrent { retain: retain?.value, newer_versions: newer? })
    }

    pub(super) fn guards(&mut self, entry: &Entry, of_policy: bool) -> Guards {
        let keys = if of_policy { &POLICY_GUARDS } else { &RULE_GUARDS };
        let Some(fields) = self.fields("guards", &entry.value, keys) else { return Guards::default() };
        Guards {
            max_share: fields.get("max-share").and_then(|e| self.share("max-share", &e.value)),
            max_objects: fields
                .get("max-objects")
                .and_then(|e| self.whole_number("max-objects", &e.value, u64::MAX)),
            max_bytes: fields.get("max-bytes").and_then(|e| self.bytes("max-bytes", &e.value)),
            max_plan_age: fields
                .get("max-plan-age")
                .filter(|_| of_policy)
                .and_then(|e| self.period("max-plan-age", &e.value))
                .map(|period| period.value),
        }
    }

    pub(super) fn over(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("overrides", node, &OVERRIDE) else { return };
        let tenants = self.need(&fields, "tenants").map(|e| {
            raw.wanted_tenants.push(Wanted { at: e.key_at, by: "an override" });
            self.tenants(e)
        });
        let rule = self.need(&fields, "rule").and_then(|e| self.exact("rule", &e.value));
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        raw.overrides.push(RawOverride {
            tenants,
            rule,
            retain,
            agreement: fields.get("agreement").map(|e| Once {
                at: e.key_at,
                value: self.exact("agreement", &e.value).map(|text| text.value),
            }),
            until: fields.get("until").and_then(|e| self.date("until", &e.value)),
        });
    }

    pub(super) fn hold(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("holds", node, &HOLD) else { return };
        let id = self.need(&fields, "id").and_then(|e| self.name("id", &e.value, LONGEST_ID));
        let reason = self.need(&fields, "reason").and_then(|e| self.text("reason", &e.value));
        let select = match fields.get("select") {
            Some(entry) => self.select(&entry.value, raw, false),
            None => {
                self.selects_nothing(&fields);
                None
            }
        };
        let released = fields.get("released").and_then(|e| self.date("released", &e.value));
        raw.holds.push(RawHold { id, reason, select, released });
    }

    fn selects_nothing(&mut self, fields: &Fields<'_>) {
        self.faults
            .add(Code::SelectsNothing, fields.at, "the hold does not say what it holds")
            .help("to hold everything, write `select: {buckets: [\"*\"]}`");
    }

    fn select(&mut self, node: &Node, raw: &mut Raw, of_rule: bool) -> Option<RawSelect> {
        let fields = self.fields("select", node, &SELECT)?;
        if fields.is_empty() && !of_rule {
            self.selects_nothing(&fields);
            return None;
        }
        let buckets = if of_rule { self.need(&fields, "buckets") } else { fields.get("buckets") };
        let prefix = fields.get("prefix").and_then(|e| self.prefix(e));
        let prefix_at = prefix.as_ref().map(|prefix| prefix.at);
        let select = Select {
            buckets: buckets.map(|e| self.buckets(e)).unwrap_or_default(),
            prefix: prefix.map(|prefix| prefix.value),
            key: fields.get("key").and_then(|e| self.key_pattern(e)),
            tenants: fields.get("tenants").map(|e| {
                raw.wanted_tenants.push(Wanted { at: e.key_at, by: "a select" });
                self.tenants(e)
            }),
        };
        Some(RawSelect { select, prefix_at })
    }

    fn buckets(&mut self, entry: &Entry) -> Vec<BucketPattern> {
        let items = self.list("buckets", &entry.value, true).unwrap_or_default();
        let mut buckets: Vec<_> = items.iter().filter_map(|item| self.bucket(item)).collect();
        buckets.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        buckets.dedup_by(|a, b| a.as_str() == b.as_str());
        buckets
    }

    fn bucket(&mut self, node: &Node) -> Option<BucketPattern> {
        let text = self.exact("buckets", node)?.value;
        // Names from before 2018 can be longer and have upper case and underscores.
        let fits = text.len() <= 255
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b))
            && (text.len() >= 3 || text.contains('*'));
        match BucketPattern::parse(&text) {
            Ok(pattern) if fits => Some(pattern),
            _ => {
                self.faults
                    .add(Code::Bucket, node.at, format!("`{text}` is neither a bucket's name nor a pattern"))
                    .help("write the name alone, without `s3://` or a path; `*` and `?` make it a pattern");
                None
            }
        }
    }

    fn prefix(&mut self, entry: &Entry) -> Option<Spanned<String>> {
        let prefix = self.exact("prefix", &entry.value)?;
        if prefix.value.len() > LONGEST_KEY {
            let message = format!("a prefix of {} bytes is longer than any key", prefix.value.len());
            self.faults.add(Code::Prefix, prefix.at, message);
            return None;
        }
        Some(prefix)
    }

    pub(super) fn key_pattern(&mut self, entry: &Entry) -> Option<KeyPattern> {
        let text = self.exact("key", &entry.value)?;
        match KeyPattern::parse(&text.value) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.faults.add(Code::Pattern, text.at, format!("not a pattern: {error}"));
                None
            }
        }
    }

    fn tenants(&mut self, entry: &Entry) -> Vec<String> {
        let items = self.list("tenants", &entry.value, true).unwrap_or_default();
        let mut tenants: Vec<_> =
            items.iter().filter_map(|item| self.exact("tenants", item)).map(|tenant| tenant.value).collect();
        tenants.sort();
        tenants.dedup();
        tenants
    }
}
