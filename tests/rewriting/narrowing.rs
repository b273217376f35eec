//! `--narrow-only` as a user runs it: what has to go is gone at once, whatever else the policy asks for by
//! now, and whatever cannot be read of other buckets.

use chrono::Utc;
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions};

use super::desk::{Desk, Ran};
use super::stage::{GET, is_ours, rule, rules, yaml};

const HOLD: &str = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";

/// A user's desk before a sandbox.
struct Scene {
    sandbox: Sandbox,
    desk: Desk,
}

impl Scene {
    async fn of(buckets: &[&str]) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
        for bucket in buckets {
            sandbox.create_bucket(BucketOptions::named(*bucket)).unwrap();
            for key in ["inbound/held/young", "inbound/other/young"] {
                sandbox.put_object(bucket, key, PutOptions::size(9)).unwrap();
            }
        }
        let desk = Desk::at(&sandbox.endpoint());
        Self { sandbox, desk }
    }

    fn policy(&self, rules: &str) {
        self.desk.policy(&yaml(rules));
    }

    /// Runs `reconcile` with a plan file of its own.
    fn reconcile(&self, plan: &str, more: &[&str]) -> Ran {
        let mut command = self.desk.command(&["reconcile", "--out", plan]);
        command.args(more);
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap())
    }

    fn narrow(&self, plan: &str) -> Ran {
        self.reconcile(plan, &["--narrow-only"])
    }

    /// Where the policy's rules in force remove something, and after how many days.
    fn in_force(&self, bucket: &str) -> Vec<(String, i64)> {
        let rules = rules(self.sandbox.lifecycle(bucket).unwrap().as_deref());
        let ours = rules.iter().filter(|rule| is_ours(rule) && rule.is_enabled());
        ours.map(|rule| (rule.filter.prefix.clone(), rule.expiration.as_ref().unwrap().days.unwrap()))
            .collect()
    }
}

/// Somebody's rule that this store takes, and S3 would not.
const ODD: &str = "<Rule><ID>odd</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>\
                   <Expiration><Days>9</Days><Days>9</Days></Expiration></Rule>";

fn inbound(days: i64) -> Vec<(String, i64)> {
    vec![("inbound/".to_owned(), days)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_the_new_one_is_neither_wider_nor_narrower_than_stops_at_once() {
    let scene = Scene::of(&["media"]).await;
    let ott = |days, more| rule("ott", "media", ", prefix: inbound/", days, more);
    scene.policy(&ott(30, ""));
    scene.reconcile("first.parquet", &[]).ends(0);
    assert_eq!(scene.in_force("media"), inbound(30));
    scene.policy(&ott(365, ", transitions: [{after: 90 days, to: GLACIER_IR}]"));

    scene.narrow("narrow.parquet").ends(0).shows(&["removed"]);

    assert_eq!(scene.in_force("media"), []);
    scene.reconcile("whole.parquet", &[]).ends(0);
    assert_eq!(scene.in_force("media"), inbound(365));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_cannot_be_read_does_not_hold_up_what_a_hold_narrows_in_others() {
    for operation in [GET, "ListObjectVersions"] {
        let scene = Scene::of(&["first", "second"]).await;
        let both = rule("ott", "first, second", ", prefix: inbound/", 30, "");
        scene.policy(&both);
        scene.reconcile("whole.parquet", &[]).ends(0);
        assert_eq!(scene.in_force("second"), inbound(30));
        scene.policy(&format!("{both}{HOLD}"));
        scene.sandbox.faults().add(Fault::on(operation, Effect::AccessDenied).bucket("first"));

        scene.narrow("narrow.parquet").ends(1).shows(&["left out", "s3://first"]);

        let narrowed = [("inbound/other/".to_owned(), 30)];
        assert_eq!(scene.in_force("second"), narrowed, "{operation}");
        assert_eq!(scene.in_force("first"), inbound(30), "{operation}");
        scene.sandbox.faults().clear();
        scene.narrow("again.parquet").ends(0);
        assert_eq!(scene.in_force("first"), narrowed, "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_s3_would_not_take_beside_a_new_rule_does_not_hold_up_what_a_hold_narrows() {
    let scene = Scene::of(&["media"]).await;
    let ott = rule("ott", "media", ", prefix: inbound/", 30, "");
    scene.policy(&ott);
    scene.reconcile("first.parquet", &[]).ends(0);
    let end = "</LifecycleConfiguration>";
    let found = scene.sandbox.lifecycle("media").unwrap().unwrap().replace(end, &format!("{ODD}{end}"));
    scene.sandbox.put_lifecycle("media", &found).unwrap();
    scene.sandbox.put_object("media", "mail/other/young", PutOptions::size(9)).unwrap();
    let mail = rule("mail", "media", ", prefix: mail/", 9, "");
    scene.policy(&format!("{ott}{mail}{HOLD}"));
    scene.reconcile("whole.parquet", &[]).ends(4).tells(&["S3 would refuse", "odd"]);
    assert_eq!(scene.in_force("media"), inbound(30));

    // The odd rule is an alarm.
    scene.narrow("narrow.parquet").ends(1).shows(&["narrowed"]);

    assert_eq!(scene.in_force("media"), [("inbound/other/".to_owned(), 30)]);
    let now = rules(scene.sandbox.lifecycle("media").unwrap().as_deref());
    assert!(now.iter().any(|rule| rule.id.as_deref() == Some("odd")), "{now:#?}");
}
