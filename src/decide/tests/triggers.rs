//! What a trigger leads to: windows, keys, records and terms.

use super::*;

#[test]
fn what_is_no_date_is_never_guessed() {
    let late = "2040-01-01";
    assert_eq!(told(&policy(), &[], late), unknown(Unknown::Missing));
    assert_eq!(told(&policy(), &[("date", "")], late), unknown(Unknown::Missing));
    for (text, why) in [
        ("soon", MomentError::Form),
        ("1970-01-01", MomentError::Epoch),
        ("1970-01-01T00:00:00Z", MomentError::Epoch),
        ("1999-12-31", MomentError::Before2000),
    ] {
        assert_eq!(told(&policy(), &[("date", text)], late), unknown(Unknown::NoDate(why)), "{text}");
    }
    let mut narrow = policy();
    narrow.rules[0].trigger = within_a_day(dated("date"));
    assert_eq!(told(&narrow, &[("date", "2026-03-03")], late), unknown(Unknown::Outside));
    assert_eq!(told(&narrow, &[("date", "2026-03-02")], late).0, Verdict::Expired);
}

#[test]
fn what_cannot_be_read_is_kept_and_the_reason_says_why() {
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    let decision = decided(&policy(), &Records::default(), &denied, "2040-01-01");
    assert_eq!((decision.verdict, decision.reasons), unknown(Unknown::Unreadable(Unreadable::Denied)));
}

#[test]
fn the_window_alone_proves_that_it_is_not_yet_due() {
    let mut policy = policy();
    policy.rules[0].trigger = within_a_day(dated("date"));
    // At the earliest on 28 February, as a day or from noon: due on the 31st.
    let earliest = at("2026-03-31");
    let Step::Decided(decision) = step(&policy, &object(), "2026-03-30T23:59:59Z") else { panic!() };
    assert_eq!(
        (decision.verdict, decision.reasons),
        (Verdict::Retained, vec![Reason::NotDue { rule: 0, earliest }])
    );
    assert_eq!(step(&policy, &object(), "2026-03-31"), HEAD);
    // Without a clamp no window proves that it is due.
    assert_eq!(step(&policy, &object(), "2040-01-01"), HEAD);
}

#[test]
fn a_clamped_window_proves_that_it_is_due_without_a_head() {
    let mut policy = policy();
    policy.rules[0].trigger = clamped();
    // At the latest on 2 March, meant whole.
    assert_eq!(step(&policy, &object(), "2026-04-01T23:59:59Z"), HEAD);
    let due = at("2026-04-02");
    let Step::Decided(decision) = step(&policy, &object(), "2026-04-02") else { panic!() };
    assert_eq!((decision.verdict, decision.reasons), (Verdict::Expired, vec![Reason::Due { rule: 0, due }]));
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(decided(&policy, &Records::default(), &denied, "2026-04-02").verdict, Verdict::Expired);
    // A value that may be missing, with no word what that means, proves nothing.
    policy.rules[0].trigger.if_missing = Some(IfMissing::Undecided);
    assert_eq!(step(&policy, &object(), "2026-04-02"), HEAD);
    policy.rules[0].trigger.if_missing = Some(IfMissing::Retained);
    assert_eq!(step(&policy, &object(), "2026-04-02"), HEAD);
}

#[test]
fn a_clamped_value_counts_as_the_end_of_the_window() {
    let mut policy = policy();
    policy.rules[0].trigger = clamped();
    for text in ["soon", "1970-01-01", "2026-01-01", "2039-01-01"] {
        assert_eq!(told(&policy, &[("date", text)], "2026-04-01T23:59:59Z").0, Verdict::Retained, "{text}");
        assert_eq!(told(&policy, &[("date", text)], "2026-04-02").0, Verdict::Expired, "{text}");
    }
    assert_eq!(told(&policy, &[], "2026-04-01").0, Verdict::Expired);
}

#[test]
fn an_instant_after_the_windows_start_can_be_due_before_it() {
    let mut policy = policy();
    policy.rules[0].trigger = within_a_day(dated("date"));
    policy.rules[0].retain = Period::months(1);
    let object = Observed { uploaded: at("2026-01-31T23:00:00Z"), ..object() };
    // 30 January 23:00 leads to 1 March, but 31 January 00:00 to 28 February.
    assert_eq!(step(&policy, &object, "2026-02-28"), HEAD);
}

