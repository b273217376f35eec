//! Lifecycle configurations, written by the built binary to a sandbox in which something goes wrong: what S3 is
//! left to do is never more than the policy says, nobody else's rule is lost, and what is told is what is there.

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use crate::desk::{Desk, Ran};
use chrono::{TimeDelta, Utc};
use shelflife::lifecycle::{LifecycleDocument, RuleView};
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Quirk, Sandbox, SandboxOptions};

const BUCKET: &str = "media";
const PLAN: &str = "shelflife-plan.parquet";
const GET: &str = "GetBucketLifecycleConfiguration";
const PUT: &str = "PutBucketLifecycleConfiguration";
const HOLD: &str = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";

/// Attempts that the tool makes of one request.
const ATTEMPTS: usize = 6;

/// A user's desk before a sandbox, each bucket with a rule of somebody else's.
struct Scene {
    sandbox: Sandbox,
    desk: Desk,
}

impl Scene {
    async fn of(buckets: &[&str]) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        for bucket in buckets {
            sandbox.create_bucket(BucketOptions::named(*bucket)).unwrap();
            sandbox.put_lifecycle(bucket, &document(&[foreign("others")])).unwrap();
            sandbox.put_object(bucket, "inbound/1/young", PutOptions::size(9)).unwrap();
        }
        let desk = Desk::at(&sandbox.endpoint());
        let scene = Self { sandbox, desk };
        scene.policy(buckets, 30, "");
        scene
    }

    /// A sandbox with one bucket in it.
    async fn new() -> Self {
        Self::of(&[BUCKET]).await
    }

    fn policy(&self, buckets: &[&str], days: u32, more: &str) {
        self.desk.policy(&format!(
            "version: 1
name: e2e
tenant:
  - key: \"*/{{tenant}}/**\"
rules:
  - id: ott-media
    select: {{buckets: [{}], prefix: inbound/}}
    trigger: uploaded
    retain: {days} days
    enforce: auto
{more}",
            buckets.join(", ")
        ));
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.desk.command(args);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    fn apply(&self) -> Ran {
        self.run(&["apply", PLAN, "--json"])
    }

    /// The rules that are in force or waiting in a bucket.
    fn rules(&self, bucket: &str) -> Vec<RuleView> {
        let Some(xml) = self.sandbox.lifecycle(bucket).unwrap() else { return Vec::new() };
        let document = LifecycleDocument::read(&xml).unwrap();
        document.rules().iter().map(|rule| rule.view().clone()).collect()
    }

    /// The days after which the policy's enabled rules remove something.
    fn enabled(&self, bucket: &str) -> Vec<i64> {
        let ours = |rule: &RuleView| rule.id.as_ref().is_some_and(|id| id.starts_with("shelflife:e2e:"));
        let rules = self.rules(bucket);
        let enabled = rules.iter().filter(|rule| ours(rule) && rule.is_enabled());
        enabled.map(|rule| rule.expiration.as_ref().unwrap().days.unwrap()).collect()
    }

    /// Makes sure that these rules of others are there, as they were.
    #[track_caller]
    fn still_has(&self, bucket: &str, ids: &[&str]) {
        let rules = self.rules(bucket);
        for id in ids {
            let found = rules.iter().find(|rule| rule.id.as_deref() == Some(id));
            let found = found.unwrap_or_else(|| panic!("{id} is gone: {rules:#?}"));
            let document = LifecycleDocument::read(&document(&[foreign(id)])).unwrap();
            assert_eq!(found, document.rules()[0].view());
        }
    }

    /// What the result and the evidence say, which must be the same, became of a configuration.
    #[track_caller]
    fn told(&self, ran: &Ran, bucket: &str) -> String {
        let told = ran.json();
        let result = told["configurations"][bucket]["result"].as_str().unwrap_or_default().to_owned();
        let entries = self.desk.evidence(told["evidence"].as_str().unwrap());
        let last = entries
            .iter()
            .rfind(|entry| entry["kind"] == "configuration-outcome" && entry["bucket"] == bucket)
            .unwrap_or_else(|| panic!("no outcome of {bucket}: {entries:#?}"));
        assert_eq!(last["result"], result, "{told}\n{last}");
        result
    }

    /// Makes sure that the configuration was applied, and everything says so.
    #[track_caller]
    fn is_applied(&self, ran: Ran, days: i64) {
        let ran = ran.ends(0);
        assert_eq!(self.told(&ran, BUCKET), "applied");
        assert_eq!(self.enabled(BUCKET), [days]);
        self.still_has(BUCKET, &["others"]);
    }

    /// Has `fault` strike from the write on that enables a rule.
    fn fault_when_enabling(&self, fault: Fault) {
        let sandbox = self.sandbox.clone();
        let mut fault = Some(fault);
        self.sandbox.on_request(PUT, move |_| {
            if is_staged(&sandbox)
                && let Some(fault) = fault.take()
            {
                sandbox.faults().add(fault);
            }
        });
    }
}

