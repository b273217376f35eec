//! Looking at planned rows again: a row goes only if it would be planned again, unchanged.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use smol_str::SmolStr;

use super::run::Run;
use super::session::Session;
use crate::decide::Verdict;
use crate::evidence::ItemResult;
use crate::object::Kind;
use crate::plan::{Item, KeyGroup, PlanRow, Planner};
use crate::s3::StoreError;
use crate::survey::{Enrolled, Standing, Survey};

/// Why a row stays that the store shows no more, or with another date or ETag.
const GONE: &str = "it was not there any more";
const WRITTEN_ANEW: &str = "it was written anew since the plan was made";

/// What a second look says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It goes; what else stands under its key, and the row as it would be planned now.
    Goes(Company, Arc<PlanRow>),
    /// It does not, with the reason.
    Stays(ItemResult, String),
}

impl Look {
    /// Puts off what would stay because of what else stands under its key.
    fn wait(&mut self) {
        if let Self::Stays(result @ ItemResult::Overtaken, _) = self {
            *result = ItemResult::PutOff;
        }
    }
}

/// What stands under a row's key beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// Nothing.
    None,
    /// It is on top of older versions.
    OnTop,
    /// Something newer is on top of it.
    Beneath,
}

/// What a second look found.
pub(super) struct Looked {
    /// One for each row, in their order.
    pub looks: Vec<Look>,
    /// Everything that stands under their keys.
    pub groups: HashMap<SmolStr, KeyGroup>,
}

/// Looks at each of `rows`, which share a bucket, as it is now.
pub(super) async fn look_again(
    session: &Session<'_>,
    target: &Enrolled,
    rows: &[&PlanRow],
) -> Result<Looked, StoreError> {
    let run = session.run;
    let decider = session.ready.decider(&target.facts.name, (run.clock)());
    let now = decider.now();
    let survey = survey(run, target, now);
    let context = session.context(&target.facts, now);
    // One request for each key takes its time, and what is known by an id of its own can be looked at first.
    let mut upload_keys: Vec<&str> =
        rows.iter().filter(|row| row.kind == Kind::Upload).map(|row| row.key.as_str()).collect();
    upload_keys.dedup();
    let mut uploads: Vec<KeyGroup> = Vec::new();
    for key in upload_keys {
        uploads.extend(survey.look_up_uploads(&decider, key).await?);
    }
    let mut keys: Vec<&str> =
        rows.iter().filter(|row| row.kind != Kind::Upload).map(|row| row.key.as_str()).collect();
    keys.dedup();
    let mut groups = survey.look_up(&decider, &keys).await?;
    for KeyGroup { key, uploads, .. } in uploads {
        groups.entry(key.clone()).or_insert_with(|| KeyGroup { key, ..KeyGroup::default() }).uploads =
            uploads;
    }
    let mut planner = Planner::new(run.policy, now);
    let mut looks = Vec::with_capacity(rows.len());
    for rows in rows.chunk_by(|one, other| one.key == other.key) {
        let group = rows.first().and_then(|row| groups.get(&row.key));
        let mut again = group.map(|group| planner.rows(&context, group)).unwrap_or_default();
        let start = looks.len();
        looks.extend(rows.iter().map(|row| look_at(run, row, group, &mut again)));
        // The latest waits for the older ones that are to be looked at once more.
        if looks[start..].iter().any(|look| matches!(look, Look::Stays(ItemResult::PutOff, _))) {
            looks[start..].iter_mut().for_each(Look::wait);
        }
    }
    if survey.reads.tally().asked() > 0 {
        keep_rewritten(&survey, rows, &mut looks).await?;
    }
    Ok(Looked { looks, groups })
}

/// Keeps objects that were written anew while something was read: with the same bytes they have the ETag on
/// condition of which they are deleted, so that their dates are listed once more.
async fn keep_rewritten(
    survey: &Survey<'_>,
    rows: &[&PlanRow],
    looks: &mut [Look],
) -> Result<(), StoreError> {
    let goes = |row: &PlanRow, look: &Look| row.kind == Kind::Object && matches!(look, Look::Goes(..));
    let keys = rows.iter().zip(&*looks).filter(|(row, look)| goes(row, look));
    let keys: Vec<&str> = keys.map(|(row, _)| row.key.as_str()).collect();
    let standing = survey.standing(&keys, true).await?;
    for (row, look) in rows.iter().zip(looks).filter(|(row, look)| goes(row, look)) {
        match standing.get(&row.key) {
            Some(standing) if standing.iter().any(|it| is_row(it, row)) => {}
            Some(_) => *look = Look::Stays(ItemResult::Changed, WRITTEN_ANEW.to_owned()),
            None => *look = Look::Stays(ItemResult::AlreadyGone, GONE.to_owned()),
        }
    }
    Ok(())
}

