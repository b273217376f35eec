//! A log tells what was done, goes on after a crash, and gives away any change.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::chain::line_hash;
use super::*;
use crate::object::Kind;

mod creation;
mod resumption;
mod several_logs;

const PLAN: &str = "7930ea79";
const HOLDS: &str = "0b5c";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(second)
}

fn opening() -> Opening {
    Opening {
        policy: "acme-media".into(),
        policy_digest: "51ab".into(),
        holds_digest: HOLDS.into(),
        plan_digest: PLAN.into(),
        guards_accepted: vec!["max-share 60%".into()],
        endpoint: Some("http://127.0.0.1:4566".into()),
        as_of: at(0),
        keep_until: None,
        previous_head: None,
        planned: None,
    }
}

fn item(key: &str) -> Item {
    Item {
        action: Action::Delete,
        kind: Kind::Version,
        bucket: "acme-ott-media".into(),
        key: key.into(),
        version_id: Some("v1".into()),
        upload_id: None,
        etag: Some("9b2c".into()),
        size: 1_234,
        tenant: Some("0815".into()),
        rule: "ott-media".into(),
        erasure: None,
        due: at(0),
        reason: "communicated on 2024-09-03, kept 30 days".into(),
    }
}

fn resuming() -> Resuming {
    Resuming { holds_digest: HOLDS.to_owned(), ..Resuming::default() }
}

fn outcome(key: &str, result: ItemResult) -> ItemOutcome {
    ItemOutcome {
        bucket: "acme-ott-media".into(),
        key: key.into(),
        version_id: Some("v1".into()),
        upload_id: None,
        row: None,
        result,
        detail: None,
        marker_version_id: None,
        copy: None,
        copy_etag: None,
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("evidence.jsonl")
    }

    fn create(&self) -> EvidenceLog {
        EvidenceLog::create(&self.log(), at(0), opening()).unwrap()
    }

    fn resume(&self) -> Result<EvidenceLog, EvidenceError> {
        EvidenceLog::resume(&self.log(), at(100), PLAN, resuming())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.log()).unwrap()
    }
}

/// A finished log with every kind of entry, and its head.
fn whole_log() -> (Vec<u8>, String) {
    let folder = Folder::new();
    let mut log = folder.create();
    let intent = ConfigurationIntent {
        bucket: "acme-ott-media".into(),
        before: None,
        after: Some("<LifecycleConfiguration/>".into()),
        changes: vec!["added shelflife:acme-media:ott-media:51ab".into()],
    };
    log.configuration_intent(at(1), intent).unwrap();
    let result = ConfigurationResult::Applied;
    let applied = ConfigurationOutcome {
        bucket: "acme-ott-media".into(),
        result,
        detail: None,
        altered: BTreeSet::new(),
    };
    log.configuration_outcome(at(2), applied).unwrap();
    let batch = log.intent(at(3), vec![item("a\n\u{202e}\"\\"), item("b")]).unwrap();
    log.outcome(at(4), batch, vec![outcome("b", ItemResult::Held)]).unwrap();
    log.outcome(at(5), batch, vec![outcome("a\n\u{202e}\"\\", ItemResult::Deleted)]).unwrap();
    log.close(at(6), false).unwrap();
    let mut log = folder.resume().unwrap();
    let batch = log.intent(at(101), vec![item("c")]).unwrap();
    log.outcome(at(102), batch, vec![outcome("c", ItemResult::AlreadyGone)]).unwrap();
    let closed = log.close(at(103), true).unwrap();
    (folder.bytes(), closed.head)
}

