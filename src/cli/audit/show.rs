//! An audit for people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::output::{self, Style};
use super::audited::Audited;
use crate::audit::{Asked, Early, EarlyRule, LATE_STEPS, Late, LateRule, NoRule, Remover};
use crate::decide::Verdict;
use crate::plan::Tally;
use crate::text;

/// Prints the audit.
pub fn show(style: Style, audited: &Audited<'_>) {
    let Audited { ready, findings, .. } = audited;
    let policy = ready.loaded.policy();
    let as_of = ready.now.format("%Y-%m-%d %H:%M UTC");
    output::print(&style.bold(&format!("audit of {} as of {as_of}", policy.name)));
    for name in ready.enrolment.buckets.keys() {
        output::print("");
        output::print(&style.bold(name));
        bucket(style, audited, name);
    }
    output::print("");
    asked(style, &audited.asked);
    if let Some(reads) = audited.reads.words() {
        output::print(&output::wrap("reads   ", &reads));
    }
    output::print("");
    if findings.is_kept() {
        output::print(&style.green("the notice is kept"));
    } else {
        output::print(&output::wrap(
            &format!("{} ", style.red("the notice is not kept:")),
            &breaches(audited),
        ));
    }
    for (lead, next) in next_steps(audited) {
        let next = if lead == RUN { style.bold(&next) } else { next };
        output::print(&output::wrap(&format!("{lead:<8}"), &next));
    }
}

fn bucket(style: Style, audited: &Audited<'_>, name: &str) {
    let findings = &audited.findings;
    let is_here = |rule: &&LateRule| rule.bucket == name;
    late(&style.red("  overdue"), &findings.overdue, name, true);
    let tolerance = audited.ready.loaded.policy().tolerance_days;
    late(&format!("  due, and within the tolerance of {tolerance} days"), &findings.waiting, name, false);
    late("  due under rules that are only observed", &findings.observed, name, true);
    for (rule, early) in findings.early.iter().filter(|(rule, _)| rule.bucket == name) {
        self::early(style, rule, early, audited.ready.now);
    }
    for (kept, tally) in findings.kept.iter().filter(|(kept, _)| kept.bucket == name) {
        let lead = format!("  {}, {}: ", kept.verdict.word(), amount(*tally));
        output::print(&output::wrap(&lead, &text::terminal(&kept.why)));
    }
    if let Some(tally) = findings.retained.get(name) {
        output::print(&format!("  not due yet: {}", amount(*tally)));
    }
    if let Some(tally) = findings.lone_markers.get(name) {
        let markers = text::count(tally.objects);
        output::print(&format!("  delete markers that are all that is left of their key: {markers}"));
    }
    if let Some(found) = findings.no_rule.get(name) {
        no_rule(style, found);
    }
    let mut unset = findings.unset.iter().filter(|unset| unset.bucket == name).peekable();
    if unset.peek().is_some() {
        output::print(&style.yellow("  S3 is not set up as the policy says:"));
    }
    for unset in unset {
        let words = format!("{} is to be {}", text::terminal(&unset.id), unset.change);
        output::print(&output::wrap("    lifecycle rule ", &words));
        for (sign, words) in [("-", &unset.now), ("+", &unset.wanted)] {
            if let Some(words) = words {
                output::print(&output::wrap(&format!("      {sign} "), &text::terminal(words)));
            }
        }
    }
    let is_empty = !findings.retained.contains_key(name)
        && !findings.no_rule.contains_key(name)
        && !findings.kept.keys().any(|kept| kept.bucket == name)
        && [&findings.overdue, &findings.waiting, &findings.observed]
            .iter()
            .all(|found| !found.keys().any(|rule| is_here(&rule)));
    if is_empty {
        output::print(&style.dim("  nothing there that is to stay or to go"));
    }
}

