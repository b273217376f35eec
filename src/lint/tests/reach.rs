//! Where erasures and overrides reach less far, or further, than may be meant.

use super::*;

const HEAD: &str = "timezone: UTC\ntenant: [{key: \"*/{tenant}/**\"}]\nrules:\n";

fn only(code: Code, text: &str) -> Vec<Diagnostic> {
    found(text).into_iter().filter(|one| one.code == code).collect()
}

#[test]
fn an_override_that_lengthens_says_nothing_to_superseded_versions_and_that_is_told() {
    let found = |noncurrent: &str, over: &str| {
        only(
            Code::NoncurrentByItself,
            &format!(
                "{HEAD}  - {{id: m, select: {{buckets: [acme-media]}}, trigger: uploaded, retain: 30 days, enforce: direct{noncurrent}}}\noverrides:\n  - {{tenants: [\"1\"], rule: m, {over}}}\n"
            ),
        )
    };
    let noncurrent = ", noncurrent: {retain: 1 day}";
    let [one] = &found(noncurrent, "retain: 10 years, legal-basis: HGB §257")[..] else { panic!() };
    assert_eq!((one.severity, one.at.line), (Severity::Warning, 8));
    assert_eq!(
        one.message,
        "under `m` superseded versions go by its `noncurrent`, 1 day, and not by the 10 years that the legal basis `HGB §257` asks for"
    );
    let [one] = &found(noncurrent, "retain: 1 year, agreement: MSA-1, until: 2026-11-23")[..] else {
        panic!()
    };
    assert!(one.message.contains("the agreement `MSA-1` allows"), "{}", one.message);
    for (noncurrent, over) in [
        ("", "retain: 1 year, agreement: MSA-1"),
        (noncurrent, "retain: 14 days"),
        (noncurrent, "retain: 14 days, agreement: MSA-1"),
        (noncurrent, "retain: 1 year, agreement: MSA-1, until: 2026-11-22"),
        // As the help has it.
        (", noncurrent: {retain: 1 year}", "retain: 1 year, agreement: MSA-1"),
    ] {
        assert_eq!(found(noncurrent, over), [], "{noncurrent} {over}");
    }
}

#[test]
fn an_override_that_shortens_says_nothing_to_superseded_versions_either_and_that_is_told() {
    let found = |noncurrent: &str, over: &str| {
        only(
            Code::NoncurrentByItself,
            &format!(
                "{HEAD}  - {{id: m, select: {{buckets: [acme-media]}}, trigger: uploaded, retain: 1 year, enforce: direct, noncurrent: {{retain: {noncurrent}}}}}\noverrides:\n  - {{tenants: [\"1\"], rule: m, {over}}}\n"
            ),
        )
    };
    let [one] = &found("6 months", "retain: 14 days")[..] else { panic!() };
    assert_eq!((one.severity, one.at.line), (Severity::Warning, 8));
    assert_eq!(
        one.message,
        "under `m` superseded versions go by its `noncurrent`, 6 months, and not by the 14 days of the override"
    );
    let help = "leave `noncurrent` out, so that each version goes on its own date";
    assert_eq!(
        one.help.as_deref(),
        Some(help),
        "to shorten it would have the versions of all others go sooner"
    );
    assert_eq!(found("1 month", "retain: 30 days").len(), 1, "a month can be longer");
    for (noncurrent, over) in
        [("14 days", "retain: 14 days"), ("1 day", "retain: 14 days"), ("2 years", "retain: 1 year")]
    {
        assert_eq!(found(noncurrent, over), [], "{noncurrent} {over}");
    }
}

#[test]
fn an_erasure_that_reaches_what_rules_leave_out_or_only_observe_names_them() {
    let rules = format!(
        "{HEAD}  - {{id: a, select: {{buckets: [acme-media], except: [{{prefix: keep/}}, {{tags: {{class: x}}}}]}}, trigger: uploaded, retain: 30 days, enforce: direct}}
  - {{id: b, select: {{buckets: [acme-calls]}}, trigger: uploaded, retain: 30 days, enforce: observe}}
  - {{id: c, select: {{buckets: [acme-mails]}}, trigger: uploaded, retain: 30 days, enforce: direct}}\n"
    );
    let erasure = |select: &str| {
        let text = format!(
            "{rules}erasures:\n  - {{id: e, reason: asked, select: {{{select}}}, requested: 2026-11-01}}\n"
        );
        only(Code::ErasesMore, &text)
            .into_iter()
            .map(|one| (one.severity, one.at.line, one.message))
            .collect::<Vec<_>>()
    };
    let [(severity, line, message)] = &erasure("tenants: [\"1\"]")[..] else { panic!() };
    assert_eq!((*severity, *line), (Severity::Note, 10));
    assert!(
        message.starts_with("the erasure `e` also reaches what `a` leaves out with `except`, and what `b` only observes: `s3://acme-"),
        "{message}"
    );
    let [(_, _, message)] = &erasure("buckets: [acme-calls], tenants: [\"1\"]")[..] else { panic!() };
    assert!(message.contains("reaches what `b` only observes: `s3://acme-calls/"), "{message}");
    for select in [
        "buckets: [acme-mails], tenants: [\"1\"]",
        "buckets: [acme-media], tenants: [\"1\"], except: [{prefix: keep/}, {tags: {class: x}}]",
        "buckets: [acme-media], prefix: in/, tags: {class: z}",
    ] {
        assert_eq!(erasure(select), [], "{select}");
    }
}
