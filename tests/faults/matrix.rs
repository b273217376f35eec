//! Every trouble in every kind of bucket, while a plan is made and while it is carried out: then the same
//! commands again, to the same end.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use shelflife::evidence::{End, ItemResult};
use shelflife::sandbox::Deed;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::accounts::{self, Told};
use crate::model::{Model, Rules, nothing_undue};
use crate::scene::Kind;
use crate::stage::{APPLY, BUCKET, PLAN, PLAN_AGAIN, RECONCILE, Stage, markers_by_hand, told};
use crate::troubles::{self, Trouble};
use crate::{meddlers, size};

/// How often a run is tried again after the trouble is over.
const RUNS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Plan,
    Apply,
}

/// What must be there in the end, by the model.
pub fn expected(stage: &Stage) -> Vec<String> {
    let history = stage.history();
    let rules = Rules { kind: stage.kind, now: stage.now() };
    let versioning = stage.sandbox.versioning(BUCKET).unwrap();
    told(&Model::of(&history).settled(rules, versioning), &markers_by_hand(&history))
}

/// What failed is told by the exit code, and what the exit code says is so.
fn is_honest(stage: &Stage, code: i32, context: &str) {
    let Some(log) = stage.logs().pop() else { return assert_ne!(code, 0, "{context}: 0 without a log") };
    let end = accounts::verified(&log, false, context);
    let has_failed = Told::by(stage, context)
        .last()
        .any(|(_, result)| matches!(result, ItemResult::Failed | ItemResult::Denied | ItemResult::Unclear));
    if code == 0 {
        assert_eq!(end, End::Finished, "{context}: 0");
    }
    assert!(!has_failed || code != 0, "{context}: 0 though rows failed");
    assert!([0, 1, 3, 4].contains(&code), "{context}: {code}");
}

async fn cell(kind: Kind, phase: Phase, trouble: Trouble) {
    let context = format!("{kind:?}, {phase:?}, {}", trouble.name);
    let stage = Stage::set(kind, TimeDelta::days(trouble.skew_days)).await;
    if phase == Phase::Apply {
        stage.run(&PLAN).ends(0);
    }
    (trouble.arrange)(&stage);
    let first = if phase == Phase::Plan {
        let planned = stage.run(&PLAN);
        assert!([0, 1].contains(&planned.code), "{context}: {}\n{}", planned.code, planned.err);
        assert!(
            stage.history().iter().all(|change| change.by.is_none()),
            "{context}: planning has changed it"
        );
        planned
    } else {
        let applied = stage.run(&APPLY);
        is_honest(&stage, applied.code, &context);
        applied
    };
    stage.sandbox.faults().clear();
    let mut runs = vec![format!("{}: {}{}", first.code, first.out, first.err)];
    if phase == Phase::Apply {
        // What was interrupted goes on; what was carried out is told once more.
        let again = stage.run(&APPLY);
        assert!([0, 3, 4].contains(&again.code), "{context}: again {}\n{}", again.code, again.err);
        runs.push(format!("{}: {}{}", again.code, again.out, again.err));
    }
    reconcile(&stage, &mut runs, &context);
    if trouble.covers {
        stage.wait(TimeDelta::days(3));
        reconcile(&stage, &mut runs, &context);
    }
    let (left, expected) = (stage.inventory(), expected(&stage));
    let differ: Vec<_> = expected
        .iter()
        .filter(|line| !left.contains(line))
        .map(|line| format!("missing {line}"))
        .chain(left.iter().filter(|line| !expected.contains(line)).map(|line| format!("left {line}")))
        .collect();
    assert!(differ.is_empty(), "{context}:\n{}\n{}", differ.join("\n"), runs.join("\n"));
    nothing_undue(&stage.history(), Rules { kind, now: stage.now() }, &context);
    accounts::agree(&Told::by(&stage, &context), &stage.history(), trouble.others_remove, &context);
}

/// Runs until there is nothing to do, which it gets to. Plans of the same second would be the same plan.
fn reconcile(stage: &Stage, runs: &mut Vec<String>, context: &str) {
    for _ in 0..RUNS {
        stage.wait(TimeDelta::seconds(1));
        let ran = stage.run(&RECONCILE);
        runs.push(format!("{}: {}{}", ran.code, ran.out, ran.err));
        if ran.code == 0 && ran.out.contains("\"rows\":0") {
            return;
        }
    }
    panic!("{context}: there is still something to do after {RUNS} runs:\n{}", runs.join("\n"));
}

