//! Policies as people write them: the shipped ones, bad ones, and hostile ones.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test whose files cannot be read must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use shelflife::lint;
use shelflife::policy::{self, Code, Diagnostic, Policy, SourceFile};
use shelflife::records::{Lookup, RecordTable, Records, Unusable};

fn source(path: &str, bytes: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: bytes.into() }
}

/// The YAML files of a folder, sorted.
fn folder(path: &str) -> Vec<SourceFile> {
    let mut paths: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".yaml") && !name.ends_with(".test.yaml")
        })
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| source(&name(path), fs::read(path).unwrap())).collect()
}

fn faults(file: SourceFile) -> Vec<Diagnostic> {
    let files = [file];
    let faults = policy::read(&files).expect_err("a fault");
    let shown = policy::render(&faults, &files, false, 80);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    faults
}

/// `SL0104 3:7, SL0201 6:1`.
fn summary(faults: &[Diagnostic]) -> String {
    let one = |fault: &Diagnostic| format!("{} {}:{}", fault.code.id(), fault.at.line, fault.at.column);
    faults.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A policy without a fault, to which something hostile is added.
const SOUND: &str = "version: 1
name: acme
rules:
  - id: media
    select: {buckets: [acme-media], prefix: inbound/}
    trigger: uploaded
    retain: 30 days
";

#[test]
fn the_shipped_policies_read_without_fault_or_warning() {
    let files = folder("policies");
    let read = policy::read(&files)
        .unwrap_or_else(|faults| panic!("{}", policy::render(&faults, &files, false, 80)));
    let found = lint::lint(&read, "2026-11-23T12:00:00Z".parse().unwrap());
    let (notes, worse): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| found.severity == policy::Severity::Note);
    assert_eq!(worse, []);
    // Few enough to be read, each of its own kind or reason.
    assert!(notes.len() < 10, "{}", policy::render(&notes, &files, false, 80));
    let ids: Vec<_> = read.policy.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "analytics",
            "campaigns",
            "conversation-content",
            "conversation-logs",
            "customer-databases",
            "email-attachments",
            "email-content-http",
            "email-content-smtp",
            "messaging-content",
            "messaging-logs",
            "ott-media",
            "recordings",
            "traffic-records",
        ]
    );
    for table in &read.policy.tables {
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(table.place.to_string()).is_file()
        );
    }
}

#[test]
fn the_shipped_records_answer_and_go_stale() {
    let policy = policy::read(&folder("policies")).unwrap().policy;
    let table = policy.tables.iter().find(|table| table.name == "customers").unwrap();
    let file = || {
        fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(table.place.to_string()))
            .unwrap()
    };
    let read =
        |now: &str| RecordTable::read_csv(table, file(), now.parse().unwrap(), policy.timezone).unwrap();
    let fresh = read("2026-11-23T12:00:00Z");
    assert_eq!((fresh.rows, &fresh.faults[..]), (3, &[][..]));
    let records = Records { tables: vec![fresh.table] };
    assert_eq!(records.lookup(0, "0815", "contract_ended_on"), Lookup::Known("2026-10-31"));
    assert_eq!(records.lookup(0, "4711", "contract_ended_on"), Lookup::Absent);
    let later = read("2026-12-24T12:00:00Z");
    assert!(matches!(later.table.unusable, Some(Unusable::Stale { .. })), "{later:?}");
}

#[test]
fn the_commented_examples_in_the_shipped_policy_are_sound() {
    let mut files = folder("policies");
    let shared = files.iter_mut().find(|file| file.path == "shelflife.yaml").unwrap();
    let text = String::from_utf8(shared.bytes.clone()).unwrap();
    // What is a list's key, or is indented below one, is an example; the layout of keys is not.
    let uncommented = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("  -") || rest.starts_with("    ") => rest,
        Some(rest) if matches!(rest, "overrides:" | "erasures:" | "holds:") => rest,
        _ => line,
    });
    let uncommented: Vec<_> = uncommented.collect();
    shared.bytes = uncommented.join("\n").into_bytes();
    let read = policy::read(&files)
        .unwrap_or_else(|faults| panic!("{}", policy::render(&faults, &files, false, 80)));
    // Two of the overrides are those of countries.
    let Policy { overrides, erasures, holds, .. } = &read.policy;
    assert_eq!((overrides.len(), erasures.len(), holds.len()), (4, 1, 1));
}

