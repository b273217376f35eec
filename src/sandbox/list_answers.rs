//! The documents that answer listings.

use chrono::{DateTime, Utc};

use super::answer::Answer;
use super::call::Query;
use super::faults::{Effect, Strike};
use super::listing::{ListRequest, Next, Page};
use super::model::{Bucket, Upload, Version};
use super::refusal::Refusal;
use super::state::ACCOUNT;
use super::values::hex;
use super::xml::Element;

/// A time as S3's documents carry it: whole seconds.
pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn begin(name: &str, bucket: &Bucket, request: &ListRequest) -> Element {
    let mut root = Element::new(name);
    let bucket_name = if name == "ListMultipartUploadsResult" { "Bucket" } else { "Name" };
    root.push(bucket_name, &bucket.name).push("Prefix", request.encode(&request.prefix));
    if let Some(delimiter) = &request.delimiter {
        root.push("Delimiter", request.encode(delimiter));
    }
    if request.url_encoded {
        root.push("EncodingType", "url");
    }
    root
}

fn owner(name: &str) -> Element {
    let mut owner = Element::new(name);
    owner.push("ID", ACCOUNT);
    owner
}

fn finish<T>(mut root: Element, request: &ListRequest, page: &Page<T>) -> Answer {
    root.push("IsTruncated", page.truncated.to_string());
    for prefix in &page.common_prefixes {
        let mut line = Element::new("CommonPrefixes");
        line.push("Prefix", request.encode(prefix));
        root.push_element(line);
    }
    Answer::of(root)
}

/// `ListObjects`: `NextMarker` only where there is a delimiter (API:ListObjects).
pub(super) fn objects(bucket: &Bucket, query: &Query, strike: &Strike) -> Result<Answer, Refusal> {
    let marker = query.get("marker").unwrap_or_default();
    let request = ListRequest::read(query, marker, "max-keys")?.at_most(short(strike));
    let page = bucket.list_objects(&request);
    let mut root = begin("ListBucketResult", bucket, &request);
    root.push("Marker", request.encode(marker)).push("MaxKeys", request.max.to_string());
    if page.truncated && request.delimiter.is_some() {
        let next = repeated(strike, marker).unwrap_or_else(|| last_key(&page).to_owned());
        root.push("NextMarker", request.encode(&next));
    }
    for (key, version) in &page.entries {
        root.push_element(object_line("Contents", &request, key, version, true));
    }
    Ok(finish(root, &request, &page))
}

/// `ListObjectsV2`.
pub(super) fn objects_v2(bucket: &Bucket, query: &Query, strike: &Strike) -> Result<Answer, Refusal> {
    let token = query.get("continuation-token");
    let start_after = query.get("start-after").unwrap_or_default();
    let after = match token {
        Some(token) => read_token(token)?,
        None => start_after.to_owned(),
    };
    let request = ListRequest::read(query, &after, "max-keys")?.at_most(short(strike));
    let page = bucket.list_objects(&request);
    let mut root = begin("ListBucketResult", bucket, &request);
    root.push("MaxKeys", request.max.to_string());
    root.push("KeyCount", (page.entries.len() + page.common_prefixes.len()).to_string());
    if let Some(token) = token {
        root.push("ContinuationToken", token);
    }
    if !start_after.is_empty() {
        root.push("StartAfter", request.encode(start_after));
    }
    if page.truncated {
        let next = repeated(strike, token.unwrap_or_default()).unwrap_or_else(|| token_of(last_key(&page)));
        root.push("NextContinuationToken", next);
    }
    let with_owner = query.get("fetch-owner") == Some("true");
    for (key, version) in &page.entries {
        root.push_element(object_line("Contents", &request, key, version, with_owner));
    }
    Ok(finish(root, &request, &page))
}

