//! What several rules say of one object, as far as it is plain that they keep it.

use super::clock::{NEVER, Says};

/// What several rules say together.
#[derive(Default)]
pub struct Together {
    /// Some rule covers it, or may.
    pub covered: bool,
    /// Of the rules that cover it for certain the one with the latest exact due date.
    last: Option<(i64, usize)>,
    /// Of those that may.
    last_possible: Option<(i64, usize)>,
    /// The earliest of the due dates of those that may.
    first_possible: Option<i64>,
    /// The one of those that do which may be due at any date, and before when it is not.
    open: Option<(i64, usize)>,
    /// The same for one that is due at one of several dates.
    between: Option<(i64, usize)>,
    /// One that may cover it is due at no date that is known.
    possible_open: bool,
    possible_unclear: bool,
    unclear: bool,
}

impl Together {
    /// Takes what a rule says that covers it for certain.
    pub fn certain(&mut self, rule: usize, says: Says) {
        self.covered = true;
        match says {
            Says::Due(due) if self.last.is_none_or(|(last, _)| due > last) => self.last = Some((due, rule)),
            Says::Due(_) => {}
            Says::NotBefore(at) if self.open.is_none() => self.open = Some((at, rule)),
            Says::Between(at) if self.between.is_none() => self.between = Some((at, rule)),
            Says::NotBefore(_) | Says::Between(_) | Says::Unclear => self.unclear = true,
        }
    }

    /// Takes what a rule says that may cover it.
    pub fn possible(&mut self, rule: usize, says: Says) {
        self.covered = true;
        match says {
            Says::Due(due) => {
                if self.last_possible.is_none_or(|(last, _)| due > last) {
                    self.last_possible = Some((due, rule));
                }
                self.first_possible = Some(self.first_possible.map_or(due, |first| first.min(due)));
            }
            Says::NotBefore(_) => self.possible_open = true,
            Says::Between(_) | Says::Unclear => self.possible_unclear = true,
        }
    }

    /// If it is retained for certain, the rule that keeps it longest, and its due date where there is just one.
    pub fn retained(&self, now: i64) -> Option<(usize, Option<i64>)> {
        if self.unclear {
            return None;
        }
        let last_possible = self.last_possible.map_or(i64::MIN, |(due, _)| due);
        match (self.last, self.open, self.between) {
            // Nothing covers it for certain: it is due before all that may.
            (None, None, None) => {
                let (Some(first), false) = (self.first_possible, self.possible_open || self.possible_unclear)
                else {
                    return None;
                };
                let (_, rule) = self.last_possible?;
                (first > now).then_some((rule, None))
            }
            (Some((due, rule)), None, None) => {
                // The due date of all is that of the last, unless it is not known when one that may cover it is.
                let is_exact = due >= last_possible && !self.possible_open;
                let is_open = self.possible_unclear && due != NEVER && is_exact;
                (due > now && !is_open).then_some((rule, is_exact.then_some(due)))
            }
            // It may never be due, which is later than any date.
            (last, Some((at, rule)), None) => {
                let due = last.map_or(i64::MIN, |(due, _)| due);
                (due != NEVER && at.max(due) > now).then_some((rule, None))
            }
            // It has more than one due date, and is the only one that covers it for certain.
            (None, None, Some((at, rule))) => (at > now).then_some((rule, None)),
            (_, _, Some(_)) => None,
        }
    }
}
