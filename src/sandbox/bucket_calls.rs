//! Calls on buckets and their settings.

use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::access::signed_region;
use super::attribute_calls::{tag_map, tag_set};
use super::model::Versioning;
use super::objects::valid_tags;
use super::refusal::Refusal;
use super::retention::{DefaultPeriod, LockConfiguration, RetentionMode};
use super::state::{ACCOUNT, BucketOptions, SharedState};

/// Where a bucket is that was created without a location.
const DEFAULT_REGION: &str = "us-east-1";

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn list(
    state: &SharedState,
    request: S3Request<ListBucketsInput>,
) -> Answer<ListBucketsOutput> {
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let max = input.max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(10_000);
    let state = state.lock();
    let mut found = state
        .buckets
        .values()
        .filter(|bucket| bucket.name.starts_with(&prefix) && bucket.name > after)
        .filter(|bucket| input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region));
    let buckets: Vec<Bucket> = found
        .by_ref()
        .take(max)
        .map(|bucket| Bucket {
            name: Some(bucket.name.clone()),
            bucket_region: Some(bucket.region.clone()),
            creation_date: Some(SystemTime::from(bucket.created).into()),
        })
        .collect();
    let more = found.next().is_some();
    Ok(S3Response::new(ListBucketsOutput {
        continuation_token: buckets.last().filter(|_| more).and_then(|last| last.name.clone()),
        buckets: Some(buckets),
        owner: Some(Owner { id: Some(ACCOUNT.to_owned()), ..Owner::default() }),
        prefix: (!prefix.is_empty()).then_some(prefix),
    }))
}

pub(super) async fn create(
    state: &SharedState,
    request: S3Request<CreateBucketInput>,
) -> Answer<CreateBucketOutput> {
    let signed = signed_region(&request.uri, &request.headers).unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let input = request.input;
    let wanted = input.create_bucket_configuration.and_then(|settings| settings.location_constraint);
    let region = wanted.map_or_else(|| DEFAULT_REGION.to_owned(), |region| region.as_str().to_owned());
    if region != signed {
        return Err(Refusal::new(
            "IllegalLocationConstraintException",
            format!(
                "The {region} location constraint is incompatible for the region specific endpoint this \
                 request was sent to."
            ),
        )
        .into());
    }
    let location = Some(format!("/{}", input.bucket));
    let options = BucketOptions {
        name: input.bucket,
        region,
        lock: (input.object_lock_enabled_for_bucket == Some(true)).then(LockConfiguration::default),
        ..BucketOptions::default()
    };
    state.lock().create_bucket(options)?;
    Ok(S3Response::new(CreateBucketOutput { location }))
}

pub(super) async fn delete(
    state: &SharedState,
    request: S3Request<DeleteBucketInput>,
) -> Answer<DeleteBucketOutput> {
    state.lock().delete_bucket(&request.input.bucket)?;
    Ok(S3Response::with_status(DeleteBucketOutput::default(), hyper::StatusCode::NO_CONTENT))
}

pub(super) async fn head(
    state: &SharedState,
    request: S3Request<HeadBucketInput>,
) -> Answer<HeadBucketOutput> {
    let state = state.lock();
    let bucket = state.bucket(&request.input.bucket)?;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(bucket.region.clone()),
        ..HeadBucketOutput::default()
    }))
}

pub(super) async fn location(
    state: &SharedState,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    let state = state.lock();
    let region = &state.bucket(&request.input.bucket)?.region;
    let location_constraint = (region != DEFAULT_REGION).then(|| region.clone().into());
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub(super) async fn versioning(
    state: &SharedState,
    request: S3Request<GetBucketVersioningInput>,
) -> Answer<GetBucketVersioningOutput> {
    let state = state.lock();
    let bucket = state.bucket(&request.input.bucket)?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(S3Response::new(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        mfa_delete: bucket.mfa_delete.then(|| MFADeleteStatus::from_static(MFADeleteStatus::ENABLED)),
    }))
}

