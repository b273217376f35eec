//! Plans that must not be carried out, guards, and evidence that is not as it was written.

use std::fs;

use chrono::{TimeDelta, Utc};

use crate::desk::Desk;
use crate::shelf::Shelf;
use crate::support::LocalStack;
use crate::thirty_days;

const PLAN: &str = "shelflife-plan.parquet";

/// A shelf with one object that is due and one that is not, and a desk with a policy for it.
async fn ready(store: &LocalStack, prefix: &str, more: &str) -> (Shelf, Desk) {
    let shelf = Shelf::new(store, prefix).await;
    shelf.put("inbound/1/due.jpg", 40).await;
    shelf.put("inbound/1/fresh.jpg", 10).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, more));
    (shelf, desk)
}

/// `apply` refuses, changes nothing and leaves no evidence of a run.
async fn refuses(shelf: &Shelf, desk: &Desk, more: &[&str], fragments: &[&str]) {
    let before = shelf.state().await;
    let args: Vec<&str> = ["apply", PLAN].iter().chain(more).copied().collect();
    desk.run(&args).ends(4).tells(fragments).tells(&["help:"]);
    assert_eq!(shelf.state().await, before);
    assert_eq!(desk.files(), ["policies", PLAN]);
}

#[tokio::test]
async fn a_plan_that_is_cut_off_is_refused() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "cut", "").await;
    desk.run(&["plan"]).ends(0);
    let whole = fs::read(desk.path(PLAN)).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 4] {
        fs::write(desk.path(PLAN), &whole[..length]).unwrap();
        refuses(&shelf, &desk, &[], &[PLAN, "cut off", "make a new plan"]).await;
    }
    fs::write(desk.path(PLAN), b"").unwrap();
    refuses(&shelf, &desk, &[], &[PLAN, "make a new plan"]).await;
}

#[tokio::test]
async fn a_plan_that_is_edited_is_refused() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "edited", "").await;
    desk.run(&["plan"]).ends(0);
    let whole = fs::read(desk.path(PLAN)).unwrap();
    for place in [5, whole.len() / 4, whole.len() / 2, whole.len() - 200] {
        let mut edited = whole.clone();
        edited[place] ^= 1;
        fs::write(desk.path(PLAN), &edited).unwrap();
        refuses(&shelf, &desk, &[], &[PLAN, "make a new plan"]).await;
    }
}

#[tokio::test]
async fn a_plan_that_is_too_old_is_refused() {
    let Some(store) = LocalStack::shared() else { return };
    for (more, days, limit) in [("", 2, "1 day"), ("guards: {max-plan-age: 3 days}\n", 4, "3 days")] {
        let (shelf, desk) = ready(store, "old", more).await;
        let as_of = (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        desk.run(&["plan", "--as-of", &as_of]).ends(0);
        let limit = format!("plans may be {limit} old");
        refuses(&shelf, &desk, &[], &["the plan was made for", &as_of[..10], &limit, "make a new plan"])
            .await;
    }
}

#[tokio::test]
async fn a_plan_for_a_day_to_come_deletes_nothing_before_that_day() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "future", "").await;
    let as_of = (Utc::now() + TimeDelta::days(40)).format("%Y-%m-%d").to_string();
    assert_eq!(desk.run(&["plan", "--as-of", &as_of, "--json"]).ends(0).json()["rows"], 2);

    desk.run(&["apply", PLAN]);

    assert!(shelf.is_visible("inbound/1/fresh.jpg").await);
}

#[tokio::test]
async fn a_plan_of_another_policy_is_refused() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "policy", "").await;
    desk.run(&["plan"]).ends(0);
    let policy = thirty_days(&shelf.bucket, "");

    desk.policy(&policy.replace("30 days", "31 days"));
    let changed = ["made with another policy", "something but its holds has changed", "make a new plan"];
    refuses(&shelf, &desk, &[], &changed).await;
    desk.policy(&policy.replace("name: e2e", "name: another"));
    refuses(&shelf, &desk, &[], &["made with another policy", "name", "make a new plan"]).await;

    // Comments and formatting are not what a policy says.
    desk.policy(&format!("# the same\n{policy}"));
    desk.run(&["apply", PLAN]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/1/fresh.jpg"]);
}

#[tokio::test]
async fn another_plan_than_the_expected_one_is_refused() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "digest", "").await;
    let digest = desk.run(&["plan", "--json"]).ends(0).json()["digest"].as_str().unwrap().to_owned();
    let other = "0123456789abcdef".repeat(4);

    refuses(&shelf, &desk, &["--expect-digest", &other], &[PLAN, &digest, "not the expected one"]).await;

    desk.run(&["apply", PLAN, "--expect-digest", &digest]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/1/fresh.jpg"]);
}

