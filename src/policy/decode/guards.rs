//! Guards: what one run may remove, and what stops it.

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::policy::leaves_the_folder;
use super::raw::Wanted;
use super::rule::s3_uri;
use crate::policy::codes::Code;
use crate::policy::diagnostic::At;
use crate::policy::model::{Guards, Limits, RecordPlace};
use crate::policy::yaml::Entry;

pub(super) const POLICY_GUARDS: Keys = Keys {
    what: "`guards`",
    known: &[
        "max-share",
        "max-objects",
        "max-bytes",
        "max-times-usual",
        "max-plan-age",
        "max-shrink",
        "per-bucket",
        "per-tenant",
        "stop-file",
    ],
};

pub(super) const RULE_GUARDS: Keys = Keys {
    what: "the `guards` of a rule",
    known: &["max-share", "max-objects", "max-bytes", "max-times-usual"],
};

pub(super) const PER_BUCKET: Keys =
    Keys { what: "`per-bucket`", known: &["max-share", "max-objects", "max-bytes"] };

pub(super) const PER_TENANT: Keys = Keys { what: "`per-tenant`", known: PER_BUCKET.known };

impl Decoder<'_> {
    /// The guards of a rule.
    pub(super) fn rule_guards(&mut self, entry: &Entry) -> Guards {
        let Some(fields) = self.fields("guards", &entry.value, &RULE_GUARDS) else {
            return Guards::default();
        };
        self.of_rule_and_policy(&fields)
    }

    /// The guards of the policy.
    pub(super) fn guards(&mut self, entry: &Entry, wanted_tenants: &mut Vec<Wanted>) -> Guards {
        let Some(fields) = self.fields("guards", &entry.value, &POLICY_GUARDS) else {
            return Guards::default();
        };
        let per_tenant = fields.get("per-tenant");
        wanted_tenants.extend(per_tenant.map(|e| Wanted { at: e.key_at, by: "a guard" }));
        Guards {
            max_plan_age: fields
                .get("max-plan-age")
                .and_then(|e| self.period("max-plan-age", &e.value))
                .map(|period| period.value),
            max_shrink: fields.get("max-shrink").and_then(|e| self.share("max-shrink", &e.value)),
            per_bucket: fields
                .get("per-bucket")
                .map_or_else(Limits::default, |e| self.each_of(e, &PER_BUCKET)),
            per_tenant: per_tenant.map_or_else(Limits::default, |e| self.each_of(e, &PER_TENANT)),
            stop_file: fields.get("stop-file").and_then(|e| self.stop_file(e)),
            ..self.of_rule_and_policy(&fields)
        }
    }

    fn of_rule_and_policy(&mut self, fields: &Fields<'_>) -> Guards {
        let Limits { max_share, max_objects, max_bytes } = self.limits(fields);
        let max_times_usual = fields
            .get("max-times-usual")
            .and_then(|e| self.whole_number("max-times-usual", &e.value, u64::MAX));
        Guards { max_share, max_objects, max_bytes, max_times_usual, ..Guards::default() }
    }

    fn each_of(&mut self, entry: &Entry, keys: &Keys) -> Limits {
        self.fields(&entry.key, &entry.value, keys)
            .map_or_else(Limits::default, |fields| self.limits(&fields))
    }

    fn limits(&mut self, fields: &Fields<'_>) -> Limits {
        Limits {
            max_share: fields.get("max-share").and_then(|e| self.share("max-share", &e.value)),
            max_objects: fields
                .get("max-objects")
                .and_then(|e| self.whole_number("max-objects", &e.value, u64::MAX)),
            max_bytes: fields.get("max-bytes").and_then(|e| self.bytes("max-bytes", &e.value)),
        }
    }

    fn stop_file(&mut self, entry: &Entry) -> Option<RecordPlace> {
        let found = self.exact("stop-file", &entry.value)?;
        let path = found.value.as_str();
        if path.starts_with("s3://") {
            let place = s3_uri(path).filter(|(_, key)| !key.is_empty() && !key.ends_with('/'));
            if place.is_none() {
                self.refuse_stop_file(found.at, path, "it is no bucket and key");
            }
            return place
                .map(|(bucket, key)| RecordPlace::Store { bucket: bucket.to_owned(), key: key.to_owned() });
        }
        if let Some(why) = leaves_the_folder(path) {
            self.refuse_stop_file(found.at, path, why);
            return None;
        }
        Some(RecordPlace::Folder(found.value))
    }

    fn refuse_stop_file(&mut self, at: At, path: &str, why: &str) {
        self.faults
            .add(Code::StopFile, at, format!("`{path}` cannot be the stop file: {why}"))
            .help("name a path inside the policy folder, such as STOP, or an object: s3://bucket/key");
    }
}
