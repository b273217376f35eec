//! What a merge changes, how it gets there, what counts as the same, and whose rules stand in the way.

use proptest::prelude::*;
use shelflife::lifecycle::{
    Action, ChangeKind, Difference, ForeignRemoval, LifecycleDocument, Merge, Move, OwnedRule, Status,
    Target, When, foreign_conflicts, merge, restore, same_meaning, validate,
};
use shelflife::object::Versioning;
use shelflife::plan::{ProposalError, draft, propose, propose_narrowing};

use super::*;

fn expire(rule: &str, prefix: &str, days: u32) -> OwnedRule {
    OwnedRule::new("acme", rule, prefix, Action::Expire { days, noncurrent_days: None, abort_days: None })
}

fn put(target: &Target) -> &LifecycleDocument {
    match target {
        Target::Put(document) => document,
        Target::Delete => panic!("there are rules"),
    }
}

/// What a policy of `rules` put into an empty bucket, as a store gives it back.
fn stored(rules: &[OwnedRule]) -> LifecycleDocument {
    LifecycleDocument::read(&put(&merge(None, "acme", rules).unwrap().after).to_xml()).unwrap()
}

fn kinds(merge: &Merge) -> Vec<ChangeKind> {
    merge.changes.iter().map(|change| change.kind).collect()
}

/// Ids and whether they run.
fn running(target: &Target) -> Vec<(String, bool)> {
    put(target).rules().iter().map(|rule| (rule.id().to_owned(), rule.view().is_enabled())).collect()
}

const FOREIGN: &str = "<Rule><ID>ops</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>";

#[test]
fn a_new_rule_is_staged_disabled_and_then_enabled() {
    let rule = expire("media", "inbound/", 31);
    let merged = merge(None, "acme", std::slice::from_ref(&rule)).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Added]);
    assert_eq!(running(&merged.staged), [(rule.id().to_owned(), false)]);
    assert_eq!(running(&merged.after), [(rule.id().to_owned(), true)]);
    assert!(merged.removes_more() && !merged.is_unchanged());
    assert_eq!(merged.changes[0].policy_rule, "media");
    assert_eq!(merged.changes[0].before, None);
    assert_eq!(merged.changes[0].after.as_deref(), Some("expires after 31 days under `inbound/`"));
}

#[test]
fn a_merge_of_what_is_there_already_changes_nothing() {
    let rules = [
        expire("media", "inbound/", 31),
        OwnedRule::new("acme", "media", "inbound/", Action::RemoveMarkers),
        expire("mail", "", 367),
    ];
    let merged = merge(Some(&stored(&rules)), "acme", &rules).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Kept; 3]);
    assert!(merged.is_unchanged() && !merged.removes_more());
    assert_eq!(put(&merged.after).to_xml(), put(&merged.staged).to_xml());
    assert_eq!(put(&merged.after).to_xml(), stored(&rules).to_xml());
}

#[test]
fn a_rule_that_a_store_wrote_in_its_own_way_is_kept() {
    // Another order, a comment, an `And` of one, spelled-out defaults.
    let rule = expire("media", "inbound/", 31);
    let own_way = format!(
        "<Rule><Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker><Days>31</Days></Expiration><!-- x --><Status>Enabled</Status><Filter><And><Prefix>inbound/</Prefix></And></Filter><ID>{}</ID></Rule>",
        rule.id()
    );
    assert!(merge(Some(&document(&own_way)), "acme", &[rule]).unwrap().is_unchanged());
}

#[test]
fn a_whole_bucket_rule_that_a_store_gives_back_in_the_old_form_is_kept() {
    let rule = expire("media", "", 31);
    let old_form = format!(
        "<Rule><ID>{}</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>31</Days></Expiration></Rule>",
        rule.id()
    );
    assert!(merge(Some(&document(&old_form)), "acme", &[rule]).unwrap().is_unchanged());
}

