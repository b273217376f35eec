//! What a plan tells of what is there already: what S3 removes as soon as it is given a rule, and what no
//! hold on tenants reaches.

use chrono::{TimeDelta, Utc};
use shelflife::sandbox::{BucketOptions, PutOptions, Sandbox, SandboxOptions};

use super::desk::{Desk, Ran};
use super::stage::{rule, yaml};

/// Objects by key, value of the tag `class`, and age in days.
type Objects<'a> = [(&'a str, &'a str, i64)];

/// Plans for a bucket with these objects.
async fn plan(rules: &str, objects: &Objects<'_>, more: &[&str]) -> Ran {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(BucketOptions::named("media")).unwrap();
    for (key, class, days) in objects {
        let uploaded = Utc::now() - TimeDelta::days(*days);
        let object = PutOptions::size(9).tag("class", class).last_modified(uploaded);
        sandbox.put_object("media", key, object).unwrap();
    }
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(&yaml(rules));
    let mut command = desk.command(&[&["plan"], more].concat());
    command.env("AWS_ACCESS_KEY_ID", sandbox.access_key());
    command.env("AWS_SECRET_ACCESS_KEY", sandbox.secret_key());
    let ran = Ran::of(command.output().unwrap());
    sandbox.stop();
    ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_s3_removes_as_soon_as_it_is_given_a_rule_is_told_once_with_all_that_is_overdue() {
    let tagged = |id: &str, class: &str| {
        rule(id, "media", &format!(", prefix: inbound/, tags: {{class: {class}}}"), 30, "")
    };
    let rules = tagged("one", "c") + &tagged("two", "[a, b]");
    // The tolerance is thirty days.
    let objects = [
        ("inbound/1/a", "a", 90),
        ("inbound/1/b", "b", 40),
        ("inbound/1/c", "c", 40),
        ("inbound/1/d", "c", 9),
    ];
    plan(&rules, &objects, &[]).await.ends(0).shows(&[
        "under the rule one S3 removes 1 object, 9 B as soon as this is written",
        "under the rule two S3 removes 2 objects, 18 B as soon as this is written",
    ]);
    let json = plan(&rules, &objects, &["--json"]).await.ends(0).json();
    let changes = json["header"]["buckets"]["media"]["changes"].as_array().unwrap();
    let told = changes.iter().filter_map(|change| change["at_once"]["objects"].as_u64());
    assert_eq!((changes.len(), told.sum::<u64>()), (3, 3), "{changes:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_without_a_tenant_is_told_where_a_hold_is_on_tenants() {
    let hold = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";
    let direct = rule("ott", "media", ", prefix: inbound/", 30, ", enforce: direct");
    let objects = [("inbound/held/a", "", 90), ("inbound/other/a", "", 90), ("inbound//a", "", 90)];
    let told = ["without a tenant", "no hold on tenants keeps", "by prefix or key", "a tenant source"];
    let shown = [&["warning: what goes includes 1 object, 9 B"], &told[..]].concat();
    plan(&format!("{direct}{hold}"), &objects, &[]).await.ends(0).shows(&shown);
    let json = plan(&format!("{direct}{hold}"), &objects, &["--json"]).await.ends(0).json();
    let warnings = json["header"]["buckets"]["media"]["warnings"].to_string();
    assert!(told.iter().all(|words| warnings.contains(words)), "{warnings}");

    let free = plan(&direct, &objects, &[]).await.ends(0);
    assert!(!free.out.contains("without a tenant"), "{}", free.out);
}
