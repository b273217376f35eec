//! A store in memory, and one run of a plan's configurations on it through the library, as the commands do it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use shelflife::apply::{self, Applied, Configured, DoneRows, Pace, Run, Watch};
use shelflife::evidence::{EvidenceLog, Opening};
use shelflife::lifecycle::{LifecycleDocument, RuleView, Surroundings};
use shelflife::plan::{PlanHeader, propose};
use shelflife::policy::{self, Policy, SourceFile};
use shelflife::records::Records;
use shelflife::s3::{ConnectOptions, StaticCredentials, Store};
use shelflife::sandbox::{
    BucketOptions, Effect, Fault, MinimumSize, RequestRecord, Sandbox, SandboxOptions, Versioning,
};
use shelflife::survey;

pub const GET: &str = "GetBucketLifecycleConfiguration";
pub const PUT: &str = "PutBucketLifecycleConfiguration";
pub const DELETE: &str = "DeleteBucketLifecycle";

/// A bucket at the start.
#[derive(Clone, Debug)]
pub struct Place {
    pub name: &'static str,
    pub versioning: Versioning,
    /// The rules of others.
    pub foreign: String,
    pub minimum: MinimumSize,
}

impl Place {
    pub fn new(name: &'static str, foreign: &str) -> Self {
        Self {
            name,
            versioning: Versioning::Never,
            foreign: foreign.to_owned(),
            minimum: MinimumSize::VariesByStorageClass,
        }
    }
}

/// Where a run is cut off: at its request of this number, the first being 1.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub request: usize,
    /// Whether that request is still carried out, so that only its answer is missing.
    pub arrives: bool,
}

pub struct Stage {
    pub sandbox: Sandbox,
    store: Store,
    folder: tempfile::TempDir,
    runs: AtomicUsize,
}

impl Drop for Stage {
    /// The hooks hold clones of the sandbox.
    fn drop(&mut self) {
        self.sandbox.stop();
    }
}

/// A policy of rules that are written out, in YAML.
pub fn yaml(rules: &str) -> String {
    format!(
        "version: 1\nname: acme\ntolerance: 30 days\ntenant:\n  - key: \"*/{{tenant}}/**\"\nrules:\n{rules}"
    )
}

/// The same as it is read.
pub fn policy(rules: &str) -> Policy {
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: yaml(rules).into_bytes() }];
    match policy::read(&files) {
        Ok(read) => read.policy,
        Err(faults) => panic!("{}", policy::render(&faults, &files, false, 100)),
    }
}

/// A rule of a policy, in YAML.
pub fn rule(id: &str, bucket: &str, select: &str, days: u32, more: &str) -> String {
    format!(
        "  - {{id: {id}, select: {{buckets: [{bucket}]{select}}}, trigger: uploaded, retain: {days} days{more}}}\n"
    )
}

pub fn document(rules: &str) -> String {
    format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>")
}

/// Somebody's rule, that reaches what ours do.
pub fn foreign(id: &str) -> String {
    format!(
        "<Rule><ID>{id}</ID><Filter><And><Prefix>in</Prefix><Tag><Key>a</Key><Value>b &amp; c</Value></Tag></And>\
         </Filter><Status>Enabled</Status><Expiration><Days>45</Days></Expiration><Later/></Rule>"
    )
}

