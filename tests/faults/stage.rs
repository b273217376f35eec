//! A sandbox with one bucket in it, a desk at which `shelflife` runs, and all that was done to the bucket.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::sandbox::{Change, Effect, Entry, EntryKind, Fault, Sandbox, SandboxOptions};

use crate::desk::{Desk, Ran};
use crate::scene::{self, Kind};

pub const BUCKET: &str = "media";

/// What is run, all its arguments in one place.
pub const PLAN: [&str; 2] = ["plan", "--json"];
pub const PLAN_AGAIN: [&str; 2] = ["plan", "--detailed-exitcode"];
pub const APPLY: [&str; 3] = ["apply", "shelflife-plan.parquet", "--json"];
pub const RECONCILE: [&str; 2] = ["reconcile", "--json"];

pub struct Stage {
    pub sandbox: Sandbox,
    pub desk: Desk,
    pub kind: Kind,
    done: Arc<Mutex<Vec<Change>>>,
}

impl Drop for Stage {
    /// Meddlers hold clones of the sandbox.
    fn drop(&mut self) {
        self.sandbox.stop();
    }
}

impl Stage {
    /// A bucket of this kind with the scene in it, in a store whose clock is this far off.
    pub async fn set(kind: Kind, skew: TimeDelta) -> Self {
        let stage = Self::empty(kind, skew).await;
        scene::fill(&stage);
        stage
    }

    /// The same without anything in it.
    pub async fn empty(kind: Kind, skew: TimeDelta) -> Self {
        // The seconds before now are needed for locks that have ended.
        let start = Utc::now() - TimeDelta::seconds(10) + skew;
        let sandbox = Sandbox::start(SandboxOptions::at(start)).await.unwrap();
        sandbox.keep_journal();
        sandbox.create_bucket(kind.options()).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        desk.policy(&kind.policy());
        Self { sandbox, desk, kind, done: Arc::default() }
    }

    /// The earlier of the two clocks, by which everything is decided.
    pub fn now(&self) -> DateTime<Utc> {
        self.sandbox.now().min(Utc::now())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.desk.command(args);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        command.env("SHELFLIFE_RETRY_PAUSE", "2");
        command
    }

    /// Turns the store's clock forward.
    pub fn wait(&self, time: TimeDelta) {
        self.sandbox.advance_to(self.sandbox.now() + time).unwrap();
    }

    /// Runs `shelflife` to its end, while others go on.
    pub fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        Ran::of(tokio::task::block_in_place(|| command.output().unwrap()))
    }

    pub fn fault(&self, operation: &str, effect: Effect) -> Fault {
        Fault::on(operation, effect)
    }

    /// All that was done to the bucket so far.
    pub fn history(&self) -> Vec<Change> {
        let mut done = self.done.lock().unwrap();
        done.extend(self.sandbox.take_journal());
        done.clone()
    }

    /// What the bucket holds, in words that are the same for the same content.
    pub fn inventory(&self) -> Vec<String> {
        let by_hand = markers_by_hand(&self.history());
        told(&self.sandbox.list_everything(BUCKET).unwrap(), &by_hand)
    }

    /// The evidence logs on the desk.
    pub fn logs(&self) -> Vec<PathBuf> {
        let names = self.desk.files();
        let logs = names.iter().filter(|name| name.ends_with(".evidence.jsonl"));
        logs.map(|name| self.desk.path(name)).collect()
    }

    pub fn requests(&self) -> usize {
        self.sandbox.requests().len()
    }
}

/// The ids of delete markers that `shelflife` has not made.
pub fn markers_by_hand(history: &[Change]) -> BTreeSet<String> {
    let markers =
        history.iter().filter(|change| change.by.is_none() && change.entry.kind == EntryKind::Marker);
    markers.map(|change| change.entry.id.clone()).filter(|id| id != "null").collect()
}

/// Entries in words, in order; a delete marker that `shelflife` has made without its own id and date.
pub fn told(entries: &[Entry], by_hand: &BTreeSet<String>) -> Vec<String> {
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let latest = if entry.is_latest { "latest" } else { "" };
            match entry.kind {
                EntryKind::Marker if entry.id == "null" => format!("{:?} {latest} null marker", entry.key),
                EntryKind::Marker if !by_hand.contains(&entry.id) => {
                    format!("{:?} {latest} a marker", entry.key)
                }
                _ => format!("{:?} {latest} {entry:?}", entry.key),
            }
        })
        .collect();
    lines.sort();
    lines
}
