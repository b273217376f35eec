//! When a rule can make an object due, as far as the listing alone tells.

use chrono::{DateTime, TimeDelta, Utc};

use super::places::Whose;
use crate::calendar::{Moment, Period};
use crate::decide::judge::clock_source;
use crate::decide::{self, Basis, Needs};
use crate::object::{Kind, Observed, Reading};
use crate::policy::{Attribute, IfMissing, Outside, Policy, Rule, Source, Trigger};

/// Never due.
pub const NEVER: i64 = i64::MAX;

const DAY: i64 = 86_400;
/// Between the local days of any two offsets that a zone ever had, and then some.
const ANY_OFFSET: i64 = 2 * DAY;
/// The year 2000: what a store says of the time before is no date.
const FIRST: i64 = 946_684_800;
/// Dates up to here and periods up to these are far from the calendar's end: year 9999, some 800 years.
const LAST: i64 = 253_402_300_799;
const MOST_DAYS: u32 = 300_000;
const MOST_MONTHS: u32 = 9_600;

/// What a rule says of an object, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Due then, or [`NEVER`].
    Due(i64),
    /// Not before then; whether ever, only a reading can tell.
    NotBefore(i64),
    /// Not before then, and at one of several dates.
    Between(i64),
    /// That takes more than the listing.
    Unclear,
}

/// A rule's clocks.
#[derive(Debug)]
pub struct Clock {
    by_trigger: ByTrigger,
    noncurrent: Option<(Period, u32)>,
    incomplete: Option<Period>,
}

/// What the trigger leads to.
#[derive(Debug)]
enum ByTrigger {
    /// The upload, and whichever of these periods is over last.
    Uploaded(Vec<Period>),
    /// Something that has not been read, and may lie at any date.
    Unread { needs: Needs, not_before: i64 },
    /// Something that has not been read, so many seconds before the upload or after it.
    Window { needs: Needs, not_before: i64, before: TimeDelta, after: TimeDelta, period: Period },
    /// Something else.
    Unclear,
}

impl Clock {
    /// The clocks of the rule at `index` for the objects of an owner.
    pub fn new(policy: &Policy, index: usize, rule: &Rule, whose: &Whose<'_>, now: DateTime<Utc>) -> Self {
        Self {
            by_trigger: periods(policy, index, rule, whose, now)
                .map_or(ByTrigger::Unclear, |periods| by_trigger(&rule.trigger, periods)),
            noncurrent: rule.noncurrent.map(|noncurrent| (noncurrent.retain, noncurrent.newer_versions)),
            incomplete: rule.incomplete_uploads,
        }
    }

    /// What the date of an object or a version runs from where [`Clock::says`] tells it, and where it is from.
    pub fn basis(&self, object: &Observed<'_>) -> Option<Basis> {
        let (from, source) = match (object.superseded, self.noncurrent, &self.by_trigger) {
            (Some(at), Some(_), _) => (at, clock_source(decide::Clock::Superseded)),
            (_, _, ByTrigger::Uploaded(_)) => (object.uploaded, clock_source(decide::Clock::Trigger)),
            _ => return None,
        };
        Some(Basis { moment: Moment::Instant(from), source: source.into() })
    }

    /// The periods of which the longest runs from the upload of what is current, if nothing else counts.
    pub fn uploaded(&self) -> Option<&[Period]> {
        match &self.by_trigger {
            ByTrigger::Uploaded(periods) => Some(periods),
            _ => None,
        }
    }

    /// What it says of an object, which is no delete marker that is all that is left.
    #[inline]
    pub fn says(&self, object: &Observed<'_>) -> Says {
        let fixed = |from, period| due(from, period).map_or(Says::Unclear, Says::Due);
        match (object.kind, object.superseded) {
            (Kind::Marker, None) => return Says::Due(NEVER),
            (Kind::Upload, None) => {
                if let Some(period) = self.incomplete {
                    return fixed(object.uploaded, period);
                }
            }
            (_, Some(at)) => match self.noncurrent {
                Some((_, newer)) if object.newer_noncurrent < newer => return Says::Due(NEVER),
                Some((retain, _)) => return fixed(at, retain),
                None if object.kind == Kind::Upload => return Says::Unclear,
                None => {}
            },
            (Kind::Object | Kind::Version, None) => {}
        }
        match &self.by_trigger {
            _ if object.uploaded.timestamp() < FIRST => Says::Unclear,
            ByTrigger::Uploaded(periods) => {
                let dues = periods.iter().map(|period| due(object.uploaded, *period));
                dues.reduce(|one, other| Some(one?.max(other?))).flatten().map_or(Says::Unclear, Says::Due)
            }
            ByTrigger::Unread { needs, not_before } if is_unread(*needs, object) => {
                Says::NotBefore(object.uploaded.timestamp().saturating_add(*not_before))
            }
            ByTrigger::Window { needs, not_before, before, after, period } if is_unread(*needs, object) => {
                let first = object.uploaded.checked_sub_signed(*before).and_then(|from| due(from, *period));
                let last = object.uploaded.checked_add_signed(*after).and_then(|to| due(to, *period));
                match (first, last) {
                    (Some(first), Some(last)) if first < last => {
                        Says::Between(object.uploaded.timestamp().saturating_add(*not_before))
                    }
                    _ => Says::Unclear,
                }
            }
            ByTrigger::Unread { .. } | ByTrigger::Window { .. } | ByTrigger::Unclear => Says::Unclear,
        }
    }
}

