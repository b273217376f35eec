//! One chunk of rows: look again, log the intent, delete in a safe order, look once more, log the outcome.
//!
//! Deleting the latest version of a key brings an older one back. So the older ones go first;
//! the latest goes when they are seen to be gone, and if any stays, a delete marker is put on
//! top before the latest is removed. Where a key had several versions, what the store says it has
//! deleted must not be listed any more.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::cover::{self, Covered};
use super::ending::Ended;
use super::numbered::Numbered;
use super::recheck::{Company, Look, Looked, is_row, look_again, survey};
use super::run::ApplyError;
use super::session::Session;
use super::{delete, export, mark};
use crate::evidence::{self, ItemOutcome, ItemResult};
use crate::object::{Kind, Versioning};
use crate::plan::{Action, KeyGroup, PlanRow};
use crate::s3::StoreError;
use crate::survey::{Enrolled, Standing};

/// Carries out `rows`, which share a bucket and hold all rows of their keys that are left. Answers with
/// those that the store puts off, of which there are none on the `last_try`, and with those that are not begun
/// where the run is to stop.
pub(super) async fn carry_out(
    session: &Session<'_>,
    target: &Enrolled,
    rows: Vec<Numbered>,
    last_try: bool,
) -> Result<Vec<Numbered>, ApplyError> {
    // Copying takes its time, so the bucket, what may go and whether anything may are looked at only afterwards.
    let (all, is_copied) = (rows.clone(), rows.iter().any(|it| it.row.export.is_some()));
    let (rows, stays) = export::first(session, target, rows).await?;
    if is_copied && !session.may_begin().await? {
        return Ok(all);
    }
    // How objects can be removed hangs on the bucket's state, which somebody may change meanwhile.
    if target.bucket.facts().await? != target.facts {
        return Err(ApplyError::BucketChanged);
    }
    let plain: Vec<&PlanRow> = rows.iter().map(|it| &*it.row).collect();
    let Looked { looks, .. } = look_again(session, target, &plain).await?;
    // To read what it asks for can take as long, and what has come meanwhile may be a hold.
    if session.is_halted() {
        return Ok(all);
    }
    let (mut tops, mut shared) = (Vec::new(), BTreeSet::new());
    let mut batch = Batch { stays, ..Batch::default() };
    for (row, look) in rows.into_iter().zip(looks) {
        let (company, row) = match look {
            // It is deleted for what was decided last, which is what the evidence has to say.
            Look::Goes(company, again) => (company, row.decided(again)),
            Look::Stays(result, why) => {
                batch.stays.push((row, Ended::because(result, why)));
                continue;
            }
        };
        if company != Company::None {
            shared.insert(row.row.key.clone());
        }
        match company {
            _ if row.row.action == Action::Mark => batch.marks.push(row),
            _ if is_mutable(target, &row.row) => batch.nulls.push(row),
            Company::OnTop => tops.push(row),
            Company::None | Company::Beneath => batch.goes.push(row),
        }
    }
    let mut sent = batch.send(session, target).await?;

    // The second look tells what was left of the older versions, and with them of what can go now.
    let waiting: BTreeSet<&str> =
        sent.iter().filter(|it| it.is_put_off()).map(|it| it.row.row.key.as_str()).collect();
    let (late, tops): (Vec<_>, Vec<_>) =
        tops.into_iter().partition(|top| waiting.contains(top.row.key.as_str()));
    let plain: Vec<&PlanRow> = tops.iter().map(|it| &*it.row).collect();
    let looked = look_again(session, target, &plain).await;
    if let Ok(looked) = &looked {
        let top_keys: BTreeSet<&str> = plain.iter().map(|row| row.key.as_str()).collect();
        let others: Vec<&str> =
            shared.iter().map(SmolStr::as_str).filter(|key| !top_keys.contains(key)).collect();
        let mut left = standing(session, target, &others).await;
        left.extend(looked.groups.iter().map(|(key, group)| (key.clone(), standing_of(group))));
        sent.iter_mut().for_each(|it| it.hold_to(&left));
    }
    let mut put_off = sent.log(session, last_try)?;
    if session.is_halted() {
        put_off.extend(late.into_iter().chain(tops));
        return Ok(put_off);
    }

    let mut batch = Batch::default();
    let why = "an older version of its key was put off";
    batch.stays.extend(late.into_iter().map(|top| (top, Ended::because(ItemResult::PutOff, why))));
    match looked {
        Ok(looked) => {
            tops.into_iter().zip(looked.looks).for_each(|(top, look)| batch.take_top(target, top, look));
        }
        Err(error) => {
            let ended = if error.kind().is_retryable() { ItemResult::PutOff } else { ItemResult::Failed };
            let why = format!("its key could not be listed again: {error}");
            batch.stays.extend(tops.into_iter().map(|top| (top, Ended::because(ended, why.clone()))));
        }
    }
    let keys: BTreeSet<SmolStr> =
        batch.goes.iter().chain(&batch.covered).map(|it| it.row.key.clone()).collect();
    let mut sent = batch.send(session, target).await?;
    let keys: Vec<&str> = keys.iter().map(SmolStr::as_str).collect();
    let left = standing(session, target, &keys).await;
    sent.iter_mut().for_each(|it| it.hold_to(&left));
    put_off.extend(sent.log(session, last_try)?);
    Ok(put_off)
}

