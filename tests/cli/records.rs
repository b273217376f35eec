//! Record files that cannot be trusted: refused, or with leave to go on, everything that needs them is kept.

use chrono::{TimeDelta, Utc};

use crate::desk::Desk;
use crate::shelf::Shelf;
use crate::support::LocalStack;

fn policy(recordings: &str, media: &str) -> String {
    format!(
        "version: 1
name: e2e
tenant:
  - key: \"*/{{tenant}}/**\"
records:
  customers:
    file: records/customers.csv
    id: customer_id
    by: tenant
    exported-at: exported_at
    fresh-within: 2 days
rules:
  - id: recordings
    select: {{buckets: [{recordings}], prefix: recordings/}}
    trigger: {{record: customers.contract_ended_on, if-missing: retained}}
    retain: 30 days
    enforce: direct
  - id: ott-media
    select: {{buckets: [{media}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    enforce: direct
"
    )
}

const HEADER: &str = "customer_id,contract_ended_on,exported_at";

/// Rows of two customers whose contracts ended long ago, exported so many days ago.
fn rows(header: &str, days: i64) -> String {
    let exported = (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ");
    format!("{header}\n1,2024-01-31,{exported}\n2,2024-01-31,{exported}\n")
}

/// A record file that is not as it should be.
struct Case<'a> {
    name: &'a str,
    /// `None` if it is not there.
    csv: Option<String>,
    says: &'a [&'a str],
    /// What must stay because of it, even when it is tolerated.
    keeps: &'a [&'a str],
}

#[tokio::test]
async fn faulty_record_files_are_refused_and_when_tolerated_keep_what_depends_on_them() {
    let Some(store) = LocalStack::shared() else { return };
    let twice = rows(HEADER, 0) + rows(HEADER, 0).lines().nth(2).unwrap() + "\n";
    let cut = rows(HEADER, 0).trim_end().to_owned();
    let both: &[&str] = &["recordings/1/call.mp4", "recordings/2/call.mp4"];
    let renamed = "customer_id,contract_end,exported_at";
    let no_column = "no column `contract_ended_on`";
    let cases = [
        Case { name: "missing", csv: None, says: &["could not be opened"], keeps: both },
        Case { name: "stale", csv: Some(rows(HEADER, 10)), says: &["line 2", "too long ago"], keeps: both },
        Case { name: "duplicate", csv: Some(twice), says: &["line 4", "`2`", "line 3"], keeps: &both[1..] },
        Case { name: "cut", csv: Some(cut), says: &["line 3", "line break"], keeps: &both[1..] },
        Case {
            name: "column",
            csv: Some(rows(renamed, 0)),
            says: &[no_column, "`contract_end`"],
            keeps: both,
        },
    ];
    for Case { name, csv, says, keeps } in cases {
        let fragments = [&["customers.csv:"], says].concat();
        let recordings = Shelf::new(store, &format!("records-{name}")).await;
        let media = Shelf::new(store, &format!("media-{name}")).await;
        recordings.put("recordings/1/call.mp4", 400).await;
        recordings.put("recordings/2/call.mp4", 400).await;
        media.put("inbound/1/photo.jpg", 40).await;
        let desk = Desk::at(&store.endpoint);
        desk.policy(&policy(&recordings.bucket, &media.bucket));
        if let Some(csv) = &csv {
            desk.write("policies/records/customers.csv", csv);
        }
        let before = (recordings.state().await, media.state().await);

        for command in ["plan", "reconcile"] {
            let ran = desk.run(&[command]).ends(2).tells(&["record files have faults"]).tells(&fragments);
            ran.tells(&["help:", "export them again", "--tolerate-record-faults"]);
        }
        desk.run(&["check"]).ends(0).shows(&fragments);
        assert_eq!((recordings.state().await, media.state().await), before, "{name}");
        assert_eq!(desk.files(), ["policies"], "{name}");

        let reconciled = desk.run(&["reconcile", "--tolerate-record-faults"]).ends(0);
        reconciled.tells(&fragments);
        assert_eq!(recordings.keys().await, keeps, "{name}");
        assert_eq!(media.keys().await, [""; 0], "{name}");
    }
}

/// Whoever mends what is listed is not to think that it is all.
#[test]
fn of_many_faults_the_first_are_listed_and_the_others_counted() {
    // Nobody is asked for anything: the records are looked at first.
    let desk = Desk::at("http://127.0.0.1:9");
    desk.policy(&policy("acme-recordings", "acme-media"));
    let row = rows(HEADER, 0).lines().nth(1).unwrap().to_owned() + "\n";
    desk.write("policies/records/customers.csv", &format!("{HEADER}\n{}", row.repeat(301)));
    let told = ["customers.csv: line 102", "customers.csv: and 200 more, which are not listed"];
    let ran = desk.run(&["plan"]).ends(2).tells(&["record files have faults"]).tells(&told);
    assert_eq!(ran.err.matches("customers.csv: line ").count(), 100);
    desk.run(&["check"]).ends(0).shows(&told);
}
