//! `check --live`: what the store says to a policy. Only reads are sent.
//!
//! `probe` asks, `judge` finds out what the answers mean, `show` lays out what is true of each bucket.

mod coverage;
mod judge;
mod probe;
mod show;

use chrono::{DateTime, Utc};

use crate::cli::args::StoreArgs;
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::inputs::Loaded;
use crate::cli::progress::Progress;
use crate::cli::store::connect;
use crate::policy::Code;
pub use show::Live;

/// Asks the store about everything that the policy reaches.
///
/// # Errors
/// If there is no store to ask; what single buckets answer becomes findings.
pub async fn look(
    context: &Context,
    args: &StoreArgs,
    loaded: &Loaded,
    now: DateTime<Utc>,
) -> Result<Live, Failure> {
    let policy = loaded.policy();
    let store = connect(args, Some(policy)).await?;
    let progress = Progress::counting("asking the store", context.quiet);
    let told = probe::ask(&store, policy, now, |name| {
        progress.say(name.to_owned());
        progress.advance(1);
    })
    .await;
    progress.finish();
    let findings = judge::findings(&loaded.read, &told, now);
    Ok(Live::new(policy, &told, findings, now))
}

/// Whether it is for the store to change: then it is a failure, and no fault of the policy.
pub const fn is_of_the_store(code: Code) -> bool {
    matches!(code, Code::BucketNotFound | Code::BucketClosed | Code::PermissionMissing | Code::RecordsClosed)
}
