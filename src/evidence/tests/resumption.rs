//! A log goes on after an interruption, and loses nothing that it has told.

use super::*;

#[test]
fn an_interrupted_run_goes_on_from_any_place_a_crash_can_leave() {
    let (log, _) = whole_log();
    let lines = lines(&log);
    let ends = (1..lines.len()).map(|count| lines[..count].concat().len());
    for length in ends.flat_map(|end| [end - 1, end, end + 1, end + 90]) {
        let folder = Folder::new();
        fs::write(folder.log(), &log[..length]).unwrap();
        let resumed = folder.resume().unwrap();
        let closed = resumed.close(at(101), true).unwrap();
        let after = folder.bytes();
        assert!(after.starts_with(&log[..length]), "nothing is taken out, {length}");
        let verified = verify(&after[..], Some(&closed.head)).unwrap();
        assert_eq!(verified.end, End::Finished, "{length}");
    }
}

#[test]
fn a_resumption_that_was_torn_itself_can_be_resumed() {
    let folder = Folder::new();
    drop(folder.create());
    for torn in ["{\"seq\":2,\"at", "{\"seq\":2,\"at\":\"2024-10", "\0\0\0\0"] {
        let whole = folder.bytes();
        let before = if whole.ends_with(b"\n") { "" } else { "\n" };
        let mut file = OpenOptions::new().append(true).open(folder.log()).unwrap();
        write!(file, "{before}{torn}").unwrap();
    }
    let closed = folder.resume().unwrap().close(at(101), true).unwrap();
    let log = folder.bytes();
    verify(&log[..], Some(&closed.head)).unwrap();
    let resumed = entries(&log[..]).map(Result::unwrap).find_map(|entry| match entry.body {
        Body::Resumed(resumed) => Some(resumed),
        _ => None,
    });
    assert_eq!(resumed.unwrap().torn.len(), 3);
    for line in 1..4 {
        let mut lines = lines(&log);
        lines.remove(line);
        let error = verify(&lines.concat()[..], None).unwrap_err();
        assert!(matches!(error, VerifyError::TornLines { line: 4 }), "{error:?}");
    }
}

#[test]
fn a_batch_whose_outcome_a_crash_took_is_unclear() {
    let folder = Folder::new();
    let mut log = folder.create();
    log.intent(at(1), vec![item("a")]).unwrap();
    let after = Some("<LifecycleConfiguration/>".into());
    let bucket = "acme-ott-media".to_string();
    let intent = ConfigurationIntent { bucket, before: None, after, changes: Vec::new() };
    log.configuration_intent(at(1), intent).unwrap();
    drop(log);
    let mut log = folder.resume().unwrap();
    assert_eq!(log.totals().of(ItemResult::Unclear), 1);
    let batch = log.intent(at(101), vec![item("a")]).unwrap();
    assert_eq!(batch, 2);
    log.outcome(at(102), batch, vec![outcome("a", ItemResult::AlreadyGone)]).unwrap();
    let totals = log.close(at(103), true).unwrap().totals;
    assert_eq!(totals.configurations.get(&ConfigurationResult::Unclear), Some(&1));
    let done: Vec<_> = done(&folder.bytes()[..]).map(|outcome| outcome.unwrap().result).collect();
    assert_eq!(done, [ItemResult::Unclear, ItemResult::AlreadyGone]);
}

#[test]
fn what_is_done_can_be_read_from_a_torn_log_but_not_from_a_changed_one() {
    let (log, _) = whole_log();
    let lines = lines(&log);
    let torn = [lines[..6].concat(), lines[6][..20].to_vec()].concat();
    let done_items: Vec<_> = done(&torn[..]).map(Result::unwrap).collect();
    assert_eq!(done_items, [outcome("b", ItemResult::Held), outcome("a\n\u{202e}\"\\", ItemResult::Deleted)]);
    let changed = String::from_utf8(torn).unwrap().replace("\"held\"", "\"deleted\"");
    assert!(done(changed.as_bytes()).last().unwrap().is_err());
}

#[test]
fn a_torn_last_line_is_passed_over_and_no_other_damage() {
    let (log, _) = whole_log();
    let lines = lines(&log);
    for count in 1..lines.len() {
        let whole = lines[..count].concat();
        assert_eq!(verify_torn(&whole[..]).unwrap().1, None);
        let unended = &whole[..whole.len() - 1];
        assert_eq!(verify_torn(unended).unwrap().0.entries, count as u64, "only its line break is missing");
        let torn = [&whole[..], &lines[count][..40]].concat();
        let (verified, line) = verify_torn(&torn[..]).unwrap();
        assert_eq!((verified.entries, line), (count as u64, Some(count as u64 + 1)));
        assert_eq!(head(&mut io::Cursor::new(&torn)).unwrap(), Some(verified.head));
        for damage in [&b"\n"[..], b"\n{}", b"\n{}\n"] {
            let found = verify_torn(&[&torn[..], damage].concat()[..]);
            assert!(matches!(found, Err(VerifyError::Torn { .. })), "{count}: {found:?}");
        }
        let mut changed = torn;
        changed[20] ^= 1;
        assert!(count == 1 || verify_torn(&changed[..]).is_err(), "{count}");
    }
    // Nothing is written after the end.
    assert!(verify_torn(&[&log[..], b"{\"seq\":12"].concat()[..]).is_err());
}

#[test]
fn a_log_of_another_plan_or_a_finished_or_changed_one_is_not_resumed() {
    let (log, _) = whole_log();
    let folder = Folder::new();
    fs::write(folder.log(), &log).unwrap();
    assert!(matches!(folder.resume(), Err(EvidenceError::Finished)));
    let unfinished = lines(&log)[..6].concat();
    fs::write(folder.log(), &unfinished).unwrap();
    let other = EvidenceLog::resume(&folder.log(), at(100), "another", resuming());
    assert!(matches!(other, Err(EvidenceError::OtherPlan)));
    let mut changed = unfinished;
    changed[20] ^= 1;
    fs::write(folder.log(), &changed).unwrap();
    assert!(matches!(folder.resume(), Err(EvidenceError::Verify(_))));
    assert_eq!(folder.bytes(), changed, "a log that does not verify is left as it is");
}
