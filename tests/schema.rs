//! The JSON Schema of a policy file, held to the reader: it refuses nothing that the reader takes, and
//! sees every fault that is one of shape.

#![expect(clippy::unwrap_used, reason = "a test whose files cannot be read must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde::Deserialize;
use serde_yaml::{Mapping, Value};
use shelflife::policy::{self, Code, SourceFile};

/// Faults that a schema always sees: they are in one value, or in one mapping.
const SEEN: &[Code] = &[
    Code::UnknownKey,
    Code::WrongShape,
    Code::EmptyValue,
    Code::Version,
    Code::Name,
    Code::Period,
    Code::Duration,
    Code::TimeZone,
    Code::Account,
    Code::Bucket,
    Code::Number,
    Code::Choice,
    Code::RecordPath,
    Code::RecordField,
    Code::StorePlace,
    Code::StopFile,
    Code::OneSource,
    Code::OutsideNeedsWithin,
    Code::ClampNeedsLimit,
    Code::OutOfPlace,
    Code::CaptureMissing,
    Code::FreshNeedsExport,
    Code::FixedPeriod,
    Code::NeedsDirect,
];

/// Faults of which it sees some: it does not know quotes, calendars, all of the pattern and date languages
/// or which file extensions stand for what; it compares no select with its exceptions; and some keys may
/// stand in another file.
const SOMETIMES: &[Code] = &[
    Code::Unquoted,
    Code::MissingKey,
    Code::Date,
    Code::Pattern,
    Code::Prefix,
    Code::AttributeName,
    Code::Media,
    Code::DateFormat,
    Code::Transition,
    Code::ControlCharacter,
    Code::SelectsNothing,
];

/// Faults that only show when values or places are compared.
const UNSEEN: &[Code] = &[
    Code::SaidTwice,
    Code::DuplicateId,
    Code::Size,
    Code::UnknownReference,
    Code::Cycle,
    Code::TriggerTooLarge,
    Code::NoTenantSource,
    Code::NeedsAgreement,
    Code::ExportsIntoItself,
    Code::HiddenForGood,
    Code::Unseen,
];

/// Faults of the text, for which there is nothing that a schema could look at.
fn is_of_the_text(code: Code) -> bool {
    code.id().starts_with("SL01") && code != Code::ControlCharacter
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&policy::schema()).unwrap()
}

/// The documents of a file as an editor's validator sees them.
fn documents(yaml: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(yaml).map(Value::deserialize).collect()
}

fn accepts(validator: &Validator, yaml: &str) -> bool {
    documents(yaml)
        .unwrap()
        .iter()
        .all(|document| validator.is_valid(&serde_json::to_value(document).unwrap()))
}

fn codes(yaml: &str) -> BTreeSet<Code> {
    match policy::read(&[SourceFile { path: "a.yaml".to_owned(), bytes: yaml.into() }]) {
        Ok(_) => BTreeSet::new(),
        Err(faults) => faults.iter().map(|fault| fault.code).collect(),
    }
}

