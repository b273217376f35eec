//! Asks the store: which buckets are there, how they are set up, and what may be read. Only reads.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::lifecycle::{Directories, Surroundings};
use crate::object::{BucketFacts, Kind};
use crate::policy::{Policy, RecordPlace};
use crate::s3::{Bucket, Level, Store, StoreError, StoredLifecycle};
use crate::survey::{self, ENROLMENT_TAG};
use crate::targets::Needs;

/// How many prefixes are looked at in a bucket.
pub const MOST_PREFIXES: usize = 1000;

/// How many entries are listed in search of an object to try reads on.
const LISTED: u16 = 100;

/// What the store has told.
#[derive(Default)]
pub struct Told {
    /// The buckets that the policy reaches, and those that could not be opened.
    pub buckets: BTreeMap<String, Result<Probed, StoreError>>,
    /// Buckets that a pattern matches and that are not enrolled; whether their tags could be read.
    pub left_alone: BTreeMap<String, bool>,
    /// Why buckets could not be listed, where a pattern asks for that.
    pub listing: Option<StoreError>,
    /// Why record files could not be read, by the table's name.
    pub records: Vec<(String, StoreError)>,
}

/// What the store has told of one bucket.
pub struct Probed {
    /// The region that its requests are signed for.
    pub region: String,
    /// Versioning and locks.
    pub facts: Result<BucketFacts, StoreError>,
    /// Its lifecycle configuration.
    pub lifecycle: Result<Option<StoredLifecycle>, StoreError>,
    /// Whether versions can be listed.
    pub versions: Result<(), StoreError>,
    /// Whether incomplete uploads can be listed.
    pub uploads: Result<(), StoreError>,
    /// Whether metadata of one object can be read.
    pub head: Read,
    /// Whether tags of one object can be read.
    pub tags: Read,
    /// Whether the lock of one object can be read.
    pub lock: Read,
    /// What bears on what S3 can be given there, as far as it could be listed.
    pub around: Surroundings,
    /// What stands at its top.
    pub top: Result<Level, StoreError>,
}

/// A read that was tried on one object.
pub enum Read {
    /// The policy does not ask for it.
    NotNeeded,
    /// There was no object to try it on.
    NoObject,
    /// It works.
    Works,
    /// It does not.
    Refused(StoreError),
}

/// Asks for all that the policy reaches; `progress` hears of every bucket.
pub async fn ask(store: &Store, policy: &Policy, now: DateTime<Utc>, progress: impl Fn(&str)) -> Told {
    let mut told = Told::default();
    for name in reached(store, policy, &mut told).await {
        progress(&name);
        let probed = match store.bucket(&name).await {
            Ok(bucket) => Ok(probe(&bucket, policy, now).await),
            Err(error) => Err(error),
        };
        told.buckets.insert(name, probed);
    }
    for table in &policy.tables {
        if let RecordPlace::Store { bucket, key } = &table.place {
            let head = match store.bucket(bucket).await {
                Ok(bucket) => bucket.head(key, None).await.map(drop),
                Err(error) => Err(error),
            };
            told.records.extend(head.err().map(|error| (table.name.clone(), error)));
        }
    }
    told
}

/// Names of the buckets that rules name, and of those that carry the tag.
async fn reached(store: &Store, policy: &Policy, told: &mut Told) -> BTreeSet<String> {
    let patterns = || policy.rules.iter().flat_map(|rule| &rule.select.buckets);
    let mut names: BTreeSet<String> =
        patterns().filter(|pattern| pattern.is_exact()).map(|pattern| pattern.as_str().to_owned()).collect();
    if patterns().all(|pattern| pattern.is_exact()) {
        return names;
    }
    let all = match store.list_buckets().await {
        Ok(all) => all,
        Err(error) => {
            told.listing = Some(error);
            return names;
        }
    };
    for name in all {
        if names.contains(&name) || !patterns().any(|pattern| pattern.matches(&name)) {
            continue;
        }
        let tags = match store.bucket(&name).await {
            Ok(bucket) => bucket.tags().await,
            Err(error) => Err(error),
        };
        match tags {
            Ok(tags) if tags.get(ENROLMENT_TAG) == Some(&policy.name) => {
                names.insert(name);
            }
            Ok(_) => {
                told.left_alone.insert(name, true);
            }
            Err(error) if error.is_denied() => {
                told.left_alone.insert(name, false);
            }
            Err(error) => {
                told.buckets.insert(name, Err(error));
            }
        }
    }
    names
}

async fn probe(bucket: &Bucket, policy: &Policy, now: DateTime<Utc>) -> Probed {
    let needs = Needs::of(policy, bucket.name());
    let facts = bucket.facts().await;
    let directories = match &facts {
        Ok(facts) => survey::directories(policy, bucket, facts, now).await.unwrap_or_default(),
        Err(_) => Directories::NONE,
    };
    let (sample, versions) = match sample(bucket).await {
        Ok(sample) => (sample, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let has_locks = facts.as_ref().is_ok_and(|facts| facts.object_lock);
    let sample = sample.as_ref().map(|(key, id)| (key.as_str(), id.as_deref()));
    let head = match sample.filter(|_| needs.head) {
        Some((key, id)) => Read::of(bucket.head(key, id).await),
        None => Read::untried(needs.head),
    };
    let tags = match sample.filter(|_| needs.tags) {
        Some((key, id)) => Read::of(bucket.object_tags(key, id).await),
        None => Read::untried(needs.tags),
    };
    let lock = match sample.filter(|_| has_locks) {
        Some((key, id)) => Read::of(bucket.lock(key, id).await),
        None => Read::untried(has_locks),
    };
    Probed {
        region: bucket.region().to_owned(),
        lifecycle: bucket.lifecycle().await,
        versions,
        uploads: bucket.uploads("").next().await.map(drop),
        head,
        tags,
        lock,
        around: directories.into(),
        top: bucket.level("", MOST_PREFIXES).await,
        facts,
    }
}

/// Some version to try reads on.
async fn sample(bucket: &Bucket) -> Result<Option<(String, Option<String>)>, StoreError> {
    let page = bucket.versions("", None).max_keys(LISTED).next().await?;
    let found = page.as_ref().and_then(|page| page.entries().find(|entry| entry.kind == Kind::Version));
    let id = |id: &str| (id != "null").then(|| id.to_owned());
    Ok(found.map(|found| (found.key.to_owned(), found.version_id.and_then(id))))
}

impl Read {
    fn of<T>(answer: Result<T, StoreError>) -> Self {
        match answer {
            Ok(_) => Self::Works,
            // It has gone since it was listed, which says nothing of permissions.
            Err(error) if error.is_not_found() => Self::NoObject,
            Err(error) => Self::Refused(error),
        }
    }

    const fn untried(is_needed: bool) -> Self {
        if is_needed { Self::NoObject } else { Self::NotNeeded }
    }

    /// In a word or two.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotNeeded => "not needed",
            Self::NoObject => "no object to try",
            Self::Works => "ok",
            Self::Refused(_) => "refused",
        }
    }
}
