//! Writers who upload, retag, lock, hold, version and delete while runs go on one after the other. Every removal
//! by a run is held against everything that was done before it.
//!
//! What is asserted of each version, object or marker that a request of a run has removed:
//!
//! 1. No legal hold and no lock was on it at that moment: the store refuses that, and nothing gets around it.
//! 2. What has a version id of its own was due: by its date and metadata, which cannot change, and where a tag
//!    decides, by the tag as it was at some moment between the run's last reading of it and the removal.
//! 3. What has none (objects without versions, null versions under suspended versioning) was due itself, the tag
//!    likewise; or it has the same ETag as one that was due, and was uploaded after the request that looked last
//!    at its key had arrived. That is the window that S3 leaves: its conditional deletions compare ETags only.
//! 4. No older version came back with it, unless somebody else has removed a version of that key since that
//!    look.
//! 5. The evidence of the run agrees, key by key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use shelflife::sandbox::{
    Attributes, Change, Deed, Effect, Entry, EntryKind, Fault, PutOptions, RequestRecord, Retention,
    RetentionMode, Sandbox,
};

use crate::accounts::{self, Told};
use crate::model::{Model, Rules};
use crate::rng::Rng;
use crate::scene::Kind;
use crate::stage::{BUCKET, RECONCILE, Stage};
use crate::{random, size};

/// The most versions that writers leave of a key, so that one page shows the bucket.
const VERSIONS: usize = 4;

/// Everybody who writes.
struct Writers {
    sandbox: Sandbox,
    kind: Kind,
    keys: Vec<String>,
    random: Mutex<Rng>,
    done: AtomicUsize,
}

impl Writers {
    fn new(sandbox: Sandbox, kind: Kind) -> Self {
        let mut keys = Vec::new();
        for number in 0..100 {
            keys.push(format!("inbound/1/{number:02}"));
            if number % 2 == 0 {
                keys.push(format!("tagged/1/{number:02}"));
                keys.push(format!("said/1/{number:02}"));
            }
        }
        Self { sandbox, kind, keys, random: Mutex::new(random(kind as u64)), done: AtomicUsize::new(0) }
    }

