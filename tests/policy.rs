//! Policies as people write them: the shipped ones, bad ones, and hostile ones.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test whose files cannot be read must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use shelflife::policy::{self, Code, Diagnostic, SourceFile};
use shelflife::records::{Lookup, RecordTable, Records, Unusable};

fn source(path: &str, bytes: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: bytes.into() }
}

/// The YAML files of a folder, sorted.
fn folder(path: &str) -> Vec<SourceFile> {
    let mut paths: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
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
    assert_eq!(policy::lint(&read, "2026-11-23T12:00:00Z".parse().unwrap()), []);
    let ids: Vec<_> = read.policy.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["email-attachments", "ott-media", "recordings"]);
    for table in &read.policy.tables {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(&table.file).is_file());
    }
}

#[test]
fn the_shipped_records_answer_and_go_stale() {
    let policy = policy::read(&folder("policies")).unwrap().policy;
    let table = &policy.tables[0];
    let file =
        || fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(&table.file)).unwrap();
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
        Some(rest) if matches!(rest, "overrides:" | "holds:") => rest,
        _ => line,
    });
    let uncommented: Vec<_> = uncommented.collect();
    shared.bytes = uncommented.join("\n").into_bytes();
    let read = policy::read(&files)
        .unwrap_or_else(|faults| panic!("{}", policy::render(&faults, &files, false, 80)));
    assert_eq!((read.policy.overrides.len(), read.policy.holds.len()), (2, 1));
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
    let missing: Vec<_> =
        Code::ALL.iter().filter(|code| !code.id().starts_with("SL09") && !shown.contains(code)).collect();
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

proptest! {
    /// Whatever a policy is turned into, reading and rendering answer, and places lie in it.
    #[test]
    fn no_text_makes_reading_or_rendering_fail(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, "[-\\[\\]{}:#&*!|>'\"%@`,? \\n\\ta-z0~<é\u{200b}\u{1f600}]{0,4}"), 1..6),
        width in 0..200_usize,
    ) {
        let shipped = folder("policies");
        let mut text: Vec<char> = String::from_utf8(shipped[2].bytes.clone()).unwrap().chars().collect();
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
}
