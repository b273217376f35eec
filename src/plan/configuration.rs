//! What is to become of a bucket's lifecycle configuration.

use std::mem::{Discriminant, discriminant};

use chrono::{DateTime, Utc};

use super::header::{BucketPlan, LifecycleChange};
use crate::lifecycle::{
    self, Compiled, DocumentError, Engine, ForeignConflict, Invalid, LifecycleDocument, LifecycleTerms,
    Merge, MergeError, Problem, Surroundings, Target,
};
use crate::object::{BucketFacts, Versioning};
use crate::policy::{Enforce, Policy};

/// A configuration as it is and as it is to be.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// What bears on that in the bucket.
    pub around: Surroundings,
    /// Which rules S3 can keep.
    pub compiled: Compiled,
    /// The configuration as it was found.
    pub before: Option<LifecycleDocument>,
    /// The way to the new one.
    pub merge: Merge,
}

/// Why a bucket's configuration cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// It cannot be kept as it is.
    #[error("its lifecycle configuration could not be kept as it is")]
    Document(#[from] DocumentError),
    /// Ours cannot stand beside it.
    #[error("{0}")]
    Merge(#[from] MergeError),
    /// S3 would refuse the result.
    #[error("S3 would refuse the new lifecycle configuration: {}", list(.0))]
    Invalid(Vec<Invalid>),
}

fn list(faults: &[Invalid]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn faults(document: &LifecycleDocument) -> Vec<Invalid> {
    lifecycle::validate(document).err().unwrap_or_default()
}

/// Works out the configuration of a bucket from `before`, the store's XML, and what else there is.
///
/// # Errors
/// [`ProposalError`]; then nothing may be written.
pub fn propose(
    policy: &Policy,
    facts: &BucketFacts,
    before: Option<&str>,
    around: &Surroundings,
    upgrade_v1: bool,
    now: DateTime<Utc>,
) -> Result<Proposal, ProposalError> {
    draft(policy, facts, before, around, upgrade_v1, now)?.checked()
}

/// The same, but only what makes S3 do less. What stands against the rest is no obstacle to it.
///
/// # Errors
/// [`ProposalError`]; then nothing may be written.
pub fn propose_narrowing(
    policy: &Policy,
    facts: &BucketFacts,
    before: Option<&str>,
    around: &Surroundings,
    now: DateTime<Utc>,
) -> Result<Proposal, ProposalError> {
    draft(policy, facts, before, around, false, now)?.narrowing().checked()
}

/// The same as [`propose`], to be looked at and not to be written: S3 may refuse it.
///
/// # Errors
/// [`ProposalError::Document`].
pub fn draft(
    policy: &Policy,
    facts: &BucketFacts,
    before: Option<&str>,
    around: &Surroundings,
    upgrade_v1: bool,
    now: DateTime<Utc>,
) -> Result<Proposal, ProposalError> {
    let before = before.map(LifecycleDocument::read).transpose()?;
    let others = before.iter().flat_map(|document| document.rules());
    let other_rules = others.filter(|rule| rule.policy_rule(&policy.name).is_none()).count();
    let around = Surroundings { other_rules, ..around.clone() };
    let compiled = lifecycle::compile(policy, facts, &around, now);
    let base = match &before {
        Some(document) if upgrade_v1 && document.is_v1() => Some(document.upgraded()?),
        other => other.clone(),
    };
    let merge = lifecycle::merge_in_any_form(base.as_ref(), &policy.name, &compiled.rules);
    Ok(Proposal { around, compiled, before, merge })
}

impl Proposal {
    /// Only what makes S3 do less.
    fn narrowing(self) -> Self {
        Self { merge: self.merge.narrowing(), ..self }
    }

    /// The same, if it may be written.
    fn checked(self) -> Result<Self, ProposalError> {
        let merge = &self.merge;
        merge.check_form()?;
        if merge.is_unchanged() {
            return Ok(self);
        }
        // What a store has taken must not keep one of our rules from going, in whatever form it shows it.
        // Some problems bear a number or a place, which others of ours can change.
        let borne: Vec<Discriminant<Problem>> = match merge.removes_more() {
            true => Vec::new(),
            false => {
                let faults = faults(merge.before()).into_iter().map(|fault| fault.problem);
                faults.chain([Problem::MixedForms]).map(|problem| discriminant(&problem)).collect()
            }
        };
        for target in [&merge.staged, &merge.after] {
            let Target::Put(document) = target else { continue };
            let mut faults = faults(document);
            faults.retain(|fault| !borne.contains(&discriminant(&fault.problem)));
            if !faults.is_empty() {
                return Err(ProposalError::Invalid(faults));
            }
        }
        Ok(self)
    }

    /// What the policy demands of S3 and S3 cannot be proved to keep, in words. What stood for it
    /// goes: whatever has made it unprovable may be a hold.
    pub fn refused(&self, policy: &Policy) -> Vec<String> {
        let refused = self.compiled.refused().filter_map(|(rule, reasons)| {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            Some((policy.rules.get(rule)?, why.join("; ")))
        });
        let words = refused.map(|(rule, why)| {
            format!("rule {} says `enforce: lifecycle`, and S3 cannot be proved to keep it: {why}", rule.id)
        });
        words.collect()
    }

    /// Rules whose undo window takes versions, in a bucket that does not keep them.
    fn no_undo(&self, policy: &Policy, facts: &BucketFacts) -> Vec<String> {
        let covering = self.compiled.engines.iter().filter_map(|entry| policy.rules.get(entry.rule));
        let wanting = covering.filter(|rule| rule.undo_window.is_some() && rule.enforce != Enforce::Observe);
        let keeps_versions = facts.versioning == Versioning::Enabled;
        wanting.filter(|_| !keeps_versions).map(|rule| rule.id.clone()).collect()
    }

    /// As it stands in a plan.
    pub fn to_plan(
        &self,
        policy: &Policy,
        facts: &BucketFacts,
        before: Option<&str>,
        now: DateTime<Utc>,
    ) -> BucketPlan {
        let changes = self.merge.changes.iter().map(|change| LifecycleChange {
            id: change.id.clone(),
            rule: change.policy_rule.clone(),
            kind: change.kind.word().to_owned(),
            before: change.before.clone(),
            after: change.after.clone(),
            at_once: None,
        });
        let met = self
            .before
            .iter()
            .flat_map(|document| lifecycle::foreign_conflicts(document, policy, facts, now).into_iter());
        let (alarms, warnings): (Vec<_>, Vec<_>) = met.partition(|found| found.may_be_early);
        let words = |found: Vec<ForeignConflict>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
        let unmoved = self.compiled.engines.iter().filter(|it| !matches!(it.engine, Engine::Lifecycle(_)));
        let unmoved = unmoved.filter_map(|it| policy.rules.get(it.rule));
        let unmoved = unmoved.filter(|rule| !rule.transitions.is_empty()).map(|rule| {
            format!("S3 makes the transitions of the rule `{}` only where it is given the rule", rule.id)
        });
        BucketPlan {
            engines: self
                .compiled
                .engines
                .iter()
                .filter_map(|engine| {
                    Some((policy.rules.get(engine.rule)?.id.clone(), describe(&engine.engine)))
                })
                .collect(),
            around: self.around.clone(),
            lifecycle_before: before.map(str::to_owned),
            lifecycle_after: xml_of(&self.merge.after),
            changes: changes.collect(),
            refused: self.refused(policy),
            no_undo: self.no_undo(policy, facts),
            alarms: words(alarms),
            warnings: words(warnings).into_iter().chain(unmoved).collect(),
            drift: Vec::new(),
            listed: None,
        }
    }
}

/// The XML of a target; `None` where the configuration is to be deleted.
pub fn xml_of(target: &Target) -> Option<String> {
    match target {
        Target::Delete => None,
        Target::Put(document) => Some(document.to_xml()),
    }
}

/// An engine in words.
pub fn describe(engine: &Engine) -> String {
    let because = |reasons: &[lifecycle::DirectReason]| {
        reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    match engine {
        Engine::Lifecycle(terms) => format!("lifecycle: {}", in_days(*terms)),
        Engine::Split { terms, starts, elsewhere } => {
            let starts = if *starts == 1 { "1 prefix".to_owned() } else { format!("{starts} prefixes") };
            format!("lifecycle under {starts}: {}; elsewhere direct: {}", in_days(*terms), because(elsewhere))
        }
        Engine::Direct(reasons) => format!("direct: {}", because(reasons)),
        Engine::Refused(reasons) => format!("refused: {}", because(reasons)),
        Engine::Observe => "observed only".to_owned(),
    }
}

fn in_days(terms: LifecycleTerms) -> String {
    let days = |n: u32| format!("{n} day{}", if n == 1 { "" } else { "s" });
    format!("{}, at most {} late", days(terms.expire_days), days(terms.lateness_days))
}
