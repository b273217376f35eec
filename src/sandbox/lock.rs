//! Object Lock: retention and legal holds of single versions (UG:object-lock, UG:object-lock-managing).

use chrono::{DateTime, Utc};

use super::model::{Attributes, Bucket, Object, Version, Versioning};
use super::refusal::Refusal;
use super::retention::{LockConfiguration, Retention, RetentionMode};

fn not_configured() -> Refusal {
    Refusal::invalid_request("Bucket is missing Object Lock Configuration")
}

/// Whether Object Lock keeps this version from being removed at `now`.
pub(super) fn is_locked(version: &Version, now: DateTime<Utc>) -> bool {
    may_remove(version, now, false).is_err()
}

/// Refuses the removal of a version that is locked. Bypassing reaches governance retention only,
/// never a legal hold or compliance (UG:object-lock-managing).
pub(super) fn may_remove(version: &Version, now: DateTime<Utc>, bypass: bool) -> Result<(), Refusal> {
    let Some(object) = &version.object else { return Ok(()) };
    let retained = object.attributes.retention.is_some_and(|retention| {
        now < retention.until && !(bypass && retention.mode == RetentionMode::Governance)
    });
    if retained || object.attributes.legal_hold == Some(true) {
        return Err(Refusal::new("AccessDenied", "Access Denied because object protected by object lock."));
    }
    Ok(())
}

impl Bucket {
    /// Checks a writer's own lock settings and adds the bucket's default retention.
    pub fn lock_new_version(&self, now: DateTime<Utc>, attributes: &mut Attributes) -> Result<(), Refusal> {
        match &self.lock {
            None if attributes.retention.is_some() || attributes.legal_hold.is_some() => {
                Err(not_configured())
            }
            None => Ok(()),
            Some(_) if attributes.retention.is_some_and(|retention| retention.until <= now) => {
                Err(must_be_in_the_future())
            }
            Some(lock) => {
                attributes.retention = attributes.retention.or_else(|| lock.default_retention(now));
                Ok(())
            }
        }
    }

    /// Sets the Object Lock configuration; it needs versioning (UG:object-lock-configure).
    pub fn configure_lock(&mut self, lock: LockConfiguration) -> Result<(), Refusal> {
        if self.versioning != Versioning::Enabled {
            return Err(Refusal::new(
                "InvalidBucketState",
                "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            ));
        }
        self.lock = Some(lock);
        Ok(())
    }

    /// The retention of a version.
    pub fn retention(&self, key: &str, version: Option<&str>) -> Result<Retention, Refusal> {
        self.lockable(key, version)?.attributes.retention.ok_or_else(no_such_lock)
    }

    /// Whether a version is under a legal hold.
    pub fn legal_hold(&self, key: &str, version: Option<&str>) -> Result<bool, Refusal> {
        self.lockable(key, version)?.attributes.legal_hold.ok_or_else(no_such_lock)
    }

    fn lockable(&self, key: &str, version: Option<&str>) -> Result<&Object, Refusal> {
        if self.lock.is_none() {
            return Err(not_configured());
        }
        self.find_object(key, version).map(|(_, object)| object)
    }

    /// Sets, lengthens, or (governance, with bypass) shortens or removes a retention.
    pub fn set_retention(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        version: Option<&str>,
        to: Option<Retention>,
        bypass: bool,
    ) -> Result<(), Refusal> {
        if self.lock.is_none() {
            return Err(not_configured());
        }
        if to.is_some_and(|to| to.until <= now) {
            return Err(must_be_in_the_future());
        }
        self.alter(key, version, |object| {
            if let Some(from) = object.attributes.retention.filter(|from| now < from.until) {
                let loosened = match to {
                    None => true,
                    Some(to) => {
                        to.until < from.until
                            || (from.mode == RetentionMode::Compliance
                                && to.mode == RetentionMode::Governance)
                    }
                };
                if loosened && !(bypass && from.mode == RetentionMode::Governance) {
                    return Err(Refusal::new(
                        "AccessDenied",
                        "Access Denied because object protected by object lock.",
                    ));
                }
            }
            object.attributes.retention = to;
            Ok(())
        })
    }

    /// Places or releases a legal hold.
    pub fn set_legal_hold(&mut self, key: &str, version: Option<&str>, on: bool) -> Result<(), Refusal> {
        if self.lock.is_none() {
            return Err(not_configured());
        }
        self.alter(key, version, |object| {
            object.attributes.legal_hold = Some(on);
            Ok(())
        })
    }
}

fn no_such_lock() -> Refusal {
    Refusal::new(
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
    )
}

fn must_be_in_the_future() -> Refusal {
    Refusal::invalid_argument("The retain until date must be in the future!")
}
