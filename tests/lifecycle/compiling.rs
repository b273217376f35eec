//! Which rules go to S3, with what, and what keeps the others.

use shelflife::lifecycle::{
    Action, Compiled, DirectReason, Engine, LifecycleTerms, Surroundings, compile, eligible_at,
};
use shelflife::media::MediaRange;
use shelflife::object::{BucketFacts, Versioning};
use shelflife::pattern::{BucketPattern, KeyPattern};
use shelflife::policy::{Hold, Override, Term};

use super::*;

/// What keeps the first rule from S3, and nothing but that.
fn reasons_in(policy: &Policy, bucket: &BucketFacts) -> Vec<DirectReason> {
    let compiled = compile(policy, bucket, &Surroundings::default(), at(NOW));
    match compiled.engine(0) {
        Some(Engine::Direct(reasons)) => {
            assert!(compiled.rules.iter().all(|rule| rule.policy_rule() != policy.rules[0].id));
            reasons.clone()
        }
        other => panic!("expected direct, got {other:?}"),
    }
}

fn reasons(policy: &Policy) -> Vec<DirectReason> {
    reasons_in(policy, &bucket(Versioning::Never))
}

/// The one rule of a policy, changed.
fn one(change: impl FnOnce(&mut Rule)) -> Policy {
    let mut rule = rule("media", "inbound/");
    change(&mut rule);
    policy(chrono_tz::Europe::Zagreb, vec![rule])
}

fn only_lifecycle(compiled: &Compiled) -> LifecycleTerms {
    compiled.lifecycle(0).unwrap_or_else(|| panic!("expected lifecycle: {:?}", compiled.engines))
}

#[test]
fn the_notices_media_rule_goes_to_s3_with_31_days() {
    let policy = one(|rule| {
        rule.trigger = communicated(DAY, HOUR);
        rule.incomplete_uploads = Some(Period::days(7));
    });
    let compiled = compiled(&policy);
    assert_eq!(
        only_lifecycle(&compiled),
        LifecycleTerms { expire_days: 31, lateness_days: 3, noncurrent_days: None, abort_days: Some(7) }
    );
    let [rule] = compiled.rules.as_slice() else { panic!("{:?}", compiled.rules) };
    assert_eq!((rule.policy_rule(), rule.filter().prefix.as_str()), ("media", "inbound/"));
    assert_eq!(rule.action(), Action::Expire { days: 31, noncurrent_days: None, abort_days: Some(7) });
}

#[test]
fn a_versioned_bucket_gets_noncurrent_days_and_a_rule_of_its_own_for_markers() {
    let policy = one(|rule| rule.noncurrent = Some(NONCURRENT));
    let compiled = compile(&policy, &bucket(Versioning::Enabled), &Surroundings::default(), at(NOW));
    // One for midnight uploads, one for the marker, one for the marker's exact midnight.
    assert_eq!(
        only_lifecycle(&compiled),
        LifecycleTerms { expire_days: 30, lateness_days: 3, noncurrent_days: Some(1), abort_days: None }
    );
    let mut actions: Vec<Action> = compiled.rules.iter().map(|rule| rule.action()).collect();
    actions.sort();
    let expire = Action::Expire { days: 30, noncurrent_days: Some(1), abort_days: None };
    assert_eq!(actions, [expire, Action::RemoveMarkers]);
}

#[test]
fn an_unversioned_bucket_gets_nothing_for_versions_that_it_cannot_have() {
    let compiled = compiled(&one(|rule| rule.noncurrent = Some(NONCURRENT)));
    assert_eq!(only_lifecycle(&compiled).noncurrent_days, None);
    assert_eq!(compiled.rules.len(), 1);
}

#[test]
fn months_count_their_longest_length_for_uploads_in_progress_too() {
    let mut policy = one(|rule| rule.incomplete_uploads = Some(Period::months(1)));
    policy.tolerance_days = 10;
    let terms = only_lifecycle(&compiled(&policy));
    assert_eq!((terms.abort_days, terms.lateness_days), (Some(31), 4));
}

#[test]
fn a_rule_of_another_bucket_is_not_spoken_of() {
    let policy = one(|rule| rule.select.buckets = vec![BucketPattern::parse("elsewhere").unwrap()]);
    assert_eq!(compiled(&policy), Compiled::default());
}

