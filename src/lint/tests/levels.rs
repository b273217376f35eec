//! Key patterns that reach fewer levels than may be meant.

use super::*;

const HEAD: &str = "timezone: UTC\ntenant: [{key: \"*/{tenant}/**\"}]\nrules:\n";

fn only(code: Code, text: &str) -> Vec<Diagnostic> {
    found(text).into_iter().filter(|one| one.code == code).collect()
}

/// A rule that selects this, too, and what follows it.
fn rule(select: &str, more: &str) -> String {
    format!(
        "{HEAD}  - {{id: m, select: {{buckets: [acme-media]{select}}}, trigger: uploaded, retain: 30 days, enforce: direct}}\n{more}"
    )
}

fn hold(select: &str) -> String {
    rule("", &format!("holds:\n  - {{id: h, reason: case, select: {{{select}}}}}\n"))
}

fn erasure(select: &str) -> String {
    let more =
        format!("erasures:\n  - {{id: e, reason: asked, select: {{{select}}}, requested: 2026-11-01}}\n");
    rule("", &more)
}

#[test]
fn a_pattern_of_one_level_is_told_where_deeper_ones_may_be_meant() {
    let told = |text: &str| only(Code::OneLevel, text);
    let [one] = &told(&hold("key: \"in/4711/*\""))[..] else { panic!() };
    assert_eq!((one.severity, one.at.line), (Severity::Warning, 8));
    assert_eq!(one.message, "`in/4711/*` reaches one level: the hold is not about `in/4711/a/b`");
    assert_eq!(one.help.as_deref(), Some("if all that lies below is meant, write `in/4711/**`"));
    for (key, missed, wider) in [
        ("recordings/4711*", "recordings/4711/a", "recordings/4711**"),
        ("*", "a/b", "**"),
        ("*4711*", "a4711/a", "**4711**"),
    ] {
        let [one] = &told(&hold(&format!("key: \"{key}\"")))[..] else { panic!("{key}") };
        assert!(one.message.ends_with(&format!("the hold is not about `{missed}`")), "{}", one.message);
        assert!(one.help.as_ref().is_some_and(|help| help.contains(&format!("`{wider}`"))), "{key}");
    }
    assert_eq!(told(&hold("prefix: in/, except: [{key: \"in/1/*\"}, {key: \"in/2/*\"}]")).len(), 2);
    for whole in [
        "key: \"in/4711/**\"",
        "key: \"in/*.jpg\"",
        "key: \"in/*/a\"",
        "key: \"in/**/*\"",
        "key: \"in/***\"",
        "prefix: in/",
    ] {
        assert_eq!(told(&hold(whole)), [], "{whole}");
    }
    let [one] = &told(&rule(", except: [{key: \"in/*\"}]", ""))[..] else { panic!() };
    assert_eq!(one.severity, Severity::Note);
    // This is meant as it stands: an exception of every key would leave nothing.
    assert_eq!(told(&rule(", except: [{key: \"*\"}]", "")), []);
    // What a rule itself selects so is seen to stay.
    assert_eq!(told(&rule(", key: \"in/*\"", "")), []);
    let erased = |key: &str| told(&erasure(&format!("key: \"{key}\""))).pop().and_then(|one| one.help);
    assert_eq!(erased("in/1/*").unwrap(), "if all that lies below is meant, write `in/1/**`");
    // `in/1**` would be about 17 as well.
    assert_eq!(
        erased("in/1*").unwrap(),
        "if what lies below is meant, name its directory, with `/**` behind it"
    );
}

#[test]
fn a_pattern_that_needs_a_directory_is_warned_of_with_a_key_that_it_misses() {
    let told = |text: &str| only(Code::NeedsDirectory, text);
    let [one] = &told(&hold("key: \"recordings/4711/**/*.mp4\""))[..] else { panic!() };
    assert_eq!((one.severity, one.at.line), (Severity::Warning, 8));
    assert_eq!(
        one.message,
        "`recordings/4711/**/*.mp4` needs a directory where it has `**/`: the hold is not about `recordings/4711/a.mp4`"
    );
    assert_eq!(one.help.as_deref(), Some("if such keys are meant too, write `recordings/4711/**.mp4`"));
    for (text, missed) in [
        (rule(", key: \"**/*.jpg\"", ""), "the rule is not about `a.jpg`"),
        (rule(", except: [{key: \"keep/**/*\"}]", ""), "an exception is not about `keep/a`"),
        (erasure("key: \"inbound/4711/**/*\""), "the erasure is not about `inbound/4711/a`"),
        (erasure("buckets: [acme-media], key: \"**/4711.jpg\""), "the erasure is not about `4711.jpg`"),
    ] {
        let [one] = &told(&text)[..] else { panic!("{missed}") };
        assert!(one.message.ends_with(missed), "{} and {missed}", one.message);
    }
    for key in ["recordings/4711/**.mp4", "**.jpg", "in/**", "in/*/a", "a**/b"] {
        assert_eq!(told(&hold(&format!("key: \"{key}\""))), [], "{key}");
    }
}

#[test]
fn what_has_a_directory_anyway_or_is_named_beside_misses_nothing() {
    let told = |text: &str| only(Code::NeedsDirectory, text);
    let none = |text: &str| assert_eq!(told(text), [], "{text}");
    // Keys that start so, or are a tenant's, lie in a directory.
    none(&hold("prefix: in/, key: \"**/*.jpg\""));
    none(&hold("tenants: [\"4711\"], key: \"**/*.jpg\""));
    let many: Vec<String> = (0..70).map(|tenant| format!("\"{tenant}\"")).collect();
    none(&hold(&format!("tenants: [{}], key: \"**/*.jpg\"", many.join(", "))));
    // All keys but those without a directory are meant.
    none(&rule(", except: [{key: \"**/*\"}]", ""));
    none(&rule(", key: \"**/\"", ""));
    none(&rule(", key: \"**/*.jpg\", media: image/png", ""));
    assert_eq!(told(&hold("prefix: in, key: \"**/*.jpg\"")).len(), 1);

    let [one] = &told(&rule(", except: [{key: \"**/thumbs/**\"}]", ""))[..] else { panic!() };
    assert_eq!(
        one.help.as_deref(),
        Some("if such keys are meant too, write another exception of `thumbs/**`")
    );
    none(&rule(", except: [{key: \"**/thumbs/**\"}, {key: \"thumbs/**\"}]", ""));
    none(&rule(", except: [{key: \"**/thumbs/**\"}, {prefix: thumbs/}]", ""));
    let holds = |second: &str| {
        hold(&format!("key: \"**/call.mp4\"}}}}\n  - {{id: i, reason: case, select: {{key: \"{second}\""))
    };
    none(&holds("call.mp4"));
    assert_eq!(told(&holds("call.mp3")).len(), 1);
}
