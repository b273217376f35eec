//! Whether a store kept what was written: rule by rule, by meaning.
//!
//! Stores have been seen to drop a tag or a size filter silently, and then to remove every
//! object in the bucket. So what was written is read back, and only the same meaning will do:
//! an `And` of one member, a rule order or a spelled-out default may differ, nothing else.

use std::collections::BTreeSet;
use std::fmt;

use super::document::{DocumentRule, LifecycleDocument};

/// One way in which a configuration that was read back differs from what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A rule is gone.
    Missing {
        /// Its id, or empty.
        id: String,
        /// What it should do.
        expected: String,
    },
    /// A rule is there that nobody wrote.
    Unexpected {
        /// Its id, or empty.
        id: String,
        /// What it does.
        found: String,
    },
    /// A rule says something else.
    Changed {
        /// Its id.
        id: String,
        /// What it should do.
        expected: String,
        /// What it does.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { id, expected } => write!(f, "the rule {id:?} is gone: {expected}"),
            Self::Unexpected { id, found } => {
                write!(f, "there is a rule {id:?} that was not written: {found}")
            }
            Self::Changed { id, expected, found } => {
                write!(f, "the rule {id:?} was written as: {expected}; it reads back as: {found}")
            }
        }
    }
}

/// Whether `read_back` means what `expected` does. Rules are paired by id, those without one by
/// what they say, for a store gives ids to them.
///
/// # Errors
///
/// Every difference, in the order of `expected` and then of `read_back`.
pub fn same_meaning(
    expected: &LifecycleDocument,
    read_back: &LifecycleDocument,
) -> Result<(), Vec<Difference>> {
    let mut differences = Vec::new();
    let mut left: Vec<&DocumentRule> = read_back.rules().iter().collect();
    let (named, nameless): (Vec<_>, Vec<_>) =
        expected.rules().iter().partition(|rule| rule.view().id.is_some());
    for rule in named {
        // Where a store holds an id twice, the one that says the same is the one.
        let same = left.iter().position(|found| found.id() == rule.id() && says_the_same(rule, found));
        if let Some(place) = same {
            left.remove(place);
        } else if let Some(place) = left.iter().position(|found| found.id() == rule.id()) {
            let found = left.remove(place);
            let (expected, found) = words(rule, found);
            differences.push(Difference::Changed { id: rule.id().to_owned(), expected, found });
        } else {
            let expected = rule.view().to_string();
            differences.push(Difference::Missing { id: rule.id().to_owned(), expected });
        }
    }
    for rule in nameless {
        match left.iter().position(|found| says_the_same(rule, found)) {
            Some(place) => {
                left.remove(place);
            }
            None => {
                differences.push(Difference::Missing { id: String::new(), expected: rule.view().to_string() })
            }
        }
    }
    differences.extend(
        left.into_iter().map(|found| Difference::Unexpected {
            id: found.id().to_owned(),
            found: found.view().to_string(),
        }),
    );
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// The ids of the rules of the policy `policy_name` in `written` that a store shows otherwise, if
/// nothing else differs: the rules of others are there, and none that was not written.
pub fn altered(
    written: &LifecycleDocument,
    shown: Option<&LifecycleDocument>,
    policy_name: &str,
) -> Option<BTreeSet<String>> {
    let is_ours = |rule: &&DocumentRule| rule.policy_rule(policy_name).is_some();
    let parts = |document: &LifecycleDocument| -> (Vec<DocumentRule>, Vec<DocumentRule>) {
        document.rules().iter().cloned().partition(|rule| is_ours(&rule))
    };
    let (ours, others) = parts(written);
    let (shown_ours, mut shown_others) = shown.map(parts).unwrap_or_default();
    shown_others.retain(|rule| !is_renamed(rule, &ours, &others));
    let is_known = |found: &DocumentRule| ours.iter().any(|rule| rule.id() == found.id());
    let others_kept = same_meaning(&written.with_rules(others), &written.with_rules(shown_others)).is_ok();
    if !others_kept || !shown_ours.iter().all(is_known) {
        return None;
    }
    let is_kept = |rule: &DocumentRule| {
        let found: Vec<_> = shown_ours.iter().filter(|found| found.id() == rule.id()).collect();
        matches!(found.as_slice(), [found] if says_the_same(rule, found))
    };
    let altered: BTreeSet<String> =
        ours.iter().filter(|rule| !is_kept(rule)).map(|rule| rule.id().to_owned()).collect();
    (!altered.is_empty()).then_some(altered)
}

/// Whether a rule that bears no id of the policy's is one of `ours` all the same, under another: it
/// says what one of them does, and none of the `others` that were there says it.
pub(super) fn is_renamed(rule: &DocumentRule, ours: &[DocumentRule], others: &[DocumentRule]) -> bool {
    let says = |rules: &[DocumentRule]| rules.iter().any(|other| other.view().same_content(rule.view()));
    says(ours) && !says(others)
}

fn says_the_same(a: &DocumentRule, b: &DocumentRule) -> bool {
    a.view().status == b.view().status && a.view().same_content(b.view())
}

/// Both in plain words; where those are the same, with what is not understood of each.
fn words(expected: &DocumentRule, found: &DocumentRule) -> (String, String) {
    let plain = (expected.view().to_string(), found.view().to_string());
    if plain.0 != plain.1 {
        return plain;
    }
    let details = |rule: &DocumentRule| {
        let view = rule.view();
        format!("{view}, {}", [view.unknown.as_slice(), view.faults.as_slice()].concat().join(", "))
    };
    (details(expected), details(found))
}
