//! How a listing is divided among those who list: ranges of keys that are split while they are listed.
//!
//! Every range goes from behind a key to a key, and the ranges of one prefix follow each other without a gap;
//! between prefixes nothing is listed. A range that is split keeps what lies up to the place and gives the rest
//! away, whatever is on its way at that time: so each key is listed in one range, with all of its versions. Where
//! to split is guessed, from the directories that a look with a delimiter shows, or where there are none from the
//! characters that keys are made of. Of two ranges the one that seems to have more left is split. A guess that is
//! wrong costs a request, and there are never more of those than pages.

use super::keyspace::{Alphabet, Line, common};
use super::range::{Range, State};

/// No key is longer, in bytes, so that nobody has to understand one that is.
const LONGEST: usize = 1024;

/// How many of the last bytes that all keys of a page start with may change before it ends.
const STEM: usize = 8;

/// What is asked of the store next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// The next page of a range, from behind its last.
    List(usize),
    /// What directories there are directly `under` a start of keys, behind a key: one page, with a delimiter.
    Look {
        /// For which range.
        range: usize,
        /// The start of the keys.
        under: String,
        /// The key.
        after: String,
    },
}

/// What a page has brought to its range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought<'p> {
    /// Its first and its last key within the range.
    pub keys: Option<(&'p str, &'p str)>,
    /// How many entries lie within the range.
    pub count: usize,
    /// Whether the range ends on it.
    pub is_last: bool,
}

/// What a look has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// Starts of keys through the next `/`.
    pub directories: Vec<String>,
    /// How many keys stand beside them.
    pub keys: usize,
    /// Whether there is more behind these.
    pub is_cut: bool,
}

/// The ranges of one bucket.
#[derive(Debug)]
pub(super) struct Ranges {
    ranges: Vec<Range>,
    /// By their keys.
    order: Vec<usize>,
    /// Those that are not done.
    open: Vec<usize>,
    alphabet: Alphabet,
    /// Entries on the longest page.
    page: f64,
    /// Pages all of which was wanted.
    full: usize,
    /// Splits and looks.
    spent: usize,
    /// Splits and looks that are free.
    free: usize,
    /// Entries on pages with several directories, and how many of those.
    passed: (u64, u64),
}

impl Ranges {
    /// All keys that start with one of `prefixes`, which are in order and none the start of another. They are
    /// to be listed by `at_once`.
    pub(super) fn new(prefixes: impl IntoIterator<Item = String>, at_once: usize) -> Self {
        let mut ranges = Self {
            ranges: Vec::new(),
            order: Vec::new(),
            open: Vec::new(),
            alphabet: Alphabet::default(),
            page: 1.0,
            full: 0,
            spent: 0,
            free: if at_once > 1 { at_once * 8 } else { 0 },
            passed: (0, 0),
        };
        for prefix in prefixes {
            ranges.order.push(ranges.ranges.len());
            ranges.open.push(ranges.ranges.len());
            ranges.ranges.push(Range::new(prefix, String::new(), None));
        }
        ranges
    }

    /// What to ask next, if `idle` have nothing to do; `None` if they are to wait for an answer.
    pub(super) fn next(&mut self, idle: usize) -> Option<Job> {
        loop {
            let waiting = self.open.iter().copied().find(|range| self.ranges[*range].state == State::Waiting);
            if let Some(range) = waiting {
                self.ranges[range].state = State::Listing;
                return Some(Job::List(range));
            }
            if self.spent >= self.allowed() {
                return None;
            }
            let mut largest: Vec<(f64, usize)> =
                self.open.iter().map(|range| (self.left(&self.ranges[*range]), *range)).collect();
            largest.retain(|(left, _)| *left >= self.page * 2.0);
            largest.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut was_split = false;
            for (_, range) in largest {
                if self.is_thin() && self.ranges[range].level.is_some() && self.ranges[range].marks.is_empty()
                {
                    self.ranges[range].is_flat = true;
                    self.ranges[range].has_more_marks = false;
                }
                if let Some((under, after)) = self.ranges[range].look() {
                    self.ranges[range].is_looked_at = true;
                    self.spent += 1;
                    return Some(Job::Look { range, under, after });
                }
                let cuts = self.cuts(range, idle);
                if !cuts.is_empty() {
                    self.spent += cuts.len();
                    self.split(range, cuts);
                    was_split = true;
                    break;
                }
            }
            if !was_split {
                return None;
            }
        }
    }

