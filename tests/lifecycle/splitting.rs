//! Where something stays longer under a broader rule: which starts of keys S3 is given, and that
//! nothing of it rests on what was listed.

use std::collections::BTreeSet;

use shelflife::lifecycle::{
    Action, Claim, Compiled, DirectReason, Directories, Engine, Listing, Surroundings, compile,
};
use shelflife::object::Versioning;
use shelflife::pattern::KeyPattern;
use shelflife::policy::{Condition, Hold, Override, SizeRange, Transition};

use super::*;

/// Tenants as the second level of the key.
fn by_key(rules: Vec<Rule>) -> Policy {
    let key = KeyPattern::parse("*/{tenant}/**").unwrap();
    Policy { tenant: vec![Attribute::Key(key)], ..policy(chrono_tz::UTC, rules) }
}

fn listed(levels: &[(&str, &[&str])]) -> Surroundings {
    let mut directories = Directories::default();
    for (start, below) in levels {
        let below: BTreeSet<String> = below.iter().map(|name| format!("{start}{name}/")).collect();
        directories.insert((*start).to_owned(), Listing::Whole(below));
    }
    Surroundings::from(directories)
}

fn compiled_with(policy: &Policy, around: &Surroundings) -> Compiled {
    compile(policy, &bucket(Versioning::Never), around, at(NOW))
}

/// Starts with their days.
fn given(compiled: &Compiled) -> Vec<(&str, u32)> {
    compiled.claims.iter().map(|claim: &Claim| (claim.start.as_str(), claim.terms.expire_days)).collect()
}

fn custom(tenant: &str, days: u32) -> Override {
    Override {
        tenants: Some(vec![tenant.to_owned()]),
        condition: None,
        legal_basis: None,
        rule: 0,
        retain: Period::days(days),
        agreement: Some("MSA-1".to_owned()),
        until: None,
    }
}

fn hold(select: Select) -> Hold {
    Hold { id: "case-7".to_owned(), reason: "court".to_owned(), select, released: None }
}

#[test]
fn a_shorter_period_of_a_tenant_is_a_rule_of_its_own_and_splits_nothing() {
    let mut policy = by_key(vec![rule("media", "inbound/")]);
    policy.overrides = vec![custom("4711", 14)];
    let compiled = compiled_with(&policy, &Surroundings::default());
    assert_eq!(given(&compiled), [("inbound/", 30), ("inbound/4711/", 14)]);
    assert_eq!(compiled.engine(0), Some(&Engine::Lifecycle(compiled.claims[0].terms)));
    assert!(compiled.unlisted.is_empty());
}

#[test]
fn a_longer_period_of_a_tenant_splits_the_rule_into_the_directories_that_are_there() {
    let mut policy = by_key(vec![rule("media", "inbound/")]);
    policy.overrides = vec![custom("0815", 90)];
    let unlisted = compiled_with(&policy, &Surroundings::default());
    // The tenant's own directory is known by name.
    assert_eq!(given(&unlisted), [("inbound/0815/", 90)]);
    assert_eq!(unlisted.unlisted.iter().collect::<Vec<_>>(), ["inbound/"]);
    let compiled = compiled_with(&policy, &listed(&[("inbound/", &["0815", "4711", "4712"])]));
    assert_eq!(given(&compiled), [("inbound/0815/", 90), ("inbound/4711/", 30), ("inbound/4712/", 30)]);
    let Some(Engine::Split { starts: 3, elsewhere, .. }) = compiled.engine(0) else {
        panic!("{:?}", compiled.engines)
    };
    assert!(elsewhere.contains(&DirectReason::Beside("inbound/".to_owned())), "{elsewhere:?}");
    assert!(compiled.unlisted.is_empty());
    // Who is who is not for S3 to say where the key does not.
    assert!(compiled.claims_on("inbound/new/a", &[0]).next().is_none());
    assert!(compiled.claims_on("inbound/a.jpg", &[0]).next().is_none());
    assert_eq!(compiled.claims_on("inbound/0815/a", &[0]).count(), 1);
}

#[test]
fn tenants_further_down_are_found_level_by_level() {
    let mut policy = by_key(vec![rule("media", "")]);
    policy.overrides = vec![custom("0815", 90)];
    let top = compiled_with(&policy, &Surroundings::default());
    assert_eq!(top.unlisted.iter().collect::<Vec<_>>(), [""]);
    let next = compiled_with(&policy, &listed(&[("", &["in", "out"])]));
    assert_eq!(next.unlisted.iter().collect::<Vec<_>>(), ["in/", "out/"]);
    let whole = listed(&[("", &["in", "out"]), ("in/", &["0815", "1"]), ("out/", &["2"])]);
    let compiled = compiled_with(&policy, &whole);
    assert_eq!(given(&compiled), [("in/0815/", 90), ("in/1/", 30), ("out/0815/", 90), ("out/2/", 30)]);
}

