//! The document: what a certificate of deletion says.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::tally::Tally;
use crate::text::count;

/// A certificate of deletion.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// The policy's name.
    pub policy: String,
    /// The tenant that it is about, if about one.
    pub tenant: Option<String>,
    /// The rule that it is about, if about one.
    pub rule: Option<String>,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Which Shelflife made it.
    pub tool_version: String,
    /// What whoever reads it must know first.
    pub notes: Vec<String>,
    /// All together.
    pub total: Tally,
    /// `tenant` or `rule`.
    pub by: &'static str,
    /// Each of them.
    pub groups: Vec<Grouped>,
    /// Lifecycle configurations that the runs wrote; what S3 removes by them is not in the counts.
    pub configurations: Vec<Configured>,
    /// The logs that it rests on.
    pub logs: Vec<LogFacts>,
    /// The policy, where it was at hand and is the one that the logs name.
    pub policy_text: Option<PolicyText>,
    /// Whether keys and tenants are hidden.
    pub redacted: bool,
}

/// What became of a tenant's or a rule's items.
#[derive(Clone, Debug, Serialize)]
pub struct Grouped {
    /// Its name, or what stands for it; `None` for items without.
    pub name: Option<String>,
    /// The rule's words for its data.
    pub data: Option<String>,
    /// The counts.
    pub tally: Tally,
}

/// A lifecycle configuration that a run wrote, or was to.
#[derive(Clone, Debug, Serialize)]
pub struct Configured {
    /// The bucket.
    pub bucket: String,
    /// When it was written down.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub result: String,
}

/// One log.
#[derive(Clone, Debug, Serialize)]
pub struct LogFacts {
    /// The file's name.
    pub file: String,
    /// Its chain's head.
    pub head: String,
    /// Whether that was held to one known from elsewhere.
    pub head_confirmed: bool,
    /// How many entries.
    pub entries: u64,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// When its last entry was written.
    pub last: DateTime<Utc>,
    /// `finished`, `interrupted` or `open`.
    pub end: &'static str,
    /// Items without outcome.
    pub unresolved: u64,
    /// What it follows, in words.
    pub follows: String,
    /// The plan's digest.
    pub plan_digest: String,
    /// The policy's digest.
    pub policy_digest: String,
    /// The digest of its holds.
    pub holds_digest: String,
    /// Whether the policy at hand is that policy; `None` where none is at hand.
    pub is_policy: Option<bool>,
    /// Until when the log must be kept, if the policy says it.
    pub keep_until: Option<DateTime<Utc>>,
    /// The store, where it is not AWS.
    pub endpoint: Option<String>,
    /// Guards that were gone beyond.
    pub guards_accepted: Vec<String>,
    /// Which Shelflife wrote it.
    pub tool_version: String,
}

/// The policy.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyText {
    /// Its digest.
    pub digest: String,
    /// Its rules.
    pub rules: Vec<RuleFacts>,
    /// Its files with their text; empty where that is left out.
    pub files: Vec<(String, String)>,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleFacts {
    /// Its id.
    pub id: String,
    /// The notice's words for its data.
    pub data: Option<String>,
    /// How long they are kept.
    pub retain: String,
}

impl LogFacts {
    /// What there is to say of it, for people.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let policy = match self.is_policy {
            Some(true) => "is the policy below",
            Some(false) => "another version than the policy at hand",
            None => "the policy was not at hand",
        };
        let head = if self.head_confirmed {
            "confirmed by a head that was kept elsewhere"
        } else {
            "not confirmed: no head from elsewhere was given"
        };
        let mut facts = vec![
            ("Head of the chain", self.head.clone()),
            ("Head", head.to_owned()),
            ("Run", format!("{} to {}, {}", instant(self.opened), instant(self.last), self.end)),
            ("Entries", count(self.entries)),
            ("Log before", self.follows.clone()),
            ("Plan digest", self.plan_digest.clone()),
            ("Policy digest", self.policy_digest.clone()),
            ("Policy", policy.to_owned()),
            ("Digest of holds", self.holds_digest.clone()),
            ("Store", self.endpoint.clone().unwrap_or_else(|| "AWS".to_owned())),
            ("Written by", format!("Shelflife {}", self.tool_version)),
        ];
        if let Some(until) = self.keep_until {
            facts.push(("To be kept until", instant(until)));
        }
        if self.unresolved > 0 {
            facts.push(("Items without outcome", count(self.unresolved)));
        }
        facts.extend(self.guards_accepted.iter().map(|guard| ("Guard gone beyond", guard.clone())));
        facts
    }
}

/// An instant, for people.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
