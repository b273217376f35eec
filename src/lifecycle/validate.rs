//! S3's own rules for configurations, held against a configuration before it is written.
//!
//! Some stores accept what S3 refuses, and then do something else, so Shelflife does not leave
//! this to them.

use std::collections::{BTreeSet, HashSet};

use chrono::{NaiveTime, Timelike};

use super::document::{DocumentRule, LifecycleDocument};
use super::owned::LONGEST_ID;
use super::problem::{INFREQUENT_DAYS, Invalid, LONGEST_PREFIX, MOST_RULES, Problem};
use super::rule::{Expiration, Form, RuleView, Status, When, prefixes_meet};

/// The most bytes of a size bound: 50 TB.
const LARGEST: i64 = 50 * 1024 * 1024 * 1024 * 1024;

/// The most characters of a tag's key and of its value.
const LONGEST_TAG: (usize, usize) = (128, 256);

/// The storage classes that S3 moves objects to, the dearest first, and the days that an object must
/// have stayed in each before the same rule moves it on. Objects never move up, and nowhere to the
/// classes of `NO_TARGETS`. Other stores have classes of their own.
const CLASSES: [(&str, i64); 6] = [
    ("STANDARD_IA", 30),
    ("INTELLIGENT_TIERING", 0),
    ("ONEZONE_IA", 30),
    ("GLACIER_IR", 90),
    ("GLACIER", 90),
    ("DEEP_ARCHIVE", 180),
];
const NO_TARGETS: [&str; 2] = ["STANDARD", "REDUCED_REDUNDANCY"];

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
    let overlaps = if document.is_v1() { overlaps(rules) } else { Vec::new() };
    invalid.extend(overlaps);
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
        let name = name(rule, place);
        invalid.extend(problems.into_iter().map(|problem| Invalid { rule: Some(name.clone()), problem }));
    }
    if invalid.is_empty() { Ok(()) } else { Err(invalid) }
}

fn name(rule: &DocumentRule, place: usize) -> String {
    rule.view().id.clone().unwrap_or_else(|| format!("number {}", place + 1))
}