/// What is listed under `keys`. Where it cannot be listed, the store's answers to the deletions stand as
/// they are.
async fn standing(
    session: &Session<'_>,
    target: &Enrolled,
    keys: &[&str],
) -> BTreeMap<SmolStr, Vec<Standing>> {
    let now = (session.run.clock)();
    let listed: Result<_, StoreError> = survey(session.run, target, now).standing(keys, false).await;
    listed.unwrap_or_default()
}

fn standing_of(group: &KeyGroup) -> Vec<Standing> {
    let standing = group.items.iter().map(|item| Standing {
        kind: item.kind,
        version_id: item.version_id.clone(),
        etag: item.etag.clone(),
        uploaded: item.uploaded,
    });
    standing.collect()
}

/// Whether another object can take the place of what the row names, under the same version id:
/// the null version of a suspended bucket (user guide, "Adding objects to versioning-suspended
/// buckets").
fn is_mutable(target: &Enrolled, row: &PlanRow) -> bool {
    target.facts.versioning == Versioning::Suspended && row.version_id.as_deref() == Some("null")
}

/// Rows of one intent.
#[derive(Default)]
struct Batch {
    /// To be removed.
    goes: Vec<Numbered>,
    /// To be removed once a delete marker is on top.
    covered: Vec<Numbered>,
    /// To be hidden for their undo window.
    marks: Vec<Numbered>,
    /// Null versions of a suspended bucket, to be removed.
    nulls: Vec<Numbered>,
    /// Left alone.
    stays: Vec<(Numbered, Ended)>,
}

/// What became of a row, before it is told.
struct Sent {
    row: Numbered,
    ended: Ended,
    /// The version id of the delete marker that hides it for its undo window.
    marker: Option<String>,
    /// What became of the delete marker that was to cover older versions.
    cover: Option<Covered>,
}

/// A batch whose intent is logged, and whose outcome is not yet.
struct Pending {
    number: u64,
    sent: Vec<Sent>,
}

impl Batch {
    /// A latest version, looked at when the older ones had gone as far as they can.
    fn take_top(&mut self, target: &Enrolled, top: Numbered, look: Look) {
        let stays = |why| Ended::because(ItemResult::Overtaken, why);
        let (company, top) = match look {
            Look::Goes(company, again) => (company, top.decided(again)),
            Look::Stays(result, why) => return self.stays.push((top, Ended::because(result, why))),
        };
        match company {
            Company::None | Company::Beneath => self.goes.push(top),
            Company::OnTop if top.row.kind == Kind::Marker => {
                self.stays.push((top, stays("versions below it are still there")));
            }
            Company::OnTop if target.facts.versioning == Versioning::Suspended => {
                let why = "versions below it stay, and a null delete marker could destroy a newer object";
                self.stays.push((top, stays(why)));
            }
            Company::OnTop => self.covered.push(top),
        }
    }

