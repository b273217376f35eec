//! Copies of what is about to be removed: made by the store, compared with the original, and only then
//! may the original go.
//!
//! Whatever a copy's answer was, the copy itself is asked for: only one that is there and is the same
//! counts. So a lost answer is of no matter, and neither is a run that was interrupted after copying.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};
use futures::stream::{self, StreamExt};
use smol_str::{SmolStr, format_smolstr};

use super::copied::{At, compare};
use super::ending::{Ended, may_be_carried_out, outcome};
use super::numbered::Numbered;
use super::recheck::{Look, look_again};
use super::run::ApplyError;
use super::session::Session;
use crate::evidence::{self, ItemOutcome, ItemResult};
use crate::plan::PlanRow;
use crate::s3::{Bucket, CopySource, Inspected, LARGEST_COPY, StoreError};
use crate::survey::Enrolled;

/// How many copies are made at a time.
const COPIES_AT_ONCE: usize = 8;

/// For a copy whose original has no checksum of its own.
const USUAL_CHECKSUM: &str = "CRC64NVME";

/// Copies those of `rows` that are to be exported. Answers with the rows that may be removed, in their
/// order, and with those that must stay.
pub(super) async fn first(
    session: &Session<'_>,
    target: &Enrolled,
    rows: Vec<Numbered>,
) -> Result<(Vec<Numbered>, Vec<(Numbered, Ended)>), ApplyError> {
    let wanted: Vec<&Numbered> = rows.iter().filter(|it| it.row.export.is_some()).collect();
    if wanted.is_empty() {
        return Ok((rows, Vec::new()));
    }
    let mut kept: BTreeMap<u64, Ended> = BTreeMap::new();
    let mut goes = Vec::new();
    let plain: Vec<&PlanRow> = wanted.iter().map(|it| &*it.row).collect();
    let looked = look_again(session, target, &plain).await?;
    for (it, look) in wanted.into_iter().zip(looked.looks) {
        match look {
            Look::Goes(_, again) => goes.push(it.clone().decided(again)),
            Look::Stays(result, why) => {
                kept.insert(it.number, Ended::because(result, why));
            }
        }
    }
    for (number, why) in copy_all(session, target, &goes).await? {
        kept.insert(number, Ended::because(why.result, not_copied(&why)));
    }
    let (mut may_go, mut stay) = (Vec::new(), Vec::new());
    for it in rows {
        match kept.remove(&it.number) {
            None => may_go.push(it),
            Some(ended) => stay.push((it, ended)),
        }
    }
    Ok((may_go, stay))
}

fn not_copied(why: &Ended) -> String {
    format!("it could not be copied, so it stays: {}", why.detail.as_deref().unwrap_or("nobody knows why"))
}

/// Copies `rows`, each logged before and after; the numbers of those that have no copy now, with the reason.
async fn copy_all(
    session: &Session<'_>,
    target: &Enrolled,
    rows: &[Numbered],
) -> Result<Vec<(u64, Ended)>, ApplyError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let items = rows.iter().map(|it| evidence::Item {
        action: evidence::Action::Export,
        reason: format_smolstr!(
            "copied to {} before it is removed",
            it.row.export.as_deref().unwrap_or_default()
        ),
        ..evidence::Item::from(&*it.row)
    });
    let batch = session.intent(items.collect())?;
    // An older copy may be gone before anybody needs it: its own time is running since it was made.
    let since = session.run.header.as_of;
    let copies: Vec<_> = rows
        .iter()
        .map(|it| {
            let place = it.row.export_place().and_then(|(bucket, _)| session.run.exports.get(bucket));
            async move {
                match place {
                    Some(place) => export(&target.bucket, place, &it.row, since).await,
                    None => Ended::because(ItemResult::Failed, "its export place was not opened").into(),
                }
            }
        })
        .collect();
    let copied: Vec<Copied> = stream::iter(copies).buffered(COPIES_AT_ONCE).collect().await;
    let (mut outcomes, mut failed) = (Vec::with_capacity(rows.len()), Vec::new());
    for (it, Copied { ended, etag: copy_etag }) in rows.iter().zip(copied) {
        let is_copied = ended.result == ItemResult::Exported;
        let copy = it.row.export.clone().filter(|_| is_copied);
        let copy_etag = copy_etag.map(SmolStr::from);
        outcomes.push(ItemOutcome { copy, copy_etag, ..outcome(&it.row, it.number, ended.clone()) });
        if !is_copied {
            failed.push((it.number, ended));
        }
    }
    // What has no copy stays, and is counted as what stays.
    session.outcome_of(batch, outcomes, |outcome| outcome.result == ItemResult::Exported)?;
    Ok(failed)
}

