//! Making a plan: enrols buckets, lists and decides them, and writes the plan file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::caching::{Caching, ReadReport};
use super::context::Context;
use super::earlier::Earlier;
use super::exit::Failure;
use super::inventories::Inventory;
use super::output;
use super::progress::Progress;
use super::store::store_failure;
use crate::decide::{Plain, Stay, covered};
use crate::lifecycle::Surroundings;
use crate::plan::{
    self, BucketContext, History, KeyGroup, PlainCounts, PlanFileError, PlanHeader, PlanWriter, Planner,
    Proposal, RecordsDigest, Spool, Stretch, compare_with_earlier, evaluate_guards, first_runs,
};
use crate::policy::Policy;
use crate::records::Records;
use crate::s3::StoreError;
use crate::survey::{self, Enrolled, Enrolment, Listed, Sink, Survey};

/// What a plan is made from.
pub struct Making<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// Where they come from.
    pub digests: BTreeMap<String, RecordsDigest>,
    /// The buckets.
    pub enrolment: &'a Enrolment,
    /// The date that everything is decided for.
    pub now: DateTime<Utc>,
    /// Whether configurations of the old form may be rewritten.
    pub upgrade_v1: bool,
    /// Whether only what makes S3 do less is wanted.
    pub narrow_only: bool,
    /// What the logs of earlier runs tell, by bucket.
    pub earlier: BTreeMap<String, Earlier>,
    /// What to start from instead of listing, by bucket.
    pub inventories: &'a BTreeMap<String, Inventory>,
    /// What the runs before were to do.
    pub history: &'a History,
    /// How to show what is done.
    pub context: Context,
    /// Whether what nothing in the policy covers is listed too.
    pub whole_bucket: bool,
    /// How many requests list a bucket at a time.
    pub listings_at_once: usize,
}

/// A plan that was made.
#[derive(Debug)]
pub struct Made {
    /// Its file.
    pub path: PathBuf,
    /// Its header.
    pub header: PlanHeader,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of the file.
    pub digest: String,
    /// What was asked of single objects.
    pub reads: ReadReport,
    /// Buckets that a plan to narrow had to leave out.
    pub broken: Vec<Failure>,
    /// What else is to be said of how it was made.
    pub notes: Vec<String>,
}

impl Made {
    /// Whether it would change anything.
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && !self.header.buckets.values().any(plan::BucketPlan::is_changed)
    }
}

/// A plan file that is being written beside its place, and put there when it is whole.
pub struct PlanFile {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

impl PlanFile {
    /// Makes sure that the plan can be written, before anything is listed.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: std::io::Error| {
            Failure::usage(format!("plan {} could not be written: {error}", output::path(path)))
                .help("choose another place with --out FILE")
        };
        if path.is_dir() {
            return Err(Failure::usage(format!("{} is a folder", output::path(path)))
                .help("name a file with --out FILE"));
        }
        if let Ok(mut old) = File::open(path) {
            let mut magic = [0; 4];
            let is_parquet = old.read_exact(&mut magic).is_ok() && &magic == b"PAR1";
            if !is_parquet && old.metadata().map_err(wrong)?.len() > 0 {
                return Err(Failure::usage(format!(
                    "{} is there already, and is no plan",
                    output::path(path)
                ))
                .help("choose another place with --out FILE"));
            }
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), partial, file })
    }

    /// Where it stands.
    fn folder(&self) -> &Path {
        self.partial.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn commit(&self) -> Result<(), Failure> {
        self.file.sync_all().and_then(|()| fs::rename(&self.partial, &self.path)).map_err(|error| {
            Failure::failed(format!("plan {} could not be written: {error}", output::path(&self.path)))
        })
    }
}

