//! A certificate counts each item once, by the last thing told of it, and shows names harmlessly.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::evidence::{Action, Item, ItemResult, Told};
use crate::object::Kind;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(second)
}

fn told(key: &str, batch: u64, result: ItemResult) -> Told {
    let item = Item {
        action: Action::Delete,
        kind: Kind::Version,
        bucket: "media".into(),
        key: key.into(),
        version_id: Some("v1".into()),
        upload_id: None,
        etag: None,
        size: 10,
        tenant: Some("0815".into()),
        rule: "ott-media".into(),
        erasure: None,
        due: at(0),
        reason: "".into(),
    };
    let seconds = i64::try_from(batch).unwrap();
    Told {
        batch,
        intended: at(seconds),
        at: at(seconds),
        item,
        result,
        detail: None,
        marker_version_id: None,
        row: None,
        copy: None,
    }
}

fn scope(by: By) -> Scope {
    Scope { tenant: None, rule: None, by }
}

fn collected(all: &[(u32, Told)]) -> Collector {
    let hear = |mut collector: Collector| {
        all.iter().for_each(|(log, told)| collector.take(*log, told));
        collector
    };
    let first = hear(Collector::new(scope(By::Rule)));
    match first.again() {
        Some(again) => hear(again),
        None => first,
    }
}

/// The same of another action.
fn told_of(action: Action, key: &str, batch: u64, result: ItemResult) -> Told {
    let mut told = told(key, batch, result);
    told.item.action = action;
    told
}

#[test]
fn the_last_that_is_told_of_an_item_counts_whatever_came_before() {
    let results = ItemResult::ALL;
    for first in results {
        for second in results {
            // What is gone is told of once; a key that is written again is another item.
            if matches!(
                standing(Action::Delete, first),
                Standing::Deleted | Standing::Gone | Standing::Covered
            ) {
                continue;
            }
            let alone = collected(&[(0, told("a", 2, second))]);
            let both = collected(&[(0, told("a", 1, first)), (0, told("a", 2, second))]);
            let count = |tally: &Tally| {
                let gone = tally.already_gone + tally.gone_after_lost_answer;
                (tally.versions, gone, tally.markers_added, tally.kept.clone())
            };
            let mut expected = count(alone.total());
            if second == ItemResult::MarkerAdded {
                expected.3 = collected(&[(0, told("a", 1, first))]).total().kept.clone();
            }
            assert_eq!(count(both.total()), expected, "{first:?}, then {second:?}");
            assert_eq!(count(both.groups()[0].1), expected, "{first:?}, then {second:?}");
        }
    }
}

#[test]
fn an_object_that_is_written_and_deleted_again_counts_twice() {
    let mut one = told("a", 1, ItemResult::Deleted);
    one.item.kind = Kind::Object;
    one.item.version_id = None;
    let other = Told { batch: 2, at: at(9), ..one.clone() };
    let total = collected(&[(0, one), (1, other)]).total().clone();
    assert_eq!((total.objects.count, total.versions.count), (2, 0));
    assert_eq!((total.first, total.last), (Some(at(1)), Some(at(9))));
}

#[test]
fn only_what_the_store_confirmed_is_called_deleted() {
    for result in ItemResult::ALL {
        let total = collected(&[(0, told("a", 1, result))]).total().clone();
        let is_confirmed = matches!(result, ItemResult::Deleted | ItemResult::Aborted);
        assert_eq!(total.versions.count == 1, is_confirmed, "{result:?}");
        assert_eq!(total.first.is_some(), is_confirmed, "{result:?}");
    }
    let mut marker = told("a", 1, ItemResult::MarkerAdded);
    marker.item.action = Action::AddMarker;
    marker.item.kind = Kind::Marker;
    let total = collected(&[(0, marker)]).total().clone();
    assert_eq!(
        (total.markers, total.markers_added, total.kept_count()),
        (0, 1, 0),
        "a marker on top deletes nothing"
    );
}

