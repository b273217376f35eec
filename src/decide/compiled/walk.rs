//! Walking the automaton from key to key: of two keys that start alike the start is read once.
//!
//! **Memory.** What was found of the automaton is kept, up to [`MOST`] bytes; then it is forgotten
//! and found anew. Where that comes too often to be worth its while, the walk gives up.

use std::collections::HashMap;

use super::automaton::{Ahead, Automaton};

/// How many bytes the known part of an automaton may take, roughly.
pub const MOST: usize = 4 << 20;
/// So much that the numbers of states would not suffice.
const FAR_TOO_MUCH: usize = 1 << 28;
/// How often it may have been forgotten after too few keys.
const MOST_IN_VAIN: usize = 4;
/// Keys to be read for each state that was found, for it to have been worth its while.
const KEYS_A_STATE: usize = 4;

/// Bytes that are compared at once.
const WORD: usize = size_of::<u64>();

/// What of a state's number says where its row begins.
const ROW: u32 = (1 << 30) - 1;
const UNTIL: u32 = 1 << 30;
const SETTLED: u32 = 1 << 31;
/// Not looked at yet; no state has this number.
const UNKNOWN: u32 = u32::MAX;

/// Keys read one after the other.
#[derive(Debug)]
pub struct Walk<'a> {
    automaton: &'a Automaton,
    /// For each state and class of bytes the state that follows; behind these the byte that alone leads on,
    /// if there is one.
    table: Vec<u32>,
    /// How long the row of a state is.
    stride: usize,
    sets: Vec<Box<[u32]>>,
    by_set: HashMap<Box<[u32]>, u32>,
    bytes: usize,
    most: usize,
    start: u32,
    /// What all keys to come are likely to start with.
    shared: Vec<u8>,
    /// The state behind all of it.
    top: u32,
    /// Lengths of it at which the state is known, and the states.
    marks: Vec<(usize, u32)>,
    /// How often all was forgotten.
    epoch: usize,
    keys: usize,
    in_vain: usize,
}

/// All was forgotten.
struct Forgotten;

impl<'a> Walk<'a> {
    /// A walk that has read no key, and may take so many bytes.
    pub fn new(automaton: &'a Automaton, most: usize) -> Self {
        let mut walk = Self {
            automaton,
            table: Vec::new(),
            stride: automaton.width() + 1,
            sets: Vec::new(),
            by_set: HashMap::new(),
            bytes: 0,
            most: most.min(FAR_TOO_MUCH),
            start: 0,
            shared: Vec::new(),
            top: 0,
            marks: Vec::new(),
            epoch: 0,
            keys: 0,
            in_vain: 0,
        };
        walk.begin();
        walk
    }

    fn begin(&mut self) {
        self.table.clear();
        self.sets.clear();
        self.by_set.clear();
        self.shared.clear();
        self.marks.clear();
        self.bytes = 0;
        self.keys = 0;
        self.start = self.state(self.automaton.start());
        self.top = self.start;
    }

    /// How often the numbers of states have lost their meaning.
    pub const fn epoch(&self) -> usize {
        self.epoch
    }

    /// The state behind the whole key; `None` where the walk has given up.
    pub fn read(&mut self, key: &str) -> Option<usize> {
        for _ in 0..=MOST_IN_VAIN {
            if self.in_vain >= MOST_IN_VAIN {
                return None;
            }
            self.keys += 1;
            if let Ok(state) = self.try_read(key.as_bytes()) {
                return Some((state & ROW) as usize / self.stride);
            }
        }
        None
    }

    #[inline]
    fn try_read(&mut self, key: &[u8]) -> Result<u32, Forgotten> {
        let alike = alike(key, &self.shared);
        if alike < self.shared.len() {
            self.go_back(alike);
        }
        let state = self.read_on(key)?;
        if let Some((at, top)) = self.marks.last().filter(|(at, _)| *at > self.shared.len()) {
            self.shared.extend_from_slice(key.get(self.shared.len()..*at).unwrap_or_default());
            self.top = *top;
        }
        Ok(state)
    }

