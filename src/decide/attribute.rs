//! Reading a key, metadata or tag attribute of an object, as far as it is known.

use super::decision::Needs;
use crate::object::{Attributes, Observed, Reading, Unreadable};
use crate::policy::Attribute;

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
        Attribute::Key(pattern) => present(pattern.capture(capture, object.key)),
        Attribute::Metadata(name) => look_up(object.metadata, name, Needs { head: true, ..Needs::NONE }),
        Attribute::Tag(key) => look_up(object.tags, key, Needs { tags: true, ..Needs::NONE }),
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
