//! Customised periods, laws, requests to erase and legal holds, on the shipped policy.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::journey::{Journey, day, run_at, runs};
use crate::objects::Medium;
use crate::stage::{Stage, read, shipped};

const OTT: &str = "acme-ott-media";
const RECORDINGS: &str = "acme-recordings";
const ATTACHMENTS: &str = "acme-email-attachments";
const TRAFFIC: &str = "acme-traffic-records";

const CUSTOMISED: &str = "version: 1
overrides:
  - {tenants: [short], rule: ott-media, retain: 14 days}
  - {tenants: [long], rule: recordings, retain: 1 year, agreement: MSA-2025-118}
  - {tenants: [long], rule: email-attachments, retain: 2 years, agreement: MSA-2025-118, until: 2027-06-30}
holds:
  - {id: case-7, reason: Preservation order, select: {tenants: [sued]}, released: 2027-05-31}
erasures:
  - {id: request-1, reason: Article 17 GDPR, select: {tenants: [erased, sued, italian]}, requested: 2027-02-10}
";

const fn of(
    row: u8,
    (bucket, key): (&'static str, &'static str),
    uploaded: &'static str,
    due: &'static str,
) -> Medium {
    Medium { row, bucket, key, uploaded, metadata: &[], due: Some(due) }
}

/// What is stored, and the first day on which it may, and must, go.
const OBJECTS: &[Medium] = &[
    // 14 days in place of 30; nobody else's are shortened.
    of(6, (OTT, "inbound/short/1.jpg"), "2027-01-29T10:00:00Z", "2027-02-13"),
    of(6, (OTT, "inbound/plain/1.jpg"), "2027-01-29T10:00:00Z", "2027-03-01"),
    // The contract ended on 29 January 2027; a year was agreed, and for the other 30 days.
    of(9, (RECORDINGS, "recordings/long/1.wav"), "2026-05-05T10:00:00Z", "2028-01-30"),
    of(9, (RECORDINGS, "recordings/short/1.wav"), "2026-05-05T10:00:00Z", "2027-03-01"),
    // Two years were agreed through 30 June 2027; the year was over before.
    of(12, (ATTACHMENTS, "attachments/long/1.pdf"), "2026-02-28T10:00:00Z", "2027-07-01"),
    of(12, (ATTACHMENTS, "attachments/plain/1.pdf"), "2026-02-28T10:00:00Z", "2027-03-01"),
    // Held through 31 May in Zagreb, although it was to be erased in February.
    of(6, (OTT, "inbound/sued/1.jpg"), "2027-01-29T10:00:00Z", "2027-06-01"),
    of(9, (RECORDINGS, "recordings/sued/1.wav"), "2026-05-05T10:00:00Z", "2027-06-01"),
    // Erased at the end of the day of the request; what came later has its own time.
    of(6, (OTT, "inbound/erased/1.jpg"), "2027-02-01T10:00:00Z", "2027-02-11"),
    of(6, (OTT, "inbound/erased/2.jpg"), "2027-02-15T10:00:00Z", "2027-03-18"),
    of(9, (RECORDINGS, "recordings/erased/1.wav"), "2026-05-05T10:00:00Z", "2027-02-11"),
    of(13, (TRAFFIC, "cdr/erased/2026/05/05/0.gz"), "2026-05-06T01:00:00Z", "2027-02-11"),
    // A law keeps it in spite of the request.
    of(13, (TRAFFIC, "cdr/italian/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", "2032-02-29"),
];

fn exports(now: DateTime<Utc>) -> BTreeMap<&'static str, String> {
    let today = now.date_naive();
    let left = if today < day("2027-01-29") { "" } else { "2027-01-29" };
    let mut table = "customer_id,country,contract_ended_on,last_active_on,exported_at\n".to_owned();
    for (id, country, ended) in [
        ("plain", "HR", ""),
        ("short", "HR", left),
        ("long", "HR", left),
        ("sued", "HR", ""),
        ("erased", "HR", ""),
        ("italian", "IT", ""),
    ] {
        table.push_str(&format!("{id},{country},{ended},{today},{}\n", now.to_rfc3339()));
    }
    BTreeMap::from([("customers", table)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_agreed_held_or_asked_for_counts_from_its_day_to_its_day() {
    let files = ["ott-media.yaml", "recordings.yaml", "email-attachments.yaml", "traffic-records.yaml"];
    let mut files = shipped(&files, &[("customised.yaml", CUSTOMISED)]);
    // All of it is Shelflife's, so that each day can be told exactly.
    for rule in ["ott-media", "recordings", "email-attachments", "traffic-records"] {
        crate::add_to_rule(&mut files, rule, "enforce: direct");
    }
    let policy = read(&files);
    let spans = [
        ("2027-01-27", "2027-01-31"),
        ("2027-02-08", "2027-02-15"),
        ("2027-02-26", "2027-03-03"),
        ("2027-03-15", "2027-03-20"),
        ("2027-05-30", "2027-06-03"),
        ("2027-06-29", "2027-07-03"),
        ("2028-01-28", "2028-02-01"),
        ("2032-02-27", "2032-03-02"),
    ];
    let mut stage = Stage::set(&policy, run_at(day(spans[0].0)), &[]).await;

    let journey = Journey::live(&mut stage, &policy, OBJECTS, &runs(&spans, "2028-03-01"), exports).await;

    journey.is_as_promised(|_| None);
}
