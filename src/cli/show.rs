//! Showing plans and what was carried out, to people and to machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::applying::Carried;
use super::context::Context;
use super::copying::Copied;
use super::exit::{Exit, Failure};
use super::output::{self, Style};
use super::planning::Made;
use crate::evidence::{ConfigurationResult, ItemResult};
use crate::plan::{BucketPlan, Disposal, InventoryUse, Line, PlanHeader, Tally, total};
use crate::text;

/// How many of the starts of keys that were listed are named.
const MOST_STARTS: usize = 10;

/// A rule's id that is longer has a line to itself.
const LONG_ID: usize = 20;

/// Prints a plan that was made, and what to type next.
pub fn plan(context: &Context, made: &Made, next: &str) {
    if context.json {
        output::print_json(&plan_json(made));
        return;
    }
    let style = context.out;
    let header = &made.header;
    let as_of = header.as_of.format("%Y-%m-%d %H:%M UTC");
    output::print(&style.bold(&format!("plan of {} as of {as_of}", header.policy)));
    for (name, bucket) in &header.buckets {
        output::print("");
        self::bucket(style, header, name, bucket);
    }
    for failure in &made.broken {
        output::print(&style.red(&output::wrap("left out: ", &text::terminal(&failure.message))));
    }
    output::print("");
    guards(style, header);
    let removed = total(&header.summary, Line::is_removed);
    output::print(&format!(
        "{} to remove or abort, {} of them by Shelflife itself",
        removed.words(),
        text::count(made.rows)
    ));
    let marked = total(&header.summary, |line| line.disposal == Some(Disposal::Marked));
    if marked.objects > 0 {
        output::print(&format!("{} of these only hidden for now, by delete markers", marked.words()));
    }
    let erased = total(&header.summary, |line| line.is_removed() && line.erasure.is_some());
    if erased.objects > 0 {
        output::print(&format!("{} of these on request to erase", erased.words()));
    }
    if let Some(reads) = made.reads.words() {
        output::print(&output::wrap("reads   ", &reads));
    }
    output::print(&format!("plan    {}", output::path(&made.path)));
    output::print(&format!("digest  {}", made.digest));
    if header.buckets.values().any(|bucket| !bucket.alarms.is_empty()) {
        let why = "a lifecycle rule that is not the policy's can break the promise; take it away, or except what it covers in the policy";
        output::print(&style.red(&output::wrap("ALARM   ", why)));
    }
    if made.is_empty() {
        output::print(&style.green("nothing to do"));
    } else {
        output::print(&format!("next    {}", style.bold(next)));
    }
}

fn bucket(style: Style, header: &PlanHeader, name: &str, bucket: &BucketPlan) {
    output::print(&style.bold(name));
    for (rule, engine) in &bucket.engines {
        let lead = if rule.len() > LONG_ID { format!("  {rule}\n    ") } else { format!("  {rule}  ") };
        output::print(&output::wrap(&lead, &text::terminal(engine)));
    }
    let rows: Vec<Vec<String>> = header
        .summary
        .iter()
        .filter(|line| line.bucket == name)
        .map(|line| {
            vec![
                match (&line.erasure, &line.rule) {
                    (Some(erasure), _) => format!("erasure {erasure}"),
                    (None, Some(rule)) => rule.clone(),
                    (None, None) => "–".to_owned(),
                },
                line.verdict.clone(),
                text::count(line.tally.objects),
                text::bytes(line.tally.bytes),
                line.tally.oldest_due.map(|due| due.format("%Y-%m-%d").to_string()).unwrap_or_default(),
                line.disposal.map(|disposal| disposal.words().to_owned()).unwrap_or_default(),
            ]
        })
        .collect();
    if rows.is_empty() {
        let is_of_inventory = header.inventories.contains_key(name);
        output::print(&style.dim(match (header.narrow_only, is_of_inventory, bucket.listed.as_deref()) {
            (true, ..) | (false, false, Some([])) => "  not listed",
            (false, true, _) => "  nothing in the inventory",
            (false, false, Some(_)) => "  nothing where something is covered",
            (false, false, None) => "  nothing there",
        }));
    } else {
        output::print(&output::table(
            2,
            &["rule", "decision", "objects", "bytes", "oldest due", ""],
            &[2, 3],
            rows,
        ));
    }
    if let Some(under) = &bucket.listed {
        output::print(&output::wrap("  listed: ", &text::terminal(&listed(under))));
    }
    if let Some(used) = header.inventories.get(name) {
        output::print(&output::wrap("  inventory: ", &text::terminal(&inventory(used))));
    }
    for change in &bucket.changes {
        let word = match change.kind.as_str() {
            "kept" => style.dim("kept"),
            "narrowed" | "removed" => style.yellow(&change.kind),
            other => style.red(other),
        };
        output::print(&output::wrap(&format!("  lifecycle rule {word}: "), &text::terminal(&change.id)));
        for (sign, words) in [("-", &change.before), ("+", &change.after)] {
            if let (Some(words), true) = (words, change.kind != "kept") {
                output::print(&output::wrap(&format!("    {sign} "), &text::terminal(words)));
            }
        }
    }
    let mut at_once: BTreeMap<&str, Tally> = BTreeMap::new();
    for change in &bucket.changes {
        at_once.entry(&change.rule).or_default().merge(change.at_once.unwrap_or_default());
    }
    for (rule, tally) in at_once.iter().filter(|(_, tally)| tally.objects > 0) {
        let what = format!("under the rule {rule} S3 removes {} as soon as this is written", tally.words());
        output::print(&output::wrap("  ", &text::terminal(&what)));
    }
    for refused in &bucket.refused {
        output::print(&style.red(&output::wrap("  error: ", &text::terminal(refused))));
        output::print("         write `enforce: auto` or `direct`; until then nobody removes it");
    }
    for rule in &bucket.no_undo {
        let what = format!("`undo-window` of the rule {rule} needs a bucket that keeps versions");
        output::print(&style.red(&output::wrap("  error: ", &what)));
        output::print("         turn versioning on, or take it out; until then its objects stay");
    }
    for alarm in &bucket.alarms {
        output::print(&style.red(&output::wrap("  ALARM: ", &text::terminal(alarm))));
    }
    for drift in &bucket.drift {
        output::print(&style.yellow(&output::wrap("  drift: ", &text::terminal(drift))));
    }
    for warning in &bucket.warnings {
        output::print(&style.yellow(&output::wrap("  warning: ", &text::terminal(warning))));
    }
}

