use chrono::{DateTime, Utc};

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
guards: {max-shrink: 20%}
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
    let warnings = found.filter(|found| found.severity == Severity::Warning);
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
    assert_eq!(policy.guards.max_shrink, Some(0.2));
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
fn order_files_comments_and_form_make_no_difference_to_the_digests() {
    let second = "  - {id: other, select: {buckets: [b-2, b-1]}, trigger: {earliest: [{metadata: a}, {metadata: b}]}, retain: 1 year}\n";
    let one = read_all(&[&format!("{HEAD}{RULE}{second}holds: []\n")]).policy;
    let other = "# Comment\nrules:\n  - retain: P12M\n    id: \"other\"\n    enforce: auto\n    trigger:\n      \
        earliest: [{metadata: B}, {metadata: a}]\n    select:\n      buckets:\n      - 'b-1'\n      - b-2\n      - b-1\n";
    let two = read_all(&[other, &format!("{RULE}---\n{HEAD}timezone: UTC\ntolerance: 3 days\n")]).policy;
    assert_eq!(one.digest, two.digest);
    assert_eq!(one.holds_digest, two.holds_digest);
}

#[test]
fn the_order_of_what_is_a_set_makes_no_difference_to_the_digests() {
    let one = read_all(&[MORE]).policy;
    for (from, to) in [
        ("[\"image/*\", audio/ogg]", "[audio/OGG, \"image/*\", audio/ogg]"),
        ("{class: media, team: [a, b]}", "{team: [b, a, b], class: [media]}"),
        ("{over: 1 MiB, under: 5000000000}", "{under: 5 GB, over: 1048576}"),
        (
            "[{prefix: inbound/keep/}, {tenants: [\"0815\"]}]",
            "[{tenants: [\"0815\"]}, {prefix: inbound/keep/}]",
        ),
        ("[DE, AT]", "[AT, DE]"),
        ("[sent, {metadata: read-at, plus: 1 day}]", "[{plus: P1D, metadata: Read-At}, sent]"),
        ("Class: private", "class: [private]"),
    ] {
        assert!(MORE.contains(from), "{from}");
        let other = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_eq!(other.digest, one.digest, "{from}");
        assert_eq!(other.holds_digest, one.holds_digest, "{from}");
    }
}

