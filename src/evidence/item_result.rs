//! What can become of an item of a batch: each word that a log has for it.

use serde::{Deserialize, Serialize};

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemResult {
    /// The store confirms that it is deleted.
    Deleted,
    /// The store confirms that the upload is aborted.
    Aborted,
    /// It was not there any more.
    AlreadyGone,
    /// A delete marker was put on top, since older versions stay or to hide it for its undo window.
    MarkerAdded,
    /// A copy of it stands in its export place, and is the same.
    Exported,
    /// Its delete marker was taken away again.
    MarkerRemoved,
    /// Its copy was put back in its place.
    Restored,
    /// It is not what was planned: left alone.
    Changed,
    /// Decided anew, it is no longer expired: left alone.
    Overtaken,
    /// A hold of the policy keeps it.
    Held,
    /// Object Lock keeps it.
    Locked,
    /// The store refused for lack of permission.
    Denied,
    /// The store answered with an error.
    Failed,
    /// Nobody knows: the answer was lost or did not say.
    Unclear,
    /// The store asked to wait: it is still there, and comes again in a later batch.
    PutOff,
}

impl ItemResult {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 15] = [
        Self::Deleted,
        Self::Aborted,
        Self::AlreadyGone,
        Self::MarkerAdded,
        Self::Exported,
        Self::MarkerRemoved,
        Self::Restored,
        Self::Changed,
        Self::Overtaken,
        Self::Held,
        Self::Locked,
        Self::Denied,
        Self::Failed,
        Self::Unclear,
        Self::PutOff,
    ];

    /// The word used in logs, reports and `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Aborted => "aborted",
            Self::AlreadyGone => "already-gone",
            Self::MarkerAdded => "marker-added",
            Self::Exported => "exported",
            Self::MarkerRemoved => "marker-removed",
            Self::Restored => "restored",
            Self::Changed => "changed",
            Self::Overtaken => "overtaken",
            Self::Held => "held",
            Self::Locked => "locked",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unclear => "unclear",
            Self::PutOff => "put-off",
        }
    }

    /// Whether nothing is left to do for the item, whoever did it.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Deleted | Self::Aborted | Self::AlreadyGone)
    }
}
