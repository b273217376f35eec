//! Ctrl-C and worse while a plan is carried out.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::desk::{Desk, Ran};
use crate::fake::{Fake, forward};
use crate::shelf::{Shelf, days_ago};
use crate::support::{LocalStack, Made, set_last_modified};
use crate::thirty_days;

/// More than a batch holds, and less than two.
const OBJECTS: usize = 1_200;
const BATCH: usize = 1_000;

/// One batch at a time, so that the second waits for the first.
const APPLY: [&str; 4] = ["apply", "shelflife-plan.parquet", "--concurrency", "1"];

async fn fill(store: &LocalStack, shelf: &Shelf) {
    let keys: Vec<String> = (0..OBJECTS).map(|number| format!("inbound/1/{number:05}")).collect();
    let mut puts = JoinSet::new();
    for part in keys.chunks(150) {
        let (client, bucket, part) = (shelf.client.clone(), shelf.bucket.clone(), part.to_vec());
        puts.spawn(async move {
            for key in part {
                client.put_object().bucket(&bucket).key(key).body(b"x".to_vec().into()).send().await.unwrap();
            }
        });
    }
    puts.join_all().await;
    let bucket = &shelf.bucket;
    let made: Vec<_> = keys.iter().map(|key| (Made::Object { bucket, key }, days_ago(40))).collect();
    set_last_modified(&store.endpoint, &made).unwrap();
}

/// A store whose first batch of deletions waits until it is let through.
struct Gate {
    place: Mutex<Place>,
    moved: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    At,
    Behind,
}

impl Gate {
    fn before(store: &LocalStack) -> (Arc<Self>, Fake) {
        let gate = Arc::new(Self { place: Mutex::new(Place::Before), moved: Condvar::new() });
        let (endpoint, keeper) = (store.endpoint.clone(), Arc::clone(&gate));
        let fake = Fake::start(move |request| {
            if request.is_batch_deletion() && *keeper.place.lock().unwrap() == Place::Before {
                keeper.step(Place::At);
                keeper.wait_for(Place::Behind);
            }
            forward(&endpoint, &request)
        });
        (gate, fake)
    }

    fn step(&self, place: Place) {
        *self.place.lock().unwrap() = place;
        self.moved.notify_all();
    }

    fn wait_for(&self, place: Place) {
        let guard = self.place.lock().unwrap();
        let (_guard, timeout) =
            self.moved.wait_timeout_while(guard, Duration::from_secs(60), |now| *now != place).unwrap();
        assert!(!timeout.timed_out(), "nothing came to the gate, or nobody opened it");
    }
}

/// A plan of what is older than thirty days, to be carried out through a gate.
fn planned(store: &LocalStack, shelf: &Shelf) -> (Arc<Gate>, Fake, Desk) {
    let (gate, fake) = Gate::before(store);
    let desk = Desk::at(&fake.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));
    desk.run(&["plan"]).ends(0);
    (gate, fake, desk)
}

#[tokio::test]
async fn ctrl_c_ends_after_the_batch_in_flight_and_the_same_command_goes_on() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "interrupt").await;
    fill(store, &shelf).await;
    let (gate, _fake, desk) = planned(store, &shelf);

    let mut running = desk.command(&APPLY).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    gate.wait_for(Place::At);
    press_ctrl_c(&running);
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut heard = String::new();
    stderr.read_line(&mut heard).unwrap();
    assert!(heard.contains("finishing the batch in flight"), "{heard}");
    gate.step(Place::Behind);
    stderr.read_to_string(&mut heard).unwrap();
    let interrupted = Ran::of(running.wait_with_output().unwrap()).ends(130);

    interrupted.shows(&["deleted", "1,000", "interrupted: the same command goes on from here"]);
    assert_eq!(shelf.keys().await.len(), OBJECTS - BATCH);
    let log = desk.log();
    assert_eq!(desk.outcomes(&log).iter().filter(|outcome| outcome.result == "deleted").count(), BATCH);
    desk.run(&["verify", &log]).ends(1).shows(&["agrees with itself", "interrupted", "goes on from there"]);

    let resumed = desk.run(&[&APPLY[..], &["--json"]].concat()).ends(0).json();
    assert_eq!(resumed["results"]["deleted"], OBJECTS - BATCH);
    assert_eq!((&resumed["done_before"], &resumed["resumed"]), (&BATCH.into(), &true.into()));
    assert_eq!(shelf.keys().await, [""; 0]);
    assert_eq!(desk.outcomes(&log).len(), OBJECTS);
    let head = resumed["head"].as_str().unwrap();
    desk.run(&["verify", &log, "--head", head]).ends(0).shows(&["is whole", "1,200"]);
}

fn press_ctrl_c(running: &Child) {
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn a_second_ctrl_c_ends_at_once_and_claims_nothing() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "interrupted").await;
    shelf.put("inbound/1/due.jpg", 40).await;
    let (gate, _fake, desk) = planned(store, &shelf);

    let mut running = desk.command(&APPLY).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    gate.wait_for(Place::At);
    press_ctrl_c(&running);
    let mut heard = String::new();
    BufReader::new(running.stderr.take().unwrap()).read_line(&mut heard).unwrap();
    assert!(heard.contains("press Ctrl-C again"), "{heard}");
    assert!(running.try_wait().unwrap().is_none(), "the first one ends nothing by itself");
    press_ctrl_c(&running);

    // The store still has not answered.
    Ran::of(running.wait_with_output().unwrap()).ends(130);
    let log = desk.log();
    assert!(desk.outcomes(&log).is_empty());
    desk.run(&["verify", &log]).ends(1).shows(&["no outcome:", "inbound/1/due.jpg"]);
    gate.step(Place::Behind);
}

/// The batch reaches the store after its sender is dead: nobody has seen the answer, and nothing is claimed.
#[tokio::test]
async fn after_a_crash_the_same_command_goes_on_and_asks_what_became_of_the_batch() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "crash").await;
    shelf.put("inbound/1/due.jpg", 40).await;
    shelf.put("inbound/1/fresh.jpg", 10).await;
    let (gate, _fake, desk) = planned(store, &shelf);

    let mut running = desk.command(&APPLY).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    gate.wait_for(Place::At);
    running.kill().unwrap();
    running.wait().unwrap();
    let log = desk.log();
    desk.run(&["verify", &log]).ends(1).shows(&["no closing entry", "no outcome:", "inbound/1/due.jpg"]);
    gate.step(Place::Behind);
    while shelf.is_visible("inbound/1/due.jpg").await {}

    let resumed = desk.run(&[&APPLY[..], &["--json"]].concat()).ends(0).json();

    assert_eq!(resumed["resumed"], true);
    assert_eq!(resumed["results"], serde_json::json!({"already-gone": 1}));
    let results: Vec<String> = desk.outcomes(&log).into_iter().map(|outcome| outcome.result).collect();
    assert_eq!(results, ["unclear", "already-gone"]);
    desk.run(&["verify", &log, "--head", resumed["head"].as_str().unwrap()]).ends(0);
    assert_eq!(shelf.keys().await, ["inbound/1/fresh.jpg"]);
}
