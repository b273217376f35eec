//! Hears of all outcomes, and counts each item once: by the last thing that is told of it.
//!
//! Remembers only items that were not deleted, since only these can be told of again, and what came back.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::returned::{Identity, Removal, Return, Returned, Telling};
use super::standing::{Kept, Standing, standing};
use super::tally::Tally;
use crate::evidence::{Item, Told};

/// By what a certificate is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By tenant.
    Tenant,
    /// By rule.
    Rule,
}

/// What a certificate is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// This tenant alone.
    pub tenant: Option<String>,
    /// This rule alone.
    pub rule: Option<String>,
    /// By what it is divided.
    pub by: By,
}

impl Scope {
    /// Whether it is about this item.
    pub fn has(&self, item: &Item) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| item.tenant.as_deref() == Some(tenant.as_str()))
            && self.rule.as_ref().is_none_or(|rule| *rule == item.rule)
    }

    fn group<'i>(&self, item: &'i Item) -> Option<&'i str> {
        match self.by {
            By::Tenant => item.tenant.as_deref(),
            By::Rule => Some(item.rule.as_str()).filter(|rule| !rule.is_empty()),
        }
    }
}

/// Counts what logs tell. These come in the order in which they follow each other.
#[derive(Debug)]
pub struct Collector {
    scope: Scope,
    places: HashMap<Option<String>, u32>,
    groups: Vec<(Option<String>, Tally)>,
    total: Tally,
    undone: HashMap<Identity, Undone>,
    /// What was copied and is not said to be gone yet.
    copied: HashSet<Identity>,
    returned: Returned,
}

/// An item of which nobody has said yet that it is gone.
#[derive(Clone, Copy, Debug)]
struct Undone {
    kept: Kept,
    bytes: u64,
    group: u32,
    /// Log and batch of the last thing that was told of it.
    told: (u32, u64),
}