fn late(title: &str, found: &BTreeMap<LateRule, Late>, bucket: &str, has_details: bool) {
    let here: Vec<(&LateRule, &Late)> = found.iter().filter(|(rule, _)| rule.bucket == bucket).collect();
    if here.is_empty() {
        return;
    }
    output::print(title);
    let rows = here
        .iter()
        .map(|(rule, late)| {
            vec![
                label(rule),
                rule.remover.words().to_owned(),
                text::count(late.tally.objects),
                text::bytes(late.tally.bytes),
                late.tally.oldest_due.map(day).unwrap_or_default(),
                days(late.longest.num_days()),
            ]
        })
        .collect();
    let header = ["rule", "removed by", "objects", "bytes", "oldest due", "late"];
    output::print(&output::table(4, &header, &[2, 3, 5], rows));
    for (rule, late) in here.into_iter().filter(|_| has_details) {
        let mut steps: Vec<String> = LATE_STEPS
            .iter()
            .zip(late.steps)
            .filter(|(_, count)| *count > 0)
            .map(|(days, count)| format!("{} up to {days} days late", text::count(count)))
            .collect();
        let [.., longest] = LATE_STEPS;
        if let Some(more) = late.steps.last().filter(|more| **more > 0) {
            steps.push(format!("{} more than {longest} days late", text::count(*more)));
        }
        let words = format!("{}; the latest is {}", steps.join(", "), text::terminal(&late.example));
        output::print(&output::wrap(&format!("    {}: ", label(rule)), &words));
    }
}

fn label(rule: &LateRule) -> String {
    match (&rule.erasure, &rule.rule) {
        (Some(erasure), _) => format!("erasure {erasure}"),
        (None, Some(rule)) => rule.clone(),
        (None, None) => "–".to_owned(),
    }
}

fn early(style: Style, rule: &EarlyRule, early: &Early, now: DateTime<Utc>) {
    let whose = if rule.is_ours { "the policy's own" } else { "not the policy's" };
    let id = text::terminal(&rule.lifecycle_rule);
    let does = if rule.is_certain {
        rule.effect.word().to_owned()
    } else {
        format!("perhaps {}", rule.effect.word())
    };
    let who = if rule.by_store { "the store says that " } else { "" };
    let what = format!(
        "{who}lifecycle rule \"{id}\" ({whose}) {does} {}, {}",
        amount(early.tally),
        match rule.verdict {
            Verdict::Retained => "not due by then",
            Verdict::Held => "held",
            Verdict::Locked => "locked",
            _ => "not known to be due by then",
        }
    );
    let lead = match (rule.is_breach(), rule.is_observed, rule.verdict) {
        (true, ..) => style.red("early:"),
        (false, true, _) => style.dim("early, under rules that are only observed:"),
        (false, false, Verdict::Locked) => style.dim("note:"),
        (false, false, _) => style.yellow("perhaps early:"),
    };
    output::print(&output::wrap(&format!("  {lead} "), &what));
    let example = &early.example;
    let version = example.version_id.as_ref().map(|id| format!(", version {id}")).unwrap_or_default();
    let due = example.due.map(|due| format!("; due {}", day(due))).unwrap_or_default();
    let when = match example.when {
        when if when <= now => format!("at any moment since {}", day(when)),
        when => format!("from {} on", day(when)),
    };
    let first = format!("{}{version}: {when}{due}; {}", example.key, example.why);
    output::print(&output::wrap("    first ", &text::terminal(&first)));
}

fn no_rule(style: Style, found: &NoRule) {
    output::print(&format!("  {} {}", style.yellow("no rule covers"), amount(found.total())));
    let (largest, other_prefixes, others) = found.largest();
    let row = |name: String, tally: &Tally| vec![name, text::count(tally.objects), text::bytes(tally.bytes)];
    let mut rows: Vec<Vec<String>> = largest
        .iter()
        .map(|(prefix, tally)| {
            let name = if prefix.is_empty() {
                "(no slash in the key)".to_owned()
            } else {
                text::terminal(prefix).into_owned()
            };
            row(text::fit(&name, 40).into_owned(), tally)
        })
        .collect();
    if other_prefixes > 0 {
        rows.push(row(format!("{} other prefixes", text::count(other_prefixes)), &others));
    }
    output::print(&output::table(4, &["prefix", "objects", "bytes"], &[1, 2], rows));
}

