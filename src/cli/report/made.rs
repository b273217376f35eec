//! From logs to a certificate: what they tell, and what whoever reads it must know first.

use chrono::{DateTime, Utc};

use crate::cli::args::{Divided, ReportArgs};
use crate::cli::exit::Failure;
use crate::cli::inputs::Loaded;
use crate::cli::logs::{self, Logs};
use crate::evidence::{self, Body, End, Opening, Outcomes, Told};
use crate::plan::GuardResult;
use crate::report::{
    By, Certificate, Collector, Configured, Grouped, LogFacts, PolicyText, Redaction, Row, RuleFacts, Scope,
};
use crate::text::count;

/// How many logs a note names.
const NAMED: usize = 3;

/// A certificate, and what its items are listed by.
pub struct Made {
    /// The document.
    pub certificate: Certificate,
    /// Whether the items are listed.
    pub lists: bool,
    collector: Collector,
    redaction: Option<Redaction>,
}

impl Made {
    /// Gives each item with the last that is told of it.
    pub fn rows(&self, logs: &Logs, each: &mut dyn FnMut(Row) -> Result<(), Failure>) -> Result<(), Failure> {
        let shows_tenant = self.collector.scope().tenant.is_some();
        tell(logs, |log, told, has_outcome| {
            if has_outcome && self.collector.is_last(log, &told) {
                each(Row::of(&told, self.redaction.as_ref(), shows_tenant))?;
            }
            Ok(())
        })
        .map(drop)
    }
}

/// What the logs tell besides what became of items.
#[derive(Default)]
struct Besides {
    configurations: Vec<Configured>,
    /// The instants of each log's first and last entry.
    spans: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    written_by: Vec<String>,
}

/// Reads all logs, in their order: what each outcome tells, and at a log's end what has no outcome there.
fn tell(
    logs: &Logs,
    mut each: impl FnMut(u32, Told, bool) -> Result<(), Failure>,
) -> Result<Besides, Failure> {
    let mut besides = Besides::default();
    for ((log, checked), number) in logs.all.iter().zip(&logs.checked).zip(0..) {
        let mut outcomes = Outcomes::default();
        let mut span: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        for entry in evidence::entries(log.read(checked.bytes)?) {
            let entry = entry.map_err(|error| log.fault(&error))?;
            span = Some((span.map_or(entry.at, |(first, _)| first), entry.at));
            match &entry.body {
                Body::Opening(opened) => besides.written_by.push(opened.tool_version.clone()),
                Body::ConfigurationOutcome(outcome) => besides.configurations.push(Configured {
                    bucket: outcome.bucket.clone(),
                    at: entry.at,
                    result: format!("{:?}", outcome.result).to_lowercase(),
                }),
                Body::Intent(_)
                | Body::Outcome(_)
                | Body::ConfigurationIntent(_)
                | Body::Resumed(_)
                | Body::Closing(_) => {}
            }
            for told in outcomes.take(entry) {
                each(number, told, true)?;
            }
        }
        besides.spans.extend(span);
        for told in outcomes.into_open() {
            each(number, told, false)?;
        }
    }
    Ok(besides)
}

/// Has `collector` hear all that the logs tell.
fn hear(logs: &Logs, collector: &mut Collector) -> Result<Besides, Failure> {
    tell(logs, |log, told, has_outcome| {
        if has_outcome {
            collector.take(log, &told);
        } else {
            collector.without_outcome(log, &told);
        }
        Ok(())
    })
}

/// Reads the logs and makes the certificate.
pub fn make(
    logs: &Logs,
    report: &ReportArgs,
    policy: Option<&Loaded>,
    redaction: Option<&Redaction>,
    now: DateTime<Utc>,
) -> Result<Made, Failure> {
    let name = one_policy(logs)?;
    if policy.is_some_and(|policy| policy.policy().name != name) {
        return Err(Failure::usage(format!("the logs are of the policy `{name}`, not of the one at hand"))
            .help("name that policy with --policy, or leave it out"));
    }
    let by = match report.by {
        Divided::Tenant => By::Tenant,
        Divided::Rule => By::Rule,
    };
    let mut collector =
        Collector::new(Scope { tenant: report.tenant.clone(), rule: report.rule.clone(), by });
    let mut besides = hear(logs, &mut collector)?;
    if let Some(again) = collector.again() {
        collector = again;
        besides = hear(logs, &mut collector)?;
    }
    let hides_text = redaction.is_some() || report.tenant.is_some();
    let logs_facts = facts(logs, &besides, policy, hides_text);
    let is_that_policy = logs_facts.iter().any(|log| log.is_policy == Some(true));
    let policy = policy.filter(|_| is_that_policy);
    let data = |rule: &str| {
        let rule = policy?.policy().rules.iter().find(|it| it.id == rule)?;
        rule.data.clone()
    };
    let hidden = |tenant: &str| match (redaction, &report.tenant) {
        (Some(redaction), None) => redaction.tenant(tenant),
        _ => tenant.to_owned(),
    };
    let groups = collector.groups().into_iter().map(|(name, tally)| Grouped {
        name: name.map(|name| if by == By::Tenant { hidden(name) } else { name.to_owned() }),
        data: name.filter(|_| by == By::Rule).and_then(data),
        tally: tally.clone(),
    });
    let certificate = Certificate {
        policy: name.to_owned(),
        tenant: report.tenant.clone(),
        rule: report.rule.clone(),
        made: now,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        notes: notes(logs, &logs_facts, &collector, policy.is_some() && hides_text),
        total: collector.total().clone(),
        by: if by == By::Tenant { "tenant" } else { "rule" },
        groups: groups.collect(),
        configurations: besides.configurations,
        logs: logs_facts,
        policy_text: policy.map(|policy| policy_text(policy, hides_text, report.rule.as_deref())),
        redacted: redaction.is_some(),
    };
    Ok(Made { certificate, lists: report.keys, collector, redaction: redaction.cloned() })
}

