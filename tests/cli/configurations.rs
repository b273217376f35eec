//! Lifecycle configurations from the command line: the moment that a hold is placed, what others have changed,
//! and the way back.

use aws_sdk_s3::types::{ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter};

use crate::desk::Desk;
use crate::shelf::Shelf;
use crate::support::LocalStack;
use crate::thirty_days;

const PLAN: &str = "shelflife-plan.parquet";
const HOLD: &str = "holds:\n  - {id: case-1, reason: Order, select: {tenants: [\"1\"]}}\n";

fn by_s3(bucket: &str, more: &str) -> String {
    thirty_days(bucket, more).replace("enforce: direct", "enforce: auto")
}

fn foreign(id: &str, prefix: &str, days: i32) -> LifecycleRule {
    LifecycleRule::builder()
        .id(id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
        .expiration(LifecycleExpiration::builder().days(days).build())
        .build()
        .unwrap()
}

/// Starts of keys that enabled rules of ours stand for.
async fn given(shelf: &Shelf) -> Vec<String> {
    let rules = shelf.lifecycle().await.into_iter();
    let ours = rules.filter(|rule| {
        rule.id().is_some_and(|id| id.starts_with("shelflife:"))
            && *rule.status() == ExpirationStatus::Enabled
    });
    let mut starts: Vec<String> =
        ours.map(|rule| rule.filter().and_then(|it| it.prefix()).unwrap_or_default().to_owned()).collect();
    starts.sort();
    starts
}

/// A bucket whose rule S3 was given.
async fn set_up(store: &LocalStack, prefix: &str) -> (Shelf, Desk) {
    let shelf = Shelf::new(store, prefix).await;
    shelf.put("inbound/1/a.jpg", 10).await;
    shelf.put("inbound/2/a.jpg", 10).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&by_s3(&shelf.bucket, ""));
    desk.run(&["plan"]).ends(0);
    desk.run(&["apply", PLAN]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    (shelf, desk)
}

#[tokio::test]
async fn a_hold_narrows_what_s3_does_at_once_and_nothing_else_is_done() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "narrow").await;
    // Overdue, so that a whole run would sweep it.
    shelf.put("inbound/2/overdue.jpg", 90).await;
    desk.policy(&by_s3(&shelf.bucket, HOLD));
    let keys = shelf.keys().await;
    desk.run(&["reconcile", "--narrow-only", "--out", "narrow.parquet"]).ends(0).shows(&["narrowed"]);
    // What is left is the directory of the other, which the broad rule had covered before.
    assert_eq!(given(&shelf).await, ["inbound/2/"]);
    assert_eq!(shelf.keys().await, keys);
    // The hold is released: nothing that does more is written by such a run.
    desk.policy(&by_s3(&shelf.bucket, ""));
    desk.run(&["reconcile", "--narrow-only", "--out", "again.parquet"]).ends(0);
    assert!(!given(&shelf).await.contains(&"inbound/".to_owned()));
    desk.run(&["reconcile", "--out", "whole.parquet"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    assert!(!shelf.keys().await.contains(&"inbound/2/overdue.jpg".to_owned()));
}

#[tokio::test]
async fn the_narrowing_part_of_a_plan_leaves_the_rest_to_be_carried_out() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "part").await;
    shelf.put("inbound/2/overdue.jpg", 90).await;
    desk.policy(&by_s3(&shelf.bucket, HOLD));
    desk.run(&["plan", "--out", "held.parquet"]).ends(0);
    desk.run(&["apply", "held.parquet", "--narrow-only"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/2/"]);
    assert!(shelf.keys().await.contains(&"inbound/2/overdue.jpg".to_owned()));
    desk.run(&["apply", "held.parquet"]).ends(0).shows(&["deleted"]);
    assert!(!shelf.keys().await.contains(&"inbound/2/overdue.jpg".to_owned()));
}

#[tokio::test]
async fn after_the_narrowing_part_of_a_plan_that_widens_too_the_rest_can_still_be_carried_out() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "both-ways").await;
    // The rule waits longer, and another one is new.
    let other = format!(
        "  - {{id: other, select: {{buckets: [{}], prefix: outbound/}}, trigger: uploaded, retain: 9 days}}\n",
        shelf.bucket
    );
    desk.policy(&by_s3(&shelf.bucket, &other).replace("retain: 30 days", "retain: 60 days"));
    desk.run(&["plan", "--out", "both.parquet"]).ends(0).shows(&["added", "narrowed"]);
    desk.run(&["apply", "both.parquet", "--narrow-only"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    desk.run(&["apply", "both.parquet"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/", "outbound/"]);
}

#[tokio::test]
async fn a_stale_record_file_does_not_hold_up_what_a_hold_narrows() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "stale").await;
    let records = "records:\n  customers: {file: customers.csv, id: id, by: tenant, fresh-within: 2 days, exported-at: at}\n";
    let stale = |more: &str| {
        let rule = format!(
            "  - {{id: ended, select: {{buckets: [{}], prefix: ended/}}, retain: 1 day, enforce: direct,\n     \
             trigger: {{record: customers.ended, if-missing: retained}}}}\n",
            shelf.bucket
        );
        by_s3(&shelf.bucket, &format!("{rule}{records}{more}"))
    };
    desk.write("policies/customers.csv", "id,ended,at\n1,2020-01-01,2020-01-02T00:00:00Z\n");
    desk.policy(&stale(HOLD));
    desk.run(&["reconcile", "--out", "whole.parquet"]).ends(2);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    desk.run(&["reconcile", "--narrow-only", "--out", "narrow.parquet"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/2/"]);
}

#[tokio::test]
async fn what_others_have_changed_since_the_last_run_is_told() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "drift").await;
    desk.run(&["plan", "--detailed-exitcode", "--out", "same.parquet"]).ends(0);
    let ours = shelf.lifecycle().await;
    let id = ours[0].id().unwrap().to_owned();
    shelf.set_lifecycle(vec![foreign("others", "elsewhere/", 9)]).await;
    desk.run(&["plan", "--detailed-exitcode", "--out", "gone.parquet"]).ends(5).shows(&[
        "drift",
        "a rule of this policy was removed",
        &id,
        "a rule of another owner was added",
        "others",
    ]);
    let mut both = ours.clone();
    both[0].status = ExpirationStatus::Disabled;
    shelf.set_lifecycle(both).await;
    desk.run(&["plan", "--detailed-exitcode", "--out", "off.parquet"])
        .ends(5)
        .shows(&["a rule of this policy was changed", "Disabled"]);
}

#[tokio::test]
async fn a_rule_of_others_that_beats_a_due_date_or_a_hold_is_an_error() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "alarm").await;
    shelf.put("inbound/1/a.jpg", 10).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&by_s3(&shelf.bucket, ""));
    shelf.set_lifecycle(vec![foreign("cleanup", "in", 1)]).await;
    desk.run(&["plan"]).ends(1).shows(&[
        "ALARM",
        "cleanup",
        "before they are due under the rule `ott-media`",
    ]);
    desk.run(&["reconcile", "--out", "two.parquet"]).ends(1).shows(&["ALARM"]);
    // Later than due, it meets a hold still.
    shelf.set_lifecycle(vec![foreign("cleanup", "in", 400)]).await;
    desk.run(&["plan"]).ends(0);
    desk.policy(&by_s3(&shelf.bucket, HOLD));
    let told = ["ALARM", "the hold `case-1` is to keep them, or some of them"];
    desk.run(&["plan"]).ends(1).shows(&told);
    desk.policy(&by_s3(&shelf.bucket, &HOLD.replace("tenants: [\"1\"]", "prefix: inbound/1/")));
    desk.run(&["plan"]).ends(1).shows(&["ALARM", "the hold `case-1` is to keep them"]);
}

