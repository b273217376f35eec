//! The built binary on the sandbox, as a user runs it: what it does to a store, what it tells, and what is left
//! when something goes wrong or somebody gets in between.
#![cfg(feature = "sandbox")]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../cli/desk.rs"]
mod desk;
#[path = "../decide_reference/rng.rs"]
mod rng;
#[path = "../store_layer/server.rs"]
mod server;

mod cache;
mod configuring;
mod demo;
mod export;
mod inventory;
mod listing;
mod overtaken;
mod throttled;
mod undo_window;

use desk::{Desk, Ran};
use shelflife::sandbox::Sandbox;

/// Runs the binary with the sandbox's credentials.
fn run(sandbox: &Sandbox, desk: &Desk, args: &[&str]) -> Ran {
    let mut command = desk.command(args);
    command.env("AWS_ACCESS_KEY_ID", sandbox.access_key());
    command.env("AWS_SECRET_ACCESS_KEY", sandbox.secret_key());
    Ran::of(command.output().unwrap())
}
