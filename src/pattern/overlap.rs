//! What patterns have in common: the search for a shortest text that all of them match and that
//! certain others do not.
//!
//! Each pattern is a chain of steps, so a text that is read up to some place stands for a set of
//! steps of every pattern. The search goes through these sets, breadth first. Of the characters
//! that no step under way names itself one stands for all, so every text that there could be is
//! looked at, and finding none means that there is none.

use std::collections::HashSet;

use super::tokens::{Class, Token, tokens};

/// Longer than any key or name; what would need more steps than this is not looked at.
const MOST_STEPS: usize = 4096;

/// Texts of a form: one of several chains of steps.
#[derive(Clone, Debug)]
pub struct Shape {
    chains: Vec<Vec<Step>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    class: Class,
    /// Any number of times, not at all too.
    many: bool,
}

impl Step {
    const fn one(class: Class) -> Self {
        Self { class, many: false }
    }

    const fn many(class: Class) -> Self {
        Self { class, many: true }
    }
}

fn literal(text: &str) -> impl Iterator<Item = Step> {
    text.chars().map(|c| Step::one(Class::Exact(c)))
}

impl Shape {
    /// Everything that starts so.
    pub fn prefix(text: &str) -> Self {
        Self { chains: vec![literal(text).chain([Step::many(Class::Any)]).collect()] }
    }

    /// Everything but the empty text.
    pub fn anything() -> Self {
        Self { chains: vec![vec![Step::one(Class::Any), Step::many(Class::Any)]] }
    }

    /// Keys whose names have something before the dot and one of these extensions, capital letters
    /// or small.
    pub fn extensions<'e>(extensions: impl Iterator<Item = &'e str>) -> Self {
        let start = [Step::many(Class::Any), Step::one(Class::NotSlash), Step::one(Class::Exact('.'))];
        let chain = |extension: &str| {
            start.into_iter().chain(extension.chars().map(|c| Step::one(Class::AnyCase(c)))).collect()
        };
        Self { chains: extensions.map(chain).collect() }
    }

    /// The pattern's, with `capture` standing for a text where it is given.
    pub(super) fn of_pattern(text: &str, capture: Option<(&str, &str)>) -> Self {
        let mut chain = Vec::new();
        // A pattern that was compiled has tokens.
        for token in tokens(text).unwrap_or_default() {
            match token {
                Token::One(class) => chain.push(Step::one(class)),
                Token::Many(class) => chain.push(Step::many(class)),
                Token::Capture(name, digits) => match capture.filter(|(wanted, _)| *wanted == name) {
                    Some((_, text)) => chain.extend(literal(text)),
                    None if digits == 0 => {
                        chain.extend([Step::one(Class::NotSlash), Step::many(Class::NotSlash)]);
                    }
                    None => chain.extend(std::iter::repeat_n(Step::one(Class::Digit), digits)),
                },
            }
        }
        Self { chains: vec![chain] }
    }

    fn places(&self) -> usize {
        self.chains.iter().map(|chain| chain.len() + 1).sum()
    }
}

/// How much may still be searched, in steps that are looked at; what is left when it is used up
/// stays unclear.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// For all searches together.
    pub left: usize,
    /// For one.
    pub each: usize,
}

impl Effort {
    fn spend(&mut self, of_this: &mut usize, steps: usize) -> bool {
        *of_this += steps;
        let is_enough = self.left >= steps && *of_this <= self.each;
        self.left = self.left.saturating_sub(steps);
        is_enough
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This, and nothing is shorter.
    Text(String),
    /// There is nothing to find.
    Nothing,
    /// The effort did not suffice to tell.
    Unclear,
}

/// A shortest text of at most `longest` bytes that has all shapes of `all`, and of each group in
/// `none` misses at least one.
pub fn example(all: &[Shape], none: &[Vec<Shape>], longest: usize, effort: &mut Effort) -> Found {
    let shapes: Vec<&Shape> = all.iter().chain(none.iter().flatten()).collect();
    if all.len() > WORD || shapes.iter().map(|shape| shape.places()).sum::<usize>() > MOST_STEPS {
        return Found::Unclear;
    }
    let machine = Machine::new(all, none);
    let mut spent = 0;
    let start = machine.start();
    if machine.accepts(&start) {
        return Found::Text(String::new());
    }
    let mut seen = HashSet::from([start.clone()]);
    let mut layer = vec![(start, 0, 0_usize)];
    // The character that led to a state, and the one before it.
    let mut trail: Vec<(char, usize)> = vec![('\0', 0)];
    let mut was_cut = false;
    while !layer.is_empty() {
        let mut next_layer = Vec::new();
        for (state, place, bytes) in layer {
            let letters = machine.letters(&state);
            if !effort.spend(&mut spent, letters.len() * machine.words) {
                return Found::Unclear;
            }
            for letter in letters {
                let bytes = bytes + letter.len_utf8();
                let Some(next) = machine.step(&state, letter).filter(|next| !seen.contains(next)) else {
                    continue;
                };
                if bytes > longest {
                    was_cut = true;
                    continue;
                }
                trail.push((letter, place));
                if machine.accepts(&next) {
                    return Found::Text(spelled(&trail));
                }
                seen.insert(next.clone());
                next_layer.push((next, trail.len() - 1, bytes));
            }
        }
        layer = next_layer;
    }
    // A text of fewer bytes in more characters leads nowhere else: a state is reached by the fewest
    // characters first, but perhaps not by the fewest bytes.
    if was_cut && !machine.is_ascii() { Found::Unclear } else { Found::Nothing }
}

fn spelled(trail: &[(char, usize)]) -> String {
    let mut letters = Vec::new();
    let mut place = trail.len() - 1;
    while let Some((letter, before)) = trail.get(place).filter(|_| place > 0) {
        letters.push(*letter);
        place = *before;
    }
    letters.iter().rev().collect()
}

/// Bits of a word.
const WORD: usize = 64;

type State = Box<[u64]>;

/// All shapes side by side: each place in each chain is one bit of a state.
struct Machine {
    /// What a place takes to go on; `None` at the end of a chain.
    steps: Vec<Option<Step>>,
    starts: Vec<usize>,
    /// For each place, which of the shapes that must match it belongs to, if any.
    owners: Vec<Option<usize>>,
    /// The ends of the chains of each shape that must match.
    all_ends: Vec<Vec<usize>>,
    none_ends: Vec<Vec<Vec<usize>>>,
    words: usize,
}

impl Machine {
    fn new(all: &[Shape], none: &[Vec<Shape>]) -> Self {
        let mut machine = Self {
            steps: Vec::new(),
            starts: Vec::new(),
            owners: Vec::new(),
            all_ends: Vec::new(),
            none_ends: Vec::new(),
            words: 0,
        };
        for (owner, shape) in all.iter().enumerate() {
            let ends = machine.add(shape);
            machine.owners.resize(machine.steps.len(), Some(owner));
            machine.all_ends.push(ends);
        }
        for group in none {
            let ends = group.iter().map(|shape| machine.add(shape)).collect();
            machine.none_ends.push(ends);
        }
        machine.words = machine.steps.len().div_ceil(WORD);
        machine
    }

