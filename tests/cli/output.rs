//! What is printed: JSON for machines, lines that fit and plain characters for people.

use serde_json::Value;

use crate::desk::{Desk, Ran};
use crate::shelf::Shelf;
use crate::support::LocalStack;
use crate::thirty_days;

const ESCAPE: &str = "inbound/1/\u{1b}[31mred\u{7}.jpg";
const BACKWARDS: &str = "inbound/1/\u{202e}gpj.exe";

#[track_caller]
fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "no {field} in {value:#}");
    }
}

#[tokio::test]
async fn json_output_has_the_documented_fields() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "json").await;
    shelf.put("inbound/1/due.jpg", 40).await;
    shelf.put("inbound/1/fresh.jpg", 10).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, "guards: {max-share: 90%}\n"));

    let checked = desk.run(&["check", "--json"]).ends(0).json();
    has(&checked, &["valid", "files", "errors", "warnings", "notes", "diagnostics", "live"]);

    let explained = desk.run(&["explain", &format!("s3://{}/inbound/1/due.jpg", shelf.bucket), "--json"]);
    let explained = explained.ends(0).json();
    let fields = [
        "object", "kind", "uploaded", "size", "at", "tenant", "rules", "holds", "decision", "due", "reasons",
    ];
    has(&explained[0], &fields);
    assert_eq!((&explained[0]["decision"], &explained[0]["tenant"]), (&"expired".into(), &"1".into()));
    has(&explained[0]["rules"][0], &["rule", "covers", "trigger", "period", "due", "lifecycle", "direct"]);

    let plan = desk.run(&["plan", "--json"]).ends(0).json();
    has(&plan, &["file", "digest", "rows", "pending", "header"]);
    let header = &plan["header"];
    has(
        header,
        &[
            "tool",
            "as_of",
            "policy",
            "policy_digest",
            "holds_digest",
            "records",
            "buckets",
            "summary",
            "guards",
        ],
    );
    has(
        &header["buckets"][&shelf.bucket],
        &["engines", "lifecycle_before", "lifecycle_after", "changes", "warnings"],
    );
    has(&header["summary"][0], &["bucket", "rule", "verdict", "disposal", "objects", "bytes", "oldest_due"]);
    has(&header["guards"][0], &["guard", "rule", "limit", "value", "kept"]);
    assert_eq!((&plan["rows"], &plan["pending"]), (&1.into(), &true.into()));

    let results = ["exit", "results", "configurations"];
    let run = ["done_before", "interrupted", "resumed", "carried_out_before", "evidence", "head"];
    let applied = desk.run(&["apply", "shelflife-plan.parquet", "--json"]).ends(0).json();
    has(&applied, &results);
    has(&applied, &run);
    let log = applied["evidence"].as_str().unwrap();
    let verified = desk.run(&["verify", log, "--json"]).ends(0).json();
    has(&verified, &["entries", "head", "head_confirmed", "end", "opening", "totals", "unresolved"]);
    assert_eq!(verified["head"], applied["head"]);

    // Whether there is something to do, or nothing, or it is refused: a script finds the same fields.
    let idle = desk.run(&["reconcile", "--json"]).ends(0).json();
    shelf.put("inbound/1/due-too.jpg", 41).await;
    let busy = desk.run(&["reconcile", "--json"]).ends(0).json();
    shelf.put("inbound/1/due-as-well.jpg", 42).await;
    desk.policy(&thirty_days(&shelf.bucket, "guards: {max-objects: 0}\n"));
    let refused = desk.run(&["reconcile", "--json"]).ends(4).json();
    for (reconciled, exit, rows) in [(&idle, 0, 0), (&busy, 0, 1), (&refused, 4, 1)] {
        has(reconciled, &results);
        has(&reconciled["plan"], &["file", "digest", "rows", "pending", "header"]);
        assert_eq!((&reconciled["exit"], &reconciled["plan"]["rows"]), (&exit.into(), &rows.into()));
    }
    has(&busy, &run);
}

