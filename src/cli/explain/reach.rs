//! Whether the policy reaches the bucket of an object that is explained.

use crate::object::Attributes;
use crate::policy::Policy;
use crate::survey::ENROLMENT_TAG;

/// How a policy stands to a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A rule names it, or a pattern matches it and it carries the tag.
    Enrolled,
    /// A pattern matches it, and it does not carry the tag.
    NotEnrolled,
    /// No rule is for it.
    NoRule,
}

impl Reach {
    /// As far as the bucket's name tells; `None` where it depends on the bucket's tags.
    pub fn by_name(policy: &Policy, bucket: &str) -> Option<Self> {
        let mut matching = policy
            .rules
            .iter()
            .flat_map(|rule| &rule.select.buckets)
            .filter(|pattern| pattern.matches(bucket))
            .peekable();
        if matching.peek().is_none() {
            Some(Self::NoRule)
        } else {
            matching.any(|pattern| pattern.is_exact()).then_some(Self::Enrolled)
        }
    }

    /// For a bucket that only patterns match.
    pub fn by_tags(policy: &Policy, tags: &Attributes) -> Self {
        if tags.get(ENROLMENT_TAG) == Some(&policy.name) { Self::Enrolled } else { Self::NotEnrolled }
    }

    /// Why nothing is touched in the bucket; `None` where something may be.
    pub fn why_untouched(self, policy: &Policy) -> Option<String> {
        match self {
            Self::Enrolled => None,
            Self::NotEnrolled => Some(format!(
                "nothing is touched here: the bucket matches a pattern and does not carry the tag {ENROLMENT_TAG}={}",
                policy.name
            )),
            Self::NoRule => {
                Some("nothing is touched here: no rule of the policy is for this bucket".to_owned())
            }
        }
    }
}
