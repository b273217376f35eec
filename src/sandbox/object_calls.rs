//! Calls that write, read, copy and delete objects.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use hyper::{HeaderMap, StatusCode};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, TrailingHeaders};

use super::access::verify_checksums;
use super::attribute_calls::{hold_of, hold_status, instant_of, retention_of};
use super::call::Query;
use super::eligibility::Settings;
use super::model::{Attributes, Body, Bucket, Checksum, Object, Version};
use super::objects::{Condition, Deletion, object_of};
use super::refusal::Refusal;
use super::state::SharedState;

/// The most that one request copies: 5 GiB.
pub(super) const LARGEST_PART: u64 = 5 << 30;

/// How many zeros at a time a body is sent that is only a size.
const ZEROS: Bytes = Bytes::from_static(&[0; 64 * 1024]);

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn put(state: &SharedState, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
    let input = request.input;
    let attributes = attributes_of(&request.headers, input.metadata)?;
    let condition = condition_of(input.if_match, input.if_none_match)?;
    let body = read_body(input.body, &request.headers, request.trailing_headers).await?;
    let body = Body::Bytes(body);
    let checksum = Checksum::asked_for(&request.headers, &body);
    let object = Object { checksum, ..object_of(body, attributes) };
    let mut state = state.lock();
    let settings = state.settings;
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    bucket.check_write(&input.key, condition.as_ref())?;
    let written = bucket.put(now, now, &input.key, object)?;
    Ok(S3Response::new(PutObjectOutput {
        expiration: current_expiration(bucket, &input.key, settings),
        e_tag: Some(ETag::Strong(written.etag)),
        version_id: written.version_id,
        ..PutObjectOutput::default()
    }))
}

fn current_expiration(bucket: &Bucket, key: &str, settings: Settings) -> Option<String> {
    bucket.expiration_header(key, bucket.current(key)?, settings)
}

/// What GET and HEAD tell of a version, as the output type `$output`.
macro_rules! described {
    ($output:ident, $bucket:expr, $key:expr, $version:expr, $object:expr, $settings:expr) => {{
        let attributes = &$object.attributes;
        let content_type = attributes.content_type.as_deref().unwrap_or("binary/octet-stream");
        $output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from($object.body.len()).ok(),
            content_type: Some(content_type.to_owned()),
            e_tag: Some(ETag::Strong($object.etag.clone())),
            expiration: $bucket.expiration_header($key, $version, $settings),
            last_modified: Some(SystemTime::from($version.last_modified).into()),
            metadata: Some(attributes.metadata.clone().into_iter().collect()),
            object_lock_legal_hold_status: attributes
                .legal_hold
                .map(|on| ObjectLockLegalHoldStatus::from_static(hold_status(on))),
            object_lock_mode: attributes
                .retention
                .map(|retention| ObjectLockMode::from_static(retention.mode.as_str())),
            object_lock_retain_until_date: attributes
                .retention
                .map(|retention| SystemTime::from(retention.until).into()),
            replication_status: attributes.replication_status.clone().map(Into::into),
            storage_class: attributes
                .storage_class
                .clone()
                .filter(|class| class != "STANDARD")
                .map(Into::into),
            version_id: $bucket.shown_id($version),
            ..$output::default()
        }
    }};
}

