//! Lifecycle configurations changed on a sandbox at every point of which something goes wrong: the process is
//! killed, somebody else writes, the store makes something else of it. Nothing is ever let loose that is wider
//! than what stood there before or what was asked for, and what is told is what is there.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../cli/desk.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod desk;

mod altering;
mod grid;
mod killed;
mod meddling;
mod narrowing;
mod stage;
mod telling;
