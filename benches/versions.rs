//! How much memory the largest deletions take: every version of a million objects is planned and deleted
//! in one run on the sandbox. Prints the peak of the process that lists, and of the one that deletes; Linux
//! alone tells. The sandbox is this process, and not counted.
//!
//! `cargo bench --bench versions [OBJECTS [VERSIONS]]`

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use shelflife::sandbox::{BucketOptions, PutOptions, Sandbox, SandboxOptions, Versioning};

const POLICY: &str = "version: 1
name: versions
rules:
  - {id: all, select: {buckets: [media]}, trigger: uploaded, retain: 30 days, enforce: direct}
";

fn main() {
    let figures: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let objects = figures.first().copied().unwrap_or(1_000_000);
    let versions = figures.get(1).copied().unwrap_or(3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(SandboxOptions::at(Utc::now()))).unwrap();
    sandbox.create_bucket(BucketOptions::named("media")).unwrap();
    sandbox.set_versioning("media", Versioning::Enabled).unwrap();
    let began = Instant::now();
    for number in 0..objects {
        let key = format!("{:03}/{number:09}.jpg", number / 10_000);
        for version in 0..versions {
            let at = Utc::now() - TimeDelta::days(60) + TimeDelta::hours(version as i64);
            sandbox.put_object("media", &key, PutOptions::size(1_000).last_modified(at)).unwrap();
        }
    }
    println!(
        "{objects} objects with {versions} versions each: {:.0} s to fill",
        began.elapsed().as_secs_f64()
    );

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/policy.yaml"), POLICY).unwrap();
    measure(&sandbox, folder.path(), "plan", &[]);
    measure(&sandbox, folder.path(), "apply", &["shelflife-plan.parquet", "--first-run"]);
    let left = sandbox.list_everything("media").unwrap().len();
    println!("left: {left}");
    assert_eq!(left, 0);
}

fn measure(sandbox: &Sandbox, folder: &Path, command: &str, args: &[&str]) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shelflife"))
        .arg(command)
        .args(args)
        .args(["--endpoint-url", &sandbox.endpoint(), "--region", "us-east-1", "--quiet"])
        .env("AWS_ACCESS_KEY_ID", sandbox.access_key())
        .env("AWS_SECRET_ACCESS_KEY", sandbox.secret_key())
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(&child).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    println!("{command}: {:.0} s, peak {} MiB", began.elapsed().as_secs_f64(), peak / 1_024);
    assert!(status.success(), "{status}");
}

/// In KiB.
fn peak_of(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
