//! Test files: cases, and what they stand under.

use chrono::{DateTime, Utc};

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::raw::Raw;
use super::rule::LONGEST_ID;
use crate::policy::case::{Expectation, GivenObject, GivenTable};
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::yaml::{Data, Entry, Node};

const FILE: Keys = Keys {
    what: "a test file",
    known: &["version", "records", "holds", "erasures", "overrides", "without-holds", "tests"],
};

const CASE: Keys = Keys {
    what: "a test",
    known: &["name", "object", "records", "holds", "erasures", "overrides", "without-holds", "expect"],
};

const EXPECTATION: Keys = Keys {
    what: "an expectation",
    known: &["decision", "due", "rule", "rules", "holds", "erasures", "tenant", "reason"],
};

/// The longest name of a test.
const LONGEST_NAME: usize = 200;

const UNUSABLE: [(&str, GivenTable); 2] = [("missing", GivenTable::Missing), ("stale", GivenTable::Stale)];

/// One document of a test file.
pub(in crate::policy) struct RawCases<'n> {
    pub under: Under<'n>,
    pub cases: Vec<RawCase<'n>>,
}

/// What a test stands under beside the policy.
pub(in crate::policy) struct Under<'n> {
    pub tables: Vec<RawRows>,
    /// `holds`, `erasures` and `overrides`, in the policy's own language.
    pub extras: Vec<&'n Entry>,
    pub without_holds: Vec<Spanned<String>>,
}

impl Under<'_> {
    /// Whether it leaves the policy as it is.
    pub fn keeps_the_policy(&self) -> bool {
        self.extras.is_empty() && self.without_holds.is_empty()
    }
}

pub(in crate::policy) struct RawRows {
    pub name: Spanned<String>,
    pub table: RawTableOf,
}

pub(in crate::policy) enum RawTableOf {
    Rows(Vec<Vec<(Spanned<String>, String)>>),
    Unusable(GivenTable),
}

pub(in crate::policy) struct RawCase<'n> {
    pub name: Option<Spanned<String>>,
    pub object: Option<GivenObject>,
    pub object_at: At,
    pub under: Under<'n>,
    pub expectations: Vec<RawExpectation>,
}

pub(in crate::policy) struct RawExpectation {
    pub on: DateTime<Utc>,
    pub written: Spanned<String>,
    pub decision: &'static str,
    pub due: Option<Option<DateTime<Utc>>>,
    pub rule: Option<Spanned<String>>,
    pub rules: Option<Vec<Spanned<String>>>,
    pub holds: Option<Vec<Spanned<String>>>,
    pub erasures: Option<Vec<Spanned<String>>>,
    pub tenant: Option<Option<String>>,
    pub reasons: Vec<String>,
}

/// The cases of one document.
pub(in crate::policy) fn cases<'n>(root: &'n Node, faults: &mut Faults) -> Option<RawCases<'n>> {
    if root.is_nothing() {
        faults.add(Code::Empty, root.at, "this document says nothing");
        return None;
    }
    Decoder { faults, warnings: &mut Faults::default() }.cases(root)
}

/// Adds what a test stands under to what the policy says.
pub(in crate::policy) fn extras(entries: &[&Entry], raw: &mut Raw, faults: &mut Faults) {
    let mut decoder = Decoder { faults, warnings: &mut Faults::default() };
    for entry in entries {
        match entry.key.as_str() {
            "holds" => decoder.each(Some(entry), raw, Decoder::hold),
            "erasures" => decoder.each(Some(entry), raw, Decoder::erasure),
            _ => decoder.each(Some(entry), raw, Decoder::over),
        }
    }
}

