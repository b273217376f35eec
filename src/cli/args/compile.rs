//! Options of `compile`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PolicyArg;

/// `compile`.
#[derive(Args, Clone, Debug)]
pub struct CompileArgs {
    /// Where the policy is.
    #[command(flatten)]
    pub policy: PolicyArg,
    /// What to print
    #[arg(long, value_name = "FORM")]
    pub to: Form,
    /// Only this bucket; may be repeated, and is needed where the policy names patterns
    #[arg(long, value_name = "NAME")]
    pub bucket: Vec<String>,
    /// Ask the store which buckets there are and how they keep versions; only reads
    #[arg(long)]
    pub live: bool,
    /// How the buckets keep versions; needed where rules depend on it and the store is not asked
    #[arg(long, value_name = "STATE", conflicts_with = "live")]
    pub versioning: Option<KeepsVersions>,
    /// With iam: which command it is to be enough for
    #[arg(long = "for", value_name = "COMMAND", required_if_eq("to", "iam"))]
    pub duty: Option<For>,
    /// With iam --for apply: for which engine; both if not given
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<ForEngine>,
    /// File to write; stdout if not given
    #[arg(long, short, value_name = "FILE", alias = "output")]
    pub out: Option<PathBuf>,
}

/// The forms that `compile` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lifecycle configuration of one bucket, for the AWS CLI.
    Json,
    /// The same for the API.
    Xml,
    /// `aws_s3_bucket_lifecycle_configuration`, one for each bucket.
    Terraform,
    /// A template with the buckets.
    Cloudformation,
    /// The least IAM policy.
    Iam,
}

/// How buckets keep versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepsVersions {
    /// They never did.
    Never,
    /// They do.
    Enabled,
    /// They did.
    Suspended,
}

/// A command to have permissions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// `plan`, `check --live` and `explain`.
    Plan,
    /// `apply` and `reconcile`.
    Apply,
    /// Looking, and asking S3 when it would remove each object.
    Audit,
}

/// An engine to have permissions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForEngine {
    /// Writes lifecycle configurations, and removes nothing itself.
    Lifecycle,
    /// Removes what is due, and leaves lifecycle configurations alone.
    Direct,
    /// Both.
    Both,
}