/// Makes the copy of one row, unless it is there; [`ItemResult::Exported`] only if it is, and is the same.
async fn export(source: &Bucket, place: &Bucket, row: &PlanRow, since: DateTime<Utc>) -> Copied {
    let Some((_, to)) = row.export_place() else {
        return Ended::because(ItemResult::Failed, "it has no place to be copied to").into();
    };
    let from = At { bucket: source, key: &row.key, version_id: row.version_id.as_deref() };
    let to = At { bucket: place, key: to, version_id: None };
    copy(from, row.etag.as_deref(), to, Some(since), ItemResult::Exported).await
}

/// How copying ended.
pub struct Copied {
    /// What came of it.
    pub ended: Ended,
    /// The ETag of the copy, if there is one that is the same as its original.
    pub etag: Option<String>,
}

impl From<Ended> for Copied {
    fn from(ended: Ended) -> Self {
        Self { ended, etag: None }
    }
}

/// Copies `from`, if it has the ETag `etag`, to where nothing is yet, or a copy from before `since`; `done` only
/// if a copy is there then, and is the same.
pub async fn copy(
    from: At<'_>,
    etag: Option<&str>,
    to: At<'_>,
    since: Option<DateTime<Utc>>,
    done: ItemResult,
) -> Copied {
    let original = match from.bucket.inspect(from.key, from.version_id).await {
        Ok(original) => original,
        Err(error) => return failed("the original could not be looked at", &error).into(),
    };
    let Some(etag) = etag.filter(|etag| original.etag.as_deref() == Some(*etag)) else {
        return Ended::because(ItemResult::Changed, "it is not what was planned any more").into();
    };
    let made = match to.bucket.inspect(to.key, None).await {
        Ok(there) => {
            let copied = judged(from, &original, to, &there, done, "it was there before").await;
            if copied.ended.result != done || !is_older(&there, since) {
                return copied;
            }
            make(from, etag, &original, to, true).await
        }
        Err(error) if error.is_not_found() => make(from, etag, &original, to, false).await,
        Err(error) => return failed("where its copy goes could not be looked at", &error).into(),
    };
    // What was refused in the end may have been sent before: copies are tried several times.
    let is_sent =
        !made.as_ref().is_err_and(|error| !may_be_carried_out(error) && !error.kind().is_retryable());
    let mut copied = made_as(from, &original, to, (since, done), made).await;
    copied.ended.may_follow = is_sent;
    copied
}

/// What came of a copy that was to be made.
async fn made_as(
    from: At<'_>,
    original: &Inspected,
    to: At<'_>,
    (since, done): (Option<DateTime<Utc>>, ItemResult),
    made: Result<(), StoreError>,
) -> Copied {
    match to.bucket.inspect(to.key, None).await {
        Ok(there) if is_older(&there, since) => match made {
            Err(error) => failed("its old copy could not be made anew", &error).into(),
            Ok(()) => Ended::because(ItemResult::Failed, "its copy is older than the plan").into(),
        },
        Ok(there) => judged(from, original, to, &there, done, "it was copied").await,
        Err(error) => match made {
            Err(first) => failed("it could not be copied", &first).into(),
            Ok(()) => failed("its copy could not be looked at", &error).into(),
        },
    }
}

fn is_older(copy: &Inspected, since: Option<DateTime<Utc>>) -> bool {
    // The store tells times in whole seconds.
    since.is_some_and(|since| copy.last_modified < since.trunc_subsecs(0))
}

async fn make(
    from: At<'_>,
    etag: &str,
    original: &Inspected,
    to: At<'_>,
    overwrite: bool,
) -> Result<(), StoreError> {
    let source = CopySource { bucket: from.bucket, key: from.key, version_id: from.version_id, etag };
    let checksum = original.checksums.first().map_or(USUAL_CHECKSUM, |(algorithm, _)| algorithm);
    if original.size <= LARGEST_COPY {
        return to.bucket.copy_from(to.key, &source, checksum, overwrite).await;
    }
    let tags = from.bucket.object_tags(from.key, from.version_id).await?;
    to.bucket.copy_in_parts_from(to.key, &source, (original, &tags), checksum, overwrite).await
}

async fn judged(
    from: At<'_>,
    original: &Inspected,
    to: At<'_>,
    there: &Inspected,
    done: ItemResult,
    how: &str,
) -> Copied {
    match compare((from, original), (to, there)).await {
        Ok(by) => Copied {
            ended: Ended::because(done, format!("{how}, and compared by {by}")),
            etag: there.etag.clone(),
        },
        Err(error) => {
            let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
            let at = format!("s3://{}/{}", to.bucket.name(), to.key);
            Ended::because(ItemResult::Failed, format!("what stands at {at} is no copy of it: {error}{why}"))
                .into()
        }
    }
}

fn failed(what: &str, error: &StoreError) -> Ended {
    let result = match error.kind() {
        kind if kind.is_retryable() => ItemResult::PutOff,
        _ if error.is_denied() => ItemResult::Denied,
        _ => ItemResult::Failed,
    };
    Ended::because(result, format!("{what}: {error}"))
}
