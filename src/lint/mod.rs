//! Lints: a policy that is valid, and may not say what was meant, or costs more than it need.
//!
//! Everything here is found without a store and without records. Warnings are about mistakes, notes
//! about what is worth knowing. Work and memory are bounded whatever the policy says; what is not
//! looked at for that reason is said.

mod costs;
mod departures;
mod engine;
mod exports;
mod findings;
mod guards;
mod levels;
mod meeting;
mod overlaps;
mod pairs;
mod reach;
mod sameness;
#[cfg(test)]
mod tests;
mod triggers;
mod uploads;
mod versions;
mod witness;
mod zones;

use chrono::{DateTime, Utc};

use crate::pattern::Effort;
use crate::policy::{Diagnostic, ReadPolicy};
pub use costs::{HEAD_PRICE, TAGS_PRICE};
use findings::Findings;
use meeting::Meetings;

/// What the search for examples may take: for all of them, and for one.
const EFFORT: Effort = Effort { left: 6_000_000, each: 200_000 };

/// All warnings and notes on a policy at `now`, by their places.
pub fn lint(read: &ReadPolicy, now: DateTime<Utc>) -> Vec<Diagnostic> {
    let mut findings = Findings::new(read);
    let mut meetings = Meetings::new(&read.policy.tenant, EFFORT);
    departures::dates(&mut findings, now);
    departures::overrides(&mut findings);
    costs::rules(&mut findings);
    zones::dates(&mut findings);
    guards::any(&mut findings);
    exports::places(&mut findings, &mut meetings);
    departures::reach(&mut findings, &mut meetings);
    levels::ends(&mut findings);
    reach::noncurrent(&mut findings, now);
    reach::erasures(&mut findings, &mut meetings);
    versions::by_number(&mut findings);
    uploads::rules(&mut findings);
    engine::rules(&mut findings, &mut meetings, now);
    meetings.effort = EFFORT;
    levels::directories(&mut findings, &mut meetings);
    meetings.effort = EFFORT;
    overlaps::rules(&mut findings, &mut meetings);
    findings.sorted()
}
