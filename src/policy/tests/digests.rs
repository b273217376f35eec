//! What makes a difference to a policy's digests, and what does not.

use super::*;

#[test]
fn order_files_comments_and_form_make_no_difference_to_the_digests() {
    let second = "  - {id: other, select: {buckets: [b-2, b-1]}, trigger: {earliest: [{metadata: a}, {metadata: b}]}, retain: 1 year}\n";
    let one = read_all(&[&format!("{HEAD}{RULE}{second}holds: []\n")]).policy;
    let other = "# Comment\nrules:\n  - retain: P12M\n    id: \"other\"\n    enforce: auto\n    trigger:\n      \
        earliest: [{metadata: B}, {metadata: a}]\n    select:\n      buckets:\n      - 'b-1'\n      - b-2\n      - b-1\n";
    let two = read_all(&[other, &format!("{RULE}---\n{HEAD}timezone: UTC\ntolerance: 3 days\n")]).policy;
    assert_eq!(one.digest, two.digest);
    assert_eq!(one.holds_digest, two.holds_digest);
}

#[test]
fn the_order_of_what_is_a_set_makes_no_difference_to_the_digests() {
    let one = read_all(&[MORE]).policy;
    for (from, to) in [
        ("[\"image/*\", audio/ogg]", "[audio/OGG, \"image/*\", audio/ogg]"),
        ("{class: media, team: [a, b]}", "{team: [b, a, b], class: [media]}"),
        ("{over: 1 MiB, under: 5000000000}", "{under: 5 GB, over: 1048576}"),
        (
            "[{prefix: inbound/keep/}, {tenants: [\"0815\"]}]",
            "[{tenants: [\"0815\"]}, {prefix: inbound/keep/}]",
        ),
        ("[DE, AT]", "[AT, DE]"),
        ("[sent, {metadata: read-at, plus: 1 day}]", "[{plus: P1D, metadata: Read-At}, sent]"),
        ("Class: private", "class: [private]"),
    ] {
        assert!(MORE.contains(from), "{from}");
        let other = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_eq!(other.digest, one.digest, "{from}");
        assert_eq!(other.holds_digest, one.holds_digest, "{from}");
    }
}

