//! What there is in a bucket that bears on what S3 can be given: the directories, as far as they
//! were listed, and what earlier runs have seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What stands directly under a start of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Listing {
    /// All directories: starts of keys through the next `/`.
    Whole(BTreeSet<String>),
    /// More directories than are worth a rule each; at least so many.
    TooMany(usize),
}

/// The directories under some starts of keys.
///
/// No proof rests on them: which directories S3 may be given follows from their names alone. A
/// directory that was not there yet is Shelflife's until the next run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Directories {
    listings: BTreeMap<String, Listing>,
}

impl Directories {
    /// None that are known.
    pub const NONE: Self = Self { listings: BTreeMap::new() };

    /// What was listed under `start`; `None` if nobody has.
    pub fn under(&self, start: &str) -> Option<&Listing> {
        self.listings.get(start)
    }

    /// Takes in what was listed under `start`.
    pub fn insert(&mut self, start: String, listing: Listing) {
        self.listings.insert(start, listing);
    }

    /// Whether nothing was listed.
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }
}

/// What there is in a bucket that bears on what S3 can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Directories, as far as they were listed.
    pub directories: Directories,
    /// How many lifecycle rules of others stand in the bucket.
    pub other_rules: usize,
    /// Rules of the policy, by id, of whose lifecycle rules the store has been seen to make
    /// something else.
    pub altered: BTreeSet<String>,
}

/// With directories alone.
impl From<Directories> for Surroundings {
    fn from(directories: Directories) -> Self {
        Self { directories, ..Self::NOTHING }
    }
}

impl Surroundings {
    /// Nothing is known.
    pub const NOTHING: Self =
        Self { directories: Directories::NONE, other_rules: 0, altered: BTreeSet::new() };
}