fn asked(style: Style, asked: &Asked) {
    let mut answers = vec![format!("{} objects were asked about", text::count(asked.answered))];
    for (count, words) in [
        (asked.agree, "foretold as we read the configuration"),
        (asked.none, "under no rule, as we read it"),
        (asked.unclear, "not certain enough to compare"),
        (asked.changed, "gone or written anew meanwhile"),
    ] {
        if count > 0 {
            answers.push(format!("{} {words}", text::count(count)));
        }
    }
    output::print(&output::wrap("store   ", &answers.join(", ")));
    if let (count @ 1.., Some(why)) = &asked.failed {
        let words = format!("{} could not be asked about: {}", text::count(*count), text::terminal(why));
        output::print(&output::wrap(&format!("        {} ", style.yellow("note:")), &words));
    }
    if asked.is_never_sent() {
        let words = "this store does not send x-amz-expiration, so it cannot be asked when S3 would act";
        output::print(&output::wrap(&format!("        {} ", style.dim("note:")), words));
    }
    for ([bucket, word, ours, theirs], (count, key, difference)) in &asked.differences {
        if word == "missing" && asked.is_never_sent() {
            continue;
        }
        let rule = |id: &str, found: Option<&crate::audit::Forecast>| match found {
            Some(found) => format!("{} by \"{id}\"", day(found.date)),
            None if word == "unreadable" => "something that cannot be read".to_owned(),
            None => "no rule".to_owned(),
        };
        let words = format!(
            "of {} in {bucket} the store foretells {}, and we read {} (first: {key})",
            objects(*count),
            rule(theirs, difference.theirs()),
            if word == "unreadable" { "it differently".to_owned() } else { rule(ours, difference.ours()) },
        );
        output::print(&output::wrap(
            &format!("        {} ", style.yellow("differs:")),
            &text::terminal(&words),
        ));
    }
    if asked.more_differences > 0 {
        output::print(&format!("        {} more differences", text::count(asked.more_differences)));
    }
    for ((bucket, status), stalled) in &asked.stalled {
        let overdue = if stalled.overdue > 0 {
            format!(", {} of them overdue", text::count(stalled.overdue))
        } else {
            String::new()
        };
        let words = format!(
            "{} of those in {bucket} have the replication status {status}{overdue}: S3 Lifecycle leaves them \
             alone until they are replicated (first: {})",
            objects(stalled.objects),
            stalled.example
        );
        output::print(&output::wrap(
            &format!("        {} ", style.yellow("replication:")),
            &text::terminal(&words),
        ));
    }
}

/// What breaks the promise, in a line.
fn breaches(audited: &Audited<'_>) -> String {
    let findings = &audited.findings;
    let overdue = findings.overdue.values().fold(Tally::default(), |mut sum, late| {
        sum.merge(late.tally);
        sum
    });
    let early = findings.early_total;
    let mut parts = Vec::new();
    if overdue.objects > 0 {
        parts.push(format!("{} overdue", amount(overdue)));
    }
    if early.objects > 0 {
        parts.push(format!("{} that S3 would remove or hide early", amount(early)));
    }
    parts.join("; ")
}

const RUN: &str = "next";

/// What to do about it, with a word before each.
fn next_steps(audited: &Audited<'_>) -> Vec<(&'static str, String)> {
    let findings = &audited.findings;
    let breaching = || findings.early.keys().filter(|rule| rule.is_breach());
    let mut steps = Vec::new();
    let mut foreign: Vec<String> = breaching()
        .filter(|rule| !rule.is_ours)
        .map(|rule| format!("\"{}\" in {}", text::terminal(&rule.lifecycle_rule), rule.bucket))
        .collect();
    foreign.dedup();
    if !foreign.is_empty() {
        let rules = foreign.join(", ");
        steps.push((
            "at once",
            format!("disable or narrow lifecycle rule {rules}: Shelflife never touches it"),
        ));
    }
    let is_stuck = findings.overdue.keys().any(|rule| matches!(rule.remover, Remover::Nobody(_)));
    if is_stuck {
        steps.push((
            "note",
            "what nobody removes stays until its bucket is changed; `explain` says more".to_owned(),
        ));
    }
    let is_mended_by_run = breaching().any(|rule| rule.is_ours)
        || !findings.unset.is_empty()
        || findings.overdue.keys().any(|rule| !matches!(rule.remover, Remover::Nobody(_)));
    if is_mended_by_run {
        steps.push((RUN, audited.reconcile.clone()));
    }
    steps
}

fn amount(tally: Tally) -> String {
    format!("{}, {}", objects(tally.objects), text::bytes(tally.bytes))
}

fn objects(count: u64) -> String {
    format!("{} object{}", text::count(count), if count == 1 { "" } else { "s" })
}

fn days(count: i64) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}
