//! `shelflife explain`: why an object is kept or not, step by step, under both engines.

mod engines;
mod reach;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::args::{ExplainArgs, StoreArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs;
use super::output::{self, Style};
use super::store::{clocks, connect, store_failure};
use crate::calendar::{Moment, Period};
use crate::decide::{
    self, Clock, Decision, Finding, Fit, Judgement, Miss, NEVER, Owner, RuleFinding, RuleView, Tenancy,
    Verdict,
};
use crate::lifecycle::{self, Compiled};
use crate::object::{BucketFacts, Observed};
use crate::policy::{Attribute, Policy};
use crate::records::Records;
use crate::s3::Bucket;
use crate::survey::{Enrolled, Enrolment, Survey};
use crate::text;

pub use reach::Reach;

/// Everything that an explanation stands on.
pub struct Explaining<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The bucket.
    pub facts: &'a BucketFacts,
    /// Whether the policy reaches the bucket.
    pub reach: Reach,
    /// The date that is asked about.
    pub now: DateTime<Utc>,
}

/// An object's address.
struct Address {
    bucket: String,
    key: String,
    version_id: Option<String>,
}

/// Explains the object.
pub async fn run(context: &Context, store: &StoreArgs, args: &ExplainArgs) -> Result<Exit, Failure> {
    let address = parse(&args.uri)?;
    let loaded = inputs::load(&args.policy).map_err(|fault| fault.into_failure(context.err))?;
    let store = connect(store, Some(loaded.policy())).await?;
    let bucket = store.bucket(&address.bucket).await.map_err(|error| store_failure(&error))?;
    let facts = bucket.facts().await.map_err(|error| store_failure(&error))?;
    let reach = reach_of(loaded.policy(), &bucket).await?;
    let (now, records_at) = dates(context, args, &bucket, &facts);
    let records = inputs::load_records(&loaded, records_at);
    for fault in &records.faults {
        context.note("records:", fault);
    }
    let survey =
        Survey { policy: loaded.policy(), records: &records.records, bucket, facts: facts.clone(), now };
    let examined = survey.examine(&address.key).await.map_err(|error| store_failure(&error))?;
    let wanted: Vec<Observed<'_>> = examined
        .observed()
        .filter(|found| address.version_id.as_deref().is_none_or(|id| found.version_id == Some(id)))
        .collect();
    if wanted.is_empty() {
        return Err(Failure::failed(format!("{} is not there", text::terminal(&args.uri)))
            .help("look at the key's spelling; keys are case-sensitive"));
    }
    let explaining =
        Explaining { policy: loaded.policy(), records: &records.records, facts: &facts, reach, now };
    if context.json {
        let all: Vec<Value> = wanted.iter().map(|object| explaining.json(object)).collect();
        output::print_json(&Value::from(all));
    } else {
        let all: Vec<String> = wanted.iter().map(|object| explaining.text(object, context.out)).collect();
        output::print(&all.join("\n\n"));
    }
    Ok(Exit::Done)
}

async fn reach_of(policy: &Policy, bucket: &Bucket) -> Result<Reach, Failure> {
    if let Some(reach) = Reach::by_name(policy, bucket.name()) {
        return Ok(reach);
    }
    match bucket.tags().await {
        Ok(tags) => Ok(Reach::by_tags(policy, &tags)),
        Err(error) if error.is_denied() => Ok(Reach::NotEnrolled),
        Err(error) => Err(store_failure(&error)),
    }
}

/// The date to decide for, and the one that record files are as old by: those that a run has.
fn dates(
    context: &Context,
    args: &ExplainArgs,
    bucket: &Bucket,
    facts: &BucketFacts,
) -> (DateTime<Utc>, DateTime<Utc>) {
    if let Some(at) = args.at {
        return (at, at);
    }
    let alone = Enrolled { bucket: bucket.clone(), facts: facts.clone() };
    let enrolment = Enrolment { buckets: [(facts.name.clone(), alone)].into(), left_alone: Vec::new() };
    let clocks = clocks(context, &enrolment, Utc::now());
    (clocks.earlier, clocks.later)
}

