//! The policy, made ready for the buckets of a run, and anew before it grows old.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::decide::Decider;
use crate::policy::Policy;
use crate::records::Records;

/// How long it stays ready: no longer than it can take from a look to the deletion anyway.
const READY_FOR: TimeDelta = TimeDelta::seconds(1);

/// Deciders by bucket. To make one takes longer than to decide a chunk of rows, where there are many rules.
pub(super) struct Ready<'p> {
    policy: &'p Policy,
    records: &'p Records,
    deciders: Mutex<BTreeMap<String, Arc<Decider<'p>>>>,
}

impl<'p> Ready<'p> {
    /// None yet.
    pub fn new(policy: &'p Policy, records: &'p Records) -> Self {
        Self { policy, records, deciders: Mutex::default() }
    }

    /// One for the objects of `bucket` as of `now`, or of less than a second ago.
    pub fn decider(&self, bucket: &str, now: DateTime<Utc>) -> Arc<Decider<'p>> {
        let mut deciders = self.deciders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(decider) = deciders.get(bucket)
            && (TimeDelta::zero()..READY_FOR).contains(&(now - decider.now()))
        {
            return Arc::clone(decider);
        }
        let decider = Arc::new(Decider::new(self.policy, self.records, bucket, now));
        deciders.insert(bucket.to_owned(), Arc::clone(&decider));
        decider
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{SourceFile, read};

    #[test]
    fn it_is_of_the_bucket_and_never_a_second_old_whichever_way_the_clock_goes() {
        let text = "version: 1\nname: a\nrules:\n  - {id: m, select: {buckets: [media]}, trigger: uploaded, retain: 1 year}\n";
        let policy = read(&[SourceFile { path: "a.yaml".to_owned(), bytes: text.into() }]).unwrap().policy;
        let records = Records::default();
        let ready = Ready::new(&policy, &records);
        let start = DateTime::UNIX_EPOCH;
        for (bucket, millis, as_of) in [
            ("media", 0, 0),
            ("media", 999, 0),
            ("other", 999, 999),
            ("media", 1_000, 1_000),
            ("media", 1, 1),
        ] {
            let decider = ready.decider(bucket, start + TimeDelta::milliseconds(millis));
            let as_of = start + TimeDelta::milliseconds(as_of);
            assert_eq!((decider.bucket(), decider.now()), (bucket, as_of), "{bucket} at {millis}");
        }
    }
}
