//! Calls on what can change of an object without a new version: tags, retention, legal holds.

use std::collections::BTreeMap;
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound, Utc};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::refusal::Refusal;
use super::retention::{Retention, RetentionMode};
use super::state::SharedState;

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn tags(
    state: &SharedState,
    request: S3Request<GetObjectTaggingInput>,
) -> Answer<GetObjectTaggingOutput> {
    let input = request.input;
    let state = state.lock();
    let bucket = state.bucket(&input.bucket)?;
    let (version, object) = bucket.find_object(&input.key, input.version_id.as_deref())?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tag_set(&object.attributes.tags),
        version_id: bucket.shown_id(version),
    }))
}

pub(super) async fn set_tags(
    state: &SharedState,
    request: S3Request<PutObjectTaggingInput>,
) -> Answer<PutObjectTaggingOutput> {
    let input = request.input;
    let tags = tag_map(input.tagging.tag_set)?;
    let mut state = state.lock();
    let (bucket, _) = state.bucket_mut(&input.bucket)?;
    bucket.set_tags(&input.key, input.version_id.as_deref(), tags)?;
    let (version, _) = bucket.find_object(&input.key, input.version_id.as_deref())?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: bucket.shown_id(version) }))
}

pub(super) async fn delete_tags(
    state: &SharedState,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Answer<DeleteObjectTaggingOutput> {
    let input = request.input;
    let mut state = state.lock();
    let (bucket, _) = state.bucket_mut(&input.bucket)?;
    bucket.set_tags(&input.key, input.version_id.as_deref(), BTreeMap::new())?;
    let (version, _) = bucket.find_object(&input.key, input.version_id.as_deref())?;
    let output = DeleteObjectTaggingOutput { version_id: bucket.shown_id(version) };
    Ok(S3Response::with_status(output, hyper::StatusCode::NO_CONTENT))
}

pub(super) async fn retention(
    state: &SharedState,
    request: S3Request<GetObjectRetentionInput>,
) -> Answer<GetObjectRetentionOutput> {
    let input = request.input;
    let state = state.lock();
    let retention = state.bucket(&input.bucket)?.retention(&input.key, input.version_id.as_deref())?;
    Ok(S3Response::new(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(retention.mode.as_str())),
            retain_until_date: Some(SystemTime::from(retention.until).into()),
        }),
    }))
}

pub(super) async fn set_retention(
    state: &SharedState,
    request: S3Request<PutObjectRetentionInput>,
) -> Answer<PutObjectRetentionOutput> {
    let input = request.input;
    let wanted = input.retention.unwrap_or_default();
    let to =
        retention_of(wanted.mode.as_ref().map(ObjectLockRetentionMode::as_str), wanted.retain_until_date)?;
    let mut state = state.lock();
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let bypass = input.bypass_governance_retention == Some(true);
    bucket.set_retention(now, &input.key, input.version_id.as_deref(), to, bypass)?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

pub(super) async fn legal_hold(
    state: &SharedState,
    request: S3Request<GetObjectLegalHoldInput>,
) -> Answer<GetObjectLegalHoldOutput> {
    let input = request.input;
    let state = state.lock();
    let on = state.bucket(&input.bucket)?.legal_hold(&input.key, input.version_id.as_deref())?;
    let status = Some(ObjectLockLegalHoldStatus::from_static(hold_status(on)));
    Ok(S3Response::new(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) }))
}

pub(super) async fn set_legal_hold(
    state: &SharedState,
    request: S3Request<PutObjectLegalHoldInput>,
) -> Answer<PutObjectLegalHoldOutput> {
    let input = request.input;
    let wanted = input.legal_hold.and_then(|hold| hold.status).ok_or_else(Refusal::malformed_xml)?;
    let on = hold_of(wanted.as_str())?;
    let mut state = state.lock();
    let (bucket, _) = state.bucket_mut(&input.bucket)?;
    bucket.set_legal_hold(&input.key, input.version_id.as_deref(), on)?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}

/// S3's name of a legal hold's status.
pub(super) fn hold_status(on: bool) -> &'static str {
    if on { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF }
}

/// Reads a legal hold's status.
pub(super) fn hold_of(status: &str) -> Result<bool, Refusal> {
    match status {
        ObjectLockLegalHoldStatus::ON => Ok(true),
        ObjectLockLegalHoldStatus::OFF => Ok(false),
        _ => Err(Refusal::malformed_xml()),
    }
}

/// A retention needs both its mode and its date; neither is none.
pub(super) fn retention_of(
    mode: Option<&str>,
    until: Option<Timestamp>,
) -> Result<Option<Retention>, Refusal> {
    match (mode, until) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            Ok(Some(Retention { mode: RetentionMode::parse(mode)?, until: instant_of(&until)? }))
        }
        _ => Err(Refusal::invalid_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )),
    }
}

/// The protocol library's time as ours.
pub(super) fn instant_of(timestamp: &Timestamp) -> Result<DateTime<Utc>, Refusal> {
    let mut text = Vec::new();
    let unreadable = || Refusal::invalid_argument("The date is not valid");
    timestamp.format(TimestampFormat::DateTime, &mut text).map_err(|_| unreadable())?;
    let text = String::from_utf8(text).map_err(|_| unreadable())?;
    let at = DateTime::parse_from_rfc3339(&text).map_err(|_| unreadable())?;
    Ok(at.with_timezone(&Utc).trunc_subsecs(0))
}

pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> TagSet {
    let tags = tags.iter();
    tags.map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

/// Tags by key; a key twice is refused.
pub(super) fn tag_map(tags: TagSet) -> Result<BTreeMap<String, String>, Refusal> {
    let mut map = BTreeMap::new();
    for tag in tags {
        let key = tag.key.ok_or_else(Refusal::malformed_xml)?;
        if map.insert(key, tag.value.unwrap_or_default()).is_some() {
            return Err(Refusal::new("InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(map)
}
