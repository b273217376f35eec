//! `plan`, `apply` and `reconcile`: the commands that make plans and carry them out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};

use super::applying::{self, Carried, Carrying};
use super::args::{ApplyArgs, Applying, CacheArg, PlanArgs, Planning, ReconcileArgs, StoreArgs};
use super::caching::Caching;
use super::context::Context;
use super::copying::Copying;
use super::earlier;
use super::exit::{Exit, Failure};
use super::inputs::{self, Loaded};
use super::interrupting::stop_on_ctrl_c;
use super::inventories::{self, Inventory};
use super::planning::{self, Made, Making, PlanFile};
use super::record_files::{LoadedRecords, RecordFiles, refuse_faults};
use super::{evidence_files, output, rereading, show, store};
use crate::apply::StopFile;
use crate::plan::History;
use crate::s3::{Bucket, Store};
use crate::survey::{Enrolment, LISTINGS_AT_ONCE};

/// Everything that an audit and both halves of a reconciliation work with.
pub(super) struct Ready {
    pub loaded: Loaded,
    pub records: LoadedRecords,
    pub enrolment: Enrolment,
    pub stop_file: Option<StopFile>,
    pub store: Store,
    pub now: DateTime<Utc>,
    /// The date of today, whatever is decided for.
    clock: DateTime<Utc>,
    read: Instant,
}

/// Reads the policy and the records, and opens the buckets.
pub(super) async fn ready(
    context: &Context,
    args: &StoreArgs,
    policy: &Path,
    tolerate: bool,
    as_of: Option<DateTime<Utc>>,
) -> Result<Ready, Failure> {
    let loaded = inputs::load(policy).map_err(|fault| fault.into_failure(context.err))?;
    let local = Utc::now();
    // Faults in the records are told before any store is needed.
    let mut files = RecordFiles::read_local(&loaded, as_of.unwrap_or(local));
    refuse_faults(&files.faults(loaded.policy(), as_of.unwrap_or(local)), tolerate)?;
    let store = store::connect(args, Some(loaded.policy())).await?;
    let enrolment = store::enrol(context, &store, loaded.policy()).await?;
    let clocks = store::clocks(context, &enrolment, local);
    let now = as_of.unwrap_or(clocks.earlier);
    // Records are as old as the later of the clocks says.
    let later = as_of.unwrap_or(clocks.later);
    files.fetch(&store, loaded.policy(), later).await;
    let records = files.judged(loaded.policy(), later);
    refuse_faults(&records.faults, tolerate)?;
    for fault in &records.faults {
        context.note("records:", &fault.message);
    }
    let stop_file = loaded.policy().guards.stop_file.as_ref();
    let stop_file = stop_file.map(|place| StopFile::new(place, &loaded.folder, &store));
    let clock = clocks.earlier;
    Ok(Ready { loaded, records, enrolment, stop_file, store, now, clock, read: Instant::now() })
}

impl Ready {
    /// The cache that `arg` names, for the reads of this run.
    pub(super) fn caching(&self, context: &Context, arg: &CacheArg) -> Caching {
        Caching::open(context, arg, &self.store, self.loaded.policy(), self.clock)
    }

    /// What earlier runs were to do; `own` is the digest of the plan that is carried out.
    fn history(&self, evidence: &Path, own: Option<&str>) -> History {
        earlier::history(evidence, &self.loaded.policy().name, self.store.endpoint_url(), own)
    }

    fn making<'m>(
        &'m self,
        context: &Context,
        planning: &Planning,
        evidence: &Path,
        history: &'m History,
        inventories: &'m BTreeMap<String, Inventory>,
        listings_at_once: usize,
    ) -> Making<'m> {
        Making {
            policy: self.loaded.policy(),
            records: &self.records.records,
            digests: self.records.digests.clone(),
            enrolment: &self.enrolment,
            now: self.now,
            upgrade_v1: planning.upgrade_v1,
            narrow_only: planning.narrow_only,
            earlier: earlier::earlier(evidence, &self.loaded.policy().name, self.store.endpoint_url()),
            inventories,
            history,
            context: *context,
            whole_bucket: planning.whole_bucket,
            listings_at_once,
        }
    }
}

/// A foreign rule that breaks the promise is an error, and so is a rule that nobody carries out,
/// whatever else went well.
fn alarmed(exit: Exit, made: &Made) -> Exit {
    let is_alarmed = made.header.buckets.values().any(|bucket| !bucket.alarms.is_empty());
    let is_refused =
        made.header.buckets.values().any(|bucket| !(bucket.refused.is_empty() && bucket.no_undo.is_empty()));
    let exit = if is_refused { exit.max(Exit::Usage) } else { exit };
    let exit = made.broken.iter().fold(exit, |exit, failure| exit.max(failure.exit));
    if is_alarmed { exit.max(Exit::Failed) } else { exit }
}

/// Where the evidence of runs lies.
fn evidence_folder<'p>(plan: &'p Path, folder: Option<&'p Path>) -> &'p Path {
    folder.or_else(|| plan.parent()).unwrap_or(Path::new("."))
}