#[test]
fn a_day_that_the_clock_shows_twice_lies_within_from_its_first_minute() {
    let mut policy = policy();
    policy.timezone = Tz::America__Havana;
    policy.rules[0].trigger =
        Trigger { within: Some(Within { before: Some(DAY), after: Some(0) }), ..clamped() };
    // Havana goes back from 01:00 to 00:00 on 1 November 2026, at 05:00 UTC.
    let metadata = attributes(&[("date", "2026-11-01")]);
    let object =
        Observed { uploaded: at("2026-11-01T04:30:00Z"), metadata: Reading::Known(&metadata), ..object() };
    let decision = decided(&policy, &Records::default(), &object, "2026-12-02");
    assert_eq!((decision.verdict, decision.due), (Verdict::Retained, Some(at("2026-12-03"))));
}

#[test]
fn a_time_in_the_key_is_read_in_the_policys_zone() {
    let mut policy = policy();
    policy.timezone = Tz::America__Sao_Paulo;
    let key = KeyPattern::parse("{yyyy}/{MM}/{dd}/{HH}/*").unwrap();
    policy.rules[0].trigger = Trigger { source: Source::Attribute(Attribute::Key(key)), ..dated("") };
    let object = Observed { key: "2026/03/01/22/a.jpg", ..object() };
    // 22:59:59 in São Paulo is 01:59:59 of the next day in UTC.
    assert_eq!(decided(&policy, &Records::default(), &object, "2026-04-01").due, Some(at("2026-04-02")));
}

#[test]
fn what_the_records_cannot_tell_is_unknown_and_what_has_not_happened_is_kept() {
    let trigger = Trigger { if_missing: Some(IfMissing::Retained), ..recorded("ended") };
    let told = |row, unusable| {
        let (policy, mut records) = with_records(trigger.clone(), row);
        records.tables[0].unusable = unusable;
        let decision = decided(&policy, &records, &object(), "2040-01-01");
        (decision.verdict, decision.reasons)
    };
    assert_eq!(told(None, None), unknown(Unknown::Record(NoValue::NoRow)));
    assert_eq!(told(Some(Row::Duplicate), None), unknown(Unknown::Record(NoValue::Duplicate)));
    let ended = || row(None, Some("2026-03-31"));
    assert_eq!(told(ended(), Some(Unusable::Missing)), unknown(Unknown::Record(NoValue::Unusable)));
    assert_eq!(told(ended(), None).0, Verdict::Expired);
    assert_eq!(told(row(None, None), None), (Verdict::Retained, vec![Reason::NotHappened { rule: 0 }]));
    let (policy, records) = with_records(trigger, ended());
    let nobodys = Observed { key: "a.jpg", ..object() };
    let decision = decided(&policy, &records, &nobodys, "2040-01-01");
    assert_eq!((decision.verdict, decision.reasons), unknown(Unknown::NoRecordId));
}

#[test]
fn the_earliest_term_counts_absent_ones_are_skipped_and_an_unknown_one_spoils_all() {
    let told = |row| {
        let (policy, records) = with_records(end_or_inactivity(), row);
        let decision = decided(&policy, &records, &object(), "2040-01-01");
        (decision.verdict, decision.due)
    };
    assert_eq!(told(row(Some("2026-01-01"), Some("2026-05-01"))), (Verdict::Expired, Some(at("2026-06-01"))));
    // 31 August + 18 months is 28 February: the month is clamped before the period is added.
    assert_eq!(told(row(Some("2025-08-31"), Some("2028-01-01"))), (Verdict::Expired, Some(at("2027-03-31"))));
    assert_eq!(told(row(None, Some("2026-05-01"))), (Verdict::Expired, Some(at("2026-06-01"))));
    assert_eq!(told(row(None, None)), (Verdict::Undecided, None));
    assert_eq!(told(row(Some("soon"), Some("2026-05-01"))), (Verdict::Undecided, None));
}

