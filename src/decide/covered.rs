//! Which keys of a bucket a policy says anything of, as far as their start tells.

use chrono::{DateTime, Utc};

use crate::policy::{Policy, Select};

/// How many starts are told apart. Each costs a request at least, also where nothing is.
const MOST: usize = 200;

/// No key is longer, in bytes; a store may refuse a longer start.
const LONGEST_KEY: usize = 1024;

/// What every key of `bucket` starts with that a rule, an erasure or a hold in force could cover: in order, and
/// none the start of another. An empty start stands for all keys. Whatever its attributes and its tenant are,
/// an object with another key is unmatched.
///
/// Overrides and exceptions change what becomes of that, and add nothing to it. Where an object's tenant stands
/// in its key, nothing is made of that: another source may name the tenant as well.
pub fn covered(policy: &Policy, bucket: &str, now: DateTime<Utc>) -> Vec<String> {
    let rules = policy.rules.iter().map(|rule| &rule.select);
    let erasures = policy.erasures.iter().map(|erasure| &erasure.select);
    let holds = policy.holds.iter().filter(|hold| hold.in_force(now, policy.timezone));
    let selects = rules.chain(erasures).chain(holds.map(|hold| &hold.select));
    let here = selects
        .filter(|select| select.buckets.is_empty() || select.buckets.iter().any(|name| name.matches(bucket)));
    few(here.filter_map(start).collect())
}

/// What all keys start with that a select could cover; `None` if there can be none.
fn start(select: &Select) -> Option<String> {
    let prefix = select.prefix.clone().unwrap_or_default();
    let literal = select.key.as_ref().map(|key| key.start().0).unwrap_or_default();
    let (shorter, mut longer) =
        if prefix.len() < literal.len() { (prefix, literal) } else { (literal, prefix) };
    let fits = longer.starts_with(&shorter);
    longer.truncate(longer.floor_char_boundary(LONGEST_KEY));
    fits.then_some(longer)
}

/// In order, without what another start covers. Where there are too many, the deepest make way for the
/// directories that they lie in.
fn few(mut starts: Vec<String>) -> Vec<String> {
    loop {
        starts.sort_unstable();
        starts.dedup_by(|start, before| start.starts_with(before.as_str()));
        if starts.len() <= MOST {
            return starts;
        }
        let depth = |start: &str| above(start).matches('/').count();
        let deepest = starts.iter().map(|start| depth(start)).max();
        for start in starts.iter_mut().filter(|start| Some(depth(start)) == deepest) {
            start.truncate(above(start).len());
        }
    }
}

/// The directory that a start lies in.
fn above(start: &str) -> &str {
    let name = start.strip_suffix('/').unwrap_or(start);
    name.rfind('/').map_or("", |at| &name[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{SourceFile, read};

    fn of(text: &str) -> Vec<String> {
        let text = format!("version: 1\nname: acme\ntenant: [{{key: \"{{tenant}}/**\"}}]\n{text}");
        let policy = read(&[SourceFile { path: "a.yaml".to_owned(), bytes: text.into() }]).unwrap().policy;
        covered(&policy, "media", "2026-06-01T00:00:00Z".parse().unwrap())
    }

    fn rules(selects: &[&str]) -> String {
        let rule = |(number, select): (usize, &&str)| {
            format!("  - {{id: r{number}, select: {{{select}}}, trigger: uploaded, retain: 1 year}}\n")
        };
        format!("rules:\n{}", selects.iter().enumerate().map(rule).collect::<String>())
    }

    const HERE: &str = "buckets: [media]";

    #[test]
    fn the_starts_of_all_rules_are_covered_and_what_lies_below_another_is_not_told_apart() {
        let in_all = ["buckets: [media], prefix: mail/", "buckets: [\"m*\"], key: \"in/*/{tenant}/**\""];
        assert_eq!(of(&rules(&in_all)), ["in/", "mail/"]);
        let below =
            ["buckets: [media], prefix: mail/", "buckets: [media], prefix: mail/x/, except: [{prefix: a}]"];
        assert_eq!(of(&rules(&below)), ["mail/"]);
        let both = ["buckets: [media], prefix: in/, key: \"in/4711/*.jpg\"", "buckets: [other]"];
        assert_eq!(of(&rules(&both)), ["in/4711/"]);
        assert_eq!(of(&rules(&["buckets: [media], prefix: in/4711/, key: \"in/*/*.jpg\""])), ["in/4711/"]);
        assert_eq!(of(&rules(&["buckets: [media], prefix: in/, key: \"out/*\""])), [""; 0]);
        assert_eq!(of(&rules(&["buckets: [media], key: \"\\\\{a\\\\}/é*\""])), ["{a}/é"]);
    }

    #[test]
    fn a_rule_that_names_no_start_covers_all_keys() {
        for select in
            ["", ", key: \"**.jpg\"", ", key: \"{tenant}/**\"", ", media: [image/*]", ", tenants: [\"1\"]"]
        {
            let selects = [format!("{HERE}{select}"), format!("{HERE}, prefix: in/")];
            assert_eq!(of(&rules(&[&selects[0], &selects[1]])), [""], "{select}");
        }
    }

    #[test]
    fn erasures_and_holds_in_force_reach_beyond_the_rules() {
        let in_only = rules(&["buckets: [media], prefix: in/"]);
        let erasure = |select: &str| {
            format!(
                "{in_only}erasures:\n  - {{id: e, reason: asked, requested: 2026-05-01, select: {{{select}}}}}\n"
            )
        };
        assert_eq!(of(&erasure("prefix: out/4711/")), ["in/", "out/4711/"]);
        assert_eq!(of(&erasure("tenants: [\"4711\"]")), [""]);
        assert_eq!(of(&erasure("tenants: [\"4711\"], buckets: [other]")), ["in/"]);
        let hold = |released: &str| {
            format!(
                "{in_only}holds:\n  - {{id: h, reason: case, select: {{prefix: out/}}, released: {released}}}\n"
            )
        };
        assert_eq!(of(&hold("2026-06-01")), ["in/", "out/"]);
        assert_eq!(of(&hold("2026-05-31")), ["in/"]);
    }

    #[test]
    fn with_many_starts_the_deepest_make_way_for_what_they_lie_in() {
        let starts = |count: usize, of: &str| -> Vec<String> {
            let of = |number| of.replace('#', &format!("{number:04}"));
            (0..count).map(of).collect()
        };
        assert_eq!(few(starts(MOST, "in/#/")).len(), MOST);
        assert_eq!(few(starts(MOST + 1, "in/#/")), ["in/"]);
        let with_others = [starts(MOST, "a/b/#/c/"), starts(2, "mail/#")].concat();
        let fewer: Vec<String> = [starts(MOST, "a/b/#/"), starts(2, "mail/#")].concat();
        assert_eq!(few(fewer), ["a/b/", "mail/0000", "mail/0001"]);
        assert_eq!(few(with_others), ["a/b/", "mail/0000", "mail/0001"]);
        assert_eq!(few(starts(MOST + 1, "é#")), [""]);
        assert_eq!(few([starts(MOST + 1, "/#/"), starts(1, "//")].concat()), ["/"]);
    }

    #[test]
    fn no_start_is_longer_than_a_key_can_be() {
        let select = format!("buckets: [media], key: \"{}*\"", "é".repeat(600));
        assert_eq!(of(&rules(&[&select])), ["é".repeat(512)]);
    }
}
