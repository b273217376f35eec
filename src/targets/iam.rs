//! The least IAM policy with which a command works, from what it sends.
//!
//! Which request asks for which permission is AWS's to say (Service Authorization Reference, Amazon
//! S3); the sandbox keeps that list on its own, and the tests hold this one to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::json::pretty;
use super::needs::Needs;
use crate::object::Versioning;
use crate::policy::{Enforce, Erasure, Policy, RecordPlace, Rule, Select};

/// What the holder of the permissions is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// `plan`, and all else that only looks.
    Plan,
    /// `apply` and `reconcile`.
    Apply,
    /// To compare with what S3 itself says of each object.
    Audit,
}

/// Which of the engines it is to work for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engines {
    /// It writes lifecycle configurations, and removes nothing.
    Lifecycle,
    /// It removes what is due, and writes no lifecycle configuration.
    Direct,
    /// Both.
    Both,
}

/// A bucket, or a pattern of buckets, that the permissions are for.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name or pattern.
    pub name: String,
    /// Whether it keeps versions, and whether it has Object Lock, as far as that is known.
    pub facts: Option<(Versioning, bool)>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// To do what.
    pub duty: Duty,
    /// With which engines.
    pub engines: Engines,
    /// The partition of AWS, `aws` for most.
    pub partition: &'a str,
    /// Where.
    pub places: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'static str, BTreeMap<&'static str, String>>>,
}

