//! The top of a document: settings of the whole policy, record files, and the lists.

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::raw::{Once, Raw, RawTable, Wanted};
use super::rule::{LONGEST_ID, s3_uri};
use crate::calendar::Period;
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::model::{Attribute, By, RecordFormat, RecordPlace};
use crate::policy::yaml::{Data, Entry, Node};

/// The longest policy name, so that lifecycle rule ids stay under S3's 255 characters.
const LONGEST_NAME: usize = 40;

pub(super) const POLICY: Keys = Keys {
    what: "a policy",
    known: &[
        "version",
        "name",
        "timezone",
        "account",
        "tenant",
        "records",
        "triggers",
        "rules",
        "overrides",
        "erasures",
        "holds",
        "guards",
        "tolerance",
        "evidence",
    ],
};

pub(super) const EVIDENCE: Keys = Keys { what: "the evidence", known: &["retain"] };

pub(super) const TABLE: Keys =
    Keys { what: "a record file", known: &["file", "format", "id", "by", "fresh-within", "exported-at"] };

/// What the end of a record file's name says.
const ENDINGS: [(&str, RecordFormat); 4] = [
    (".csv", RecordFormat::Csv),
    (".jsonl", RecordFormat::JsonLines),
    (".ndjson", RecordFormat::JsonLines),
    (".parquet", RecordFormat::Parquet),
];

const FORMATS: [(&str, RecordFormat); 3] =
    [("csv", RecordFormat::Csv), ("jsonl", RecordFormat::JsonLines), ("parquet", RecordFormat::Parquet)];

/// Adds what a document says to `raw`; false if it is no mapping and so says nothing.
pub(in crate::policy) fn document(root: &Node, raw: &mut Raw, faults: &mut Faults) -> bool {
    if root.is_nothing() {
        faults.add(Code::Empty, root.at, "this document says nothing");
        return false;
    }
    let mut warnings = std::mem::take(&mut raw.warnings);
    let is_mapping = Decoder { faults, warnings: &mut warnings }.document(root, raw).is_some();
    raw.warnings = warnings;
    is_mapping
}

