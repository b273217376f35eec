//! One test case: what was decided on each date, beside what was expected.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::super::exit::Failure;
use super::tables::Given;
use crate::decide::{self, Judgement, Verdict};
use crate::policy::{Case, Enforce, Expectation, Place, Policy};
use crate::text;

/// What came of one case.
pub struct Outcome {
    pub name: String,
    pub at: Place,
    pub checks: Vec<Check>,
    /// The rules under which the object was expired on some date.
    pub expired_rules: BTreeSet<String>,
}

impl Outcome {
    /// Whether all was as expected.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.differences.is_empty())
    }
}

/// One date of a case.
pub struct Check {
    /// The date as it was written.
    pub date: String,
    pub at: Place,
    pub found: Found,
    pub differences: Vec<Difference>,
}

/// What was found on a date.
pub struct Found {
    /// A verdict's word, or `observed`.
    pub decision: &'static str,
    pub due: Option<DateTime<Utc>>,
    /// The one that keeps it longest first.
    pub rules: Vec<String>,
    pub holds: Vec<String>,
    pub erasures: Vec<String>,
    pub tenant: Option<String>,
    pub reasons: Vec<String>,
}

/// Something that is not as expected.
pub struct Difference {
    /// What, as its key is called.
    pub what: &'static str,
    pub expected: String,
    pub found: String,
}

/// Decides the case on all of its dates.
pub fn judge(case: &Case) -> Result<Outcome, Failure> {
    let mut outcome = Outcome {
        name: case.name.clone(),
        at: case.at.clone(),
        checks: Vec::new(),
        expired_rules: BTreeSet::new(),
    };
    let mut given = Given::of(case)?;
    let object = case.object.observed();
    let tenancy = decide::tenancy(&case.policy, &object);
    let tenancy = match &case.object.tenant {
        Some(tenant) => tenancy.said_to_be(tenant),
        None => tenancy,
    };
    for expected in &case.expectations {
        let records = given.at(expected.on);
        let judgement = decide::explain_as(&case.policy, &records, &object, &tenancy, expected.on);
        let found = Found::of(&case.policy, &judgement);
        if judgement.decision.verdict == Verdict::Expired {
            outcome.expired_rules.extend(found.rules.iter().cloned());
        }
        let differences = differences(expected, &found);
        let at = expected.at.clone();
        outcome.checks.push(Check { date: expected.written.clone(), at, found, differences });
    }
    Ok(outcome)
}

impl Found {
    fn of(policy: &Policy, judgement: &Judgement) -> Self {
        let decision = &judgement.decision;
        let id = |index: &usize| policy.rules.get(*index).map(|rule| rule.id.clone());
        let mut rules: Vec<String> = decision.rules.iter().filter_map(id).collect();
        if decision.verdict != Verdict::Expired {
            // Of what may cover it a decision does not always speak.
            let covering = judgement.rules.iter().filter(|view| view.view.is_ok());
            for id in covering.filter_map(|view| id(&view.rule)) {
                if !rules.contains(&id) {
                    rules.push(id);
                }
            }
        }
        let holds =
            judgement.holds.iter().filter_map(|(index, _)| Some(policy.holds.get(*index)?.id.clone()));
        let erasures =
            judgement.erasures.iter().filter_map(|(index, _)| Some(policy.erasures.get(*index)?.id.clone()));
        let mut reasons: Vec<String> =
            decision.reasons.iter().map(|reason| reason.describe(policy)).collect();
        reasons.extend(decide_by(judgement));
        Self {
            decision: if is_observed(policy, judgement) { "observed" } else { decision.verdict.word() },
            due: decision.due,
            rules,
            holds: holds.collect(),
            erasures: erasures.collect(),
            tenant: decision.tenant.as_deref().map(str::to_owned),
            reasons,
        }
    }
}

/// Whether it is expired, and nothing is ever touched.
fn is_observed(policy: &Policy, judgement: &Judgement) -> bool {
    let decision = &judgement.decision;
    let enforce = |rule: &usize| policy.rules.get(*rule).map(|rule| rule.enforce);
    decision.verdict == Verdict::Expired
        && !decision.rules.is_empty()
        && decision.rules.iter().all(|rule| enforce(rule) == Some(Enforce::Observe))
}

/// What the test would have to give for more to be decided.
fn decide_by(judgement: &Judgement) -> Option<String> {
    let needs = judgement.needs;
    let wanted: Vec<&str> = [
        (needs.head, "its metadata and content type"),
        (needs.tags, "its tags"),
        (needs.lock, "its Object Lock state"),
    ]
    .into_iter()
    .filter_map(|(is_needed, what)| is_needed.then_some(what))
    .collect();
    (!wanted.is_empty()).then(|| format!("{} would have to be known", wanted.join(" and ")))
}

fn differences(expected: &Expectation, found: &Found) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut differ = |what, expected: String, found: String| all.push(Difference { what, expected, found });
    let fits = expected.decision == found.decision
        || (expected.decision == "expired" && found.decision == "observed");
    if !fits {
        differ("decision", expected.decision.to_owned(), found.decision.to_owned());
    }
    if let Some(due) = expected.due
        && due != found.due
    {
        differ("due", date(due), date(found.due) + &distance(due, found.due));
    }
    if let Some(rule) = &expected.rule
        && found.rules.first() != Some(rule)
    {
        differ("rule", rule.clone(), found.rules.first().cloned().unwrap_or_else(|| "none".to_owned()));
    }
    let sets = [
        ("rules", &expected.rules, &found.rules),
        ("holds", &expected.holds, &found.holds),
        ("erasures", &expected.erasures, &found.erasures),
    ];
    for (what, expected, found) in sets {
        let Some(expected) = expected else { continue };
        let mut sorted = found.clone();
        sorted.sort();
        if *expected != sorted {
            differ(what, list(expected), list(&sorted));
        }
    }
    if let Some(tenant) = &expected.tenant
        && *tenant != found.tenant
    {
        let name = |tenant: &Option<String>| {
            tenant.as_ref().map_or_else(|| "none".to_owned(), |tenant| text::terminal(tenant).into_owned())
        };
        differ("tenant", name(tenant), name(&found.tenant));
    }
    for reason in &expected.reasons {
        if !found.reasons.iter().any(|found| found.contains(reason.as_str())) {
            differ("reason", text::terminal(reason).into_owned(), list(&found.reasons));
        }
    }
    all
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() { "none".to_owned() } else { text::terminal(&texts.join(", ")).into_owned() }
}

fn date(date: Option<DateTime<Utc>>) -> String {
    date.map_or_else(|| "none".to_owned(), |date| date.format("%Y-%m-%d").to_string())
}

fn distance(expected: Option<DateTime<Utc>>, found: Option<DateTime<Utc>>) -> String {
    let Some(days) = expected.zip(found).map(|(expected, found)| (found - expected).num_days()) else {
        return String::new();
    };
    let word = if days > 0 { "later" } else { "earlier" };
    let plural = if days.abs() == 1 { "" } else { "s" };
    format!(", {} day{plural} {word}", days.abs())
}
