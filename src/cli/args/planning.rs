//! What `plan` and `reconcile` have in common, and what an audit shares with them.

use std::path::PathBuf;

use clap::Args;

/// Where the policy is.
#[derive(Args, Clone, Debug)]
pub struct PolicyArg {
    /// Policy: a folder of YAML files, or one file
    #[arg(value_name = "POLICY", default_value = "policies")]
    pub policy: PathBuf,
}

/// What both `plan` and `reconcile` take.
#[derive(Args, Clone, Debug)]
pub struct Planning {
    /// Where the policy is.
    #[command(flatten)]
    pub policy: PolicyArg,
    /// Where earlier reads are kept.
    #[command(flatten)]
    pub cache: CacheArg,
    /// Take values from faulty record files as unknown, instead of refusing to go on
    #[arg(long)]
    pub tolerate_record_faults: bool,
    /// Rewrite a lifecycle configuration of the old form (rules with a bare Prefix)
    #[arg(long)]
    pub upgrade_v1: bool,
    /// Only make S3 do less, at once and without listing: for the moment a hold is placed
    #[arg(long)]
    pub narrow_only: bool,
    /// Start from an S3 Inventory instead of listing its bucket: a manifest.json, here or at s3://; for
    /// several buckets, several times
    #[arg(long, value_name = "MANIFEST", conflicts_with = "narrow_only")]
    pub inventory: Vec<String>,
    /// List all of each bucket: also what nothing in the policy covers, which then is counted
    #[arg(long, conflicts_with = "narrow_only")]
    pub whole_bucket: bool,
}

impl Planning {
    /// Whether to go on with faulty record files: to make S3 do less nothing is looked up in them.
    pub const fn tolerates(&self) -> bool {
        self.tolerate_record_faults || self.narrow_only
    }
}

/// Where earlier reads are kept.
#[derive(Args, Clone, Debug, Default)]
pub struct CacheArg {
    /// Keep the metadata and content types that are read in this file, and read only what is new next
    /// time; what is deleted is decided from fresh reads all the same
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
}
