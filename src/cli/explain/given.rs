//! `explain --object FILE`: an object as somebody describes it, without a store.

use std::path::Path;

use chrono::Utc;

use super::super::args::ExplainArgs;
use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::inputs;
use super::super::output::{self, WIDTH};
use super::super::record_files::load_records;
use super::explaining::Explaining;
use super::print;
use super::reach::Reach;
use crate::lifecycle::Surroundings;
use crate::policy;

/// Explains the object that the file at `path` describes.
pub fn run(context: &Context, path: &Path, args: &ExplainArgs) -> Result<Exit, Failure> {
    let loaded = inputs::load(&args.policy).map_err(|fault| fault.into_failure(context.err))?;
    let policy = loaded.policy();
    let file = inputs::read_source(path)
        .map_err(|error| Failure::usage(format!("{} could not be read: {error}", output::path(path))))?;
    let given = policy::read_object(policy, &file).map_err(|faults| {
        let shown = policy::render(&faults, std::slice::from_ref(&file), context.err.colour, WIDTH);
        Failure::usage(format!("the object is not described validly\n\n{}", shown.trim_end()))
            .help("what is not known is left out; `shelflife explain --help` names an example")
    })?;
    if given.tenant.is_some() && policy.tenant.is_empty() {
        context.note("note:", "the policy asks for no tenant, so the object's makes no difference");
    }
    let now = args.at.unwrap_or_else(Utc::now);
    let records = load_records(&loaded, now);
    for fault in &records.faults {
        context.note("records:", &fault.message);
    }
    let by_name = Reach::by_name(policy, &given.bucket);
    if by_name.is_none() {
        context.note("note:", "it is taken for granted that the bucket carries the tag that enrols it");
    }
    let explaining = Explaining {
        policy,
        records: &records.records,
        around: &Surroundings::default(),
        facts: &given.facts(),
        reach: by_name.unwrap_or(Reach::Enrolled),
        tenant: given.tenant.as_deref(),
        knows_size: given.size.is_some(),
        now,
    };
    print::print(context, &explaining, &[given.observed()]);
    Ok(Exit::Done)
}
