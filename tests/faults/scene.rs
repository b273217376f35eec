//! The kinds of buckets, the policy, and what lies in a bucket before anything goes wrong.

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::sandbox::{
    Attributes, BucketOptions, LockConfiguration, PutOptions, Retention, RetentionMode, Sandbox, Versioning,
};

use crate::stage::{BUCKET, Stage};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unversioned,
    Versioned,
    /// With null versions from before and after.
    Suspended,
    /// Object Lock in both modes, and legal holds.
    Locked,
    /// Versioned, under a policy that says when superseded versions go.
    Noncurrent,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::Unversioned, Self::Versioned, Self::Suspended, Self::Locked, Self::Noncurrent];

    pub fn options(self) -> BucketOptions {
        let lock = (self == Self::Locked).then(LockConfiguration::default);
        let versioning = match self {
            // Null versions come first.
            Self::Unversioned | Self::Suspended => Versioning::Never,
            Self::Versioned | Self::Locked | Self::Noncurrent => Versioning::Enabled,
        };
        BucketOptions { lock, versioning, ..BucketOptions::named(BUCKET) }
    }

    /// `inbound/` goes 30 days after its upload, `said/` 30 days after the date in its metadata, `tagged/` 10
    /// days after its upload where a tag says so; a hold keeps the tenant `held`.
    pub fn policy(self) -> String {
        let noncurrent = if self == Self::Noncurrent { "\n    noncurrent: {retain: 1 day}" } else { "" };
        format!(
            "version: 1
name: faults
tenant:
  - key: \"*/{{tenant}}/**\"
rules:
  - id: inbound
    select: {{buckets: [{BUCKET}], prefix: inbound/}}
    trigger: uploaded
    retain: 30 days
    incomplete-uploads: 7 days
    enforce: direct{noncurrent}
  - id: said
    select: {{buckets: [{BUCKET}], prefix: said/}}
    trigger: {{metadata: communication-date}}
    retain: 30 days
    enforce: direct{noncurrent}
  - id: tagged
    select: {{buckets: [{BUCKET}], prefix: tagged/, tags: {{class: short}}}}
    trigger: uploaded
    retain: 10 days
    enforce: direct{noncurrent}
holds:
  - {{id: case-7, reason: Order, select: {{tenants: [held]}}}}
"
        )
    }
}

/// Somebody who puts things of a certain age.
pub struct Filling<'a> {
    pub sandbox: &'a Sandbox,
    pub now: DateTime<Utc>,
}

impl Filling<'_> {
    fn options(&self, key: &str, days: i64) -> PutOptions {
        // Different bytes under each key and age, so that ETags differ.
        PutOptions::bytes(format!("{key} {days}")).last_modified(self.now - TimeDelta::days(days))
    }

    pub fn put(&self, key: &str, days: i64) -> String {
        self.put_as(key, self.options(key, days))
    }

    pub fn said(&self, key: &str, days: i64, said: &str) -> String {
        self.put_as(key, self.options(key, days).metadata("communication-date", said))
    }

    pub fn said_ago(&self, key: &str, days: i64, said: i64) -> String {
        self.said(key, days, &(self.now - TimeDelta::days(said)).to_rfc3339())
    }

    pub fn tagged(&self, key: &str, days: i64, class: &str) -> String {
        self.put_as(key, self.options(key, days).tag("class", class))
    }

    pub fn locked(&self, key: &str, days: i64, mode: RetentionMode, until: DateTime<Utc>) -> String {
        let mut options = self.options(key, days);
        options.attributes.retention = Some(Retention { mode, until });
        self.put_as(key, options)
    }

    pub fn held(&self, key: &str, days: i64) -> String {
        let mut options = self.options(key, days);
        options.attributes.legal_hold = Some(true);
        self.put_as(key, options)
    }

    /// A delete marker.
    pub fn marked(&self, key: &str, days: i64) {
        let id = self.sandbox.delete(BUCKET, key, None).unwrap();
        let at = self.now - TimeDelta::days(days);
        self.sandbox.set_last_modified(BUCKET, key, id.as_deref(), at).unwrap();
    }

    pub fn upload(&self, key: &str, days: i64) {
        let at = Some(self.now - TimeDelta::days(days));
        self.sandbox.start_upload(BUCKET, key, Attributes::default(), at).unwrap();
    }

    fn put_as(&self, key: &str, options: PutOptions) -> String {
        self.sandbox.put_object(BUCKET, key, options).unwrap().version_id.unwrap_or_else(|| "null".to_owned())
    }
}

