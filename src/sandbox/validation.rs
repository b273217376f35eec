//! What S3 refuses in a lifecycle configuration (UG:intro-lifecycle-rules, UG:lifecycle-configuration-examples,
//! UG:lifecycle-transition-general-considerations, and error messages that users report).
//!
//! Elements that are not known here are let through and kept: a rule of tomorrow's S3 is still a rule.

use std::collections::BTreeSet;

use chrono::NaiveTime;

use super::refusal::Refusal;
use super::values::{date, number};
use super::xml::Element;

const MAX_RULES: usize = 1000;
const MAX_ID_CHARS: usize = 255;
/// 50 TB, the largest object.
const MAX_SIZE: u64 = 50 * 1024 * 1024 * 1024 * 1024;

/// What makes a rule do something, and what does not.
const NO_ACTIONS: [&str; 4] = ["ID", "Status", "Filter", "Prefix"];

/// The storage classes that rules can move objects to, each with the days that S3 wants an object to
/// have stayed there before the same rule moves it on, in the order of the waterfall.
const CLASSES: [(&str, u32); 6] = [
    ("STANDARD_IA", 30),
    ("INTELLIGENT_TIERING", 0),
    ("ONEZONE_IA", 30),
    ("GLACIER_IR", 90),
    ("GLACIER", 90),
    ("DEEP_ARCHIVE", 180),
];

/// The place of a storage class in the waterfall: objects only ever move to a higher one.
pub(super) fn class_rank(class: &str) -> usize {
    CLASSES.iter().position(|(name, _)| *name == class).map_or(0, |place| place + 1)
}

/// Refuses a document that S3 would refuse.
pub(super) fn check(document: &Element) -> Result<(), Refusal> {
    let rules: Vec<&Element> = document.all("Rule").collect();
    if document.name != "LifecycleConfiguration" || rules.is_empty() || rules.len() > MAX_RULES {
        return Err(Refusal::malformed_xml());
    }
    // One rule with a top-level Prefix makes the whole configuration one of the first version.
    let first_version = rules.iter().any(|rule| rule.get("Prefix").is_some());
    let mut ids = BTreeSet::new();
    for rule in &rules {
        if first_version && rule.get("Filter").is_some() {
            return Err(Refusal::invalid_request("Filter element can only be used in Lifecycle V2."));
        }
        check_rule(rule)?;
        if let Some(id) = rule.text_of("ID").filter(|id| !id.is_empty())
            && !ids.insert(id)
        {
            return Err(Refusal::invalid_argument(
                "Rule ID must be unique. Found same ID for more than one rule",
            ));
        }
    }
    if first_version { check_overlaps(&rules) } else { Ok(()) }
}

fn check_rule(rule: &Element) -> Result<(), Refusal> {
    if rule.text_of("ID").is_some_and(|id| id.chars().count() > MAX_ID_CHARS) {
        return Err(Refusal::invalid_argument("ID length should not exceed allowed limit of 255"));
    }
    if !matches!(rule.text_of("Status"), Some("Enabled" | "Disabled")) {
        return Err(Refusal::malformed_xml());
    }
    let terms = match (rule.get("Filter"), rule.get("Prefix")) {
        (Some(filter), None) => filter_terms(filter)?,
        (None, Some(prefix)) => vec![prefix],
        _ => return Err(Refusal::malformed_xml()),
    };
    check_terms(&terms)?;
    if rule.children.iter().all(|child| NO_ACTIONS.contains(&child.name.as_str())) {
        return Err(Refusal::invalid_request("At least one action needs to be specified in a rule"));
    }
    let has = |name: &str| terms.iter().any(|term| term.name == name);
    let scope = Scope {
        tags: has("Tag"),
        sizes: has("ObjectSizeGreaterThan") || has("ObjectSizeLessThan"),
        filter: rule.get("Filter").is_some(),
    };
    one_each(rule, &["Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"])?;
    if let Some(expiration) = rule.get("Expiration") {
        check_expiration(expiration, &scope)?;
    }
    if let Some(noncurrent) = rule.get("NoncurrentVersionExpiration") {
        check_noncurrent(noncurrent, "NoncurrentVersionExpiration", &scope)?;
    }
    if let Some(abort) = rule.get("AbortIncompleteMultipartUpload") {
        check_abort(abort, &scope)?;
    }
    for transition in rule.all("NoncurrentVersionTransition") {
        check_class(transition)?;
        check_noncurrent(transition, "NoncurrentVersionTransition", &scope)?;
    }
    check_transitions(rule)
}

