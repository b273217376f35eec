//! Intents and outcomes put together: what became of each item, with all that was known of it.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;
use std::iter;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use super::chain::{VerifyError, entries};
use super::entry::{Body, Entry, Item};
use super::item_result::ItemResult;
use super::ledger::Unresolved;

/// What became of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The batch that it was part of.
    pub batch: u64,
    /// When it was intended.
    pub intended: DateTime<Utc>,
    /// When it was written what became of it.
    pub at: DateTime<Utc>,
    /// What was to be done.
    pub item: Item,
    /// What became of it.
    pub result: ItemResult,
    /// More, for people.
    pub detail: Option<String>,
    /// The version id of the delete marker that was put on top, where the store named it.
    pub marker_version_id: Option<SmolStr>,
    /// Its row in the plan, where the log tells it.
    pub row: Option<u64>,
    /// `s3://bucket/key` of the copy that was made, and its ETag where the log tells it.
    pub copy: Option<(SmolStr, Option<SmolStr>)>,
}

impl Item {
    /// Stands for what the item names, in every batch: by it a later try is known for one.
    pub fn identity(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        for part in [Some(&self.bucket), Some(&self.key), self.version_id.as_ref(), self.upload_id.as_ref()] {
            let text = part.map(SmolStr::as_str).unwrap_or_default();
            hash.update([u8::from(part.is_some())]);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let digest = hash.finalize();
        let mut identity = [0; 16];
        identity.copy_from_slice(&digest[..16]);
        identity
    }

    /// Stands for its key, whatever the version.
    pub fn identity_of_key(&self) -> [u8; 16] {
        Self { version_id: None, upload_id: None, ..self.clone() }.identity()
    }
}

/// Puts outcomes to their intents, entry by entry of a log; grows with what has no outcome yet.
#[derive(Debug, Default)]
pub struct Outcomes {
    open: BTreeMap<u64, (DateTime<Utc>, BTreeMap<Unresolved, Item>)>,
}

impl Outcomes {
    /// Takes the next entry; what it tells of items.
    pub fn take(&mut self, entry: Entry) -> Vec<Told> {
        match entry.body {
            Body::Intent(intent) => {
                let items = intent.items.into_iter().map(|item| (Unresolved::from(&item), item)).collect();
                self.open.insert(intent.batch, (entry.at, items));
                Vec::new()
            }
            Body::Outcome(outcome) => {
                let Some((intended, items)) = self.open.get_mut(&outcome.batch) else { return Vec::new() };
                let (batch, intended, at) = (outcome.batch, *intended, entry.at);
                let told = outcome.items.into_iter().filter_map(|of| {
                    let item = items.remove(&Unresolved::from(&of))?;
                    Some(Told {
                        batch,
                        intended,
                        at,
                        item,
                        result: of.result,
                        detail: of.detail,
                        marker_version_id: of.marker_version_id,
                        row: of.row,
                        copy: of.copy.map(|copy| (copy, of.copy_etag)),
                    })
                });
                let told = told.collect();
                if items.is_empty() {
                    self.open.remove(&batch);
                }
                told
            }
            _ => Vec::new(),
        }
    }

    /// Items whose intent has no outcome: nobody knows what became of them.
    pub fn into_open(self) -> impl Iterator<Item = Told> {
        self.open.into_iter().flat_map(|(batch, (intended, items))| {
            items.into_values().map(move |item| Told {
                batch,
                intended,
                at: intended,
                item,
                result: ItemResult::Unclear,
                detail: Some("the log ends before its outcome".to_owned()),
                marker_version_id: None,
                row: None,
                copy: None,
            })
        })
    }
}

/// What became of each item of a log, in the log's order, and at its end what has no outcome; an error is the
/// last item.
pub fn told(log: impl BufRead) -> impl Iterator<Item = Result<Told, VerifyError>> {
    let mut entries = entries(log);
    let mut outcomes = Some(Outcomes::default());
    let mut ready = VecDeque::new();
    iter::from_fn(move || {
        loop {
            if let Some(told) = ready.pop_front() {
                return Some(Ok(told));
            }
            match entries.next() {
                Some(Ok(entry)) => ready.extend(outcomes.as_mut()?.take(entry)),
                Some(Err(error)) => {
                    outcomes = None;
                    return Some(Err(error));
                }
                None => ready.extend(outcomes.take()?.into_open()),
            }
        }
    })
}