#[test]
fn what_is_found_gone_after_a_lost_answer_is_told_apart_and_so_is_what_has_no_outcome() {
    let total =
        collected(&[(0, told("a", 1, ItemResult::Unclear)), (0, told("a", 2, ItemResult::AlreadyGone))]);
    assert_eq!((total.total().already_gone, total.total().gone_after_lost_answer), (0, 1));
    let mut open = collected(&[(0, told("a", 1, ItemResult::Failed))]);
    open.without_outcome(0, &told("a", 2, ItemResult::Unclear));
    let kept: Vec<_> = open.total().kept.iter().map(|(kept, amount)| (*kept, amount.count)).collect();
    assert_eq!(kept, [(Kept::NoOutcome, 1)]);
    open.take(1, &told("a", 1, ItemResult::Deleted));
    assert_eq!((open.total().versions.count, open.total().kept_count()), (1, 0), "a later log tells of it");
}

#[test]
fn what_was_put_back_is_not_called_deleted_even_if_that_is_not_certain() {
    use ItemResult::{Changed, Deleted, Failed, Restored, Unclear};
    let gone = [(0, told("a", 1, Deleted)), (0, told("b", 2, Deleted))];
    for (result, is_back) in
        [(Restored, true), (Unclear, true), (Failed, false), (Changed, false), (ItemResult::Denied, false)]
    {
        let back = (1, told_of(Action::Restore, "a", 1, result));
        let collector = collected(&[gone[0].clone(), gone[1].clone(), back.clone()]);
        for total in [collector.total(), collector.groups()[0].1] {
            let counts = (total.versions.count, total.versions.bytes, total.put_back.count);
            assert_eq!(counts, if is_back { (1, 10, 1) } else { (2, 20, 0) }, "{result:?}");
        }
        let listed = [&gone[0], &gone[1], &back].map(|(log, told)| collector.is_last(*log, told));
        assert_eq!(listed, [!is_back, true, is_back], "{result:?}");
        // Tried again by another undo.
        let again = (2, told_of(Action::Restore, "a", 1, Restored));
        let total = collected(&[gone[0].clone(), back, again]).total().clone();
        assert_eq!((total.versions.count, total.put_back.count), (0, 1), "{result:?}");
        assert_eq!((total.first, total.last), (None, None), "{result:?}");
    }
    // Another run has found it gone before it came back.
    let found = (1, told("a", 1, ItemResult::AlreadyGone));
    let all = [gone[0].clone(), found, (2, told_of(Action::Restore, "a", 1, Restored))];
    let collector = collected(&all);
    let total = collector.total();
    assert_eq!((total.versions.count, total.already_gone, total.put_back.count), (0, 0, 1));
    assert_eq!(all.each_ref().map(|(log, told)| collector.is_last(*log, told)), [false, false, true]);
    // Without versions as well.
    let objects = all.map(|(log, mut told)| {
        told.item.kind = Kind::Object;
        told.item.version_id = None;
        (log, told)
    });
    let total = collected(&objects).total().clone();
    assert_eq!((total.objects.count, total.already_gone, total.put_back.count), (0, 0, 1));
}

#[test]
fn what_goes_again_after_it_was_put_back_is_deleted_and_nothing_else_is_less_for_it() {
    let object = |action, batch, result| {
        let mut told = told_of(action, "a", batch, result);
        told.item.kind = Kind::Object;
        told.item.version_id = None;
        told
    };
    let back = object(Action::Restore, 1, ItemResult::Restored);
    let all = [
        (0, object(Action::Delete, 1, ItemResult::Deleted)),
        (1, back.clone()),
        (2, object(Action::Delete, 1, ItemResult::Deleted)),
    ];
    let collector = collected(&all);
    assert_eq!((collector.total().objects.count, collector.total().put_back.count), (1, 1));
    assert_eq!(all.each_ref().map(|(log, told)| collector.is_last(*log, told)), [false, true, true]);
    // The log of the run that removed it is not here.
    let mut other = object(Action::Delete, 1, ItemResult::Deleted);
    other.item.key = "b".into();
    let total = collected(&[(0, other), (1, back)]).total().clone();
    assert_eq!((total.objects.count, total.put_back.count), (1, 1));
}

