//! What a log says of each item: the intent and its outcome together.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use super::chain::{VerifyError, entries};
use super::entry::{Body, Item, ItemOutcome};
use super::ledger::Unresolved;

/// Each outcome of a log with what was intended, in the log's order; an error is the last item. Holds no
/// more of the log at a time than the batches that have no outcome yet.
pub fn accounts(log: impl BufRead) -> impl Iterator<Item = Result<(Item, ItemOutcome), VerifyError>> {
    let mut open: BTreeMap<u64, HashMap<Unresolved, Item>> = BTreeMap::new();
    entries(log).flat_map(move |entry| match entry.map(|entry| entry.body) {
        Ok(Body::Intent(intent)) => {
            let items = intent.items.into_iter().map(|item| (Unresolved::from(&item), item));
            open.insert(intent.batch, items.collect());
            Vec::new()
        }
        Ok(Body::Outcome(outcome)) => {
            let Some(intended) = open.get_mut(&outcome.batch) else { return Vec::new() };
            let found = outcome.items.into_iter().filter_map(|told| {
                let item = intended.remove(&Unresolved::from(&told))?;
                Some(Ok((item, told)))
            });
            let found = found.collect();
            if intended.is_empty() {
                open.remove(&outcome.batch);
            }
            found
        }
        Ok(_) => Vec::new(),
        Err(error) => vec![Err(error)],
    })
}
