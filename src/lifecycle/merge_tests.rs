//! What is left of a change when only what makes S3 do less is wanted.

use std::slice::from_ref;

use super::{Action, ChangeKind, LifecycleDocument, Merge, Move, OwnedRule, Target, When, merge};

fn expire(rule: &str, prefix: &str, days: u32) -> OwnedRule {
    OwnedRule::new("acme", rule, prefix, Action::Expire { days, noncurrent_days: None, abort_days: None })
}

/// The same with a move to colder storage on the way.
fn moving(rule: OwnedRule) -> OwnedRule {
    rule.moving(&[Move { days: 1, class: "GLACIER_IR".to_owned() }])
}

fn document(target: &Target) -> Option<&LifecycleDocument> {
    match target {
        Target::Put(document) => Some(document),
        Target::Delete => None,
    }
}

/// What a policy of `rules` put into an empty bucket, as a store gives it back.
fn stored(rules: &[OwnedRule]) -> Option<LifecycleDocument> {
    let merged = merge(None, "acme", rules).unwrap();
    document(&merged.after).map(|document| LifecycleDocument::read(&document.to_xml()).unwrap())
}

/// The same with `from` in the first rule written as `to`.
fn edited(document: &LifecycleDocument, from: &str, to: &str) -> LifecycleDocument {
    LifecycleDocument::read(&document.to_xml().replacen(from, to, 1)).unwrap()
}

fn told(merge: &Merge) -> Vec<(&str, ChangeKind)> {
    merge.changes.iter().map(|change| (change.id.as_str(), change.kind)).collect()
}

/// Ids of the rules that stand there.
fn ids(target: &Target) -> Vec<&str> {
    document(target).map_or(&[][..], LifecycleDocument::rules).iter().map(|rule| rule.id()).collect()
}

#[test]
fn a_rule_whose_successor_is_neither_wider_nor_narrower_is_told_as_removed() {
    let old = expire("ott", "inbound/", 30);
    let new = moving(expire("ott", "inbound/", 365));
    let before = stored(from_ref(&old));
    let whole = merge(before.as_ref(), "acme", from_ref(&new)).unwrap();
    assert_eq!(told(&whole), [(new.id(), ChangeKind::Changed)]);

    let narrowed = whole.narrowing();

    assert_eq!(told(&narrowed), [(old.id(), ChangeKind::Removed)]);
    assert!(narrowed.changes[0].before.is_some() && narrowed.changes[0].after.is_none());
    assert!(!narrowed.is_unchanged() && !narrowed.removes_more());
    assert!(matches!(narrowed.after, Target::Delete));
    // Once it is gone, only the new one is left for another time.
    let again = merge(None, "acme", &[new]).unwrap().narrowing();
    assert!(again.is_unchanged() && again.changes.is_empty());
}

#[test]
fn a_rule_that_stays_until_the_new_one_is_enabled_is_told_as_kept() {
    let old = [expire("ott", "a/", 31), expire("ott", "b/", 31)];
    let whole = merge(stored(&old).as_ref(), "acme", &[expire("ott", "", 30)]).unwrap();
    assert_eq!(whole.changes.iter().filter(|change| change.kind == ChangeKind::Removed).count(), 2);

    let narrowed = whole.narrowing();

    let mut expected: Vec<_> = old.iter().map(|rule| (rule.id(), ChangeKind::Kept)).collect();
    expected.sort();
    assert_eq!(told(&narrowed), expected);
    assert!(narrowed.is_unchanged());
    assert_eq!(ids(&narrowed.after).len(), 2);
}

