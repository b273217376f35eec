//! Superseded versions that are kept by number.

use super::*;

#[test]
fn a_rule_that_keeps_superseded_versions_by_number_is_told_to_keep_them_for_ever() {
    let told = |more: &str| {
        let text = format!(
            "timezone: UTC\nrules:\n  - {{id: m, select: {{buckets: [acme-media]}}, trigger: uploaded, retain: 30 days{more}}}\n"
        );
        found(&text).into_iter().filter(|one| one.code == Code::KeptByNumber).collect::<Vec<_>>()
    };
    for (more, message) in [
        (
            ", noncurrent: {retain: 1 day, newer-noncurrent-versions: 1}",
            "under `m` the newest superseded version of a key is never removed",
        ),
        (
            ", enforce: direct, noncurrent: {retain: 1 day, newer-noncurrent-versions: 3}",
            "under `m` the 3 newest superseded versions of a key are never removed",
        ),
    ] {
        let [one] = &told(more)[..] else { panic!("{more}") };
        assert_eq!((one.severity, one.at.line, one.message.as_str()), (Severity::Warning, 5, message));
    }
    for more in [
        "",
        ", noncurrent: {retain: 1 day}",
        ", noncurrent: {retain: 1 day, newer-noncurrent-versions: 0}",
        ", enforce: observe, noncurrent: {retain: 1 day, newer-noncurrent-versions: 3}",
    ] {
        assert_eq!(told(more), [], "{more}");
    }
}