    /// Reads what follows the shared start.
    #[inline]
    fn read_on(&mut self, key: &[u8]) -> Result<u32, Forgotten> {
        let classes = self.automaton.classes();
        let (mut at, mut state) = (self.shared.len(), self.top);
        loop {
            if state & SETTLED != 0 {
                if at > self.marks.last().map_or(0, |(marked, _)| *marked) {
                    self.marks.push((at, state));
                }
                return Ok(state);
            }
            if state & UNTIL != 0
                && let Some(byte) = self.table.get((state & ROW) as usize + self.stride - 1)
            {
                match find(key, at, *byte as u8) {
                    Some(further) => at = further,
                    None => return Ok(state),
                }
            }
            // Most states have no flag, and are their own row.
            let mut row = state & ROW;
            let (byte, class, next) = loop {
                let Some(byte) = key.get(at) else { return Ok(state) };
                let class = classes[usize::from(*byte)];
                let next = self.table.get(row as usize + usize::from(class)).copied().unwrap_or(UNKNOWN);
                at += 1;
                if next >= UNTIL {
                    break (*byte, class, next);
                }
                (row, state) = (next, next);
                if *byte == b'/' {
                    self.marks.push((at, state));
                }
            };
            state = if next == UNKNOWN { self.find(state, class)? } else { next };
            if byte == b'/' {
                self.marks.push((at, state));
            }
        }
    }

    /// Back to the last mark in the bytes that are alike.
    fn go_back(&mut self, alike: usize) {
        while self.marks.pop_if(|(at, _)| *at > alike).is_some() {}
        let (at, state) = self.marks.last().copied().unwrap_or((0, self.start));
        self.shared.truncate(at);
        self.top = state;
    }

    #[cold]
    fn find(&mut self, state: u32, class: u8) -> Result<u32, Forgotten> {
        let row = (state & ROW) as usize;
        let set = self.sets.get(row / self.stride).map(|set| self.automaton.step(set, class));
        let set = set.unwrap_or_default();
        let next = match self.by_set.get(&set) {
            Some(known) => *known,
            None if self.bytes >= self.most => {
                let is_in_vain = self.keys < self.sets.len() * KEYS_A_STATE;
                self.in_vain = if is_in_vain { self.in_vain + 1 } else { 0 };
                self.epoch += 1;
                self.begin();
                return Err(Forgotten);
            }
            None => self.state(set),
        };
        if let Some(entry) = self.table.get_mut(row + usize::from(class)) {
            *entry = next;
        }
        Ok(next)
    }

    /// A new state.
    fn state(&mut self, set: Box<[u32]>) -> u32 {
        // Far below the flags: there are fewer entries than bytes that they may take.
        let row = u32::try_from(self.table.len()).unwrap_or(ROW) & ROW;
        let (state, until) = match self.automaton.ahead(&set) {
            Ahead::Settled => (row | SETTLED, UNKNOWN),
            Ahead::Until(byte) => (row | UNTIL, u32::from(byte)),
            Ahead::Open => (row, UNKNOWN),
        };
        self.table.resize(self.table.len() + self.stride - 1, UNKNOWN);
        self.table.push(until);
        self.bytes += self.stride * size_of::<u32>() + set.len() * 2 * size_of::<u32>() + 100;
        self.sets.push(set.clone());
        self.by_set.insert(set, state);
        state
    }

    /// The chains that match keys which end in this state.
    pub fn matched(&self, state: usize) -> Vec<u32> {
        self.sets.get(state).map(|set| self.automaton.matched(set)).unwrap_or_default()
    }
}

/// How many bytes both start with.
#[inline]
fn alike(one: &[u8], other: &[u8]) -> usize {
    let (ones, others) = (one.as_chunks::<WORD>(), other.as_chunks::<WORD>());
    let mut alike = 0;
    for (one, other) in ones.0.iter().zip(others.0) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return alike + differ.trailing_zeros() as usize / 8;
        }
        alike += WORD;
    }
    let rest = one.iter().zip(other).skip(alike);
    alike + rest.take_while(|(one, other)| one == other).count()
}