pub(super) async fn set_versioning(
    state: &SharedState,
    request: S3Request<PutBucketVersioningInput>,
) -> Answer<PutBucketVersioningOutput> {
    let input = request.input;
    let wanted = input.versioning_configuration;
    let mut state = state.lock();
    let (bucket, _) = state.bucket_mut(&input.bucket)?;
    let to = match wanted.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(Refusal::new(
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            )
            .into());
        }
    };
    if bucket.lock.is_some() && to == Versioning::Suspended {
        return Err(Refusal::new(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        )
        .into());
    }
    let mfa_delete = wanted.mfa_delete.map(|wanted| wanted.as_str() == MFADelete::ENABLED);
    if (bucket.mfa_delete || mfa_delete == Some(true)) && input.mfa.is_none() {
        return Err(super::objects::mfa_required().into());
    }
    if mfa_delete == Some(true) && bucket.lifecycle.is_some() {
        return Err(Refusal::new(
            "InvalidBucketState",
            "Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle \
             configuration before enabling Mfa Authentication.",
        )
        .into());
    }
    bucket.versioning = to;
    bucket.mfa_delete = mfa_delete.unwrap_or(bucket.mfa_delete);
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

pub(super) async fn tags(
    state: &SharedState,
    request: S3Request<GetBucketTaggingInput>,
) -> Answer<GetBucketTaggingOutput> {
    let state = state.lock();
    let tags = &state.bucket(&request.input.bucket)?.tags;
    if tags.is_empty() {
        return Err(Refusal::new("NoSuchTagSet", "The TagSet does not exist").into());
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tag_set(tags) }))
}

pub(super) async fn set_tags(
    state: &SharedState,
    request: S3Request<PutBucketTaggingInput>,
) -> Answer<PutBucketTaggingOutput> {
    let tags = tag_map(request.input.tagging.tag_set)?;
    valid_tags(&tags, 50)?;
    state.lock().bucket_mut(&request.input.bucket)?.0.tags = tags;
    Ok(S3Response::with_status(PutBucketTaggingOutput::default(), hyper::StatusCode::NO_CONTENT))
}

pub(super) async fn delete_tags(
    state: &SharedState,
    request: S3Request<DeleteBucketTaggingInput>,
) -> Answer<DeleteBucketTaggingOutput> {
    state.lock().bucket_mut(&request.input.bucket)?.0.tags.clear();
    Ok(S3Response::with_status(DeleteBucketTaggingOutput::default(), hyper::StatusCode::NO_CONTENT))
}

pub(super) async fn lock(
    state: &SharedState,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> Answer<GetObjectLockConfigurationOutput> {
    let state = state.lock();
    let lock = state.bucket(&request.input.bucket)?.lock.ok_or_else(|| {
        Refusal::new(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        )
    })?;
    let rule = lock.default.map(|(mode, period)| {
        let (days, years) = match period {
            DefaultPeriod::Days(days) => (i32::try_from(days).ok(), None),
            DefaultPeriod::Years(years) => (None, i32::try_from(years).ok()),
        };
        let mode = Some(ObjectLockRetentionMode::from_static(mode.as_str()));
        ObjectLockRule { default_retention: Some(DefaultRetention { days, mode, years }) }
    });
    Ok(S3Response::new(GetObjectLockConfigurationOutput {
        object_lock_configuration: Some(ObjectLockConfiguration {
            object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
            rule,
        }),
    }))
}

pub(super) async fn set_lock(
    state: &SharedState,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> Answer<PutObjectLockConfigurationOutput> {
    let wanted = request.input.object_lock_configuration.ok_or_else(Refusal::malformed_xml)?;
    if wanted.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str) != Some(ObjectLockEnabled::ENABLED)
    {
        return Err(Refusal::malformed_xml().into());
    }
    let default = match wanted.rule.and_then(|rule| rule.default_retention) {
        None => None,
        Some(retention) => {
            let mode = retention.mode.ok_or_else(Refusal::malformed_xml)?;
            let positive = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
            let period = match (retention.days, retention.years) {
                (Some(days), None) => positive(days).map(DefaultPeriod::Days),
                (None, Some(years)) => positive(years).map(DefaultPeriod::Years),
                _ => return Err(Refusal::malformed_xml().into()),
            };
            let period = period.ok_or_else(|| {
                Refusal::invalid_argument("Default retention period must be a positive integer value.")
            })?;
            Some((RetentionMode::parse(mode.as_str())?, period))
        }
    };
    state.lock().bucket_mut(&request.input.bucket)?.0.configure_lock(LockConfiguration { default })?;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}
