//! How much CPU time a row of an inventory takes on one thread, in nanoseconds: its share of the MD5, decoding it,
//! and deciding it under twenty rules with patterns. Linux alone tells.
//!
//! `cargo bench --bench inventory [-- ROWS [FILE]]`; the rows are written to FILE, or to a temporary one. Next to
//! this, `inventory_duckdb.py` puts the same question to DuckDB, as `CASE`.

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use md5::{Digest, Md5};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use shelflife::decide::Decider;
use shelflife::inventory::{Manifest, Scan};
use shelflife::object::{BucketFacts, Versioning};
use shelflife::policy::{self, Policy, SourceFile};
use shelflife::records::Records;

const NOW: &str = "2026-11-28T00:00:00Z";
const SCHEMA: &str = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
     optional binary version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker; \
     optional int64 size; optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); \
     optional binary storage_class (UTF8); }";
/// Rows that stand in one group.
const GROUP: usize = 500_000;
/// Runs of which the fastest counts.
const RUNS: usize = 3;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let rows: usize = args.next().and_then(|rows| rows.parse().ok()).unwrap_or(3_000_000);
    let folder = tempfile::tempdir().unwrap();
    let path = args.next().map_or_else(|| folder.path().join("inventory.parquet"), PathBuf::from);
    write(&path, rows);
    let bytes = fs::read(&path).unwrap();
    let manifest = manifest(&bytes);
    let (policy, elsewhere, records) = (policy("media"), policy("another"), Records::default());
    let facts = BucketFacts {
        name: "media".to_owned(),
        versioning: Versioning::Never,
        mfa_delete: false,
        object_lock: false,
    };
    println!(
        "{rows} rows of {:.1} bytes; ns/row on one thread, the fastest of {RUNS} runs",
        bytes.len() as f64 / rows as f64
    );
    let fetch = |_: &_| Ok(File::open(&path)?);
    let scan = |policy: &Policy| {
        let decider = &Decider::new(policy, &records, "media", now());
        let scan = Scan { manifest: &manifest, decider, facts: &facts, threads: 1, memory: 256 << 20 };
        let found = scan.run(fetch, |_| {}).unwrap();
        assert_eq!(found.rows, rows as u64);
        found
    };
    let md5 = time(rows, || {
        black_box(Md5::digest(&bytes));
    });
    let decoded = time(rows, || assert_eq!(scan(&elsewhere).counted.rows(), rows as u64));
    let decided = time(rows, || {
        black_box(scan(&policy).candidates.count());
    });
    println!("  MD5                    {md5:8.1}");
    println!("  decode, count          {:8.1}", decoded - md5);
    println!("  decode, decide, sort   {:8.1}", decided - md5);
    println!("  all of it              {decided:8.1}");
}

fn time(rows: usize, mut run: impl FnMut()) -> f64 {
    let fastest = (0..RUNS).map(|_| {
        let began = spent();
        run();
        spent() - began
    });
    fastest.min().unwrap() as f64 * 1e7 / rows as f64
}

/// The CPU time of this process, with that of threads that have ended, in hundredths of a second: with other
/// work on the machine nothing else means anything.
fn spent() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

fn manifest(bytes: &[u8]) -> Manifest {
    let md5: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = serde_json::json!({
        "sourceBucket": "media",
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": now().timestamp_millis().to_string(),
        "fileFormat": "Parquet",
        "fileSchema": SCHEMA,
        "files": [{"key": "data/inventory.parquet", "size": bytes.len(), "MD5checksum": md5}],
    });
    Manifest::read(text.to_string().as_bytes(), None).unwrap()
}

/// Twenty rules with patterns for a bucket: under each key one or several stand, or none.
fn policy(bucket: &str) -> Policy {
    let mut text = String::from("version: 1\nname: bench\nrules:\n");
    for number in 0..20 {
        let key = match number % 5 {
            _ if number < 4 => {
                ["inbound/**", "outbound/*/*/*/*/*.pdf", "calls/*/call-*.wav", "mail/**"][number].to_owned()
            }
            0 | 1 => format!("*/t{number}/**"),
            2 => format!("calls/t{number}/*.wav"),
            3 => format!("**/p{number}/*.eml"),
            _ => format!("inbound/t{number}/*/*/**.jpg"),
        };
        let retain = [365, 370, 400, 396, 730][number % 5];
        text += &format!(
            "  - {{id: rule-{number:03}, select: {{buckets: [{bucket}], key: \"{key}\"}}, trigger: uploaded, retain: {retain} days}}\n"
        );
    }
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into_bytes() }];
    policy::read(&files).unwrap_or_else(|faults| panic!("{faults:?}")).policy
}

/// Writes the rows of an inventory in no order, uploaded in the last 375 days.
fn write(path: &Path, rows: usize) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let file = std::io::BufWriter::new(File::create(path).unwrap());
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut random = Random(1);
    let mut left = rows;
    while left > 0 {
        let count = left.min(GROUP);
        left -= count;
        let keys: Vec<(String, i64, String)> = (0..count)
            .map(|_| {
                let uploaded = now() - TimeDelta::seconds(random.below(375 * 86_400) as i64);
                (
                    key(&mut random, uploaded),
                    uploaded.timestamp_millis(),
                    format!("{:016x}{:016x}", random.next(), random.next()),
                )
            })
            .collect();
        let mut group = writer.next_row_group().unwrap();
        let all = vec![1; count];
        let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        texts(&mut group, &vec![text("media"); count], None);
        texts(&mut group, &keys.iter().map(|(key, ..)| text(key)).collect::<Vec<_>>(), None);
        texts(&mut group, &[], Some(&vec![0; count]));
        flags(&mut group, true, &all);
        flags(&mut group, false, &all);
        numbers(&mut group, &(0..count).map(|_| random.below(10_000_000) as i64).collect::<Vec<_>>(), &all);
        numbers(&mut group, &keys.iter().map(|(_, at, _)| *at).collect::<Vec<_>>(), &all);
        texts(&mut group, &keys.iter().map(|(.., tag)| text(tag)).collect::<Vec<_>>(), Some(&all));
        texts(&mut group, &vec![text("STANDARD"); count], Some(&all));
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn key(random: &mut Random, uploaded: DateTime<Utc>) -> String {
    let (day, name, tenant) = (uploaded.format("%Y/%m/%d"), random.next(), random.below(400));
    match random.below(10) {
        0..=5 => format!("inbound/t{tenant}/{day}/{name:016x}.jpg"),
        6 => format!("outbound/t{tenant}/{day}/{name:016x}.pdf"),
        7 => format!("calls/t{tenant}/call-{name:016x}.wav"),
        8 => format!("mail/t{tenant}/p{}/{name:016x}.eml", random.below(100)),
        _ => format!("misc/{name:016x}"),
    }
}

fn texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[ByteArray],
    levels: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

fn flags<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, value: bool, levels: &[i16]) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<BoolType>().write_batch(&vec![value; levels.len()], Some(levels), None).unwrap();
    column.close().unwrap();
}

fn numbers<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, values: &[i64], levels: &[i16]) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(values, Some(levels), None).unwrap();
    column.close().unwrap();
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