#[test]
fn every_bad_policy_has_exactly_the_faults_that_its_first_line_expects() {
    let files = folder("tests/policies-bad");
    assert!(files.len() >= 40);
    let mut wrong = Vec::new();
    for file in files {
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        let expected =
            text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap().to_owned();
        let path = file.path.clone();
        let found = summary(&faults(file));
        if found != expected {
            wrong.push(format!("{path}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_of_an_error_has_a_bad_policy_that_shows_it() {
    let mut shown: BTreeSet<Code> = folder("tests/policies-bad")
        .into_iter()
        .flat_map(|file| faults(file).into_iter().map(|fault| fault.code).collect::<Vec<_>>())
        .collect();
    // These are shown by the hostile ones below.
    shown.extend([Code::TooLarge, Code::NotUtf8, Code::TooDeep, Code::TooManyFaults]);
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !["SL05", "SL09", "SL10"].contains(&&code.id()[..4]) && !shown.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    let with = |what: &[u8]| [SOUND.as_bytes(), b"# ", what, b"\n"].concat();
    for (what, expected) in [
        (&b"\xff"[..], "SL0102 8:3"),
        (b"\xed\xa0\x80", "SL0102 8:3"),
        (b"\0", "SL0103 8:3"),
        (b"\x1b[31m", "SL0103 8:3"),
        (b"\x7f", "SL0103 8:3"),
        ("\u{85}".as_bytes(), "SL0103 8:3"),
        ("\u{9b}".as_bytes(), "SL0103 8:3"),
        ("\u{2028}".as_bytes(), "SL0103 8:3"),
        ("\u{202e}".as_bytes(), "SL0103 8:3"),
        ("\u{feff}".as_bytes(), "SL0103 8:3"),
        (b"a\rb", "SL0103 8:4"),
    ] {
        assert_eq!(summary(&faults(source("a.yaml", with(what)))), expected, "{what:?}");
    }
    let large = [SOUND.as_bytes(), b"#", &vec![b'x'; 1 << 20]].concat();
    assert_eq!(summary(&faults(source("a.yaml", large))), "SL0101 1:1");
}

#[test]
fn nesting_without_end_is_refused() {
    let nested = |open: &str| summary(&faults(source("a.yaml", open)));
    assert_eq!(nested(&"[".repeat(1_000_000)), "SL0105 1:65");
    assert_eq!(nested(&"{a: ".repeat(200_000)), "SL0105 1:257");
    assert_eq!(nested(&"- ".repeat(500_000)), "SL0105 1:129");
    assert_eq!(nested(&"? ".repeat(10_000)), "SL0105 1:129");
    // Forty deep in blocks and forty more in brackets.
    assert_eq!(nested(&format!("{}{}{}", "- ".repeat(40), "[".repeat(40), "]".repeat(40))), "SL0105 1:105");
}

#[test]
fn a_bomb_of_aliases_is_refused_at_every_alias_and_never_expanded() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (before, name) in ('a'..'i').zip('b'..='i') {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", ")));
    }
    let found = faults(source("a.yaml", format!("{SOUND}{bomb}")));
    let count = |code| found.iter().filter(|fault| fault.code == code).count();
    assert_eq!((count(Code::Alias), count(Code::UnknownKey)), (9 + 8 * 9, 9));
}

