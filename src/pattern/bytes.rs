//! A pattern as steps over the bytes of a key, for an automaton that reads keys byte by byte.
//!
//! Keys are UTF-8, in which no character begins within another: so whatever stands for one
//! character takes its first byte and then those that go on with it.

use super::KeyPattern;
use super::tokens::{Class, Token, tokens};

/// Which bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bytes {
    /// This one.
    Exact(u8),
    /// `0` to `9`.
    Digit,
    /// The first byte of any character but `/`.
    First,
    /// Any byte of a character but its first.
    Further,
    /// All but `/`.
    NotSlash,
    /// All.
    Any,
}

impl Bytes {
    /// Whether it takes this byte.
    pub const fn has(self, byte: u8) -> bool {
        match self {
            Self::Exact(own) => own == byte,
            Self::Digit => byte.is_ascii_digit(),
            Self::First => byte != b'/' && !is_further(byte),
            Self::Further => is_further(byte),
            Self::NotSlash => byte != b'/',
            Self::Any => true,
        }
    }
}

const fn is_further(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteStep {
    /// What it takes.
    pub takes: Bytes,
    /// Any number of times, not at all too; else once.
    pub many: bool,
}

impl ByteStep {
    const fn one(takes: Bytes) -> Self {
        Self { takes, many: false }
    }

    const fn many(takes: Bytes) -> Self {
        Self { takes, many: true }
    }

    /// The steps of whatever starts with `text`.
    pub fn of_prefix(text: &str) -> Vec<Self> {
        literal(text).chain([Self::many(Bytes::Any)]).collect()
    }
}

fn literal(text: &str) -> impl Iterator<Item = ByteStep> {
    text.bytes().map(|byte| ByteStep::one(Bytes::Exact(byte)))
}

impl KeyPattern {
    /// Its steps, with `capture` standing for a text where it is given.
    pub fn byte_steps(&self, capture: Option<(&str, &str)>) -> Vec<ByteStep> {
        let mut steps = Vec::new();
        // A pattern that was compiled has tokens.
        for token in tokens(&self.text).unwrap_or_default() {
            match token {
                Token::One(class) => one(class, &mut steps),
                Token::Many(Class::Any) => steps.push(ByteStep::many(Bytes::Any)),
                Token::Many(_) => steps.push(ByteStep::many(Bytes::NotSlash)),
                Token::Capture(name, digits) => match capture.filter(|(wanted, _)| *wanted == name) {
                    Some((_, text)) => steps.extend(literal(text)),
                    None if digits == 0 => {
                        steps.extend([ByteStep::one(Bytes::First), ByteStep::many(Bytes::NotSlash)]);
                    }
                    None => steps.extend(std::iter::repeat_n(ByteStep::one(Bytes::Digit), digits)),
                },
            }
        }
        steps
    }

    /// Whether its braces stand for one part only of every key that matches.
    pub const fn is_clear(&self) -> bool {
        self.unclear.is_none()
    }
}

fn one(class: Class, steps: &mut Vec<ByteStep>) {
    match class {
        Class::Exact(c) => steps.extend(literal(c.encode_utf8(&mut [0; 4]))),
        Class::NotSlash => steps.extend([ByteStep::one(Bytes::First), ByteStep::many(Bytes::Further)]),
        Class::Digit => steps.push(ByteStep::one(Bytes::Digit)),
        // Patterns have neither, to which the test below holds `tokens`: no steps take just one of these, and
        // this one takes more.
        Class::AnyCase(_) | Class::Any => steps.push(ByteStep::many(Bytes::Any)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_has_a_character_for_which_there_are_no_steps() {
        for c in (' '..='~').chain(['é', '日']) {
            for text in
                [format!("{c}"), format!("\\{c}"), format!("{c}{c}"), format!("*{c}?{{tenant}}{{yyyy}}**{c}")]
            {
                for token in tokens(&text).unwrap_or_default() {
                    let has_no_steps = matches!(token, Token::One(Class::AnyCase(_) | Class::Any));
                    assert!(!has_no_steps, "{text} has {token:?}");
                }
            }
        }
    }
}