#[test]
fn several_moves_to_colder_storage_are_the_same_in_whatever_order_they_stand() {
    let moves = [(90, "GLACIER_IR"), (180, "DEEP_ARCHIVE")];
    let moves = moves.map(|(days, class)| Move { days, class: class.to_owned() });
    let rule = expire("media", "inbound/", 731).moving(&moves);
    let written = put(&merge(None, "acme", std::slice::from_ref(&rule)).unwrap().after).clone();
    let first = "<Transition><Days>90</Days><StorageClass>GLACIER_IR</StorageClass></Transition>";
    let second = "<Transition><Days>180</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>";
    let (this, other) = ([first, second].concat(), [second, first].concat());
    assert!(written.to_xml().contains(&this));
    for order in [&this, &other] {
        let shown = LifecycleDocument::read(&written.to_xml().replace(&this, order)).unwrap();
        same_meaning(&written, &shown).unwrap();
        let merged = merge(Some(&shown), "acme", std::slice::from_ref(&rule)).unwrap();
        assert_eq!(kinds(&merged), [ChangeKind::Kept]);
        assert!(merged.is_unchanged());
    }
}

#[test]
fn later_or_less_is_narrowed_at_once() {
    let old = expire("media", "inbound/", 31);
    let before = stored(std::slice::from_ref(&old));
    for new in [expire("media", "inbound/", 32), expire("media", "inbound/a/", 31)] {
        let merged = merge(Some(&before), "acme", std::slice::from_ref(&new)).unwrap();
        assert_eq!(kinds(&merged), [ChangeKind::Narrowed]);
        assert!(!merged.removes_more());
        assert_eq!(running(&merged.staged), [(new.id().to_owned(), true)]);
        assert_eq!(running(&merged.after), running(&merged.staged));
    }
}

#[test]
fn sooner_or_more_is_staged_disabled_beside_what_still_runs() {
    let old = expire("media", "inbound/", 31);
    let before = stored(std::slice::from_ref(&old));
    let more = Action::Expire { days: 31, noncurrent_days: None, abort_days: Some(7) };
    let wider = [
        expire("media", "inbound/", 30),
        expire("media", "in", 31),
        OwnedRule::new("acme", "media", "inbound/", more),
    ];
    for new in wider {
        let merged = merge(Some(&before), "acme", std::slice::from_ref(&new)).unwrap();
        assert_eq!(kinds(&merged), [ChangeKind::Widened]);
        let mut both = [(old.id().to_owned(), true), (new.id().to_owned(), false)];
        both.sort();
        assert_eq!(running(&merged.staged), both);
        assert_eq!(running(&merged.after), [(new.id().to_owned(), true)]);
        validate(put(&merged.staged)).unwrap();
    }
}

#[test]
fn sooner_here_and_less_there_stops_the_old_rule_before_the_new_one_starts() {
    let old = expire("media", "inbound/", 31);
    let new = expire("media", "inbound/a/", 30);
    let merged = merge(Some(&stored(&[old])), "acme", std::slice::from_ref(&new)).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Changed]);
    assert_eq!(running(&merged.staged), [(new.id().to_owned(), false)]);
}

#[test]
fn a_rule_of_ours_that_was_switched_off_is_enabled_and_called_so() {
    let rule = expire("media", "inbound/", 31);
    let off = stored(std::slice::from_ref(&rule)).to_xml().replace("Enabled", "Disabled");
    let merged = merge(Some(&LifecycleDocument::read(&off).unwrap()), "acme", &[rule]).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Enabled]);
    assert!(!put(&merged.staged).rules()[0].view().is_enabled());
    assert!(put(&merged.after).rules()[0].view().is_enabled());
}

#[test]
fn a_rule_of_ours_that_somebody_edited_is_put_right() {
    let rule = expire("media", "inbound/", 31);
    let edit = |from: &str, to: &str| {
        let edited = stored(std::slice::from_ref(&rule)).to_xml().replace(from, to);
        let edited = LifecycleDocument::read(&edited).unwrap();
        let merged = merge(Some(&edited), "acme", std::slice::from_ref(&rule)).unwrap();
        validate(put(&merged.staged)).unwrap();
        kinds(&merged)
    };
    assert_eq!(edit("<Days>31</Days>", "<Days>7</Days>"), [ChangeKind::Narrowed]);
    assert_eq!(edit("<Days>31</Days>", "<Days>90</Days>"), [ChangeKind::Widened]);
    let tag = "<And><Prefix>inbound/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>";
    assert_eq!(edit("<Prefix>inbound/</Prefix>", tag), [ChangeKind::Widened]);
    // What is not understood could restrict the rule, so without it S3 could do more.
    assert_eq!(edit("</Status>", "</Status><OnlyOnSundays/>"), [ChangeKind::Changed]);
}

