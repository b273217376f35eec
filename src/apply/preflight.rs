//! What must hold before the first change: the plan fits the policy, is fresh, and keeps its guards.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::calendar::{Moment, Period};
use crate::plan::{GuardResult, History, PlanHeader, RecordsDigest, compare_with_earlier, first_runs};
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
    #[error(
        "the plan was made for {as_of}, {age} ago, and plans may be {limit} old",
        as_of = as_of.format("%Y-%m-%d %H:%M UTC"),
        age = words(*age)
    )]
    Stale {
        /// When it was made.
        as_of: DateTime<Utc>,
        /// How old it is.
        age: Duration,
        /// How old it may be.
        limit: Period,
    },
    /// It goes beyond a guard that was not accepted.
    #[error("guard exceeded: {}", .0.describe())]
    Guard(Box<GuardResult>),
    /// It would change buckets that no run of the policy is known to have changed before.
    #[error("this is the first run of {policy} on {}", .buckets.join(", "))]
    FirstRun {
        /// The policy's name.
        policy: String,
        /// The buckets.
        buckets: Vec<String>,
    },
}

fn words(age: Duration) -> String {
    let (count, unit) = match (age.num_days(), age.num_hours()) {
        (days @ 1.., _) => (days, "day"),
        (_, hours) => (hours, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A plan before it is carried out.
pub struct Preflight<'a> {
    /// The policy as it is now.
    pub policy: &'a Policy,
    /// The plan's header.
    pub header: &'a PlanHeader,
    /// The buckets as they are now.
    pub enrolled: &'a BTreeMap<String, Enrolled>,
    /// The record files as they are now.
    pub records: &'a BTreeMap<String, RecordsDigest>,
    /// What earlier runs were to do.
    pub history: &'a History,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// Guards to go beyond.
    pub accepted: &'a [String],
    /// Whether a first run on a bucket is meant.
    pub first_run: bool,
    /// Whether only what makes S3 do less is carried out, which no guard holds up.
    pub narrow_only: bool,
}

impl Preflight<'_> {
    /// Holds the plan to the policy; answers with the guards that it goes beyond and that were accepted.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub fn check(&self) -> Result<Vec<GuardResult>, Refusal> {
        let Self { policy, header, now, .. } = *self;
        if header.policy != policy.name {
            return Err(Refusal::OtherPolicy { what: "its name differs" });
        }
        if header.policy_digest != policy.digest {
            return Err(Refusal::OtherPolicy { what: "something but its holds has changed since" });
        }
        if let Some(name) = header.buckets.keys().find(|name| !self.enrolled.contains_key(*name)) {
            return Err(Refusal::NotEnrolled(name.clone()));
        }
        if header.as_of > now + CLOCK_SLACK {
            return Err(Refusal::Ahead { as_of: header.as_of });
        }
        let limit = policy.guards.max_plan_age.unwrap_or(MAX_PLAN_AGE);
        let fresh = Moment::Instant(header.as_of).plus(limit).and_then(|until| until.end(policy.timezone));
        if fresh.is_some_and(|until| now > until) {
            return Err(Refusal::Stale { as_of: header.as_of, age: now - header.as_of, limit });
        }
        if self.narrow_only {
            return Ok(Vec::new());
        }
        let broken = self.broken_guards();
        if let Some(guard) = broken.iter().find(|guard| !guard.is_accepted(self.accepted)) {
            return Err(Refusal::Guard(Box::new(guard.clone())));
        }
        let buckets = first_runs(header, self.history);
        if !buckets.is_empty() && !self.first_run {
            return Err(Refusal::FirstRun { policy: policy.name.clone(), buckets });
        }
        Ok(broken)
    }

    /// Those that the plan told of, and those that show only now: a record file may have shrunk since.
    fn broken_guards(&self) -> Vec<GuardResult> {
        let header = self.header;
        let mut broken: Vec<GuardResult> = header.broken_guards().cloned().collect();
        let now =
            compare_with_earlier(self.policy, &header.summary, self.records, &header.records, self.history);
        for guard in now.into_iter().filter(|guard| !guard.kept) {
            // What was accepted is what the plan has told.
            match broken.iter_mut().find(|other| other.name() == guard.name()) {
                Some(other) if guard.value > other.value => *other = guard,
                Some(_) => {}
                None => broken.push(guard),
            }
        }
        broken
    }
}
