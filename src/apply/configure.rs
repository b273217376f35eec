//! Writing lifecycle configurations: narrowing first, widening behind a disabled step, and
//! everything read back and compared before S3 is let loose.
//!
//! How one configuration is put in another's place, and where somebody else's change could be
//! missed, is in `rewrite`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::rewrite::{Stop, compare, replace};
use super::run::{Applied, ApplyError, Configured, Run, Watch};
use crate::evidence::{ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, EvidenceLog};
use crate::lifecycle::{LifecycleDocument, Merge, Status, Target, altered, restore, retreat, same_meaning};
use crate::plan::{BucketPlan, Proposal, draft, propose, propose_narrowing, xml_of};
use crate::s3::{Bucket, StoredLifecycle};
use crate::survey::Enrolled;

/// A change that is under way.
struct Change<'a> {
    name: &'a str,
    bucket: Bucket,
    proposal: Proposal,
    found: Option<StoredLifecycle>,
    policy_name: &'a str,
    /// What the store has made of rules that were then taken out again.
    altered: Vec<String>,
    /// The rules of the policy that these were for.
    altered_rules: BTreeSet<String>,
}

impl Change<'_> {
    /// The header as it was found, to be sent again.
    fn minimum(&self) -> Option<&str> {
        self.found.as_ref()?.transition_default_minimum_object_size.as_deref()
    }
}

/// Writes every configuration that the plan changes.
pub(super) async fn configure(
    run: &Run<'_>,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    let mut staged = Vec::new();
    for (name, plan) in &run.header.buckets {
        let target = run.buckets.get(name).ok_or_else(|| ApplyError::NotEnrolled(name.clone()))?;
        let prepared = prepare(run, name, plan, target).await;
        let is_idle = matches!(&prepared, Ok(change) if change.proposal.merge.is_unchanged());
        if is_idle && !plan.is_changed() {
            continue;
        }
        log.configuration_intent((run.clock)(), intent(name, plan, prepared.as_ref().ok()))?;
        let ended = match prepared {
            Ok(mut change) => match stage(&mut change).await {
                Ok(()) => {
                    staged.push(change);
                    continue;
                }
                Err(stop) => stop,
            },
            Err(stop) => stop,
        };
        end(run, name, ended, BTreeSet::new(), log, applied, watch)?;
    }
    for mut change in staged {
        let enabled = match stopped(run, applied, &change).await {
            Some(stop) => Err(stop),
            None => enable(&mut change).await,
        };
        let (result, why) = match enabled {
            Ok(()) if change.altered.is_empty() => (ConfigurationResult::Applied, None),
            Ok(()) => (ConfigurationResult::Differs, None),
            Err(stop) => (stop.result, Some(stop.why)),
        };
        let why = change.altered.iter().cloned().chain(why).collect::<Vec<_>>().join("; ");
        let ended = Stop::new(result, why);
        end(run, change.name, ended, change.altered_rules, log, applied, watch)?;
    }
    Ok(())
}

/// Why S3 is not let loose on what is staged: the run is to stop, or whether it is is not known.
async fn stopped(run: &Run<'_>, applied: &mut Applied, change: &Change<'_>) -> Option<Stop> {
    if !change.proposal.merge.removes_more() {
        return None;
    }
    let is_raised = run.is_stopped_by_file().await;
    applied.stopped_by_file |= matches!(is_raised, Ok(true));
    let is_to_stop = run.stop.load(Ordering::Relaxed) || !matches!(is_raised, Ok(false));
    applied.interrupted |= is_to_stop;
    let why = "the run was stopped before its new rules were enabled; they stand there, disabled";
    is_to_stop.then(|| Stop::new(ConfigurationResult::Failed, why.to_owned()))
}

/// What is about to be written; where nothing is, what the plan wanted.
fn intent(name: &str, plan: &BucketPlan, change: Option<&Change<'_>>) -> ConfigurationIntent {
    let planned = || plan.changes.iter().map(|change| format!("{} {}", change.kind, change.id)).collect();
    let (before, after, changes) = match change {
        None => (plan.lifecycle_before.clone(), plan.lifecycle_after.clone(), planned()),
        Some(Change { found, proposal, .. }) => (
            found.as_ref().map(|found| found.xml.clone()),
            xml_of(&proposal.merge.after),
            proposal
                .merge
                .changes
                .iter()
                .map(|change| format!("{} {}", change.kind.word(), change.id))
                .collect(),
        ),
    };
    ConfigurationIntent { bucket: name.to_owned(), before, after, changes }
}

