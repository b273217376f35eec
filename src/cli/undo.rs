//! `shelflife undo`: puts lifecycle configurations back as they were before a run, and takes away the
//! delete markers that its undo windows put.

mod configurations;
mod files;
mod hidden;
mod removed;
mod selected;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::json;

use self::configurations::{RunLog, UNKNOWN, Way};
use self::files::evidence_failure;
use self::hidden::Buckets;
use self::told::Told;
use super::args::{StoreArgs, UndoArgs, UndoSelect};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Style;
use super::{evidence_files, live, output, store};
use crate::apply::Configured;
use crate::evidence::{
    ConfigurationIntent, ConfigurationOutcome, ConfigurationResult, EvidenceError, EvidenceLog, ItemResult,
    Opening,
};
use crate::text;

/// What allows S3 to remove more again.
const WIDENING: &str = "widening";

/// Undoes a run.
pub async fn run(context: &Context, args: &StoreArgs, undo: &UndoArgs) -> Result<Exit, Failure> {
    let RunLog { opening, mut written, torn } = configurations::read(&undo.log)?;
    if let Some(line) = torn {
        let what = format!(
            "line {line} of {} is torn, and nothing is undone by it; what it was about is looked for in the \
             store",
            output::path(&undo.log)
        );
        context.note("note:", &what);
    }
    let UndoSelect { bucket, key_prefix, tenant, rule } = &undo.select;
    if [bucket, key_prefix, tenant, rule].into_iter().any(Option::is_some) {
        // A configuration is of a whole bucket.
        written.clear();
    }
    let store = store::connect(args, None).await?;
    live::must_be_store_of_run(context, args, &store, opening.endpoint.as_deref())?;
    let ways = configurations::ways(&store, &opening.policy, written).await?;
    let mut buckets = Buckets::of(&store);
    let told = hidden::look(&undo.log, &undo.select, &mut buckets).await?;
    if !context.json {
        told.print(context.out);
        ways.known.keys().for_each(|bucket| {
            output::print(&format!("{bucket}: its lifecycle configuration can be put back"));
        });
        if undo.dry_run {
            ways.unknown.iter().for_each(|bucket| print_not_put_back(context.out, bucket, Some(UNKNOWN)));
        }
    }
    let restores = undo.restore_exports && told.copied.count > 0;
    let is_found = told.found.count > 0 && is_accepted(undo, told::FOUND);
    let has_ways = !ways.known.is_empty() || !ways.unknown.is_empty();
    let is_nothing = told.can.count == 0 && !has_ways && !restores && !is_found;
    // What could not be asked is not known to be gone.
    if told.unknown() > 0 {
        let what = format!("{} hidden objects could not be asked for", text::count(told.unknown()));
        return Err(Failure::failed(what).help("nothing was changed; try again when the store answers"));
    }
    if undo.dry_run || is_nothing {
        if context.json {
            output::print_json(&json!({
                "exit": 0, "dry_run": undo.dry_run, "objects": told.json(),
                "configurations_unknown": ways.unknown,
            }));
        } else if is_nothing && told.copied.count > 0 {
            output::print("pass --restore-exports to put the copies back");
        } else if is_nothing && told.found.count > 0 {
            output::print("nothing else is left of the run to undo");
        } else if is_nothing {
            output::print("there is nothing left of the run to undo; what it deleted is gone");
        } else {
            output::print("nothing was changed");
        }
        return Ok(Exit::Done);
    }
    must_be_accepted(undo, &told, &ways.known)?;
    let path = evidence_path(&undo.log);
    let wrong = |error: &EvidenceError| evidence_failure(&path, error);
    let opening = after_the_newest(opening, &path);
    let mut log = EvidenceLog::create(&path, Utc::now(), opening).map_err(|error| wrong(&error))?;
    let unknown = || Configured { result: ConfigurationResult::Moved, detail: Some(UNKNOWN.to_owned()) };
    let mut done: BTreeMap<&str, Configured> =
        ways.unknown.iter().map(|bucket| (bucket.as_str(), unknown())).collect();
    for (bucket, way) in &ways.known {
        let intent = ConfigurationIntent {
            bucket: bucket.clone(),
            before: way.intent.after.clone(),
            after: crate::plan::xml_of(&way.back.target()),
            changes: vec!["put back as it was before the run".to_owned()],
        };
        log.configuration_intent(Utc::now(), intent).map_err(|error| wrong(&error))?;
        let configured = match store.bucket(bucket).await {
            Ok(bucket) => way.back.go(&bucket).await,
            Err(error) => {
                Configured { result: ConfigurationResult::Failed, detail: Some(Failure::chain(&error)) }
            }
        };
        let Configured { result, detail } = configured.clone();
        let outcome =
            ConfigurationOutcome { bucket: bucket.clone(), result, detail, altered: BTreeSet::new() };
        log.configuration_outcome(Utc::now(), outcome).map_err(|error| wrong(&error))?;
        done.insert(bucket, configured);
    }
    let mut results = BTreeMap::new();
    let undone = hidden::carry_out(undo, &mut buckets, (&path, &mut log), &mut results).await;
    let head = log.close(Utc::now(), undone.is_ok()).map_err(|error| wrong(&error))?.head;
    let exit = show(context, &done, &told, &results, &path, &head);
    undone.map(|()| exit)
}

