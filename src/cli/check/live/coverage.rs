//! Which keys of a bucket no rule can cover.
//!
//! Only the top of a bucket is listed, so a prefix counts as covered as soon as a rule could cover
//! some key below it.

use crate::pattern::KeyPattern;
use crate::policy::{Policy, Select};
use crate::s3::Level;

/// The prefixes and keys at the top of the bucket that no rule can cover, in byte order.
pub fn uncovered<'t>(policy: &Policy, bucket: &str, top: &'t Level) -> Vec<&'t str> {
    let selects: Vec<&Select> = policy
        .rules
        .iter()
        .map(|rule| &rule.select)
        .filter(|select| select.buckets.iter().any(|pattern| pattern.matches(bucket)))
        .collect();
    let prefixes = top.prefixes.iter().filter(|prefix| !selects.iter().any(|select| reaches(select, prefix)));
    let keys = top.keys.iter().filter(|key| !selects.iter().any(|select| takes(select, key)));
    let mut found: Vec<&str> = prefixes.chain(keys).map(String::as_str).collect();
    found.sort_unstable();
    found
}

/// Whether some key below `prefix` could be covered.
fn reaches(select: &Select, prefix: &str) -> bool {
    let meets = |other: &str| other.starts_with(prefix) || prefix.starts_with(other);
    meets(select.prefix.as_deref().unwrap_or_default())
        && select.key.as_ref().is_none_or(|pattern| meets(&literal_start(pattern)))
}

fn takes(select: &Select, key: &str) -> bool {
    key.starts_with(select.prefix.as_deref().unwrap_or_default())
        && select.key.as_ref().is_none_or(|pattern| pattern.matches(key))
}

/// What every key that matches starts with.
fn literal_start(pattern: &KeyPattern) -> String {
    let mut start = String::new();
    let mut characters = pattern.as_str().chars();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' | '{' => break,
            '\\' => start.extend(characters.next()),
            character => start.push(character),
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{SourceFile, read};

    fn uncovered_by(select: &str, prefixes: &[&str], keys: &[&str]) -> Vec<String> {
        let yaml = format!(
            "version: 1\nname: acme\nrules:\n  - {{id: a, select: {{buckets: [media], {select}}}, trigger: uploaded, retain: 1 day}}\n"
        );
        let policy = read(&[SourceFile { path: "a.yaml".to_owned(), bytes: yaml.into() }]).unwrap().policy;
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let top = Level { prefixes: owned(prefixes), keys: owned(keys), is_whole: true };
        uncovered(&policy, "media", &top).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_prefix_is_covered_as_soon_as_a_rule_could_cover_a_key_below_it() {
        let top = ["inbound/", "in/", "old/"];
        assert_eq!(uncovered_by("prefix: inbound/", &top, &["x"]), ["in/", "old/", "x"]);
        assert_eq!(uncovered_by("prefix: inbound/4711/", &top, &[]), ["in/", "old/"]);
        assert_eq!(uncovered_by("prefix: in", &top, &["index"]), ["old/"]);
        assert_eq!(uncovered_by("key: \"inbound/*/x\"", &top, &["inbound"]), ["in/", "inbound", "old/"]);
        assert_eq!(uncovered_by("key: \"**.jpg\"", &top, &["a.jpg", "a.png"]), ["a.png"]);
        assert_eq!(uncovered_by("key: \"\\\\{a/*\"", &["{a/", "a/"], &[]), ["a/"]);
    }
}
