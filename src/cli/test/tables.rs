//! The records that a test supposes, read as a record file is.

use chrono::{DateTime, Utc};

use super::super::exit::Failure;
use crate::policy::{Case, GivenTable, Policy, RecordFormat, Table};
use crate::records::{ReadTable, RecordTable, Records, Unusable};
use crate::text;

/// The tables of a case, in the order of the policy's.
pub struct Given {
    tables: Vec<GivenRows>,
}

/// What a case supposes of one table.
enum GivenRows {
    Read(Box<(ReadTable, Table)>),
    Unusable(Unusable),
}

impl Given {
    /// The records of `case`. Rows go the way of a CSV file, so that they mean the same as there.
    pub fn of(case: &Case) -> Result<Self, Failure> {
        let tables = case
            .policy
            .tables
            .iter()
            .zip(&case.tables)
            .map(|(table, given)| match given {
                GivenTable::Rows(rows) => read(&case.policy, table, rows).map_err(|error| {
                    let at = format!("{}:{}", text::terminal(&case.at.file), case.at.line);
                    Failure::usage(format!("{at}: records of {}: {}", table.name, text::terminal(&error)))
                }),
                GivenTable::Missing => Ok(GivenRows::Unusable(Unusable::Missing)),
                // Which time was too long ago makes no difference to what is decided.
                GivenTable::Stale => {
                    Ok(GivenRows::Unusable(Unusable::Stale { oldest: DateTime::UNIX_EPOCH }))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { tables })
    }

    /// The records as they count at `now`.
    pub fn at(&mut self, now: DateTime<Utc>) -> Records {
        let tables = self.tables.iter_mut().map(|given| match given {
            GivenRows::Read(rows) => {
                let (read, table) = &mut **rows;
                read.judge(table, now);
                read.table.clone()
            }
            GivenRows::Unusable(why) => RecordTable::unusable(why.clone()),
        });
        Records { tables: tables.collect() }
    }
}

/// Freshness is judged where rows say when they were exported; where none does, it is not what is tested.
fn read(policy: &Policy, table: &Table, rows: &[Vec<(String, String)>]) -> Result<GivenRows, String> {
    let says_export = |exported_at: &String| rows.iter().flatten().any(|(name, _)| name == exported_at);
    let fresh = table.fresh.clone().filter(|fresh| says_export(&fresh.exported_at));
    let exported_at = fresh.iter().map(|fresh| &fresh.exported_at);
    let mut columns: Vec<&String> =
        [&table.id].into_iter().chain(&table.columns).chain(exported_at).collect();
    columns.sort();
    columns.dedup();
    let mut csv = line(columns.iter().map(|column| column.as_str()));
    for row in rows {
        let field =
            |column: &String| row.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text);
        csv.push_str(&line(columns.iter().map(|column| field(column))));
    }
    let table = Table { fresh, format: RecordFormat::Csv, ..table.clone() };
    RecordTable::read_csv(&table, csv.as_bytes(), DateTime::UNIX_EPOCH, policy.timezone)
        .map(|read| GivenRows::Read(Box::new((read, table))))
        .map_err(|error| Failure::chain(&error))
}

fn line<'t>(fields: impl Iterator<Item = &'t str>) -> String {
    let quoted: Vec<String> = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
    quoted.join(",") + "\n"
}