#[test]
fn what_the_policy_gives_to_shelflife_stays_there() {
    let policy = one(|rule| rule.enforce = Enforce::Direct);
    assert_eq!(reasons(&policy), [DirectReason::PolicySaysDirect]);
}

#[test]
fn an_observed_rule_is_nobodys() {
    let compiled = compiled(&one(|rule| rule.enforce = Enforce::Observe));
    assert_eq!(compiled.engine(0), Some(&Engine::Observe));
    assert!(compiled.rules.is_empty());
}

#[test]
fn selections_that_a_prefix_cannot_say_stay_direct() {
    let key = one(|rule| rule.select.key = Some(KeyPattern::parse("inbound/*.jpg").unwrap()));
    assert_eq!(reasons(&key), [DirectReason::KeyPattern]);
    let tenants = one(|rule| rule.select.tenants = Some(vec!["0815".to_owned()]));
    assert_eq!(reasons(&tenants), [DirectReason::Tenants]);
    let control = one(|rule| rule.select.prefix = Some("inbound/\u{1}".to_owned()));
    assert_eq!(reasons(&control), [DirectReason::Prefix]);
    let long = one(|rule| rule.select.prefix = Some("x".repeat(1025)));
    assert_eq!(reasons(&long), [DirectReason::Prefix]);
    let long = one(|rule| rule.id = "x".repeat(250));
    assert_eq!(reasons(&long), [DirectReason::IdTooLong]);
}

#[test]
fn triggers_that_can_lead_away_from_the_upload_stay_direct() {
    let with = |trigger: Trigger| one(|rule| rule.trigger = trigger);
    let near = || communicated(HOUR, HOUR);
    let record = || Trigger { source: Source::Record { table: 0, column: "end".to_owned() }, ..near() };
    assert_eq!(reasons(&with(record())), [DirectReason::TriggerNeedsRecords]);
    let earliest = |of: Trigger| Trigger {
        source: Source::Earliest(vec![
            Term { trigger: uploaded(), plus: None },
            Term { trigger: of, plus: None },
        ]),
        ..near()
    };
    assert_eq!(reasons(&with(earliest(record()))), [DirectReason::TriggerNeedsRecords]);
    assert_eq!(reasons(&with(earliest(near()))), [DirectReason::TriggerOfSeveralDates]);
    let no_within = Trigger { within: None, ..near() };
    assert_eq!(reasons(&with(no_within)), [DirectReason::NoWithin]);
    let undecided = Trigger { outside: Outside::Undecided, ..near() };
    assert_eq!(reasons(&with(undecided)), [DirectReason::NoClamp]);
    for missing in [None, Some(IfMissing::Undecided), Some(IfMissing::Retained)] {
        let trigger = Trigger { if_missing: missing, ..near() };
        assert_eq!(reasons(&with(trigger)), [DirectReason::MissingIsNotUploaded]);
    }
    let within = |before, after| Trigger { within: Some(Within { before, after }), ..near() };
    assert_eq!(reasons(&with(within(None, Some(1)))), [DirectReason::UnlimitedBefore]);
    assert_eq!(reasons(&with(within(Some(1), None))), [DirectReason::UnlimitedAfter]);
    assert_eq!(reasons(&with(within(Some(u64::MAX), Some(1)))), [DirectReason::TooLong]);
}

#[test]
fn what_s3_could_keep_too_long_stays_direct() {
    let policy = one(|rule| {
        rule.trigger = communicated(DAY, HOUR);
        rule.retain = Period::months(12);
    });
    assert_eq!(reasons(&policy), [DirectReason::Late { bound: 4, tolerance: 3 }]);
    let tolerant = Policy { tolerance_days: 4, ..policy };
    assert_eq!(only_lifecycle(&compiled(&tolerant)).expire_days, 367);
}

#[test]
fn an_override_in_force_keeps_its_rule_direct_and_no_other() {
    let mut policy = policy(chrono_tz::UTC, vec![rule("a", "a/"), rule("b", "b/")]);
    policy.overrides.push(Override {
        tenants: Some(vec!["4711".to_owned(), "4712".to_owned()]),
        condition: None,
        legal_basis: None,
        rule: 0,
        retain: Period::days(14),
        agreement: None,
        until: Some("2026-06-01".parse().unwrap()),
    });
    assert_eq!(reasons(&policy), [DirectReason::Overridden { tenants: 2, by_record: false }]);
    assert!(compiled(&policy).lifecycle(1).is_some());
    let day_after =
        compile(&policy, &bucket(Versioning::Never), &Surroundings::default(), at("2026-06-02T00:00:00Z"));
    assert!(day_after.lifecycle(0).is_some());
}