#[test]
fn a_marker_that_was_taken_away_hides_nothing_any_more() {
    let hidden = |key: &str| told_of(Action::Mark, key, 1, ItemResult::MarkerAdded);
    let taken_away = |key: &str, result| {
        let mut told = told_of(Action::RemoveMarker, key, 1, result);
        told.item.kind = Kind::Marker;
        told.item.version_id = Some("m1".into());
        told
    };
    for (result, is_shown) in
        [(ItemResult::MarkerRemoved, true), (ItemResult::Unclear, true), (ItemResult::Failed, false)]
    {
        let all = [(0, hidden("a")), (0, hidden("b")), (1, taken_away("a", result))];
        let collector = collected(&all);
        let total = collector.total();
        let expected = if is_shown { (1, 1) } else { (2, 0) };
        assert_eq!((total.markers_added, total.made_visible), expected, "{result:?}");
        let listed = all.each_ref().map(|(log, told)| collector.is_last(*log, told));
        assert_eq!(listed, [!is_shown, true, is_shown], "{result:?}");
    }
    let elsewhere = [(0, hidden("b")), (1, taken_away("a", ItemResult::MarkerRemoved))];
    let total = collected(&elsewhere).total().clone();
    assert_eq!((total.markers_added, total.made_visible), (1, 1), "what it hid is told of elsewhere");
}

#[test]
fn copies_are_told_once_however_often_a_run_goes_on() {
    let copied = |batch| told_of(Action::Export, "a", batch, ItemResult::Exported);
    let all = [(0, copied(1)), (0, told("a", 2, ItemResult::Unclear)), (0, copied(3))];
    let goes = (0, told("a", 4, ItemResult::Deleted));
    let total = collected(&[&all[..], &[goes]].concat()).total().clone();
    assert_eq!((total.copied.count, total.copied.bytes, total.versions.count), (1, 10, 1));
}

#[test]
fn each_item_is_listed_once() {
    let all = [
        (0, told("a", 1, ItemResult::Unclear)),
        (0, told("b", 1, ItemResult::Held)),
        (0, told("a", 2, ItemResult::Deleted)),
        (1, told("b", 1, ItemResult::Denied)),
        (1, told("c", 1, ItemResult::Locked)),
    ];
    let collector = collected(&all);
    let listed = all.iter().filter(|(log, told)| collector.is_last(*log, told));
    let listed: Vec<_> = listed.map(|(_, told)| (told.item.key.as_str(), told.result)).collect();
    let expected = [("a", ItemResult::Deleted), ("b", ItemResult::Denied), ("c", ItemResult::Locked)];
    assert_eq!(listed, expected);
}

#[test]
fn tenants_are_counted_apart_and_can_be_asked_for_alone() {
    let mut other = told("b", 1, ItemResult::Deleted);
    other.item.tenant = Some("4711".into());
    let mut nobody = told("c", 1, ItemResult::Deleted);
    nobody.item.tenant = None;
    let all = [told("a", 1, ItemResult::Deleted), other, nobody];
    let mut collector = Collector::new(scope(By::Tenant));
    all.iter().for_each(|told| collector.take(0, told));
    let names: Vec<_> = collector.groups().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [Some("0815"), Some("4711"), None]);
    let mut alone = Collector::new(Scope { tenant: Some("4711".into()), ..scope(By::Rule) });
    all.iter().for_each(|told| alone.take(0, told));
    assert_eq!(alone.total().versions.count, 1);
}