/// Where the next such byte is, from a place on. Names are short: looked for in words, without a call.
#[inline]
fn find(key: &[u8], from: usize, byte: u8) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const HIGH: u64 = ONES << 7;
    let all = ONES * u64::from(byte);
    let (words, rest) = key.get(from..)?.as_chunks::<WORD>();
    for (place, word) in words.iter().enumerate() {
        let differ = u64::from_le_bytes(*word) ^ all;
        // The lowest of its bits is that of the first byte that is zero, and those above mean nothing.
        let zero = differ.wrapping_sub(ONES) & !differ & HIGH;
        if zero != 0 {
            return Some(from + place * WORD + zero.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|it| *it == byte)?;
    Some(from + words.len() * WORD + found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::{ByteStep, KeyPattern};

    const PREFIXES: [&str; 5] = ["", "a", "a/", "a/é", "日/b"];
    const PATTERNS: [&str; 14] = [
        "**",
        "*",
        "a/*",
        "*/{tenant}/**",
        "**/b",
        "**.b",
        "a?b",
        "?/??",
        "*/?*",
        "é*/**b",
        "{yyyy}/**",
        "a/**/b/*.b",
        "{tenant}?",
        "a/b",
    ];

    fn automaton_of(prefixes: &[&str], patterns: &[&str]) -> (Automaton, Vec<u32>, Vec<u32>) {
        let mut automaton = Automaton::new();
        let of_prefix = |text: &&str| ByteStep::of_prefix(text);
        let of_pattern = |text: &&str| KeyPattern::parse(text).unwrap().byte_steps(None);
        let prefixes = prefixes.iter().map(of_prefix).map(|steps| automaton.add(steps)).collect();
        let patterns = patterns.iter().map(of_pattern).map(|steps| automaton.add(steps)).collect();
        automaton.finish();
        (automaton, prefixes, patterns)
    }

    proptest! {
        #[test]
        fn starts_are_compared_and_bytes_found_as_byte_by_byte(
            one in proptest::collection::vec(proptest::sample::select(b"/0.\xaf\x2e\x00".to_vec()), 0..40),
            other in proptest::collection::vec(proptest::sample::select(b"/0.\xaf\x2e\x00".to_vec()), 0..40),
            same in 0_usize..40,
            from in 0_usize..45,
            byte in proptest::sample::select(b"/.\xaf\x00".to_vec()),
        ) {
            let other = [one.get(..same).unwrap_or(&one), &other].concat();
            let expected = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
            prop_assert_eq!(alike(&one, &other), expected);
            let expected = (from..one.len()).find(|at| one[*at] == byte);
            prop_assert_eq!(find(&one, from, byte), expected);
        }

        /// Whatever the keys before it and however little room there is, a key matches what it matches.
        #[test]
        fn a_key_matches_its_prefixes_and_patterns(
            keys in proptest::collection::vec("[ab/é日.0-9]{0,16}", 1..20),
            most in 0_usize..4000,
            prefixes in proptest::sample::subsequence(PREFIXES.to_vec(), 0..=2),
            patterns in proptest::sample::subsequence(PATTERNS.to_vec(), 0..=3),
            all in proptest::bool::weighted(0.2),
        ) {
            let (prefixes, patterns) =
                if all { (PREFIXES.to_vec(), PATTERNS.to_vec()) } else { (prefixes, patterns) };
            let (automaton, of_prefixes, of_patterns) = automaton_of(&prefixes, &patterns);
            let mut walk = Walk::new(&automaton, most);
            for key in &keys {
                let Some(state) = walk.read(key) else { continue };
                let matched = walk.matched(state);
                for (text, chain) in prefixes.iter().zip(&of_prefixes) {
                    prop_assert_eq!(matched.contains(chain), key.starts_with(text), "{} {}", text, key);
                }
                for (text, chain) in patterns.iter().zip(&of_patterns) {
                    let matches = KeyPattern::parse(text).unwrap().matches(key);
                    prop_assert_eq!(matched.contains(chain), matches, "{} {}", text, key);
                }
            }
        }
    }

    #[test]
    fn one_that_forgets_in_vain_gives_up_and_one_with_room_does_not() {
        let (automaton, ..) = automaton_of(&PREFIXES, &PATTERNS);
        let keys: Vec<String> = (0..1000).map(|n| format!("{}/é{n}/b", n % 7)).collect();
        let read = |most: usize| {
            let mut walk = Walk::new(&automaton, most);
            keys.iter().filter(|key| walk.read(key).is_some()).count()
        };
        assert_eq!(read(MOST), keys.len());
        assert!(read(1000) < 20);
    }

    #[test]
    fn what_only_one_byte_leads_on_from_is_passed_by_looking_for_it() {
        let behind = |pattern: &str, key: &str| {
            let (automaton, ..) = automaton_of(&[], &[pattern]);
            let mut walk = Walk::new(&automaton, MOST);
            let state = walk.read(key).unwrap();
            automaton.ahead(&walk.sets[state])
        };
        assert_eq!(behind("**.b", "x/y"), Ahead::Until(b'.'));
        assert_eq!(behind("**日", "x/y"), Ahead::Until("日".as_bytes()[0]));
        assert_eq!(behind("*/b", "x"), Ahead::Until(b'/'));
        assert_eq!(behind("a/**", "a/x"), Ahead::Settled);
        assert_eq!(behind("a/**", "b"), Ahead::Settled);
        assert_eq!(behind("**.b", "x."), Ahead::Open);
    }
}