#[test]
fn every_value_makes_a_difference_to_the_digest() {
    let base = read_all(&[EXAMPLE]).policy;
    for (from, to) in [
        ("name: acme-media", "name: acme"),
        ("Europe/Zagreb", "Europe/Vienna"),
        ("123456789012", "123456789013"),
        ("tag: customer", "tag: client"),
        ("records/customers.csv", "records/clients.csv"),
        ("id: customer_id", "id: id"),
        ("fresh-within: 2 days", "fresh-within: 3 days"),
        ("exported-at: exported_at", "exported-at: at"),
        ("metadata: communication-date", "metadata: sent"),
        ("before: unlimited", "before: 2 days"),
        ("after: 1 day", "after: 2 days"),
        ("outside: clamp", "outside: undecided"),
        ("if-missing: uploaded", "if-missing: retained"),
        ("customers.contract_ended_on", "customers.ended"),
        ("plus: 18 months", "plus: 17 months"),
        ("*-recordings", "*-calls"),
        ("**/*.mp4", "**"),
        ("[\"0815\", \"4711\"]", "[\"0815\"]"),
        ("retain: P30D", "retain: 31 days"),
        ("enforce: direct", "enforce: auto"),
        ("data: Media", "data: Medium"),
        ("prefix: inbound/", "prefix: in/"),
        ("retain: 1 day,", "retain: 2 days,"),
        ("versions: 2", "versions: 3"),
        ("uploads: 1 week", "uploads: 8 days"),
        ("max-share: 60%", "max-share: 61%"),
        ("{tenants: [\"4711\"], rule: ott-media", "{tenants: [\"4712\"], rule: ott-media"),
        ("retain: 14 days", "retain: 13 days"),
        ("MSA-2025-118", "MSA-2025-119"),
        ("2028-01-01", "2028-01-02"),
        ("max-objects: 1000000", "max-objects: 1"),
        ("10 TiB", "10 TB"),
        ("max-plan-age: 1 day", "max-plan-age: 2 days"),
        ("{max-share: 20%", "{max-share: 21%"),
        ("by: tenant", "by: {tag: customer}"),
        ("- metadata: Customer-Id\n  - tag: customer", "- tag: customer\n  - metadata: Customer-Id"),
        ("    outside: clamp\n", ""),
        ("    incomplete-uploads: 1 week\n", ""),
        ("      prefix: inbound/\n", ""),
        ("- communication-date\n", "- {metadata: communication-date}\n"),
        ("tolerance: 3 days", "tolerance: 4 days"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        let changed = read_all(&[&EXAMPLE.replacen(from, to, 1)]).policy;
        assert_ne!(changed.digest, base.digest, "{from}");
        assert_eq!(changed.holds_digest, base.holds_digest, "{from}");
    }
    let kept = read_all(&[&format!("{EXAMPLE}evidence: {{retain: 10 years}}\n")]).policy;
    assert_eq!(kept.evidence_retain, Some(Period::months(120)));
    assert_eq!((&kept.digest, base.evidence_retain), (&base.digest, None), "it decides nothing");
    let more = read_all(&[MORE]).policy;
    for (from, to) in [
        ("s3://exports/customers.csv", "s3://exports/clients.csv"),
        ("campaigns.jsonl", "campaigns.csv"),
        ("campaigns.jsonl, id", "campaigns.jsonl, format: csv, id"),
        ("tag: sent-at", "tag: sent"),
        ("%d.%m.%Y", "%m.%d.%Y"),
        ("epoch-seconds", "epoch-milliseconds"),
        ("latest: [", "earliest: ["),
        ("plus: 1 day", "plus: 2 days"),
        ("[{metadata: send-at}, last, ended]", "[{metadata: send-at}, ended, last]"),
        ("image/*", "image/gif"),
        ("content-type: image/png", "content-type: image/gif"),
        ("class: media", "class: text"),
        ("team: [a, b]", "team: [a]"),
        ("Class: private", "Class: public"),
        ("over: 1 MiB", "over: 2 MiB"),
        ("under: 5000000000", "under: 5000000001"),
        ("inbound/keep/", "inbound/kept/"),
        ("{tenants: [\"0815\"]}]", "{tenants: [\"0816\"]}]"),
        ("90 days", "91 days"),
        ("DEEP_ARCHIVE", "GLACIER"),
        ("undo-window: 7 days", "undo-window: 8 days"),
        ("s3://exports/calls/", "s3://exports/other/"),
        ("    evidence: per-object\n", ""),
        ("customers.country", "customers.seat"),
        ("[DE, AT]", "[DE]"),
        ("HGB 257", "HGB 258"),
        ("req-881", "req-882"),
        ("On request", "By mail"),
        ("select: {tenants: [\"4711\"]}", "select: {tenants: [\"4712\"]}"),
        ("2026-11-02", "2026-11-03"),
        ("max-shrink: 20%", "max-shrink: 21%"),
        ("by: {metadata: campaign-id}", "by: {tag: campaign-id}"),
        ("id: campaign,", "id: code,"),
        ("{metadata: read-at", "{tag: read-at"),
        ("{first: [", "{latest: ["),
        ("{over: 1 MiB, under: 5000000000}", "{over: 1 MiB}"),
        ("except: [{prefix: inbound/keep/}, {", "except: [{"),
        ("      tags: {class: media, team: [a, b]}\n", ""),
        ("      metadata: {Class: private}\n", ""),
        ("      content-type: image/png\n", ""),
        ("{after: 90 days, to: GLACIER_IR}, ", ""),
        ("    undo-window: 7 days\n", ""),
        ("    export: s3://exports/calls/\n", ""),
        ("{where: {", "{tenants: [\"1\"], where: {"),
        ("legal-basis: HGB", "agreement: HGB"),
        ("  max-shrink: 20%\n", ""),
        ("max-times-usual: 5", "max-times-usual: 6"),
        ("max-share: 50%", "max-objects: 50"),
        ("  per-tenant: {max-bytes: 1 GiB}\n", ""),
        ("stop-file: STOP", "stop-file: s3://ops/STOP"),
    ] {
        assert!(MORE.contains(from), "{from}");
        let changed = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_ne!(changed.digest, more.digest, "{from}");
        assert_eq!(changed.holds_digest, more.holds_digest, "{from}");
    }
    for (from, to) in [
        ("case: \"1\"", "case: \"2\""),
        ("prefix: other/", "prefix: else/"),
        (", except: [{prefix: other/}]", ""),
        ("{tags: {case", "{metadata: {case"),
    ] {
        let changed = read_all(&[&MORE.replacen(from, to, 1)]).policy;
        assert_eq!(changed.digest, more.digest, "{from}");
        assert_ne!(changed.holds_digest, more.holds_digest, "{from}");
    }
    for (from, to) in [("case-2026-07", "case-2026-08"), ("Order", "Case"), ("2027-01-31", "2027-02-01")] {
        let changed = read_all(&[&EXAMPLE.replacen(from, to, 1)]).policy;
        assert_eq!(changed.digest, base.digest, "{from}");
        assert_ne!(changed.holds_digest, base.holds_digest, "{from}");
    }
}
