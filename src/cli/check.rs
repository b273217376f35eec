//! `shelflife check`: validates a policy and its record files, and shows every fault at its place.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::args::CheckArgs;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs::{self, PolicyFault};
use super::output::{self, Style, WIDTH};
use crate::policy::{self, Code, Diagnostic, Severity};

/// Checks the policy as it is at `now`.
pub fn run(context: &Context, args: &CheckArgs, now: DateTime<Utc>) -> Result<Exit, Failure> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let (diagnostics, sources, faults) = match inputs::load(&args.policy.policy) {
        Ok(loaded) => {
            let faults = inputs::load_records(&loaded, now).faults;
            (policy::lint(&loaded.read, now), loaded.sources, faults)
        }
        Err(PolicyFault::Invalid(diagnostics, sources)) => (diagnostics, sources, Vec::new()),
        Err(fault @ PolicyFault::Files(_)) => return Err(fault.into_failure(context.err)),
    };
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors + faults.len();
    if context.json {
        let all: Vec<Value> = diagnostics.iter().map(as_json).collect();
        output::print_json(
            &json!({ "errors": errors, "warnings": warnings, "diagnostics": all, "records": faults }),
        );
    } else {
        let shown = policy::render(&diagnostics, &sources, context.out.colour, WIDTH);
        if !shown.is_empty() {
            output::print(shown.trim_end());
            output::print("");
        }
        for fault in &faults {
            output::print(&output::wrap(&format!("{} ", context.out.yellow("records:")), fault));
        }
        output::print(&verdict(context.out, errors, warnings, sources.len()));
    }
    let denied = args.deny.is_some() && warnings > 0;
    Ok(if errors > 0 || denied { Exit::Usage } else { Exit::Done })
}

fn verdict(style: Style, errors: usize, warnings: usize, files: usize) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let text = format!(
        "{} in {}: {}, {}",
        if errors == 0 { "valid" } else { "not valid" },
        count(files, "file"),
        count(errors, "error"),
        count(warnings, "warning")
    );
    match (errors, warnings) {
        (0, 0) => style.green(&text),
        (0, _) => style.yellow(&text),
        _ => style.red(&text),
    }
}

fn as_json(diagnostic: &Diagnostic) -> Value {
    json!({
        "code": diagnostic.code.id(),
        "severity": diagnostic.severity.word(),
        "file": diagnostic.at.file,
        "line": diagnostic.at.line,
        "column": diagnostic.at.column,
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

fn explain(code: &str) -> Result<Exit, Failure> {
    let found = Code::ALL.iter().find(|known| known.id().eq_ignore_ascii_case(code));
    let found = found.ok_or_else(|| {
        Failure::usage(format!("there is no diagnostic {code}")).help("codes look like SL0101")
    })?;
    output::print(&output::wrap("", &format!("{}\n\n{}", found.id(), found.explanation())));
    Ok(Exit::Done)
}
