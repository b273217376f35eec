//! The server: HTTP/1.1 with keep-alive, and as much of S3 as clients need to list and to delete.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::rc::Rc;

use memchr::memmem;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::listing::{Answer, Asked, Deleted, Kind, Pages, entry_of, version_id};
use crate::space::Space;

/// All that the server keeps.
#[derive(Default)]
pub struct Server {
    buckets: RefCell<HashMap<String, Rc<Bucket>>>,
    /// Requests by operation, and bytes sent.
    counters: RefCell<BTreeMap<&'static str, u64>>,
    /// The `Date` of answers and the second that it is for.
    date: RefCell<(i64, String)>,
}

struct Bucket {
    space: Space,
    pages: Pages,
    deleted: RefCell<Option<Deleted>>,
    /// Where the last key of a deletion was found.
    hint: Cell<u64>,
}

/// One request.
struct Request<'a> {
    method: &'a str,
    bucket: &'a str,
    key: Vec<u8>,
    query: HashMap<String, Vec<u8>>,
    body: &'a [u8],
}

/// How a request is answered: the status, further headers, and the body, already in the answer.
type Told = (&'static str, u16, String);

/// What a bucket or an object does not have: the parameter that asks, and the error.
const NOT_THERE: [(&str, &str); 11] = [
    ("lifecycle", "NoSuchLifecycleConfiguration"),
    ("object-lock", "ObjectLockConfigurationNotFoundError"),
    ("policy", "NoSuchBucketPolicy"),
    ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("replication", "ReplicationConfigurationNotFoundError"),
    ("cors", "NoSuchCORSConfiguration"),
    ("website", "NoSuchWebsiteConfiguration"),
    ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "OwnershipControlsNotFoundError"),
    ("retention", "NoSuchObjectLockConfiguration"),
    ("legal-hold", "NoSuchObjectLockConfiguration"),
];

/// Serves until the process is ended.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let server = Rc::new(Server::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let server = server.clone();
        tokio::task::spawn_local(async move {
            // A client that goes away is no fault.
            let _ = server.connection(stream).await;
        });
    }
}

