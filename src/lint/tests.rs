//! Each lint, where it speaks and where it must not.

mod levels;
mod overlaps;
mod reach;
mod uploads;
mod versions;

use chrono::{DateTime, Utc};

use super::*;
use crate::policy::{Code, Severity, SourceFile, read, render};

const NOW: &str = "2026-11-23T12:00:00Z";

fn found_at(text: &str, now: &str) -> Vec<Diagnostic> {
    let files = vec![SourceFile {
        path: "policy.yaml".to_owned(),
        bytes: format!("version: 1\nname: acme\n{text}\nguards: {{max-share: 20%}}\n").into(),
    }];
    let now: DateTime<Utc> = now.parse().unwrap();
    let read = read(&files).unwrap_or_else(|faults| panic!("{}", render(&faults, &files, false, 80)));
    let found = lint(&read, now);
    assert!(found.is_sorted_by_key(|one| one.at.span.start), "not by place: {found:?}");
    // Whatever is found can be shown.
    assert_eq!(render(&found, &files, false, 80).is_empty(), found.is_empty());
    found
}

fn found(text: &str) -> Vec<Diagnostic> {
    found_at(text, NOW)
}

/// Code and line of everything that is found.
fn codes(text: &str) -> Vec<(Code, usize)> {
    found(text).into_iter().map(|one| (one.code, one.at.line)).collect()
}

fn warnings(text: &str) -> Vec<Code> {
    found(text).into_iter().filter(|one| one.severity == Severity::Warning).map(|one| one.code).collect()
}

/// Two rules, direct, of 30 days and 1 year from the upload, with these selects.
fn two(a: &str, b: &str) -> String {
    let rule = |id: &str, select: &str, retain: &str| {
        format!(
            "  - {{id: {id}, select: {{{select}}}, trigger: uploaded, retain: {retain}, enforce: direct}}\n"
        )
    };
    format!(
        "tenant: [{{key: \"*/{{tenant}}/**\"}}]\nrules:\n{}{}",
        rule("a", a, "30 days"),
        rule("b", b, "1 year"),
    )
}

/// The example of the only overlap between two rules.
fn example(a: &str, b: &str) -> String {
    let all = found(&two(a, b));
    // One that lies within the other is shadowed, which is said instead.
    let [one] = &all.iter().filter(|one| one.code == Code::Overlap).collect::<Vec<_>>()[..] else {
        panic!("{a} and {b}: {all:?}")
    };
    one.message.clone()
}

fn apart(a: &str, b: &str) {
    let all = found(&two(a, b));
    assert!(
        !all.iter().any(|one| matches!(one.code, Code::Overlap | Code::Shadowed)),
        "{a} and {b}: {all:?}"
    );
}

#[test]
fn a_policy_that_deletes_without_any_limit_is_warned_of() {
    let says = |enforce: &str, guards: &str| {
        let text = format!(
            "version: 1\nname: acme\nrules:\n  - {{id: m, select: {{buckets: [acme-media], prefix: in/}}, trigger: uploaded, retain: 30 days, enforce: {enforce}}}\n{guards}"
        );
        let read = read(&[SourceFile { path: "policy.yaml".to_owned(), bytes: text.into() }]).unwrap();
        lint(&read, NOW.parse().unwrap()).iter().any(|one| one.code == Code::NoGuards)
    };
    assert!(says("direct", "") && says("auto", "guards: {max-plan-age: 2 days}\n"));
    assert!(!says("observe", ""));
    for guards in ["max-objects: 5", "per-bucket: {max-share: 50%}", "per-tenant: {max-bytes: 1 GiB}"] {
        let tenant = "tenant: [{key: \"*/{tenant}/**\"}]\n";
        assert!(!says("direct", &format!("{tenant}guards: {{{guards}}}\n")), "{guards}");
    }
    assert!(!says("direct, guards: {max-share: 60%}", ""));
}

