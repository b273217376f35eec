//! `check` as editors, code hosts and scripts use it: SARIF, JSON, the schema, explanations, exit codes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desk::{Desk, Ran};
use crate::thirty_days;

/// A desk without a store.
fn desk() -> Desk {
    Desk::at("http://127.0.0.1:1")
}

/// A policy with several faults, one of which has a second place.
const FAULTY: &str = "version: 1
name: acme
rules:
  - id: media
    select: {buckets: [acme-media], prefix: inbound/}
    trigger: uploaded
    retain: 30 dasy
  - {id: media, data: 日本語, retian: 1 day, select: {buckets: [b-b]}, trigger: uploaded}
";

/// A policy that is valid and has two warnings.
const WARNED: &str = "version: 1
name: acme
rules:
  - id: media
    select: {buckets: [acme-media], prefix: inbound}
    trigger: uploaded
    retain: 30 days
triggers:
  unused: {metadata: sent}
";

fn sarif(desk: &Desk, code: i32, args: &[&str]) -> Value {
    let ran = desk.run(&[&["check", "--sarif"], args].concat()).ends(code);
    assert_eq!(ran.err, "");
    let log = ran.json();
    let mut schema: Value = serde_json::from_str(include_str!("../sarif/sarif-schema-2.1.0.json")).unwrap();
    // The published pattern of languages has a bracket without its partner, so it is no pattern by the letter
    // of JSON Schema. No language is said here.
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"]
            .as_object_mut()
            .unwrap()
            .remove("pattern")
            .unwrap();
    }
    assert!(log.pointer("/runs/0/language").is_none());
    let schema = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
    let faults: Vec<String> =
        schema.iter_errors(&log).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    log
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

fn fingerprints(log: &Value) -> Vec<String> {
    let of = |result: &Value| result["partialFingerprints"]["shelflifeLine/v1"].as_str().unwrap().to_owned();
    results(log).iter().map(of).collect()
}

#[test]
fn sarif_is_valid_and_points_at_the_place_in_the_repository() {
    let desk = desk();
    desk.write("my policies/čista #1.yaml", FAULTY);
    let log = sarif(&desk, 2, &["my policies"]);
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert!(run["originalUriBaseIds"]["%SRCROOT%"].is_object());
    assert!(!log.to_string().contains(&*desk.path("").to_string_lossy()), "a path of this machine");

    let found: Vec<_> = results(&log).iter().map(|result| (&result["ruleId"], &result["level"])).collect();
    let error = |code: &str| (Value::from(code), Value::from("error"));
    let expected = [error("SL0304"), error("SL0303"), error("SL0201")];
    assert_eq!(found, expected.iter().map(|(code, level)| (code, level)).collect::<Vec<_>>());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results(&log) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].is_string());
    }

    let place = |file: &str, line: u32, start: u32, end: u32| {
        json!({
            "artifactLocation": { "uri": file, "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line, "startColumn": start, "endLine": line, "endColumn": end },
        })
    };
    let file = "my%20policies/%C4%8Dista%20%231.yaml";
    // Columns count characters, and the end is the column behind the last one.
    assert_eq!(results(&log)[0]["locations"][0]["physicalLocation"], place(file, 7, 13, 20));
    assert_eq!(results(&log)[2]["locations"][0]["physicalLocation"], place(file, 8, 28, 34));
    let related = &results(&log)[1]["relatedLocations"][0];
    assert_eq!(related["physicalLocation"], place(file, 4, 9, 14));
    let message = results(&log)[2]["message"]["text"].as_str().unwrap();
    assert!(message.contains("retian") && message.contains("did you mean `retain`?"), "{message}");

    let whole = desk.path("my policies");
    assert_eq!(sarif(&desk, 2, &[&*whole.to_string_lossy()]), log, "an absolute path means the same");
}

#[test]
fn a_fault_keeps_its_fingerprint_when_it_moves_and_no_two_share_one() {
    let desk = desk();
    let twice = format!("{FAULTY}  - {{retian: 1}}\n  - {{retian: 1}}\n");
    desk.policy(&twice);
    let before = fingerprints(&sarif(&desk, 2, &[]));
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
    desk.policy(&format!("# A line more.\n\n{twice}"));
    assert_eq!(fingerprints(&sarif(&desk, 2, &[])), before);
    desk.policy(&twice.replace("30 dasy", "31 dasy"));
    assert_ne!(fingerprints(&sarif(&desk, 2, &[])), before);
}