#[test]
fn a_tag_beside_the_key_can_name_whom_a_hold_is_about() {
    let mut policy = by_key(vec![rule("media", "inbound/")]);
    policy.holds = vec![hold(Select { tenants: Some(vec!["0815".to_owned()]), ..Select::default() })];
    let around = listed(&[("inbound/", &["0815", "4711"])]);
    assert_eq!(given(&compiled_with(&policy, &around)), [("inbound/4711/", 30)]);
    policy.tenant.push(Attribute::Tag("customer".to_owned()));
    assert_eq!(given(&compiled_with(&policy, &around)), []);
    // An override goes by the first source alone, which is the key.
    policy.holds.clear();
    policy.overrides = vec![custom("0815", 90)];
    assert_eq!(given(&compiled_with(&policy, &around)), [("inbound/0815/", 90), ("inbound/4711/", 30)]);
    policy.tenant.reverse();
    assert_eq!(given(&compiled_with(&policy, &around)), []);
}

#[test]
fn holds_exceptions_and_longer_rules_under_a_rule_are_left_out_of_it() {
    let around = listed(&[("inbound/", &["a", "b", "case"]), ("inbound/case/", &["1", "2"])]);
    let mut held = by_key(vec![rule("media", "inbound/")]);
    held.holds = vec![hold(select("inbound/case/1/"))];
    let beside = [("inbound/a/", 30), ("inbound/b/", 30), ("inbound/case/2/", 30)];
    assert_eq!(given(&compiled_with(&held, &around)), beside);
    let mut excepting = rule("media", "inbound/");
    excepting.select.except = vec![select("inbound/case/1/")];
    assert_eq!(given(&compiled_with(&by_key(vec![excepting]), &around)), beside);
    let longer = Rule { retain: Period::days(60), ..rule("other", "inbound/case/1/") };
    let both = compiled_with(&by_key(vec![rule("media", "inbound/"), longer]), &around);
    assert_eq!(given(&both), [beside[0], beside[1], ("inbound/case/1/", 60), beside[2]]);
    assert_eq!(both.claims[2].carries, [0, 1]);
    // A start that ends within a name takes its directories whole.
    let mut raw = by_key(vec![rule("media", "inbound/")]);
    raw.holds = vec![hold(select("inbound/ca"))];
    assert_eq!(given(&compiled_with(&raw, &around)), beside[..2]);
}

#[test]
fn a_shorter_rule_within_is_held_to_what_stands_under_it_as_well() {
    // A tenant's shorter period around something that stays longer than it, but not than the rule.
    let x = Rule { retain: Period::days(20), ..rule("x", "in/4711/x/") };
    let mut by_tenant = by_key(vec![rule("media", "in/"), x]);
    by_tenant.overrides = vec![custom("4711", 7)];
    let around = listed(&[("in/", &["4711", "1"]), ("in/4711/", &["x", "y"])]);
    let expected = [("in/1/", 30), ("in/4711/x/", 20), ("in/4711/y/", 7)];
    assert_eq!(given(&compiled_with(&by_tenant, &around)), expected);
    // The same by an exception.
    let mut outer = rule("a", "in/");
    outer.select.except = vec![select("in/4711/")];
    let rules = vec![
        outer,
        Rule { retain: Period::days(7), ..rule("b", "in/") },
        Rule { retain: Period::days(20), ..rule("c", "in/4711/x/") },
    ];
    assert_eq!(given(&compiled_with(&by_key(rules), &around)), expected);
}

#[test]
fn a_hold_makes_no_error_of_a_rule_that_the_policy_demands_of_s3() {
    let demanded = Rule { enforce: Enforce::Lifecycle, ..rule("media", "inbound/") };
    let mut policy = by_key(vec![demanded]);
    policy.holds = vec![hold(Select { tenants: Some(vec!["0815".to_owned()]), ..Select::default() })];
    let mut many = Surroundings::default();
    many.directories.insert("inbound/".to_owned(), Listing::TooMany(10_000));
    for around in [Surroundings::default(), many, listed(&[("inbound/", &["0815"])])] {
        let compiled = compiled_with(&policy, &around);
        assert_eq!(compiled.refused().count(), 0, "{:?}", compiled.engines);
        assert!(compiled.rules.is_empty());
    }
}

