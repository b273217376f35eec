//! What a result says of an item: whether it is deleted, gone, or still there.
//!
//! Every result is named here and nowhere else, so that a new one is a question to the compiler.

use serde::Serialize;

use crate::evidence::{Action, ItemResult};

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Shelflife has removed it, and the store confirms it.
    Deleted,
    /// It was not there any more: gone, and not by this.
    Gone,
    /// A delete marker was put on top of its key. That deletes nothing.
    Covered,
    /// It was left, or whether it is gone is not known.
    Kept(Kept),
    /// A delete marker that was to be put on top was not.
    NotCovered,
    /// It is hidden behind a delete marker for its undo window.
    Hidden,
    /// A copy of it was made elsewhere before it was to go.
    Copied,
    /// Its copy was put back, or may have been.
    PutBack,
    /// A delete marker was taken away, or may have been, so that what it hid is seen again.
    Shown,
    /// It says nothing of whether the item is there.
    Aside,
}

/// Why an item was not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// A legal hold of the policy.
    Held,
    /// Object Lock.
    Locked,
    /// Decided anew, its time was not up.
    Overtaken,
    /// It was not what was planned any more.
    Changed,
    /// The store refused for lack of permission.
    Denied,
    /// The store answered with an error.
    Failed,
    /// The store asked to wait, and nobody has tried again.
    PutOff,
    /// Nobody knows whether it is gone: the answer was lost or did not say.
    Unclear,
    /// Nobody knows whether it is gone: the run ended before it was written down.
    NoOutcome,
}

impl Kept {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Held,
        Self::Locked,
        Self::Overtaken,
        Self::Changed,
        Self::Denied,
        Self::Failed,
        Self::PutOff,
        Self::Unclear,
        Self::NoOutcome,
    ];

    /// In a word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Locked => "locked",
            Self::Overtaken => "overtaken",
            Self::Changed => "changed",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::PutOff => "put off",
            Self::Unclear => "unclear",
            Self::NoOutcome => "no outcome",
        }
    }

    /// Why it is still there, or may be.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Held => "a legal hold keeps it",
            Self::Locked => "Object Lock keeps it",
            Self::Overtaken => "looked at again, it was not due any more",
            Self::Changed => "it had changed since the plan",
            Self::Denied => "the store refused the deletion",
            Self::Failed => "the store failed",
            Self::PutOff => "the store asked to wait, and the run ended",
            Self::Unclear => "the answer was lost; it may be gone",
            Self::NoOutcome => "the run ended before its outcome; it may be gone",
        }
    }
}

/// What the result of an action says.
pub const fn standing(action: Action, result: ItemResult) -> Standing {
    match (action, result) {
        (Action::Mark, ItemResult::MarkerAdded) => Standing::Hidden,
        (Action::Delete | Action::AbortUpload | Action::Mark, result) => match result {
            ItemResult::Deleted | ItemResult::Aborted => Standing::Deleted,
            ItemResult::AlreadyGone => Standing::Gone,
            ItemResult::MarkerAdded => Standing::Covered,
            ItemResult::Changed => Standing::Kept(Kept::Changed),
            ItemResult::Overtaken => Standing::Kept(Kept::Overtaken),
            ItemResult::Held => Standing::Kept(Kept::Held),
            ItemResult::Locked => Standing::Kept(Kept::Locked),
            ItemResult::Denied => Standing::Kept(Kept::Denied),
            ItemResult::Failed => Standing::Kept(Kept::Failed),
            ItemResult::PutOff => Standing::Kept(Kept::PutOff),
            // Neither is ever the result of these.
            ItemResult::Exported | ItemResult::MarkerRemoved | ItemResult::Restored | ItemResult::Unclear => {
                Standing::Kept(Kept::Unclear)
            }
        },
        // The object below has an outcome of its own.
        (Action::AddMarker, ItemResult::MarkerAdded) => Standing::Covered,
        (Action::AddMarker, _) => Standing::NotCovered,
        (Action::Export, ItemResult::Exported) => Standing::Copied,
        // What may be there is not called deleted.
        (Action::Restore, ItemResult::Restored | ItemResult::Unclear) => Standing::PutBack,
        (Action::RemoveMarker, ItemResult::MarkerRemoved | ItemResult::Unclear) => Standing::Shown,
        (Action::Export | Action::RemoveMarker | Action::Restore, _) => Standing::Aside,
    }
}
