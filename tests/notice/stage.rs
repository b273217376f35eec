//! The shipped policy on a store in memory: one whole run of Shelflife at any time that a test names, through
//! the library as the commands use it. Records are written anew for each run, as a daily export would be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use shelflife::apply::{self, Applied, DoneRows, Pace, Run, Watch};
use shelflife::audit::{Auditor, Findings, Standing};
use shelflife::decide::{self, Needs};
use shelflife::evidence::{self, ConfigurationResult, EvidenceLog, ItemResult, Opening};
use shelflife::plan::{
    self, BucketContext, KeyGroup, PlanFileError, PlanHeader, PlanReader, PlanRow, PlanWriter, Planner,
};
use shelflife::policy::{self, Policy, RecordFormat, SourceFile};
use shelflife::records::{RecordTable, Records};
use shelflife::s3::{ConnectOptions, StaticCredentials, Store, StoreError};
use shelflife::sandbox::{
    BucketOptions, EntryKind, LifecycleAction, PutOptions, Sandbox, SandboxOptions, Versioning,
};
use shelflife::survey::{self, Enrolment, Seen, Sink, Survey};
use tempfile::TempDir;

/// The files of the shipped policy, its tests aside, and whatever else the test adds.
pub fn shipped(only: &[&str], more: &[(&str, &str)]) -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files: Vec<SourceFile> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| !name.ends_with(".test.yaml"))
        .filter(|(name, _)| only.is_empty() || name == "shelflife.yaml" || only.contains(&name.as_str()))
        .map(|(path, file)| SourceFile { path, bytes: fs::read(file).unwrap() })
        .collect();
    files.extend(
        more.iter().map(|(name, text)| SourceFile { path: (*name).to_owned(), bytes: (*text).into() }),
    );
    files
}

/// Reads a policy, and lifts the guards: where few objects are stored, a fifth of them is soon due.
pub fn read(files: &[SourceFile]) -> Policy {
    let read =
        policy::read(files).unwrap_or_else(|faults| panic!("{}", policy::render(&faults, files, false, 80)));
    let mut policy = read.policy;
    policy.guards.max_share = None;
    policy
}

/// Who removed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    S3,
    Shelflife,
}

/// Something that is gone: a version, or the one object of a key.
#[derive(Clone, Debug)]
pub struct Gone {
    pub bucket: String,
    pub key: String,
    /// The id that the store gave when it was written.
    pub version: String,
    pub at: DateTime<Utc>,
    pub by: Engine,
}

/// A store, and where plans and evidence go.
pub struct Stage {
    pub sandbox: Sandbox,
    store: Store,
    folder: TempDir,
    runs: u32,
    head: Option<String>,
}

