//! Which buckets a policy reaches: those it names, and those it matches that carry its tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::object::BucketFacts;
use crate::pattern::BucketPattern;
use crate::policy::Policy;
use crate::s3::{Bucket, Store, StoreError};

/// The tag by which a bucket says that a policy's patterns may reach it.
pub const ENROLMENT_TAG: &str = "shelflife";

/// A bucket that a policy reaches.
#[derive(Clone)]
pub struct Enrolled {
    /// The bucket.
    pub bucket: Bucket,
    /// How its objects can be removed.
    pub facts: BucketFacts,
}

/// What a policy reaches.
#[derive(Default)]
pub struct Enrolment {
    /// By name.
    pub buckets: BTreeMap<String, Enrolled>,
    /// Buckets that a pattern matches and that do not carry the tag: left alone.
    pub left_alone: Vec<String>,
}

/// Opens every bucket that `policy` reaches.
///
/// # Errors
/// The first bucket that is not there, denied or in another region: then nothing is touched,
/// for what a bucket holds under the policy would not be known.
pub async fn enrol(store: &Store, policy: &Policy) -> Result<Enrolment, StoreError> {
    let patterns = || policy.rules.iter().flat_map(|rule| &rule.select.buckets);
    let mut names: BTreeSet<String> =
        patterns().filter(|pattern| pattern.is_exact()).map(|pattern| pattern.as_str().to_owned()).collect();
    let mut enrolment = Enrolment::default();
    if patterns().any(|pattern| !pattern.is_exact()) {
        for name in store.list_buckets().await? {
            if names.contains(&name) || !patterns().any(|pattern: &BucketPattern| pattern.matches(&name)) {
                continue;
            }
            // Another team's bucket may well be closed to us, and is then surely not enrolled.
            let tags = match store.bucket(&name).await {
                Ok(bucket) => bucket.tags().await,
                Err(error) => Err(error),
            };
            match tags {
                Ok(tags) if tags.get(ENROLMENT_TAG) == Some(&policy.name) => {
                    names.insert(name);
                }
                Ok(_) => enrolment.left_alone.push(name),
                Err(error) if error.is_denied() => enrolment.left_alone.push(name),
                Err(error) => return Err(error),
            }
        }
    }
    for name in names {
        let bucket = store.bucket(&name).await?;
        let facts = bucket.facts().await?;
        enrolment.buckets.insert(name, Enrolled { bucket, facts });
    }
    Ok(enrolment)
}