#[test]
fn tags_and_sizes_are_not_for_buckets_with_versions_for_no_rule_of_s3s_would_remove_the_markers() {
    let mut tagged = Rule { noncurrent: Some(NONCURRENT), ..rule("tagged", "inbound/") };
    tagged.select.tags = vec![Condition { name: "class".to_owned(), values: vec!["a".to_owned()] }];
    let policy = by_key(vec![tagged]);
    let compiled = compile(&policy, &bucket(Versioning::Enabled), &Surroundings::default(), at(NOW));
    assert_eq!(compiled.engine(0), Some(&Engine::Direct(vec![DirectReason::LeavesMarkers])));
}

#[test]
fn what_is_only_observed_is_never_named_by_a_rule_of_s3s() {
    let mut watched =
        Rule { enforce: Enforce::Observe, retain: Period::days(60), ..rule("watch", "inbound/") };
    watched.select.tags = vec![Condition { name: "class".to_owned(), values: vec!["a".to_owned()] }];
    let compiled = compiled_with(&by_key(vec![rule("media", "inbound/"), watched]), &Surroundings::default());
    assert_eq!(compiled.rules, []);
}

#[test]
fn a_hold_that_is_placed_takes_the_broad_rule_away_even_if_nothing_is_listed() {
    let mut policy = by_key(vec![rule("media", "inbound/")]);
    policy.holds = vec![hold(select("inbound/case/"))];
    assert_eq!(given(&compiled_with(&policy, &Surroundings::default())), []);
}

#[test]
fn tags_and_sizes_become_filters_if_nothing_else_stays_longer() {
    let tagged = |days: u32, values: &[&str]| {
        let mut rule = Rule { retain: Period::days(days), ..rule("tagged", "inbound/") };
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        rule.select.tags = vec![Condition { name: "class".to_owned(), values }];
        rule.select.size = Some(SizeRange { over: Some(10), under: None });
        rule.incomplete_uploads = Some(Period::days(7));
        rule
    };
    let alone = compiled_with(&by_key(vec![tagged(30, &["a", "b"])]), &Surroundings::default());
    let filters: Vec<_> = alone.rules.iter().map(|rule| rule.filter().clone()).collect();
    assert_eq!(filters.len(), 2);
    assert!(
        filters.iter().all(|it| it.prefix == "inbound/" && it.tags.len() == 1 && it.size_over == Some(10))
    );
    // S3 aborts no uploads in a rule with tags.
    let expire = Action::Expire { days: 30, noncurrent_days: None, abort_days: None };
    assert!(alone.rules.iter().all(|rule| rule.action() == expire));
    assert!(alone.claims_on("inbound/a", &[0]).next().is_some());
    assert!(alone.claims_on("inbound/a", &[]).next().is_none());

    let beside = |days| by_key(vec![rule("media", "inbound/"), tagged(days, &["a"])]);
    // Longer: what is not tagged cannot be told apart, and is Shelflife's.
    let longer = compiled_with(&beside(60), &Surroundings::default());
    let Some(Engine::Split { elsewhere, .. }) = longer.engine(0) else { panic!("{:?}", longer.engines) };
    assert_eq!(elsewhere, &[DirectReason::Overlaps("tagged".to_owned())]);
    assert!(longer.claims_on("inbound/a", &[0]).next().is_none());
    assert_eq!(longer.lifecycle(1).unwrap().expire_days, 60);
    // Shorter: the longer rule keeps all of it.
    let shorter = compiled_with(&beside(20), &Surroundings::default());
    assert_eq!(given(&shorter), [("inbound/", 30)]);
    assert_eq!(shorter.engine(1), Some(&Engine::Direct(vec![DirectReason::Outlasted])));
}

#[test]
fn rules_that_say_the_same_share_one_rule_and_one_for_delete_markers() {
    let noncurrent = |id: &str, prefix: &str| Rule { noncurrent: Some(NONCURRENT), ..rule(id, prefix) };
    let policy = by_key(vec![noncurrent("a", "inbound/"), noncurrent("b", "inbound/x/")]);
    let compiled = compile(&policy, &bucket(Versioning::Enabled), &Surroundings::default(), at(NOW));
    assert_eq!(given(&compiled), [("inbound/", 30)]);
    assert_eq!(compiled.claims[0].carries, [0, 1]);
    assert_eq!(compiled.rules.len(), 2, "{:?}", compiled.rules);
    // Split up by longer periods, one rule for all lone markers still does.
    let mut split = by_key(vec![noncurrent("a", "inbound/")]);
    split.overrides = vec![custom("0815", 90)];
    let around = listed(&[("inbound/", &["0815", "1", "2", "3"])]);
    let compiled = compile(&split, &bucket(Versioning::Enabled), &around, at(NOW));
    let markers = compiled.rules.iter().filter(|rule| rule.action() == Action::RemoveMarkers);
    assert_eq!(markers.map(|rule| rule.filter().prefix.as_str()).collect::<Vec<_>>(), ["inbound/"]);
    // But a hold keeps even a marker.
    split.overrides.clear();
    split.holds = vec![hold(select("inbound/0815/"))];
    let compiled = compile(&split, &bucket(Versioning::Enabled), &around, at(NOW));
    let markers = compiled.rules.iter().filter(|rule| rule.action() == Action::RemoveMarkers);
    let starts: Vec<_> = markers.map(|rule| rule.filter().prefix.as_str()).collect();
    assert_eq!(starts.len(), 3, "{starts:?}");
    assert!(!starts.contains(&"inbound/0815/"));
}

