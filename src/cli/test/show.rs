//! What a test run looks like: to people as a test runner's output, and as JSON.

use serde_json::{Value, json};

use super::super::check::report;
use super::super::context::Context;
use super::super::output::{self, WIDTH};
use super::judge::{Check, Outcome};
use super::outcomes::Run;
use crate::policy;
use crate::text;

/// Shows the run.
pub fn show(context: &Context, run: &Run) {
    if context.json {
        output::print_json(&as_json(run));
        return;
    }
    for invalid in &run.invalid {
        let shown = policy::render(&invalid.faults, &invalid.sources, context.err.colour, WIDTH);
        output::note(shown.trim_end());
        output::note("");
    }
    let mut file = None;
    for outcome in &run.outcomes {
        if file != Some(&outcome.at.file) {
            if file.is_some() {
                output::print("");
            }
            file = Some(&outcome.at.file);
            output::print(&context.out.bold(&text::terminal(&outcome.at.file)));
        }
        one(context, outcome);
    }
    summary(context, run);
}

fn one(context: &Context, outcome: &Outcome) {
    let style = context.out;
    let word = if outcome.passed() { style.green("ok") } else { style.red("FAILED") };
    let lead = if outcome.passed() { format!("{word}      ") } else { format!("{word}  ") };
    output::print(&output::wrap(&lead, &text::terminal(&outcome.name)));
    if outcome.passed() {
        return;
    }
    output::print(&format!("        {}:{}", text::terminal(&outcome.at.file), outcome.at.line));
    for check in outcome.checks.iter().filter(|check| !check.differences.is_empty()) {
        output::print(&format!("        on {}, line {}", check.date, check.at.line));
        differences(check);
    }
}

fn differences(check: &Check) {
    for difference in &check.differences {
        let lead = format!("          {:<9}", difference.what);
        output::print(&output::wrap(&format!("{lead} expected "), &difference.expected));
        output::print(&output::wrap(&format!("{:<19} found    ", ""), &difference.found));
    }
    let told = check.differences.iter().any(|difference| difference.what == "reason");
    if !told && !check.found.reasons.is_empty() {
        let reasons = check.found.reasons.join("; ");
        output::print(&output::wrap(&format!("          {:<9} ", "because"), &text::terminal(&reasons)));
    }
}

fn summary(context: &Context, run: &Run) {
    let style = context.out;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let passed = run.outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = run.outcomes.len() - passed;
    let mut words =
        format!("{} in {}: {passed} passed", count(run.outcomes.len(), "test"), count(run.files, "file"));
    if failed > 0 {
        words.push_str(&format!(", {failed} failed"));
    }
    if run.left_out > 0 {
        words.push_str(&format!(", {} left out", run.left_out));
    }
    if !run.invalid.is_empty() {
        words.push_str(&format!(", {} not valid", count(run.invalid.len(), "file")));
    }
    output::print("");
    let good = failed == 0 && run.invalid.is_empty() && passed > 0;
    output::print(&if good { style.green(&words) } else { style.red(&words) });
    if !run.never_expired.is_empty() {
        let rules = run.never_expired.join(", ");
        context.note("note:", &format!("no test has seen anything expire under: {rules}"));
    }
}

fn as_json(run: &Run) -> Value {
    let tests: Vec<Value> = run.outcomes.iter().map(outcome).collect();
    let passed = run.outcomes.iter().filter(|outcome| outcome.passed()).count();
    let invalid: Vec<Value> = run
        .invalid
        .iter()
        .flat_map(|invalid| invalid.faults.iter().map(|fault| report::as_json(fault, &invalid.sources)))
        .collect();
    json!({
        "passed": passed,
        "failed": run.outcomes.len() - passed,
        "left_out": run.left_out,
        "files": run.files,
        "tests": tests,
        "diagnostics": invalid,
        "never_expired": run.never_expired,
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let checks: Vec<Value> = outcome.checks.iter().map(one_check).collect();
    json!({
        "name": outcome.name,
        "file": outcome.at.file,
        "line": outcome.at.line,
        "passed": outcome.passed(),
        "checks": checks,
    })
}

fn one_check(check: &Check) -> Value {
    let differences: Vec<Value> = check
        .differences
        .iter()
        .map(|one| json!({ "what": one.what, "expected": one.expected, "found": one.found }))
        .collect();
    let found = &check.found;
    json!({
        "date": check.date,
        "line": check.at.line,
        "passed": check.differences.is_empty(),
        "differences": differences,
        "found": {
            "decision": found.decision,
            "due": found.due,
            "rules": found.rules,
            "holds": found.holds,
            "erasures": found.erasures,
            "tenant": found.tenant,
            "reasons": found.reasons,
        },
    })
}