#[test]
fn what_the_policy_no_longer_has_is_removed_and_an_empty_rest_deleted() {
    let before = stored(&[expire("media", "inbound/", 31)]);
    let merged = merge(Some(&before), "acme", &[]).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Removed]);
    assert!(!merged.removes_more());
    assert!(matches!(merged.after, Target::Delete) && matches!(merged.staged, Target::Delete));
    let shared = document(&format!("{}{FOREIGN}", inside(&before)));
    let merged = merge(Some(&shared), "acme", &[]).unwrap();
    assert_eq!(running(&merged.after), [("ops".to_owned(), true)]);
}

/// The rules of a document without its root.
fn inside(document: &LifecycleDocument) -> String {
    let xml = document.to_xml();
    xml[xml.find('>').unwrap() + 1..xml.rfind('<').unwrap()].to_owned()
}

#[test]
fn rules_of_other_policies_are_foreign() {
    let theirs = OwnedRule::new(
        "acme-2",
        "media",
        "inbound/",
        Action::Expire { days: 5, noncurrent_days: None, abort_days: None },
    );
    let before = put(&merge(None, "acme-2", std::slice::from_ref(&theirs)).unwrap().after).clone();
    let merged = merge(Some(&before), "acme", &[expire("media", "inbound/", 31)]).unwrap();
    assert_eq!(kinds(&merged), [ChangeKind::Added]);
    assert!(running(&merged.after).contains(&(theirs.id().to_owned(), true)));
}

#[test]
fn the_delete_marker_rule_is_followed_on_its_own() {
    let days = |days| Action::Expire { days, noncurrent_days: Some(1), abort_days: None };
    let rules = |n| {
        [
            OwnedRule::new("acme", "media", "a/", days(n)),
            OwnedRule::new("acme", "media", "a/", Action::RemoveMarkers),
        ]
    };
    let merged = merge(Some(&stored(&rules(30))), "acme", &rules(31)).unwrap();
    let mut kinds = kinds(&merged);
    kinds.sort();
    assert_eq!(kinds, [ChangeKind::Narrowed, ChangeKind::Kept]);
}

#[test]
fn one_rule_is_implied_by_another_only_if_the_other_does_all_that_it_does_as_soon() {
    let rule = |filter: &str, actions: &str| {
        let rule = format!("<Rule><Filter>{filter}</Filter><Status>Enabled</Status>{actions}</Rule>");
        document(&rule).rules()[0].view().clone()
    };
    let noncurrent = |newer: u32| {
        let newer = format!("<NewerNoncurrentVersions>{newer}</NewerNoncurrentVersions>");
        format!(
            "<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays>{newer}</NoncurrentVersionExpiration>"
        )
    };
    let date = |day: u32| format!("<Expiration><Date>2030-01-{day:02}T00:00:00Z</Date></Expiration>");
    let transition = |days: u32| {
        format!("<Transition><Days>{days}</Days><StorageClass>GLACIER</StorageClass></Transition>")
    };
    let days = "<Expiration><Days>5</Days></Expiration>";
    let markers = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let over = |n: u32| format!("<ObjectSizeGreaterThan>{n}</ObjectSizeGreaterThan>");
    let under = |n: u32| format!("<ObjectSizeLessThan>{n}</ObjectSizeLessThan>");
    // Less, more, and whether the more implies the less.
    let pairs = [
        (rule("", &noncurrent(3)), rule("", &noncurrent(2)), true),
        (rule("", &noncurrent(2)), rule("", &noncurrent(3)), false),
        (rule("", &date(2)), rule("", &date(2)), true),
        (rule("", &date(3)), rule("", &date(2)), false),
        (rule("", &date(2)), rule("", days), false),
        (rule("", days), rule("", &date(2)), false),
        (rule("", ""), rule("", &transition(9)), true),
        (rule("", &transition(9)), rule("", &transition(9)), true),
        (rule("", &transition(9)), rule("", &transition(8)), false),
        (rule("", &transition(9)), rule("", ""), false),
        (rule("", markers), rule("", markers), true),
        (rule("", markers), rule("", days), false),
        (rule("", days), rule("", markers), false),
        (rule(&over(9), days), rule(&over(8), days), true),
        (rule(&over(8), days), rule(&over(9), days), false),
        (rule("", days), rule(&over(9), days), false),
        (rule(&under(8), days), rule(&under(9), days), true),
        (rule(&under(9), days), rule(&under(8), days), false),
        (rule("", "<Later/>"), rule("", "<Later/>"), false),
    ];
    for (less, more, implied) in pairs {
        assert_eq!(less.is_implied_by(&more), implied, "{less} by {more}");
    }
}

