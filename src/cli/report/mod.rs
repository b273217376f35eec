//! `shelflife report --certificate`: what was deleted, when, and under which policy.

mod made;
mod page;
mod show;

use std::fs::File;
use std::io::Read;

use chrono::{DateTime, Utc};

use super::args::{ReportArgs, StoreArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::{inputs, logs, output};
use crate::report::Redaction;

/// More is no secret but another file.
const LONGEST_SECRET: u64 = 4096;

/// Makes the certificate.
pub async fn run(
    context: &Context,
    args: &StoreArgs,
    report: &ReportArgs,
    now: DateTime<Utc>,
) -> Result<Exit, Failure> {
    let redaction = report.redact.as_deref().map(secret).transpose()?;
    let page = report.html.as_deref().map(page::Page::create).transpose()?;
    let policy = match &report.policy {
        Some(path) => Some(inputs::load(path).map_err(|fault| fault.into_failure(context.err))?),
        None => None,
    };
    let logs = logs::check(logs::open(context, args, &report.logs).await?, &report.head)?;
    let made = made::make(&logs, report, policy.as_ref(), redaction.as_ref(), now)?;
    if let Some(page) = page {
        page.write(&made, |each| made.rows(&logs, each))?;
    }
    if context.json {
        show::as_json(&made, &logs)?;
    } else {
        show::text(context, &made, &logs, report.html.as_deref())?;
    }
    Ok(Exit::Done)
}

/// The secret that names are hidden behind: of a file without its last line break, or of the
/// environment.
fn secret(from: &str) -> Result<Redaction, Failure> {
    let help = "make one with `openssl rand -hex 32`, and keep it where the certificate is not";
    let wrong = |why: String| Failure::usage(format!("--redact: {why}")).help(help);
    let secret = if let Some(name) = from.strip_prefix("env:") {
        let value = std::env::var_os(name).ok_or_else(|| wrong(format!("{name} is not set")))?;
        value.into_encoded_bytes()
    } else {
        let path = std::path::Path::new(from);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST_SECRET + 1).read_to_end(&mut bytes));
        read.map_err(|error| wrong(format!("{} could not be read: {error}", output::path(path))))?;
        if bytes.len() as u64 > LONGEST_SECRET {
            return Err(wrong(format!("{} is too long for a secret", output::path(path))));
        }
        bytes
    };
    let end = secret.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    Redaction::by(&secret[..end]).map_err(|short| wrong(short.to_string()))
}