fn end(
    run: &Run<'_>,
    name: &str,
    Stop { result, why: detail, .. }: Stop,
    altered: BTreeSet<String>,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    let detail = (!detail.is_empty()).then_some(detail);
    let configured = Configured { result, detail };
    log.configuration_outcome(
        (run.clock)(),
        ConfigurationOutcome { bucket: name.to_owned(), result, detail: configured.detail.clone(), altered },
    )?;
    watch.configured(name, &configured);
    applied.configured.insert(name.to_owned(), configured);
    Ok(())
}

/// Works the change out anew, and holds it to the plan.
async fn prepare<'a>(
    run: &Run<'a>,
    name: &'a str,
    plan: &BucketPlan,
    target: &Enrolled,
) -> Result<Change<'a>, Stop> {
    let found = target.bucket.lifecycle().await?;
    let found_xml = found.as_ref().map(|found| found.xml.as_str());
    let around = &plan.around;
    let is_to_narrow = run.narrow_only || run.is_canary;
    let now = (run.clock)();
    let proposal = if is_to_narrow {
        propose_narrowing(run.policy, &target.facts, found_xml, around, now)
    } else {
        propose(run.policy, &target.facts, found_xml, around, run.upgrade_v1, now)
    };
    let proposal = proposal.map_err(|error| Stop::new(ConfigurationResult::Failed, error.to_string()))?;
    let narrows = only_narrows(&proposal, plan) && !proposal.merge.removes_more();
    let change = |proposal, found| Change {
        name,
        bucket: target.bucket.clone(),
        proposal,
        found,
        policy_name: &run.policy.name,
        altered: Vec::new(),
        altered_rules: BTreeSet::new(),
    };
    // A hold that was placed since must not wait for the next plan.
    if !plan.is_changed() && (proposal.merge.is_unchanged() || narrows) {
        return Ok(change(proposal, found));
    }
    if found_xml != plan.lifecycle_before.as_deref() && !is_half_way(run, target, plan, &proposal) {
        let why = "somebody has changed it since the plan was made; make a new plan";
        return Err(Stop::moved(why));
    }
    let is_as_planned = xml_of(&proposal.merge.after) == plan.lifecycle_after;
    if !is_to_narrow && !is_as_planned && !only_narrows(&proposal, plan) {
        let why = "the policy's holds or the bucket have changed since the plan was made; make a new plan";
        return Err(Stop::moved(why));
    }
    Ok(change(proposal, found))
}

/// Whether what was found is what a run of the same plan leaves behind that was interrupted, or
/// was only to narrow: its first step, or all of it.
fn is_half_way(run: &Run<'_>, target: &Enrolled, plan: &BucketPlan, proposal: &Proposal) -> bool {
    let before = plan.lifecycle_before.as_deref();
    let around = &plan.around;
    // Nothing of this is written, and a run that was only to narrow wrote what S3 need not take as a whole.
    let planned = draft(run.policy, &target.facts, before, around, run.upgrade_v1, (run.clock)());
    let Ok(planned) = planned else {
        return false;
    };
    let narrowed = planned.merge.narrowing().after;
    [planned.merge.staged, planned.merge.after, narrowed].iter().any(|step| match (step, &proposal.before) {
        (Target::Delete, None) => true,
        (Target::Put(step), Some(found)) => same_meaning(step, found).is_ok(),
        _ => false,
    })
}

/// Whether whatever the new outcome makes S3 do, the planned one made it do as well: a hold that
/// was placed since takes rules away, or leaves directories of them.
fn only_narrows(proposal: &Proposal, plan: &BucketPlan) -> bool {
    let planned = plan.lifecycle_after.as_deref().map(LifecycleDocument::read).transpose();
    let planned = planned.ok().flatten();
    let planned = planned.as_ref().map_or(&[][..], LifecycleDocument::rules);
    proposal.compiled.rules.iter().all(|rule| {
        let view = rule.view(Status::Enabled);
        planned.iter().any(|planned| planned.id() == rule.id() || view.is_implied_by(planned.view()))
    })
}

/// The first step: S3 does nothing that it did not do before.
async fn stage(change: &mut Change<'_>) -> Result<(), Stop> {
    let found = change.found.clone();
    if xml_of(&change.proposal.merge.staged) == found.as_ref().map(|found| found.xml.clone()) {
        return Ok(());
    }
    let as_found = |now: Option<&StoredLifecycle>| {
        let why = "somebody has changed it between reading and writing; make a new plan";
        let target = &change.proposal.merge.staged;
        if now == found.as_ref() { Ok(target.clone()) } else { Err(Stop::moved(why)) }
    };
    let stop = match replace(&change.bucket, change.minimum(), None, as_found).await {
        Ok(_) => return Ok(()),
        Err(stop) => stop,
    };
    if !stop.wrote || change.bucket.lifecycle().await.is_ok_and(|now| now == found) {
        return Err(stop);
    }
    let Err(stop) = without_altered(change, stop, |merge| &merge.staged).await else {
        return Ok(());
    };
    let Proposal { merge, before, .. } = &change.proposal;
    let set_back = |now: Option<&LifecycleDocument>| {
        retreat(now, document(&merge.staged), before.as_ref(), change.policy_name)
    };
    Err(undo(change, stop, set_back, "what was at work before, without what had to go").await)
}

