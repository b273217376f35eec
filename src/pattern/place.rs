//! Where in a key a brace stands, for patterns in which that follows from the slashes alone.

use super::KeyPattern;
use super::tokens::{Class, Token, tokens};

/// A part of a key between two slashes, above the one that a brace takes whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// This text.
    Named(String),
    /// Any.
    Any,
}

impl KeyPattern {
    /// The levels above the one that `capture` takes whole, if every key that goes on below that
    /// one matches: for `*/{tenant}/**` that is one of any name. `None` for other patterns.
    pub fn levels_above(&self, capture: &str) -> Option<Vec<Level>> {
        let tokens = tokens(&self.text).ok()?;
        let mut levels = tokens.split(|token| *token == Token::One(Class::Exact('/')));
        let mut above = Vec::new();
        loop {
            match levels.next()? {
                [Token::Capture(name, 0)] if *name == capture => break,
                [Token::Many(Class::NotSlash)] => above.push(Level::Any),
                exact => above.push(Level::Named(exact.iter().map(character).collect::<Option<_>>()?)),
            }
        }
        let below: Vec<&[Token]> = levels.collect();
        matches!(below.as_slice(), [[Token::Many(Class::Any)]]).then_some(above)
    }
}

impl KeyPattern {
    /// What every key that matches starts with, and whether every key that does so matches.
    pub fn start(&self) -> (String, bool) {
        let tokens = tokens(&self.text).unwrap_or_default();
        let literal: String = tokens.iter().map_while(character).collect();
        let rest = tokens.get(literal.chars().count()..).unwrap_or_default();
        let is_all = matches!(rest, [Token::Many(Class::Any)]);
        (literal, is_all)
    }
}

fn character(token: &Token) -> Option<char> {
    match token {
        Token::One(Class::Exact(c)) => Some(*c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(pattern: &str) -> Option<Vec<Level>> {
        KeyPattern::parse(pattern).unwrap().levels_above("tenant")
    }

    #[test]
    fn a_whole_level_with_everything_below_it_has_a_place() {
        assert_eq!(above("{tenant}/**"), Some(Vec::new()));
        assert_eq!(above("*/{tenant}/**"), Some(vec![Level::Any]));
        assert_eq!(above("in/*/{tenant}/**"), Some(vec![Level::Named("in".to_owned()), Level::Any]));
    }

    #[test]
    fn a_pattern_starts_with_what_stands_before_the_first_wildcard() {
        let start = |pattern: &str| KeyPattern::parse(pattern).unwrap().start();
        assert_eq!(start("in/**"), ("in/".to_owned(), true));
        assert_eq!(start(r"in\*/*"), ("in*/".to_owned(), false));
        assert_eq!(start("**"), (String::new(), true));
        assert_eq!(start("in/a.jpg"), ("in/a.jpg".to_owned(), false));
        assert_eq!(start("{tenant}/**"), (String::new(), false));
    }

    #[test]
    fn what_takes_more_than_the_slashes_to_find_has_none() {
        for pattern in [
            "**/{tenant}/**",
            "{tenant}/*",
            "{tenant}",
            "x{tenant}/**",
            "a?/{tenant}/**",
            "{id}/**",
            "*/{tenant}/**/a",
        ] {
            assert_eq!(above(pattern), None, "{pattern}");
        }
    }
}