impl Decoder<'_> {
    fn cases<'n>(&mut self, root: &'n Node) -> Option<RawCases<'n>> {
        let fields = self.fields("test file", root, &FILE)?;
        if let Some(entry) = self.need(&fields, "version") {
            self.version(entry);
        }
        let under = self.under(&fields);
        let items = self.need(&fields, "tests").and_then(|e| self.list("tests", &e.value, true));
        let cases = items.unwrap_or_default().iter().filter_map(|item| self.case(item)).collect();
        Some(RawCases { under, cases })
    }

    fn case<'n>(&mut self, node: &'n Node) -> Option<RawCase<'n>> {
        let fields = self.fields("tests", node, &CASE)?;
        let name = self.need(&fields, "name").and_then(|e| self.case_name(e));
        let object = self.need(&fields, "object");
        let expect = self.need(&fields, "expect");
        Some(RawCase {
            name,
            object_at: object.map_or(fields.at, |e| e.key_at),
            object: object.and_then(|e| self.given_object("object", &e.value)),
            under: self.under(&fields),
            expectations: expect.map(|e| self.expectations(e)).unwrap_or_default(),
        })
    }

    fn case_name(&mut self, entry: &Entry) -> Option<Spanned<String>> {
        let value = self.text("name", &entry.value)?;
        if value.chars().count() > LONGEST_NAME || value.contains('\n') {
            self.faults
                .add(Code::Name, entry.value.at, "a test's name is one line")
                .help(format!("use at most {LONGEST_NAME} characters"));
            return None;
        }
        Some(Spanned { value, at: entry.value.at })
    }

    fn under<'n>(&mut self, fields: &Fields<'n>) -> Under<'n> {
        Under {
            tables: fields.get("records").map(|e| self.rows_of_tables(e)).unwrap_or_default(),
            extras: ["holds", "erasures", "overrides"].iter().filter_map(|key| fields.get(key)).collect(),
            without_holds: fields.get("without-holds").map(|e| self.ids(e)).unwrap_or_default(),
        }
    }

    fn ids(&mut self, entry: &Entry) -> Vec<Spanned<String>> {
        let items = self.list(&entry.key, &entry.value, false).unwrap_or_default();
        items.iter().filter_map(|item| self.name(&entry.key, item, LONGEST_ID)).collect()
    }

    fn rows_of_tables(&mut self, entry: &Entry) -> Vec<RawRows> {
        let mut tables = Vec::new();
        for one in self.named(Some(entry)) {
            let name = Self::key(one);
            let table = match &one.value.data {
                Data::Scalar { .. } => {
                    let words = [(UNUSABLE[0].0, 0), (UNUSABLE[1].0, 1)];
                    self.word(&one.key, &one.value, &words).and_then(|word| {
                        Some(RawTableOf::Unusable(UNUSABLE.get(word.value).map(|(_, table)| table.clone())?))
                    })
                }
                _ => self.list(&one.key, &one.value, false).map(|items| {
                    RawTableOf::Rows(items.iter().filter_map(|item| self.row(&one.key, item)).collect())
                }),
            };
            tables.extend(table.map(|table| RawRows { name, table }));
        }
        tables
    }

    fn row(&mut self, name: &str, node: &Node) -> Option<Vec<(Spanned<String>, String)>> {
        let Data::Map(entries) = &node.data else {
            self.wrong_shape(name, node, "rows: mappings from columns to texts");
            return None;
        };
        let field = |one: &Entry| Some((Self::key(one), self.value(&one.key, &one.value)?));
        Some(entries.iter().filter_map(field).collect())
    }

    fn expectations(&mut self, entry: &Entry) -> Vec<RawExpectation> {
        let Data::Map(entries) = &entry.value.data else {
            self.wrong_shape("expect", &entry.value, "a mapping from dates to decisions");
            return Vec::new();
        };
        if entries.is_empty() {
            self.faults.add(Code::EmptyValue, entry.value.at, "`expect` expects nothing");
        }
        entries.iter().filter_map(|one| self.expectation(one)).collect()
    }

    fn expectation(&mut self, entry: &Entry) -> Option<RawExpectation> {
        let on = self.instant_of(&entry.key, entry.key_at);
        let words = Expectation::WORDS.map(|word| (word, word));
        let mut found = RawExpectation {
            on: on?,
            written: Self::key(entry),
            decision: "",
            due: None,
            rule: None,
            rules: None,
            holds: None,
            erasures: None,
            tenant: None,
            reasons: Vec::new(),
        };
        if matches!(entry.value.data, Data::Scalar { .. }) {
            found.decision = self.word(&entry.key, &entry.value, &words)?.value;
            return Some(found);
        }
        let fields = self.fields(&entry.key, &entry.value, &EXPECTATION)?;
        let decision = self.need(&fields, "decision").and_then(|e| self.word("decision", &e.value, &words));
        found.due = fields.get("due").and_then(|e| match &e.value.data {
            Data::Scalar { text, plain: true } if text == "none" => Some(None),
            _ => self.instant("due", &e.value).map(Some),
        });
        found.rule = fields.get("rule").and_then(|e| self.name("rule", &e.value, LONGEST_ID));
        found.rules = fields.get("rules").map(|e| self.ids(e));
        found.holds = fields.get("holds").map(|e| self.ids(e));
        found.erasures = fields.get("erasures").map(|e| self.ids(e));
        found.tenant = fields.get("tenant").and_then(|e| match &e.value.data {
            Data::Scalar { text, plain: true } if text == "none" => Some(None),
            _ => self.one_value("tenant", &e.value).map(|text| Some(text.value)),
        });
        found.reasons = fields
            .get("reason")
            .map(|e| self.one_or_more(e, Self::exact))
            .unwrap_or_default()
            .into_iter()
            .map(|text| text.value)
            .collect();
        found.decision = decision?.value;
        Some(found)
    }
}
