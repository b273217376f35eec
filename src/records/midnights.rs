//! Days that an export has written as times.
//!
//! A time is a moment, and at midnight it is the first one of its day: what goes by it is due sooner than
//! what goes by the end of that day.

use chrono::{DateTime, NaiveTime};
use chrono_tz::Tz;

use super::fault::RecordFault;
use super::intake::ReadTable;
use crate::calendar::Moment;

/// Beside so many faults a remark is only counted.
const ENOUGH_FAULTS: usize = 100;

impl ReadTable {
    /// Remarks on the columns of which every value is a time at midnight.
    pub(super) fn remark_on_midnights(mut self, zone: Tz) -> Self {
        for column in self.table.columns_of(|text| is_midnight(text, zone)) {
            self.fault_count += 1;
            if self.faults.len() < ENOUGH_FAULTS {
                self.faults.push(RecordFault::AtMidnight { column });
            }
        }
        self
    }
}

/// Whether it is a time, and midnight in the zone that it names or in `zone`.
fn is_midnight(text: &str, zone: Tz) -> bool {
    let Ok(Moment::Instant(at)) = Moment::parse(text, zone) else { return false };
    let is_its_own = DateTime::parse_from_rfc3339(text).is_ok_and(|own| own.time() == NaiveTime::MIN);
    is_its_own || at.with_timezone(&zone).time() == NaiveTime::MIN
}