#[test]
fn uploads_go_by_the_longest_of_all_that_could_cover_them() {
    let aborting = |id: &str, prefix: &str, days| Rule {
        incomplete_uploads: Some(Period::days(days)),
        ..rule(id, prefix)
    };
    let policy = by_key(vec![aborting("a", "inbound/", 7), aborting("b", "inbound/", 9)]);
    let compiled = compiled_with(&policy, &Surroundings::default());
    assert_eq!(compiled.claims[0].terms.abort_days, Some(9));
    // Where one of them says nothing of uploads, they are Shelflife's.
    let policy = by_key(vec![aborting("a", "inbound/", 7), rule("b", "inbound/")]);
    let compiled = compiled_with(&policy, &Surroundings::default());
    assert_eq!(compiled.claims[0].terms.abort_days, None);
}

#[test]
fn what_takes_more_rules_than_s3_has_is_direct_with_the_number() {
    let mut policy = by_key(vec![rule("many", "in/"), rule("one", "out/")]);
    policy.overrides = vec![custom("0815", 90)];
    let names: Vec<String> = (0..1200).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let compiled = compiled_with(&policy, &listed(&[("in/", &names)]));
    assert_eq!(given(&compiled), [("out/", 30)]);
    let Some(Engine::Direct(reasons)) = compiled.engine(0) else { panic!("{:?}", compiled.engines) };
    assert!(reasons.contains(&DirectReason::TooManyRules { needed: 1201, room: 999 }), "{reasons:?}");
    // Rules of others leave less room.
    let full = Surroundings { other_rules: 1000, ..Surroundings::default() };
    assert!(compiled_with(&by_key(vec![rule("one", "out/")]), &full).claims.is_empty());
    let mut many = Surroundings::default();
    many.directories.insert("in/".to_owned(), Listing::TooMany(10_000));
    let Some(Engine::Split { elsewhere, .. }) = compiled_with(&policy, &many).engine(0).cloned() else {
        panic!()
    };
    let reason = DirectReason::TooManyDirectories { start: "in/".to_owned(), found: 10_000 };
    assert!(elsewhere.contains(&reason), "{elsewhere:?}");
}

#[test]
fn transitions_count_from_the_latest_that_the_trigger_can_be() {
    let archived = Rule {
        retain: Period::days(400),
        trigger: communicated(0, DAY),
        transitions: vec![Transition { after: Period::days(90), to: "GLACIER_IR".to_owned() }],
        ..rule("media", "inbound/")
    };
    let policy = Policy { tolerance_days: 10, ..by_key(vec![archived]) };
    let compiled = compiled_with(&policy, &Surroundings::default());
    let xml = document("").to_xml();
    assert!(xml.contains("LifecycleConfiguration"));
    let view = compiled.rules[0].view(shelflife::lifecycle::Status::Enabled);
    let [transition] = view.transitions.as_slice() else { panic!("{view:?}") };
    assert_eq!(transition.class, "GLACIER_IR");
    let shelflife::lifecycle::When::Days(days) = transition.when.unwrap() else { panic!() };
    assert!((91..=93).contains(&days), "{days}");
}

#[test]
fn a_change_of_one_rule_moves_that_rule_alone_and_the_same_policy_is_the_same() {
    let mut policy = by_key(vec![rule("a", "a/"), rule("b", "b/"), rule("c", "c/")]);
    policy.overrides = vec![custom("0815", 90)];
    let around = listed(&[("a/", &["0815", "1"])]);
    let ids = |policy: &Policy| {
        let compiled = compiled_with(policy, &around);
        compiled.rules.iter().map(|rule| rule.id().to_owned()).collect::<Vec<_>>()
    };
    let before = ids(&policy);
    assert_eq!(before, ids(&policy));
    policy.rules[1].retain = Period::days(31);
    let moved: Vec<String> = ids(&policy).into_iter().filter(|id| !before.contains(id)).collect();
    assert_eq!(moved.len(), 1);
    assert!(moved[0].starts_with("shelflife:acme:b:"), "{moved:?}");
}
