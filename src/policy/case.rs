//! What people write down to ask about: an object as they know it, and test cases with what must
//! be decided of it on which dates.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::diagnostic::Place;
use super::model::{Policy, Select};
use crate::object::{Attributes, BucketFacts, Kind, Lock, Observed, Reading, Unreadable, Versioning};

/// An object as somebody describes it. What is not given is not known.
#[derive(Clone, Debug)]
pub struct GivenObject {
    /// The bucket's name.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// What stands there.
    pub kind: Kind,
    /// S3's version id.
    pub version_id: Option<String>,
    /// Last-Modified.
    pub uploaded: DateTime<Utc>,
    /// When the next newer version was created.
    pub superseded: Option<DateTime<Utc>>,
    /// How many noncurrent versions are newer.
    pub newer_noncurrent: u32,
    /// For a delete marker: whether nothing but delete markers is left of its key, and it is not the newest of
    /// several.
    pub alone: bool,
    /// Bytes; `None` where nothing goes by it.
    pub size: Option<u64>,
    /// User metadata.
    pub metadata: Option<Attributes>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Tags.
    pub tags: Option<Attributes>,
    /// Whose it is, whatever the policy's sources say.
    pub tenant: Option<String>,
    /// Object Lock, where the bucket has it.
    pub lock: Option<Lock>,
    /// What the store was asked for in vain.
    pub unreadable: GivenUnreadable,
    /// The versioning state of the bucket.
    pub versioning: Versioning,
}

/// What the store was asked for in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUnreadable {
    /// Metadata, and the content type with it.
    pub metadata: bool,
    /// Tags.
    pub tags: bool,
    /// Object Lock.
    pub lock: bool,
}

/// One test case, with all that it stands under.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: Place,
    /// The object.
    pub object: GivenObject,
    /// The policy with the holds, erasures and overrides of the case.
    pub policy: Arc<Policy>,
    /// The rows of each table of the policy, in its order.
    pub tables: Vec<GivenTable>,
    /// What must be decided, in the order of the file; never empty.
    pub expectations: Vec<Expectation>,
}

/// The record file of one table, as a case supposes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GivenTable {
    /// Rows: columns with their texts.
    Rows(Vec<Vec<(String, String)>>),
    /// There is no such file.
    #[default]
    Missing,
    /// It is too old.
    Stale,
}

/// What must be decided on one date.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The date.
    pub on: DateTime<Utc>,
    /// The date as it was written.
    pub written: String,
    /// Where it stands.
    pub at: Place,
    /// The decision's word, one of [`Expectation::WORDS`].
    pub decision: &'static str,
    /// The due date; `Some(None)`: there must be none.
    pub due: Option<Option<DateTime<Utc>>>,
    /// The rule that decides.
    pub rule: Option<String>,
    /// All rules that cover it.
    pub rules: Option<Vec<String>>,
    /// All holds that fit.
    pub holds: Option<Vec<String>>,
    /// All erasures that fit.
    pub erasures: Option<Vec<String>>,
    /// The tenant; `Some(None)`: nobody's or unknown.
    pub tenant: Option<Option<String>>,
    /// Texts that must be parts of the reasons.
    pub reasons: Vec<String>,
}

impl Expectation {
    /// What can be expected: the verdicts, and what is expired and never touched.
    pub const WORDS: [&str; 7] =
        ["expired", "retained", "held", "locked", "undecided", "unmatched", "observed"];
}

impl GivenObject {
    /// As the decider sees it.
    pub fn observed(&self) -> Observed<'_> {
        // Neither has any of its own, and S3 does not tell what they stand for.
        let has_none = matches!(self.kind, Kind::Marker | Kind::Upload);
        Observed {
            bucket: &self.bucket,
            key: &self.key,
            kind: self.kind,
            version_id: self.version_id.as_deref(),
            upload_id: None,
            is_latest: self.superseded.is_none(),
            uploaded: self.uploaded,
            superseded: self.superseded,
            newer_noncurrent: self.newer_noncurrent,
            alone: self.alone,
            size: self.size.unwrap_or_default(),
            etag: None,
            storage_class: None,
            metadata: reading(self.metadata.as_ref(), self.unreadable.metadata, has_none),
            content_type: reading(self.content_type.as_deref(), self.unreadable.metadata, has_none),
            tags: reading(self.tags.as_ref(), self.unreadable.tags, has_none),
            lock: match self.unreadable.lock {
                true => Reading::Unknown(Unreadable::Denied),
                false => Reading::Known(self.lock.unwrap_or_default()),
            },
        }
    }

    /// The bucket, as far as the object tells of it.
    pub fn facts(&self) -> BucketFacts {
        BucketFacts {
            name: self.bucket.clone(),
            versioning: self.versioning,
            mfa_delete: false,
            object_lock: self.lock.is_some() || self.unreadable.lock,
        }
    }

    /// Whether some select that may be about the object goes by a size that is not given.
    pub fn lacks_size(&self, policy: &Policy) -> bool {
        let is_listed = matches!(self.kind, Kind::Object | Kind::Version);
        let by_size = |select: &&Select| {
            let here = |select: &Select| {
                select.buckets.is_empty() || select.buckets.iter().any(|bucket| bucket.matches(&self.bucket))
            };
            here(select) && (select.size.is_some() || select.except.iter().any(|other| other.size.is_some()))
        };
        let rules = policy.rules.iter().map(|rule| &rule.select);
        let holds = policy.holds.iter().map(|hold| &hold.select);
        let erasures = policy.erasures.iter().map(|erasure| &erasure.select);
        is_listed && self.size.is_none() && rules.chain(holds).chain(erasures).any(|select| by_size(&select))
    }
}

fn reading<T>(given: Option<T>, is_unreadable: bool, has_none: bool) -> Reading<T> {
    match given {
        _ if has_none => Reading::Unknown(Unreadable::NotKept),
        Some(known) => Reading::Known(known),
        None if is_unreadable => Reading::Unknown(Unreadable::Denied),
        None => Reading::Unread,
    }
}
