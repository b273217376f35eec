//! Looking at a bucket: lists it, asks for what a decision needs, and hands out decided keys.
//!
//! `plan` looks at what the policy covers in a bucket, `audit` at all of it, `apply` again at the keys that it
//! is about to touch; all come through here, so that all decide from the same knowledge. `verify --live`
//! decides nothing, and only asks what still stands ([`claims`]).

mod borders;
mod cache;
mod cache_file;
mod chosen;
pub mod claims;
mod directories;
mod draft;
mod enrol;
mod examine;
mod keyspace;
mod lanes;
mod listing;
mod lookup;
mod range;
mod ranges;
#[cfg(test)]
mod ranges_tests;
mod readings;
mod reads;
mod seen;
mod uploads;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::decide::{Needs, Plain, Stay};
use crate::object::BucketFacts;
use crate::plan::KeyGroup;
use crate::policy::Policy;
use crate::records::Records;
use crate::s3::{Bucket, StoreError};

pub use cache::{BucketCache, CACHE_THREAD, Cache, CacheFault};
pub use chosen::LookedUp;
pub use directories::directories;
pub use enrol::{ENROLMENT_TAG, Enrolled, Enrolment, enrol};
pub use examine::Examined;
pub use listing::{LISTINGS_AT_ONCE, Listed, WHOLE_BUCKET};
pub use lookup::Standing;
pub use readings::READS_AT_ONCE;
pub use reads::{ReadTally, Reads};
pub use seen::Seen;

/// Something that takes what a survey finds. A bucket is listed in several stretches at once, and the keys
/// of each come in byte order, with what the sink keeps of that stretch.
pub trait Sink {
    /// What can go wrong with it.
    type Error: From<StoreError>;

    /// What is kept of one stretch.
    type Part: Default;

    /// Takes one decided key.
    fn key(&mut self, part: &mut Self::Part, group: KeyGroup) -> Result<(), Self::Error>;

    /// Takes one decided key with all that was read of it.
    fn seen(&mut self, part: &mut Self::Part, _seen: &Seen<'_>, group: KeyGroup) -> Result<(), Self::Error> {
        self.key(part, group)
    }

    /// Whether of what plainly stays it wants to know no more than [`Sink::plain`] and [`Sink::stay`] tell.
    fn counts_plain(&self) -> bool {
        false
    }

    /// Takes a version, a delete marker or an object of so many bytes that plainly stays, with all others
    /// of its key.
    fn plain(&mut self, _bytes: u64, _plain: &Plain<'_>) {}

    /// The same of an object or a version that is alone under its key, and stays by key and upload.
    fn stay(&mut self, bytes: u64, stay: Stay) {
        let Stay { rule, due } = stay;
        self.plain(bytes, &Plain { verdict: stay.verdict(), rule, due, tenant: None });
    }

    /// What is to be read of the versions under a key, newest first, beside what deciding takes.
    fn asks(&self, _seen: &Seen<'_>) -> Vec<Needs> {
        Vec::new()
    }

    /// Hears that all keys of a page have been handed over.
    fn page_done(&mut self) -> impl Future<Output = Result<(), Self::Error>> {
        async { Ok(()) }
    }

    /// Takes what was kept of a stretch. These come in the order of their keys.
    fn join(&mut self, part: Self::Part) -> Result<(), Self::Error>;

    /// Forgets all keys since the survey began: they come again.
    fn start_over(&mut self);

    /// Hears of so many more entries listed. Reads are counted as they begin, in [`Survey::reads`].
    fn progress(&mut self, _listed: u64) {}
}

/// A bucket, and what its objects are decided by.
#[derive(Clone)]
pub struct Survey<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The bucket.
    pub bucket: Bucket,
    /// What bears on how its objects can be removed.
    pub facts: BucketFacts,
    /// The date that everything is decided for.
    pub now: DateTime<Utc>,
    /// What is asked about single objects. It has no cache where something is deleted right after.
    pub reads: Arc<Reads>,
}
