//! Arguments of `verify` and `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// Evidence logs that follow each other, in any order; or s3://… for a copy in a store
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// The head hash that was printed when a log was closed; that of the newest confirms the others
    #[arg(long, value_name = "SHA256")]
    pub head: Vec<String>,
    /// Ask the store whether what is said to be gone is gone; only reads
    #[arg(long)]
    pub live: bool,
}

/// By what a certificate is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Divided {
    /// By tenant.
    Tenant,
    /// By rule.
    Rule,
}

/// `report`.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Evidence logs of one policy, in any order; or s3://… for a copy in a store
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// A certificate of deletion
    #[arg(long, required = true)]
    pub certificate: bool,
    /// The head hash that was printed when a log was closed; that of the newest confirms the others
    #[arg(long, value_name = "SHA256")]
    pub head: Vec<String>,
    /// Only this tenant's items
    #[arg(long)]
    pub tenant: Option<String>,
    /// Only this rule's items
    #[arg(long)]
    pub rule: Option<String>,
    /// What the counts are divided by
    #[arg(long, default_value = "rule")]
    pub by: Divided,
    /// The policy of the runs: its words and its text go into the certificate
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<PathBuf>,
    /// Write the certificate as an HTML page that can be printed
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// List every item with its key
    #[arg(long)]
    pub keys: bool,
    /// Hide keys and tenants behind HMAC-SHA256 with a secret: a file, or env:NAME
    #[arg(long, value_name = "SECRET")]
    pub redact: Option<String>,
}
