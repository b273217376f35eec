//! Inventories written as S3 writes them, read back.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, Write};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use md5::{Digest, Md5};
use parquet::basic::{Compression as Codec, Encoding};
use parquet::file::properties::{WriterProperties, WriterVersion};

use self::written::{Written, csv_of, gzipped, object, parquet_as, parquet_of};
use super::parquet::Opened;
use super::{Candidates, DataFile, Found, InventoryError, Judge, MOST_DAYS, Manifest, Row, Scan};
use crate::decide::{self, Decider, Step, Verdict};
use crate::object::{BucketFacts, Observed, Versioning};
use crate::plan::Line;
use crate::policy::{self, Policy, SourceFile};
use crate::records::Records;

mod written;

const PARQUET_SCHEMA: &str = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
     optional binary version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker; \
     optional int64 size; optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary storage_class (UTF8); }";
const CSV_SCHEMA: &str =
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, StorageClass";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 28, 12, 0, 0).unwrap()
}

fn days_ago(days: i64) -> DateTime<Utc> {
    now() - TimeDelta::days(days)
}

fn policy(rule: &str) -> Policy {
    let text = format!(
        "version: 1\nname: test\nrules:\n  - id: media\n    select: {{buckets: [media], prefix: inbound/}}\n    {rule}\n"
    );
    let source = SourceFile { path: "policy.yaml".to_owned(), bytes: text.into_bytes() };
    policy::read(&[source]).unwrap_or_else(|faults| panic!("{faults:?}")).policy
}

fn thirty_days() -> Policy {
    policy("trigger: uploaded\n    retain: 30 days")
}

fn facts(versioning: Versioning) -> BucketFacts {
    BucketFacts { name: "media".to_owned(), versioning, mfa_delete: false, object_lock: false }
}

fn hex(md5: impl AsRef<[u8]>) -> String {
    md5.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest_text(format: &str, schema: &str, files: &[&[u8]]) -> String {
    let files: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(place, bytes)| {
            serde_json::json!({"key": format!("reports/media/all/data/{place}"), "size": bytes.len(), "MD5checksum": hex(Md5::digest(bytes))})
        })
        .collect();
    serde_json::json!({
        "sourceBucket": "media",
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": days_ago(1).timestamp_millis().to_string(),
        "fileFormat": format,
        "fileSchema": schema,
        "files": files,
    })
    .to_string()
}

fn read(text: &str) -> Result<Manifest, InventoryError> {
    Manifest::read(text.as_bytes(), None)
}

