//! What an explanation stands on.

use chrono::{DateTime, Utc};

use super::reach::Reach;
use crate::lifecycle::Surroundings;
use crate::object::BucketFacts;
use crate::policy::Policy;
use crate::records::Records;

/// Everything that an explanation stands on.
pub struct Explaining<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// What bears on what S3 is given in the bucket.
    pub around: &'a Surroundings,
    /// The bucket.
    pub facts: &'a BucketFacts,
    /// Whether the policy reaches the bucket.
    pub reach: Reach,
    /// Whose the object is, if that is said from without.
    pub tenant: Option<&'a str>,
    /// Whether the object's size is known, as it is from a listing.
    pub knows_size: bool,
    /// The date that is asked about.
    pub now: DateTime<Utc>,
}
