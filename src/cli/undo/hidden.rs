//! The delete markers that a run has put for its undo windows, and the copies of what it has removed: which can
//! be taken away or put back, and doing it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::Utc;
use smol_str::{SmolStr, format_smolstr};

use super::files::{broken, evidence_failure, opened};
use super::removed::{Newest, Removals, Removed};
use super::selected::is_wanted;
use super::told::{Cannot, FOUND, MARKERS, Told};
use crate::apply::{
    CHUNK_ROWS, Ended, Marker, Saved, Standing, Unnamed, find, restore, standings, take_away,
};
use crate::cli::args::{UndoArgs, UndoSelect};
use crate::cli::exit::Failure;
use crate::evidence::{self, Action, EvidenceLog, Item, ItemOutcome, ItemResult, told};
use crate::object::Kind;
use crate::s3::{Bucket, Store, StoreError};

/// How many are looked at, logged and taken away together.
const CHUNK: usize = 500;

/// How many markers a kill can leave unnamed that the run names when it goes on: those of all batches that
/// are worked on at a time, as many as `--concurrency` takes.
const MOST_OPEN: usize = 64 * CHUNK_ROWS;

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
            let bucket = self.store.bucket(name).await?;
            self.open.insert(name.to_owned(), bucket);
        }
        self.open.get(name).ok_or_else(|| Failure::failed(format!("bucket {name} could not be opened")))
    }
}

/// Whether it tells of a version that is asked for, and that the run has hidden or was about to hide.
fn is_hidden(select: &UndoSelect, told: &evidence::Told) -> bool {
    told.item.action == Action::Mark
        && matches!(told.result, ItemResult::MarkerAdded | ItemResult::Unclear)
        && is_wanted(select, &told.item)
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
    let mut removals = Removals::of(select);
    for told in told(opened(log)?) {
        let told = told.map_err(|error| broken(log, error))?;
        if is_hidden(select, &told) {
            open.extend(unnamed.take(told));
        } else if let Some(Removed { item, copy }) = removals.take(told) {
            match copy {
                Some(copy) => counts.copied(&item, copy.place),
                None => counts.cannot(Cannot::Deleted, &item),
            }
        }
        if open.len() >= CHUNK {
            look_at(std::mem::take(&mut open), buckets, &mut counts).await?;
        }
        if unnamed.is_full() {
            unnamed.tell(buckets, &mut counts).await?;
        }
    }
    look_at(open, buckets, &mut counts).await?;
    unnamed.tell(buckets, &mut counts).await?;
    Ok(counts)
}

