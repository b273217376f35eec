//! A sandbox with two buckets, a policy and a desk: for what is told of a run, and proved of it.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use shelflife::sandbox::{BucketOptions, LockConfiguration, PutOptions, Sandbox, SandboxOptions, Versioning};

use crate::desk::{Desk, Ran};

/// `media` has no versions, `mail` has; what is 40 days old is due, but for a hold and a lock.
pub const POLICY: &str = r#"version: 1
name: acme
tenant:
  - key: "*/{tenant}/**"
rules:
  - id: ott-media
    data: Media received via OTT <b>channels</b>
    select: {buckets: [media], prefix: inbound/}
    trigger: uploaded
    retain: 30 days
    enforce: direct
  - id: mail
    data: Attachments of e-mail
    select: {buckets: [mail]}
    trigger: uploaded
    retain: 30 days
    enforce: direct
    incomplete-uploads: 7 days
  - id: voice
    select: {buckets: [media], prefix: voice/}
    trigger: uploaded
    retain: 90 days
    enforce: lifecycle
"#;

/// A store, and who works on it.
pub struct Site {
    pub sandbox: Sandbox,
    pub desk: Desk,
}

impl Site {
    /// Everything in its place, and nothing done yet.
    pub async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        sandbox.create_bucket(BucketOptions::named("media")).unwrap();
        let lock = Some(LockConfiguration { default: None });
        sandbox.create_bucket(BucketOptions { lock, ..BucketOptions::named("mail") }).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        desk.policy(POLICY);
        let site = Self { sandbox, desk };
        for key in ["inbound/4711/a.jpg", "inbound/0815/<b>\u{202e}'&.jpg"] {
            site.put("media", key, 40);
        }
        site.put("media", "inbound/4711/fresh.jpg", 3);
        site.put("mail", "in/4711/twice.pdf", 50);
        site.put("mail", "in/4711/twice.pdf", 40);
        site.put("mail", "in/0815/locked.pdf", 40);
        site.sandbox.set_legal_hold("mail", "in/0815/locked.pdf", None, true).unwrap();
        site.sandbox.start_upload("mail", "in/0815/half.bin", Default::default(), Some(ago(9))).unwrap();
        site
    }

    /// An object that is `days` old.
    pub fn put(&self, bucket: &str, key: &str, days: i64) {
        let object = PutOptions::size(1_000).last_modified(ago(days));
        self.sandbox.put_object(bucket, key, object).unwrap();
    }

    /// A command with the sandbox's credentials.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.desk.command(args);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Carries the plan out, is killed while the first batch is on its way, and goes on; the log and its
    /// head.
    pub fn killed_and_resumed(&self) -> (String, String) {
        self.run(&["plan"]).ends(0);
        let victim = Arc::new(AtomicU32::new(0));
        let known = Arc::clone(&victim);
        self.sandbox.on_request("DeleteObjects", move |_| {
            while known.load(Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            // The batch arrives; nobody is left to hear of it.
            let pid = known.swap(u32::MAX, Ordering::SeqCst);
            if pid != u32::MAX {
                Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        // One batch at a time, so that only the first is on its way.
        let mut apply = self.command(&["apply", "shelflife-plan.parquet", "--concurrency", "1"]);
        let mut running = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        victim.store(running.id(), Ordering::SeqCst);
        assert!(!running.wait().unwrap().success());
        let resumed = self.run(&["apply", "shelflife-plan.parquet", "--json"]);
        assert!(resumed.code == 0, "{}{}", resumed.out, resumed.err);
        assert_eq!(resumed.json()["resumed"], true);
        (self.desk.log(), resumed.json()["head"].as_str().unwrap().to_owned())
    }
}

/// So many days ago.
pub fn ago(days: i64) -> chrono::DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

/// A bucket that keeps versions.
pub fn versioned(name: &str) -> BucketOptions {
    BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::named(name) }
}
