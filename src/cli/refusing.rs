//! What is refused before anything is changed, with the number, the limit, and what allows it.

use chrono::{DateTime, Utc};

use super::exit::Failure;
use crate::apply::{Refusal, StopFile, StopFileError};
use crate::plan::{Disposal, PlanHeader, total};
use crate::text;

/// Begins nothing while the stop file is there, or nobody knows.
pub async fn not_while_stopped(file: Option<&StopFile>, now: DateTime<Utc>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    let name = text::terminal(file.name());
    match file.is_raised(now).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Failure::refused(format!("the stop file {name} is there; nothing was changed"))
            .help("take it away, and run the same command again")),
        Err(error) => Err(stop_file_failure(&error)),
    }
}

/// Nobody knows whether the stop file is there.
pub fn stop_file_failure(error: &StopFileError) -> Failure {
    Failure::failed(text::terminal(&Failure::chain(error)))
        .help("a run goes on only where it is known; of an object S3 tells that with s3:GetObject and s3:ListBucket")
}

/// A plan that is not carried out, and what allows it all the same.
pub fn refused(refusal: &Refusal, header: &PlanHeader) -> Failure {
    let failure = Failure::refused(refusal);
    match refusal {
        Refusal::Guard(guard) => failure.help(format!(
            "look at the plan; if it is right, pass --accept {}, or {} and plan anew",
            guard.name(),
            guard.remedy()
        )),
        Refusal::FirstRun { buckets, .. } => {
            let message = format!("{refusal}; it would\n{}", first_run(header, buckets).join("\n"));
            Failure::refused(message).help(
                "look at the plan; if it is right, pass --first-run. Later runs know by the evidence: \
                 keep it, and name its folder with --evidence-dir",
            )
        }
        Refusal::Stale { .. } => failure.help(
            "make a new plan with `shelflife plan`; how old one may be says `max-plan-age` in the \
             policy's `guards`; nothing was changed",
        ),
        Refusal::OtherPolicy { .. } => {
            failure.help("make a new plan with `shelflife plan`; nothing was changed")
        }
        Refusal::NotEnrolled(_) => failure.help(format!(
            "tag the bucket {}=<policy's name> or name it in the policy; or make a new plan",
            crate::survey::ENROLMENT_TAG
        )),
        Refusal::Ahead { .. } => {
            failure.help("a plan with --as-of in the future is for looking at; make one without")
        }
    }
}

/// What a plan would do to each of `buckets`, a line for each.
fn first_run(header: &PlanHeader, buckets: &[String]) -> Vec<String> {
    let line = |name: &String| {
        let of = |left: bool| {
            total(&header.summary, |line| {
                line.is_removed()
                    && line.bucket == *name
                    && left == (line.disposal == Some(Disposal::LeftToS3))
            })
        };
        let changes = header
            .buckets
            .get(name)
            .map_or(0, |bucket| bucket.changes.iter().filter(|change| change.kind != "kept").count());
        let rules = if changes == 1 { "rule" } else { "rules" };
        let parts = [
            (of(false).objects > 0).then(|| format!("remove {}", of(false).words())),
            (of(true).objects > 0).then(|| format!("leave {} to S3", of(true).words())),
            (changes > 0).then(|| format!("change {changes} lifecycle {rules}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("  {name}: {}", parts.join(", "))
    };
    buckets.iter().map(line).collect()
}