#[test]
fn a_rule_that_stays_is_never_taken_for_the_one_that_another_replaces() {
    // By their ids, the wider one comes first; both belong to one rule of the policy.
    let mut rules: Vec<OwnedRule> = ["a/", "b/", "c/"].map(|prefix| expire("media", prefix, 31)).into();
    rules.sort_by(|a, b| a.id().cmp(b.id()));
    for stays in 0..3 {
        let merged = merge(Some(&stored(&rules[stays..=stays])), "acme", &rules).unwrap();
        let mut kinds = kinds(&merged);
        kinds.sort();
        assert_eq!(kinds, [ChangeKind::Added, ChangeKind::Added, ChangeKind::Kept]);
    }
}

#[test]
fn without_room_for_both_the_old_rule_stops_before_the_new_one_starts() {
    let old = expire("media", "inbound/", 31);
    let new = expire("media", "inbound/", 30);
    let others = |count: u32| {
        let rule = |n| FOREIGN.replace("<ID>ops", &format!("<ID>ops{n}"));
        let others: String = (0..count).map(rule).collect();
        document(&format!("{others}{}", inside(&stored(std::slice::from_ref(&old)))))
    };
    for (count, staged) in [(998, 1000), (999, 1000)] {
        let merged = merge(Some(&others(count)), "acme", std::slice::from_ref(&new)).unwrap();
        assert_eq!(put(&merged.staged).rules().len(), staged);
        validate(put(&merged.staged)).unwrap();
        let still = put(&merged.staged).rules().iter().any(|rule| rule.id() == old.id());
        assert_eq!(still, count == 998);
    }
}

#[test]
fn a_rule_of_ours_under_another_name_goes_when_ours_are_set_back_and_nobody_elses_does() {
    let ours = expire("media", "inbound/", 31);
    let twin = inside(&stored(std::slice::from_ref(&ours)));
    let twin = twin.replace(ours.id(), "twin").replace("inbound/", "mail/");
    let before = document(&format!("{FOREIGN}{twin}"));
    let same_as_twin = expire("mail", "mail/", 31);
    let merged = merge(Some(&before), "acme", &[ours.clone(), same_as_twin.clone()]).unwrap();
    // Both were renamed, and somebody has added a rule.
    let after = put(&merged.after);
    let shown = after.to_xml().replace(ours.id(), "rule-1").replace(same_as_twin.id(), "rule-2");
    let between = FOREIGN.replace("ops", "between").replace("logs/", "tmp/");
    let shown = shown.replace("</LifecycleConfiguration>", &format!("{between}</LifecycleConfiguration>"));
    let shown = LifecycleDocument::read(&shown).unwrap();
    let back = restore(Some(&shown), Some(&before), Some(after), "acme");
    let ids: Vec<_> = put(&back).rules().iter().map(|rule| rule.id().to_owned()).collect();
    // What says just what somebody's rule said before is left: it removes nothing more.
    assert_eq!(ids, ["ops", "twin", "rule-2", "between"]);
}