impl Stage {
    /// A store at `start` with a bucket for each that the policy names.
    pub async fn set(policy: &Policy, start: DateTime<Utc>, versioned: &[&str]) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(start)).await.unwrap();
        let names: BTreeSet<&str> =
            policy.rules.iter().flat_map(|rule| &rule.select.buckets).map(|name| name.as_str()).collect();
        for name in names {
            let versioning = if versioned.contains(&name) { Versioning::Enabled } else { Versioning::Never };
            sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(name) }).unwrap();
        }
        let options = ConnectOptions {
            endpoint_url: Some(sandbox.endpoint()),
            region: Some("us-east-1".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: sandbox.access_key().to_owned(),
                secret_access_key: sandbox.secret_key().to_owned(),
            }),
            ..ConnectOptions::default()
        };
        let store = Store::connect(&options).await.unwrap();
        Self { sandbox, store, folder: tempfile::tempdir().unwrap(), runs: 0, head: None }
    }

    /// Stores an object at `at`; answers with its version.
    pub fn put(&self, bucket: &str, key: &str, at: DateTime<Utc>, metadata: &[(&str, &str)]) -> String {
        let mut object = PutOptions::size(1_000).last_modified(at);
        for (name, value) in metadata {
            object = object.metadata(name, value);
        }
        self.sandbox.put_object(bucket, key, object).unwrap();
        let entries = self.sandbox.list_everything(bucket).unwrap();
        entries.into_iter().find(|entry| entry.key == key && entry.is_latest).unwrap().id
    }

    /// Turns the clock to `to`; answers with what S3 removed for good on the way.
    pub fn turn(&self, to: DateTime<Utc>) -> Vec<Gone> {
        let events = self.sandbox.advance_to(to).unwrap();
        events
            .into_iter()
            .filter(|event| {
                matches!(event.action, LifecycleAction::Expired | LifecycleAction::NoncurrentExpired)
            })
            .map(|event| {
                assert!(event.rule.starts_with("shelflife:acme-media:"), "{event:?}");
                Gone {
                    bucket: event.bucket,
                    key: event.key,
                    version: event.version_id,
                    at: event.at,
                    by: Engine::S3,
                }
            })
            .collect()
    }

    /// All versions that are there, by bucket, key and id; markers and uploads aside.
    pub fn there(&self, policy: &Policy) -> BTreeSet<(String, String, String)> {
        let names: BTreeSet<&str> =
            policy.rules.iter().flat_map(|rule| &rule.select.buckets).map(|name| name.as_str()).collect();
        names
            .into_iter()
            .flat_map(|name| {
                let entries = self.sandbox.list_everything(name).unwrap();
                entries
                    .into_iter()
                    .filter(|entry| entry.kind == EntryKind::Version)
                    .map(|entry| (name.to_owned(), entry.key, entry.id))
            })
            .collect()
    }

    /// One run: a plan is made, written, read back and carried out. Answers with what it removed, which the
    /// evidence and the store must both say.
    pub async fn run(&mut self, policy: &Policy, exports: &BTreeMap<&str, String>) -> Vec<Gone> {
        let now = self.sandbox.now();
        let records = read_records(policy, exports, now);
        let enrolment = survey::enrol(&self.store, policy).await.unwrap();
        self.runs += 1;
        let path = self.folder.path().join("plan.parquet");
        let header = make(policy, &records, &enrolment, now, &path).await;
        let preflight = apply::Preflight {
            policy,
            header: &header,
            enrolled: &enrolment.buckets,
            records: &header.records,
            history: &plan::History::default(),
            now,
            accepted: &[],
            first_run: true,
            narrow_only: false,
        };
        preflight.check().unwrap();

        let reader = PlanReader::open(File::open(&path).unwrap()).unwrap();
        if reader.row_count() == 0 && !header.buckets.values().any(plan::BucketPlan::is_changed) {
            return Vec::new();
        }
        let before = self.there(policy);
        let log_path = self.folder.path().join(format!("{:05}.evidence.jsonl", self.runs));
        let opening = Opening {
            policy: policy.name.clone(),
            policy_digest: policy.digest.clone(),
            holds_digest: policy.holds_digest.clone(),
            plan_digest: reader.digest().to_owned(),
            guards_accepted: Vec::new(),
            endpoint: None,
            as_of: now,
            keep_until: None,
            previous_head: self.head.take(),
            planned: None,
        };
        let mut log = EvidenceLog::create(&log_path, now, opening).unwrap();
        let mut applied = Applied::default();
        let run = Run {
            policy,
            records: &records,
            header: &header,
            buckets: &enrolment.buckets,
            exports: &BTreeMap::new(),
            upgrade_v1: false,
            narrow_only: false,
            is_canary: false,
            clock: &move || now,
            stop: &AtomicBool::new(false),
            stop_file: None,
            pace: &Pace::new(None),
            at_once: 8,
            first_pause: std::time::Duration::from_millis(10),
        };
        let rows = (0..).zip(reader.rows()).map(|(number, row)| row.map(|row| (number, row)));
        apply::run(&run, rows, &DoneRows::default(), &mut log, &mut applied, &mut Nobody).await.unwrap();
        self.head = Some(log.close(now, true).unwrap().head);
        assert!(applied.broken.is_empty(), "{:?}", applied.broken);
        for (bucket, configured) in &applied.configured {
            assert_eq!(configured.result, ConfigurationResult::Applied, "{now} {bucket}: {configured:?}");
        }
        self.removed(policy, &before, &log_path, now)
    }

    /// What an audit finds at this time.
    pub async fn audit(&self, policy: &Policy, exports: &BTreeMap<&str, String>) -> Findings {
        let now = self.sandbox.now();
        let records = read_records(policy, exports, now);
        let enrolment = survey::enrol(&self.store, policy).await.unwrap();
        let mut auditor = Auditor::new(policy, &records, now, Some(0));
        for (name, enrolled) in &enrolment.buckets {
            let (bucket, facts) = (enrolled.bucket.clone(), enrolled.facts.clone());
            let stored = bucket.lifecycle().await.unwrap();
            let before = stored.as_ref().map(|stored| stored.xml.as_str());
            let directories = survey::directories(policy, &bucket, &facts, now).await.unwrap();
            let proposal = plan::propose(policy, &facts, before, &directories.into(), false, now).unwrap();
            auditor.take_proposal(name, &proposal);
            let context = BucketContext { facts: facts.clone(), compiled: proposal.compiled };
            let standing = Standing { context, document: proposal.before };
            let mut sink = ToAudit { auditor: &mut auditor, standing: &standing };
            Survey { policy, records: &records, bucket, facts, now, reads: std::sync::Arc::default() }
                .run(&survey::WHOLE_BUCKET, &mut sink, 16)
                .await
                .unwrap();
        }
        auditor.findings
    }

    /// What is gone since `before`, held to what the evidence claims.
    fn removed(
        &self,
        policy: &Policy,
        before: &BTreeSet<(String, String, String)>,
        log: &Path,
        now: DateTime<Utc>,
    ) -> Vec<Gone> {
        let after = self.there(policy);
        let gone: Vec<Gone> = before
            .difference(&after)
            .map(|(bucket, key, version)| Gone {
                bucket: bucket.clone(),
                key: key.clone(),
                version: version.clone(),
                at: now,
                by: Engine::Shelflife,
            })
            .collect();
        let told: BTreeSet<(String, String)> = evidence::done(BufReader::new(File::open(log).unwrap()))
            .map(Result::unwrap)
            .map(|outcome| {
                assert_eq!(outcome.result, ItemResult::Deleted, "{now} {outcome:?}");
                (outcome.bucket.into(), outcome.key.into())
            })
            .collect();
        let seen = gone.iter().map(|gone| (gone.bucket.clone(), gone.key.clone())).collect();
        let markers_aside: BTreeSet<_> = told.intersection(&seen).cloned().collect();
        assert_eq!(markers_aside, seen, "{now}: something is gone and no evidence names it");
        for name in &told {
            let is_left = after.iter().any(|(bucket, key, _)| (bucket, key) == (&name.0, &name.1));
            assert!(seen.contains(name) || !is_left, "{now}: {name:?} is claimed to be deleted and is there");
        }
        gone
    }
}

