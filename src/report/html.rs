//! A certificate as one HTML page: it asks for nothing from elsewhere, and prints on paper.
//!
//! [`begin`], one [`row`] for each item if they are to be listed, [`end`]: so that no list of
//! items is ever held as a whole.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::certificate::{Certificate, Grouped, PolicyText, instant};
use super::redact::Row;
use super::standing::Kept;
use super::tally::Tally;
use crate::text::{bytes, count, html};

/// Of more logs there is a table, and not a list of facts each.
const FEW_LOGS: usize = 4;

const STYLE: &str = include_str!("certificate.css");

/// Writes everything up to the list of items, whose head it writes if `lists` says so.
///
/// # Errors
/// What `out` says.
pub fn begin(out: &mut impl Write, certificate: &Certificate, lists: bool) -> io::Result<()> {
    let policy = html(&certificate.policy);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Certificate of deletion: {policy}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<p class=\"kind\">Certificate of deletion</p>\n<h1 class=\"name\">{policy}</h1>\n"
    )?;
    let scope = scope(certificate);
    writeln!(out, "<p>{}</p>", html(&scope))?;
    if let (Some(first), Some(last)) = (certificate.total.first, certificate.total.last) {
        writeln!(out, "<p class=\"soft\">Deleted from {} to {}</p>", instant(first), instant(last))?;
    }
    writeln!(out, "</header>\n<main>")?;
    notes(out, &certificate.notes)?;
    figures(out, &certificate.total)?;
    deleted(out, certificate)?;
    erasures(out, &certificate.total)?;
    kept(out, certificate)?;
    not_by_us(out, &certificate.total)?;
    configurations(out, certificate)?;
    evidence(out, certificate)?;
    if let Some(policy) = &certificate.policy_text {
        policy_text(out, policy)?;
    }
    if lists {
        let key = if certificate.redacted { "HMAC of bucket, key and version" } else { "Key and version" };
        section(
            out,
            "Items",
            "Every item, as it was written down",
            &[
                ("Result", false),
                ("Written down", false),
                (key, false),
                ("Tenant, rule", false),
                ("Bytes", true),
            ],
        )?;
    }
    Ok(())
}

/// Writes one item.
///
/// # Errors
/// What `out` says.
pub fn row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let name = row.hmac.as_ref().or(row.key.as_ref()).map_or("", String::as_str);
    let id = row.id.as_ref().map(|id| format!(" {}", html(id))).unwrap_or_default();
    write!(
        out,
        "<tr><td>{}</td><td class=\"t\">{}</td><td class=\"key\">{}<small>{} in {}{id}</small></td>",
        html(row.result),
        moment(row.at, "%H:%M:%S"),
        html(name),
        row.kind,
        html(&row.bucket),
    )?;
    let tenant = row.tenant.as_ref().map_or("–".into(), |tenant| html(tenant));
    let erasure = row.erasure.as_ref().map(|id| format!(" erasure {}", html(id))).unwrap_or_default();
    writeln!(
        out,
        "<td class=\"key\">{tenant}<small>{}{erasure}</small></td><td class=\"n\">{}</td></tr>",
        html(&row.rule),
        count(row.size)
    )
}

/// Writes what follows the list of items.
///
/// # Errors
/// What `out` says.
pub fn end(out: &mut impl Write, certificate: &Certificate, lists: bool) -> io::Result<()> {
    if lists {
        close(out, None)?;
    }
    writeln!(
        out,
        "</main>\n<footer>Made by Shelflife {} on {} from the evidence named above. <code>shelflife verify</code> \
         with the log and its head finds any change of it; with <code>--live</code> it asks the store \
         whether what is called deleted is gone.</footer>\n</body>\n</html>",
        html(&certificate.tool_version),
        instant(certificate.made)
    )
}

fn scope(certificate: &Certificate) -> String {
    match (&certificate.tenant, &certificate.rule) {
        (Some(tenant), Some(rule)) => format!("Tenant {tenant}, rule {rule}"),
        (Some(tenant), None) => format!("Tenant {tenant}, all rules"),
        (None, Some(rule)) => format!("All tenants, rule {rule}"),
        (None, None) => "All tenants and all rules".to_owned(),
    }
}

fn notes(out: &mut impl Write, notes: &[String]) -> io::Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section class=\"notes\" role=\"note\" aria-label=\"Read this first\"><h2>Read this first</h2><ul>"
    )?;
    for note in notes {
        writeln!(out, "<li>{}</li>", html(note))?;
    }
    writeln!(out, "</ul></section>")
}

