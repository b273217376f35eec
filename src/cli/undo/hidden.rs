//! The delete markers that a run has put for its undo windows: which can be taken away, and taking
//! them away.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::Utc;

use super::files::{broken, evidence_failure, opened};
use super::told::{Cannot, MARKERS, Told};
use crate::apply::{Ended, Marker, Saved, Standing, restore, standings, take_away};
use crate::cli::args::{UndoArgs, UndoSelect};
use crate::cli::exit::Failure;
use crate::cli::store::store_failure;
use crate::evidence::{Action, EvidenceLog, Item, ItemOutcome, ItemResult, accounts};
use crate::object::Kind;
use crate::s3::{Bucket, Store};

/// How many are looked at, logged and taken away together.
const CHUNK: usize = 500;

/// Buckets that were opened.
pub(super) struct Buckets<'a> {
    store: &'a Store,
    open: BTreeMap<String, Bucket>,
}

impl<'a> Buckets<'a> {
    pub(super) const fn of(store: &'a Store) -> Self {
        Self { store, open: BTreeMap::new() }
    }

    pub(super) async fn get(&mut self, name: &str) -> Result<&Bucket, Failure> {
        if !self.open.contains_key(name) {
            let bucket = self.store.bucket(name).await.map_err(|error| store_failure(&error))?;
            self.open.insert(name.to_owned(), bucket);
        }
        self.open.get(name).ok_or_else(|| Failure::failed(format!("bucket {name} could not be opened")))
    }
}

/// Whether an item is one of those that are asked for.
pub(super) fn is_wanted(select: &UndoSelect, item: &Item) -> bool {
    select.bucket.as_ref().is_none_or(|bucket| *bucket == item.bucket)
        && select.key_prefix.as_ref().is_none_or(|prefix| item.key.starts_with(prefix))
        && select.tenant.as_ref().is_none_or(|tenant| item.tenant.as_ref() == Some(tenant))
        && select.rule.as_ref().is_none_or(|rule| *rule == item.rule)
}

/// Looks at everything that the run did to objects, and tells what of it can be undone.
pub(super) async fn look(
    log: &Path,
    select: &UndoSelect,
    buckets: &mut Buckets<'_>,
) -> Result<Told, Failure> {
    let mut told = Told::default();
    let mut open: Vec<(Item, Marker)> = Vec::new();
    // What was exported is removed within the same chunk of the run, so this stays small.
    let mut copies: HashMap<[u8; 16], String> = HashMap::new();
    for account in accounts(opened(log)?) {
        let (item, outcome) = account.map_err(|error| broken(log, error))?;
        if !is_wanted(select, &item) {
            continue;
        }
        let identity = item.identity();
        match (item.action, outcome.result) {
            (Action::Mark, ItemResult::MarkerAdded) => match marker_of(&item, &outcome) {
                Some(marker) => open.push((item, marker)),
                None => told.cannot(Cannot::Unnamed, &item),
            },
            (Action::Mark, ItemResult::Unclear) => told.cannot(Cannot::Unnamed, &item),
            (Action::Export, ItemResult::Exported) => {
                copies.extend(outcome.copy.map(|copy| (identity, copy)));
            }
            (Action::Delete, ItemResult::Deleted) if item.kind != Kind::Marker => {
                match copies.remove(&identity) {
                    Some(copy) => told.copied(&item, copy),
                    None => told.cannot(Cannot::Deleted, &item),
                }
            }
            _ => {}
        }
        if open.len() >= CHUNK {
            look_at(std::mem::take(&mut open), buckets, &mut told).await?;
        }
    }
    look_at(open, buckets, &mut told).await?;
    Ok(told)
}

fn marker_of(item: &Item, outcome: &ItemOutcome) -> Option<Marker> {
    let marker = outcome.marker_version_id.clone()?;
    Some(Marker { key: item.key.clone(), marker, version_id: item.version_id.clone()? })
}

async fn look_at(
    found: Vec<(Item, Marker)>,
    buckets: &mut Buckets<'_>,
    told: &mut Told,
) -> Result<(), Failure> {
    for (name, found) in by_bucket(found) {
        let bucket = buckets.get(&name).await?;
        let markers: Vec<Marker> = found.iter().map(|(_, marker)| marker.clone()).collect();
        for ((item, _), standing) in found.iter().zip(standings(bucket, &markers).await) {
            match standing {
                Standing::Hides => told.can(item),
                other => told.cannot(Cannot::Marker(other), item),
            }
        }
    }
    Ok(())
}

fn by_bucket(found: Vec<(Item, Marker)>) -> BTreeMap<String, Vec<(Item, Marker)>> {
    let mut buckets: BTreeMap<String, Vec<(Item, Marker)>> = BTreeMap::new();
    for (item, marker) in found {
        buckets.entry(item.bucket.clone()).or_default().push((item, marker));
    }
    buckets
}

/// One step back.
enum Step {
    /// A delete marker to take away.
    Unmark(Marker),
    /// A copy to put back, `s3://bucket/key`.
    Restore(String),
}

