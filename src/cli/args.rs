//! The command line: commands, options, and the help that goes with them.

mod compile;
mod evidence;
mod planning;

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use compile::{CompileArgs, For, ForEngine, Form, KeepsVersions};
pub use evidence::{Divided, ReportArgs, VerifyArgs};
pub use planning::{CacheArg, Planning, PolicyArg};

/// Keeps media in S3 exactly as long as a retention notice promises.
#[derive(Debug, Parser)]
#[command(name = "shelflife", version, max_term_width = 80, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

const EXIT_CODES: &str = "\
Exit codes:
  0 done, nothing pending     4 refused: guard, stale plan, moved configuration
  1 failed                    5 changes pending (plan --detailed-exitcode)
  2 usage or invalid policy   6 not kept (audit), or not true (verify)
  3 some objects failed       130 interrupted

Try it without a store:  shelflife demo";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Print the result as JSON on stdout
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// No progress bars and no notes on stderr
    #[arg(long, short, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// When to use colours; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: ColorWhen,
    /// Where the store is
    #[command(flatten)]
    pub store: StoreArgs,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where the store is, as in the AWS CLI.
#[derive(Args, Clone, Debug, Default)]
pub struct StoreArgs {
    /// Address of an S3-compatible store
    #[arg(long, global = true, value_name = "URL", help_heading = "Store")]
    pub endpoint_url: Option<String>,
    /// Region; else the environment's, or the profile's
    #[arg(long, global = true, help_heading = "Store")]
    pub region: Option<String>,
    /// Profile of the shared AWS configuration
    #[arg(long, global = true, help_heading = "Store")]
    pub profile: Option<String>,
    /// Put the bucket's name into the path instead of the host
    #[arg(long, global = true, help_heading = "Store")]
    pub path_style: bool,
    /// Allow plain http beyond this machine
    #[arg(long, global = true, help_heading = "Store")]
    pub allow_http: bool,
    /// Pay for requests to buckets whose requester pays
    #[arg(long, global = true, help_heading = "Store")]
    pub request_payer: bool,
    /// Longest first pause before a request is sent again, in milliseconds
    #[arg(long, global = true, value_name = "MS", env = "SHELFLIFE_RETRY_PAUSE", help_heading = "Store")]
    pub retry_pause: Option<u64>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Validate a policy and show every fault at its place
    #[command(
        after_help = "Examples:\n  shelflife check policies/\n  shelflife check policies/ --live --deny warnings\n  shelflife check --explain SL0401"
    )]
    Check(CheckArgs),
    /// List, decide, and write down what would change
    #[command(
        after_help = "Examples:\n  shelflife plan policies/\n  shelflife plan policies/ --out nightly.parquet --detailed-exitcode"
    )]
    Plan(PlanArgs),
    /// Carry out a plan; goes on where an interrupted run stopped
    #[command(after_help = "Example:\n  shelflife apply shelflife-plan.parquet --policy policies/")]
    Apply(ApplyArgs),
    /// Plan and apply in one go, for CI
    #[command(after_help = "Example:\n  shelflife reconcile policies/ --evidence-dir evidence/")]
    Reconcile(ReconcileArgs),
    /// Tell whether the notice is kept now: what is overdue, what S3 would remove early
    #[command(
        after_help = "Examples:\n  shelflife audit policies/\n  shelflife audit policies/ --sample 2000 --json\n\nExits with 6 if the notice is not kept."
    )]
    Audit(AuditArgs),
    /// Tell why an object is kept or not, step by step
    #[command(
        after_help = "Examples:\n  shelflife explain s3://acme-ott-media/inbound/4711/photo.jpg --policy policies/\n  shelflife explain --object photo.yaml --at 2026-12-24"
    )]
    Explain(ExplainArgs),
    /// Run the policy's own tests: *.test.yaml beside it
    #[command(
        after_help = "Examples:\n  shelflife test policies/\n  shelflife test policies/ --only 'thirty days'"
    )]
    Test(TestArgs),
    /// Print what other tools take: lifecycle rules, or the least IAM policy
    #[command(
        after_help = "Examples:\n  shelflife compile policies/ --to terraform --versioning never --out retention.tf\n  shelflife compile policies/ --to json --bucket acme-ott-media --live\n  shelflife compile policies/ --to iam --for apply --live"
    )]
    Compile(CompileArgs),
    /// Check evidence logs: nothing edited, removed or missing
    #[command(
        after_help = "Examples:\n  shelflife verify shelflife-plan.3f2a9c41d07b.evidence.jsonl --head 5d41402a…\n  shelflife verify evidence/*.jsonl --head 5d41402a… --live"
    )]
    Verify(VerifyArgs),
    /// Certify what was deleted, when, and under which policy
    #[command(
        after_help = "Examples:\n  shelflife report --certificate evidence/*.jsonl --policy policies/ --html certificate.html\n  shelflife report --certificate run.evidence.jsonl --tenant 4711 --keys --redact env:SECRET"
    )]
    Report(ReportArgs),
    /// Undo a run: lifecycle configurations, and delete markers that its undo windows put
    #[command(
        after_help = "Examples:\n  shelflife undo shelflife-plan.3f2a9c41d07b.evidence.jsonl --dry-run\n  shelflife undo shelflife-plan.3f2a9c41d07b.evidence.jsonl --tenant 4711 --accept markers"
    )]
    Undo(UndoArgs),
    /// Everything at once, on an S3 in memory, through 20 months in seconds
    #[cfg(feature = "sandbox")]
    #[command(after_help = "Examples:\n  shelflife demo\n  shelflife demo --serve")]
    Demo(DemoArgs),
}

