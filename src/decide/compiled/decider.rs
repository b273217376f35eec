//! One bucket's decider, and the trail of one that lists it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::automaton::Automaton;
use super::places::{Picked, Places, There};
use super::plain::{Outcome, Plain, Stay};
use super::walk::{MOST, Walk};
use crate::decide::settle::decide_within;
use crate::decide::{Decision, Scope, Step};
use crate::object::Observed;
use crate::policy::Policy;
use crate::records::Records;

/// Not looked at yet.
const UNKNOWN: u32 = u32::MAX;

/// A policy, made ready to decide the objects of one bucket at one time.
#[derive(Debug)]
pub struct Decider<'p> {
    policy: &'p Policy,
    records: &'p Records,
    bucket: String,
    now: DateTime<Utc>,
    places: Places<'p>,
    automaton: Automaton,
}

impl<'p> Decider<'p> {
    /// For the objects of `bucket` at `now`.
    pub fn new(policy: &'p Policy, records: &'p Records, bucket: &str, now: DateTime<Utc>) -> Self {
        let (places, automaton) = Places::new(policy, bucket, now);
        Self { policy, records, bucket: bucket.to_owned(), now, places, automaton }
    }

    /// The policy.
    pub const fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The date that everything is decided for.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// A trail for one range of the listing.
    pub fn trail(&self) -> Trail<'_> {
        self.trail_of(MOST)
    }

    /// The same, where what is remembered may take so many bytes.
    pub fn trail_of(&self, most: usize) -> Trail<'_> {
        Trail {
            decider: self,
            walk: Walk::new(&self.automaton, most),
            most,
            epoch: 0,
            slots: Vec::new(),
            outcomes: Vec::new(),
            by_there: HashMap::new(),
            bytes: 0,
        }
    }
}

/// What is remembered from one object to the next. Keys in order share most of it; in any other
/// order the answers are the same.
///
/// **Memory.** At most about twice what was allowed, 4 MiB if nothing was said.
#[derive(Debug)]
pub struct Trail<'d> {
    decider: &'d Decider<'d>,
    walk: Walk<'d>,
    most: usize,
    epoch: usize,
    /// For each state and class of extensions the place of the outcome.
    slots: Vec<u32>,
    outcomes: Vec<(Outcome<'d>, Picked)>,
    by_there: HashMap<There<'d>, u32>,
    bytes: usize,
}

impl<'d> Trail<'d> {
    /// What [`Trail::decide`] says of an object, without allocating, if that is plain to see.
    #[inline]
    pub fn plainly<'k>(&mut self, object: &Observed<'k>) -> Option<Plain<'k>> {
        self.outcome(object)?.0.plain(object)
    }

    /// What [`Trail::plainly`] says of a current object or version in the decider's bucket of which nothing has
    /// been read, by its key and its upload alone: seconds since 1970, and whether more than these had passed.
    #[inline]
    pub fn stays(&mut self, key: &str, uploaded: i64, and_more: bool) -> Option<Stay> {
        let place = self.place(key)?;
        self.outcomes.get(place)?.0.stays(uploaded, and_more)
    }

    /// What [`Trail::decide`] says of an object, if it is plain to see that it is expired.
    pub fn expired(&mut self, object: &Observed<'_>) -> Option<Decision> {
        let policy = self.decider.policy;
        self.outcome(object)?.0.expired(policy, object)
    }

    /// Decides `object` as [`crate::decide::decide`] does, and looks only at what can cover it.
    pub fn decide(&mut self, object: &Observed<'_>) -> Step {
        let Decider { policy, records, now, .. } = *self.decider;
        let found = self.outcome(object);
        if let Some(expired) = found.and_then(|(outcome, _)| outcome.expired(policy, object)) {
            return Step::Decided(expired);
        }
        let scope = found.map_or(Scope::Everything, |(_, picked)| picked.scope());
        decide_within((policy, scope), records, object, now)
    }

    /// What bears on the object; `None` if that is not known.
    #[inline]
    fn outcome(&mut self, object: &Observed<'_>) -> Option<&(Outcome<'d>, Picked)> {
        if object.bucket != self.decider.bucket {
            return None;
        }
        let place = self.place(object.key)?;
        self.outcomes.get(place)
    }

    #[inline]
    fn place(&mut self, key: &str) -> Option<usize> {
        let state = self.walk.read(key)?;
        let extensions = self.decider.places.extensions();
        let media = extensions.class(key);
        if self.epoch != self.walk.epoch() {
            self.epoch = self.walk.epoch();
            self.slots.clear();
        }
        let slot = state * extensions.len() + media;
        match self.slots.get(slot) {
            Some(place) if *place != UNKNOWN => Some(*place as usize),
            _ => self.find(slot, state, media),
        }
    }

    #[cold]
    fn find(&mut self, slot: usize, state: usize, media: usize) -> Option<usize> {
        let decider = self.decider;
        if self.bytes > self.most {
            self.slots.clear();
            self.outcomes.clear();
            self.by_there.clear();
            self.bytes = 0;
        }
        let there = decider.places.there(&self.walk.matched(state), media);
        let place = match self.by_there.get(&there) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.outcomes.len()).ok()?;
                self.bytes += there.bytes();
                self.outcomes.push((Outcome::new(&decider.places, &there, decider.now), Picked::of(&there)));
                self.by_there.insert(there, place);
                place
            }
        };
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, UNKNOWN);
        }
        *self.slots.get_mut(slot)? = place;
        Some(place as usize)
    }
}