    /// How many splits and looks there may be so far: they cost requests, and ranges that are remembered.
    fn allowed(&self) -> usize {
        if self.free == 0 { 0 } else { self.free + (self.full / 2).min(1_000 + self.full / 64) }
    }

    /// Where a range begins: its prefix, and behind which key.
    pub(super) fn start(&self, range: usize) -> (&str, Option<&str>) {
        let range = &self.ranges[range];
        (&range.prefix, Some(range.from.as_str()).filter(|from| !from.is_empty()))
    }

    /// The last key that belongs to a range, as it is now.
    pub(super) fn upto(&self, range: usize) -> Option<&str> {
        self.ranges[range].upto.as_deref()
    }

    /// The last key that was listed of a range, or behind which key it begins.
    pub(super) fn last(&self, range: usize) -> &str {
        &self.ranges[range].after
    }

    /// The ranges in the order of their keys.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Takes in a page that was asked for.
    pub(super) fn listed(&mut self, range: usize, brought: Brought<'_>) {
        let it = &mut self.ranges[range];
        it.state = if brought.is_last { State::Done } else { State::Waiting };
        it.listed += brought.count as u64;
        it.rate.1 += brought.count as u64;
        self.page = self.page.max(brought.count as f64);
        if let Some((first, last)) = brought.keys {
            let name = it.name(last);
            if last[..name] == *first.get(..name).unwrap_or_default() {
                self.alphabet.learn(&first[name..], &last[name..]);
            }
            // One page after the other tells how far a page goes, whatever there is on it.
            it.page = Some(if it.page.is_some() { it.after.clone() } else { first.to_owned() });
            last.clone_into(&mut it.after);
            let ahead = it.marks.partition_point(|mark| *mark <= it.after);
            if ahead > 0 {
                it.marks.drain(..ahead);
                it.rate.2 += ahead as u64;
                self.passed.0 += brought.count as u64;
                self.passed.1 += ahead as u64;
            }
        }
        if brought.is_last {
            self.open.retain(|open| *open != range);
            if self.ranges[range].listed == 0 {
                self.came_empty(range);
            }
        } else {
            self.full += 1;
        }
    }

    /// What lies before a range that turned out to be empty may end early too.
    fn came_empty(&mut self, range: usize) {
        let Some(place) = self.order.iter().position(|other| *other == range) else { return };
        let before = self.order[..place].iter().rev().copied();
        let is_empty = |range: &Range| range.state == State::Done && range.listed == 0;
        if let Some(before) = before.into_iter().find(|range| !is_empty(&self.ranges[*range])) {
            self.ranges[before].is_open = true;
        }
    }

    /// Takes in what a look has shown.
    pub(super) fn looked(&mut self, range: usize, under: String, shown: Shown) {
        let it = &mut self.ranges[range];
        it.is_looked_at = false;
        if !it.marks.is_empty() {
            return;
        }
        let found = shown.directories.len();
        let within = |mark: &String| {
            let is_ahead = *mark > it.after && it.upto.as_ref().is_none_or(|upto| mark < upto);
            is_ahead && mark.starts_with(&it.prefix)
        };
        let mut marks: Vec<String> = shown.directories.into_iter().filter(within).collect();
        marks.sort_unstable();
        // Among many keys the few directories say nothing of what lies behind.
        let is_flat = shown.is_cut && found * 8 < shown.keys;
        let is_deeper = it.after.strip_prefix(&under).is_some_and(|rest| rest.contains('/'));
        it.is_flat = is_flat || (marks.is_empty() && !is_deeper);
        it.has_more_marks = shown.is_cut && !is_flat && !marks.is_empty();
        it.level = Some(under);
        it.is_open = true;
        it.rate = (self.page.max(it.listed as f64 / (marks.len() + 1) as f64), 0, 0);
        it.marks = marks.into();
    }