impl Server {
    async fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut read, mut spare) = (Vec::with_capacity(64 * 1_024), Vec::new());
        loop {
            let head = loop {
                match memmem::find(&read, b"\r\n\r\n") {
                    Some(end) => break end + 4,
                    None if stream.read_buf(&mut read).await? == 0 => return Ok(()),
                    None => {}
                }
            };
            let text = String::from_utf8_lossy(&read[..head]).into_owned();
            let mut length = 0;
            for line in text.lines().skip(1) {
                let Some((name, value)) = line.split_once(':') else { continue };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap_or_default(),
                    "transfer-encoding" => return Err(io::Error::other("bodies must tell their length")),
                    "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?,
                    _ => {}
                }
            }
            while read.len() < head + length {
                if stream.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
            }
            let mut answer = Answer::new(std::mem::take(&mut spare));
            let line = text.lines().next().unwrap_or_default();
            let delay = self.answer(line, &read[head..head + length], &mut answer);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            stream.write_all(answer.written()).await?;
            spare = answer.bytes;
            read.drain(..head + length);
        }
    }

    /// Writes the whole answer; how long it is to be held back.
    fn answer(&self, line: &str, body: &[u8], answer: &mut Answer) -> std::time::Duration {
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((&path[1..], ""));
        let query = query.split('&').filter(|it| !it.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), percent_decode_str(&value.replace('+', " ")).collect())
        });
        let request =
            Request { method, bucket, key: percent_decode_str(key).collect(), query: query.collect(), body };
        let found = if bucket == "-" { None } else { self.bucket(bucket) };
        let (operation, status, headers) = match &found {
            Some(bucket) if request.key.is_empty() => bucket.on_bucket(&request, answer),
            Some(bucket) => bucket.on_object(&request, answer),
            None => self.apart(&request, answer),
        };
        let body = answer.written().len();
        let own_length = headers.contains("Content-Length");
        let length = if own_length { String::new() } else { format!("Content-Length: {body}\r\n") };
        let kind = if body > 0 { "Content-Type: application/xml\r\n" } else { "" };
        let date = self.date();
        answer.prepend(
            format!(
                "HTTP/1.1 {status} -\r\nDate: {date}\r\nServer: synthetic\r\nx-amz-request-id: 0123456789ABCDEF\r\n\
                 x-amz-bucket-region: us-east-1\r\n{kind}{length}{headers}\r\n"
            )
            .as_bytes(),
        );
        if found.is_some() {
            let mut counters = self.counters.borrow_mut();
            *counters.entry(operation).or_default() += 1;
            *counters.entry("bytes").or_default() += answer.written().len() as u64;
        }
        found.map_or_else(Default::default, |bucket| bucket.space.delay)
    }

    fn bucket(&self, name: &str) -> Option<Rc<Bucket>> {
        if let Some(bucket) = self.buckets.borrow().get(name) {
            return Some(bucket.clone());
        }
        let space = Space::named(name)?;
        let pages = Pages::of(&space);
        let bucket = Rc::new(Bucket { space, pages, deleted: RefCell::default(), hint: Cell::default() });
        self.buckets.borrow_mut().insert(name.to_owned(), bucket.clone());
        Some(bucket)
    }

    /// What is asked of no bucket: the counters, and to have everything back.
    fn apart(&self, request: &Request<'_>, answer: &mut Answer) -> Told {
        match (request.method, request.bucket, &request.key[..]) {
            ("GET", "-", b"counters") => {
                let counters = self.counters.borrow();
                let counters = counters.iter().map(|(name, count)| format!("\"{name}\":{count}"));
                let json = format!("{{{}}}\n", counters.collect::<Vec<_>>().join(","));
                answer.bytes.extend_from_slice(json.as_bytes());
                ("", 200, String::new())
            }
            ("POST", "-", b"reset") => {
                self.counters.borrow_mut().clear();
                self.buckets.borrow_mut().clear();
                ("", 200, String::new())
            }
            ("GET", "", _) => {
                answer
                    .bytes
                    .extend_from_slice(b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>");
                ("ListBuckets", 200, String::new())
            }
            _ => error(answer, 404, "NoSuchBucket"),
        }
    }

    fn date(&self) -> String {
        let now = chrono::Utc::now();
        let mut date = self.date.borrow_mut();
        if date.0 != now.timestamp() {
            *date = (now.timestamp(), now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        date.1.clone()
    }
}

impl Request<'_> {
    fn has(&self, parameter: &str) -> bool {
        self.query.contains_key(parameter)
    }

    fn text(&self, parameter: &str) -> Vec<u8> {
        self.query.get(parameter).cloned().unwrap_or_default()
    }

    fn number(&self, parameter: &str) -> Option<u64> {
        std::str::from_utf8(self.query.get(parameter)?).ok()?.parse().ok()
    }

    fn asked(&self, kind: Kind) -> Asked {
        let after = if kind == Kind::Objects { "start-after" } else { "key-marker" };
        Asked {
            kind,
            prefix: self.text("prefix"),
            delimiter: self.text("delimiter").first().copied(),
            after: self.text(after),
            after_version: entry_of(&self.text("version-id-marker")),
            token: self.number("continuation-token"),
            at_most: self.number("max-keys").unwrap_or(1_000).min(1_000) as usize,
        }
    }
}

impl Bucket {
    fn on_bucket(&self, request: &Request<'_>, answer: &mut Answer) -> Told {
        let deleted = self.deleted.borrow();
        let mut list = |kind| {
            self.pages.write(&self.space, deleted.as_ref(), &request.asked(kind), answer);
        };
        if let Some((_, code)) = NOT_THERE.iter().find(|(parameter, _)| request.has(parameter)) {
            return error(answer, 404, code);
        }
        match request.method {
            "HEAD" => ("HeadBucket", 200, String::new()),
            "GET" if request.has("versions") => {
                list(Kind::Versions);
                ("ListObjectVersions", 200, String::new())
            }
            "GET" if request.text("list-type") == b"2" => {
                list(Kind::Objects);
                ("ListObjectsV2", 200, String::new())
            }
            "GET" if request.has("versioning") => {
                let status = if self.space.versions > 1 { "<Status>Enabled</Status>" } else { "" };
                let xml = format!("<VersioningConfiguration>{status}</VersioningConfiguration>");
                answer.bytes.extend_from_slice(xml.as_bytes());
                ("GetBucketVersioning", 200, String::new())
            }
            "GET" if request.has("uploads") => {
                let xml = b"<ListMultipartUploadsResult><EncodingType>url</EncodingType>\
                    <IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
                answer.bytes.extend_from_slice(xml);
                ("ListMultipartUploads", 200, String::new())
            }
            "GET" if request.has("location") => {
                answer.bytes.extend_from_slice(b"<LocationConstraint/>");
                ("GetBucketLocation", 200, String::new())
            }
            "GET" if request.has("tagging") => error(answer, 404, "NoSuchTagSet"),
            "POST" if request.has("delete") => {
                drop(deleted);
                self.delete_objects(request.body, answer);
                ("DeleteObjects", 200, String::new())
            }
            _ => error(answer, 501, "NotImplemented"),
        }
    }

    fn on_object(&self, request: &Request<'_>, answer: &mut Answer) -> Told {
        if let Some((_, code)) = NOT_THERE.iter().find(|(parameter, _)| request.has(parameter)) {
            return error(answer, 404, code);
        }
        let entry = self.entry(&request.key, &request.text("versionId"));
        match (request.method, entry) {
            ("DELETE", entry) => {
                entry.into_iter().for_each(|entry| self.delete(entry));
                ("DeleteObject", 204, String::new())
            }
            ("HEAD", None) => ("HeadObject", 404, String::new()),
            (_, None) => error(answer, 404, "NoSuchKey"),
            ("HEAD", Some(entry)) => ("HeadObject", 200, self.head(entry)),
            ("GET", Some(_)) if request.has("tagging") => {
                answer.bytes.extend_from_slice(b"<Tagging><TagSet/></Tagging>");
                ("GetObjectTagging", 200, String::new())
            }
            _ => error(answer, 501, "NotImplemented"),
        }
    }

    /// The version, or the newest one, if it is still there.
    fn entry(&self, key: &[u8], id: &[u8]) -> Option<u64> {
        let number = self.space.find(key, self.hint.get())?;
        self.hint.set(number);
        let versions = self.space.versions;
        let deleted = self.deleted.borrow();
        let left = |entry| deleted.as_ref().map_or(entry, |deleted| deleted.next_left(entry));
        let entry = entry_of(id).unwrap_or(number * versions);
        let newest = id.is_empty() || id == b"null";
        let found = left(entry);
        ((newest || found == entry) && found / versions == number).then_some(found)
    }

    fn delete(&self, entry: u64) {
        self.deleted.borrow_mut().get_or_insert_with(|| Deleted::none_of(self.space.entries())).insert(entry);
    }

    /// Takes everything that it is asked to, whatever the conditions.
    fn delete_objects(&self, body: &[u8], answer: &mut Answer) {
        let quiet = memmem::find(body, b"<Quiet>true").is_some();
        answer.bytes.extend_from_slice(b"<DeleteResult>");
        for object in memmem::find_iter(body, b"<Object>") {
            let object = &body[object..];
            let object = &object[..memmem::find(object, b"</Object>").unwrap_or(object.len())];
            let key = between(object, b"<Key>", b"</Key>").unwrap_or_default();
            let id = between(object, b"<VersionId>", b"</VersionId>").unwrap_or_default();
            self.entry(key, id).into_iter().for_each(|entry| self.delete(entry));
            if !quiet {
                answer.bytes.extend_from_slice(b"<Deleted><Key>");
                answer.bytes.extend_from_slice(key);
                answer.bytes.extend_from_slice(b"</Key>");
                if !id.is_empty() {
                    [b"<VersionId>", id, b"</VersionId>"]
                        .iter()
                        .for_each(|it| answer.bytes.extend_from_slice(it));
                }
                answer.bytes.extend_from_slice(b"</Deleted>");
            }
        }
        answer.bytes.extend_from_slice(b"</DeleteResult>");
    }

    fn head(&self, entry: u64) -> String {
        let facts = self.space.facts(entry);
        let at = |seconds| chrono::DateTime::from_timestamp(seconds as i64, 0).unwrap_or_default();
        let modified = at(facts.uploaded).format("%a, %d %b %Y %H:%M:%S GMT");
        let communication = at(facts.uploaded - 60).format("%Y-%m-%dT%H:%M:%SZ");
        let id = String::from_utf8_lossy(&version_id(entry)).into_owned();
        let id = if self.space.versions > 1 { format!("x-amz-version-id: {id}\r\n") } else { String::new() };
        let [high, low] = facts.etag;
        format!(
            "Content-Length: {}\r\nContent-Type: image/jpeg\r\nETag: \"{high:016x}{low:016x}\"\r\n\
             Last-Modified: {modified}\r\nx-amz-meta-communication-date: {communication}\r\n{id}",
            facts.size
        )
    }
}

fn between<'a>(text: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let from = memmem::find(text, start)? + start.len();
    Some(&text[from..from + memmem::find(&text[from..], end)?])
}

fn error(answer: &mut Answer, status: u16, code: &'static str) -> Told {
    let xml = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    answer.bytes.extend_from_slice(xml.as_bytes());
    ("errors", status, String::new())
}
