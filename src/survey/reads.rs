//! How many single objects were asked about, and what need not be asked.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::BucketCache;
use crate::decide::Needs;

/// The reads of one bucket's objects: what need not be asked, and how many there were. By default all is asked.
#[derive(Debug, Default)]
pub struct Reads {
    pub(super) cache: Option<BucketCache>,
    heads: AtomicU64,
    tags: AtomicU64,
    locks: AtomicU64,
    recalled: AtomicU64,
}

/// How many reads there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadTally {
    /// HEADs, for metadata and content type.
    pub heads: u64,
    /// Reads of tags.
    pub tags: u64,
    /// Reads of locks, two requests each.
    pub locks: u64,
    /// HEADs that were not sent, because the cache had the answer.
    pub recalled: u64,
}

impl Reads {
    /// What `cache` has is not asked for.
    pub fn cached(cache: Option<BucketCache>) -> Self {
        Self { cache, ..Self::default() }
    }

    /// How many there were until now.
    pub fn tally(&self) -> ReadTally {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReadTally {
            heads: of(&self.heads),
            tags: of(&self.tags),
            locks: of(&self.locks),
            recalled: of(&self.recalled),
        }
    }

    /// Hears that the whole bucket was gone through: the cache forgets what it had no use for.
    pub fn complete(&self) {
        if let Some(cache) = &self.cache {
            cache.complete();
        }
    }

    pub(super) fn count(&self, needs: Needs) {
        let counts = [(needs.head, &self.heads), (needs.tags, &self.tags), (needs.lock, &self.locks)];
        for (_, count) in counts.into_iter().filter(|(is_asked, _)| *is_asked) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_recalled(&self, heads: u64) {
        self.recalled.fetch_add(heads, Ordering::Relaxed);
    }
}

impl ReadTally {
    /// How many reads there were of any kind.
    pub const fn asked(&self) -> u64 {
        self.heads + self.tags + self.locks
    }
}

impl AddAssign for ReadTally {
    fn add_assign(&mut self, other: Self) {
        self.heads += other.heads;
        self.tags += other.tags;
        self.locks += other.locks;
        self.recalled += other.recalled;
    }
}
