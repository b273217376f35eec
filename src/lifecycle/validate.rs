//! S3's own rules for configurations, held against a configuration before it is written.
//!
//! Some stores accept what S3 refuses, and then do something else, so Shelflife does not leave
//! this to them.

use std::collections::HashSet;
use std::fmt;

use chrono::{NaiveTime, Timelike};

use super::document::{DocumentRule, LifecycleDocument};
use super::owned::LONGEST_ID;
use super::rule::{Expiration, Form, RuleView, Status, When, count};

/// The most rules that S3 takes in a bucket.
pub(super) const MOST_RULES: usize = 1000;

/// The most bytes of a size bound: 50 TB.
const LARGEST: i64 = 50 * 1024 * 1024 * 1024 * 1024;

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
    /// An expiration with none of its three forms.
    EmptyExpiration,
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
            Self::IdTooLong => write!(f, "its id is longer than {LONGEST_ID} characters"),
            Self::IdTwice => f.write_str("another rule has the same id"),
            Self::Status(text) => write!(f, "its status {text:?} is neither Enabled nor Disabled"),
            Self::NoFilter => f.write_str("it has neither a Filter nor a Prefix"),
            Self::BothForms => f.write_str("it has both a Filter and a Prefix"),
            Self::FilterMembers(n) => write!(f, "its Filter has {n} members, and S3 takes one"),
            Self::TagTwice(key) => write!(f, "its filter has the tag {key:?} twice"),
            Self::SizeBound(bytes) => write!(f, "its size bound {bytes} is not between 0 and 50 TB"),
            Self::SizeOrder => f.write_str("its size bounds leave nothing between them"),
            Self::NoAction => f.write_str("it has no action"),
            Self::Days(action, days) => write!(f, "its {action} has {days} days, and S3 takes positive ones"),
            Self::DateNotMidnight => f.write_str("its date is not midnight UTC"),
            Self::EmptyExpiration => f.write_str("its Expiration says nothing"),
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

/// The least days before a move to an infrequent-access class.
const INFREQUENT_DAYS: i64 = 30;

/// Holds a configuration against S3's rules.
///
/// # Errors
///
/// Everything that S3 would refuse, as far as it is documented and the rules are understood.
pub fn validate(document: &LifecycleDocument) -> Result<(), Vec<Invalid>> {
    let rules = document.rules();
    let mut invalid = Vec::new();
    let mut whole = |problem| invalid.push(Invalid { rule: None, problem });
    if rules.is_empty() {
        whole(Problem::NoRules);
    }
    if rules.len() > MOST_RULES {
        whole(Problem::TooManyRules(rules.len()));
    }
    let has_filter = |rule: &DocumentRule| matches!(rule.view().form, Form::Filter { .. });
    if document.is_v1() && rules.iter().any(has_filter) {
        whole(Problem::MixedForms);
    }
    let mut ids = HashSet::new();
    for (place, rule) in rules.iter().enumerate() {
        let mut problems = Vec::new();
        if let Some(id) = &rule.view().id {
            if id.chars().count() > LONGEST_ID {
                problems.push(Problem::IdTooLong);
            }
            if !ids.insert(id) {
                problems.push(Problem::IdTwice);
            }
        }
        filter(rule.view(), &mut problems);
        actions(rule.view(), &mut problems);
        transitions(rule.view(), &mut problems);
        let name = rule.view().id.clone().unwrap_or_else(|| format!("number {}", place + 1));
        invalid.extend(problems.into_iter().map(|problem| Invalid { rule: Some(name.clone()), problem }));
    }
    if invalid.is_empty() { Ok(()) } else { Err(invalid) }
}

fn filter(rule: &RuleView, problems: &mut Vec<Problem>) {
    if let Status::Other(text) = &rule.status {
        problems.push(Problem::Status(text.clone()));
    }
    match rule.form {
        Form::Neither => problems.push(Problem::NoFilter),
        Form::Both => problems.push(Problem::BothForms),
        Form::Filter { members: members @ 2.., .. } => problems.push(Problem::FilterMembers(members)),
        Form::Filter { .. } | Form::Prefix => {}
    }
    let twice = rule.filter.tags.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    problems.extend(twice.map(|pair| Problem::TagTwice(pair[0].0.clone())));
    let bounds = [rule.filter.size_over, rule.filter.size_under];
    let outside = bounds.into_iter().flatten().filter(|bytes| !(0..=LARGEST).contains(bytes));
    problems.extend(outside.map(Problem::SizeBound));
    if matches!(bounds, [Some(over), Some(under)] if over >= under) {
        problems.push(Problem::SizeOrder);
    }
    problems.extend(rule.faults.iter().cloned().map(Problem::Fault));
}