#[test]
fn a_limit_per_tenant_that_does_not_know_all_tenants_is_warned_of() {
    let says = |tenant: &str, guards: &str| {
        let text = format!(
            "version: 1\nname: acme\ntenant: [{tenant}]\nguards: {{{guards}}}\nrules:\n  - {{id: m, select: {{buckets: [acme-media], prefix: in/}}, trigger: uploaded, retain: 30 days}}\n"
        );
        let read = read(&[SourceFile { path: "policy.yaml".to_owned(), bytes: text.into() }]).unwrap();
        lint(&read, NOW.parse().unwrap()).iter().any(|one| one.code == Code::TenantsUnread)
    };
    let (key, tag) = ("key: \"*/{tenant}/**\"", "tag: customer");
    assert!(says(&format!("{{{tag}}}"), "per-tenant: {max-objects: 5}"));
    assert!(says(&format!("{{{tag}}}, {{{key}}}"), "per-tenant: {max-objects: 5}"));
    assert!(!says(&format!("{{{key}}}, {{{tag}}}"), "per-tenant: {max-objects: 5}"));
    assert!(!says(&format!("{{{key}}}"), "per-tenant: {max-objects: 5}"));
    assert!(!says(&format!("{{{tag}}}"), "max-objects: 5"));
}

mod departures {
    use super::*;

    const RULE: &str = "tenant: [{key: \"*/{tenant}/**\"}]
rules:
  - {id: m, select: {buckets: [acme-media], prefix: in/}, trigger: uploaded, retain: 30 days, enforce: direct}
";

    #[test]
    fn an_override_of_a_tenant_that_the_rule_leaves_out_is_in_vain() {
        let text = |select: &str, tenants: &str| {
            let rule = RULE.replace("prefix: in/", select);
            codes(&format!("{rule}overrides:\n  - {{tenants: [{tenants}], rule: m, retain: 1 day}}\n"))
        };
        let expected = [(Code::OverrideNeverApplies, 7)];
        assert_eq!(text("tenants: [\"1\"]", "\"1\", \"2\""), expected);
        assert_eq!(text("except: [{tenants: [\"2\"]}]", "\"2\""), expected);
        assert_eq!(text("tenants: [\"1\", \"2\"]", "\"2\""), []);
        assert_eq!(text("except: [{tenants: [\"2\"], prefix: a/}]", "\"2\""), []);
    }

    #[test]
    fn a_hold_or_an_erasure_that_meets_no_rule_is_told() {
        let hold = |select: &str| {
            codes(&format!("{RULE}holds:\n  - {{id: h, reason: case, select: {{{select}}}}}\n"))
        };
        assert_eq!(hold("buckets: [acme-medai]"), [(Code::CoversNothing, 7)]);
        assert_eq!(hold("buckets: [\"*-media\"], prefix: out/"), [(Code::CoversNothing, 7)]);
        assert_eq!(hold("key: \"out/**\""), [(Code::CoversNothing, 7)]);
        // Holds reach wide: any source may name the tenant.
        for reaches in ["tenants: [\"9\"]", "buckets: [\"*\"]", "key: \"**.jpg\"", "prefix: in/4711/"] {
            assert_eq!(hold(reaches), [], "{reaches}");
        }
        let erasure = |select: &str| {
            codes(&format!(
                "{RULE}erasures:\n  - {{id: e, reason: asked, select: {{{select}}}, requested: 2026-11-01}}\n"
            ))
        };
        assert_eq!(erasure("buckets: [acme-medai], tenants: [\"1\"]"), [(Code::CoversNothing, 7)]);
        // It erases in the buckets of rules what no rule covers, too.
        assert_eq!(erasure("buckets: [acme-media], prefix: out/"), []);
    }

    #[test]
    fn an_erasure_of_a_day_to_come_is_told_until_that_day_begins() {
        let text = format!(
            "timezone: Europe/Zagreb\n{RULE}erasures:\n  - {{id: e, reason: asked, select: {{tenants: [\"1\"]}}, requested: 2026-11-24}}\n"
        );
        let at = |now: &str| found_at(&text, now).into_iter().map(|one| one.code).collect::<Vec<_>>();
        assert_eq!(at("2026-11-23T22:59:59Z"), [Code::FutureErasure]);
        assert_eq!(at("2026-11-23T23:00:00Z"), []);
    }

