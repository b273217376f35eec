//! Mappings: which keys can stand in them, and which must.

use super::decoder::Decoder;
use super::suggest::closest;
use crate::policy::codes::Code;
use crate::policy::diagnostic::At;
use crate::policy::yaml::{Data, Entry, Node};

/// The keys of one kind of mapping.
pub(super) struct Keys {
    /// What it is, as a message says it: `a rule`.
    pub what: &'static str,
    /// What can stand in it.
    pub known: &'static [&'static str],
}

/// A mapping whose keys are all known.
pub(super) struct Fields<'n> {
    /// Where to point when something is missing.
    pub at: At,
    what: &'static str,
    entries: &'n [Entry],
    /// Keys that an unknown one is close to: surely meant, so not missing as well.
    meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The entry under `key`.
    pub fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// All that is in it.
    pub const fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Decoder<'_> {
    /// Takes `node` as a mapping and records keys that it must not have.
    pub(super) fn fields<'n>(&mut self, name: &str, node: &'n Node, keys: &Keys) -> Option<Fields<'n>> {
        let Data::Map(entries) = &node.data else {
            self.wrong_shape(name, node, "a mapping");
            return None;
        };
        let mut meant = Vec::new();
        for entry in entries {
            if !keys.known.contains(&entry.key.as_str()) {
                meant.extend(self.unknown_key(entry, keys));
            }
        }
        Some(Fields { at: node.head(), what: keys.what, entries, meant })
    }

    /// Records an unknown key; returns the one that was probably meant.
    fn unknown_key(&mut self, entry: &Entry, keys: &Keys) -> Option<&'static str> {
        let near = closest(&entry.key, keys.known.iter().copied(), self.faults);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", keys.known.join(", ")),
        };
        self.faults
            .add(Code::UnknownKey, entry.key_at, format!("unknown key `{}` in {}", entry.key, keys.what))
            .help(help);
        near
    }

    /// The entry under `key`, which must be there.
    pub(super) fn need<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<&'n Entry> {
        let found = fields.get(key);
        if found.is_none() && !fields.meant.contains(&key) {
            self.faults.add(Code::MissingKey, fields.at, format!("{} needs `{key}`", fields.what));
        }
        found
    }

    /// Records that `node` is not `wanted`; an alias has its fault already.
    pub(super) fn wrong_shape(&mut self, name: &str, node: &Node, wanted: &str) {
        let found = match &node.data {
            Data::Faulty => return,
            _ if node.is_nothing() => {
                self.faults.add(
                    Code::WrongShape,
                    node.at,
                    format!("`{name}` has no value; it takes {wanted}"),
                );
                return;
            }
            Data::Scalar { .. } => "a single value",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
        };
        let message = format!("`{name}` takes {wanted}, and this is {found}");
        self.faults.add(Code::WrongShape, node.head(), message);
    }

    /// Takes `node` as a list; if it `must_hold` something, an empty one is a fault.
    pub(super) fn list<'n>(&mut self, name: &str, node: &'n Node, must_hold: bool) -> Option<&'n [Node]> {
        let Data::List(items) = &node.data else {
            self.wrong_shape(name, node, "a list");
            return None;
        };
        if must_hold && items.is_empty() {
            self.faults.add(Code::EmptyValue, node.at, format!("`{name}` is an empty list"));
            return None;
        }
        Some(items)
    }
}