/// Reads the exports as the commands do; a fault in them ends the test.
fn read_records(policy: &Policy, exports: &BTreeMap<&str, String>, now: DateTime<Utc>) -> Records {
    let tables = policy.tables.iter().map(|table| {
        let text = exports.get(table.name.as_str()).unwrap_or_else(|| panic!("no export of {}", table.name));
        let read = match table.format {
            RecordFormat::JsonLines => {
                RecordTable::read_json_lines(table, text.as_bytes(), now, policy.timezone)
            }
            _ => RecordTable::read_csv(table, text.as_bytes(), now, policy.timezone),
        };
        let mut read = read.unwrap_or_else(|error| panic!("{}: {error}", table.name));
        read.judge(table, now);
        assert!(read.faults.is_empty(), "{now} {}: {:?}", table.name, read.faults);
        read.table
    });
    Records { tables: tables.collect() }
}

/// Lists and decides everything, and writes the plan.
async fn make(
    policy: &Policy,
    records: &Records,
    enrolment: &Enrolment,
    now: DateTime<Utc>,
    path: &Path,
) -> PlanHeader {
    let mut header = PlanHeader {
        tool: "shelflife".to_owned(),
        as_of: now,
        policy: policy.name.clone(),
        policy_digest: policy.digest.clone(),
        holds_digest: policy.holds_digest.clone(),
        records: BTreeMap::new(),
        narrow_only: false,
        buckets: BTreeMap::new(),
        inventories: BTreeMap::new(),
        summary: Vec::new(),
        guards: Vec::new(),
        first_run: Vec::new(),
    };
    let mut file = File::create(path).unwrap();
    let mut writer = PlanWriter::new(&mut file).unwrap();
    let mut planner = Planner::new(policy, now);
    for (name, enrolled) in &enrolment.buckets {
        let stored = enrolled.bucket.lifecycle().await.unwrap();
        let before = stored.as_ref().map(|stored| stored.xml.as_str());
        let directories = survey::directories(policy, &enrolled.bucket, &enrolled.facts, now).await.unwrap();
        let proposal =
            plan::propose(policy, &enrolled.facts, before, &directories.into(), false, now).unwrap();
        header.buckets.insert(name.clone(), proposal.to_plan(policy, &enrolled.facts, before, now));
        let context = BucketContext { facts: enrolled.facts.clone(), compiled: proposal.compiled };
        let (bucket, facts) = (enrolled.bucket.clone(), enrolled.facts.clone());
        let under = decide::covered(policy, name, now);
        let mut sink = ToPlan { planner: &mut planner, writer: &mut writer, context: &context };
        Survey { policy, records, bucket, facts, now, reads: std::sync::Arc::default() }
            .run(&under, &mut sink, 16)
            .await
            .unwrap();
    }
    header.summary = planner.summary().lines();
    header.guards = plan::evaluate_guards(policy, &header.summary, planner.tenants());
    writer.finish(&serde_json::to_value(&header).unwrap()).unwrap();
    header
}