fn lines(log: &[u8]) -> Vec<Vec<u8>> {
    log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn a_log_verifies_with_its_head_and_counts_what_happened() {
    let (log, head) = whole_log();
    let verified = verify(&log[..], Some(&head)).unwrap();
    assert_eq!(verified.entries, 11);
    assert_eq!(verified.end, End::Finished);
    assert!(verified.head_confirmed);
    assert_eq!(verified.opening, opening());
    assert_eq!(verified.totals.of(ItemResult::Deleted), 1);
    assert_eq!(verified.totals.of(ItemResult::Held), 1);
    assert_eq!(verified.totals.of(ItemResult::AlreadyGone), 1);
    assert_eq!(verified.totals.of(ItemResult::Failed), 0);
    assert_eq!(verified.unresolved, []);
    assert!(!verify(&log[..], None).unwrap().head_confirmed);
}

#[test]
fn the_head_is_what_sha256sum_says_of_the_last_line() {
    let (log, head) = whole_log();
    let last = lines(&log).pop().unwrap();
    assert_eq!(crate::plan::file::file_digest(last.strip_suffix(b"\n").unwrap()).unwrap(), head);
}

#[test]
fn every_changed_bit_is_found() {
    let (log, head) = whole_log();
    for place in 0..log.len() {
        for bit in 0..8 {
            let mut changed = log.clone();
            changed[place] ^= 1 << bit;
            assert!(verify(&changed[..], Some(&head)).is_err(), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn a_change_before_the_last_line_is_found_without_the_head() {
    let (log, _) = whole_log();
    let last = lines(&log).pop().unwrap();
    for place in 0..log.len() - last.len() {
        let mut changed = log.clone();
        changed[place] ^= 1;
        assert!(verify(&changed[..], None).is_err(), "byte {place}");
    }
}

#[test]
fn every_removed_or_added_byte_is_found() {
    let (log, head) = whole_log();
    for place in 0..log.len() {
        let mut shorter = log.clone();
        shorter.remove(place);
        assert!(verify(&shorter[..], Some(&head)).is_err(), "byte {place}");
        let mut longer = log.clone();
        longer.insert(place, b' ');
        assert!(verify(&longer[..], Some(&head)).is_err(), "byte {place}");
    }
}

#[test]
fn every_removed_repeated_or_swapped_line_is_found() {
    let (log, head) = whole_log();
    let lines = lines(&log);
    for first in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(first);
        assert!(verify(&removed.concat()[..], Some(&head)).is_err(), "line {first} removed");
        for second in 0..lines.len() {
            let mut repeated = lines.clone();
            repeated.insert(second, lines[first].clone());
            assert!(verify(&repeated.concat()[..], None).is_err(), "line {first} again at {second}");
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            let found = verify(&swapped.concat()[..], None);
            assert_eq!(found.is_err(), first != second, "lines {first} and {second} swapped");
        }
    }
}

#[test]
fn every_truncation_is_found_with_the_head_and_never_looks_finished_without() {
    let (log, head) = whole_log();
    for length in 0..log.len() {
        assert!(verify(&log[..length], Some(&head)).is_err(), "{length}");
        if let Ok(verified) = verify(&log[..length], None) {
            assert_ne!(verified.end, End::Finished, "{length}");
        }
    }
}

#[test]
fn faults_are_named_with_their_line() {
    let (log, head) = whole_log();
    let lines = lines(&log);
    let found = |lines: &[Vec<u8>], head: Option<&str>| verify(&lines.concat()[..], head).unwrap_err();
    let without_third = [&lines[..2], &lines[3..]].concat();
    assert!(matches!(found(&without_third, None), VerifyError::Gap { line: 3, expected: 3, found: 4 }));
    let cut = &lines[..6];
    assert!(matches!(found(cut, Some(&head)), VerifyError::Head { line: 6, .. }));
    let mut garbage = lines.clone();
    garbage[4] = b"{}\n".to_vec();
    assert!(matches!(found(&garbage, None), VerifyError::Unreadable { line: 5, .. }));
    let torn = [&lines[..5], &[lines[5][..40].to_vec()]].concat();
    assert!(matches!(found(&torn, None), VerifyError::Torn { line: 6 }));
    let foreign = [&lines[..], &[b"{}\n".to_vec()]].concat();
    let fault = EntryFault::AfterClosing;
    assert!(matches!(found(&foreign, None), VerifyError::Entry { line: 12, fault: f } if f == fault));
    let mut edited = lines.clone();
    edited[3] = String::from_utf8(lines[3].clone()).unwrap().replace("30 days", "31 days").into_bytes();
    assert!(matches!(found(&edited, None), VerifyError::Chain { line: 5 }));
}

#[test]
fn a_head_that_was_printed_before_the_run_went_on_is_told_apart() {
    let folder = Folder::new();
    let earlier = folder.create().close(at(1), false).unwrap().head;
    folder.resume().unwrap().close(at(101), true).unwrap();
    let error = verify(&folder.bytes()[..], Some(&earlier)).unwrap_err();
    assert!(matches!(error, VerifyError::Continued { line: 2 }));
}

#[test]
fn totals_that_were_written_anew_are_found() {
    let (log, _) = whole_log();
    let mut lines = lines(&log);
    let last = String::from_utf8(lines.pop().unwrap()).unwrap();
    lines.push(last.replace("\"deleted\":1", "\"deleted\":2").into_bytes());
    let error = verify(&lines.concat()[..], None).unwrap_err();
    assert!(matches!(error, VerifyError::Entry { line: 11, fault: EntryFault::Totals }));
}

#[test]
fn another_file_or_a_later_format_is_no_log() {
    for other in ["", "\n", "PAR1", "{\"seq\":1}\n"] {
        assert!(matches!(verify(other.as_bytes(), None), Err(VerifyError::NotALog)), "{other:?}");
    }
    let later = "{\"seq\":1,\"kind\":\"opening\",\"format\":2,\"reshaped\":true}\n";
    assert!(matches!(verify(later.as_bytes(), None), Err(VerifyError::Newer { found: 2 })));
    let (log, _) = whole_log();
    let later = String::from_utf8(log).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    assert!(matches!(verify(later.as_bytes(), None), Err(VerifyError::Newer { found: 2 })));
}

#[test]
fn an_intent_without_outcome_is_reported() {
    let folder = Folder::new();
    let mut log = folder.create();
    let batch = log.intent(at(1), vec![item("a"), item("b")]).unwrap();
    log.outcome(at(2), batch, vec![outcome("b", ItemResult::Deleted)]).unwrap();
    let verified = verify(&folder.bytes()[..], None).unwrap();
    assert_eq!(verified.end, End::Open);
    assert_eq!(verified.unresolved, [Unresolved::from(&item("a"))]);
    let error = log.close(at(3), true).unwrap_err();
    assert!(matches!(error, EvidenceError::Entry(EntryFault::Unresolved)));
}

#[test]
fn an_outcome_needs_an_intent_and_comes_once() {
    let folder = Folder::new();
    let mut log = folder.create();
    let batch = log.intent(at(1), vec![item("a")]).unwrap();
    for (batch, keys) in
        [(batch, &["b"][..]), (batch + 1, &["a"]), (batch, &["a", "a"]), (batch, &["a", "b"])]
    {
        let items = keys.iter().map(|key| outcome(key, ItemResult::Deleted)).collect();
        let error = log.outcome(at(2), batch, items).unwrap_err();
        assert!(matches!(error, EvidenceError::Entry(EntryFault::NotIntended { .. })), "{keys:?}");
    }
    let error = log.intent(at(2), vec![item("c"), item("c")]).unwrap_err();
    assert!(matches!(error, EvidenceError::Entry(EntryFault::ItemTwice { batch: 2 })));
    log.outcome(at(3), batch, vec![outcome("a", ItemResult::Deleted)]).unwrap();
    let closed = log.close(at(4), true).unwrap();
    assert_eq!(closed.totals.of(ItemResult::Deleted), 1, "what was refused left no trace");
    verify(&folder.bytes()[..], Some(&closed.head)).unwrap();
}

#[test]
fn the_words_of_results_are_those_of_the_log() {
    for result in ItemResult::ALL {
        assert_eq!(serde_json::to_value(result).unwrap(), result.word());
    }
}

#[test]
fn an_entry_reads_as_it_is_documented() {
    let (log, _) = whole_log();
    let line: serde_json::Value = serde_json::from_slice(&lines(&log)[3]).unwrap();
    assert_eq!(line["seq"], 4);
    assert_eq!(line["at"], "2024-10-04T00:00:03Z");
    assert_eq!(line["kind"], "intent");
    assert_eq!(line["batch"], 1);
    assert_eq!(line["items"][1]["key"], "b");
    assert_eq!(line["items"][1]["action"], "delete");
    assert_eq!(line["items"][1]["kind"], "version");
    assert_eq!(line["prev"].as_str().unwrap().len(), 64);
}

#[test]
fn the_head_is_that_of_the_last_whole_entry_whatever_a_crash_left_after_it() {
    let (log, closed) = whole_log();
    let of = |log: &[u8]| head(&mut std::io::Cursor::new(log)).unwrap();
    assert_eq!(of(&log).as_ref(), Some(&closed));
    // Lines longer than what is read at a time.
    let mut long = entries(&log[..]).next().unwrap().unwrap();
    long.prev = "x".repeat(200_000);
    let mut line = serde_json::to_vec(&long).unwrap();
    let alone = line_hash(&line);
    line.push(b'\n');
    assert_eq!(of(&line).as_ref(), Some(&alone));
    assert_eq!(of(&[&log[..], &line].concat()), Some(alone));
    for torn in
        [&line[..150_000], b"{\"seq\":12,\"at", b"{\"seq\":12\n{\"seq\":12,", b"\0\0\n\0", b"\n{}\n\n"]
    {
        assert_eq!(of(&[&log[..], torn].concat()).as_ref(), Some(&closed));
    }
    for none in [&log[..20], b"", b"\n", b"{}\n"] {
        assert_eq!(of(none), None);
    }
    // Wherever it is torn, it is the entry that a resumption would follow.
    for length in 0..log.len() {
        let mut all = entries(&log[..length]);
        all.by_ref().for_each(drop);
        assert_eq!(of(&log[..length]), (all.seq > 0).then_some(all.head), "{length}");
    }
}

#[test]
fn outcomes_are_told_with_what_was_intended() {
    let (log, _) = whole_log();
    let mut outcomes = Outcomes::default();
    let told: Vec<Told> = entries(&log[..]).flat_map(|entry| outcomes.take(entry.unwrap())).collect();
    let keys: Vec<(&str, ItemResult, u64)> =
        told.iter().map(|told| (told.item.key.as_str(), told.result, told.batch)).collect();
    let hostile = "a\n\u{202e}\"\\";
    let expected =
        [("b", ItemResult::Held, 1), (hostile, ItemResult::Deleted, 1), ("c", ItemResult::AlreadyGone, 2)];
    assert_eq!(keys, expected);
    assert_eq!((told[1].intended, told[1].at, told[1].item.size), (at(3), at(5), 1_234));
    assert_eq!(outcomes.into_open().count(), 0);

    let mut outcomes = Outcomes::default();
    for entry in entries(&log[..]).take(5) {
        outcomes.take(entry.unwrap());
    }
    let open: Vec<Item> = outcomes.into_open().map(|told| told.item).collect();
    assert_eq!(open, [item(hostile)], "its outcome stands in the entry after");
}
