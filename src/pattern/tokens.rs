//! The parts of a pattern: what each takes, for the matcher and for the search of [`super::overlap`].

use super::fault::PatternError;

/// Captures and what each takes: so many digits, or, for 0, a part of the key.
const CAPTURES: [(&str, usize); 8] =
    [("tenant", 0), ("id", 0), ("yyyy", 4), ("MM", 2), ("dd", 2), ("HH", 2), ("mm", 2), ("ss", 2)];

/// Which characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// This one.
    Exact(char),
    /// This one of ASCII, capital or not.
    AnyCase(char),
    /// `0` to `9`.
    Digit,
    /// All but `/`.
    NotSlash,
    /// All.
    Any,
}

impl Class {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Self::Exact(own) => own == c,
            Self::AnyCase(own) => own.eq_ignore_ascii_case(&c),
            Self::Digit => c.is_ascii_digit(),
            Self::NotSlash => c != '/',
            Self::Any => true,
        }
    }
}

/// One part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// One character.
    One(Class),
    /// Any number of them, none too.
    Many(Class),
    /// A capture: its name, and how many digits, or 0 for a part of the key.
    Capture(&'static str, usize),
}

/// Reads a pattern.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    let mut tokens = Vec::new();
    let mut captures: Vec<&str> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => Token::Many(Class::Any),
            '*' => Token::Many(Class::NotSlash),
            '?' => Token::One(Class::NotSlash),
            '{' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return Err(PatternError::Brace),
                    }
                }
                let known = CAPTURES.iter().find(|(known, _)| *known == name);
                let (name, digits) = *known.ok_or(PatternError::Capture(name))?;
                if captures.contains(&name) {
                    return Err(PatternError::CaptureTwice(name.to_owned()));
                }
                captures.push(name);
                Token::Capture(name, digits)
            }
            '}' => return Err(PatternError::Brace),
            '[' | ']' => return Err(PatternError::Class),
            '\\' => Token::One(Class::Exact(chars.next().ok_or(PatternError::Backslash)?)),
            c => Token::One(Class::Exact(c)),
        });
    }
    Ok(tokens)
}
