//! Files that the policy itself makes or needs, and rules that would delete them: the copies of
//! an export, and record files in a store.

use super::placed::PlacedRule;
use crate::policy::codes::Code;
use crate::policy::decode::RawRule;
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::model::{Enforce, Policy, RecordPlace, Select, Table};

/// Above this many rules, the others are not looked at: the pairs would be millions.
const MOST_RULES: usize = 500;

/// What the keys of the files have in common.
#[derive(Clone, Copy)]
enum Keys<'p> {
    Under(&'p str),
    Exactly(&'p str),
}

/// Refuses a rule that would delete the copies that it makes.
pub(super) fn not_of_the_same_rule(raw: &RawRule, faults: &mut Faults) {
    let (Some(export), Some(select)) = (&raw.export, &raw.select) else { return };
    if reaches(&select.select, &export.value.bucket, Keys::Under(&export.value.prefix)) {
        faults
            .add(Code::ExportsIntoItself, export.at, "the rule would delete its own copies")
            .see(select.at, "selected here")
            .help("export to another bucket or prefix, or leave the copies out with `except: [{prefix: …}]`");
    }
}

/// Warns of rules that can delete what another one exports, a record file, or the stop file.
pub(super) fn of_other_rules(
    rules: &[PlacedRule],
    tables: &[Table],
    table_names: &[&Spanned<String>],
    stop_file: Option<(&RecordPlace, At)>,
    warnings: &mut Faults,
) {
    let rules = rules.get(..MOST_RULES).unwrap_or(rules);
    let deleting = || rules.iter().filter(|placed| placed.rule.enforce != Enforce::Observe);
    let mut warn = |rule: &PlacedRule, at: At, what: &str, label: &str| {
        warnings
            .add(Code::ReachesOwnFiles, rule.select_at, format!("`{}` can delete {what}", rule.rule.id))
            .see(at, label)
            .help("if this is not meant, select more narrowly, or use a bucket that no rule selects");
    };
    for placed in rules {
        let Some((export, at)) = placed.rule.export.as_ref().zip(placed.export_at) else { continue };
        let others = deleting().filter(|other| other.rule.id != placed.rule.id);
        for other in
            others.filter(|other| reaches(&other.rule.select, &export.bucket, Keys::Under(&export.prefix)))
        {
            warn(other, at, &format!("the copies that `{}` exports", placed.rule.id), "exported to here");
        }
    }
    for table in tables {
        let RecordPlace::Store { bucket, key } = &table.place else { continue };
        let Some(name) = table_names.iter().find(|name| name.value == table.name) else { continue };
        for rule in deleting().filter(|placed| reaches(&placed.rule.select, bucket, Keys::Exactly(key))) {
            warn(rule, name.at, &format!("the record file `{}`", table.name), "the record file");
        }
    }
    if let Some((RecordPlace::Store { bucket, key }, at)) = stop_file {
        for rule in deleting().filter(|placed| reaches(&placed.rule.select, bucket, Keys::Exactly(key))) {
            warn(rule, at, "the stop file", "named here");
        }
    }
}

/// What can delete keys that start with `prefix`, as far as bucket, key and exceptions tell: the
/// rule, or the erasure, in words.
pub fn deletes_under(policy: &Policy, bucket: &str, prefix: &str) -> Option<String> {
    let is_enrolled = |rule: &&crate::policy::model::Rule| {
        rule.select.buckets.iter().any(|pattern| pattern.matches(bucket))
    };
    policy.rules.iter().find(is_enrolled)?;
    let mut rules = policy.rules.iter().filter(|rule| rule.enforce != Enforce::Observe);
    let rule = rules.find(|rule| reaches(&rule.select, bucket, Keys::Under(prefix)));
    let everywhere = |select: &Select| {
        let prefix_of = select.prefix.as_deref().unwrap_or_default();
        select.buckets.is_empty() && (prefix_of.starts_with(prefix) || prefix.starts_with(prefix_of))
    };
    let erasure = || {
        let mut erasures = policy.erasures.iter();
        erasures.find(|erasure| {
            everywhere(&erasure.select) || reaches(&erasure.select, bucket, Keys::Under(prefix))
        })
    };
    rule.map(|rule| format!("the rule `{}`", rule.id))
        .or_else(|| erasure().map(|erasure| format!("the erasure `{}`", erasure.id)))
}

/// Whether a select can cover such a file, as far as bucket, key and exceptions tell.
fn reaches(select: &Select, bucket: &str, keys: Keys<'_>) -> bool {
    let prefix = select.prefix.as_deref().unwrap_or_default();
    let by_key = match keys {
        Keys::Under(place) => prefix.starts_with(place) || place.starts_with(prefix),
        Keys::Exactly(key) => {
            let media =
                select.media.as_ref().is_none_or(|media| media.iter().any(|media| media.has_key(key)));
            key.starts_with(prefix) && select.key.as_ref().is_none_or(|pattern| pattern.matches(key)) && media
        }
    };
    by_key
        && select.buckets.iter().any(|pattern| pattern.matches(bucket))
        && !select.except.iter().any(|exception| leaves_out(exception, bucket, keys))
}

/// Whether an exception is sure to cover all such files.
fn leaves_out(exception: &Select, bucket: &str, keys: Keys<'_>) -> bool {
    let Select { buckets, prefix, key, media, content_type, tags, metadata, size, tenants, except: _ } =
        exception;
    let looks_inside = media.is_some()
        || content_type.is_some()
        || !tags.is_empty()
        || !metadata.is_empty()
        || size.is_some()
        || tenants.is_some();
    let prefix = prefix.as_deref().unwrap_or_default();
    let by_key = match keys {
        Keys::Under(place) => place.starts_with(prefix) && key.is_none(),
        Keys::Exactly(name) => {
            name.starts_with(prefix) && key.as_ref().is_none_or(|pattern| pattern.matches(name))
        }
    };
    !looks_inside && by_key && (buckets.is_empty() || buckets.iter().any(|pattern| pattern.matches(bucket)))
}
