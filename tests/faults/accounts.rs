//! Whether evidence and store tell the same, key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use shelflife::evidence::{self, Action, Body, End, Item, ItemResult, VerifyError};
use shelflife::sandbox::{Change, Deed, EntryKind};
use smol_str::SmolStr;

use crate::stage::Stage;

/// One thing that evidence tells of: what is to be done, key, version id, upload id.
type Thing = (bool, SmolStr, Option<SmolStr>, Option<SmolStr>);

/// What the logs say was intended, and what became of it each time.
#[derive(Default)]
pub struct Told {
    intended: BTreeMap<Thing, Item>,
    ended: BTreeMap<Thing, Vec<ItemResult>>,
    /// Intents without outcome.
    open: BTreeSet<Thing>,
}

/// Makes sure that a log is whole; one whose writer was killed may end in a torn line. How it ends.
pub fn verified(log: &Path, was_killed: bool, context: &str) -> End {
    match evidence::verify(BufReader::new(File::open(log).unwrap()), None) {
        Ok(verified) => {
            assert!(was_killed || verified.end != End::Open, "{context}: no closing entry");
            verified.end
        }
        Err(VerifyError::Torn { .. }) if was_killed => End::Open,
        Err(error) => panic!("{context}: {error}"),
    }
}

impl Told {
    /// By all logs on the desk, each of which is whole.
    pub fn by(stage: &Stage, context: &str) -> Self {
        let mut told = Self::default();
        for log in stage.logs() {
            verified(&log, true, context);
            for entry in evidence::entries(BufReader::new(File::open(&log).unwrap())) {
                told.take(entry.unwrap_or_else(|error| panic!("{context}: {error}")).body);
            }
        }
        told
    }

    fn take(&mut self, body: Body) {
        match body {
            Body::Intent(intent) => {
                for item in intent.items {
                    let is_marker = item.action == Action::AddMarker;
                    let thing =
                        (is_marker, item.key.clone(), item.version_id.clone(), item.upload_id.clone());
                    self.open.insert(thing.clone());
                    self.intended.insert(thing, item);
                }
            }
            Body::Outcome(outcome) => {
                for item in outcome.items {
                    let plain = (false, item.key.clone(), item.version_id.clone(), item.upload_id.clone());
                    let marker = (true, item.key, item.version_id, item.upload_id);
                    let thing = if self.open.contains(&marker) { marker } else { plain };
                    assert!(self.open.remove(&thing), "an outcome without intent: {thing:?}");
                    self.ended.entry(thing).or_default().push(item.result);
                }
            }
            _ => {}
        }
    }

    /// What became of everything in the end.
    pub fn last(&self) -> impl Iterator<Item = (&Thing, ItemResult)> {
        self.ended.iter().filter_map(|(thing, results)| Some((thing, *results.last()?)))
    }

    /// Whether it was said that this may have happened.
    fn admits(&self, thing: &Thing, results: &[ItemResult]) -> bool {
        self.open.contains(thing)
            || self.ended.get(thing).into_iter().flatten().any(|result| results.contains(result))
    }
}

const GONE: [ItemResult; 2] = [ItemResult::Deleted, ItemResult::Aborted];
/// What may be said of something that a request has removed: that it is gone, or where the answer was lost for
/// good, that nobody knows; a later look then finds it gone already.
const MAY_BE_GONE: [ItemResult; 4] =
    [ItemResult::Deleted, ItemResult::Aborted, ItemResult::Unclear, ItemResult::AlreadyGone];

/// Everything that evidence calls deleted was removed by a request, or before it by somebody else where others
/// remove things too; everything that requests have removed and written is told.
pub fn agree(told: &Told, history: &[Change], others_remove: bool, context: &str) {
    let own_markers: BTreeSet<&str> = history
        .iter()
        .filter(|change| change.by.is_some() && change.deed == Deed::Added)
        .map(|change| change.entry.id.as_str())
        .filter(|id| *id != "null")
        .collect();
    let mut removed: BTreeMap<Thing, bool> = BTreeMap::new();
    for change in history {
        let (things, is_upload) = things_of(change);
        match change.deed {
            Deed::Removed => {
                let is_ours = change.by.is_some();
                for thing in &things {
                    *removed.entry(thing.clone()).or_default() |= is_ours;
                }
                if !is_ours || own_markers.contains(change.entry.id.as_str()) {
                    continue;
                }
                let named = things.iter().find(|thing| told.intended.contains_key(*thing));
                let thing = named.unwrap_or_else(|| panic!("{context}: nobody told of {change:#?}"));
                assert!(
                    told.admits(thing, &MAY_BE_GONE),
                    "{context}: told to be {:?}: {change:#?}",
                    told.ended.get(thing)
                );
                let item = &told.intended[thing];
                if let (Some(object), false) = (&change.entry.object, is_upload) {
                    assert_eq!(item.etag.as_deref(), Some(object.etag.as_str()), "{context}: {item:?}");
                    assert_eq!(item.size, object.body.len(), "{context}: {item:?}");
                }
            }
            Deed::Added if change.by.is_some() && change.entry.id != "null" => {
                let key = SmolStr::new(&change.entry.key);
                let marker = (true, key.clone(), None, None);
                let plain = (false, key.clone(), None, None);
                let results = [
                    ItemResult::MarkerAdded,
                    ItemResult::MarkerRemoved,
                    ItemResult::Unclear,
                    ItemResult::Changed,
                ];
                let is_told = told.admits(&marker, &results) || told.admits(&plain, &results);
                let of_version = |(thing, results): (&Thing, &Vec<ItemResult>)| {
                    thing.1 == key && results.contains(&ItemResult::Changed)
                };
                assert!(is_told || told.ended.iter().any(of_version), "{context}: untold {change:#?}");
            }
            _ => {}
        }
    }
    for (thing, results) in &told.ended {
        if thing.0 {
            continue;
        }
        let by = removed.get(thing);
        if results.iter().any(|result| GONE.contains(result)) {
            let is_true = by.is_some_and(|is_ours| *is_ours || others_remove);
            assert!(is_true, "{context}: {thing:?} is told to be {results:?}, and no request has removed it");
        }
        if results.contains(&ItemResult::AlreadyGone) {
            assert!(by.is_some(), "{context}: {thing:?} is told to be {results:?}, and was never removed");
        }
    }
}

/// The names that evidence may have for it: an object that has no version id is listed as a null version.
fn things_of(change: &Change) -> (Vec<Thing>, bool) {
    let entry = &change.entry;
    if entry.kind == EntryKind::Upload {
        return (vec![(false, (&entry.key).into(), None, Some((&entry.id).into()))], true);
    }
    let mut things = vec![(false, (&entry.key).into(), Some((&entry.id).into()), None)];
    if entry.id == "null" {
        things.push((false, (&entry.key).into(), None, None));
    }
    (things, false)
}
