use chrono::{DateTime, Utc};

mod digests;
mod warnings;

use super::*;
use crate::calendar::Period;
use crate::lint::lint;

const HEAD: &str = "version: 1\nname: acme\ntenant: [{key: \"*/{tenant}/**\"}]\n";
const RULE: &str = "rules:
  - id: media
    select: {buckets: [acme-media], prefix: inbound/}
    trigger: uploaded
    retain: 30 days
";

/// What the language has beside what its own example shows.
const MORE: &str = r#"
version: 1
name: acme-media
tenant: [{key: "*/{tenant}/**"}]
records:
  customers: {file: s3://exports/customers.csv, id: customer_id, by: tenant}
  campaigns: {file: campaigns.jsonl, id: campaign, by: {metadata: campaign-id}}
triggers:
  sent: {tag: sent-at, format: "%d.%m.%Y"}
  ended: {record: campaigns.ended, format: epoch-seconds}
  last: {latest: [sent, {metadata: read-at, plus: 1 day}]}
  either: {first: [{metadata: send-at}, last, ended]}
rules:
  - id: media
    select:
      buckets: [acme-media]
      media: ["image/*", audio/ogg]
      content-type: image/png
      tags: {class: media, team: [a, b]}
      metadata: {Class: private}
      size: {over: 1 MiB, under: 5000000000}
      except: [{prefix: inbound/keep/}, {tenants: ["0815"]}]
    trigger: either
    retain: 1 year
    transitions: [{after: 90 days, to: GLACIER_IR}, {after: 200 days, to: DEEP_ARCHIVE}]
    undo-window: 7 days
  - id: calls
    select: {buckets: [acme-calls]}
    trigger: uploaded
    retain: 2 years
    export: s3://exports/calls/
    evidence: per-object
overrides:
  - {where: {record: customers.country, is: [DE, AT]}, rule: calls, retain: 10 years, legal-basis: HGB 257}
erasures:
  - {id: req-881, reason: On request, select: {tenants: ["4711"]}, requested: 2026-11-02}
holds:
  - {id: case-1, reason: Order, select: {tags: {case: "1"}, except: [{prefix: other/}]}}
guards:
  max-shrink: 20%
  max-times-usual: 5
  per-bucket: {max-share: 50%}
  per-tenant: {max-bytes: 1 GiB}
  stop-file: STOP
"#;

/// The language's own example, as far as it does not need more.
const EXAMPLE: &str = r#"
version: 1
name: acme-media
timezone: Europe/Zagreb
account: "123456789012"
tenant:
  - key: "*/{tenant}/**"
  - metadata: Customer-Id
  - tag: customer
records:
  customers:
    file: records/customers.csv
    id: customer_id
    by: tenant
    fresh-within: 2 days
    exported-at: exported_at
triggers:
  communication-date:
    metadata: communication-date
    within: {before: unlimited, after: 1 day}
    outside: clamp
    if-missing: uploaded
  contract-end-or-inactivity:
    earliest:
      - {record: customers.contract_ended_on}
      - {record: customers.last_active_on, plus: 18 months}
      - communication-date
rules:
  - id: recordings
    select: {buckets: ["*-recordings"], key: "recordings/**/*.mp4", tenants: ["0815", "4711"]}
    trigger: contract-end-or-inactivity
    retain: P30D
    enforce: direct
  - id: ott-media
    data: Media (images, audio files, or other attachments) received via OTT channels
    select:
      buckets: ["*-ott-media"]
      prefix: inbound/
    trigger: communication-date
    retain: 30 days
    noncurrent: {retain: 1 day, newer-noncurrent-versions: 2}
    incomplete-uploads: 1 week
    guards: {max-share: 60%}
overrides:
  - {tenants: ["4711"], rule: ott-media, retain: 14 days}
  - {tenants: ["0815"], rule: recordings, retain: 1 year, agreement: MSA-2025-118, until: 2028-01-01}
holds:
  - {id: case-2026-07, reason: "Order", select: {tenants: ["4711"]}, released: 2027-01-31}
guards: {max-share: 20%, max-objects: 1000000, max-bytes: 10 TiB, max-plan-age: 1 day}
tolerance: 3 days
"#;

fn files(texts: &[&str]) -> Vec<SourceFile> {
    let file = |(index, text): (usize, &&str)| SourceFile {
        path: format!("{index}.yaml"),
        bytes: text.as_bytes().to_vec(),
    };
    texts.iter().enumerate().map(file).collect()
}

fn read_all(texts: &[&str]) -> ReadPolicy {
    let files = files(texts);
    read(&files).unwrap_or_else(|faults| panic!("{}", render(&faults, &files, false, 80)))
}

fn faults(texts: &[&str]) -> Vec<(Code, String)> {
    let faults = read(&files(texts)).expect_err("a fault");
    faults.into_iter().map(|fault| (fault.code, fault.at.file)).collect()
}

fn warnings(text: &str, now: &str) -> Vec<(Code, usize)> {
    let now: DateTime<Utc> = now.parse().unwrap();
    let found = lint(&read_all(&[text]), now).into_iter();
    // These policies have no guards.
    let warnings = found.filter(|found| found.severity == Severity::Warning && found.code != Code::NoGuards);
    warnings.map(|warning| (warning.code, warning.at.line)).collect()
}

#[test]
fn the_languages_own_example_is_read_as_it_says() {
    let policy = read_all(&[EXAMPLE]).policy;
    assert_eq!((policy.name.as_str(), policy.timezone), ("acme-media", chrono_tz::Europe::Zagreb));
    assert_eq!(policy.account.as_deref(), Some("123456789012"));
    assert!(matches!(&policy.tenant[1], Attribute::Metadata(name) if name == "customer-id"));
    assert_eq!(policy.tables[0].columns, ["contract_ended_on", "last_active_on"]);
    assert_eq!(policy.tolerance_days, 3);
    assert_eq!(policy.guards.max_share, Some(0.2));
    assert_eq!(policy.guards.max_bytes, Some(10 << 40));

    let [media, recordings] = &policy.rules[..] else { panic!("{:?}", policy.rules) };
    assert_eq!((media.id.as_str(), recordings.id.as_str()), ("ott-media", "recordings"));
    assert_eq!(media.trigger.name.as_deref(), Some("communication-date"));
    assert_eq!(media.trigger.within, Some(Within { before: None, after: Some(86_400) }));
    assert_eq!(media.trigger.outside, Outside::Clamp);
    assert_eq!(media.trigger.if_missing, Some(IfMissing::Uploaded));
    assert_eq!(media.noncurrent, Some(Noncurrent { retain: Period::days(1), newer_versions: 2 }));
    assert_eq!(media.incomplete_uploads, Some(Period::days(7)));
    assert_eq!(media.guards.max_share, Some(0.6));
    assert_eq!(recordings.enforce, Enforce::Direct);

    let Source::Earliest(terms) = &recordings.trigger.source else { panic!("{:?}", recordings.trigger) };
    assert_eq!(terms[1].plus, Some(Period::months(18)));
    assert_eq!(terms[2].trigger.name.as_deref(), Some("communication-date"));
    assert_eq!(policy.overrides[1].rule, 1);
    assert_eq!(policy.holds[0].released, chrono::NaiveDate::from_ymd_opt(2027, 1, 31));
    assert!(policy.holds[0].select.buckets.is_empty());
}

#[test]
fn the_rest_of_the_language_is_read_as_it_says() {
    let policy = read_all(&[MORE]).policy;
    let [campaigns, customers] = &policy.tables[..] else { panic!("{:?}", policy.tables) };
    assert_eq!(campaigns.format, RecordFormat::JsonLines);
    assert_eq!(customers.place.to_string(), "s3://exports/customers.csv");
    assert_eq!(customers.columns, ["country"]);
    let [calls, media] = &policy.rules[..] else { panic!("{:?}", policy.rules) };
    assert_eq!(calls.export, Some(ExportPlace { bucket: "exports".to_owned(), prefix: "calls/".to_owned() }));
    assert!(calls.evidence_per_object && !media.evidence_per_object);
    assert_eq!(media.transitions[1], Transition { after: Period::days(200), to: "DEEP_ARCHIVE".to_owned() });
    assert_eq!(media.undo_window, Some(Period::days(7)));
    let select = &media.select;
    assert_eq!(select.media.as_ref().map(Vec::len), Some(2));
    assert_eq!(select.tags[1].values, ["a", "b"]);
    assert_eq!(select.metadata[0].name, "class");
    assert_eq!(select.size, Some(SizeRange { over: Some(1 << 20), under: Some(5_000_000_000) }));
    assert_eq!(select.except[1].tenants.as_deref(), Some(&["0815".to_owned()][..]));
    let Source::First(terms) = &media.trigger.source else { panic!("{:?}", media.trigger) };
    let Source::Latest(last) = &terms[1].trigger.source else { panic!("{terms:?}") };
    assert_eq!(last[0].trigger.format.as_ref().map(ToString::to_string).as_deref(), Some("%d.%m.%Y"));
    let over = &policy.overrides[0];
    assert_eq!(
        over.condition.as_ref().map(|c| (c.table, &c.is[..])),
        Some((1, &["AT".to_owned(), "DE".to_owned()][..]))
    );
    assert_eq!(over.price(calls), PriceClass::ByLaw);
    assert_eq!(policy.erasures[0].requested, chrono::NaiveDate::from_ymd_opt(2026, 11, 2).unwrap());
    let Guards { max_shrink, max_times_usual, per_bucket, per_tenant, stop_file, .. } = &policy.guards;
    assert_eq!((*max_shrink, *max_times_usual), (Some(0.2), Some(5)));
    assert_eq!((per_bucket.max_share, per_tenant.max_bytes), (Some(0.5), Some(1 << 30)));
    assert_eq!(stop_file, &Some(RecordPlace::Folder("STOP".to_owned())));
}

#[test]
fn a_missing_value_is_undecided_in_a_rule_and_absent_in_a_term() {
    let text = format!(
        "{HEAD}triggers: {{sent: {{metadata: sent}}}}\n{}",
        RULE.replace("uploaded", "{earliest: [sent, uploaded]}")
    );
    let policy = read_all(&[&text]).policy;
    let trigger = &policy.rules[0].trigger;
    assert_eq!(trigger.if_missing, Some(IfMissing::Undecided));
    let Source::Earliest(terms) = &trigger.source else { panic!("{trigger:?}") };
    assert_eq!(terms[0].trigger.if_missing, None);
    let policy = read_all(&[&text.replace("{earliest: [sent, uploaded]}", "sent")]).policy;
    assert_eq!(policy.rules[0].trigger.if_missing, Some(IfMissing::Undecided));
}

#[test]
fn tenants_and_a_record_together_are_one_override() {
    let both = "{tenants: [\"4711\"], where: {";
    let policy = read_all(&[&MORE.replacen("{where: {", both, 1)]).policy;
    let [over] = &policy.overrides[..] else { panic!("{:?}", policy.overrides) };
    assert_eq!(over.tenants.as_deref(), Some(&["4711".to_owned()][..]));
    assert!(over.condition.is_some());
}

#[test]
fn moves_that_s3_makes_are_taken() {
    for transitions in [
        "{after: 30 days, to: STANDARD_IA}, {after: 60 days, to: ONEZONE_IA}, {after: 90 days, to: GLACIER}",
        "{after: 1 month, to: STANDARD_IA}, {after: 61 days, to: INTELLIGENT_TIERING}, {after: 62 days, to: GLACIER_IR}",
        "{after: 1 day, to: GLACIER_IR}, {after: 91 days, to: GLACIER}, {after: 181 days, to: DEEP_ARCHIVE}",
        "{after: 365 days, to: DEEP_ARCHIVE}",
    ] {
        let rule = format!("{RULE}    transitions: [{transitions}]\n").replace("30 days\n", "1 year\n");
        read_all(&[&format!("{HEAD}{rule}")]);
    }
}

#[test]
fn what_stands_in_a_file_that_cannot_be_read_is_not_reported_as_missing() {
    let media = "triggers: [\n";
    let over = "overrides: [{tenants: [\"1\"], rule: elsewhere, retain: 1 fortnight}]\n";
    assert_eq!(
        faults(&[media, over]),
        [(Code::Syntax, "0.yaml".to_owned()), (Code::Period, "1.yaml".to_owned())]
    );
}

#[test]
fn faults_in_several_files_come_in_the_order_of_the_files() {
    let one = format!("{HEAD}{RULE}");
    assert_eq!(
        faults(&[&one, "name: other\nhold: []\n", RULE]),
        [
            (Code::SaidTwice, "1.yaml".to_owned()),
            (Code::UnknownKey, "1.yaml".to_owned()),
            (Code::DuplicateId, "2.yaml".to_owned())
        ]
    );
    let diagnostics = read(&files(&[&one, RULE])).unwrap_err();
    assert_eq!((diagnostics[0].related[0].0.file.as_str(), diagnostics[0].related[0].0.line), ("0.yaml", 5));
    assert_eq!(faults(&[]), [(Code::Empty, String::new())]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_fault_and_places_still_fit() {
    let text = format!("{HEAD}{RULE}").replace('\n', "\r\n");
    let plain = read_all(&[&format!("{HEAD}{RULE}")]).policy;
    assert_eq!(read_all(&[&format!("\u{feff}{text}")]).policy.digest, plain.digest);

    let files = files(&[&format!("\u{feff}{}", text.replace("retain", "retian"))]);
    let faults = read(&files).unwrap_err();
    assert_eq!((faults[0].at.line, faults[0].at.column), (8, 5));
    assert!(render(&faults, &files, false, 80).contains("8 |     retian: 30 days \n  |     ^^^^^^\n"));
}

#[test]
fn tests_cannot_expect_a_tenant_that_nobody_sees() {
    let policy = files(&[&format!("{HEAD}{RULE}")]);
    let case = |object: &str, expect: &str| {
        let text = format!(
            "version: 1\ntests:\n  - name: it\n    object: {{bucket: acme-media, key: inbound/1/a, uploaded: 2026-01-01{object}}}\n    expect:\n      2026-01-02: {{decision: retained{expect}}}\n"
        );
        let file = SourceFile { path: "a.test.yaml".to_owned(), bytes: text.into_bytes() };
        read_cases(&policy, &file).err().map(|faults| (faults[0].code, faults[0].at.line))
    };
    assert_eq!(case("", ", tenant: \"1\""), None);
    assert_eq!(case("", ", tenant: \"1 \""), Some((Code::Unseen, 6)));
    assert_eq!(case(", tenant: \"1\\u200b\"", ""), Some((Code::Unseen, 4)));
    let hold = "holds: [{id: h, reason: R, select: {tenants: [\" 1\"]}}]\n";
    let text = format!(
        "version: 1\n{hold}tests:\n  - {{name: it, object: {{bucket: b, key: k, uploaded: 2026-01-01}}, expect: {{2026-01-02: unmatched}}}}\n"
    );
    let file = SourceFile { path: "a.test.yaml".to_owned(), bytes: text.into_bytes() };
    assert_eq!(read_cases(&policy, &file).unwrap_err()[0].code, Code::Unseen);
}