/// When a retention that runs from an instant is over; `None` for dates that are out of the way.
#[inline]
pub fn due(from: DateTime<Utc>, period: Period) -> Option<i64> {
    due_from(from.timestamp(), from.timestamp_subsec_nanos() != 0, period)
}

/// The same of so many seconds since 1970, and of more than these.
#[inline]
pub fn due_from(seconds: i64, and_more: bool, period: Period) -> Option<i64> {
    if !(FIRST..=LAST).contains(&seconds) || period.days > MOST_DAYS || period.months > MOST_MONTHS {
        return None;
    }
    let begun = i64::from(seconds % DAY != 0 || and_more);
    let day = seconds / DAY;
    let after = if period.months == 0 { day } else { months_after(day, i64::from(period.months)) };
    Some((after + i64::from(period.days) + begun) * DAY)
}

/// As [`Period::after`] for months alone, in days since 1970, of which this is one or a later one: with
/// numbers only, for this is done for every object.
///
/// Years begin in March here, so that the day that not every year has is their last one.
#[inline]
const fn months_after(day: i64, months: i64) -> i64 {
    const LENGTHS: [i64; 11] = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31];
    /// From 1 March of the year 0 to 1970.
    const BEFORE_1970: i64 = 719_468;
    const IN_400_YEARS: i64 = 146_097;
    let (cycle, of_cycle) = ((day + BEFORE_1970) / IN_400_YEARS, (day + BEFORE_1970) % IN_400_YEARS);
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5;
    let month = (cycle * 400 + year) * 12 + month + months;
    let (year, month) = (month / 12, month % 12);
    let next = year + 1;
    let length = match month {
        11 if next % 4 == 0 && (next % 100 != 0 || next % 400 == 0) => 29,
        11 => 28,
        _ => LENGTHS[month as usize],
    };
    let of_month = if of_month < length { of_month } else { length - 1 };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + of_month - BEFORE_1970
}

/// Whether the store has not told what would have to be read.
const fn is_unread(needs: Needs, object: &Observed<'_>) -> bool {
    !(needs.head && matches!(object.metadata, Reading::Known(_))
        || needs.tags && matches!(object.tags, Reading::Known(_)))
}

/// The periods of which the one that is over last counts; `None` where a record must tell.
fn periods(
    policy: &Policy,
    index: usize,
    rule: &Rule,
    whose: &Whose<'_>,
    now: DateTime<Utc>,
) -> Option<Vec<Period>> {
    let mut periods = Vec::new();
    let of_rule = policy.overrides.iter().filter(|over| over.rule == index);
    for over in of_rule.filter(|over| over.in_force(now, policy.timezone)) {
        let is_named = match (&over.tenants, whose) {
            (None, _) => true,
            (Some(_), Whose::Open) => return None,
            (Some(names), Whose::Named(owner)) => names.iter().any(|name| name == owner),
            (Some(_), Whose::Stranger | Whose::Nobody) => false,
        };
        if is_named {
            if over.condition.is_some() {
                return None;
            }
            periods.push(over.retain);
        }
    }
    if periods.is_empty() {
        periods.push(rule.retain);
    }
    Some(periods)
}

