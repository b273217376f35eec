//! How much memory the largest inputs take: a million objects decided under 500 rules, with
//! ten million rows of records. Prints what the process had at its peak; Linux alone tells.
//!
//! `cargo bench --bench memory [ROWS [OBJECTS]]`

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::Instant;

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use shelflife::decide::{self, Step, Verdict};
use shelflife::object::{Kind, Lock, Observed, Reading};
use shelflife::policy::{self, SourceFile};
use shelflife::records::{RecordTable, Records};

const RULES: usize = 500;

/// Rows of a record file, made as they are read.
struct Rows {
    next: u64,
    all: u64,
    text: String,
    at: usize,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            if self.next > self.all {
                return Ok(0);
            }
            self.text.clear();
            self.at = 0;
            match self.next {
                0 => self.text.push_str("customer_id,contract_ended_on,last_active_on\n"),
                n => {
                    let (month, day) = (n % 12 + 1, n % 28 + 1);
                    let ended = if n % 10 == 0 { format!("2026-{month:02}-{day:02}") } else { String::new() };
                    let active = format!("202{}-{month:02}-{day:02}", n % 6);
                    writeln!(self.text, "{:010},{ended},{active}", n - 1).unwrap();
                }
            }
            self.next += 1;
        }
        let count = buffer.len().min(self.text.len() - self.at);
        buffer[..count].copy_from_slice(&self.text.as_bytes()[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn policy() -> policy::Policy {
    let mut text = String::from(
        "version: 1
name: memory
tenant: [{key: \"*/{tenant}/**\"}]
records:
  customers: {file: customers.csv, id: customer_id, by: tenant}
triggers:
  end:
    earliest: [{record: customers.contract_ended_on}, {record: customers.last_active_on, plus: 18 months}]
    if-missing: retained
rules:
",
    );
    for rule in 0..RULES {
        writeln!(
            text,
            "  - {{id: rule-{rule}, select: {{buckets: [acme-media], prefix: part-{rule:03}/}}, trigger: end, retain: 30 days}}"
        )
        .unwrap();
    }
    let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into_bytes() }];
    policy::read(&files)
        .unwrap_or_else(|faults| panic!("{}", policy::render(&faults, &files, false, 80)))
        .policy
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

fn main() {
    let mut figures = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let rows: u64 = figures.next().unwrap_or(10_000_000);
    let objects: u64 = figures.next().unwrap_or(1_000_000);
    let policy = policy();
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    println!("{} rules read        peak {}", policy.rules.len(), peak());

    let start = Instant::now();
    let source = Rows { next: 0, all: rows, text: String::new(), at: 0 };
    let read = RecordTable::read_csv(&policy.tables[0], source, now, Tz::UTC).unwrap();
    assert_eq!((read.rows, read.fault_count), (rows, 0));
    println!("{rows} rows in {:.1?}      peak {}", start.elapsed(), peak());

    let records = Records { tables: vec![read.table] };
    let start = Instant::now();
    let mut expired = 0_u64;
    let mut key = String::new();
    for number in 0..objects {
        key.clear();
        let tenant = number.wrapping_mul(7_919) % rows.max(1);
        write!(key, "part-{:03}/{tenant:010}/{number}.mp4", number % RULES as u64).unwrap();
        let object = Observed {
            bucket: "acme-media",
            key: &key,
            kind: Kind::Object,
            version_id: None,
            upload_id: None,
            is_latest: true,
            uploaded: now.checked_sub_days(Days::new(number % 900)).unwrap(),
            superseded: None,
            newer_noncurrent: 0,
            alone: false,
            size: 1_024,
            etag: None,
            storage_class: None,
            metadata: Reading::Unread,
            content_type: Reading::Unread,
            tags: Reading::Unread,
            lock: Reading::Known(Lock::default()),
        };
        if let Step::Decided(decision) = decide::decide(&policy, &records, &object, now) {
            expired += u64::from(decision.verdict == Verdict::Expired);
        }
    }
    println!("{objects} objects in {:.1?} ({expired} expired)  peak {}", start.elapsed(), peak());
}
