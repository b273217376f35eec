//! The thirteen rows of the notice, as the shipped policy has them: objects of every row are followed through
//! years of a store in memory to the day on which they go, under each engine that can have the row.
//!
//! When something must go is written down in [`objects`] by hand. Around such a day Shelflife runs every day,
//! between them once a month and later once a year; S3's lifecycle rules act at every midnight all the time.
#![cfg(feature = "sandbox")]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod journey;
mod objects;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use shelflife::policy::SourceFile;

use journey::{Journey, day, runs};
use objects::{Medium, OBJECTS};
use stage::{Stage, read, shipped};

/// The dates around which something happens.
const SPANS: [(&str, &str); 6] = [
    ("2026-01-01", "2026-01-02"),
    ("2027-02-24", "2027-03-09"),
    ("2027-06-28", "2027-07-09"),
    ("2028-02-26", "2028-03-08"),
    ("2032-02-27", "2032-03-02"),
    ("2036-02-27", "2036-03-02"),
];

/// Every rule of the shipped policy, by row.
const RULES: [&str; 13] = [
    "conversation-content",
    "messaging-content",
    "conversation-logs",
    "messaging-logs",
    "campaigns",
    "ott-media",
    "analytics",
    "customer-databases",
    "recordings",
    "email-content-smtp",
    "email-content-http",
    "email-attachments",
    "traffic-records",
];

/// Adds a line to a rule of the policy.
fn add_to_rule(files: &mut [SourceFile], rule: &str, line: &str) {
    replace(files, &format!("  - id: {rule}\n"), &format!("  - id: {rule}\n    {line}\n"));
}

/// Replaces what stands in the policy exactly once.
fn replace(files: &mut [SourceFile], from: &str, to: &str) {
    let mut found = 0;
    for file in files {
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        found += text.matches(from).count();
        file.bytes = text.replace(from, to).into_bytes();
    }
    assert_eq!(found, 1, "{from}");
}

/// Takes it that these rows are of a platform on which nothing can be scheduled, so that S3 can have them.
fn nothing_is_planned(files: &mut [SourceFile], rows: &[usize]) {
    for row in rows {
        let id = RULES[row - 1];
        for file in &mut *files {
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            let Some((before, rule)) = text.split_once(&format!("  - id: {id}\n")) else { continue };
            let rule = rule.replacen("trigger: planned-communication", "trigger: communication-date", 1);
            file.bytes = format!("{before}  - id: {id}\n{rule}").into_bytes();
        }
    }
}

fn of_rows(rows: &[u8]) -> Vec<Medium> {
    OBJECTS.iter().filter(|medium| rows.contains(&medium.row)).copied().collect()
}

/// What the records say at a time.
fn exports(now: DateTime<Utc>) -> BTreeMap<&'static str, String> {
    let today = now.date_naive();
    // A field is filled in once it has happened.
    let once = |text: &str| if day(text) <= today { text.to_owned() } else { String::new() };
    let until = |text: &str| day(text).min(today).to_string();
    let always = today.to_string();
    let came_back = if today < day("2027-02-20") { "2025-07-29".to_owned() } else { until("2027-05-31") };
    let customers = [
        ("1001", "HR", String::new(), always.clone()),
        ("1002", "HR", String::new(), always.clone()),
        ("1003", "HR", String::new(), always.clone()),
        ("leaves", "HR", once("2027-01-29"), until("2027-01-28")),
        ("quiet", "HR", String::new(), "2025-07-29".to_owned()),
        ("back", "HR", once("2027-05-31"), came_back),
        ("goes-on", "HR", once("2027-01-29"), until("2027-02-15")),
        ("italian", "IT", String::new(), always.clone()),
        ("german", "DE", String::new(), always.clone()),
        ("nowhere", "", String::new(), always),
    ];
    let mut table = "customer_id,country,contract_ended_on,last_active_on,exported_at\n".to_owned();
    for (id, country, ended, active) in customers {
        table.push_str(&format!("{id},{country},{ended},{active},{}\n", now.to_rfc3339()));
    }
    let resumed = match today {
        today if today < day("2027-02-10") => once("2026-11-30"),
        _ => once("2027-03-31"),
    };
    let campaigns = format!(
        "campaign_id,terminated_on,exported_at\nover,{},{now}\nresumed,{resumed},{now}\nendless,,{now}\n",
        once("2026-11-30"),
        now = now.to_rfc3339()
    );
    let mut conversations = String::new();
    for (id, started) in
        [("long", "2026-08-31T12:00:00Z"), ("day", "2026-12-31"), ("leap", "2027-08-31T12:00:00Z")]
    {
        conversations
            .push_str(&format!("{{\"conversation_id\": \"{id}\", \"started_on\": \"{started}\"}}\n"));
    }
    BTreeMap::from([("customers", table), ("campaigns", campaigns), ("conversations", conversations)])
}

