//! Writing lifecycle configurations: narrowing first, widening behind a disabled step, and
//! everything read back and compared before S3 is let loose.
//!
//! S3 replaces a configuration as a whole and offers no condition on it (API reference,
//! "PutBucketLifecycleConfiguration"), so it is read again right before each write.

use std::collections::BTreeSet;
use std::time::Duration;

use super::run::{Applied, ApplyError, Configured, Run, Watch};
use crate::evidence::{ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, EvidenceLog};
use crate::lifecycle::{LifecycleDocument, Target, restore, retreat, same_meaning};
use crate::plan::{BucketPlan, Proposal, propose, xml_of};
use crate::s3::{Bucket, StoreError, StoredLifecycle};
use crate::survey::Enrolled;

/// A change that is under way.
struct Change<'a> {
    name: &'a str,
    bucket: Bucket,
    proposal: Proposal,
    found: Option<StoredLifecycle>,
    policy_name: &'a str,
}

/// How long after a write a store may still show what was there before: S3's bucket
/// configurations are eventually consistent (user guide, "Amazon S3 data consistency model").
const PATIENCE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];

/// A change that could not be made: how it ended, and why.
type Stop = (ConfigurationResult, String);

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
            Ok(change) => match stage(&change).await {
                Ok(()) => {
                    staged.push(change);
                    continue;
                }
                Err(stop) => stop,
            },
            Err(stop) => stop,
        };
        end(run, name, ended, log, applied, watch)?;
    }
    for change in staged {
        let ended = match enable(&change).await {
            Ok(()) => (ConfigurationResult::Applied, String::new()),
            Err(stop) => stop,
        };
        end(run, change.name, ended, log, applied, watch)?;
    }
    Ok(())
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
    (result, detail): Stop,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    let detail = (!detail.is_empty()).then_some(detail);
    let configured = Configured { result, detail };
    log.configuration_outcome(
        (run.clock)(),
        ConfigurationOutcome { bucket: name.to_owned(), result, detail: configured.detail.clone() },
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
    let found = target.bucket.lifecycle().await.map_err(store_stop)?;
    let found_xml = found.as_ref().map(|found| found.xml.as_str());
    let directories = &plan.around.directories;
    let proposal = propose(run.policy, &target.facts, found_xml, directories, run.upgrade_v1, (run.clock)())
        .map_err(|error| (ConfigurationResult::Failed, error.to_string()))?;
    let narrows = only_narrows(&proposal, plan) && !proposal.merge.removes_more();
    // A hold that was placed since must not wait for the next plan.
    if !plan.is_changed() && (proposal.merge.is_unchanged() || narrows) {
        return Ok(Change {
            name,
            bucket: target.bucket.clone(),
            proposal,
            found,
            policy_name: &run.policy.name,
        });
    }
    if found_xml != plan.lifecycle_before.as_deref() && !is_half_way(run, target, plan, &proposal) {
        let why = "somebody has changed it since the plan was made; make a new plan";
        return Err((ConfigurationResult::Moved, why.to_owned()));
    }
    if xml_of(&proposal.merge.after) != plan.lifecycle_after && !only_narrows(&proposal, plan) {
        let why = "the policy's holds or the bucket have changed since the plan was made; make a new plan";
        return Err((ConfigurationResult::Moved, why.to_owned()));
    }
    Ok(Change { name, bucket: target.bucket.clone(), proposal, found, policy_name: &run.policy.name })
}

/// Whether what was found is what an interrupted run of the same plan leaves behind: its first
/// step, or all of it.
fn is_half_way(run: &Run<'_>, target: &Enrolled, plan: &BucketPlan, proposal: &Proposal) -> bool {
    let before = plan.lifecycle_before.as_deref();
    let directories = &plan.around.directories;
    let planned = propose(run.policy, &target.facts, before, directories, run.upgrade_v1, (run.clock)());
    let Ok(planned) = planned else {
        return false;
    };
    [planned.merge.staged, planned.merge.after].iter().any(|step| match (step, &proposal.before) {
        (Target::Delete, None) => true,
        (Target::Put(step), Some(found)) => same_meaning(step, found).is_ok(),
        _ => false,
    })
}

/// Whether the new outcome has no lifecycle rule that the plan did not have: a hold that was
/// placed since takes rules away.
fn only_narrows(proposal: &Proposal, plan: &BucketPlan) -> bool {
    let planned: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter(|change| change.after.is_some())
        .map(|change| change.id.as_str())
        .collect();
    proposal.compiled.rules.iter().all(|rule| planned.contains(rule.id()))
}

