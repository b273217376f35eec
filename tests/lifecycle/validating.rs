//! S3's own rules, one broken at a time.

use shelflife::lifecycle::{Action, OwnedRule, Problem, Surroundings, Target, merge, validate};

use super::*;

fn problems(rules: &str) -> Vec<Problem> {
    match validate(&document(rules)) {
        Ok(()) => Vec::new(),
        Err(invalid) => invalid.into_iter().map(|invalid| invalid.problem).collect(),
    }
}

fn with_filter(filter: &str, actions: &str) -> String {
    format!("<Rule><ID>r</ID><Filter>{filter}</Filter><Status>Enabled</Status>{actions}</Rule>")
}

fn with_actions(actions: &str) -> String {
    with_filter("", actions)
}

const EXPIRE: &str = "<Expiration><Days>400</Days></Expiration>";
const TAG: &str = "<Tag><Key>k</Key><Value>v</Value></Tag>";
const MARKERS: &str = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
const ABORT: &str = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";

fn transition(days: i64, class: &str) -> String {
    format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
}

#[test]
fn what_s3_documents_as_legal_is_legal() {
    let legal = [
        with_actions(EXPIRE),
        with_actions(ABORT),
        with_actions(MARKERS),
        with_actions(&format!(
            "{MARKERS}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
        )),
        with_actions(&format!("{EXPIRE}{ABORT}")),
        with_filter(TAG, EXPIRE),
        with_filter(&format!("<And>{TAG}<Prefix>a</Prefix></And>"), EXPIRE),
        with_actions(&format!("{}{}{EXPIRE}", transition(30, "STANDARD_IA"), transition(90, "GLACIER"))),
        with_actions(&transition(0, "GLACIER")),
        with_actions("<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>"),
        with_actions("<SomethingNew/>"),
        format!("<Rule><Prefix>a</Prefix><Status>Disabled</Status>{EXPIRE}</Rule>"),
    ];
    for rule in legal {
        assert_eq!(problems(&rule), [], "{rule}");
    }
}

#[test]
fn each_thing_that_s3_refuses_is_found() {
    let noncurrent = |inside: &str| {
        with_actions(&format!("<NoncurrentVersionExpiration>{inside}</NoncurrentVersionExpiration>"))
    };
    let size = |over: i64, under: i64| {
        with_filter(
            &format!(
                "<And><ObjectSizeGreaterThan>{over}</ObjectSizeGreaterThan><ObjectSizeLessThan>{under}</ObjectSizeLessThan></And>"
            ),
            EXPIRE,
        )
    };
    let over_1 = "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>";
    let ia = || "STANDARD_IA".to_owned();
    let cases = [
        (String::new(), Problem::NoRules),
        (with_actions(EXPIRE).replace("<ID>r", &format!("<ID>{}", "x".repeat(256))), Problem::IdTooLong),
        (with_actions(EXPIRE).repeat(2), Problem::IdTwice),
        (with_actions(EXPIRE).replace("Enabled", "enabled"), Problem::Status("enabled".to_owned())),
        (with_actions(EXPIRE).replace("<Filter></Filter>", ""), Problem::NoFilter),
        (with_filter(&format!("<Prefix>a</Prefix>{TAG}"), EXPIRE), Problem::FilterMembers(2)),
        (with_filter(&format!("<And>{TAG}{TAG}</And>"), EXPIRE), Problem::TagTwice("k".to_owned())),
        (size(-1, 5), Problem::SizeBound(-1)),
        (size(1, i64::MAX), Problem::SizeBound(i64::MAX)),
        (size(5, 5), Problem::SizeOrder),
        (with_actions(""), Problem::NoAction),
        (with_actions("<Expiration/>"), Problem::EmptyExpiration),
        (with_actions("<Expiration><Days>0</Days></Expiration>"), Problem::Days("Expiration", 0)),
        (
            with_actions("<Expiration><Date>2020-01-01T10:00:00Z</Date></Expiration>"),
            Problem::DateNotMidnight,
        ),
        (
            with_actions("<Expiration><Days>1</Days><Date>2020-01-01T00:00:00Z</Date></Expiration>"),
            Problem::ExpirationForms,
        ),
        (
            with_actions(&MARKERS.replacen("<Expiration>", "<Expiration><Days>1</Days>", 1)),
            Problem::ExpirationForms,
        ),
        (with_filter(TAG, MARKERS), Problem::MarkersWithFilter),
        (with_filter(over_1, MARKERS), Problem::MarkersWithFilter),
        (with_filter(TAG, ABORT), Problem::AbortWithFilter),
        (with_filter(over_1, ABORT), Problem::AbortWithFilter),
        (with_actions(&ABORT.replace('7', "0")), Problem::Days("AbortIncompleteMultipartUpload", 0)),
        (noncurrent(""), Problem::NoNoncurrentDays),
        (noncurrent("<NoncurrentDays>0</NoncurrentDays>"), Problem::Days("NoncurrentVersionExpiration", 0)),
        (
            noncurrent(
                "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions>",
            ),
            Problem::NewerVersions(101),
        ),
        (
            noncurrent(
                "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions>",
            )
            .replace("<Filter></Filter>", "<Prefix></Prefix>"),
            Problem::NewerWithoutFilter,
        ),
        (
            with_actions(&format!(
                "{}<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>",
                transition(1, "GLACIER")
            )),
            Problem::MixedUnits,
        ),
        (with_actions("<Transition><Days>1</Days></Transition>"), Problem::Transition),
        (with_actions(&transition(30, "GLACIER").repeat(2)), Problem::TransitionTwice("GLACIER".to_owned())),
        (with_actions(&transition(29, "STANDARD_IA")), Problem::TransitionTooEarly(ia())),
        (with_actions(&transition(-1, "GLACIER")), Problem::Days("Transition", -1)),
        (
            with_actions(&format!("{}{EXPIRE}", transition(400, "STANDARD_IA"))),
            Problem::TransitionAfterExpiration(ia()),
        ),
        (
            with_actions("<Expiration><Days>x</Days></Expiration>"),
            Problem::Fault("Days is \"x\", which is no number".to_owned()),
        ),
    ];
    for (rules, problem) in cases {
        assert_eq!(problems(&rules), [problem], "{rules}");
    }
}

