//! Lengths of periods, each worked out once: doing so walks the calendar, and a policy can
//! hold thousands of them.

use std::collections::HashMap;

use crate::calendar::Period;

/// What was worked out so far.
#[derive(Default)]
pub(super) struct Lengths {
    /// The shortest and the longest span of so many months, in days.
    months: HashMap<u32, (u32, u32)>,
    pairs: HashMap<(Period, Period), bool>,
}

impl Lengths {
    /// Whether there is a day from which `a` ends later than `b`.
    pub(super) fn can_exceed(&mut self, a: Period, b: Period) -> bool {
        let ((shortest_a, longest_a), (shortest_b, longest_b)) = (self.span(a), self.span(b));
        if longest_a <= shortest_b {
            return false;
        }
        // From the day on which `a` is longest `b` is no longer than ever, and where `b` is
        // shortest `a` is no shorter than ever.
        if longest_a > longest_b || shortest_a > shortest_b {
            return true;
        }
        *self.pairs.entry((a, b)).or_insert_with(|| a.can_exceed(b))
    }

    /// The days that S3 is given for a period: the most that it can span.
    pub(super) fn days(&mut self, period: Period) -> u32 {
        self.span(period).1
    }

    fn span(&mut self, period: Period) -> (u32, u32) {
        let (shortest, longest) = *self.months.entry(period.months).or_insert_with(|| {
            let months = Period::months(period.months);
            (months.min_days(), months.max_days())
        });
        (shortest.saturating_add(period.days), longest.saturating_add(period.days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worked_out_once_is_what_the_calendar_says() {
        let periods: Vec<Period> = [0, 1, 2, 6, 11, 12, 13, 24, 48, 1200]
            .into_iter()
            .flat_map(|months| [0, 1, 28, 30, 31, 365, 366].map(|days| Period { months, days }))
            .collect();
        let mut lengths = Lengths::default();
        for a in &periods {
            assert_eq!(lengths.span(*a), (a.min_days(), a.max_days()), "{a}");
        }
        for (a, b) in periods.iter().zip(periods.iter().skip(1).step_by(3)) {
            assert_eq!(lengths.can_exceed(*a, *b), a.can_exceed(*b), "{a} and {b}");
            assert_eq!(lengths.can_exceed(*b, *a), b.can_exceed(*a), "{b} and {a}");
        }
    }
}
