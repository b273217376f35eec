//! What the policy's time zone does to dates without a time.

use chrono_tz::Tz;

use super::findings::Findings;
use super::triggers::{Leaf, leaves};
use crate::calendar::DateFormat;
use crate::policy::{Code, Rule};

/// With periods up to this many days, most of a day more is a matter of proportion.
const SHORT_DAYS: u32 = 2;

/// Finds where a day of the time zone makes a difference worth knowing: at most once.
pub(super) fn dates(findings: &mut Findings<'_>) {
    let read = findings.read;
    let zone = read.policy.timezone;
    let rules = || read.policy.rules.iter().zip(&read.layout.rules).filter(|(rule, _)| reads_days(rule));
    match read.layout.timezone {
        None => {
            if let Some((rule, layout)) = rules().next() {
                let message = format!(
                    "the policy names no time zone, so dates without one, as `{}` may find, are read in UTC",
                    rule.id
                );
                findings
                    .note(Code::DaysOfTheZone, layout.trigger, message)
                    .help("say where the days of your dates begin and end: `timezone: Europe/Zagreb`");
            }
        }
        Some(zone_at) if zone != Tz::UTC => {
            if let Some((rule, layout)) = rules().find(|(rule, _)| rule.retain.max_days() <= SHORT_DAYS) {
                let message = format!(
                    "a date without a time is a whole day in {zone}, so under `{}` objects can leave up to a \
                     day after their {}",
                    rule.id, rule.retain
                );
                findings
                    .note(Code::DaysOfTheZone, layout.retain, message)
                    .see(zone_at, "the days of this zone")
                    .help("dates with their time and zone are exact to the next midnight UTC");
            }
        }
        Some(_) => {}
    }
}

/// Whether a value of the trigger can be a day or a local time.
fn reads_days(rule: &Rule) -> bool {
    leaves(&rule.trigger).iter().any(|Leaf { trigger, .. }| {
        !matches!(trigger.format, Some(DateFormat::EpochSeconds | DateFormat::EpochMilliseconds))
    })
}