impl Stage {
    pub async fn set(places: &[Place]) -> Self {
        let start = "2026-06-01T12:00:00Z".parse().unwrap();
        let sandbox = Sandbox::start(SandboxOptions::at(start)).await.unwrap();
        for place in places {
            let options = BucketOptions { versioning: place.versioning, ..BucketOptions::named(place.name) };
            sandbox.create_bucket(options).unwrap();
            if !place.foreign.is_empty() {
                let foreign = document(&place.foreign);
                sandbox.put_lifecycle_with(place.name, &foreign, place.minimum).unwrap();
            }
        }
        let options = ConnectOptions {
            endpoint_url: Some(sandbox.endpoint()),
            region: Some("us-east-1".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: sandbox.access_key().to_owned(),
                secret_access_key: sandbox.secret_key().to_owned(),
            }),
            first_pause: Some(Duration::from_millis(5)),
            ..ConnectOptions::default()
        };
        let store = Store::connect(&options).await.unwrap();
        Self { sandbox, store, folder: tempfile::tempdir().unwrap(), runs: AtomicUsize::new(0) }
    }

    /// What the policy would change now.
    pub async fn plan(&self, policy: &Policy) -> PlanHeader {
        let now = self.sandbox.now();
        let mut buckets = BTreeMap::new();
        for (name, enrolled) in survey::enrol(&self.store, policy).await.unwrap().buckets {
            let stored = enrolled.bucket.lifecycle().await.unwrap();
            let before = stored.as_ref().map(|stored| stored.xml.as_str());
            let proposal =
                propose(policy, &enrolled.facts, before, &Surroundings::NOTHING, true, now).unwrap();
            buckets.insert(name, proposal.to_plan(policy, &enrolled.facts, before, now));
        }
        PlanHeader {
            tool: "shelflife".to_owned(),
            as_of: now,
            policy: policy.name.clone(),
            policy_digest: policy.digest.clone(),
            holds_digest: policy.holds_digest.clone(),
            records: BTreeMap::new(),
            narrow_only: false,
            buckets,
            inventories: BTreeMap::new(),
            summary: Vec::new(),
            guards: Vec::new(),
            first_run: Vec::new(),
        }
    }

    /// Carries a plan's configurations out; `None` where the run was cut off before its end. `before` is
    /// called when the run is about to begin.
    pub async fn apply(
        &self,
        policy: &Policy,
        header: &PlanHeader,
        cut: Option<Cut>,
        before: impl FnOnce(),
    ) -> Option<BTreeMap<String, Configured>> {
        let enrolment = survey::enrol(&self.store, policy).await.unwrap();
        let now = self.sandbox.now();
        let opening = Opening {
            policy: policy.name.clone(),
            policy_digest: policy.digest.clone(),
            holds_digest: policy.holds_digest.clone(),
            plan_digest: String::new(),
            guards_accepted: Vec::new(),
            endpoint: None,
            as_of: now,
            keep_until: None,
            previous_head: None,
            planned: None,
        };
        let log = self.folder.path().join(format!("{}.jsonl", self.runs.fetch_add(1, Ordering::SeqCst)));
        let mut log = EvidenceLog::create(&log, now, opening).unwrap();
        let mut applied = Applied::default();
        let (records, stop) = (Records { tables: Vec::new() }, AtomicBool::new(false));
        let run = Run {
            policy,
            records: &records,
            header,
            buckets: &enrolment.buckets,
            exports: &BTreeMap::new(),
            upgrade_v1: true,
            narrow_only: false,
            is_canary: false,
            clock: &move || now,
            stop: &stop,
            stop_file: None,
            pace: &Pace::new(None),
            at_once: 1,
            first_pause: std::time::Duration::ZERO,
        };
        before();
        let done = DoneRows::default();
        let begun = self.sandbox.requests().len();
        if let Some(Cut { request, arrives }) = cut {
            let last = if arrives { Effect::AnswerLost } else { Effect::Unreachable };
            self.sandbox.faults().add(Fault::on("*", last).calls(request, request));
            self.sandbox.faults().add(Fault::on("*", Effect::Unreachable).calls(request + 1, usize::MAX));
        }
        {
            let rows = std::iter::empty();
            let mut nobody = Nobody;
            let running = apply::run(&run, rows, &done, &mut log, &mut applied, &mut nobody);
            tokio::select! {
                biased;
                () = self.reached(cut.map(|cut| begun + cut.request)) => {}
                ended = running => ended.unwrap(),
            }
        }
        self.sandbox.faults().clear();
        // It may have given up before it could be killed.
        let is_cut = cut.is_some_and(|cut| self.sandbox.requests().len() >= begun + cut.request);
        (!is_cut).then_some(applied.configured)
    }

    /// Waits until so many requests were dealt with.
    async fn reached(&self, count: Option<usize>) {
        while count.is_none_or(|count| self.sandbox.requests().len() < count) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// A run from the plan to its end, where nothing goes wrong.
    pub async fn reconcile(&self, policy: &Policy) {
        let header = self.plan(policy).await;
        let told = self.apply(policy, &header, None, || ()).await.unwrap();
        for (bucket, configured) in told {
            assert_eq!(
                configured.result,
                shelflife::evidence::ConfigurationResult::Applied,
                "{bucket}: {configured:?}"
            );
        }
    }

    /// The rules that stand in a bucket.
    pub fn rules(&self, bucket: &str) -> Vec<RuleView> {
        rules(self.sandbox.lifecycle(bucket).unwrap().as_deref())
    }

    /// Has `hook` called before each request about a configuration, with its number.
    pub fn on_each(&self, hook: impl FnMut(usize, &RequestInHand) + Send + 'static) {
        let shared = Arc::new(Mutex::new((0, hook)));
        for operation in [GET, PUT, DELETE] {
            let shared = Arc::clone(&shared);
            self.sandbox.on_request(operation, move |call| {
                let mut shared = shared.lock().unwrap();
                shared.0 += 1;
                let bucket = call.bucket.clone().unwrap();
                let (number, hook) = &mut *shared;
                hook(*number, &RequestInHand { bucket, writes: operation != GET });
            });
        }
    }

    /// The requests since the `begun`th.
    pub fn requests_since(&self, begun: usize) -> Vec<RequestRecord> {
        self.sandbox.requests().split_off(begun)
    }
}

/// A request that is about to be served.
pub struct RequestInHand {
    pub bucket: String,
    pub writes: bool,
}

pub fn rules(xml: Option<&str>) -> Vec<RuleView> {
    let document = xml.map(|xml| LifecycleDocument::read(xml).unwrap());
    document.iter().flat_map(|document| document.rules()).map(|rule| rule.view().clone()).collect()
}

pub fn is_ours(rule: &RuleView) -> bool {
    rule.id.as_ref().is_some_and(|id| id.starts_with("shelflife:acme:"))
}

/// The texts of a configuration's rules.
pub fn texts(xml: &str) -> Vec<String> {
    let ends = xml.split("<Rule>").skip(1).map(|rule| rule.split_once("</Rule>").unwrap().0);
    ends.map(|rule| format!("<Rule>{rule}</Rule>")).collect()
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

struct Nobody;

impl Watch for Nobody {}