pub(super) async fn get(state: &SharedState, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
    let input = request.input;
    let state = state.lock();
    let bucket = state.bucket(&input.bucket)?;
    let (version, object) = bucket.find_object(&input.key, input.version_id.as_deref())?;
    let read = ReadCondition {
        condition: condition_of(input.if_match, None)?,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    read.check(version, object)?;
    let mut output = described!(GetObjectOutput, bucket, &input.key, version, object, state.settings);
    let size = object.body.len();
    let mut range = 0..size;
    if let Some(wanted) = input.range {
        range = wanted
            .check(size)
            .map_err(|_| Refusal::new("InvalidRange", "The requested range is not satisfiable"))?;
        output.content_range = Some(format!("bytes {}-{}/{size}", range.start, range.end - 1));
        output.content_length = i64::try_from(range.end - range.start).ok();
    }
    let tags = object.attributes.tags.len();
    output.tag_count = i32::try_from(tags).ok().filter(|count| *count > 0);
    output.body = Some(stream_of(&object.body, range));
    Ok(S3Response::new(output))
}

fn stream_of(body: &Body, range: std::ops::Range<u64>) -> StreamingBlob {
    match body {
        Body::Bytes(bytes) => {
            let at = |place: u64| usize::try_from(place).map_or(bytes.len(), |place| place.min(bytes.len()));
            StreamingBlob::from(s3s::Body::from(bytes.slice(at(range.start)..at(range.end))))
        }
        Body::SizeOnly(_) => {
            let zeros = futures::stream::unfold(range.end - range.start, |left| async move {
                let now = left.min(ZEROS.len() as u64);
                let chunk = ZEROS.slice(..usize::try_from(now).unwrap_or(0));
                (now > 0).then(|| (Ok::<_, std::io::Error>(chunk), left - now))
            });
            StreamingBlob::wrap(zeros)
        }
    }
}

pub(super) async fn head(
    state: &SharedState,
    request: S3Request<HeadObjectInput>,
) -> Answer<HeadObjectOutput> {
    let input = request.input;
    let state = state.lock();
    let bucket = state.bucket(&input.bucket)?;
    let (version, object) = bucket.find_object(&input.key, input.version_id.as_deref())?;
    let read = ReadCondition {
        condition: condition_of(input.if_match, None)?,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    read.check(version, object)?;
    let output = described!(HeadObjectOutput, bucket, &input.key, version, object, state.settings);
    let shows = input.checksum_mode.is_some();
    let checksum = object.checksum.as_ref().filter(|_| shows);
    let by = |algorithm: &str| checksum.and_then(|checksum| checksum.by(algorithm));
    let output = HeadObjectOutput {
        checksum_crc32: by("CRC32"),
        checksum_crc32c: by("CRC32C"),
        checksum_crc64nvme: by("CRC64NVME"),
        checksum_sha1: by("SHA1"),
        checksum_sha256: by("SHA256"),
        checksum_type: checksum.map(|_| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        ..output
    };
    let mut response = S3Response::new(output);
    let tags = object.attributes.tags.len();
    if tags > 0 {
        response.headers.insert("x-amz-tagging-count", tags.into());
    }
    Ok(response)
}

/// The conditions of a read.
pub(super) struct ReadCondition {
    pub condition: Option<Condition>,
    pub none_match: Option<IfNoneMatch>,
    pub modified_since: Option<Timestamp>,
    pub unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    pub fn check(&self, version: &Version, object: &Object) -> Result<(), Refusal> {
        if let Some(Condition::Etag(etag)) = &self.condition
            && *etag != object.etag
        {
            return Err(Refusal::precondition_failed());
        }
        let unmodified = |since: &Timestamp| Ok::<_, Refusal>(version.last_modified <= instant_of(since)?);
        if let (None, Some(since)) = (&self.condition, &self.unmodified_since)
            && !unmodified(since)?
        {
            return Err(Refusal::precondition_failed());
        }
        let not_modified = match (&self.none_match, &self.modified_since) {
            (Some(ETagCondition::Any), _) => true,
            (Some(ETagCondition::ETag(etag)), _) => etag.value() == object.etag,
            (None, Some(since)) => unmodified(since)?,
            (None, None) => false,
        };
        if not_modified { Err(Refusal::new("NotModified", "Not Modified")) } else { Ok(()) }
    }
}

pub(super) async fn copy(
    state: &SharedState,
    request: S3Request<CopyObjectInput>,
) -> Answer<CopyObjectOutput> {
    let input = request.input;
    let CopySource::Bucket { bucket: from, key: from_key, version_id: from_version } = &input.copy_source
    else {
        return Err(Refusal::not_implemented().into());
    };
    let mut attributes = attributes_of(&request.headers, input.metadata)?;
    let replaces = input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE");
    let retags = input.tagging_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE");
    let same_place = **from == *input.bucket && **from_key == *input.key && from_version.is_none();
    if same_place && !replaces && !retags && attributes.storage_class.is_none() {
        return Err(Refusal::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing \
             the object's metadata, storage class, website redirect location or encryption attributes.",
        )
        .into());
    }
    let mut state = state.lock();
    let settings = state.settings;
    let source = state.bucket(from)?;
    let (version, object) = source.find_object(from_key, from_version.as_deref()).map_err(|refusal| {
        if refusal.code == "MethodNotAllowed" {
            return Refusal::invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            );
        }
        refusal
    })?;
    let read = ReadCondition {
        condition: condition_of(input.copy_source_if_match, None)?,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    if read.check(version, object).is_err() {
        return Err(Refusal::precondition_failed().into());
    }
    if !replaces {
        attributes.content_type.clone_from(&object.attributes.content_type);
        attributes.metadata.clone_from(&object.attributes.metadata);
    }
    if !retags {
        attributes.tags.clone_from(&object.attributes.tags);
    }
    if object.body.len() > LARGEST_PART {
        let why = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(Refusal::invalid_request(why).into());
    }
    let wanted = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let algorithm = wanted.or(object.checksum.as_ref().map(|checksum| checksum.algorithm));
    let checksum = algorithm.and_then(|algorithm| Checksum::of(algorithm, &object.body));
    let copied = Object { checksum, ..object_of(object.body.clone(), attributes) };
    let copy_source_version_id = source.shown_id(version);
    let condition = header_condition(&request.headers)?;
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    bucket.check_write(&input.key, condition.as_ref())?;
    let written = bucket.put(now, now, &input.key, copied)?;
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(ETag::Strong(written.etag)),
            last_modified: Some(SystemTime::from(written.last_modified).into()),
            ..CopyObjectResult::default()
        }),
        copy_source_version_id,
        expiration: current_expiration(bucket, &input.key, settings),
        version_id: written.version_id,
        ..CopyObjectOutput::default()
    }))
}

