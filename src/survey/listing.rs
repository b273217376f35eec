//! Lists a bucket in several ranges of keys at once, and hands every key to a [`Sink`], decided.
//!
//! [`Ranges`] says what is asked next, [`Lanes`] send it; what comes back is decided one page after the other,
//! so that a sink has no more than one caller.
//!
//! What a store sends out of order, or what does not get on, may be its way to answer requests that start
//! anywhere. What is to be listed is then listed anew, prefix by prefix from its start and one page after the
//! other, and what was found is forgotten. If that is no better it is an error.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use super::borders::Border;
use super::draft::{Above, Draft};
use super::lanes::{Answer, Lanes};
use super::ranges::{Brought, Ranges, Shown};
use super::uploads::{Uploads, merged};
use super::{Seen, Sink, Survey};
use crate::decide::{Plain, Trail};
use crate::object::Kind;
use crate::s3::{Current, Entry, Level, Page, StoreError, StoreErrorKind};

/// How many requests list one bucket at a time, if nothing else is said.
pub const LISTINGS_AT_ONCE: usize = 16;

/// How a bucket was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// As was asked for.
    AsAsked,
    /// One page after the other, because the store does not list in order from wherever it is asked to.
    OneByOne,
}

/// What all keys of a bucket start with.
pub const WHOLE_BUCKET: [String; 1] = [String::new()];

impl Survey<'_> {
    /// Lists what starts with one of `under`, which are in order and none the start of another, with at most
    /// `at_once` requests at a time, and hands every key to `sink`.
    ///
    /// # Errors
    /// If a page cannot be had, or not be trusted; and those of `sink`.
    pub async fn run<S: Sink>(
        &self,
        under: &[String],
        sink: &mut S,
        at_once: usize,
    ) -> Result<Listed, S::Error> {
        match self.list(under, sink, at_once).await {
            Ok(true) => Ok(Listed::AsAsked),
            Ok(false) | Err(Ended::InDoubt(_)) if at_once > 1 => {
                sink.start_over();
                match self.list(under, sink, 1).await {
                    Ok(_) => Ok(Listed::OneByOne),
                    Err(error) => Err(error.into_error()),
                }
            }
            Ok(false) => Ok(Listed::AsAsked),
            Err(error) => Err(error.into_error()),
        }
    }

    /// Whether what was listed fits together; if it does not, nothing has been joined.
    async fn list<S: Sink>(
        &self,
        under: &[String],
        sink: &mut S,
        at_once: usize,
    ) -> Result<bool, Ended<S::Error>> {
        let ranges = Ranges::new(under.iter().cloned(), at_once);
        let uploads = Uploads::of(&self.bucket, under).await?;
        let mut lanes = Lanes::new(self.bucket.clone(), at_once, matches!(uploads, Uploads::Each));
        let decider = self.decider();
        let trail = decider.trail();
        let mut listing = Listing { survey: self, trail, ranges, uploads, held: BTreeMap::new() };
        lanes.send(&mut listing.ranges);
        while let Some(answer) = lanes.answer().await {
            match answer {
                Answer::Shown { range, under, level } => listing.ranges.looked(range, under, shown(level)),
                Answer::Listed { mut lane, page } => {
                    let (range, page, uploads) = (lane.range, page?, mem::take(&mut lane.found));
                    let brought = listing.note(range, page.as_ref());
                    lanes.rest(lane, brought.is_last);
                    // The next pages are on their way while this one is decided.
                    lanes.send(&mut listing.ranges);
                    listing.take(range, page.as_ref(), &brought, uploads, sink).await.map_err(Ended::By)?;
                    if at_once == 1 {
                        listing.join(range, sink).map_err(Ended::By)?;
                    }
                }
            }
            lanes.send(&mut listing.ranges);
        }
        if !listing.fits().await? {
            return Ok(false);
        }
        for range in listing.ranges.order().to_vec() {
            listing.join(range, sink).map_err(Ended::By)?;
        }
        Ok(true)
    }

    async fn decide_and_send<S: Sink>(
        &self,
        trail: &mut Trail<'_>,
        mut drafts: Vec<Draft>,
        part: &mut S::Part,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let groups = self.decide_also(trail, &mut drafts, |seen| sink.asks(seen)).await;
        for (draft, group) in drafts.iter().zip(groups) {
            sink.seen(part, &Seen::new(&self.facts.name, draft), group)?;
        }
        sink.page_done().await
    }
}

