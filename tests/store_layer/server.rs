//! An HTTP/1.1 responder on loopback that sends whatever bytes a test wants, well-formed or not.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shelflife::s3::{ConnectOptions, StaticCredentials, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as on the wire.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The length to announce, if not the body's; the connection is closed after the body.
    announced: Option<usize>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), announced: None }
    }

    pub fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    pub fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<Error><Code>{code}</Code><Message>because {code}</Message></Error>"))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn announcing(mut self, length: usize) -> Self {
        self.announced = Some(length);
        self
    }
}

type Handler = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// A running server; requests are kept for the test to look at.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request by what `handler` makes of it; the number counts requests of the same
    /// method and target, from 0.
    pub async fn start(handler: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (handler, seen): (Arc<Handler>, _) = (Arc::new(handler), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&handler), Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    /// Everything that arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// What arrived so far and is not the opening of a bucket.
    pub fn operations(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.method != "HEAD").collect()
    }

    pub fn options(&self) -> ConnectOptions {
        ConnectOptions {
            endpoint_url: Some(format!("http://{}", self.address)),
            region: Some("eu-central-1".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: "very-secret".to_owned(),
            }),
            first_pause: Some(Duration::ZERO),
            ..ConnectOptions::default()
        }
    }

    pub async fn store(&self) -> Store {
        Store::connect(&self.options()).await.unwrap()
    }
}

async fn serve(mut stream: TcpStream, handler: Arc<Handler>, seen: Arc<Mutex<Vec<Request>>>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break String::from_utf8(buffer.drain(..end + 4).collect()).unwrap();
            }
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let mut request = parse_head(&head)?;
        let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        while buffer.len() < length {
            stream.read_buf(&mut buffer).await.ok()?;
        }
        request.body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
        let number = {
            let mut seen = seen.lock().unwrap();
            let same = |other: &&Request| other.method == request.method && other.target == request.target;
            let number = seen.iter().filter(same).count();
            seen.push(request.clone());
            number
        };
        let answer = handler(number, &request);
        let mut bytes = Vec::new();
        let length = answer.announced.unwrap_or(answer.body.len());
        write!(bytes, "HTTP/1.1 {} Answer\r\ncontent-length: {length}\r\n", answer.status).unwrap();
        for (name, value) in &answer.headers {
            write!(bytes, "{name}: {value}\r\n").unwrap();
        }
        bytes.extend_from_slice(b"\r\n");
        if request.method != "HEAD" {
            bytes.extend_from_slice(answer.body.as_bytes());
        }
        stream.write_all(&bytes).await.ok()?;
        if answer.announced.is_some() {
            return None;
        }
    }
}

fn parse_head(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Request {
        method: first.next()?.to_owned(),
        target: first.next()?.to_owned(),
        headers,
        body: String::new(),
    })
}