impl Drop for Scene {
    /// The hooks hold clones of the sandbox.
    fn drop(&mut self) {
        self.sandbox.stop();
    }
}

fn is_staged(sandbox: &Sandbox) -> bool {
    let xml = sandbox.lifecycle(BUCKET).unwrap().unwrap_or_default();
    rules_in(&xml).iter().any(|rule| is_ours(rule) && rule.contains("Disabled"))
}

fn foreign(id: &str) -> String {
    format!(
        "<Rule><ID>{id}</ID><Filter><And><Prefix>{id}/</Prefix><Tag><Key>a</Key><Value>b &amp; c</Value></Tag>\
         </And></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>"
    )
}

fn document(rules: &[String]) -> String {
    format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.concat())
}

/// The texts of a configuration's rules.
fn rules_in(xml: &str) -> Vec<String> {
    let ends = xml.split("<Rule>").skip(1).map(|rule| rule.split_once("</Rule>").unwrap().0);
    ends.map(|rule| format!("<Rule>{rule}</Rule>")).collect()
}

fn is_ours(rule: &str) -> bool {
    rule.contains("<ID>shelflife:e2e:")
}

/// Has the store make something else of the policy's rules as soon as `when` holds of one of them, and somebody
/// else add the rule `between` at that moment.
fn alter(scene: &Scene, when: fn(&str) -> bool, into: fn(&str) -> String) {
    let sandbox = scene.sandbox.clone();
    let mut added = false;
    scene.sandbox.on_request(GET, move |_| {
        let xml = sandbox.lifecycle(BUCKET).unwrap().unwrap_or_default();
        let mut rules = rules_in(&xml);
        if !rules.iter().any(|rule| is_ours(rule) && when(rule)) {
            return;
        }
        for rule in rules.iter_mut().filter(|rule| is_ours(rule) && when(rule)) {
            *rule = into(rule);
        }
        if !added {
            rules.push(foreign("between"));
            added = true;
        }
        sandbox.put_lifecycle(BUCKET, &document(&rules)).unwrap();
    });
}

async fn what_the_store_alters_differs(when: fn(&str) -> bool, into: fn(&str) -> String) {
    let scene = Scene::new().await;
    scene.run(&["plan"]).ends(0);
    alter(&scene, when, into);

    let applied = scene.apply().ends(1);

    assert_eq!(scene.told(&applied, BUCKET), "differs");
    assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
    scene.still_has(BUCKET, &["others", "between"]);
}