#[test]
fn hidden_names_can_be_found_again_and_do_not_run_into_each_other() {
    let redaction = Redaction::by(b"0123456789abcdef").unwrap();
    let item = |bucket, key, id| redaction.item(bucket, key, id);
    assert_eq!(item("b", "k", Some("v")), item("b", "k", Some("v")));
    let all = [
        item("b", "k", Some("v")),
        item("b", "kv", None),
        item("bk", "", Some("v")),
        item("b", "k", None),
        redaction.tenant("k"),
        Redaction::by(b"0123456789abcdeF").unwrap().item("b", "k", Some("v")),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert!(Redaction::by(b"too short").is_err());
    assert_eq!(format!("{redaction:?}"), "Redaction(..)");
}

#[test]
fn a_page_shows_hostile_names_harmlessly_and_asks_for_nothing() {
    let hostile = "<script>alert('x')</script>\"&\u{202e}\n\u{0}";
    let mut one = told(hostile, 1, ItemResult::Deleted);
    one.item.bucket = hostile.into();
    one.item.version_id = Some(hostile.into());
    one.item.tenant = Some(hostile.into());
    one.item.rule = hostile.into();
    one.item.erasure = Some(hostile.into());
    let held = Told {
        item: Item { key: "k".repeat(1024).into(), ..one.item.clone() },
        result: ItemResult::Held,
        ..one.clone()
    };
    let collector = collected(&[(0, one.clone()), (0, held)]);
    let text = || hostile.to_owned();
    let log = LogFacts {
        file: text(),
        head: text(),
        head_confirmed: false,
        entries: 1,
        opened: at(0),
        last: at(1),
        end: "finished",
        unresolved: 1,
        follows: text(),
        plan_digest: text(),
        policy_digest: text(),
        holds_digest: text(),
        is_policy: Some(true),
        keep_until: Some(at(9)),
        endpoint: Some(text()),
        guards_accepted: vec![text()],
        tool_version: text(),
    };
    let certificate = Certificate {
        policy: text(),
        tenant: Some(text()),
        rule: Some(text()),
        made: at(2),
        tool_version: text(),
        notes: vec![text()],
        total: collector.total().clone(),
        by: "rule",
        groups: vec![Grouped { name: Some(text()), data: Some(text()), tally: collector.total().clone() }],
        configurations: vec![Configured { bucket: text(), at: at(1), result: text() }],
        logs: vec![log],
        policy_text: Some(PolicyText {
            digest: text(),
            rules: vec![RuleFacts { id: text(), data: Some(text()), retain: text() }],
            files: vec![(text(), format!("a\\b\n{hostile}"))],
        }),
        redacted: false,
    };
    let mut page = Vec::new();
    html::begin(&mut page, &certificate, true).unwrap();
    html::row(&mut page, &Row::of(&one, None, false)).unwrap();
    html::end(&mut page, &certificate, true).unwrap();
    let page = String::from_utf8(page).unwrap();
    for raw in ["<script", "alert('", "\u{202e}", "\0", "http:", "https:", "url(", "@import", "src=", "href="]
    {
        assert!(!page.contains(raw), "{raw:?}");
    }
    assert!(page.contains("a\\b\n"), "the policy's text is quoted as it is");
    for tag in ["table", "thead", "tbody", "tfoot", "tr", "dl", "div", "section", "ul", "main", "html"] {
        let count = |text: &str| page.matches(text).count();
        let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
        assert_eq!(opened, count(&format!("</{tag}>")), "{tag}");
    }
}

#[test]
fn only_what_was_sent_is_gone_after_a_lost_answer() {
    use ItemResult::{AlreadyGone, PutOff, Unclear};
    for (first, lost, already) in [(Unclear, 1, 0), (PutOff, 0, 1)] {
        let collector = collected(&[(0, told("a", 1, first)), (0, told("a", 2, AlreadyGone))]);
        let total = collector.total();
        assert_eq!((total.gone_after_lost_answer, total.already_gone), (lost, already), "{first:?}");
    }
}
