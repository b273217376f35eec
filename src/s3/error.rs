//! What can go wrong between Shelflife and a store, in terms that a caller can act on.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::answer::Broken;
use super::guard::Refused;
use super::xml::Malformed;

type Cause = Box<dyn Error + Send + Sync>;

/// What a request was about, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// S3's name of the operation.
    pub(super) operation: &'static str,
    /// The bucket, if it is about one.
    pub(super) bucket: Option<&'a str>,
    /// The key, if it is about one.
    pub(super) key: Option<&'a str>,
}

/// What kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The bucket, key, version, upload or configuration is not there.
    NotFound,
    /// No permission, or the store does not accept the credentials.
    Denied,
    /// The bucket lies in another region.
    WrongRegion {
        /// That region, where the store names it.
        region: Option<String>,
    },
    /// No answer: no connection, no name, a time-out, or a connection lost on the way.
    Unreachable,
    /// The request could not be sent: no valid credentials, no signature, or plain http.
    NotSent,
    /// The store asks for fewer requests, and still did after all retries.
    Throttled,
    /// The store does not have this operation, or not with this condition.
    NotImplemented,
    /// The object is no longer what the condition asked for (412).
    Changed,
    /// Another request is changing the object at the moment (409).
    Conflict,
    /// A delete marker stands there, which has no metadata and no tags (405).
    DeleteMarker,
    /// The answer is cut off, contradicts itself or is not understood.
    Unreadable,
    /// The store failed, and still did after all retries (5xx).
    Failed,
    /// Any other refusal; see the code.
    Other,
}

impl StoreErrorKind {
    /// Whether the same request may succeed a while later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled | Self::Failed | Self::Unreachable | Self::Conflict)
    }

    /// The kind that an error code, or without one the status, stands for
    /// (API Reference, "Error responses").
    pub(super) fn of(code: Option<&str>, status: Option<u16>) -> Self {
        match (code.unwrap_or_default(), status.unwrap_or_default()) {
            ("SlowDown" | "SlowDownRead" | "SlowDownWrite" | "TooManyRequests" | "Throttling", _) => {
                Self::Throttled
            }
            ("ServiceUnavailable" | "RequestLimitExceeded" | "RequestThrottled", _) | ("", 429 | 503) => {
                Self::Throttled
            }
            ("NoSuchBucket" | "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" | "NotFound", _) => {
                Self::NotFound
            }
            ("NotImplemented", _) | ("", 501) => Self::NotImplemented,
            ("PreconditionFailed", _) | (_, 412) => Self::Changed,
            ("ConditionalRequestConflict" | "OperationAborted", _) => Self::Conflict,
            ("InternalError" | "RequestTimeout", _) => Self::Failed,
            ("AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken", _) => {
                Self::Denied
            }
            (_, 401 | 403) => Self::Denied,
            (_, 404) => Self::NotFound,
            (_, 429) => Self::Throttled,
            (_, 501) => Self::NotImplemented,
            (_, 500..) => Self::Failed,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Denied => "access denied",
            Self::WrongRegion { region: Some(region) } => {
                return write!(f, "the bucket lies in region {}", Printable(region));
            }
            Self::WrongRegion { region: None } => "the bucket lies in another region",
            Self::Unreachable => "no answer from the store",
            Self::NotSent => "the request could not be sent",
            Self::Throttled => "the store is asking for fewer requests",
            Self::NotImplemented => "the store does not implement this",
            Self::Changed => "no longer what was asked for",
            Self::Conflict => "another request is changing it",
            Self::DeleteMarker => "a delete marker stands there",
            Self::Unreadable => "the answer could not be read",
            Self::Failed => "the store failed",
            Self::Other => "the store refused",
        })
    }
}

/// A request that did not do what it was sent for.
///
/// Says what was asked, of which bucket and key, and what the store said to it; never
/// credentials, headers or bodies.
#[derive(Debug)]
pub struct StoreError(Box<Details>);

#[derive(Debug)]
struct Details {
    operation: &'static str,
    bucket: Option<String>,
    key: Option<String>,
    kind: StoreErrorKind,
    code: Option<String>,
    message: Option<String>,
    status: Option<u16>,
    request_id: Option<String>,
    source: Option<Cause>,
}

