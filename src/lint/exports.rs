//! Places that copies go to, which need a retention of their own.

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::may_meet;
use crate::pattern::BucketPattern;
use crate::policy::{Code, Select};

/// Finds exports to where no rule deletes.
pub(super) fn places(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) {
    let read = findings.read;
    for (rule, layout) in read.policy.rules.iter().zip(&read.layout.rules) {
        let Some((export, at)) = rule.export.as_ref().zip(layout.export) else { continue };
        let Ok(bucket) = BucketPattern::parse(&export.bucket) else { continue };
        let place =
            Select { buckets: vec![bucket], prefix: Some(export.prefix.clone()), ..Select::default() };
        let is_retained = read.policy.rules.iter().any(|other| {
            may_meet(&place, &other.select) && meetings.of(&[&place, &other.select], &[]) != Meeting::Apart
        });
        if !is_retained {
            findings
                .warn(
                    Code::ExportWithoutRetention,
                    at,
                    format!("the copies of `{}` have no retention: no rule selects them", rule.id),
                )
                .help(format!("write a rule for `s3://{}/{}`", export.bucket, export.prefix));
        }
    }
}
