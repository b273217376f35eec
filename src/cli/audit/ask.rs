//! Asking the store about single objects: when it will expire them, and whether they are replicated.

use tokio::task::JoinSet;

use super::super::exit::Failure;
use crate::audit::{Asked, Auditor, Candidate, Comparison, Standing, compare, foretold};
use crate::lifecycle::Match;
use crate::object::{Kind, Reading, Unreadable};
use crate::s3::{Bucket, Head};
use crate::survey::{READS_AT_ONCE, Survey};

/// What came of asking about one object.
enum Answer {
    Said(Box<(Candidate, Head)>),
    /// It is gone, or something else stands there.
    Changed,
    Failed(String),
}

/// Asks about all `candidates`, all of one bucket, and counts the answers.
pub async fn ask(
    survey: &Survey<'_>,
    standing: &Standing,
    candidates: Vec<Candidate>,
    auditor: &mut Auditor<'_>,
    asked: &mut Asked,
    asked_one: impl Fn(),
) {
    let mut running = JoinSet::new();
    let mut waiting = candidates.into_iter();
    loop {
        while running.len() < READS_AT_ONCE
            && let Some(candidate) = waiting.next()
        {
            let rules = foretold(standing.document.as_ref(), survey.facts.versioning, &candidate.observed());
            let needs_tags = rules.iter().any(|removal| removal.matches == Match::NeedsTags);
            running.spawn(ask_one(survey.bucket.clone(), candidate, needs_tags));
        }
        match running.join_next().await {
            None => break,
            Some(Ok(Answer::Said(said))) => {
                let (candidate, head) = *said;
                count(survey, standing, &candidate, &head, auditor, asked).await;
            }
            Some(Ok(Answer::Changed)) => asked.changed += 1,
            Some(Ok(Answer::Failed(why))) => {
                asked.failed.0 += 1;
                asked.failed.1.get_or_insert(why);
            }
            Some(Err(error)) => {
                asked.failed.0 += 1;
                asked.failed.1.get_or_insert(error.to_string());
            }
        }
        asked_one();
    }
}

async fn ask_one(bucket: Bucket, mut candidate: Candidate, needs_tags: bool) -> Answer {
    // The header comes for the latest version alone, so none is named.
    let head = match bucket.head(&candidate.key, None).await {
        Ok(head) => head,
        Err(error) if error.is_not_found() => return Answer::Changed,
        Err(error) => return Answer::Failed(Failure::chain(&error)),
    };
    let is_same = head.etag == candidate.etag
        && head.last_modified.timestamp() == candidate.uploaded.timestamp()
        && (head.version_id.is_none()
            || candidate.version_id.is_none()
            || head.version_id == candidate.version_id);
    if !is_same {
        return Answer::Changed;
    }
    if needs_tags {
        candidate.tags = match bucket.object_tags(&candidate.key, candidate.version_id.as_deref()).await {
            Ok(tags) => Reading::Known(tags),
            Err(error) if error.is_denied() => Reading::Unknown(Unreadable::Denied),
            Err(_) => Reading::Unknown(Unreadable::Failed),
        };
    }
    Answer::Said(Box::new((candidate, head)))
}

async fn count(
    survey: &Survey<'_>,
    standing: &Standing,
    candidate: &Candidate,
    head: &Head,
    auditor: &mut Auditor<'_>,
    asked: &mut Asked,
) {
    let rules = foretold(standing.document.as_ref(), survey.facts.versioning, &candidate.observed());
    let comparison = compare(&rules, head.expiration.as_deref());
    asked.add_replication(candidate, head.replication_status.as_deref());
    if let Comparison::Differ(difference) = &comparison
        && let Some(theirs) = difference.theirs()
        && difference.ours().is_none_or(|ours| theirs.date < ours.date)
    {
        // Sooner than what has been judged already: that date is put to the decider too.
        match survey.examine(&candidate.key).await {
            Ok(examined) => {
                let latest = examined.observed().find(|found| {
                    found.superseded.is_none()
                        && matches!(found.kind, Kind::Object | Kind::Version)
                        && found.etag == candidate.etag.as_deref()
                });
                if let Some(object) = latest {
                    auditor.take_forecast(standing, &object, &theirs.rule, theirs.date);
                }
            }
            Err(error) => {
                asked.failed.0 += 1;
                asked.failed.1.get_or_insert(Failure::chain(&error));
            }
        }
    }
    asked.add(candidate, head.expiration.as_deref(), comparison);
}
