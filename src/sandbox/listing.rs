//! Pages of listings: prefix, delimiter, where to go on, at most 1,000 entries, in byte order
//! (API:ListObjectsV2, API:ListObjectVersions, API:ListMultipartUploads).

use std::ops::Bound;

use super::call::Query;
use super::model::{Bucket, NULL_VERSION, Upload, Version, sequence_of};
use super::refusal::Refusal;

/// The most entries of one page, whatever is asked for.
const MAX_PAGE: usize = 1000;

/// What a listing asks for.
#[derive(Clone, Debug)]
pub(super) struct ListRequest {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Go on after this key or common prefix; empty from the start.
    pub after: String,
    pub max: usize,
    /// `encoding-type=url`.
    pub url_encoded: bool,
}

impl ListRequest {
    /// Reads the parameters that all listings share.
    pub fn read(query: &Query, after: &str, max_name: &str) -> Result<Self, Refusal> {
        let max = match query.get(max_name) {
            None => MAX_PAGE,
            Some(text) => match text.parse::<i32>().map(usize::try_from) {
                Ok(Ok(max)) => max.min(MAX_PAGE),
                _ => {
                    return Err(Refusal::invalid_argument(format!(
                        "Argument {max_name} must be an integer between 0 and 2147483647"
                    )));
                }
            },
        };
        let url_encoded = match query.get("encoding-type") {
            None => false,
            Some("url") => true,
            Some(_) => return Err(Refusal::invalid_argument("Invalid Encoding Method specified in Request")),
        };
        Ok(Self {
            prefix: query.get("prefix").unwrap_or_default().to_owned(),
            delimiter: query.get("delimiter").filter(|text| !text.is_empty()).map(str::to_owned),
            after: after.to_owned(),
            max,
            url_encoded,
        })
    }

    /// The same with no more entries on a page than these.
    pub fn at_most(self, entries: usize) -> Self {
        Self { max: self.max.min(entries), ..self }
    }

    /// Text as this listing writes it: form-style where url-encoding was asked for, with `/` as it is.
    pub fn encode(&self, text: &str) -> String {
        if self.url_encoded { url_encode(text) } else { text.to_owned() }
    }

    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_ref()?;
        let rest = key.strip_prefix(&self.prefix)?;
        let at = rest.find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }

    /// Where to begin in a map that is ordered by key.
    fn start(&self) -> &str {
        self.after.as_str().max(self.prefix.as_str())
    }

    /// One page of `entries`, which come in order and after the marker.
    fn page<'k, T>(&self, entries: impl Iterator<Item = (&'k str, T)>) -> Page<T> {
        let mut page =
            Page { entries: Vec::new(), common_prefixes: Vec::new(), next: None, truncated: false };
        let entries = entries.take_while(|(key, _)| key.starts_with(&self.prefix));
        for (key, entry) in entries {
            let common = self.common_prefix(key);
            let last = page.common_prefixes.last().map(String::as_str);
            if common.is_some_and(|common| last == Some(common) || self.after == common) {
                continue;
            }
            if page.entries.len() + page.common_prefixes.len() >= self.max {
                page.truncated = self.max > 0;
                break;
            }
            match common {
                Some(common) => {
                    page.common_prefixes.push(common.to_owned());
                    page.next = Some(Next::CommonPrefix(common.to_owned()));
                }
                None => {
                    page.next = Some(Next::Entry(page.entries.len()));
                    page.entries.push(entry);
                }
            }
        }
        page
    }
}

/// The last thing on a page.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// The entry at this place.
    Entry(usize),
    CommonPrefix(String),
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub(super) struct Page<T> {
    pub entries: Vec<T>,
    pub common_prefixes: Vec<String>,
    pub next: Option<Next>,
    pub truncated: bool,
}

/// Form-style url-encoding, `/` kept: space is `+`, plus is `%2B`.
fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                out.push(byte.into())
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

impl Bucket {
    /// Current objects, delete markers left out.
    pub fn list_objects(&self, request: &ListRequest) -> Page<(&str, &Version)> {
        let from = (Bound::Included(request.start()), Bound::Unbounded);
        let keys = self.keys.range::<str, _>(from).filter(|(key, _)| **key != request.after);
        let current = keys.filter_map(|(key, versions)| {
            let version = versions.last().filter(|version| !version.is_marker())?;
            Some((key.as_str(), (key.as_str(), version)))
        });
        request.page(current)
    }

    /// Versions and delete markers as S3 sends them: by key, within a key the newest first.
    pub fn list_versions(
        &self,
        request: &ListRequest,
        after_version: Option<&str>,
    ) -> Result<Page<(&str, &Version)>, Refusal> {
        let after_sequence = match after_version.filter(|id| !id.is_empty()) {
            None => 0,
            Some(_) if request.after.is_empty() => {
                return Err(Refusal::invalid_argument(
                    "A version-id marker cannot be specified without a key marker.",
                ));
            }
            Some(NULL_VERSION) => {
                let mut versions = self.keys.get(&request.after).into_iter().flatten();
                versions.find(|version| version.id == NULL_VERSION).map_or(0, |version| version.sequence)
            }
            Some(id) => {
                sequence_of(id).ok_or_else(|| Refusal::invalid_argument("Invalid version id specified"))?
            }
        };
        let from = (Bound::Included(request.start()), Bound::Unbounded);
        let versions = self.keys.range::<str, _>(from).flat_map(|(key, versions)| {
            let skipping = *key == request.after;
            let rest = versions.iter().rev();
            let rest = rest.filter(move |version| !skipping || version.sequence < after_sequence);
            rest.map(move |version| (key.as_str(), (key.as_str(), version)))
        });
        Ok(request.page(versions))
    }

    /// Uploads by key, within a key in the order of their initiation.
    pub fn list_uploads(&self, request: &ListRequest, after_id: Option<&str>) -> Page<(&str, &Upload)> {
        let after_sequence = match after_id.filter(|id| !id.is_empty()) {
            Some(id) => sequence_of(id).unwrap_or(u64::MAX),
            None => u64::MAX,
        };
        let from = (request.start().to_owned(), 0);
        let uploads = self.uploads.range(from..);
        let uploads = uploads
            .filter(|((key, sequence), _)| *key != request.after || *sequence > after_sequence)
            .map(|((key, _), upload)| (key.as_str(), (key.as_str(), upload)));
        request.page(uploads)
    }
}