/// What each list of a rich policy holds, an item a line; and its settings.
const PARTS: [(&str, &[&str]); 7] = [
    ("", &["version: 1", "name: acme", "timezone: Europe/Zagreb", "tenant: [{key: \"*/{tenant}/**\"}]"]),
    (
        "records",
        &[
            "  customers: {file: s3://acme-records/customers.csv, id: customer_id, by: tenant}",
            "  campaigns: {file: campaigns.jsonl, id: campaign, by: {metadata: campaign-id}}",
        ],
    ),
    (
        "triggers",
        &[
            "  sent: {tag: sent-at, format: \"%d.%m.%Y\", within: 1 day, outside: clamp}",
            "  ended: {record: campaigns.ended, format: epoch-seconds}",
            "  last: {latest: [sent, {metadata: read-at, plus: 1 day}]}",
            "  either: {first: [{metadata: send-at}, last, ended], if-missing: retained}",
        ],
    ),
    (
        "rules",
        &[
            "  - {id: media, select: {buckets: [acme-media], prefix: in/, media: [\"image/*\"], size: {over: 1 KiB}, \
             except: [{prefix: in/keep/}]}, trigger: either, retain: 30 days, undo-window: 1 day}",
            "  - {id: calls, select: {buckets: [acme-calls], tags: {class: [a, b]}}, trigger: uploaded, \
             retain: 2 years, transitions: [{after: 90 days, to: GLACIER}]}",
            "  - {id: mail, select: {buckets: [\"*-mail\"], metadata: {class: a}}, trigger: last, retain: 1 year, \
             export: s3://acme-exports/mail/, evidence: per-object}",
        ],
    ),
    (
        "overrides",
        &[
            "  - {tenants: [\"1\", \"2\"], rule: media, retain: 10 days}",
            "  - {tenants: [\"1\"], rule: media, retain: 10 days, until: 2027-01-01}",
            "  - {where: {record: customers.country, is: [DE, AT]}, rule: mail, retain: 10 years, legal-basis: HGB}",
            "  - {where: {record: customers.country, is: HR}, tenants: [\"1\"], rule: mail, retain: 1 month}",
        ],
    ),
    (
        "erasures",
        &[
            "  - {id: req-2, reason: Asked, select: {tenants: [\"1\"]}, requested: 2026-11-02}",
            "  - {id: req-1, reason: Asked, select: {prefix: in/4/, except: [{media: \"audio/*\"}]}, requested: 2026-11-03}",
        ],
    ),
    (
        "holds",
        &[
            "  - {id: case-2, reason: Order, select: {tags: {case: \"2\"}, except: [{tenants: [\"3\"]}]}}",
            "  - {id: case-1, reason: Order, select: {content-type: video/mp4}, released: 2027-01-31}",
        ],
    ),
];

/// All parts, each in the file that `of` says, in the order that `rank` says.
fn spread(of: impl Fn(usize) -> usize, rank: impl Fn(usize) -> u32) -> Vec<SourceFile> {
    let mut texts = vec![String::new(); 3];
    let mut counter = 0;
    for (key, items) in PARTS {
        let mut items: Vec<_> = items
            .iter()
            .map(|item| {
                counter += 1;
                (rank(counter), of(counter), item)
            })
            .collect();
        items.sort();
        for (file, text) in texts.iter_mut().enumerate() {
            let mut lines =
                items.iter().filter(|(_, at, _)| *at == file).map(|(_, _, item)| *item).peekable();
            if lines.peek().is_some() && !key.is_empty() {
                text.push_str(&format!("{key}:\n"));
            }
            lines.for_each(|line| text.push_str(&format!("{line}\n")));
        }
    }
    let file = |(index, text): (usize, String)| source(&format!("{index}.yaml"), text);
    texts.into_iter().enumerate().filter(|(_, text)| !text.is_empty()).map(file).collect()
}

#[test]
fn exceptions_in_exceptions_without_end_are_refused_where_they_begin() {
    let with = |select: &str| {
        let hold = format!("holds:\n  - {{id: case, reason: Order, select: {select}}}\n");
        summary(&faults(source("a.yaml", format!("{SOUND}{hold}"))))
    };
    let deep =
        |levels: usize| format!("{}{{prefix: a/}}{}", "{except: [".repeat(levels), "]}".repeat(levels));
    assert_eq!(with(&deep(2)), "SL0407 9:50");
    assert_eq!(with(&deep(20)), "SL0407 9:50");
    assert!(with(&deep(500_000 / 12)).starts_with("SL0105 9:"));
}

