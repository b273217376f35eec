//! What the tool is for: media of all ages around their due dates, and exactly those that are due go.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag,
    Transition, TransitionStorageClass,
};
use chrono::{DateTime, Months, NaiveTime, TimeDelta, Utc};

use crate::desk::Desk;
use crate::shelf::{Shelf, noon};
use crate::support::LocalStack;

const TOLERANCE: TimeDelta = TimeDelta::days(4);

fn policy(ott: &str, email: &str, enforce: &str) -> String {
    format!(
        "version: 1
name: e2e
tolerance: 4 days
triggers:
  communication-date:
    metadata: communication-date
    within: {{before: 1 day, after: 1 hour}}
    outside: clamp
    if-missing: uploaded
rules:
  - id: ott-media
    select: {{buckets: [{ott}], prefix: inbound/}}
    trigger: communication-date
    retain: 30 days
    enforce: {enforce}
  - id: email-attachments
    select: {{buckets: [{email}], prefix: attachments/}}
    trigger: communication-date
    retain: 1 year
    enforce: {enforce}
"
    )
}

/// An object, and how a person with a calendar reads the notice for it.
struct Medium {
    key: String,
    due: DateTime<Utc>,
    /// The last day that it can be due on, for who knows only when it was uploaded.
    due_at_the_latest: DateTime<Utc>,
}

fn end_of_day(at: DateTime<Utc>) -> DateTime<Utc> {
    (at.date_naive() + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc()
}

/// Fills a shelf with media of `ages` days: some say when they were communicated, some do not, some lie.
async fn fill(
    shelf: &Shelf,
    ages: std::ops::RangeInclusive<i64>,
    prefix: &str,
    months: u32,
    days: i64,
) -> Vec<Medium> {
    let due = |at: DateTime<Utc>| end_of_day(at + Months::new(months) + TimeDelta::days(days));
    let mut media = Vec::new();
    for age in ages {
        let uploaded = noon() - TimeDelta::days(age);
        let said = uploaded - TimeDelta::hours(20);
        for (name, words, counts) in [
            ("silent", None, uploaded),
            ("said", Some(said.to_rfc3339()), said),
            ("wrong", Some("1999-01-01T00:00:00Z".to_owned()), uploaded),
        ] {
            let key = format!("{prefix}{age}-{name}.jpg");
            shelf.put_said(&key, uploaded, words.as_deref()).await;
            media.push(Medium { key, due: due(counts), due_at_the_latest: due(uploaded) });
        }
    }
    media
}

fn keys<'a>(media: impl Iterator<Item = &'a Medium>) -> BTreeSet<String> {
    media.map(|medium| medium.key.clone()).collect()
}

async fn left(shelf: &Shelf) -> BTreeSet<String> {
    shelf.keys().await.into_iter().collect()
}

#[tokio::test]
async fn under_the_direct_engine_exactly_what_is_not_yet_due_is_left() {
    let Some(store) = LocalStack::shared() else { return };
    let (ott, email) = (Shelf::new(store, "direct-ott").await, Shelf::new(store, "direct-email").await);
    let media = fill(&ott, 28..=37, "inbound/4711/", 0, 30).await;
    let attachments = fill(&email, 363..=372, "attachments/4711/", 12, 0).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&policy(&ott.bucket, &email.bucket, "direct"));

    desk.run(&["plan", "--detailed-exitcode", "--out", "look.parquet"]).ends(5);
    let now = Utc::now();
    let reconciled = desk.run(&["reconcile", "--json"]).ends(0).json();

    assert_eq!(left(&ott).await, keys(media.iter().filter(|medium| medium.due > now)));
    assert_eq!(left(&email).await, keys(attachments.iter().filter(|medium| medium.due > now)));
    assert_eq!(ott.lifecycle().await, []);
    let gone = media.iter().chain(&attachments).filter(|medium| medium.due <= now).count();
    assert!((20..55).contains(&gone), "both sides of both due dates are there: {gone}");
    assert_eq!(reconciled["results"]["deleted"], gone);

    let (log, head) = (reconciled["evidence"].as_str().unwrap(), reconciled["head"].as_str().unwrap());
    let verified = desk.run(&["verify", log, "--head", head, "--json"]).ends(0).json();
    assert_eq!(
        (&verified["totals"]["items"]["deleted"], &verified["end"]),
        (&gone.into(), &"finished".into())
    );

    let before = (ott.state().await, email.state().await);
    desk.run(&["plan", "--detailed-exitcode", "--out", "look.parquet"]).ends(0).shows(&["nothing to do"]);
    desk.run(&["reconcile"]).ends(0).shows(&["nothing to do"]);
    assert_eq!((ott.state().await, email.state().await), before);
}

