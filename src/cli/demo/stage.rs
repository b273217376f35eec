//! The demo's stage: sandbox, policy folder, and the daily run of Shelflife against them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::books::{Books, Remover};
use super::world::{EMAIL, LEFT_TO_YOU, OTT, RECORDINGS, SHORTER, SHORTER_DAYS, SUED, World};
use crate::cli::applying::{self, Carrying};
use crate::cli::caching::Caching;
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::explain::{Explaining, Reach};
use crate::cli::inputs;
use crate::cli::output::{self, Style};
use crate::cli::planning::{self, Making, PlanFile};
use crate::cli::record_files::{load_records, refuse_faults};
use crate::evidence::{self, ConfigurationResult, ItemResult};
use crate::lifecycle::Surroundings;
use crate::plan::History;
use crate::s3::{ConnectOptions, StaticCredentials, Store};
use crate::sandbox::{
    BucketOptions, LifecycleAction, PutOptions, Refusal, Sandbox, SandboxOptions, Versioning,
};
use crate::survey::{self, LISTINGS_AT_ONCE, Survey};

/// The shipped policies, which the demo lives by.
const POLICIES: [(&str, &str); 4] = [
    ("shelflife.yaml", include_str!("../../../policies/shelflife.yaml")),
    ("ott-media.yaml", include_str!("../../../policies/ott-media.yaml")),
    ("recordings.yaml", include_str!("../../../policies/recordings.yaml")),
    ("email-attachments.yaml", include_str!("../../../policies/email-attachments.yaml")),
];

/// Sandbox and policy.
pub struct Stage {
    world: World,
    folder: PathBuf,
    sandbox: Sandbox,
    store: Store,
    /// The head of the last evidence log, which the next one names.
    head: Option<String>,
    now: DateTime<Utc>,
}