    #[test]
    fn what_is_over_is_told_from_the_end_of_its_day() {
        let text = format!(
            "{RULE}holds:\n  - {{id: h, reason: case, select: {{prefix: in/}}, released: 2026-11-22}}\noverrides:\n  - {{tenants: [\"1\"], rule: m, retain: 1 day, until: 2026-11-22}}\n"
        );
        let at = |now: &str| {
            found_at(&text, now).into_iter().map(|one| (one.code, one.at.line)).collect::<Vec<_>>()
        };
        assert_eq!(at("2026-11-22T23:59:59Z"), []);
        assert_eq!(at("2026-11-23T00:00:00Z"), [(Code::Past, 7), (Code::Past, 9)]);
    }
}

mod engines {
    use super::*;

    fn rule(more: &str) -> String {
        format!(
            "timezone: UTC\nrules:\n  - id: m\n    select: {{buckets: [acme-media], prefix: in/}}\n{more}"
        )
    }

    #[test]
    fn a_rule_that_s3_cannot_be_given_is_noted_with_the_reasons() {
        let all = found(&rule("    trigger: {metadata: sent}\n    retain: 30 days\n"));
        let one = all.iter().find(|one| one.code == Code::Direct).unwrap();
        assert_eq!((one.severity, one.at.line), (Severity::Note, 5));
        assert!(
            one.message.contains("`m` is not given to S3: its trigger has no `within`"),
            "{}",
            one.message
        );
        assert_eq!(codes(&rule("    trigger: uploaded\n    retain: 30 days\n")), []);
        let known = found(&rule("    trigger: {metadata: sent}\n    retain: 30 days\n    enforce: direct\n"));
        assert!(!known.iter().any(|one| one.code == Code::Direct), "{known:?}");
    }

    #[test]
    fn rules_that_are_kept_from_s3_by_the_same_reasons_are_told_together() {
        let more = "  - {id: n2, select: {buckets: [acme-media], prefix: out/}, trigger: {metadata: sent}, retain: 3 days}\n";
        let all = found(&rule(&format!("    trigger: {{metadata: sent}}\n    retain: 30 days\n{more}")));
        let direct: Vec<_> = all.iter().filter(|one| one.code == Code::Direct).collect();
        let [one] = &direct[..] else { panic!("{all:?}") };
        assert!(one.message.starts_with("`m` and 1 other rule are not given to S3: "), "{}", one.message);
        assert_eq!((one.at.line, one.related[0].0.line), (5, 9));
    }

    #[test]
    fn the_tolerance_that_would_do_is_named() {
        let all = found(&rule("    trigger: uploaded\n    retain: 1 year\ntolerance: 1 day\n"));
        let [one] = &all[..] else { panic!("{all:?}") };
        assert_eq!((one.code, one.severity), (Code::Direct, Severity::Note));
        let tolerance = one.help.as_deref().and_then(|help| help.split('`').nth(1)).unwrap();
        let text = rule(&format!("    trigger: uploaded\n    retain: 1 year\n{tolerance}\n"));
        assert_eq!(codes(&text), [], "{tolerance}");
    }

    #[test]
    fn lifecycle_demanded_in_vain_is_an_error() {
        let all =
            found(&rule("    trigger: {metadata: sent}\n    retain: 30 days\n    enforce: lifecycle\n"));
        let one = all.iter().find(|one| one.code == Code::CannotBeLifecycle).unwrap();
        assert_eq!((one.severity, one.at.line), (Severity::Error, 9));
        let right = rule("    trigger: uploaded\n    retain: 30 days\n    enforce: lifecycle\n");
        assert_eq!(codes(&right), []);
    }