impl Drop for PlanFile {
    fn drop(&mut self) {
        // After `commit` it is not there any more.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Lists and decides every bucket, and writes the plan.
pub async fn make(making: &Making<'_>, mut file: PlanFile, mut caching: Caching) -> Result<Made, Failure> {
    let policy = making.policy;
    let mut header = PlanHeader {
        tool: format!("shelflife {}", env!("CARGO_PKG_VERSION")),
        as_of: making.now,
        policy: policy.name.clone(),
        policy_digest: policy.digest.clone(),
        holds_digest: policy.holds_digest.clone(),
        records: making.digests.clone(),
        narrow_only: making.narrow_only,
        buckets: BTreeMap::new(),
        inventories: BTreeMap::new(),
        summary: Vec::new(),
        guards: Vec::new(),
        first_run: Vec::new(),
    };
    let mut contexts = Vec::new();
    let (mut broken, mut notes) = (Vec::new(), Vec::new());
    for (name, enrolled) in &making.enrolment.buckets {
        let earlier = making.earlier.get(name).cloned().unwrap_or_default();
        let (stored, proposal) = match propose(making, name, enrolled, &earlier).await {
            Ok(proposed) => proposed,
            // One that cannot be read must not hold up what a hold has to narrow elsewhere.
            Err(failure) if making.narrow_only => {
                broken.push(failure);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let before = stored.as_deref();
        if !making.narrow_only && making.inventories.contains_key(name) && proposal.merge.removes_more() {
            return Err(unseen_by_guards(name));
        }
        let mut planned = proposal.to_plan(policy, &enrolled.facts, before, making.now);
        planned.drift = earlier.drift(before);
        header.buckets.insert(name.clone(), planned);
        contexts
            .push((enrolled, BucketContext { facts: enrolled.facts.clone(), compiled: proposal.compiled }));
    }

    // Beside the plan there is room for rows, and a folder of temporary files may be memory.
    let folder = file.folder().to_owned();
    let mut writer = PlanWriter::new(&mut file.file).map_err(|error| plan_failure(&error))?;
    let mut planner = Planner::new(policy, making.now);
    let mut spool = Spool::new(move || tempfile::tempfile_in(&folder));
    // Listing billions of objects must not come between a hold and what it narrows.
    for (enrolled, context) in contexts.iter().filter(|_| !making.narrow_only) {
        let reads = caching.reads(&context.facts.name);
        let survey = Survey {
            policy,
            records: making.records,
            bucket: enrolled.bucket.clone(),
            facts: enrolled.facts.clone(),
            now: making.now,
            reads: Arc::clone(&reads),
        };
        if let Some(inventory) = making.inventories.get(&context.facts.name) {
            let used =
                inventory.plan(&survey, context, &mut planner, &mut writer, making.context.quiet).await?;
            header.inventories.insert(context.facts.name.clone(), used);
            caching.count(&reads);
            continue;
        }
        // The rest is unmatched, which no guard counts and no engine touches.
        let under = match making.whole_bucket {
            true => survey::WHOLE_BUCKET.to_vec(),
            false => covered(policy, &context.facts.name, making.now),
        };
        if let Some(planned) = header.buckets.get_mut(&context.facts.name) {
            planned.listed = (under != survey::WHOLE_BUCKET).then(|| under.clone());
        }
        let progress =
            Progress::surveying(&format!("listing {}", context.facts.name), &reads, making.context.quiet);
        let before = planner.clone();
        let mut sink = ToPlan {
            planner: &mut planner,
            before,
            spool: &mut spool,
            writer: &mut writer,
            context,
            progress: &progress,
            stay: PlainCounts::default(),
        };
        let result = survey.run(&under, &mut sink, making.listings_at_once).await;
        progress.finish();
        let listed = result.map_err(|error| match error {
            PlanningError::Store(error) => store_failure(&error),
            PlanningError::File(error) => plan_failure(&error),
            PlanningError::Spool(error) => {
                Failure::failed(format!("rows of the plan could not be put aside: {error}"))
            }
        })?;
        caching.complete(&reads);
        if listed == Listed::OneByOne {
            notes.push(one_by_one(&context.facts.name));
        }
    }
    let reads = caching.end(&making.context);
    for (_, context) in &contexts {
        let name = &context.facts.name;
        if let Some(planned) = header.buckets.get_mut(name) {
            planner.tell_at_once(context, &mut planned.changes);
            planned.warnings.extend(planner.warn_of_no_tenant(name));
        }
    }
    header.summary = planner.summary().lines();
    if !making.narrow_only {
        let (lines, records) = (&header.summary, &header.records);
        header.guards = evaluate_guards(policy, lines, planner.tenants());
        header.guards.extend(compare_with_earlier(policy, lines, records, records, making.history));
        header.first_run = first_runs(&header, making.history);
    }
    let json = serde_json::to_value(&header)
        .map_err(|error| Failure::failed(format!("the plan's header could not be written: {error}")))?;
    let written = writer.finish(&json).map_err(|error| plan_failure(&error))?;
    file.file.flush().map_err(|error| Failure::failed(format!("the plan could not be written: {error}")))?;
    file.commit()?;
    let (path, digest) = (file.path.clone(), written.digest);
    Ok(Made { path, header, rows: written.rows, digest, reads, broken, notes })
}

/// A bucket's lifecycle configuration as the store has it, and what is to become of it.
async fn propose(
    making: &Making<'_>,
    name: &str,
    enrolled: &Enrolled,
    earlier: &Earlier,
) -> Result<(Option<String>, Proposal), Failure> {
    let (policy, now) = (making.policy, making.now);
    let stored = enrolled.bucket.lifecycle().await?;
    let stored = stored.map(|stored| stored.xml);
    let directories = survey::directories(policy, &enrolled.bucket, &enrolled.facts, now);
    let directories = directories.await?;
    let around = Surroundings { altered: earlier.altered.clone(), ..directories.into() };
    let before = stored.as_deref();
    let proposal = if making.narrow_only {
        plan::propose_narrowing(policy, &enrolled.facts, before, &around, now)
    } else {
        plan::propose(policy, &enrolled.facts, before, &around, making.upgrade_v1, now)
    };
    Ok((stored, proposal.map_err(|error| proposal_failure(name, &error))?))
}

pub(super) fn proposal_failure(bucket: &str, error: &plan::ProposalError) -> Failure {
    let failure = Failure::refused(format!("bucket {bucket}: {}", Failure::chain(error)));
    match error {
        plan::ProposalError::Merge(_) => {
            failure.help("pass --upgrade-v1 to have it rewritten in the new form")
        }
        plan::ProposalError::Document(_) | plan::ProposalError::Invalid(_) => failure
            .help("nothing was changed; look at it with `aws s3api get-bucket-lifecycle-configuration`"),
    }
}

/// S3 removes what is in the bucket, and guards count what is in the inventory.
fn unseen_by_guards(bucket: &str) -> Failure {
    let what = format!(
        "bucket {bucket}: S3 would be given a rule that removes more, and an inventory need not show all of \
         what that is"
    );
    Failure::refused(what)
        .help("leave --inventory out, so that the bucket is listed and guards count everything")
}

/// What is said of a bucket that could not be listed as was asked for.
pub(super) fn one_by_one(bucket: &str) -> String {
    format!("{bucket} was listed one page after the other: its store does not list in order from any key on")
}

fn plan_failure(error: &PlanFileError) -> Failure {
    Failure::failed(Failure::chain(error))
}

/// Why a survey ended early.
enum PlanningError {
    Store(StoreError),
    File(PlanFileError),
    Spool(io::Error),
}

impl From<io::Error> for PlanningError {
    fn from(error: io::Error) -> Self {
        Self::Spool(error)
    }
}

impl From<StoreError> for PlanningError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes decided keys into the plan.
struct ToPlan<'s, 'p, 'w> {
    planner: &'s mut Planner<'p>,
    /// As it was before the bucket.
    before: Planner<'p>,
    spool: &'s mut Spool<File>,
    writer: &'s mut PlanWriter<&'w mut File>,
    context: &'s BucketContext,
    progress: &'s Progress,
    /// What stays of the page that is being taken.
    stay: PlainCounts,
}

impl Sink for ToPlan<'_, '_, '_> {
    type Error = PlanningError;
    type Part = Stretch;

    fn key(&mut self, part: &mut Stretch, group: KeyGroup) -> Result<(), PlanningError> {
        for row in self.planner.plan_key(self.context, &group) {
            self.spool.push(part, row)?;
        }
        Ok(())
    }

    fn counts_plain(&self) -> bool {
        true
    }

    fn plain(&mut self, bytes: u64, plain: &Plain<'_>) {
        self.planner.count_plain(&self.context.facts.name, bytes, plain);
    }

    fn stay(&mut self, bytes: u64, stay: Stay) {
        self.stay.add_stay(stay, bytes);
    }

    async fn page_done(&mut self) -> Result<(), PlanningError> {
        self.planner.count_stay(&self.context.facts.name, &mem::take(&mut self.stay));
        Ok(())
    }

    fn join(&mut self, part: Stretch) -> Result<(), PlanningError> {
        self.spool.take(part, |row| self.writer.push(row).map_err(PlanningError::File))
    }

    fn start_over(&mut self) {
        self.planner.clone_from(&self.before);
        self.stay = PlainCounts::default();
        self.spool.clear();
    }

    fn progress(&mut self, listed: u64) {
        self.progress.advance(listed);
    }
}
