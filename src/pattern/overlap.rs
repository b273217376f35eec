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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::KeyPattern;

    const PLENTY: Effort = Effort { left: 50_000_000, each: 50_000_000 };

    fn pattern(text: &str) -> KeyPattern {
        KeyPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn in_common(texts: &[&str], without: &[&str]) -> Found {
        let all: Vec<Shape> = texts.iter().map(|text| pattern(text).shape()).collect();
        let none: Vec<Vec<Shape>> = without.iter().map(|text| vec![pattern(text).shape()]).collect();
        example(&all, &none, 1024, &mut PLENTY.clone())
    }

    fn text(found: &str) -> Found {
        Found::Text(found.to_owned())
    }

    #[test]
    fn two_patterns_have_a_shortest_text_in_common_or_none() {
        assert_eq!(in_common(&["inbound/**", "**/*.jpg"], &[]), text("inbound/.jpg"));
        assert_eq!(in_common(&["a/*/c", "a/b*/?"], &[]), text("a/b/c"));
        assert_eq!(in_common(&["a/*", "a/*/b"], &[]), Found::Nothing);
        assert_eq!(in_common(&["*.jpg", "*.png"], &[]), Found::Nothing);
        assert_eq!(in_common(&["{yyyy}/**", "20??/x"], &[]), text("2011/x"));
        assert_eq!(in_common(&["{yyyy}/**", "abcd/*"], &[]), Found::Nothing);
        assert_eq!(in_common(&["{tenant}/x", "**/x"], &[]), text("a/x"));
    }

    #[test]
    fn what_is_left_out_is_left_out() {
        assert_eq!(in_common(&["**"], &["*", "a/**"]), text("/"));
        assert_eq!(in_common(&["a/*"], &["**"]), Found::Nothing);
        assert_eq!(in_common(&["a/**"], &["**/b", "a/"]), text("a/a"));
        let both = vec![pattern("a*").shape(), pattern("*b").shape()];
        assert_eq!(example(&[pattern("a?").shape()], &[both], 9, &mut PLENTY.clone()), text("aa"));
    }

    #[test]
    fn a_capture_can_stand_for_a_text() {
        let shape = pattern("*/{tenant}/**").shape_with("tenant", "4711");
        let all = [shape, Shape::prefix("inbound/")];
        assert_eq!(example(&all, &[], 1024, &mut PLENTY.clone()), text("inbound/4711/"));
    }

    #[test]
    fn an_extension_needs_a_name_before_it_and_no_certain_case() {
        let images = || Shape::extensions(["jpg", "png"].into_iter());
        let found = |other: Shape| example(&[images(), other], &[], 1024, &mut PLENTY.clone());
        assert_eq!(found(Shape::prefix("in/")), text("in/a.jpg"));
        assert_eq!(found(pattern("*.PNG").shape()), text("a.PNG"));
        assert_eq!(found(pattern("*.gif").shape()), Found::Nothing);
        assert_eq!(found(pattern("in/.png").shape()), Found::Nothing);
    }

    #[test]
    fn no_key_is_longer_than_a_key_can_be() {
        let long = "x".repeat(1024);
        assert_eq!(in_common(&[&long, "*"], &[]), text(&long));
        assert_eq!(in_common(&[&format!("{long}y"), "*"], &[]), Found::Nothing);
        assert_eq!(in_common(&[&"x".repeat(5000), "*"], &[]), Found::Unclear);
    }

    #[test]
    fn an_effort_that_does_not_suffice_says_nothing() {
        // Every set of the last forty places can be under way at once.
        let heavy = format!("**a{}", "?".repeat(40));
        let mut effort = Effort { left: 100_000, each: 100_000 };
        let found = example(
            &[pattern(&heavy).shape()],
            &[vec![pattern(&format!("**b{}", "?".repeat(39))).shape()], vec![pattern("**").shape()]],
            1024,
            &mut effort,
        );
        assert_eq!((found, effort.left), (Found::Unclear, 0));
    }

    fn token() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a", "b", "/", ".", "*", "**", "?", "é", "0", "\\*"])
    }

    fn any_pattern() -> impl Strategy<Value = String> {
        (prop::collection::vec(token(), 1..7), prop::sample::select(vec!["", "{tenant}", "{dd}"]), 0..7_usize)
            .prop_map(|(mut tokens, capture, place)| {
                tokens.insert(place.min(tokens.len()), capture);
                tokens.concat()
            })
            .prop_filter("three stars read as two and one", |text| KeyPattern::parse(text).is_ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_example_matches_and_where_there_is_none_no_key_does(
            texts in prop::collection::vec(any_pattern(), 1..4),
            without in prop::collection::vec(any_pattern(), 0..3),
            keys in prop::collection::vec("[ab/.é01*]{0,7}", 40),
        ) {
            let all: Vec<KeyPattern> = texts.iter().map(|text| pattern(text)).collect();
            let none: Vec<KeyPattern> = without.iter().map(|text| pattern(text)).collect();
            let fits = |key: &str| {
                all.iter().all(|it| it.matches(key)) && !none.iter().any(|it| it.matches(key))
            };
            let shapes: Vec<Shape> = all.iter().map(KeyPattern::shape).collect();
            let left_out: Vec<Vec<Shape>> = none.iter().map(|it| vec![it.shape()]).collect();
            match example(&shapes, &left_out, 1024, &mut PLENTY.clone()) {
                Found::Text(key) => {
                    prop_assert!(fits(&key), "{key:?}");
                    let shorter = keys.iter().find(|other| {
                        other.chars().count() < key.chars().count() && fits(other)
                    });
                    prop_assert_eq!(shorter, None, "{:?}", key);
                }
                Found::Nothing => {
                    prop_assert_eq!(keys.iter().find(|key| fits(key)), None);
                }
                Found::Unclear => prop_assert!(false, "so small a search must end"),
            }
        }
    }
}