fn folder(path: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| !path.to_string_lossy().ends_with(".test.yaml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path)))
        .map(|(name, text)| (name, text.unwrap()))
        .collect();
    files.sort();
    files
}

/// Everything that the language has.
const WHOLE: &str = r#"
version: 1
name: acme
timezone: Europe/Zagreb
account: "123456789012"
tenant:
  - key: "*/{tenant}/**"
  - metadata: customer-id
  - tag: customer
records:
  customers:
    file: records/customers.csv
    id: customer_id
    by: tenant
    fresh-within: 2 days
    exported-at: exported_at
  campaigns:
    file: s3://exports/campaigns.txt
    format: jsonl
    id: id
    by: {metadata: campaign-id}
triggers:
  communication-date:
    metadata: communication-date
    format: "%d.%m.%Y"
    within: {before: unlimited, after: 1 day}
    outside: clamp
    if-missing: uploaded
  day-in-key: {key: "{yyyy}/{MM}/{dd}/**", within: 1 day}
  sent: {first: [{metadata: send-at, format: epoch-seconds}, communication-date]}
  gone:
    earliest:
      - record: customers.contract_ended_on
      - {record: customers.last_active_on, plus: 18 months}
    if-missing: retained
  later: {latest: [{tag: a}, uploaded]}
rules:
  - id: media
    data: Media
    select:
      buckets: ["*-media", acme-old]
      prefix: inbound/
      key: "**/*.jpg"
      media: ["image/*", audio/ogg]
      content-type: image/png
      tags: {class: media, team: [a, b]}
      metadata: {class: [a, b]}
      size: {over: 1 MiB, under: 5368709120}
      tenants: ["4711"]
      except: [{prefix: inbound/keep/}, {tenants: ["0815"]}]
    trigger: communication-date
    retain: 30 days
    enforce: direct
    noncurrent: {retain: 1 day, newer-noncurrent-versions: 0}
    incomplete-uploads: 7 days
    export: s3://exports/
    undo-window: 7 days
    evidence: per-object
    guards: {max-share: 60%, max-objects: 10, max-bytes: 1 GiB, max-times-usual: 20}
  - id: calls
    select: {buckets: [acme-calls]}
    trigger: {earliest: [gone, sent, day-in-key, later]}
    retain: P1Y6M
    enforce: auto
    transitions: [{after: 90 days, to: GLACIER_IR}]
overrides:
  - {tenants: ["4711"], rule: media, retain: 14 days}
  - {where: {record: customers.country, is: [DE, AT]}, rule: calls, retain: 10 years, legal-basis: HGB §257}
  - {tenants: ["1"], where: {record: campaigns.kind, is: x}, rule: media, retain: 1 year, agreement: A-1, until: 2028-01-01}
erasures:
  - {id: req-1, reason: asked for, select: {tenants: ["4711"]}, requested: 2026-11-02}
holds:
  - {id: case-1, reason: an order, select: {buckets: ["*"]}, released: 2027-01-31}
guards:
  max-share: 20%
  max-objects: 1000
  max-bytes: 10 TiB
  max-times-usual: 5
  max-plan-age: 1 day
  max-shrink: 12.5%
  per-bucket: {max-share: 50%, max-objects: 100, max-bytes: 1 TiB}
  per-tenant: {max-share: 30%}
  stop-file: s3://ops/shelflife.stop
tolerance: 3 days
"#;

#[test]
fn the_schema_is_one_and_has_all_codes_in_its_table() {
    jsonschema::meta::validate(&policy::schema()).unwrap();
    let tables: Vec<Code> = [SEEN, SOMETIMES, UNSEEN].concat();
    for code in Code::ALL {
        let times = tables.iter().filter(|listed| *listed == code).count();
        let of_a_policy = ("SL02".."SL0499").contains(&code.id()) && *code != Code::TooManyFaults;
        let expected = usize::from(of_a_policy || *code == Code::ControlCharacter);
        assert_eq!(times, expected, "{}", code.id());
    }
}

#[test]
fn what_is_right_is_accepted() {
    let validator = validator();
    assert_eq!(codes(WHOLE), BTreeSet::new());
    for (name, yaml) in folder("policies").into_iter().chain([("whole".to_owned(), WHOLE.to_owned())]) {
        for document in documents(&yaml).unwrap() {
            let document = serde_json::to_value(document).unwrap();
            let faults: Vec<String> = validator
                .iter_errors(&document)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
    }
}

#[test]
fn what_is_wrong_is_refused_where_its_fault_is_one_of_shape_and_accepted_where_it_is_not() {
    let validator = validator();
    let (mut refused, mut accepted, mut wrong) = (0, 0, Vec::new());
    for (name, yaml) in folder("tests/policies-bad") {
        let codes = codes(&yaml);
        assert!(!codes.is_empty(), "{name}");
        if codes.iter().any(|code| is_of_the_text(*code)) || documents(&yaml).is_err() {
            continue;
        }
        let is_seen = codes.iter().any(|code| SEEN.contains(code));
        let is_unseen = codes.iter().all(|code| UNSEEN.contains(code));
        match accepts(&validator, &yaml) {
            true if is_seen => wrong.push(format!("{name} is accepted in spite of {codes:?}")),
            false if is_unseen => wrong.push(format!("{name} is refused, though it has only {codes:?}")),
            true => accepted += 1,
            false => refused += 1,
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 30 && accepted >= 5, "{refused} refused, {accepted} accepted");
}

/// Whatever single thing is changed in a policy, the schema refuses nothing that the reader takes, and
/// accepts nothing that has a fault of shape.
#[test]
fn schema_and_reader_agree_on_every_policy_with_one_thing_changed() {
    let validator = validator();
    let whole: Value = serde_yaml::from_str(WHOLE).unwrap();
    let mut changed = Vec::new();
    change(&whole, &mut |value| changed.push(value));
    assert!(changed.len() > 1500, "{}", changed.len());
    let (mut wrong, mut valid, mut faulty) = (Vec::new(), 0, 0);
    for value in changed {
        let yaml = serde_yaml::to_string(&value).unwrap();
        let codes = codes(&yaml);
        if codes.iter().any(|code| is_of_the_text(*code)) {
            continue;
        }
        let accepted = accepts(&validator, &yaml);
        if codes.is_empty() {
            valid += 1;
        } else {
            faulty += 1;
        }
        let is_seen = codes.iter().any(|code| SEEN.contains(code));
        if codes.iter().all(|code| UNSEEN.contains(code)) && !accepted || is_seen && accepted {
            let line = yaml.lines().find(|line| !WHOLE.contains(line.trim())).unwrap_or_default();
            wrong.push(format!("accepted {accepted}, codes {codes:?}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), valid + faulty, wrong.join("\n"));
    assert!(valid > 50 && faulty > 1000, "{valid} valid, {faulty} faulty");
}

/// Hands out `value` with each node in turn taken away, or replaced by something else.
fn change(value: &Value, take: &mut dyn FnMut(Value)) {
    let others = [
        "~",
        "true",
        "0",
        "1",
        "''",
        "a b",
        "[]",
        "{}",
        "[a]",
        "{a: b}",
        "30 days",
        "P0D",
        "2027-02-31",
        "s3://a",
    ];
    for other in others {
        let other: Value = serde_yaml::from_str(other).unwrap();
        if other != *value {
            take(other);
        }
    }
    match value {
        Value::Sequence(items) => {
            for place in 0..items.len() {
                let with = |item: Option<Value>| {
                    let mut items = items.clone();
                    match item {
                        Some(item) => items[place] = item,
                        None => drop(items.remove(place)),
                    }
                    Value::Sequence(items)
                };
                take(with(None));
                change(&items[place], &mut |item| take(with(Some(item))));
            }
        }
        Value::Mapping(entries) => {
            for (key, entry) in entries {
                let with = |entry: Option<Value>| {
                    let others = entries.iter().filter(|(other, _)| *other != key);
                    let mut all: Mapping = others.map(|(key, entry)| (key.clone(), entry.clone())).collect();
                    if let Some(entry) = entry {
                        all.insert(key.clone(), entry);
                    }
                    Value::Mapping(all)
                };
                take(with(None));
                change(entry, &mut |entry| take(with(Some(entry))));
            }
            let mut more = entries.clone();
            more.insert("xyzzy".into(), "a".into());
            take(Value::Mapping(more));
        }
        _ => {}
    }
}
