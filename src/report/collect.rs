//! Hears of all outcomes, and counts each item once: by the last thing that is told of it.
//!
//! Remembers only items that were not deleted, since only these can be told of again.

use std::collections::{BTreeMap, HashMap};

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
    undone: HashMap<[u8; 16], Undone>,
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
        }
    }

    /// What it is about.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Takes what the log of this number tells next.
    pub fn take(&mut self, log: u32, told: &Told) {
        let Told { item, result, at, batch, .. } = told;
        if !self.scope.has(item) {
            return;
        }
        let group = self.place_of(item);
        let standing = standing(item.action, *result);
        let before = match standing {
            Standing::Covered | Standing::NotCovered | Standing::Aside => None,
            Standing::Deleted | Standing::Gone | Standing::Hidden | Standing::Kept(_) => {
                self.undone.remove(&item.identity())
            }
        };
        if let Some(before) = before {
            for tally in [&mut self.groups[before.group as usize].1, &mut self.total] {
                tally.keep_no_more(before.kept, before.bytes);
            }
        }
        // What was put off was not sent, or was seen to be there after it.
        let was_sent = before.is_some_and(|before| matches!(before.kept, Kept::Unclear | Kept::NoOutcome));
        for tally in [&mut self.groups[group as usize].1, &mut self.total] {
            match standing {
                Standing::Deleted => tally.delete(item.kind, item.size, item.erasure.as_deref(), *at),
                Standing::Gone if was_sent => tally.gone_after_lost_answer += 1,
                Standing::Gone => tally.already_gone += 1,
                Standing::Covered | Standing::Hidden => tally.markers_added += 1,
                Standing::Kept(kept) => tally.keep(kept, item.size),
                Standing::NotCovered | Standing::Aside => {}
            }
        }
        if let Standing::Kept(kept) = standing {
            self.undone
                .insert(item.identity(), Undone { kept, bytes: item.size, group, told: (log, *batch) });
        }
    }

    /// Takes an item that was intended, and of which nothing more is told.
    pub fn without_outcome(&mut self, item: &Item) {
        if !self.scope.has(item) || matches!(standing_of_none(item), Standing::NotCovered | Standing::Aside) {
            return;
        }
        let group = self.place_of(item);
        if let Some(before) = self.undone.remove(&item.identity()) {
            for tally in [&mut self.groups[before.group as usize].1, &mut self.total] {
                tally.keep_no_more(before.kept, before.bytes);
            }
        }
        for tally in [&mut self.groups[group as usize].1, &mut self.total] {
            tally.keep(Kept::NoOutcome, item.size);
        }
        let undone = Undone { kept: Kept::NoOutcome, bytes: item.size, group, told: (u32::MAX, u64::MAX) };
        self.undone.insert(item.identity(), undone);
    }

    /// Whether this is the last thing that the logs tell of the item, and it is about what the
    /// certificate is about; for a second reading of the same logs.
    pub fn is_last(&self, log: u32, told: &Told) -> bool {
        self.scope.has(&told.item)
            && match standing(told.item.action, told.result) {
                Standing::Deleted | Standing::Gone => true,
                Standing::Covered | Standing::Hidden => true,
                Standing::NotCovered | Standing::Aside => false,
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

/// What is known of an item without outcome: of a marker to be put on top nothing that counts.
const fn standing_of_none(item: &Item) -> Standing {
    standing(item.action, crate::evidence::ItemResult::Unclear)
}
