//! What a decision says and why, one case at a time.

mod erasures;
mod selects;
mod triggers;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::*;
use crate::calendar::{Moment, MomentError, Period};
use crate::object::{Attributes, Kind, Lock, Observed, Reading, Unreadable};
use crate::pattern::{BucketPattern, KeyPattern};
use crate::policy::{
    Attribute, By, Enforce, ExportPlace, Guards, Hold, IfMissing, Noncurrent, Outside, Override, Policy,
    Rule, Select, Source, Table, Term, Trigger, Within,
};
use crate::records::{NoValue, RecordTable, Records, Row, Unusable};

const DAY: u64 = 86_400;
const HEAD: Step = Step::Needs(Needs { head: true, tags: false, lock: false });
const TAGS: Step = Step::Needs(Needs { head: false, tags: true, lock: false });
const LOCK: Step = Step::Needs(Needs { head: false, tags: false, lock: true });

fn at(text: &str) -> DateTime<Utc> {
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    text.parse().unwrap()
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Thirty days from the metadata `date`, nothing more.
fn policy() -> Policy {
    Policy {
        name: "acme".to_owned(),
        timezone: Tz::UTC,
        account: None,
        tenant: Vec::new(),
        tables: Vec::new(),
        rules: vec![Rule {
            id: "media".to_owned(),
            data: None,
            select: Select::default(),
            trigger: dated("date"),
            retain: Period::days(30),
            enforce: Enforce::Direct,
            noncurrent: None,
            incomplete_uploads: None,
            transitions: Vec::new(),
            export: None,
            undo_window: None,
            evidence_per_object: false,
            guards: Guards::default(),
        }],
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

fn dated(name: &str) -> Trigger {
    Trigger {
        name: None,
        format: None,
        source: Source::Attribute(Attribute::Metadata(name.to_owned())),
        within: None,
        outside: Outside::Undecided,
        if_missing: Some(IfMissing::Undecided),
    }
}

fn within_a_day(trigger: Trigger) -> Trigger {
    Trigger { within: Some(Within { before: Some(DAY), after: Some(DAY) }), ..trigger }
}

/// The trigger that is bounded whatever the metadata says.
fn clamped() -> Trigger {
    Trigger { outside: Outside::Clamp, if_missing: Some(IfMissing::Uploaded), ..within_a_day(dated("date")) }
}

fn uploaded() -> Trigger {
    Trigger { source: Source::Uploaded, ..dated("") }
}

/// The policy with records of customers, and its rule counting from `trigger`.
fn with_records(trigger: Trigger, row: Option<Row>) -> (Policy, Records) {
    let mut policy = policy();
    policy.tenant = vec![Attribute::Key(KeyPattern::parse("{tenant}/**").unwrap())];
    policy.tables = vec![Table {
        name: "customers".to_owned(),
        place: crate::policy::RecordPlace::Folder("customers.csv".to_owned()),
        format: crate::policy::RecordFormat::Csv,
        id: "id".to_owned(),
        by: By::Tenant,
        fresh: None,
        columns: names(&["active", "ended"]),
    }];
    policy.rules[0].trigger = trigger;
    let rows = row.map(|row| ("4711".to_owned(), row));
    (policy, Records { tables: vec![RecordTable::of(names(&["active", "ended"]), rows)] })
}

fn recorded(column: &str) -> Trigger {
    Trigger { source: Source::Record { table: 0, column: column.to_owned() }, ..dated("") }
}

fn row(active: Option<&str>, ended: Option<&str>) -> Option<Row> {
    Some(Row::Once(Box::new([active.map(Into::into), ended.map(Into::into)])))
}

/// Row 9 of the notice: contract end, or 18 months without activity.
fn end_or_inactivity() -> Trigger {
    let term = |column, plus| Term { trigger: Trigger { if_missing: None, ..recorded(column) }, plus };
    Trigger {
        source: Source::Earliest(vec![term("ended", None), term("active", Some(Period::months(18)))]),
        ..dated("")
    }
}

fn hold(select: Select, released: Option<&str>) -> Hold {
    Hold {
        id: "case".to_owned(),
        reason: "court".to_owned(),
        select,
        released: released.map(|day| day.parse().unwrap()),
    }
}

fn tenants(tenants: &[&str]) -> Select {
    Select { tenants: Some(names(tenants)), ..Select::default() }
}

fn longer(tenants: &[&str], retain: Period) -> Override {
    Override {
        tenants: Some(names(tenants)),
        condition: None,
        rule: 0,
        retain,
        agreement: Some("MSA".to_owned()),
        legal_basis: None,
        until: None,
    }
}

/// Uploaded on 1 March 2026 at noon, not locked, nothing else read.
fn object() -> Observed<'static> {
    Observed {
        bucket: "acme-media",
        key: "4711/a.jpg",
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded: at("2026-03-01T12:00:00Z"),
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: 1,
        etag: None,
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Unread,
        lock: Reading::Known(Lock::default()),
    }
}

fn step(policy: &Policy, object: &Observed<'_>, now: &str) -> Step {
    decide(policy, &Records::default(), object, at(now))
}

fn decided(policy: &Policy, records: &Records, object: &Observed<'_>, now: &str) -> Decision {
    match decide(policy, records, object, at(now)) {
        Step::Decided(decision) => decision,
        Step::Needs(needs) => panic!("asks for {needs:?}"),
    }
}

/// The verdict and the reasons for an object with this metadata.
fn told(policy: &Policy, metadata: &[(&str, &str)], now: &str) -> (Verdict, Vec<Reason>) {
    let metadata = attributes(metadata);
    let object = Observed { metadata: Reading::Known(&metadata), ..object() };
    let decision = decided(policy, &Records::default(), &object, now);
    (decision.verdict, decision.reasons)
}

fn unknown(why: Unknown) -> (Verdict, Vec<Reason>) {
    (Verdict::Undecided, vec![Reason::TriggerUnknown { rule: 0, why }])
}

#[test]
fn it_expires_at_the_midnight_it_is_due_and_not_a_second_before() {
    let date = [("date", "2026-03-01T08:30:00Z")];
    let due = at("2026-04-01");
    assert_eq!(
        told(&policy(), &date, "2026-03-31T23:59:59Z"),
        (Verdict::Retained, vec![Reason::NotDue { rule: 0, earliest: due }])
    );
    assert_eq!(told(&policy(), &date, "2026-04-01"), (Verdict::Expired, vec![Reason::Due { rule: 0, due }]));
}

#[test]
fn a_decision_tells_the_date_it_counts_from_and_where_that_was_found() {
    let metadata = attributes(&[("date", "2026-03-01")]);
    let object = Observed { metadata: Reading::Known(&metadata), ..object() };
    let decision = decided(&policy(), &Records::default(), &object, "2026-03-02");
    let basis = decision.trigger.unwrap();
    assert_eq!((basis.moment.to_string().as_str(), basis.source.as_str()), ("2026-03-01", "metadata date"));
    assert_eq!((decision.due, decision.rules), (Some(at("2026-04-01")), vec![0]));
}

#[test]
fn tags_are_asked_for_where_the_date_is_a_tag_and_the_lock_last_of_all() {
    let mut policy = policy();
    policy.rules[0].trigger.source = Source::Attribute(Attribute::Tag("date".to_owned()));
    let object = Observed { lock: Reading::Unread, ..object() };
    assert_eq!(step(&policy, &object, "2026-05-01"), TAGS);
    let tags = attributes(&[("date", "2026-03-01")]);
    let object = Observed { tags: Reading::Known(&tags), ..object };
    assert_eq!(step(&policy, &object, "2026-05-01"), LOCK);
    assert!(matches!(step(&policy, &object, "2026-03-31"), Step::Decided(_)));
}

#[test]
fn a_lock_keeps_what_is_due_and_an_unknown_lock_too() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    let with = |lock| {
        let decision = decided(&policy, &Records::default(), &Observed { lock, ..object() }, "2026-05-01");
        (decision.verdict, decision.reasons)
    };
    let lock =
        |legal_hold, until: Option<&str>| Reading::Known(Lock { legal_hold, retain_until: until.map(at) });
    let until = at("2026-05-01T00:00:01Z");
    assert_eq!(with(lock(true, None)), (Verdict::Locked, vec![Reason::LegalHold]));
    assert_eq!(
        with(lock(false, Some("2026-05-01T00:00:01Z"))),
        (Verdict::Locked, vec![Reason::LockedUntil { until }])
    );
    assert_eq!(with(lock(false, Some("2026-05-01"))).0, Verdict::Expired);
    assert_eq!(
        with(Reading::Unknown(Unreadable::Failed)),
        (Verdict::Undecided, vec![Reason::LockUnknown(Unreadable::Failed)])
    );
}

#[test]
fn a_hold_outranks_a_lock_and_a_lock_everything_else() {
    let mut policy = policy();
    policy.rules[0].select.prefix = Some("elsewhere/".to_owned());
    assert_eq!(told(&policy, &[], "2026-05-01"), (Verdict::Unmatched, vec![Reason::NoRule]));
    let locked = Observed { lock: Reading::Known(Lock { legal_hold: true, retain_until: None }), ..object() };
    assert_eq!(decided(&policy, &Records::default(), &locked, "2026-05-01").verdict, Verdict::Locked);
    policy.holds = vec![hold(Select::default(), None)];
    assert_eq!(decided(&policy, &Records::default(), &locked, "2026-05-01").verdict, Verdict::Held);
}

#[test]
fn a_hold_still_holds_on_its_released_day() {
    let mut policy = policy();
    policy.timezone = Tz::America__New_York;
    policy.rules[0].trigger = uploaded();
    policy.holds = vec![hold(Select::default(), Some("2026-06-01"))];
    let verdict = |now| decided(&policy, &Records::default(), &object(), now);
    assert_eq!(verdict("2026-06-02T03:59:59Z").reasons, [Reason::Hold { hold: 0 }]);
    assert_eq!(verdict("2026-06-02T04:00:00Z").verdict, Verdict::Expired);
}

#[test]
fn a_hold_fits_through_any_tenant_source_and_might_through_one_that_is_unread() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    policy.tenant = vec![
        Attribute::Key(KeyPattern::parse("{tenant}/**").unwrap()),
        Attribute::Tag("customer".to_owned()),
    ];
    policy.holds = vec![hold(tenants(&["0815"]), None)];
    assert_eq!(step(&policy, &object(), "2026-05-01"), TAGS);
    let tags = attributes(&[("customer", "0815")]);
    let tagged = Observed { tags: Reading::Known(&tags), ..object() };
    let decision = decided(&policy, &Records::default(), &tagged, "2026-05-01");
    assert_eq!((decision.verdict, decision.tenant.as_deref()), (Verdict::Held, Some("4711")));
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    let decision = decided(&policy, &Records::default(), &denied, "2026-05-01");
    assert_eq!(
        (decision.verdict, decision.reasons),
        (Verdict::Undecided, vec![Reason::HoldMightFit { hold: 0, why: Some(Unreadable::Denied) }])
    );
    // Not even due: no tag is read for it.
    assert_eq!(decided(&policy, &Records::default(), &object(), "2026-03-02").verdict, Verdict::Retained);
}

