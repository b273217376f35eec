//! Warnings at a date: those that reading found, and what is over by then.

use chrono::{DateTime, Utc};

use super::codes::Code;
use super::diagnostic::{Diagnostic, Severity};
use super::read::ReadPolicy;
use crate::calendar::end_of_day;

/// All warnings on a policy at `now`.
pub fn lint(read: &ReadPolicy, now: DateTime<Utc>) -> Vec<Diagnostic> {
    let past =
        read.last_days.iter().filter(|last| now >= end_of_day(last.day, read.policy.timezone)).map(|last| {
            Diagnostic {
                code: Code::Past,
                severity: Severity::Warning,
                at: last.at.clone(),
                message: format!("{} is over since the end of {}", last.what, last.day),
                help: Some("it has no effect any more: remove it, or correct the date".to_owned()),
                related: Vec::new(),
            }
        });
    read.warnings.iter().cloned().chain(past).collect()
}
