//! Requests to erase, and the laws that outweigh them.

use super::selects::condition;
use super::*;
use crate::policy::{Erasure, RecordCondition, SizeRange};

/// Tenant 4711's request of 10 March 2026; the object was uploaded on the 1st.
fn erasure(select: Select) -> Erasure {
    Erasure {
        id: "req-1".to_owned(),
        reason: "asked".to_owned(),
        select,
        requested: "2026-03-10".parse().unwrap(),
    }
}

/// The policy by upload, 30 days, with tenants in the key and the request in it.
fn asked() -> Policy {
    let mut policy = policy();
    policy.tenant = vec![Attribute::Key(KeyPattern::parse("{tenant}/**").unwrap())];
    policy.rules[0].trigger = uploaded();
    policy.erasures = vec![erasure(tenants(&["4711"]))];
    policy
}

fn verdict(policy: &Policy, object: &Observed<'_>, now: &str) -> (Verdict, Vec<Reason>, Option<usize>) {
    let decision = decided(policy, &Records::default(), object, now);
    (decision.verdict, decision.reasons, decision.erasure)
}

#[test]
fn a_request_makes_objects_due_at_the_end_of_its_day_and_its_rule_would_do_so_later() {
    let due = at("2026-03-11");
    let not_due = Reason::NotDue { rule: 0, earliest: at("2026-04-01") };
    let not_yet = Reason::ErasureNotDue { erasure: 0, due };
    assert_eq!(
        verdict(&asked(), &object(), "2026-03-10T23:59:59Z"),
        (Verdict::Retained, vec![not_due, not_yet], None)
    );
    assert_eq!(
        verdict(&asked(), &object(), "2026-03-11"),
        (Verdict::Expired, vec![Reason::Erased { erasure: 0, due }], Some(0))
    );
    let other = Observed { key: "0815/a.jpg", ..object() };
    assert_eq!(verdict(&asked(), &other, "2026-03-11").0, Verdict::Retained);
    // Once the rule would do it too, it is still a request that must not wait for S3.
    assert_eq!(verdict(&asked(), &object(), "2026-04-01").2, Some(0));
}

#[test]
fn what_was_uploaded_after_the_day_of_the_request_is_none_of_its() {
    let mut policy = asked();
    policy.timezone = Tz::Europe__Zagreb;
    // The day ends at 23:00 UTC.
    let last = Observed { uploaded: at("2026-03-10T22:59:59Z"), ..object() };
    assert_eq!(verdict(&policy, &last, "2026-03-11").0, Verdict::Expired);
    let late = Observed { uploaded: at("2026-03-10T23:00:00Z"), ..object() };
    assert_eq!(verdict(&policy, &late, "2026-03-12").0, Verdict::Retained);
}

#[test]
fn what_the_store_does_not_know_the_upload_of_may_be_asked_for() {
    let undated = Observed { uploaded: at("1970-01-01"), ..object() };
    let might = Reason::ErasureMightFit { erasure: 0, why: None };
    let (told, reasons, by) = verdict(&asked(), &undated, "2026-03-11");
    assert_eq!((told, by), (Verdict::Undecided, None));
    assert!(reasons.contains(&might), "{reasons:?}");
    // Where no rule covers it, too.
    let alone = Policy { rules: Vec::new(), ..asked() };
    assert_eq!(verdict(&alone, &undated, "2026-03-11"), (Verdict::Undecided, vec![might], None));
}

#[test]
fn holds_and_locks_outweigh_a_request() {
    let mut policy = asked();
    policy.holds = vec![hold(tenants(&["4711"]), None)];
    assert_eq!(verdict(&policy, &object(), "2026-03-11").0, Verdict::Held);
    let locked = Observed { lock: Reading::Known(Lock { legal_hold: true, retain_until: None }), ..object() };
    assert_eq!(verdict(&asked(), &locked, "2026-03-11").0, Verdict::Locked);
    let unread = Observed { lock: Reading::Unread, ..object() };
    assert_eq!(step(&asked(), &unread, "2026-03-11"), LOCK);
}

#[test]
fn a_law_keeps_what_is_asked_to_be_erased_and_an_agreement_does_not() {
    let mut policy = asked();
    policy.overrides = vec![longer(&["4711"], Period::months(12))];
    assert_eq!(verdict(&policy, &object(), "2026-03-11").0, Verdict::Expired);
    policy.overrides[0].legal_basis = Some("HGB 257".to_owned());
    let earliest = at("2027-03-02");
    let kept = Reason::KeptByLaw { rule: 0, over: 0, earliest };
    let (verdict_, reasons, _) = verdict(&policy, &object(), "2026-03-11");
    assert_eq!(verdict_, Verdict::Retained);
    assert!(reasons.contains(&kept), "{reasons:?}");
    assert!(kept.describe(&policy).contains("HGB 257"));
    // An agreement that keeps longer than the law does not count against the request.
    policy.overrides.push(longer(&["4711"], Period::months(24)));
    assert_eq!(verdict(&policy, &object(), "2027-03-01T23:59:59Z").0, Verdict::Retained);
    let (erased, _, by) = verdict(&policy, &object(), "2027-03-02");
    assert_eq!((erased, by), (Verdict::Expired, Some(0)));
}