#[test]
fn an_unknown_tenant_keeps_what_a_longer_override_could_keep() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    policy.tenant = vec![Attribute::Tag("customer".to_owned())];
    policy.overrides = vec![longer(&["0815"], Period::months(12))];
    assert_eq!(decided(&policy, &Records::default(), &object(), "2026-03-31").verdict, Verdict::Retained);
    assert_eq!(step(&policy, &object(), "2026-04-01"), TAGS);
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    let decision = decided(&policy, &Records::default(), &denied, "2026-04-01");
    assert_eq!(
        (decision.verdict, decision.reasons),
        (Verdict::Undecided, vec![Reason::TenantUnknown(Unreadable::Denied)])
    );
    // After a year it is due whoever's it is.
    assert_eq!(decided(&policy, &Records::default(), &denied, "2027-03-02").verdict, Verdict::Expired);
}

#[test]
fn what_is_kept_for_different_reasons_under_different_tenants_is_due_when_the_last_is() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    policy.tenant = vec![Attribute::Tag("customer".to_owned())];
    policy.overrides = vec![longer(&["0815"], Period::months(12))];
    policy.holds = vec![hold(tenants(&["0815"]), None)];
    let decision = decided(&policy, &Records::default(), &object(), "2026-03-02");
    assert_eq!((decision.verdict, decision.due), (Verdict::Retained, Some(at("2027-03-02"))));
    assert!(decision.reasons.contains(&Reason::NotDue { rule: 0, earliest: at("2026-04-01") }));
}

