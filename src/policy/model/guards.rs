//! Limits on what one run may remove, and what keeps it from running at all.

use super::table::RecordPlace;
use crate::calendar::Period;

/// Limits on what one run may remove; `None` is no limit, if nothing else is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guards {
    /// Share of the objects that were listed, 0 to 1.
    pub max_share: Option<f64>,
    /// Objects.
    pub max_objects: Option<u64>,
    /// Bytes.
    pub max_bytes: Option<u64>,
    /// How many times its usual amount a rule may remove; see [`Guards::MAX_TIMES_USUAL`].
    pub max_times_usual: Option<u64>,
    /// How old a plan may be when it is applied.
    pub max_plan_age: Option<Period>,
    /// By which share a record file may have shrunk since the run before, 0 to 1; see
    /// [`Guards::MAX_SHRINK`].
    pub max_shrink: Option<f64>,
    /// What one run may remove of each bucket.
    pub per_bucket: Limits,
    /// What one run may remove of each tenant.
    pub per_tenant: Limits,
    /// What stops a run between two batches while it is there.
    pub stop_file: Option<RecordPlace>,
}

impl Guards {
    /// How many times its usual amount a rule may remove where the policy does not say.
    pub const MAX_TIMES_USUAL: u64 = 10;
    /// By which share a record file may have shrunk where the policy does not say.
    pub const MAX_SHRINK: f64 = 0.2;

    /// What may be removed in all.
    pub const fn limits(&self) -> Limits {
        Limits { max_share: self.max_share, max_objects: self.max_objects, max_bytes: self.max_bytes }
    }
}

/// What one run may remove of something; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Share of its objects, 0 to 1.
    pub max_share: Option<f64>,
    /// Objects.
    pub max_objects: Option<u64>,
    /// Bytes.
    pub max_bytes: Option<u64>,
}

impl Limits {
    /// Whether there is none.
    pub const fn is_none(&self) -> bool {
        self.max_share.is_none() && self.max_objects.is_none() && self.max_bytes.is_none()
    }
}
