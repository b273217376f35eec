//! CloudFormation: the lifecycle configuration as a property of each bucket, in JSON.
//!
//! CloudFormation has no resource for a lifecycle configuration alone. Nothing in it is an intrinsic
//! function, and what the policy says never becomes a key, so that nothing can turn into one.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::json::{after, on, pretty};
use super::model::{BucketRules, Origin, TargetError, date, texts};
use crate::lifecycle::RuleView;
use crate::object::Versioning;
use crate::text;

/// What starts a dynamic reference, which is resolved wherever it stands in a property.
const DYNAMIC: &str = "{{resolve:";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Template<'a> {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    description: String,
    metadata: Provenance<'a>,
    resources: BTreeMap<String, Resource<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Provenance<'a> {
    shelflife: Made<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made<'a> {
    version: &'static str,
    policy: &'a str,
    digest: &'a str,
    holds_digest: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    deletion_policy: &'static str,
    update_replace_policy: &'static str,
    metadata: Remarks,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Remarks {
    shelflife: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Properties<'a> {
    bucket_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    versioning_configuration: Option<VersioningConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_configuration: Option<Configuration<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersioningConfiguration {
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration<'a> {
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    status: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    prefix: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tag_filters: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_greater_than: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_less_than: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_in_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_object_delete_marker: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transitions: Vec<Transition<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_version_expiration: Option<Noncurrent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    noncurrent_version_transitions: Vec<Transition<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abort_incomplete_multipart_upload: Option<Abort>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transition<'a> {
    storage_class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition_in_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_noncurrent_versions: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Noncurrent {
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_noncurrent_versions: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Abort {
    days_after_initiation: i64,
}

/// All buckets, each kept when the stack goes. A bucket in which S3 has no part has no configuration.
///
/// # Errors
/// [`TargetError::DynamicReference`].
pub fn template(origin: &Origin, buckets: &[BucketRules]) -> Result<String, TargetError> {
    let mut texts = buckets.iter().flat_map(|bucket| &bucket.rules).flat_map(texts);
    if let Some(text) = texts.find(|text| text.contains(DYNAMIC)) {
        return Err(TargetError::DynamicReference(text.clone()));
    }
    Ok(pretty(&Template {
        version: "2010-09-09",
        description: origin.line(),
        metadata: Provenance {
            shelflife: Made {
                version: env!("CARGO_PKG_VERSION"),
                policy: &origin.policy,
                digest: &origin.digest,
                holds_digest: &origin.holds_digest,
            },
        },
        resources: buckets.iter().map(|bucket| (logical_id(&bucket.bucket), resource(bucket))).collect(),
    }))
}

fn resource(bucket: &BucketRules) -> Resource<'_> {
    let rules: Vec<Rule<'_>> = bucket.rules.iter().map(rule).collect();
    Resource {
        kind: "AWS::S3::Bucket",
        deletion_policy: "Retain",
        update_replace_policy: "Retain",
        metadata: Remarks { shelflife: bucket.remarks() },
        properties: Properties {
            bucket_name: &bucket.bucket,
            versioning_configuration: match bucket.versioning {
                Versioning::Never => None,
                Versioning::Enabled => Some(VersioningConfiguration { status: "Enabled" }),
                Versioning::Suspended => Some(VersioningConfiguration { status: "Suspended" }),
            },
            lifecycle_configuration: (!rules.is_empty()).then_some(Configuration { rules }),
        },
    }
}

/// A name of letters and digits for the bucket, which no other bucket has and which stays the same
/// whatever other buckets there are.
fn logical_id(bucket: &str) -> String {
    let parts = || bucket.split('-');
    let is_word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let mut id = String::new();
    for part in bucket.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = part.chars();
        id.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        id.extend(letters);
    }
    if parts().all(is_word) { id } else { format!("{id}{}", &text::hex(&Sha256::digest(bucket))[..8]) }
}

fn rule(view: &RuleView) -> Rule<'_> {
    let newer = |newer: i64| (newer > 0).then_some(newer);
    let expiration = view.expiration.as_ref();
    Rule {
        id: view.id.as_deref(),
        status: view.status.to_string(),
        prefix: &view.filter.prefix,
        tag_filters: view.filter.tags.iter().map(|(key, value)| Tag { key, value }).collect(),
        object_size_greater_than: view.filter.size_over.map(|bytes| bytes.to_string()),
        object_size_less_than: view.filter.size_under.map(|bytes| bytes.to_string()),
        expiration_in_days: expiration.and_then(|it| it.days),
        expiration_date: expiration.and_then(|it| it.date).map(date),
        expired_object_delete_marker: expiration.filter(|it| it.markers).map(|_| true),
        transitions: view
            .transitions
            .iter()
            .map(|it| Transition {
                storage_class: &it.class,
                transition_in_days: after(it.when),
                transition_date: on(it.when),
                newer_noncurrent_versions: None,
            })
            .collect(),
        noncurrent_version_expiration: view
            .noncurrent
            .as_ref()
            .map(|it| Noncurrent { noncurrent_days: it.days, newer_noncurrent_versions: newer(it.newer) }),
        noncurrent_version_transitions: view
            .noncurrent_transitions
            .iter()
            .map(|it| Transition {
                storage_class: &it.class,
                transition_in_days: it.days,
                transition_date: None,
                newer_noncurrent_versions: newer(it.newer),
            })
            .collect(),
        abort_incomplete_multipart_upload: view.abort_days.map(|days| Abort { days_after_initiation: days }),
    }
}

#[cfg(test)]
mod tests {
    use super::logical_id;

    #[test]
    fn no_two_buckets_have_one_logical_id() {
        assert_eq!(logical_id("acme-ott-media"), "AcmeOttMedia");
        assert_ne!(logical_id("a-bc"), logical_id("ab-c"));
        for (one, other) in [("a1", "a-1"), ("a.b", "a-b"), ("aB", "a-b"), ("a_b", "a.b")] {
            assert_ne!(logical_id(one), logical_id(other));
        }
    }
}
