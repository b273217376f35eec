//! What S3 is given: a start of keys, perhaps with a filter.

use super::owned::{Action, Move, OwnedRule};
use super::rule::Filter;
use super::terms::{LifecycleTerms, Waits};
use crate::policy::Policy;

/// For which objects starts of keys are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// For all that have the start.
    Whole,
    /// For those that the policy's rule at this index selects by tags or size.
    Rule(usize),
}

/// Objects that S3 removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The start of their keys.
    pub start: String,
    /// Which of the objects with this start.
    pub target: Target,
    /// The policy's rules that S3 carries out on them: indices, sorted.
    pub carries: Vec<usize>,
    /// The one of these whose name the lifecycle rules bear.
    pub(super) speaker: usize,
    /// What S3 does.
    pub terms: LifecycleTerms,
    /// Whether S3 removes delete markers that are left alone there.
    pub removes_markers: bool,
    /// The filters that pick them; any of these.
    pub(super) filters: Vec<Filter>,
    pub(super) waits: Waits,
    pub(super) moves: Vec<Move>,
}

impl Claim {
    /// Whether an object of this key is among them, if these rules of the policy cover it.
    pub fn takes(&self, key: &str, rules: &[usize]) -> bool {
        let picks = match self.target {
            Target::Whole => true,
            Target::Rule(rule) => rules.contains(&rule),
        };
        picks && key.starts_with(&self.start)
    }

    /// Whether it is by this lifecycle rule, perhaps among others, that S3 removes them.
    pub fn is_given_by(&self, rule: &OwnedRule, policy: &Policy) -> bool {
        rule.action() != Action::RemoveMarkers
            && policy.rules.get(self.speaker).is_some_and(|speaker| speaker.id == rule.policy_rule())
            && self.filters.contains(rule.filter())
    }

    /// All of a bucket, for the policy's rule at this index.
    #[cfg(test)]
    pub fn everything(rule: usize, terms: LifecycleTerms) -> Self {
        Self {
            start: String::new(),
            target: Target::Whole,
            carries: vec![rule],
            speaker: rule,
            terms,
            removes_markers: terms.noncurrent_days.is_some(),
            filters: vec![Filter::default()],
            waits: Waits::of(terms),
            moves: Vec::new(),
        }
    }

    /// Whether S3 does the same under both.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        self.terms == other.terms && self.moves == other.moves
    }

    /// The most lifecycle rules that it takes.
    pub(super) fn most_rules(&self) -> usize {
        self.filters.len() + usize::from(self.removes_markers)
    }
}