fn start() -> DateTime<Utc> {
    day(SPANS[0].0).and_time(NaiveTime::MIN).and_utc()
}

fn usual_runs() -> BTreeSet<NaiveDate> {
    runs(&SPANS, "2028-04-01")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_it_is_shipped_every_row_goes_on_its_day_or_when_s3_may() {
    let policy = read(&shipped(&[], &[]));
    let mut stage = Stage::set(&policy, start(), &[]).await;

    let journey = Journey::live(&mut stage, &policy, OBJECTS, &usual_runs(), exports).await;

    // A day before the upload, an hour after it, and the round to midnight.
    journey.is_as_promised(|row| matches!(row, 6 | 10).then_some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_the_direct_engine_every_row_goes_on_its_day() {
    let mut files = shipped(&[], &[]);
    for rule in RULES {
        add_to_rule(&mut files, rule, "enforce: direct");
    }
    let policy = read(&files);
    assert_eq!(policy.rules.len(), RULES.len(), "all rules are those of the rows");
    let mut stage = Stage::set(&policy, start(), &[]).await;

    let journey = Journey::live(&mut stage, &policy, OBJECTS, &usual_runs(), exports).await;

    journey.is_as_promised(|_| None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_the_lifecycle_engine_every_row_that_it_can_have_goes_when_it_may() {
    let files = ["messaging.yaml", "ott-media.yaml", "email-content.yaml", "email-attachments.yaml"];
    let mut files = shipped(&files, &[]);
    for row in [2, 4, 6, 10, 12] {
        add_to_rule(&mut files, RULES[row - 1], "enforce: lifecycle");
    }
    nothing_is_planned(&mut files, &[2, 12]);
    // Three months can be three days shorter than the longest three.
    replace(&mut files, "\ntolerance: 4 days\n", "\ntolerance: 6 days\n");
    let policy = read(&files);
    let mut stage = Stage::set(&policy, start(), &[]).await;
    let objects =
        of_rows(&[2, 4, 6, 10, 12]).into_iter().filter(|medium| !medium.is_planned()).collect::<Vec<_>>();
    let runs = runs(&SPANS[..4], "2028-04-01");

    let journey = Journey::live(&mut stage, &policy, &objects, &runs, exports).await;

    journey.is_as_promised(|row| match row {
        2 | 4 => Some(6),
        6 | 10 => Some(3),
        // A year can have a day more.
        _ => Some(4),
    });
}

#[test]
fn every_row_is_followed_by_several_objects_to_several_days() {
    for row in 1..=13 {
        let days: BTreeSet<_> =
            OBJECTS.iter().filter(|medium| medium.row == row).filter_map(|medium| medium.due).collect();
        assert!(days.len() >= 2, "row {row}: {days:?}");
    }
    // Without an end, a row, a date, or anybody who leaves.
    for row in [1, 5, 8, 9, 11, 13] {
        assert!(OBJECTS.iter().any(|medium| medium.row == row && medium.due.is_none()), "row {row}");
    }
}
