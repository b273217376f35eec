//! Record files in a form of their own, that the reference looks things up in.

use std::collections::BTreeMap;

use shelflife::records::{RecordTable, Records, Row, Unusable};

/// The columns of every table; the last says a country.
pub const COLUMNS: [&str; 3] = ["contract_ended_on", "last_active_on", "country"];

/// What one record file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Rows by id; `None` where several rows claim it.
    pub rows: BTreeMap<String, Option<[Option<String>; 3]>>,
    /// Nothing in it can be trusted.
    pub unusable: bool,
}

impl Facts {
    /// The field of a row: unknown, or empty, or a text.
    pub fn field(&self, id: &str, column: &str) -> Option<Option<String>> {
        if self.unusable {
            return None;
        }
        let place = COLUMNS.iter().position(|name| *name == column)?;
        let values = self.rows.get(id)?.as_ref()?;
        Some(values[place].clone())
    }
}

/// The same for the crate under test.
pub fn records(facts: &[Facts]) -> Records {
    let boxed = |text: &Option<String>| text.as_deref().map(Box::from);
    let table = |facts: &Facts| {
        let rows = facts.rows.iter().map(|(id, values)| {
            let row = match values {
                None => Row::Duplicate,
                Some(values) => Row::Once(values.iter().map(boxed).collect()),
            };
            (id.clone(), row)
        });
        let mut table = RecordTable::of(COLUMNS.map(str::to_owned).to_vec(), rows);
        table.unusable = facts.unusable.then_some(Unusable::Missing);
        table
    };
    Records { tables: facts.iter().map(table).collect() }
}
