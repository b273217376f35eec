//! Rules: what they say about how they are carried out must go together.

use super::lengths::Lengths;
use super::own_files;
use super::placed::PlacedRule;
use super::triggers::Triggers;
use crate::policy::codes::Code;
use crate::policy::decode::{RawRule, RawTransition};
use crate::policy::diagnostic::Faults;
use crate::policy::model::{Enforce, Rule, Transition};

/// Storage classes from the warmest to the coldest, as S3 allows moves between them, each with
/// the days that S3 wants an object to stay in it before a rule moves it on (user guide,
/// "Transitioning objects using Amazon S3 Lifecycle").
const WATERFALL: [(&str, u32); 6] = [
    ("STANDARD_IA", 30),
    ("INTELLIGENT_TIERING", 0),
    ("ONEZONE_IA", 30),
    ("GLACIER_IR", 90),
    ("GLACIER", 90),
    ("DEEP_ARCHIVE", 180),
];

/// The fewest days before a move to an infrequent-access class.
const LEAST_DAYS_TO_IA: u32 = 30;

pub(super) fn rule<'r>(
    raw: &'r RawRule,
    triggers: &mut Triggers<'r>,
    lengths: &mut Lengths,
    faults: &mut Faults,
) -> Option<PlacedRule> {
    let trigger = raw.trigger.as_ref().and_then(|trigger| triggers.of_rule(trigger, faults));
    transitions(raw, lengths, faults);
    needs_direct(raw, faults);
    hidden_for_good(raw, faults);
    own_files::not_of_the_same_rule(raw, faults);
    let (id, select) = raw.id.as_ref().zip(raw.select.as_ref())?;
    let retain = raw.retain.as_ref()?;
    let transition = |raw: &RawTransition| Transition { after: raw.after.value, to: raw.to.value.to_owned() };
    let rule = Rule {
        id: id.value.clone(),
        data: raw.data.clone(),
        select: select.select.clone(),
        trigger: trigger?,
        retain: retain.value,
        enforce: raw.enforce.as_ref().map(|enforce| enforce.value).unwrap_or_default(),
        noncurrent: raw.noncurrent.as_ref().map(|noncurrent| noncurrent.value),
        incomplete_uploads: raw.incomplete_uploads,
        transitions: raw.transitions.iter().map(transition).collect(),
        export: raw.export.as_ref().map(|export| export.value.clone()),
        undo_window: raw.undo_window.as_ref().map(|window| window.value),
        evidence_per_object: raw.evidence.is_some(),
        guards: raw.guards.clone(),
    };
    Some(PlacedRule {
        rule,
        at: id.at,
        select_at: select.at,
        trigger_at: raw.trigger_at.unwrap_or(id.at),
        retain_at: retain.at,
        enforce_at: raw.enforce.as_ref().map(|enforce| enforce.at),
        export_at: raw.export.as_ref().map(|export| export.at),
    })
}

fn transitions(raw: &RawRule, lengths: &mut Lengths, faults: &mut Faults) {
    let Some(first) = raw.transitions.first() else { return };
    for (before, after) in raw.transitions.iter().zip(raw.transitions.iter().skip(1)) {
        let days = lengths.days(after.after.value).checked_sub(lengths.days(before.after.value));
        let stay = days_in(before.to.value);
        if !moves(before.to.value, after.to.value) {
            let message = format!("S3 moves nothing from {} to {}", before.to.value, after.to.value);
            faults.add(Code::Transition, after.to.at, message).see(before.to.at, "moved here before");
        }
        if days.is_none_or(|days| days == 0) {
            faults
                .add(Code::Transition, after.after.at, "a transition must come later than the one before it")
                .see(before.after.at, "the one before");
        } else if days < Some(stay) {
            let message = format!("S3 moves nothing on from {} within {stay} days", before.to.value);
            faults.add(Code::Transition, after.after.at, message).see(before.after.at, "the move before");
        }
    }
    for transition in &raw.transitions {
        let days = lengths.days(transition.after.value);
        let is_infrequent = matches!(transition.to.value, "STANDARD_IA" | "ONEZONE_IA");
        if is_infrequent && days < LEAST_DAYS_TO_IA {
            let message =
                format!("S3 moves nothing to {} within {LEAST_DAYS_TO_IA} days", transition.to.value);
            faults.add(Code::Transition, transition.after.at, message);
        }
        if let Some(retain) = &raw.retain
            && days >= lengths.days(retain.value)
        {
            faults
                .add(Code::Transition, transition.after.at, "the objects are gone by then")
                .see(retain.at, "the rule's period");
        }
    }
    let others = [
        raw.enforce
            .as_ref()
            .filter(|enforce| matches!(enforce.value, Enforce::Direct | Enforce::Observe))
            .map(|enforce| (enforce.at, "S3 has no part in this rule")),
        raw.export.as_ref().map(|export| (export.at, "an export makes the rule direct")),
        raw.evidence.as_ref().map(|evidence| (evidence.at, "evidence of each object makes the rule direct")),
    ];
    if let Some((at, why)) = others.into_iter().flatten().next() {
        faults
            .add(Code::Transition, first.to.at, "S3 alone moves objects, and this rule is not S3's")
            .see(at, why);
    }
}

fn needs_direct(raw: &RawRule, faults: &mut Faults) {
    let Some(enforce) = &raw.enforce else { return };
    if !matches!(enforce.value, Enforce::Lifecycle | Enforce::Observe) {
        return;
    }
    let export = raw.export.as_ref().map(|export| (export.at, "`export`"));
    let evidence = raw.evidence.as_ref().map(|evidence| (evidence.at, "`evidence: per-object`"));
    for (at, what) in export.into_iter().chain(evidence) {
        faults
            .add(Code::NeedsDirect, enforce.at, format!("{what} needs Shelflife to delete the objects"))
            .see(at, "asked for here")
            .help("write `enforce: direct`, or leave it out");
    }
}

/// What an undo window hides is the newest superseded version from then on, and so is kept by number.
fn hidden_for_good(raw: &RawRule, faults: &mut Faults) {
    let Some((noncurrent, window)) = raw.noncurrent.as_ref().zip(raw.undo_window.as_ref()) else { return };
    if noncurrent.value.newer_versions > 0 {
        faults
            .add(Code::HiddenForGood, window.at, "what the window hides is kept by number, and never removed")
            .see(noncurrent.at, "the newest superseded versions stay")
            .help("leave out one of the two: `newer-noncurrent-versions` or `undo-window`");
    }
}

/// Whether S3 moves objects from one class to the other.
fn moves(from: &str, to: &str) -> bool {
    let rank = |class: &str| WATERFALL.iter().position(|(known, _)| *known == class);
    // Colder, and yet not one of the moves.
    let is_exception = from == "ONEZONE_IA" && to == "GLACIER_IR";
    rank(to) > rank(from) && !is_exception
}

fn days_in(class: &str) -> u32 {
    WATERFALL.iter().find(|(known, _)| *known == class).map_or(0, |(_, days)| *days)
}