fn parse(uri: &str) -> Result<Address, Failure> {
    let wrong = || {
        Failure::usage(format!("{} is no address of an object", text::terminal(uri)))
            .help("write s3://bucket/key, or s3://bucket/key?versionId=…")
    };
    let (bucket, rest) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let (key, version_id) = match rest.rsplit_once("?versionId=") {
        Some((key, id)) => (key, Some(id.to_owned())),
        None => (rest, None),
    };
    if bucket.is_empty() || key.is_empty() {
        return Err(wrong());
    }
    Ok(Address { bucket: bucket.to_owned(), key: key.to_owned(), version_id })
}

impl Explaining<'_> {
    /// The explanation for people.
    pub fn text(&self, object: &Observed<'_>, style: Style) -> String {
        let judgement = decide::explain(self.policy, self.records, object, self.now);
        let compiled = lifecycle::compile(self.policy, self.facts, self.now);
        let mut lines =
            vec![style.bold(&text::terminal(&address(object))), output::wrap("  ", &describe_object(object))];
        if let Some(why) = self.reach.why_untouched(self.policy) {
            lines.push(output::wrap("bucket    ", &why));
        }
        lines.push(output::wrap("tenant    ", &self.tenant(&decide::tenancy(self.policy, object))));
        lines.extend(self.elsewhere(&judgement));
        for view in &judgement.rules {
            lines.extend(self.rule(object, view, &compiled));
        }
        lines.extend(self.holds(&judgement));
        lines.extend(self.conclusion(object, &judgement.decision, &compiled, style));
        lines.join("\n")
    }

    fn tenant(&self, tenancy: &Tenancy<'_>) -> String {
        match tenancy.owner {
            Owner::Is(tenant, place) => {
                let source = self.policy.tenant.get(place).map(describe_attribute).unwrap_or_default();
                format!("{}, from {}", text::terminal(tenant), text::terminal(&source))
            }
            Owner::Nobody => "none: no source that the policy names is present".to_owned(),
            Owner::Anybody => "unknown: a source that the policy names could not be read".to_owned(),
        }
    }

    /// The rules for other buckets, which are no use to the reader one by one.
    fn elsewhere(&self, judgement: &Judgement) -> Option<String> {
        let ids: Vec<&str> = judgement
            .rules
            .iter()
            .filter(|view| view.view == Err(Miss::Bucket))
            .filter_map(|view| Some(self.policy.rules.get(view.rule)?.id.as_str()))
            .collect();
        let lead = if ids.len() == 1 { "rule      " } else { "rules     " };
        (!ids.is_empty()).then(|| output::wrap(lead, &format!("{}: for other buckets", ids.join(", "))))
    }

    fn rule(&self, object: &Observed<'_>, view: &RuleView, compiled: &Compiled) -> Vec<String> {
        let Some(rule) = self.policy.rules.get(view.rule) else {
            return Vec::new();
        };
        let finding = match &view.view {
            Err(Miss::Bucket) => return Vec::new(),
            Err(miss) => {
                return vec![output::wrap("rule      ", &format!("{}: {}", rule.id, describe_miss(*miss)))];
            }
            Ok(finding) => finding,
        };
        let mut lines = vec![output::wrap("rule      ", &format!("{}: covers it", rule.id))];
        let clock = self.describe_clock(finding, rule.retain);
        lines.extend(clock.map(|(lead, text)| step(lead, &text)));
        if !matches!(finding.clock, Clock::HidesVersions | Clock::KeptByNumber) {
            lines.push(step("trigger", &describe_finding(&finding.outlook.finding)));
        }
        lines.extend(self.arithmetic(finding));
        if self.reach == Reach::Enrolled {
            lines.push(step("lifecycle", &engines::under_lifecycle(object, view.rule, compiled)));
            lines.push(step("direct", &engines::under_direct(object, self.facts, rule.enforce, finding)));
        }
        lines
    }

    /// Why it is not simply the rule's period from its trigger.
    fn describe_clock(&self, finding: &RuleFinding, retain: Period) -> Option<(&'static str, String)> {
        match finding.clock {
            Clock::Trigger | Clock::Initiation | Clock::Superseded => None,
            Clock::Override(place) => self.policy.overrides.get(place).map(|o| {
                let agreement = o.agreement.as_ref().map(|a| format!(", agreed in {a}")).unwrap_or_default();
                ("override", format!("{} instead of {}{agreement}", o.retain, retain))
            }),
            Clock::KeptByNumber => Some(("kept", "one of the newest superseded versions".to_owned())),
            Clock::LoneMarker => Some(("marker", "nothing else is left of its key: due at once".to_owned())),
            Clock::HidesVersions => {
                Some(("marker", "it hides versions: it goes once the versions below are gone".to_owned()))
            }
        }
    }

    fn arithmetic(&self, finding: &RuleFinding) -> Vec<String> {
        if finding.period == Period::default() {
            return Vec::new();
        }
        let outlook = &finding.outlook;
        let due = match outlook.due() {
            Some(due) => format!("due {}", day(due)),
            None if outlook.latest == NEVER && outlook.earliest == DateTime::<Utc>::MIN_UTC => {
                "due date unknown".to_owned()
            }
            None if outlook.latest == NEVER && outlook.earliest == NEVER => "not due".to_owned(),
            None if outlook.latest == NEVER => format!("not due before {}", day(outlook.earliest)),
            None => format!("due between {} and {}", day(outlook.earliest), day(outlook.latest)),
        };
        let sum = outlook
            .finding
            .basis()
            .and_then(|basis| basis.moment.plus(finding.period))
            .filter(|sum| Moment::due(*sum, Period::default(), self.policy.timezone) == outlook.due())
            .map(|sum| match sum {
                Moment::Instant(_) => format!("{sum}, "),
                Moment::Civil(_) => format!("the end of {sum} in {}, ", self.policy.timezone),
            })
            .unwrap_or_default();
        let why = if outlook.due().is_some() { " (the next midnight UTC)" } else { "" };
        vec![step(&format!("+ {}", finding.period), &format!("{sum}{due}{why}"))]
    }

    fn holds(&self, judgement: &Judgement) -> Vec<String> {
        if judgement.holds.is_empty() {
            return vec!["holds     none".to_owned()];
        }
        judgement
            .holds
            .iter()
            .filter_map(|(place, fit)| {
                let hold = self.policy.holds.get(*place)?;
                let may = if *fit == Fit::Maybe { " (may fit: its tenant is not known)" } else { "" };
                let until = hold.released.map(|day| format!(", released {day}")).unwrap_or_default();
                let words = format!("{}: {}{until}{may}", hold.id, text::terminal(&hold.reason));
                Some(output::wrap("hold      ", &words))
            })
            .collect()
    }

    fn conclusion(
        &self,
        object: &Observed<'_>,
        decision: &Decision,
        compiled: &Compiled,
        style: Style,
    ) -> Vec<String> {
        let word = decision.verdict.word();
        let word = match decision.verdict {
            Verdict::Expired => style.red(word),
            Verdict::Retained => style.green(word),
            _ => style.yellow(word),
        };
        let reasons: Vec<String> =
            decision.reasons.iter().map(|reason| reason.describe(self.policy)).collect();
        let reasons = text::terminal(&reasons.join("; ")).into_owned();
        let mut lines = vec![output::wrap("decision  ", &format!("{word}: {reasons}"))];
        lines.extend(self.removal(object, decision, compiled).map(|how| output::wrap("          ", &how)));
        lines
    }

    /// Who removes what is expired, in words.
    fn removal(&self, object: &Observed<'_>, decision: &Decision, compiled: &Compiled) -> Option<String> {
        let disposal = engines::disposal(self.policy, self.facts, compiled, object, decision, self.now)?;
        Some(match self.reach {
            Reach::Enrolled => {
                engines::describe_disposal(self.policy, self.facts, object, decision.due, disposal)
            }
            Reach::NotEnrolled | Reach::NoRule => "it stays: nothing is touched in this bucket".to_owned(),
        })
    }

    /// The explanation for machines.
    pub fn json(&self, object: &Observed<'_>) -> Value {
        let judgement = decide::explain(self.policy, self.records, object, self.now);
        let compiled = lifecycle::compile(self.policy, self.facts, self.now);
        let tenancy = decide::tenancy(self.policy, object);
        let is_reached = self.reach == Reach::Enrolled;
        let rules: Vec<Value> = judgement
            .rules
            .iter()
            .filter_map(|view| {
                let rule = self.policy.rules.get(view.rule)?;
                Some(match &view.view {
                    Err(miss) => json!({ "rule": rule.id, "covers": false, "why": describe_miss(*miss) }),
                    Ok(finding) => json!({
                        "rule": rule.id,
                        "covers": true,
                        "clock": self.describe_clock(finding, rule.retain).map(|(_, text)| text),
                        "trigger": describe_finding(&finding.outlook.finding),
                        "period": finding.period.to_string(),
                        "due": finding.outlook.due(),
                        "lifecycle": is_reached.then(|| engines::under_lifecycle(object, view.rule, &compiled)),
                        "direct": is_reached
                            .then(|| engines::under_direct(object, self.facts, rule.enforce, finding)),
                    }),
                })
            })
            .collect();
        let holds: Vec<&str> = judgement
            .holds
            .iter()
            .filter_map(|(place, _)| Some(self.policy.holds.get(*place)?.id.as_str()))
            .collect();
        let reasons: Vec<String> =
            judgement.decision.reasons.iter().map(|reason| reason.describe(self.policy)).collect();
        json!({
            "object": address(object),
            "kind": object.kind.word(),
            "uploaded": object.uploaded,
            "size": object.size,
            "is_latest": object.is_latest,
            "at": self.now,
            "untouched": self.reach.why_untouched(self.policy),
            "tenant": judgement.decision.tenant,
            "tenant_source": self.tenant(&tenancy),
            "rules": rules,
            "holds": holds,
            "decision": judgement.decision.verdict.word(),
            "due": judgement.decision.due,
            "reasons": reasons,
            "removal": self.removal(object, &judgement.decision, &compiled),
        })
    }
}