fn scan_with(
    manifest: &Manifest,
    policy: &Policy,
    versioning: Versioning,
    fetch: impl Fn(&DataFile) -> Result<File, Box<dyn std::error::Error + Send + Sync>> + Sync,
) -> Result<Found, InventoryError> {
    let (records, facts) = (Records::default(), facts(versioning));
    let decider = Decider::new(policy, &records, &facts.name, now());
    Scan { manifest, decider: &decider, facts: &facts, threads: 3, memory: 4 << 10 }.run(fetch, |_| {})
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn scan(
    manifest: &Manifest,
    policy: &Policy,
    versioning: Versioning,
    files: &[&[u8]],
) -> Result<Found, InventoryError> {
    scan_with(manifest, policy, versioning, |file| {
        let place: usize = file.key.rsplit('/').next().unwrap().parse().unwrap();
        Ok(on_disk(files.get(place).ok_or("it is not there")?))
    })
}

fn keys(found: Found) -> Vec<String> {
    found.candidates.collect::<Result<_, _>>().unwrap()
}

fn lines(found: &Found, policy: &Policy) -> Vec<(Option<String>, String, u64, u64)> {
    let told = |line: Line| (line.rule, line.verdict, line.tally.objects, line.tally.bytes);
    found.counted.summary(policy, "media").lines().into_iter().map(told).collect()
}

#[test]
fn both_formats_tell_the_same_of_every_row() {
    let mut rows: Vec<Written> = (0..3_000)
        .rev()
        .map(|n| object(&format!("inbound/{n:05}"), if n % 3 == 0 { 40 } else { 10 }))
        .collect();
    rows.push(object("inbound/a b+c%2F&\"ä\n.jpg", 40));
    rows.push(object("other/photo.jpg", 400));
    let policy = thirty_days();
    let (first, second) = rows.split_at(1_000);
    let mut told = Vec::new();
    for (format, schema, files) in [
        ("Parquet", PARQUET_SCHEMA, [parquet_of(first, 300), parquet_of(second, 5_000)]),
        ("CSV", CSV_SCHEMA, [csv_of(first), csv_of(second)]),
    ] {
        let files = [files[0].as_slice(), files[1].as_slice()];
        let manifest = read(&manifest_text(format, schema, &files)).unwrap();
        let found = scan(&manifest, &policy, Versioning::Never, &files).unwrap();
        assert_eq!((found.rows, found.counted.rows()), (3_002, 2_001), "{format}");
        told.push((lines(&found, &policy), keys(found)));
    }
    assert_eq!(told[0], told[1]);
    let (lines, keys) = &told[0];
    assert_eq!(
        lines,
        &[
            (None, "unmatched".to_owned(), 1, 5),
            (Some("media".to_owned()), "retained".to_owned(), 2_000, 10_000)
        ]
    );
    assert_eq!(keys.len(), 1_001);
    assert!(keys.is_sorted());
    assert_eq!(keys.last().unwrap(), "inbound/a b+c%2F&\"ä\n.jpg");
}

#[test]
fn what_a_row_does_not_tell_makes_its_key_a_candidate() {
    let fresh = object("inbound/fresh", 1);
    let undated = Written { uploaded: None, ..object("inbound/undated", 1) };
    let unsized_one = Written { size: None, ..object("inbound/unsized", 1) };
    let older = Written { is_latest: false, ..object("inbound/of-a-bucket-without-versions", 1) };
    let file = parquet_of(&[fresh, undated, unsized_one, older], 10);
    let manifest = read(&manifest_text("Parquet", PARQUET_SCHEMA, &[&file])).unwrap();
    let found = scan(&manifest, &thirty_days(), Versioning::Never, &[&file]).unwrap();
    assert_eq!(found.counted.rows(), 1);
    assert_eq!(keys(found), ["inbound/of-a-bucket-without-versions", "inbound/undated", "inbound/unsized"]);
}

/// Of all ways in which a version can have been superseded, and a marker be left alone, that lead to
/// its removal, none is counted as kept.
#[test]
fn what_is_due_whatever_the_row_does_not_tell_is_never_counted_as_kept() {
    let facts = facts(Versioning::Enabled);
    let records = Records::default();
    let rules = [
        "trigger: uploaded\n    retain: 30 days",
        "trigger: uploaded\n    retain: 30 days\n    noncurrent: {retain: 3 days}",
        "trigger: uploaded\n    retain: 3 days\n    noncurrent: {retain: 30 days, newer-noncurrent-versions: 2}",
        "trigger: {metadata: said}\n    retain: 30 days\n    noncurrent: {retain: 3 days}",
    ];
    let mut due = 0;
    for policy in rules.map(policy) {
        let decider = Decider::new(&policy, &records, &facts.name, now());
        let mut judge = Judge::new(&decider, &facts);
        for uploaded in (0..40).map(days_ago) {
            for (is_marker, is_latest) in [(false, false), (false, true), (true, false), (true, true)] {
                let row = Row {
                    key: "inbound/1",
                    uploaded: Some(uploaded.into()),
                    size: Some(5),
                    is_latest: Some(is_latest),
                    is_marker: Some(is_marker),
                };
                let earliest = row.observed(&facts).unwrap();
                let is_kept = judge.would_count(&row);
                assert_eq!(judge.counts(&row), is_kept, "{row:?}");
                for superseded in (0..40).map(days_ago).filter(|at| *at >= uploaded) {
                    for newer_noncurrent in [0, 1, 2, 3] {
                        for alone in [false, true] {
                            let truth = Observed {
                                superseded: (!is_latest).then_some(superseded),
                                newer_noncurrent,
                                alone: alone && is_marker && is_latest,
                                ..earliest.clone()
                            };
                            let goes = match decide::decide(&policy, &records, &truth, now()) {
                                Step::Decided(decision) => decision.verdict == Verdict::Expired,
                                Step::Needs(_) => true,
                            };
                            due += u32::from(goes);
                            assert!(!(goes && is_kept), "{truth:?}");
                        }
                    }
                }
            }
        }
        let fresh = Row {
            key: "inbound/1",
            uploaded: Some(days_ago(1).into()),
            size: Some(5),
            is_latest: Some(false),
            is_marker: Some(false),
        };
        assert!(judge.would_count(&fresh) || policy.rules[0].noncurrent.is_none());
    }
    assert!(due > 1_000);
}

#[test]
fn a_manifest_that_cannot_be_relied_on_is_refused_with_the_reason() {
    let csv = csv_of(&[object("inbound/1", 1)]);
    let good = manifest_text("CSV", CSV_SCHEMA, &[&csv]);
    let refused = |text: &str| read(text).unwrap_err();
    assert!(matches!(refused("{}"), InventoryError::Manifest(_)));
    assert!(matches!(refused(&good[..good.len() / 2]), InventoryError::Manifest(_)));
    assert!(matches!(refused(&good.replace("2016-11-30", "2030-01-01")), InventoryError::Version(_)));
    let orc = refused(&good.replace("\"CSV\"", "\"ORC\"")).to_string();
    assert!(orc.contains("\"ORC\"") && orc.contains("Parquet and CSV"), "{orc}");
    for (field, format, schema) in [
        ("Size", "CSV", CSV_SCHEMA.replace(" Size,", "")),
        ("LastModifiedDate", "CSV", CSV_SCHEMA.replace(" LastModifiedDate,", "")),
        ("size", "Parquet", PARQUET_SCHEMA.replace("int64 size", "int64 length")),
        ("last_modified_date", "Parquet", PARQUET_SCHEMA.replace("last_modified_date", "date")),
    ] {
        let error = refused(&manifest_text(format, &schema, &[]));
        assert!(matches!(error, InventoryError::MissingField(name) if name == field), "{field}: {error}");
    }
    let twice = good.replace(
        "\"files\":[{",
        &format!("\"files\":[{},{{", &good[good.find("[{").unwrap() + 1..good.find("}]").unwrap() + 1]),
    );
    assert!(refused(&twice).to_string().contains("twice"), "{twice}");
    let checksum = hex(Md5::digest(good.as_bytes()));
    assert!(Manifest::read(good.as_bytes(), Some(format!("{checksum}\n").as_bytes())).is_ok());
    for wrong in ["", "0123", &hex(Md5::digest(b"another"))] {
        let error = Manifest::read(good.as_bytes(), Some(wrong.as_bytes())).unwrap_err();
        assert!(matches!(error, InventoryError::ManifestChecksum));
    }
}

#[test]
fn an_inventory_of_another_time_or_of_current_versions_alone_is_refused() {
    let manifest = read(&manifest_text("CSV", CSV_SCHEMA, &[])).unwrap();
    let never = facts(Versioning::Never);
    assert!(manifest.check(&never, now()).is_ok());
    let later = manifest.created + TimeDelta::days(MOST_DAYS) + TimeDelta::seconds(1);
    assert!(matches!(manifest.check(&never, later), Err(InventoryError::Stale { .. })));
    let earlier = manifest.created - TimeDelta::hours(1);
    assert!(matches!(manifest.check(&never, earlier), Err(InventoryError::Future { .. })));
    let current = read(&manifest_text("CSV", "Bucket, Key, Size, LastModifiedDate", &[])).unwrap();
    assert!(current.check(&never, now()).is_ok());
    for versioning in [Versioning::Enabled, Versioning::Suspended] {
        assert!(manifest.check(&facts(versioning), now()).is_ok());
        let error = current.check(&facts(versioning), now()).unwrap_err();
        assert!(matches!(error, InventoryError::CurrentOnly("IsLatest")), "{error}");
    }
}

#[test]
fn a_file_that_is_missing_cut_off_or_changed_leaves_no_part_of_the_inventory() {
    let rows: Vec<Written> = (0..50).map(|n| object(&format!("inbound/{n}"), 40)).collect();
    let policy = thirty_days();
    for (format, schema, bytes) in
        [("Parquet", PARQUET_SCHEMA, parquet_of(&rows, 10)), ("CSV", CSV_SCHEMA, csv_of(&rows))]
    {
        let good = bytes.as_slice();
        let manifest = read(&manifest_text(format, schema, &[good, &[good, b"x"].concat()])).unwrap();
        let of = |second: &[&[u8]]| {
            let files: Vec<&[u8]> = [good].into_iter().chain(second.iter().copied()).collect();
            scan(&manifest, &policy, Versioning::Never, &files).unwrap_err()
        };
        assert!(matches!(of(&[]), InventoryError::Fetch { .. }), "{format}: missing");
        assert!(matches!(of(&[&good[..9]]), InventoryError::Size { found: 9, .. }), "{format}: cut off");
        assert!(
            matches!(of(&[&[good, b"y"].concat()]), InventoryError::Checksum { .. }),
            "{format}: changed"
        );
    }
}

#[test]
fn a_file_that_was_delivered_damaged_is_an_error_with_its_name() {
    let row = |fields: &str| gzipped(&format!("\"media\",{fields}\n"));
    let whole = parquet_of(&[object("inbound/1", 1)], 1);
    let short = csv_of(&[object("inbound/1", 1)]);
    let mut torn = whole.clone();
    torn[6..60].fill(0xff);
    for (format, schema, bytes, what) in [
        ("CSV", CSV_SCHEMA, row("\"inbound/%zz\",\"\",\"true\",\"false\",\"5\",\"\",\"\""), "url-encoded"),
        ("CSV", CSV_SCHEMA, row("\"inbound/100%\",\"\",\"true\",\"false\",\"5\",\"\",\"\""), "url-encoded"),
        ("CSV", CSV_SCHEMA, row("\"inbound/%ff\",\"\",\"true\",\"false\",\"5\",\"\",\"\""), "url-encoded"),
        ("CSV", CSV_SCHEMA, row("\"inbound/1\",\"true\""), "fields"),
        ("CSV", CSV_SCHEMA, row(&format!("\"{}", "x".repeat(1 << 20))), "64 KiB"),
        ("CSV", CSV_SCHEMA, short[..short.len() - 9].to_vec(), "row"),
        ("CSV", CSV_SCHEMA, b"no gzip".to_vec(), "row 1"),
        ("Parquet", PARQUET_SCHEMA, torn, ""),
        ("Parquet", PARQUET_SCHEMA, short.clone(), ""),
    ] {
        let manifest = read(&manifest_text(format, schema, &[&bytes])).unwrap();
        let error = scan(&manifest, &thirty_days(), Versioning::Never, &[&bytes]).unwrap_err();
        let InventoryError::Damaged { file, what: said } = &error else { panic!("{error:?}") };
        assert_eq!(file, "reports/media/all/data/0");
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn candidates_come_in_byte_order_each_once_however_little_memory_there_is() {
    let key = |n: u32| format!("{:x}/{}", n.wrapping_mul(2_654_435_761) % 997, "ä".repeat((n % 40) as usize));
    let expected: BTreeSet<String> = (0..5_000).map(key).collect();
    for most in [1, 100, 10_000, 1 << 20] {
        let mut several = [Candidates::new(most), Candidates::new(most)];
        for n in 0..5_000 {
            several[(n % 2) as usize].push(&key(n)).unwrap();
        }
        let keys: Vec<String> = Candidates::merged(several.into()).unwrap().map(Result::unwrap).collect();
        assert!(keys.iter().eq(&expected), "{most}");
    }
}

/// Keys as writers may have them: by numbers of a dictionary, plain once that is full, or in differences, on pages
/// of either kind and any size. They are those that were written, in their order.
#[test]
fn keys_are_read_however_they_are_written() {
    let builder = || WriterProperties::builder().set_write_batch_size(7).set_data_page_size_limit(900);
    let differences = Some(Encoding::DELTA_BYTE_ARRAY);
    for distinct in [1, 2, 3, 17, 300, 3_000] {
        let name = |n: u32| n.wrapping_mul(2_654_435_761) % distinct;
        let long = |n: u32| "ä/x".repeat(if n.is_multiple_of(5) { 60 } else { (n % 4) as usize });
        let rows: Vec<Written> = (0..3_000_u32)
            // Some the same for long, others one by one.
            .map(|n| if n % 1_000 < 400 { name(n / 100) } else { name(n) })
            .map(|n| object(&format!("inbound/{n}{}", long(n)), 40))
            .collect();
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for (codec, dictionary, limit, encoding) in [
                (Codec::SNAPPY, true, 1 << 20, None),
                (Codec::UNCOMPRESSED, true, 2_000, None),
                (Codec::SNAPPY, false, 0, None),
                (Codec::UNCOMPRESSED, false, 0, Some(Encoding::DELTA_LENGTH_BYTE_ARRAY)),
                (Codec::SNAPPY, false, 0, differences),
            ] {
                let mut properties = builder()
                    .set_writer_version(version)
                    .set_compression(codec)
                    .set_dictionary_enabled(dictionary)
                    .set_dictionary_page_size_limit(limit);
                if let Some(encoding) = encoding {
                    properties = properties.set_column_encoding("key".into(), encoding);
                }
                let opened =
                    Opened::open(on_disk(&parquet_as(&rows, 1_100, properties.build())), true).unwrap();
                let mut read = Vec::new();
                for group in 0..opened.groups() {
                    let taken = opened.read(group, |row| {
                        read.push(row.key.to_owned());
                        Ok::<_, String>(())
                    });
                    taken.unwrap();
                }
                let written = rows.iter().map(|row| &row.key);
                assert!(read.iter().eq(written), "{distinct} {version:?} {dictionary} {encoding:?}");
            }
        }
    }
}

/// Bytes changed one at a time: it reads other keys or fails, and does not hang or take memory without end.
#[test]
fn a_page_of_keys_that_is_damaged_is_an_error_or_other_keys() {
    let rows: Vec<Written> = (0..40).map(|n| object(&format!("inbound/{}", n % 7), 40)).collect();
    let (mut refused, mut too_long) = (0, 0);
    for dictionary in [true, false] {
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
        let whole = parquet_as(&rows, 40, properties);
        for place in 4..400 {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut torn = whole.clone();
                torn[place] = byte;
                let read = std::panic::catch_unwind(|| {
                    let opened = Opened::open(on_disk(&torn), true)?;
                    let mut rows = 0;
                    opened.read(0, |_| {
                        rows += 1;
                        Ok::<_, String>(())
                    })?;
                    Ok::<_, String>(rows)
                });
                match read {
                    Ok(Ok(rows)) => assert_eq!(rows, 40),
                    Ok(Err(why)) if why.contains("a dictionary that is shorter than it says") => {
                        too_long += 1
                    }
                    Ok(Err(_)) | Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 100 && too_long > 0, "{refused}, {too_long}");
}