#[tokio::test]
async fn what_a_run_wrote_can_be_undone_unless_somebody_has_changed_it_since() {
    let Some(store) = LocalStack::shared() else { return };
    let (shelf, desk) = set_up(store, "undo").await;
    let first = desk.log();
    // A hold takes the broad rule away; the way back would let S3 loose on what is held.
    desk.policy(&by_s3(&shelf.bucket, HOLD));
    desk.run(&["plan", "--out", "held.parquet"]).ends(0);
    let applied = desk.run(&["apply", "held.parquet", "--json"]).ends(0).json();
    let second = applied["evidence"].as_str().unwrap().to_owned();
    desk.run(&["undo", &second]).ends(4).tells(&["would remove more again", "--accept widening"]);
    assert_eq!(given(&shelf).await, ["inbound/2/"]);
    desk.run(&["undo", &second, "--accept", "widening"]).ends(0).shows(&["as it was before the run", "head"]);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    // The first run found nothing, so nothing is left; but others may have come since.
    let ours = shelf.lifecycle().await;
    let with_others = [ours.clone(), vec![foreign("others", "elsewhere/", 9)]].concat();
    shelf.set_lifecycle(with_others).await;
    desk.run(&["undo", &first]).ends(4).shows(&["somebody has changed it since"]);
    shelf.set_lifecycle(ours).await;
    desk.run(&["undo", &first]).ends(0);
    assert_eq!(shelf.lifecycle().await, []);
}

