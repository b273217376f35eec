//! Warnings: what may not be meant.

use super::*;

#[test]
fn warnings_point_at_what_may_not_be_meant() {
    let rules = "rules:
  - {id: b, select: {buckets: [\"acme-*\"], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: a, select: {buckets: [acme-media], prefix: in/bound}, trigger: uploaded, retain: 30 days}
  - {id: c, select: {buckets: [acme-media], prefix: \"out/*/\"}, trigger: uploaded, retain: 30 days}
overrides:
  - {tenants: [\"1\"], rule: a, retain: 30 days}
triggers:
  idle: {metadata: x}
records:
  idle: {file: x.csv, id: id, by: tenant}
";
    let text = format!("{HEAD}{rules}");
    assert_eq!(
        warnings(&text, "2026-11-23T00:00:00Z"),
        [
            (Code::Overlap, 6),
            (Code::PrefixBoundary, 6),
            (Code::PrefixLiteral, 7),
            (Code::OverrideChangesNothing, 9),
            (Code::UnusedTrigger, 11),
            (Code::UnusedTable, 13),
        ]
    );
}

#[test]
fn an_override_of_the_rules_own_period_is_idle_where_no_law_and_no_shorter_one_makes_a_difference() {
    let found = |overrides: &str| {
        let same = "  - {tenants: [\"1\"], rule: media, retain: 30 days}\n";
        warnings(&format!("{HEAD}{RULE}overrides:\n{same}{overrides}"), "2026-11-23T00:00:00Z")
    };
    let idle = [(Code::OverrideChangesNothing, 10)];
    assert_eq!(found(""), idle);
    // Of several that fit the longest counts, so beside these it lengthens or adds nothing.
    assert_eq!(found("  - {tenants: [\"1\", \"2\"], rule: media, retain: 14 days}\n"), []);
    assert_eq!(found("  - {tenants: [\"2\"], rule: media, retain: 1 year, agreement: MSA-1}\n"), idle);
    // What a law asks for outweighs an erasure.
    let by_law = "  - {tenants: [\"2\"], rule: media, retain: 30 days, legal-basis: HGB §257}\n";
    assert_eq!(found(by_law), idle);
}

#[test]
fn what_can_never_count_in_a_trigger_is_warned_of() {
    let found = |trigger: &str| {
        let named = "  date: {metadata: date, if-missing: uploaded}\n  sent: {metadata: sent}\n";
        let text = format!("{HEAD}{}triggers:\n{named}", RULE.replace("uploaded", trigger));
        let warnings = read_all(&[&text]).warnings.into_iter();
        warnings.filter(|one| one.code == Code::NeverCounts).collect::<Vec<_>>()
    };
    // An email that is scheduled 30 days ahead would go 30 days after it was written.
    let [one] = &found("{first: [date, {metadata: send-at}]}")[..] else { panic!() };
    assert_eq!((one.severity, one.at.line, one.at.column), (Severity::Warning, 7, 23));
    assert!(one.message.contains("`first` is never absent"), "{}", one.message);
    assert_eq!(one.related.len(), 1);
    for never in ["uploaded", "{earliest: [sent, uploaded]}", "{latest: [sent], if-missing: undecided}"] {
        assert_eq!(found(&format!("{{first: [sent, {never}, sent]}}")).len(), 1, "{never}");
    }
    // What is named answers for itself, so that nothing is retained.
    let [one] = &found("{first: [{metadata: end}, date], if-missing: retained}")[..] else { panic!() };
    assert!(one.message.starts_with("this `if-missing` never counts"), "{}", one.message);
    for combination in ["earliest: [sent, date]", "latest: [date, uploaded]", "first: [sent, uploaded]"] {
        let found = found(&format!("{{{combination}, if-missing: retained}}"));
        assert_eq!(found.len(), 1, "{combination}");
    }
    for right in [
        "date",
        "{first: [{metadata: send-at, within: 1 day}, date]}",
        "{first: [sent, {earliest: [sent, {tag: sent}]}, {latest: [sent, uploaded]}, uploaded]}",
        "{earliest: [sent, {tag: sent}], if-missing: retained}",
        "{latest: [date, sent], if-missing: uploaded}",
        "{metadata: send-at, if-missing: retained}",
    ] {
        assert_eq!(found(right), [], "{right}");
    }
}

#[test]
fn rules_that_cannot_meet_do_not_overlap() {
    let rules = "rules:
  - {id: a, select: {buckets: [acme-media], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: b, select: {buckets: [acme-media], prefix: out/}, trigger: uploaded, retain: 30 days}
  - {id: c, select: {buckets: [\"*-calls\"], prefix: in/}, trigger: uploaded, retain: 30 days}
  - {id: d, select: {buckets: [acme-calls], tenants: [\"1\"], prefix: by/}, trigger: uploaded, retain: 30 days}
  - {id: e, select: {buckets: [acme-calls], tenants: [\"2\"], prefix: by/}, trigger: uploaded, retain: 30 days}
";
    assert_eq!(warnings(&format!("{HEAD}{rules}"), "2026-11-23T00:00:00Z"), []);
}

#[test]
fn a_last_day_is_past_only_when_it_is_over_in_the_policys_zone() {
    let text = format!(
        "{HEAD}timezone: Europe/Zagreb\n{RULE}overrides:
  - {{tenants: [\"1\"], rule: media, retain: 14 days, until: 2026-11-22}}
holds:
  - {{id: case-1, reason: R, select: {{buckets: [\"*\"]}}, released: 2026-11-22}}
"
    );
    assert_eq!(warnings(&text, "2026-11-22T22:59:59Z"), []);
    assert_eq!(warnings(&text, "2026-11-22T23:00:00Z"), [(Code::Past, 11), (Code::Past, 13)]);
}

#[test]
fn prefixes_are_looked_at_wherever_they_stand() {
    let text = |more: &str| {
        let rule = RULE.replace("prefix: inbound/", "except: [{prefix: in/keep}]");
        warnings(&format!("{HEAD}{rule}{more}"), "2026-11-23T00:00:00Z")
    };
    let of_rule = (Code::PrefixBoundary, 6);
    assert_eq!(text(""), [of_rule]);
    let hold = |select: &str| text(&format!("holds:\n  - {{id: h, reason: R, select: {{{select}}}}}\n"));
    assert_eq!(hold("prefix: in/4711"), [of_rule, (Code::PrefixBoundary, 10)]);
    assert_eq!(hold("prefix: \"in/*/\""), [of_rule, (Code::PrefixLiteral, 10)]);
    assert_eq!(hold("prefix: in/, except: [{prefix: \"in/{a}/\"}]"), [of_rule, (Code::PrefixLiteral, 10)]);
    assert_eq!(hold("prefix: in/4711/"), [of_rule]);
    let erasure = format!(
        "{HEAD}{RULE}erasures:\n  - {{id: e, reason: R, select: {{prefix: inbound/4711}}, requested: 2026-11-01}}\n"
    );
    let [one] = &read_all(&[&erasure]).warnings[..] else { panic!() };
    assert_eq!((one.code, one.at.line, one.at.column), (Code::PrefixBoundary, 10, 41));
    assert_eq!(
        one.message,
        "the prefix also reaches keys such as `inbound/47110/…`, which may be another customer's"
    );
}

#[test]
fn one_text_that_reads_as_several_values_is_warned_of() {
    let hold = |tenant: &str| {
        let text = format!("{HEAD}{RULE}holds:\n  - {{id: h, reason: R, select: {{tenants: [{tenant}]}}}}\n");
        warnings(&text, "2026-11-23T00:00:00Z")
    };
    for several in ["\"4711, 0815\"", "\"4711,0815\"", "\"4711;0815\"", "\"4711  0815\"", "\"a\u{a0} b\""] {
        assert_eq!(hold(several), [(Code::OneValue, 10)], "{several}");
    }
    assert_eq!(hold("\"4711\", Acme Logistics"), []);
    let is = MORE.replace("[DE, AT]", "\"DE, AT\"");
    assert!(warnings(&is, "2026-11-23T00:00:00Z").iter().any(|(code, _)| *code == Code::OneValue));
}

#[test]
fn blanks_at_the_ends_of_what_is_compared_are_warned_of() {
    for (select, line) in
        [("prefix: \" in/\"", 6), ("key: \"in/** \"", 6), ("tags: {a: \"b \"}", 6), ("tags: {\"a \": b}", 6)]
    {
        let text = format!("{HEAD}{}", RULE.replace("prefix: inbound/", select));
        assert!(warnings(&text, "2026-11-23T00:00:00Z").contains(&(Code::BlankEnds, line)), "{select}");
    }
}

#[test]
fn a_stop_file_that_a_rule_can_delete_is_warned_of() {
    let text =
        |key: &str| format!("{HEAD}{RULE}guards: {{max-share: 20%, stop-file: \"s3://acme-media/{key}\"}}\n");
    let found = warnings(&text("inbound/STOP"), "2026-11-23T00:00:00Z");
    assert!(found.iter().any(|(code, _)| *code == Code::ReachesOwnFiles), "{found:?}");
    let found = warnings(&text("STOP"), "2026-11-23T00:00:00Z");
    assert!(!found.iter().any(|(code, _)| *code == Code::ReachesOwnFiles), "{found:?}");
}