#[tokio::test]
async fn a_plan_that_is_not_there_is_a_mistake_of_usage() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(&thirty_days("media", ""));
    desk.run(&["apply", "nowhere.parquet"])
        .ends(2)
        .tells(&["plan nowhere.parquet could not be opened", "help:"]);
}

#[tokio::test]
async fn a_guard_that_is_exceeded_stops_everything_unless_it_is_accepted() {
    let Some(store) = LocalStack::shared() else { return };
    let guards = [
        ("guards: {max-share: 20%}\n", "max-share", "would remove 50.0%, the limit is 20.0%"),
        ("guards: {max-objects: 0}\n", "max-objects", "would remove 1 object, the limit is 0 objects"),
        ("guards: {max-bytes: 5 B}\n", "max-bytes", "would remove 6 B, the limit is 5 B"),
        ("    guards: {max-share: 20%}\n", "ott-media:max-share", "would remove 50.0%, the limit is 20.0%"),
    ];
    for (more, name, words) in guards {
        let (shelf, desk) = ready(store, "guard", more).await;
        let before = shelf.state().await;

        let plan = desk.run(&["plan"]).ends(4);
        let next = format!("shelflife apply {PLAN} --policy policies --accept {name}");
        plan.shows(&["guard exceeded:", name, words, "next", &next]);
        desk.run(&["apply", PLAN]).ends(4).tells(&[name, words, "help:", &format!("--accept {name}")]);
        desk.run(&["apply", PLAN, "--accept", "max-plan-age"]).ends(4);
        desk.run(&["reconcile"]).ends(4).tells(&[name, words, "help:", &format!("--accept {name}")]);
        assert_eq!(shelf.state().await, before, "{name}");
        assert_eq!(desk.files(), ["policies", PLAN], "{name}");

        desk.run(&["apply", PLAN, "--accept", name]).ends(0);
        assert_eq!(shelf.keys().await, ["inbound/1/fresh.jpg"], "{name}");
        assert_eq!(
            desk.evidence(&desk.log())[0]["guards_accepted"],
            serde_json::json!([format!("{name} {words}")])
        );
    }
}

#[tokio::test]
async fn evidence_with_one_byte_changed_is_found() {
    let Some(store) = LocalStack::shared() else { return };
    let (_shelf, desk) = ready(store, "evidence", "").await;
    let head = desk.run(&["reconcile", "--json"]).ends(0).json()["head"].as_str().unwrap().to_owned();
    let name = desk.log();
    let log = desk.path(&name);
    desk.run(&["verify", &name, "--head", &head]).ends(0);
    let whole = fs::read(&log).unwrap();

    // The tenth part of the places, and with them every line.
    for place in (0..whole.len()).step_by(10) {
        let mut edited = whole.clone();
        edited[place] = if edited[place] == b'7' { b'8' } else { b'7' };
        fs::write(&log, &edited).unwrap();
        let ran = desk.run(&["verify", &name, "--head", &head]).ends(1);
        ran.tells(&[&name, "line", "help:", "not as it was written"]);
    }
    for cut in [whole.len() - 1, whole.len() / 2, 0] {
        fs::write(&log, &whole[..cut]).unwrap();
        desk.run(&["verify", &name, "--head", &head]).ends(1).tells(&[&name, "help:"]);
    }
    // Without the head, an end that was cut off between two lines still shows as one.
    let last_line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    fs::write(&log, &whole[..=last_line]).unwrap();
    desk.run(&["verify", &name]).ends(1).shows(&["no closing entry"]);
}

#[tokio::test]
async fn a_plan_that_was_carried_out_is_not_carried_out_again() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = ready(store, "again", "").await;
    desk.run(&["plan"]).ends(0);
    desk.run(&["apply", PLAN]).ends(0);
    shelf.put("inbound/1/due.jpg", 40).await;

    desk.run(&["apply", PLAN]).ends(0).shows(&["was carried out before", "make a new one", "deleted", "1"]);
    let told = desk.run(&["apply", PLAN, "--json"]).ends(0).json();
    assert_eq!((&told["carried_out_before"], &told["results"]["deleted"]), (&true.into(), &1.into()));

    assert_eq!(shelf.keys().await, ["inbound/1/due.jpg", "inbound/1/fresh.jpg"]);
}