impl Collector {
    /// That has heard nothing.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            places: HashMap::new(),
            groups: Vec::new(),
            total: Tally::default(),
            undone: HashMap::new(),
            copied: HashSet::new(),
            returned: Returned::default(),
        }
    }

    /// Another that has heard nothing, where this one has heard that something came back. It expects that,
    /// has to hear everything from the beginning, and does not count as deleted what came back.
    pub fn again(&self) -> Option<Self> {
        let again = || Self { returned: self.returned.expected(), ..Self::new(self.scope.clone()) };
        self.returned.is_surprised().then(again)
    }

    /// What it is about.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Takes what the log of this number tells next.
    pub fn take(&mut self, log: u32, told: &Told) {
        if self.scope.has(&told.item) {
            self.count(log, told, standing(told.item.action, told.result));
        }
    }

    /// Takes what the log of this number leaves open at its end. What a later log tells of it counts.
    pub fn without_outcome(&mut self, log: u32, told: &Told) {
        let standing = match standing(told.item.action, told.result) {
            Standing::Kept(_) => Standing::Kept(Kept::NoOutcome),
            Standing::NotCovered | Standing::Aside => return,
            other => other,
        };
        if self.scope.has(&told.item) {
            self.count(log, told, standing);
        }
    }

    fn count(&mut self, log: u32, told: &Told, standing: Standing) {
        let Told { item, at, batch, .. } = told;
        let (group, identity, erasure) = (self.place_of(item), item.identity(), item.erasure.as_deref());
        let telling = (log, *batch, identity);
        match standing {
            Standing::Deleted => {
                self.keep_no_more(&identity);
                self.removed(telling, Removal::Deleted);
                self.tally(group, |tally| tally.delete(item.kind, item.size, erasure, *at));
            }
            Standing::Gone => {
                // What was put off was not sent, or was seen to be there after it.
                let was_sent = matches!(self.keep_no_more(&identity), Some(Kept::Unclear | Kept::NoOutcome));
                if was_sent {
                    self.removed(telling, Removal::AfterLostAnswer);
                    self.tally(group, |tally| tally.gone_after_lost_answer += 1);
                } else {
                    self.removed(telling, Removal::AlreadyGone);
                    self.tally(group, |tally| tally.already_gone += 1);
                }
            }
            Standing::Hidden => {
                self.keep_no_more(&identity);
                self.returned.hidden(telling, item);
                self.tally(group, |tally| tally.markers_added += 1);
            }
            Standing::Covered => self.tally(group, |tally| tally.markers_added += 1),
            Standing::Kept(kept) => {
                self.keep_no_more(&identity);
                self.tally(group, |tally| tally.keep(kept, item.size));
                let undone = Undone { kept, bytes: item.size, group, told: (log, *batch) };
                self.undone.insert(identity, undone);
            }
            Standing::Copied => {
                // A run that goes on copies anew.
                if self.copied.insert(identity) {
                    self.tally(group, |tally| tally.copied.add(item.size));
                }
            }
            Standing::PutBack => match self.returned.put_back(item) {
                Some(Return::Back) => {}
                before => self.tally(group, |tally| {
                    if let Some(Return::Removed(all)) = &before {
                        all.iter().for_each(|(removal, _)| tally.remove_no_more(*removal, item));
                    }
                    tally.put_back.add(item.size);
                }),
            },
            Standing::Shown => {
                if let Some(was_told) = self.returned.shown(item) {
                    self.tally(group, |tally| {
                        tally.markers_added = tally.markers_added.saturating_sub(was_told.into());
                        tally.made_visible += 1;
                    });
                }
            }
            Standing::NotCovered | Standing::Aside => {}
        }
    }

    fn removed(&mut self, telling: Telling, removal: Removal) {
        self.copied.remove(&telling.2);
        self.returned.removed(telling, removal);
    }

    /// Why it was kept until now, if it was.
    fn keep_no_more(&mut self, identity: &Identity) -> Option<Kept> {
        let before = self.undone.remove(identity)?;
        self.tally(before.group, |tally| tally.keep_no_more(before.kept, before.bytes));
        Some(before.kept)
    }

    fn tally(&mut self, group: u32, mut count: impl FnMut(&mut Tally)) {
        count(&mut self.groups[group as usize].1);
        count(&mut self.total);
    }

    /// Whether this is the last thing that the logs tell of the item, and it is about what the
    /// certificate is about; for a second reading of the same logs.
    pub fn is_last(&self, log: u32, told: &Told) -> bool {
        self.scope.has(&told.item)
            && match standing(told.item.action, told.result) {
                Standing::Deleted | Standing::Gone | Standing::Hidden => {
                    self.returned.counts(&(log, told.batch, told.item.identity()))
                }
                Standing::Covered | Standing::PutBack | Standing::Shown => true,
                Standing::Copied | Standing::NotCovered | Standing::Aside => false,
                Standing::Kept(_) => {
                    let undone = self.undone.get(&told.item.identity());
                    undone.is_some_and(|undone| undone.told == (log, told.batch))
                }
            }
    }

    /// All together.
    pub const fn total(&self) -> &Tally {
        &self.total
    }

    /// Each tenant or rule with what became of its items, by name; what has none comes last.
    pub fn groups(&self) -> Vec<(Option<&str>, &Tally)> {
        let named: BTreeMap<&str, &Tally> =
            self.groups.iter().filter_map(|(name, tally)| Some((name.as_deref()?, tally))).collect();
        let nameless = self.groups.iter().filter(|(name, _)| name.is_none()).map(|(_, tally)| (None, tally));
        named.into_iter().map(|(name, tally)| (Some(name), tally)).chain(nameless).collect()
    }

    fn place_of(&mut self, item: &Item) -> u32 {
        let name = self.scope.group(item).map(str::to_owned);
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.places.insert(name.clone(), place);
        self.groups.push((name, Tally::default()));
        place
    }
}