/// `shelflife plan`.
pub async fn plan(context: &Context, args: &StoreArgs, plan: &PlanArgs) -> Result<Exit, Failure> {
    let Planning { policy, .. } = &plan.planning;
    let file = PlanFile::create(&plan.out)?;
    let ready = ready(context, args, &policy.policy, plan.planning.tolerates(), plan.as_of).await?;
    let folder = evidence_folder(&plan.out, plan.evidence_dir.as_deref());
    let history = ready.history(folder, None);
    let inventories =
        inventories::load(&plan.planning.inventory, &ready.store, &ready.enrolment, Utc::now()).await?;
    let making =
        ready.making(context, &plan.planning, folder, &history, &inventories, plan.concurrency.into());
    let caching = ready.caching(context, &plan.planning.cache);
    let made = planning::make(&making, file, caching).await?;
    made.notes.iter().for_each(|note| context.note("note:", note));
    show::plan(context, &made, &apply_command(args, plan, &made));
    let is_drifted = made.header.buckets.values().any(|bucket| !bucket.drift.is_empty());
    let exit = if made.header.broken_guards().next().is_some() {
        Exit::Refused
    } else if plan.detailed_exitcode && (!made.is_empty() || is_drifted) {
        Exit::Pending
    } else {
        Exit::Done
    };
    Ok(alarmed(exit, &made))
}

/// The command that carries the plan out.
fn apply_command(args: &StoreArgs, plan: &PlanArgs, made: &Made) -> String {
    let Planning { policy, tolerate_record_faults, upgrade_v1, .. } = &plan.planning;
    let (file, policy) = (plan.out.display().to_string(), policy.policy.display().to_string());
    let guards = made.header.names_to_accept();
    let mut words = vec!["shelflife", "apply", &file, "--policy", &policy];
    let evidence = plan.evidence_dir.as_ref().map(|folder| folder.display().to_string());
    words.extend(evidence.iter().flat_map(|folder| ["--evidence-dir", folder]));
    words.extend(guards.iter().flat_map(|guard| ["--accept", guard]));
    words.extend((!made.header.first_run.is_empty()).then_some("--first-run"));
    words.extend(tolerate_record_faults.then_some("--tolerate-record-faults"));
    words.extend(upgrade_v1.then_some("--upgrade-v1"));
    words.extend(store::words(args));
    output::command(words)
}

/// `shelflife apply`.
pub async fn apply(context: &Context, args: &StoreArgs, apply: &ApplyArgs) -> Result<Exit, Failure> {
    let plan = applying::open(&apply.plan)?;
    if let Some(expected) = &apply.expect_digest
        && !expected.eq_ignore_ascii_case(plan.reader.digest())
    {
        return Err(Failure::refused(format!(
            "{} has the digest {}, not the expected one",
            output::path(&apply.plan),
            plan.reader.digest()
        ))
        .help("apply the plan that was looked at, or look at this one"));
    }
    evidence_files::check_evidence_folder(&apply.plan, apply.applying.evidence_dir.as_deref())?;
    // To make S3 do less nothing is looked up in records.
    let tolerates = apply.tolerate_record_faults || apply.narrow_only || plan.header.narrow_only;
    let ready = ready(context, args, &apply.policy, tolerates, None).await?;
    let carried = carry_out(
        context,
        args,
        &ready,
        &plan,
        &apply.plan,
        &apply.applying,
        (apply.upgrade_v1, apply.narrow_only),
    )
    .await?;
    end(show::carried(context, &carried, None), carried)
}

/// `shelflife reconcile`.
pub async fn reconcile(
    context: &Context,
    args: &StoreArgs,
    reconcile: &ReconcileArgs,
) -> Result<Exit, Failure> {
    let Planning { policy, upgrade_v1, .. } = &reconcile.planning;
    let tolerates = reconcile.planning.tolerates();
    let file = PlanFile::create(&reconcile.out)?;
    evidence_files::check_evidence_folder(&reconcile.out, reconcile.applying.evidence_dir.as_deref())?;
    let ready = ready(context, args, &policy.policy, tolerates, None).await?;
    let folder = evidence_folder(&reconcile.out, reconcile.applying.evidence_dir.as_deref());
    let history = ready.history(folder, None);
    let inventories =
        inventories::load(&reconcile.planning.inventory, &ready.store, &ready.enrolment, Utc::now()).await?;
    let making = ready.making(context, &reconcile.planning, folder, &history, &inventories, LISTINGS_AT_ONCE);
    let caching = ready.caching(context, &reconcile.planning.cache);
    let made = planning::make(&making, file, caching).await?;
    made.notes.iter().for_each(|note| context.note("note:", note));
    if !context.json {
        show::plan(context, &made, &what_follows(&made, &reconcile.applying));
    }
    if made.is_empty() {
        let exit = alarmed(Exit::Done, &made);
        show::not_carried_out(context, &made, exit);
        // A hold that was placed while the buckets were listed would narrow what S3 does.
        let again = self::ready(context, args, &policy.policy, tolerates, None).await?;
        if again.loaded.digests() != ready.loaded.digests() {
            return Err(Failure::refused("the policy was changed while the buckets were listed")
                .help("run the same command again"));
        }
        return Ok(exit);
    }
    let plan = applying::open(&reconcile.out)?;
    if plan.reader.digest() != made.digest {
        return Err(Failure::refused(format!("{} was written over meanwhile", output::path(&reconcile.out)))
            .help("give each run a plan file of its own with --out"));
    }
    // Listing may have taken hours: policy, holds, records and buckets are read again.
    let ready = self::ready(context, args, &policy.policy, tolerates, None).await?;
    let carried =
        carry_out(context, args, &ready, &plan, &reconcile.out, &reconcile.applying, (*upgrade_v1, false))
            .await
            .inspect_err(|failure| show::not_carried_out(context, &made, failure.exit))?;
    end(alarmed(show::carried(context, &carried, Some(&made)), &made), carried)
}