/// What a rule's filter looks at.
struct Scope {
    tags: bool,
    sizes: bool,
    filter: bool,
}

/// A filter holds exactly one term or `And`, and `And` two or more; an empty one matches everything.
fn filter_terms(filter: &Element) -> Result<Vec<&Element>, Refusal> {
    match filter.children.as_slice() {
        [] => Ok(Vec::new()),
        [and] if and.name == "And" && and.children.len() >= 2 => Ok(and.children.iter().collect()),
        [term] if term.name != "And" => Ok(vec![term]),
        _ => Err(Refusal::malformed_xml()),
    }
}

fn check_terms(terms: &[&Element]) -> Result<(), Refusal> {
    let of = |name: &'static str| terms.iter().copied().filter(move |term| term.name == name);
    for name in ["Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"] {
        if of(name).count() > 1 {
            return Err(Refusal::malformed_xml());
        }
    }
    if of("Prefix").any(|prefix| prefix.text.len() > 1024) {
        return Err(Refusal::invalid_request("The maximum size of a prefix is 1024."));
    }
    let mut tags = BTreeSet::new();
    for tag in of("Tag") {
        let key = tag.text_of("Key").filter(|key| !key.is_empty()).ok_or_else(Refusal::malformed_xml)?;
        if !tags.insert(key) {
            return Err(Refusal::invalid_request("Duplicate Tag Keys are not allowed."));
        }
    }
    let bound = |name: &'static str| match of(name).next() {
        None => Ok(None),
        Some(term) => match number::<u64>(&term.text) {
            Some(size) if size <= MAX_SIZE => Ok(Some(size)),
            _ => Err(Refusal::invalid_argument(format!("'{name}' is out of bounds"))),
        },
    };
    match (bound("ObjectSizeGreaterThan")?, bound("ObjectSizeLessThan")?) {
        (_, Some(0)) => Err(Refusal::invalid_argument("'ObjectSizeLessThan' is out of bounds")),
        (Some(over), Some(under)) if over >= under => Err(Refusal::invalid_request(
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        )),
        _ => Ok(()),
    }
}

fn one_each(rule: &Element, names: &[&str]) -> Result<(), Refusal> {
    let twice = names.iter().any(|name| rule.all(name).count() > 1);
    if twice { Err(Refusal::malformed_xml()) } else { Ok(()) }
}

