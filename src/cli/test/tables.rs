//! The records that a test supposes, read as a record file is.

use chrono::DateTime;

use super::super::exit::Failure;
use crate::policy::{Case, GivenTable, Policy, RecordFormat, Table};
use crate::records::{RecordTable, Records, Unusable};
use crate::text;

/// The records of `case`. Rows go the way of a CSV file, so that they mean the same as there.
pub fn records(case: &Case) -> Result<Records, Failure> {
    let tables = case
        .policy
        .tables
        .iter()
        .zip(&case.tables)
        .map(|(table, given)| match given {
            GivenTable::Rows(rows) => read(&case.policy, table, rows).map_err(|error| {
                let at = format!("{}:{}", case.at.file, case.at.line);
                Failure::usage(format!("{at}: records of {}: {}", table.name, text::terminal(&error)))
            }),
            GivenTable::Missing => Ok(unusable(Unusable::Missing)),
            // Which time was too long ago makes no difference to what is decided.
            GivenTable::Stale => Ok(unusable(Unusable::Stale { oldest: DateTime::UNIX_EPOCH })),
        })
        .collect::<Result<_, _>>()?;
    Ok(Records { tables })
}

fn unusable(why: Unusable) -> RecordTable {
    RecordTable::unusable(why)
}

fn read(policy: &Policy, table: &Table, rows: &[Vec<(String, String)>]) -> Result<RecordTable, String> {
    let columns: Vec<&String> = [&table.id].into_iter().chain(&table.columns).collect();
    let mut csv = line(columns.iter().map(|column| column.as_str()));
    for row in rows {
        let field =
            |column: &String| row.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text);
        csv.push_str(&line(columns.iter().map(|column| field(column))));
    }
    // Without freshness it makes no difference what day it is.
    let table = Table { fresh: None, format: RecordFormat::Csv, ..table.clone() };
    RecordTable::read_csv(&table, csv.as_bytes(), DateTime::UNIX_EPOCH, policy.timezone)
        .map(|read| read.table)
        .map_err(|error| Failure::chain(&error))
}

fn line<'t>(fields: impl Iterator<Item = &'t str>) -> String {
    let quoted: Vec<String> = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
    quoted.join(",") + "\n"
}
