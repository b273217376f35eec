//! `shelflife test`: a policy's own tests, as a test runner runs them.

use std::fs;

use crate::desk::{Desk, Ran};

const POLICY: &str = "version: 1
name: acme
timezone: Europe/Zagreb
tenant: [{key: \"*/{tenant}/**\"}]
records:
  customers: {file: customers.csv, id: customer_id, by: tenant, exported-at: exported, fresh-within: 2 days}
triggers:
  end:
    earliest: [{record: customers.ended_on}, {record: customers.last_active_on, plus: 18 months}]
    if-missing: retained
rules:
  - id: ott-media
    select: {buckets: [ott]}
    trigger: {metadata: sent, within: 1 day, outside: clamp, if-missing: uploaded}
    retain: 30 days
  - id: recordings
    select: {buckets: [calls]}
    trigger: end
    retain: 30 days
holds:
  - {id: case-1, reason: Preservation order, select: {tenants: [\"99\"]}}
";

/// A media object that goes on 1 April, and one recording whose contract ended.
const SOUND: &str = "version: 1
records:
  customers:
    - {customer_id: \"4711\", ended_on: 2026-03-01}
    - {customer_id: \"12\", last_active_on: \"\"}
    - {customer_id: \"13\", ended_on: 2026-03-01}
    - {customer_id: \"13\", ended_on: 2026-03-01}
tests:
  - name: media goes thirty days after the message
    object:
      bucket: ott
      key: in/7/a.jpg
      uploaded: 2026-03-01T09:00:00Z
      metadata: {Sent: 2026-03-01T08:59:00Z}
    expect:
      2026-03-31: retained
      2026-04-01: {decision: expired, due: 2026-04-01, rule: ott-media, rules: [ott-media], tenant: \"7\", holds: []}
      2026-04-01T00:00:00+02:00: retained
  - name: a contract's end
    object: {bucket: calls, key: in/4711/c.mp4, uploaded: 2026-01-01}
    expect:
      2026-03-31: {decision: retained, due: 2026-04-01, reason: not due before 2026-04-01}
      2026-04-01: expired
  - name: a customer who is not in the records, one who is there twice, and one whose contract runs
    object: {bucket: calls, key: in/14/c.mp4, uploaded: 2026-01-01}
    expect:
      2036-01-01: {decision: undecided, due: none, reason: [no record has this id]}
";

fn desk(tests: &str) -> Desk {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(POLICY);
    desk.write("policies/a.test.yaml", tests);
    desk
}

fn run(desk: &Desk, more: &[&str]) -> Ran {
    Ran::of(desk.bare_command(&[&["test"], more].concat()).output().unwrap())
}

/// A test file with one test of an object in the bucket `ott`.
fn one(object: &str, expect: &str) -> String {
    format!(
        "version: 1\ntests:\n  - name: it\n    object: {{bucket: ott, key: in/7/a.jpg, uploaded: 2026-03-01{object}}}\n    expect:\n{expect}"
    )
}

#[test]
fn tests_that_pass_are_named_and_counted_and_end_well() {
    let desk = desk(SOUND);
    run(&desk, &[]).ends(0).shows(&[
        "policies/a.test.yaml",
        "ok media goes thirty days after the message",
        "ok a contract's end",
        "3 tests in 1 file: 3 passed",
    ]);
    let json = run(&desk, &["--json"]).ends(0).json();
    assert_eq!((&json["passed"], &json["failed"]), (&3.into(), &0.into()));
    assert_eq!(json["tests"][0]["name"], "media goes thirty days after the message");
    assert_eq!(json["tests"][0]["checks"][1]["found"]["due"], "2026-04-01T00:00:00Z");
    assert_eq!(json["never_expired"], serde_json::json!([]));
}

#[test]
fn a_test_that_fails_shows_each_date_and_what_was_found_instead() {
    let expect = "      2026-03-31: expired\n      2026-04-01: {decision: expired, due: 2026-03-29, rule: recordings}\n      2026-04-02: expired\n";
    let desk = desk(&one(", metadata: {}", expect));
    run(&desk, &[])
        .ends(1)
        .shows(&[
            "FAILED it policies/a.test.yaml:3",
            "on 2026-04-01, line 7",
            "due expected 2026-03-29 found 2026-03-31, 2 days later",
            "rule expected recordings found ott-media",
            "1 test in 1 file: 0 passed, 1 failed",
        ])
        .tells(&["no test has seen anything expire under: recordings"]);
    let json = run(&desk, &["--json"]).ends(1).json();
    let checks = &json["tests"][0]["checks"];
    assert_eq!((&checks[0]["passed"], &checks[1]["passed"]), (&true.into(), &false.into()));
    assert_eq!(checks[1]["differences"][0]["what"], "due");
    assert_eq!(json["tests"][0]["line"], 3);
}

#[test]
fn what_a_test_does_not_give_is_not_known_and_the_reason_says_what_is_wanted() {
    let policy = "version: 1
name: acme
rules:
  - {id: tagged, select: {buckets: [ott], tags: {class: media}}, trigger: uploaded, retain: 30 days}
";
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(policy);
    desk.write("policies/a.test.yaml", &one("", "      2026-04-01: expired\n"));
    run(&desk, &[])
        .ends(1)
        .shows(&["decision expected expired found undecided", "its tags would have to be known"]);
    for (object, decision) in [
        (", tags: {class: media}", "expired"),
        (", tags: {}", "unmatched"),
        (", unreadable: [tags]", "undecided"),
        (", tags: {class: media}, unreadable: [lock]", "undecided"),
        (", tags: {class: media}, lock: {legal-hold: true}", "locked"),
        (", tags: {class: media}, lock: {retain-until: 2026-04-02}", "locked"),
        (", tags: {class: media}, lock: {retain-until: 2026-04-01}", "expired"),
        (", kind: upload", "undecided"),
    ] {
        desk.write("policies/a.test.yaml", &one(object, &format!("      2026-04-01: {decision}\n")));
        run(&desk, &[]).ends(0);
    }
}

#[test]
fn a_tenant_that_is_given_counts_before_the_sources_which_still_reach_a_hold() {
    let expect = |words: &str| format!("      2026-12-01: {{{words}}}\n");
    let desk = desk(&one(
        ", metadata: {}, tenant: \"99\"",
        &expect("decision: held, tenant: \"99\", holds: [case-1]"),
    ));
    run(&desk, &[]).ends(0);
    let by_key = "version: 1\ntests:\n  - name: it\n    object: {bucket: ott, key: in/99/a, uploaded: 2026-01-01, metadata: {}, tenant: \"7\"}\n    expect:\n";
    desk.write("policies/a.test.yaml", &format!("{by_key}{}", expect("decision: held, tenant: \"7\"")));
    run(&desk, &[]).ends(0);
}

#[test]
fn a_test_stands_under_its_own_holds_overrides_erasures_and_records() {
    let desk = desk(
        "version: 1
records: {customers: missing}
overrides: [{tenants: [\"7\"], rule: ott-media, retain: 10 days}]
without-holds: [case-1]
tests:
  - name: shorter for one
    object: {bucket: ott, key: in/7/a, uploaded: 2026-03-01, metadata: {}}
    expect:
      2026-03-10: retained
      2026-03-11: expired
  - name: a hold of its own
    object: {bucket: ott, key: in/7/a, uploaded: 2026-03-01, metadata: {}}
    holds: [{id: case-2, reason: r, select: {prefix: in/7/}, released: 2026-05-01}]
    expect:
      2026-05-01: {decision: held, holds: [case-2]}
      2026-05-01T22:00:00Z: expired
  - name: erased on request
    object: {bucket: ott, key: in/7/a, uploaded: 2026-03-01, metadata: {}}
    erasures: [{id: req-1, reason: r, select: {tenants: [\"7\"]}, requested: 2026-03-02}]
    expect:
      2026-03-02: retained
      2026-03-03: {decision: expired, erasures: [req-1], reason: on request req-1}
  - name: without the policy's hold
    object: {bucket: ott, key: in/99/a, uploaded: 2026-03-01, metadata: {}}
    expect: {2026-04-01: {decision: expired, holds: []}}
  - name: no records at all
    object: {bucket: calls, key: in/4711/a, uploaded: 2020-03-01}
    expect: {2026-04-01: {decision: undecided, reason: cannot be trusted}}
  - name: stale ones
    records: {customers: stale}
    object: {bucket: calls, key: in/4711/a, uploaded: 2020-03-01}
    expect: {2026-04-01: undecided}
  - name: its own rows, the same customer twice
    records: {customers: [{customer_id: \"1\", ended_on: 2026-01-01}, {customer_id: \"1\"}, {customer_id: \"2\"}]}
    object: {bucket: calls, key: in/1/a, uploaded: 2020-03-01}
    expect: {2026-04-01: {decision: undecided, reason: several records have this id}}
",
    );
    run(&desk, &[]).ends(0).shows(&["7 passed"]);
}

#[test]
fn what_is_only_observed_is_told_from_what_goes() {
    let desk = desk(&one(", metadata: {}", "      2026-04-01: observed\n"));
    run(&desk, &[]).ends(1).shows(&["expected observed found expired"]);
    desk.policy(&POLICY.replace(
        "    retain: 30 days\n  - id: recordings",
        "    retain: 30 days\n    enforce: observe\n  - id: recordings",
    ));
    run(&desk, &[]).ends(0);
    desk.write("policies/a.test.yaml", &one(", metadata: {}", "      2026-04-01: expired\n"));
    run(&desk, &[]).ends(0);
}

#[test]
fn only_some_tests_run_when_asked_for_and_never_none_in_silence() {
    let desk = desk(SOUND);
    let some =
        run(&desk, &["--only", "contract's"]).ends(0).shows(&["1 test in 1 file: 1 passed, 2 left out"]);
    assert!(!some.out.contains("thirty"));
    assert!(!some.err.contains("no test has seen"));
    run(&desk, &["--only", "a.test"]).ends(0).shows(&["3 passed"]);
    run(&desk, &["--only", "nonsense"]).ends(2).tells(&["no test was run"]);
    fs::remove_file(desk.path("policies/a.test.yaml")).unwrap();
    run(&desk, &[]).ends(2).tells(&["there are no tests"]);
    desk.write("policies/below/b.test.yaml", SOUND);
    desk.write("policies/.hidden/c.test.yaml", "nonsense: [");
    run(&desk, &[]).ends(0).shows(&["policies/below/b.test.yaml", "3 passed"]);
}

#[test]
fn a_wrong_test_file_is_refused_at_its_place_and_the_others_still_run() {
    for (text, code, place, words) in [
        ("version: 1\ntests: []\n", "SL0207", "2:8", "empty"),
        ("tests:\n  - {name: a}\n", "SL0203", "1:1", "needs `version`"),
        ("version: 1\ntest:\n  - {name: a}\n", "SL0201", "2:1", "did you mean `tests`"),
        (&*one(", metadta: {}", "      2026-04-01: expired\n"), "SL0201", "4:66", "did you mean `metadata`"),
        (&*one("", "      2026-04-01: expird\n"), "SL0313", "6:19", "did you mean `expired`"),
        (&*one("", "      2026-4-1: expired\n"), "SL0312", "6:7", "neither a day nor an instant"),
        (&*one("", "      2026-04-01T00:00:00: expired\n"), "SL0312", "6:7", "neither a day nor an instant"),
        (
            &*one("", "      2026-04-01: {decision: held, holds: [case-2]}\n"),
            "SL0401",
            "6:44",
            "did you mean `case-1`",
        ),
        (&*one("", "      2026-04-01: {due: 2026-04-01}\n"), "SL0203", "6:20", "needs `decision`"),
        (&*one(", tenant: 0815", "      2026-04-01: held\n"), "SL0205", "4:74", "can be read as a number"),
        (
            &*one(", kind: upload, metadata: {}", "      2026-04-01: held\n"),
            "SL0407",
            "4:80",
            "show no metadata",
        ),
        (
            &*one(", tags: {}, unreadable: [tags]", "      2026-04-01: held\n"),
            "SL0407",
            "4:89",
            "can be read",
        ),
        (
            &*one(", versioning: enabled, kind: object", "      2026-04-01: held\n"),
            "SL0407",
            "4:93",
            "is a `version`",
        ),
        (
            "version: 1\nrecords: {custmers: []}\ntests:\n  - {name: a, object: {bucket: ott, key: a, uploaded: 2026-01-01}, expect: {2026-01-01: retained}}\n",
            "SL0401",
            "2:11",
            "did you mean `customers`",
        ),
        (
            "version: 1\nrecords: {customers: [{customer_id: a, endedon: b}]}\ntests:\n  - {name: a, object: {bucket: ott, key: a, uploaded: 2026-01-01}, expect: {2026-01-01: retained}}\n",
            "SL0401",
            "2:40",
            "did you mean `ended_on`",
        ),
        (
            "version: 1\nholds: [{id: case-1, reason: r, select: {prefix: a}}]\ntests:\n  - {name: a, object: {bucket: ott, key: a, uploaded: 2026-01-01}, expect: {2026-01-01: retained}}\n",
            "SL0303",
            "2:14",
            "another hold",
        ),
        (
            "version: 1\noverrides: [{tenants: [a], rule: ott-media, retain: 1 year}]\ntests:\n  - {name: a, object: {bucket: ott, key: a, uploaded: 2026-01-01}, expect: {2026-01-01: retained}}\n",
            "SL0410",
            "2:",
            "agreement",
        ),
        (
            "version: 1\nwithout-holds: [case-2]\ntests:\n  - {name: a, object: {bucket: ott, key: a, uploaded: 2026-01-01}, expect: {2026-01-01: retained}}\n",
            "SL0401",
            "2:17",
            "did you mean `case-1`",
        ),
        ("version: 1\ntests:\n  - &a {name: a}\n  - *a\n", "SL0106", "3:5", "anchor"),
        ("version: 1\ntests: [\n", "SL0104", "", "not YAML"),
        ("", "SL0111", "1:1", "says nothing"),
    ] {
        let desk = desk(text);
        desk.write("policies/b.test.yaml", SOUND);
        let ran = run(&desk, &[]).ends(2);
        let expected = [code, "policies/a.test.yaml:", words];
        let place = format!("policies/a.test.yaml:{place}");
        assert!(ran.err.contains(&place), "{place}\n{}", ran.err);
        for words in expected {
            let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(words), "{words}\n{}", ran.err);
        }
        ran.shows(&["3 passed", "1 file not valid"]);
        let json = run(&desk, &["--json"]).ends(2).json();
        assert!(json["diagnostics"].as_array().unwrap().iter().any(|one| one["code"] == code), "{json}");
    }
}

#[test]
fn hostile_test_files_end_in_a_diagnostic_and_show_no_control_characters() {
    let deep = format!("version: 1\ntests: {}{}\n", "[".repeat(100), "]".repeat(100));
    let large = format!("version: 1\n# {}\n", "x".repeat(2 << 20));
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    for (bytes, code) in [
        (deep.as_bytes(), "SL0105"),
        (large.as_bytes(), "SL0101"),
        (bomb.as_bytes(), "SL0106"),
        (b"version: 1\ntests: \"\x00\"\n", "SL0103"),
        (b"version: 1\ntests: \xff\n", "SL0102"),
    ] {
        let desk = desk("");
        fs::write(desk.path("policies/a.test.yaml"), bytes).unwrap();
        run(&desk, &[]).ends(2).tells(&[code]);
    }
    let sly = one(", metadata: {sent: \"\\e[31m\\u202e\"}", "      2026-04-01: expired\n");
    run(&desk(&sly), &[]).ends(2).tells(&["SL0103"]);
    let long = one("", "      2026-04-01: {decision: retained, reason: \"\\u202e\"}\n");
    run(&desk(&long), &[]).ends(1).shows(&["reason expected \\u{202e}"]);
}

#[test]
fn a_policy_that_goes_by_size_needs_one() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(
        "version: 1
name: acme
rules:
  - {id: large, select: {buckets: [ott], size: {over: 1 MiB}}, trigger: uploaded, retain: 30 days}
",
    );
    desk.write("policies/a.test.yaml", &one("", "      2026-04-01: expired\n"));
    run(&desk, &[]).ends(2).tells(&["SL0203", "needs `size`"]);
    for (size, decision) in [("2 MiB", "expired"), ("1048576", "unmatched")] {
        desk.write(
            "policies/a.test.yaml",
            &one(&format!(", size: {size}"), &format!("      2026-04-01: {decision}\n")),
        );
        run(&desk, &[]).ends(0);
    }
}

/// The indented or fenced YAML in the README that holds this line.
fn from_the_readme(line: &str) -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.to_owned()).find(|block| block.contains(line)).unwrap()
}

#[test]
fn the_first_test_that_the_readme_shows_passes_and_its_object_is_explained() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(&from_the_readme("name: my-media"));
    desk.write("policies/media.test.yaml", &from_the_readme("thirty days after the upload"));
    run(&desk, &[]).ends(0).shows(&["ok media goes thirty days after the upload", "1 passed"]);
    desk.write("photo.yaml", &from_the_readme("# photo.yaml"));
    let args = ["explain", "--object", "photo.yaml", "--at", "2026-12-24"];
    Ran::of(desk.bare_command(&args).output().unwrap()).ends(0).shows(&["decision expired"]);
    let expected = desk.path("policies/media.test.yaml");
    let whole = from_the_readme("without-holds").replace(
        "  - name: …\n",
        "  - {name: a, object: {bucket: b, key: k, uploaded: 2026-01-01}, expect: {2026-01-01: unmatched}}\n",
    );
    fs::write(expected, whole).unwrap();
    // Its names are those of the shipped policy, and this one has none of them.
    run(&desk, &[]).ends(2).tells(&["there is no hold `case-2026-07`"]);
}

#[test]
fn two_tests_of_one_file_cannot_have_the_same_name_and_versions_are_told_apart() {
    let two = one("", "      2026-03-02: retained\n");
    let again = two.split_once("tests:\n").unwrap().1;
    run(&desk(&format!("{two}{again}")), &[]).ends(2).tells(&["SL0303", "another test `it`"]);
    let desk = desk("");
    desk.policy(&POLICY.replace("    retain: 30 days\n  - id: recordings", "    retain: 30 days\n    noncurrent: {retain: 7 days, newer-noncurrent-versions: 1}\n  - id: recordings"));
    for (object, expect) in [
        (
            ", versioning: enabled, superseded: 2026-03-02, newer-noncurrent: 1",
            "{2026-03-08: retained, 2026-03-09: expired}",
        ),
        (
            ", kind: version, superseded: 2026-03-02",
            "{2030-01-01: {decision: retained, reason: newest superseded}}",
        ),
        (", kind: marker", "{2030-01-01: {decision: retained, reason: hides versions}}"),
        (", kind: marker, alone: true", "{2026-03-01: expired}"),
    ] {
        let text = one(object, "").replace("expect:\n", &format!("expect: {expect}\n"));
        desk.write("policies/a.test.yaml", &text);
        run(&desk, &[]).ends(0);
    }
}

#[test]
fn rows_that_say_when_they_were_exported_are_as_fresh_as_on_the_day_of_the_test() {
    let tests = |rows: &str, expect: &str| {
        format!(
            "version: 1\nrecords:\n  customers: [{rows}]\ntests:\n  - name: it\n    object: {{bucket: calls, key: in/1/c.mp4, uploaded: 2026-01-01}}\n    expect:\n{expect}"
        )
    };
    let ended = "{customer_id: \"1\", ended_on: 2026-01-01";
    let fresh_then_stale = "      2026-03-02: expired\n      2026-03-04: {decision: undecided, reason: cannot be trusted}\n      2026-02-28: undecided\n";
    let desk = desk(&tests(&format!("{ended}, exported: 2026-03-01T12:00:00Z}}"), fresh_then_stale));
    run(&desk, &[]).ends(0).shows(&["1 passed"]);
    // One row that does not say it makes the file as little known as it does in a file.
    let rows = format!("{ended}, exported: 2026-03-01T12:00:00Z}}, {{customer_id: \"2\"}}");
    desk.write("policies/a.test.yaml", &tests(&rows, "      2026-03-02: undecided\n"));
    run(&desk, &[]).ends(0);
    desk.write("policies/a.test.yaml", &tests(&format!("{ended}}}"), "      2036-03-02: expired\n"));
    run(&desk, &[]).ends(0);
}

#[test]
fn no_path_drives_the_terminal() {
    let desk = desk(SOUND);
    for command in [&["test"][..], &["check"], &["explain", "--object", "o.yaml", "--policy"]] {
        let ran = Ran::of(desk.bare_command(&[command, &["no\u{1b}[2Jsuch"]].concat()).output().unwrap());
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
        ran.tells(&[r"no\x1b[2Jsuch"]);
    }
}
