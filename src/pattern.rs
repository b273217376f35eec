//! Patterns over keys and bucket names: `*` stops at `/`, `**` does not, `?` is one
//! character but `/`, braces capture, a backslash takes the next character as it is. The `/` of
//! `**/` must be in the key: `**/*.jpg` does not match `a.jpg`, and `**.jpg` does.

mod bytes;
mod fault;
mod levels;
mod overlap;
mod place;
mod tokens;
mod unique;

use chrono_tz::Tz;
use regex::Regex;

pub use bytes::{ByteStep, Bytes};
pub use fault::PatternError;
pub use levels::{Below, Shallow};
pub use overlap::{Effort, Found, Shape, example};
pub use place::Level;
use tokens::{Class, Token, tokens};

use crate::calendar::{Moment, MomentError};

/// A pattern over whole keys.
#[derive(Clone, Debug)]
pub struct KeyPattern {
    text: String,
    regex: Regex,
    captures: Vec<&'static str>,
    /// Its parts, where a key could be taken apart in several ways.
    unclear: Option<Vec<Token>>,
}

/// What a brace means in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured<'k> {
    /// Nothing: the key does not match, or the pattern has no such brace.
    Nothing,
    /// This part of it.
    Part(&'k str),
    /// One of several parts: the key can be taken apart in several ways.
    Unclear,
}

impl KeyPattern {
    /// Compiles a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (regex, captures) = translate(text)?;
        let unclear = Some(tokens(text)?).filter(|tokens| !unique::always(tokens));
        Ok(Self { text: text.to_owned(), regex, captures, unclear })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole key matches.
    pub fn matches(&self, key: &str) -> bool {
        self.regex.is_match(key)
    }

    /// Its shape, for [`example`].
    pub fn shape(&self) -> Shape {
        Shape::of_pattern(&self.text, None)
    }

    /// The shape of the keys from which it could capture `text` under this name.
    pub fn shape_with(&self, capture: &str, text: &str) -> Shape {
        Shape::of_pattern(&self.text, Some((capture, text)))
    }

    /// Whether the pattern captures under this name.
    pub fn has(&self, capture: &str) -> bool {
        self.captures.contains(&capture)
    }

    /// What it captures under this name in `key`, if the whole key matches.
    pub fn capture<'k>(&self, capture: &str, key: &'k str) -> Captured<'k> {
        let found = if self.has(capture) { self.regex.captures(key) } else { None };
        match found.and_then(|found| found.name(capture)) {
            None => Captured::Nothing,
            Some(_) if self.is_unclear(key) => Captured::Unclear,
            Some(part) => Captured::Part(part.as_str()),
        }
    }

    /// Whether `key`, which matches, can be taken apart in several ways.
    fn is_unclear(&self, key: &str) -> bool {
        self.unclear.as_ref().is_some_and(|tokens| !unique::here(tokens, key))
    }

    /// The date that the pattern's date fields spell in `key`: a day, or a time in `zone` when
    /// there is an hour. `None` if the key does not match, or if the pattern does not have
    /// `{yyyy}`, `{MM}` and `{dd}`.
    ///
    /// A minute or second that the pattern does not have is taken as late as it can be: a key
    /// that names the hour alone may stand for anything that happened in it.
    pub fn date(&self, key: &str, zone: Tz) -> Option<Result<Moment, MomentError>> {
        let found = self.regex.captures(key)?;
        let field = |name: &str| found.name(name).map(|m| m.as_str());
        let day = format!("{}-{}-{}", field("yyyy")?, field("MM")?, field("dd")?);
        let text = match field("HH") {
            Some(hour) => {
                format!("{day}T{hour}:{}:{}", field("mm").unwrap_or("59"), field("ss").unwrap_or("59"))
            }
            None => day,
        };
        if self.is_unclear(key) {
            return Some(Err(MomentError::Several));
        }
        Some(Moment::parse(&text, zone))
    }
}

/// A pattern over bucket names.
#[derive(Clone, Debug)]
pub struct BucketPattern {
    text: String,
    regex: Option<Regex>,
}

impl BucketPattern {
    /// Compiles a name or a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        // Old buckets may have capitals and underscores.
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-._*?".contains(c)) {
            return Err(PatternError::Bucket);
        }
        let regex = match text {
            "" => return Err(PatternError::Empty),
            text if text.contains(['*', '?']) => Some(translate(text)?.0),
            _ => None,
        };
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The name or pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its shape, for [`example`].
    pub fn shape(&self) -> Shape {
        Shape::of_pattern(&self.text, None)
    }

    /// Whether it names exactly one bucket.
    pub const fn is_exact(&self) -> bool {
        self.regex.is_none()
    }

    /// Whether it matches the bucket's name.
    pub fn matches(&self, bucket: &str) -> bool {
        self.regex.as_ref().map_or(self.text == bucket, |regex| regex.is_match(bucket))
    }
}