fn step(lead: &str, text: &str) -> String {
    output::wrap(&format!("  {:<10}", format!("{lead} ")), text)
}

fn address(object: &Observed<'_>) -> String {
    let version = object.version_id.map(|id| format!("?versionId={id}")).unwrap_or_default();
    format!("s3://{}/{}{version}", object.bucket, object.key)
}

fn describe_object(object: &Observed<'_>) -> String {
    let mut text = format!(
        "{}, {}, uploaded {}",
        object.kind.word(),
        text::bytes(object.size),
        object.uploaded.format("%Y-%m-%d %H:%M:%S UTC")
    );
    if let Some(superseded) = object.superseded {
        text.push_str(&format!(", superseded {}", superseded.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    text
}

fn describe_attribute(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Key(pattern) => format!("key {}", pattern.as_str()),
        Attribute::Metadata(name) => format!("metadata {name}"),
        Attribute::Tag(key) => format!("tag {key}"),
    }
}

const fn describe_miss(miss: Miss) -> &'static str {
    match miss {
        Miss::Bucket => "does not cover it: another bucket",
        Miss::Prefix => "does not cover it: the key starts otherwise",
        Miss::Key => "does not cover it: the key does not match the pattern",
        Miss::Tenant => "does not cover it: another tenant",
    }
}

fn describe_finding(finding: &Finding) -> String {
    match finding {
        Finding::Known(basis) if basis.source == "uploaded" => format!("{}, the upload", basis.moment),
        Finding::Known(basis) => format!("{}, from {}", basis.moment, text::terminal(&basis.source)),
        Finding::UploadedInstead(basis) => format!("{}, {}", basis.moment, basis.source),
        Finding::Clamped(basis, why) => {
            format!("{}, {}, for the value itself {why}", basis.moment, basis.source)
        }
        Finding::NotHappened => "has not happened".to_owned(),
        Finding::Unknown(why) => why.to_string(),
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}
