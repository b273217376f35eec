//! Rules of others that are early for an override or for a version below, or that meet a hold.

use chrono::{DateTime, Utc};

use super::{LifecycleDocument, foreign_conflicts};
use crate::object::{BucketFacts, Versioning};
use crate::policy::{self, Policy, SourceFile};

const POLICY: &str = r#"version: 1
name: acme
tenant:
  - key: "*/{tenant}/**"
records:
  customers: {file: customers.csv, id: id, by: tenant}
rules:
  - {id: media, select: {buckets: [media], prefix: inbound/}, trigger: uploaded, retain: 30 days}
"#;

fn policy(more: &str) -> Policy {
    read(format!("{POLICY}{more}"))
}

fn read(text: String) -> Policy {
    policy::read(&[SourceFile { path: "policy.yaml".to_owned(), bytes: text.into_bytes() }]).unwrap().policy
}

/// What somebody's rule meets that expires what is under `prefix` after `days`: a rule or a hold, whether
/// it is a rule, and whether that is an alarm.
fn met(policy: &Policy, prefix: &str, days: u32) -> Vec<(String, bool, bool)> {
    met_in(Versioning::Never, policy, prefix, days)
}

fn met_in(versioning: Versioning, policy: &Policy, prefix: &str, days: u32) -> Vec<(String, bool, bool)> {
    let xml = format!(
        "<LifecycleConfiguration><Rule><ID>ops</ID><Filter><Prefix>{prefix}</Prefix></Filter>\
         <Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration></Rule></LifecycleConfiguration>"
    );
    let document = LifecycleDocument::read(&xml).unwrap();
    let bucket = BucketFacts { name: "media".to_owned(), versioning, mfa_delete: false, object_lock: false };
    let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
    let conflicts = foreign_conflicts(&document, policy, &bucket, now);
    conflicts.into_iter().map(|it| (it.meets, it.rule.is_some(), it.may_be_early)).collect()
}

#[test]
fn what_any_override_in_force_keeps_longer_makes_a_rule_of_others_early() {
    let is_early = |overridden: &str, days: u32| {
        let policy = policy(&format!("overrides:\n  - {{rule: media, {overridden}}}\n"));
        let [(_, _, is_early)] = met(&policy, "inbound/", days).try_into().unwrap();
        is_early
    };
    let agreed = "tenants: [\"4711\"], retain: 400 days, agreement: MSA-1";
    let by_law = "where: {record: customers.country, is: DE}, retain: 400 days, legal-basis: \"HGB 257\"";
    for longer in [agreed, by_law] {
        assert!(is_early(longer, 399), "{longer}");
        assert!(!is_early(longer, 400), "{longer}");
    }
    assert!(!is_early(&format!("{agreed}, until: 2026-05-31"), 31), "it has run out");
    assert!(is_early(&format!("{agreed}, until: 2026-06-01"), 31), "it is the last day");
    // One that shortens leaves the others' objects to the rule.
    assert!(is_early("tenants: [\"4711\"], retain: 14 days", 29));
    assert!(!is_early("tenants: [\"4711\"], retain: 14 days", 30));
}

#[test]
fn a_rule_of_others_is_an_alarm_wherever_a_hold_in_force_may_keep_something() {
    let holds = |select: &str, more: &str| {
        let holds = format!("holds:\n  - {{id: case-7, reason: Order, select: {select}{more}}}\n");
        let found = met(&policy(&holds), "inbound/1/", 400);
        found.into_iter().filter(|(_, is_rule, _)| !is_rule).collect::<Vec<_>>()
    };
    let alarm = [("case-7".to_owned(), false, true)];
    for select in [
        "{prefix: inbound/}",
        "{prefix: inbound/1/x/}",
        "{tenants: [\"1\"]}",
        "{tenants: [\"2\", \"1\"], prefix: inbound/}",
        "{key: \"*/1/a.jpg\"}",
        "{media: [\"image/*\"]}",
        "{tags: {case: a}}",
        "{metadata: {case: a}}",
        "{size: {over: 1 MiB}}",
        "{prefix: inbound/, except: [{prefix: inbound/1/}]}",
    ] {
        assert_eq!(holds(select, ""), alarm, "{select}");
        assert_eq!(holds(select, ", released: 2026-05-31"), [], "{select}");
    }
    for select in [
        "{prefix: outbound/}",
        "{prefix: inbound/2/}",
        "{key: \"outbound/**\"}",
        "{buckets: [other], tenants: [\"1\"]}",
        // Everything there is another tenant's.
        "{tenants: [\"2\"]}",
    ] {
        assert_eq!(holds(select, ""), [], "{select}");
    }
}

#[test]
fn a_hold_on_a_tenant_is_met_wherever_keys_do_not_rule_the_tenant_out() {
    let held = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [\"4711\"]}}\n";
    let meets_hold =
        |policy: &Policy, prefix: &str| met(policy, prefix, 400).iter().any(|(id, ..)| id == "case-7");
    let by_key = policy(held);
    for prefix in ["", "inbound/", "in", "inbound/47", "outbound/4711/a"] {
        assert!(meets_hold(&by_key, prefix), "{prefix}");
    }
    assert!(!meets_hold(&by_key, "inbound/0815/"));
    // Metadata can name a tenant anywhere.
    let text = format!("{POLICY}{held}").replace("key: \"*/{tenant}/**\"", "metadata: customer");
    assert!(meets_hold(&read(text), "inbound/0815/"));
}

#[test]
fn where_versioning_is_suspended_a_rule_of_others_is_early_for_a_null_version_below_what_it_hides() {
    let is_early = |versioning, more: &str, days: u32| {
        let policy = read(POLICY.replace("retain: 30 days", &format!("retain: 30 days{more}")));
        let [(_, _, is_early)] = met_in(versioning, &policy, "inbound/", days).try_into().unwrap();
        is_early
    };
    let suspended = Versioning::Suspended;
    let longer = ", noncurrent: {retain: 90 days}";
    assert!(is_early(suspended, longer, 89));
    assert!(!is_early(suspended, longer, 90));
    // In any other bucket it destroys nothing below.
    for versioning in [Versioning::Never, Versioning::Enabled] {
        assert!(!is_early(versioning, longer, 30), "{versioning:?}");
    }
    // Without `noncurrent`, each version is due by its own date.
    assert!(is_early(suspended, "", 29));
    assert!(!is_early(suspended, "", 30));
    assert!(is_early(suspended, ", noncurrent: {retain: 1 day, newer-noncurrent-versions: 2}", 400));
    // What is destroyed cannot be copied first.
    let copied = ", export: \"s3://exports/\"";
    assert!(is_early(suspended, copied, 400) && is_early(Versioning::Never, copied, 400));
    assert!(!is_early(Versioning::Enabled, copied, 400));
}
