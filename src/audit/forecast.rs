//! What a store says that it will remove, held against our reading of its configuration.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::expiration::{Expiration, ExpirationError};
use crate::lifecycle::{Effect, LifecycleDocument, Match, Removal, removals};
use crate::object::{Attributes, Kind, Lock, Observed, Reading, Versioning};

/// What directory buckets answer instead of a date.
const NOT_IMPLEMENTED: &str = "NotImplemented";

/// How many kinds of differences are told apart; rule ids come from the store.
const KINDS: usize = 50;

/// An object to ask the store about, as it was listed.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// What it is: an object, or the latest version.
    pub kind: Kind,
    /// Its version id.
    pub version_id: Option<String>,
    /// Its ETag.
    pub etag: Option<String>,
    /// Last-Modified.
    pub uploaded: DateTime<Utc>,
    /// Bytes.
    pub size: u64,
    /// Its tags, if they were read.
    pub tags: Reading<Attributes>,
    /// Whether it is overdue.
    pub is_overdue: bool,
}

/// When an object goes, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The lifecycle rule's id.
    pub rule: String,
    /// The date.
    pub date: DateTime<Utc>,
}

/// What came of asking about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The store names the same date and rule.
    Agree,
    /// Neither knows of a rule.
    None,
    /// What the rules mean for it is not certain, so nothing can be said.
    Unclear,
    /// They differ.
    Differ(Difference),
}

/// How the store's answer differs from our reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The store names no rule.
    Missing(Forecast),
    /// The store names one where we see none.
    Unexpected(Forecast),
    /// Another rule.
    Rule {
        /// Our reading.
        ours: Forecast,
        /// The store's answer.
        theirs: Forecast,
    },
    /// The same rule, and another date.
    Date {
        /// Our reading.
        ours: Forecast,
        /// The store's answer.
        theirs: Forecast,
    },
    /// The answer cannot be read.
    Unreadable(ExpirationError),
}

impl Candidate {
    /// As rules see it.
    pub fn observed(&self) -> Observed<'_> {
        Observed {
            bucket: &self.bucket,
            key: &self.key,
            kind: self.kind,
            version_id: self.version_id.as_deref(),
            upload_id: None,
            is_latest: true,
            uploaded: self.uploaded,
            superseded: None,
            newer_noncurrent: 0,
            alone: false,
            size: self.size,
            etag: self.etag.as_deref(),
            storage_class: None,
            metadata: Reading::Unread,
            content_type: Reading::Unread,
            tags: self.tags.as_ref(),
            lock: Reading::Known(Lock::default()),
        }
    }
}

/// The removals of the latest version by expiration, which a store foretells.
pub fn foretold<'d>(
    document: Option<&'d LifecycleDocument>,
    versioning: Versioning,
    object: &Observed<'_>,
) -> Vec<Removal<'d>> {
    let mut found = document
        .map(|document| removals(document, versioning, std::slice::from_ref(object)))
        .unwrap_or_default();
    found.retain(|removal| matches!(removal.effect, Effect::Removed | Effect::Hidden | Effect::Replaced));
    found
}

/// Holds `header`, the store's `x-amz-expiration` for the latest version, against what we read in
/// `foretold`. Of several rules the shortest counts; of several as short any may be named.
pub fn compare(foretold: &[Removal<'_>], header: Option<&str>) -> Comparison {
    let certain = || foretold.iter().filter(|removal| removal.matches == Match::Certain);
    let shortest = certain().min_by_key(|removal| removal.earliest);
    let ours =
        shortest.map(|removal| Forecast { rule: removal.rule.id().to_owned(), date: removal.earliest });
    let is_unclear = foretold.iter().any(|removal| removal.matches != Match::Certain);
    let Some(header) = header.filter(|header| *header != NOT_IMPLEMENTED) else {
        return match ours {
            Some(ours) => Comparison::Differ(Difference::Missing(ours)),
            None if is_unclear => Comparison::Unclear,
            None => Comparison::None,
        };
    };
    let said = match Expiration::parse(header) {
        Ok(said) => said,
        Err(error) => return Comparison::Differ(Difference::Unreadable(error)),
    };
    let is_shorter = |than: &Removal<'_>| shortest.is_some_and(|shortest| shortest.latest < than.earliest);
    let is_same = |removal: &&Removal<'_>| {
        said.is_by(removal.rule.id())
            && (said.date == removal.earliest || said.date == removal.latest)
            && !is_shorter(removal)
    };
    if certain().any(|removal| is_same(&removal)) {
        return Comparison::Agree;
    }
    if is_unclear {
        return Comparison::Unclear;
    }
    let is_same_rule = ours.as_ref().is_some_and(|ours| said.is_by(&ours.rule));
    let theirs = Forecast { rule: said.rule, date: said.date };
    Comparison::Differ(match ours {
        None => Difference::Unexpected(theirs),
        Some(ours) if is_same_rule => Difference::Date { ours, theirs },
        Some(ours) => Difference::Rule { ours, theirs },
    })
}

