//! Reading a key, metadata or tag attribute of an object, as far as it is known.

use super::decision::Needs;
use crate::object::{Attributes, Observed, Reading, Unreadable};
use crate::pattern::Captured;
use crate::policy::Attribute;

/// What a HEAD tells.
pub const HEAD: Needs = Needs { head: true, ..Needs::NONE };

/// What a read of the tags tells.
pub const TAGS: Needs = Needs { tags: true, ..Needs::NONE };

/// What stands between us and something that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obscured {
    /// What reading would help.
    pub needs: Needs,
    /// Why reading did not help, where it was tried.
    pub why: Option<Unreadable>,
}

impl Obscured {
    /// Nothing that could be read would help.
    pub const fn for_good(why: Unreadable) -> Self {
        Self { needs: Needs::NONE, why: Some(why) }
    }

    /// Both of them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { needs: self.needs.and(other.needs), why: self.why.or(other.why) }
    }

    /// As it is for a question that all parts must answer: where one cannot be read, reading the
    /// others is in vain.
    #[must_use]
    pub const fn whole(self) -> Self {
        match self.why {
            Some(why) => Self::for_good(why),
            None => self,
        }
    }
}

/// What an attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// This text.
    Known(&'a str),
    /// It is not there, or empty: it has not happened.
    Absent,
    /// Nobody has asked; this would tell.
    Unread(Needs),
    /// It was asked for in vain.
    Unknown(Unreadable),
}

/// Reads `attribute`; for a key pattern, what it captures under `capture`.
pub fn read<'a>(attribute: &Attribute, capture: &str, object: &Observed<'a>) -> Value<'a> {
    match attribute {
        Attribute::Key(pattern) => match pattern.capture(capture, object.key) {
            Captured::Nothing => Value::Absent,
            Captured::Part(text) => Value::Known(text),
            Captured::Unclear => Value::Unknown(Unreadable::Unclear),
        },
        Attribute::Metadata(name) => look_up(object.metadata, name, HEAD),
        Attribute::Tag(key) => look_up(object.tags, key, TAGS),
    }
}

fn look_up<'a>(reading: Reading<&'a Attributes>, name: &str, needs: Needs) -> Value<'a> {
    match reading {
        Reading::Known(all) => present(all.get(name).map(String::as_str)),
        Reading::Unread => Value::Unread(needs),
        Reading::Unknown(why) => Value::Unknown(why),
    }
}

fn present(text: Option<&str>) -> Value<'_> {
    match text {
        None | Some("") => Value::Absent,
        Some(text) => Value::Known(text),
    }
}

/// The attribute in words, such as `metadata communication-date`.
pub fn describe(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Key(pattern) => format!("key {}", pattern.as_str()),
        Attribute::Metadata(name) => format!("metadata {name}"),
        Attribute::Tag(key) => format!("tag {key}"),
    }
}