#[test]
fn of_several_overrides_the_one_that_keeps_longest_counts_until_its_last_day() {
    let mut policy = policy();
    policy.tenant = vec![Attribute::Key(KeyPattern::parse("{tenant}/**").unwrap())];
    policy.rules[0].trigger = uploaded();
    let due = |policy: &Policy, now| decided(policy, &Records::default(), &object(), now).due;
    policy.overrides = vec![longer(&["4711"], Period::days(14))];
    assert_eq!(due(&policy, "2026-03-02"), Some(at("2026-03-16")));
    let until = Some("2026-03-10".parse().unwrap());
    policy.overrides.push(Override { until, ..longer(&["4711", "0815"], Period::months(1)) });
    assert_eq!(due(&policy, "2026-03-10T23:59:59Z"), Some(at("2026-04-02")));
    assert_eq!(due(&policy, "2026-03-11"), Some(at("2026-03-16")));
}

#[test]
fn of_several_rules_the_last_one_due_decides() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    let mut other = policy.rules[0].clone();
    (other.id, other.retain) = ("longer".to_owned(), Period::days(60));
    policy.rules.push(other);
    let decision = decided(&policy, &Records::default(), &object(), "2026-04-15");
    assert_eq!((decision.verdict, decision.rules), (Verdict::Retained, vec![1, 0]));
    assert_eq!(decision.due, Some(at("2026-05-01")));
}

