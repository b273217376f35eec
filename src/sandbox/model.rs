//! What the sandbox keeps: buckets, with versions, delete markers and uploads in them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use md5::{Digest, Md5};

pub use super::content::{Attributes, Body, Checksum, Object, Version};
pub(super) use super::content::{NULL_VERSION, Part, Upload};
use super::journal::Journal;
use super::retention::LockConfiguration;
use super::rules::LifecycleConfiguration;
use super::values::hex;

/// Whether a bucket keeps versions (UG:Versioning).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// It never has.
    #[default]
    Never,
    /// Every write makes a new version.
    Enabled,
    /// It has once; writes replace the null version.
    Suspended,
}

/// A bucket and all that it holds.
#[derive(Debug)]
pub(super) struct Bucket {
    pub name: String,
    pub region: String,
    pub created: DateTime<Utc>,
    pub versioning: Versioning,
    pub mfa_delete: bool,
    pub tags: BTreeMap<String, String>,
    pub lock: Option<LockConfiguration>,
    pub lifecycle: Option<LifecycleConfiguration>,
    /// What the last call that changed it has replaced.
    pub lifecycle_before: Option<LifecycleConfiguration>,
    /// The versions of each key, the oldest first: the last one is current. Never empty.
    pub keys: BTreeMap<String, Vec<Version>>,
    /// Uploads by key and by the order in which they were initiated.
    pub uploads: BTreeMap<(String, u64), Upload>,
    /// Tells this bucket's version ids from those of another that had its name before.
    pub serial: u64,
    pub sequence: u64,
    pub journal: Journal,
}

impl Bucket {
    /// The next place among the bucket's writes.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// An opaque id for the write at `sequence`, which [`sequence_of`] reads back.
    pub fn opaque_id(&self, sequence: u64) -> String {
        let digest = Md5::digest(format!("{}/{sequence}", self.serial));
        format!("{}{sequence:016x}", hex(&digest[..8]))
    }
}

/// The place among the bucket's writes that an opaque id stands for, even if the version is gone.
pub(super) fn sequence_of(id: &str) -> Option<u64> {
    if id.len() != 32 {
        return None;
    }
    u64::from_str_radix(id.get(16..)?, 16).ok()
}
