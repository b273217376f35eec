//! The bare download: asks for the pages of a listing one after the other with hyper, and throws them away.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::net::TcpStream;

use crate::listing::Kind;

/// How much of a page is looked through for where to go on.
const HEAD: usize = 1_024;

/// Fetches the whole listing; pages and bytes.
pub async fn fetch(
    authority: &str,
    bucket: &str,
    kind: Kind,
) -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    let (query, markers): (_, &[_]) = match kind {
        Kind::Objects => ("list-type=2", &[("continuation-token", "<NextContinuationToken>")]),
        Kind::Versions => (
            "versions=",
            &[("key-marker", "<NextKeyMarker>"), ("version-id-marker", "<NextVersionIdMarker>")],
        ),
    };
    let (mut pages, mut bytes, mut after) = (0, 0, String::new());
    loop {
        let uri = format!("/{bucket}?{query}&encoding-type=url{after}");
        let request = Request::get(uri).header("host", authority).body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(response.status().to_string().into());
        }
        let mut body = response.into_body();
        let mut head = Vec::with_capacity(HEAD);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            bytes += data.len() as u64;
            head.extend_from_slice(&data[..data.len().min(HEAD - head.len().min(HEAD))]);
        }
        pages += 1;
        after.clear();
        for (parameter, element) in markers {
            let Some(at) = memmem::find(&head, element.as_bytes()) else { continue };
            let text = &head[at + element.len()..];
            let text = &text[..memmem::find(text, b"<").unwrap_or(text.len())];
            after = format!("{after}&{parameter}={}", std::str::from_utf8(text)?);
        }
        if after.is_empty() {
            return Ok((pages, bytes));
        }
    }
}