/// Versions that the run was about to hide, and whose markers its log does not name.
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
        self.0.insert(identity, (told.item, unnamed));
        None
    }

    /// Whether there are too many to wait until the log's end for what may still name them.
    fn is_full(&self) -> bool {
        self.0.len() > MOST_OPEN
    }

    /// Looks for all of them, and begins anew.
    async fn find(&mut self, buckets: &mut Buckets<'_>) -> Result<Vec<Found>, Failure> {
        let mut all = Vec::with_capacity(self.0.len());
        let mut of_bucket: BTreeMap<SmolStr, Vec<(Item, Unnamed)>> = BTreeMap::new();
        for (item, unnamed) in std::mem::take(&mut self.0).into_values() {
            of_bucket.entry(item.bucket.clone()).or_default().push((item, unnamed));
        }
        for (name, lost) in of_bucket {
            let bucket = buckets.get(&name).await?;
            let (items, lost): (Vec<Item>, Vec<Unnamed>) = lost.into_iter().unzip();
            let mut found = Vec::with_capacity(lost.len());
            for chunk in lost.chunks(CHUNK) {
                found.extend(find(bucket, chunk).await);
            }
            all.extend(items.into_iter().zip(found));
        }
        all.sort_by(|(a, _), (b, _)| (&a.bucket, &a.key).cmp(&(&b.bucket, &b.key)));
        Ok(all)
    }

    async fn tell(&mut self, buckets: &mut Buckets<'_>, counts: &mut Told) -> Result<(), Failure> {
        for (item, found) in self.find(buckets).await? {
            match found {
                Ok(Some(_)) => counts.found(&item),
                Ok(None) => counts.cannot(Cannot::Unnamed, &item),
                Err(_) => counts.cannot(Cannot::Marker(Standing::Unknown), &item),
            }
        }
        Ok(())
    }

    /// Those that are found; of the others nothing is sent, so that they are only counted.
    async fn steps(
        &mut self,
        buckets: &mut Buckets<'_>,
        results: &mut BTreeMap<ItemResult, u64>,
    ) -> Result<Vec<(Item, Step)>, Failure> {
        let mut steps = Vec::new();
        for (item, found) in self.find(buckets).await? {
            match found {
                Ok(Some(marker)) => steps.push((item, Step::Unmark(marker))),
                Ok(None) => *results.entry(ItemResult::Changed).or_default() += 1,
                Err(_) => *results.entry(ItemResult::Failed).or_default() += 1,
            }
        }
        Ok(steps)
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

fn by_bucket(found: Vec<(Item, Marker)>) -> BTreeMap<SmolStr, Vec<(Item, Marker)>> {
    let mut buckets: BTreeMap<SmolStr, Vec<(Item, Marker)>> = BTreeMap::new();
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
    Restore(SmolStr, Option<SmolStr>),
}

/// Takes the markers away and puts copies back, each chunk logged before and after; how many ended in
/// which way is in `results`.
pub(super) async fn carry_out(
    undo: &UndoArgs,
    buckets: &mut Buckets<'_>,
    (path, evidence): (&Path, &mut EvidenceLog),
    results: &mut BTreeMap<ItemResult, u64>,
) -> Result<(), Failure> {
    let newest = if undo.restore_exports { Newest::of(&undo.log, &undo.select)? } else { Newest::default() };
    let is_accepted = |what: &str| undo.accept.iter().any(|accepted| accepted == what);
    let (shows_markers, shows_found) = (is_accepted(MARKERS), is_accepted(FOUND));
    let mut open: Vec<(Item, Step)> = Vec::new();
    let mut unnamed = UnnamedMarkers::default();
    let mut removals = Removals::of(&undo.select);
    for told in told(opened(&undo.log)?) {
        let told = told.map_err(|error| broken(&undo.log, error))?;
        if is_hidden(&undo.select, &told) {
            let named = unnamed.take(told).filter(|_| shows_markers);
            open.extend(named.map(|(item, marker)| (item, Step::Unmark(marker))));
            if !shows_found {
                unnamed.0.clear();
            } else if unnamed.is_full() {
                open.extend(unnamed.steps(buckets, results).await?);
            }
        } else if undo.restore_exports
            && let Some(Removed { item, copy: Some(copy) }) = removals.take(told)
        {
            if newest.is(&item, &copy) {
                open.push((item, Step::Restore(copy.place, copy.etag)));
            } else {
                // A newer copy takes its place.
                *results.entry(ItemResult::Changed).or_default() += 1;
            }
        }
        if open.len() >= CHUNK {
            send(std::mem::take(&mut open), buckets, (path, evidence), results).await?;
        }
    }
    open.extend(unnamed.steps(buckets, results).await?);
    send(open, buckets, (path, evidence), results).await
}

async fn send(
    found: Vec<(Item, Step)>,
    buckets: &mut Buckets<'_>,
    (path, evidence): (&Path, &mut EvidenceLog),
    results: &mut BTreeMap<ItemResult, u64>,
) -> Result<(), Failure> {
    let mut of_bucket: BTreeMap<SmolStr, Vec<(Item, Step)>> = BTreeMap::new();
    for (item, step) in found {
        of_bucket.entry(item.bucket.clone()).or_default().push((item, step));
    }
    let chunks = of_bucket.iter().flat_map(|(name, all)| all.chunks(CHUNK).map(move |chunk| (name, chunk)));
    let chunks: Vec<(&SmolStr, &[(Item, Step)])> = chunks.collect();
    for (name, found) in chunks {
        let bucket = buckets.get(name).await?.clone();
        let items: Vec<Item> = found.iter().map(|(item, step)| intended(item, step)).collect();
        let batch = evidence.intent(Utc::now(), items.clone()).map_err(|e| evidence_failure(path, &e))?;
        let (mut markers, mut saved) = (Vec::new(), Vec::new());
        for (item, step) in found {
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
                        key: item.key.to_string(),
                        etag: etag.as_ref().map(SmolStr::to_string),
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
            reason: "an earlier run has put it there, and is undone".into(),
            ..item.clone()
        },
        Step::Restore(copy, _) => {
            Item { action: Action::Restore, reason: format_smolstr!("put back from {copy}"), ..item.clone() }
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn hidden(number: usize, marker: Option<&str>) -> evidence::Told {
        let at = DateTime::UNIX_EPOCH;
        let item = Item {
            action: Action::Mark,
            kind: Kind::Version,
            bucket: "media".into(),
            key: format_smolstr!("inbound/1/{number}"),
            version_id: Some("v1".into()),
            upload_id: None,
            etag: None,
            size: 6,
            tenant: Some("1".into()),
            rule: "ott-media".into(),
            erasure: None,
            due: at,
            reason: "due".into(),
        };
        evidence::Told {
            batch: 1,
            intended: at,
            at,
            item,
            result: if marker.is_some() { ItemResult::MarkerAdded } else { ItemResult::Unclear },
            detail: None,
            marker_version_id: marker.map(SmolStr::new),
            row: None,
            copy: None,
        }
    }

    #[test]
    fn what_a_kill_leaves_open_waits_for_the_try_that_names_it() {
        let mut unnamed = UnnamedMarkers::default();
        for number in 0..MOST_OPEN {
            assert!(unnamed.take(hidden(number, None)).is_none());
            assert!(!unnamed.is_full(), "{number}");
        }
        for number in 0..MOST_OPEN {
            assert!(unnamed.take(hidden(number, Some("m1"))).is_some());
        }
        assert!(unnamed.0.is_empty(), "nothing is left to be looked for");
    }

    #[test]
    fn no_more_wait_however_long_the_log_is() {
        let mut unnamed = UnnamedMarkers::default();
        (0..=MOST_OPEN).for_each(|number| drop(unnamed.take(hidden(number, None))));
        assert!(unnamed.is_full());
    }
}
