//! `shelflife explain`: why an object is kept or not, step by step, under both engines.

mod engines;
mod explaining;
mod given;
mod known;
mod print;
mod reach;
mod rule;
mod show;
mod telling;
mod told;
mod values;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::args::{ExplainArgs, StoreArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs;
use super::record_files::RecordFiles;
use super::store::{clocks, connect, store_failure};
use crate::lifecycle::Surroundings;
use crate::object::{BucketFacts, Observed};
use crate::policy::Policy;
use crate::s3::Bucket;
use crate::survey::{self, Enrolled, Enrolment, Survey};
use crate::text;

pub use explaining::Explaining;
pub use reach::Reach;

/// An object's address.
struct Address {
    bucket: String,
    key: String,
    version_id: Option<String>,
}

/// Explains the object.
pub async fn run(context: &Context, store: &StoreArgs, args: &ExplainArgs) -> Result<Exit, Failure> {
    if let Some(path) = &args.object {
        return given::run(context, path, args);
    }
    let uri = args.uri.as_deref().unwrap_or_default();
    let address = parse(uri)?;
    let loaded = inputs::load(&args.policy).map_err(|fault| fault.into_failure(context.err))?;
    let store = connect(store, Some(loaded.policy())).await?;
    let bucket = store.bucket(&address.bucket).await?;
    let facts = bucket.facts().await?;
    let reach = reach_of(loaded.policy(), &bucket).await?;
    let (now, records_at) = dates(context, args, &bucket, &facts);
    let mut files = RecordFiles::read_local(&loaded, records_at);
    files.fetch(&store, loaded.policy(), records_at).await;
    let records = files.judged(loaded.policy(), records_at);
    for fault in &records.faults {
        context.note("records:", &fault.message);
    }
    let directories = survey::directories(loaded.policy(), &bucket, &facts, now);
    let directories = directories.await?;
    let around = Surroundings::from(directories);
    let survey = Survey {
        policy: loaded.policy(),
        records: &records.records,
        bucket,
        facts: facts.clone(),
        now,
        reads: Arc::default(),
    };
    let examined = survey.examine(&address.key).await?;
    let wanted: Vec<Observed<'_>> = examined
        .observed()
        .filter(|found| address.version_id.as_deref().is_none_or(|id| found.version_id == Some(id)))
        .collect();
    if wanted.is_empty() {
        return Err(Failure::failed(format!("{} is not there", text::terminal(uri)))
            .help("look at the key's spelling; keys are case-sensitive"));
    }
    let explaining = Explaining {
        policy: loaded.policy(),
        records: &records.records,
        around: &around,
        facts: &facts,
        reach,
        tenant: None,
        knows_size: true,
        now,
    };
    print::print(context, &explaining, &wanted);
    Ok(Exit::Done)
}

async fn reach_of(policy: &Policy, bucket: &Bucket) -> Result<Reach, Failure> {
    if let Some(reach) = Reach::by_name(policy, bucket.name()) {
        return Ok(reach);
    }
    match bucket.tags().await {
        Ok(tags) => Ok(Reach::by_tags(policy, &tags)),
        Err(error) if error.is_denied() => Ok(Reach::NotEnrolled),
        Err(error) => Err(store_failure(&error)),
    }
}

/// The date to decide for, and the one that record files are as old by: those that a run has.
fn dates(
    context: &Context,
    args: &ExplainArgs,
    bucket: &Bucket,
    facts: &BucketFacts,
) -> (DateTime<Utc>, DateTime<Utc>) {
    if let Some(at) = args.at {
        return (at, at);
    }
    let alone = Enrolled { bucket: bucket.clone(), facts: facts.clone() };
    let enrolment = Enrolment { buckets: [(facts.name.clone(), alone)].into(), left_alone: Vec::new() };
    let clocks = clocks(context, &enrolment, Utc::now());
    (clocks.earlier, clocks.later)
}

fn parse(uri: &str) -> Result<Address, Failure> {
    let wrong = || {
        Failure::usage(format!("{} is no address of an object", text::terminal(uri)))
            .help("write s3://bucket/key, or s3://bucket/key?versionId=…")
    };
    let (bucket, rest) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let (key, version_id) = match rest.rsplit_once("?versionId=") {
        Some((key, id)) => (key, Some(id.to_owned())),
        None => (rest, None),
    };
    if bucket.is_empty() || key.is_empty() {
        return Err(wrong());
    }
    Ok(Address { bucket: bucket.to_owned(), key: key.to_owned(), version_id })
}