/// Everything that shows a key or a bucket, for people and as JSON; [`Ran::ends`] looks for raw characters.
#[tokio::test]
async fn control_characters_in_keys_never_reach_the_terminal() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "raw").await;
    for key in [ESCAPE, BACKWARDS] {
        shelf.put(key, 40).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));

    for (key, shown) in
        [(ESCAPE, "inbound/1/\\x1b[31mred\\x07.jpg"), (BACKWARDS, "inbound/1/\\u{202e}gpj.exe")]
    {
        let uri = format!("s3://{}/{key}", shelf.bucket);
        desk.run(&["explain", &uri]).ends(0).shows(&[shown]);
        let explained = desk.run(&["explain", &uri, "--json"]).ends(0).json();
        assert_eq!(explained[0]["object"], uri);
        desk.run(&["explain", &format!("{uri}.nowhere")]).ends(1).tells(&[shown, "is not there"]);
    }
    desk.run(&["plan"]).ends(0);
    desk.run(&["plan", "--json"]).ends(0);
    // LocalStack has no conditional delete, so what no batch can carry fails there.
    desk.run(&["apply", "shelflife-plan.parquet"]).ends(3);
    let log = desk.log();
    desk.run(&["verify", &log]).ends(0);
    desk.run(&["verify", &log, "--json"]).ends(0);
}

#[tokio::test]
async fn colours_are_for_terminals_unless_they_are_asked_for() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "colour").await;
    shelf.put("inbound/1/due.jpg", 40).await;
    let desk = Desk::at(&store.endpoint);
    desk.policy(&thirty_days(&shelf.bucket, ""));
    let uri = format!("s3://{}/inbound/1/due.jpg", shelf.bucket);

    for args in [&["plan"][..], &["explain", &uri], &["check"]] {
        let piped = desk.run(args).ends(0);
        let without = Ran::of(desk.command(args).env("NO_COLOR", "1").output().unwrap()).ends(0);
        let never = Ran::of(desk.command(args).args(["--color", "never"]).output().unwrap()).ends(0);
        let always = Ran::of(desk.command(args).args(["--color", "always"]).output().unwrap());
        for plain in [piped, without, never] {
            assert!(!plain.out.contains('\u{1b}') && !plain.err.contains('\u{1b}'));
        }
        assert!(always.out.contains("\u{1b}["), "{args:?}: {}", always.out);
    }
}

