//! `apply` killed again and again, at any moment, and started again until it ends.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use shelflife::sandbox::{Effect, Fault};

use crate::accounts::{self, Told};
use crate::matrix::expected;
use crate::model::{Rules, nothing_undue};
use crate::rng::Rng;
use crate::scene::{Filling, Kind};
use crate::stage::{APPLY, PLAN, PLAN_AGAIN, RECONCILE, Stage};
use crate::{random, size};

/// The most keys that one chunk of a run holds.
const CHUNK: i64 = 1_000;

/// When it is killed.
#[derive(Clone, Copy, Debug)]
enum When {
    /// As its request of this number arrives, which then is carried out or not.
    Request { number: usize, arrives: bool },
    /// As soon as its request of this number was carried out.
    Answer(usize),
    /// After so many milliseconds.
    Time(u64),
}

fn when(random: &mut Rng) -> When {
    let number = 5 + random.below(45);
    match random.below(4) {
        0 => When::Request { number, arrives: false },
        1 => When::Request { number, arrives: true },
        2 => When::Answer(number),
        _ => When::Time(random.below(300) as u64),
    }
}

/// Runs `apply` and kills it; its exit code if it was quicker.
fn killed(stage: &Stage, when: When, random: &mut Rng) -> Option<i32> {
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let victim = Arc::clone(&child);
    let kill = move || {
        // It is there: nobody else has the address.
        if let Some(child) = victim.lock().unwrap().as_mut() {
            child.kill().unwrap();
        }
    };
    let faults = stage.sandbox.faults();
    let delay = Effect::Delay(Duration::from_millis(random.below(6) as u64));
    let first = random.below(40);
    faults.add(Fault::on("*", delay).calls(first, first + 10));
    {
        let kill = kill.clone();
        match when {
            When::Request { number, arrives } => {
                faults.add(Fault::on("*", Effect::before(move |_| kill())).calls(number, number));
                if !arrives {
                    faults.add(Fault::on("*", Effect::Unreachable).calls(number, usize::MAX));
                }
            }
            When::Answer(number) => {
                faults.add(Fault::on("*", Effect::after(move |_| kill())).calls(number, number));
            }
            When::Time(_) => {}
        }
    }
    let mut command = stage.command(&APPLY);
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    *child.lock().unwrap() = Some(spawned);
    let status = tokio::task::block_in_place(|| {
        if let When::Time(milliseconds) = when {
            std::thread::sleep(Duration::from_millis(milliseconds));
            kill();
        }
        loop {
            if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    faults.clear();
    // A request that was on its way may still be carried out.
    std::thread::sleep(Duration::from_millis(10));
    assert!(status.signal().is_none_or(|signal| signal == 9), "{status:?}");
    status.code()
}

/// A new bucket: killed until a run gets to its end, at most `kills` times. How often it was killed.
async fn round(number: usize, kills: usize) -> usize {
    let mut random = random(number as u64);
    let kind = Kind::ALL[number % Kind::ALL.len()];
    let context = format!("round {number}, {kind:?}");
    let stage = Stage::set(kind, TimeDelta::zero()).await;
    if number % 2 == 1 {
        let fill = Filling { sandbox: &stage.sandbox, now: stage.sandbox.now() };
        for number in 0..CHUNK * 2 + 100 {
            fill.put(&format!("inbound/2/{number:05}"), 40);
        }
    }
    stage.run(&PLAN).ends(0);
    let mut count = 0;
    while count < kills {
        let when = when(&mut random);
        let context = format!("{context}, kill {count} at {when:?}");
        if let Some(code) = killed(&stage, when, &mut random) {
            assert!([0, 3].contains(&code), "{context}: exit code {code}");
            break;
        }
        count += 1;
        if let Some(log) = stage.logs().first() {
            accounts::verified(log, true, &context);
        }
    }
    let last = stage.run(&APPLY);
    assert!([0, 3].contains(&last.code), "{context}: {} {}", last.code, last.err);
    let log = stage.logs().remove(0);
    assert_eq!(accounts::verified(&log, false, &context), shelflife::evidence::End::Finished, "{context}");
    assert_eq!(stage.inventory(), expected(&stage), "{context}: {}", last.out);
    nothing_undue(&stage.history(), Rules { kind, now: stage.now() }, &context);
    accounts::agree(&Told::by(&stage, &context), &stage.history(), false, &context);
    stage.wait(TimeDelta::seconds(1));
    stage.run(&RECONCILE).ends(0);
    assert_eq!(stage.run(&PLAN_AGAIN).code, 0, "{context}");
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_any_moment_and_started_again_it_ends_as_if_nothing_had_happened() {
    let wanted = size("SHELFLIFE_KILLS", 200);
    let (mut kills, mut rounds) = (0, 0);
    while kills < wanted {
        // Not all on one bucket.
        kills += round(rounds, (wanted - kills).min(wanted.div_ceil(8))).await;
        rounds += 1;
        assert!(rounds < 20 + wanted, "{kills} kills in {rounds} rounds: it is too quick to be killed");
    }
    println!("{kills} kills in {rounds} rounds");
}
