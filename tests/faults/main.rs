//! The built binary on the sandbox while things go wrong: in the store, on the wire, in the process, and through
//! others who write meanwhile. The end is the same as if nothing had happened, nothing undue is gone at any
//! moment, and the evidence tells what the store did, key by key.
//!
//! What runs long takes its size from the environment:
//!
//! | variable | what | default |
//! |---|---|---|
//! | `SHELFLIFE_KILLS` | how often `apply` is killed | 200 |
//! | `SHELFLIFE_RACE_OPS` | what writers do while it runs | 30,000 |
//! | `SHELFLIFE_TORTURE_KEYS` | random keys on the sandbox | 10,000 |
//! | `SHELFLIFE_TORTURE_KEYS_LOCALSTACK` | random keys on LocalStack | 300 |
//! | `SHELFLIFE_SEED` | the random numbers of all of them | 7 |
#![cfg(all(feature = "sandbox", unix))]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../cli/desk.rs"]
mod desk;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../decide_reference/rng.rs"]
mod rng;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod buckets;
mod killed;
mod matrix;
mod meddlers;
mod model;
mod race;
mod scene;
mod stage;
mod torture;
mod troubles;

/// A size that the environment may set.
fn size(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => default,
    }
}

/// Random numbers, the same in every run.
fn random(salt: u64) -> rng::Rng {
    rng::Rng(size("SHELFLIFE_SEED", 7) as u64 ^ salt.wrapping_mul(0x9E37_79B9))
}