fn wrong(what: &Path) -> impl Fn(std::io::Error) -> Failure {
    let what = output::path(what);
    move |error| Failure::failed(format!("{what} could not be written: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn in_sandbox(refusal: Refusal) -> Failure {
    Failure::failed(format!("the sandbox refused: {refusal}"))
}

impl Stage {
    /// Starts the sandbox, makes the buckets and writes the policy.
    pub async fn build(world: World, folder: &Path, port: Option<u16>) -> Result<Self, Failure> {
        let now = world.first.and_time(NaiveTime::MIN).and_utc();
        let sandbox = Sandbox::start(SandboxOptions { port, ..SandboxOptions::at(now) })
            .await
            .map_err(|error| Failure::failed(format!("the sandbox could not be started: {error}")))?;
        for (bucket, versioning) in
            [(OTT, Versioning::Never), (RECORDINGS, Versioning::Enabled), (EMAIL, Versioning::Never)]
        {
            sandbox
                .create_bucket(BucketOptions { versioning, ..BucketOptions::named(bucket) })
                .map_err(in_sandbox)?;
        }
        let policy = folder.join("policy");
        for part in [&policy.join("records"), &folder.join("evidence")] {
            fs::create_dir_all(part).map_err(wrong(part))?;
        }
        for (name, text) in POLICIES {
            fs::write(policy.join(name), text).map_err(wrong(&policy.join(name)))?;
        }
        let overrides = format!(
            "version: 1\noverrides:\n  - tenants: [\"{SHORTER}\"]\n    rule: recordings\n    retain: {SHORTER_DAYS} days\n"
        );
        fs::write(policy.join("overrides.yaml"), overrides).map_err(wrong(&policy))?;
        let options = ConnectOptions {
            endpoint_url: Some(sandbox.endpoint()),
            region: Some("us-east-1".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: sandbox.access_key().to_owned(),
                secret_access_key: sandbox.secret_key().to_owned(),
            }),
            ..ConnectOptions::default()
        };
        let store =
            Store::connect(&options).await.map_err(|error| Failure::failed(Failure::chain(&error)))?;
        Ok(Self { world, folder: folder.to_owned(), sandbox, store, head: None, now })
    }

    /// The sandbox's address.
    pub fn endpoint(&self) -> String {
        self.sandbox.endpoint()
    }

    /// The policy folder.
    pub fn policy(&self) -> PathBuf {
        self.folder.join("policy")
    }

    /// The latest plan.
    pub fn plan(&self) -> PathBuf {
        self.folder.join("plan.parquet")
    }

    /// The folder of the evidence logs.
    pub fn evidence(&self) -> PathBuf {
        self.folder.join("evidence")
    }

    /// Lives through `day`: midnight, Shelflife's run, and the day's uploads.
    pub async fn live(&mut self, day: NaiveDate, books: &mut Books) -> Result<(), Failure> {
        self.turn_to(World::run_at(day), books)?;
        let records = self.policy().join("records/customers.csv");
        fs::write(&records, self.world.customers(day)).map_err(wrong(&records))?;
        if day == self.world.hold_placed() {
            let holds = self.policy().join("holds.yaml");
            let text = format!(
                "version: 1\nholds:\n  - id: case-7\n    reason: Preservation order\n    select: {{tenants: [\"{SUED}\"], buckets: [\"acme-*\"]}}\n    released: {}\n",
                self.world.hold_released()
            );
            fs::write(&holds, text).map_err(wrong(&holds))?;
        }
        self.reconcile(books).await?;
        for bucket in [OTT, RECORDINGS, EMAIL] {
            let entries = self.sandbox.list_everything(bucket).map_err(in_sandbox)?;
            let there: BTreeSet<String> = entries.into_iter().map(|entry| entry.key).collect();
            books.compare(bucket, &there, self.now);
        }
        for sent in self.world.uploads(day) {
            self.turn_to(sent.at, books)?;
            let mut object = PutOptions::size(sent.size);
            if let Some(text) = sent.said.text() {
                object = object.metadata("communication-date", &text);
            }
            self.sandbox.put_object(sent.bucket, &sent.key, object).map_err(in_sandbox)?;
            books.uploaded(sent);
        }
        Ok(())
    }

    /// Turns the clock; what S3 removes on the way goes into the books.
    fn turn_to(&mut self, at: DateTime<Utc>, books: &mut Books) -> Result<(), Failure> {
        let events = self
            .sandbox
            .advance_to(at)
            .map_err(|error| Failure::failed(format!("the sandbox's clock: {error}")))?;
        for event in events {
            if matches!(event.action, LifecycleAction::Expired | LifecycleAction::NoncurrentExpired) {
                books.removed_by(&event.bucket, &event.key, &Remover::S3(event.rule), event.at);
            }
        }
        self.now = at;
        Ok(())
    }

    /// One run of `shelflife reconcile`.
    async fn reconcile(&mut self, books: &mut Books) -> Result<(), Failure> {
        let plain = Style { colour: false };
        let loaded = inputs::load(&self.policy()).map_err(|fault| fault.into_failure(plain))?;
        let records = load_records(&loaded, self.now);
        refuse_faults(&records.faults, false)?;
        let policy = loaded.policy();
        let enrolment = survey::enrol(&self.store, policy).await?;
        let making = Making {
            policy,
            records: &records.records,
            digests: records.digests.clone(),
            enrolment: &enrolment,
            now: self.now,
            upgrade_v1: false,
            narrow_only: false,
            earlier: BTreeMap::new(),
            inventories: &BTreeMap::new(),
            history: &History::default(),
            context: Context { json: false, quiet: true, out: plain, err: plain },
            whole_bucket: false,
            listings_at_once: LISTINGS_AT_ONCE,
        };
        let file = PlanFile::create(&self.plan())?;
        let made = planning::make(&making, file, Caching::default()).await?;
        if made.is_empty() {
            return Ok(());
        }
        let plan = applying::open(&self.plan())?;
        let now = self.now;
        let log = self.evidence().join(format!("{}.evidence.jsonl", now.format("%Y-%m-%d")));
        let carried = applying::carry_out(&Carrying {
            plan: &plan,
            policy,
            records: &records.records,
            enrolment: &enrolment,
            digests: &records.digests,
            history: History::default(),
            exports: &BTreeMap::new(),
            accepted: &[],
            first_run: true,
            limit: None,
            stop_file: None,
            upgrade_v1: false,
            narrow_only: false,
            evidence: log.clone(),
            endpoint: Some(self.endpoint()),
            previous_head: self.head.take(),
            clock: &move || now,
            copying: None,
            stop: Arc::new(AtomicBool::new(false)),
            max_rate: None,
            at_once: crate::apply::CHUNKS_AT_ONCE,
            first_pause: std::time::Duration::from_millis(250),
            quiet: true,
        })
        .await?;
        self.head = Some(carried.head);
        for (bucket, configured) in carried.applied.configured {
            if configured.result != ConfigurationResult::Applied {
                books.fault(format!("{bucket}: its lifecycle configuration ended as {configured:?}"));
            }
        }
        for outcome in outcomes(&log)? {
            if outcome.result == ItemResult::Deleted {
                books.removed_by(&outcome.bucket, &outcome.key, &Remover::Shelflife, self.now);
            } else {
                books.fault(format!("{}/{} ended as {}", outcome.bucket, outcome.key, outcome.result.word()));
            }
        }
        Ok(())
    }

    /// Verifies every log, and holds the books to them; says how many there are.
    pub fn verify_all(&self, books: &mut Books) -> Result<u64, Failure> {
        let mut logs: Vec<PathBuf> = fs::read_dir(self.evidence())
            .map_err(wrong(&self.evidence()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        logs.sort();
        let mut head: Option<String> = None;
        for log in &logs {
            let file = File::open(log).map_err(wrong(log))?;
            match evidence::verify(BufReader::new(file), None) {
                Ok(verified) if verified.end == evidence::End::Finished => {
                    if verified.opening.previous_head != head {
                        books.fault(format!("{} does not follow the log before it", output::path(log)));
                    }
                    head = Some(verified.head);
                }
                Ok(_) => books.fault(format!("{} was not finished", output::path(log))),
                Err(error) => books.fault(format!("{}: {}", output::path(log), Failure::chain(&error))),
            }
            for outcome in outcomes(log)? {
                books.is_in_evidence(&outcome.bucket, &outcome.key);
            }
        }
        books.close_evidence();
        Ok(logs.len() as u64)
    }

    /// Explains an object as `shelflife explain` does.
    pub async fn explain(&self, bucket: &str, key: &str, style: Style) -> Result<String, Failure> {
        let loaded = inputs::load(&self.policy()).map_err(|fault| fault.into_failure(style))?;
        let records = load_records(&loaded, self.now);
        let bucket = self.store.bucket(bucket).await?;
        let facts = bucket.facts().await?;
        let directories = survey::directories(loaded.policy(), &bucket, &facts, self.now);
        let directories = directories.await?;
        let around = Surroundings::from(directories);
        let survey = Survey {
            policy: loaded.policy(),
            records: &records.records,
            bucket,
            facts: facts.clone(),
            now: self.now,
            reads: Arc::default(),
        };
        let examined = survey.examine(key).await?;
        let explaining = Explaining {
            policy: loaded.policy(),
            records: &records.records,
            around: &around,
            facts: &facts,
            reach: Reach::Enrolled,
            tenant: None,
            knows_size: true,
            now: self.now,
        };
        let texts: Vec<String> = examined.observed().map(|object| explaining.text(&object, style)).collect();
        Ok(texts.join("\n"))
    }

    /// Keeps the sandbox up until Ctrl-C, and says how to use it. Its clock is set to the real
    /// time, and stands still there.
    pub async fn serve(&self, context: &Context) -> Result<(), Failure> {
        let now = Utc::now();
        self.sandbox
            .advance_to(now)
            .map_err(|error| Failure::failed(format!("the sandbox's clock: {error}")))?;
        let policy = self.policy();
        let records = policy.join("records/customers.csv");
        fs::write(&records, self.world.customers(now.date_naive())).map_err(wrong(&records))?;
        output::print("");
        output::print(&context.out.bold("The sandbox stays up. In another terminal:"));
        output::print(&format!(
            "\n  export AWS_ACCESS_KEY_ID={}\n  export AWS_SECRET_ACCESS_KEY={}\n  \
             export AWS_REGION=us-east-1\n  export AWS_ENDPOINT_URL={}\n\n  \
             aws s3 ls --recursive s3://{OTT}\n  \
             aws s3api get-bucket-lifecycle-configuration --bucket {OTT}\n  \
             shelflife plan {policy}\n  \
             shelflife apply shelflife-plan.parquet --policy {policy} --first-run\n\n\
             The recordings of customer {LEFT_TO_YOU} are due. Ctrl-C ends it.",
            self.sandbox.access_key(),
            self.sandbox.secret_key(),
            self.endpoint(),
            policy = output::path(&policy)
        ));
        // An error means that there is no such signal to wait for.
        let _ = tokio::signal::ctrl_c().await;
        Ok(())
    }
}

fn outcomes(log: &Path) -> Result<Vec<evidence::ItemOutcome>, Failure> {
    let file = File::open(log).map_err(wrong(log))?;
    evidence::done(BufReader::new(file))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::failed(format!("{}: {}", output::path(log), Failure::chain(&error))))
}