fn figures(out: &mut impl Write, total: &Tally) -> io::Result<()> {
    let deleted = total.deleted();
    let all = [
        ("Objects and versions deleted", count(deleted.count)),
        ("Bytes deleted", bytes(deleted.bytes)),
        ("Delete markers removed", count(total.markers)),
        ("Incomplete uploads aborted", count(total.uploads)),
        ("Kept, or not known to be gone", count(total.kept_count())),
    ];
    writeln!(out, "<dl class=\"figures\">")?;
    for (name, figure) in all {
        writeln!(out, "<div><dt>{name}</dt><dd>{figure}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

fn by(certificate: &Certificate) -> &'static str {
    if certificate.by == "tenant" { "Tenant" } else { "Rule" }
}

fn name_of(group: &Grouped, by: &str) -> String {
    let name = group.name.as_ref().map_or_else(
        || if by == "Tenant" { "no tenant known".into() } else { "no rule, by an erasure".into() },
        |name| html(name),
    );
    let data = group.data.as_ref().map(|data| format!("<small>{}</small>", html(data))).unwrap_or_default();
    format!("<th scope=\"row\" class=\"name\">{name}{data}</th>")
}

fn deleted(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    let by = by(certificate);
    section(
        out,
        "What was deleted",
        "Deleted by Shelflife, and confirmed by the store",
        &[
            (by, false),
            ("Objects", true),
            ("Versions", true),
            ("Bytes", true),
            ("Markers", true),
            ("Uploads", true),
            ("First", false),
            ("Last", false),
        ],
    )?;
    let cells = |tally: &Tally| {
        let day = |at: Option<DateTime<Utc>>| at.map_or_else(|| "–".to_owned(), |at| moment(at, "%H:%M"));
        let numbers = [
            count(tally.objects.count),
            count(tally.versions.count),
            bytes(tally.deleted().bytes),
            count(tally.markers),
            count(tally.uploads),
        ];
        let numbers: String = numbers.iter().map(|number| format!("<td class=\"n\">{number}</td>")).collect();
        format!("{numbers}<td class=\"t\">{}</td><td class=\"t\">{}</td>", day(tally.first), day(tally.last))
    };
    for group in &certificate.groups {
        writeln!(out, "<tr>{}{}</tr>", name_of(group, by), cells(&group.tally))?;
    }
    let total = format!("<tr><th scope=\"row\">All</th>{}</tr>", cells(&certificate.total));
    close(out, Some(&total))
}

fn erasures(out: &mut impl Write, total: &Tally) -> io::Result<()> {
    if total.by_erasure.is_empty() {
        return Ok(());
    }
    let heads = [("Request", false), ("Items", true), ("Bytes", true)];
    section(out, "On request", "Of what was deleted, what went by an erasure", &heads)?;
    for (id, amount) in &total.by_erasure {
        let (items, size) = (count(amount.count), bytes(amount.bytes));
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"name\">{}</th><td class=\"n\">{items}</td><td class=\"n\">{size}</td></tr>",
            html(id)
        )?;
    }
    close(out, None)
}

fn kept(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    if certificate.total.kept_count() == 0 {
        return writeln!(out, "<h2>What was kept</h2>\n<p>Nothing that was planned to go was kept.</p>");
    }
    let by = by(certificate);
    let heads = [(by, false), ("Reason", false), ("Items", true), ("Bytes", true)];
    section(out, "What was kept, and why", "Planned to go, and not deleted or not known to be", &heads)?;
    for group in &certificate.groups {
        for kept in Kept::ALL {
            let Some(amount) = group.tally.kept.get(&kept) else { continue };
            writeln!(
                out,
                "<tr>{}<td>{}: {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                name_of(group, by),
                kept.word(),
                kept.why(),
                count(amount.count),
                bytes(amount.bytes)
            )?;
        }
    }
    close(out, None)
}

fn not_by_us(out: &mut impl Write, total: &Tally) -> io::Result<()> {
    let facts = [
        (total.already_gone, "already gone: not there any more when Shelflife looked, and not deleted by it"),
        (
            total.gone_after_lost_answer,
            "gone after a lost answer: Shelflife sent a deletion, the answer was lost, and a later look found nothing",
        ),
        (
            total.markers_added,
            "delete markers put on top of a key: they hide what is below, and delete nothing",
        ),
        (total.made_visible, "delete markers taken away again, or perhaps: what they hid can be seen"),
        (total.put_back.count, "put back from a copy after they were removed, or perhaps put back"),
        (
            total.copied.count,
            "copied to another place before they were to go: deleting the original leaves the copy there",
        ),
    ];
    if facts.iter().all(|(number, _)| *number == 0) {
        return Ok(());
    }
    writeln!(out, "<h2>Not counted as deleted</h2>\n<ul>")?;
    for (number, words) in facts.iter().filter(|(number, _)| *number > 0) {
        writeln!(out, "<li><strong>{}</strong> {words}</li>", count(*number))?;
    }
    writeln!(out, "</ul>")
}

fn configurations(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    if certificate.configurations.is_empty() {
        return Ok(());
    }
    let what = "What S3 removes by them on its own is not in the counts";
    let heads = [("Bucket", false), ("Written down", false), ("Result", false)];
    section(out, "Lifecycle configurations", what, &heads)?;
    for written in &certificate.configurations {
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"name\">{}</th><td class=\"t\">{}</td><td>{}</td></tr>",
            html(&written.bucket),
            moment(written.at, "%H:%M:%S"),
            html(&written.result)
        )?;
    }
    close(out, None)
}

