//! The demo's books: every object that was uploaded, and how it went, held to the notice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::notice;
use super::world::{Sent, World};

/// Who removed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remover {
    /// S3, by this lifecycle rule.
    S3(String),
    /// Shelflife.
    Shelflife,
}

/// Every object and its fate.
#[derive(Debug)]
pub struct Books {
    world: World,
    alive: BTreeMap<(String, String), Object>,
    total: u64,
    removed: u64,
    month: Counts,
    faults: Vec<String>,
    /// Removals by Shelflife that the evidence has to name.
    by_shelflife: BTreeSet<(String, String)>,
}

/// An object that is there, and until when it may be.
#[derive(Debug)]
struct Object {
    sent: Sent,
    latest: Option<DateTime<Utc>>,
}

/// What happened in a month.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Objects that were uploaded.
    pub uploaded: u64,
    /// Objects that S3 removed.
    pub by_s3: u64,
    /// Objects that Shelflife removed.
    pub by_shelflife: u64,
}

impl Books {
    /// Empty books.
    pub const fn new(world: World) -> Self {
        Self {
            world,
            alive: BTreeMap::new(),
            total: 0,
            removed: 0,
            month: Counts { uploaded: 0, by_s3: 0, by_shelflife: 0 },
            faults: Vec::new(),
            by_shelflife: BTreeSet::new(),
        }
    }

    /// An object was uploaded.
    pub fn uploaded(&mut self, sent: Sent) {
        self.total += 1;
        self.month.uploaded += 1;
        let latest = notice::latest(self.world, &sent);
        self.alive.insert((sent.bucket.to_owned(), sent.key.clone()), Object { sent, latest });
    }

    /// An object was removed.
    pub fn removed_by(&mut self, bucket: &str, key: &str, remover: &Remover, at: DateTime<Utc>) {
        let name = (bucket.to_owned(), key.to_owned());
        let Some(Object { sent, .. }) = self.alive.remove(&name) else {
            self.faults.push(format!("{bucket}/{key} was removed and was not there"));
            return;
        };
        self.removed += 1;
        match remover {
            Remover::S3(rule) => {
                self.month.by_s3 += 1;
                if !rule.starts_with("shelflife:acme-media:") {
                    self.faults.push(format!("{bucket}/{key} was removed by the foreign rule {rule}"));
                }
            }
            Remover::Shelflife => {
                self.month.by_shelflife += 1;
                self.by_shelflife.insert(name);
            }
        }
        if notice::is_held(self.world, &sent, at) {
            self.faults.push(format!("{bucket}/{key} was removed at {at} although it was held"));
        }
        match notice::due(self.world, &sent) {
            Some(due) if due <= at => {}
            due => {
                self.faults.push(format!("{bucket}/{key} was removed early, at {at}: due {due:?}, {sent:?}"))
            }
        }
    }

    /// Compares the books with what the store holds in `bucket` at `now`.
    pub fn compare(&mut self, bucket: &str, there: &BTreeSet<String>, now: DateTime<Utc>) {
        for ((_, key), Object { sent, latest }) in self.alive.range((bucket.to_owned(), String::new())..) {
            if sent.bucket != bucket {
                break;
            }
            if !there.contains(key) {
                self.faults.push(format!("{bucket}/{key} is gone, and nobody has removed it"));
            }
            if latest.is_some_and(|latest| now > latest) {
                self.faults.push(format!("{bucket}/{key} is still there at {now}: {sent:?}"));
            }
        }
        for key in there {
            if !self.alive.contains_key(&(bucket.to_owned(), key.clone())) {
                self.faults.push(format!("{bucket}/{key} is said to be removed, and is there"));
            }
        }
    }

    /// The evidence names an object as deleted.
    pub fn is_in_evidence(&mut self, bucket: &str, key: &str) {
        self.by_shelflife.remove(&(bucket.to_owned(), key.to_owned()));
    }

    /// All evidence has been read.
    pub fn close_evidence(&mut self) {
        for (bucket, key) in std::mem::take(&mut self.by_shelflife) {
            self.faults.push(format!("{bucket}/{key} was removed, and no evidence names it"));
        }
    }

    /// Something else went wrong.
    pub fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// What happened since it was last asked.
    pub fn close_month(&mut self) -> Counts {
        std::mem::take(&mut self.month)
    }

    /// How many objects are under the legal hold at `now`.
    pub fn held(&self, now: DateTime<Utc>) -> u64 {
        self.alive.values().filter(|object| notice::is_held(self.world, &object.sent, now)).count() as u64
    }

    /// How many are left.
    pub fn left(&self) -> u64 {
        self.alive.len() as u64
    }

    /// How many were uploaded.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many were removed.
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// What went wrong.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Some object that is left in `bucket`: the oldest, which is closest to its end.
    pub fn an_object_in(&self, bucket: &str) -> Option<&str> {
        let left = self.alive.values().map(|object| &object.sent).filter(|sent| sent.bucket == bucket);
        left.min_by_key(|sent| (notice::due(self.world, sent).is_none(), sent.at))
            .map(|sent| sent.key.as_str())
    }
}