fn hold(select: Select) -> Hold {
    Hold { id: "case-7".to_owned(), reason: "court".to_owned(), select, released: None }
}

#[test]
fn a_hold_that_could_touch_an_object_keeps_the_rule_direct() {
    let touching = [
        Select::default(),
        select("in"),
        Select { tenants: Some(vec!["4711".to_owned()]), ..Select::default() },
        Select { key: Some(KeyPattern::parse("**.jpg").unwrap()), ..Select::default() },
    ];
    let held = DirectReason::Hold("case-7".to_owned());
    for select in touching {
        let mut policy = one(|_| {});
        policy.holds.push(hold(select.clone()));
        assert_eq!(reasons(&policy).as_slice(), std::slice::from_ref(&held), "{select:?}");
    }
    // Where it lies deeper, S3 could be given what is beside it.
    let mut policy = one(|_| {});
    policy.holds.push(hold(select("inbound/2026/")));
    assert_eq!(reasons(&policy), [DirectReason::Unlisted("inbound/".to_owned()), held]);
}

#[test]
fn a_hold_elsewhere_or_released_does_not() {
    let mut released = hold(Select::default());
    released.released = Some("2026-05-31".parse().unwrap());
    let elsewhere = Select { buckets: vec![BucketPattern::parse("other").unwrap()], ..Select::default() };
    let mut policy = one(|_| {});
    let by_pattern = Select { key: Some(KeyPattern::parse("outbound/*.jpg").unwrap()), ..Select::default() };
    policy.holds = vec![released, hold(elsewhere), hold(select("outbound/")), hold(by_pattern)];
    assert!(compiled(&policy).lifecycle(0).is_some());
}

#[test]
fn a_hold_makes_a_rule_direct_that_the_policy_demands_of_s3_and_no_error() {
    let mut policy = one(|rule| rule.enforce = Enforce::Lifecycle);
    policy.holds.push(hold(Select::default()));
    assert_eq!(reasons(&policy), [DirectReason::Hold("case-7".to_owned())]);
    assert_eq!(compiled(&policy).refused().count(), 0);
}

#[test]
fn a_rule_that_could_keep_the_same_object_longer_keeps_the_other_direct() {
    let overlapping = [
        select(""),
        select("inbound/"),
        Select { key: Some(KeyPattern::parse("**.jpg").unwrap()), ..select("") },
        Select { tenants: Some(vec!["4711".to_owned()]), ..select("inbound/") },
    ];
    let overlaps = [DirectReason::Overlaps("other".to_owned())];
    for select in overlapping {
        let other = |enforce, retain| Rule { select: select.clone(), enforce, retain, ..rule("other", "") };
        let beside = |other| policy(chrono_tz::UTC, vec![rule("media", "inbound/"), other]);
        // Whatever its period, what Shelflife carries out itself is none of S3's.
        assert_eq!(reasons(&beside(other(Enforce::Direct, Period::days(1)))), overlaps, "{select:?}");
        let by_records = Rule {
            trigger: Trigger { source: Source::Record { table: 0, column: "end".to_owned() }, ..uploaded() },
            ..other(Enforce::Auto, Period::days(1))
        };
        assert_eq!(reasons(&beside(by_records)), overlaps, "{select:?}");
        // A shorter one never keeps anything that the longer one lets go.
        for enforce in [Enforce::Auto, Enforce::Observe] {
            let shorter = beside(other(enforce, Period::days(29)));
            assert_eq!(only_lifecycle(&compiled(&shorter)).expire_days, 30, "{select:?}");
        }
    }
    // Both cover everything under the one's prefix: there S3 waits for the longer.
    let longer = Rule { retain: Period::days(31), ..rule("other", "") };
    let both = compiled(&policy(chrono_tz::UTC, vec![rule("media", "inbound/"), longer]));
    assert_eq!(both.lifecycle(0).unwrap().expire_days, 31);
    let [only] = both.rules.as_slice() else { panic!("{:?}", both.rules) };
    assert_eq!((only.policy_rule(), only.filter().prefix.as_str()), ("other", ""));
    // What only some objects have keeps the other rule direct on all.
    let media = Some(vec![MediaRange::parse("image/*").unwrap()]);
    let some = Rule { select: Select { media, ..select("") }, retain: Period::days(31), ..rule("other", "") };
    assert_eq!(reasons(&policy(chrono_tz::UTC, vec![rule("media", "inbound/"), some])), overlaps);
}