/// What is to be allowed at a place.
type Actions = fn(&Asked<'_>, &Place) -> Vec<&'static str>;

/// Whether a pattern means more in a resource than as a bucket pattern: there `*` and `?` take `/`
/// too, so that `*-media/*` takes the key `a-media/b` of any bucket.
pub fn too_wide(pattern: &str) -> bool {
    pattern.trim_end_matches('*').contains(['*', '?'])
}

/// The policy.
pub fn policy(asked: &Asked<'_>) -> String {
    let mut statements = Vec::new();
    let patterns = asked.policy.rules.iter().flat_map(|rule| &rule.select.buckets);
    if patterns.clone().any(|pattern| !pattern.is_exact()) {
        // The account has no owner to compare with.
        statements.push(Statement {
            condition: None,
            ..statement(asked, "ListBuckets", vec!["s3:ListAllMyBuckets"], vec!["*".to_owned()])
        });
    }
    let kinds: [(&str, &str, Actions); 4] = [
        ("LookAtBuckets", "", look_at_bucket),
        ("LookAtObjects", "/*", look_at_objects),
        ("WriteLifecycle", "", write_lifecycle),
        ("RemoveObjects", "/*", remove_objects),
    ];
    for (sid, below, actions) in kinds {
        let mut groups: Vec<(Vec<&'static str>, Vec<String>)> = Vec::new();
        for place in &asked.places {
            let actions = actions(asked, place);
            let resource = format!("arn:{}:s3:::{}{below}", asked.partition, place.name);
            match groups.iter_mut().find(|(same, _)| *same == actions) {
                Some((_, resources)) => resources.push(resource),
                None => groups.push((actions, vec![resource])),
            }
        }
        groups.retain(|(actions, _)| !actions.is_empty());
        for (place, (actions, resources)) in groups.into_iter().enumerate() {
            let sid = if place == 0 { sid.to_owned() } else { format!("{sid}{}", place + 1) };
            statements.push(statement(asked, &sid, actions, resources));
        }
    }
    let places: BTreeSet<(&str, &str)> = asked
        .policy
        .rules
        .iter()
        .filter(|_| asked.duty == Duty::Apply && asked.engines != Engines::Lifecycle)
        .filter_map(|rule| rule.export.as_ref().map(|to| (to.bucket.as_str(), to.prefix.as_str())))
        .collect();
    if !places.is_empty() {
        let arn = |name: &str| format!("arn:{}:s3:::{name}", asked.partition);
        let buckets: BTreeSet<String> = places.iter().map(|(bucket, _)| arn(bucket)).collect();
        let copies = places.iter().map(|(bucket, prefix)| format!("{}/{}*", arn(bucket), literal(prefix)));
        let copies = copies.collect();
        statements.push(statement(
            asked,
            "OpenExportBuckets",
            vec!["s3:ListBucket"],
            buckets.into_iter().collect(),
        ));
        // What was copied is looked at before the original goes, and read where the store does not say enough.
        let actions = vec![
            "s3:PutObject",
            "s3:PutObjectTagging",
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:AbortMultipartUpload",
        ];
        statements.push(statement(asked, "MakeCopies", actions, copies));
    }
    let tables = asked.policy.tables.iter().map(|table| &table.place);
    let records: Vec<(&String, &String)> = tables
        .chain(&asked.policy.guards.stop_file)
        .filter_map(|place| match place {
            RecordPlace::Store { bucket, key } => Some((bucket, key)),
            RecordPlace::Folder(_) => None,
        })
        .collect();
    if !records.is_empty() {
        let arn = |name: &str| format!("arn:{}:s3:::{name}", asked.partition);
        let mut buckets: Vec<String> = records.iter().map(|(bucket, _)| arn(bucket)).collect();
        buckets.sort();
        buckets.dedup();
        let files = records.iter().map(|(bucket, key)| format!("{}/{}", arn(bucket), literal(key))).collect();
        statements.push(statement(asked, "OpenRecordBuckets", vec!["s3:ListBucket"], buckets));
        statements.push(statement(asked, "ReadRecordFiles", vec!["s3:GetObject"], files));
    }
    pretty(&Document { version: "2012-10-17", statement: statements })
}

fn statement(asked: &Asked<'_>, sid: &str, action: Vec<&'static str>, resource: Vec<String>) -> Statement {
    let owner = asked.policy.account.as_ref().map(|account| {
        BTreeMap::from([("StringEquals", BTreeMap::from([("aws:ResourceAccount", account.clone())]))])
    });
    Statement { sid: sid.to_owned(), effect: "Allow", action, resource, condition: owner }
}

/// A key in a resource, where `*`, `?` and `${` mean more than themselves.
fn literal(key: &str) -> String {
    key.chars()
        .map(|c| if matches!(c, '*' | '?' | '$') { format!("${{{c}}}") } else { c.to_string() })
        .collect()
}

fn is_pattern(place: &Place) -> bool {
    place.name.contains(['*', '?'])
}

fn may_keep_versions(place: &Place) -> bool {
    !matches!(place.facts, Some((Versioning::Never, _)))
}

/// Whether a select that names buckets may mean the place.
fn names(select: &Select, place: &Place) -> bool {
    select.buckets.iter().any(|pattern| is_pattern(place) || pattern.matches(&place.name))
}

/// Whether Shelflife itself may remove something. Where all rules observe, what none of them covers
/// goes all the same on a request to erase that names the bucket.
fn removes(asked: &Asked<'_>, place: &Place) -> bool {
    let acts = |rule: &Rule| rule.enforce != Enforce::Observe && names(&rule.select, place);
    let erases = |erasure: &Erasure| names(&erasure.select, place);
    let Policy { rules, erasures, .. } = asked.policy;
    let any = rules.iter().any(acts) || erasures.iter().any(erases);
    asked.duty == Duty::Apply && asked.engines != Engines::Lifecycle && any
}

/// Whether something may be copied from there before it is removed.
fn exports(asked: &Asked<'_>, place: &Place) -> bool {
    let copies = |rule: &Rule| rule.export.is_some() && names(&rule.select, place);
    removes(asked, place) && asked.policy.rules.iter().any(copies)
}

fn look_at_bucket(asked: &Asked<'_>, place: &Place) -> Vec<&'static str> {
    let mut actions = vec![
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetLifecycleConfiguration",
    ];
    let named = asked.policy.rules.iter().flat_map(|rule| &rule.select.buckets);
    if !named.clone().any(|pattern| pattern.is_exact() && pattern.as_str() == place.name) {
        actions.push("s3:GetBucketTagging");
    }
    actions
}

fn look_at_objects(asked: &Asked<'_>, place: &Place) -> Vec<&'static str> {
    let needs =
        if is_pattern(place) { Needs::anywhere(asked.policy) } else { Needs::of(asked.policy, &place.name) };
    let exports = exports(asked, place);
    let audits = asked.duty == Duty::Audit;
    let head = needs.head || exports;
    // Rules of others may go by tags though the policy does not, and come at any time.
    let tags = needs.tags || exports || audits;
    let versions = may_keep_versions(place);
    let objects = !matches!(place.facts, Some((Versioning::Enabled | Versioning::Suspended, _)));
    let locks = place.facts.map_or(versions, |(_, locks)| locks);
    [
        // S3 has no smaller permission for reading metadata, and asks for it where an ETag is the
        // condition of a deletion. An audit asks without a version id, even where versions are kept.
        (head && objects || audits || removes(asked, place), "s3:GetObject"),
        (head && versions, "s3:GetObjectVersion"),
        (tags && objects, "s3:GetObjectTagging"),
        (tags && versions, "s3:GetObjectVersionTagging"),
        (locks, "s3:GetObjectRetention"),
        (locks, "s3:GetObjectLegalHold"),
    ]
    .into_iter()
    .filter_map(|(is_needed, action)| is_needed.then_some(action))
    .collect()
}

/// Where no rule is S3's to keep, one that was may have to be taken away.
fn write_lifecycle(asked: &Asked<'_>, _: &Place) -> Vec<&'static str> {
    let writes = asked.duty == Duty::Apply && asked.engines != Engines::Direct;
    if writes { vec!["s3:PutLifecycleConfiguration"] } else { Vec::new() }
}

fn remove_objects(asked: &Asked<'_>, place: &Place) -> Vec<&'static str> {
    if !removes(asked, place) {
        return Vec::new();
    }
    let mut actions = vec!["s3:DeleteObject"];
    if may_keep_versions(place) {
        actions.push("s3:DeleteObjectVersion");
    }
    actions.push("s3:AbortMultipartUpload");
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_could_take_keys_of_other_buckets_is_known() {
        for wide in ["*-media", "acme-*-media", "acme-?", "?", "*?"] {
            assert!(too_wide(wide), "{wide}");
        }
        for exact in ["acme-media", "acme-*", "*", "acme-**"] {
            assert!(!too_wide(exact), "{exact}");
        }
    }

    #[test]
    fn a_key_in_a_resource_stands_for_itself() {
        assert_eq!(literal("a*b?${c}$é"), "a${*}b${?}${$}{c}${$}é");
    }
}