#[tokio::test]
async fn a_rule_that_the_policy_demands_of_s3_is_taken_away_by_what_makes_it_unprovable() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "demanded").await;
    shelf.put("inbound/1/a.jpg", 10).await;
    shelf.put("inbound/1/old.jpg", 90).await;
    let desk = Desk::at(&store.endpoint);
    let demanded = |more: &str| by_s3(&shelf.bucket, more).replace("enforce: auto", "enforce: lifecycle");
    desk.policy(&demanded(""));
    desk.run(&["reconcile", "--out", "first.parquet"]).ends(0);
    shelf.put("inbound/1/old.jpg", 90).await;
    assert_eq!(given(&shelf).await, ["inbound/"]);
    // The only tenant there is held: nothing is left for S3.
    desk.policy(&demanded(HOLD));
    desk.run(&["reconcile", "--out", "held.parquet"]).ends(0);
    assert_eq!(given(&shelf).await, [""; 0]);
    // A date that can lie anywhere is never S3's: an error, and what stood there goes all the same.
    desk.policy(&demanded(""));
    desk.run(&["reconcile", "--out", "again.parquet"]).ends(0);
    shelf.put("inbound/1/old.jpg", 90).await;
    let undecided =
        demanded("").replace("trigger: uploaded", "trigger: {metadata: sent, if-missing: uploaded}");
    desk.policy(&undecided);
    let keys = shelf.keys().await;
    desk.run(&["reconcile", "--out", "error.parquet"])
        .ends(2)
        .shows(&["not provable for S3", "enforce: lifecycle"]);
    assert_eq!(given(&shelf).await, [""; 0]);
    assert_eq!(shelf.keys().await, keys);
}

#[tokio::test]
async fn a_hold_placed_after_the_plan_narrows_into_directories_that_the_plan_did_not_name() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "since").await;
    shelf.put("inbound/1/a.jpg", 5).await;
    shelf.put("inbound/7/x/a.jpg", 5).await;
    let desk = Desk::at(&store.endpoint);
    let within = format!(
        "  - id: within\n    select: {{buckets: [{}], prefix: inbound/7/x/}}\n    trigger: uploaded\n    retain: 10 days\n",
        shelf.bucket
    );
    desk.policy(&by_s3(&shelf.bucket, &within));
    desk.run(&["reconcile", "--out", "first.parquet"]).ends(0);
    assert_eq!(given(&shelf).await, ["inbound/"]);
    desk.run(&["plan"]).ends(0);
    desk.policy(&by_s3(&shelf.bucket, &format!("{within}{HOLD}")));
    desk.run(&["apply", PLAN]).ends(0);
    assert!(!given(&shelf).await.contains(&"inbound/".to_owned()));
}