    fn add(&mut self, shape: &Shape) -> Vec<usize> {
        let mut ends = Vec::new();
        for chain in &shape.chains {
            self.starts.push(self.steps.len());
            self.steps.extend(chain.iter().copied().map(Some));
            ends.push(self.steps.len());
            self.steps.push(None);
        }
        ends
    }

    fn start(&self) -> State {
        let mut state = vec![0; self.words].into_boxed_slice();
        for start in &self.starts {
            self.enter(&mut state, *start);
        }
        state
    }

    /// Reaches a place, and those behind it that take nothing to get to.
    fn enter(&self, state: &mut State, mut place: usize) {
        loop {
            if let Some(word) = state.get_mut(place / WORD) {
                *word |= 1 << (place % WORD);
            }
            if !self.steps.get(place).copied().flatten().is_some_and(|step| step.many) {
                return;
            }
            place += 1;
        }
    }

    /// The places of a state that take something.
    fn open<'m>(&'m self, state: &'m State) -> impl Iterator<Item = (usize, Step)> + 'm {
        places(state).filter_map(|place| Some((place, self.steps.get(place).copied().flatten()?)))
    }

    /// `None` if a shape that must match no longer can.
    fn step(&self, state: &State, letter: char) -> Option<State> {
        let mut next = vec![0; self.words].into_boxed_slice();
        let mut alive = 0_u64;
        for (place, step) in self.open(state).filter(|(_, step)| step.class.has(letter)) {
            self.enter(&mut next, if step.many { place } else { place + 1 });
            if let Some(owner) = self.owners.get(place).copied().flatten() {
                alive |= 1 << owner;
            }
        }
        (alive.count_ones() as usize == self.all_ends.len()).then_some(next)
    }

    fn accepts(&self, state: &State) -> bool {
        let ends = |ends: &Vec<usize>| ends.iter().any(|end| is_in(state, *end));
        self.all_ends.iter().all(ends) && !self.none_ends.iter().any(|group| group.iter().all(ends))
    }

    /// Characters that stand for all that could come next.
    fn letters(&self, state: &State) -> Vec<char> {
        let mut named: Vec<char> = Vec::new();
        let mut takes_digits = false;
        for (_, step) in self.open(state) {
            match step.class {
                Class::Exact(c) => named.push(c),
                Class::AnyCase(c) => named.extend([c.to_ascii_lowercase(), c.to_ascii_uppercase()]),
                Class::Digit => takes_digits = true,
                Class::NotSlash | Class::Any => {}
            }
        }
        // Small letters first: they look more like a key.
        named.sort_unstable_by_key(|c| (c.is_ascii_uppercase(), *c));
        named.dedup();
        let is_free = |c: &char| !named.contains(c);
        let digit = ('0'..='9').cycle().skip(1).take(10).find(is_free).filter(|_| takes_digits);
        let other = ('a'..='z').chain('A'..='Z').chain('\u{a1}'..).find(is_free);
        // Where digits are nothing special they are as good as any other.
        let slash = Some('/').filter(is_free);
        let mut letters: Vec<char> = other.into_iter().chain(digit).chain(slash).collect();
        letters.extend(named);
        letters
    }

    fn is_ascii(&self) -> bool {
        self.steps.iter().flatten().all(|step| !matches!(step.class, Class::Exact(c) if !c.is_ascii()))
    }
}

fn places(state: &State) -> impl Iterator<Item = usize> {
    state.iter().enumerate().flat_map(|(at, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                at * WORD + bit
            })
        })
    })
}

fn is_in(state: &State, place: usize) -> bool {
    state.get(place / WORD).is_some_and(|word| word & (1 << (place % WORD)) != 0)
}

#[cfg(test)]
mod tests;