/// `ListObjectVersions`, versions and delete markers interleaved as S3 sends them.
pub(super) fn versions(bucket: &Bucket, query: &Query, strike: &Strike) -> Result<Answer, Refusal> {
    let key_marker = query.get("key-marker").unwrap_or_default();
    let version_marker = query.get("version-id-marker").unwrap_or_default();
    let request = ListRequest::read(query, key_marker, "max-keys")?.at_most(short(strike));
    let page = bucket.list_versions(&request, Some(version_marker))?;
    let mut root = begin("ListVersionsResult", bucket, &request);
    root.push("KeyMarker", request.encode(key_marker)).push("VersionIdMarker", version_marker);
    root.push("MaxKeys", request.max.to_string());
    if page.truncated {
        match (&page.next, repeated(strike, key_marker)) {
            (_, Some(same)) => {
                root.push("NextKeyMarker", request.encode(&same));
                root.push("NextVersionIdMarker", version_marker);
            }
            (Some(Next::Entry(at)), None) => {
                let (key, version) = &page.entries[*at];
                root.push("NextKeyMarker", request.encode(key));
                root.push("NextVersionIdMarker", &version.id);
            }
            _ => {
                root.push("NextKeyMarker", request.encode(last_key(&page)));
            }
        }
    }
    for (key, version) in &page.entries {
        let name = if version.is_marker() { "DeleteMarker" } else { "Version" };
        let mut line = object_line(name, &request, key, version, true);
        line.push("VersionId", &version.id);
        let current = bucket.current(key).is_some_and(|current| current.sequence == version.sequence);
        line.push("IsLatest", current.to_string());
        root.push_element(line);
    }
    Ok(finish(root, &request, &page))
}

/// `ListMultipartUploads`.
pub(super) fn uploads(bucket: &Bucket, query: &Query, strike: &Strike) -> Result<Answer, Refusal> {
    let key_marker = query.get("key-marker").unwrap_or_default();
    let id_marker = query.get("upload-id-marker").unwrap_or_default();
    let request = ListRequest::read(query, key_marker, "max-uploads")?.at_most(short(strike));
    let page = bucket.list_uploads(&request, Some(id_marker));
    let mut root = begin("ListMultipartUploadsResult", bucket, &request);
    root.push("KeyMarker", request.encode(key_marker)).push("UploadIdMarker", id_marker);
    root.push("MaxUploads", request.max.to_string());
    if page.truncated {
        match (&page.next, repeated(strike, key_marker)) {
            (_, Some(same)) => {
                root.push("NextKeyMarker", request.encode(&same)).push("NextUploadIdMarker", id_marker);
            }
            (Some(Next::Entry(at)), None) => {
                let (key, upload) = &page.entries[*at];
                root.push("NextKeyMarker", request.encode(key)).push("NextUploadIdMarker", &upload.id);
            }
            _ => {
                root.push("NextKeyMarker", request.encode(last_key(&page)));
            }
        }
    }
    for (key, upload) in &page.entries {
        root.push_element(upload_line(&request, key, upload));
    }
    Ok(finish(root, &request, &page))
}

fn object_line(name: &str, request: &ListRequest, key: &str, version: &Version, with_owner: bool) -> Element {
    let mut line = Element::new(name);
    line.push("Key", request.encode(key)).push("LastModified", timestamp(version.last_modified));
    if let Some(object) = &version.object {
        line.push("ETag", format!("\"{}\"", object.etag));
        line.push("Size", object.body.len().to_string());
        line.push("StorageClass", object.storage_class());
    }
    if with_owner {
        line.push_element(owner("Owner"));
    }
    line
}

fn upload_line(request: &ListRequest, key: &str, upload: &Upload) -> Element {
    let mut line = Element::new("Upload");
    line.push("Key", request.encode(key)).push("UploadId", &upload.id);
    line.push_element(owner("Initiator")).push_element(owner("Owner"));
    line.push("StorageClass", upload.attributes.storage_class.as_deref().unwrap_or("STANDARD"));
    line.push("Initiated", timestamp(upload.initiated));
    line
}

/// The fault of a listing that does not get on; the first page has nothing to repeat.
fn repeated(strike: &Strike, asked_with: &str) -> Option<String> {
    (!asked_with.is_empty() && strike.has(&Effect::RepeatToken)).then(|| asked_with.to_owned())
}

fn last_key<'a, T>(page: &'a Page<(&'a str, T)>) -> &'a str {
    match &page.next {
        Some(Next::Entry(at)) => page.entries[*at].0,
        Some(Next::CommonPrefix(prefix)) => prefix,
        None => "",
    }
}

/// Continuation tokens are opaque: the hex of where to go on.
fn token_of(after: &str) -> String {
    hex(after.as_bytes())
}

fn read_token(token: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::invalid_argument("The continuation token provided is incorrect");
    let bytes = (0..token.len())
        .step_by(2)
        .map(|at| token.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    let bytes = bytes.collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty()).ok_or_else(wrong)?;
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// How long a fault lets pages be.
fn short(strike: &Strike) -> usize {
    let lengths = strike.effects().filter_map(|effect| match effect {
        Effect::ShortPages(length) => Some(*length),
        _ => None,
    });
    lengths.min().unwrap_or(usize::MAX)
}
