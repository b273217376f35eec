//! Requests to erase, carried out: what goes at once, what a hold or a law keeps, and what is left on record.

use crate::desk::Desk;
use crate::shelf::{Shelf, days_ago};
use crate::support::LocalStack;
use crate::thirty_days;

const PLAN: &str = "shelflife-plan.parquet";

/// A request of `days` ago about tenant 1.
fn request(days: i64) -> String {
    let day = days_ago(days).format("%Y-%m-%d");
    format!(
        "erasures:\n  - {{id: req-881, reason: On request, select: {{tenants: [\"1\"]}}, requested: {day}}}\n"
    )
}

#[tokio::test]
async fn what_was_there_on_the_day_of_a_request_goes_at_once_and_leaves_evidence() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "erasure").await;
    for (key, days) in [
        ("inbound/1/a.jpg", 10),
        ("inbound/1/later.jpg", 1),
        ("inbound/2/a.jpg", 10),
        ("elsewhere/1/b.jpg", 10),
    ] {
        shelf.put(key, days).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, &request(3)));

    desk.run(&["plan"]).ends(0).shows(&["erasure req-881", "2 objects", "on request to erase"]);
    desk.run(&["apply", PLAN]).ends(0);

    assert_eq!(shelf.keys().await, ["inbound/1/later.jpg", "inbound/2/a.jpg"]);
    let log = desk.log();
    let intended: Vec<String> = desk
        .evidence(&log)
        .iter()
        .flat_map(|entry| entry["items"].as_array().cloned().unwrap_or_default())
        .filter(|item| item["erasure"] == "req-881")
        .map(|item| format!("{} {}", item["key"].as_str().unwrap(), item["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(intended.len(), 2, "{intended:?}");
    assert!(intended.iter().all(|item| item.contains("on request req-881")), "{intended:?}");
    // Nothing is left to do.
    desk.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[tokio::test]
async fn a_hold_and_a_law_keep_what_is_asked_to_be_erased() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "kept").await;
    shelf.put("inbound/1/held.jpg", 10).await;
    shelf.put("inbound/1/by-law.jpg", 11).await;
    let desk = Desk::at(&store.endpoint);
    let kept = format!(
        "{}overrides:\n  - {{tenants: [\"1\"], rule: ott-media, retain: 10 years, legal-basis: HGB 257}}\nholds:\n  \
         - {{id: case-1, reason: Order, select: {{prefix: inbound/1/held}}}}\n",
        request(3)
    );
    desk.policy(&thirty_days(&shelf.bucket, &kept));
    let before = shelf.state().await;
    desk.run(&["reconcile"]).ends(0).shows(&["retained", "held"]);
    assert_eq!(shelf.state().await, before);
}

#[tokio::test]
async fn erasures_are_held_to_the_guards_on_their_own() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "guarded").await;
    for key in ["inbound/1/a.jpg", "inbound/1/b.jpg", "inbound/2/a.jpg"] {
        shelf.put(key, 10).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, &format!("{}guards: {{max-objects: 1}}\n", request(3))));
    let before = shelf.state().await;
    desk.run(&["plan"]).ends(4).shows(&["ERASURES:max-objects would remove 2 objects, the limit is 1"]);
    desk.run(&["apply", PLAN, "--accept", "max-objects"]).ends(4).tells(&["ERASURES:max-objects"]);
    assert_eq!(shelf.state().await, before);
    desk.run(&["apply", PLAN, "--accept", "max-objects", "--accept", "ERASURES:max-objects"]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/2/a.jpg"]);
}

#[tokio::test]
async fn a_request_removes_nothing_from_a_bucket_that_is_only_observed_unless_it_names_it() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "observed").await;
    shelf.put("inbound/1/a.jpg", 10).await;
    shelf.put("elsewhere/1/b.jpg", 10).await;
    let desk = Desk::at(&store.endpoint);
    let observed = thirty_days(&shelf.bucket, "").replace("direct", "observe");
    let before = shelf.state().await;
    desk.policy(&format!("{observed}{}", request(3)));
    desk.run(&["reconcile"]).ends(0).shows(&["erasure req-881", "observed only"]);
    assert_eq!(shelf.state().await, before);
    let named = request(3).replace("{tenants", &format!("{{buckets: [{}], tenants", shelf.bucket));
    desk.policy(&format!("{observed}{named}"));
    desk.run(&["reconcile"]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/1/a.jpg"]);
}

#[tokio::test]
async fn versions_of_what_is_erased_do_not_come_back() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::versioned(store, "erased-versions").await;
    shelf.put("inbound/1/a.jpg", 12).await;
    shelf.put("inbound/1/a.jpg", 10).await;
    shelf.put("elsewhere/1/b.jpg", 12).await;
    shelf.mark_deleted("elsewhere/1/b.jpg", 1).await;
    shelf.put("inbound/1/newer.jpg", 12).await;
    shelf.put("inbound/1/newer.jpg", 1).await;
    let newer = shelf.versions_of("inbound/1/newer.jpg").await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, &request(3)));
    desk.run(&["reconcile"]).ends(0);
    // Only what was uploaded after the request is left, and the older version below it is gone.
    let left = shelf.versions().await;
    assert_eq!(left, newer[..1], "{left:?}");
}
