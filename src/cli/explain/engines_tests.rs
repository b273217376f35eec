//! Who removes an object, and when, is told as it will be.

use chrono_tz::Tz;

use super::*;
use crate::decide::{Finding, NEVER, Outlook, Verdict};
use crate::lifecycle::{Claim, RuleEngine};
use crate::object::Reading;
use crate::policy::{Guards, Outside, Select, Source, Trigger};

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn object(kind: Kind) -> Observed<'static> {
    Observed {
        bucket: "media",
        key: "a",
        kind,
        version_id: Some("v1"),
        upload_id: None,
        is_latest: true,
        uploaded: at("2026-01-01"),
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: 1,
        etag: None,
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Unread,
        lock: Reading::Unread,
    }
}

const TERMS: LifecycleTerms =
    LifecycleTerms { expire_days: 30, lateness_days: 9, noncurrent_days: Some(7), abort_days: Some(5) };

fn compiled(engine: Engine) -> Compiled {
    let claims = match &engine {
        Engine::Lifecycle(terms) => vec![Claim::everything(0, *terms)],
        _ => Vec::new(),
    };
    Compiled { claims, engines: vec![RuleEngine { rule: 0, engine }], ..Compiled::default() }
}

fn says(object: &Observed<'_>, terms: LifecycleTerms) -> String {
    under_lifecycle(object, 0, &compiled(Engine::Lifecycle(terms)))
}

#[test]
fn a_noncurrent_version_is_counted_from_its_successor() {
    let old = Observed { superseded: Some(at("2026-03-01")), ..object(Kind::Version) };
    let text = says(&old, TERMS);
    assert!(text.contains("7 days from the creation of the next newer version"), "{text}");
    assert!(text.contains("eligible from 2026-03-09"), "{text}");
}

#[test]
fn an_incomplete_upload_is_counted_from_its_initiation_or_not_s3s_at_all() {
    let text = says(&object(Kind::Upload), TERMS);
    assert!(text.contains("5 days from the initiation: eligible from 2026-01-07"), "{text}");
    let text = says(&object(Kind::Upload), LifecycleTerms { abort_days: None, ..TERMS });
    assert!(text.contains("not S3's") && !text.contains("2026"), "{text}");
}

#[test]
fn of_a_delete_marker_no_date_is_claimed() {
    let lone = Observed { alone: true, ..object(Kind::Marker) };
    let text = says(&lone, TERMS);
    assert!(text.contains("all that is left of its key") && !text.contains("2026"), "{text}");
    let text = says(&object(Kind::Marker), TERMS);
    assert!(text.contains("once the versions below are gone") && !text.contains("2026"), "{text}");
}

#[test]
fn a_current_version_gets_a_marker_first_and_goes_later() {
    let text = says(&object(Kind::Version), TERMS);
    assert!(text.contains("only puts a delete marker on top: eligible from 2026-02-01"), "{text}");
    assert!(text.contains("the version itself goes 7 days after that"), "{text}");
    let plain = LifecycleTerms { noncurrent_days: None, ..TERMS };
    let text = says(&object(Kind::Object), plain);
    assert!(text.contains("30 days from the upload") && !text.contains("marker"), "{text}");
}

#[test]
fn one_day_is_not_days() {
    let one = LifecycleTerms { expire_days: 1, lateness_days: 1, noncurrent_days: Some(1), ..TERMS };
    let text = says(&object(Kind::Version), one);
    assert!(text.starts_with("S3 counts 1 day from the upload"), "{text}");
    assert!(text.ends_with("goes 1 day after that, at most 1 day late"), "{text}");
    let text = says(&object(Kind::Object), LifecycleTerms { noncurrent_days: None, ..one });
    assert!(text.starts_with("S3 counts 1 day from the upload"), "{text}");
    assert!(text.ends_with("at most 1 day late"), "{text}");
}

#[test]
fn a_marker_on_top_of_versions_goes_once_they_are_gone() {
    let finding = RuleFinding {
        outlook: Outlook::certain(NEVER, Finding::NotHappened),
        period: Period::default(),
        clock: Clock::HidesVersions,
        obscured: None,
        might_apply: Vec::new(),
        laws: Vec::new(),
    };
    let direct =
        |facts: &BucketFacts, enforce| under_direct(&object(Kind::Marker), facts, &rule(enforce), &finding);
    let text = direct(&facts(), Enforce::Direct);
    assert_eq!(text, "Shelflife could remove it once the versions below are gone");
    assert!(direct(&facts(), Enforce::Observe).contains("never touched"));
    let mfa = BucketFacts { mfa_delete: true, ..facts() };
    assert!(direct(&mfa, Enforce::Direct).contains("MFA delete"));
}