struct ToPlan<'s, 'p, 'w> {
    planner: &'s mut Planner<'p>,
    writer: &'s mut PlanWriter<&'w mut File>,
    context: &'s BucketContext,
}

#[derive(Debug)]
#[expect(dead_code, reason = "what a failed test shows")]
enum Failed {
    Store(StoreError),
    File(PlanFileError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Sink for ToPlan<'_, '_, '_> {
    type Error = Failed;
    type Part = Vec<PlanRow>;

    fn key(&mut self, part: &mut Vec<PlanRow>, group: KeyGroup) -> Result<(), Failed> {
        part.extend(self.planner.plan_key(self.context, &group));
        Ok(())
    }

    fn join(&mut self, part: Vec<PlanRow>) -> Result<(), Failed> {
        part.into_iter().try_for_each(|row| self.writer.push(&row).map_err(Failed::File))
    }

    fn start_over(&mut self) {
        unreachable!("the sandbox lists in order")
    }
}

struct ToAudit<'s, 'p> {
    auditor: &'s mut Auditor<'p>,
    standing: &'s Standing,
}

impl Sink for ToAudit<'_, '_> {
    type Error = StoreError;
    type Part = ();

    fn key(&mut self, (): &mut (), _group: KeyGroup) -> Result<(), StoreError> {
        unreachable!("every key is handed over with what was read of it")
    }

    fn seen(&mut self, (): &mut (), seen: &Seen<'_>, group: KeyGroup) -> Result<(), StoreError> {
        self.auditor.take(self.standing, &seen.versions().collect::<Vec<_>>(), &group);
        Ok(())
    }

    fn asks(&self, seen: &Seen<'_>) -> Vec<Needs> {
        self.auditor.asks(self.standing, &seen.versions().collect::<Vec<_>>())
    }

    fn join(&mut self, (): ()) -> Result<(), StoreError> {
        Ok(())
    }

    fn start_over(&mut self) {
        unreachable!("the sandbox lists in order")
    }
}

struct Nobody;

impl Watch for Nobody {}