impl StoreError {
    /// S3's name of the operation that failed.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The bucket that it was about, if one.
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.as_deref()
    }

    /// The key that it was about, if one.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &StoreErrorKind {
        &self.0.kind
    }

    /// The store's error code, where it sent one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Whether the status says that it succeeded: S3 may send that before all is done that was asked for, and
    /// what goes wrong afterwards stands in the body.
    pub fn came_with_success(&self) -> bool {
        self.0.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether permission is what is missing.
    pub fn is_denied(&self) -> bool {
        self.0.kind == StoreErrorKind::Denied
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.0.kind == StoreErrorKind::NotFound
    }

    /// Whether the store lacks the operation.
    pub fn is_not_implemented(&self) -> bool {
        self.0.kind == StoreErrorKind::NotImplemented
    }

    /// An answer that came whole and yet cannot be what it should.
    pub(super) fn unreadable(call: Call<'_>, why: impl Into<Cause>) -> Self {
        Self::new(call, StoreErrorKind::Unreadable, Some(why.into()))
    }

    /// A request that is not to be sent.
    pub(super) fn not_sent(call: Call<'_>, why: impl Into<Cause>) -> Self {
        Self::new(call, StoreErrorKind::NotSent, Some(why.into()))
    }

    fn new(call: Call<'_>, kind: StoreErrorKind, source: Option<Cause>) -> Self {
        Self(Box::new(Details {
            operation: call.operation,
            bucket: call.bucket.map(str::to_owned),
            key: call.key.map(str::to_owned),
            kind,
            code: None,
            message: None,
            status: None,
            request_id: None,
            source,
        }))
    }

    /// What the SDK's error means.
    pub(super) fn from_sdk<E>(call: Call<'_>, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let answer = error.raw_response().map(Answer::of);
        let mut translated = match error {
            SdkError::ServiceError(service) => {
                let meta = service.err().meta();
                let (code, message) = (meta.code().map(str::to_owned), meta.message().map(str::to_owned));
                let status = answer.as_ref().map(|answer| answer.status);
                let kind = StoreErrorKind::of(code.as_deref(), status);
                // A 2xx that is no S3 error document: the SDK could not read it.
                let unread = code.is_none() && status.is_some_and(|status| status < 300);
                let (kind, source) = if unread {
                    (StoreErrorKind::Unreadable, Some(Cause::from(service.into_err())))
                } else {
                    (kind, None)
                };
                let mut translated = Self::new(call, kind, source);
                translated.0.code = code;
                translated.0.message = message;
                translated
            }
            SdkError::DispatchFailure(failure) => {
                let is_user = failure.is_user();
                let source = SdkError::<E, HttpResponse>::DispatchFailure(failure).into_source().ok();
                // Anything else may have failed after the store had the whole request.
                let kind = if is_user || source.as_deref().is_some_and(is_caused_by::<Refused>) {
                    StoreErrorKind::NotSent
                } else {
                    StoreErrorKind::Unreachable
                };
                Self::new(call, kind, source)
            }
            SdkError::ConstructionFailure(_) => {
                Self::new(call, StoreErrorKind::NotSent, error.into_source().ok())
            }
            error => {
                let source = error.into_source().ok();
                let broken = source
                    .as_deref()
                    .is_some_and(|error| is_caused_by::<Broken>(error) || is_caused_by::<Malformed>(error));
                let kind = if broken { StoreErrorKind::Unreadable } else { StoreErrorKind::Unreachable };
                Self::new(call, kind, source)
            }
        };
        if let Some(answer) = answer {
            translated.0.status = Some(answer.status);
            translated.0.request_id = answer.request_id;
            if answer.marker && answer.status == 405 {
                translated.0.kind = StoreErrorKind::DeleteMarker;
            }
            if matches!(answer.status, 301 | 307 | 308)
                || translated.code() == Some("AuthorizationHeaderMalformed")
            {
                translated.0.kind = StoreErrorKind::WrongRegion { region: answer.region };
            }
        }
        translated
    }

    /// The same error seen to be about a bucket that lies in `region`.
    pub(super) fn in_region(mut self, region: String) -> Self {
        self.0.kind = StoreErrorKind::WrongRegion { region: Some(region) };
        self
    }
}

/// What the headers of an error answer tell.
struct Answer {
    status: u16,
    request_id: Option<String>,
    region: Option<String>,
    marker: bool,
}

impl Answer {
    fn of(response: &HttpResponse) -> Self {
        let header = |name: &str| response.headers().get(name).map(str::to_owned);
        Self {
            status: response.status().as_u16(),
            request_id: header("x-amz-request-id"),
            region: header("x-amz-bucket-region"),
            marker: response.headers().get("x-amz-delete-marker") == Some("true"),
        }
    }
}

fn is_caused_by<T: Error + 'static>(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<T>() {
            return true;
        }
        next = error.source();
    }
    false
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { operation, bucket, key, kind, code, message, status, request_id, .. } = &*self.0;
        f.write_str(operation)?;
        if let Some(bucket) = bucket {
            write!(f, " s3://{}", Printable(bucket))?;
        }
        if let Some(key) = key {
            write!(f, "/{}", Printable(key))?;
        }
        write!(f, ": {kind}")?;
        if let Some(code) = code {
            write!(f, " ({}", Printable(code))?;
            if let Some(message) = message {
                write!(f, ": {}", Printable(message))?;
            }
            f.write_str(")")?;
        } else if let Some(status) = status.filter(|status| *status >= 300) {
            write!(f, " (status {status})")?;
        }
        if let Some(id) = request_id {
            write!(f, ", request {}", Printable(id))?;
        }
        Ok(())
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Text of others with what could drive a terminal written out.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            let steers =
                matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if c.is_control() || steers {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        Ok(())
    }
}
