//! Buckets that keep versions: what goes, what stays, and that nothing comes back.

use aws_sdk_s3::types::{BucketVersioningStatus, ObjectLockLegalHold, ObjectLockLegalHoldStatus};

use crate::desk::{Desk, Ran};
use crate::fake::{Fake, with_conditions};
use crate::shelf::{Shelf, Version, days_ago};
use crate::support::LocalStack;
use crate::thirty_days;

/// 30 days after the date that each version says itself.
fn by_said_date(bucket: &str) -> String {
    thirty_days(bucket, "").replace("trigger: uploaded", "trigger: {metadata: communication-date}")
}

fn said(days: i64) -> Option<String> {
    Some(days_ago(days).to_rfc3339())
}

async fn hold(shelf: &Shelf, key: &str, id: &str) {
    let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
    let put = shelf.client.put_object_legal_hold().bucket(&shelf.bucket).key(key).version_id(id);
    put.legal_hold(hold).send().await.unwrap();
}

/// A store that is LocalStack, but keeps the condition of a DeleteObject as S3 does.
fn with_if_match(store: &LocalStack) -> Fake {
    let endpoint = store.endpoint.clone();
    Fake::start(move |request| with_conditions(&endpoint, request))
}

#[tokio::test]
async fn versions_and_markers_go_each_in_their_time_and_lone_markers_with_them() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::versioned(store, "versions").await;
    let key = |name: &str| format!("inbound/1/{name}");

    shelf.put(&key("all-due"), 50).await;
    shelf.put(&key("all-due"), 40).await;
    shelf.put(&key("newest-stays"), 40).await;
    let newest = shelf.put(&key("newest-stays"), 10).await.unwrap();
    shelf.put(&key("deleted-and-due"), 40).await;
    shelf.mark_deleted(&key("deleted-and-due"), 35).await;
    shelf.put(&key("deleted-not-due"), 20).await;
    shelf.mark_deleted(&key("deleted-not-due"), 1).await;
    let lone = shelf.put(&key("lone-marker"), 40).await.unwrap();
    shelf.mark_deleted(&key("lone-marker"), 35).await;
    shelf.delete_version(&key("lone-marker"), &lone).await;
    let stays = shelf.versions_of(&key("deleted-not-due")).await;

    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));
    let applied = desk.run(&["reconcile", "--json"]).ends(0).json();

    let left = shelf.versions().await;
    let expected: Vec<Version> = stays
        .into_iter()
        .chain([Version { key: key("newest-stays"), id: newest, is_marker: false, is_latest: true }])
        .collect();
    assert_eq!(left, expected);
    assert_eq!(applied["results"], serde_json::json!({"deleted": 6}));
    let before = shelf.state().await;
    desk.run(&["reconcile"]).ends(0).shows(&["nothing to do"]);
    assert_eq!(shelf.state().await, before);
}

