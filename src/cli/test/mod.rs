//! `shelflife test`: runs the policy's own tests, as one tests code.

mod files;
mod judge;
mod outcomes;
mod show;
mod tables;

use std::collections::BTreeSet;

use super::args::TestArgs;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs;
use super::output;
use crate::policy::{self, Case, Policy};

use outcomes::{Invalid, Run};

/// Runs the tests.
pub fn run(context: &Context, args: &TestArgs) -> Result<Exit, Failure> {
    let path = &args.policy.policy;
    let loaded = inputs::load(path).map_err(|fault| fault.into_failure(context.err))?;
    let files = files::find(&loaded.folder)?;
    if files.is_empty() {
        return Err(Failure::usage(format!(
            "there are no tests: no *.test.yaml in {}",
            output::path(&loaded.folder)
        ))
        .help("the README shows a first one, under \"Test a policy\""));
    }
    let mut all = Run {
        outcomes: Vec::new(),
        invalid: Vec::new(),
        never_expired: Vec::new(),
        files: files.len(),
        left_out: 0,
    };
    let mut expired = BTreeSet::new();
    for file in &files {
        match policy::read_cases(&loaded.sources, file) {
            Ok(cases) => {
                for case in &cases {
                    if args.only.as_ref().is_some_and(|text| !is_wanted(case, text)) {
                        all.left_out += 1;
                        continue;
                    }
                    let outcome = judge::judge(case)?;
                    expired.extend(outcome.expired_rules.iter().cloned());
                    all.outcomes.push(outcome);
                }
            }
            Err(faults) => {
                let sources = loaded.sources.iter().chain([file]).cloned().collect();
                all.invalid.push(Invalid { faults, sources });
            }
        }
    }
    if args.only.is_none() {
        all.never_expired = never_expired(loaded.policy(), &expired);
    }
    show::show(context, &all);
    let failed = all.outcomes.iter().any(|outcome| !outcome.passed());
    if !all.invalid.is_empty() {
        return Ok(Exit::Usage);
    }
    if all.outcomes.is_empty() {
        let text = args.only.as_deref().unwrap_or_default();
        return Err(Failure::usage(format!(
            "no test was run: none of {} has {text:?} in its name",
            all.left_out
        ))
        .help("`--only` takes a part of a test's name or of its file's path, as it is written"));
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn is_wanted(case: &Case, text: &str) -> bool {
    case.name.contains(text) || case.at.file.contains(text)
}

fn never_expired(policy: &Policy, expired: &BTreeSet<String>) -> Vec<String> {
    policy.rules.iter().map(|rule| rule.id.clone()).filter(|id| !expired.contains(id)).collect()
}