/// Why a listing has ended early.
enum Ended<E> {
    /// What the store sent cannot be, or it does not take what it was asked.
    InDoubt(StoreError),
    By(E),
}

impl<E: From<StoreError>> From<StoreError> for Ended<E> {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Unreadable | StoreErrorKind::NotImplemented | StoreErrorKind::Other => {
                Self::InDoubt(error)
            }
            _ => Self::By(error.into()),
        }
    }
}

impl<E: From<StoreError>> Ended<E> {
    fn into_error(self) -> E {
        match self {
            Self::InDoubt(error) => error.into(),
            Self::By(error) => error,
        }
    }
}

/// A listing on its way.
struct Listing<'s, P> {
    survey: &'s Survey<'s>,
    trail: Trail<'s>,
    ranges: Ranges,
    uploads: Uploads,
    held: BTreeMap<usize, Held<P>>,
}

/// What is held of a range.
#[derive(Default)]
struct Held<P> {
    part: P,
    /// The last key listed, which may go on with the next page.
    open: Option<Draft>,
    /// Uploads that are not handed over yet, in order.
    uploads: VecDeque<Draft>,
    /// Up to which key uploads were looked up.
    through: String,
    /// The first key listed.
    first: Option<String>,
    /// Where it ended, if another range follows.
    border: Option<Border>,
}

/// How much of a page lies within its range.
#[derive(Clone, Copy)]
struct Within {
    count: usize,
    /// Whether the range ends on it.
    is_last: bool,
}