    #[test]
    fn a_tag_that_moves_a_date_under_lifecycle_is_a_warning_and_else_a_note() {
        let bounded = "    trigger: {tag: sent, within: {before: 1 day, after: 1 hour}, outside: clamp, if-missing: uploaded}\n    retain: 30 days\n";
        let of_tag = |text: &str| {
            let all = found(text);
            all.into_iter()
                .filter(|one| one.code == Code::MutableTag)
                .map(|one| (one.severity, one.at.line))
                .collect::<Vec<_>>()
        };
        assert_eq!(of_tag(&rule(bounded)), [(Severity::Warning, 7)]);
        assert_eq!(of_tag(&rule(&format!("{bounded}    enforce: direct\n"))), [(Severity::Note, 7)]);
        assert_eq!(of_tag(&rule(&format!("{bounded}    enforce: observe\n"))), []);
        assert_eq!(of_tag(&rule(&bounded.replace("tag:", "metadata:"))), []);
        let selected =
            rule("    trigger: uploaded\n    retain: 30 days\n").replace("prefix: in/", "tags: {class: a}");
        assert_eq!(of_tag(&selected), [(Severity::Note, 6)]);
    }
}

mod costs {
    use super::*;

    fn reads(select: &str, trigger: &str) -> Vec<(usize, String)> {
        let text = format!(
            "timezone: UTC\ntenant: [{{metadata: customer}}]\nrules:\n  - id: m\n    select: {{buckets: [acme-media], {select}}}\n    trigger: {trigger}\n    retain: 30 days\n    enforce: direct\n    incomplete-uploads: 7 days\n"
        );
        let all = found(&text);
        assert!(
            all.iter().all(|one| one.severity == Severity::Note || one.code == Code::UploadsNotSelected),
            "{all:?}"
        );
        let read = all.into_iter().filter(|one| one.code == Code::ReadsEveryObject);
        read.map(|one| (one.at.line, format!("{} ({})", one.message, one.help.unwrap_or_default()))).collect()
    }

    #[test]
    fn a_date_without_within_needs_a_head_of_each_object_and_its_price_is_told() {
        let [(line, text)] = &reads("prefix: a/", "{metadata: sent}")[..] else { panic!() };
        assert_eq!(*line, 8);
        assert!(text.contains("needs a HEAD in every run") && text.contains("$0.40"), "{text}");
        assert!(text.contains("with `within`"), "{text}");
        let bounded = "{metadata: sent, within: {before: 1 day, after: 1 day}}";
        assert_eq!(reads("prefix: a/", bounded), []);
        assert_eq!(reads("prefix: a/", "uploaded"), []);
        assert_eq!(reads("prefix: a/", "{key: \"a/{yyyy}{MM}{dd}/**\"}"), []);
        // Objects uploaded long ago only could be decided.
        assert_eq!(
            reads("prefix: a/", "{metadata: sent, within: {before: unlimited, after: 1 day}}").len(),
            1
        );
    }

    #[test]
    fn a_select_by_what_a_listing_does_not_tell_is_read_too() {
        for (select, what) in [
            ("content-type: image/*", "a HEAD in"),
            ("metadata: {a: b}", "a HEAD in"),
            ("tags: {a: b}", "a read of its tags in"),
            ("except: [{tags: {a: b}}], metadata: {a: b}", "a HEAD and a read of its tags in"),
            ("tenants: [\"1\"]", "a HEAD in"),
        ] {
            let [(line, text)] = &reads(select, "uploaded")[..] else { panic!("{select}") };
            assert!(*line == 7 && text.contains(what) && !text.contains("within"), "{select}: {text}");
        }
        for known in ["media: image/*", "size: {over: 1}", "key: \"**a\""] {
            assert_eq!(reads(known, "uploaded"), [], "{known}");
        }
    }
}

mod zones {
    use super::*;