impl Decoder<'_> {
    fn document(&mut self, root: &Node, raw: &mut Raw) -> Option<()> {
        let fields = self.fields("policy", root, &POLICY)?;
        if let Some(entry) = fields.get("version") {
            self.version(entry);
            raw.version.get_or_insert(entry.key_at);
        }
        self.once(fields.get("name"), &mut raw.name, |this, e| {
            this.name("name", &e.value, LONGEST_NAME).map(|name| name.value)
        });
        self.once(fields.get("timezone"), &mut raw.timezone, |this, e| this.zone("timezone", &e.value));
        self.once(fields.get("account"), &mut raw.account, Self::account);
        self.once(fields.get("tenant"), &mut raw.tenant, Self::tenant_sources);
        let wanted = &mut raw.wanted_tenants;
        self.once(fields.get("guards"), &mut raw.guards, |this, e| Some(this.guards(e, wanted)));
        self.once(fields.get("tolerance"), &mut raw.tolerance, Self::tolerance);
        self.once(fields.get("evidence"), &mut raw.evidence, Self::evidence);
        for entry in self.named(fields.get("records")) {
            let table = self.table(entry, raw);
            raw.tables.push((Self::key(entry), table));
        }
        for entry in self.named(fields.get("triggers")) {
            let trigger = self.trigger(&entry.key, &entry.value, false);
            raw.triggers.push((Self::key(entry), trigger));
        }
        self.each(fields.get("rules"), raw, Self::rule);
        self.each(fields.get("overrides"), raw, Self::over);
        self.each(fields.get("erasures"), raw, Self::erasure);
        self.each(fields.get("holds"), raw, Self::hold);
        Some(())
    }

    /// Decodes a setting that can stand once in all documents.
    fn once<T>(
        &mut self,
        entry: Option<&Entry>,
        slot: &mut Option<Once<T>>,
        decode: impl FnOnce(&mut Self, &Entry) -> Option<T>,
    ) {
        let Some(entry) = entry else { return };
        let value = decode(self, entry);
        match slot {
            Some(first) => {
                self.faults
                    .add(Code::SaidTwice, entry.key_at, format!("`{}` is given twice", entry.key))
                    .see(first.at, "first given here");
            }
            None => *slot = Some(Once { at: entry.key_at, value }),
        }
    }

    /// Decodes the items of a list that can be empty.
    pub(super) fn each(
        &mut self,
        entry: Option<&Entry>,
        raw: &mut Raw,
        decode: fn(&mut Self, &Node, &mut Raw),
    ) {
        let items = entry.and_then(|entry| self.list(&entry.key, &entry.value, false));
        for item in items.unwrap_or_default() {
            decode(self, item, raw);
        }
    }

    /// The entries of a mapping from names, those that are names.
    pub(super) fn named<'n>(&mut self, entry: Option<&'n Entry>) -> Vec<&'n Entry> {
        let Some(entry) = entry else { return Vec::new() };
        let Data::Map(entries) = &entry.value.data else {
            self.wrong_shape(&entry.key, &entry.value, "a mapping from names");
            return Vec::new();
        };
        entries.iter().filter(|entry| self.check_name(&Self::key(entry), LONGEST_ID)).collect()
    }

    pub(super) fn key(entry: &Entry) -> Spanned<String> {
        Spanned { value: entry.key.clone(), at: entry.key_at }
    }

    pub(super) fn version(&mut self, entry: &Entry) {
        if !matches!(&entry.value.data, Data::Scalar { text, plain: true } if text == "1") {
            self.faults
                .add(Code::Version, entry.value.head(), "not a version of the policy language")
                .help("write `version: 1`, without quotes");
        }
    }

    fn account(&mut self, entry: &Entry) -> Option<String> {
        let found = self.exact("account", &entry.value)?;
        if found.value.len() != 12 || !found.value.bytes().all(|b| b.is_ascii_digit()) {
            self.faults.add(Code::Account, found.at, format!("`{}` is not twelve digits", found.value));
            return None;
        }
        Some(found.value)
    }

    fn tenant_sources(&mut self, entry: &Entry) -> Option<Vec<Attribute>> {
        let items = self.list("tenant", &entry.value, true)?;
        Some(items.iter().filter_map(|item| self.attribute("tenant", item, "tenant")).collect())
    }

    fn tolerance(&mut self, entry: &Entry) -> Option<u32> {
        let period = self.period("tolerance", &entry.value)?;
        if period.value.months > 0 {
            self.faults
                .add(Code::FixedPeriod, period.at, "months and years have no fixed number of days")
                .help("write days or weeks");
            return None;
        }
        Some(period.value.days)
    }

    fn evidence(&mut self, entry: &Entry) -> Option<Period> {
        let fields = self.fields("evidence", &entry.value, &EVIDENCE)?;
        let retain = self.need(&fields, "retain")?;
        self.period("retain", &retain.value).map(|period| period.value)
    }

    fn table(&mut self, entry: &Entry, raw: &mut Raw) -> Option<RawTable> {
        let fields = self.fields(&entry.key, &entry.value, &TABLE)?;
        let file = self.need(&fields, "file").and_then(|e| self.record_file(e));
        let format = match &file {
            Some((_, of_name)) => self.record_format(&fields, *of_name),
            None => None,
        };
        let place = file.map(|(place, _)| place);
        let id = self.need(&fields, "id").and_then(|e| self.verbatim("id", &e.value)).map(|id| id.value);
        let by = self.need(&fields, "by").and_then(|e| self.by(e, raw));
        let fresh_within = fields.get("fresh-within").and_then(|e| self.period("fresh-within", &e.value));
        let exported_at = fields.get("exported-at").and_then(|e| self.verbatim("exported-at", &e.value));
        let alone = match (fields.get("fresh-within"), fields.get("exported-at")) {
            (Some(alone), None) => Some((alone.key_at, "`fresh-within` needs `exported-at`")),
            (None, Some(alone)) => Some((alone.key_at, "`exported-at` needs `fresh-within`")),
            _ => None,
        };
        if let Some((at, message)) = alone {
            self.faults.add(Code::FreshNeedsExport, at, message);
        }
        Some(RawTable { place, format, id, by, fresh_within, exported_at })
    }

    fn by(&mut self, entry: &Entry, raw: &mut Raw) -> Option<By> {
        if matches!(entry.value.data, Data::Scalar { .. }) {
            let by = self.word("by", &entry.value, &[("tenant", ())])?;
            raw.wanted_tenants.push(Wanted { at: by.at, by: "a record file" });
            return Some(By::Tenant);
        }
        self.attribute("by", &entry.value, "id").map(By::Attribute)
    }

    /// Where the file lies, and what kind of file its name says it is.
    fn record_file(&mut self, entry: &Entry) -> Option<(RecordPlace, Option<RecordFormat>)> {
        let found = self.exact("file", &entry.value)?;
        let (path, at) = (found.value.as_str(), found.at);
        let lower = path.to_ascii_lowercase();
        let format = ENDINGS.iter().find(|(end, _)| lower.ends_with(end)).map(|(_, format)| *format);
        if path.starts_with("s3://") {
            let Some((bucket, key)) = s3_uri(path).filter(|(_, key)| !key.is_empty() && !key.ends_with('/'))
            else {
                self.faults
                    .add(Code::StorePlace, at, format!("`{path}` is no file in a store"))
                    .help("write the bucket and the key: s3://exports/customers.csv");
                return None;
            };
            return Some((RecordPlace::Store { bucket: bucket.to_owned(), key: key.to_owned() }, format));
        }
        if lower.contains("://") {
            self.refuse_path(at, path, "only `s3://` is read beside the policy folder");
            return None;
        }
        if let Some(why) = leaves_the_folder(path) {
            self.refuse_path(at, path, why);
            return None;
        }
        Some((RecordPlace::Folder(found.value), format))
    }

    /// What kind of file it is: as is said, or as its name ends.
    fn record_format(&mut self, fields: &Fields<'_>, of_name: Option<RecordFormat>) -> Option<RecordFormat> {
        if let Some(entry) = fields.get("format") {
            return self.word("format", &entry.value, &FORMATS).map(|word| word.value);
        }
        if of_name.is_none()
            && let Some(entry) = fields.get("file")
        {
            self.faults
                .add(Code::RecordPath, entry.value.at, "the name does not say what kind of file it is")
                .help("end it in .csv, .jsonl, .ndjson or .parquet, or write `format: csv`");
        }
        of_name
    }

    fn refuse_path(&mut self, at: At, path: &str, why: &str) {
        self.faults
            .add(Code::RecordPath, at, format!("`{path}` cannot be a record file: {why}"))
            .help("name a file inside the policy folder, such as records/customers.csv, or one in a store: s3://bucket/key");
    }
}

pub(super) fn leaves_the_folder(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        Some("the path is absolute")
    } else if path.contains(['\\', ':']) {
        Some("`\\` and `:` mean different things on different systems")
    } else if path.split('/').any(|part| part == "..") {
        Some("`..` leaves the policy folder")
    } else if path.split('/').any(|part| part.is_empty() || part == ".") {
        Some("it has an empty part")
    } else {
        None
    }
}
