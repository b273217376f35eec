//! What a run has removed itself, with the copies that it made before: one answer for what is shown and for
//! what is put back.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use smol_str::SmolStr;

use super::files::{broken, opened};
use super::selected::is_wanted;
use crate::cli::args::UndoSelect;
use crate::cli::exit::Failure;
use crate::evidence::{Action, Item, ItemResult, Told, told};
use crate::object::Kind;

/// Stands for an item or its key, as [`Item::identity`] and [`Item::identity_of_key`] give it.
type Identity = [u8; 16];

/// An object or a version that is asked for and that the run has removed.
pub(super) struct Removed {
    /// What it was.
    pub item: Item,
    /// Its copy, if one was made.
    pub copy: Option<Copied>,
}

/// A copy that the run has made.
pub(super) struct Copied {
    /// `s3://bucket/key`.
    pub place: SmolStr,
    /// Its ETag, if the log tells it.
    pub etag: Option<SmolStr>,
    /// The row of what was copied: of a key's versions the newest has the last one.
    row: Option<u64>,
}

/// Tells of a log, in its order, what the run has removed.
pub(super) struct Removals<'a> {
    select: &'a UndoSelect,
    /// What was copied is removed within the same chunk of the run, so this stays small.
    copies: HashMap<Identity, (SmolStr, Option<SmolStr>)>,
    /// Whose deletion was sent, or was about to be, and nothing tells that it still stood after that.
    unclear: HashSet<Identity>,
}

impl<'a> Removals<'a> {
    /// Of a log's beginning.
    pub(super) fn of(select: &'a UndoSelect) -> Self {
        Self { select, copies: HashMap::new(), unclear: HashSet::new() }
    }

    /// Takes what is told next; what of it the run has removed. What was gone already is the run's own doing
    /// only where its own deletion before that ended unclear: else somebody else has removed it, and meant to.
    pub(super) fn take(&mut self, told: Told) -> Option<Removed> {
        let Told { item, result, copy, row, .. } = told;
        if item.kind == Kind::Marker {
            return None;
        }
        match (item.action, result) {
            (Action::Export, ItemResult::Exported) => {
                self.copies.extend(copy.map(|copy| (item.identity(), copy)));
                None
            }
            (Action::Delete, ItemResult::Unclear) => {
                self.unclear.insert(item.identity());
                None
            }
            (Action::Delete, _) => {
                let identity = item.identity();
                // Whatever else it is, it was looked at before: an unclear deletion has not removed it.
                let was_unclear = self.unclear.remove(&identity);
                let is_removed = match result {
                    ItemResult::Deleted => true,
                    ItemResult::AlreadyGone => was_unclear,
                    _ => return None,
                };
                let copy = self.copies.remove(&identity).map(|(place, etag)| Copied { place, etag, row });
                (is_removed && is_wanted(self.select, &item)).then_some(Removed { item, copy })
            }
            _ => None,
        }
    }
}

/// Of each key the newest copy that is asked for: only one can take the place of its original again.
#[derive(Default)]
pub(super) struct Newest(HashMap<Identity, Option<u64>>);

impl Newest {
    /// Of the run that `log` tells of.
    pub(super) fn of(log: &Path, select: &UndoSelect) -> Result<Self, Failure> {
        let mut removals = Removals::of(select);
        let mut newest: HashMap<Identity, Option<u64>> = HashMap::new();
        for told in told(opened(log)?) {
            let told = told.map_err(|error| broken(log, error))?;
            if let Some(Removed { item, copy: Some(copy) }) = removals.take(told) {
                let row = newest.entry(item.identity_of_key()).or_default();
                *row = copy.row.max(*row);
            }
        }
        Ok(Self(newest))
    }

    /// Whether the copy of this item is the one.
    pub(super) fn is(&self, item: &Item, copy: &Copied) -> bool {
        self.0.get(&item.identity_of_key()) == Some(&copy.row)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use smol_str::format_smolstr;

    use super::*;
    use crate::evidence::ItemResult::{
        AlreadyGone, Changed, Deleted, Exported, Failed, Held, PutOff, Unclear,
    };

    fn told(action: Action, version: &str, result: ItemResult) -> Told {
        let at = DateTime::UNIX_EPOCH;
        let item = Item {
            action,
            kind: Kind::Version,
            bucket: "media".into(),
            key: "inbound/1/a".into(),
            version_id: Some(version.into()),
            upload_id: None,
            etag: None,
            size: 6,
            tenant: Some("1".into()),
            rule: "ott-media".into(),
            erasure: None,
            due: at,
            reason: "due".into(),
        };
        let copy = (result == Exported).then(|| (format_smolstr!("s3://exports/{version}"), None));
        // The plan has the oldest version first.
        let row = version.parse().ok().filter(|_| result != Unclear);
        Told { batch: 1, intended: at, at, item, result, detail: None, marker_version_id: None, row, copy }
    }

    #[test]
    fn what_was_gone_already_is_the_runs_own_doing_only_after_an_unclear_deletion() {
        for (ends, is_removed) in [
            (vec![Deleted], true),
            (vec![AlreadyGone], false),
            (vec![Unclear], false),
            (vec![Unclear, AlreadyGone], true),
            (vec![Unclear, Unclear, AlreadyGone], true),
            (vec![PutOff, AlreadyGone], false),
            // It stood there after all, and somebody else came later.
            (vec![Unclear, Held, AlreadyGone], false),
            (vec![Unclear, Failed, AlreadyGone], false),
            (vec![Unclear, Changed], false),
            (vec![Unclear, Held, Deleted], true),
        ] {
            let select = UndoSelect::default();
            let mut removals = Removals::of(&select);
            assert!(removals.take(told(Action::Export, "1", Exported)).is_none());
            let mut last = None;
            for result in &ends {
                last = removals.take(told(Action::Delete, "1", *result));
            }
            assert_eq!(last.is_some_and(|removed| removed.copy.is_some()), is_removed, "{ends:?}");
        }
    }

    #[test]
    fn the_newest_version_is_known_in_whatever_order_they_end() {
        let export = |version, result| told(Action::Export, version, result);
        let delete = |version, result| told(Action::Delete, version, result);
        for log in [
            vec![export("1", Exported), export("2", Exported), delete("1", Deleted), delete("2", Deleted)],
            // Killed between them: what went first is told of last.
            vec![
                export("1", Exported),
                export("2", Exported),
                delete("1", Unclear),
                export("2", Exported),
                delete("2", Deleted),
                delete("1", AlreadyGone),
            ],
            // The older one could not be copied with the newer one, nor looked at.
            vec![
                export("1", PutOff),
                export("2", Exported),
                delete("1", PutOff),
                delete("2", Deleted),
                export("1", Exported),
                delete("1", Deleted),
            ],
            vec![
                export("2", Exported),
                delete("1", PutOff),
                delete("2", PutOff),
                export("1", Exported),
                export("2", Exported),
                delete("1", Deleted),
                delete("2", Deleted),
            ],
        ] {
            let select = UndoSelect::default();
            let mut removals = Removals::of(&select);
            let mut rows: Vec<(Option<SmolStr>, Option<u64>)> = Vec::new();
            for told in log {
                rows.extend(removals.take(told).map(|it| (it.item.version_id, it.copy.unwrap().row)));
            }
            rows.sort();
            assert_eq!(rows.len(), 2);
            assert!(rows[0].1 < rows[1].1, "{rows:?}");
        }
    }
}
