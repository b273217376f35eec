//! Whether the notice is kept now: what is overdue, what S3 would remove early, and whether the
//! store's own forecast agrees.
//!
//! [`Auditor`] takes decided keys and counts. What S3 does is not taken from how the policy's rules
//! are compiled but from the configuration that really stands in the bucket, read literally
//! ([`crate::lifecycle::removals`]), and each of its dates is put to the decider: would this be
//! expired then? [`compare`] holds what the store answers (`x-amz-expiration`) against the same
//! reading, for the objects that [`Sampler`] picks.

mod auditor;
mod early;
mod expiration;
mod findings;
mod forecast;
mod sample;
#[cfg(test)]
mod tests;

pub use auditor::{Auditor, Standing};
pub use early::{Then, then};
pub use expiration::{Expiration, ExpirationError};
pub use findings::{
    Early, EarlyRule, Example, Findings, Kept, LATE_STEPS, Late, LateRule, NoRule, Remover, Unset,
};
pub use forecast::{Asked, Candidate, Comparison, Difference, Forecast, Stalled, compare, foretold};
pub use sample::Sampler;
