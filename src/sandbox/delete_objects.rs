//! `DeleteObjects`: up to 1,000 keys at once, each with its own outcome (API:DeleteObjects).

use chrono::{DateTime, Utc};
use hyper::HeaderMap;

use super::answer::Answer;
use super::faults::Strike;
use super::model::Bucket;
use super::objects::{Condition, Deleted, Deletion, mfa_required};
use super::refusal::Refusal;
use super::xml::Element;

const MAX_KEYS: usize = 1000;

/// Deletes what the body names and answers for each key.
///
/// A body that XML 1.0 cannot hold, such as one that names a key with a control character, is
/// `MalformedXML` as a whole.
pub(super) fn answer(
    bucket: &mut Bucket,
    now: DateTime<Utc>,
    headers: &HeaderMap,
    body: &[u8],
    strike: &Strike,
) -> Result<Answer, Refusal> {
    let root = Element::parse(body).map_err(|_| Refusal::malformed_xml())?;
    let objects: Vec<&Element> = root.all("Object").collect();
    if root.name != "Delete" || objects.is_empty() || objects.len() > MAX_KEYS {
        return Err(Refusal::malformed_xml());
    }
    let mfa = headers.contains_key("x-amz-mfa");
    // One version that needs the token fails all of them.
    if bucket.mfa_delete && !mfa && objects.iter().any(|object| object.get("VersionId").is_some()) {
        return Err(mfa_required());
    }
    let bypass = headers.get("x-amz-bypass-governance-retention").is_some_and(|value| value == "true");
    let quiet = root.text_of("Quiet") == Some("true");
    let mut result = Element::new("DeleteResult");
    let wanted = objects.iter().map(|object| read(object, bypass, mfa)).collect::<Result<Vec<_>, _>>()?;
    for (key, deletion) in wanted {
        let outcome = match strike.key_error(key) {
            Some(code) => Err(Refusal::new(code, "Made to fail by the sandbox.")),
            None => bucket.delete(now, key, &deletion),
        };
        let line = match outcome {
            Ok(_) if quiet => continue,
            Ok(deleted) => deleted_line(key, &deletion, &deleted),
            Err(refusal) => error_line(key, &deletion, &refusal),
        };
        if !strike.omits(key) {
            result.push_element(line);
        }
    }
    Ok(Answer::of(result))
}

fn read(object: &Element, bypass_governance: bool, mfa: bool) -> Result<(&str, Deletion), Refusal> {
    let key = object.text_of("Key").filter(|key| !key.is_empty()).ok_or_else(Refusal::malformed_xml)?;
    // These conditions work in directory buckets only.
    if object.get("LastModifiedTime").is_some() || object.get("Size").is_some() {
        return Err(Refusal::not_implemented());
    }
    let condition = object.text_of("ETag").map(|etag| match etag {
        "*" => Condition::Exists,
        etag => Condition::Etag(etag.trim_matches('"').to_owned()),
    });
    let version_id = object.text_of("VersionId").filter(|id| !id.is_empty()).map(str::to_owned);
    Ok((key, Deletion { version_id, condition, bypass_governance, mfa }))
}

fn deleted_line(key: &str, deletion: &Deletion, deleted: &Deleted) -> Element {
    let mut line = Element::new("Deleted");
    line.push("Key", key);
    if let Some(id) = &deletion.version_id {
        line.push("VersionId", id);
    }
    if deleted.delete_marker {
        line.push("DeleteMarker", "true");
        line.push("DeleteMarkerVersionId", deleted.version_id.clone().unwrap_or_default());
    }
    line
}

fn error_line(key: &str, deletion: &Deletion, refusal: &Refusal) -> Element {
    let mut line = Element::new("Error");
    line.push("Key", key);
    if let Some(id) = &deletion.version_id {
        line.push("VersionId", id);
    }
    line.push("Code", refusal.code).push("Message", refusal.message.clone());
    line
}