#[test]
fn both_forms_in_one_rule_or_in_one_configuration_are_found() {
    let old = format!("<Rule><ID>o</ID><Prefix>a</Prefix><Status>Enabled</Status>{EXPIRE}</Rule>");
    assert_eq!(problems(&format!("{old}{}", with_actions(EXPIRE))), [Problem::MixedForms]);
    let both = old.replace("<Prefix>", "<Filter/><Prefix>");
    assert_eq!(problems(&both), [Problem::BothForms]);
}

#[test]
fn a_thousand_rules_are_legal_and_one_more_is_not() {
    let rule = |n: u32| {
        let action = Action::Expire { days: 1, noncurrent_days: None, abort_days: None };
        OwnedRule::new("acme", "r", n.to_string().as_str(), action)
    };
    let mut rules: Vec<OwnedRule> = (0..1000).map(rule).collect();
    let check = |rules: &[OwnedRule]| match merge(None, "acme", rules).unwrap().after {
        Target::Put(document) => validate(&document),
        Target::Delete => panic!("there are rules"),
    };
    check(&rules).unwrap();
    rules.push(rule(1000));
    let invalid = check(&rules).unwrap_err();
    assert_eq!(invalid[0].problem, Problem::TooManyRules(1001));
    assert_eq!(invalid[0].to_string(), "the lifecycle configuration: it has 1001 rules, and S3 takes 1000");
}

#[test]
fn what_is_compiled_is_legal() {
    for versioning in [shelflife::object::Versioning::Never, shelflife::object::Versioning::Enabled] {
        let mut media = rule("media", "inbound/\r\n");
        media.noncurrent = Some(NONCURRENT);
        media.incomplete_uploads = Some(Period::days(7));
        let policy = policy(chrono_tz::UTC, vec![media, rule("mail", "mail/")]);
        let compiled = compile(&policy, &bucket(versioning), &Surroundings::default(), at(NOW));
        match merge(None, "acme", &compiled.rules).unwrap().after {
            Target::Put(document) => validate(&document).unwrap(),
            Target::Delete => panic!("there are rules"),
        }
    }
}