fn one_policy(logs: &Logs) -> Result<&str, Failure> {
    let names: Vec<&str> = logs.checked.iter().map(|log| log.verified.opening.policy.as_str()).collect();
    match names.iter().find(|name| **name != names[0]) {
        Some(other) => {
            Err(Failure::usage(format!("the logs are of two policies, `{}` and `{other}`", names[0]))
                .help("make a certificate for each"))
        }
        None => Ok(names[0]),
    }
}

fn facts(logs: &Logs, besides: &Besides, policy: Option<&Loaded>, hides_text: bool) -> Vec<LogFacts> {
    let mut all = Vec::new();
    for (place, checked) in logs.checked.iter().enumerate() {
        let verified = &checked.verified;
        let opening = &verified.opening;
        let span = besides.spans.get(place).copied().unwrap_or((opening.as_of, opening.as_of));
        all.push(LogFacts {
            file: logs::file_name(&logs.all[place].name),
            head: verified.head.clone(),
            head_confirmed: verified.head_confirmed,
            entries: verified.entries,
            opened: span.0,
            last: span.1,
            end: match verified.end {
                End::Finished => "finished",
                End::Interrupted => "interrupted",
                End::Open => "not closed",
            },
            unresolved: verified.unresolved.len() as u64,
            follows: logs.follows(place),
            plan_digest: opening.plan_digest.clone(),
            policy_digest: opening.policy_digest.clone(),
            holds_digest: opening.holds_digest.clone(),
            is_policy: policy.map(|policy| policy.policy().digest == opening.policy_digest),
            keep_until: opening.keep_until,
            endpoint: opening.endpoint.clone(),
            guards_accepted: guards_accepted(opening, hides_text),
            tool_version: besides.written_by.get(place).cloned().unwrap_or_default(),
        });
    }
    all
}

/// The guards that were gone beyond; where others are not to be seen, none by a tenant's name.
fn guards_accepted(opening: &Opening, hides_text: bool) -> Vec<String> {
    let shown = |guard: &String| match hides_text && guard.starts_with(GuardResult::OF_TENANT) {
        true => "the guard of one tenant".to_owned(),
        false => guard.clone(),
    };
    opening.guards_accepted.iter().map(shown).collect()
}

/// What whoever reads it must know first.
fn notes(logs: &Logs, facts: &[LogFacts], collector: &Collector, hides_text: bool) -> Vec<String> {
    let mut notes = Vec::new();
    for (place, log) in facts.iter().enumerate() {
        if logs.checked[place].verified.end != End::Finished {
            notes.push(format!(
                "The run of {} is {}: this certifies only what has an outcome in it.",
                log.file, log.end
            ));
        }
        if log.unresolved > 0 {
            notes.push(format!(
                "{} has items without outcome: unless a later log tells of them, whether they are gone is \
                 not known, and they are not counted as deleted.",
                log.file
            ));
        }
    }
    let named = |which: &dyn Fn(&LogFacts) -> bool| {
        let files: Vec<&str> = facts.iter().filter(|log| which(log)).map(|log| log.file.as_str()).collect();
        let named = files.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let others = files.len().saturating_sub(NAMED);
        let others = if others > 0 { format!(" and {others} others") } else { String::new() };
        (!files.is_empty()).then(|| format!("{named}{others}"))
    };
    if let Some(logs) = named(&|log| !log.head_confirmed) {
        notes.push(format!(
            "Not held to a head from elsewhere: {logs}. A log that was cut off or written anew would not show."
        ));
    }
    if let Some(logs) = named(&|log| log.is_policy == Some(false)) {
        notes.push(format!("Written under another version of the policy than the one at hand: {logs}."));
    }
    for gap in logs.gaps() {
        notes.push(format!("There is a gap before {}: a log that it follows is not here.", facts[gap].file));
    }
    let total = collector.total();
    if collector.groups().is_empty() {
        notes.push("The logs tell of nothing that this certificate is about.".to_owned());
    } else if total.first.is_none() {
        notes.push("Nothing was deleted.".to_owned());
    }
    let besides = [
        (
            total.put_back.count,
            "Put back from copies after they were removed, or perhaps",
            "They are not counted as deleted.",
        ),
        (total.made_visible, "Delete markers taken away again, or perhaps", "What they hid can be seen."),
        (
            total.copied.count,
            "Copied to another place before they were to go",
            "The copies stand there until their own time is up.",
        ),
    ];
    for (number, what, so) in besides.into_iter().filter(|(number, ..)| *number > 0) {
        notes.push(format!("{what}: {}. {so}", count(number)));
    }
    if hides_text {
        notes.push(
            "The policy's text is left out, since it can name tenants; its digest stands below.".to_owned(),
        );
    }
    notes
}

fn policy_text(loaded: &Loaded, hides_text: bool, rule: Option<&str>) -> PolicyText {
    let policy = loaded.policy();
    let rules = policy.rules.iter().filter(|it| rule.is_none_or(|rule| it.id == rule));
    let files = loaded.sources.iter().filter(|_| !hides_text);
    PolicyText {
        digest: policy.digest.clone(),
        rules: rules
            .map(|rule| RuleFacts {
                id: rule.id.clone(),
                data: rule.data.clone(),
                retain: rule.retain.to_string(),
            })
            .collect(),
        files: files
            .map(|file| (logs::file_name(&file.path), String::from_utf8_lossy(&file.bytes).into_owned()))
            .collect(),
    }
}