#[test]
fn a_law_that_may_apply_keeps_it_too() {
    let (mut policy, records) = with_records(uploaded(), row(None, Some("DE")));
    policy.erasures = asked().erasures;
    policy.overrides = vec![Override {
        tenants: None,
        condition: Some(RecordCondition { table: 0, column: "ended".to_owned(), is: names(&["DE"]) }),
        legal_basis: Some("HGB 257".to_owned()),
        ..longer(&[], Period::months(12))
    }];
    let told = |records: &Records| {
        let decision = decided(&policy, records, &object(), "2026-03-11");
        (decision.verdict, decision.reasons)
    };
    assert_eq!(told(&records).0, Verdict::Retained);
    let unknown = told(&Records::default());
    assert_eq!(unknown.0, Verdict::Undecided);
    assert!(unknown.1.contains(&Reason::OverrideMightApply { rule: 0, over: 0 }), "{unknown:?}");
}

#[test]
fn what_no_rule_covers_is_erased_and_what_is_only_observed_is_still_the_observers() {
    let mut policy = asked();
    policy.rules[0].select = Select { prefix: Some("elsewhere/".to_owned()), ..Select::default() };
    let decision = decided(&policy, &Records::default(), &object(), "2026-03-11");
    assert_eq!(
        (decision.verdict, &decision.rules[..], decision.erasure),
        (Verdict::Expired, &[][..], Some(0))
    );
    assert_eq!(verdict(&policy, &object(), "2026-03-10").0, Verdict::Retained);
    let nobodys = Observed { key: "a.jpg", ..object() };
    assert_eq!(verdict(&policy, &nobodys, "2026-03-11").0, Verdict::Unmatched);
    // Who acts is in doubt where a rule may cover it that is only observed.
    policy.rules[0].select.prefix = None;
    policy.rules[0].select.tags =
        vec![crate::policy::Condition { name: "a".to_owned(), values: names(&["b"]) }];
    policy.rules[0].enforce = Enforce::Observe;
    assert_eq!(step(&policy, &object(), "2026-03-11"), TAGS);
}

#[test]
fn an_erasure_that_may_cover_it_is_read_before_it_counts() {
    let mut policy = asked();
    policy.erasures[0].select = Select {
        tags: vec![crate::policy::Condition { name: "who".to_owned(), values: names(&["me"]) }],
        ..Select::default()
    };
    assert_eq!(step(&policy, &object(), "2026-03-11"), TAGS);
    assert_eq!(verdict(&policy, &object(), "2026-03-10").0, Verdict::Retained);
    let mine = attributes(&[("who", "me")]);
    let tagged = Observed { tags: Reading::Known(&mine), ..object() };
    assert_eq!(verdict(&policy, &tagged, "2026-03-11").0, Verdict::Expired);
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    let (undecided, reasons, _) = verdict(&policy, &denied, "2026-03-11");
    assert_eq!(undecided, Verdict::Undecided);
    assert!(reasons.contains(&Reason::ErasureMightFit { erasure: 0, why: Some(Unreadable::Denied) }));
}

#[test]
fn what_only_a_later_request_may_cover_is_kept_and_the_reason_says_so() {
    let mut policy = asked();
    policy.rules[0].select = Select { prefix: Some("elsewhere/".to_owned()), ..Select::default() };
    policy.erasures[0].select = Select {
        tags: vec![crate::policy::Condition { name: "who".to_owned(), values: names(&["me"]) }],
        ..Select::default()
    };
    let might_fit = Reason::ErasureMightFit { erasure: 0, why: None };
    assert_eq!(verdict(&policy, &object(), "2026-03-10"), (Verdict::Retained, vec![might_fit], None));
}