    fn notes(zone: &str, trigger: &str, retain: &str) -> Vec<usize> {
        let text = format!(
            "{zone}rules:\n  - id: m\n    select: {{buckets: [acme-media], prefix: a/}}\n    trigger: {trigger}\n    retain: {retain}\n    enforce: direct\n  - id: second\n    select: {{buckets: [acme-media], prefix: b/}}\n    trigger: {trigger}\n    retain: {retain}\n    enforce: direct\n"
        );
        let all = found(&text);
        all.iter().filter(|one| one.code == Code::DaysOfTheZone).map(|one| one.at.line).collect()
    }

    #[test]
    fn days_that_end_elsewhere_are_noted_once_where_periods_are_short() {
        let zone = "timezone: America/New_York\n";
        assert_eq!(notes(zone, "{metadata: sent}", "1 day"), [8]);
        assert_eq!(notes(zone, "{metadata: sent}", "30 days"), [0; 0]);
        assert_eq!(notes(zone, "uploaded", "1 day"), [0; 0]);
        assert_eq!(notes(zone, "{metadata: sent, format: epoch-seconds}", "1 day"), [0; 0]);
        assert_eq!(notes("timezone: UTC\n", "{metadata: sent}", "1 day"), [0; 0]);
    }

    #[test]
    fn dates_without_a_zone_in_a_policy_without_one_are_noted_once() {
        assert_eq!(notes("", "{metadata: sent}", "30 days"), [6]);
        assert_eq!(notes("", "uploaded", "30 days"), [0; 0]);
    }
}

mod exports {
    use super::*;

    #[test]
    fn copies_that_no_rule_selects_have_no_retention() {
        let text = |select: &str| {
            let rules = two("buckets: [x-media]", select);
            let rules = rules.replacen("enforce: direct", "enforce: direct, export: s3://copies/x/", 1);
            codes(&rules)
        };
        assert_eq!(text("buckets: [y-media]"), [(Code::ExportWithoutRetention, 5)]);
        assert_eq!(text("buckets: [copies], prefix: y/"), [(Code::ExportWithoutRetention, 5)]);
        // That the other rule reaches them is said apart.
        assert_eq!(text("buckets: [\"cop*\"], prefix: x/"), [(Code::ReachesOwnFiles, 6)]);
    }
}

mod hostile {
    use super::*;

    #[test]
    fn thousands_of_rules_overrides_and_holds_are_looked_at_within_bounds() {
        let rules = |select: &dyn Fn(usize) -> String| -> String {
            (0..5_000)
                .map(|n| {
                    format!(
                        "- {{id: r{n}, select: {{{}}}, trigger: uploaded, retain: {} days}}\n",
                        select(n),
                        n + 1
                    )
                })
                .collect()
        };
        let overrides: String =
            (0..5_000).map(|n| format!("- {{tenants: [\"{n}\"], rule: r{n}, retain: 1 day}}\n")).collect();
        let holds: String = (0..2_000)
            .map(|n| format!("- {{id: h{n}, reason: case, select: {{buckets: [\"*x{n}\"]}}}}\n"))
            .collect();
        for select in [
            &(|n| format!("buckets: [b{n}-media]")) as &dyn Fn(usize) -> String,
            &|_| "buckets: [acme-media]".to_owned(),
            &|n| format!("buckets: [\"*{n}*\"], key: \"**{n}**\""),
        ] {
            let part =
                |path: &str, text: String| SourceFile { path: path.to_owned(), bytes: text.into_bytes() };
            let files = [
                part("a", "version: 1\nname: acme\ntenant: [{key: \"*/{tenant}/**\"}]\n".to_owned()),
                part("b", format!("version: 1\nrules:\n{}", rules(select))),
                part("c", format!("version: 1\noverrides:\n{overrides}")),
                part("d", format!("version: 1\nholds:\n{holds}")),
            ];
            let read = read(&files).unwrap_or_else(|faults| panic!("{}", render(&faults, &files, false, 80)));
            let found = lint(&read, NOW.parse().unwrap());
            assert!(found.len() < 600, "{}", found.len());
        }
    }
}