/// A bucket whose rule removes after 30 days, and a plan to have it remove after 20.
async fn widening() -> Scene {
    let scene = Scene::new().await;
    scene.run(&["reconcile"]).ends(0);
    assert_eq!(scene.enabled(BUCKET), [30]);
    scene.policy(&[BUCKET], 20, "");
    scene.run(&["plan"]).ends(0);
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_the_first_write_does_not_matter() {
    for last in [1, ATTEMPTS] {
        let scene = Scene::new().await;
        scene.run(&["plan"]).ends(0);
        scene.sandbox.faults().add(Fault::on(PUT, Effect::AnswerLost).calls(1, last));
        scene.is_applied(scene.apply(), 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_the_write_that_enables_does_not_matter() {
    for last in [1, usize::MAX] {
        let scene = Scene::new().await;
        scene.run(&["plan"]).ends(0);
        scene.fault_when_enabling(Fault::on(PUT, Effect::AnswerLost).calls(1, last));
        scene.is_applied(scene.apply(), 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_never_answers_a_write_is_believed_by_what_it_shows() {
    let scene = Scene::new().await;
    scene.run(&["plan"]).ends(0);
    scene.sandbox.faults().add(Fault::on(PUT, Effect::AnswerLost));
    scene.is_applied(scene.apply(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_back_is_tried_again() {
    for times in [1, 2] {
        let scene = Scene::new().await;
        scene.run(&["plan"]).ends(0);
        scene.fault_when_enabling(Fault::on(GET, Effect::SlowDown).calls(1, times));
        scene.is_applied(scene.apply(), 30);
        let failed = scene.sandbox.requests().iter().filter(|it| it.status == Some(503)).count();
        assert_eq!(failed, times);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_cannot_be_read_back_is_not_called_failed_while_it_is_enabled() {
    let scene = Scene::new().await;
    scene.run(&["plan"]).ends(0);
    scene.fault_when_enabling(Fault::on(GET, Effect::InternalError));

    let applied = scene.apply();

    let told = scene.told(&applied, BUCKET);
    assert!(applied.code != 0 && told != "applied", "nobody has seen that it is there: {told}");
    assert!(told != "failed" || scene.enabled(BUCKET).is_empty(), "it is there, and enabled");
    scene.still_has(BUCKET, &["others"]);
    scene.sandbox.faults().clear();
    scene.run(&["reconcile"]).ends(0);
    assert_eq!(scene.enabled(BUCKET), [30]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_the_store_makes_remove_sooner_are_disabled() {
    what_the_store_alters_differs(
        |rule| rule.contains("Enabled"),
        |rule| rule.replace("<Days>30</Days>", "<Days>3</Days>"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_the_store_enables_by_itself_are_taken_away() {
    what_the_store_alters_differs(
        |rule| rule.contains("Disabled"),
        |rule| rule.replace("Disabled", "Enabled").replace("<Days>30</Days>", "<Days>3</Days>"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_the_store_drops_are_told_and_the_rules_of_others_stay() {
    what_the_store_alters_differs(|rule| rule.contains("Enabled"), |_| String::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hold_has_narrowed_stays_so_when_it_cannot_be_read_back() {
    for lost in [false, true] {
        let scene = widening().await;
        scene.policy(&[BUCKET], 20, HOLD);
        let sandbox = scene.sandbox.clone();
        scene.sandbox.on_request(PUT, move |_| {
            sandbox.faults().add(Fault::on(GET, Effect::InternalError));
        });
        if lost {
            scene.sandbox.faults().add(Fault::on(PUT, Effect::AnswerLost).once());
        }

        let applied = scene.apply();

        assert!(applied.code != 0, "nobody has seen it: {}", applied.out);
        assert_ne!(scene.told(&applied, BUCKET), "applied");
        assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
        scene.still_has(BUCKET, &["others"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hold_has_narrowed_stays_so_when_the_store_makes_something_else_of_it() {
    let scene = widening().await;
    scene.policy(&[BUCKET], 20, HOLD);
    let sandbox = scene.sandbox.clone();
    scene.sandbox.on_request(GET, move |_| {
        let xml = sandbox.lifecycle(BUCKET).unwrap().unwrap_or_default();
        if !rules_in(&xml).iter().any(|rule| is_ours(rule) || rule.contains("between")) {
            sandbox.put_lifecycle(BUCKET, &document(&[foreign("others"), foreign("between")])).unwrap();
        }
    });

    scene.apply();

    assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
    scene.still_has(BUCKET, &["others", "between"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_in_two_steps_is_undone_to_what_stood_before_both() {
    let scene = Scene::new().await;
    scene.run(&["reconcile"]).ends(0);
    let before = scene.sandbox.lifecycle(BUCKET).unwrap();
    scene.sandbox.put_object(BUCKET, "inbound/held/young", PutOptions::size(9)).unwrap();
    scene.policy(&[BUCKET], 20, "holds:\n  - {id: case-7, reason: Order, select: {prefix: inbound/held/}}\n");
    scene.run(&["plan"]).ends(0);
    scene.run(&["apply", PLAN, "--narrow-only"]).ends(0);
    assert!(scene.enabled(BUCKET).is_empty());
    let applied = scene.apply().ends(0).json();
    assert_eq!(scene.enabled(BUCKET), [20]);
    scene.run(&["undo", applied["evidence"].as_str().unwrap(), "--accept", "widening"]).ends(0);
    assert_eq!(scene.sandbox.lifecycle(BUCKET).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_before_a_crash_is_undone_although_nothing_says_that_it_was() {
    for torn in [&b""[..], b"{\"seq\":"] {
        let scene = Scene::new().await;
        let before = scene.sandbox.lifecycle(BUCKET).unwrap();
        let applied = scene.run(&["reconcile", "--json"]).ends(0).json();
        assert_ne!(scene.sandbox.lifecycle(BUCKET).unwrap(), before);
        let log = scene.desk.path(applied["evidence"].as_str().unwrap());
        let whole = std::fs::read_to_string(&log).unwrap();
        let lines = whole.split_inclusive('\n').take_while(|line| !line.contains("configuration-outcome"));
        let kept = [lines.collect::<String>().into_bytes(), torn.to_vec()].concat();
        assert!(kept.len() < whole.len());
        std::fs::write(&log, kept).unwrap();

        let undo = ["undo", applied["evidence"].as_str().unwrap()];
        let written = scene.sandbox.lifecycle(BUCKET).unwrap().unwrap();
        scene.sandbox.put_lifecycle(BUCKET, &document(&[foreign("others"), foreign("since")])).unwrap();
        scene.run(&undo).ends(4).shows(&["was not put back", "what the run wrote last to it is not known"]);
        scene.still_has(BUCKET, &["others", "since"]);
        scene.sandbox.put_lifecycle(BUCKET, &written).unwrap();
        scene.run(&undo).ends(0);
        assert_eq!(scene.sandbox.lifecycle(BUCKET).unwrap(), before);
        // Killed before it was written.
        scene.run(&undo).ends(0).shows(&["nothing left of the run to undo"]);
    }
}

/// The same command goes on, and cannot read the configuration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_before_a_crash_is_undone_although_the_run_that_went_on_has_failed() {
    let scene = Scene::new().await;
    let before = scene.sandbox.lifecycle(BUCKET).unwrap();
    scene.run(&["plan"]).ends(0);
    let applied = scene.apply().ends(0).json();
    let written = scene.sandbox.lifecycle(BUCKET).unwrap();
    let log = scene.desk.path(applied["evidence"].as_str().unwrap());
    let whole = std::fs::read_to_string(&log).unwrap();
    let lines = whole.split_inclusive('\n').take_while(|line| !line.contains("configuration-outcome"));
    std::fs::write(&log, lines.collect::<String>()).unwrap();
    scene.sandbox.faults().add(Fault::on("GetBucketLifecycleConfiguration", Effect::AccessDenied));
    assert_ne!(scene.apply().code, 0);
    scene.sandbox.faults().clear();
    assert_eq!(scene.sandbox.lifecycle(BUCKET).unwrap(), written);
    scene.run(&["undo", applied["evidence"].as_str().unwrap()]).ends(0);
    assert_eq!(scene.sandbox.lifecycle(BUCKET).unwrap(), before);
}

/// The part of a run narrows, and is written for certain; the whole is written, and then the run is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_there_says_which_of_a_runs_writings_is_to_be_undone() {
    let scene = Scene::new().await;
    scene.run(&["reconcile"]).ends(0);
    let before = scene.sandbox.lifecycle(BUCKET).unwrap();
    scene.sandbox.put_object(BUCKET, "inbound/held/young", PutOptions::size(9)).unwrap();
    scene.policy(&[BUCKET], 20, "holds:\n  - {id: case-7, reason: Order, select: {prefix: inbound/held/}}\n");
    scene.run(&["plan"]).ends(0);
    scene.run(&["apply", PLAN, "--narrow-only"]).ends(0);
    let applied = scene.apply().ends(0).json();
    let log = scene.desk.path(applied["evidence"].as_str().unwrap());
    let whole = std::fs::read_to_string(&log).unwrap();
    let last = whole.rfind("\"configuration-outcome\"").unwrap();
    let end = whole[..last].rfind('\n').unwrap() + 1;
    std::fs::write(&log, &whole[..end]).unwrap();
    scene.run(&["undo", applied["evidence"].as_str().unwrap(), "--accept", "widening"]).ends(0);
    assert_eq!(scene.sandbox.lifecycle(BUCKET).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_placed_since_takes_away_a_rule_that_the_plan_kept() {
    let scene = Scene::new().await;
    scene.run(&["reconcile"]).ends(0);
    let old = Utc::now() - TimeDelta::days(60);
    let options = PutOptions::size(9).last_modified(old);
    scene.sandbox.put_object(BUCKET, "inbound/held/old", options).unwrap();
    scene.run(&["plan"]).ends(0);
    scene.policy(&[BUCKET], 30, HOLD);

    let applied = scene.apply();

    let narrowed = applied.code == 0 && scene.enabled(BUCKET).is_empty();
    assert!(narrowed || applied.code == 4, "{}: {}\n{}", applied.code, applied.out, applied.err);
    let kept = scene.sandbox.list_everything(BUCKET).unwrap();
    assert!(kept.iter().any(|entry| entry.key == "inbound/held/old"), "{kept:#?}");
    scene.still_has(BUCKET, &["others"]);
    // Whose rule can remove what is held there.
    scene.run(&["reconcile"]).ends(1).shows(&["ALARM"]);
    // What is beside the held directory is S3's again.
    assert_eq!(scene.enabled(BUCKET), [30]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_between_the_steps_stays_and_nothing_is_enabled_beside_it() {
    let scene = Scene::of(&[BUCKET, "pictures"]).await;
    scene.run(&["plan"]).ends(0);
    // The buckets are staged in order, so the first is staged when the second is written.
    let sandbox = scene.sandbox.clone();
    let mut edited = false;
    scene.sandbox.on_request(PUT, move |call| {
        if call.bucket.as_deref() == Some("pictures") && !edited {
            assert!(is_staged(&sandbox));
            let mut rules = rules_in(&sandbox.lifecycle(BUCKET).unwrap().unwrap());
            rules.push(foreign("between"));
            sandbox.put_lifecycle(BUCKET, &document(&rules)).unwrap();
            edited = true;
        }
    });

    let applied = scene.apply().ends(4);

    assert_eq!(scene.told(&applied, BUCKET), "moved");
    assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
    scene.still_has(BUCKET, &["others", "between"]);
    assert_eq!(scene.told(&applied, "pictures"), "applied");
    assert_eq!(scene.enabled("pictures"), [30]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_denied_half_way_is_told_and_finished_by_the_next_run() {
    let scene = Scene::new().await;
    scene.run(&["plan"]).ends(0);
    scene.fault_when_enabling(Fault::on(PUT, Effect::AccessDenied));
    let denied = scene.apply().ends(1);
    assert_eq!(scene.told(&denied, BUCKET), "denied");
    assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
    scene.sandbox.faults().clear();

    let again = scene.apply();
    assert_eq!(again.code == 0, scene.enabled(BUCKET) == [30], "{}\n{}", again.out, again.err);
    scene.run(&["reconcile"]).ends(0);
    assert_eq!(scene.enabled(BUCKET), [30]);
    scene.still_has(BUCKET, &["others"]);
    scene.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_plan_goes_on_after_a_kill_at_either_step() {
    // Killed before the write that enables is carried out, and before it is read back.
    for operation in [PUT, GET] {
        let scene = Scene::new().await;
        scene.run(&["plan"]).ends(0);
        let (reached, at) = mpsc::channel();
        scene.fault_when_enabling(Fault::on(operation, Effect::Delay(Duration::from_secs(600))));
        let sandbox = scene.sandbox.clone();
        let mut enabling = false;
        scene.sandbox.on_request(PUT, {
            let (sandbox, reached) = (sandbox.clone(), reached.clone());
            move |_| {
                if is_staged(&sandbox) && operation == PUT {
                    let _ = reached.send(());
                }
            }
        });
        scene.sandbox.on_request(GET, move |_| {
            enabling |= is_staged(&sandbox);
            if enabling && !is_staged(&sandbox) && operation == GET {
                let _ = reached.send(());
            }
        });
        let mut command = scene.command(&["apply", PLAN, "--json"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        at.recv_timeout(Duration::from_secs(120)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(scene.enabled(BUCKET).is_empty(), operation == PUT);
        scene.sandbox.faults().clear();

        scene.is_applied(scene.apply(), 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_makes_something_else_of_is_shelflifes_from_the_next_run_on() {
    let scene = Scene::new().await;
    scene.desk.policy(&format!(
        "version: 1
name: e2e
rules:
  - id: sized
    select: {{buckets: [{BUCKET}], prefix: inbound/, size: {{over: 1 KiB}}}}
    trigger: uploaded
    retain: 30 days
"
    ));
    scene.sandbox.faults().add(Fault::on(PUT, Effect::Quirk(Quirk::DropSizes)));

    scene.run(&["reconcile", "--out", "first.parquet"]).ends(1).shows(&["did not keep", "taken out again"]);

    assert_eq!(scene.enabled(BUCKET), [0_i64; 0]);
    let due = Utc::now() - TimeDelta::days(31);
    for (key, size) in [("inbound/due", 1025), ("inbound/other", 1024)] {
        let options = PutOptions::size(size).last_modified(due);
        scene.sandbox.put_object(BUCKET, key, options).unwrap();
    }
    // Its log tells the next run, which does not wait for the tolerance.
    scene
        .run(&["reconcile", "--out", "second.parquet"])
        .ends(0)
        .shows(&["direct", "as the log of an earlier run says"]);
    let left = scene.sandbox.list_everything(BUCKET).unwrap();
    let left: Vec<&str> = left.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(left, ["inbound/1/young", "inbound/other"]);
    scene.still_has(BUCKET, &["others"]);
}
