//! All that the sandbox knows, behind one lock: the clock and the buckets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::clock::Clock;
use super::eligibility::Settings;
use super::journal::Journal;
use super::model::{Bucket, Versioning};
use super::refusal::Refusal;
use super::retention::LockConfiguration;

/// The account that owns every bucket.
pub const ACCOUNT: &str = "123456789012";

/// What a new bucket is like.
#[derive(Clone, Debug, Default)]
pub struct BucketOptions {
    /// The name, by S3's rules for names of general purpose buckets.
    pub name: String,
    /// `us-east-1` if empty.
    pub region: String,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Whether removing a version needs an MFA token.
    pub mfa_delete: bool,
    /// Its Object Lock configuration; with one it keeps versions.
    pub lock: Option<LockConfiguration>,
    /// Bucket tags.
    pub tags: BTreeMap<String, String>,
}

impl BucketOptions {
    /// A plain bucket without versioning.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// The clock, the buckets, and how lifecycle rules run.
#[derive(Debug)]
pub(super) struct State {
    pub clock: Clock,
    pub settings: Settings,
    pub buckets: BTreeMap<String, Bucket>,
    pub journal: Journal,
    created: u64,
}

impl State {
    pub fn new(start: DateTime<Utc>, settings: Settings) -> Self {
        Self {
            clock: Clock::starting_at(start),
            settings,
            buckets: BTreeMap::new(),
            journal: Journal::default(),
            created: 0,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn bucket(&self, name: &str) -> Result<&Bucket, Refusal> {
        self.buckets.get(name).ok_or_else(Refusal::no_such_bucket)
    }

    /// A bucket to change, and the time at which that happens.
    pub fn bucket_mut(&mut self, name: &str) -> Result<(&mut Bucket, DateTime<Utc>), Refusal> {
        let now = self.clock.now();
        self.buckets.get_mut(name).map(|bucket| (bucket, now)).ok_or_else(Refusal::no_such_bucket)
    }

    pub fn create_bucket(&mut self, options: BucketOptions) -> Result<(), Refusal> {
        if !s3s::path::check_bucket_name(&options.name) {
            return Err(Refusal::new("InvalidBucketName", "The specified bucket is not valid."));
        }
        if self.buckets.contains_key(&options.name) {
            return Err(Refusal::new(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        self.created += 1;
        let bucket = Bucket {
            name: options.name.clone(),
            region: if options.region.is_empty() { "us-east-1".to_owned() } else { options.region },
            created: self.now(),
            versioning: if options.lock.is_some() { Versioning::Enabled } else { options.versioning },
            mfa_delete: options.mfa_delete,
            tags: options.tags,
            lock: options.lock,
            lifecycle: None,
            lifecycle_before: None,
            keys: BTreeMap::new(),
            uploads: BTreeMap::new(),
            serial: self.created,
            sequence: 0,
            journal: self.journal.clone(),
        };
        self.buckets.insert(options.name, bucket);
        Ok(())
    }

    pub fn delete_bucket(&mut self, name: &str) -> Result<(), Refusal> {
        if !self.bucket(name)?.keys.is_empty() {
            return Err(Refusal::new("BucketNotEmpty", "The bucket you tried to delete is not empty"));
        }
        self.buckets.remove(name);
        Ok(())
    }
}

/// The state as every connection and every handle shares it.
#[derive(Clone, Debug)]
pub(super) struct SharedState(Arc<Mutex<State>>);

impl SharedState {
    pub fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Takes the lock. A panic elsewhere leaves the state usable: no change is made in two steps that
    /// could be seen half done.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