#[test]
fn sarif_of_warnings_of_record_files_and_of_nothing_is_valid() {
    let desk = desk();
    desk.policy(&thirty_days("media", "guards: {max-share: 20%}\n"));
    assert_eq!(results(&sarif(&desk, 0, &[])).len(), 0);

    desk.policy(WARNED);
    let levels: Vec<_> =
        results(&sarif(&desk, 0, &[])).iter().map(|result| result["level"].clone()).collect();
    assert!(levels.len() >= 2 && levels.iter().all(|level| level == "warning"), "{levels:?}");

    desk.policy(&thirty_days(
        "media",
        "records: {customers: {file: gone.csv, id: id, by: tenant}}\ntriggers: {t: {record: customers.end}}\n",
    ));
    let log = sarif(&desk, 0, &[]);
    let of_file = results(&log).iter().find(|result| result["ruleId"] == "SL0501").unwrap();
    assert_eq!(of_file["locations"][0]["physicalLocation"]["region"]["startLine"], 11);
}

#[test]
fn sarif_cannot_be_made_to_link_elsewhere() {
    let desk = desk();
    desk.policy(&FAULTY.replace("30 dasy", "\"[x](https://example.com)\""));
    let log = sarif(&desk, 2, &[]);
    let message = results(&log)[0]["message"]["text"].as_str().unwrap();
    assert!(message.contains("[x] (https") && !message.contains("]("), "{message}");
}

#[test]
fn json_has_each_fault_with_its_place_and_its_bytes() {
    let desk = desk();
    // What stands before is no part of the columns or of the bytes.
    let text = format!("\u{feff}{FAULTY}");
    desk.policy(&text);
    let checked = desk.run(&["check", "--json"]).ends(2);
    assert_eq!(checked.err, "");
    let checked = checked.json();
    assert_eq!(
        (&checked["valid"], &checked["files"], &checked["errors"], &checked["warnings"], &checked["notes"]),
        (&json!(false), &json!(1), &json!(3), &json!(0), &json!(0))
    );
    let unknown = &checked["diagnostics"][2];
    let (start, end) = (FAULTY.find("retian").unwrap(), FAULTY.find("retian").unwrap() + 6);
    let expected = json!({
        "code": "SL0201",
        "severity": "error",
        "message": "unknown key `retian` in a rule",
        "help": "did you mean `retain`?",
        "file": "policies/policy.yaml",
        "line": 8, "column": 28, "end_line": 8, "end_column": 34,
        "span": { "start": start, "end": end },
        "related": [],
    });
    assert_eq!(*unknown, expected);
    let related = &checked["diagnostics"][1]["related"][0];
    assert_eq!((&related["line"], &related["end_column"]), (&json!(4), &json!(14)));
    assert_eq!(related["message"], "first given here");
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let desk = desk();
    desk.policy(WARNED);
    let ran = desk.run(&["check"]).ends(0).shows(&["warning[SL0904]", "valid in 1 file:", "warning"]);
    assert!(!ran.out.contains("error"), "{}", ran.out);
    for form in [&[][..], &["--json"], &["--sarif"]] {
        desk.run(&[&["check", "--deny", "warnings"], form].concat()).ends(2);
    }
    desk.policy(&thirty_days("media", "guards: {max-share: 20%}\n"));
    let clean = desk.run(&["check", "--deny", "warnings"]).ends(0);
    assert_eq!((clean.out.as_str(), clean.err.as_str()), ("valid in 1 file\n", ""));
    desk.policy(FAULTY);
    desk.run(&["check"]).ends(2).shows(&["not valid in 1 file: 3 errors"]);
}