    /// How many entries a range seems to have left.
    fn left(&self, range: &Range) -> f64 {
        if !range.marks.is_empty() || range.has_more_marks {
            let marks = range.marks.len() + if range.has_more_marks { 1000 } else { 1 };
            return range.per_mark() * marks as f64;
        }
        let Some(page) = &range.page else { return range.expected };
        if !range.is_flat() {
            // Of what has gone on for so long, nothing else is known than that.
            return range.listed as f64;
        }
        let (line, _) = self.line(range, page);
        let low = line.number(&range.after);
        let step = low.saturating_sub(line.number(page)).max(1);
        self.page * (line.high.saturating_sub(low) as f64 / step as f64)
    }

    /// Whether directories hold so little that a look shows no more of them than a page does.
    fn is_thin(&self) -> bool {
        let (entries, directories) = self.passed;
        directories > 64 && (entries as f64 / directories as f64) < self.page / 32.0
    }

    /// The numbers that a range's keys are split by, and whether it may go on behind all of them.
    fn line<'r>(&'r self, range: &'r Range, page: &str) -> (Line<'r>, bool) {
        let name = range.name(&range.after);
        // All that the keys of a page start with does not change soon.
        let mut start = common(page, &range.after).saturating_sub(STEM);
        while !range.after.is_char_boundary(start) {
            start -= 1;
        }
        let start = &range.after[..start.max(name)];
        let high = range.upto.as_deref().filter(|upto| upto.starts_with(start));
        (Line::new(&self.alphabet, start, &range.after, high, name), high.is_none() && name < start.len())
    }

    /// Where to split a range, in order.
    fn cuts(&self, place: usize, idle: usize) -> Vec<String> {
        let range = &self.ranges[place];
        if !range.marks.is_empty() {
            return range.marks.get(range.marks.len() / 2).cloned().into_iter().collect();
        }
        let Some(page) = range.page.as_ref().filter(|_| range.is_flat()) else { return Vec::new() };
        let (line, goes_on) = self.line(range, page);
        let low = line.number(&range.after);
        let step = low.saturating_sub(line.number(page)).max(1);
        let low = low.saturating_add(step);
        let Some(gap) = line.high.checked_sub(low).filter(|gap| *gap > step / 2) else { return Vec::new() };
        let mut cuts = if range.is_open || goes_on {
            // How far its keys go is not known, not even by its order of magnitude.
            let rungs = usize::try_from(gap / step / 2).unwrap_or(idle).clamp(1, idle.max(1));
            let first = step.saturating_mul(2).min(gap / 2).max(1);
            let ratio = (gap as f64 / first as f64).powf(1.0 / rungs as f64);
            let place = |rung: usize| first as f64 * ratio.powf(rung as f64);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the line")]
            let cut = |rung| line.key(low.saturating_add(place(rung) as u128), place(rung) as u128);
            let end = goes_on.then(|| line.key(line.high, 0));
            (0..rungs).map(cut).chain(end).collect()
        } else {
            vec![line.key(low + gap / 2, gap)]
        };
        cuts.dedup();
        cuts.retain(|cut| {
            let is_behind = cut.len() <= LONGEST && *cut > range.after;
            is_behind && range.upto.as_ref().is_none_or(|upto| cut < upto)
        });
        if cuts.is_sorted_by(|a, b| a < b) { cuts } else { Vec::new() }
    }

    /// Splits a range at `cuts`, which lie within it in order.
    fn split(&mut self, range: usize, cuts: Vec<String>) {
        let Some(mut place) = self.order.iter().position(|other| *other == range) else { return };
        let was_open = self.ranges[range].is_open;
        let expected = self.left(&self.ranges[range]) / (cuts.len() + 1) as f64;
        let mut last = range;
        for cut in cuts {
            let left = &mut self.ranges[last];
            let mut right = Range::new(left.prefix.clone(), cut.clone(), left.upto.replace(cut.clone()));
            left.is_open = false;
            right.level.clone_from(&left.level);
            right.is_flat = left.is_flat;
            right.expected = expected;
            right.has_more_marks = std::mem::take(&mut left.has_more_marks);
            right.rate = (left.per_mark(), 0, 0);
            let behind = left.marks.partition_point(|mark| *mark <= cut);
            right.marks = left.marks.split_off(behind);
            left.marks.pop_back_if(|mark| *mark == cut);
            place += 1;
            last = self.ranges.len();
            self.order.insert(place, last);
            self.open.push(last);
            self.ranges.push(right);
        }
        self.ranges[last].is_open = was_open;
    }

    /// Requests beside one for every page, at most.
    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent
    }
}