fn facts() -> BucketFacts {
    BucketFacts {
        name: "media".to_owned(),
        versioning: Versioning::Enabled,
        mfa_delete: false,
        object_lock: false,
    }
}

fn rule(enforce: Enforce) -> Rule {
    Rule {
        id: "media".to_owned(),
        data: None,
        select: Select::default(),
        trigger: Trigger {
            name: None,
            format: None,
            source: Source::Uploaded,
            within: None,
            outside: Outside::default(),
            if_missing: None,
        },
        retain: Period::days(30),
        enforce,
        noncurrent: None,
        incomplete_uploads: None,
        transitions: Vec::new(),
        export: None,
        undo_window: None,
        evidence_per_object: false,
        guards: Guards::default(),
    }
}

/// What is said of an object that is due on 31 January under the first `covering` of two rules.
fn removal(
    object: &Observed<'_>,
    facts: &BucketFacts,
    engine: Engine,
    enforce: [Enforce; 2],
    covering: usize,
    now: &str,
) -> String {
    let policy = Policy {
        name: "acme".to_owned(),
        timezone: Tz::UTC,
        account: None,
        tenant: Vec::new(),
        tables: Vec::new(),
        rules: enforce.map(rule).into(),
        overrides: Vec::new(),
        holds: Vec::new(),
        guards: Guards::default(),
        tolerance_days: 3,
        evidence_retain: None,
        digest: String::new(),
        erasures: Vec::new(),
        holds_digest: String::new(),
    };
    let decision = Decision {
        verdict: Verdict::Expired,
        due: Some(at("2026-01-31")),
        rules: (0..covering).collect(),
        tenant: None,
        trigger: None,
        erasure: None,
        reasons: Vec::new(),
    };
    let disposal = disposal(&policy, facts, &compiled(engine), object, &decision, at(now)).unwrap();
    describe_disposal(&policy, facts, object, decision.due, disposal)
}

#[test]
fn a_sweep_is_announced_only_where_s3_removes_it() {
    use Enforce::{Auto, Observe};
    let version = object(Kind::Version);
    let said = |object, terms, enforce, covering, now| {
        removal(object, &facts(), Engine::Lifecycle(terms), enforce, covering, now)
    };
    let left = said(&version, TERMS, [Auto, Auto], 1, "2026-02-01");
    assert_eq!(left, "left to S3; what S3 should have removed is swept after 2026-02-03");
    let overdue = said(&version, TERMS, [Auto, Auto], 1, "2026-02-20");
    assert!(overdue.contains("swept after 2026-02-03: Shelflife removes it with the next run"));
    let beside_observed = said(&version, TERMS, [Auto, Observe], 2, "2026-02-01");
    assert!(beside_observed.starts_with("left to S3"), "{beside_observed}");

    let by_us = "Shelflife removes it with the next run";
    // What S3 is given bears every rule that could cover it.
    assert!(said(&version, TERMS, [Auto, Auto], 2, "2026-02-01").starts_with("left to S3"));
    let no_abort = LifecycleTerms { abort_days: None, ..TERMS };
    assert_eq!(said(&object(Kind::Upload), no_abort, [Auto, Auto], 1, "2026-02-01"), by_us);
}

#[test]
fn what_nobody_removes_is_said_to_stay() {
    let said = |object: &Observed<'_>, facts: &BucketFacts, enforce| {
        removal(object, facts, Engine::Direct(Vec::new()), [enforce; 2], 1, "2026-02-01")
    };
    let version = object(Kind::Version);
    assert!(said(&version, &facts(), Enforce::Observe).contains("only observed"));
    let mfa = BucketFacts { mfa_delete: true, ..facts() };
    assert!(said(&version, &mfa, Enforce::Direct).contains("it stays: the bucket has MFA delete"));
    let suspended = BucketFacts { versioning: Versioning::Suspended, ..facts() };
    let null = Observed { version_id: Some("null"), alone: true, ..object(Kind::Marker) };
    assert!(said(&null, &suspended, Enforce::Direct).contains("it stays: a null marker"));
    let old = Observed { version_id: Some("null"), is_latest: false, ..object(Kind::Version) };
    assert!(said(&old, &suspended, Enforce::Direct).contains("it stays: a null version"));
    assert!(said(&version, &suspended, Enforce::Direct).contains("no older version of its key stays"));
}
