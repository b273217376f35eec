//! What the tests that need a store share: one LocalStack for all of them, and the raw SDK to prepare
//! and inspect what is in it, so that no test has to trust the code it tests.
#![allow(dead_code, reason = "each test binary is compiled with its own copy and uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

const SKIP: &str = "SHELFLIFE_SKIP_LOCALSTACK";
/// A store that hangs shall fail a test, not stop it for good.
const PATIENCE: Duration = Duration::from_secs(60);
const ENDPOINT: &str = "SHELFLIFE_LOCALSTACK_ENDPOINT";

/// A LocalStack that stays up for as long as this process lives.
pub struct LocalStack {
    /// Where it listens, such as `http://127.0.0.1:14566`.
    pub endpoint: String,
    /// The lease ends when this pipe closes, which the operating system does however the process ends;
    /// `None` for a server that somebody else started and will stop.
    lease: Option<ChildStdin>,
}

impl LocalStack {
    /// The LocalStack that all test processes share, started if it is not running.
    ///
    /// `None` only with `SHELFLIFE_SKIP_LOCALSTACK=1`; what is then not tested is said on standard error.
    /// With `SHELFLIFE_LOCALSTACK_ENDPOINT` the tests use that server, which must have the hooks of
    /// `localstack/init`, and neither start nor stop anything.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Result<LocalStack, String>> = OnceLock::new();

        if std::env::var(SKIP).is_ok_and(|value| value == "1") {
            let thread = std::thread::current();
            say(&format!(
                "NOT TESTED on LocalStack, because {SKIP}=1: {}",
                thread.name().unwrap_or("a test")
            ));
            return None;
        }
        match SHARED.get_or_init(find_or_lease) {
            Ok(localstack) => Some(localstack),
            Err(reason) => panic!(
                "LocalStack is needed and could not be started:\n{reason}\n\
                 Set {SKIP}=1 to leave out what needs it; localstack/README.md says more."
            ),
        }
    }

    /// A share in the server that belongs to the folder `state`; it is given back when this is dropped.
    pub fn lease(state: &Path) -> Result<Self, String> {
        start_and_hold(state)
    }

    /// A client for it; see [`client`].
    pub fn client(&self) -> Client {
        client(&self.endpoint)
    }
}

fn find_or_lease() -> Result<LocalStack, String> {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return LocalStack::lease(&state_folder()) };
    match request(&endpoint, "GET", "/_test/instance", "") {
        Ok((200, _)) => Ok(LocalStack { endpoint, lease: None }),
        Ok((status, _)) => {
            Err(format!("{ENDPOINT}={endpoint} has not the hooks of localstack/init: {status}"))
        }
        Err(error) => Err(format!("{ENDPOINT}={endpoint} does not answer: {error}")),
    }
}

fn start_and_hold(state: &Path) -> Result<LocalStack, String> {
    let mut supervisor = Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("localstack/lease"))
        .env("LOCALSTACK_STATE", state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("bash does not start: {error}"))?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (supervisor.stdin.take(), supervisor.stdout.take(), supervisor.stderr.take())
    else {
        unreachable!("all three were asked for as pipes");
    };

    // An installation takes half a minute: what it says is shown at once, and kept for the failure.
    let messages = std::thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            say(&line);
            all.push_str(&line);
            all.push('\n');
        }
        all
    });
    let mut endpoint = String::new();
    let read = BufReader::new(stdout).read_line(&mut endpoint);
    match endpoint.trim_end() {
        "" => {
            let messages = messages.join().unwrap_or_default();
            Err(format!("{messages}localstack/lease printed no endpoint{}", explain(read.err())))
        }
        endpoint => Ok(LocalStack { endpoint: endpoint.to_owned(), lease: Some(stdin) }),
    }
}

fn explain(error: Option<std::io::Error>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}

/// The folder that `localstack/up` uses too, so that both use one installation.
pub fn state_folder() -> PathBuf {
    std::env::var_os("LOCALSTACK_STATE")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("localstack"), PathBuf::from)
}

/// Prints past the capture of the test harness, which takes `eprintln!` but not a write to the handle.
fn say(line: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A client with static credentials and path-style addresses for any store on loopback. It does not
/// retry, so that a test sees every answer as it came.
pub fn client(endpoint: &str) -> Client {
    client_as(endpoint, "test", "test")
}

/// [`client`] with other credentials.
pub fn client_as(endpoint: &str, key_id: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key_id, secret, None, None, "tests"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

/// A bucket name that no other test, process or earlier run has used. A store keeps its state between
/// tests, so each begins with a bucket of its own.
pub fn fresh_name(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{now:x}-{:x}-{count:x}", std::process::id())
}

/// Creates an unversioned bucket with a [`fresh_name`] and returns the name.
pub async fn fresh_bucket(client: &Client, prefix: &str) -> String {
    let name = fresh_name(prefix);
    match client.create_bucket().bucket(&name).send().await {
        Ok(_) => name,
        Err(error) => panic!("bucket {name} could not be created: {error:?}"),
    }
}

/// What is to look older than it is.
#[derive(Clone, Copy, Debug)]
pub enum Made<'a> {
    /// The newest version of a key, or the only one.
    Object { bucket: &'a str, key: &'a str },
    /// An object version or a delete marker.
    Version { bucket: &'a str, key: &'a str, version_id: &'a str },
    /// A multipart upload that is not completed.
    Upload { bucket: &'a str, upload_id: &'a str },
}

/// Sets when things were made, which no S3 request can; only LocalStack with the hooks of
/// `localstack/init` understands it. Changes nothing and tells why if one of them is not there.
pub fn set_last_modified(endpoint: &str, items: &[(Made<'_>, DateTime<Utc>)]) -> Result<(), String> {
    let items: Vec<Value> = items
        .iter()
        .map(|(made, at)| {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            match made {
                Made::Object { bucket, key } => json!({"bucket": bucket, "key": key, "at": at}),
                Made::Version { bucket, key, version_id } => {
                    json!({"bucket": bucket, "key": key, "version_id": version_id, "at": at})
                }
                Made::Upload { bucket, upload_id } => {
                    json!({"bucket": bucket, "upload_id": upload_id, "at": at})
                }
            }
        })
        .collect();
    let body = json!({ "items": items }).to_string();
    match request(endpoint, "POST", "/_test/s3/last-modified", &body) {
        Ok((200, _)) => Ok(()),
        Ok((status, answer)) => Err(format!("{status}: {answer}")),
        Err(error) => Err(error.to_string()),
    }
}

/// One plain HTTP request; the answer's status and body.
fn request(endpoint: &str, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(format!("no HTTP answer: {head}")))?;
    Ok((status, body.to_owned()))
}