#[test]
fn versions_markers_and_uploads_run_by_their_own_clocks() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    let reasons = |policy: &Policy, object: &Observed<'_>, now| {
        decided(policy, &Records::default(), object, now).reasons
    };
    let old = Observed {
        kind: Kind::Version,
        is_latest: false,
        superseded: Some(at("2026-06-01T10:00:00Z")),
        ..object()
    };
    assert_eq!(reasons(&policy, &old, "2026-05-01"), [Reason::Due { rule: 0, due: at("2026-04-01") }]);
    policy.rules[0].noncurrent = Some(Noncurrent { retain: Period::days(1), newer_versions: 1 });
    assert_eq!(reasons(&policy, &old, "2026-09-01"), [Reason::KeptByNumber { rule: 0 }]);
    let older = Observed { newer_noncurrent: 1, ..old };
    let due = at("2026-06-03");
    assert_eq!(reasons(&policy, &older, "2026-06-02T23:59:59Z"), [Reason::NotDue { rule: 0, earliest: due }]);
    assert_eq!(reasons(&policy, &older, "2026-06-03"), [Reason::Due { rule: 0, due }]);

    let marker = Observed { kind: Kind::Marker, ..object() };
    assert_eq!(reasons(&policy, &marker, "2040-01-01"), [Reason::HidesVersions]);
    let lone = Observed { alone: true, ..marker };
    assert_eq!(reasons(&policy, &lone, "2026-03-02"), [Reason::Due { rule: 0, due: at("2026-03-02") }]);

    policy.rules[0].incomplete_uploads = Some(Period::days(7));
    let upload = Observed { kind: Kind::Upload, ..object() };
    assert_eq!(reasons(&policy, &upload, "2026-03-09"), [Reason::Due { rule: 0, due: at("2026-03-09") }]);
}

#[test]
fn an_older_marker_of_which_no_date_is_known_goes_where_nothing_but_markers_is_left() {
    let mut policy = policy();
    let older = Observed {
        kind: Kind::Marker,
        is_latest: false,
        superseded: Some(at("2026-06-01T10:00:00Z")),
        metadata: Reading::Unknown(Unreadable::NotKept),
        tags: Reading::Unknown(Unreadable::NotKept),
        ..object()
    };
    assert_eq!(
        decided(&policy, &Records::default(), &older, "2040-01-01").verdict,
        Verdict::Undecided,
        "it lies over a version"
    );
    let alone = Observed { alone: true, ..older };
    let decision = |policy: &Policy, now: &str| {
        let decision = decided(policy, &Records::default(), &alone, now);
        (decision.verdict, decision.due)
    };
    let due = at("2026-03-02");
    assert_eq!(decision(&policy, "2026-03-02"), (Verdict::Expired, Some(due)));
    // To S3 it is noncurrent, though it is no version that could be kept by number.
    policy.rules[0].noncurrent = Some(Noncurrent { retain: Period::days(1), newer_versions: 1 });
    let due = at("2026-06-03");
    assert_eq!(decision(&policy, "2026-06-02T23:59:59Z"), (Verdict::Retained, Some(due)));
    assert_eq!(decision(&policy, "2026-06-03"), (Verdict::Expired, Some(due)));
}

