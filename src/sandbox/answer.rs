//! What the sandbox answers by itself, before it becomes HTTP.

use hyper::StatusCode;
use s3s::{Body, S3Response};

use super::xml::Element;

/// An answer before it becomes HTTP.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub document: Option<Element>,
}

impl Answer {
    pub fn of(document: Element) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), document: Some(document) }
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), document: None }
    }

    pub fn into_response(self) -> S3Response<Body> {
        let body = self.document.map_or_else(Body::empty, |document| Body::from(document.document()));
        let mut response = S3Response::with_status(body, self.status);
        let headers = self.headers.into_iter().chain([("content-type", "application/xml".to_owned())]);
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                response.headers.insert(name, value);
            }
        }
        response
    }
}
