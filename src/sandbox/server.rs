//! The HTTP side: takes connections, lets faults and hooks have their way, keeps the log.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use tokio::net::TcpListener;

use super::call::{Call, RequestRecord};
use super::faults::{Effect, Faults, Strike};
use super::journal::{self, Journal};
use super::objects::http_date;
use super::routes::MAX_XML_BYTES;
use super::state::SharedState;
use super::values::hex;
use super::xml::Element;

/// What a test wants done just before an operation is served.
pub(super) type Hook = Box<dyn FnMut(&Call) + Send>;

/// What all connections share.
pub(super) struct Front {
    pub state: SharedState,
    pub service: S3Service,
    pub faults: Faults,
    /// How many requests have arrived.
    pub arrived: AtomicU64,
    pub log: Mutex<Vec<RequestRecord>>,
    pub hooks: Mutex<HashMap<String, Vec<Hook>>>,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was made to get lost")]
struct AnswerLost;

impl Front {
    /// Serves connections until it is dropped.
    pub async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely: until some connection ends.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            // Answers are small: without this each waits for the peer's acknowledgement.
            let _ = stream.set_nodelay(true);
            let front = Arc::clone(&self);
            let service = service_fn(move |request| {
                let front = Arc::clone(&front);
                async move { front.serve(request).await }
            });
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new();
                // An error means that the peer went away, or that a fault closed the connection.
                let _ = connection.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Response<s3s::Body>, AnswerLost> {
        let (parts, body) = request.into_parts();
        // Only a DeleteObjects names its keys in the body.
        let (body, seen) = if parts.method == Method::POST {
            let read = Limited::new(body, MAX_XML_BYTES).collect().await;
            let bytes = read.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            (s3s::Body::from(bytes.clone()), bytes)
        } else {
            (s3s::Body::from(body), Bytes::new())
        };
        let call = Call::of(&parts.method, &parts.uri, &parts.headers, &seen);
        let number = self.arrived.fetch_add(1, Ordering::Relaxed) + 1;
        let before = self.journal().len();
        self.run_hooks(&call);
        let strike = self.faults.strike(&call);
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(strike.clone());
        let answer = self.answer(number, &call, request, &strike).await;
        self.record(number, call, answer.as_ref().ok().map(|answer| answer.status().as_u16()), before);
        answer
    }

    fn journal(&self) -> Journal {
        self.state.lock().journal.clone()
    }

    async fn answer(
        &self,
        number: u64,
        call: &Call,
        request: Request<s3s::Body>,
        strike: &Strike,
    ) -> Result<Response<s3s::Body>, AnswerLost> {
        for effect in strike.effects() {
            if let Effect::Delay(time) = effect {
                tokio::time::sleep(*time).await;
            }
        }
        strike.meddle(false, call);
        if strike.has(&Effect::Unreachable) {
            return Err(AnswerLost);
        }
        let made_up = strike.effects().find_map(|effect| match effect {
            Effect::Refuse(status, code) => Some((StatusCode::from_u16(*status).ok()?, *code)),
            Effect::SlowDown => Some((StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
            Effect::InternalError => Some((StatusCode::INTERNAL_SERVER_ERROR, "InternalError")),
            Effect::AccessDenied => Some((StatusCode::FORBIDDEN, "AccessDenied")),
            Effect::NotImplemented => Some((StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
            Effect::ErrorBody(code) => Some((StatusCode::OK, *code)),
            _ => None,
        });
        let mut answer = match made_up {
            Some((status, code)) => {
                // Read to its end, so that the connection can be used again.
                let _ = request.into_body().collect().await;
                error_answer(status, code)
            }
            None => match journal::in_the_name_of(number, self.service.call(request)).await {
                Ok(answer) => answer,
                Err(_) => error_answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            },
        };
        strike.meddle(true, call);
        if strike.has(&Effect::AnswerLost) {
            return Err(AnswerLost);
        }
        for effect in strike.effects() {
            match effect {
                Effect::CutBody(at) => answer = cut(answer, *at, false).await,
                Effect::AbortBody(at) => answer = cut(answer, *at, true).await,
                Effect::Header(name, Some(value)) => {
                    answer.headers_mut().insert(*name, HeaderValue::from_static(value));
                }
                Effect::Header(name, None) => {
                    answer.headers_mut().remove(*name);
                }
                _ => {}
            }
        }
        self.stamp(&mut answer);
        Ok(answer)
    }

    /// Every answer of S3 carries its time and a request id.
    fn stamp(&self, answer: &mut Response<s3s::Body>) {
        let now = self.state.lock().now();
        let number = self.log.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
            answer.headers_mut().insert(DATE, date);
        }
        if let Ok(id) = HeaderValue::from_str(&hex(&number.to_be_bytes()).to_uppercase()) {
            answer.headers_mut().insert("x-amz-request-id", id);
        }
    }

    fn record(&self, number: u64, call: Call, status: Option<u16>, before: usize) {
        let (at, after) = {
            let state = self.state.lock();
            (state.now(), state.journal.len())
        };
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(RequestRecord { number, call, status, at, changes: before..after });
    }

    fn run_hooks(&self, call: &Call) {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        for hook in hooks.get_mut(call.operation).into_iter().flatten() {
            hook(call);
        }
    }
}

fn error_answer(status: StatusCode, code: &str) -> Response<s3s::Body> {
    if code.is_empty() {
        let mut answer = Response::new(s3s::Body::empty());
        *answer.status_mut() = status;
        return answer;
    }
    let mut error = Element::new("Error");
    error.push("Code", code).push("Message", "Made to fail by the sandbox.");
    let mut answer = Response::new(s3s::Body::from(error.document()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}

/// Ends a body after `at` bytes: cleanly, with the Content-Length of what is left, or by breaking the
/// connection while Content-Length promises the whole.
async fn cut(answer: Response<s3s::Body>, at: usize, breaking: bool) -> Response<s3s::Body> {
    let (mut head, body) = answer.into_parts();
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let left = whole.slice(..at.min(whole.len()));
    let promised = if breaking { whole.len() } else { left.len() };
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(promised));
    let body = if breaking && left.len() < whole.len() {
        let frames = [Ok(Frame::data(left)), Err(io::Error::from(io::ErrorKind::ConnectionAborted))];
        s3s::Body::http_body_unsync(StreamBody::new(futures::stream::iter(frames)))
    } else {
        let body: Full<Bytes> = Full::new(left);
        s3s::Body::http_body_unsync(body.map_err(|never: Infallible| match never {}))
    };
    Response::from_parts(head, body)
}