fn actions(rule: &RuleView, problems: &mut Vec<Problem>) {
    let has_action = rule.expiration.is_some()
        || rule.noncurrent.is_some()
        || rule.abort_days.is_some()
        || !rule.transitions.is_empty()
        || !rule.noncurrent_transitions.is_empty();
    // What is not understood may be an action.
    if !has_action && rule.unknown.is_empty() && rule.faults.is_empty() {
        problems.push(Problem::NoAction);
    }
    let is_narrow =
        !rule.filter.tags.is_empty() || rule.filter.size_over.is_some() || rule.filter.size_under.is_some();
    if let Some(Expiration { days, date, markers }) = &rule.expiration {
        match u8::from(days.is_some()) + u8::from(date.is_some()) + u8::from(*markers) {
            0 if rule.unknown.is_empty() && rule.faults.is_empty() => problems.push(Problem::EmptyExpiration),
            0 | 1 => {}
            _ => problems.push(Problem::ExpirationForms),
        }
        positive("Expiration", *days, problems);
        midnight(date.map(When::Date), problems);
        if *markers && is_narrow {
            problems.push(Problem::MarkersWithFilter);
        }
    }
    if let Some(noncurrent) = &rule.noncurrent {
        noncurrent_days("NoncurrentVersionExpiration", noncurrent.days, problems);
        newer(noncurrent.newer, rule.form, problems);
    }
    if rule.abort_days.is_some() && is_narrow {
        problems.push(Problem::AbortWithFilter);
    }
    positive("AbortIncompleteMultipartUpload", rule.abort_days, problems);
}

fn transitions(rule: &RuleView, problems: &mut Vec<Problem>) {
    let mut classes = HashSet::new();
    let expiration = rule.expiration.as_ref();
    let expires = expiration.and_then(|e| e.days.map(When::Days).or(e.date.map(When::Date)));
    let mut units = HashSet::new();
    units.extend(expires.map(|when| matches!(when, When::Days(_))));
    for transition in &rule.transitions {
        let class = || transition.class.clone();
        if transition.when.is_none() || transition.class.is_empty() {
            problems.push(Problem::Transition);
        }
        if !classes.insert(&transition.class) {
            problems.push(Problem::TransitionTwice(class()));
        }
        units.extend(transition.when.map(|when| matches!(when, When::Days(_))));
        midnight(transition.when, problems);
        match (transition.when, expires) {
            // S3 takes day zero in transitions.
            (Some(When::Days(days)), _) if days < 0 => problems.push(Problem::Days("Transition", days)),
            (Some(When::Days(days)), Some(When::Days(end))) if days >= end => {
                problems.push(Problem::TransitionAfterExpiration(class()));
            }
            (Some(When::Date(date)), Some(When::Date(end))) if date >= end => {
                problems.push(Problem::TransitionAfterExpiration(class()));
            }
            _ => {}
        }
        let is_infrequent = matches!(transition.class.as_str(), "STANDARD_IA" | "ONEZONE_IA");
        if is_infrequent && matches!(transition.when, Some(When::Days(..INFREQUENT_DAYS))) {
            problems.push(Problem::TransitionTooEarly(class()));
        }
    }
    if units.len() > 1 {
        problems.push(Problem::MixedUnits);
    }
    for transition in &rule.noncurrent_transitions {
        noncurrent_days("NoncurrentVersionTransition", transition.days, problems);
        newer(transition.newer, rule.form, problems);
        if transition.class.is_empty() {
            problems.push(Problem::Transition);
        }
    }
}

fn positive(action: &'static str, days: Option<i64>, problems: &mut Vec<Problem>) {
    problems.extend(days.filter(|days| *days < 1).map(|days| Problem::Days(action, days)));
}

fn noncurrent_days(action: &'static str, days: Option<i64>, problems: &mut Vec<Problem>) {
    if days.is_none() {
        problems.push(Problem::NoNoncurrentDays);
    }
    // Transitions of noncurrent versions may be at once.
    let least = i64::from(action == "NoncurrentVersionExpiration");
    problems.extend(days.filter(|days| *days < least).map(|days| Problem::Days(action, days)));
}

fn newer(newer: i64, form: Form, problems: &mut Vec<Problem>) {
    if !(0..=100).contains(&newer) {
        problems.push(Problem::NewerVersions(newer));
    }
    if newer != 0 && form == Form::Prefix {
        problems.push(Problem::NewerWithoutFilter);
    }
}

fn midnight(when: Option<When>, problems: &mut Vec<Problem>) {
    if let Some(When::Date(date)) = when
        && (date.time() != NaiveTime::MIN || date.nanosecond() != 0)
    {
        problems.push(Problem::DateNotMidnight);
    }
}
