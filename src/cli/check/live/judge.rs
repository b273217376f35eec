//! What the store's answers mean for the policy, as diagnostics.

use chrono::{DateTime, Utc};

use super::coverage::uncovered;
use super::probe::{MOST_PREFIXES, Probed, Read, Told};
use crate::cli::store::store_failure;
use crate::lifecycle::{self, LifecycleDocument};
use crate::object::{BucketFacts, Versioning};
use crate::plan::{self, ProposalError};
use crate::policy::{Code, Diagnostic, Enforce, Policy, ReadPolicy, Rule, Severity};
use crate::s3::{Level, StoreError};
use crate::survey::ENROLMENT_TAG;
use crate::text;

/// How many prefixes without a rule a message names.
const NAMED: usize = 5;

/// What is found out about one policy.
pub struct Judge<'a> {
    read: &'a ReadPolicy,
    now: DateTime<Utc>,
    findings: Vec<Diagnostic>,
}

/// Everything that the answers mean, in the order of buckets.
pub fn findings(read: &ReadPolicy, told: &Told, now: DateTime<Utc>) -> Vec<Diagnostic> {
    let mut judge = Judge { read, now, findings: Vec::new() };
    judge.listing(told);
    for (name, probed) in &told.buckets {
        match probed {
            Ok(probed) => judge.bucket(name, probed),
            Err(error) => judge.closed(name, error),
        }
    }
    judge.rules_without_a_bucket(told);
    for (table, error) in &told.records {
        let failure = store_failure(error);
        let message = format!("the record file of `{table}` cannot be read: {}", failure.message);
        let at = read.place_of_table(table).clone();
        judge.findings.push(Diagnostic {
            code: Code::RecordsClosed,
            severity: Severity::Error,
            at,
            message,
            help: Some("put the file there, or grant s3:GetObject on it".to_owned()),
            related: Vec::new(),
        });
    }
    judge.findings
}

