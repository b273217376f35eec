//! The JSON Schema of a policy file, for editors: what can stand where, with a word on each key.
//!
//! It knows shapes and single values. What needs the whole policy (references, ids that must be
//! unique, what is missing from all files together) is for [`super::read`] alone to tell.

use chrono_tz::TZ_VARIANTS;
use serde_json::{Map, Value};

const SCHEMA: &str = include_str!("schema.json");

/// The schema, in draft 2020-12 of JSON Schema.
pub fn schema() -> Value {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    // The zones are those that this program knows, so that an editor can offer them.
    let zones = TZ_VARIANTS.iter().map(|zone| zone.name().into()).collect();
    let zone = schema.pointer_mut("/properties/timezone").and_then(Value::as_object_mut);
    if let Some(zone) = zone {
        Map::insert(zone, "enum".to_owned(), Value::Array(zones));
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::decode;

    /// The schemas that list properties, by their pointers.
    fn mappings(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                if members.get("type") == Some(&"object".into()) && members.contains_key("properties") {
                    found.insert(at.to_owned());
                }
                for (name, member) in members {
                    mappings(member, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    mappings(item, &format!("{at}/{place}"), found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_knows_and_no_others() {
        let schema = schema();
        let mut listed = BTreeSet::new();
        mappings(&schema, "", &mut listed);
        // Those that only narrow another one.
        listed.retain(|at| !at.contains("/if/"));
        let known = decode::keys_by_schema();
        assert_eq!(listed, known.iter().map(|(at, _)| (*at).to_owned()).collect());
        for (at, mut keys) in known {
            let mapping = schema.pointer(at).unwrap();
            assert_eq!(mapping["additionalProperties"], false, "{at}");
            keys.sort_unstable();
            let properties: Vec<_> = mapping["properties"].as_object().unwrap().keys().collect();
            assert_eq!(properties, keys, "{at}");
        }
    }

    #[test]
    fn every_key_has_a_word_on_it() {
        let schema = schema();
        for (at, keys) in decode::keys_by_schema() {
            for key in keys {
                let property = &schema.pointer(at).unwrap()["properties"][key];
                let referred = property["$ref"].as_str().and_then(|to| schema.pointer(&to[1..]));
                let described = property.get("description").or(referred.and_then(|to| to.get("description")));
                assert!(described.is_some_and(Value::is_string), "{at}: {key}");
            }
        }
    }
}