/// Takes the markers away and puts copies back, each chunk logged before and after; how many ended in
/// which way is in `results`.
pub(super) async fn carry_out(
    undo: &UndoArgs,
    buckets: &mut Buckets<'_>,
    (path, evidence): (&Path, &mut EvidenceLog),
    results: &mut BTreeMap<ItemResult, u64>,
) -> Result<(), Failure> {
    let newest = if undo.restore_exports { newest(&undo.log)? } else { HashMap::new() };
    let shows_markers = undo.accept.iter().any(|accepted| accepted == MARKERS);
    let mut open: Vec<(Item, Step)> = Vec::new();
    let mut copies: HashMap<[u8; 16], String> = HashMap::new();
    for account in accounts(opened(&undo.log)?) {
        let (item, outcome) = account.map_err(|error| broken(&undo.log, error))?;
        if !is_wanted(&undo.select, &item) {
            continue;
        }
        let identity = item.identity();
        match (item.action, outcome.result) {
            (Action::Mark, ItemResult::MarkerAdded) if shows_markers => {
                open.extend(marker_of(&item, &outcome).map(|marker| (item, Step::Unmark(marker))));
            }
            (Action::Export, ItemResult::Exported) if undo.restore_exports => {
                copies.extend(outcome.copy.map(|copy| (identity, copy)));
            }
            (Action::Delete, ItemResult::Deleted | ItemResult::AlreadyGone) => {
                let is_newest = newest.get(&key_identity(&item)) == Some(&identity);
                let copy = copies.remove(&identity).filter(|_| is_newest);
                open.extend(copy.map(|copy| (item, Step::Restore(copy))));
            }
            _ => {}
        }
        if open.len() >= CHUNK {
            send(std::mem::take(&mut open), buckets, (path, evidence), results).await?;
        }
    }
    send(open, buckets, (path, evidence), results).await
}

/// Of each key the version that was removed last, which is the newest of those that were: only one can take
/// its place again.
fn newest(log: &Path) -> Result<HashMap<[u8; 16], [u8; 16]>, Failure> {
    let mut newest = HashMap::new();
    for account in accounts(opened(log)?) {
        let (item, outcome) = account.map_err(|error| broken(log, error))?;
        if item.action == Action::Delete && outcome.result.is_gone() {
            newest.insert(key_identity(&item), item.identity());
        }
    }
    Ok(newest)
}

fn key_identity(item: &Item) -> [u8; 16] {
    Item { version_id: None, upload_id: None, ..item.clone() }.identity()
}

async fn send(
    found: Vec<(Item, Step)>,
    buckets: &mut Buckets<'_>,
    (path, evidence): (&Path, &mut EvidenceLog),
    results: &mut BTreeMap<ItemResult, u64>,
) -> Result<(), Failure> {
    let mut of_bucket: BTreeMap<String, Vec<(Item, Step)>> = BTreeMap::new();
    for (item, step) in found {
        of_bucket.entry(item.bucket.clone()).or_default().push((item, step));
    }
    for (name, found) in of_bucket {
        let bucket = buckets.get(&name).await?.clone();
        let items: Vec<Item> = found.iter().map(|(item, step)| intended(item, step)).collect();
        let batch = evidence.intent(Utc::now(), items.clone()).map_err(|e| evidence_failure(path, &e))?;
        let (mut markers, mut saved) = (Vec::new(), Vec::new());
        for (item, step) in &found {
            match step {
                Step::Unmark(marker) => markers.push(marker.clone()),
                Step::Restore(copy) => {
                    let place = copy.strip_prefix("s3://").and_then(|place| place.split_once('/'));
                    let (place, key) =
                        place.ok_or_else(|| Failure::failed("a copy in the log has no proper address"))?;
                    let place = buckets.get(place).await?.clone();
                    saved.push(Saved { place, copy: key.to_owned(), key: item.key.clone(), size: item.size });
                }
            }
        }
        let mut unmarked = take_away(&bucket, &markers).await.into_iter();
        let mut restored = restore(&bucket, &saved).await.into_iter();
        let ended = found.iter().map(|(_, step)| match step {
            Step::Unmark(_) => unmarked.next(),
            Step::Restore(_) => restored.next(),
        });
        let lost = || Ended::because(ItemResult::Unclear, "it has no answer");
        let ended: Vec<Ended> = ended.map(|ended| ended.unwrap_or_else(lost)).collect();
        let outcomes: Vec<ItemOutcome> =
            items.iter().zip(ended).map(|(item, ended)| outcome(item, ended)).collect();
        for outcome in &outcomes {
            *results.entry(outcome.result).or_default() += 1;
        }
        evidence.outcome(Utc::now(), batch, outcomes).map_err(|e| evidence_failure(path, &e))?;
    }
    Ok(())
}

fn intended(item: &Item, step: &Step) -> Item {
    match step {
        Step::Unmark(marker) => Item {
            action: Action::RemoveMarker,
            kind: Kind::Marker,
            version_id: Some(marker.marker.clone()),
            etag: None,
            size: 0,
            reason: "an earlier run has put it there, and is undone".to_owned(),
            ..item.clone()
        },
        Step::Restore(copy) => {
            Item { action: Action::Restore, reason: format!("put back from {copy}"), ..item.clone() }
        }
    }
}

fn outcome(item: &Item, ended: Ended) -> ItemOutcome {
    ItemOutcome {
        bucket: item.bucket.clone(),
        key: item.key.clone(),
        version_id: item.version_id.clone(),
        upload_id: item.upload_id.clone(),
        row: None,
        result: ended.result,
        detail: ended.detail,
        marker_version_id: None,
        copy: None,
    }
}
