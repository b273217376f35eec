//! What a request asks for: the operation by S3's name, the bucket, the keys; and the log of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, Utc};
use hyper::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

use super::permissions;
use super::refusal::Refusal;
use super::xml::Element;

/// What a request asks for, as far as it can be told without checking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// S3's name of the operation, or `Unknown`.
    pub operation: &'static str,
    /// The bucket.
    pub bucket: Option<String>,
    /// The key, or all keys of a `DeleteObjects`.
    pub keys: Vec<String>,
    /// The version, where the address names one.
    pub version_id: Option<String>,
    /// Where a listing looks.
    pub scope: Option<Scope>,
    /// What AWS asks the caller to be allowed to do; empty where that is not known.
    pub permissions: BTreeSet<&'static str>,
}

/// Which keys a listing can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// They begin with this.
    pub prefix: String,
    /// They come after this key, or are the rest of what stands under it.
    pub after: String,
}

/// One request that the sandbox has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its place among all requests, in the order in which they arrived; from 1.
    pub number: u64,
    /// What it asked for.
    pub call: Call,
    /// The HTTP status of the answer; `None` where the connection was closed without one.
    pub status: Option<u16>,
    /// The sandbox's time.
    pub at: DateTime<Utc>,
    /// How many changes the journal had when it arrived, and when it was answered.
    pub changes: Range<usize>,
}

/// The parameters of a query, decoded, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub fn of(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default())
    }

    /// Reads `name=value` pairs, form-style.
    pub fn parse(text: &str) -> Self {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The pairs as tags; a name twice is refused.
    pub fn into_map(self) -> Result<BTreeMap<String, String>, Refusal> {
        let pairs = self.0.len();
        let map: BTreeMap<String, String> = self.0.into_iter().collect();
        if map.len() < pairs {
            return Err(Refusal::new("InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
        Ok(map)
    }

    /// Whether it names nothing but these, the SDKs' `x-id`, and signatures.
    fn is_plain_or(&self, names: &[&str]) -> bool {
        let known = |name: &str| names.contains(&name) || name.to_ascii_lowercase().starts_with("x-");
        self.0.iter().all(|(name, _)| known(name))
    }
}

impl Call {
    /// Reads a request; `body` is looked at for `DeleteObjects` only.
    pub(super) fn of(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let query = Query::of(uri);
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let key = percent_decode_str(key).decode_utf8_lossy().into_owned();
        let operation = if bucket.is_empty() {
            if method == Method::GET { "ListBuckets" } else { "Unknown" }
        } else if key.is_empty() {
            bucket_operation(method, &query)
        } else {
            object_operation(method, &query, headers.contains_key("x-amz-copy-source"))
        };
        let versioned = query.has("versionId");
        let permissions = match operation {
            "DeleteObjects" => permissions::of_deletions(body),
            "DeleteObject" => permissions::of_deletion(versioned, headers.contains_key("if-match")),
            operation => permissions::of(operation, versioned),
        };
        let keys = match operation {
            "DeleteObjects" => named_keys(body),
            _ if key.is_empty() => Vec::new(),
            _ => vec![key],
        };
        let text = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let scope = operation.starts_with("List").then(|| Scope {
            prefix: text("prefix"),
            after: query.get("key-marker").map_or_else(|| text("start-after"), str::to_owned),
        });
        Self {
            operation,
            bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
            keys,
            version_id: query.get("versionId").map(str::to_owned),
            scope,
            permissions,
        }
    }
}

fn named_keys(body: &[u8]) -> Vec<String> {
    let Ok(root) = Element::parse(body) else { return Vec::new() };
    root.all("Object").filter_map(|object| object.text_of("Key").map(str::to_owned)).collect()
}

fn bucket_operation(method: &Method, query: &Query) -> &'static str {
    let sub = |names: &[(&'static str, &'static str)], plain: &'static str| {
        let named = names.iter().find(|(name, _)| query.has(name));
        named.map_or(plain, |(_, operation)| operation)
    };
    match *method {
        Method::HEAD => "HeadBucket",
        Method::GET if query.get("list-type") == Some("2") => "ListObjectsV2",
        Method::GET => sub(
            &[
                ("lifecycle", "GetBucketLifecycleConfiguration"),
                ("location", "GetBucketLocation"),
                ("tagging", "GetBucketTagging"),
                ("versioning", "GetBucketVersioning"),
                ("object-lock", "GetObjectLockConfiguration"),
                ("uploads", "ListMultipartUploads"),
                ("versions", "ListObjectVersions"),
            ],
            if query.is_plain_or(&["prefix", "delimiter", "marker", "max-keys", "encoding-type"]) {
                "ListObjects"
            } else {
                UNKNOWN
            },
        ),
        Method::PUT => sub(
            &[
                ("lifecycle", "PutBucketLifecycleConfiguration"),
                ("tagging", "PutBucketTagging"),
                ("versioning", "PutBucketVersioning"),
                ("object-lock", "PutObjectLockConfiguration"),
            ],
            if query.is_plain_or(&[]) { "CreateBucket" } else { UNKNOWN },
        ),
        Method::DELETE => sub(
            &[("lifecycle", "DeleteBucketLifecycle"), ("tagging", "DeleteBucketTagging")],
            if query.is_plain_or(&[]) { "DeleteBucket" } else { UNKNOWN },
        ),
        Method::POST => sub(&[("delete", "DeleteObjects")], UNKNOWN),
        _ => UNKNOWN,
    }
}

fn object_operation(method: &Method, query: &Query, copies: bool) -> &'static str {
    let of_sub = |tagging, retention, legal_hold, upload, plain| {
        if query.has("tagging") {
            tagging
        } else if query.has("retention") {
            retention
        } else if query.has("legal-hold") {
            legal_hold
        } else if query.has("uploadId") {
            upload
        } else if ["acl", "attributes", "torrent"].iter().any(|name| query.has(name)) {
            UNKNOWN
        } else {
            plain
        }
    };
    match *method {
        Method::HEAD => "HeadObject",
        Method::GET => {
            of_sub("GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold", "ListParts", "GetObject")
        }
        Method::PUT if copies && query.has("uploadId") => "UploadPartCopy",
        Method::PUT if copies => "CopyObject",
        Method::PUT => {
            of_sub("PutObjectTagging", "PutObjectRetention", "PutObjectLegalHold", "UploadPart", "PutObject")
        }
        Method::DELETE => {
            of_sub("DeleteObjectTagging", UNKNOWN, UNKNOWN, "AbortMultipartUpload", "DeleteObject")
        }
        Method::POST if query.has("uploads") => "CreateMultipartUpload",
        Method::POST if query.has("uploadId") => "CompleteMultipartUpload",
        _ => UNKNOWN,
    }
}

const UNKNOWN: &str = "Unknown";