#[test]
fn what_others_have_that_s3_would_refuse_never_keeps_a_rule_of_ours_from_going() {
    let odd = FOREIGN.replace("<Days>30</Days>", "<Days>0</Days>");
    let ours = inside(&stored(&[expire("media", "inbound/", 31)]));
    let with = format!("<LifecycleConfiguration>{ours}{odd}</LifecycleConfiguration>");
    let facts = bucket(Versioning::Never);
    let none = policy(chrono_tz::UTC, Vec::new());
    let gone = propose(&none, &facts, Some(&with), &Surroundings::NOTHING, false, at(NOW)).unwrap().merge;
    assert_eq!(running(&gone.after), [("ops".to_owned(), true)]);
    // Putting one there is another matter.
    let media = policy(chrono_tz::UTC, vec![rule("media", "in/")]);
    let refused = propose(&media, &facts, Some(&with), &Surroundings::NOTHING, false, at(NOW));
    assert!(matches!(refused, Err(ProposalError::Invalid(_))));
}

#[test]
fn what_is_not_written_keeps_nothing_that_narrows_from_being_written_or_looked_at() {
    let old_form = |rules: &str, prefix: &str| {
        let prefix = format!("<Prefix>{prefix}</Prefix>");
        rules.replace(&format!("<Filter>{prefix}</Filter>"), &prefix)
    };
    let odd = FOREIGN.replace("<Days>30</Days>", "<Days>0</Days>");
    let ours = inside(&stored(&[expire("media", "in/", 10)]));
    let facts = bucket(Versioning::Never);
    // The one waits longer now, the other is new.
    let policy = policy(chrono_tz::UTC, vec![rule("media", "in/"), rule("mail", "mail/")]);
    for rules in [
        format!("{ours}{odd}"),
        format!("{ours}{}", old_form(FOREIGN, "logs/")),
        // Written by a store that has its own way.
        format!("{}{}", old_form(&ours, "in/"), old_form(FOREIGN, "logs/")),
    ] {
        let found = document(&rules).to_xml();
        let whole = propose(&policy, &facts, Some(&found), &Surroundings::NOTHING, false, at(NOW));
        let is_refused = matches!(whole, Err(ProposalError::Invalid(_) | ProposalError::Merge(_)));
        assert!(is_refused, "{rules}");
        let narrowed = propose_narrowing(&policy, &facts, Some(&found), &Surroundings::NOTHING, at(NOW));
        let narrowed = narrowed.unwrap_or_else(|error| panic!("{error}: {rules}")).merge;
        assert_eq!(kinds(&narrowed), [ChangeKind::Narrowed], "{rules}");
        assert_eq!(running(&narrowed.after).len(), 2, "{rules}");
        // An audit is to tell what is missing.
        let looked = draft(&policy, &facts, Some(&found), &Surroundings::NOTHING, false, at(NOW));
        assert_eq!(kinds(&looked.unwrap().merge), [ChangeKind::Added, ChangeKind::Narrowed], "{rules}");
    }
}

// --- Comparing what was read back ---

#[test]
fn what_a_store_drops_is_a_difference() {
    let written = "<Rule><ID>r</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>99</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload><Later/></Rule>";
    let expected = document(written);
    same_meaning(&expected, &expected).unwrap();
    let parts = [
        "<Prefix>p/</Prefix>",
        "<Tag><Key>k</Key><Value>v</Value></Tag>",
        "<ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>",
        "<ObjectSizeLessThan>99</ObjectSizeLessThan>",
        "<Days>3</Days>",
        "<NewerNoncurrentVersions>2</NewerNoncurrentVersions>",
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        "<Later/>",
    ];
    for part in parts {
        let differences = same_meaning(&expected, &document(&written.replace(part, ""))).unwrap_err();
        let [Difference::Changed { id, expected, found }] = differences.as_slice() else {
            panic!("{part}: {differences:?}")
        };
        assert_eq!(id, "r");
        assert_ne!(expected, found, "{part}");
    }
    let off = same_meaning(&expected, &document(&written.replace("Enabled", "Disabled"))).unwrap_err();
    assert_eq!(off.len(), 1);
}

