//! The calls that the sandbox answers itself, after the protocol library has checked their signature:
//! listings, `DeleteObjects` and lifecycle configurations.
//!
//! The library would list delete markers and versions apart, leave keys unencoded, and refuse lifecycle
//! elements that it does not know.

use async_trait::async_trait;
use bytes::Bytes;
use hyper::http::Extensions;
use hyper::{HeaderMap, Method, StatusCode, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};

use super::access::{self, checksum_of};
use super::answer::Answer;
use super::call::{Call, Query};
use super::delete_objects;
use super::faults::{Effect, Strike};
use super::list_answers;
use super::quirks::Quirk;
use super::refusal::Refusal;
use super::rules::{LifecycleConfiguration, MinimumSize};
use super::state::SharedState;
use super::xml::Element;

/// Larger bodies than this are refused; S3's own bound on a `DeleteObjects` is 2 MiB.
pub(super) const MAX_XML_BYTES: usize = 8 * 1024 * 1024;

const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";

/// What answers the calls that the sandbox does not leave to the protocol library.
pub(super) struct Routes {
    pub state: SharedState,
}

#[async_trait]
impl S3Route for Routes {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        matches!(
            Call::of(method, uri, headers, &[]).operation,
            "ListObjects"
                | "ListObjectsV2"
                | "ListObjectVersions"
                | "ListMultipartUploads"
                | "DeleteObjects"
                | "GetBucketLifecycleConfiguration"
                | "PutBucketLifecycleConfiguration"
                | "DeleteBucketLifecycle"
                | "Unknown"
        )
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let call = Call::of(&request.method, &request.uri, &request.headers, &[]);
        access::admit(&self.state, request.credentials.is_some(), &call, &request.uri, &request.headers)?;
        Ok(())
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let body = request.input.store_all_limited(MAX_XML_BYTES).await;
        let body = body.map_err(|_| Refusal::malformed_xml())?;
        Ok(self.answer(&request, &body)?.into_response())
    }
}

impl Routes {
    fn answer(&self, request: &S3Request<Body>, body: &Bytes) -> Result<Answer, Refusal> {
        let call = Call::of(&request.method, &request.uri, &request.headers, &[]);
        let query = Query::of(&request.uri);
        let bucket = call.bucket.unwrap_or_default();
        let strike = request.extensions.get::<Strike>().cloned().unwrap_or_default();
        let mut state = self.state.lock();
        match call.operation {
            "ListObjects" => list_answers::objects(state.bucket(&bucket)?, &query, &strike),
            "ListObjectsV2" => list_answers::objects_v2(state.bucket(&bucket)?, &query, &strike),
            "ListObjectVersions" => list_answers::versions(state.bucket(&bucket)?, &query, &strike),
            "ListMultipartUploads" => list_answers::uploads(state.bucket(&bucket)?, &query, &strike),
            "DeleteObjects" => {
                checksum_of(&request.headers, body)?;
                let (bucket, now) = state.bucket_mut(&bucket)?;
                delete_objects::answer(bucket, now, &request.headers, body, &strike)
            }
            "GetBucketLifecycleConfiguration" => {
                let bucket = state.bucket(&bucket)?;
                let is_stale = strike.has(&Effect::Stale);
                let configuration = if is_stale { &bucket.lifecycle_before } else { &bucket.lifecycle };
                let configuration = configuration.as_ref().ok_or_else(no_lifecycle)?;
                let mut answer = Answer::of(configuration.document.clone());
                answer.headers.push((MINIMUM_SIZE, configuration.minimum_size.as_str().to_owned()));
                Ok(answer)
            }
            "PutBucketLifecycleConfiguration" => {
                checksum_of(&request.headers, body)?;
                let minimum = match request.headers.get(MINIMUM_SIZE) {
                    Some(value) => MinimumSize::parse(value.to_str().unwrap_or_default())?,
                    None => MinimumSize::default(),
                };
                let (bucket, _) = state.bucket_mut(&bucket)?;
                bucket.put_lifecycle(body, minimum, &strike.quirks().collect::<Vec<_>>())?;
                let mut answer = Answer::empty(StatusCode::OK);
                answer.headers.push((MINIMUM_SIZE, minimum.as_str().to_owned()));
                Ok(answer)
            }
            "DeleteBucketLifecycle" => {
                let bucket = state.bucket_mut(&bucket)?.0;
                bucket.lifecycle_before = bucket.lifecycle.take();
                Ok(Answer::empty(StatusCode::NO_CONTENT))
            }
            _ => Err(Refusal::not_implemented()),
        }
    }
}

fn no_lifecycle() -> Refusal {
    Refusal::new("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
}

impl super::model::Bucket {
    /// Replaces the whole lifecycle configuration, as S3 does (API:PutBucketLifecycleConfiguration), or as
    /// a store with these quirks.
    pub fn put_lifecycle(
        &mut self,
        document: &[u8],
        minimum: MinimumSize,
        quirks: &[Quirk],
    ) -> Result<(), Refusal> {
        if self.mfa_delete {
            return Err(Refusal::new(
                "InvalidBucketState",
                "Lifecycle configuration is not supported on a bucket with Mfa Authentication",
            ));
        }
        let document = Element::parse(document).map_err(|_| Refusal::malformed_xml())?;
        quirks.iter().try_for_each(|quirk| quirk.check(&document))?;
        let mut configuration = LifecycleConfiguration::read(document, minimum)?;
        quirks.iter().for_each(|quirk| configuration.alter(*quirk));
        self.lifecycle_before = self.lifecycle.replace(configuration);
        Ok(())
    }
}
