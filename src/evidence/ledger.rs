//! What entries may follow one another. The log that is written and the log that is verified
//! are held to the same ledger.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{Equivalent, HashSet};
use smol_str::SmolStr;

use super::entry::{Body, Item, ItemOutcome, Opening, Totals};

/// Why an entry cannot follow the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// A log begins with an opening entry.
    #[error("it comes before the opening entry")]
    NotOpened,
    /// And has no other.
    #[error("a second opening entry")]
    SecondOpening,
    /// Nothing follows a finished run, and only a resumption an interrupted one.
    #[error("it follows the closing entry")]
    AfterClosing,
    /// Batches count from 1.
    #[error("batch {batch} where batch {expected} was expected")]
    Batch {
        /// The number that it has.
        batch: u64,
        /// The number that it should have.
        expected: u64,
    },
    /// One item twice in a batch: their outcomes could not be told apart.
    #[error("batch {batch} has an item twice")]
    ItemTwice {
        /// The batch.
        batch: u64,
    },
    /// An outcome of something that no intent names, or that had its outcome already.
    #[error("an outcome in batch {batch} without intent")]
    NotIntended {
        /// The batch.
        batch: u64,
    },
    /// A second intent for a bucket's configuration before the first had its outcome.
    #[error("two intents for one bucket's configuration")]
    ConfigurationTwice,
    /// An outcome for a bucket's configuration that no intent names.
    #[error("an outcome of a configuration without intent")]
    ConfigurationNotIntended,
    /// A finished run leaves no intent without outcome.
    #[error("the run was closed as finished while intents have no outcome")]
    Unresolved,
    /// The closing entry's totals are not those of the outcomes before it.
    #[error("the totals are not those of the outcomes")]
    Totals,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Without a closing entry: the run still goes on, crashed, or the log was cut off.
    #[default]
    Open,
    /// Closed by a run that was interrupted and can go on.
    Interrupted,
    /// Closed by a run that had tried everything.
    Finished,
}

/// An item whose intent has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unresolved {
    /// The bucket's name.
    pub bucket: SmolStr,
    /// The key.
    pub key: SmolStr,
    /// The version id.
    pub version_id: Option<SmolStr>,
    /// The upload's id.
    pub upload_id: Option<SmolStr>,
}

impl From<&Item> for Unresolved {
    fn from(item: &Item) -> Self {
        Self {
            bucket: item.bucket.clone(),
            key: item.key.clone(),
            version_id: item.version_id.clone(),
            upload_id: item.upload_id.clone(),
        }
    }
}

impl From<&ItemOutcome> for Unresolved {
    fn from(item: &ItemOutcome) -> Self {
        Self {
            bucket: item.bucket.clone(),
            key: item.key.clone(),
            version_id: item.version_id.clone(),
            upload_id: item.upload_id.clone(),
        }
    }
}

/// An [`Unresolved`] that is borrowed, with the same hash: nothing is copied only to be looked up.
#[derive(PartialEq, Eq, Hash)]
struct Names<'a> {
    bucket: &'a str,
    key: &'a str,
    version_id: Option<&'a str>,
    upload_id: Option<&'a str>,
}

impl<'a> From<&'a ItemOutcome> for Names<'a> {
    fn from(item: &'a ItemOutcome) -> Self {
        Self {
            bucket: &item.bucket,
            key: &item.key,
            version_id: item.version_id.as_deref(),
            upload_id: item.upload_id.as_deref(),
        }
    }
}

impl Equivalent<Unresolved> for Names<'_> {
    fn equivalent(&self, other: &Unresolved) -> bool {
        self.key == other.key
            && self.bucket == other.bucket
            && self.version_id == other.version_id.as_deref()
            && self.upload_id == other.upload_id.as_deref()
    }
}

/// All that bears on which entry may come next; grows with what is unresolved, not with the log.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) opening: Option<Opening>,
    pub(super) end: End,
    pub(super) totals: Totals,
    /// Heads of other logs after which the run went on.
    pub(super) went_on_after: Vec<String>,
    /// Items without outcome, by batch.
    open: BTreeMap<u64, HashSet<Unresolved>>,
    /// Buckets whose configuration has no outcome.
    pub(super) open_configurations: BTreeSet<String>,
    batches: u64,
}

