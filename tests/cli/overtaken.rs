//! What happens between the plan and its being carried out: it only ever narrows.

use aws_sdk_s3::types::{
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
};
use chrono::{TimeDelta, Utc};

use crate::desk::{Desk, Outcome};
use crate::shelf::Shelf;
use crate::support::LocalStack;
use crate::thirty_days;

const HOLD: &str = "holds:
  - {id: case-2026-07, reason: Preservation order, select: {tenants: [\"held\"]}}
";

async fn put_anew(shelf: &Shelf, key: &str, body: &'static [u8]) {
    shelf.client.put_object().bucket(&shelf.bucket).key(key).body(body.to_vec().into()).send().await.unwrap();
}

#[track_caller]
fn of<'a>(outcomes: &'a [Outcome], key: &str) -> &'a Outcome {
    let found: Vec<_> = outcomes.iter().filter(|outcome| outcome.key == key).collect();
    assert_eq!(found.len(), 1, "outcomes of {key}: {outcomes:#?}");
    found[0]
}

#[tokio::test]
async fn what_was_rewritten_or_held_since_the_plan_is_skipped_and_the_evidence_says_why() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "overtaken").await;
    let [goes, gone] = ["inbound/1/goes.jpg", "inbound/1/gone.jpg"];
    let [new_bytes, same_bytes] = ["inbound/1/new-bytes.jpg", "inbound/1/same-bytes.jpg"];
    let held = "inbound/held/photo.jpg";
    for key in [goes, gone, new_bytes, same_bytes, held] {
        shelf.put(key, 40).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));
    let plan = desk.run(&["plan", "--json"]).ends(0).json();
    assert_eq!(plan["rows"], 5);

    put_anew(&shelf, new_bytes, b"another medium").await;
    put_anew(&shelf, same_bytes, b"medium").await;
    shelf.client.delete_object().bucket(&shelf.bucket).key(gone).send().await.unwrap();
    desk.policy(&thirty_days(&shelf.bucket, HOLD));
    let applied = desk.run(&["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();

    assert_eq!(shelf.keys().await, [new_bytes, same_bytes, held]);
    let expected = serde_json::json!({"deleted": 1, "already-gone": 1, "changed": 2, "held": 1});
    assert_eq!(applied["results"], expected);
    let log = applied["evidence"].as_str().unwrap();
    let outcomes = desk.outcomes(log);
    assert_eq!(of(&outcomes, goes).result, "deleted");
    assert!(of(&outcomes, gone).detail.contains("was not there any more"));
    for key in [new_bytes, same_bytes] {
        assert_eq!(of(&outcomes, key).result, "changed");
        assert!(of(&outcomes, key).detail.contains("written anew since the plan"));
    }
    assert_eq!(of(&outcomes, held).result, "held");
    assert!(of(&outcomes, held).detail.contains("legal hold case-2026-07"));
    // Both policies are on record: the one that planned and the one that held.
    let opening = &desk.evidence(log)[0];
    assert_eq!(opening["policy_digest"], plan["header"]["policy_digest"]);
    assert_ne!(opening["holds_digest"], plan["header"]["holds_digest"]);
}

#[tokio::test]
async fn what_was_locked_since_the_plan_is_skipped_and_the_evidence_says_why() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::lockable(store, "locked").await;
    let [goes, retained, held] = ["inbound/1/goes.jpg", "inbound/1/retained.jpg", "inbound/1/held.jpg"];
    for key in [goes, retained, held] {
        shelf.put(key, 40).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));
    assert_eq!(desk.run(&["plan", "--json"]).ends(0).json()["rows"], 3);

    let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
    let put = shelf.client.put_object_legal_hold().bucket(&shelf.bucket).key(held);
    put.legal_hold(hold).send().await.unwrap();
    let until = Utc::now() + TimeDelta::days(7);
    let retention = ObjectLockRetention::builder()
        .mode(ObjectLockRetentionMode::Governance)
        .retain_until_date(aws_sdk_s3::primitives::DateTime::from_secs(until.timestamp()))
        .build();
    let put = shelf.client.put_object_retention().bucket(&shelf.bucket).key(retained);
    put.retention(retention).send().await.unwrap();
    let applied = desk.run(&["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();

    assert_eq!(shelf.keys().await, [held, retained]);
    assert_eq!(applied["results"], serde_json::json!({"deleted": 1, "locked": 2}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    assert!(of(&outcomes, held).detail.contains("a legal hold in S3"));
    let until = until.format("%Y-%m-%d").to_string();
    assert!(of(&outcomes, retained).detail.contains(&format!("Object Lock retention until {until}")));

    // A new plan sees it as well, and does not try.
    desk.run(&["reconcile"]).ends(0).shows(&["locked", "2", "nothing to do"]);
}
