//! `demo`, run as a user runs it: twenty months in a store in memory, held against the promise of the notice.

use std::fs;

use crate::desk::{Desk, Ran};
use serde_json::Value;

#[test]
fn the_demo_keeps_its_promise_with_both_engines_and_leaves_evidence_that_holds() {
    // No store is asked for: the demo brings its own.
    let desk = Desk::at("");
    let ran = Ran::of(desk.bare_command(&["demo", "--json", "--dir", "demo"]).output().unwrap()).ends(0);
    let told = ran.json();

    assert_eq!(told["faults"], serde_json::json!([]));
    let months = told["months"].as_array().unwrap();
    assert!(months.len() >= 19, "{} months", months.len());
    let sum = |of: &str| months.iter().map(|month| count(month, of)).sum::<u64>();
    assert!(sum("removed_by_s3") > 0, "{months:#?}");
    assert!(sum("removed_by_shelflife") > 0, "{months:#?}");
    assert!(months.iter().any(|month| count(month, "held") > 0), "{months:#?}");

    let folder = desk.path(told["evidence"].as_str().unwrap());
    let logs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(told["verified_logs"], logs.len());
    let last = logs.iter().max().unwrap().to_str().unwrap();
    let verified = Ran::of(desk.bare_command(&["verify", last, "--json"]).output().unwrap()).ends(0).json();
    assert_eq!(verified["end"], "finished");
    assert!(verified["entries"].as_u64().unwrap() > 2, "{verified}");
}

#[track_caller]
fn count(month: &Value, of: &str) -> u64 {
    month[of].as_u64().unwrap_or_else(|| panic!("no {of} in {month}"))
}
