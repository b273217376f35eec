//! What S3 will do by a configuration, told four times of the same ten thousand things: by
//! `lifecycle::removals`, by the simulator that the compiler is proved by, by what a store says in
//! `x-amz-expiration`, and by what the sandbox carries out.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod dice;
mod on_localstack;
mod on_sandbox;
mod simulated;

#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/dates.rs"]
mod dates;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/facts.rs"]
mod facts;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/glob.rs"]
mod glob;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/reference.rs"]
mod reference;
#[path = "../compile_reference/s3.rs"]
mod s3;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/selects.rs"]
mod selects;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "shared with the tests of deciding")]
#[path = "../decide_reference/terms.rs"]
mod terms;