fn cells() -> Vec<(Kind, Phase, Trouble)> {
    let only = std::env::var("SHELFLIFE_CELLS").unwrap_or_default();
    let mut cells = Vec::new();
    for trouble in troubles::all().into_iter().chain(meddlers::all()) {
        for kind in Kind::ALL.into_iter().filter(|kind| (trouble.kinds)(*kind)) {
            let phases = [(Phase::Plan, trouble.plan), (Phase::Apply, trouble.apply)];
            cells.extend(
                phases.iter().filter(|(_, is_on)| *is_on).map(|(phase, _)| (kind, *phase, trouble.clone())),
            );
        }
    }
    cells.retain(|(kind, phase, trouble)| format!("{kind:?}, {phase:?}, {}", trouble.name).contains(&only));
    cells
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn whatever_goes_wrong_the_end_is_the_same_and_the_evidence_agrees_with_the_store() {
    let at_once = Arc::new(Semaphore::new(size("SHELFLIFE_CELLS_AT_ONCE", 3)));
    let mut running = JoinSet::new();
    for (kind, phase, trouble) in cells() {
        let at_once = Arc::clone(&at_once);
        running.spawn(async move {
            let _permit = at_once.acquire_owned().await.unwrap();
            let name = format!("{kind:?}, {phase:?}, {}", trouble.name);
            let cell = tokio::spawn(cell(kind, phase, trouble));
            match tokio::time::timeout(Duration::from_secs(120), cell).await {
                Ok(ended) => ended.err().map(|_| name),
                Err(_) => Some(format!("{name}: it does not end")),
            }
        });
    }
    let mut failed: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    failed.sort();
    assert!(failed.is_empty(), "{} cells have failed:\n{}", failed.len(), failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_trouble_one_run_leaves_what_the_model_says() {
    for kind in Kind::ALL {
        let context = format!("{kind:?}");
        let stage = Stage::set(kind, TimeDelta::zero()).await;
        let ran = stage.run(&RECONCILE).ends(0);
        assert_eq!(stage.inventory(), expected(&stage), "{context}: {}", ran.out);
        nothing_undue(&stage.history(), Rules { kind, now: stage.now() }, &context);
        let told = Told::by(&stage, &context);
        accounts::agree(&told, &stage.history(), false, &context);
        let deleted = told.last().filter(|(_, result)| *result == ItemResult::Deleted).count();
        assert!(deleted >= 20, "{context}: {deleted}");
        stage.run(&PLAN_AGAIN).ends(0);
    }
}

fn panics(act: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(act).is_err()
}

/// What these tests hold runs to can be missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_undue_or_untold_is_found() {
    let stage = Stage::set(Kind::Versioned, TimeDelta::zero()).await;
    stage.run(&RECONCILE).ends(0);
    let rules = Rules { kind: stage.kind, now: stage.now() };
    let (told, whole) = (Told::by(&stage, "whole"), stage.history());
    nothing_undue(&whole, rules, "whole");
    accounts::agree(&told, &whole, false, "whole");
    let removals: Vec<usize> = (0..whole.len())
        .filter(|place| whole[*place].by.is_some() && whole[*place].deed == Deed::Removed)
        .collect();
    assert!(removals.len() > 30);
    for place in removals {
        // The store did it earlier than it was due, did not do it, or did it to something else.
        let (mut early, mut undone, mut other) = (whole.clone(), whole.clone(), whole.clone());
        early[place].entry.last_modified = stage.now();
        if let Some(object) = &mut early[place].entry.object {
            object.attributes.metadata.clear();
        }
        undone.remove(place);
        other[place].entry.key.push('x');
        assert!(panics(|| nothing_undue(&early, rules, "early")), "{:#?}", whole[place]);
        assert!(panics(|| accounts::agree(&told, &undone, false, "undone")), "{:#?}", whole[place]);
        assert!(panics(|| accounts::agree(&told, &other, false, "other")), "{:#?}", whole[place]);
    }
}