#[tokio::test]
async fn under_both_engines_s3_is_left_what_is_within_the_tolerance_and_the_rest_is_swept() {
    let Some(store) = LocalStack::shared() else { return };
    let (ott, email) = (Shelf::new(store, "auto-ott").await, Shelf::new(store, "auto-email").await);
    let media = fill(&ott, 28..=37, "inbound/4711/", 0, 30).await;
    let attachments = fill(&email, 363..=372, "attachments/4711/", 12, 0).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&policy(&ott.bucket, &email.bucket, "auto"));

    desk.run(&["plan", "--detailed-exitcode"]).ends(5).shows(&["lifecycle rule added", "left to S3"]);
    let now = Utc::now();
    let reconciled = desk.run(&["reconcile", "--json"]).ends(0).json();

    // Nobody pays for a HEAD of what S3 removes: the latest date that the upload allows counts.
    let is_left = |medium: &&Medium| medium.due_at_the_latest + TOLERANCE > now;
    assert_eq!(left(&ott).await, keys(media.iter().filter(is_left)));
    assert_eq!(left(&email).await, keys(attachments.iter().filter(is_left)));
    let overdue = |medium: &&Medium| medium.due <= now && is_left(medium);
    assert!(media.iter().filter(overdue).count() > 3, "something is left to S3");
    assert!(left(&ott).await.len() < media.len(), "something is swept");

    // 31 days and 367: an hour after the upload still counts, and a year can have 366.
    for (shelf, prefix, days) in [(&ott, "inbound/", 31), (&email, "attachments/", 367)] {
        let rules = shelf.lifecycle().await;
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert!(rules[0].id().unwrap().starts_with("shelflife:e2e:"));
        assert_eq!(rules[0].status(), &ExpirationStatus::Enabled);
        assert_eq!(rules[0].filter().unwrap().prefix(), Some(prefix));
        assert_eq!(rules[0].expiration().unwrap().days(), Some(days));
        assert_eq!(reconciled["configurations"][&shelf.bucket]["result"], "applied");
    }

    let (log, head) = (reconciled["evidence"].as_str().unwrap(), reconciled["head"].as_str().unwrap());
    desk.run(&["verify", log, "--head", head]).ends(0).shows(&[
        "is whole",
        "deleted",
        "lifecycle",
        "2 applied",
    ]);

    let before = (ott.state().await, email.state().await);
    desk.run(&["plan", "--detailed-exitcode"]).ends(0);
    desk.run(&["reconcile"]).ends(0).shows(&["nothing to do"]);
    assert_eq!((ott.state().await, email.state().await), before);
}

/// Rules that others have put there, in the forms that careless tools lose.
fn rules_of_others() -> Vec<LifecycleRule> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let and = LifecycleRuleAndOperator::builder()
        .prefix("exports/")
        .tags(tag("team", "data & more"))
        .tags(tag("class", "cold"))
        .object_size_greater_than(1024)
        .build();
    let rule =
        |id: &str, filter| LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(filter);
    let to_glacier = Transition::builder().days(90).storage_class(TransitionStorageClass::Glacier).build();
    let in_ten_years = LifecycleExpiration::builder().days(3650).build();
    vec![
        rule("by tag", LifecycleRuleFilter::builder().tag(tag("archive", "yes")).build())
            .transitions(to_glacier.clone())
            .build()
            .unwrap(),
        rule("by all", LifecycleRuleFilter::builder().and(and).build())
            .transitions(to_glacier)
            .expiration(in_ten_years.clone())
            .build()
            .unwrap(),
        rule("shelflife:another:rule:0123456789ab", LifecycleRuleFilter::builder().prefix("other/").build())
            .status(ExpirationStatus::Disabled)
            .expiration(in_ten_years)
            .build()
            .unwrap(),
    ]
}

#[tokio::test]
async fn lifecycle_rules_of_others_stay_as_they_are() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "foreign").await;
    shelf.set_lifecycle(rules_of_others()).await;
    let before = shelf.lifecycle().await;
    let desk = Desk::at(&store.endpoint);
    let with = |enforce: &str| policy(&shelf.bucket, &shelf.bucket, enforce);

    desk.policy(&with("auto"));
    desk.run(&["reconcile"]).ends(0).shows(&["written and read back"]);
    let (ours, others): (Vec<_>, Vec<_>) = shelf
        .lifecycle()
        .await
        .into_iter()
        .partition(|rule| rule.id().unwrap().starts_with("shelflife:e2e:"));
    assert_eq!((ours.len(), &others), (2, &before));

    // What is not ours survives the removal of what is, too.
    desk.policy(&with("direct"));
    let reconciled = desk.run(&["reconcile", "--json"]).ends(0).json();
    assert_eq!(shelf.lifecycle().await, before);
    let log = desk.evidence(reconciled["evidence"].as_str().unwrap());
    let written = log.iter().find(|entry| entry["kind"] == "configuration-intent").unwrap();
    assert!(written["before"].as_str().unwrap().contains("shelflife:e2e:"));
    assert!(written["after"].as_str().unwrap().contains("data &amp; more"));
}

#[tokio::test]
async fn a_configuration_that_moved_after_the_plan_is_not_written() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "moved").await;
    shelf.put("inbound/1/fresh.jpg", 1).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&policy(&shelf.bucket, &shelf.bucket, "auto"));
    desk.run(&["plan"]).ends(0);
    shelf.set_lifecycle(rules_of_others()).await;
    let before = shelf.state().await;

    let applied = desk.run(&["apply", "shelflife-plan.parquet"]).ends(4);

    applied.shows(&["not put in force", "somebody has changed it since", "make a new plan"]);
    assert_eq!(shelf.state().await, before);
}