#[test]
fn a_rule_of_ours_that_somebody_has_weakened_is_left_as_it_is() {
    let rule = expire("ott", "inbound/", 31);
    let before = stored(from_ref(&rule)).unwrap();
    for (from, to) in [("<Days>31</Days>", "<Days>90</Days>"), ("Enabled", "Disabled")] {
        let before = edited(&before, from, to);
        let whole = merge(Some(&before), "acme", from_ref(&rule)).unwrap();
        assert!(whole.removes_more() && !whole.is_unchanged());
        let narrowed = whole.narrowing();
        assert_eq!(told(&narrowed), [(rule.id(), ChangeKind::Kept)]);
        assert!(narrowed.is_unchanged());
        assert_eq!(document(&narrowed.after).unwrap().rules()[0].view(), before.rules()[0].view());
    }
}

/// The first day on which S3 does each kind of thing to each key; rules' effects by brute force.
fn effects(document: Option<&LifecycleDocument>) -> Vec<Option<i64>> {
    let rules = document.map_or(&[][..], LifecycleDocument::rules);
    let mut effects = Vec::new();
    for key in ["a/x", "b"] {
        let mut days: [Option<i64>; 3] = [None; 3];
        let mut does = |what: usize, when: Option<i64>| {
            days[what] = days[what].into_iter().chain(when).min();
        };
        for view in rules.iter().map(|rule| rule.view()).filter(|view| view.is_enabled()) {
            if !key.starts_with(view.filter.prefix.as_str()) {
                continue;
            }
            let expiration = view.expiration.clone().unwrap_or_default();
            does(0, expiration.days);
            does(1, expiration.markers.then_some(0));
            for it in &view.transitions {
                let Some(When::Days(days)) = it.when else { panic!("{view}") };
                does(2, Some(days));
            }
        }
        effects.extend(days);
    }
    effects
}

/// Whether S3 does nothing under `a` that it does not do as soon under `b`.
fn no_more(a: &[Option<i64>], b: &[Option<i64>]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.is_none_or(|a| b.is_some_and(|b| a >= b)))
}

/// Every set of at most two rules of a few that differ in all that matters.
fn sets_of_rules() -> Vec<Vec<OwnedRule>> {
    let mut rules = vec![OwnedRule::new("acme", "r", "a/", Action::RemoveMarkers)];
    for (rule, prefix) in [("r", ""), ("r", "a/"), ("s", "a/")] {
        for days in [2, 3] {
            rules.push(expire(rule, prefix, days));
            rules.push(moving(expire(rule, prefix, days)));
        }
    }
    let mut sets = vec![Vec::new()];
    for (place, one) in rules.iter().enumerate() {
        sets.push(vec![one.clone()]);
        sets.extend(rules[..place].iter().map(|other| vec![one.clone(), other.clone()]));
    }
    sets
}

#[test]
fn a_narrowing_does_no_more_than_before_or_than_is_wanted_and_unchanged_is_what_stood_there() {
    let sets = sets_of_rules();
    for old in &sets {
        let whole = stored(old);
        let switched_off = whole.as_ref().map(|document| edited(document, "Enabled", "Disabled"));
        for before in [whole, switched_off] {
            for new in &sets {
                let merged = merge(before.as_ref(), "acme", new).unwrap();
                let narrowed = merged.narrowing();
                let [was, is, wanted] =
                    [before.as_ref(), document(&narrowed.after), document(&merged.after)].map(effects);
                assert!(no_more(&is, &was), "{old:#?} to {new:#?}");
                assert!(no_more(&is, &wanted), "what is not wanted any more is gone: {old:#?} to {new:#?}");
                if narrowed.is_unchanged() {
                    assert_eq!(is, was, "{old:#?} to {new:#?}");
                }
                assert!(!narrowed.removes_more());
                // A plan goes by what is told.
                let is_told = told(&narrowed).iter().any(|(_, kind)| *kind != ChangeKind::Kept);
                assert_eq!(is_told, !narrowed.is_unchanged(), "{old:#?} to {new:#?}");
                let there = ids(&narrowed.after);
                for (id, kind) in told(&narrowed) {
                    assert_eq!(there.contains(&id), kind != ChangeKind::Removed, "{id}: {kind:?}");
                }
            }
        }
    }
}
