//! What must hold before the first change: the plan fits the policy, is fresh, and keeps its guards.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::calendar::{Moment, Period};
use crate::plan::{GuardResult, PlanHeader, evaluate_guards};
use crate::policy::Policy;
use crate::survey::Enrolled;

/// How old a plan may be where the policy does not say.
const MAX_PLAN_AGE: Period = Period::days(1);

/// How far the clocks of two machines may lie apart.
const CLOCK_SLACK: Duration = Duration::minutes(15);

/// Why a plan is not carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It was made with another policy.
    #[error("the plan was made with another policy: {what}")]
    OtherPolicy {
        /// What differs.
        what: &'static str,
    },
    /// It names a bucket that the policy does not reach any more.
    #[error("bucket {0} is in the plan and is not enrolled any more")]
    NotEnrolled(String),
    /// It was decided for a date that has not come.
    #[error("the plan was made for {}, which has not come yet", .as_of.format("%Y-%m-%d %H:%M UTC"))]
    Ahead {
        /// The date.
        as_of: DateTime<Utc>,
    },
    /// It is too old.
    #[error("the plan was made for {as_of}, and plans may be {limit} old", as_of = as_of.format("%Y-%m-%d %H:%M UTC"))]
    Stale {
        /// When it was made.
        as_of: DateTime<Utc>,
        /// How old it may be.
        limit: Period,
    },
    /// It goes beyond a guard that was not accepted.
    #[error("guard exceeded: {}", .0.describe())]
    Guard(GuardResult),
}

/// Holds a plan to the policy as it is at `now`; `accepted` names guards to go beyond.
///
/// # Errors
/// The first [`Refusal`].
pub fn preflight(
    policy: &Policy,
    header: &PlanHeader,
    enrolled: &BTreeMap<String, Enrolled>,
    now: DateTime<Utc>,
    accepted: &[String],
) -> Result<(), Refusal> {
    if header.policy != policy.name {
        return Err(Refusal::OtherPolicy { what: "its name differs" });
    }
    if header.policy_digest != policy.digest {
        return Err(Refusal::OtherPolicy { what: "something but its holds has changed since" });
    }
    if let Some(name) = header.buckets.keys().find(|name| !enrolled.contains_key(*name)) {
        return Err(Refusal::NotEnrolled(name.clone()));
    }
    if header.as_of > now + CLOCK_SLACK {
        return Err(Refusal::Ahead { as_of: header.as_of });
    }
    let limit = policy.guards.max_plan_age.unwrap_or(MAX_PLAN_AGE);
    let fresh = Moment::Instant(header.as_of).plus(limit).and_then(|until| until.end(policy.timezone));
    if fresh.is_some_and(|until| now > until) {
        return Err(Refusal::Stale { as_of: header.as_of, limit });
    }
    match evaluate_guards(policy, &header.summary)
        .into_iter()
        .find(|guard| !guard.kept && !accepted.contains(&guard.name()))
    {
        Some(guard) => Err(Refusal::Guard(guard)),
        None => Ok(()),
    }
}