#[test]
fn a_code_is_explained_and_an_unknown_one_brings_its_neighbours() {
    let desk = desk();
    for written in ["SL0410", "sl410"] {
        desk.run(&["check", "--explain", written]).ends(0).shows(&["SL0410", "name the `agreement`"]);
    }
    let unknown = desk.run(&["check", "--explain", "SL0409x"]).ends(2);
    assert_eq!(unknown.out, "");
    unknown.tells(&["there is no diagnostic SL0409x", "help:", "SL0409: Tenants are used"]);
    let hostile = desk.run(&["check", "--explain", "\u{1b}[31m"]).ends(2);
    hostile.tells(&["there is no diagnostic", "SL0101"]);
}

#[test]
fn what_excludes_each_other_is_refused() {
    let desk = desk();
    desk.policy(FAULTY);
    for args in [
        &["--json", "--sarif"][..],
        &["--sarif", "--schema"],
        &["--schema", "--json"],
        &["--explain", "SL0101", "--json"],
        &["--explain", "SL0101", "--schema"],
        &["--live", "--schema"],
    ] {
        let ran = desk.run(&[&["check"], args].concat()).ends(2);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn the_schema_is_printed_and_nothing_else() {
    let ran = desk().run(&["check", "--schema"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let schema = ran.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let zones = schema["properties"]["timezone"]["enum"].as_array().unwrap();
    assert!(zones.contains(&"Europe/Zagreb".into()));
}

#[test]
fn long_lines_wide_characters_and_tabs_are_underlined_where_they_stand() {
    let desk = desk();
    let long = "x".repeat(300);
    desk.policy(&format!(
        "version: 1
name: acme
rules:
  - {{id: wide, data: 日本語の添付, retian: 1 day, select: {{buckets: [a-a]}}, trigger: uploaded}}
  - {{id: tab, data:\ta,\tretian: 1 day, select: {{buckets: [a-a]}}, trigger: uploaded}}
  - {{id: far, data: {long}, retian: 1 day, select: {{buckets: [a-a]}}, trigger: uploaded}}
  - {{id: long, retain: {long}, select: {{buckets: [a-a]}}, trigger: uploaded}}
"
    ));
    let ran: Ran = desk.run(&["check"]).ends(2);
    let lines: Vec<&str> = ran.out.lines().collect();
    let mut marked = 0;
    for (source, marks) in lines.iter().zip(&lines[1..]).filter(|(source, _)| source.contains("retian:")) {
        let column = |text: &str, what: &str| {
            unicode_width::UnicodeWidthStr::width(text.split_once(what).expect("it is there").0)
        };
        assert_eq!(column(source, "retian"), column(marks, "^^^^^^"), "{source}\n{marks}");
        marked += 1;
    }
    assert_eq!(marked, 3, "{}", ran.out);
    assert!(ran.out.contains("…xxx") && !ran.out.contains(&long), "{}", ran.out);
}

#[test]
fn a_record_file_that_may_be_cut_off_or_lacks_columns_is_a_warning_with_the_remedy() {
    let desk = desk();
    let policy = |file: &str| {
        format!(
            "version: 1\nname: acme\ntenant: [{{key: \"*/{{tenant}}/**\"}}]\nrecords:\n  customers: {{file: {file}, id: id, by: tenant}}\nrules:\n  - id: m\n    select: {{buckets: [acme-media]}}\n    trigger: {{record: customers.ended}}\n    retain: 30 days\n    incomplete-uploads: 7 days\n"
        )
    };
    desk.policy(&policy("c.csv"));
    desk.write("policies/c.csv", "id,ended\n1,2026-01-01\n2,2026-01-0");
    desk.run(&["check"]).ends(0).shows(&["warning[SL0501]", "line 3", "end the file with a line break"]);
    desk.run(&["check", "--deny", "warnings"]).ends(2);
    desk.write("policies/c.csv", "id,ended\n1,\"2026-01-01\n2,2026-01-01\"\n");
    desk.run(&["check"]).ends(0).shows(&["warning[SL0501]", "line 2 begins a row"]);
    desk.policy(&policy("c.jsonl"));
    desk.write("policies/c.jsonl", "{\"id\": 1, \"ended\": null}\n{\"id\": 2}\n{\"id\": 3}\n");
    desk.run(&["check"]).ends(0).shows(&[
        "warning[SL0501]",
        "2 of the rows have no `ended` at all",
        "line 2",
    ]);
}
