//! The built binary, driven as a user drives it: against LocalStack, against stores that fail, and against
//! no store at all.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod acceptance;
#[cfg(feature = "sandbox")]
mod audit;
#[cfg(feature = "sandbox")]
mod certificate;
mod check;
#[cfg(feature = "sandbox")]
mod check_live;
mod compile;
#[cfg(feature = "sandbox")]
mod compile_iam;
mod configurations;
#[cfg(feature = "sandbox")]
mod copies;
mod described;
mod desk;
mod erasures;
#[cfg(feature = "sandbox")]
mod explain;
mod fake;
#[cfg(feature = "sandbox")]
mod guarding;
mod interrupt;
mod output;
mod overtaken;
mod plans;
mod policies;
mod policy_tests;
#[cfg(feature = "sandbox")]
mod proof;
mod records;
mod shelf;
#[cfg(feature = "sandbox")]
mod site;
mod stores;
mod versions;

/// A policy of one rule, carried out directly: everything under `inbound/` goes 30 days after its upload.
/// `more` stands at the end, at the top level.
fn thirty_days(bucket: &str, more: &str) -> String {
    format!(
        "version: 1
name: e2e
tenant:
  - key: \"*/{{tenant}}/**\"
rules:
  - id: ott-media
    select: {{buckets: [{bucket}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    enforce: direct
{more}"
    )
}