#[test]
fn a_term_that_was_not_read_may_be_absent() {
    let term = Trigger { if_missing: None, ..within_a_day(dated("date")) };
    let mut policy = policy();
    policy.rules[0].trigger = Trigger {
        source: Source::Earliest(vec![Term { trigger: term, plus: Some(Period::months(18)) }]),
        if_missing: Some(IfMissing::Uploaded),
        ..dated("")
    };
    // Were it absent, the upload would count, and without the 18 months.
    assert_eq!(step(&policy, &object(), "2026-04-01"), HEAD);
    assert_eq!(told(&policy, &[], "2026-04-01").0, Verdict::Expired);
}

#[test]
fn the_latest_term_counts_and_one_that_is_absent_makes_the_whole_so() {
    let term = |column| Term { trigger: Trigger { if_missing: None, ..recorded(column) }, plus: None };
    let told = |if_missing, row| {
        let trigger = Trigger {
            source: Source::Latest(vec![term("active"), term("ended")]),
            if_missing: Some(if_missing),
            ..dated("")
        };
        let (policy, records) = with_records(trigger, row);
        let decision = decided(&policy, &records, &object(), "2040-01-01");
        (decision.verdict, decision.due)
    };
    let both = row(Some("2026-01-01"), Some("2026-05-01"));
    assert_eq!(told(IfMissing::Undecided, both), (Verdict::Expired, Some(at("2026-06-01"))));
    let one = || row(Some("2026-01-01"), None);
    assert_eq!(told(IfMissing::Undecided, one()).0, Verdict::Undecided);
    assert_eq!(told(IfMissing::Retained, one()), (Verdict::Retained, None));
    assert_eq!(told(IfMissing::Uploaded, one()), (Verdict::Expired, Some(at("2026-04-01"))));
    // The upload stands in for the one that is absent, and not for the other.
    let later = told(IfMissing::Uploaded, row(Some("2039-12-31"), None));
    assert_eq!(later, (Verdict::Retained, Some(at("2040-01-31"))));
    // What is unknown is not absent: the upload does not stand in for it.
    assert_eq!(told(IfMissing::Uploaded, row(Some("soon"), None)).0, Verdict::Undecided);
}

#[test]
fn a_latest_that_is_unknown_is_no_absent_term() {
    let term = |trigger| Term { trigger, plus: None };
    let absent = Trigger { if_missing: None, ..dated("send-at") };
    let unknown_latest = Trigger {
        source: Source::Latest(vec![term(absent), term(dated("date"))]),
        if_missing: None,
        ..dated("")
    };
    let mut policy = policy();
    policy.rules[0].trigger = Trigger {
        source: Source::First(vec![term(unknown_latest), term(uploaded())]),
        if_missing: Some(IfMissing::Undecided),
        ..dated("")
    };
    assert_eq!(told(&policy, &[], "2040-01-01").0, Verdict::Undecided);
    // Whatever comes of the term that is unknown, the whole is absent, and so has not happened.
    let Source::First(terms) = &mut policy.rules[0].trigger.source else { panic!() };
    terms[0].trigger.if_missing = Some(IfMissing::Retained);
    assert_eq!(told(&policy, &[], "2040-01-01").0, Verdict::Retained);
}

#[test]
fn the_first_term_that_is_there_counts_and_an_unknown_one_is_not_stepped_over() {
    let term = |name| Term { trigger: Trigger { if_missing: None, ..dated(name) }, plus: None };
    let mut policy = policy();
    policy.rules[0].trigger =
        Trigger { source: Source::First(vec![term("send-at"), term("date")]), ..dated("") };
    let due = |metadata: &[(&str, &str)]| {
        let metadata = attributes(metadata);
        let object = Observed { metadata: Reading::Known(&metadata), ..object() };
        let decision = decided(&policy, &Records::default(), &object, "2040-01-01");
        (decision.verdict, decision.due)
    };
    let later = due(&[("send-at", "2026-05-01T00:00:00Z"), ("date", "2026-03-01T00:00:00Z")]);
    assert_eq!(later, (Verdict::Expired, Some(at("2026-05-31"))));
    assert_eq!(due(&[("date", "2026-03-01T00:00:00Z")]), (Verdict::Expired, Some(at("2026-03-31"))));
    assert_eq!(due(&[("send-at", "soon"), ("date", "2026-03-01T00:00:00Z")]).0, Verdict::Undecided);
    assert_eq!(due(&[]).0, Verdict::Undecided);
}

