//! `shelflife undo`: puts lifecycle configurations back as they were before a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::json;

use super::args::{StoreArgs, UndoArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::{output, store};
use crate::apply::{Configured, WayBack};
use crate::evidence::{
    self, Body, ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, EvidenceError, EvidenceLog,
    Opening,
};
use crate::text;

/// What allows S3 to remove more again.
const WIDENING: &str = "widening";

/// Puts them back.
pub async fn run(context: &Context, args: &StoreArgs, undo: &UndoArgs) -> Result<Exit, Failure> {
    let (opening, written) = read(&undo.log)?;
    if written.is_empty() {
        output::print("the run wrote no lifecycle configuration; what it deleted is gone");
        return Ok(Exit::Done);
    }
    let mut ways = BTreeMap::new();
    for (bucket, intent) in &written {
        let way =
            WayBack::of(&opening.policy, intent).map_err(|error| Failure::failed(Failure::chain(&error)))?;
        ways.insert(bucket.as_str(), way);
    }
    let wider: Vec<&str> =
        ways.iter().filter(|(_, way)| way.removes_more()).map(|(bucket, _)| *bucket).collect();
    if !wider.is_empty() && !undo.accept.iter().any(|accepted| accepted == WIDENING) {
        let what = format!("in {} S3 would remove more again than it does now", wider.join(", "));
        return Err(Failure::refused(what).help(format!(
            "that may be what a hold or a longer period has stopped; pass --accept {WIDENING} if it is meant"
        )));
    }
    let store = store::connect(args, None).await?;
    let path = evidence_path(&undo.log);
    let wrong = |error: &EvidenceError| {
        Failure::failed(format!("evidence {}: {}", output::path(&path), Failure::chain(error)))
    };
    let mut log = EvidenceLog::create(&path, Utc::now(), opening).map_err(|error| wrong(&error))?;
    let mut done: BTreeMap<&str, Configured> = BTreeMap::new();
    for (bucket, way) in ways {
        let intent = ConfigurationIntent {
            bucket: bucket.to_owned(),
            before: written.get(bucket).and_then(|intent| intent.after.clone()),
            after: crate::plan::xml_of(&way.target()),
            changes: vec!["put back as it was before the run".to_owned()],
        };
        log.configuration_intent(Utc::now(), intent).map_err(|error| wrong(&error))?;
        let configured = match store.bucket(bucket).await {
            Ok(bucket) => way.go(&bucket).await,
            Err(error) => {
                Configured { result: ConfigurationResult::Failed, detail: Some(Failure::chain(&error)) }
            }
        };
        let Configured { result, detail } = configured.clone();
        let outcome =
            ConfigurationOutcome { bucket: bucket.to_owned(), result, detail, altered: BTreeSet::new() };
        log.configuration_outcome(Utc::now(), outcome).map_err(|error| wrong(&error))?;
        done.insert(bucket, configured);
    }
    let head = log.close(Utc::now(), true).map_err(|error| wrong(&error))?.head;
    Ok(show(context, &done, &path, &head))
}

/// The log's opening, and what it last wrote to each bucket.
fn read(log: &Path) -> Result<(Opening, BTreeMap<String, ConfigurationIntent>), Failure> {
    let open = || {
        File::open(log).map(BufReader::new).map_err(|error| {
            Failure::usage(format!("{} could not be opened: {error}", output::path(log)))
                .help("name the evidence log of the run")
        })
    };
    let broken = |error: evidence::VerifyError| {
        Failure::failed(format!("{}: {}", output::path(log), text::terminal(&Failure::chain(&error))))
            .help("the log is not as it was written, so nothing is undone by it")
    };
    let verified = evidence::verify(open()?, None).map_err(broken)?;
    let mut intended = BTreeMap::new();
    let mut written = BTreeMap::new();
    for entry in evidence::entries(open()?) {
        match entry.map_err(broken)?.body {
            Body::ConfigurationIntent(intent) => {
                intended.insert(intent.bucket.clone(), intent);
            }
            Body::ConfigurationOutcome(outcome) if outcome.result == ConfigurationResult::Applied => {
                written.extend(intended.remove(&outcome.bucket).map(|intent| (outcome.bucket, intent)));
            }
            _ => {}
        }
    }
    let opening = Opening { previous_head: Some(verified.head), ..verified.opening };
    Ok((opening, written))
}

/// Beside the log that is undone; another try has a name of its own.
fn evidence_path(log: &Path) -> PathBuf {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".evidence.jsonl").unwrap_or(&name).to_owned();
    let tries = (1..).map(|n| log.with_file_name(format!("{stem}.undo-{n}.evidence.jsonl")));
    tries.into_iter().find(|path| !path.exists()).unwrap_or_else(|| log.with_extension("undo.jsonl"))
}

fn show(context: &Context, done: &BTreeMap<&str, Configured>, path: &Path, head: &str) -> Exit {
    let exit = done.values().map(|configured| match configured.result {
        ConfigurationResult::Applied => Exit::Done,
        ConfigurationResult::Moved => Exit::Refused,
        _ => Exit::Failed,
    });
    let exit = exit.max().unwrap_or(Exit::Done);
    if context.json {
        let buckets: BTreeMap<&str, _> = done
            .iter()
            .map(|(bucket, it)| (*bucket, json!({ "result": it.result, "detail": it.detail })))
            .collect();
        let evidence = path.display().to_string();
        output::print_json(
            &json!({ "exit": exit.code(), "configurations": buckets, "evidence": evidence, "head": head }),
        );
        return exit;
    }
    let style = context.out;
    for (bucket, configured) in done {
        let words = match configured.result {
            ConfigurationResult::Applied => {
                style.green("the lifecycle configuration is as it was before the run")
            }
            _ => style.red("the lifecycle configuration was not put back"),
        };
        output::print(&output::wrap(&format!("{bucket}: "), &words));
        if let Some(detail) = &configured.detail {
            output::print(&output::wrap("  ", &text::terminal(detail)));
        }
    }
    output::print("what the run deleted is gone");
    output::print(&format!("evidence  {}", output::path(path)));
    output::print(&format!("head      {head}"));
    exit
}