/// Rules of the old form that do the same kind of thing where one prefix begins with the other.
fn overlaps(rules: &[DocumentRule]) -> Vec<Invalid> {
    let kinds = |rule: &RuleView| {
        [
            (rule.expiration.is_some(), "Expiration"),
            (rule.noncurrent.is_some(), "NoncurrentVersionExpiration"),
            (rule.abort_days.is_some(), "AbortIncompleteMultipartUpload"),
            (!rule.transitions.is_empty(), "Transition"),
            (!rule.noncurrent_transitions.is_empty(), "NoncurrentVersionTransition"),
        ]
    };
    let mut found = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        for (earlier, other) in rules[..place].iter().enumerate() {
            let (a, b) = (rule.view(), other.view());
            let shared = kinds(a).into_iter().zip(kinds(b)).find(|(a, b)| a.0 && b.0);
            let is_old = a.form == Form::Prefix && b.form == Form::Prefix;
            if let Some(((_, kind), _)) = shared.filter(|_| is_old)
                && prefixes_meet(&a.filter.prefix, &b.filter.prefix)
            {
                let problem = Problem::Overlap(name(other, earlier), kind);
                found.push(Invalid { rule: Some(name(rule, place)), problem });
            }
        }
    }
    found
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
    if rule.filter.prefix.len() > LONGEST_PREFIX {
        problems.push(Problem::PrefixTooLong);
    }
    let is_legal = |(key, value): &&(String, String)| {
        (1..=LONGEST_TAG.0).contains(&key.chars().count()) && value.chars().count() <= LONGEST_TAG.1
    };
    let illegal = rule.filter.tags.iter().filter(|tag| !is_legal(tag));
    problems.extend(illegal.map(|(key, _)| Problem::TagLength(key.clone())));
    let twice = rule.filter.tags.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    problems.extend(twice.map(|pair| Problem::TagTwice(pair[0].0.clone())));
    let bounds = [rule.filter.size_over, rule.filter.size_under];
    let outside = bounds.into_iter().flatten().filter(|bytes| !(0..=LARGEST).contains(bytes));
    problems.extend(outside.map(Problem::SizeBound));
    // Bounds are exclusive.
    if matches!(bounds, [Some(over), Some(under)] if over >= under) || bounds[1] == Some(0) {
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
        if u8::from(days.is_some()) + u8::from(date.is_some()) + u8::from(*markers) > 1 {
            problems.push(Problem::ExpirationForms);
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
    let expiration = rule.expiration.as_ref();
    let expires = expiration.and_then(|e| e.days.map(When::Days).or(e.date.map(When::Date)));
    let mut units = BTreeSet::new();
    units.extend(expires.map(|when| matches!(when, When::Days(_))));
    for transition in &rule.transitions {
        if transition.when.is_none() {
            problems.push(Problem::Transition);
        }
        units.extend(transition.when.map(|when| matches!(when, When::Days(_))));
        midnight(transition.when, problems);
    }
    if units.len() > 1 {
        problems.push(Problem::MixedUnits);
    }
    let moves = rule.transitions.iter().map(|transition| (transition.when, transition.class.as_str()));
    waterfall("Transition", moves.collect(), expires, problems);
    for transition in &rule.noncurrent_transitions {
        noncurrent_days("NoncurrentVersionTransition", transition.days, problems);
        newer(transition.newer, rule.form, problems);
    }
    let moves = rule.noncurrent_transitions.iter();
    let moves = moves.map(|transition| (transition.days.map(When::Days), transition.class.as_str()));
    let expires = rule.noncurrent.as_ref().and_then(|noncurrent| noncurrent.days).map(When::Days);
    waterfall("NoncurrentVersionTransition", moves.collect(), expires, problems);
}

/// Objects only ever move down, stay a while in each class on the way, and expire after the last.
fn waterfall(
    action: &'static str,
    mut moves: Vec<(Option<When>, &str)>,
    expires: Option<When>,
    problems: &mut Vec<Problem>,
) {
    let mut classes = HashSet::new();
    for (when, class) in &moves {
        let named = || (*class).to_owned();
        if class.is_empty() {
            problems.push(Problem::Transition);
        }
        if NO_TARGETS.contains(class) {
            problems.push(Problem::TransitionUp(named()));
        }
        if !classes.insert(*class) {
            problems.push(Problem::TransitionTwice(named()));
        }
        match (when, expires) {
            // S3 takes day zero in transitions.
            (Some(When::Days(days)), _) if *days < 0 => problems.push(Problem::Days(action, *days)),
            (Some(When::Days(days)), Some(When::Days(end))) if *days >= end => {
                problems.push(Problem::TransitionAfterExpiration(named()));
            }
            (Some(When::Date(date)), Some(When::Date(end))) if *date >= end => {
                problems.push(Problem::TransitionAfterExpiration(named()));
            }
            _ => {}
        }
        let is_infrequent = matches!(*class, "STANDARD_IA" | "ONEZONE_IA");
        if is_infrequent && matches!(when, Some(When::Days(..INFREQUENT_DAYS))) {
            problems.push(Problem::TransitionTooEarly(named()));
        }
    }
    let place = |class: &str| CLASSES.iter().position(|(known, _)| *known == class);
    moves.retain(|(_, class)| place(class).is_some());
    moves.sort_by_key(|(_, class)| place(class));
    for pair in moves.windows(2) {
        let ((first, from), (second, to)) = (pair[0], pair[1]);
        let stay = place(from).map_or(0, |place| CLASSES[place].1);
        let is_too_soon = match (first, second) {
            (Some(When::Days(first)), Some(When::Days(second))) => second < first.saturating_add(stay.max(1)),
            (Some(When::Date(first)), Some(When::Date(second))) => second <= first,
            _ => false,
        };
        if from != to && is_too_soon {
            problems.push(Problem::TransitionOrder(from.to_owned(), to.to_owned()));
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
    // Transitions of noncurrent versions may be at once; `waterfall` looks at their days.
    if action == "NoncurrentVersionExpiration" {
        positive(action, days, problems);
    }
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