/// With long names, many reasons and every kind of line; [`Ran::ends`] measures.
#[tokio::test]
async fn every_line_for_people_fits_80_columns() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::versioned(store, "eighty-columns-and-a-long-name").await;
    for (key, days) in [
        ("inbound/1/due.jpg", 40),
        ("inbound/1/fresh.jpg", 10),
        ("elsewhere/x", 10),
        ("inbound/held/x", 50),
        ("nowhere/x", 50),
    ] {
        shelf.put(key, days).await;
    }
    let desk = Desk::at(&store.endpoint);
    desk.policy(&format!(
        "version: 1
name: e2e
timezone: Europe/Zagreb
tenant:
  - key: \"*/{{tenant}}/**\"
records:
  customers: {{file: customers.csv, id: customer_id, by: tenant, exported-at: exported_at, fresh-within: 2 days}}
rules:
  - id: media-from-over-the-top-messengers-and-more
    data: Media (images, audio files, or other attachments) received via OTT channels
    select: {{buckets: [{bucket}], prefix: inbound/}}
    trigger: {{metadata: communication-date, within: 1 day, outside: clamp, if-missing: uploaded}}
    retain: 30 days
  - id: recordings-until-the-contract-ends-or-inactivity
    select: {{buckets: [{bucket}], prefix: inbound/1}}
    trigger:
      earliest:
        - {{record: customers.contract_ended_on}}
        - {{record: customers.last_active_on, plus: 18 months}}
      if-missing: retained
    retain: 30 days
  - id: elsewhere
    select: {{buckets: [{bucket}], prefix: elsewhere/}}
    trigger: uploaded
    retain: 6 months
    noncurrent: {{retain: 1 day}}
    incomplete-uploads: 7 days
overrides:
  - {{tenants: [\"1\"], rule: elsewhere, retain: 2 years, agreement: MSA-2025-118, until: 2028-01-01}}
holds:
  - id: case-2026-07
    reason: Preservation order of 14 July 2026, in the matter of somebody against somebody else, and so on
    select: {{tenants: [\"held\"]}}
    released: 2099-01-31
guards: {{max-share: 1%, max-objects: 1000000, max-bytes: 10 TiB}}
",
        bucket = shelf.bucket
    ));
    desk.write(
        "policies/customers.csv",
        &format!("customer_id,contract_ended_on,last_active_on,exported_at\n1,2024-01-31,2023-12-31,{0}\nheld,,,{0}\n", chrono::Utc::now().to_rfc3339()),
    );

    desk.run(&["check"]).ends(0);
    desk.run(&["plan"]).ends(4).shows(&["unmatched", "retained", "expired", "held", "exceeded"]);
    for key in ["inbound/1/due.jpg", "inbound/1/fresh.jpg", "elsewhere/x", "inbound/held/x", "nowhere/x"] {
        desk.run(&["explain", &format!("s3://{}/{key}", shelf.bucket)]).ends(0).shows(&["decision"]);
    }
    desk.run(&["reconcile"]).ends(4);
    let carried = desk.run(&["reconcile", "--accept", "max-share"]).ends(0);
    carried.shows(&["deleted", "next", "shelflife verify"]);
    desk.run(&["verify", &desk.log()]).ends(0);
}

#[tokio::test]
async fn an_explanation_names_a_midnight_only_where_a_date_is_known_and_a_sweep_only_where_s3_is_first() {
    let Some(store) = LocalStack::shared() else { return };
    let shelf = Shelf::new(store, "explain").await;
    shelf.put("inbound/1/due.jpg", 40).await;
    let desk = Desk::at(&store.endpoint);
    let uri = format!("s3://{}/inbound/1/due.jpg", shelf.bucket);
    let direct = thirty_days(&shelf.bucket, "");
    let explained = |policy: &str| {
        desk.policy(policy);
        desk.run(&["explain", &uri]).ends(0)
    };

    let known = explained(&direct.replace("30 days", "6 months"));
    known.shows(&["trigger", "+ 6 months ", "due", "(the next midnight UTC)", "decision retained"]);
    let unknown = explained(&direct.replace("trigger: uploaded", "trigger: {metadata: communication-date}"));
    let unknown = unknown.shows(&["has no value", "+ 30 days due date unknown", "decision undecided"]);
    assert!(!unknown.out.contains("midnight"));
    let by_us = explained(&direct).shows(&["Shelflife could remove it", "decision expired"]);
    assert!(!by_us.out.contains("swept"));
    explained(&direct.replace("enforce: direct", "enforce: auto"))
        .shows(&["S3 counts 30 days", "is swept after"]);
}

#[test]
fn the_help_of_each_command_has_an_example_and_fits_the_terminal() {
    let desk = Desk::at("http://127.0.0.1:1");
    for command in ["check", "plan", "apply", "reconcile", "explain", "test", "verify"] {
        let help = Ran::of(desk.bare_command(&[command, "--help"]).output().unwrap()).ends(0);
        help.shows(&["Usage:", "Example", &format!("shelflife {command} ")]);
    }
    Ran::of(desk.bare_command(&["--help"]).output().unwrap()).ends(0).shows(&["Exit codes:", "130"]);
    Ran::of(desk.bare_command(&["plan", "--no-such-option"]).output().unwrap())
        .ends(2)
        .tells(&["--no-such-option"]);
}