/// Whether what is listed is what the row names, and not another in its place.
pub(super) fn is_row(standing: &Standing, row: &PlanRow) -> bool {
    standing.kind == row.kind
        && standing.version_id == row.version_id
        && standing.etag == row.etag
        && standing.uploaded.timestamp_millis() == row.last_modified.timestamp_millis()
}

/// The bucket as the policy sees it at `now`.
pub(super) fn survey<'r>(run: &'r Run<'_>, target: &Enrolled, now: DateTime<Utc>) -> Survey<'r> {
    Survey {
        policy: run.policy,
        records: run.records,
        bucket: target.bucket.clone(),
        facts: target.facts.clone(),
        now,
        // Never a cache: what is deleted is decided from what the store says now.
        reads: Arc::default(),
    }
}

/// `again` is what would be planned now for its key; what is of the row is taken out.
fn look_at(run: &Run<'_>, row: &PlanRow, group: Option<&KeyGroup>, again: &mut Vec<PlanRow>) -> Look {
    let Some((group, item)) = group.and_then(|group| Some((group, find(group, row)?))) else {
        let other_kind = |item: &Item| (item.kind == Kind::Object) != (row.kind == Kind::Object);
        if row.kind != Kind::Upload && group.is_some_and(|group| group.items.iter().any(other_kind)) {
            let why = "the bucket's versioning was changed since the plan was made";
            return Look::Stays(ItemResult::Changed, why.to_owned());
        }
        return Look::Stays(ItemResult::AlreadyGone, GONE.to_owned());
    };
    if item.etag != row.etag || item.uploaded.timestamp_millis() != row.last_modified.timestamp_millis() {
        return Look::Stays(ItemResult::Changed, WRITTEN_ANEW.to_owned());
    }
    let same = again.iter().position(|other| is_of_same(other, row)).map(|place| again.swap_remove(place));
    match same {
        Some(other) if other.action == row.action && other.export == row.export => {
            return Look::Goes(company(group, item), Arc::new(other));
        }
        // It would have to be hidden or copied before it goes, or to another place.
        Some(_) => {
            let why = "expired, and to be removed in another way than was planned";
            return Look::Stays(ItemResult::Overtaken, why.to_owned());
        }
        None => {}
    }
    let reasons: Vec<String> =
        item.decision.reasons.iter().map(|reason| reason.describe(run.policy)).collect();
    match item.decision.verdict {
        Verdict::Held => Look::Stays(ItemResult::Held, reasons.join("; ")),
        Verdict::Locked => Look::Stays(ItemResult::Locked, reasons.join("; ")),
        Verdict::Undecided if item.read_failed => Look::Stays(ItemResult::PutOff, reasons.join("; ")),
        Verdict::Expired => {
            Look::Stays(ItemResult::Overtaken, "expired, and no longer Shelflife's to remove".to_owned())
        }
        _ => Look::Stays(ItemResult::Overtaken, reasons.join("; ")),
    }
}

fn find<'g>(group: &'g KeyGroup, row: &PlanRow) -> Option<&'g Item> {
    let mut all = group.items.iter().chain(&group.uploads);
    all.find(|item| {
        item.kind == row.kind && item.version_id == row.version_id && item.upload_id == row.upload_id
    })
}

fn is_of_same(a: &PlanRow, b: &PlanRow) -> bool {
    a.kind == b.kind && a.version_id == b.version_id && a.upload_id == b.upload_id
}

fn company(group: &KeyGroup, item: &Item) -> Company {
    match group.items.as_slice() {
        [] | [_] => Company::None,
        [top, ..] if std::ptr::eq(top, item) => Company::OnTop,
        _ => Company::Beneath,
    }
}