#[test]
fn rules_with_prefixes_that_exclude_each_other_or_in_other_buckets_do_not() {
    let mut elsewhere = rule("elsewhere", "");
    elsewhere.select.buckets = vec![BucketPattern::parse("recordings").unwrap()];
    let rules = vec![rule("in", "inbound/"), rule("out", "outbound/"), elsewhere];
    let compiled = compiled(&policy(chrono_tz::UTC, rules));
    assert!(compiled.lifecycle(0).is_some() && compiled.lifecycle(1).is_some());
    assert_eq!(compiled.engine(2), None);
    assert_eq!(compiled.rules.len(), 2);
}

#[test]
fn buckets_in_which_expiration_does_something_else_stay_direct() {
    let noncurrent = || one(|rule| rule.noncurrent = Some(NONCURRENT));
    let enabled = bucket(Versioning::Enabled);
    assert_eq!(reasons_in(&one(|_| {}), &enabled), [DirectReason::VersionedWithoutNoncurrent]);
    let kept = one(|rule| rule.noncurrent = Some(Noncurrent { newer_versions: 2, ..NONCURRENT }));
    assert_eq!(reasons_in(&kept, &enabled), [DirectReason::NewerVersionsStay(2)]);
    assert_eq!(reasons_in(&noncurrent(), &bucket(Versioning::Suspended)), [DirectReason::Suspended]);
    let mfa = BucketFacts { mfa_delete: true, ..enabled.clone() };
    assert_eq!(reasons_in(&noncurrent(), &mfa), [DirectReason::MfaDelete]);
    let locked = BucketFacts { object_lock: true, ..enabled };
    assert_eq!(reasons_in(&noncurrent(), &locked), [DirectReason::ObjectLock]);
}

#[test]
fn every_reason_is_told_and_not_just_the_first() {
    let policy = one(|rule| {
        rule.trigger = Trigger { within: None, if_missing: None, ..communicated(1, 1) };
        rule.select.key = Some(KeyPattern::parse("**.jpg").unwrap());
    });
    let told = reasons_in(&policy, &bucket(Versioning::Suspended));
    let all = [
        DirectReason::KeyPattern,
        DirectReason::NoWithin,
        DirectReason::MissingIsNotUploaded,
        DirectReason::Suspended,
    ];
    assert_eq!(told, all);
}

#[test]
fn what_is_demanded_of_s3_and_cannot_be_proved_is_refused() {
    let policy = one(|rule| {
        rule.enforce = Enforce::Lifecycle;
        rule.trigger = Trigger { outside: Outside::Undecided, ..communicated(HOUR, HOUR) };
    });
    let compiled = compiled(&policy);
    let refused: Vec<_> = compiled.refused().collect();
    assert_eq!(refused, [(0, [DirectReason::NoClamp].as_slice())]);
    assert!(compiled.rules.is_empty());
}

#[test]
fn reasons_are_plain_words() {
    let late = DirectReason::Late { bound: 4, tolerance: 1 };
    assert_eq!(late.to_string(), "S3 could be 4 days late, and the policy tolerates 1 day");
    let hold = DirectReason::Hold("case-7".to_owned());
    assert_eq!(hold.to_string(), "the hold `case-7` could keep some of its objects");
}

#[test]
fn eligibility_rounds_up_to_midnight_and_leaves_a_midnight_alone() {
    // The examples of S3's user guide.
    assert_eq!(eligible_at(at("2026-01-15T10:30:00Z"), 3), Some(at("2026-01-19T00:00:00Z")));
    assert_eq!(eligible_at(at("2026-01-02T00:05:00Z"), 1), Some(at("2026-01-04T00:00:00Z")));
    assert_eq!(eligible_at(at("2026-01-02T00:00:00Z"), 1), Some(at("2026-01-03T00:00:00Z")));
}