/// What comes after a plan that is carried out at once.
fn what_follows(made: &Made, applying: &Applying) -> String {
    let is_broken = made.header.broken_guards().any(|guard| !guard.is_accepted(&applying.accept));
    let mut more = Vec::new();
    if is_broken {
        more.extend(made.header.names_to_accept().into_iter().map(|guard| format!("--accept {guard}")));
    }
    if !made.header.first_run.is_empty() && !applying.first_run {
        more.push("--first-run".to_owned());
    }
    if more.is_empty() {
        "carried out below".to_owned()
    } else {
        format!("the same command with {}", more.join(" "))
    }
}

/// What was done has been shown; what ended it early, if anything did, is told last.
fn end(exit: Exit, carried: Carried) -> Result<Exit, Failure> {
    match carried.ended_by {
        Some(failure) => Err(Failure { exit: exit.max(failure.exit), ..failure }),
        None => Ok(exit),
    }
}

/// Opens the buckets that copies go to: without them nothing may be removed.
async fn exports(ready: &Ready) -> Result<BTreeMap<String, Bucket>, Failure> {
    let mut exports = BTreeMap::new();
    for place in ready.loaded.policy().rules.iter().filter_map(|rule| rule.export.as_ref()) {
        if !exports.contains_key(&place.bucket) {
            let bucket = ready.store.bucket(&place.bucket).await?;
            exports.insert(place.bucket.clone(), bucket);
        }
    }
    Ok(exports)
}

async fn carry_out(
    context: &Context,
    args: &StoreArgs,
    ready: &Ready,
    plan: &applying::OpenPlan,
    path: &Path,
    applying: &Applying,
    (upgrade_v1, narrow_only): (bool, bool),
) -> Result<Carried, Failure> {
    // The careful clock goes on from where it was read, whatever becomes of the wall clock.
    let (now, read) = (ready.now, ready.read);
    let clock = move || now + Duration::from_std(read.elapsed()).unwrap_or_default();
    let folder = evidence_folder(path, applying.evidence_dir.as_deref());
    let evidence =
        evidence_files::evidence_path(path, applying.evidence_dir.as_deref(), plan.reader.digest());
    let copying = match &applying.evidence {
        Some(place) => Some({
            let (policy, keep_until) =
                (ready.loaded.policy(), evidence_files::keep_until(ready.loaded.policy(), now));
            Copying::open(args, place, policy, &evidence, keep_until).await?
        }),
        None => None,
    };
    let previous_head = evidence_files::previous_head(folder, &ready.loaded.policy().name, &evidence);
    let narrow_only = narrow_only || plan.header.narrow_only;
    // Nothing is copied where nothing is removed, and what a hold narrows must not wait for anything.
    let exports = if narrow_only { BTreeMap::new() } else { exports(ready).await? };
    let stop = stop_on_ctrl_c(context.quiet)?;
    let carrying = Carrying {
        plan,
        policy: ready.loaded.policy(),
        records: &ready.records.records,
        enrolment: &ready.enrolment,
        digests: &ready.records.digests,
        history: ready.history(folder, Some(plan.reader.digest())),
        exports: &exports,
        accepted: &applying.accept,
        first_run: applying.first_run,
        limit: applying.limit,
        stop_file: ready.stop_file.as_ref(),
        upgrade_v1,
        narrow_only,
        evidence,
        copying,
        endpoint: ready.store.endpoint_url().map(str::to_owned),
        previous_head,
        clock: &clock,
        stop: Arc::clone(&stop),
        max_rate: applying.max_rate,
        at_once: applying.concurrency.into(),
        first_pause: std::time::Duration::from_millis(args.retry_pause.unwrap_or(1_000) / 4),
        quiet: context.quiet,
    };
    let running = applying::carry_out(&carrying);
    let (carried, changed) =
        rereading::beside(context, &ready.loaded, rereading::BETWEEN_LOOKS, &stop, running).await;
    let mut carried = carried?;
    // A run that had nothing left to begin was not stopped by it.
    if carried.applied.interrupted && !carried.applied.stopped_by_file {
        carried.ended_by = carried.ended_by.or(changed);
    }
    Ok(carried)
}