/// What of a bucket was listed, in words.
fn listed(under: &[String]) -> String {
    let (named, more) = under.split_at(under.len().min(MOST_STARTS));
    let more =
        if more.is_empty() { String::new() } else { format!(" and {} more", text::count(more.len() as u64)) };
    match named {
        [] => "nothing; no rule, erasure or hold covers any key (--whole-bucket lists them all)".to_owned(),
        named => format!(
            "only under {}{more}; the rest of the bucket is covered by nothing and was not listed (--whole-bucket lists it)",
            named.join(", ")
        ),
    }
}

/// What of a bucket's counts is from its inventory, in words.
fn inventory(used: &InventoryUse) -> String {
    let InventoryUse { created, rows, counted, looked_up, gone, .. } = used;
    format!(
        "{} rows as of {}; {} are counted by what they say, {} keys were looked up, {} of them gone; what is newer waits for the next one",
        text::count(*rows),
        created.format("%Y-%m-%d %H:%M UTC"),
        text::count(*counted),
        text::count(*looked_up),
        text::count(*gone),
    )
}

fn guards(style: Style, header: &PlanHeader) {
    for guard in &header.guards {
        let word = if guard.kept { style.green("kept:") } else { style.red("exceeded:") };
        output::print(&output::wrap(&format!("guard   {word} "), &guard.describe()));
    }
    if header.broken_guards().next().is_some() {
        output::print("        look at what would go; if it is right, accept that, or raise the limit");
    }
    if !header.first_run.is_empty() {
        let lead = format!("{} ", style.yellow("first run on:"));
        output::print(&output::wrap(&lead, &header.first_run.join(", ")));
    }
}

fn plan_json(made: &Made) -> Value {
    json!({
        "file": made.path.display().to_string(),
        "digest": made.digest,
        "rows": made.rows,
        "pending": !made.is_empty(),
        "reads": made.reads.json(),
        "header": made.header,
    })
}