fn check_expiration(expiration: &Element, scope: &Scope) -> Result<(), Refusal> {
    let known = ["Days", "Date", "ExpiredObjectDeleteMarker"];
    if known.iter().filter(|name| expiration.get(name).is_some()).count() != 1 {
        return Err(Refusal::malformed_xml());
    }
    match expiration.text_of("ExpiredObjectDeleteMarker") {
        Some(_) if scope.tags => {
            Err(Refusal::invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags."))
        }
        // Reported once, in a document that was at fault otherwise too: taken for forbidden.
        Some(_) if scope.sizes => Err(Refusal::malformed_xml()),
        Some("true" | "false") => Ok(()),
        Some(_) => Err(Refusal::malformed_xml()),
        None => check_when(expiration, "Expiration", 1),
    }
}

fn check_when(action: &Element, name: &str, least_days: u32) -> Result<(), Refusal> {
    if let Some(text) = action.text_of("Date") {
        let at = date(text).ok_or_else(Refusal::malformed_xml)?;
        if at.time() != NaiveTime::MIN {
            return Err(Refusal::invalid_argument("'Date' must be at midnight GMT"));
        }
        return Ok(());
    }
    let days = action.text_of("Days").ok_or_else(Refusal::malformed_xml)?;
    check_days(days, "Days", name, least_days)
}

fn check_days(text: &str, element: &str, action: &str, least: u32) -> Result<(), Refusal> {
    let days = number::<i64>(text).ok_or_else(Refusal::malformed_xml)?;
    if days < i64::from(least) || days > i64::from(i32::MAX) {
        let what = if least == 0 { "nonnegative" } else { "positive" };
        return Err(Refusal::invalid_argument(format!(
            "'{element}' for {action} action must be a {what} integer"
        )));
    }
    Ok(())
}

fn check_noncurrent(action: &Element, name: &str, scope: &Scope) -> Result<(), Refusal> {
    let days = action.text_of("NoncurrentDays").ok_or_else(Refusal::malformed_xml)?;
    let least = u32::from(name == "NoncurrentVersionExpiration");
    check_days(days, "NoncurrentDays", name, least)?;
    let Some(newer) = action.text_of("NewerNoncurrentVersions") else { return Ok(()) };
    if !scope.filter {
        return Err(Refusal::invalid_request(
            "NewerNoncurrentVersions element can only be used in Lifecycle V2.",
        ));
    }
    match number::<i64>(newer) {
        Some(1..=100) => Ok(()),
        Some(_) => Err(Refusal::invalid_argument(format!(
            "'NewerNoncurrentVersions' for {name} action must be a positive integer not greater than 100"
        ))),
        None => Err(Refusal::malformed_xml()),
    }
}

fn check_abort(abort: &Element, scope: &Scope) -> Result<(), Refusal> {
    let with = match scope {
        Scope { tags: true, .. } => "Tags",
        Scope { sizes: true, .. } => "Object Size",
        _ => {
            let days = abort.text_of("DaysAfterInitiation").ok_or_else(Refusal::malformed_xml)?;
            return check_days(days, "DaysAfterInitiation", "AbortIncompleteMultipartUpload", 1);
        }
    };
    Err(Refusal::invalid_request(format!("AbortIncompleteMultipartUpload cannot be specified with {with}.")))
}

fn check_class(transition: &Element) -> Result<usize, Refusal> {
    match class_rank(transition.text_of("StorageClass").ok_or_else(Refusal::malformed_xml)?) {
        0 => Err(Refusal::malformed_xml()),
        rank => Ok(rank),
    }
}

/// Days and dates are not mixed within a rule; each move goes down the waterfall after the minimum stay
/// in the class before; expiry comes last.
fn check_transitions(rule: &Element) -> Result<(), Refusal> {
    let mut moves = Vec::new();
    for transition in rule.all("Transition") {
        let rank = check_class(transition)?;
        check_when(transition, "Transition", 0)?;
        let (class, _) = CLASSES[rank - 1];
        let days = transition.text_of("Days").and_then(number::<u32>);
        if class.ends_with("_IA") && days.is_some_and(|days| days < 30) {
            return Err(Refusal::invalid_argument(format!(
                "'Days' in Transition action must be greater than or equal to 30 for storageClass '{class}'"
            )));
        }
        moves.push((rank, days, transition.text_of("Date").and_then(date)));
    }
    moves.sort_by_key(|(rank, ..)| *rank);
    let expiration =
        rule.get("Expiration").filter(|expiration| expiration.get("ExpiredObjectDeleteMarker").is_none());
    let ends = expiration.map(|expiration| {
        (expiration.text_of("Days").and_then(number::<u32>), expiration.text_of("Date").and_then(date))
    });
    let by_date = moves.iter().map(|(_, _, date)| *date).chain(ends.map(|(_, date)| date));
    let by_date: BTreeSet<bool> = by_date.map(|date| date.is_some()).collect();
    if by_date.len() > 1 {
        return Err(Refusal::invalid_request(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule",
        ));
    }
    for pair in moves.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let (class, stay) = CLASSES[before.0 - 1];
        let too_soon = match (before.1, after.1) {
            (Some(before), Some(after)) => after < before.saturating_add(stay.max(1)),
            _ => after.2 <= before.2,
        };
        if before.0 == after.0 || too_soon {
            return Err(Refusal::invalid_argument(format!(
                "A Transition action after the one to '{class}' must leave the minimum stay of {stay} days"
            )));
        }
    }
    let last = moves.iter().map(|(_, days, date)| (*days, *date)).max();
    match (last, ends) {
        (Some(last), Some(ends)) if ends <= last => {
            Err(Refusal::invalid_argument("The Expiration action must be later than the Transition action"))
        }
        _ => Ok(()),
    }
}

/// In a configuration of the first version, the same action must not reach a key by two rules.
fn check_overlaps(rules: &[&Element]) -> Result<(), Refusal> {
    for (at, rule) in rules.iter().enumerate() {
        for other in &rules[..at] {
            let (one, two) =
                (rule.text_of("Prefix").unwrap_or_default(), other.text_of("Prefix").unwrap_or_default());
            let shared = rule.children.iter().find(|action| {
                !NO_ACTIONS.contains(&action.name.as_str()) && other.get(&action.name).is_some()
            });
            if let Some(action) = shared
                && (one.starts_with(two) || two.starts_with(one))
            {
                return Err(Refusal::invalid_request(format!(
                    "Found overlapping prefixes '{two}' and '{one}' for same action type '{}'",
                    action.name
                )));
            }
        }
    }
    Ok(())
}