#[test]
fn thousands_of_everything_are_read_or_refused_and_never_compared_in_pairs() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let hold =
        |select: String| format!("{SOUND}holds:\n  - {{id: case, reason: Order, select: {{{select}}}}}\n");
    let rules = |count: usize, more: &dyn Fn(usize) -> String| {
        let rule = |n| {
            format!(
                "  - {{id: r{n}, select: {{buckets: [b{n}xx]}}, trigger: uploaded, retain: 900 days{}}}\n",
                more(n)
            )
        };
        format!("version: 1\nname: acme\nrules:\n{}", many(count, &rule))
    };
    let sound = [
        hold(format!("metadata: {{{}}}", many(60_000, &|n| format!("a{n}: b, ")))),
        hold(format!("tags: {{a: [{}]}}", many(100_000, &|n| format!("b{n}, ")))),
        hold(format!("prefix: a/, except: [{}]", many(40_000, &|n| format!("{{prefix: a/{n}}}, ")))),
        hold(format!("media: [{}]", many(60_000, &|_| "image/png, ".to_owned()))),
        rules(6_000, &|n| {
            format!(
                ", transitions: [{{after: {} months, to: GLACIER}}, {{after: {} days, to: DEEP_ARCHIVE}}]",
                n % 19 + 1,
                700 + n % 199
            )
        }),
        rules(8_000, &|n| format!(", export: s3://exports/{n}/")),
    ];
    for text in sound {
        assert!(text.len() < 1 << 20, "{}", text.len());
        let files = [source("a.yaml", text)];
        if let Err(faults) = policy::read(&files) {
            panic!("{}", policy::render(&faults[..1], &files, false, 80));
        }
    }
    let named = |n: usize| format!("  t{n}{}: {{metadata: a}}\n", "x".repeat(50));
    for (text, code) in [
        (hold(format!("tags: {{{}}}", many(60_000, &|n| format!("a{n}: b, ")))), Code::AttributeName),
        (hold(format!("except: [{}]", many(60_000, &|_| "{}, ".to_owned()))), Code::SelectsNothing),
        (
            format!(
                "{SOUND}tenant: [{{tag: tenant}}]\noverrides:\n{}",
                many(12_000, &|n| format!("  - {{tenants: [\"1\"], rule: medi{n}, retain: 1 day}}\n"))
            ),
            Code::UnknownReference,
        ),
        (
            format!(
                "{}triggers:\n{}",
                rules(4_000, &|_| String::new()).replace("uploaded", &format!("t{}", "x".repeat(52))),
                many(4_000, &named)
            ),
            Code::UnknownReference,
        ),
        (
            format!("{SOUND}{}", many(30_000, &|_| "---\ntimezone: Europe/Zagred\n".to_owned())),
            Code::TimeZone,
        ),
        (
            format!("{SOUND}triggers:\n  a: {{metadata: a, format: \"{}\"}}\n", "%Y-%m-%d".repeat(100_000)),
            Code::DateFormat,
        ),
    ] {
        assert!(text.len() < 1 << 20, "{}", text.len());
        let found = faults(source("a.yaml", text));
        assert!(found.iter().any(|fault| fault.code == code), "{code:?}");
    }
}

