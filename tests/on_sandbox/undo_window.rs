//! The built binary on the sandbox: rules with an undo window hide what is due, remove it after the window,
//! and a run can be undone until then.

use crate::desk::{Desk, Ran};
use crate::{client, run};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use shelflife::sandbox::{
    BucketOptions, Effect, Entry, EntryKind, Fault, PutOptions, Sandbox, SandboxOptions, Versioning,
};

const BUCKET: &str = "media";

fn policy(more: &str) -> String {
    format!(
        "version: 1
name: e2e
tenant:
  - key: \"*/{{tenant}}/**\"
rules:
  - id: ott-media
    select: {{buckets: [{BUCKET}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    undo-window: 7 days
{more}"
    )
}

async fn store(versioning: Versioning) -> (Sandbox, Desk) {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&policy(""));
    (sandbox, desk)
}

fn ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

fn put(sandbox: &Sandbox, key: &str, days: i64) -> String {
    let options = PutOptions::bytes(format!("{key} {days}")).last_modified(ago(days));
    sandbox.put_object(BUCKET, key, options).unwrap().version_id.unwrap_or_default()
}

fn under(sandbox: &Sandbox, key: &str) -> Vec<Entry> {
    sandbox.list_everything(BUCKET).unwrap().into_iter().filter(|entry| entry.key == key).collect()
}

fn visible(sandbox: &Sandbox) -> Vec<String> {
    sandbox.current_objects(BUCKET).unwrap().into_iter().map(|entry| entry.key).collect()
}

/// Makes the marker on top of a key as old as this.
fn age_marker(sandbox: &Sandbox, key: &str, days: i64) {
    let top = &under(sandbox, key)[0];
    assert_eq!(top.kind, EntryKind::Marker);
    sandbox.set_last_modified(BUCKET, key, Some(&top.id), ago(days)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_hidden_and_goes_with_its_marker_after_the_window() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let (due, young) = ("inbound/1/due", "inbound/1/young");
    let older = put(&sandbox, due, 60);
    let version = put(&sandbox, due, 40);
    put(&sandbox, young, 5);

    let first = run(&sandbox, &desk, &["reconcile"]).ends(0);
    first.shows(&[
        "its deletions can be undone for a while",
        "to mark",
        "only hidden for now",
        "marker-added",
    ]);
    // The older version was superseded longer ago than the window.
    let left = under(&sandbox, due);
    assert_eq!(
        left.iter().map(|entry| entry.kind).collect::<Vec<_>>(),
        [EntryKind::Marker, EntryKind::Version]
    );
    assert_eq!(left[1].id, version);
    assert_ne!(left[1].id, older);
    assert_eq!(visible(&sandbox), [young]);

    let before = sandbox.list_everything(BUCKET).unwrap();
    run(&sandbox, &desk, &["reconcile"]).ends(0).shows(&["waits for its undo window", "nothing to do"]);
    age_marker(&sandbox, due, 6);
    run(&sandbox, &desk, &["reconcile"]).ends(0).shows(&["nothing to do"]);
    assert_eq!(sandbox.list_everything(BUCKET).unwrap().len(), before.len());

    age_marker(&sandbox, due, 8);
    let last = run(&sandbox, &desk, &["reconcile", "--json"]).ends(0).json();
    assert_eq!(last["results"], json!({"deleted": 2}));
    assert_eq!(under(&sandbox, due), []);
    assert_eq!(visible(&sandbox), [young]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_without_versions_keeps_everything_and_the_plan_is_an_error() {
    for versioning in [Versioning::Never, Versioning::Suspended] {
        let (sandbox, desk) = store(versioning).await;
        put(&sandbox, "inbound/1/due", 40);
        let ran = run(&sandbox, &desk, &["reconcile"]).ends(2);
        ran.shows(&["left, no undo window here", "error:", "needs a bucket that keeps versions"]);
        assert_eq!(visible(&sandbox), ["inbound/1/due"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_window_is_not_overdue() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    // Due nine days ago and hidden since: a rule without a window would be late by now.
    put(&sandbox, "inbound/1/due", 39);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    age_marker(&sandbox, "inbound/1/due", 6);
    run(&sandbox, &desk, &["audit"]).ends(0);
    age_marker(&sandbox, "inbound/1/due", 8);
    run(&sandbox, &desk, &["audit"]).ends(0);
    // The window has been over for longer than the tolerance.
    put(&sandbox, "inbound/1/late", 50);
    let late = put(&sandbox, "inbound/1/late", 20);
    assert_eq!(under(&sandbox, "inbound/1/late")[0].id, late);
    run(&sandbox, &desk, &["audit"]).ends(6).shows(&["inbound/1/late"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_tells_of_the_window() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/due", 40);
    let explain = ["explain", "s3://media/inbound/1/due"];
    let told = run(&sandbox, &desk, &explain).ends(0);
    told.shows(&[
        "marked with a delete marker from",
        "removed 7 days after that",
        "hides it behind a delete marker",
    ]);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    run(&sandbox, &desk, &explain).ends(0).shows(&["stays hidden until its undo window is over"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undo_makes_what_was_hidden_visible_again_and_says_what_it_cannot() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let [one, two, newer, gone, straight] =
        ["inbound/1/one", "inbound/2/two", "inbound/1/newer", "inbound/1/gone", "inbound/1/straight"];
    for key in [one, two, newer, gone, straight] {
        put(&sandbox, key, 40);
    }
    // Superseded longer ago than the window: it goes at once.
    put(&sandbox, straight, 35);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    let log = desk.log();
    put(&sandbox, newer, 0);
    let marker = under(&sandbox, gone)[0].id.clone();
    let client = client(&sandbox);
    client.delete_object().bucket(BUCKET).key(gone).version_id(marker).send().await.unwrap();

    let dry = run(&sandbox, &desk, &["undo", &log, "--dry-run"]).ends(0);
    dry.shows(&["3 objects can be made visible again", one, "any more", gone])
        .shows(&["something newer lies on top", newer])
        .shows(&["removed by the run for good", straight, "nothing was changed"]);
    assert_eq!(visible(&sandbox), [gone, newer]);
    run(&sandbox, &desk, &["undo", &log]).ends(4).tells(&["--accept markers", "unless a hold"]);
    assert_eq!(visible(&sandbox), [gone, newer]);

    let of_one = ["undo", &log, "--accept", "markers", "--tenant", "2"];
    run(&sandbox, &desk, &of_one).ends(0).shows(&["marker-removed", "place a hold"]);
    assert_eq!(visible(&sandbox), [gone, newer, two]);
    let all = run(&sandbox, &desk, &["undo", &log, "--accept", "markers", "--json"]).ends(0).json();
    assert_eq!(all["results"], json!({"marker-removed": 2, "already-gone": 2, "changed": 1}));
    assert_eq!(visible(&sandbox), [gone, newer, one, straight, two]);

    // It is evidenced, follows the newest log, and what comes back is hidden by the next run.
    let undone = all["evidence"].as_str().unwrap();
    run(&sandbox, &desk, &["verify", undone, "--head", all["head"].as_str().unwrap()]).ends(0);
    let opening = &desk.evidence(undone)[0];
    let before = undone.replace("undo-2", "undo-1");
    let head = run(&sandbox, &desk, &["verify", &before, "--json"]).ends(0).json();
    assert_eq!(opening["previous_head"], head["head"]);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    assert_eq!(visible(&sandbox), [newer]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_removed_since_is_not_said_to_come_back() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let version = put(&sandbox, "inbound/1/a", 40);
    put(&sandbox, "inbound/1/b", 3);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    let log = desk.log();
    let client = client(&sandbox);
    client.delete_object().bucket(BUCKET).key("inbound/1/a").version_id(version).send().await.unwrap();
    let told = run(&sandbox, &desk, &["undo", &log, "--accept", "markers"]).ends(0);
    told.shows(&[
        "1 object cannot be undone",
        "the version has been removed since",
        "nothing left of the run to undo",
    ]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_whose_answer_was_lost_is_put_once_and_found_by_listing() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", 40);
    sandbox.faults().add(Fault::on("DeleteObject", Effect::AnswerLost).once());
    run(&sandbox, &desk, &["reconcile"]).ends(3).shows(&["unclear"]);
    sandbox.faults().clear();
    let left = under(&sandbox, "inbound/1/a");
    assert_eq!(
        left.iter().map(|entry| entry.kind).collect::<Vec<_>>(),
        [EntryKind::Marker, EntryKind::Version]
    );
    let log = desk.log();
    // It is not certain whose it is.
    let told = run(&sandbox, &desk, &["undo", &log, "--accept", "markers"]).ends(0);
    told.shows(&["1 object may have been hidden by the run", "--accept found-markers", "inbound/1/a"]);
    assert!(visible(&sandbox).is_empty());
    let undo = ["undo", &log, "--accept", "found-markers", "--json"];
    assert_eq!(run(&sandbox, &desk, &undo).ends(0).json()["results"], json!({"marker-removed": 1}));
    assert_eq!(visible(&sandbox), ["inbound/1/a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markers_of_a_run_that_was_killed_are_found_by_listing() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", 40);
    put(&sandbox, "inbound/1/b", 40);
    run(&sandbox, &desk, &["reconcile"]).ends(0);
    let log = desk.log();
    // What a kill between the deletion and the next line leaves of it.
    kill_after_intent(&desk, &log);
    // A version that somebody has put on one of them in between stays where it is.
    put(&sandbox, "inbound/1/b", 0);
    let undo = ["undo", &log, "--accept", "found-markers", "--json"];
    let undone = run(&sandbox, &desk, &undo).ends(0).json();
    assert_eq!(undone["results"], json!({"marker-removed": 1, "changed": 1}));
    assert_eq!(visible(&sandbox), ["inbound/1/a", "inbound/1/b"]);
}

/// Cuts a log off after its first intent, as a kill right after that does.
fn kill_after_intent(desk: &Desk, log: &str) {
    let text = std::fs::read_to_string(desk.path(log)).unwrap();
    let intent = text.find("\"kind\":\"intent\"").unwrap();
    let cut = intent + text[intent..].find('\n').unwrap() + 1;
    std::fs::write(desk.path(log), &text[..cut]).unwrap();
}

/// A kill leaves a whole batch open, and the same command goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_hides_after_it_was_killed_is_told_and_undone_once() {
    const MANY: usize = 510;
    let (sandbox, desk) = store(Versioning::Enabled).await;
    (0..MANY).for_each(|number| drop(put(&sandbox, &format!("inbound/1/{number}"), 40)));
    run(&sandbox, &desk, &["plan"]).ends(0);
    let apply = ["apply", "shelflife-plan.parquet"];
    run(&sandbox, &desk, &apply).ends(0);
    let log = desk.log();
    // As if it had come before any marker was put.
    kill_after_intent(&desk, &log);
    for entry in sandbox.list_everything(BUCKET).unwrap() {
        if entry.kind == EntryKind::Marker {
            sandbox.delete(BUCKET, &entry.key, Some(&entry.id)).unwrap();
        }
    }
    run(&sandbox, &desk, &apply).ends(0);
    let unclear = desk.outcomes(&log).iter().filter(|outcome| outcome.result == "unclear").count();
    assert_eq!(unclear, MANY);

    let dry = run(&sandbox, &desk, &["undo", &log, "--dry-run", "--json"]).ends(0).json();
    let told = &dry["objects"];
    assert_eq!((&told["can"]["count"], &told["found"]["count"]), (&json!(MANY), &json!(0)), "{told}");
    assert_eq!(told["cannot"], json!([]));
    let undo = ["undo", &log, "--accept", "markers", "--accept", "found-markers", "--json"];
    let undone = run(&sandbox, &desk, &undo).ends(0).json();
    assert_eq!(undone["results"], json!({"marker-removed": MANY}));
    assert_eq!(visible(&sandbox).len(), MANY);
}

/// A wrong policy has hidden what it must not, the disk was full, and the policy is mended: `apply` does not
/// take the log up again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_last_line_is_torn_is_undone_by_the_lines_before_it() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let (told, torn) = ("inbound/1/told", "inbound/1/torn");
    put(&sandbox, told, 40);
    put(&sandbox, torn, 40);
    // A batch for each.
    run(&sandbox, &desk, &["reconcile", "--max-rate", "1", "--concurrency", "1"]).ends(0);
    let log = desk.log();
    let text = std::fs::read_to_string(desk.path(&log)).unwrap();
    let (outcome, _) = text.match_indices("\"kind\":\"outcome\"").nth(1).unwrap();
    std::fs::write(desk.path(&log), &text[..outcome]).unwrap();
    desk.policy(&policy("").replace("30 days", "60 days"));
    run(&sandbox, &desk, &["apply", "shelflife-plan.parquet"]).ends(4);

    let dry = run(&sandbox, &desk, &["undo", &log, "--dry-run"]).ends(0);
    dry.tells(&["note:", "is torn", "nothing is undone by it", "looked for in the store"]).shows(&[
        "1 object can be made visible again",
        told,
        "1 object may have been hidden by the run",
        torn,
    ]);
    let undo = ["undo", &log, "--accept", "markers", "--accept", "found-markers", "--json"];
    let undone = run(&sandbox, &desk, &undo).ends(0).json();
    assert_eq!(undone["results"], json!({"marker-removed": 2}));
    assert_eq!(visible(&sandbox), [told, torn]);
    run(&sandbox, &desk, &["verify", undone["evidence"].as_str().unwrap()]).ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_undo_an_older_run_leaves_no_room_to_take_a_log_away() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let reconciled = |key: &str, plan: &str| {
        put(&sandbox, key, 40);
        let ran = run(&sandbox, &desk, &["reconcile", "--out", plan, "--json"]).ends(0).json();
        ran["evidence"].as_str().unwrap().to_owned()
    };
    let first = reconciled("inbound/1/a", "a.parquet");
    let second = reconciled("inbound/1/b", "b.parquet");
    let undone = run(&sandbox, &desk, &["undo", &first, "--accept", "markers", "--json"]).ends(0).json();
    let undone = undone["evidence"].as_str().unwrap();
    let third = reconciled("inbound/1/c", "c.parquet");

    run(&sandbox, &desk, &["verify", &first, &second, undone, &third]).ends(0);
    let without = run(&sandbox, &desk, &["verify", &first, undone, &third]).ends(1);
    without.shows(&["a gap: nothing here leads to this log"]);
}

/// What is hidden already is not taken for hidden by the run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_that_a_user_puts_right_before_the_run_stays() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    let key = "inbound/1/a";
    put(&sandbox, key, 40);
    // The run looks twice: when it begins a batch, and right before it puts the marker.
    let user = sandbox.clone();
    let delete = Effect::before(move |_| drop(user.delete(BUCKET, key, None).unwrap()));
    run(&sandbox, &desk, &["plan"]).ends(0);
    sandbox.faults().add(Fault::on("ListObjectVersions", delete).calls(2, 2));
    let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    sandbox.faults().clear();
    assert_eq!(ran["results"], json!({"changed": 1}));
    let log = ran["evidence"].as_str().unwrap();
    let undo = ["undo", log, "--accept", "markers", "--accept", "found-markers"];
    run(&sandbox, &desk, &undo).ends(0).shows(&["nothing left of the run to undo"]);
    assert!(visible(&sandbox).is_empty());
}

/// The request of the run is refused, or does not arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_that_a_user_puts_in_place_of_the_runs_own_is_not_claimed() {
    let refused = Effect::Refuse(409, "ConditionalRequestConflict");
    for (answer, ends, wanted) in
        [(refused, 0, json!({"changed": 1})), (Effect::Unreachable, 3, json!({"unclear": 1}))]
    {
        let (sandbox, desk) = store(Versioning::Enabled).await;
        let key = "inbound/1/a";
        put(&sandbox, key, 40);
        run(&sandbox, &desk, &["plan"]).ends(0);
        let user = sandbox.clone();
        let delete = Effect::before(move |_| drop(user.delete(BUCKET, key, None).unwrap()));
        for effect in [delete, answer] {
            sandbox.faults().add(Fault::on("DeleteObject", effect).once());
        }
        let ran = run(&sandbox, &desk, &["apply", "shelflife-plan.parquet", "--json"]).ends(ends).json();
        sandbox.faults().clear();
        assert_eq!(ran["results"], wanted);
        run(&sandbox, &desk, &["undo", ran["evidence"].as_str().unwrap(), "--accept", "markers"]).ends(0);
        assert!(visible(&sandbox).is_empty());
        assert_eq!(under(&sandbox, key).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_of_another_time_is_not_taken_for_the_runs_own() {
    let (sandbox, desk) = store(Versioning::Enabled).await;
    put(&sandbox, "inbound/1/a", 40);
    sandbox.faults().add(Fault::on("DeleteObject", Effect::AnswerLost).once());
    run(&sandbox, &desk, &["reconcile"]).ends(3).shows(&["unclear"]);
    sandbox.faults().clear();
    age_marker(&sandbox, "inbound/1/a", 1);
    let undo = ["undo", &desk.log(), "--accept", "found-markers"];
    run(&sandbox, &desk, &undo).ends(0).shows(&["cannot be undone", "no marker from then is on top"]);
    assert!(visible(&sandbox).is_empty());
}

/// The environment leads to another store, with a bucket of the same name that has the same configuration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_not_undone_in_another_store() {
    let (staging, desk) = store(Versioning::Never).await;
    let (production, other) = store(Versioning::Never).await;
    for (sandbox, desk) in [(&staging, &desk), (&production, &other)] {
        desk.policy(&policy("").replace("undo-window: 7 days", "enforce: auto"));
        put(sandbox, "inbound/1/young", 1);
        run(sandbox, desk, &["reconcile"]).ends(0);
    }
    let written = production.lifecycle(BUCKET).unwrap();
    assert!(written.is_some() && staging.lifecycle(BUCKET).unwrap().is_some());
    let log = desk.log();
    let undo = |more: &[&str]| {
        let mut command = desk.bare_command(&["undo", &log]);
        command.args(more).env("AWS_ENDPOINT_URL", production.endpoint());
        command.env("AWS_ACCESS_KEY_ID", production.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", production.secret_key());
        Ran::of(command.output().unwrap())
    };
    let before = production.requests().len();

    let refused = undo(&[]).ends(1);

    refused.tells(&["worked on another address", &staging.endpoint(), "pass --endpoint-url"]);
    assert_eq!(production.lifecycle(BUCKET).unwrap(), written);
    assert_eq!(production.requests().len(), before);
    assert_eq!(desk.log(), log, "no evidence of what was not done");
    // Given outright, another address may well be one of the same store.
    let address = format!("{}/", staging.endpoint());
    let dry = undo(&["--dry-run", "--endpoint-url", &address]).ends(0);
    dry.tells(&["note:", "worked on another address"]);
    undo(&["--endpoint-url", &staging.endpoint()]).ends(0).shows(&["as it was before the run"]);
    assert_eq!(staging.lifecycle(BUCKET).unwrap(), None);
    assert_eq!(production.lifecycle(BUCKET).unwrap(), written);
}
