//! Where a pattern reaches fewer levels of keys than may be meant: `**/` has a `/` in it, which must be in
//! the key, and a `*` at the end stops at the next one.

use super::KeyPattern;
use super::tokens::{Class, Token, tokens};

/// A pattern for the keys with no directory where another has `**/`.
#[derive(Clone, Debug)]
pub enum Shallow {
    /// It matches all that the other does, too.
    Instead(KeyPattern),
    /// It matches these alone: no one pattern is as wide as both.
    Beside(KeyPattern),
}

/// What lies below the one level at which a pattern ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// Such a key.
    pub key: String,
    /// The pattern that goes on to the last level.
    pub pattern: String,
}

impl KeyPattern {
    /// What also reaches the keys with no directory where the pattern has `**/`; `None` if it has none.
    pub fn shallow(&self) -> Option<Shallow> {
        let mut levels: Vec<String> = Vec::new();
        let (mut is_merged, mut follows_any) = (false, false);
        for part in self.text.split('/') {
            let is_open = part.starts_with('*');
            match levels.last_mut() {
                // All that `**/*` takes and all that `*` takes is what `**` takes.
                Some(any) if follows_any && is_open => {
                    is_merged = true;
                    any.push_str(part.trim_start_matches('*'));
                }
                _ => levels.push(part.to_owned()),
            }
            follows_any = part == "**";
        }
        if is_merged {
            return Self::parse(&levels.join("/")).ok().map(Shallow::Instead);
        }
        let beside = match self.text.strip_prefix("**/") {
            Some(rest) => rest.to_owned(),
            None => {
                let (before, after) = self.text.split_once("/**/")?;
                format!("{before}/{after}")
            }
        };
        Self::parse(&beside).ok().map(Shallow::Beside)
    }

    /// What lies deeper than the pattern goes, where it ends in a `*` that stops at the next `/`.
    pub fn below(&self) -> Option<Below> {
        let tokens = tokens(&self.text).ok()?;
        let (last, start) = tokens.split_last()?;
        if *last != Token::Many(Class::NotSlash) {
            return None;
        }
        let mut key: String = start.iter().map(sample).collect();
        key.push_str(if key.is_empty() || key.ends_with('/') { "a/b" } else { "/a" });
        // One `*` for a text anywhere in the key was meant as a `**` on both sides.
        let is_of_one_level = !self.text.contains(['/', '\\']) && !self.text.contains("**");
        let pattern = if is_of_one_level { self.text.replace('*', "**") } else { format!("{}*", self.text) };
        (!self.matches(&key)).then_some(Below { key, pattern })
    }

    /// Whether it asks for any character but `/`: what does not is a matter of levels alone.
    pub fn names_something(&self) -> bool {
        let is_named = |token: &Token| matches!(token, Token::One(Class::Exact(c)) if *c != '/');
        tokens(&self.text).is_ok_and(|tokens| tokens.iter().any(is_named))
    }
}

/// What the token can stand for in an example.
fn sample(token: &Token) -> String {
    match token {
        Token::One(Class::Exact(c) | Class::AnyCase(c)) => c.to_string(),
        Token::One(Class::Digit) => "1".to_owned(),
        Token::One(Class::NotSlash | Class::Any) | Token::Many(_) | Token::Capture(_, 0) => "a".to_owned(),
        Token::Capture(_, digits) => "1".repeat(*digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> KeyPattern {
        KeyPattern::parse(text).unwrap()
    }

    #[test]
    fn what_misses_the_keys_without_a_directory_has_a_pattern_for_them() {
        for (text, instead, missed) in [
            ("recordings/4711/**/*.mp4", "recordings/4711/**.mp4", "recordings/4711/call.mp4"),
            ("inbound/4711/**/*", "inbound/4711/**", "inbound/4711/a"),
            ("**/*.jpg", "**.jpg", "a.jpg"),
            ("**/**", "**", "a"),
            ("a/**/*b/**/c", "a/**b/**/c", "a/b/x/c"),
            ("**/**/*.jpg", "**.jpg", "x/a.jpg"),
            // The `*` that follows is a level of its own.
            ("**/*/*.jpg", "**/*.jpg", "x/a.jpg"),
        ] {
            let Some(Shallow::Instead(found)) = pattern(text).shallow() else { panic!("{text}") };
            assert_eq!(found.as_str(), instead);
            assert!(found.matches(missed) && !pattern(text).matches(missed), "{text}: {missed}");
        }
        for (text, beside) in [
            ("**/call.mp4", "call.mp4"),
            // Only directories' own markers end in `/`.
            ("in/**/", "in/"),
            ("in/**/thumbs/**", "in/thumbs/**"),
            (r"a\/**/b", r"a\/b"),
            ("**/?.jpg", "?.jpg"),
            ("**/{yyyy}/**", "{yyyy}/**"),
        ] {
            let Some(Shallow::Beside(found)) = pattern(text).shallow() else { panic!("{text}") };
            assert_eq!(found.as_str(), beside);
        }
        for text in ["in/**", "**/", "**.jpg", "in/*/a", "a**/b", r"\**/b", "**", "a/b", "a/***/b"] {
            assert!(pattern(text).shallow().is_none(), "{text}");
        }
    }

    #[test]
    fn what_takes_the_place_of_another_pattern_loses_none_of_its_keys() {
        let keys = ["a", "a/b", "a/b/c", "a/b/c/d", "b", "b/c", "c/b", "a//b", "a/", "x/a/b"];
        for text in ["**/*", "**/*b", "a/**/*", "a/**/*/c", "**/**/b", "**/*/b", "**/**", "**/*/*"] {
            let Some(Shallow::Instead(wide)) = pattern(text).shallow() else { panic!("{text}") };
            for key in keys.into_iter().filter(|key| pattern(text).matches(key)) {
                assert!(wide.matches(key), "{text} and {}: {key}", wide.as_str());
            }
        }
    }

    #[test]
    fn what_ends_at_one_level_misses_what_lies_below() {
        let below = |text: &str| pattern(text).below().map(|below| (below.key, below.pattern));
        let some = |key: &str, pattern: &str| Some((key.to_owned(), pattern.to_owned()));
        assert_eq!(below("in/4711/*"), some("in/4711/a/b", "in/4711/**"));
        assert_eq!(below("recordings/4711*"), some("recordings/4711/a", "recordings/4711**"));
        assert_eq!(below("*"), some("a/b", "**"));
        assert_eq!(below("*4711*"), some("a4711/a", "**4711**"));
        assert_eq!(below("{yyyy}/*/x?*"), some("1111/a/xa/a", "{yyyy}/*/x?**"));
        assert_eq!(below(r"in\**"), some("in*/a", r"in\***"));
        for text in ["in/**", "in/*.jpg", "in/*/a", r"in/\*", "**/*", "in/***", "a", "{tenant}"] {
            assert_eq!(below(text), None, "{text}");
        }
        for text in ["in/4711/*", "recordings/4711*", "*", "*4711*", r"in\**"] {
            let below = pattern(text).below().unwrap();
            assert!(pattern(&below.pattern).matches(&below.key), "{text}");
        }
    }

    #[test]
    fn stars_braces_and_slashes_name_nothing() {
        for text in ["**/*", "*/**", "?**", "{tenant}/**", "{yyyy}/{MM}/*", "/", "*"] {
            assert!(!pattern(text).names_something(), "{text}");
        }
        for text in ["in/**", "**.jpg", r"\***", "{tenant}-*", "a"] {
            assert!(pattern(text).names_something(), "{text}");
        }
    }
}
