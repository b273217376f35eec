//! `shelflife verify`: whether evidence logs are as they were written, follow each other, and tell
//! the truth.

use serde_json::{Value, json};

use super::args::{StoreArgs, VerifyArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::logs::{self, Logs};
use super::{live, output};
use crate::evidence::{End, Follows, Verified};
use crate::text;

/// Verifies the logs.
pub async fn run(context: &Context, args: &StoreArgs, verify: &VerifyArgs) -> Result<Exit, Failure> {
    let logs = logs::check(logs::open(context, args, &verify.logs).await?, &verify.head)?;
    let gaps = logs.gaps();
    let is_finished = logs.checked.iter().all(|log| log.verified.end == End::Finished);
    let mut exit = if is_finished && gaps.is_empty() { Exit::Done } else { Exit::Failed };
    if !context.json {
        show(context, &logs, &gaps);
    }
    let asked = if verify.live { Some(live::ask(context, args, &logs).await?) } else { None };
    if let Some(asked) = &asked {
        exit = exit.max(asked.exit());
    }
    if context.json {
        let mut result = as_json(&logs, &gaps);
        if let Some(asked) = &asked {
            result["live"] = asked.as_json();
        }
        output::print_json(&result);
    } else if let Some(asked) = &asked {
        asked.show(context);
    }
    Ok(exit)
}

fn show(context: &Context, logs: &Logs, gaps: &[usize]) {
    let style = context.out;
    for (place, checked) in logs.checked.iter().enumerate() {
        if logs.all.len() > 1 {
            output::print(&style.bold(&logs::shown(&logs.all[place])));
            if gaps.contains(&place) {
                output::print(&output::wrap(
                    &style.red("a gap: "),
                    "nothing here leads to this log; the one before it is missing",
                ));
            }
        }
        show_one(context, &checked.verified, &logs.follows(place));
    }
    let is_unconfirmed = logs.checked.iter().any(|log| !log.verified.head_confirmed);
    if is_unconfirmed {
        output::print(&style.dim(
            "without --head and the hash that was printed, a log that was cut off or\n\
             written anew from its beginning is not found",
        ));
    }
}

fn show_one(context: &Context, verified: &Verified, follows: &str) {
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
    output::print(&output::wrap("in line  ", &text::terminal(follows)));
    if let Some(until) = verified.opening.keep_until {
        output::print(&format!("keep     until {}", until.format("%Y-%m-%d")));
    }
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
        output::print(&format!("no outcome: {}/{}", text::terminal(&open.bucket), text::terminal(&open.key)));
    }
}

/// Of one log what it tells; of several all of them, with what each follows.
fn as_json(logs: &Logs, gaps: &[usize]) -> Value {
    let all: Vec<Value> = logs
        .checked
        .iter()
        .enumerate()
        .map(|(place, checked)| {
            let mut one = one_as_json(&checked.verified);
            one["log"] = json!(logs.all[place].name);
            one["follows"] = match logs.follows[place] {
                Follows::Log(other) | Follows::Within(other, _) => json!(logs.all[other].name),
                Follows::Nothing | Follows::Missing => Value::Null,
            };
            one["gap_before"] = json!(gaps.contains(&place));
            one
        })
        .collect();
    match <[Value; 1]>::try_from(all) {
        Ok([one]) => one,
        Err(all) => json!({ "logs": all, "gaps": gaps.len() }),
    }
}

fn one_as_json(verified: &Verified) -> Value {
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
