//! Selects by what a listing does not tell, exceptions, and overrides by record.

use super::*;
use crate::media::MediaRange;
use crate::policy::{Condition, RecordCondition, SizeRange};

pub(super) fn condition(name: &str, values: &[&str]) -> Condition {
    Condition { name: name.to_owned(), values: names(values) }
}

/// Thirty days from the upload, for what `select` selects.
fn selecting(select: Select) -> Policy {
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    policy.rules[0].select = select;
    policy
}

fn verdict(policy: &Policy, object: &Observed<'_>, now: &str) -> Verdict {
    decided(policy, &Records::default(), object, now).verdict
}

#[test]
fn what_the_listing_tells_selects_without_a_read() {
    let media = vec![MediaRange::parse("image/*").unwrap()];
    let policy = selecting(Select { media: Some(media), ..Select::default() });
    assert_eq!(verdict(&policy, &object(), "2026-04-01"), Verdict::Expired);
    let other = Observed { key: "4711/a.txt", ..object() };
    assert_eq!(verdict(&policy, &other, "2026-04-01"), Verdict::Unmatched);
    for (over, under, expected) in [
        (Some(0), Some(2), Verdict::Expired),
        (Some(1), None, Verdict::Unmatched),
        (None, Some(1), Verdict::Unmatched),
    ] {
        let policy = selecting(Select { size: Some(SizeRange { over, under }), ..Select::default() });
        assert_eq!(verdict(&policy, &object(), "2026-04-01"), expected, "{over:?} {under:?}");
    }
}

#[test]
fn what_is_not_listed_is_read_only_where_it_matters_and_all_of_it_must_hold() {
    let tags = vec![condition("class", &["media"]), condition("team", &["a", "b"])];
    let policy = selecting(Select { tags, ..Select::default() });
    assert_eq!(step(&policy, &object(), "2026-04-01"), TAGS);
    // Not due under the rule, and not under any other.
    assert_eq!(verdict(&policy, &object(), "2026-03-31"), Verdict::Retained);
    for (tags, expected) in [
        (&[("class", "media"), ("team", "b")][..], Verdict::Expired),
        (&[("class", "media"), ("team", "c")], Verdict::Unmatched),
        (&[("class", "media")], Verdict::Unmatched),
        (&[], Verdict::Unmatched),
    ] {
        let tags = attributes(tags);
        let object = Observed { tags: Reading::Known(&tags), ..object() };
        assert_eq!(verdict(&policy, &object, "2026-04-01"), expected, "{tags:?}");
    }
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    let decision = decided(&policy, &Records::default(), &denied, "2026-04-01");
    assert_eq!(
        (decision.verdict, decision.reasons),
        (Verdict::Undecided, vec![Reason::RuleMightCover { rule: 0, why: Some(Unreadable::Denied) }])
    );
}

#[test]
fn a_content_type_comes_with_the_metadata() {
    let types = vec![MediaRange::parse("image/*").unwrap()];
    let policy = selecting(Select { content_type: Some(types), ..Select::default() });
    assert_eq!(step(&policy, &object(), "2026-04-01"), HEAD);
    let typed = |text| Observed { content_type: Reading::Known(text), ..object() };
    assert_eq!(verdict(&policy, &typed("image/png; q=1"), "2026-04-01"), Verdict::Expired);
    assert_eq!(verdict(&policy, &typed(""), "2026-04-01"), Verdict::Unmatched);
}

#[test]
fn a_longer_rule_that_may_cover_it_keeps_it_until_that_is_known() {
    let mut policy = selecting(Select::default());
    let mut longer = policy.rules[0].clone();
    longer.retain = Period::months(12);
    longer.select.metadata = vec![condition("class", &["contract"])];
    policy.rules.push(longer);
    assert_eq!(verdict(&policy, &object(), "2026-03-31"), Verdict::Retained);
    assert_eq!(step(&policy, &object(), "2026-04-01"), HEAD);
    // Due under both: it makes no difference which covers it.
    assert_eq!(verdict(&policy, &object(), "2027-04-01"), Verdict::Expired);
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(verdict(&policy, &denied, "2026-04-01"), Verdict::Undecided);
    assert_eq!(verdict(&policy, &denied, "2027-04-01"), Verdict::Expired);
}

