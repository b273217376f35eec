//! `shelflife verify`: whether an evidence log is as it was written.

use std::fs::File;
use std::io::BufReader;

use serde_json::json;

use super::args::VerifyArgs;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output;
use crate::evidence::{self, End, Verified};
use crate::text;

/// Verifies the log.
pub fn run(context: &Context, args: &VerifyArgs) -> Result<Exit, Failure> {
    let path = output::path(&args.log);
    let file = File::open(&args.log)
        .map_err(|error| Failure::usage(format!("{path} could not be opened: {error}")))?;
    let verified = evidence::verify(BufReader::new(file), args.head.as_deref()).map_err(|error| {
        Failure::failed(format!("{path}: {}", text::terminal(&Failure::chain(&error))))
            .help("the log is not as it was written; compare it with a copy, such as the CI job's artefact")
    })?;
    if context.json {
        output::print_json(&as_json(&verified));
    } else {
        show(context, &verified);
    }
    Ok(if verified.end == End::Finished { Exit::Done } else { Exit::Failed })
}

fn show(context: &Context, verified: &Verified) {
    let style = context.out;
    let entries = text::count(verified.entries);
    output::print(&style.green(&if verified.head_confirmed {
        format!("the chain of {entries} entries is whole, and ends as it was said to")
    } else {
        format!("the chain of {entries} entries agrees with itself")
    }));
    let mut rows = vec![
        vec!["policy".to_owned(), verified.opening.policy.clone()],
        vec!["plan".to_owned(), verified.opening.plan_digest.clone()],
        vec!["head".to_owned(), verified.head.clone()],
    ];
    for (result, count) in &verified.totals.items {
        rows.push(vec![result.word().to_owned(), text::count(*count)]);
    }
    for (result, count) in &verified.totals.configurations {
        rows.push(vec!["lifecycle".to_owned(), format!("{} {result:?}", text::count(*count)).to_lowercase()]);
    }
    output::print(&output::table(0, &[], &[], rows));
    match verified.end {
        End::Finished => {}
        End::Interrupted => output::print(
            &style.yellow("the run was interrupted; the same `shelflife apply` goes on from there"),
        ),
        End::Open => output::print(&output::wrap(
            &style.red("the log has no closing entry: "),
            "the run still goes on, was killed, or the end was cut off",
        )),
    }
    for open in verified.unresolved.iter().take(10) {
        output::print(&format!("no outcome: {}/{}", open.bucket, text::terminal(&open.key)));
    }
    if !verified.head_confirmed {
        output::print(&style.dim(
            "without --head and the hash that was printed, a log that was cut off or\n\
             written anew from its beginning is not found",
        ));
    }
}

fn as_json(verified: &Verified) -> serde_json::Value {
    let unresolved: Vec<_> = verified
        .unresolved
        .iter()
        .map(|open| {
            json!({
                "bucket": open.bucket, "key": open.key,
                "version_id": open.version_id, "upload_id": open.upload_id,
            })
        })
        .collect();
    json!({
        "entries": verified.entries,
        "head": verified.head,
        "head_confirmed": verified.head_confirmed,
        "end": format!("{:?}", verified.end).to_lowercase(),
        "opening": verified.opening,
        "totals": verified.totals,
        "unresolved": unresolved,
        "unresolved_configurations": verified.unresolved_configurations,
    })
}