/// Prints what was carried out, and says how it ended; `made` is the plan, where it was made by
/// the same command.
pub fn carried(context: &Context, carried: &Carried, made: Option<&Made>) -> Exit {
    let exit = exit_of(carried);
    if context.json {
        let mut result = carried_json(carried, exit);
        if let Some(made) = made {
            result["plan"] = plan_json(made);
        }
        output::print_json(&result);
        return exit;
    }
    if made.is_some() {
        output::print("");
    }
    let style = context.out;
    let applied = &carried.applied;
    for (bucket, configured) in &applied.configured {
        let words = match configured.result {
            ConfigurationResult::Applied => style.green("lifecycle configuration written and read back"),
            ConfigurationResult::Moved => style.red("lifecycle configuration not put in force"),
            ConfigurationResult::Differs => style.red("the store did not keep the lifecycle configuration"),
            ConfigurationResult::Denied | ConfigurationResult::Failed | ConfigurationResult::Unclear => {
                style.red("lifecycle configuration failed")
            }
        };
        output::print(&output::wrap(&format!("{bucket}: "), &words));
        if let Some(detail) = &configured.detail {
            output::print(&output::wrap("  ", &text::terminal(detail)));
        }
    }
    for (bucket, error) in &applied.broken {
        let why = text::terminal(&Failure::chain(error)).into_owned();
        output::print(&output::wrap(
            &format!("{bucket}: {} ", style.red("the work on it ended early:")),
            &why,
        ));
    }
    if applied.done_before > 0 {
        output::print(&format!("{} were done before the interruption", text::count(applied.done_before)));
    }
    let rows: Vec<Vec<String>> = ItemResult::ALL
        .iter()
        .filter_map(|result| {
            let count = applied.results.get(result)?;
            Some(vec![result.word().to_owned(), text::count(*count)])
        })
        .collect();
    if carried.spent {
        output::print(
            &style.yellow("this plan was carried out before; make a new one with `shelflife plan`"),
        );
    } else if rows.is_empty()
        && applied.configured.is_empty()
        && applied.broken.is_empty()
        && carried.ended_by.is_none()
    {
        output::print(&style.green("nothing to do"));
    }
    if !rows.is_empty() {
        output::print(&output::table(0, &[], &[1], rows));
    }
    output::print(&format!("evidence  {}", output::path(&carried.evidence)));
    output::print(&format!("head      {}", carried.head));
    if let Some(copied) = &carried.copied {
        output::print(&output::wrap("copy      ", &copied.describe()));
    }
    if carried.spent {
        return exit;
    }
    if applied.stopped_by_file {
        let name = carried.stop_file.as_deref().unwrap_or_default();
        let why = format!(
            "the stop file {} is there; once it is taken away, the same command goes on from here",
            text::terminal(name)
        );
        output::print(&style.yellow(&output::wrap("stopped: ", &why)));
    } else if applied.interrupted && carried.ended_by.is_some() {
        output::print(&style.yellow("interrupted"));
    } else if applied.interrupted {
        output::print(&style.yellow("interrupted: the same command goes on from here"));
    } else if !applied.broken.is_empty() || carried.ended_by.is_some() {
        output::print(&style.yellow("it ended early: the same command goes on from here"));
    } else if carried.is_part {
        let why = "that was the part with --limit; `apply` of the same plan without it carries out the rest";
        output::print(&style.yellow(&output::wrap("canary: ", why)));
    } else {
        let log = carried.evidence.display().to_string();
        let next = output::command(["shelflife", "verify", &log, "--head", &carried.head]);
        output::print(&format!("next      {}", style.bold(&next)));
    }
    exit
}

/// Prints a plan that is not carried out, because there is nothing to do or it was refused; as JSON,
/// for people it has been shown.
pub fn not_carried_out(context: &Context, made: &Made, exit: Exit) {
    if context.json {
        output::print_json(
            &json!({ "exit": exit.code(), "results": {}, "configurations": {}, "plan": plan_json(made) }),
        );
    }
}

/// The greatest of all exits that apply.
fn exit_of(carried: &Carried) -> Exit {
    let applied = &carried.applied;
    let mut exit = Exit::Done;
    for configured in applied.configured.values() {
        exit = exit.max(match configured.result {
            ConfigurationResult::Applied => Exit::Done,
            ConfigurationResult::Moved => Exit::Refused,
            _ => Exit::Failed,
        });
    }
    if applied.failed() > 0 {
        exit = exit.max(Exit::SomeFailed);
    }
    if !applied.broken.is_empty() || carried.ended_by.is_some() {
        exit = exit.max(Exit::Failed);
    }
    match (applied.stopped_by_file, applied.interrupted) {
        (true, _) => exit.max(Exit::Refused),
        (false, true) => Exit::Interrupted,
        (false, false) => exit,
    }
}

fn carried_json(carried: &Carried, exit: Exit) -> Value {
    let results: serde_json::Map<String, Value> = carried
        .applied
        .results
        .iter()
        .map(|(result, count)| (result.word().to_owned(), Value::from(*count)))
        .collect();
    let configured: serde_json::Map<String, Value> = carried
        .applied
        .configured
        .iter()
        .map(|(bucket, configured)| {
            (bucket.clone(), json!({ "result": configured.result, "detail": configured.detail }))
        })
        .collect();
    json!({
        "exit": exit.code(),
        "results": results,
        "configurations": configured,
        "broken": carried
            .applied
            .broken
            .iter()
            .map(|(bucket, error)| (bucket.clone(), Value::from(Failure::chain(error))))
            .collect::<serde_json::Map<_, _>>(),
        "done_before": carried.applied.done_before,
        "interrupted": carried.applied.interrupted,
        "stopped_by_file": carried.applied.stopped_by_file,
        "part": carried.is_part,
        "resumed": carried.resumed,
        "carried_out_before": carried.spent,
        "evidence": carried.evidence.display().to_string(),
        "head": carried.head,
        "copy": carried.copied.as_ref().map(Copied::as_json),
    })
}
