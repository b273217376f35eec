//! Lists the directories that S3 could be given one by one.

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use crate::lifecycle::{Directories, Listing, Surroundings, compile};
use crate::object::BucketFacts;
use crate::policy::Policy;
use crate::s3::{Bucket, StoreError};

/// Directories and keys beside them that are listed under one start. S3 takes 1,000 rules, so
/// more directories could not be given to it anyway; the number is for the report.
const MOST_UNDER_ONE: usize = 10_000;

/// Starts under which directories are listed in one bucket.
const MOST_STARTS: usize = 2_000;

/// Listings at a time.
const AT_ONCE: usize = 16;

/// Lists what compiling the policy for the bucket asks for, and what that leads to.
///
/// # Errors
/// If a listing fails: then nothing is known.
pub async fn directories(
    policy: &Policy,
    bucket: &Bucket,
    facts: &BucketFacts,
    now: DateTime<Utc>,
) -> Result<Directories, StoreError> {
    let mut around = Surroundings::default();
    let mut listed = 0;
    loop {
        let unlisted = compile(policy, facts, &around, now).unlisted;
        if unlisted.is_empty() {
            return Ok(around.directories);
        }
        let mut running = JoinSet::new();
        for start in unlisted {
            listed += 1;
            if listed > MOST_STARTS {
                around.directories.insert(start, Listing::TooMany(MOST_STARTS));
                continue;
            }
            if running.len() >= AT_ONCE {
                take(&mut running, &mut around.directories).await?;
            }
            let bucket = bucket.clone();
            running.spawn(async move {
                let level = bucket.level(&start, MOST_UNDER_ONE).await?;
                let below = level.prefixes.into_iter();
                // No store's word is taken for it that these are longer.
                let below = below.filter(|it| it.len() > start.len() && it.starts_with(&start)).collect();
                let listing =
                    if level.is_whole { Listing::Whole(below) } else { Listing::TooMany(below.len()) };
                Ok((start, listing))
            });
        }
        while !running.is_empty() {
            take(&mut running, &mut around.directories).await?;
        }
    }
}

type Listed = Result<(String, Listing), StoreError>;

async fn take(running: &mut JoinSet<Listed>, directories: &mut Directories) -> Result<(), StoreError> {
    match running.join_next().await {
        Some(Ok(listed)) => {
            let (start, listing) = listed?;
            directories.insert(start, listing);
        }
        // Passed over, it would be asked for again without end.
        Some(Err(broken)) => std::panic::resume_unwind(broken.into_panic()),
        None => {}
    }
    Ok(())
}
