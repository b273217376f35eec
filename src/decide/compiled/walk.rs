//! Walking the automaton from key to key: of two keys that start alike the start is read once.
//!
//! **Memory.** What was found of the automaton is kept, up to [`MOST`] bytes; then it is forgotten
//! and found anew. Where that comes too often to be worth its while, the walk gives up.

use std::collections::HashMap;

use memchr::memchr;

use super::automaton::{Ahead, Automaton};

/// How many bytes the known part of an automaton may take, roughly.
pub const MOST: usize = 4 << 20;
/// So much that the numbers of states would not suffice.
const FAR_TOO_MUCH: usize = 1 << 28;
/// How often it may have been forgotten after too few keys.
const MOST_IN_VAIN: usize = 4;
/// Keys to be read for each state that was found, for it to have been worth its while.
const KEYS_A_STATE: usize = 4;

/// What of a state's number says where its row begins.
const ROW: u32 = (1 << 30) - 1;
const UNTIL_SLASH: u32 = 1 << 30;
const SETTLED: u32 = 1 << 31;
/// Not looked at yet; no state has this number.
const UNKNOWN: u32 = u32::MAX;

/// Keys read one after the other.
#[derive(Debug)]
pub struct Walk<'a> {
    automaton: &'a Automaton,
    /// For each state and class of bytes the state that follows.
    table: Vec<u32>,
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
                return Some((state & ROW) as usize / self.automaton.width());
            }
        }
        None
    }

    #[inline]
    fn try_read(&mut self, key: &[u8]) -> Result<u32, Forgotten> {
        if !key.starts_with(&self.shared) {
            self.go_back(key);
        }
        let classes = self.automaton.classes();
        let (mut at, mut state) = (self.shared.len(), self.top);
        loop {
            if state & (SETTLED | UNTIL_SLASH) != 0 {
                if state & SETTLED != 0 {
                    self.mark(key, at, state);
                    return Ok(state);
                }
                match memchr(b'/', key.get(at..).unwrap_or_default()) {
                    Some(further) => at += further,
                    None => return Ok(state),
                }
            }
            let Some(byte) = key.get(at) else { return Ok(state) };
            let class = classes[usize::from(*byte)];
            let mut next =
                self.table.get((state & ROW) as usize + usize::from(class)).copied().unwrap_or(UNKNOWN);
            if next == UNKNOWN {
                next = self.find(state, class)?;
            }
            (at, state) = (at + 1, next);
            if *byte == b'/' {
                self.mark(key, at, state);
            }
        }
    }

    /// Notes that all before `at` leads to `state`.
    #[inline]
    fn mark(&mut self, key: &[u8], at: usize, state: u32) {
        if let Some(more) = key.get(self.shared.len()..at).filter(|more| !more.is_empty()) {
            self.shared.extend_from_slice(more);
            self.marks.push((at, state));
            self.top = state;
        }
    }

    /// Back to the last mark that lies in what `key` shares.
    fn go_back(&mut self, key: &[u8]) {
        let alike = key.iter().zip(&self.shared).take_while(|(one, other)| one == other).count();
        while self.marks.pop_if(|(at, _)| *at > alike).is_some() {}
        let (at, state) = self.marks.last().copied().unwrap_or((0, self.start));
        self.shared.truncate(at);
        self.top = state;
    }

    #[cold]
    fn find(&mut self, state: u32, class: u8) -> Result<u32, Forgotten> {
        let row = (state & ROW) as usize;
        let set = self.sets.get(row / self.automaton.width()).map(|set| self.automaton.step(set, class));
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
        let width = self.automaton.width();
        // Far below the flags: there are fewer entries than bytes that they may take.
        let row = u32::try_from(self.table.len()).unwrap_or(ROW) & ROW;
        let state = match self.automaton.ahead(&set) {
            Ahead::Settled => row | SETTLED,
            Ahead::UntilSlash => row | UNTIL_SLASH,
            Ahead::Open => row,
        };
        self.table.resize(self.table.len() + width, UNKNOWN);
        self.bytes += width * size_of::<u32>() + set.len() * 2 * size_of::<u32>() + 100;
        self.sets.push(set.clone());
        self.by_set.insert(set, state);
        state
    }

    /// The chains that match keys which end in this state.
    pub fn matched(&self, state: usize) -> Vec<u32> {
        self.sets.get(state).map(|set| self.automaton.matched(set)).unwrap_or_default()
    }
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

    fn automaton() -> (Automaton, Vec<u32>, Vec<u32>) {
        let mut automaton = Automaton::new();
        let prefixes = PREFIXES.map(|text| automaton.add(ByteStep::of_prefix(text))).to_vec();
        let patterns =
            PATTERNS.map(|text| automaton.add(KeyPattern::parse(text).unwrap().byte_steps(None))).to_vec();
        automaton.finish();
        (automaton, prefixes, patterns)
    }

    proptest! {
        /// Whatever the keys before it and however little room there is, a key matches what it matches.
        #[test]
        fn a_key_matches_its_prefixes_and_patterns(
            keys in proptest::collection::vec("[ab/é日.0-9]{0,8}", 1..20),
            most in 0_usize..4000,
        ) {
            let (automaton, prefixes, patterns) = automaton();
            let mut walk = Walk::new(&automaton, most);
            for key in &keys {
                let Some(state) = walk.read(key) else { continue };
                let matched = walk.matched(state);
                for (text, chain) in PREFIXES.iter().zip(&prefixes) {
                    prop_assert_eq!(matched.contains(chain), key.starts_with(text), "{} {}", text, key);
                }
                for (text, chain) in PATTERNS.iter().zip(&patterns) {
                    let matches = KeyPattern::parse(text).unwrap().matches(key);
                    prop_assert_eq!(matched.contains(chain), matches, "{} {}", text, key);
                }
            }
        }
    }

    #[test]
    fn one_that_forgets_in_vain_gives_up_and_one_with_room_does_not() {
        let (automaton, ..) = automaton();
        let keys: Vec<String> = (0..1000).map(|n| format!("{}/é{n}/b", n % 7)).collect();
        let read = |most: usize| {
            let mut walk = Walk::new(&automaton, most);
            keys.iter().filter(|key| walk.read(key).is_some()).count()
        };
        assert_eq!(read(MOST), keys.len());
        assert!(read(1000) < 20);
    }
}
