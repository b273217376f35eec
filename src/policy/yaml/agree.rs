//! Whether `serde_yaml` reads a file as the span-keeping reader did.

use serde::Deserialize;
use serde_yaml::{Deserializer, Value};

use super::tree::{Data, Node};
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults};

/// Records the first place in `text` where the two readers differ.
pub(super) fn check(file: usize, text: &str, roots: &[Node], faults: &mut Faults) {
    let start = At { file, start: 0, end: 0 };
    let mut values = Vec::new();
    // The iterator does not end after an error, so it is bounded by what is expected.
    for document in Deserializer::from_str(text).take(roots.len() + 1) {
        match Value::deserialize(document) {
            Ok(value) => values.push(value),
            Err(error) => {
                let byte = error.location().map_or(0, |location| location.index().min(text.len()));
                let at = At { file, start: byte, end: byte };
                faults.add(Code::ReadersDisagree, at, format!("a second YAML reader refuses this: {error}"));
                return;
            }
        }
    }
    let differs = if values.len() == roots.len() {
        roots.iter().zip(&values).find_map(|(node, value)| first_difference(node, value))
    } else {
        Some(start)
    };
    if let Some(at) = differs {
        faults
            .add(Code::ReadersDisagree, at, "two YAML readers understand this in different ways")
            .help("write it in a plainer way; quotes usually settle it");
    }
}

fn first_difference(node: &Node, value: &Value) -> Option<At> {
    match (&node.data, value) {
        (Data::Scalar { text, .. }, Value::String(other)) if text == other => None,
        (Data::Scalar { text, plain: true }, value) if resolves_to(text, value) => None,
        (Data::List(items), Value::Sequence(values)) if items.len() == values.len() => {
            items.iter().zip(values).find_map(|(item, value)| first_difference(item, value))
        }
        (Data::Map(entries), Value::Mapping(mapping)) if entries.len() == mapping.len() => {
            entries.iter().zip(mapping).find_map(|(entry, (key, value))| {
                if key.as_str() == Some(&entry.key) {
                    first_difference(&entry.value, value)
                } else {
                    Some(entry.key_at)
                }
            })
        }
        _ => Some(node.head()),
    }
}

/// Whether a plain scalar means `value`, a number, a boolean or nothing, also when it stands alone.
fn resolves_to(text: &str, value: &Value) -> bool {
    !value.is_string() && serde_yaml::from_str::<Value>(text).is_ok_and(|alone| alone == *value)
}