#[tokio::test]
async fn an_older_version_that_stays_is_covered_before_the_latest_goes() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::lockable(store, "resurrect").await;
    let [not_due, locked] = ["inbound/1/not-due.jpg", "inbound/1/locked.jpg"];
    let kept = shelf.put_said(not_due, days_ago(60), said(5).as_deref()).await.unwrap();
    let top = shelf.put_said(not_due, days_ago(50), said(50).as_deref()).await.unwrap();
    let held = shelf.put_said(locked, days_ago(60), said(60).as_deref()).await.unwrap();
    shelf.put_said(locked, days_ago(50), said(50).as_deref()).await;
    hold(&shelf, locked, &held).await;
    let proxy = with_if_match(store);
    let desk = Desk::at(&proxy.endpoint);
    desk.policy(&by_said_date(&shelf.bucket));

    let applied = desk.run(&["reconcile", "--json"]).ends(0).json();

    for (key, id) in [(not_due, &kept), (locked, &held)] {
        assert!(!shelf.is_visible(key).await, "{key} has come back");
        let left = shelf.versions_of(key).await;
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].is_marker && left[0].is_latest);
        assert_eq!(&left[1].id, id);
    }
    assert_eq!(applied["results"], serde_json::json!({"deleted": 2, "marker-added": 2}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    let of_not_due: Vec<_> = outcomes.iter().filter(|outcome| outcome.key == not_due).collect();
    assert_eq!((of_not_due[0].result.as_str(), &of_not_due[0].version_id), ("marker-added", &None));
    assert_eq!((of_not_due[1].result.as_str(), &of_not_due[1].version_id), ("deleted", &Some(top)));
    let before = shelf.state().await;
    desk.run(&["reconcile"]).ends(0).shows(&["nothing to do"]);
    assert_eq!(shelf.state().await, before);
}

/// LocalStack answers 501 to a DeleteObject with If-Match, so no marker can be put on top there.
#[tokio::test]
async fn where_the_store_has_no_conditional_delete_the_latest_stays_and_the_evidence_says_so() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::versioned(store, "no-condition").await;
    let key = "inbound/1/photo.jpg";
    shelf.put_said(key, days_ago(60), said(5).as_deref()).await;
    shelf.put_said(key, days_ago(50), said(50).as_deref()).await;
    let before = shelf.state().await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&by_said_date(&shelf.bucket));

    let applied = desk.run(&["reconcile", "--json"]).ends(3).json();

    assert_eq!(shelf.state().await, before);
    assert_eq!(applied["results"], serde_json::json!({"failed": 2}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    assert!(outcomes[0].detail.contains("does not implement this"), "{outcomes:?}");
    assert!(outcomes[1].detail.contains("could not be covered by a delete marker"), "{outcomes:?}");
}

#[tokio::test]
async fn a_latest_version_rewritten_under_way_is_not_covered() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::versioned(store, "raced").await;
    let key = "inbound/1/photo.jpg";
    shelf.put_said(key, days_ago(60), said(5).as_deref()).await;
    shelf.put_said(key, days_ago(50), said(50).as_deref()).await;
    // Somebody writes the key anew in the moment before the marker arrives: the condition must catch it.
    let (endpoint, client, bucket) = (store.endpoint.clone(), shelf.client.clone(), shelf.bucket.clone());
    let runtime = tokio::runtime::Handle::current();
    let proxy = Fake::start(move |request| {
        if request.method == "DELETE" && request.header("if-match").is_some() {
            let put = client.put_object().bucket(&bucket).key(key).body(b"newer".to_vec().into());
            runtime.block_on(put.send()).unwrap();
        }
        with_conditions(&endpoint, request)
    });
    let desk = Desk::at(&proxy.endpoint);
    desk.policy(&by_said_date(&shelf.bucket));

    // The runtime must not wait for the command, for the proxy puts with it.
    let mut command = desk.command(&["reconcile", "--json"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let applied = Ran::of(output).ends(0).json();

    assert!(shelf.is_visible(key).await);
    assert_eq!(shelf.versions_of(key).await.len(), 3);
    assert_eq!(applied["results"], serde_json::json!({"changed": 2}));
}

#[tokio::test]
async fn in_a_suspended_bucket_null_versions_go_and_never_take_another_with_them() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "suspended").await;
    let key = |name: &str| format!("inbound/1/{name}");
    // Null versions from before versioning, a version above one, and null versions from the suspension.
    shelf.put_said(&key("null-due"), days_ago(60), said(60).as_deref()).await;
    shelf.put_said(&key("null-stays"), days_ago(60), said(5).as_deref()).await;
    shelf.put_said(&key("null-below"), days_ago(60), said(5).as_deref()).await;
    shelf.set_versioning(BucketVersioningStatus::Enabled).await;
    shelf.put_said(&key("null-below"), days_ago(50), said(50).as_deref()).await;
    let older = shelf.put_said(&key("null-on-top"), days_ago(60), said(5).as_deref()).await.unwrap();
    shelf.set_versioning(BucketVersioningStatus::Suspended).await;
    shelf.put_said(&key("null-on-top"), days_ago(50), said(50).as_deref()).await;
    let below = shelf.versions_of(&key("null-below")).await;
    assert_eq!(below.iter().map(|version| version.id == "null").collect::<Vec<_>>(), [false, true]);
    let proxy = with_if_match(store);
    let desk = Desk::at(&proxy.endpoint);
    desk.policy(&by_said_date(&shelf.bucket));

    let plan = desk.run(&["plan"]).ends(0);
    plan.shows(&["waits for versions below"]);
    desk.run(&["reconcile"]).ends(0);

    // A null marker takes its place, and stays: what has no id of its own can't be removed safely.
    let due = shelf.versions_of(&key("null-due")).await;
    assert!(matches!(due.as_slice(), [marker] if marker.is_marker && marker.id == "null"), "{due:?}");
    assert_eq!(shelf.versions_of(&key("null-stays")).await.len(), 1);
    // A marker here would be a null one and destroy the null version that stays, so the latest waits.
    assert_eq!(shelf.versions_of(&key("null-below")).await, below);
    // Here the null marker takes the place of the null version that is due.
    let on_top = shelf.versions_of(&key("null-on-top")).await;
    assert_eq!(on_top.len(), 2, "{on_top:?}");
    assert!(on_top[0].is_marker && on_top[0].id == "null");
    assert_eq!(on_top[1].id, older);
    assert!(!shelf.is_visible(&key("null-on-top")).await);

    // No condition would keep its deletion from hitting an object that takes its place: it stays, and is told.
    shelf.age_marker(&key("null-due"), 35);
    let before = shelf.state().await;
    desk.run(&["reconcile"]).ends(0).shows(&["null version, left", "nothing to do"]);
    assert_eq!(shelf.state().await, before);
}

/// A key that no batch can carry is deleted by itself, with its ETag as condition; see above.
#[tokio::test]
async fn an_object_without_versions_that_no_batch_can_carry_stays_where_there_is_no_conditional_delete() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "odd-key").await;
    let key = "inbound/1/\u{1b}[31mred.jpg";
    shelf.put(key, 40).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));

    let applied = desk.run(&["reconcile", "--json"]).ends(3).json();

    assert_eq!(shelf.keys().await, [key]);
    assert_eq!(applied["results"], serde_json::json!({"failed": 1}));
    let outcomes = desk.outcomes(applied["evidence"].as_str().unwrap());
    assert!(outcomes[0].detail.contains("does not implement this"), "{outcomes:?}");

    let proxy = with_if_match(store);
    let there = Desk::at(&proxy.endpoint);
    there.policy(&thirty_days(&shelf.bucket, ""));
    there.run(&["reconcile"]).ends(0);
    assert_eq!(shelf.keys().await, [""; 0]);
}
