//! What is true of each bucket under the policy: its set-up, who removes what is due, what can be read.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::coverage::uncovered;
use super::probe::{Probed, Told};
use crate::cli::output::{self, Style};
use crate::lifecycle;
use crate::object::{BucketFacts, Versioning};
use crate::plan;
use crate::policy::{Diagnostic, Policy};
use crate::text;

/// What cannot be tried without changing something.
const NOT_TRIED: &str =
    "deleting objects, aborting uploads and writing lifecycle configurations, because only reads are sent";

/// What the store has told, and what that means.
pub struct Live {
    /// What it means.
    pub findings: Vec<Diagnostic>,
    buckets: Vec<BucketView>,
    left_alone: Vec<String>,
}

struct BucketView {
    name: String,
    /// `None` if it could not be opened.
    open: Option<OpenView>,
}

struct OpenView {
    region: String,
    facts: Option<BucketFacts>,
    /// Rules with their engines, in words.
    engines: Vec<(String, String)>,
    reads: Vec<(&'static str, &'static str)>,
    without_rule: Vec<String>,
    looked_at_all: bool,
}

impl Live {
    /// Puts together what is to be shown.
    pub fn new(policy: &Policy, told: &Told, findings: Vec<Diagnostic>, now: DateTime<Utc>) -> Self {
        let view = |(name, probed): (&String, &Result<Probed, _>)| BucketView {
            name: name.clone(),
            open: probed.as_ref().ok().map(|probed| OpenView::new(policy, name, probed, now)),
        };
        Self {
            findings,
            buckets: told.buckets.iter().map(view).collect(),
            left_alone: told.left_alone.keys().cloned().collect(),
        }
    }

    /// For people.
    pub fn text(&self, style: Style) -> String {
        let mut lines = Vec::new();
        for bucket in &self.buckets {
            let name = style.bold(&text::terminal(&bucket.name));
            let Some(open) = &bucket.open else {
                lines.extend([output::wrap("", &format!("{name}  could not be opened")), String::new()]);
                continue;
            };
            lines.push(output::wrap("", &format!("{name}  {}", open.set_up())));
            let rows = open.engines.iter().map(|(rule, engine)| vec![rule.clone(), engine.clone()]);
            lines.push(output::table(2, &["rule", "engine"], &[], rows.collect()));
            let reads: Vec<String> =
                open.reads.iter().map(|(what, answer)| format!("{what} {answer}")).collect();
            lines.push(output::wrap("  reads: ", &reads.join(", ")));
            lines.push(String::new());
        }
        if !self.left_alone.is_empty() {
            let names: Vec<_> = self.left_alone.iter().map(|name| text::terminal(name)).collect();
            lines.push(output::wrap("left alone: ", &names.join(", ")));
        }
        lines.push(output::wrap("not tried: ", NOT_TRIED));
        lines.join("\n")
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let buckets: Vec<Value> = self.buckets.iter().map(BucketView::json).collect();
        json!({ "buckets": buckets, "left_alone": self.left_alone, "not_tried": NOT_TRIED })
    }
}

impl OpenView {
    fn new(policy: &Policy, name: &str, probed: &Probed, now: DateTime<Utc>) -> Self {
        let facts = probed.facts.as_ref().ok().cloned();
        let engines =
            facts.as_ref().map(|facts| lifecycle::compile(policy, facts, &probed.around, now).engines);
        let engines = engines.unwrap_or_default();
        let of_rule = |engine: &lifecycle::RuleEngine| {
            Some((policy.rules.get(engine.rule)?.id.clone(), plan::describe_engine(&engine.engine)))
        };
        let answer = |works: bool| if works { "ok" } else { "refused" };
        let top = probed.top.as_ref().ok();
        Self {
            region: probed.region.clone(),
            facts,
            engines: engines.iter().filter_map(of_rule).collect(),
            reads: vec![
                ("versioning and locks", answer(probed.facts.is_ok())),
                ("lifecycle", answer(probed.lifecycle.is_ok())),
                ("versions", answer(probed.versions.is_ok())),
                ("uploads", answer(probed.uploads.is_ok())),
                ("metadata", probed.head.word()),
                ("tags", probed.tags.word()),
                ("object locks", probed.lock.word()),
            ],
            without_rule: top
                .map(|top| uncovered(policy, name, top).into_iter().map(str::to_owned).collect())
                .unwrap_or_default(),
            looked_at_all: top.is_some_and(|top| top.is_whole),
        }
    }

    fn set_up(&self) -> String {
        let mut parts = vec![self.region.clone()];
        if let Some(facts) = &self.facts {
            parts.push(versioning(facts.versioning).to_owned());
            parts.extend(facts.mfa_delete.then(|| "MFA delete".to_owned()));
            parts.extend(facts.object_lock.then(|| "Object Lock".to_owned()));
        }
        parts.join(", ")
    }
}

const fn versioning(versioning: Versioning) -> &'static str {
    match versioning {
        Versioning::Never => "no versions",
        Versioning::Enabled => "versions",
        Versioning::Suspended => "versioning suspended",
    }
}

impl BucketView {
    fn json(&self) -> Value {
        let Some(open) = &self.open else {
            return json!({ "bucket": self.name, "open": false });
        };
        let engines: Vec<Value> =
            open.engines.iter().map(|(rule, engine)| json!({ "rule": rule, "engine": engine })).collect();
        let reads: serde_json::Map<String, Value> =
            open.reads.iter().map(|(what, answer)| (what.replace(' ', "_"), (*answer).into())).collect();
        let facts = open.facts.as_ref();
        json!({
            "bucket": self.name,
            "open": true,
            "region": open.region,
            "versioning": facts.map(|facts| versioning(facts.versioning)),
            "mfa_delete": facts.map(|facts| facts.mfa_delete),
            "object_lock": facts.map(|facts| facts.object_lock),
            "engines": engines,
            "reads": reads,
            "without_rule": open.without_rule,
            "looked_at_all": open.looked_at_all,
        })
    }
}