fn translate(text: &str) -> Result<(Regex, Vec<&'static str>), PatternError> {
    let mut regex = String::from(r"(?s)\A");
    let mut captures = Vec::new();
    let one = |class: Class| match class {
        Class::Exact(c) => regex::escape(c.encode_utf8(&mut [0; 4])),
        Class::AnyCase(c) => format!("(?i-u:{})", regex::escape(c.encode_utf8(&mut [0; 4]))),
        Class::Digit => "[0-9]".to_owned(),
        Class::NotSlash => "[^/]".to_owned(),
        Class::Any => ".".to_owned(),
    };
    for token in tokens(text)? {
        match token {
            Token::One(class) => regex.push_str(&one(class)),
            Token::Many(class) => regex.push_str(&format!("{}*", one(class))),
            Token::Capture(name, digits) => {
                captures.push(name);
                let takes = if digits == 0 { "[^/]+".to_owned() } else { format!("[0-9]{{{digits}}}") };
                regex.push_str(&format!("(?<{name}>{takes})"));
            }
        }
    }
    regex.push_str(r"\z");
    Ok((Regex::new(&regex).map_err(|_| PatternError::TooLarge)?, captures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        KeyPattern::parse(pattern).unwrap().matches(key)
    }

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        assert!(matches("a/*/c", "a/b/c"));
        assert!(!matches("a/*/c", "a/b/b/c"));
        assert!(matches("a/**/c", "a/b/b/c"));
        assert!(matches("a/**", "a/b\nc"));
        assert!(matches("a?c", "aéc"));
        assert!(!matches("a?c", "a/c"));
    }

    #[test]
    fn a_pattern_covers_the_whole_key() {
        assert!(!matches("b", "abc"));
        assert!(!matches("b", "b\n"));
        assert!(matches("*.jpg", "x.jpg"));
        assert!(!matches("*.jpg", "xjpg"));
    }

    #[test]
    fn a_backslash_takes_the_next_character_as_it_is() {
        assert!(matches(r"a\*b", "a*b"));
        assert!(!matches(r"a\*b", "axb"));
        assert!(matches(r"\{tenant\}", "{tenant}"));
    }

    #[test]
    fn a_tenant_is_one_part_of_the_key_and_never_empty() {
        let pattern = KeyPattern::parse("*/{tenant}/**").unwrap();
        assert_eq!(pattern.capture("tenant", "inbound/4711/2026/a.jpg"), Captured::Part("4711"));
        assert_eq!(pattern.capture("tenant", "inbound//a.jpg"), Captured::Nothing);
        assert_eq!(pattern.capture("tenant", "inbound/a.jpg"), Captured::Nothing);
        assert_eq!(pattern.capture("id", "inbound/4711/a.jpg"), Captured::Nothing);
        let dashed = KeyPattern::parse("{tenant}-*").unwrap();
        assert_eq!(dashed.capture("tenant", "acme-photo.jpg"), Captured::Part("acme"));
        assert_eq!(dashed.capture("tenant", "acme-corp-photo.jpg"), Captured::Unclear);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let refused = |text: &str| KeyPattern::parse(text).unwrap_err();
        assert_eq!(refused(""), PatternError::Empty);
        assert_eq!(refused("a/{tenant"), PatternError::Brace);
        assert_eq!(refused("{tenant/{id}"), PatternError::Capture("tenant/{id".to_owned()));
        assert_eq!(refused("a}"), PatternError::Brace);
        assert_eq!(refused("{tenat}"), PatternError::Capture("tenat".to_owned()));
        assert_eq!(refused("{id}/{id}"), PatternError::CaptureTwice("id".to_owned()));
        assert_eq!(refused("[ab]"), PatternError::Class);
        assert_eq!(refused("a\\"), PatternError::Backslash);
    }

    #[test]
    fn a_date_in_the_key_is_a_day_or_an_instant_as_late_as_it_can_be() {
        let date = |pattern: &str, key: &str| {
            let found = KeyPattern::parse(pattern).unwrap().date(key, chrono_tz::Europe::Zagreb);
            found.map(|date| date.map(|date| date.to_string()))
        };
        assert_eq!(date("{yyyy}/{MM}/{dd}/*", "2026/11/23/a"), Some(Ok("2026-11-23".to_owned())));
        assert_eq!(
            date("{yyyy}/{MM}/{dd}/{HH}/*", "2026/11/23/14/a"),
            Some(Ok("2026-11-23T13:59:59Z".to_owned()))
        );
        let whole = "{yyyy}{MM}{dd}T{HH}{mm}{ss}-*";
        assert_eq!(date(whole, "20261123T140509-a"), Some(Ok("2026-11-23T13:05:09Z".to_owned())));
        assert_eq!(date(whole, "20261123T250509-a"), Some(Err(MomentError::Form)));
        assert_eq!(date(whole, "19700101T010000-a"), Some(Err(MomentError::Epoch)));
        assert_eq!(date("{yyyy}/{MM}/{dd}/*", "2026/02/30/a"), Some(Err(MomentError::Form)));
        assert_eq!(date("{yyyy}/{MM}/{dd}/*", "2026/11/a"), None);
        assert_eq!(date("{yyyy}/{MM}/*", "2026/11/a"), None);
        // What a sender has named so must not be taken for the date.
        let anywhere = "**/{yyyy}/{MM}/{dd}/**";
        assert_eq!(date(anywhere, "in/2026/11/20/a"), Some(Ok("2026-11-20".to_owned())));
        assert_eq!(date(anywhere, "in/2026/11/20/2019/01/02/a"), Some(Err(MomentError::Several)));
    }

    #[test]
    fn a_bucket_pattern_matches_whole_names() {
        let pattern = BucketPattern::parse("*-media").unwrap();
        assert!(pattern.matches("acme-media") && !pattern.matches("acme-media-old") && !pattern.is_exact());
        let name = BucketPattern::parse("acme.media").unwrap();
        assert!(name.matches("acme.media") && !name.matches("acme-media") && name.is_exact());
        for never in ["s3://acme", "acme media", "acme[12]", "acme\u{e9}", "a{b}"] {
            assert_eq!(BucketPattern::parse(never).unwrap_err(), PatternError::Bucket, "{never}");
        }
    }
}
