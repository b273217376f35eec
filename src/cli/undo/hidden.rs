//! The delete markers that a run has put for its undo windows: which can be taken away, and taking
//! them away.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::Utc;

use super::files::{broken, evidence_failure, opened};
use super::told::{Cannot, MARKERS, Told};
use crate::apply::{Ended, Marker, Saved, Standing, Unnamed, find, restore, standings, take_away};
use crate::cli::args::{UndoArgs, UndoSelect};
use crate::cli::exit::Failure;
use crate::cli::store::store_failure;
use crate::evidence::{self, Action, EvidenceLog, Item, ItemOutcome, ItemResult, told};
use crate::object::Kind;
use crate::s3::{Bucket, Store, StoreError};

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
    let mut counts = Told::default();
    let mut open: Vec<(Item, Marker)> = Vec::new();
    let mut unnamed = UnnamedMarkers::default();
    // What was exported is removed within the same chunk of the run, so this stays small.
    let mut copies: HashMap<[u8; 16], String> = HashMap::new();
    for told in told(opened(log)?) {
        let told = told.map_err(|error| broken(log, error))?;
        if !is_wanted(select, &told.item) {
            continue;
        }
        let identity = told.item.identity();
        match (told.item.action, told.result) {
            (Action::Mark, ItemResult::MarkerAdded | ItemResult::Unclear) => {
                open.extend(unnamed.take(told));
            }
            (Action::Export, ItemResult::Exported) => {
                copies.extend(told.copy.map(|(copy, _)| (identity, copy)));
            }
            (Action::Delete, ItemResult::Deleted) if told.item.kind != Kind::Marker => {
                match copies.remove(&identity) {
                    Some(copy) => counts.copied(&told.item, copy),
                    None => counts.cannot(Cannot::Deleted, &told.item),
                }
            }
            _ => {}
        }
        if open.len() >= CHUNK {
            look_at(std::mem::take(&mut open), buckets, &mut counts).await?;
        }
    }
    look_at(open, buckets, &mut counts).await?;
    for (item, found) in unnamed.find(buckets).await? {
        match found {
            Ok(Some(_)) => {
                counts.found += 1;
                counts.can(&item);
            }
            Ok(None) => counts.cannot(Cannot::Unnamed, &item),
            Err(_) => counts.cannot(Cannot::Marker(Standing::Unknown), &item),
        }
    }
    Ok(counts)
}

/// Versions that the run was about to hide, and whose markers its log does not name; no more of them than
/// answers were lost.
#[derive(Default)]
struct UnnamedMarkers(HashMap<[u8; 16], (Item, Unnamed)>);

impl UnnamedMarkers {
    /// The marker that `told` names; else it is remembered, until a later try names one.
    fn take(&mut self, told: evidence::Told) -> Option<(Item, Marker)> {
        let key = told.item.key.clone();
        let version_id = told.item.version_id.clone()?;
        let identity = told.item.identity();
        if let Some(marker) = told.marker_version_id {
            self.0.remove(&identity);
            return Some((told.item, Marker { key, marker, version_id }));
        }
        let unnamed = Unnamed { key, version_id, intended: told.intended };
        self.0.entry(identity).or_insert((told.item, unnamed));
        None
    }

    /// Looks for all of them.
    async fn find(self, buckets: &mut Buckets<'_>) -> Result<Vec<Found>, Failure> {
        let mut all = Vec::with_capacity(self.0.len());
        let mut of_bucket: BTreeMap<String, Vec<(Item, Unnamed)>> = BTreeMap::new();
        for (item, unnamed) in self.0.into_values() {
            of_bucket.entry(item.bucket.clone()).or_default().push((item, unnamed));
        }
        for (name, lost) in of_bucket {
            let (items, lost): (Vec<Item>, Vec<Unnamed>) = lost.into_iter().unzip();
            all.extend(items.into_iter().zip(find(buckets.get(&name).await?, &lost).await));
        }
        all.sort_by(|(a, _), (b, _)| (&a.bucket, &a.key).cmp(&(&b.bucket, &b.key)));
        Ok(all)
    }
}

/// A version, and the marker that was found on it.
type Found = (Item, Result<Option<Marker>, StoreError>);

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
    /// A copy to put back: `s3://bucket/key`, and the ETag that it has, if the log tells it.
    Restore(String, Option<String>),
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
    let mut unnamed = UnnamedMarkers::default();
    let mut copies = HashMap::new();
    for told in told(opened(&undo.log)?) {
        let told = told.map_err(|error| broken(&undo.log, error))?;
        if !is_wanted(&undo.select, &told.item) {
            continue;
        }
        let identity = told.item.identity();
        match (told.item.action, told.result) {
            (Action::Mark, ItemResult::MarkerAdded | ItemResult::Unclear) if shows_markers => {
                open.extend(unnamed.take(told).map(|(item, marker)| (item, Step::Unmark(marker))));
            }
            (Action::Export, ItemResult::Exported) if undo.restore_exports => {
                copies.extend(told.copy.map(|copy| (identity, copy)));
            }
            (Action::Delete, ItemResult::Deleted | ItemResult::AlreadyGone) => {
                let is_newest = newest.get(&key_identity(&told.item)) == Some(&identity);
                let copy = copies.remove(&identity).filter(|_| is_newest);
                open.extend(copy.map(|(copy, etag)| (told.item, Step::Restore(copy, etag))));
            }
            _ => {}
        }
        if open.len() >= CHUNK {
            send(std::mem::take(&mut open), buckets, (path, evidence), results).await?;
        }
    }
    for (item, found) in unnamed.find(buckets).await? {
        open.extend(found.ok().flatten().map(|marker| (item, Step::Unmark(marker))));
    }
    send(open, buckets, (path, evidence), results).await
}

/// Of each key the version that was removed last, which is the newest of those that were: only one can take
/// its place again.
fn newest(log: &Path) -> Result<HashMap<[u8; 16], [u8; 16]>, Failure> {
    let mut newest = HashMap::new();
    for told in told(opened(log)?) {
        let evidence::Told { item, result, .. } = told.map_err(|error| broken(log, error))?;
        if item.action == Action::Delete && result.is_gone() {
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
                Step::Restore(copy, etag) => {
                    let place = copy.strip_prefix("s3://").and_then(|place| place.split_once('/'));
                    let (place, key) =
                        place.ok_or_else(|| Failure::failed("a copy in the log has no proper address"))?;
                    let place = buckets.get(place).await?.clone();
                    saved.push(Saved {
                        place,
                        copy: key.to_owned(),
                        key: item.key.clone(),
                        etag: etag.clone(),
                    });
                }
            }
        }
        let mut unmarked = take_away(&bucket, &markers).await.into_iter();
        let mut restored = restore(&bucket, &saved).await.into_iter();
        let ended = found.iter().map(|(_, step)| match step {
            Step::Unmark(_) => unmarked.next(),
            Step::Restore(..) => restored.next(),
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
        Step::Restore(copy, _) => {
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
        copy_etag: None,
    }
}