#[test]
fn every_value_makes_a_difference_to_the_digest() {
    let base = read_all(&[EXAMPLE]).policy;
    for (from, to) in [
        ("name: acme-media", "name: acme"),
        ("Europe/Zagreb", "Europe/Vienna"),
        ("123456789012", "123456789013"),
        ("tag: customer", "tag: client"),
        ("records/customers.csv", "records/clients.csv"),
        ("id: customer_id", "id: id"),
        ("fresh-within: 2 days", "fresh-within: 3 days"),
        ("exported-at: exported_at", "exported-at: at"),
        ("metadata: communication-date", "metadata: sent"),
        ("before: unlimited", "before: 2 days"),
        ("after: 1 day", "after: 2 days"),
        ("outside: clamp", "outside: undecided"),
        ("if-missing: uploaded", "if-missing: retained"),
        ("customers.contract_ended_on", "customers.ended"),
        ("plus: 18 months", "plus: 17 months"),
        ("*-recordings", "*-calls"),
        ("**/*.mp4", "**"),
        ("[\"0815\", \"4711\"]", "[\"0815\"]"),
        ("retain: P30D", "retain: 31 days"),
        ("enforce: direct", "enforce: auto"),
        ("data: Media", "data: Medium"),
        ("prefix: inbound/", "prefix: in/"),
        ("retain: 1 day,", "retain: 2 days,"),
        ("versions: 2", "versions: 3"),
        ("uploads: 1 week", "uploads: 8 days"),
        ("max-share: 60%", "max-share: 61%"),
        ("{tenants: [\"4711\"], rule: ott-media", "{tenants: [\"4712\"], rule: ott-media"),
        ("retain: 14 days", "retain: 13 days"),
        ("MSA-2025-118", "MSA-2025-119"),
        ("2028-01-01", "2028-01-02"),
        ("max-objects: 1000000", "max-objects: 1"),
        ("10 TiB", "10 TB"),
        ("max-plan-age: 1 day", "max-plan-age: 2 days"),
        ("{max-share: 20%", "{max-share: 21%"),
        ("by: tenant", "by: {tag: customer}"),
        ("- metadata: Customer-Id\n  - tag: customer", "- tag: customer\n  - metadata: Customer-Id"),
        ("    outside: clamp\n", ""),
        ("    incomplete-uploads: 1 week\n", ""),
        ("      prefix: inbound/\n", ""),
        ("- communication-date\n", "- {metadata: communication-date}\n"),
        ("tolerance: 3 days", "tolerance: 4 days"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        let changed = read_all(&[&EXAMPLE.replacen(from, to, 1)]).policy;
        assert_ne!(changed.digest, base.digest, "{from}");
        assert_eq!(changed.holds_digest, base.holds_digest, "{from}");
    }
    let more = read_all(&[MORE]).policy;
    for (from, to) in [
        ("s3://exports/customers.csv", "s3://exports/clients.csv"),
        ("campaigns.jsonl", "campaigns.csv"),
        ("campaigns.jsonl, id", "campaigns.jsonl, format: csv, id"),
        ("tag: sent-at", "tag: sent"),
        ("%d.%m.%Y", "%m.%d.%Y"),
        ("epoch-seconds", "epoch-milliseconds"),
        ("latest: [", "earliest: ["),
        ("plus: 1 day", "plus: 2 days"),
        ("[{metadata: send-at}, last, ended]", "[{metadata: send-at}, ended, last]"),
        ("image/*", "image/gif"),
        ("content-type: image/png", "content-type: image/gif"),
        ("class: media", "class: text"),
        ("team: [a, b]", "team: [a]"),
        ("Class: private", "Class: public"),
        ("over: 1 MiB", "over: 2 MiB"),
        ("under: 5000000000", "under: 5000000001"),
        ("inbound/keep/", "inbound/kept/"),
        ("{tenants: [\"0815\"]}]", "{tenants: [\"0816\"]}]"),
        ("90 days", "91 days"),
        ("DEEP_ARCHIVE", "GLACIER"),
        ("undo-window: 7 days", "undo-window: 8 days"),
        ("s3://exports/calls/", "s3://exports/other/"),
        ("    evidence: per-object\n", ""),
        ("customers.country", "customers.seat"),
        ("[DE, AT]", "[DE]"),
        ("HGB 257", "HGB 258"),
        ("req-881", "req-882"),
        ("On request", "By mail"),
        ("select: {tenants: [\"4711\"]}", "select: {tenants: [\"4712\"]}"),
        ("2026-11-02", "2026-11-03"),
        ("max-shrink: 20%", "max-shrink: 21%"),
        ("by: {metadata: campaign-id}", "by: {tag: campaign-id}"),
        ("id: campaign,", "id: code,"),
        ("{metadata: read-at", "{tag: read-at"),
        ("{first: [", "{latest: ["),
        ("{over: 1 MiB, under: 5000000000}", "{over: 1 MiB}"),
        ("except: [{prefix: inbound/keep/}, {", "except: [{"),
        ("      tags: {class: media, team: [a, b]}\n", ""),
        ("      metadata: {Class: private}\n", ""),
        ("      content-type: image/png\n", ""),
        ("{after: 90 days, to: GLACIER_IR}, ", ""),
        ("    undo-window: 7 days\n", ""),
        ("    export: s3://exports/calls/\n", ""),
        ("{where: {", "{tenants: [\"1\"], where: {"),
        ("legal-basis: HGB", "agreement: HGB"),
        ("guards: {max-shrink: 20%}\n", ""),
    ] {
        assert!(MORE.contains(from), "{from}");
        let changed = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_ne!(changed.digest, more.digest, "{from}");
        assert_eq!(changed.holds_digest, more.holds_digest, "{from}");
    }
    for (from, to) in [
        ("case: \"1\"", "case: \"2\""),
        ("prefix: other/", "prefix: else/"),
        (", except: [{prefix: other/}]", ""),
        ("{tags: {case", "{metadata: {case"),
    ] {
        let changed = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_eq!(changed.digest, more.digest, "{from}");
        assert_ne!(changed.holds_digest, more.holds_digest, "{from}");
    }
    for (from, to) in [("case-2026-07", "case-2026-08"), ("Order", "Case"), ("2027-01-31", "2027-02-01")] {
        let changed = read_all(&[&EXAMPLE.replacen(from, to, 1)]).policy;
        assert_eq!(changed.digest, base.digest, "{from}");
        assert_ne!(changed.holds_digest, base.holds_digest, "{from}");
    }
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
fn warnings_point_at_what_may_not_be_meant() {
    let rules = "rules:
  - {id: b, select: {buckets: [\"acme-*\"], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: a, select: {buckets: [acme-media], prefix: in/bound}, trigger: uploaded, retain: 30 days}
  - {id: c, select: {buckets: [acme-media], prefix: \"out/*/\"}, trigger: uploaded, retain: 30 days}
overrides:
  - {tenants: [\"1\"], rule: a, retain: 30 days}
triggers:
  idle: {metadata: x}
records:
  idle: {file: x.csv, id: id, by: tenant}
";
    let text = format!("{HEAD}{rules}");
    assert_eq!(
        warnings(&text, "2026-11-23T00:00:00Z"),
        [
            (Code::Overlap, 6),
            (Code::PrefixBoundary, 6),
            (Code::PrefixLiteral, 7),
            (Code::OverrideChangesNothing, 9),
            (Code::UnusedTrigger, 11),
            (Code::UnusedTable, 13),
        ]
    );
}

#[test]
fn rules_that_cannot_meet_do_not_overlap() {
    let rules = "rules:
  - {id: a, select: {buckets: [acme-media], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: b, select: {buckets: [acme-media], prefix: out/}, trigger: uploaded, retain: 30 days}
  - {id: c, select: {buckets: [\"*-calls\"], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: d, select: {buckets: [acme-calls], tenants: [\"1\"], prefix: by/}, trigger: uploaded, retain: 30 days}
  - {id: e, select: {buckets: [acme-calls], tenants: [\"2\"], prefix: by/}, trigger: uploaded, retain: 30 days}
";
    assert_eq!(warnings(&format!("{HEAD}{rules}"), "2026-11-23T00:00:00Z"), []);
}

#[test]
fn a_last_day_is_past_only_when_it_is_over_in_the_policys_zone() {
    let text = format!(
        "{HEAD}timezone: Europe/Zagreb\n{RULE}overrides:
  - {{tenants: [\"1\"], rule: media, retain: 14 days, until: 2026-11-22}}
holds:
  - {{id: case-1, reason: R, select: {{buckets: [\"*\"]}}, released: 2026-11-22}}
"
    );
    assert_eq!(warnings(&text, "2026-11-22T22:59:59Z"), []);
    assert_eq!(warnings(&text, "2026-11-22T23:00:00Z"), [(Code::Past, 11), (Code::Past, 13)]);
}

#[test]
fn prefixes_are_looked_at_wherever_they_stand() {
    let text = |more: &str| {
        let rule = RULE.replace("prefix: inbound/", "except: [{prefix: in/keep}]");
        warnings(&format!("{HEAD}{rule}{more}"), "2026-11-23T00:00:00Z")
    };
    let of_rule = (Code::PrefixBoundary, 6);
    assert_eq!(text(""), [of_rule]);
    let hold = |select: &str| text(&format!("holds:\n  - {{id: h, reason: R, select: {{{select}}}}}\n"));
    assert_eq!(hold("prefix: in/4711"), [of_rule, (Code::PrefixBoundary, 10)]);
    assert_eq!(hold("prefix: \"in/*/\""), [of_rule, (Code::PrefixLiteral, 10)]);
    assert_eq!(hold("prefix: in/, except: [{prefix: \"in/{a}/\"}]"), [of_rule, (Code::PrefixLiteral, 10)]);
    assert_eq!(hold("prefix: in/4711/"), [of_rule]);
    let erasure = format!(
        "{HEAD}{RULE}erasures:\n  - {{id: e, reason: R, select: {{prefix: inbound/4711}}, requested: 2026-11-01}}\n"
    );
    let [one] = &read_all(&[&erasure]).warnings[..] else { panic!() };
    assert_eq!((one.code, one.at.line, one.at.column), (Code::PrefixBoundary, 10, 41));
    assert_eq!(
        one.message,
        "the prefix also reaches keys such as `inbound/47110/…`, which may be another customer's"
    );
}

#[test]
fn one_text_that_reads_as_several_values_is_warned_of() {
    let hold = |tenant: &str| {
        let text = format!("{HEAD}{RULE}holds:\n  - {{id: h, reason: R, select: {{tenants: [{tenant}]}}}}\n");
        warnings(&text, "2026-11-23T00:00:00Z")
    };
    for several in ["\"4711, 0815\"", "\"4711,0815\"", "\"4711;0815\"", "\"4711  0815\"", "\"a\u{a0} b\""] {
        assert_eq!(hold(several), [(Code::OneValue, 10)], "{several}");
    }
    assert_eq!(hold("\"4711\", Acme Logistics"), []);
    let is = MORE.replace("[DE, AT]", "\"DE, AT\"");
    assert!(warnings(&is, "2026-11-23T00:00:00Z").iter().any(|(code, _)| *code == Code::OneValue));
}

#[test]
fn blanks_at_the_ends_of_what_is_compared_are_warned_of() {
    for (select, line) in
        [("prefix: \" in/\"", 6), ("key: \"in/** \"", 6), ("tags: {a: \"b \"}", 6), ("tags: {\"a \": b}", 6)]
    {
        let text = format!("{HEAD}{}", RULE.replace("prefix: inbound/", select));
        assert!(warnings(&text, "2026-11-23T00:00:00Z").contains(&(Code::BlankEnds, line)), "{select}");
    }
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
