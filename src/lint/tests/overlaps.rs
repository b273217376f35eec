//! Rules that meet: which of them keeps, with an object as an example.

use super::*;

#[test]
fn rules_that_meet_are_shown_with_an_object_and_what_becomes_of_it() {
    let text = two(r#"buckets: ["*-media"], key: "inbound/**""#, r#"buckets: ["acme-*"], key: "**.jpg""#);
    let [one] = &found(&text)[..] else { panic!("{:?}", found(&text)) };
    assert_eq!((one.code, one.severity, one.at.line), (Code::Overlap, Severity::Warning, 6));
    assert_eq!(one.message, "`b` and `a` can match the same object: `s3://acme-media/inbound/a.jpg`");
    assert_eq!(one.help.as_deref(), Some("it stays until the last of them is due: that is `b`, 1 year"));
    assert_eq!(one.related.len(), 1);
    assert_eq!(one.related[0].0.line, 5);
}

#[test]
fn which_rule_wins_depends_on_the_dates_where_they_count_from_different_ones() {
    let text = two("buckets: [x-media], prefix: a/", "buckets: [x-media], key: \"*/b\"").replacen(
        "trigger: uploaded",
        "trigger: {metadata: sent}",
        1,
    );
    let one = found(&text).into_iter().find(|one| one.code == Code::Overlap).unwrap();
    assert_eq!(
        one.help.as_deref(),
        Some("it stays until the last of them is due, and which that is depends on the dates")
    );
}

#[test]
fn the_example_has_all_that_both_ask_for() {
    let all = example(
        "buckets: [x-media], media: image/*, tags: {class: [m, a], b: c}, size: {over: 1 MiB}",
        "buckets: [x-media], prefix: in/, tags: {class: [a, z]}, metadata: {k: v}, size: {under: 2 MiB}, \
         content-type: image/png",
    );
    for part in [
        "`s3://x-media/in/a.",
        "tagged `b=c`",
        "tagged `class=a`",
        "with the metadata `k: v`",
        "of type `image/png`",
        "of 1048577 bytes",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
}

#[test]
fn a_tenant_stands_where_the_policy_finds_it() {
    let a = r#"buckets: [x-media], tenants: ["1", "2"]"#;
    let b = r#"buckets: [x-media], prefix: in/, tenants: ["2", "3"]"#;
    assert!(example(a, b).ends_with("`s3://x-media/in/2/a`"), "{}", example(a, b));
    let by_metadata =
        two(a, b).replace("tenant: [{key: \"*/{tenant}/**\"}]", "tenant: [{metadata: customer}]");
    let one = found(&by_metadata).into_iter().find(|one| one.code == Code::Overlap).unwrap();
    assert!(one.message.contains("with the metadata `customer: 2`"), "{}", one.message);
    // The key names a tenant that the pattern of the other rule leaves no room for.
    apart(a, r#"buckets: [x-media], key: "*/3/**""#);
}

#[test]
fn rules_that_exclude_each_other_do_not_overlap() {
    for (a, b) in [
        ("buckets: [x-media]", "buckets: [y-media]"),
        ("buckets: [\"a-*\"]", "buckets: [\"b-*\"]"),
        ("buckets: [\"*-a\"]", "buckets: [x-b, y-b]"),
        ("buckets: [x-media], prefix: a/", "buckets: [x-media], prefix: b/"),
        ("buckets: [x-media], prefix: a/", "buckets: [x-media], key: \"b/**\""),
        ("buckets: [x-media], key: \"**/*.jpg\"", "buckets: [x-media], key: \"**/*.png\""),
        ("buckets: [x-media], key: \"a/*\"", "buckets: [x-media], key: \"a/*/*\""),
        ("buckets: [x-media], media: image/*", "buckets: [x-media], media: audio/*"),
        ("buckets: [x-media], media: image/png", "buckets: [x-media], key: \"**/*.jpg\""),
        ("buckets: [x-media], tags: {class: a}", "buckets: [x-media], tags: {class: b}"),
        ("buckets: [x-media], metadata: {class: a}", "buckets: [x-media], metadata: {class: [b, c]}"),
        ("buckets: [x-media], tenants: [\"1\"]", "buckets: [x-media], tenants: [\"2\"]"),
        ("buckets: [x-media], content-type: image/*", "buckets: [x-media], content-type: audio/ogg"),
        ("buckets: [x-media], except: [{prefix: a/}]", "buckets: [x-media], prefix: a/"),
        (
            "buckets: [x-media], key: \"a/**\", except: [{key: \"**/*.jpg\"}]",
            "buckets: [x-media], media: image/jpeg, key: \"**.jpg\", except: [{key: \"*.jpg\"}]",
        ),
        ("buckets: [x-media], except: [{tenants: [\"1\"]}]", "buckets: [x-media], tenants: [\"1\"]"),
        ("buckets: [x-media], except: [{tags: {a: b}}]", "buckets: [x-media], tags: {a: b}"),
        ("buckets: [\"*-media\"], except: [{buckets: [x-media]}]", "buckets: [x-media]"),
    ] {
        apart(a, b);
    }
}

#[test]
fn sizes_that_leave_no_whole_number_exclude_each_other() {
    apart("buckets: [x-media], size: {over: 10}", "buckets: [x-media], size: {under: 11}");
    let one = example("buckets: [x-media], size: {over: 10}", "buckets: [x-media], size: {under: 12}");
    assert!(one.ends_with("of 11 bytes"), "{one}");
}

#[test]
fn an_exception_is_stepped_around_where_it_can_be() {
    let one = example(
        r#"buckets: ["*-media"], except: [{buckets: [acme-media]}, {prefix: a}, {tags: {k: v}}, {size: {under: 5}}]"#,
        r#"buckets: ["acme-*"], key: "?/**", tags: {k: [v, w]}"#,
    );
    assert!(!one.contains("s3://acme-media/") && !one.contains("media/a"), "{one}");
    assert!(one.contains("tagged `k=w`") && one.contains("of 5 bytes"), "{one}");
}

#[test]
fn more_overlaps_than_anybody_reads_are_counted() {
    let rule = |n: usize| {
        format!(
            "  - {{id: r{n}, select: {{buckets: [b-media], key: \"*{n}*\"}}, trigger: uploaded, retain: {} days, enforce: direct}}\n",
            n + 1
        )
    };
    let text = format!("rules:\n{}", (0..20).map(rule).collect::<String>());
    let all = found(&text);
    // Ten of the pairs are shadowed by the other, `*1*` by none of `*10*`.
    let overlaps: Vec<_> = all.iter().filter(|one| one.code == Code::Overlap).collect();
    assert_eq!(overlaps.len(), 51);
    let more = overlaps.iter().find(|one| one.message.ends_with("more of this kind are not shown"));
    assert_eq!(more.map(|one| one.at.line), Some(2), "{overlaps:?}");
}

#[test]
fn a_rule_that_is_covered_by_a_longer_one_changes_nothing() {
    for (a, b) in [
        ("buckets: [x-media], prefix: a/b/", "buckets: [x-media], prefix: a/"),
        ("buckets: [x-media]", "buckets: [\"*-media\"]"),
        ("buckets: [x-media], media: image/png", "buckets: [x-media], media: image/*"),
        ("buckets: [x-media], key: \"a/*.jpg\"", "buckets: [x-media], key: \"a/**\""),
        ("buckets: [x-media], tags: {a: b, c: d}", "buckets: [x-media], tags: {a: [b, x]}"),
        ("buckets: [x-media], tenants: [\"1\"]", "buckets: [x-media], tenants: [\"1\", \"2\"]"),
        ("buckets: [x-media], size: {over: 10}", "buckets: [x-media], size: {over: 9}"),
        ("buckets: [x-media], prefix: a/", "buckets: [x-media], except: [{prefix: b/}]"),
        ("buckets: [x-media], except: [{prefix: b/}]", "buckets: [x-media], except: [{prefix: b/b/}]"),
    ] {
        let all = found(&two(a, b));
        let shadowed: Vec<_> = all.iter().filter(|one| one.code == Code::Shadowed).collect();
        let [one] = &shadowed[..] else { panic!("{a} in {b}: {all:?}") };
        assert!(one.message.starts_with("`a` changes nothing: `b` matches everything"), "{}", one.message);
        assert!(!all.iter().any(|one| one.code == Code::Overlap), "{all:?}");
    }
}

#[test]
fn a_rule_that_has_an_effect_of_its_own_is_not_called_shadowed() {
    let small = "buckets: [x-media], prefix: a/b/";
    let large = "buckets: [x-media], prefix: a/";
    let base = two(small, large);
    let first = |from: &str, to: &str| base.replacen(from, to, 1);
    for text in [
        // The longer one lies within.
        two(large, small),
        first("trigger: uploaded", "trigger: {metadata: sent}"),
        first("enforce: direct", "enforce: direct, guards: {max-objects: 5}"),
        first("enforce: direct", "enforce: direct, noncurrent: {retain: 1 day}"),
        first("enforce: direct", "enforce: direct, incomplete-uploads: 1 day"),
        first("retain: 1 year, enforce: direct", "retain: 1 year, enforce: observe"),
        format!("{base}overrides: [{{tenants: [\"1\"], rule: b, retain: 1 day}}]\n"),
        two(small, "buckets: [x-media], prefix: a/, except: [{key: \"**/c\"}]"),
        two(small, "buckets: [x-media], prefix: a/, tags: {a: b}"),
        two("buckets: [\"*-media\"]", "buckets: [x-media]"),
        two("buckets: [x-media], size: {over: 8}", "buckets: [x-media], size: {over: 9}"),
        two("buckets: [x-media]", "buckets: [x-media], tenants: [\"1\"]"),
        two("buckets: [x-media], tags: {a: [b, c]}", "buckets: [x-media], tags: {a: b}"),
    ] {
        let all = found(&text);
        assert!(!all.iter().any(|one| one.code == Code::Shadowed), "{text}: {all:?}");
        assert!(all.iter().any(|one| one.code == Code::Overlap), "{text}: {all:?}");
    }
}

#[test]
fn a_rule_that_can_never_match_says_why() {
    let other = "buckets: [y-media]";
    for (select, why) in [
        ("buckets: [x-media], prefix: a/, key: \"b/**\"", "no key that starts with its `prefix`"),
        ("buckets: [x-media], media: image/png, key: \"**/*.jpg\"", "an extension of its `media`"),
        (
            "buckets: [x-media], key: \"**/*.jpg\", except: [{media: image/*}, {key: \"**/.jpg\"}, {key: .jpg}]",
            "its exceptions",
        ),
        ("buckets: [x-media], tenants: [\"1\"], key: \"a/2/**\"", "one of its tenants'"),
    ] {
        let all = found(&two(select, other));
        let [one] = &all.iter().filter(|one| one.code == Code::NeverMatches).collect::<Vec<_>>()[..] else {
            panic!("{select}: {all:?}")
        };
        assert!(one.message.contains(why), "{select}: {}", one.message);
        assert!(!all.iter().any(|one| one.code == Code::Overlap), "{all:?}");
    }
}

#[test]
fn a_rule_that_can_match_something_is_left_alone() {
    for select in [
        "buckets: [x-media], prefix: a/, key: \"**/b\"",
        "buckets: [x-media], media: image/png, key: \"**.PNG\"",
        "buckets: [x-media], prefix: a/, except: [{prefix: a/b/}]",
        "buckets: [x-media], tenants: [\"1\"], except: [{tenants: [\"1\"], prefix: b/}]",
        "buckets: [x-media], except: [{size: {over: 1}}]",
        "buckets: [\"*-media\"], except: [{buckets: [\"x*\"]}]",
    ] {
        assert_eq!(warnings(&two(select, "buckets: [y-logs]")), [], "{select}");
    }
}
