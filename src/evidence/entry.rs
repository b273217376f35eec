//! What stands in a log: one type for each kind of entry. The field names are the log's format.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use smol_str::SmolStr;

use super::item_result::ItemResult;
use crate::calendar::to_the_second;
use crate::object::Kind;
use crate::plan::Planned;
use crate::plan::row::{self, PlanRow};

/// The format of logs that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1.
    pub seq: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
    /// SHA-256 (hex) of the entry's line before this one; of the first, 64 zeros.
    pub prev: String,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// The first entry.
    Opening(Opened),
    /// A batch is about to be sent.
    Intent(Intent),
    /// What became of items of a batch.
    Outcome(Outcome),
    /// A bucket's lifecycle configuration is about to be written.
    ConfigurationIntent(ConfigurationIntent),
    /// What became of it.
    ConfigurationOutcome(ConfigurationOutcome),
    /// An interrupted run goes on.
    Resumed(Resumed),
    /// The run is over.
    Closing(Closing),
}

/// The first entry: which log this is, and what it was opened with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// See [`FORMAT`].
    pub format: u32,
    /// Which Shelflife wrote it.
    pub tool_version: String,
    /// What the run was started with.
    #[serde(flatten)]
    pub opening: Opening,
}

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The policy's name.
    pub policy: String,
    /// SHA-256 (hex) of the policy, its holds aside.
    pub policy_digest: String,
    /// SHA-256 (hex) of its holds.
    pub holds_digest: String,
    /// SHA-256 (hex) of the plan file that is applied.
    pub plan_digest: String,
    /// Guards that were passed and accepted on the command line, in words.
    pub guards_accepted: Vec<String>,
    /// The store's address, if it is not AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The instant that the plan was decided for.
    pub as_of: DateTime<Utc>,
    /// Until when the log must be kept, if the policy says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<DateTime<Utc>>,
    /// The head of the log before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_head: Option<String>,
    /// What the plan is to do, for the runs after it to be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
}

/// A batch that is about to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Counts from 1.
    pub batch: u64,
    /// All of it.
    pub items: Vec<Item>,
}

/// One thing that is about to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What is done.
    pub action: Action,
    /// To what.
    #[serde(with = "kind_word")]
    pub kind: Kind,
    /// The bucket's name.
    pub bucket: SmolStr,
    /// The key.
    pub key: SmolStr,
    /// The version id; `None` for objects, uploads and a marker that is to be added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<SmolStr>,
    /// The upload's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<SmolStr>,
    /// The ETag, without its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<SmolStr>,
    /// Bytes.
    pub size: u64,
    /// The tenant, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<SmolStr>,
    /// Id of the rule; empty where an erasure removes what no rule covers.
    pub rule: SmolStr,
    /// Id of the erasure that it goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<SmolStr>,
    /// Since when its time is up.
    #[serde(serialize_with = "instant")]
    pub due: DateTime<Utc>,
    /// Why.
    pub reason: SmolStr,
}

/// What is done to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Remove the object, the version or the delete marker.
    Delete,
    /// Abort the multipart upload.
    AbortUpload,
    /// Put a delete marker on top, so that no older version comes back.
    AddMarker,
    /// Put a delete marker on top of the version, which stays under it for its undo window.
    Mark,
    /// Copy it to its export place.
    Export,
    /// Take a delete marker away again.
    RemoveMarker,
    /// Put its copy back in its place.
    Restore,
}

impl From<&PlanRow> for Item {
    fn from(row: &PlanRow) -> Self {
        Self {
            action: match row.action {
                row::Action::Delete => Action::Delete,
                row::Action::AbortUpload => Action::AbortUpload,
                row::Action::Mark => Action::Mark,
            },
            kind: row.kind,
            bucket: row.bucket.clone(),
            key: row.key.clone(),
            version_id: row.version_id.clone(),
            upload_id: row.upload_id.clone(),
            etag: row.etag.clone(),
            size: row.size,
            tenant: row.tenant.clone(),
            rule: row.rule.clone(),
            erasure: row.erasure.clone(),
            due: row.due,
            reason: row.reason.clone(),
        }
    }
}

