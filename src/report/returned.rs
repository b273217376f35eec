//! What came back: copies that were put back, and markers that were taken away again. What was told of the
//! same items before does not count any more.
//!
//! Millions are deleted and few come back, so deletions are not remembered. Where something comes back that
//! nobody expects, everything is heard once more, by who expects it then.

use std::collections::{HashMap, HashSet};

use crate::evidence::Item;

/// Stands for an item, or for its key.
pub(super) type Identity = [u8; 16];

/// What told of an item: the log's number, its batch, and the item.
pub(super) type Telling = (u32, u64, Identity);

/// As what an item was counted that is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    Deleted,
    AlreadyGone,
    AfterLostAnswer,
}

/// How an item stands that comes back at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Return {
    /// Nothing was told of it yet.
    Expected,
    /// It was removed, as each of these tells.
    Removed(Vec<(Removal, Telling)>),
    /// It was put back since.
    Back,
}

/// What came back, and what that undoes.
#[derive(Debug, Default)]
pub(super) struct Returned {
    items: HashMap<Identity, Return>,
    /// Under keys whose markers are taken away: what was hidden there.
    hidden: HashMap<Identity, Vec<Telling>>,
    /// Markers that were taken away.
    markers: HashSet<Identity>,
    undone: HashSet<Telling>,
    is_surprised: bool,
}

impl Returned {
    /// Whether something came back that was not expected, so that nobody knows what that undoes.
    pub(super) const fn is_surprised(&self) -> bool {
        self.is_surprised
    }

    /// For everything to be heard from the beginning, expecting what came back.
    pub(super) fn expected(&self) -> Self {
        Self {
            items: self.items.keys().map(|item| (*item, Return::Expected)).collect(),
            hidden: self.hidden.keys().map(|key| (*key, Vec::new())).collect(),
            ..Self::default()
        }
    }

    /// Whether what was told there still counts.
    pub(super) fn counts(&self, telling: &Telling) -> bool {
        !self.undone.contains(telling)
    }

    /// Takes an item for removed.
    pub(super) fn removed(&mut self, telling: Telling, removal: Removal) {
        match self.items.get_mut(&telling.2) {
            Some(Return::Removed(all)) => all.push((removal, telling)),
            Some(other) => *other = Return::Removed(vec![(removal, telling)]),
            None => {}
        }
    }

    /// Takes an item for put back; how it stood until then, where that is known. A version is one thing, whoever
    /// tells that it is gone; without versions, what was removed before the last removal is another.
    pub(super) fn put_back(&mut self, item: &Item) -> Option<Return> {
        let mut before = self.items.insert(item.identity(), Return::Back);
        self.is_surprised |= before.is_none();
        if let Some(Return::Removed(all)) = &mut before {
            if item.version_id.is_none() {
                let last = all.iter().rposition(|(removal, _)| *removal != Removal::AlreadyGone);
                all.drain(..last.unwrap_or_default());
            }
            self.undone.extend(all.iter().map(|(_, telling)| *telling));
        }
        before
    }

    /// Takes an item for hidden.
    pub(super) fn hidden(&mut self, telling: Telling, item: &Item) {
        if !self.hidden.is_empty()
            && let Some(hidden) = self.hidden.get_mut(&item.identity_of_key())
        {
            hidden.push(telling);
        }
    }

    /// Takes a marker for taken away: whether what it hid was told to be hidden; `None` if it was taken away
    /// before.
    pub(super) fn shown(&mut self, marker: &Item) -> Option<bool> {
        if !self.markers.insert(marker.identity()) {
            return None;
        }
        let key = marker.identity_of_key();
        self.is_surprised |= !self.hidden.contains_key(&key);
        let hidden = self.hidden.entry(key).or_default().pop();
        self.undone.extend(hidden);
        Some(hidden.is_some())
    }
}
