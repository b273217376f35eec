//! Rules among themselves: those that meet, those that never match, those that change nothing.

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use super::pairs::candidates;
use super::sameness::{adds_nothing, same_trigger};
use crate::policy::{Code, Rule, Select, Severity};

/// Finds what rules do to each other.
pub(super) fn rules(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) {
    let read = findings.read;
    let rules = &read.policy.rules;
    let is_dead: Vec<bool> = (0..rules.len()).map(|rule| never_matches(rule, findings, meetings)).collect();
    let selects: Vec<&Select> = rules.iter().map(|rule| &rule.select).collect();
    let mut is_shadowed = vec![false; rules.len()];
    // An override can make the one longer, or the other shorter.
    let mut is_plain = vec![true; rules.len()];
    for over in &read.policy.overrides {
        if let Some(plain) = is_plain.get_mut(over.rule) {
            *plain = false;
        }
    }
    let went_through_all = candidates(&selects, |a, b| {
        if meetings.effort.left == 0 {
            return false;
        }
        // What a rule without effect meets makes no difference.
        let is_idle = |rule: usize| is_dead.get(rule) == Some(&true) || is_shadowed.get(rule) == Some(&true);
        if is_idle(a) || is_idle(b) {
            return true;
        }
        // Whichever stands later in the files is the one to point at.
        let place = |rule: usize| read.layout.rules.get(rule).map(|layout| layout.id);
        let (first, second) = if place(a) < place(b) { (a, b) } else { (b, a) };
        let (Some(one), Some(other)) = (rules.get(first), rules.get(second)) else { return true };
        let meeting = meetings.of(&[&one.select, &other.select], &[]);
        if meeting == Meeting::Apart {
            return true;
        }
        let both_plain = is_plain.get(a) == Some(&true) && is_plain.get(b) == Some(&true);
        let shadow = [(second, other, first, one), (first, one, second, other)]
            .into_iter()
            .filter(|_| both_plain)
            .find(|(_, rule, _, by)| adds_nothing(rule, by) && is_within(&rule.select, &by.select, meetings))
            .map(|(rule, _, by, _)| (rule, by));
        match shadow {
            Some((rule, by)) => {
                if let Some(known) = is_shadowed.get_mut(rule) {
                    *known = true;
                }
                shadowed(rule, by, findings);
            }
            None => overlap(first, second, &meeting, findings),
        }
        true
    });
    if !went_through_all {
        findings
            .warn(Code::Overlap, read.layout.name, "the policy is too large to compare all of its rules")
            .help("rules in other buckets, or under prefixes that exclude each other, need no comparing");
    }
}

/// Whether everything that the one covers is covered by the other.
fn is_within(own: &Select, other: &Select, meetings: &mut Meetings<'_>) -> bool {
    meetings.of(&[own], &[other]) == Meeting::Apart
        && other.except.iter().all(|exception| meetings.of(&[own, exception], &[]) == Meeting::Apart)
}

fn overlap(first: usize, second: usize, meeting: &Meeting, findings: &mut Findings<'_>) {
    let read = findings.read;
    let places = read.layout.rules.get(first).zip(read.layout.rules.get(second));
    let rules = read.policy.rules.get(first).zip(read.policy.rules.get(second));
    let (Some((first_at, second_at)), Some((first, second))) = (places, rules) else { return };
    let message = match meeting {
        Meeting::At(example) => {
            format!("`{}` and `{}` can match the same object: {example}", second.id, first.id)
        }
        _ => format!("`{}` and `{}` may match the same object", second.id, first.id),
    };
    findings
        .warn(Code::Overlap, second_at.id, message)
        .see(first_at.id, "the other rule")
        .help(wins(first, second));
}

/// Which of two rules an object stays for.
fn wins(a: &Rule, b: &Rule) -> String {
    let longer = match (a.retain.can_exceed(b.retain), b.retain.can_exceed(a.retain)) {
        _ if !same_trigger(&a.trigger, &b.trigger) => None,
        (true, false) => Some(a),
        (false, true) => Some(b),
        (false, false) => {
            return format!("it stays until both are due; both say {} from the same date", a.retain);
        }
        (true, true) => None,
    };
    match longer {
        Some(rule) => {
            format!("it stays until the last of them is due: that is `{}`, {}", rule.id, rule.retain)
        }
        None => "it stays until the last of them is due, and which that is depends on the dates".to_owned(),
    }
}

fn never_matches(rule: usize, findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) -> bool {
    let read = findings.read;
    let Some((rule, layout)) = read.policy.rules.get(rule).zip(read.layout.rules.get(rule)) else {
        return false;
    };
    if meetings.of(&[&rule.select], &[]) != Meeting::Apart {
        return false;
    }
    if findings.is_full(Code::NeverMatches, Severity::Warning) {
        findings.warn(Code::NeverMatches, layout.select, "");
        return true;
    }
    let own = &rule.select;
    let bare = Select { except: Vec::new(), ..own.clone() };
    let mut meets = |select: &Select| meetings.of(&[select], &[]) != Meeting::Apart;
    let why = if meets(&bare) {
        "its exceptions take out everything that it selects"
    } else if own.media.is_some() && meets(&Select { media: None, ..bare.clone() }) {
        "no key that it selects has an extension of its `media`"
    } else if own.prefix.is_some() && meets(&Select { prefix: None, ..bare.clone() }) {
        "no key that starts with its `prefix` matches its `key`"
    } else if own.tenants.is_some() && meets(&Select { tenants: None, ..bare.clone() }) {
        "no key that it selects is one of its tenants'"
    } else {
        "its conditions exclude each other"
    };
    findings
        .warn(Code::NeverMatches, layout.select, format!("`{}` can never match: {why}", rule.id))
        .help("what it was meant for has no retention");
    true
}

fn shadowed(rule: usize, by: usize, findings: &mut Findings<'_>) {
    let read = findings.read;
    let places = read.layout.rules.get(rule).zip(read.layout.rules.get(by));
    let rules = read.policy.rules.get(rule).zip(read.policy.rules.get(by));
    let (Some((at, by_at)), Some((rule, by))) = (places, rules) else { return };
    let message = format!(
        "`{}` changes nothing: `{}` matches everything that it matches, and keeps it {} from the same date",
        rule.id, by.id, by.retain
    );
    findings
        .warn(Code::Shadowed, at.id, message)
        .see(by_at.id, "the other rule")
        .help(format!("remove it, or leave its objects out of `{}` with `except`", by.id));
}
