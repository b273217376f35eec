//! From the bytes of a file to trees that know where everything stands.
//!
//! Two readers are used: `granit-parser` keeps spans and shows anchors, tags and styles;
//! `serde_yaml` is what other tools read YAML with. A file on which the two do not agree is
//! refused ([`agree`]), because nobody can say what its author meant.

mod agree;
mod look_alike;
mod read;
mod text;
mod tree;

pub(super) use look_alike::look_alike;
pub(super) use read::{read, read_with_dates};
pub(super) use text::{clean, decode_lossy};
pub(super) use tree::{Data, Entry, Node};