/// What became of items of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The intent's batch.
    pub batch: u64,
    /// Some or all of its items; the others follow in later entries.
    pub items: Vec<ItemOutcome>,
}

/// What became of one item. Bucket, key and ids are those of the intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemOutcome {
    /// The bucket's name.
    pub bucket: SmolStr,
    /// The key.
    pub key: SmolStr,
    /// The version id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<SmolStr>,
    /// The upload's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<SmolStr>,
    /// Which row of the plan it is, counted from 0; none for markers that are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// What became of it.
    pub result: ItemResult,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The version id of the delete marker that was put on top, where the store named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker_version_id: Option<SmolStr>,
    /// `s3://bucket/key` of the copy that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<SmolStr>,
    /// The copy's ETag, without its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_etag: Option<SmolStr>,
}

/// A lifecycle configuration that is about to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationIntent {
    /// The bucket's name.
    pub bucket: String,
    /// The configuration as it was read, in XML; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The configuration to write, in XML; `None` if it is to be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What changes, rule by rule, for people.
    pub changes: Vec<String>,
}

/// What became of a lifecycle configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationOutcome {
    /// The bucket's name.
    pub bucket: String,
    /// What became of it.
    pub result: ConfigurationResult,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Rules of the policy of whose lifecycle rules the store has made something else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub altered: BTreeSet<String>,
}

/// What became of a lifecycle configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigurationResult {
    /// Written, and read back as it was written.
    Applied,
    /// Somebody else had changed it: not written.
    Moved,
    /// Written, and read back as something else.
    Differs,
    /// The store refused for lack of permission.
    Denied,
    /// The store answered with an error.
    Failed,
    /// Nobody knows: the answer was lost or did not say.
    Unclear,
}

/// An interrupted run goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// Which Shelflife goes on.
    pub tool_version: String,
    /// SHA-256 (hex) of the policy's holds, which may have changed.
    pub holds_digest: String,
    /// Guards that this part of the run went beyond, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards_accepted: Vec<String>,
    /// What the run was to do, where the one before was to make S3 do less and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
    /// The head of the newest other log, where the run goes on after that one has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_head: Option<String>,
    /// SHA-256 (hex) of each torn line that stands right before this entry, newline aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub torn: Vec<String>,
}

/// The run is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// Whether all was tried; else it was interrupted, and can go on.
    pub finished: bool,
    /// Of all outcomes in the log.
    pub totals: Totals,
}

/// How many outcomes there were of each result; a result that never occurred is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of items. An item that was tried again after an interruption counts each time.
    pub items: BTreeMap<ItemResult, u64>,
    /// Of lifecycle configurations.
    pub configurations: BTreeMap<ConfigurationResult, u64>,
}

impl Totals {
    /// How many items had this result.
    pub fn of(&self, result: ItemResult) -> u64 {
        self.items.get(&result).copied().unwrap_or_default()
    }
}

/// As every other instant, and faster where it has no fraction of a second.
fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    if at.timestamp_subsec_nanos() == 0 {
        serializer.serialize_str(&to_the_second(at))
    } else {
        at.serialize(serializer)
    }
}

/// [`Kind`] by its word.
mod kind_word {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::object::Kind;

    pub(super) fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.word())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let word = String::deserialize(deserializer)?;
        Kind::from_word(&word).ok_or_else(|| {
            de::Error::invalid_value(de::Unexpected::Str(&word), &"object, version, marker or upload")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Due {
        #[serde(serialize_with = "instant")]
        due: DateTime<Utc>,
    }

    #[test]
    fn a_due_date_is_written_like_every_other_instant() {
        let texts = ["0999-12-31T23:59:59Z", "2026-02-28T00:00:00Z", "2026-02-28T10:20:30.040Z"];
        let written = texts.map(|text| text.parse::<DateTime<Utc>>().unwrap());
        let far = DateTime::from_timestamp(300_000_000_000, 0).unwrap();
        for at in written.into_iter().chain([far, DateTime::UNIX_EPOCH, DateTime::<Utc>::MIN_UTC]) {
            let expected = serde_json::json!({ "due": at });
            assert_eq!(serde_json::to_value(Due { due: at }).unwrap(), expected);
        }
    }
}