pub(super) async fn delete(
    state: &SharedState,
    request: S3Request<DeleteObjectInput>,
) -> Answer<DeleteObjectOutput> {
    let input = request.input;
    // These conditions work in directory buckets only.
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(Refusal::not_implemented().into());
    }
    let deletion = Deletion {
        version_id: input.version_id,
        condition: condition_of(input.if_match, None)?,
        bypass_governance: input.bypass_governance_retention == Some(true),
        mfa: input.mfa.is_some(),
    };
    let mut state = state.lock();
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let deleted = bucket.delete(now, &input.key, &deletion)?;
    let output = DeleteObjectOutput {
        delete_marker: deleted.delete_marker.then_some(true),
        version_id: deleted.version_id,
        ..DeleteObjectOutput::default()
    };
    Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
}

/// The condition of a write or a deletion.
pub(super) fn condition_of(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> Result<Option<Condition>, Refusal> {
    match (if_match, if_none_match) {
        (None, None) => Ok(None),
        (Some(ETagCondition::Any), None) => Ok(Some(Condition::Exists)),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Some(Condition::Etag(etag.into_value()))),
        (None, Some(ETagCondition::Any)) => Ok(Some(Condition::Absent)),
        _ => Err(Refusal::not_implemented()),
    }
}

/// A copy's condition on its target, which the protocol library does not read.
fn header_condition(headers: &HeaderMap) -> Result<Option<Condition>, Refusal> {
    let read = |name: &str| {
        let value = headers.get(name).map(|value| ETagCondition::parse_http_header(value.as_bytes()));
        value.transpose().map_err(|_| Refusal::invalid_argument("The condition is not an entity tag"))
    };
    condition_of(read("if-match")?, read("if-none-match")?)
}

/// What the headers of a write say about the new object.
pub(super) fn attributes_of(headers: &HeaderMap, metadata: Option<Metadata>) -> Result<Attributes, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let until = text("x-amz-object-lock-retain-until-date").map(|text| {
        let unreadable =
            |_| Refusal::invalid_argument("The retain until date must be provided in ISO 8601 format");
        DateTime::parse_from_rfc3339(&text).map(|at| at.with_timezone(&Utc)).map_err(unreadable)
    });
    let until = until.transpose()?.map(|at| SystemTime::from(at).into());
    let hold = text("x-amz-object-lock-legal-hold").map(|status| hold_of(&status));
    let metadata = metadata.unwrap_or_default().into_iter();
    Ok(Attributes {
        content_type: text("content-type"),
        metadata: metadata.map(|(name, value)| (name.to_lowercase(), value)).collect(),
        tags: text("x-amz-tagging")
            .map(|tags| Query::parse(&tags).into_map())
            .transpose()?
            .unwrap_or_default(),
        storage_class: text("x-amz-storage-class"),
        retention: retention_of(text("x-amz-object-lock-mode").as_deref(), until)?,
        legal_hold: hold.transpose()?,
        replication_status: None,
    })
}

/// A whole body, its checksums verified.
pub(super) async fn read_body(
    body: Option<StreamingBlob>,
    headers: &HeaderMap,
    trailing: Option<TrailingHeaders>,
) -> S3Result<Bytes> {
    let mut bytes = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let incomplete = |_| Refusal::new("IncompleteBody", "The request body terminated unexpectedly");
            bytes.extend_from_slice(&chunk.map_err(incomplete)?);
        }
    }
    verify_checksums(headers, &bytes)?;
    if let Some(trailing) = trailing.and_then(|trailing| trailing.take()) {
        verify_checksums(&trailing, &bytes)?;
    }
    Ok(bytes.freeze())
}
