//! What all kinds of record files have in common: rows are taken in, and what is wrong is kept.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::Unusable;
use super::fault::{At, RecordError, RecordFault};
use super::table::{RecordTable, Taken};
use crate::calendar::{Moment, start_of_day};
use crate::policy::{Freshness, Table};

/// More faults than this are counted and not kept.
const MOST_FAULTS: usize = 100;

/// A table as it was read, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct ReadTable {
    /// The table; fit to be used as it is once it is [judged](Self::judge), since what is in doubt
    /// answers as unknown.
    pub table: RecordTable,
    /// The first hundred faults, in the order of the lines; those of the whole file last.
    pub faults: Vec<RecordFault>,
    /// How many faults there were in all.
    pub fault_count: u64,
    /// Rows that were read, the header aside.
    pub rows: u64,
    exports: Exports,
}

impl ReadTable {
    /// Says at `now` whether the file is fresh enough, adding a fault if it is not.
    pub fn judge(&mut self, table: &Table, now: DateTime<Utc>) {
        self.faults.retain(|fault| !fault.is_of_the_date());
        self.fault_count -= u64::from(self.exports.is_at_fault);
        self.exports.is_at_fault = false;
        self.table.unusable = None;
        if let Some(fresh) = &table.fresh {
            let (unusable, fault) = self.exports.judge(fresh, now);
            self.table.unusable = unusable;
            if let Some(fault) = fault {
                self.exports.is_at_fault = true;
                self.fault_count += 1;
                self.faults.push(fault);
            }
        }
    }

    fn fault(&mut self, fault: RecordFault) {
        self.fault_count += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// Takes rows in.
pub(super) struct Intake {
    read: ReadTable,
    zone: Tz,
    /// Where the row of each id stands.
    places: Vec<u32>,
    place: fn(u64) -> At,
}

impl Intake {
    /// For the rows of `table`'s file; `place` says how its rows are counted.
    pub(super) fn new(table: &Table, zone: Tz, place: fn(u64) -> At) -> Self {
        let read = ReadTable { table: RecordTable::new(table.columns.clone()), ..ReadTable::default() };
        Self { read, zone, places: Vec::new(), place }
    }

    /// Takes the row at `line`; `exported` is `None` where the policy does not ask for it.
    pub(super) fn row<'v>(
        &mut self,
        line: u64,
        id: &str,
        exported: Option<&str>,
        values: impl Iterator<Item = Option<&'v str>>,
    ) -> Result<(), RecordError> {
        self.read.rows += 1;
        let at = (self.place)(line);
        if let Some(text) = exported {
            match export_time(text, self.zone) {
                Some(time) => self.read.exports.add(time, at),
                None => {
                    self.read.exports.unreadable = true;
                    self.read.fault(RecordFault::NoExportTime { at });
                }
            }
        }
        if id.is_empty() {
            self.read.fault(RecordFault::NoId { at });
            return Ok(());
        }
        match self.read.table.insert(id, values) {
            Taken::As(_) => {
                self.places.push(u32::try_from(line).unwrap_or(u32::MAX));
                Ok(())
            }
            Taken::Duplicate(row) => {
                let first = usize::try_from(row).ok().and_then(|row| self.places.get(row));
                let first = (self.place)(first.copied().unwrap_or_default().into());
                self.read.fault(RecordFault::Duplicate { id: id.to_owned(), first, at });
                Ok(())
            }
            Taken::Full => Err(RecordError::TooLarge),
        }
    }

    /// Takes the row at `line` for the beginning of one: it was the last, without a line break.
    pub(super) fn cut(&mut self, line: u64, id: &str) {
        self.read.table.doubt(id);
        self.read.fault(RecordFault::Cut { at: (self.place)(line) });
    }

    /// Remarks that `rows` of the rows, from the one at `first` on, have no such column.
    pub(super) fn not_there(&mut self, column: &str, rows: u64, first: u64) {
        let (column, first) = (column.to_owned(), (self.place)(first));
        self.read.fault(RecordFault::NotThere { column, rows, first });
    }

    pub(super) fn rows(&self) -> u64 {
        self.read.rows
    }

    /// The table, once all rows are in.
    pub(super) fn finish(mut self, table: &Table, now: DateTime<Utc>) -> ReadTable {
        self.read.table.finish();
        self.read.judge(table, now);
        self.read
    }
}

fn export_time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    match Moment::parse(text, zone).ok()? {
        Moment::Instant(at) => Some(at),
        // The earliest moment that it can mean: a file is rather too old than too new.
        Moment::Civil(day) => Some(start_of_day(day, zone)),
    }
}

/// The export times seen so far.
#[derive(Clone, Debug, Default)]
struct Exports {
    oldest: Option<(DateTime<Utc>, At)>,
    latest: Option<(DateTime<Utc>, At)>,
    unreadable: bool,
    /// Whether the last judgement was a fault.
    is_at_fault: bool,
}

impl Exports {
    fn add(&mut self, time: DateTime<Utc>, at: At) {
        if self.oldest.is_none_or(|(oldest, _)| time < oldest) {
            self.oldest = Some((time, at));
        }
        if self.latest.is_none_or(|(latest, _)| time > latest) {
            self.latest = Some((time, at));
        }
    }

    fn judge(&self, fresh: &Freshness, now: DateTime<Utc>) -> (Option<Unusable>, Option<RecordFault>) {
        let (Some((oldest, oldest_at)), Some((latest, latest_at))) = (self.oldest, self.latest) else {
            let fault = if self.unreadable { None } else { Some(RecordFault::NoRows) };
            return (Some(Unusable::NoExportTime), fault);
        };
        // `None` is beyond the calendar's end, so not yet.
        let fresh_until = Moment::Instant(oldest).plus(fresh.within).and_then(|until| until.end(Tz::UTC));
        if self.unreadable {
            (Some(Unusable::NoExportTime), None)
        } else if latest > now {
            let fault = RecordFault::FromTheFuture { at: latest_at, exported: latest };
            (Some(Unusable::FromTheFuture { exported: latest }), Some(fault))
        } else if fresh_until.is_some_and(|until| until < now) {
            (Some(Unusable::Stale { oldest }), Some(RecordFault::Stale { at: oldest_at, oldest }))
        } else {
            (None, None)
        }
    }
}