impl<P: Default> Listing<'_, P> {
    /// Tells the ranges what a page has brought.
    fn note(&mut self, range: usize, page: Option<&Page>) -> Within {
        let mut count = page.map_or(0, |page| page.entries().len());
        let key_at = |place| page.and_then(|page| page.key(place));
        let mut last = count.checked_sub(1).and_then(key_at);
        let all = count;
        if let (Some(page), Some(upto)) = (page, self.ranges.upto(range))
            && last.is_some_and(|last| last > upto)
        {
            count = page.entries().take_while(|entry| entry.key <= upto).count();
            last = count.checked_sub(1).and_then(key_at);
        }
        let is_last = count < all || page.is_none_or(|page| !page.is_truncated());
        let keys = key_at(0).zip(last);
        self.ranges.listed(range, Brought { keys, count, is_last });
        Within { count, is_last }
    }

    /// Takes the part of a page that lies within its range, and `uploads` that were listed for it.
    async fn take<S: Sink<Part = P>>(
        &mut self,
        range: usize,
        page: Option<&Page>,
        within: &Within,
        uploads: Vec<Draft>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let mut held = self.held.remove(&range).unwrap_or_else(|| Held {
            through: self.ranges.start(range).1.unwrap_or_default().to_owned(),
            ..Held::default()
        });
        let drafts = self.sift(range, page, within, uploads, &mut held, sink);
        self.survey.decide_and_send(&mut self.trail, drafts, &mut held.part, sink).await?;
        self.held.insert(range, held);
        Ok(())
    }

    /// Counts what plainly stays, and gives all else of which no more can come.
    fn sift<S: Sink<Part = P>>(
        &mut self,
        range: usize,
        page: Option<&Page>,
        within: &Within,
        uploads: Vec<Draft>,
        held: &mut Held<P>,
        sink: &mut S,
    ) -> Vec<Draft> {
        let key_at = |place: usize| page.filter(|_| place < within.count).and_then(|page| page.key(place));
        let last = within.count.checked_sub(1).and_then(key_at);
        let so_far = || last.or_else(|| held.open.as_ref().map(|draft| &*draft.key));
        let through = if within.is_last { self.ranges.upto(range) } else { so_far() }.map(str::to_owned);
        held.uploads.extend(uploads);
        if within.is_last || through.is_some() {
            let (prefix, _) = self.ranges.start(range);
            held.uploads.extend(self.uploads.take(prefix, &held.through, through.as_deref()));
            held.through = through.clone().unwrap_or_default();
        }
        let (mut done, mut stack, mut place) = (Vec::new(), Vec::new(), 0);
        while let (Some(page), Some(key)) = (page, key_at(place)) {
            let entries = place..page.end_of_key(place).min(within.count);
            place = entries.end;
            if held.open.as_ref().is_some_and(|draft| draft.key != *key) {
                done.extend(held.open.take());
            }
            // What more there is of the last key stands on the next page.
            let is_whole = held.open.is_none() && (within.is_last || place < within.count);
            let is_counted = is_whole && sink.counts_plain() && !held.has_uploads(key);
            if is_counted && entries.len() == 1 && self.stays(page, entries.start, sink) {
                continue;
            }
            stack.clear();
            stack.extend(entries.filter_map(|place| page.get(place)));
            if is_counted && self.all_stay(&stack, sink) {
                continue;
            }
            let draft = held.open.get_or_insert_with(|| Draft::new(key));
            stack.iter().for_each(|entry| draft.push(entry, &self.survey.facts));
        }
        sink.progress(within.count as u64);
        if held.first.is_none() {
            held.first = key_at(0).map(str::to_owned);
        }
        if within.is_last {
            let beyond = page.and_then(|page| page.key(within.count));
            held.border = through.as_ref().map(|upto| Border {
                prefix: self.ranges.start(range).0.to_owned(),
                last: self.ranges.last(range).to_owned(),
                upto: upto.clone(),
                beyond: beyond.map(str::to_owned),
            });
            done.extend(held.open.take());
        }
        let mut drafts = merged(done, &mut held.uploads);
        if within.is_last {
            let belongs = |draft: &Draft| through.as_ref().is_none_or(|upto| draft.key <= *upto);
            drafts.extend(mem::take(&mut held.uploads).into_iter().take_while(belongs));
        }
        drafts
    }

    /// Whether what is alone under its key stays by key and upload; then it is counted.
    #[inline]
    fn stays<S: Sink<Part = P>>(&mut self, page: &Page, place: usize, sink: &mut S) -> bool {
        let Some(current) = page.current(place) else { return false };
        let Current { key, size, uploaded, and_more } = current;
        let stay = self.trail.stays(key, uploaded, and_more);
        stay.into_iter().for_each(|stay| sink.stay(size, stay));
        stay.is_some()
    }

    /// Whether all that stands under a key plainly stays; then it is counted.
    fn all_stay<'e, S: Sink<Part = P>>(&mut self, stack: &[Entry<'e>], sink: &mut S) -> bool {
        let facts = &self.survey.facts;
        let are_markers = stack.iter().all(|entry| entry.kind == Kind::Marker);
        let mut above = Above::default();
        let mut plainly = |entry: &Entry<'e>| {
            let placed = above.put(entry, facts);
            // As `seen::alone` has it.
            let is_alone = are_markers && (stack.len() == 1 || !entry.is_latest);
            self.trail.plainly(&placed.observed(entry, facts, is_alone))
        };
        if let [entry] = stack {
            let found = plainly(entry);
            found.iter().for_each(|found| sink.plain(entry.size, found));
            return found.is_some();
        }
        let found: Option<Vec<Plain<'_>>> = stack.iter().map(plainly).collect();
        for (entry, found) in stack.iter().zip(found.iter().flatten()) {
            sink.plain(entry.size, found);
        }
        found.is_some()
    }

    /// Whether every range goes on where the one before it ended.
    async fn fits(&self) -> Result<bool, StoreError> {
        let mut next = None;
        for range in self.ranges.order().iter().rev() {
            if self.ranges.upto(*range).is_none() {
                // The store has said that there is no more with its prefix. What follows has another.
                next = None;
            }
            let Some(held) = self.held.get(range) else { continue };
            if let Some(border) = held.border.as_ref().filter(|border| border.beyond.as_ref() != next)
                && !border.is_sound(&self.survey.bucket).await?
            {
                return Ok(false);
            }
            next = held.first.as_ref().or(next);
        }
        Ok(true)
    }

    /// Hands over what is kept of a range.
    fn join<S: Sink<Part = P>>(&mut self, range: usize, sink: &mut S) -> Result<(), S::Error> {
        self.held.get_mut(&range).map_or(Ok(()), |held| sink.join(mem::take(&mut held.part)))
    }
}

impl<P> Held<P> {
    fn has_uploads(&self, key: &str) -> bool {
        !self.uploads.is_empty() && self.uploads.binary_search_by(|upload| (*upload.key).cmp(key)).is_ok()
    }
}

fn shown(level: Result<Level, StoreError>) -> Shown {
    // Where no directories can be seen there are other ways to divide keys.
    level.map_or_else(
        |_| Shown::default(),
        |level| Shown {
            keys: level.keys.len(),
            is_cut: !level.is_whole,
            directories: level.prefixes.into_iter().collect(),
        },
    )
}