#[test]
fn a_law_keeps_superseded_versions_and_uploads_from_erasure_until_their_rule_lets_go() {
    let mut policy = asked();
    policy.overrides =
        vec![Override { legal_basis: Some("HGB 257".to_owned()), ..longer(&["4711"], Period::months(12)) }];
    policy.rules[0].incomplete_uploads = Some(Period::days(20));
    let upload = Observed { kind: Kind::Upload, upload_id: Some("u"), ..object() };
    assert_eq!(verdict(&policy, &upload, "2026-03-11").0, Verdict::Retained);
    assert_eq!(verdict(&policy, &upload, "2026-03-22").0, Verdict::Expired);
    policy.rules[0].noncurrent = Some(Noncurrent { retain: Period::days(1), newer_versions: 1 });
    let superseded = Observed { kind: Kind::Version, superseded: Some(at("2026-03-02")), ..object() };
    assert_eq!(verdict(&policy, &superseded, "2026-03-11").0, Verdict::Retained);
    assert_eq!(verdict(&policy, &superseded, "2027-03-02").2, Some(0));
    policy.overrides.clear();
    assert_eq!(verdict(&policy, &superseded, "2026-03-11").0, Verdict::Expired);
}

#[test]
fn who_acts_is_asked_as_long_as_a_read_can_settle_it() {
    let mut policy = asked();
    policy.rules[0].select.tags =
        vec![crate::policy::Condition { name: "a".to_owned(), values: names(&["b"]) }];
    let mut observed = policy.rules[0].clone();
    observed.enforce = Enforce::Observe;
    observed.select = Select {
        metadata: vec![crate::policy::Condition { name: "a".to_owned(), values: names(&["b"]) }],
        ..Select::default()
    };
    policy.rules.push(observed);
    // The rule that is only observed may cover it for good; the other acts for all that.
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(step(&policy, &denied, "2040-01-01"), TAGS);
    let (covered, other) = (attributes(&[("a", "b")]), Attributes::new());
    let read = |tags| Observed { tags: Reading::Known(tags), ..denied.clone() };
    assert_eq!(verdict(&policy, &read(&covered), "2040-01-01").0, Verdict::Expired);
    assert_eq!(verdict(&policy, &read(&other), "2040-01-01").0, Verdict::Undecided);
    // One more that is only observed, and covers it, leaves nobody to act.
    policy.rules[0].enforce = Enforce::Observe;
    assert_eq!(step(&policy, &denied, "2040-01-01"), TAGS);
    assert_eq!(verdict(&policy, &read(&covered), "2040-01-01").0, Verdict::Expired);
}

#[test]
fn markers_and_uploads_are_erased_as_well_but_no_marker_before_what_it_hides() {
    let policy = asked();
    let marker = Observed { kind: Kind::Marker, version_id: Some("m"), ..object() };
    assert_eq!(verdict(&policy, &marker, "2026-03-11").1, [Reason::HidesVersions]);
    let alone = Observed { alone: true, uploaded: at("2026-03-20"), ..marker };
    assert_eq!(verdict(&policy, &alone, "2026-03-20").0, Verdict::Expired);
    let upload = Observed { kind: Kind::Upload, upload_id: Some("u"), ..object() };
    assert_eq!(verdict(&policy, &upload, "2026-03-11").0, Verdict::Expired);
}

#[test]
fn sizes_of_uploads_are_not_known() {
    let mut policy = asked();
    policy.erasures[0].select.size = Some(SizeRange { over: None, under: Some(10) });
    assert_eq!(verdict(&policy, &object(), "2026-03-11").0, Verdict::Expired);
    let upload = Observed { kind: Kind::Upload, upload_id: Some("u"), size: 0, ..object() };
    assert_eq!(verdict(&policy, &upload, "2026-03-11").0, Verdict::Undecided);
}

#[test]
fn an_export_depends_on_whether_it_goes_on_request_so_that_has_to_be_known() {
    let place = crate::policy::ExportPlace { bucket: "exports".to_owned(), prefix: String::new() };
    // Whose it is stands in a tag: the request of one tenant must not take the copies of all others.
    let mut policy = asked();
    policy.tenant = vec![Attribute::Tag("customer".to_owned())];
    policy.rules[0].export = Some(place.clone());
    assert!(matches!(step(&policy, &object(), "2026-04-01"), Step::Needs(needs) if needs.tags));
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(verdict(&policy, &denied, "2026-04-01").0, Verdict::Undecided);
    let other = attributes(&[("customer", "0815")]);
    let other = Observed { tags: Reading::Known(&other), ..object() };
    assert_eq!(
        (verdict(&policy, &other, "2026-04-01").0, verdict(&policy, &other, "2026-04-01").2),
        (Verdict::Expired, None)
    );
    // And a request that selects by a tag must not be copied where it may select it.
    let mut policy = asked();
    policy.rules[0].export = Some(place);
    policy.erasures = vec![erasure(Select { tags: vec![condition("person", &["p1"])], ..Select::default() })];
    assert!(matches!(step(&policy, &object(), "2026-04-01"), Step::Needs(needs) if needs.tags));
}
