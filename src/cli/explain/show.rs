//! An explanation as text that somebody can read who has never seen a policy.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::super::output::{self, Style};
use super::told::{Told, ToldErasure, ToldHold, ToldNext, ToldRule};
use super::words;
use crate::decide::Verdict;
use crate::text;

/// The whole explanation; days of the policy are those of `zone`.
pub fn text(zone: Tz, told: &Told, style: Style) -> String {
    let mut lines = vec![style.bold(&text::terminal(&told.object)), output::wrap("  ", &describe(told))];
    lines.push(output::wrap("asked for ", &words::instant(told.at)));
    if let Some(why) = &told.untouched {
        lines.push(output::wrap("bucket    ", why));
    }
    lines.push(output::wrap("tenant    ", &text::terminal(&told.tenant_source)));
    lines.extend(elsewhere(&told.rules));
    for one in told.rules.iter().filter(|one| one.why.as_deref() != Some(elsewhere_why())) {
        lines.extend(rule(one));
    }
    lines.extend(erasures(&told.erasures, zone));
    lines.extend(holds(&told.holds, zone));
    lines.extend(conclusion(told, style));
    lines.join("\n")
}

fn describe(told: &Told) -> String {
    let size = told.size.map(|size| format!(", {}", text::bytes(size))).unwrap_or_default();
    let mut words = format!("{}{size}, uploaded {}", told.kind, words::instant(told.uploaded));
    if let Some(superseded) = told.superseded {
        words.push_str(&format!(", superseded {}", words::instant(superseded)));
    }
    words
}

const fn elsewhere_why() -> &'static str {
    words::miss(crate::decide::Miss::Bucket)
}

/// The rules for other buckets, which are no use to the reader one by one.
fn elsewhere(rules: &[ToldRule]) -> Option<String> {
    let ids: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.why.as_deref() == Some(elsewhere_why()))
        .map(|rule| rule.rule.as_str())
        .collect();
    let lead = if ids.len() == 1 { "rule      " } else { "rules     " };
    (!ids.is_empty()).then(|| output::wrap(lead, &format!("{}: for other buckets", ids.join(", "))))
}

fn rule(rule: &ToldRule) -> Vec<String> {
    let how = rule.why.as_deref().unwrap_or("covers it");
    let mut lines = vec![output::wrap("rule      ", &format!("{}: {how}", rule.rule))];
    if !rule.covers {
        return lines;
    }
    if let Some(data) = &rule.data {
        lines.push(output::wrap("          ", &text::terminal(data)));
    }
    let overridden = rule.overridden.iter().map(|over| ("override", over.text.clone()));
    let perhaps = rule.might_apply.iter().map(|over| ("perhaps", format!("another period: {}", over.text)));
    let clock = rule.clock.iter().map(|clock| ("clock", clock.clone()));
    let from = rule.combination.iter().map(|from| ("counts", format!("from {from}")));
    for (lead, words) in overridden.chain(perhaps).chain(clock).chain(from) {
        lines.push(step(lead, &text::terminal(&words)));
    }
    lines.extend(rule.trigger.iter().map(|trigger| step("trigger", &text::terminal(trigger))));
    lines.extend(rule.steps.iter().map(|one| step(&one.step, &one.gives)));
    for law in &rule.laws {
        let may = if law.certain { "keeps" } else { "may keep" };
        let until = law.until.map(|until| format!(" until {}", words::instant(until))).unwrap_or_default();
        let words = format!("{} {may} it from being erased{until}", text::terminal(&law.legal_basis));
        lines.push(step("law", &words));
    }
    lines.extend(rule.lifecycle.iter().map(|words| step("lifecycle", words)));
    lines.extend(rule.direct.iter().map(|words| step("direct", words)));
    lines
}

fn erasures(erasures: &[ToldErasure], zone: Tz) -> Vec<String> {
    let told = |one: &ToldErasure| {
        let may = if one.certain { "" } else { " (may cover it: not everything is known)" };
        let words = format!(
            "{}: {}, requested on {} in {zone}, due {}{may}",
            one.id,
            text::terminal(&one.reason),
            one.requested,
            words::instant(one.due)
        );
        output::wrap("erasure   ", &words)
    };
    erasures.iter().map(told).collect()
}

fn holds(holds: &[ToldHold], zone: Tz) -> Vec<String> {
    if holds.is_empty() {
        return vec!["holds     none".to_owned()];
    }
    let told = |hold: &ToldHold| {
        let may = if hold.certain { "" } else { " (may cover it: not everything is known)" };
        let until = match hold.released {
            Some(day) => format!(", released at the end of {day} in {zone}"),
            None => ", not released".to_owned(),
        };
        let words = format!("{}: {}{until}{may}", hold.id, text::terminal(&hold.reason));
        output::wrap("hold      ", &words)
    };
    holds.iter().map(told).collect()
}

fn conclusion(told: &Told, style: Style) -> Vec<String> {
    let is = |verdict: Verdict| told.decision == verdict.word();
    let word = if is(Verdict::Expired) {
        style.red(told.decision)
    } else if is(Verdict::Retained) {
        style.green(told.decision)
    } else {
        style.yellow(told.decision)
    };
    let reasons = match told.reasons.as_slice() {
        [] => "it depends on what is not known".to_owned(),
        reasons => text::terminal(&reasons.join("; ")).into_owned(),
    };
    let because = format!("{word}: {reasons}");
    let mut lines = vec![output::wrap("decision  ", &because)];
    lines.extend(told.removal.iter().map(|how| output::wrap("          ", how)));
    let mut lead = "to know   ";
    for what in &told.to_know {
        lines.push(output::wrap(lead, &text::terminal(what)));
        lead = "          ";
    }
    // What has expired stays so, whatever day it is.
    if told.next.is_some() || !is(Verdict::Expired) {
        lines.push(output::wrap("next      ", &next(told.next.as_ref())));
    }
    lines
}

fn next(next: Option<&ToldNext>) -> String {
    match next {
        Some(next) => {
            let reasons = text::terminal(&next.reasons.join("; ")).into_owned();
            let because = if reasons.is_empty() { String::new() } else { format!(": {reasons}") };
            format!("on {} it becomes {}{because}", when(next.on), next.becomes)
        }
        None => "no date alone will change this".to_owned(),
    }
}

/// A day that begins at midnight UTC, or an instant.
fn when(at: DateTime<Utc>) -> String {
    if at.time() == NaiveTime::MIN { format!("{} (UTC)", at.format("%Y-%m-%d")) } else { words::instant(at) }
}

fn step(lead: &str, text: &str) -> String {
    output::wrap(&format!("  {:<12}", format!("{lead} ")), text)
}
