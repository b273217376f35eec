//! Lifecycle configurations as the sandbox stores and reads them.
//!
//! The document itself is kept as it came, unknown elements included; what the sandbox runs is read from
//! it after [`super::validation`] has accepted it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::Digest as _;

use super::quirks::Quirk;
use super::refusal::Refusal;
use super::validation;
use super::values::{hex, number};
use super::xml::Element;

/// Which small objects rules may move to another storage class
/// (`x-amz-transition-default-minimum-object-size`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinimumSize {
    /// None under 128 KiB: the default since September 2024.
    #[default]
    All128K,
    /// The former default: only to the archive classes.
    VariesByStorageClass,
}

impl MinimumSize {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All128K => "all_storage_classes_128K",
            Self::VariesByStorageClass => "varies_by_storage_class",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "all_storage_classes_128K" => Ok(Self::All128K),
            "varies_by_storage_class" => Ok(Self::VariesByStorageClass),
            _ => Err(Refusal::invalid_request("Invalid TransitionDefaultMinimumObjectSize found")),
        }
    }
}

/// A bucket's lifecycle configuration.
#[derive(Clone, Debug)]
pub(super) struct LifecycleConfiguration {
    /// As it was put, with the ids that were missing.
    pub document: Element,
    pub minimum_size: MinimumSize,
    pub rules: Vec<Rule>,
}

/// When a rule acts on what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Days after creation, rounded up to midnight UTC.
    Days(u32),
    /// From this midnight UTC on.
    Date(DateTime<Utc>),
}

/// What `Expiration` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiration {
    At(When),
    /// `ExpiredObjectDeleteMarker`.
    SoleMarkers,
}

/// `NoncurrentVersionExpiration`, and the age part of `NoncurrentVersionTransition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noncurrent {
    pub days: u32,
    /// This many newer noncurrent versions are kept whatever their age.
    pub keep_newer: usize,
}

/// One rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub id: String,
    pub enabled: bool,
    pub filter: Filter,
    pub expiration: Option<Expiration>,
    pub noncurrent: Option<Noncurrent>,
    pub abort_after_days: Option<u32>,
    pub transitions: Vec<(When, String)>,
    pub noncurrent_transitions: Vec<(Noncurrent, String)>,
}

/// What a rule matches: everything that it names must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub prefix: String,
    pub tags: BTreeMap<String, String>,
    /// Larger than this many bytes, exclusive.
    pub over: Option<u64>,
    /// Smaller than this many bytes, exclusive.
    pub under: Option<u64>,
}

impl Filter {
    pub fn has_size(&self) -> bool {
        self.over.is_some() || self.under.is_some()
    }

    fn read(rule: &Element) -> Self {
        let mut filter =
            Self { prefix: rule.text_of("Prefix").unwrap_or_default().to_owned(), ..Self::default() };
        if let Some(element) = rule.get("Filter") {
            filter.add(element);
            if let Some(and) = element.get("And") {
                filter.add(and);
            }
        }
        filter
    }

    fn add(&mut self, terms: &Element) {
        for term in &terms.children {
            match term.name.as_str() {
                "Prefix" => self.prefix.clone_from(&term.text),
                // A tag without a value matches objects whose value is empty (UG:intro-lifecycle-filters).
                "Tag" => {
                    let part = |name| term.text_of(name).unwrap_or_default().to_owned();
                    self.tags.insert(part("Key"), part("Value"));
                }
                "ObjectSizeGreaterThan" => self.over = number(&term.text),
                "ObjectSizeLessThan" => self.under = number(&term.text),
                _ => {}
            }
        }
    }
}

impl LifecycleConfiguration {
    /// Validates a document by S3's rules, gives ids to rules that have none, and reads it.
    pub fn read(mut document: Element, minimum_size: MinimumSize) -> Result<Self, Refusal> {
        validation::check(&document)?;
        let mut generated = 0_u32;
        for rule in document.children.iter_mut().filter(|child| child.name == "Rule") {
            if rule.text_of("ID").is_none_or(str::is_empty) {
                rule.children.retain(|child| child.name != "ID");
                generated += 1;
                let digest = sha2::Sha256::digest(format!("{generated}{rule:?}"));
                let mut id = Element::new("ID");
                id.text = hex(&digest)[..48].to_owned();
                rule.children.insert(0, id);
            }
        }
        let rules = document.all("Rule").map(Rule::read).collect();
        Ok(Self { document, minimum_size, rules })
    }

    /// Makes of it what another store would, which is then what runs.
    pub fn alter(&mut self, quirk: Quirk) {
        quirk.alter(&mut self.document);
        self.rules = self.document.all("Rule").map(Rule::read).collect();
    }
}

impl Rule {
    fn read(rule: &Element) -> Self {
        let transitions = rule.all("Transition").filter_map(|transition| {
            Some((When::read(transition)?, transition.text_of("StorageClass")?.to_owned()))
        });
        let noncurrent_transitions = rule.all("NoncurrentVersionTransition").filter_map(|transition| {
            Some((Noncurrent::read(transition)?, transition.text_of("StorageClass")?.to_owned()))
        });
        Self {
            id: rule.text_of("ID").unwrap_or_default().to_owned(),
            // Only a quirk writes it in lower case.
            enabled: rule.text_of("Status").is_some_and(|status| status.eq_ignore_ascii_case("Enabled")),
            filter: Filter::read(rule),
            expiration: rule.get("Expiration").and_then(|expiration| {
                match expiration.text_of("ExpiredObjectDeleteMarker") {
                    Some("true") => Some(Expiration::SoleMarkers),
                    _ => When::read(expiration).map(Expiration::At),
                }
            }),
            noncurrent: rule.get("NoncurrentVersionExpiration").and_then(Noncurrent::read),
            abort_after_days: rule
                .get("AbortIncompleteMultipartUpload")
                .and_then(|abort| number(abort.text_of("DaysAfterInitiation")?)),
            transitions: transitions.collect(),
            noncurrent_transitions: noncurrent_transitions.collect(),
        }
    }
}

impl When {
    fn read(action: &Element) -> Option<Self> {
        match action.text_of("Date") {
            Some(date) => super::values::date(date).map(Self::Date),
            None => number(action.text_of("Days")?).map(Self::Days),
        }
    }
}

impl Noncurrent {
    fn read(action: &Element) -> Option<Self> {
        let newer = action.text_of("NewerNoncurrentVersions").and_then(number);
        Some(Self { days: number(action.text_of("NoncurrentDays")?)?, keep_newer: newer.unwrap_or(0) })
    }
}
