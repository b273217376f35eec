//! What `explain` says of a bucket that the policy does not reach, and which clock it goes by.

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::sandbox::{BucketOptions, PutOptions, Sandbox, SandboxOptions};

use crate::desk::{Desk, Ran};
use crate::thirty_days;

const KEY: &str = "inbound/1/photo.jpg";

struct Store {
    sandbox: Sandbox,
    desk: Desk,
}

impl Store {
    /// A store whose clock says `now`, with one bucket, `media`, and one object of 40 days in it.
    async fn at(now: DateTime<Utc>) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::at(now)).await.unwrap();
        sandbox.create_bucket(BucketOptions::named("media")).unwrap();
        let uploaded = Utc::now() - TimeDelta::days(40);
        sandbox.put_object("media", KEY, PutOptions::bytes("x").last_modified(uploaded)).unwrap();
        let desk = Desk::at(&sandbox.endpoint());
        Self { sandbox, desk }
    }

    fn explain(&self, more: &[&str]) -> Ran {
        let uri = format!("s3://media/{KEY}");
        let mut command = self.desk.command(&[&["explain", &uri], more].concat());
        command.env("AWS_ACCESS_KEY_ID", self.sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", self.sandbox.secret_key());
        Ran::of(command.output().unwrap()).ends(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_goes_by_the_earlier_clock_unless_a_date_is_asked_for() {
    let slow = Store::at(Utc::now() - TimeDelta::days(20)).await;
    slow.desk.policy(&thirty_days("media", ""));
    slow.explain(&[]).shows(&["decision retained"]).tells(&["the earlier one counts"]);
    let tomorrow = (Utc::now() + TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    slow.explain(&["--at", &tomorrow]).shows(&["decision expired", "Shelflife removes it with the next run"]);

    let fast = Store::at(Utc::now() + TimeDelta::days(20)).await;
    fast.desk.policy(&thirty_days("media", "").replace("30 days", "50 days"));
    fast.explain(&[]).shows(&["trigger", ", the upload", "decision retained"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_only_a_pattern_matches_is_said_to_be_untouched_until_it_carries_the_tag() {
    let store = Store::at(Utc::now()).await;
    store.desk.policy(&thirty_days("med*", ""));
    let untouched = ["bucket nothing is touched here", "tag shelflife=e2e", "rule ott-media: covers it"];
    let text = store.explain(&[]).shows(&untouched).shows(&["decision expired", "it stays"]);
    assert!(!text.out.contains("Shelflife"), "{}", text.out);
    let json = store.explain(&["--json"]).json();
    assert!(json[0]["untouched"].as_str().unwrap().contains("shelflife=e2e"), "{json}");
    assert!(json[0]["removal"].as_str().unwrap().starts_with("it stays"), "{json}");

    let tags = |name: &str| [("shelflife".to_owned(), name.to_owned())].into();
    store.sandbox.set_bucket_tags("media", tags("another")).unwrap();
    store.explain(&[]).shows(&untouched);
    store.sandbox.set_bucket_tags("media", tags("e2e")).unwrap();
    let enrolled = store.explain(&[]).shows(&["decision expired", "Shelflife removes it with the next run"]);
    assert!(!enrolled.out.contains("untouched"), "{}", enrolled.out);
    assert!(!enrolled.out.contains("nothing is touched"), "{}", enrolled.out);
    assert!(store.explain(&["--json"]).json()[0]["untouched"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_no_rule_is_for_is_said_to_be_untouched_in_one_line_for_all_rules() {
    let store = Store::at(Utc::now()).await;
    let one = thirty_days("attachments", "");
    let (_, rule) = one.split_once("rules:\n").unwrap();
    let two = format!("{one}{}", rule.replace("ott-media", "recordings").replace("attachments", "calls"));
    store.desk.policy(&two);
    store.explain(&[]).shows(&[
        "nothing is touched here: no rule of the policy is for this bucket",
        "rules ott-media, recordings: for other buckets holds none decision unmatched",
    ]);
}