    /// Logs the intent, and sends what goes.
    async fn send(self, session: &Session<'_>, target: &Enrolled) -> Result<Pending, ApplyError> {
        let Self { goes, covered, marks, nulls, stays } = self;
        let stay = stays.iter().map(|(row, _)| row);
        let rows = goes.iter().chain(&covered).chain(&marks).chain(&nulls).chain(stay);
        let mut items: Vec<evidence::Item> = rows.map(|it| evidence::Item::from(&*it.row)).collect();
        if items.is_empty() {
            return Ok(Pending { number: 0, sent: Vec::new() });
        }
        items.extend(covered.iter().map(|it| marker_item(&it.row)));
        let number = session.intent(items)?;

        let plain: Vec<&PlanRow> = goes.iter().map(|it| &*it.row).collect();
        let removed = delete::remove(&target.bucket, &plain).await;
        let mut sent: Vec<Sent> = goes.into_iter().zip(removed).map(Sent::from).collect();
        sent.extend(stays.into_iter().map(Sent::from));
        for row in nulls {
            let ended = cover::remove_null(&target.bucket, &row.row).await;
            sent.push(Sent::from((row, ended)));
        }
        let hidden = mark::mark_all(&target.bucket, &marks).await;
        sent.extend(marks.into_iter().zip(hidden).map(|(row, Covered { ended, marker })| Sent {
            row,
            ended,
            marker,
            cover: None,
        }));
        for row in covered {
            let (ended, cover) = cover::remove_covered(&target.bucket, &row.row).await;
            sent.push(Sent { row, ended, marker: None, cover: Some(cover) });
        }
        Ok(Pending { number, sent })
    }
}

impl From<(Numbered, Ended)> for Sent {
    fn from((row, ended): (Numbered, Ended)) -> Self {
        Self { row, ended, marker: None, cover: None }
    }
}

impl Sent {
    const fn is_put_off(&self) -> bool {
        matches!(self.ended.result, ItemResult::PutOff)
    }

    /// What the store says it has deleted must not be listed any more.
    fn hold_to(&mut self, left: &BTreeMap<SmolStr, Vec<Standing>>) {
        let row = &self.row.row;
        let is_left = left.get(&row.key).is_some_and(|standing| standing.iter().any(|it| is_row(it, row)));
        if is_left && self.ended.result == ItemResult::Deleted {
            let why = "the store said that it is deleted, and still lists it";
            self.ended = Ended::because(ItemResult::Failed, why);
        }
    }

    /// Whether it is to be tried again; on the last try it has failed instead.
    fn settle(&mut self, last_try: bool) -> bool {
        if last_try {
            let cover = self.cover.as_mut().map(|cover| &mut cover.ended);
            for ended in std::iter::once(&mut self.ended).chain(cover) {
                if ended.result == ItemResult::PutOff {
                    ended.result = ItemResult::Failed;
                }
            }
        }
        self.is_put_off()
    }

    fn outcomes(&self) -> impl Iterator<Item = ItemOutcome> {
        let Numbered { number, row } = &self.row;
        let own = ItemOutcome {
            marker_version_id: self.marker.as_deref().map(SmolStr::new),
            ..super::ending::outcome(row, *number, self.ended.clone())
        };
        let cover = self.cover.as_ref().map(|cover| ItemOutcome {
            version_id: None,
            row: None,
            marker_version_id: cover.marker.as_deref().map(SmolStr::new),
            ..super::ending::outcome(row, *number, cover.ended.clone())
        });
        cover.into_iter().chain([own])
    }
}

impl Pending {
    fn iter(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter()
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Sent> {
        self.sent.iter_mut()
    }

    /// Logs the outcome; what is left to be tried again.
    fn log(mut self, session: &Session<'_>, last_try: bool) -> Result<Vec<Numbered>, ApplyError> {
        if self.sent.is_empty() {
            return Ok(Vec::new());
        }
        let (mut outcomes, mut put_off) = (Vec::with_capacity(self.sent.len()), Vec::new());
        for mut sent in std::mem::take(&mut self.sent) {
            let comes_again = sent.settle(last_try);
            outcomes.extend(sent.outcomes());
            if comes_again {
                put_off.push(sent.row);
            }
        }
        session.outcome(self.number, outcomes)?;
        Ok(put_off)
    }
}

fn marker_item(row: &PlanRow) -> evidence::Item {
    evidence::Item {
        action: evidence::Action::AddMarker,
        kind: Kind::Marker,
        version_id: None,
        etag: None,
        size: 0,
        reason: "older versions stay, and must not come back".into(),
        ..evidence::Item::from(row)
    }
}
