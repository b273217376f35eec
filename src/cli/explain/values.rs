//! The texts that an object's attributes and records hold, as far as they are known.

use crate::decide::{Owner, Tenancy};
use crate::object::{Observed, Reading, Unreadable};
use crate::pattern::Captured;
use crate::policy::{Attribute, By, Policy, Source};
use crate::records::{Lookup, NoValue, Records};

/// What stands where a value is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// This text.
    Known(&'a str),
    /// Nothing.
    Absent,
    /// It was not given.
    Unread,
    /// It was asked for in vain.
    Unreadable(Unreadable),
    /// The record file cannot tell.
    NoRecord(NoValue),
    /// Nothing tells which record is the object's.
    NoRecordId,
}

/// Everything that values are read from.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The object.
    pub object: &'a Observed<'a>,
    /// Whose it is.
    pub tenancy: &'a Tenancy<'a>,
}

impl<'a> Values<'a> {
    /// An attribute; for a key pattern, what it captures under `capture`.
    pub fn attribute(&self, attribute: &'a Attribute, capture: &str) -> Value<'a> {
        let (reading, name) = match attribute {
            Attribute::Key(pattern) => {
                return match pattern.capture(capture, self.object.key) {
                    Captured::Nothing => Value::Absent,
                    Captured::Part(text) => Value::Known(text),
                    Captured::Unclear => Value::Unreadable(Unreadable::Unclear),
                };
            }
            Attribute::Metadata(name) => (self.object.metadata, name),
            Attribute::Tag(key) => (self.object.tags, key),
        };
        match reading {
            Reading::Known(all) => present(all.get(name).map(String::as_str)),
            Reading::Unread => Value::Unread,
            Reading::Unknown(why) => Value::Unreadable(why),
        }
    }

    /// What the object's rows in the table are looked up by.
    pub fn record_id(&self, table: usize) -> Value<'a> {
        match self.policy.tables.get(table).map(|table| &table.by) {
            Some(By::Tenant) => match self.tenancy.owner {
                Owner::Is(tenant, _) => Value::Known(tenant),
                Owner::Nobody | Owner::Anybody => Value::NoRecordId,
            },
            Some(By::Attribute(attribute)) => match self.attribute(attribute, "id") {
                Value::Absent => Value::NoRecordId,
                other => other,
            },
            None => Value::NoRecordId,
        }
    }

    /// A field of the object's row.
    pub fn record(&self, table: usize, column: &str) -> Value<'a> {
        let id = match self.record_id(table) {
            Value::Known(id) => id,
            other => return other,
        };
        match self.records.lookup(table, id, column) {
            Lookup::Known(text) => Value::Known(text),
            Lookup::Absent => Value::Absent,
            Lookup::Unknown(why) => Value::NoRecord(why),
        }
    }

    /// The text at a trigger's source, where that is no combination and no part of the key.
    pub fn source(&self, source: &'a Source) -> Option<Value<'a>> {
        match source {
            Source::Attribute(attribute @ (Attribute::Metadata(_) | Attribute::Tag(_))) => {
                Some(self.attribute(attribute, ""))
            }
            Source::Record { table, column } => Some(self.record(*table, column)),
            _ => None,
        }
    }
}

fn present(text: Option<&str>) -> Value<'_> {
    match text {
        None | Some("") => Value::Absent,
        Some(text) => Value::Known(text),
    }
}