fn is_accepted(undo: &UndoArgs, what: &str) -> bool {
    undo.accept.iter().any(|accepted| accepted == what)
}

/// What makes S3 remove more, or data be seen again, has to be said.
fn must_be_accepted(undo: &UndoArgs, told: &Told, ways: &BTreeMap<String, Way>) -> Result<(), Failure> {
    let is_accepted = |what: &str| is_accepted(undo, what);
    let wider: Vec<&str> =
        ways.iter().filter(|(_, way)| way.back.removes_more()).map(|(bucket, _)| bucket.as_str()).collect();
    if !wider.is_empty() && !is_accepted(WIDENING) {
        let what = format!("in {} S3 would remove more again than it does now", wider.join(", "));
        return Err(Failure::refused(what).help(format!(
            "that may be what a hold or a longer period has stopped; pass --accept {WIDENING} if it is meant"
        )));
    }
    if told.can.count > 0 && !is_accepted(told::MARKERS) {
        let what = format!("{} hidden objects would be seen again", text::count(told.can.count));
        return Err(Failure::refused(what).help(format!(
            "pass --accept {} if that is meant; the next run hides them again unless a hold keeps them",
            told::MARKERS
        )));
    }
    Ok(())
}

/// The opening of the log at `path`, which follows the newest one there: other runs can have followed the run
/// that is undone, and their logs could else be taken away without a gap.
fn after_the_newest(opening: Opening, path: &Path) -> Opening {
    let folder = path.parent().unwrap_or(Path::new("."));
    let newest = evidence_files::previous_head(folder, &opening.policy, path);
    Opening { previous_head: newest.or(opening.previous_head), ..opening }
}

/// Beside the log that is undone; another try has a name of its own.
fn evidence_path(log: &Path) -> PathBuf {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".evidence.jsonl").unwrap_or(&name).to_owned();
    let tries = (1..).map(|n| log.with_file_name(format!("{stem}.undo-{n}.evidence.jsonl")));
    tries.into_iter().find(|path| !path.exists()).unwrap_or_else(|| log.with_extension("undo.jsonl"))
}

fn show(
    context: &Context,
    done: &BTreeMap<&str, Configured>,
    told: &Told,
    results: &BTreeMap<ItemResult, u64>,
    path: &Path,
    head: &str,
) -> Exit {
    let exit = done.values().map(|configured| match configured.result {
        ConfigurationResult::Applied => Exit::Done,
        ConfigurationResult::Moved => Exit::Refused,
        _ => Exit::Failed,
    });
    let failed = [ItemResult::Denied, ItemResult::Failed, ItemResult::Unclear];
    let some_failed = failed.iter().any(|result| results.contains_key(result)).then_some(Exit::SomeFailed);
    let exit = exit.chain(some_failed).max().unwrap_or(Exit::Done);
    if context.json {
        let buckets: BTreeMap<&str, _> = done
            .iter()
            .map(|(bucket, it)| (*bucket, json!({ "result": it.result, "detail": it.detail })))
            .collect();
        let results: BTreeMap<&str, u64> = results.iter().map(|(it, count)| (it.word(), *count)).collect();
        let evidence = path.display().to_string();
        output::print_json(&json!({
            "exit": exit.code(), "configurations": buckets, "objects": told.json(), "results": results,
            "evidence": evidence, "head": head,
        }));
        return exit;
    }
    let style = context.out;
    for (bucket, configured) in done {
        if configured.result == ConfigurationResult::Applied {
            let words = style.green("the lifecycle configuration is as it was before the run");
            output::print(&output::wrap(&format!("{bucket}: "), &words));
        } else {
            print_not_put_back(style, bucket, configured.detail.as_deref());
        }
    }
    if !results.is_empty() {
        let rows = results.iter().map(|(result, count)| vec![result.word().to_owned(), text::count(*count)]);
        output::print(&output::table(0, &[], &[1], rows.collect()));
        output::print(&style.yellow("the next run hides them again: place a hold on them before it comes"));
    }
    output::print("what the run deleted is gone");
    output::print(&format!("evidence  {}", output::path(path)));
    output::print(&format!("head      {head}"));
    exit
}

fn print_not_put_back(style: Style, bucket: &str, why: Option<&str>) {
    let words = style.red("the lifecycle configuration was not put back");
    output::print(&output::wrap(&format!("{bucket}: "), &words));
    if let Some(why) = why {
        output::print(&output::wrap("  ", &text::terminal(why)));
    }
}
