//! Policies that are not valid: refused at their place, before a store is asked for anything.

use crate::desk::Desk;
use crate::fake::Fake;
use crate::thirty_days;

const VALID: &str = "media";

/// Both `check` and the commands that would act on it refuse the policy, and no request is sent.
#[track_caller]
fn refuses(yaml: &str, fragments: &[&str]) {
    let fake = Fake::refusing(500, "InternalError", &[]);
    let desk = Desk::at(&fake.endpoint);
    desk.policy(yaml);

    desk.run(&["check"]).ends(2).shows(fragments);
    for command in [&["plan"][..], &["reconcile"], &["explain", "s3://media/inbound/1/a.jpg"]] {
        desk.run(command).ends(2).tells(fragments).tells(&["help:", "shelflife check"]);
    }

    assert_eq!(fake.seen(), [""; 0]);
    assert_eq!(desk.files(), ["policies"]);
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let yaml = thirty_days(VALID, "").replace("    retain: 30 days", "    retian: 30 days");
    refuses(&yaml, &["SL0201", "retian", "policies/policy.yaml:9:5", "retain"]);
}

#[test]
fn an_id_that_is_there_twice_is_refused_with_both_places() {
    let again = "  - id: ott-media
    select: {buckets: [other]}
    trigger: uploaded
    retain: 1 year
";
    refuses(
        &thirty_days(VALID, again),
        &["SL0303", "ott-media", "policies/policy.yaml:11:9", "first given here"],
    );
}

#[test]
fn a_period_that_is_none_is_refused_with_an_example() {
    let yaml = thirty_days(VALID, "").replace("30 days", "thirty days");
    refuses(&yaml, &["SL0304", "policies/policy.yaml:9:13", "thirty days", "30 days"]);
}

#[test]
fn a_time_zone_that_nobody_knows_is_refused_with_an_example() {
    let yaml = thirty_days(VALID, "timezone: Europe/Zagrib\n");
    refuses(&yaml, &["SL0306", "policies/policy.yaml:11:11", "Europe/Zagrib", "Europe/Zagreb"]);
}

#[test]
fn a_policy_that_is_not_there_is_refused_with_its_path() {
    let fake = Fake::refusing(500, "InternalError", &[]);
    let desk = Desk::at(&fake.endpoint);
    for command in ["check", "plan", "reconcile"] {
        desk.run(&[command, "nowhere"]).ends(2).tells(&["policy nowhere could not be read", "help:"]);
    }
    assert_eq!(fake.seen(), [""; 0]);
}

#[test]
fn a_valid_policy_is_called_so() {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(&thirty_days(VALID, ""));
    desk.run(&["check"]).ends(0).shows(&["valid in 1 file"]);
}
