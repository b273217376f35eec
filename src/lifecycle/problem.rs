//! What S3 would refuse in a configuration, in types and in plain words.

use std::fmt;

use super::owned::LONGEST_ID;
use super::rule::count;

/// The most rules that S3 takes in a bucket.
pub(super) const MOST_RULES: usize = 1000;

/// The most bytes of a prefix, as of a key.
pub(super) const LONGEST_PREFIX: usize = 1024;

/// The least days before a move to an infrequent-access class.
pub(super) const INFREQUENT_DAYS: i64 = 30;

/// Something that S3 would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The rule's id, or its place for a rule without one; `None` for the whole configuration.
    pub rule: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No rule at all; deleting the configuration is another request.
    NoRules,
    /// More than 1,000.
    TooManyRules(usize),
    /// Some rules have a `Filter` and others a `Prefix` of their own.
    MixedForms,
    /// In the old form, two rules do the same kind of thing to the same keys: the other's name, and
    /// the kind.
    Overlap(String, &'static str),
    /// The id is longer than 255 characters.
    IdTooLong,
    /// Another rule has the same id.
    IdTwice,
    /// Neither `Enabled` nor `Disabled`.
    Status(String),
    /// Neither a `Filter` nor a `Prefix`.
    NoFilter,
    /// Both a `Filter` and a `Prefix`.
    BothForms,
    /// More than one condition without an `And`.
    FilterMembers(usize),
    /// The prefix is longer than 1,024 bytes.
    PrefixTooLong,
    /// A tag key is empty or longer than 128 characters, or a value longer than 256.
    TagLength(String),
    /// A tag key stands twice.
    TagTwice(String),
    /// A size bound that is negative or beyond 50 TB.
    SizeBound(i64),
    /// No size lies between the bounds.
    SizeOrder,
    /// Nothing to do.
    NoAction,
    /// Days that are not positive: where.
    Days(&'static str, i64),
    /// A date that is not midnight UTC.
    DateNotMidnight,
    /// An expiration with more than one of them.
    ExpirationForms,
    /// Removing sole markers, in a rule with tags or size bounds.
    MarkersWithFilter,
    /// Aborting uploads, in a rule with tags or size bounds.
    AbortWithFilter,
    /// A noncurrent action without its days.
    NoNoncurrentDays,
    /// `NewerNoncurrentVersions` outside of 1 to 100.
    NewerVersions(i64),
    /// `NewerNoncurrentVersions` in a rule without a `Filter`.
    NewerWithoutFilter,
    /// Days in one action and a date in another.
    MixedUnits,
    /// A transition without days, date or storage class.
    Transition,
    /// Two transitions to the same storage class.
    TransitionTwice(String),
    /// To an infrequent-access class before 30 days.
    TransitionTooEarly(String),
    /// To a class that objects cannot be moved to.
    TransitionUp(String),
    /// To the second class before the object can leave the first, or up to a dearer one.
    TransitionOrder(String, String),
    /// A transition that is not before the expiration.
    TransitionAfterExpiration(String),
    /// Something else that is wrong in itself.
    Fault(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRules => f.write_str("it has no rules"),
            Self::TooManyRules(n) => write!(f, "it has {n} rules, and S3 takes {MOST_RULES}"),
            Self::MixedForms => f.write_str("some rules have a Filter and others a Prefix of their own"),
            Self::Overlap(other, action) => {
                write!(
                    f,
                    "it and {other:?} have overlapping prefixes for {action}, which the old form does not take"
                )
            }
            Self::IdTooLong => write!(f, "its id is longer than {LONGEST_ID} characters"),
            Self::IdTwice => f.write_str("another rule has the same id"),
            Self::Status(text) => write!(f, "its status {text:?} is neither Enabled nor Disabled"),
            Self::NoFilter => f.write_str("it has neither a Filter nor a Prefix"),
            Self::BothForms => f.write_str("it has both a Filter and a Prefix"),
            Self::FilterMembers(n) => write!(f, "its Filter has {n} members, and S3 takes one"),
            Self::PrefixTooLong => write!(f, "its prefix is longer than {LONGEST_PREFIX} bytes"),
            Self::TagLength(key) => {
                write!(f, "its filter's tag {key:?} has no key, or is longer than S3's tags")
            }
            Self::TagTwice(key) => write!(f, "its filter has the tag {key:?} twice"),
            Self::SizeBound(bytes) => write!(f, "its size bound {bytes} is not between 0 and 50 TB"),
            Self::SizeOrder => f.write_str("its size bounds leave nothing between them"),
            Self::NoAction => f.write_str("it has no action"),
            Self::Days(action, days) => write!(f, "its {action} has {days} days, and S3 takes positive ones"),
            Self::DateNotMidnight => f.write_str("its date is not midnight UTC"),
            Self::ExpirationForms => {
                f.write_str("its Expiration has more than one of Days, Date and ExpiredObjectDeleteMarker")
            }
            Self::MarkersWithFilter => {
                f.write_str("ExpiredObjectDeleteMarker cannot stand beside a filter by tag or size")
            }
            Self::AbortWithFilter => {
                f.write_str("AbortIncompleteMultipartUpload cannot stand beside a filter by tag or size")
            }
            Self::NoNoncurrentDays => f.write_str("its noncurrent action has no NoncurrentDays"),
            Self::NewerVersions(n) => {
                write!(f, "its NewerNoncurrentVersions is {n}, and S3 takes 1 to 100")
            }
            Self::NewerWithoutFilter => f.write_str("NewerNoncurrentVersions needs a Filter"),
            Self::MixedUnits => f.write_str("it counts in days in one action and has a date in another"),
            Self::Transition => f.write_str("a transition lacks its time or its storage class"),
            Self::TransitionTwice(class) => write!(f, "it has two transitions to {class}"),
            Self::TransitionTooEarly(class) => {
                write!(f, "it moves to {class} before {}", count(INFREQUENT_DAYS))
            }
            Self::TransitionUp(class) => write!(f, "nothing can be moved to {class}"),
            Self::TransitionOrder(from, to) => {
                write!(f, "it moves from {from} to {to} too soon, or to a dearer class")
            }
            Self::TransitionAfterExpiration(class) => {
                write!(f, "its transition to {class} is not before its expiration")
            }
            Self::Fault(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "the lifecycle rule {rule:?}: {}", self.problem),
            None => write!(f, "the lifecycle configuration: {}", self.problem),
        }
    }
}
