//! Uploads that are never completed.

use super::*;

fn lints(code: Code, rules: &str) -> Vec<Diagnostic> {
    let text = format!(
        "timezone: UTC\ntenant: [{{key: \"*/{{tenant}}/**\"}}]\nrecords: {{customers: {{file: c.csv, id: id, by: tenant}}}}\nrules:\n{rules}"
    );
    found(&text).into_iter().filter(|one| one.code == code).collect()
}

fn rule(id: &str, select: &str, trigger: &str, more: &str) -> String {
    format!(
        "  - {{id: {id}, select: {{buckets: [{id}-media]{select}}}, trigger: {trigger}, retain: 30 days{more}}}\n"
    )
}

#[test]
fn a_period_for_uploads_has_no_effect_where_they_cannot_be_told_apart() {
    let found = |select: &str| {
        lints(
            Code::UploadsNotSelected,
            &rule("m", select, "uploaded", ", enforce: direct, incomplete-uploads: 7 days"),
        )
    };
    for (select, what) in [
        (", size: {over: 1}", "the rule selects by size"),
        (", tags: {a: b}", "by tags"),
        (", metadata: {a: b}", "by metadata"),
        (", content-type: image/*", "by content type"),
        (", except: [{prefix: a/}, {tags: {a: b}}]", "where an exception may apply: it goes by tags"),
    ] {
        let [one] = &found(select)[..] else { panic!("{select}") };
        assert_eq!((one.severity, one.at.line), (Severity::Warning, 7), "{select}");
        assert!(one.message.starts_with("`incomplete-uploads` of `m` has no effect"), "{}", one.message);
        assert!(one.message.contains(what), "{}", one.message);
    }
    for select in [
        "",
        ", prefix: a/",
        ", key: \"a/**\"",
        ", media: image/*",
        ", tenants: [\"1\"]",
        ", except: [{prefix: a/}]",
    ] {
        assert_eq!(found(select), [], "{select}");
    }
    let without = rule("m", ", tags: {a: b}", "uploaded", "");
    assert_eq!(lints(Code::UploadsNotSelected, &without), []);
    let by_metadata = format!(
        "timezone: UTC\ntenant: [{{metadata: customer}}]\nrules:\n{}",
        rule("m", ", tenants: [\"1\"]", "uploaded", ", enforce: direct, incomplete-uploads: 7 days")
    );
    assert!(warnings(&by_metadata).contains(&Code::UploadsNotSelected));
}

#[test]
fn rules_under_which_uploads_may_stay_for_ever_are_told_once() {
    let found = |trigger: &str| lints(Code::UploadsStay, &rule("m", "", trigger, ""));
    for trigger in [
        "{metadata: sent}",
        "{metadata: sent, within: 1 day, if-missing: uploaded}",
        "{metadata: sent, within: 1 day, outside: clamp}",
        "{tag: sent}",
        "{record: customers.ended}",
        "{earliest: [uploaded, {record: customers.ended}], if-missing: uploaded}",
    ] {
        let [one] = &found(trigger)[..] else { panic!("{trigger}") };
        assert_eq!((one.severity, one.at.line), (Severity::Warning, 7), "{trigger}");
        assert_eq!(one.message, "under `m` an upload that is never completed may stay for ever");
    }
    for trigger in [
        "uploaded",
        "{key: \"{yyyy}/{MM}/{dd}/**\"}",
        "{metadata: sent, within: 1 day, outside: clamp, if-missing: uploaded}",
    ] {
        assert_eq!(found(trigger), [], "{trigger}");
    }
    let sent = "{metadata: sent}";
    assert_eq!(lints(Code::UploadsStay, &rule("m", "", sent, ", incomplete-uploads: 7 days")), []);
    assert_eq!(lints(Code::UploadsStay, &rule("m", "", sent, ", enforce: observe")), []);
    let three = rule("b", "", sent, "") + &rule("a", "", sent, "") + &rule("c", "", "uploaded", "");
    let [one] = &lints(Code::UploadsStay, &three)[..] else { panic!() };
    assert_eq!(one.message, "under `b` and 1 other rule an upload that is never completed may stay for ever");
    assert_eq!((one.at.line, one.related[0].0.line), (7, 8));
}
