//! What must be there in the end: a naive reading of the policy, applied to what others have put there.
//!
//! It looks at nothing that `shelflife` has done.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::sandbox::{Change, Deed, Entry, EntryKind, Versioning};

use crate::scene::Kind;

/// What others have put into a bucket.
#[derive(Default)]
pub struct Model {
    /// The versions and markers of each key, the oldest first.
    pub keys: BTreeMap<String, Vec<Entry>>,
    pub uploads: Vec<Entry>,
}

/// By what is decided.
#[derive(Clone, Copy)]
pub struct Rules {
    pub kind: Kind,
    pub now: DateTime<Utc>,
}

impl Rules {
    fn is_older(self, at: DateTime<Utc>, days: i64) -> bool {
        at + TimeDelta::days(days) < self.now
    }

    /// Whether the time of an entry is up and nothing protects it; it was superseded by `successor`.
    pub fn is_due(self, entry: &Entry, successor: Option<&Entry>) -> bool {
        let Entry { key, kind, object, last_modified, .. } = entry;
        let is_locked = object.as_ref().is_some_and(|object| {
            let until = object.attributes.retention.map(|retention| retention.until);
            object.attributes.legal_hold == Some(true) || until.is_some_and(|until| self.now < until)
        });
        if is_locked || key.split('/').nth(1) == Some("held") {
            return false;
        }
        if *kind == EntryKind::Upload {
            return key.starts_with("inbound/") && self.is_older(*last_modified, 7);
        }
        let tag = object.as_ref().and_then(|object| object.attributes.tags.get("class"));
        let is_tagged = key.starts_with("tagged/") && tag.is_some_and(|class| class == "short");
        let is_covered = key.starts_with("inbound/") || key.starts_with("said/") || is_tagged;
        if let (Kind::Noncurrent, Some(successor)) = (self.kind, successor) {
            return is_covered && self.is_older(successor.last_modified, 2);
        }
        if let (EntryKind::Marker, None) = (kind, successor) {
            // Of a key of which nothing else is left. Who asks for another, asks what it hides first.
            return is_covered && self.is_older(*last_modified, 1);
        }
        if key.starts_with("inbound/") {
            return self.is_older(*last_modified, 30);
        }
        if key.starts_with("said/") {
            let said = object.as_ref().and_then(|it| it.attributes.metadata.get("communication-date"));
            let said = said.and_then(|said| said.parse::<DateTime<Utc>>().ok());
            return said.is_some_and(|said| self.is_older(said, 30));
        }
        is_tagged && self.is_older(*last_modified, 10)
    }
}

impl Model {
    /// What stands there when others have done this.
    pub fn of(history: &[Change]) -> Self {
        let mut model = Self::default();
        for change in history.iter().filter(|change| change.by.is_none()) {
            model.follow(change);
        }
        model
    }

    /// Does what was done.
    pub fn follow(&mut self, change: &Change) {
        let entry = change.entry.clone();
        let entries = match entry.kind {
            EntryKind::Upload => &mut self.uploads,
            _ => self.keys.entry(entry.key.clone()).or_default(),
        };
        let place = entries.iter().position(|other| other.id == entry.id && other.key == entry.key);
        match (change.deed, place) {
            (Deed::Added, Some(place)) => {
                entries.remove(place);
                entries.push(entry);
            }
            (Deed::Added, None) => entries.push(entry),
            (Deed::Altered, Some(place)) => entries[place] = entry,
            (Deed::Removed, Some(place)) => {
                entries.remove(place);
            }
            (Deed::Altered | Deed::Removed, None) => {}
        }
    }

    /// What must be left of it when all is done that the policy says.
    pub fn settled(&self, rules: Rules, versioning: Versioning) -> Vec<Entry> {
        let mut left: Vec<Entry> =
            self.uploads.iter().filter(|upload| !rules.is_due(upload, None)).cloned().collect();
        for versions in self.keys.values() {
            left.extend(settled_key(versions, rules, versioning));
        }
        left
    }
}

fn settled_key(versions: &[Entry], rules: Rules, versioning: Versioning) -> Vec<Entry> {
    let Some((top, below)) = versions.split_last() else { return Vec::new() };
    let is_suspended = versioning == Versioning::Suspended;
    let goes = |place: usize| {
        // What has no id of its own is left alone, unless its ETag guards it.
        let is_left = is_suspended && versions[place].id == "null" && place + 1 < versions.len();
        !is_left && rules.is_due(&versions[place], versions.get(place + 1))
    };
    let mut left: Vec<Entry> =
        below.iter().enumerate().filter(|(place, _)| !goes(*place)).map(|(_, it)| it.clone()).collect();
    let top_goes = rules.is_due(top, None) && !(is_suspended && top.id == "null" && is_marker(top));
    let marker = |id: &str| Entry {
        key: top.key.clone(),
        kind: EntryKind::Marker,
        id: id.to_owned(),
        is_latest: true,
        last_modified: top.last_modified,
        object: None,
    };
    if !top_goes {
        left.push(top.clone());
    } else if is_marker(top) {
        if !left.is_empty() {
            left.push(top.clone());
        }
    } else if is_suspended && top.id == "null" {
        left.push(marker("null"));
    } else if !left.is_empty() {
        left.push(if is_suspended { top.clone() } else { marker("new") });
    }
    let count = left.len();
    for (place, entry) in left.iter_mut().enumerate() {
        entry.is_latest = place + 1 == count;
    }
    left
}

fn is_marker(entry: &Entry) -> bool {
    entry.kind == EntryKind::Marker
}

/// Follows a history and complains about everything `shelflife` has done that it must not do at any moment:
/// remove what is not due or protected, write anything but markers, bring an older version back.
pub fn nothing_undue(history: &[Change], rules: Rules, context: &str) {
    let mut model = Model::default();
    let mut own_markers: BTreeSet<String> = BTreeSet::new();
    for (place, change) in history.iter().enumerate() {
        let Change { entry, deed, by, .. } = change;
        let stack = model.keys.get(&entry.key).map_or(&[][..], Vec::as_slice);
        let at = stack.iter().position(|other| other.id == entry.id);
        if let Some(request) = by {
            match deed {
                Deed::Added => {
                    assert!(is_marker(entry), "{context}: request {request} has written {entry:#?}");
                    own_markers.insert(entry.id.clone());
                }
                Deed::Altered => panic!("{context}: request {request} has altered {entry:#?}"),
                Deed::Removed => {
                    let successor = at.and_then(|at| stack.get(at + 1));
                    let is_own = is_marker(entry) && entry.id != "null" && own_markers.contains(&entry.id);
                    let is_due = rules.is_due(entry, successor);
                    assert!(is_own || is_due, "{context}: request {request} has removed {entry:#?}");
                    let is_replaced = history.get(place + 1).is_some_and(|next| {
                        next.by == *by && next.deed == Deed::Added && next.entry.key == entry.key
                    });
                    let uncovered = at.and_then(|at| stack.get(at.checked_sub(1)?));
                    let comes_back =
                        entry.is_latest && uncovered.is_some_and(|older| older.kind == EntryKind::Version);
                    assert!(
                        !comes_back || is_own || is_replaced,
                        "{context}: request {request} has brought back {uncovered:#?}"
                    );
                }
            }
        }
        model.follow(change);
    }
}