/// The first step: S3 does nothing that it did not do before.
async fn stage(change: &Change<'_>) -> Result<(), Stop> {
    let Change { proposal, found, .. } = change;
    if xml_of(&proposal.merge.staged) == found.as_ref().map(|found| found.xml.clone()) {
        return Ok(());
    }
    // Read again right before the write, for S3 has no condition on it.
    if change.bucket.lifecycle().await.map_err(store_stop)? != *found {
        let why = "somebody has changed it between reading and writing; make a new plan";
        return Err((ConfigurationResult::Moved, why.to_owned()));
    }
    let written = write(change, &proposal.merge.staged).await;
    let stop = match settle(change, written, &proposal.merge.staged).await {
        Ok(()) => return Ok(()),
        Err(stop) => stop,
    };
    let is_as_found = change.bucket.lifecycle().await.is_ok_and(|now| now == *found);
    if is_as_found {
        return Err(stop);
    }
    let before = proposal.before.as_ref();
    let set_back = |now: Option<&LifecycleDocument>| {
        retreat(now, document(&proposal.merge.staged), before, change.policy_name)
    };
    Err(undo(change, stop, set_back, "what was at work before, without what had to go").await)
}

/// Whether what was written stands there. A lost answer is of no matter where it can be read back.
async fn settle(change: &Change<'_>, written: Result<(), Stop>, expected: &Target) -> Result<(), Stop> {
    match (written, compare(change, expected).await) {
        (_, Ok(())) => Ok(()),
        (Err(stop), Err(_)) | (Ok(()), Err(stop)) => Err(stop),
    }
}

fn document(target: &Target) -> Option<&LifecycleDocument> {
    match target {
        Target::Put(document) => Some(document),
        Target::Delete => None,
    }
}

/// The second step: what is new or does more is let loose.
async fn enable(change: &Change<'_>) -> Result<(), Stop> {
    let Proposal { merge, .. } = &change.proposal;
    if xml_of(&merge.after) == xml_of(&merge.staged) {
        return Ok(());
    }
    compare(change, &merge.staged).await.map_err(|(_, why)| {
        let why = format!("somebody has changed it meanwhile, so nothing was enabled: {why}");
        (ConfigurationResult::Moved, why)
    })?;
    let written = write(change, &merge.after).await;
    let stop = match settle(change, written, &merge.after).await {
        Ok(()) => return Ok(()),
        Err(stop) => stop,
    };
    if compare(change, &merge.staged).await.is_ok() {
        return Err((stop.0, format!("{}; what is new stands there, disabled", stop.1)));
    }
    let set_back =
        |now: Option<&LifecycleDocument>| restore(now, document(&merge.staged), change.policy_name);
    Err(undo(change, stop, set_back, "disabled where it is new").await)
}

/// Sets the policy's own rules back; those of others stay as they are now.
async fn undo(
    change: &Change<'_>,
    stop: Stop,
    set_back: impl Fn(Option<&LifecycleDocument>) -> Target,
    what: &str,
) -> Stop {
    let (result, why) = stop;
    let undone = async {
        let now = change.bucket.lifecycle().await.map_err(store_stop)?;
        let now = now.map(|now| LifecycleDocument::read(&now.xml)).transpose();
        let now = now.map_err(|error| (ConfigurationResult::Failed, error.to_string()))?;
        let target = set_back(now.as_ref());
        let written = write(change, &target).await;
        settle(change, written, &target).await
    };
    match undone.await {
        Ok(()) => (result, format!("{why}; the policy's own part was set back: {what}")),
        Err((_, error)) => {
            (ConfigurationResult::Unclear, format!("{why}; and setting it back failed: {error}"))
        }
    }
}

async fn write(change: &Change<'_>, target: &Target) -> Result<(), Stop> {
    match target {
        Target::Delete => change.bucket.delete_lifecycle().await.map_err(store_stop),
        Target::Put(document) => {
            let minimum =
                change.found.as_ref().and_then(|found| found.transition_default_minimum_object_size.clone());
            let stored =
                StoredLifecycle { xml: document.to_xml(), transition_default_minimum_object_size: minimum };
            change.bucket.put_lifecycle(&stored).await.map_err(store_stop)
        }
    }
}

async fn compare(change: &Change<'_>, expected: &Target) -> Result<(), Stop> {
    let mut last = Ok(());
    for pause in PATIENCE {
        tokio::time::sleep(pause).await;
        last = match change.bucket.lifecycle().await {
            Ok(stored) => same(expected, stored.as_ref()).map_err(|why| (ConfigurationResult::Differs, why)),
            Err(error) => Err(store_stop(error)),
        };
        if last.is_ok() {
            break;
        }
    }
    last
}

fn same(expected: &Target, stored: Option<&StoredLifecycle>) -> Result<(), String> {
    match (expected, stored) {
        (Target::Delete, None) => Ok(()),
        (Target::Delete, Some(_)) => Err("the store still has a configuration".to_owned()),
        (Target::Put(_), None) => Err("the store has no configuration".to_owned()),
        (Target::Put(document), Some(stored)) => {
            let read = LifecycleDocument::read(&stored.xml).map_err(|error| error.to_string())?;
            same_meaning(document, &read).map_err(|differences| {
                let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
                format!("the store has made something else of it: {}", all.join("; "))
            })
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn store_stop(error: StoreError) -> Stop {
    let result = if error.is_denied() { ConfigurationResult::Denied } else { ConfigurationResult::Failed };
    (result, error.to_string())
}
