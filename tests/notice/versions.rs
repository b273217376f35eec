//! Rows of the notice in buckets that keep versions.

use shelflife::sandbox::EntryKind;

use crate::journey::{Journey, runs};
use crate::objects::Medium;
use crate::stage::{Stage, read, shipped};
use crate::{SPANS, add_to_rule, exports, nothing_is_planned, of_rows, replace, start, support};

const ATTACHMENTS: &str = "acme-email-attachments";
const RECORDINGS: &str = "acme-recordings";

const fn of(
    row: u8,
    (bucket, key): (&'static str, &'static str),
    uploaded: &'static str,
    due: &'static str,
) -> Medium {
    Medium { row, bucket, key, uploaded, metadata: &[], due: Some(due) }
}

/// Two versions under one key, each with its own day; and two of a customer that leaves.
const VERSIONS: &[Medium] = &[
    of(12, (ATTACHMENTS, "attachments/1001/twice.pdf"), "2026-02-28T10:00:00Z", "2027-03-01"),
    of(12, (ATTACHMENTS, "attachments/1001/twice.pdf"), "2026-06-30T10:00:00Z", "2027-07-01"),
    of(9, (RECORDINGS, "recordings/leaves/1.wav"), "2026-02-01T10:00:00Z", "2027-03-01"),
    of(9, (RECORDINGS, "recordings/leaves/1.wav"), "2026-07-01T10:00:00Z", "2027-03-01"),
    of(12, (ATTACHMENTS, "attachments/1001/hidden.pdf"), "2026-02-28T10:00:00Z", "2027-03-01"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_goes_on_its_own_day_and_takes_its_marker_along() {
    let mut files = shipped(&["recordings.yaml", "email-attachments.yaml"], &[]);
    add_to_rule(&mut files, "email-attachments", "enforce: direct");
    let policy = read(&files);
    let mut stage = Stage::set(&policy, start(), &[ATTACHMENTS, RECORDINGS]).await;
    let (endpoint, sandbox) = (stage.sandbox.endpoint(), stage.sandbox.clone());
    let client = support::client_as(&endpoint, sandbox.access_key(), sandbox.secret_key());
    let first = Journey::live(
        &mut stage,
        &policy,
        VERSIONS,
        &runs(&[("2026-01-01", "2026-01-02"), ("2026-07-01", "2026-07-03")], "2026-08-01"),
        exports,
    )
    .await;

    // In July somebody deletes an attachment, as S3 understands it: a marker hides it.
    client.delete_object().bucket(ATTACHMENTS).key("attachments/1001/hidden.pdf").send().await.unwrap();
    let entries = stage.sandbox.list_everything(ATTACHMENTS).unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.kind == EntryKind::Marker).count(), 1);

    let journey = first.goes_on(&mut stage, &policy, &runs(&SPANS[1..3], "2027-08-01"), exports).await;

    journey.is_as_promised(|_| None);
    for bucket in [ATTACHMENTS, RECORDINGS] {
        assert_eq!(stage.sandbox.list_everything(bucket).unwrap(), [], "no marker is left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_noncurrent_s3_takes_versions_for_good_and_in_time() {
    let mut files = shipped(&["ott-media.yaml", "email-attachments.yaml"], &[]);
    for rule in ["ott-media", "email-attachments"] {
        add_to_rule(&mut files, rule, "enforce: lifecycle");
        add_to_rule(&mut files, rule, "noncurrent: {retain: 1 day}");
    }
    // S3 first hides an object, and a day later removes what is hidden; each is rounded.
    replace(&mut files, "\ntolerance: 4 days\n", "\ntolerance: 6 days\n");
    nothing_is_planned(&mut files, &[12]);
    let policy = read(&files);
    let mut stage = Stage::set(&policy, start(), &["acme-ott-media", ATTACHMENTS]).await;
    let objects = of_rows(&[6, 12]).into_iter().filter(|medium| !medium.is_planned()).collect::<Vec<_>>();

    let journey =
        Journey::live(&mut stage, &policy, &objects, &runs(&SPANS[..4], "2028-04-01"), exports).await;

    journey.is_as_promised(|row| if row == 6 { Some(5) } else { Some(6) });
    for bucket in ["acme-ott-media", ATTACHMENTS] {
        assert_eq!(stage.sandbox.list_everything(bucket).unwrap(), [], "no marker is left");
    }
}