#[test]
fn another_way_to_write_the_same_is_no_difference() {
    let ways = [
        "<Rule><ID>r</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
        "<Rule><ID>r</ID><Prefix>p</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
        "<Rule><Status>Enabled</Status><Filter><And><Prefix>p</Prefix></And></Filter><Expiration><Days>03</Days></Expiration><ID>r</ID></Rule>",
        "<Rule>\n<ID>r</ID><Filter><Prefix>&#x70;</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration></Rule>",
    ];
    for a in ways {
        for b in ways {
            same_meaning(&document(a), &document(b)).unwrap();
            same_meaning(&document(&format!("{FOREIGN}{a}")), &document(&format!("{b}{FOREIGN}"))).unwrap();
        }
    }
    let whole =
        "<Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>";
    let empty = whole.replace("<Filter/>", "<Filter><Prefix></Prefix></Filter>");
    same_meaning(&document(whole), &document(&empty)).unwrap();
    let bare = LifecycleDocument::read(&format!("<LifecycleConfiguration>{whole}</LifecycleConfiguration>"));
    same_meaning(&document(whole), &bare.unwrap()).unwrap();
}

#[test]
fn a_store_may_name_a_rule_but_neither_lose_nor_invent_one() {
    let nameless = FOREIGN.replace("<ID>ops</ID>", "");
    same_meaning(&document(&nameless), &document(FOREIGN)).unwrap();
    let lost = same_meaning(&document(FOREIGN), &document("")).unwrap_err();
    assert!(matches!(lost.as_slice(), [Difference::Missing { id, .. }] if id == "ops"));
    let invented = same_meaning(&document(""), &document(FOREIGN)).unwrap_err();
    assert!(matches!(invented.as_slice(), [Difference::Unexpected { id, .. }] if id == "ops"));
    let twice = same_meaning(&document(FOREIGN), &document(&FOREIGN.repeat(2))).unwrap_err();
    assert!(matches!(twice.as_slice(), [Difference::Unexpected { .. }]));
}

// --- Rules of others ---

#[test]
fn rules_of_others_that_reach_the_same_objects_are_shown_and_early_ones_called_so() {
    let policy = policy(chrono_tz::UTC, vec![rule("media", "inbound/"), rule("mail", "mail/")]);
    let other = |prefix: &str, action: &str| {
        document(&format!(
            "<Rule><ID>ops</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status>{action}</Rule>"
        ))
    };
    let days = |n: u32| format!("<Expiration><Days>{n}</Days></Expiration>");
    let found = |document: &LifecycleDocument, versioning| {
        let conflicts = foreign_conflicts(document, &policy, &bucket(versioning), at(NOW));
        conflicts.iter().map(|c| (c.meets.clone(), c.removes, c.may_be_early)).collect::<Vec<_>>()
    };
    let one = |rule: &str, when, early| vec![(rule.to_owned(), ForeignRemoval::Current(when), early)];
    let never = Versioning::Never;
    assert_eq!(found(&other("inbound/a", &days(29)), never), one("media", When::Days(29), true));
    assert_eq!(found(&other("inbound/a", &days(30)), never), one("media", When::Days(30), false));
    assert_eq!(found(&other("logs/", &days(1)), never), []);
    assert_eq!(found(&other("", &days(1)), never).len(), 2);
    let date = "<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>";
    assert_eq!(
        found(&other("mail/", date), never),
        one("mail", When::Date(at("2030-01-01T00:00:00Z")), true)
    );
    let noncurrent =
        "<NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays></NoncurrentVersionExpiration>";
    assert_eq!(found(&other("mail/", noncurrent), never), []);
    let noncurrent = found(&other("mail/", noncurrent), Versioning::Enabled);
    assert_eq!(noncurrent, [("mail".to_owned(), ForeignRemoval::Noncurrent(9), true)]);
    let unknown = found(&other("mail/", "<ExpireAllVersions/>"), never);
    assert_eq!(unknown, [("mail".to_owned(), ForeignRemoval::Unknown, true)]);
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    assert_eq!(found(&other("", abort), never), []);
}

#[test]
fn our_own_and_disabled_rules_stand_in_nobodys_way() {
    let policy = policy(chrono_tz::UTC, vec![rule("media", "")]);
    let never = bucket(Versioning::Never);
    assert_eq!(foreign_conflicts(&stored(&[expire("media", "", 1)]), &policy, &never, at(NOW)), []);
    let disabled = document(&FOREIGN.replace("Enabled", "Disabled"));
    assert_eq!(foreign_conflicts(&disabled, &policy, &never, at(NOW)), []);
    let [conflict] = foreign_conflicts(&document(FOREIGN), &policy, &never, at(NOW)).try_into().unwrap();
    assert_eq!(
        conflict.to_string(),
        "the lifecycle rule \"ops\", which is not the policy's, expires objects under \"logs/\" after 30 days; the rule `media` covers them too"
    );
}

