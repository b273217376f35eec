//! A store that is not one: answers as a test wants, or passes requests on to a real one, and remembers them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it is a DeleteObjects.
    pub fn is_batch_deletion(&self) -> bool {
        self.method == "POST" && self.target.contains("?delete")
    }

    /// The same request without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }
}

/// A server on loopback that lives as long as the test process.
pub struct Fake {
    /// Its address.
    pub endpoint: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Answers each request with what `answer` makes of it: a whole HTTP answer, or nothing at all.
    pub fn start(answer: impl Fn(Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                std::thread::spawn(move || {
                    let Ok(mut stream) = stream else { return };
                    let Ok(Some(request)) = read(&stream) else { return };
                    log.lock().unwrap().push(format!("{} {}", request.method, request.target));
                    // A client that has gone away does not wait for an answer.
                    let _ = stream.write_all(&answer(request));
                });
            }
        });
        Self { endpoint, seen }
    }

    /// Refuses every request.
    pub fn refusing(
        status: u16,
        code: &'static str,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self::start(move |request| error(&request, status, code, headers))
    }

    /// Method and target of every request so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let mut first = lines.first().map_or("", String::as_str).split(' ').map(str::to_owned);
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect();
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// An S3 error answer.
pub fn error(request: &Request, status: u16, code: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>");
    let mut answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: application/xml\r\n");
    for (key, value) in headers {
        answer.push_str(&format!("{key}: {value}\r\n"));
    }
    let body = if request.method == "HEAD" { "" } else { &body };
    answer.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    answer.into_bytes()
}

/// What the store at `endpoint` answers to `request`.
pub fn forward(endpoint: &str, request: &Request) -> Vec<u8> {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", request.method, request.target);
    for (key, value) in request.headers.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("connection")) {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Passes everything on to `endpoint`, but keeps the condition of a DeleteObject as S3 does and LocalStack
/// does not.
pub fn with_conditions(endpoint: &str, request: Request) -> Vec<u8> {
    let condition = request.header("if-match").map(str::to_owned);
    let (Some(etag), "DELETE") = (condition, request.method.as_str()) else {
        return forward(endpoint, &request);
    };
    let path = request.target.split('?').next().unwrap_or_default().to_owned();
    let head = Request { method: "HEAD".to_owned(), target: path, body: Vec::new(), ..request.clone() };
    let head = String::from_utf8_lossy(&forward(endpoint, &head.without("if-match"))).to_lowercase();
    let found = head.lines().find_map(|line| line.strip_prefix("etag:")).map(str::trim);
    if found == Some(&etag.to_lowercase()) {
        forward(endpoint, &request.without("if-match"))
    } else {
        error(&request, 412, "PreconditionFailed", &[])
    }
}