/// `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Where the policy is.
    #[command(flatten)]
    pub policy: PolicyArg,
    /// Fail on warnings too
    #[arg(long, value_name = "warnings", value_parser = ["warnings"])]
    pub deny: Option<String>,
    /// Ask the store too; only reads
    #[arg(long, conflicts_with_all = ["explain", "schema"])]
    pub live: bool,
    /// Print the findings as SARIF 2.1.0, for code hosts
    #[arg(long, group = "form")]
    pub sarif: bool,
    /// Print the JSON Schema of a policy file, for editors
    #[arg(long, group = "form")]
    pub schema: bool,
    /// Tell more about a diagnostic code, such as SL0101
    #[arg(long, value_name = "CODE", group = "form")]
    pub explain: Option<String>,
}

/// `plan`.
#[derive(Args, Clone, Debug)]
pub struct PlanArgs {
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// The plan file to write
    #[arg(long, short, value_name = "FILE", default_value = "shelflife-plan.parquet")]
    pub out: PathBuf,
    /// Folder with the evidence of earlier runs, to compare with; that of the plan if not given
    #[arg(long, value_name = "DIR")]
    pub evidence_dir: Option<PathBuf>,
    /// Decide for another day or instant (2026-12-24, 2026-12-24T00:00:00Z)
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    pub as_of: Option<DateTime<Utc>>,
    /// Exit with 5 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Requests that list a bucket at a time, at most
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
}

/// What both `apply` and `reconcile` take.
#[derive(Args, Clone, Debug)]
pub struct Applying {
    /// Folder for the evidence log; that of the plan if not given
    #[arg(long, value_name = "DIR")]
    pub evidence_dir: Option<PathBuf>,
    /// Copy the evidence there as well while it is written: s3://bucket/prefix
    #[arg(long, value_name = "S3-URI")]
    pub evidence: Option<String>,
    /// Go beyond this guard, as the plan names it; may be repeated
    #[arg(long, value_name = "GUARD")]
    pub accept: Vec<String>,
    /// Change buckets that no run of this policy has changed before
    #[arg(long)]
    pub first_run: bool,
    /// A canary: only the N rows that are longest due, with all of their keys, and no lifecycle
    /// rule that removes more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "narrow_only")]
    pub limit: Option<u64>,
    /// Delete at most so many keys in a second, in all buckets together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_rate: Option<u32>,
    /// Batches that are worked on at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
}

