//! The certificate on a terminal, in 80 columns, and for machines.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::made::Made;
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::logs::Logs;
use crate::cli::output;
use crate::report::{Certificate, Grouped, Kept, Tally};
use crate::text::{self, bytes, count, terminal};

/// Of more logs only the heads are told; the page and --json have the rest.
const FEW_LOGS: usize = 4;

/// A name that is longer is shortened.
const LONG_NAME: usize = 17;

/// Prints it for people.
pub fn text(context: &Context, made: &Made, logs: &Logs, page: Option<&Path>) -> Result<(), Failure> {
    let style = context.out;
    let certificate = &made.certificate;
    output::print(&style.bold(&format!("certificate of deletion: {}", terminal(&certificate.policy))));
    let scope = [("tenant", &certificate.tenant), ("rule", &certificate.rule)];
    for (what, name) in scope.iter().filter_map(|(what, name)| Some((what, name.as_ref()?))) {
        output::print(&format!("{what} {}", terminal(name)));
    }
    for note in &certificate.notes {
        output::print(&style.yellow(&output::wrap("note: ", &terminal(note))));
    }
    deleted(context, certificate);
    kept(context, certificate);
    besides(&certificate.total);
    for log in &certificate.logs {
        output::print("");
        output::print(&style.bold(&terminal(&log.file)));
        if certificate.logs.len() > FEW_LOGS {
            let confirmed = if log.head_confirmed { ", confirmed" } else { "" };
            output::print(&format!("  head {}{confirmed}", log.head));
            continue;
        }
        for (name, value) in log.facts() {
            output::print(&output::wrap(&format!("  {name}: "), &terminal(&value)));
        }
    }
    if let Some(policy) = &certificate.policy_text {
        output::print("");
        output::print(&style.bold(&format!("policy {}", policy.digest)));
        for rule in &policy.rules {
            let data = rule.data.as_ref().map(|data| format!(": {}", terminal(data))).unwrap_or_default();
            output::print(&output::wrap(&format!("  {} ", rule.id), &format!("{}{data}", rule.retain)));
        }
    }
    if made.lists {
        output::print("");
        made.rows(logs, &mut |row| {
            let name = row.hmac.as_deref().or(row.key.as_deref()).unwrap_or_default();
            let id = row.id.as_deref().map(|id| format!(" {}", terminal(id))).unwrap_or_default();
            let at = row.at.format("%Y-%m-%d %H:%M:%S");
            output::print(&format!("{} {at} {}", row.result, row.kind));
            output::print(&format!("  s3://{}/{}{id}", terminal(&row.bucket), terminal(name)));
            Ok(())
        })?;
    }
    if let Some(page) = page {
        output::print("");
        output::print(&format!("page  {}", output::path(page)));
    }
    Ok(())
}

fn name_of(certificate: &Certificate, group: &Grouped) -> String {
    group.name.as_ref().map_or_else(
        || if certificate.by == "tenant" { "no tenant".to_owned() } else { "no rule".to_owned() },
        |name| text::fit(&terminal(name), LONG_NAME).into_owned(),
    )
}

fn deleted(context: &Context, certificate: &Certificate) {
    let row = |name: String, tally: &Tally| {
        let day = |at: Option<chrono::DateTime<chrono::Utc>>| {
            at.map_or_else(|| "–".to_owned(), |at| at.format("%Y-%m-%d").to_string())
        };
        vec![
            name,
            count(tally.deleted().count),
            bytes(tally.deleted().bytes),
            count(tally.markers),
            count(tally.uploads),
            day(tally.first),
            day(tally.last),
        ]
    };
    let mut rows: Vec<Vec<String>> =
        certificate.groups.iter().map(|group| row(name_of(certificate, group), &group.tally)).collect();
    rows.push(row("all".to_owned(), &certificate.total));
    output::print("");
    output::print(&context.out.bold("deleted, and confirmed by the store"));
    let header = [certificate.by, "objects", "bytes", "markers", "uploads", "first", "last"];
    output::print(&output::table(2, &header, &[1, 2, 3, 4], rows));
    for (erasure, amount) in &certificate.total.by_erasure {
        let what = format!("{} of these, {}", count(amount.count), bytes(amount.bytes));
        output::print(&output::wrap(&format!("  on request {}: ", terminal(erasure)), &what));
    }
}

fn kept(context: &Context, certificate: &Certificate) {
    let mut rows = Vec::new();
    for group in &certificate.groups {
        for kept in Kept::ALL {
            if let Some(amount) = group.tally.kept.get(&kept) {
                let name = name_of(certificate, group);
                rows.push(vec![name, count(amount.count), bytes(amount.bytes), kept.why().to_owned()]);
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    output::print("");
    output::print(&context.out.bold("kept, or not known to be gone"));
    output::print(&output::table(2, &[certificate.by, "items", "bytes", "why"], &[1, 2], rows));
}

fn besides(total: &Tally) {
    let facts = [
        (total.already_gone, "already gone when Shelflife looked, and not deleted by it"),
        (total.gone_after_lost_answer, "gone after a deletion whose answer was lost"),
        (total.markers_added, "delete markers put on top, which delete nothing"),
        (total.made_visible, "delete markers taken away again, or perhaps: what they hid can be seen"),
        (total.put_back.count, "put back from a copy, or perhaps, and not counted as deleted"),
        (total.copied.count, "copied to another place before they were to go, which leaves the copies there"),
    ];
    for (number, words) in facts.iter().filter(|(number, _)| *number > 0) {
        output::print(&output::wrap(&format!("  {} ", count(*number)), words));
    }
}

/// Prints it for machines; items are not held, but printed one by one.
pub fn as_json(made: &Made, logs: &Logs) -> Result<(), Failure> {
    let wrong = |error: serde_json::Error| Failure::failed(error);
    let whole = serde_json::to_value(&made.certificate).map_err(wrong)?;
    if !made.lists {
        output::print_json(&json!({ "certificate": whole }));
        return Ok(());
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    // A reader that has gone away is no error.
    let _ = write!(out, "{{\"certificate\":{},\"items\":[", text::json(&whole.to_string()));
    let mut comma = "";
    made.rows(logs, &mut |row| {
        let row = serde_json::to_string(&row).map_err(wrong)?;
        let _ = write!(out, "{comma}{}", text::json(&row));
        comma = ",";
        Ok(())
    })?;
    let _ = writeln!(out, "]}}");
    let _ = out.flush();
    Ok(())
}