fn evidence(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    if certificate.logs.len() > FEW_LOGS {
        return many_logs(out, certificate);
    }
    writeln!(out, "<h2>Evidence</h2>")?;
    for log in &certificate.logs {
        writeln!(out, "<h3 class=\"name\">{}</h3>\n<dl class=\"facts\">", html(&log.file))?;
        for (name, value) in log.facts() {
            let class = if value.len() == 64 { " class=\"hash\"" } else { "" };
            writeln!(out, "<dt>{name}</dt><dd{class}>{}</dd>", html(&value))?;
        }
        writeln!(out, "</dl>")?;
    }
    Ok(())
}

fn many_logs(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    let heads = [
        ("Log and run", false),
        ("Head of the chain", false),
        ("Plan digest", false),
        ("Policy digest", false),
    ];
    section(out, "Evidence", "The logs, in the order in which they follow each other", &heads)?;
    for log in &certificate.logs {
        let confirmed = if log.head_confirmed { "confirmed" } else { "not confirmed" };
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"name\">{}<small>{} to {}, {}</small></th><td class=\"hash\">{}<br>{confirmed}</td>\
             <td class=\"hash\">{}</td><td class=\"hash\">{}</td></tr>",
            html(&log.file),
            instant(log.opened),
            instant(log.last),
            log.end,
            html(&log.head),
            html(&log.plan_digest),
            html(&log.policy_digest)
        )?;
    }
    close(out, None)
}

fn policy_text(out: &mut impl Write, policy: &PolicyText) -> io::Result<()> {
    let heads = [("Rule", false), ("Data", false), ("Kept for", false)];
    section(out, "Policy", "The rules under which was deleted", &heads)?;
    for rule in &policy.rules {
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"name\">{}</th><td>{}</td><td class=\"t\">{}</td></tr>",
            html(&rule.id),
            rule.data.as_ref().map_or("–".into(), |data| html(data)),
            html(&rule.retain)
        )?;
    }
    close(out, None)?;
    for (file, text) in &policy.files {
        // As it was written: only what would not show, or would reorder, becomes an escape.
        let lines =
            text.lines().map(|line| line.split('\\').map(|part| html(part)).collect::<Vec<_>>().join("\\"));
        let text = lines.collect::<Vec<_>>().join("\n");
        writeln!(out, "<h3 class=\"name\">{}</h3>\n<pre>{text}</pre>", html(file))?;
    }
    Ok(())
}

/// A heading and a table's head; a column of numbers stands to the right.
fn section(out: &mut impl Write, title: &str, caption: &str, heads: &[(&str, bool)]) -> io::Result<()> {
    writeln!(
        out,
        "<h2>{title}</h2>\n<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n\
         <table>\n<caption>{caption}</caption>\n<thead><tr>"
    )?;
    for (head, is_number) in heads {
        let class = if *is_number { " class=\"n\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{head}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")
}

fn close(out: &mut impl Write, foot: Option<&str>) -> io::Result<()> {
    writeln!(out, "</tbody>")?;
    if let Some(foot) = foot {
        writeln!(out, "<tfoot>{foot}</tfoot>")?;
    }
    writeln!(out, "</table>\n</div>")
}

/// Day and time, which may stand on two lines.
fn moment(at: DateTime<Utc>, time: &str) -> String {
    format!("<span>{}</span> <span>{}</span>", at.format("%Y-%m-%d"), at.format(time))
}
