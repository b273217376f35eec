//! Takes the XML of an answer whole, before the SDK reads it.
//!
//! The SDK takes a document that ends anywhere for a shorter one. Here an answer without its
//! root's end tag is a broken answer, which the SDK then asks for again like one that broke off on
//! the wire, with its backoff and its retry budget. A whole answer is handed to our own readers and
//! the SDK finds an empty one; an `<Error>`, or any other root, is left to the SDK.

use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use memchr::{memchr, memmem};

/// No answer of S3 is as long; what is, is not read to its end.
const LONGEST: usize = 64 << 20;

/// An answer that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It ends before its root element does.
    #[error("the answer was cut off before the end of `{0}`")]
    Cut(&'static str),
    /// It goes on and on.
    #[error("the answer is longer than any of S3")]
    Endless,
}

/// Takes the answer with this root.
#[derive(Clone, Debug)]
pub(super) struct Take {
    root: &'static str,
    taken: Arc<Mutex<Option<Bytes>>>,
    objected: Arc<AtomicBool>,
}

impl Take {
    /// For answers whose root element has this name.
    pub(super) fn new(root: &'static str) -> Self {
        Self { root, taken: Arc::default(), objected: Arc::default() }
    }

    /// The root element's name.
    pub(super) const fn root(&self) -> &'static str {
        self.root
    }

    /// Whether the store has asked for fewer requests before it answered.
    pub(super) fn objected(&self) -> bool {
        self.objected.load(Ordering::Relaxed)
    }

    /// What was taken; `None` if the answer had another root and the SDK made do with that.
    pub(super) fn taken(&self) -> Option<Bytes> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for Take {
    fn name(&self) -> &'static str {
        "TakeAnswer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if matches!(response.status().as_u16(), 429 | 503) {
            self.objected.store(true, Ordering::Relaxed);
        }
        if response.status().is_success() {
            let inner = mem::replace(response.body_mut(), SdkBody::taken());
            let announced = usize::try_from(inner.size_hint().lower()).unwrap_or(LONGEST).min(LONGEST);
            let body = Diverted { inner, announced, read: Read::Nothing, to: self.clone(), over: false };
            *response.body_mut() = SdkBody::from_body_1_x(body);
        }
        Ok(())
    }
}

/// A body that is kept back until it has ended.
struct Diverted {
    inner: SdkBody,
    /// How long it says it is.
    announced: usize,
    read: Read,
    to: Take,
    over: bool,
}

/// What there is of a body. What comes in one piece is not copied; it keeps the connection's buffer, which is
/// less than half a megabyte, from being used again.
#[derive(Debug)]
enum Read {
    Nothing,
    Piece(Bytes),
    Pieces(Vec<u8>),
}

impl Read {
    /// Adds a piece to what is to be at least `announced` bytes long, and says how long it is now.
    fn add(&mut self, piece: Bytes, announced: usize) -> usize {
        *self = match mem::replace(self, Self::Nothing) {
            Self::Nothing => Self::Piece(piece),
            Self::Piece(first) => {
                let mut pieces = Vec::with_capacity(announced.max(first.len() + piece.len()));
                pieces.extend_from_slice(&first);
                pieces.extend_from_slice(&piece);
                Self::Pieces(pieces)
            }
            Self::Pieces(mut pieces) => {
                pieces.extend_from_slice(&piece);
                Self::Pieces(pieces)
            }
        };
        match self {
            Self::Nothing => 0,
            Self::Piece(piece) => piece.len(),
            Self::Pieces(pieces) => pieces.len(),
        }
    }

    fn whole(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::Piece(piece) => piece,
            Self::Pieces(pieces) => Bytes::from(pieces),
        }
    }
}

impl Body for Diverted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        loop {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let announced = self.announced;
                    if frame.into_data().is_ok_and(|piece| self.read.add(piece, announced) > LONGEST) {
                        self.over = true;
                        return Poll::Ready(Some(Err(Broken::Endless.into())));
                    }
                }
                Some(Err(error)) => {
                    self.over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.over = true;
                    return Poll::Ready(Some(self.ended().map(Frame::data).map_err(Into::into)));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

impl Diverted {
    fn ended(&mut self) -> Result<Bytes, Broken> {
        let read = mem::replace(&mut self.read, Read::Nothing).whole();
        match judge(&read, self.to.root) {
            Judged::Other => Ok(read),
            Judged::Cut => Err(Broken::Cut(self.to.root)),
            Judged::Whole => {
                *self.to.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                Ok(Bytes::from(format!("<{root}></{root}>", root = self.to.root)))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Judged {
    Whole,
    Cut,
    Other,
}

/// Whether a body ends with the end tag of its root. The readers check all of it later; this is
/// only to ask again for what broke off.
fn judge(body: &[u8], root: &str) -> Judged {
    let Some((name, tag_end)) = root_tag(body) else { return Judged::Cut };
    if name.rsplit(|byte| *byte == b':').next() != Some(root.as_bytes()) {
        return Judged::Other;
    }
    let Some(body) = body.trim_ascii_end().strip_suffix(b">") else { return Judged::Cut };
    let closed_itself = body.len() == tag_end && body.ends_with(b"/");
    let closed = body.trim_ascii_end().strip_suffix(name).is_some_and(|rest| rest.ends_with(b"</"));
    if closed_itself || closed { Judged::Whole } else { Judged::Cut }
}

/// The root's name as written, and the offset of the `>` that ends its start tag.
fn root_tag(body: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = body.iter().position(|byte| *byte == b'<')?;
    loop {
        let rest = &body[at..];
        let end: &[u8] = if rest.starts_with(b"<?") {
            b"?>"
        } else if rest.starts_with(b"<!--") {
            b"-->"
        } else {
            break;
        };
        at += memmem::find(rest, end)? + end.len();
        at += memchr(b'<', &body[at..])?;
    }
    let name = &body[at + 1..];
    let len = name.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'))?;
    let tag_end = memchr(b'>', &name[len..])?;
    Some((&name[..len], at + 1 + len + tag_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<?xml version=\"1.0\"?>\n<!-- a --><Tagging xmlns=\"http://s3\"><TagSet/></Tagging>";

    #[test]
    fn an_answer_cut_anywhere_is_never_whole() {
        assert_eq!(judge(WHOLE.as_bytes(), "Tagging"), Judged::Whole);
        for end in 0..WHOLE.len() {
            assert_eq!(judge(&WHOLE.as_bytes()[..end], "Tagging"), Judged::Cut, "{}", &WHOLE[..end]);
        }
    }

    #[test]
    fn white_space_after_the_end_and_a_root_that_closes_itself_are_whole() {
        assert_eq!(judge(format!("{WHOLE} \r\n").as_bytes(), "Tagging"), Judged::Whole);
        assert_eq!(judge(b"<Tagging/>", "Tagging"), Judged::Whole);
        assert_eq!(judge(b"<s:Tagging a='1' />", "Tagging"), Judged::Whole);
        assert_eq!(judge(b"<s:Tagging></s:Tagging >", "Tagging"), Judged::Whole);
        assert_eq!(judge(b"<Tagging><TagSet/>", "Tagging"), Judged::Cut);
    }

    #[test]
    fn another_root_is_left_to_the_sdk() {
        assert_eq!(judge(b"<Error><Code>SlowDown</Code></Error>", "Tagging"), Judged::Other);
        assert_eq!(judge(b"<!DOCTYPE html><html></html>", "Tagging"), Judged::Other);
    }
}
