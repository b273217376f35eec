//! Logs that follow one another, confirmed by the head of the newest.

use super::*;

/// A finished log that follows `before`, and its head.
fn log(before: Option<&str>, number: i64) -> (Vec<u8>, String) {
    let folder = Folder::new();
    let opening = Opening { previous_head: before.map(str::to_owned), ..opening() };
    let log = EvidenceLog::create(&folder.log(), at(number), opening).unwrap();
    let head = log.close(at(number), true).unwrap().head;
    (folder.bytes(), head)
}

fn checked(logs: &[&[u8]], heads: &[&str]) -> Vec<Checked> {
    let before = logs.iter().filter_map(|log| opened(*log).unwrap().opening.previous_head);
    let asked = before.chain(heads.iter().map(|head| (*head).to_owned())).collect();
    logs.iter().map(|log| check(*log, &asked, |_| ()).unwrap()).collect()
}

#[test]
fn the_newest_head_confirms_all_that_lead_to_it_and_no_other() {
    let (first, first_head) = log(None, 1);
    let (second, second_head) = log(Some(&first_head), 2);
    let (third, head) = log(Some(&second_head), 3);
    let (other, _) = log(None, 4);
    let mut all = checked(&[&third, &first, &other, &second], &[&head]);
    let follows = chained(&all);
    assert_eq!(follows, [Follows::Log(3), Follows::Nothing, Follows::Nothing, Follows::Log(1)]);
    assert_eq!(in_order(&follows), [1, 2, 3, 0]);
    assert!(matches!(confirm(&mut all, &follows, &[head]), Heads::Confirmed));
    let confirmed: Vec<bool> = all.iter().map(|log| log.verified.head_confirmed).collect();
    assert_eq!(confirmed, [true, true, false, true]);
}

#[test]
fn a_missing_log_and_a_head_that_nobody_has_are_found() {
    let (first, first_head) = log(None, 1);
    let (_, second_head) = log(Some(&first_head), 2);
    let (third, _) = log(Some(&second_head), 3);
    let mut all = checked(&[&first, &third], &[&second_head]);
    let follows = chained(&all);
    assert_eq!(follows, [Follows::Nothing, Follows::Missing]);
    let found = confirm(&mut all, &follows, std::slice::from_ref(&second_head));
    assert!(matches!(found, Heads::Unknown(head) if head == second_head));
    assert!(all.iter().all(|log| !log.verified.head_confirmed));
}

#[test]
fn a_run_that_goes_on_names_the_newest_log_so_that_it_cannot_be_taken_away() {
    let folder = Folder::new();
    let earlier = folder.create().close(at(1), false).unwrap().head;
    let (next, next_head) = log(Some(&earlier), 2);
    let go_on = |second| {
        let resuming = Resuming { previous_head: Some(next_head.clone()), ..resuming() };
        EvidenceLog::resume(&folder.log(), at(second), PLAN, resuming).unwrap()
    };
    go_on(100).close(at(101), false).unwrap();
    let gone_on = go_on(102).close(at(103), true).unwrap().head;
    let (last, head) = log(Some(&gone_on), 104);
    let first = folder.bytes();
    let mut all = checked(&[&first, &next, &last], &[&head]);
    assert_eq!(all[0].verified.went_on_after, [next_head.as_str()], "once, however often it goes on");
    let follows = chained(&all);
    assert_eq!(follows, [Follows::Nothing, Follows::Within(0, 2), Follows::Log(0)]);
    assert_eq!(holder(&all, &next_head), Follows::Log(1));
    assert!(matches!(confirm(&mut all, &follows, &[head]), Heads::Confirmed));
    assert!(all.iter().all(|log| log.verified.head_confirmed), "what it went on after as well");

    let without = checked(&[&first, &last], &[]);
    assert_eq!(chained(&without), [Follows::Nothing, Follows::Log(0)], "nothing else shows the gap");
    assert_eq!(holder(&without, &next_head), Follows::Missing);
}

#[test]
fn a_run_that_goes_on_with_no_other_in_between_names_nothing_new() {
    let (_, before) = log(None, 1);
    let folder = Folder::new();
    let opening = Opening { previous_head: Some(before.clone()), ..opening() };
    EvidenceLog::create(&folder.log(), at(2), opening).unwrap().close(at(3), false).unwrap();
    let resuming = Resuming { previous_head: Some(before), ..resuming() };
    EvidenceLog::resume(&folder.log(), at(4), PLAN, resuming).unwrap().close(at(5), true).unwrap();
    assert!(verify(&folder.bytes()[..], None).unwrap().went_on_after.is_empty());
}

#[test]
fn a_log_that_went_on_after_the_next_began_is_not_confirmed_by_it() {
    let folder = Folder::new();
    let earlier = folder.create().close(at(1), false).unwrap().head;
    let (next, head) = log(Some(&earlier), 2);
    folder.resume().unwrap().close(at(101), true).unwrap();
    let first = folder.bytes();
    let mut all = checked(&[&first, &next], &[&head]);
    let follows = chained(&all);
    assert_eq!(follows, [Follows::Nothing, Follows::Within(0, 2)]);
    assert!(matches!(confirm(&mut all, &follows, &[head]), Heads::Confirmed));
    assert_eq!(all.iter().map(|log| log.verified.head_confirmed).collect::<Vec<_>>(), [false, true]);
}
