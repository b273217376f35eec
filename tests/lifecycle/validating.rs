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
        (with_actions("<Expiration/>"), Problem::Fault("Expiration says nothing".to_owned())),
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
    let differs = "its Prefix \"a\" is not that of its Filter".to_owned();
    assert_eq!(problems(&both), [Problem::BothForms, Problem::Fault(differs)]);
    let alike = old.replace("<Prefix>a</Prefix>", "<Filter><Prefix>a</Prefix></Filter><Prefix>a</Prefix>");
    assert_eq!(problems(&alike), [Problem::BothForms]);
}

#[test]
fn the_old_form_takes_no_two_rules_that_do_the_same_to_the_same_keys() {
    let old = |id: &str, prefix: &str, action: &str| {
        format!("<Rule><ID>{id}</ID><Prefix>{prefix}</Prefix><Status>Enabled</Status>{action}</Rule>")
    };
    let glacier = transition(9, "GLACIER");
    let found = problems(&[old("o", "a/", EXPIRE), old("p", "a/b", EXPIRE)].concat());
    assert_eq!(found, [Problem::Overlap("o".to_owned(), "Expiration")]);
    let found = problems(&[old("o", "a/b", &glacier), old("p", "", &format!("{EXPIRE}{glacier}"))].concat());
    assert_eq!(found, [Problem::Overlap("o".to_owned(), "Transition")]);
    for other in [old("p", "b/", EXPIRE), old("p", "a/b", ABORT)] {
        assert_eq!(problems(&[old("o", "a/", EXPIRE), other].concat()), []);
    }
    // The new form takes them.
    let new = with_filter("<Prefix>a</Prefix>", EXPIRE);
    assert_eq!(problems(&format!("{new}{}", new.replace("<ID>r", "<ID>s"))), []);
}

#[test]
fn objects_only_move_down_and_stay_a_while_in_each_class() {
    type Moves = [(i64, &'static str)];
    let moves = |moves: &[(i64, &str)]| -> String {
        moves.iter().map(|(days, class)| transition(*days, class)).collect()
    };
    let noncurrent = |rule: String| {
        let rule = rule.replace("Transition>", "NoncurrentVersionTransition>");
        rule.replace("<Days>", "<NoncurrentDays>").replace("</Days>", "</NoncurrentDays>")
    };
    let order = |from: &str, to: &str| vec![Problem::TransitionOrder(from.to_owned(), to.to_owned())];
    let cases: [(&Moves, Vec<Problem>); 12] = [
        (&[(30, "STANDARD_IA"), (60, "GLACIER"), (150, "DEEP_ARCHIVE")], vec![]),
        (&[(60, "GLACIER"), (30, "STANDARD_IA")], vec![]),
        (&[(0, "INTELLIGENT_TIERING"), (1, "GLACIER")], vec![]),
        (&[(4, "GLACIER_IR"), (94, "DEEP_ARCHIVE")], vec![]),
        (&[(4, "GLACIER_IR"), (93, "DEEP_ARCHIVE")], order("GLACIER_IR", "DEEP_ARCHIVE")),
        (&[(30, "STANDARD_IA"), (59, "GLACIER")], order("STANDARD_IA", "GLACIER")),
        (&[(0, "INTELLIGENT_TIERING"), (0, "GLACIER")], order("INTELLIGENT_TIERING", "GLACIER")),
        // Up again.
        (&[(10, "GLACIER"), (60, "STANDARD_IA")], order("STANDARD_IA", "GLACIER")),
        (&[(60, "STANDARD")], vec![Problem::TransitionUp("STANDARD".to_owned())]),
        (&[(60, "REDUCED_REDUNDANCY")], vec![Problem::TransitionUp("REDUCED_REDUNDANCY".to_owned())]),
        (&[(29, "ONEZONE_IA")], vec![Problem::TransitionTooEarly("ONEZONE_IA".to_owned())]),
        // Another store's own class.
        (&[(1, "COLD-TIER"), (2, "GLACIER")], vec![]),
    ];
    for (days, expected) in cases {
        let rule = with_actions(&moves(days));
        assert_eq!(problems(&rule), expected, "{rule}");
        assert_eq!(problems(&noncurrent(rule.clone())), expected, "{rule}");
    }
    let date = |class: &str, day: u32| {
        format!(
            "<Transition><Date>2030-01-{day:02}T00:00:00Z</Date><StorageClass>{class}</StorageClass></Transition>"
        )
    };
    let by_date = |first, second| {
        problems(&with_actions(&[date("STANDARD_IA", first), date("GLACIER", second)].concat()))
    };
    assert_eq!(by_date(1, 2), []);
    assert_eq!(by_date(2, 2), order("STANDARD_IA", "GLACIER"));
    let ends = |days: u32| {
        let expire = format!(
            "<NoncurrentVersionExpiration><NoncurrentDays>{days}</NoncurrentDays></NoncurrentVersionExpiration>"
        );
        let moves = "<NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>";
        problems(&with_actions(&format!("{moves}{expire}")))
    };
    assert_eq!(ends(31), []);
    assert_eq!(ends(30), [Problem::TransitionAfterExpiration("GLACIER".to_owned())]);
}

#[test]
fn prefixes_ids_and_tags_have_their_lengths() {
    let tag = |key: &str, value: &str| {
        with_filter(&format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"), EXPIRE)
    };
    let prefix = |prefix: &str| with_filter(&format!("<Prefix>{prefix}</Prefix>"), EXPIRE);
    let id = |id: &str| with_actions(EXPIRE).replace("<ID>r", &format!("<ID>{id}"));
    let of = |c: &str, n: usize| c.repeat(n);
    // Ids and tags by characters, prefixes by bytes, as keys are.
    for legal in [id(&of("é", 255)), tag(&of("é", 128), &of("é", 256)), prefix(&of("é", 512))] {
        assert_eq!(problems(&legal), [], "{legal}");
    }
    assert_eq!(problems(&id(&of("é", 256))), [Problem::IdTooLong]);
    assert_eq!(problems(&tag(&of("k", 129), "")), [Problem::TagLength(of("k", 129))]);
    assert_eq!(problems(&tag("k", &of("v", 257))), [Problem::TagLength("k".to_owned())]);
    assert_eq!(problems(&tag("", "v")), [Problem::TagLength(String::new())]);
    assert_eq!(problems(&prefix(&of("é", 513))), [Problem::PrefixTooLong]);
    let under =
        |bytes: u32| with_filter(&format!("<ObjectSizeLessThan>{bytes}</ObjectSizeLessThan>"), EXPIRE);
    assert_eq!(problems(&under(1)), []);
    assert_eq!(problems(&under(0)), [Problem::SizeOrder]);
}

#[test]
fn a_spelled_out_default_is_no_fault() {
    let expiration = |more: &str| {
        with_actions(&format!(
            "<Expiration>{more}<ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>{ABORT}"
        ))
    };
    for rule in [expiration(""), expiration("<Days>3</Days>")] {
        assert_eq!(problems(&rule), [], "{rule}");
    }
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