    /// Does so many things, with some of `near` more often than with others.
    fn burst(&self, count: usize, near: &[String]) {
        for _ in 0..count {
            let mut random = self.random.lock().unwrap();
            let key = match near {
                [] => random.pick(&self.keys),
                _ if random.chance(50) => random.pick(near),
                _ => random.pick(&self.keys),
            };
            // What a lock refuses has not been done.
            if self.act(&mut random, &key).is_ok() {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn put(&self, random: &mut Rng, key: &str) -> PutOptions {
        let now = self.sandbox.now();
        // Half of it is old enough to go, so that there is always something to do.
        let days = if random.chance(50) { 0 } else { random.between(40, 90) };
        let at = now - TimeDelta::days(days) - TimeDelta::seconds(random.between(0, 80_000));
        let said = now - TimeDelta::days(if random.chance(60) { 40 } else { 5 });
        let class = if random.chance(60) { "short" } else { "long" };
        let body = format!("{}", random.below(1 << 30));
        let options = PutOptions::bytes(body).last_modified(if days == 0 { now } else { at });
        let options = options.metadata("communication-date", &said.to_rfc3339());
        if key.starts_with("tagged/") { options.tag("class", class) } else { options }
    }

    fn act(&self, random: &mut Rng, key: &str) -> Result<(), shelflife::sandbox::Refusal> {
        let sandbox = &self.sandbox;
        let versions = sandbox.versions_of(BUCKET, key)?;
        let objects: Vec<&Entry> = versions.iter().filter(|entry| entry.object.is_some()).collect();
        let some = (!objects.is_empty()).then(|| random.below(objects.len()));
        let some_id = some.map(|place| objects[place].id.as_str());
        if versions.len() >= VERSIONS {
            let Some(place) = some else {
                return sandbox.delete(BUCKET, key, Some(&versions[0].id)).map(drop);
            };
            let is_held = objects[place].object.as_ref().unwrap().attributes.legal_hold == Some(true);
            return if is_held {
                sandbox.set_legal_hold(BUCKET, key, some_id, false)
            } else {
                sandbox.delete(BUCKET, key, some_id).map(drop)
            };
        }
        match random.below(if self.kind == Kind::Locked { 100 } else { 75 }) {
            0..30 => sandbox.put_object(BUCKET, key, self.put(random, key)).map(drop),
            // The same bytes, and so the same ETag, at a new date and with other tags.
            30..45 => {
                let body = objects.last().map(|top| top.object.as_ref().unwrap().body.clone());
                let options = PutOptions { body: body.unwrap_or_default(), ..self.put(random, key) };
                sandbox.put_object(BUCKET, key, options).map(drop)
            }
            45..60 => {
                let class = if random.chance(50) { "short" } else { "long" };
                let tags = BTreeMap::from([("class".to_owned(), class.to_owned())]);
                sandbox.set_tags(BUCKET, key, some_id, tags)
            }
            60..65 => sandbox.delete(BUCKET, key, None).map(drop),
            65..70 => match some_id {
                Some(id) => sandbox.delete(BUCKET, key, Some(id)).map(drop),
                None => Ok(()),
            },
            70..75 => {
                let at = sandbox.now() - TimeDelta::days(random.between(0, 20));
                sandbox.start_upload(BUCKET, key, Attributes::default(), Some(at)).map(drop)
            }
            75..97 => sandbox.set_legal_hold(BUCKET, key, some_id, random.chance(40)),
            _ => {
                let mode =
                    if random.chance(50) { RetentionMode::Governance } else { RetentionMode::Compliance };
                let until = sandbox.now() + TimeDelta::days(9);
                // What is locked for good piles up: few are.
                if random.chance(95) {
                    Ok(())
                } else {
                    sandbox.set_retention(BUCKET, key, some_id, Some(Retention { mode, until }))
                }
            }
        }
    }
}

/// What writers did, and what a run has removed.
#[derive(Debug, Default)]
struct Tally {
    runs: usize,
    changes: usize,
    removed: usize,
    /// Removed in the window that S3 leaves: other uploads of the same bytes.
    same_bytes: usize,
    /// Came back after somebody had removed what was above it.
    uncovered_by_others: usize,
}

/// One run, to be held against what was done.
struct Checked<'a> {
    rules: Rules,
    changes: &'a [Change],
    requests: &'a [RequestRecord],
    /// The place of the first change among all that there ever were.
    first: usize,
    context: &'a str,
}

impl Checked<'_> {
    /// The last request of this operation that was answered before `removal` arrived and that `is_it`; the place
    /// of the first change that it may not have seen.
    fn look(&self, removal: &RequestRecord, is_it: impl Fn(&RequestRecord) -> bool) -> Option<usize> {
        let before = self.requests.iter().filter(|request| {
            request.status == Some(200) && request.changes.end <= removal.changes.start && is_it(request)
        });
        let last = before.map(|request| request.changes.start.saturating_sub(self.first)).max();
        // What was seen when the plan was made is not enough: the buckets are opened anew to carry it out.
        let opened = self.requests.iter().filter(|request| request.call.operation == "HeadBucket");
        let opened = opened.map(|request| request.changes.start.saturating_sub(self.first)).max();
        last.filter(|last| opened.is_none_or(|opened| opened <= *last))
    }

    fn last_listing(&self, removal: &RequestRecord, entry: &Entry) -> Option<usize> {
        let operation =
            if entry.kind == EntryKind::Upload { "ListMultipartUploads" } else { "ListObjectVersions" };
        self.look(removal, |request| {
            request.call.operation == operation
                && request.call.scope.as_ref().is_some_and(|scope| {
                    entry.key.starts_with(&scope.prefix)
                        && (scope.after.is_empty() || entry.key > scope.after)
                })
        })
    }

    fn last_reading_of_tags(&self, removal: &RequestRecord, entry: &Entry) -> Option<usize> {
        self.look(removal, |request| {
            let call = &request.call;
            let version = call.version_id.as_deref().unwrap_or("null");
            call.operation == "GetObjectTagging" && call.keys == [entry.key.clone()] && version == entry.id
        })
    }

    /// All states of one version, or of what had no id of its own, from the change at `from` to that at `to`: as
    /// it was before them, and after each of them.
    fn states<'e>(&'e self, before: &'e Model, entry: &Entry, from: usize, to: usize) -> Vec<&'e Entry> {
        let is_it = |other: &&Entry| other.key == entry.key && other.id == entry.id;
        let start = before.keys.get(&entry.key).into_iter().flatten().find(is_it);
        let mut states: Vec<Option<&Entry>> = vec![start];
        for change in &self.changes[..from.min(to)] {
            if is_it(&&change.entry) {
                states = vec![(change.deed != Deed::Removed).then_some(&change.entry)];
            }
        }
        for change in &self.changes[from.min(to)..to] {
            if is_it(&&change.entry) {
                states.push((change.deed != Deed::Removed).then_some(&change.entry));
            }
        }
        states.into_iter().flatten().collect()
    }

    /// Follows the run's changes.
    fn check(&self, model: &mut Model, tally: &mut Tally) {
        let mut own_markers: Vec<&str> = Vec::new();
        let mut followed = Model { keys: model.keys.clone(), uploads: model.uploads.clone() };
        for (place, change) in self.changes.iter().enumerate() {
            if let Some(number) = change.by {
                match change.deed {
                    Deed::Added => {
                        assert_eq!(change.entry.kind, EntryKind::Marker, "{}: {change:#?}", self.context);
                        own_markers.push(&change.entry.id);
                    }
                    Deed::Altered => panic!("{}: {change:#?}", self.context),
                    Deed::Removed if own_markers.contains(&change.entry.id.as_str()) => {}
                    Deed::Removed => {
                        let removal = self.requests.iter().find(|request| request.number == number).unwrap();
                        self.removed(model, &followed, place, removal, tally);
                    }
                }
            }
            followed.follow(change);
        }
        *model = followed;
    }

    fn removed(&self, start: &Model, now: &Model, place: usize, removal: &RequestRecord, tally: &mut Tally) {
        let entry = &self.changes[place].entry;
        let context = format!("{}: {entry:#?}\nby {removal:#?}", self.context);
        tally.removed += 1;
        let look = self.last_listing(removal, entry).unwrap_or_else(|| panic!("never looked at: {context}"));
        if entry.kind == EntryKind::Upload {
            return assert!(self.rules.is_due(entry, None), "{context}");
        }
        let versions = now.keys.get(&entry.key).map_or(&[][..], Vec::as_slice);
        let attributes = entry.object.as_ref().map(|object| &object.attributes);
        let is_locked = attributes.is_some_and(|it| it.legal_hold == Some(true) || it.retention.is_some());
        assert!(!is_locked, "locked: {context}");

        let is_tagged = entry.key.starts_with("tagged/") && entry.kind == EntryKind::Version;
        let from = if is_tagged {
            self.last_reading_of_tags(removal, entry).unwrap_or_else(|| panic!("tags never read: {context}"))
        } else {
            look
        };
        let as_tagged = |state: &Entry| {
            // The date and the bytes of what was removed, with the tags of a moment.
            let mut seen = entry.clone();
            if let (Some(object), Some(then)) = (&mut seen.object, &state.object) {
                object.attributes.tags.clone_from(&then.attributes.tags);
            }
            seen
        };
        let states = self.states(start, entry, from, place);
        let is_due = states.iter().any(|state| {
            let is_itself = entry.id != "null" || state.last_modified == entry.last_modified;
            is_itself && self.rules.is_due(&as_tagged(state), None)
        });
        if !is_due {
            assert_eq!(entry.id, "null", "not due: {context}\n{states:#?}");
            let etag = entry.object.as_ref().map(|object| &object.etag);
            let is_new = self.changes[look.min(place)..place].iter().any(|change| {
                change.by.is_none()
                    && change.deed == Deed::Added
                    && change.entry.key == entry.key
                    && change.entry.last_modified == entry.last_modified
            });
            let seen = self.states(start, entry, look, place);
            let stood_in = seen
                .iter()
                .any(|state| state.object.as_ref().map(|object| &object.etag) == etag && self.was_old(state));
            assert!(
                is_new && stood_in,
                "not due, and no other upload of the same bytes: {context}\n{seen:#?}"
            );
            tally.same_bytes += 1;
        }

        let at = versions.iter().position(|other| other.id == entry.id);
        let uncovered = at.and_then(|at| versions.get(at.checked_sub(1)?));
        let is_replaced = self.changes.get(place + 1).is_some_and(|next| {
            next.deed == Deed::Added && next.by == self.changes[place].by && next.entry.key == entry.key
        });
        if entry.is_latest && !is_replaced && uncovered.is_some_and(|it| it.kind == EntryKind::Version) {
            let others = self.changes[look.min(place)..place].iter();
            let mut others = others.filter(|change| change.by.is_none() && change.deed == Deed::Removed);
            assert!(
                others.any(|change| change.entry.key == entry.key),
                "{uncovered:#?} came back: {context}"
            );
            tally.uncovered_by_others += 1;
        }
    }

    /// Whether it is old enough, its tags aside.
    fn was_old(&self, state: &Entry) -> bool {
        let mut seen = state.clone();
        if let Some(object) = &mut seen.object {
            object.attributes.tags.insert("class".to_owned(), "short".to_owned());
        }
        self.rules.is_due(&seen, None)
    }
}

async fn race(kind: Kind, wanted: usize) -> Tally {
    let stage = Stage::empty(kind, TimeDelta::zero()).await;
    let writers = Arc::new(Writers::new(stage.sandbox.clone(), kind));
    writers.burst(1_000, &[]);
    if kind == Kind::Suspended {
        stage.sandbox.set_versioning(BUCKET, shelflife::sandbox::Versioning::Enabled).unwrap();
        writers.burst(1_000, &[]);
        stage.sandbox.set_versioning(BUCKET, shelflife::sandbox::Versioning::Suspended).unwrap();
    }
    // Before and after each request, and all the time beside them.
    for (operation, count) in [("*", 1), ("DeleteObjects", 60), ("DeleteObject", 4)] {
        let (before, after) = (Arc::clone(&writers), Arc::clone(&writers));
        let faults = stage.sandbox.faults();
        faults.add(Fault::on(operation, Effect::before(move |call| before.burst(count, &call.keys))));
        faults.add(Fault::on(operation, Effect::after(move |call| after.burst(count, &call.keys))));
    }
    let over = Arc::new(AtomicBool::new(false));
    let (aside, is_over) = (Arc::clone(&writers), Arc::clone(&over));
    let beside = std::thread::spawn(move || {
        while !is_over.load(Ordering::Relaxed) {
            aside.burst(2, &[]);
            std::thread::sleep(Duration::from_millis(2));
        }
    });

    let (mut tally, mut model, mut first, mut asked) = (Tally::default(), Model::default(), 0, 0);
    while writers.done.load(Ordering::Relaxed) < wanted {
        let context = format!("{kind:?}, run {}", tally.runs);
        stage.wait(TimeDelta::seconds(1));
        let ran = stage.run(&RECONCILE);
        assert!([0, 1, 3].contains(&ran.code), "{context}: {}{}", ran.out, ran.err);
        let requests = stage.sandbox.requests();
        let changes = stage.sandbox.take_journal();
        let rules = Rules { kind, now: stage.now() };
        let run =
            Checked { rules, changes: &changes, requests: &requests[asked..], first, context: &context };
        run.check(&mut model, &mut tally);
        accounts::agree(&Told::by(&stage, &context), &changes, true, &context);
        stage.logs().into_iter().for_each(|log| std::fs::remove_file(log).unwrap());
        tally.runs += 1;
        tally.changes += changes.len();
        first += changes.len();
        asked = requests.len();
    }
    over.store(true, Ordering::Relaxed);
    beside.join().unwrap();
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_undue_is_lost_to_runs_that_race_with_writers() {
    let wanted = size("SHELFLIFE_RACE_OPS", 30_000);
    for kind in [Kind::Unversioned, Kind::Locked, Kind::Suspended] {
        let begun = Instant::now();
        let tally = race(kind, wanted / 3).await;
        println!("{kind:?}: {tally:?} in {:?}", begun.elapsed());
        assert!(tally.removed > wanted / 3_000, "{kind:?}: {tally:?}");
    }
}
