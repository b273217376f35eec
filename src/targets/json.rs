//! The JSON that `aws s3api put-bucket-lifecycle-configuration --lifecycle-configuration` takes.

use serde::Serialize;

use super::model::{BucketRules, Condition, conditions, date};
use crate::lifecycle::{RuleView, When};
use crate::text;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration<'a> {
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule<'a> {
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    filter: Filter<'a>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Expiration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transitions: Vec<Transition<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_version_expiration: Option<Noncurrent<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    noncurrent_version_transitions: Vec<Noncurrent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abort_incomplete_multipart_upload: Option<Abort>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<Tag<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_greater_than: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_less_than: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    and: Option<Box<Filter<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Expiration {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_object_delete_marker: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transition<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    storage_class: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Noncurrent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_noncurrent_versions: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Abort {
    days_after_initiation: i64,
}

/// The configuration of one bucket; `None` if S3 has no part in it.
pub fn configuration(bucket: &BucketRules) -> Option<String> {
    let rules: Vec<_> = bucket.rules.iter().map(rule).collect();
    (!rules.is_empty()).then(|| pretty(&Configuration { rules }))
}

/// JSON as formatters write it: two spaces, and nothing that drives a terminal.
pub(super) fn pretty(value: &impl Serialize) -> String {
    // Serialising structs of text and numbers into memory cannot fail.
    let written = serde_json::to_string_pretty(value).unwrap_or_default();
    let lines: Vec<_> = written.split('\n').map(text::json).collect();
    format!("{}\n", lines.join("\n"))
}

fn rule(view: &RuleView) -> Rule<'_> {
    let newer = |newer: i64| (newer > 0).then_some(newer);
    Rule {
        id: view.id.as_deref(),
        filter: filter(view),
        status: view.status.to_string(),
        expiration: view.expiration.as_ref().map(|it| Expiration {
            date: it.date.map(date),
            days: it.days,
            expired_object_delete_marker: it.markers.then_some(true),
        }),
        transitions: view
            .transitions
            .iter()
            .map(|it| Transition { date: on(it.when), days: after(it.when), storage_class: &it.class })
            .collect(),
        noncurrent_version_expiration: view.noncurrent.as_ref().map(|it| Noncurrent {
            noncurrent_days: it.days,
            newer_noncurrent_versions: newer(it.newer),
            storage_class: None,
        }),
        noncurrent_version_transitions: view
            .noncurrent_transitions
            .iter()
            .map(|it| Noncurrent {
                noncurrent_days: it.days,
                newer_noncurrent_versions: newer(it.newer),
                storage_class: Some(&it.class),
            })
            .collect(),
        abort_incomplete_multipart_upload: view.abort_days.map(|days| Abort { days_after_initiation: days }),
    }
}

/// The days of a transition.
pub(super) fn after(when: Option<When>) -> Option<i64> {
    match when {
        Some(When::Days(days)) => Some(days),
        Some(When::Date(_)) | None => None,
    }
}

/// The date of a transition.
pub(super) fn on(when: Option<When>) -> Option<String> {
    match when {
        Some(When::Date(at)) => Some(date(at)),
        Some(When::Days(_)) | None => None,
    }
}

fn filter(view: &RuleView) -> Filter<'_> {
    let conditions = conditions(view);
    let (is_one, is_none) = (conditions.len() == 1, conditions.is_empty());
    let mut filter = Filter::default();
    for condition in conditions {
        match condition {
            Condition::Prefix(prefix) => filter.prefix = Some(prefix),
            Condition::Tag(key, value) if is_one => filter.tag = Some(Tag { key, value }),
            Condition::Tag(key, value) => filter.tags.push(Tag { key, value }),
            Condition::Over(bytes) => filter.object_size_greater_than = Some(bytes),
            Condition::Under(bytes) => filter.object_size_less_than = Some(bytes),
        }
    }
    if is_one {
        filter
    } else if is_none {
        Filter { prefix: Some(""), ..Filter::default() }
    } else {
        Filter { and: Some(Box::new(filter)), ..Filter::default() }
    }
}