fn by_trigger(trigger: &Trigger, periods: Vec<Period>) -> ByTrigger {
    let shortest = periods.iter().map(|period| days(*period)).min().unwrap_or_default();
    match &trigger.source {
        Source::Uploaded => ByTrigger::Uploaded(periods),
        Source::Attribute(attribute) => {
            let (Some(needs), Some(not_before)) = (needs(attribute), floor(trigger, shortest)) else {
                return ByTrigger::Unclear;
            };
            match (end(trigger), trigger.if_missing, trigger.within) {
                (None, Some(_), _) | (Some(_), Some(IfMissing::Retained | IfMissing::Undecided), _) => {
                    ByTrigger::Unread { needs, not_before }
                }
                (Some(after), Some(IfMissing::Uploaded), Some(within)) => {
                    match (within.before.and_then(seconds), periods.as_slice()) {
                        (Some(before), [period]) => {
                            ByTrigger::Window { needs, not_before, before, after, period: *period }
                        }
                        _ => ByTrigger::Unclear,
                    }
                }
                _ => ByTrigger::Unclear,
            }
        }
        // If the first may be anything, then so may the whole.
        Source::First(terms) => match terms.first().map(|term| &term.trigger) {
            Some(first) if trigger.if_missing.is_some() && end(first).is_none() => {
                let needs = match &first.source {
                    Source::Attribute(attribute) => needs(attribute),
                    _ => None,
                };
                match (needs, floor(trigger, shortest)) {
                    (Some(needs), Some(not_before)) => ByTrigger::Unread { needs, not_before },
                    _ => ByTrigger::Unclear,
                }
            }
            _ => ByTrigger::Unclear,
        },
        Source::Record { .. } | Source::Earliest(_) | Source::Latest(_) => ByTrigger::Unclear,
    }
}

fn needs(attribute: &Attribute) -> Option<Needs> {
    match attribute {
        Attribute::Metadata(_) => Some(Needs { head: true, ..Needs::NONE }),
        Attribute::Tag(_) => Some(Needs { tags: true, ..Needs::NONE }),
        Attribute::Key(_) => None,
    }
}

/// How long after the upload a value that is outside counts as, if it does.
fn end(trigger: &Trigger) -> Option<TimeDelta> {
    trigger.within.filter(|_| trigger.outside == Outside::Clamp)?.after.and_then(seconds)
}

fn seconds(n: u64) -> Option<TimeDelta> {
    i64::try_from(n).ok().and_then(TimeDelta::try_seconds)
}

/// How long after the upload it is due at the earliest, in seconds, whatever the trigger's values
/// are, if retention runs for so many days; `None` if that cannot be said.
fn floor(trigger: &Trigger, days_after: i64) -> Option<i64> {
    let retained = days_after.checked_mul(DAY)?;
    match &trigger.source {
        Source::Uploaded => Some(retained),
        Source::Attribute(_) | Source::Record { .. } => {
            let before = i64::try_from(trigger.within?.before?).ok()?;
            retained.checked_sub(before)?.checked_sub(ANY_OFFSET)
        }
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            let of_terms = terms
                .iter()
                .map(|term| floor(&term.trigger, days_after.checked_add(term.plus.map_or(0, days))?));
            // Where all are missing the upload may count.
            of_terms.chain([Some(retained)]).reduce(|one, other| Some(one?.min(other?))).flatten()
        }
    }
}

/// The fewest days that a period can span.
fn days(period: Period) -> i64 {
    i64::from(period.min_days())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use chrono_tz::Tz;

    use super::*;
    use crate::calendar::Moment;

    #[test]
    fn months_are_added_as_the_calendar_adds_them_for_400_years() {
        for day in 0..146_097 + 400 {
            let date = NaiveDate::default() + TimeDelta::days(day);
            for months in [1, 2, 6, 11, 12, 13, 18, 25, 48, 1200] {
                let after = Period::months(months).after(date).unwrap();
                let expected = after.signed_duration_since(NaiveDate::default()).num_days();
                assert_eq!(months_after(day, i64::from(months)), expected, "{date} + {months}");
            }
        }
    }

    #[test]
    fn a_due_date_is_that_of_the_calendar_or_none() {
        let periods = [(0, 0), (0, 1), (0, 30), (1, 0), (13, 5), (120, 0), (9_600, 300_000), (0, 400_000)];
        for start in [0, 1, 951_782_399, 951_782_400, 1_706_659_200, LAST, LAST + 1, -1] {
            for (seconds, nanoseconds) in [(0, 0), (0, 1), (1, 0), (DAY - 1, 999_999_999), (DAY, 0)] {
                let from = DateTime::from_timestamp(start + seconds, nanoseconds).unwrap();
                for (months, days) in periods {
                    let period = Period { months, days };
                    let expected = Moment::Instant(from).due(period, Tz::UTC);
                    if let Some(found) = due(from, period) {
                        assert_eq!(DateTime::from_timestamp(found, 0), expected, "{from} + {period}");
                    } else {
                        assert!(days > MOST_DAYS || !(FIRST..=LAST).contains(&from.timestamp()), "{from}");
                    }
                }
            }
        }
    }
}
