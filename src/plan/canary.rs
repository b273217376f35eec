//! A canary: of all rows of a plan those of the keys that are longest due.
//!
//! **Memory.** About 50 bytes for each key that is picked, whatever the plan's size; the plan is read twice.

use std::collections::{BTreeSet, BinaryHeap};

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use super::row::PlanRow;

/// The keys that were picked, by their places in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    keys: BTreeSet<u64>,
    /// Whether there are keys that were not.
    pub leaves_some: bool,
}

/// Tells the keys of a plan apart: the rows of one stand together.
#[derive(Debug, Default)]
struct Keys {
    current: Option<(SmolStr, SmolStr)>,
    place: u64,
}

impl Keys {
    /// The place of the row's key among all.
    fn place(&mut self, row: &PlanRow) -> u64 {
        let is_same =
            self.current.as_ref().is_some_and(|(bucket, key)| *bucket == row.bucket && *key == row.key);
        if !is_same {
            self.place += u64::from(self.current.is_some());
            self.current = Some((row.bucket.clone(), row.key.clone()));
        }
        self.place
    }
}

/// Picks the keys whose oldest row has been due the longest, until they have `limit` rows; all rows of a
/// key go together, so that there may be more. Rows come with their numbers in the plan; those that are done
/// do not count.
///
/// # Errors
/// The first of `rows`.
pub fn pick<E>(
    rows: impl Iterator<Item = Result<(u64, PlanRow), E>>,
    limit: u64,
    is_done: impl Fn(u64) -> bool,
) -> Result<Picked, E> {
    let mut oldest = Oldest { limit, ..Oldest::default() };
    let mut keys = Keys::default();
    // Due, place and rows of the key under way.
    let mut open: Option<(DateTime<Utc>, u64, u64)> = None;
    for row in rows {
        let (number, row) = row?;
        let place = keys.place(&row);
        if is_done(number) {
            continue;
        }
        open = match open {
            Some((due, at, count)) if at == place => Some((due.min(row.due), at, count + 1)),
            before => {
                before.into_iter().for_each(|key| oldest.add(key));
                Some((row.due, place, 1))
            }
        };
    }
    open.into_iter().for_each(|key| oldest.add(key));
    let keys = oldest.heap.into_iter().map(|(_, place, _)| place).collect();
    Ok(Picked { keys, leaves_some: oldest.leaves_some })
}

/// The oldest keys so far, the youngest of them on top.
#[derive(Debug, Default)]
struct Oldest {
    limit: u64,
    heap: BinaryHeap<(DateTime<Utc>, u64, u64)>,
    rows: u64,
    leaves_some: bool,
}

impl Oldest {
    fn add(&mut self, key: (DateTime<Utc>, u64, u64)) {
        self.rows += key.2;
        self.heap.push(key);
        while let Some((_, _, count)) = self.heap.peek()
            && self.rows - count >= self.limit
        {
            self.rows -= count;
            self.heap.pop();
            self.leaves_some = true;
        }
    }
}

/// `rows`, those of the picked keys alone; all of them where nothing was picked.
pub fn only<E>(
    rows: impl Iterator<Item = Result<(u64, PlanRow), E>>,
    picked: Option<Picked>,
) -> impl Iterator<Item = Result<(u64, PlanRow), E>> {
    let mut keys = Keys::default();
    rows.filter(move |row| match (&picked, row) {
        (Some(picked), Ok((_, row))) => picked.keys.contains(&keys.place(row)),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::plan::row::tests::version;

    fn row(key: &str, id: u32, day: i64) -> PlanRow {
        let due = DateTime::UNIX_EPOCH + TimeDelta::days(day);
        PlanRow { due, ..version(key, &id.to_string(), false) }
    }

    fn picked(rows: &[PlanRow], limit: u64, done: &[&str]) -> (Vec<String>, bool) {
        let all = || (0..).zip(rows.iter().cloned()).map(Ok::<_, Infallible>);
        let picked = pick(all(), limit, |number| done.contains(&rows[number as usize].key.as_str())).unwrap();
        let leaves_some = picked.leaves_some;
        let name = |row: PlanRow| format!("{}{}", row.key, row.version_id.unwrap());
        (only(all(), Some(picked)).map(|row| name(row.unwrap().1)).collect(), leaves_some)
    }

    #[test]
    fn the_oldest_go_with_all_rows_of_their_keys_in_the_order_of_the_plan() {
        let rows = [row("a", 1, 9), row("b", 1, 5), row("b", 2, 3), row("c", 1, 4), row("d", 1, 1)];
        assert_eq!(picked(&rows, 1, &[]), (vec!["d1".to_owned()], true));
        assert_eq!(picked(&rows, 2, &[]).0, ["b1", "b2", "d1"]);
        assert_eq!(picked(&rows, 4, &[]).0, ["b1", "b2", "c1", "d1"]);
        assert_eq!(picked(&rows, 5, &[]).0.len(), 5);
        assert!(!picked(&rows, 5, &[]).1);
    }

    #[test]
    fn what_is_done_does_not_count_so_that_the_next_ones_follow() {
        let rows = [row("a", 1, 1), row("b", 1, 2), row("c", 1, 3)];
        assert_eq!(picked(&rows, 1, &["a"]).0, ["b1"]);
        assert_eq!(picked(&rows, 1, &["a", "b", "c"]), (Vec::new(), false));
    }

    proptest! {
        #[test]
        fn no_key_that_is_left_is_older_and_no_more_are_picked_than_needed(
            keys in prop::collection::vec(prop::collection::vec(0..20_i64, 1..4), 1..30),
            limit in 1..40_u64,
        ) {
            let rows: Vec<PlanRow> = keys.iter().enumerate().flat_map(|(place, days)| {
                let key = format!("{place:02}-");
                days.iter().zip(1..).map(move |(day, id)| row(&key, id, *day)).collect::<Vec<_>>()
            }).collect();
            let mut by_age: Vec<(i64, usize)> =
                keys.iter().enumerate().map(|(place, days)| (*days.iter().min().unwrap(), place)).collect();
            by_age.sort_unstable();
            let (mut expected, mut count) = (BTreeSet::new(), 0);
            for (_, place) in by_age {
                if count >= limit { break }
                expected.insert(place);
                count += keys[place].len() as u64;
            }
            let names: Vec<String> = rows.iter()
                .filter(|row| expected.contains(&row.key[..2].parse().unwrap()))
                .map(|row| format!("{}{}", row.key, row.version_id.as_ref().unwrap()))
                .collect();
            prop_assert_eq!(picked(&rows, limit, &[]), (names, expected.len() < keys.len()));
        }
    }
}