#[test]
fn nothing_is_read_where_one_ground_to_keep_it_is_there_for_good() {
    let (mut policy, records) = with_records(end_or_inactivity(), None);
    policy.tenant.push(Attribute::Metadata("customer".to_owned()));
    policy.holds = vec![hold(tenants(&["0815"]), None)];
    let decision = decided(&policy, &records, &object(), "2040-01-01");
    assert_eq!(decision.verdict, Verdict::Undecided);
    assert_eq!(decision.reasons[0], Reason::TriggerUnknown { rule: 0, why: Unknown::Record(NoValue::NoRow) });
}

#[test]
fn an_explanation_shows_every_rule_those_that_miss_too() {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    let mut other = policy.rules[0].clone();
    other.select.buckets = vec![BucketPattern::parse("*-recordings").unwrap()];
    policy.rules.push(other);
    let judgement = explain(&policy, &Records::default(), &object(), at("2026-05-01"));
    assert_eq!(judgement.decision.verdict, Verdict::Expired);
    assert_eq!(judgement.rules[1].view, Err(Miss::Bucket));
    let finding = judgement.rules[0].view.as_ref().unwrap();
    assert_eq!((finding.clock, finding.outlook.due()), (Clock::Trigger, Some(at("2026-04-01"))));
}

#[test]
fn every_reason_reads_as_a_sentence_that_names_its_rule_or_hold() {
    let mut policy = policy();
    policy.holds = vec![hold(Select::default(), None)];
    let day = at("2026-04-01");
    let why = Unknown::NoDate(MomentError::Epoch);
    for (reason, sentence) in [
        (Reason::Due { rule: 0, due: day }, "due since 2026-04-01 under media"),
        (Reason::NotDue { rule: 0, earliest: day }, "not due before 2026-04-01 under media"),
        (Reason::NotHappened { rule: 0 }, "the trigger of media has not happened"),
        (Reason::KeptByNumber { rule: 0 }, "one of the newest superseded versions that media keeps"),
        (Reason::Hold { hold: 0 }, "legal hold case"),
        (Reason::LockedUntil { until: day }, "Object Lock retention until 2026-04-01 00:00 UTC"),
        (
            Reason::TriggerUnknown { rule: 0, why },
            "the trigger of media has a value that is the Unix epoch, which is what software writes for no date",
        ),
        (
            Reason::TenantUnknown(Unreadable::NotKept),
            "its tenant is unknown and matters: uploads and delete markers carry no metadata or tags",
        ),
    ] {
        assert_eq!(reason.describe(&policy), sentence);
    }
}

#[test]
fn a_tenant_whose_rules_are_only_observed_is_read_before_another_tenants_rule_acts() {
    let mut policy = policy();
    policy.tenant = vec![Attribute::Metadata("customer".to_owned())];
    policy.rules[0].trigger = uploaded();
    policy.rules[0].enforce = Enforce::Observe;
    let mut pilot = policy.rules[0].clone();
    pilot.id = "pilot".to_owned();
    pilot.enforce = Enforce::Direct;
    pilot.retain = Period::days(60);
    pilot.select.tenants = Some(names(&["pilot-customer"]));
    policy.rules.push(pilot);

    // Expired under every tenant, and removed under one alone.
    let unread = Observed { metadata: Reading::Unread, ..object() };
    assert_eq!(step(&policy, &unread, "2028-01-01"), Step::Needs(Needs { head: true, ..Needs::NONE }));
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(decided(&policy, &Records::default(), &denied, "2028-01-01").verdict, Verdict::Undecided);
}