#[test]
fn an_exception_is_left_out_and_one_that_may_hold_is_read() {
    let prefix = Select { prefix: Some("4711/".to_owned()), ..Select::default() };
    let policy = selecting(Select { except: vec![prefix], ..Select::default() });
    assert_eq!(verdict(&policy, &object(), "2026-04-01"), Verdict::Unmatched);
    let tagged = Select { tags: vec![condition("keep", &["1"])], ..Select::default() };
    let policy = selecting(Select { except: vec![tagged], ..Select::default() });
    assert_eq!(step(&policy, &object(), "2026-04-01"), TAGS);
    let none = Attributes::new();
    let plain = Observed { tags: Reading::Known(&none), ..object() };
    assert_eq!(verdict(&policy, &plain, "2026-04-01"), Verdict::Expired);
}

#[test]
fn a_hold_reaches_wide_and_its_exceptions_do_not() {
    let mut policy = selecting(Select::default());
    policy.tenant = vec![
        Attribute::Key(KeyPattern::parse("{tenant}/**").unwrap()),
        Attribute::Metadata("customer".to_owned()),
    ];
    policy.holds = vec![hold(Select { except: vec![tenants(&["4711"])], ..Select::default() }, None)];
    let with = |pairs: &[(&str, &str)]| {
        let metadata = attributes(pairs);
        verdict(&policy, &Observed { metadata: Reading::Known(&metadata), ..object() }, "2026-04-01")
    };
    assert_eq!(with(&[]), Verdict::Expired);
    assert_eq!(with(&[("customer", "4711")]), Verdict::Expired);
    // Another source names somebody else, for whom the hold was made as well.
    assert_eq!(with(&[("customer", "0815")]), Verdict::Held);
    assert_eq!(step(&policy, &object(), "2026-04-01"), HEAD);
    let denied = Observed { metadata: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(verdict(&policy, &denied, "2026-04-01"), Verdict::Undecided);
}

#[test]
fn every_hold_on_an_object_is_named() {
    let mut policy = selecting(Select::default());
    let sized = Select { size: Some(SizeRange { over: None, under: Some(5) }), ..Select::default() };
    policy.holds = vec![hold(Select::default(), None), hold(sized, None)];
    let decision = decided(&policy, &Records::default(), &object(), "2026-04-01");
    assert_eq!(decision.reasons, [Reason::Hold { hold: 0 }, Reason::Hold { hold: 1 }]);
}

#[test]
fn an_override_by_record_applies_where_the_record_says_so_and_may_where_it_does_not_say() {
    let by_country = |retain, value: Option<&str>| {
        let (mut policy, records) = with_records(uploaded(), row(None, value));
        policy.overrides = vec![Override {
            tenants: None,
            condition: Some(RecordCondition {
                table: 0,
                column: "ended".to_owned(),
                is: names(&["DE", "AT"]),
            }),
            ..longer(&[], retain)
        }];
        (policy, records)
    };
    let told = |retain, value, now| {
        let (policy, records) = by_country(retain, value);
        decided(&policy, &records, &object(), now).verdict
    };
    let year = Period::months(12);
    assert_eq!(told(year, Some("AT"), "2026-04-01"), Verdict::Retained);
    assert_eq!(told(year, Some("FR"), "2026-04-01"), Verdict::Expired);
    // It may be a slip, or another value.
    assert_eq!(told(year, Some("at"), "2026-04-01"), Verdict::Undecided);
    assert_eq!(told(year, Some("at"), "2027-03-02"), Verdict::Expired);
    // Nobody can have meant these.
    for value in [
        "DE\u{200b}",
        "\u{feff}DE",
        "D\u{fffd}",
        "D\0E",
        "?",
        "-",
        "--",
        "NULL",
        "(null)",
        "<NA>",
        "<nil>",
        "undefined",
    ] {
        assert_eq!(told(year, Some(value), "2026-04-01"), Verdict::Undecided, "{value:?}");
        assert_eq!(told(year, Some(value), "2027-03-02"), Verdict::Expired, "{value:?}");
    }
    // Namibia, and a name that somebody has written out.
    for value in ["NA", "Côte d'Ivoire"] {
        assert_eq!(told(year, Some(value), "2026-04-01"), Verdict::Expired, "{value:?}");
    }
    // Nobody has filled the country in.
    assert_eq!(told(year, None, "2026-04-01"), Verdict::Undecided);
    assert_eq!(told(year, None, "2026-03-31"), Verdict::Retained);
    assert_eq!(told(year, None, "2027-03-02"), Verdict::Expired);
    // A shorter one that may apply: not before the rule's own period is over.
    assert_eq!(told(Period::days(1), None, "2026-03-03"), Verdict::Undecided);
    assert_eq!(told(Period::days(1), None, "2026-04-01"), Verdict::Expired);
    assert_eq!(told(Period::days(1), Some("DE"), "2026-03-03"), Verdict::Expired);
    let (policy, _) = by_country(year, None);
    let decision = decided(&policy, &Records::default(), &object(), "2026-04-01");
    assert_eq!(decision.reasons, [Reason::OverrideMightApply { rule: 0, over: 0 }]);
}

#[test]
fn no_order_of_overrides_that_may_apply_decides_what_is_read() {
    let (mut policy, records) = with_records(uploaded(), None);
    let mut campaigns = policy.tables[0].clone();
    campaigns.by = crate::policy::By::Attribute(Attribute::Tag("campaign".to_owned()));
    policy.tables.push(campaigns);
    let by = |table, retain| Override {
        tenants: None,
        condition: Some(RecordCondition { table, column: "ended".to_owned(), is: names(&["DE"]) }),
        ..longer(&[], retain)
    };
    // Of the first no row will ever tell, and it keeps the object: the tags of the other are read in vain.
    policy.overrides = vec![by(0, Period::months(12)), by(1, Period::months(2))];
    for _ in 0..2 {
        assert_eq!(decided(&policy, &records, &object(), "2026-04-02").verdict, Verdict::Undecided);
        policy.overrides.reverse();
    }
    policy.overrides[0].retain = Period::days(40);
    for _ in 0..2 {
        assert_eq!(step(&policy, &object(), "2026-04-15"), TAGS);
        policy.overrides.reverse();
    }
}

#[test]
fn a_rule_that_may_cover_it_and_asks_for_more_before_it_goes_has_to_be_known() {
    let tagged = Select { tags: vec![condition("class", &["media"])], ..Select::default() };
    let place = ExportPlace { bucket: "exports".to_owned(), prefix: String::new() };
    for (export, undo_window) in [(Some(place), None), (None, Some(Period::days(7))), (None, None)] {
        let asks = export.is_some() || undo_window.is_some();
        let mut policy = policy();
        policy.rules[0].trigger = uploaded();
        let shorter = Rule {
            id: "b".to_owned(),
            select: tagged.clone(),
            retain: Period::days(10),
            export,
            undo_window,
            ..policy.rules[0].clone()
        };
        policy.rules.push(shorter);
        let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
        if !asks {
            // Due either way, and removed in the same way.
            assert_eq!(verdict(&policy, &object(), "2026-04-01"), Verdict::Expired);
            continue;
        }
        assert_eq!(step(&policy, &object(), "2026-04-01"), TAGS);
        let decision = decided(&policy, &Records::default(), &denied, "2026-04-01");
        let might = Reason::RuleMightCover { rule: 1, why: Some(Unreadable::Denied) };
        assert_eq!((decision.verdict, decision.reasons), (Verdict::Undecided, vec![might]));
        let other = attributes(&[("class", "other")]);
        let other = Observed { tags: Reading::Known(&other), ..object() };
        assert_eq!(decided(&policy, &Records::default(), &other, "2026-04-01").rules, [0]);
    }
}

#[test]
fn what_is_asked_for_under_some_tenants_alone_keeps_what_could_be_theirs() {
    let mut policy = policy();
    policy.tenant = vec![Attribute::Tag("customer".to_owned())];
    policy.rules[0].trigger = uploaded();
    let theirs = Rule {
        id: "b".to_owned(),
        select: tenants(&["1"]),
        retain: Period::days(10),
        undo_window: Some(Period::days(7)),
        ..policy.rules[0].clone()
    };
    policy.rules.push(theirs);
    let denied = Observed { tags: Reading::Unknown(Unreadable::Denied), ..object() };
    assert_eq!(verdict(&policy, &denied, "2026-04-01"), Verdict::Undecided);
    let known = attributes(&[("customer", "2")]);
    let known = Observed { tags: Reading::Known(&known), ..object() };
    assert_eq!(verdict(&policy, &known, "2026-04-01"), Verdict::Expired);
}

#[test]
fn what_has_no_bytes_waits_for_no_window_and_no_copy() {
    let tagged = Select { tags: vec![condition("class", &["media"])], ..Select::default() };
    let place = ExportPlace { bucket: "exports".to_owned(), prefix: String::new() };
    let mut policy = policy();
    policy.rules[0].trigger = uploaded();
    let asking = Rule {
        id: "b".to_owned(),
        select: tagged,
        retain: Period::days(10),
        export: Some(place),
        undo_window: Some(Period::days(7)),
        ..policy.rules[0].clone()
    };
    policy.rules.push(asking);
    for kind in [Kind::Upload, Kind::Marker] {
        let not_kept = Reading::Unknown(Unreadable::NotKept);
        let without = Observed { kind, alone: true, tags: not_kept, size: 0, ..object() };
        assert_eq!(verdict(&policy, &without, "2026-05-01"), Verdict::Expired, "{kind:?}");
    }
}