#[test]
fn what_stands_behind_a_term_that_is_there_bounds_nothing() {
    let term = |trigger| Term { trigger, plus: None };
    let bounded = |column| Trigger { if_missing: None, ..within_a_day(recorded(column)) };
    let first = vec![term(bounded("active")), term(uploaded()), term(recorded("ended"))];
    let trigger = Trigger { source: Source::First(first), ..dated("") };
    let (policy, records) = with_records(trigger, None);
    // No row: at the earliest a day before the upload, or at the upload, but not at any time.
    assert_eq!(decided(&policy, &records, &object(), "2026-03-30").verdict, Verdict::Retained);
    assert_eq!(decided(&policy, &records, &object(), "2026-04-01").verdict, Verdict::Undecided);
}

#[test]
fn a_date_is_read_in_the_form_that_the_trigger_names() {
    let mut policy = policy();
    let format = Some(crate::calendar::DateFormat::parse("%d.%m.%Y").unwrap());
    policy.rules[0].trigger = Trigger { format, ..dated("date") };
    assert_eq!(told(&policy, &[("date", "01.03.2026")], "2026-04-01").0, Verdict::Expired);
    assert_eq!(
        told(&policy, &[("date", "2026-03-01")], "2040-04-01"),
        unknown(Unknown::NoDate(MomentError::Form))
    );
}

#[test]
fn an_upload_that_the_store_does_not_know_makes_nothing_due() {
    let never = ["1970-01-01", "0001-01-01", "1999-12-31"];
    let mut newer = policy();
    newer.rules[0].trigger = uploaded();
    newer.rules[0].incomplete_uploads = Some(Period::days(7));
    newer.rules[0].noncurrent = Some(Noncurrent { retain: Period::days(1), newer_versions: 0 });
    let mut proved = policy();
    proved.rules[0].trigger = clamped();
    let mut instead = policy();
    instead.rules[0].trigger = Trigger { if_missing: Some(IfMissing::Uploaded), ..dated("date") };
    let (nothing, date) = (Attributes::new(), attributes(&[("date", "2026-03-03")]));
    for at_ in never {
        let uploaded = at(at_);
        let why = Moment::Instant(uploaded).plausible().unwrap_err();
        let of = |kind| Observed { kind, uploaded, ..object() };
        let replaced = Observed { superseded: Some(uploaded), uploaded, ..of(Kind::Version) };
        for object in [of(Kind::Object), of(Kind::Upload), replaced] {
            let decision = decided(&newer, &Records::default(), &object, "2040-01-01");
            assert_eq!((decision.verdict, decision.reasons), unknown(Unknown::NoDate(why)), "{at_}");
        }
        let read = Observed { metadata: Reading::Known(&nothing), ..of(Kind::Object) };
        for policy in [&proved, &instead] {
            assert_eq!(decided(policy, &Records::default(), &read, "2040-01-01").verdict, Verdict::Undecided);
        }
        // No date can be held to a window around it; one that needs none counts by itself.
        assert!(matches!(step(&proved, &of(Kind::Object), "2040-01-01"), Step::Decided(_)));
        assert_eq!(step(&instead, &of(Kind::Object), "2040-01-01"), HEAD);
        let dated = Observed { metadata: Reading::Known(&date), ..read };
        assert_eq!(decided(&instead, &Records::default(), &dated, "2040-01-01").verdict, Verdict::Expired);
        // A successor that has a date tells when it was superseded.
        let replaced = Observed { superseded: Some(at("2026-03-01")), ..of(Kind::Version) };
        assert_eq!(decided(&newer, &Records::default(), &replaced, "2040-01-01").verdict, Verdict::Expired);
        for policy in [&newer, &proved, &instead] {
            let records = Records::default();
            let decider = Decider::new(policy, &records, object().bucket, at("2040-01-01"));
            let mut trail = decider.trail();
            for kind in [Kind::Object, Kind::Version, Kind::Upload] {
                assert_eq!(trail.plainly(&of(kind)), None);
                assert_eq!(trail.expired(&of(kind)), None);
            }
            assert_eq!(trail.stays(object().key, uploaded.timestamp(), false), None);
        }
    }
}
