//! The lifecycle engine from outside: what is given to S3, what is written, and what S3 then does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod compiling;
mod documents;
mod merging;
mod promise;
mod splitting;
mod validating;
mod wild;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shelflife::calendar::Period;
use shelflife::lifecycle::{Compiled, LifecycleDocument, Surroundings, compile};
use shelflife::object::{BucketFacts, Versioning};
use shelflife::pattern::BucketPattern;
use shelflife::policy::{
    Attribute, Enforce, Guards, IfMissing, Noncurrent, Outside, Policy, Rule, Select, Source, Trigger, Within,
};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// An instant from RFC 3339.
fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn bucket(versioning: Versioning) -> BucketFacts {
    BucketFacts { name: "eu-ott-media".to_owned(), versioning, mfa_delete: false, object_lock: false }
}

fn policy(timezone: Tz, rules: Vec<Rule>) -> Policy {
    Policy {
        name: "acme".to_owned(),
        timezone,
        account: None,
        tenant: vec![Attribute::Metadata("customer".to_owned())],
        tables: Vec::new(),
        rules,
        overrides: Vec::new(),
        holds: Vec::new(),
        guards: Guards::default(),
        tolerance_days: 3,
        evidence_retain: None,
        digest: String::new(),
        erasures: Vec::new(),
        holds_digest: String::new(),
    }
}

fn select(prefix: &str) -> Select {
    let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
    Select { buckets: vec![BucketPattern::parse("*-ott-media").unwrap()], prefix, ..Select::default() }
}

/// Thirty days from the upload, given to S3 where that can be proved.
fn rule(id: &str, prefix: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        data: None,
        select: select(prefix),
        trigger: uploaded(),
        retain: Period::days(30),
        enforce: Enforce::Auto,
        noncurrent: None,
        incomplete_uploads: None,
        transitions: Vec::new(),
        export: None,
        undo_window: None,
        evidence_per_object: false,
        guards: Guards::default(),
    }
}

fn uploaded() -> Trigger {
    Trigger {
        name: None,
        format: None,
        source: Source::Uploaded,
        within: None,
        outside: Outside::Undecided,
        if_missing: None,
    }
}

/// A date in the metadata, near the upload whatever it says.
fn communicated(before: u64, after: u64) -> Trigger {
    Trigger {
        name: Some("communication-date".to_owned()),
        format: None,
        source: Source::Attribute(Attribute::Metadata("communication-date".to_owned())),
        within: Some(Within { before: Some(before), after: Some(after) }),
        outside: Outside::Clamp,
        if_missing: Some(IfMissing::Uploaded),
    }
}

const NONCURRENT: Noncurrent = Noncurrent { retain: Period::days(1), newer_versions: 0 };

const NOW: &str = "2026-06-01T12:00:00Z";

fn compiled(policy: &Policy) -> Compiled {
    compile(policy, &bucket(Versioning::Never), &Surroundings::default(), at(NOW))
}

/// A configuration of S3's from the inside of its root.
fn document(rules: &str) -> LifecycleDocument {
    let xml = format!(
        r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{rules}</LifecycleConfiguration>"#
    );
    LifecycleDocument::read(&xml).unwrap()
}