impl<'a> Judge<'a> {
    const fn policy(&self) -> &'a Policy {
        &self.read.policy
    }

    fn rules_of(&self, bucket: &str) -> impl Iterator<Item = (usize, &'a Rule)> {
        self.policy()
            .rules
            .iter()
            .enumerate()
            .filter(move |(_, rule)| rule.select.buckets.iter().any(|pattern| pattern.matches(bucket)))
    }

    /// Records a finding at the first of `rules`; the others are named as well.
    fn add<'r>(
        &mut self,
        (code, severity): (Code, Severity),
        rules: impl IntoIterator<Item = &'r Rule>,
        message: String,
        help: &str,
    ) {
        let places: Vec<_> =
            rules.into_iter().map(|rule| self.read.place_of_rule(&rule.id).clone()).collect();
        let mut places = places.into_iter();
        let at = places.next().unwrap_or_else(|| self.read.place_of_rule("").clone());
        self.findings.push(Diagnostic {
            code,
            severity,
            at,
            message,
            help: Some(help.to_owned()),
            related: places.map(|place| (place, "this rule as well".to_owned())).collect(),
        });
    }

    fn of_bucket(&mut self, code: (Code, Severity), bucket: &str, message: String, help: &str) {
        let rules: Vec<&Rule> = self.rules_of(bucket).map(|(_, rule)| rule).collect();
        self.add(code, rules, message, help);
    }

    fn listing(&mut self, told: &Told) {
        if let Some(error) = &told.listing {
            let policy = self.policy();
            let by_pattern = |rule: &&Rule| rule.select.buckets.iter().any(|pattern| !pattern.is_exact());
            let message =
                format!("buckets cannot be listed, so patterns find none: {}", store_failure(error).message);
            self.add(
                (Code::PermissionMissing, Severity::Error),
                policy.rules.iter().filter(by_pattern),
                message,
                "grant s3:ListAllMyBuckets on *, or name the buckets exactly",
            );
        }
        for (name, tags_were_read) in &told.left_alone {
            let tag = format!("{ENROLMENT_TAG}={}", self.policy().name);
            let why = if *tags_were_read { "does not carry" } else { "does not show whether it carries" };
            let message = format!("bucket {name} {why} the tag {tag}, and is left alone");
            let help = format!("tag the bucket {tag} if the policy is meant for it");
            self.of_bucket((Code::NotEnrolled, Severity::Note), name, message, &help);
        }
    }

    fn closed(&mut self, name: &str, error: &StoreError) {
        let failure = store_failure(error);
        let (code, message) = if error.is_not_found() {
            (Code::BucketNotFound, format!("there is no bucket {name}"))
        } else {
            (Code::BucketClosed, format!("bucket {name} cannot be opened: {}", failure.message))
        };
        let help =
            failure.help.unwrap_or_else(|| "see `shelflife help` for the options of stores".to_owned());
        self.of_bucket((code, Severity::Error), name, message, &help);
    }

    fn rules_without_a_bucket(&mut self, told: &Told) {
        if told.listing.is_some() {
            return;
        }
        for rule in &self.policy().rules {
            let is_his = |name: &String| rule.select.buckets.iter().any(|pattern| pattern.matches(name));
            if !told.buckets.keys().any(is_his) {
                let message = format!("the rule `{}` reaches no bucket", rule.id);
                let help = "name a bucket exactly, or tag one that its pattern matches";
                self.add((Code::NoBucket, Severity::Warning), [rule], message, help);
            }
        }
    }

    fn bucket(&mut self, name: &str, probed: &Probed) {
        match &probed.facts {
            Ok(facts) => {
                self.set_up(name, facts);
                self.lifecycle(name, facts, probed);
            }
            Err(error) => self.unread(name, "versioning and Object Lock", error),
        }
        for (what, answer) in
            [("the list of versions", &probed.versions), ("the list of incomplete uploads", &probed.uploads)]
        {
            if let Err(error) = answer {
                self.unread(name, what, error);
            }
        }
        for (what, read) in [
            ("the metadata of an object", &probed.head),
            ("the tags of an object", &probed.tags),
            ("the lock of an object", &probed.lock),
        ] {
            if let Read::Refused(error) = read {
                self.unread(name, what, error);
            }
        }
        if let Ok(top) = &probed.top {
            self.coverage(name, top);
        }
    }

    fn unread(&mut self, name: &str, what: &str, error: &StoreError) {
        let failure = store_failure(error);
        let message = format!("bucket {name}: {what} cannot be read: {}", failure.message);
        let help = failure.help.unwrap_or_else(|| "see the store's own message".to_owned());
        self.of_bucket((Code::PermissionMissing, Severity::Error), name, message, &help);
    }

    fn set_up(&mut self, name: &str, facts: &BucketFacts) {
        let acting: Vec<&Rule> = self
            .rules_of(name)
            .map(|(_, rule)| rule)
            .filter(|rule| rule.enforce != Enforce::Observe)
            .collect();
        if acting.is_empty() {
            return;
        }
        if facts.mfa_delete {
            let message = format!("bucket {name} has MFA delete, so nothing in it is ever removed");
            let help = "switch MFA delete off, or write `enforce: observe`";
            self.add((Code::MfaDelete, Severity::Error), acting.iter().copied(), message, help);
        }
        if facts.object_lock {
            let message = format!("bucket {name} has Object Lock: what is locked stays until its lock ends");
            let help = "nothing is to be done if the locks are meant";
            self.add((Code::ObjectLock, Severity::Note), acting.iter().copied(), message, help);
        }
        match facts.versioning {
            Versioning::Never => {}
            Versioning::Suspended => {
                let message =
                    format!("versioning of bucket {name} is suspended: older null versions stay for ever");
                let help = "enable versioning again";
                self.add((Code::Suspended, Severity::Warning), acting.iter().copied(), message, help);
            }
            Versioning::Enabled => {
                for rule in acting.iter().filter(|rule| rule.noncurrent.is_none()) {
                    let message = format!(
                        "bucket {name} keeps versions and `{}` has no `noncurrent`: superseded versions stay \
                         until their own date, and S3 is not given the rule",
                        rule.id
                    );
                    let help = "write `noncurrent: {retain: 1 day}` if they can go sooner";
                    self.add((Code::Versioned, Severity::Note), [*rule], message, help);
                }
            }
        }
    }

    fn lifecycle(&mut self, name: &str, facts: &BucketFacts, probed: &Probed) {
        let policy = self.policy();
        let stored = match &probed.lifecycle {
            Ok(stored) => stored.as_ref().map(|stored| stored.xml.as_str()),
            Err(error) => {
                self.unread(name, "the lifecycle configuration", error);
                None
            }
        };
        let compiled = lifecycle::compile(policy, facts, &probed.around, self.now);
        for (rule, reasons) in compiled.refused() {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            let message = format!("in bucket {name} S3 cannot be proved to keep it: {}", why.join("; "));
            let help = "write `enforce: auto` or `enforce: direct`";
            let rules = policy.rules.get(rule);
            self.add((Code::NotProvable, Severity::Error), rules, message, help);
        }
        let Some(stored) = stored else { return };
        if let Ok(document) = LifecycleDocument::read(stored) {
            for found in lifecycle::foreign_conflicts(&document, policy, facts, self.now) {
                let severity = if found.may_be_early { Severity::Warning } else { Severity::Note };
                let message = format!("bucket {name}: {}", text::terminal(&found.to_string()));
                let help = "take that rule away, or make sure that it is meant; Shelflife never touches it";
                self.add(
                    (Code::ForeignRule, severity),
                    found.rule.and_then(|rule| policy.rules.get(rule)),
                    message,
                    help,
                );
            }
        }
        match plan::propose(policy, facts, Some(stored), &probed.around, false, self.now) {
            Ok(_) => {}
            Err(ProposalError::Merge(error)) => {
                let message = format!("bucket {name}: {}", text::terminal(&error.to_string()));
                let help = "`plan --upgrade-v1` rewrites it in the new form";
                self.of_bucket((Code::OldLifecycle, Severity::Warning), name, message, help);
            }
            Err(error @ (ProposalError::Document(_) | ProposalError::Invalid(_))) => {
                let why = crate::cli::exit::Failure::chain(&error);
                let message = format!("bucket {name}: {}", text::terminal(&why));
                let help = "look at it with `aws s3api get-bucket-lifecycle-configuration`";
                self.of_bucket((Code::LifecycleUnclear, Severity::Error), name, message, help);
            }
        }
    }

    fn coverage(&mut self, name: &str, top: &Level) {
        let found = uncovered(self.policy(), name, top);
        if found.is_empty() {
            return;
        }
        let named: Vec<String> = found
            .iter()
            .take(NAMED)
            .map(|start| format!("`{}`", text::fit(&text::terminal(start), 60)))
            .collect();
        let more = match found.len() - named.len() {
            0 => String::new(),
            more => format!(" and {} more", text::count(more as u64)),
        };
        let bound = if top.is_whole {
            String::new()
        } else {
            format!(" (of the first {})", text::count(MOST_PREFIXES as u64))
        };
        let message =
            format!("bucket {name} holds data that no rule covers{bound}: {}{more}", named.join(", "));
        let help = "write a rule for it; with `enforce: observe` it is only reported";
        self.of_bucket((Code::NoRetention, Severity::Warning), name, message, help);
    }
}