impl Ledger {
    /// Items without outcome by batch, in the order of their names.
    pub(super) fn unresolved(&self) -> impl Iterator<Item = (u64, BTreeSet<Unresolved>)> {
        self.open.iter().map(|(batch, items)| (*batch, items.iter().cloned().collect()))
    }

    /// Whether the log names this as the head of one before it.
    pub(super) fn follows(&self, head: &str) -> bool {
        let first = self.opening.as_ref().and_then(|opening| opening.previous_head.as_ref());
        first.into_iter().chain(&self.went_on_after).any(|known| known == head)
    }

    /// The number of the next batch.
    pub(super) const fn next_batch(&self) -> u64 {
        self.batches + 1
    }

    /// Takes the next entry, or leaves all as it was.
    pub(super) fn take(&mut self, body: &Body) -> Result<(), EntryFault> {
        if self.opening.is_none() != matches!(body, Body::Opening(_)) {
            return Err(match body {
                Body::Opening(_) => EntryFault::SecondOpening,
                _ => EntryFault::NotOpened,
            });
        }
        let may_follow = match self.end {
            End::Open => true,
            End::Interrupted => matches!(body, Body::Resumed(_)),
            End::Finished => false,
        };
        if !may_follow {
            return Err(EntryFault::AfterClosing);
        }
        match body {
            Body::Opening(opened) => self.opening = Some(opened.opening.clone()),
            Body::Intent(intent) => self.intent(intent.batch, &intent.items)?,
            Body::Outcome(outcome) => self.outcome(outcome.batch, &outcome.items)?,
            Body::ConfigurationIntent(intent) => {
                if !self.open_configurations.insert(intent.bucket.clone()) {
                    return Err(EntryFault::ConfigurationTwice);
                }
            }
            Body::ConfigurationOutcome(outcome) => {
                if !self.open_configurations.remove(&outcome.bucket) {
                    return Err(EntryFault::ConfigurationNotIntended);
                }
                *self.totals.configurations.entry(outcome.result).or_default() += 1;
            }
            Body::Resumed(resumed) => {
                self.end = End::Open;
                self.went_on_after.extend(resumed.previous_head.clone());
                if let Some(opening) = &mut self.opening {
                    let known = &mut opening.guards_accepted;
                    let new = resumed.guards_accepted.iter().filter(|guard| !known.contains(guard));
                    let new: Vec<String> = new.cloned().collect();
                    known.extend(new);
                }
            }
            Body::Closing(closing) => {
                if closing.totals != self.totals {
                    return Err(EntryFault::Totals);
                }
                if closing.finished && !(self.open.is_empty() && self.open_configurations.is_empty()) {
                    return Err(EntryFault::Unresolved);
                }
                self.end = if closing.finished { End::Finished } else { End::Interrupted };
            }
        }
        Ok(())
    }

    fn intent(&mut self, batch: u64, items: &[Item]) -> Result<(), EntryFault> {
        let expected = self.next_batch();
        if batch != expected {
            return Err(EntryFault::Batch { batch, expected });
        }
        let open: HashSet<_> = items.iter().map(Unresolved::from).collect();
        if open.len() != items.len() {
            return Err(EntryFault::ItemTwice { batch });
        }
        self.batches = batch;
        self.open.insert(batch, open);
        Ok(())
    }

    fn outcome(&mut self, batch: u64, items: &[ItemOutcome]) -> Result<(), EntryFault> {
        let resolved: HashSet<_> = items.iter().map(Names::from).collect();
        let open = self.open.get_mut(&batch).filter(|open| resolved.iter().all(|item| open.contains(item)));
        let open = open.filter(|_| resolved.len() == items.len()).ok_or(EntryFault::NotIntended { batch })?;
        for item in &resolved {
            open.remove(item);
        }
        if open.is_empty() {
            self.open.remove(&batch);
        }
        for item in items {
            *self.totals.items.entry(item.result).or_default() += 1;
        }
        Ok(())
    }
}
