//! Several logs: which follows which, and what the heads that are known from elsewhere confirm.
//!
//! Each log names the head of the one before it. So the head of the newest confirms them all, and
//! a log that somebody took away leaves a gap.

use std::collections::BTreeSet;

use super::chain::{Checked, VerifyError};

/// What a log follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It names no log before it.
    Nothing,
    /// The whole of another log, by its place among those given.
    Log(usize),
    /// Another log up to this line; its run went on afterwards.
    Within(usize, u64),
    /// A log that is not among them.
    Missing,
}

/// What the heads that are known from elsewhere confirm.
#[derive(Debug)]
pub enum Heads {
    /// All of them are the ends of logs.
    Confirmed,
    /// One of them is not the end of the log at this place.
    Differs(usize, VerifyError),
    /// No log has this one.
    Unknown(String),
}

/// What each of `logs` follows from its beginning on. They were [checked](super::check) for the heads that
/// any of them names.
pub fn chained(logs: &[Checked]) -> Vec<Follows> {
    let follows = |log: &Checked| match &log.verified.opening.previous_head {
        Some(before) => holder(logs, before),
        None => Follows::Nothing,
    };
    logs.iter().map(follows).collect()
}

/// Which of `logs` the `head` that one of them names is of.
pub fn holder(logs: &[Checked], head: &str) -> Follows {
    let holder = logs.iter().enumerate().find_map(|(place, log)| Some((place, log, *log.found.get(head)?)));
    match holder {
        Some((place, log, line)) if line == log.last_line => Follows::Log(place),
        Some((place, _, line)) => Follows::Within(place, line),
        None => Follows::Missing,
    }
}

/// Holds `logs` to the `heads` that are known from elsewhere, and marks which of them these
/// confirm: those that end with one, and those that a confirmed one follows.
pub fn confirm(logs: &mut [Checked], follows: &[Follows], heads: &[String]) -> Heads {
    for head in heads {
        let holder = logs.iter().position(|log| log.found.contains_key(head));
        match (holder, &*logs) {
            (Some(place), logs) => match logs[place].ends_with(head) {
                Ok(()) => {}
                Err(error) => return Heads::Differs(place, error),
            },
            (None, [only]) => match only.ends_with(head) {
                Ok(()) => {}
                Err(error) => return Heads::Differs(0, error),
            },
            (None, _) => return Heads::Unknown(head.clone()),
        }
    }
    let given: BTreeSet<&String> = heads.iter().collect();
    let mut confirmed: Vec<usize> =
        (0..logs.len()).filter(|place| given.contains(&logs[*place].verified.head)).collect();
    while let Some(place) = confirmed.pop() {
        if std::mem::replace(&mut logs[place].verified.head_confirmed, true) {
            continue;
        }
        let all: &[Checked] = logs;
        let went_on_after = all[place].verified.went_on_after.iter().map(|head| holder(all, head));
        let before = follows.get(place).cloned().into_iter().chain(went_on_after);
        confirmed.extend(before.filter_map(|it| if let Follows::Log(it) = it { Some(it) } else { None }));
    }
    Heads::Confirmed
}

/// The places of logs in the order in which they follow each other; where nothing says, as given.
pub fn in_order(follows: &[Follows]) -> Vec<usize> {
    let mut order = Vec::with_capacity(follows.len());
    let mut is_placed = vec![false; follows.len()];
    while order.len() < follows.len() {
        let next = follows.iter().enumerate().find(|(place, follows)| {
            !is_placed[*place]
                && match follows {
                    Follows::Log(before) | Follows::Within(before, _) => is_placed[*before],
                    Follows::Nothing | Follows::Missing => true,
                }
        });
        // A hash cannot name itself, so that there are no circles.
        let Some((place, _)) = next else { break };
        is_placed[place] = true;
        order.push(place);
    }
    order
}
