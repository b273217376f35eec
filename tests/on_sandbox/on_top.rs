//! The built binary on the sandbox: a latest version that goes while an older one stays. What others do to its
//! key in the same moment, and what becomes of the delete marker that covers both where the deletion fails.

use crate::desk::{Desk, Ran};
use crate::run;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use shelflife::sandbox::EntryKind::{Marker, Version};
use shelflife::sandbox::{
    BucketOptions, Effect, EntryKind, Fault, PutOptions, Sandbox, SandboxOptions, Versioning,
};

const BUCKET: &str = "media";

const KEY: &str = "inbound/1/a";

/// What is superseded stays for longer than what is not.
const LONGER_BELOW: &str = "trigger: uploaded
    noncurrent: {retain: 60 days}";

/// Every version goes by its own date.
const BY_ITS_DATE: &str = "trigger: {metadata: made}";

/// A plan to remove the latest of two versions.
async fn planned(rule: &str) -> (Sandbox, Desk) {
    let now = Utc::now();
    let sandbox = Sandbox::start(SandboxOptions::at(now)).await.unwrap();
    let versioning = Versioning::Enabled;
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    for (body, uploaded, made) in [("older", 100, 5), ("latest", 40, 40)] {
        let made = now - TimeDelta::days(made);
        let options = PutOptions::bytes(body).metadata("made", &made.to_rfc3339());
        let options = options.last_modified(now - TimeDelta::days(uploaded));
        sandbox.put_object(BUCKET, KEY, options).unwrap();
    }
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&format!(
        "version: 1
name: e2e
rules:
  - id: ott-media
    select: {{buckets: [{BUCKET}]}}
    {rule}
    retain: 30 days
    enforce: direct
"
    ));
    run(&sandbox, &desk, &["plan"]).ends(0);
    (sandbox, desk)
}

/// Carries the plan out while all of `effects` strike the first call of `operation`.
fn apply_under(sandbox: &Sandbox, desk: &Desk, operation: &str, effects: Vec<Effect>) -> Ran {
    for effect in effects {
        sandbox.faults().add(Fault::on(operation, effect).once());
    }
    let ran = run(sandbox, desk, &["apply", "shelflife-plan.parquet", "--json"]);
    sandbox.faults().clear();
    ran
}

fn delete(sandbox: &Sandbox) {
    sandbox.delete(BUCKET, KEY, None).unwrap();
}

/// All that stands under the key, the newest first.
fn left(sandbox: &Sandbox) -> Vec<EntryKind> {
    sandbox.list_everything(BUCKET).unwrap().into_iter().map(|entry| entry.kind).collect()
}

fn told(desk: &Desk, ran: &Value) -> Vec<String> {
    let outcomes = desk.outcomes(ran["evidence"].as_str().unwrap());
    outcomes.into_iter().map(|outcome| outcome.result).collect()
}

/// It is superseded since then, and not due for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_hides_while_the_marker_is_refused_or_lost_stays() {
    let refused = Effect::Refuse(409, "ConditionalRequestConflict");
    for (answer, code, wanted) in
        [(refused, 0, json!({"changed": 2})), (Effect::Unreachable, 3, json!({"overtaken": 1, "unclear": 1}))]
    {
        let (sandbox, desk) = planned(LONGER_BELOW).await;
        let user = sandbox.clone();
        let effects = vec![Effect::before(move |_| delete(&user)), answer];
        let ran = apply_under(&sandbox, &desk, "DeleteObject", effects).ends(code).json();
        assert_eq!(ran["results"], wanted);
        // Told once more, it is the same.
        let again = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(code).json();
        assert_eq!(again["results"], wanted);
        assert_eq!(left(&sandbox), [Marker, Version, Version], "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_also_below_a_marker_goes_where_the_answer_to_that_was_lost() {
    let (sandbox, desk) = planned(BY_ITS_DATE).await;
    let ran = apply_under(&sandbox, &desk, "DeleteObject", vec![Effect::AnswerLost]).ends(3).json();
    assert_eq!(ran["results"], json!({"deleted": 1, "unclear": 1}), "nobody knows whose the marker is");
    assert_eq!(told(&desk, &ran), ["unclear", "put-off", "deleted"]);
    assert_eq!(left(&sandbox), [Marker, Version]);
}

/// Under the marker it would not be due for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_off_under_its_marker_goes_all_the_same() {
    let (sandbox, desk) = planned(LONGER_BELOW).await;
    let slow = vec![Effect::KeyError("SlowDown")];
    let ran = apply_under(&sandbox, &desk, "DeleteObjects", slow).ends(0).json();
    assert_eq!(ran["results"], json!({"deleted": 1, "marker-added": 1}));
    assert_eq!(told(&desk, &ran), ["marker-removed", "put-off", "marker-added", "deleted"]);
    assert_eq!(left(&sandbox), [Marker, Version]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_removed_is_left_as_it_was_and_goes_once_it_may() {
    let (sandbox, desk) = planned(LONGER_BELOW).await;
    let denied = vec![Effect::KeyError("AccessDenied")];
    let ran = apply_under(&sandbox, &desk, "DeleteObjects", denied).ends(3).json();
    assert_eq!(ran["results"], json!({"denied": 1}));
    assert_eq!(left(&sandbox), [Version, Version]);
    // The sandbox's clock stands still, and the same plan again would be the one that was carried out.
    sandbox.advance_to(sandbox.now() + TimeDelta::seconds(2)).unwrap();
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    assert_eq!(left(&sandbox), [Marker, Version]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_stays_where_somebody_has_put_something_on_it() {
    let (sandbox, desk) = planned(LONGER_BELOW).await;
    let user = sandbox.clone();
    let hides = Effect::after(move |_| delete(&user));
    let effects = vec![Effect::KeyError("SlowDown"), hides];
    let ran = apply_under(&sandbox, &desk, "DeleteObjects", effects).ends(0).json();
    assert_eq!(ran["results"], json!({"marker-added": 1, "overtaken": 1}));
    assert_eq!(left(&sandbox), [Marker, Marker, Version, Version]);
}

/// Nothing is sent again that was not decided again, and without the marker a deletion that is carried out after
/// all would show the older version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_still_go_under_its_marker_is_unclear_and_the_marker_stays() {
    for effect in [Effect::Unreachable, Effect::KeyError("InternalError")] {
        let (sandbox, desk) = planned(LONGER_BELOW).await;
        let ran = apply_under(&sandbox, &desk, "DeleteObjects", vec![effect]).ends(3).json();
        assert_eq!(ran["results"], json!({"marker-added": 1, "unclear": 1}));
        assert_eq!(told(&desk, &ran), ["marker-added", "unclear"], "sent once");
        assert_eq!(left(&sandbox), [Marker, Version, Version]);
    }
}

/// Decided again it would count as superseded, and be kept in silence; or it would go, and a marker that is taken
/// away later would show the older one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_under_a_marker_of_the_runs_own_has_failed() {
    for (rule, effect) in [
        (LONGER_BELOW, Effect::SlowDown),
        (LONGER_BELOW, Effect::AccessDenied),
        (BY_ITS_DATE, Effect::Unreachable),
    ] {
        let (sandbox, desk) = planned(rule).await;
        sandbox.faults().add(Fault::on("DeleteObjects", Effect::KeyError("SlowDown")).once());
        // The first puts the marker, the second takes it away.
        sandbox.faults().add(Fault::on("DeleteObject", effect).calls(2, 9));
        let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(3).json();
        assert_eq!(ran["results"], json!({"failed": 1, "marker-added": 1}));
        assert_eq!(left(&sandbox), [Marker, Version, Version]);
    }
}