/// The second step: what is new or does more is let loose.
async fn enable(change: &mut Change<'_>) -> Result<(), Stop> {
    if xml_of(&change.proposal.merge.after) == xml_of(&change.proposal.merge.staged) {
        return Ok(());
    }
    let moved =
        |why: &str| Stop::moved(format!("somebody has changed it meanwhile, so nothing was enabled{why}"));
    let staged = compare(&change.bucket, &change.proposal.merge.staged, change.minimum()).await;
    let staged = staged.map_err(|stop| moved(&format!(": {}", stop.why)))?;
    let as_staged = |now: Option<&StoredLifecycle>| {
        let target = &change.proposal.merge.after;
        if now == staged.as_ref() { Ok(target.clone()) } else { Err(moved("")) }
    };
    let stop = match replace(&change.bucket, change.minimum(), Some(staged.clone()), as_staged).await {
        Ok(_) => return Ok(()),
        Err(stop) => stop,
    };
    if !stop.wrote || compare(&change.bucket, &change.proposal.merge.staged, change.minimum()).await.is_ok() {
        let why = format!("{}; what is new stands there, disabled", stop.why);
        // A store that took the write may show it later.
        let result = if stop.shown.is_some() { ConfigurationResult::Unclear } else { stop.result };
        return Err(Stop { result, why, ..stop });
    }
    let Err(stop) = without_altered(change, stop, |merge| &merge.after).await else {
        return Ok(());
    };
    let Merge { staged, after, .. } = &change.proposal.merge;
    let set_back =
        |now: Option<&LifecycleDocument>| restore(now, document(staged), document(after), change.policy_name);
    Err(undo(change, stop, set_back, "disabled where it is new").await)
}

/// Once more without the policy's rules that the store has made something else of, if those are all
/// that differs: what it keeps is written, and what it does not keep is for Shelflife itself.
async fn without_altered(
    change: &mut Change<'_>,
    stop: Stop,
    step: fn(&Merge) -> &Target,
) -> Result<(), Stop> {
    let (Some(shown), Some(written)) = (stop.shown.clone(), document(step(&change.proposal.merge))) else {
        return Err(stop);
    };
    let read = shown.as_ref().map(|shown| LifecycleDocument::read(&shown.xml)).transpose();
    let Some(ids) = read.ok().and_then(|read| altered(written, read.as_ref(), change.policy_name)) else {
        return Err(stop);
    };
    let merge = change.proposal.merge.without(&ids);
    let as_shown = |now: Option<&StoredLifecycle>| {
        if now == shown.as_ref() { Ok(step(&merge).clone()) } else { Err(Stop::moved("")) }
    };
    if replace(&change.bucket, change.minimum(), None, as_shown).await.is_err() {
        return Err(stop);
    }
    let of_policy = written.rules().iter().filter(|rule| ids.contains(rule.id()));
    let rules: BTreeSet<String> = of_policy.filter_map(|rule| rule.policy_rule(change.policy_name)).collect();
    let names: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    change.altered.push(format!(
        "{}; this was taken out again and the rest written: for this store set `enforce: direct` on {}",
        stop.why,
        names.join(", ")
    ));
    change.altered_rules.extend(rules);
    change.proposal.merge = merge;
    Ok(())
}

fn document(target: &Target) -> Option<&LifecycleDocument> {
    match target {
        Target::Put(document) => Some(document),
        Target::Delete => None,
    }
}

/// Sets the policy's own rules back; those of others stay as they are now.
async fn undo(
    change: &Change<'_>,
    stop: Stop,
    set_back: impl Fn(Option<&LifecycleDocument>) -> Target,
    what: &str,
) -> Stop {
    let undone = replace(&change.bucket, change.minimum(), None, |now| {
        let read = now.map(|now| LifecycleDocument::read(&now.xml)).transpose();
        let read = read.map_err(|error| Stop::new(ConfigurationResult::Failed, error.to_string()))?;
        Ok(set_back(read.as_ref()))
    });
    let (result, why) = match undone.await {
        Ok(_) => (stop.result, format!("{}; the policy's own part was set back: {what}", stop.why)),
        Err(Stop { why, .. }) => {
            (ConfigurationResult::Unclear, format!("{}; and setting it back failed: {why}", stop.why))
        }
    };
    Stop { result, why, ..stop }
}
