//! `shelflife check`: validates a policy and its record files, shows every fault at its place, and
//! with `--live` what the store says to it.
//!
//! `report` has the forms for people and JSON, `sarif` the one for code hosts, `live` asks the store.

mod explain;
mod live;
pub mod report;
mod sarif;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::args::{CheckArgs, StoreArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs::{self, Loaded, PolicyFault};
use super::output;
use super::record_files::{FileProblem, load_records};
use crate::lint;
use crate::policy::{self, Code, Diagnostic, Severity};
use report::{Report, print_part};

/// Checks the policy as it is at `now`.
pub async fn run(
    context: &Context,
    store: &StoreArgs,
    args: &CheckArgs,
    now: DateTime<Utc>,
) -> Result<Exit, Failure> {
    if context.json && (args.sarif || args.schema || args.explain.is_some()) {
        return Err(Failure::usage("--json, --sarif, --schema and --explain exclude each other")
            .help("choose one of them"));
    }
    if let Some(code) = &args.explain {
        return explain::run(code);
    }
    if args.schema {
        output::print(&format!("{:#}", policy::schema()));
        return Ok(Exit::Done);
    }
    let mut looked = None;
    let report = match inputs::load(&args.policy.policy) {
        Ok(loaded) => {
            let mut diagnostics = lint::lint(&loaded.read, now);
            diagnostics.extend(record_faults(&loaded, now));
            if args.live {
                looked = Some(live::look(context, store, &loaded, now).await);
            }
            if let Some(Ok(live)) = &mut looked {
                diagnostics.append(&mut live.findings);
            }
            Report { diagnostics, sources: loaded.sources, valid: true }
        }
        Err(PolicyFault::Invalid(diagnostics, sources)) => Report { diagnostics, sources, valid: false },
        Err(fault @ PolicyFault::Files(_)) => return Err(fault.into_failure(context.err)),
    };
    let (live, failure) = match looked {
        None => (None, None),
        Some(Ok(live)) => (Some(live), None),
        Some(Err(failure)) => (None, Some(failure)),
    };
    if args.sarif {
        let started_in = std::env::current_dir().unwrap_or_default();
        output::print_json(&sarif::log(&report, &started_in));
    } else if context.json {
        let live = live.as_ref().map_or(Value::Null, live::Live::json);
        output::print_json(&report.json(&live));
    } else {
        print_part(&report.text(context.out));
        print_part(&live.as_ref().map(|live| live.text(context.out)).unwrap_or_default());
        if args.live && !report.valid {
            print_part("the store was not asked: the policy has to be valid first");
        }
        output::print(&report.verdict(context.out));
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(exit(&report, args.deny.is_some())),
    }
}

/// What the store refuses is a failure; what the policy or the record files say is wrong usage.
fn exit(report: &Report, deny_warnings: bool) -> Exit {
    let of_one = |found: &Diagnostic| match found.severity {
        Severity::Error if live::is_of_the_store(found.code) => Exit::Failed,
        Severity::Error => Exit::Usage,
        Severity::Warning if deny_warnings => Exit::Usage,
        Severity::Warning | Severity::Note => Exit::Done,
    };
    report.diagnostics.iter().map(of_one).max().unwrap_or(Exit::Done)
}

/// The faults of record files, each where the policy names the file.
fn record_faults(loaded: &Loaded, now: DateTime<Utc>) -> Vec<Diagnostic> {
    let diagnostic = |problem: FileProblem| {
        let table = loaded.policy().tables.get(problem.table);
        let name = table.map_or("", |table| table.name.as_str());
        let help = if problem.is_remark {
            "have every row name every column, empty ones as null"
        } else {
            "what depends on it is kept; export it again"
        };
        Diagnostic {
            code: Code::RecordFile,
            // An export that has grown old is no fault of the policy, and an example of one is bound to.
            severity: if problem.is_of_the_date { Severity::Note } else { Severity::Warning },
            at: loaded.read.place_of_table(name).clone(),
            message: problem.message,
            help: Some(help.to_owned()),
            related: Vec::new(),
        }
    };
    load_records(loaded, now).faults.into_iter().map(diagnostic).collect()
}