/// Some dozens of keys: expired and retained, held and locked, in several versions, under markers, odd ones,
/// and uploads.
pub fn fill(stage: &Stage) {
    let sandbox = &stage.sandbox;
    let fill = Filling { sandbox, now: stage.now() };
    if stage.kind == Kind::Suspended {
        for key in ["inbound/1/null-due", "inbound/1/null-young", "said/1/null-below"] {
            let age = if key.ends_with("young") { 5 } else { 60 };
            fill.said_ago(key, age, 5);
        }
        sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
    }
    for number in 0..12 {
        fill.put(&format!("inbound/1/old-{number:02}"), 40);
    }
    for odd in ["a+b %20 ☃", "con\u{1}trol", " led and trailed ", "über", "-\u{feff}&<\"'>", "x//../y"] {
        fill.put(&format!("inbound/1/{odd}"), 40);
    }
    fill.put("inbound/1/young", 5);
    fill.put("inbound/held/old", 40);
    fill.put("others/old", 400);
    fill.said_ago("said/1/due", 60, 40);
    fill.said_ago("said/1/also-due", 50, 45);
    fill.said_ago("said/1/not-due", 60, 5);
    fill.said("said/1/unreadable", 60, "some day");
    fill.tagged("tagged/1/short", 20, "short");
    fill.tagged("tagged/1/retagged", 20, "short");
    fill.tagged("tagged/1/long", 20, "long");
    fill.upload("inbound/1/upload", 10);
    fill.upload("inbound/1/young", 10);
    fill.upload("inbound/1/young-upload", 2);
    if stage.kind != Kind::Unversioned {
        versions(&fill);
    }
    match stage.kind {
        Kind::Locked => locks(&fill, stage),
        Kind::Suspended => {
            sandbox.set_versioning(BUCKET, Versioning::Suspended).unwrap();
            for (key, days) in [("inbound/1/null-top-due", 40), ("inbound/1/null-top-young", 4)] {
                fill.put(key, days);
            }
            fill.said_ago("said/1/null-on-older", 50, 50);
        }
        _ => {}
    }
}

/// Keys with several versions and with delete markers.
fn versions(fill: &Filling<'_>) {
    for days in [70, 60, 50] {
        fill.put("inbound/1/many", days);
    }
    fill.put("inbound/1/newest-stays", 60);
    fill.put("inbound/1/newest-stays", 5);
    fill.put("inbound/1/marked", 60);
    fill.marked("inbound/1/marked", 35);
    fill.put("inbound/1/marked-lately", 60);
    fill.marked("inbound/1/marked-lately", 3);
    fill.put("inbound/held/two", 60);
    fill.put("inbound/held/two", 50);
    // Older ones that stay, under a latest that goes.
    fill.said_ago("said/1/older-stays", 60, 5);
    fill.said_ago("said/1/older-stays", 50, 50);
    // Under the latest, one stays and one goes.
    fill.said_ago("said/1/mixed", 70, 5);
    fill.said_ago("said/1/mixed", 60, 60);
    fill.said_ago("said/1/mixed", 50, 50);
    fill.said_ago("said/1/null-below", 50, 50);
    fill.said_ago("said/1/null-on-older", 60, 5);
    let lone = fill.put("inbound/1/lone-marker", 60);
    fill.marked("inbound/1/lone-marker", 35);
    fill.sandbox.delete(BUCKET, "inbound/1/lone-marker", Some(&lone)).unwrap();
}

fn locks(fill: &Filling<'_>, stage: &Stage) {
    let now = stage.sandbox.now();
    let later = now + TimeDelta::days(20);
    let soon = now + TimeDelta::seconds(1);
    for mode in [RetentionMode::Governance, RetentionMode::Compliance] {
        let name = mode.as_str().to_lowercase();
        fill.locked(&format!("inbound/1/{name}"), 40, mode, later);
        fill.locked(&format!("inbound/1/{name}-is-over"), 40, mode, soon);
        // A version that is locked, under a latest that goes.
        let key = format!("inbound/1/{name}-below");
        fill.locked(&key, 60, mode, later);
        fill.put(&key, 40);
    }
    fill.held("inbound/1/legal-hold", 40);
    fill.held("inbound/1/legal-hold-below", 60);
    fill.put("inbound/1/legal-hold-below", 40);
    fill.put("inbound/1/legal-hold-on-top", 60);
    fill.held("inbound/1/legal-hold-on-top", 40);
    stage.sandbox.advance_to(now + TimeDelta::seconds(5)).unwrap();
}
