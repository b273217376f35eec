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
