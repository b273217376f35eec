//! Why the sandbox refuses a call, in S3's own error codes.

use s3s::header::CONTENT_TYPE;
use s3s::{S3Error, S3ErrorCode};

/// A call that the sandbox refuses as S3 would: an error code and a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// S3's error code, such as `NoSuchKey`.
    pub code: &'static str,
    /// What S3 says about it.
    pub message: String,
    /// Answer headers that go with it, such as `x-amz-delete-marker`.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), headers: Vec::new() }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn malformed_xml() -> Self {
        Self::new(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    pub(super) fn access_denied() -> Self {
        Self::new("AccessDenied", "Access Denied")
    }

    pub(super) fn precondition_failed() -> Self {
        Self::new("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    }

    pub(super) fn no_such_key() -> Self {
        Self::new("NoSuchKey", "The specified key does not exist.")
    }

    pub(super) fn no_such_bucket() -> Self {
        Self::new("NoSuchBucket", "The specified bucket does not exist")
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new("InvalidArgument", message)
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    pub(super) fn not_implemented() -> Self {
        Self::new(
            "NotImplemented",
            "A header or parameter you provided implies functionality that is not implemented",
        )
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let code = S3ErrorCode::from_bytes(refusal.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut error = Self::with_message(code, refusal.message);
        if !refusal.headers.is_empty() {
            let mut headers = hyper::HeaderMap::new();
            headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/xml"));
            for (name, value) in refusal.headers {
                if let Ok(value) = value.parse() {
                    headers.insert(name, value);
                }
            }
            error.set_headers(headers);
        }
        error
    }
}