/// `apply`.
#[derive(Args, Clone, Debug)]
pub struct ApplyArgs {
    /// The plan file
    pub plan: PathBuf,
    /// Policy that the plan was made with
    #[arg(long, value_name = "POLICY", default_value = "policies")]
    pub policy: PathBuf,
    /// Refuse any plan file but the one with this digest
    #[arg(long, value_name = "SHA256")]
    pub expect_digest: Option<String>,
    /// Take values from faulty record files as unknown, instead of refusing to go on
    #[arg(long)]
    pub tolerate_record_faults: bool,
    /// Rewrite a lifecycle configuration of the old form (rules with a bare Prefix)
    #[arg(long)]
    pub upgrade_v1: bool,
    /// Of the plan only what makes S3 do less
    #[arg(long)]
    pub narrow_only: bool,
    /// How it is carried out.
    #[command(flatten)]
    pub applying: Applying,
}

/// `reconcile`.
#[derive(Args, Clone, Debug)]
pub struct ReconcileArgs {
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// The plan file to write
    #[arg(long, short, value_name = "FILE", default_value = "shelflife-plan.parquet")]
    pub out: PathBuf,
    /// How it is carried out.
    #[command(flatten)]
    pub applying: Applying,
}

/// `audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// Where the policy is.
    #[command(flatten)]
    pub policy: PolicyArg,
    /// Where earlier reads are kept.
    #[command(flatten)]
    pub cache: CacheArg,
    /// How many objects to ask the store about: when it will expire them, whether they are replicated
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub sample: usize,
    /// Ask the store about every object
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Requests that list a bucket at a time, at most
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// Take values from faulty record files as unknown, instead of refusing to go on
    #[arg(long)]
    pub tolerate_record_faults: bool,
}

/// `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The object: s3://bucket/key, with ?versionId=… for one version
    #[arg(required_unless_present = "object")]
    pub uri: Option<String>,
    /// Ask about an object that this file describes, without a store
    #[arg(long, value_name = "FILE", conflicts_with = "uri")]
    pub object: Option<PathBuf>,
    /// The policy
    #[arg(long, value_name = "POLICY", default_value = "policies")]
    pub policy: PathBuf,
    /// Ask for another day or instant
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    pub at: Option<DateTime<Utc>>,
}

/// `test`.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// Where the policy is.
    #[command(flatten)]
    pub policy: PolicyArg,
    /// Run only tests with this text in their name or their file's path
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
}

/// `undo`.
#[derive(Args, Clone, Debug)]
pub struct UndoArgs {
    /// The evidence log of the run
    pub log: PathBuf,
    /// `widening`: S3 may remove more again than it does now; `markers`: what the run has hidden
    /// may be seen again; `found-markers`: also where the log does not name the marker
    #[arg(long, value_name = "WHAT")]
    pub accept: Vec<String>,
    /// Put what was exported back in its place, where nothing stands there now
    #[arg(long)]
    pub restore_exports: bool,
    /// Only tell what could be undone
    #[arg(long)]
    pub dry_run: bool,
    /// Which of the objects.
    #[command(flatten)]
    pub select: UndoSelect,
}

/// Which objects of a run are undone; with any of these lifecycle configurations stay as they are.
#[derive(Args, Clone, Debug, Default)]
pub struct UndoSelect {
    /// Only in this bucket
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Only keys that begin with this
    #[arg(long, value_name = "TEXT")]
    pub key_prefix: Option<String>,
    /// Only of this tenant
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// Only of this rule
    #[arg(long, value_name = "ID")]
    pub rule: Option<String>,
}

/// `demo`.
#[cfg(feature = "sandbox")]
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Folder for the policy, the plans and the evidence; a new temporary one if not given
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Keep the sandbox up afterwards, to try by hand
    #[arg(long)]
    pub serve: bool,
    /// Port of the sandbox; any free one if not given
    #[arg(long)]
    pub port: Option<u16>,
}

fn parse_date(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "write a day (2026-12-24) or an instant (2026-12-24T00:00:00Z)".to_owned())
}
