//! Keys as numbers, so that a place between two keys can be reckoned.
//!
//! Which characters stand at which place of a name is learnt from the keys that were listed. Nothing that must
//! be right rests on this: a bad guess costs a request.

use std::ops::RangeInclusive;

/// Numbers stay below two to this power.
const BITS: u32 = 120;

/// Places of a name behind these are taken for alike.
const PLACES: usize = 64;

/// More characters than these are not told apart at one place.
const MOST: usize = 200;

/// The characters of names by their places, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Alphabet(Vec<Vec<char>>);

impl Alphabet {
    /// Takes in two names between which there were others.
    pub(super) fn learn(&mut self, first: &str, last: &str) {
        let mut differs = false;
        for (place, (a, b)) in first.chars().zip(last.chars()).take(PLACES).enumerate() {
            if self.0.len() == place {
                self.0.push(Vec::new());
            }
            // What stands before the first difference changes sooner or later, what is alike behind it does not.
            let is_fixed = differs && a == b;
            differs |= a != b;
            for c in [a, b] {
                let known = &mut self.0[place];
                if known.len() < MOST && known.binary_search(&c).is_err() {
                    known.extend(if is_fixed { c..=c } else { class(c) });
                    known.sort_unstable();
                    known.dedup();
                }
            }
        }
    }
}

/// The characters that are met where one is.
const fn class(c: char) -> RangeInclusive<char> {
    match c {
        '0'..='9' => '0'..='9',
        'a'..='f' => 'a'..='f',
        'g'..='z' => 'a'..='z',
        'A'..='F' => 'A'..='F',
        'G'..='Z' => 'A'..='Z',
        c => c..=c,
    }
}

/// Keys that start alike, as numbers in their order.
#[derive(Debug)]
pub(super) struct Line<'a> {
    start: &'a str,
    /// The characters of each place behind the start, and what one of them counts.
    places: Vec<(&'a [char], u128)>,
    /// The number of the highest key that there can be.
    pub(super) high: u128,
}

/// How many digits a place has: none of its own where there is but one character.
const fn base(known: &[char]) -> u128 {
    if known.len() < 2 { 1 } else { known.len() as u128 + 1 }
}

impl<'a> Line<'a> {
    /// From the key `low` to `high`, or to the last key that starts with `start`. Names begin at `name`.
    pub(super) fn new(
        alphabet: &'a Alphabet,
        start: &'a str,
        low: &'a str,
        high: Option<&str>,
        name: usize,
    ) -> Self {
        let start = high.map_or(start, |high| &low[..common(low, high)]);
        let before = start.get(name..).unwrap_or_default().chars().count();
        let mut all = 1_u128;
        let mut places: Vec<(&[char], u128)> = Vec::new();
        for known in alphabet.0.iter().skip(before) {
            match all.checked_mul(base(known)).filter(|all| *all < 1 << BITS) {
                Some(more) => all = more,
                None => break,
            }
            places.push((known, all));
        }
        for (_, weight) in &mut places {
            *weight = all / *weight;
        }
        let mut line = Self { start, places, high: all - 1 };
        if let Some(high) = high {
            line.high = line.number(high);
        }
        line
    }

    /// The number of a key; zero if it does not start as the line does.
    pub(super) fn number(&self, key: &str) -> u128 {
        let Some(rest) = key.strip_prefix(self.start) else { return 0 };
        let mut rest = rest.chars();
        let mut number = 0;
        for (known, weight) in &self.places {
            let Some(c) = rest.next() else { break };
            let below = known.partition_point(|known| *known <= c);
            let is_known = below > 0 && known[below - 1] == c;
            if known.len() > 1 {
                number += below as u128 * weight;
            }
            if !is_known {
                // It lies behind all that has the character before it here.
                return number + if below > 0 { weight - 1 } else { 0 };
            }
        }
        number
    }

    /// A key near `number`, and as short as `about` allows.
    pub(super) fn key(&self, mut number: u128, about: u128) -> String {
        let mut key = self.start.to_owned();
        for (known, weight) in &self.places {
            if weight * base(known) <= about / 64 {
                break;
            }
            let place = match known {
                [_] => Some(0),
                _ => usize::try_from(number / weight).ok().and_then(|digit| digit.checked_sub(1)),
            };
            number %= weight;
            match place.and_then(|place| known.get(place)) {
                Some(c) => key.push(*c),
                None => break,
            }
        }
        key
    }
}

/// How many bytes two texts have in common, in whole characters.
pub(super) fn common(a: &str, b: &str) -> usize {
    let differ = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    differ.map_or_else(|| a.len().min(b.len()), |((at, _), _)| at)
}
