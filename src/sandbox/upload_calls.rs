//! Calls on multipart uploads.

use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::model::{self, Attributes};
use super::object_calls::{LARGEST_PART, ReadCondition, attributes_of, condition_of, read_body};
use super::refusal::Refusal;
use super::state::SharedState;
use super::values::hex;

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn create(
    state: &SharedState,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let input = request.input;
    let attributes: Attributes = attributes_of(&request.headers, input.metadata)?;
    let mut state = state.lock();
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let upload_id = bucket.initiate(now, &input.key, attributes)?;
    let is_whole = request.headers.get("x-amz-checksum-type").is_some_and(|it| it == "FULL_OBJECT");
    if let (Some(algorithm), true) = (input.checksum_algorithm, is_whole) {
        bucket.want_checksum(&input.key, &upload_id, algorithm.as_str())?;
    }
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(super) async fn put_part(
    state: &SharedState,
    request: S3Request<UploadPartInput>,
) -> Answer<UploadPartOutput> {
    let input = request.input;
    let body = read_body(input.body, &request.headers, request.trailing_headers).await?;
    let mut state = state.lock();
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let body = model::Body::Bytes(body);
    let etag = bucket.put_part(now, &input.key, &input.upload_id, input.part_number, body)?;
    Ok(S3Response::new(UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() }))
}

pub(super) async fn copy_part(
    state: &SharedState,
    request: S3Request<UploadPartCopyInput>,
) -> Answer<UploadPartCopyOutput> {
    let input = request.input;
    let CopySource::Bucket { bucket: from, key, version_id } = &input.copy_source else {
        return Err(Refusal::not_implemented().into());
    };
    let mut state = state.lock();
    let (version, object) = state.bucket(from)?.find_object(key, version_id.as_deref())?;
    let read = ReadCondition {
        condition: condition_of(input.copy_source_if_match, None)?,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    if read.check(version, object).is_err() {
        return Err(Refusal::precondition_failed().into());
    }
    let body = match &input.copy_source_range {
        None => object.body.clone(),
        Some(range) => object.body.part(range).ok_or_else(|| {
            Refusal::invalid_argument(
                "The x-amz-copy-source-range value must be of the form bytes=first-last",
            )
        })?,
    };
    if body.len() > LARGEST_PART {
        return Err(Refusal::invalid_request("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120").into());
    }
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let etag = bucket.put_part(now, &input.key, &input.upload_id, input.part_number, body)?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(ETag::Strong(etag)),
            ..CopyPartResult::default()
        }),
        ..UploadPartCopyOutput::default()
    }))
}

pub(super) async fn parts(
    state: &SharedState,
    request: S3Request<ListPartsInput>,
) -> Answer<ListPartsOutput> {
    let input = request.input;
    let state = state.lock();
    let upload = state.bucket(&input.bucket)?.upload(&input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or(0);
    let max = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or(0).min(1000);
    let mut rest = upload.parts.range(after.saturating_add(1)..);
    let parts: Vec<Part> = rest
        .by_ref()
        .take(max)
        .map(|(number, part)| Part {
            e_tag: Some(ETag::Strong(hex(&part.md5))),
            last_modified: Some(SystemTime::from(part.uploaded).into()),
            part_number: Some(*number),
            size: i64::try_from(part.body.len()).ok(),
            ..Part::default()
        })
        .collect();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(max).ok(),
        is_truncated: Some(rest.next().is_some()),
        parts: Some(parts),
        ..ListPartsOutput::default()
    }))
}

pub(super) async fn complete(
    state: &SharedState,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let input = request.input;
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let named: Option<Vec<(i32, String)>> =
        named.into_iter().map(|part| Some((part.part_number?, part.e_tag?.into_value()))).collect();
    let named = named.ok_or_else(Refusal::malformed_xml)?;
    let condition = condition_of(input.if_match, input.if_none_match)?;
    let mut state = state.lock();
    let settings = state.settings;
    let (bucket, now) = state.bucket_mut(&input.bucket)?;
    let written = bucket.complete(now, &input.key, &input.upload_id, &named, condition.as_ref())?;
    let current = bucket.current(&input.key);
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        expiration: current.and_then(|version| bucket.expiration_header(&input.key, version, settings)),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(written.etag)),
        version_id: written.version_id,
        ..CompleteMultipartUploadOutput::default()
    }))
}

pub(super) async fn abort(
    state: &SharedState,
    request: S3Request<AbortMultipartUploadInput>,
) -> Answer<AbortMultipartUploadOutput> {
    let input = request.input;
    state.lock().bucket_mut(&input.bucket)?.0.abort(&input.key, &input.upload_id)?;
    let output = AbortMultipartUploadOutput::default();
    Ok(S3Response::with_status(output, hyper::StatusCode::NO_CONTENT))
}