// --- Any two policies ---

fn owned_rules() -> impl Strategy<Value = Vec<OwnedRule>> {
    let days = || prop::option::of(1..4u32);
    let action = prop_oneof![
        4 => (1..4u32, days(), days()).prop_map(|(days, noncurrent_days, abort_days)| {
            Action::Expire { days, noncurrent_days, abort_days }
        }),
        1 => Just(Action::RemoveMarkers),
    ];
    let rule =
        (prop::sample::select(vec!["r", "s"]), prop::sample::select(vec!["", "a", "ab", "b/"]), action);
    prop::collection::vec(rule, 0..4).prop_map(|rules| {
        let mut rules: Vec<OwnedRule> = rules
            .into_iter()
            .map(|(rule, prefix, action)| OwnedRule::new("acme", rule, prefix, action))
            .collect();
        rules.sort();
        rules.dedup();
        rules
    })
}

/// The first day on which S3 does something to each kind of thing under each key; rules' effects by
/// brute force.
fn effects(target: &Target) -> Vec<Option<i64>> {
    let Target::Put(document) = target else { return vec![None; 16] };
    let mut effects = Vec::new();
    for key in ["a", "ab", "abc", "b/c"] {
        let views = document
            .rules()
            .iter()
            .map(|rule| rule.view())
            .filter(|view| view.status == Status::Enabled && key.starts_with(&view.filter.prefix));
        let views: Vec<_> = views.collect();
        let soonest = |days: &dyn Fn(usize) -> Option<i64>| (0..views.len()).filter_map(days).min();
        effects.push(soonest(&|n| views[n].expiration.as_ref()?.days));
        effects.push(soonest(&|n| views[n].noncurrent.as_ref()?.days));
        effects.push(soonest(&|n| views[n].abort_days));
        effects.push(soonest(&|n| views[n].expiration.as_ref()?.markers.then_some(0)));
    }
    effects
}

/// Whether S3 does nothing under `a` that it does not do as soon under `b`.
fn no_more(a: &[Option<i64>], b: &[Option<i64>]) -> bool {
    a.iter().zip(b).all(|(a, b)| match (a, b) {
        (None, _) => true,
        (Some(a), Some(b)) => a >= b,
        (Some(_), None) => false,
    })
}

proptest! {
    #[test]
    fn the_first_step_never_does_more_than_before_and_nothing_is_called_narrower_that_is_not(
        old in owned_rules(),
        new in owned_rules(),
        switched_off in prop::bool::weighted(0.2),
    ) {
        let mut before = merge(None, "acme", &old).unwrap().after;
        if let (true, Target::Put(document)) = (switched_off, &before) {
            let off = document.to_xml().replacen("Enabled", "Disabled", 1);
            before = Target::Put(LifecycleDocument::read(&off).unwrap());
        }
        let document = match &before {
            Target::Put(document) => Some(document),
            Target::Delete => None,
        };
        let merged = merge(document, "acme", &new).unwrap();
        prop_assert!(no_more(&effects(&merged.staged), &effects(&before)));
        if !merged.removes_more() {
            prop_assert!(no_more(&effects(&merged.after), &effects(&before)));
        }
        if let Target::Put(after) = &merged.after {
            let enabled: Vec<&str> = after.rules().iter().map(|rule| rule.id()).collect();
            let ids: Vec<&str> = new.iter().map(OwnedRule::id).collect();
            prop_assert_eq!(enabled.len(), ids.len());
            prop_assert!(merge(Some(after), "acme", &new).unwrap().is_unchanged());
            validate(after).unwrap();
        }
        if let Target::Put(staged) = &merged.staged {
            validate(staged).unwrap();
            let end = merge(Some(staged), "acme", &new).unwrap().after;
            prop_assert_eq!(effects(&end), effects(&merged.after));
        }
    }
}