impl Difference {
    /// What the store says, if it says a date.
    pub const fn theirs(&self) -> Option<&Forecast> {
        match self {
            Self::Unexpected(theirs) | Self::Rule { theirs, .. } | Self::Date { theirs, .. } => Some(theirs),
            Self::Missing(_) | Self::Unreadable(_) => None,
        }
    }

    /// Our own reading, if we see a rule.
    pub const fn ours(&self) -> Option<&Forecast> {
        match self {
            Self::Missing(ours) | Self::Rule { ours, .. } | Self::Date { ours, .. } => Some(ours),
            Self::Unexpected(_) | Self::Unreadable(_) => None,
        }
    }

    /// The word used in `--json`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Unexpected(_) => "unexpected",
            Self::Rule { .. } => "rule",
            Self::Date { .. } => "date",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// What came of asking about all objects of a sample.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Objects that answered.
    pub answered: u64,
    /// How many of them carried the header.
    pub sent: u64,
    /// The same date and rule.
    pub agree: u64,
    /// No rule, as we see it.
    pub none: u64,
    /// Not certain enough to be compared.
    pub unclear: u64,
    /// Gone or written anew since they were listed.
    pub changed: u64,
    /// Could not be asked, and the first reason.
    pub failed: (u64, Option<String>),
    /// What differs, by bucket, word, our rule and theirs: how often, and the first key.
    pub differences: BTreeMap<[String; 4], (u64, String, Difference)>,
    /// Differences of kinds beyond those that are told apart.
    pub more_differences: u64,
    /// Objects that S3 Lifecycle takes no action on, by bucket and replication status.
    pub stalled: BTreeMap<(String, String), Stalled>,
}

/// Objects whose replication is not done.
#[derive(Clone, Debug, Default)]
pub struct Stalled {
    /// How many of those that were asked about.
    pub objects: u64,
    /// How many of them are overdue.
    pub overdue: u64,
    /// The first key.
    pub example: String,
}

impl Asked {
    /// Counts one comparison.
    pub fn add(&mut self, candidate: &Candidate, header: Option<&str>, comparison: Comparison) {
        self.answered += 1;
        self.sent += u64::from(header.is_some_and(|header| header != NOT_IMPLEMENTED));
        match comparison {
            Comparison::Agree => self.agree += 1,
            Comparison::None => self.none += 1,
            Comparison::Unclear => self.unclear += 1,
            Comparison::Differ(difference) => {
                let rule = |forecast: Option<&Forecast>| {
                    forecast.map_or_else(String::new, |forecast| forecast.rule.clone())
                };
                let kind = [
                    candidate.bucket.clone(),
                    difference.word().to_owned(),
                    rule(difference.ours()),
                    rule(difference.theirs()),
                ];
                if self.differences.len() >= KINDS && !self.differences.contains_key(&kind) {
                    self.more_differences += 1;
                    return;
                }
                let found =
                    self.differences.entry(kind).or_insert_with(|| (0, candidate.key.clone(), difference));
                found.0 += 1;
            }
        }
    }

    /// Counts the replication status of one object, if lifecycle takes no action on it.
    pub fn add_replication(&mut self, candidate: &Candidate, status: Option<&str>) {
        let Some(status @ ("PENDING" | "FAILED")) = status else { return };
        let found = self.stalled.entry((candidate.bucket.clone(), status.to_owned())).or_default();
        if found.objects == 0 || (candidate.is_overdue && found.overdue == 0) {
            found.example.clone_from(&candidate.key);
        }
        found.objects += 1;
        found.overdue += u64::from(candidate.is_overdue);
    }

    /// Whether the store seems not to send the header at all: it never did, where it should have.
    pub fn is_never_sent(&self) -> bool {
        self.sent == 0 && self.differences.keys().any(|[_, word, ..]| word == "missing")
    }
}
