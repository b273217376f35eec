//! `explain --object`: an object as somebody describes it, without a store.

use crate::desk::{Desk, Ran};

const POLICY: &str = "version: 1
name: acme
timezone: Europe/Zagreb
tenant: [{key: \"*/{tenant}/**\"}]
records:
  customers: {file: customers.csv, id: customer_id, by: tenant}
rules:
  - id: ott-media
    data: Media received via OTT channels
    select: {buckets: [ott]}
    trigger: {metadata: sent}
    retain: 30 days
  - id: recordings
    data: Voice and video recordings
    select: {buckets: [calls]}
    trigger:
      earliest: [{record: customers.ended_on}, {record: customers.last_active_on, plus: 18 months}]
      if-missing: retained
    retain: 30 days
  - id: tagged
    select: {buckets: [tagged], tags: {class: media}}
    trigger: uploaded
    retain: 30 days
overrides:
  - {tenants: [\"7\"], rule: ott-media, retain: 14 days}
  - {tenants: [\"8\"], rule: ott-media, retain: 1 year, agreement: MSA-1, until: 2026-06-30}
  - {tenants: [\"10\"], rule: ott-media, retain: 1 year, agreement: MSA-2, until: 2028-01-01}
  - {where: {record: customers.country, is: DE}, rule: recordings, retain: 10 years, legal-basis: HGB 257}
erasures:
  - {id: req-1, reason: By letter, select: {tenants: [\"4\"]}, requested: 2026-11-02}
holds:
  - {id: case-1, reason: Preservation order, select: {tenants: [\"9\"]}, released: 2026-12-24}
";

const RECORDS: &str = "customer_id,ended_on,last_active_on,country
3,,2026-01-15,HR
4,2026-01-31,,DE
5,2026-01-31,,
";

/// What is said of an object of this bucket and tenant on 1 December 2026.
fn explain(bucket: &str, tenant: &str, more: &str, options: &[&str]) -> Ran {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(POLICY);
    desk.write("policies/customers.csv", RECORDS);
    desk.write(
        "object.yaml",
        &format!("bucket: {bucket}\nkey: in/{tenant}/a\nuploaded: 2026-03-01T09:00:00Z\n{more}"),
    );
    let args = ["explain", "--object", "object.yaml", "--at", "2026-12-01"];
    Ran::of(desk.bare_command(&[&args, options].concat()).output().unwrap())
}

#[test]
fn a_date_is_followed_from_where_it_was_found_to_the_day_it_is_due() {
    explain("ott", "1", "metadata: {sent: \"2026-11-28T23:30:00+01:00\"}\n", &[]).ends(0).shows(&[
        "s3://ott/in/1/a",
        "asked for 2026-12-01 00:00 UTC",
        "tenant 1, from key */{tenant}/**",
        "ott-media: covers it Media received via OTT channels",
        "trigger 2026-11-28 22:30 UTC, from metadata sent, where it says \"2026-11-28T23:30:00+01:00\"",
        "+ 30 days 2026-12-28 22:30 UTC",
        "due 2026-12-29 00:00 UTC (the next midnight UTC)",
        "lifecycle",
        "direct Shelflife could remove it from 2026-12-29 on",
        "holds none",
        "decision retained: not due before 2026-12-29 under ott-media",
        "next on 2026-12-29 (UTC) it becomes expired",
    ]);
    explain("calls", "3", "", &[]).ends(0).shows(&[
        "from the earliest of record customers.ended_on and record customers.last_active_on + 18 months",
        "trigger 2026-01-15 (the whole day in Europe/Zagreb), from record customers.last_active_on of 3",
        "+ 18 months 2027-07-15",
        "+ 30 days 2027-08-14 (the whole day in Europe/Zagreb), which ends 2027-08-14 22:00 UTC",
        "due 2027-08-15 00:00 UTC",
    ]);
}

#[test]
fn an_override_is_shown_with_what_it_costs_and_what_it_rests_on() {
    let sent = "metadata: {sent: 2026-11-20}\n";
    explain("ott", "7", sent, &[])
        .ends(0)
        .shows(&["override 14 days instead of 30 days, free of charge, for 7"]);
    explain("ott", "10", sent, &[]).ends(0).shows(&[
        "override 1 year instead of 30 days, priced, agreed in MSA-2, for 10, through 2028-01-01 in Europe/Zagreb",
    ]);
    let ended = explain("ott", "8", sent, &[]).ends(0);
    assert!(!ended.out.contains("\n  override"), "{}", ended.out);
    explain("calls", "4", "", &[]).ends(0).shows(&[
        "override 10 years instead of 30 days, by law, as HGB 257 asks for, where customers.country is DE",
        "law HGB 257 keeps it from being erased until 2036-02-01 00:00 UTC",
        "erasure req-1: By letter, requested on 2026-11-02 in Europe/Zagreb, due 2026-11-03 00:00 UTC",
        "decision retained",
        "kept by law (HGB 257)",
    ]);
    explain("calls", "5", "", &[]).ends(0).shows(&[
        "perhaps another period: 10 years instead of 30 days, by law",
        "decision undecided",
        "to know record customers.country of 5, which is empty",
    ]);
}

#[test]
fn a_hold_is_shown_with_its_reason_and_the_day_on_which_it_ends_decides_what_comes_next() {
    let held = explain("ott", "9", "metadata: {sent: 2026-03-01}\n", &[]).ends(0).shows(&[
        "hold case-1: Preservation order, released at the end of 2026-12-24 in Europe/Zagreb",
        "decision held: legal hold case-1",
        "next on 2026-12-24 23:00 UTC it becomes expired",
    ]);
    assert!(!held.out.contains("to know"));
}

#[test]
fn what_is_not_given_is_not_known_and_the_answer_says_what_would_settle_it() {
    for (more, words) in [
        ("", "to know metadata sent, which is not given"),
        (
            "unreadable: [metadata]\n",
            "to know metadata sent: reading it takes the permission s3:GetObject, which is denied",
        ),
        ("metadata: {}\n", "to know metadata sent, which the object does not have"),
        ("metadata: {sent: soon}\n", "to know metadata sent as a date that can be meant; it says \"soon\""),
        ("kind: upload\n", "to know metadata sent: uploads and delete markers do not show it"),
        (
            "metadata: {sent: 2026-03-01}\nunreadable: [lock]\n",
            "to know its Object Lock state: reading it takes the permission s3:GetObjectRetention",
        ),
    ] {
        explain("ott", "1", more, &[]).ends(0).shows(&["decision undecided", words]);
    }
    explain("tagged", "1", "", &[])
        .ends(0)
        .shows(&["tagged: may cover it", "to know tag class, which is not given"]);
    explain("tagged", "1", "tags: {class: other}\n", &[])
        .ends(0)
        .shows(&["does not cover it: other tags", "decision unmatched"]);
    explain("calls", "6", "", &[])
        .ends(0)
        .shows(&["to know record customers.ended_on: a row for 6 in customers.csv"]);
    let known =
        explain("ott", "1", "metadata: {sent: 2026-03-01}\n", &[]).ends(0).shows(&["decision expired"]);
    assert!(!known.out.contains("to know"));
}

#[test]
fn where_it_is_not_known_whose_it_is_all_that_could_be_about_it_is_shown_as_perhaps() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(
        "version: 1
name: acme
tenant: [{tag: customer}]
rules:
  - {id: all, select: {buckets: [ott]}, trigger: uploaded, retain: 30 days}
  - {id: some, select: {buckets: [ott], tenants: [\"7\"]}, trigger: uploaded, retain: 60 days}
overrides: [{tenants: [\"8\"], rule: all, retain: 1 year, agreement: MSA-1}]
erasures: [{id: req-1, reason: r, select: {tenants: [\"9\"]}, requested: 2026-03-02}]
holds: [{id: case-1, reason: r, select: {tenants: [\"10\"]}}]
",
    );
    desk.write("o.yaml", "bucket: ott\nkey: a\nuploaded: 2026-03-01\n");
    let args = ["explain", "--object", "o.yaml", "--at", "2026-12-01"];
    Ran::of(desk.bare_command(&args).output().unwrap()).ends(0).shows(&[
        "tenant unknown",
        "all: covers it perhaps another period: 1 year instead of 30 days",
        "due between 2026-03-31 00:00 UTC and 2027-03-01 00:00 UTC",
        "some: may cover it",
        "erasure req-1",
        "may cover it",
        "hold case-1",
        "may cover it",
        "decision undecided",
        "to know tag customer (whose it is), which is not given",
    ]);
}

#[test]
fn the_json_has_one_shape_whatever_is_decided() {
    let json = explain("ott", "7", "metadata: {sent: 2026-11-20}\nsize: 5 MiB\n", &["--json"]).ends(0).json();
    let one = &json[0];
    assert_eq!(one["decision"], "retained");
    assert_eq!(one["size"], 5 << 20);
    assert_eq!(one["next"]["on"], "2026-12-05T00:00:00Z");
    assert_eq!(one["next"]["becomes"], "expired");
    let rule = &one["rules"][0];
    assert_eq!(
        (&rule["rule"], &rule["covers"], &rule["certain"]),
        (&"ott-media".into(), &true.into(), &true.into())
    );
    assert_eq!(rule["overridden"]["price"], "free");
    assert_eq!(
        (&rule["trigger_date"], &rule["trigger_source"]),
        (&"2026-11-20".into(), &"metadata sent".into())
    );
    assert_eq!(rule["steps"][1]["step"], "due");
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let other = explain("calls", "9", "unreadable: [tags]\n", &["--json"]).ends(0).json();
    assert_eq!(other[0]["holds"][0]["id"], "case-1");
    assert_eq!(other[0]["size"], serde_json::Value::Null);
    assert_eq!(keys(one), keys(&other[0]));
    assert_eq!(keys(rule), keys(&other[0]["rules"][2]));
}

#[test]
fn a_description_is_read_as_strictly_as_a_policy() {
    for (more, words) in [
        ("metdata: {}\n", ["SL0201", "object.yaml:4:1", "did you mean `metadata`"]),
        ("tenant: 0815\n", ["SL0205", "object.yaml:4:9", "quote it"]),
        ("tags: [a]\n", ["SL0204", "object.yaml:4:8", "a mapping"]),
        ("superseded: 2026-03-02\n", ["SL0407", "object.yaml:4:1", "only versions"]),
        ("uploaded: 2026-03-02\n", ["SL0108", "object.yaml:4:1", "stands here twice"]),
        ("metadata: {sent: &a 2026-03-02, b: *a}\n", ["SL0106", "object.yaml:4:18", "anchor"]),
        ("metadata: {sent: \"\\e[31m\"}\n", ["SL0103", "object.yaml:4:18", "control character"]),
        ("---\nbucket: ott\nkey: a\nuploaded: 2026-03-01\n", ["SL0206", "object.yaml:5:1", "one object"]),
    ] {
        let ran = explain("ott", "1", more, &[]).ends(2);
        for words in words {
            let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(words), "{words}\n{}", ran.err);
        }
    }
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(POLICY);
    Ran::of(desk.bare_command(&["explain", "--object", "none.yaml"]).output().unwrap())
        .ends(2)
        .tells(&["none.yaml"]);
    Ran::of(desk.bare_command(&["explain"]).output().unwrap()).ends(2).tells(&["required"]);
    let both = ["explain", "s3://a/b", "--object", "none.yaml"];
    Ran::of(desk.bare_command(&both).output().unwrap()).ends(2).tells(&["cannot be used with"]);
}

#[test]
fn hostile_keys_and_metadata_do_not_drive_the_terminal() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(POLICY);
    desk.write("policies/customers.csv", RECORDS);
    desk.write("o.yaml", "bucket: ott\nkey: \"in/\u{200b}1/a\u{ad}\"\nuploaded: 2026-03-01\nmetadata: {sent: \"2026\u{200b}\"}\n");
    let args = ["explain", "--object", "o.yaml"];
    let shown = Ran::of(desk.bare_command(&args).output().unwrap()).ends(0);
    assert!(!shown.out.contains(['\u{200b}', '\u{ad}']), "{}", shown.out);
    shown.shows(&["in/\\u{200b}1/a\\u{ad}", "it says \"2026\\u{200b}\""]);
    let json = Ran::of(desk.bare_command(&[&args[..], &["--json"]].concat()).output().unwrap()).ends(0);
    assert_eq!(json.json()[0]["object"], "s3://ott/in/\u{200b}1/a\u{ad}");
}