#[test]
fn rules_that_reach_the_policys_own_files_are_named_and_exceptions_count() {
    let with = |except: &str, other: &str| {
        let text = format!(
            "version: 1\nname: acme\nrecords:
  calls: {{file: s3://acme-data/records/calls.csv, id: id, by: {{tag: call}}}}
triggers:
  ended: {{record: calls.ended}}
rules:
  - id: calls
    select: {{buckets: [acme-data], except: [{{prefix: records/}}{except}]}}
    trigger: ended
    retain: 30 days
    export: s3://acme-data/copies/calls/
  - id: other
    select: {other}
    trigger: uploaded
    retain: 30 days
"
        );
        match policy::read(&[source("a.yaml", text)]) {
            Ok(read) => {
                let own = |warning: &&Diagnostic| warning.code == Code::ReachesOwnFiles;
                summary(&read.warnings.iter().filter(own).cloned().collect::<Vec<_>>())
            }
            Err(faults) => summary(&faults),
        }
    };
    let elsewhere = "{buckets: [acme-mail]}";
    assert_eq!(with("", elsewhere), "SL0416 12:13");
    assert_eq!(with(", {prefix: copies/calls/2026/}", elsewhere), "SL0416 12:13");
    assert_eq!(with(", {prefix: copies/, media: \"image/*\"}", elsewhere), "SL0416 12:13");
    assert_eq!(with(", {prefix: copies/, buckets: [acme-mail]}", elsewhere), "SL0416 12:13");
    assert_eq!(with(", {prefix: copies/}", elsewhere), "");
    let warned = |other| with(", {prefix: copies/}", other);
    assert_eq!(warned("{buckets: [acme-data], prefix: copies/}"), "SL0940 14:14");
    assert_eq!(warned("{buckets: [\"acme-*\"]}"), "SL0940 14:14, SL0940 14:14");
    assert_eq!(warned("{buckets: [acme-data], key: \"records/*.csv\"}"), "SL0940 14:14, SL0940 14:14");
    assert_eq!(warned("{buckets: [acme-data], prefix: records/, media: text/csv}"), "SL0940 14:14");
    assert_eq!(warned("{buckets: [acme-data], prefix: records/, media: image/png}"), "");
    assert_eq!(warned("{buckets: [acme-data], prefix: records/, except: [{key: \"**/*.csv\"}]}"), "");
    assert_eq!(warned("{buckets: [acme-data], prefix: copies/}\n    enforce: observe"), "");
}

#[test]
fn more_faults_than_anybody_reads_are_counted_and_not_shown() {
    let keys: String = (0..1000).map(|n| format!("x{n}: 1\n")).collect();
    let found = faults(source("a.yaml", format!("{SOUND}{keys}")));
    assert_eq!(found.len(), 201);
    assert_eq!(found[200].code, Code::TooManyFaults);
    assert_eq!(found[200].message, "800 more faults are not shown");
}

#[test]
fn paths_and_values_cannot_send_control_characters_to_the_terminal() {
    let files = [source("a\u{1b}[31m\u{9b}.yaml", format!("{SOUND}\"\\e[2J\\u200b\": x\n"))];
    let faults = policy::read(&files).unwrap_err();
    let shown = policy::render(&faults, &files, false, 80);
    assert!(shown.contains(r"a\u{1b}[31m\u{9b}.yaml"), "{shown}");
    assert!(shown.contains(r"\u{1b}[2J\u{200b}"), "{shown}");
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    let coloured = policy::render(&faults, &files, true, 80);
    assert!(!coloured.contains("\u{1b}[31m") && !coloured.contains("\u{1b}[2J"), "{coloured:?}");
}

#[test]
fn a_fault_is_shown_as_people_know_it_from_compilers() {
    let text = SOUND.replace("30 days", "30 dasy") + "    retain: 1 year\n";
    let files = [source("media.yaml", text)];
    let shown = policy::render(&policy::read(&files).unwrap_err(), &files, false, 72);
    let expected = "\
error[SL0304]: `30 dasy` is not a period
 --> media.yaml:7:13
  |
7 |     retain: 30 dasy
  |             ^^^^^^^
  |
  = help: write a whole number and a unit, such as `30 days`, `6
          months`, `1 year` or `P6M`

error[SL0108]: `retain` stands here twice
 --> media.yaml:8:5
  |
7 |     retain: 30 dasy
  |     ------ first given here
8 |     retain: 1 year
  |     ^^^^^^

";
    assert_eq!(shown, expected);
}

fn shipped_media() -> String {
    String::from_utf8(folder("policies")[2].bytes.clone()).unwrap()
}

fn rich() -> String {
    String::from_utf8(spread(|_| 0, |_| 0)[0].bytes.clone()).unwrap()
}

proptest! {
    /// Whatever a policy is turned into, reading and rendering answer, and places lie in it.
    #[test]
    fn no_text_makes_reading_or_rendering_fail(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, "[-\\[\\]{}:#&*!|>'\"%@`,? \\n\\ta-z0~<é\u{200b}\u{1f600}]{0,4}"), 1..6),
        width in 0..200_usize,
        of_shipped in any::<bool>(),
    ) {
        let mut text: Vec<char> = if of_shipped { shipped_media() } else { rich() }.chars().collect();
        for (place, cut, insert) in edits {
            let start = place.index(text.len() + 1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, insert.chars());
        }
        let files = [source("a.yaml", text.into_iter().collect::<String>())];
        if let Err(faults) = policy::read(&files) {
            prop_assert!(!faults.is_empty());
            let shown = policy::render(&faults, &files, false, width);
            prop_assert!(faults.iter().all(|fault| shown.contains(fault.code.id())));
        }
    }

    /// However a policy is spread over files and whatever stands first, it is the same policy.
    #[test]
    fn order_and_files_change_nothing(
        files in prop::collection::vec(0..3_usize, 32),
        ranks in prop::collection::vec(any::<u32>(), 32),
        backwards in any::<bool>(),
    ) {
        let once = policy::read(&spread(|_| 0, |_| 0)).unwrap();
        let mut spread = spread(|n| files[n % 32], |n| ranks[n % 32]);
        if backwards {
            spread.reverse();
        }
        let read = policy::read(&spread)
            .unwrap_or_else(|faults| panic!("{}", policy::render(&faults, &spread, false, 80)));
        prop_assert_eq!(format!("{:?}", read.policy), format!("{:?}", once.policy));
        let codes = |read: &policy::ReadPolicy| {
            let mut codes: Vec<_> = read.warnings.iter().map(|warning| warning.code).collect();
            codes.sort();
            codes
        };
        prop_assert_eq!(codes(&read), codes(&once));
    }
}
