//! DeleteObjects: up to a thousand at once, every one of them accounted for.

use std::borrow::Cow;

use aws_sdk_s3::types::Delete;
use hashbrown::HashMap;

use super::answer::Take;
use super::bucket::Bucket;
use super::client::once;
use super::delete_document::delete_document;
use super::delete_target::DeleteTarget;
use super::error::{Call, StoreError, StoreErrorKind};
use super::replace_body::ReplaceBody;
use super::xml::{Malformed, Reader};

/// How many targets one request takes (API Reference, DeleteObjects).
pub const MAX_DELETE_TARGETS: usize = 1_000;

/// What became of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteAnswer {
    /// It is gone, or was not there.
    Deleted {
        /// A delete marker was made, or was what was removed.
        delete_marker: bool,
        /// That marker's version id.
        marker_version_id: Option<String>,
    },
    /// The store said that it was not deleted.
    Failed {
        /// What that means.
        kind: StoreErrorKind,
        /// The store's code.
        code: String,
        /// The store's words: untrusted text.
        message: String,
    },
    /// The store did not say what became of it: it may be there.
    Unnamed,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteReport {
    /// One for each target, in their order.
    pub answers: Vec<DeleteAnswer>,
    /// Keys and versions that the store named although nobody asked for them: something is very
    /// wrong with it.
    pub foreign: Vec<(String, Option<String>)>,
}

impl Bucket {
    /// Deletes up to [`MAX_DELETE_TARGETS`]. Nothing is sent again here, neither single targets nor the
    /// whole: whoever deletes must hear of every objection, and look again before another try.
    ///
    /// # Errors
    /// What any request can end in: then nothing is known of any of the targets. Too many targets, none,
    /// or one that [goes alone](DeleteTarget::goes_alone) are not sent.
    pub async fn delete_objects(&self, targets: &[DeleteTarget]) -> Result<DeleteReport, StoreError> {
        let call = self.call("DeleteObjects");
        check(call, targets)?;
        // Nothing of it is sent.
        let empty = Delete::builder().set_objects(Some(Vec::new())).build();
        let empty = empty.map_err(|error| StoreError::not_sent(call, error))?;
        let take = Take::new("DeleteResult");
        self.client()
            .delete_objects()
            .bucket(self.name())
            .delete(empty)
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .config_override(once())
            .interceptor(ReplaceBody(delete_document(targets).into()))
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        take.read(call, |reader| read_report(reader, targets))
    }
}

fn check(call: Call<'_>, targets: &[DeleteTarget]) -> Result<(), StoreError> {
    if targets.is_empty() || targets.len() > MAX_DELETE_TARGETS {
        return Err(StoreError::not_sent(call, "a batch takes 1 to 1,000 targets"));
    }
    if targets.iter().any(DeleteTarget::goes_alone) {
        return Err(StoreError::not_sent(call, "a name that a batch cannot carry"));
    }
    Ok(())
}

/// What the answer says of each target. What is named both ways counts as failed.
fn read_report(reader: &mut Reader<'_>, targets: &[DeleteTarget]) -> Result<DeleteReport, Malformed> {
    let mut places = HashMap::with_capacity(targets.len());
    for (place, target) in targets.iter().enumerate() {
        places.entry((target.key.as_str(), target.version_id.as_deref())).or_insert(place);
    }
    let mut report =
        DeleteReport { answers: vec![DeleteAnswer::Unnamed; targets.len()], foreign: Vec::new() };
    while let Some(element) = reader.child()? {
        let (key, version, answer) = match element {
            "Deleted" => read_one(reader, true)?,
            "Error" => read_one(reader, false)?,
            _ => {
                reader.skip()?;
                continue;
            }
        };
        let Some(place) = places.get(&(&*key, version.as_deref())) else {
            report.foreign.push((key.into_owned(), version.map(Cow::into_owned)));
            continue;
        };
        let known = &mut report.answers[*place];
        if *known == DeleteAnswer::Unnamed || matches!(answer, DeleteAnswer::Failed { .. }) {
            *known = answer;
        }
    }
    for (place, target) in targets.iter().enumerate() {
        // The same target twice: the store names it once.
        if let Some(first) = places.get(&(target.key.as_str(), target.version_id.as_deref()))
            && *first != place
        {
            report.answers[place] = report.answers[*first].clone();
        }
    }
    report.foreign.sort();
    report.foreign.dedup();
    Ok(report)
}

/// Key, version and answer of one entry.
type Named<'a> = (Cow<'a, str>, Option<Cow<'a, str>>, DeleteAnswer);

fn read_one<'a>(reader: &mut Reader<'a>, deleted: bool) -> Result<Named<'a>, Malformed> {
    let (mut key, mut version, mut marker, mut marker_version, mut code, mut message) =
        (None, None, None, None, None, None);
    while let Some(name) = reader.child()? {
        let field = match name {
            "Key" => &mut key,
            "VersionId" => &mut version,
            "DeleteMarker" => &mut marker,
            "DeleteMarkerVersionId" => &mut marker_version,
            "Code" => &mut code,
            "Message" => &mut message,
            _ => {
                reader.skip()?;
                continue;
            }
        };
        if field.replace(reader.value()?).is_some() {
            return Err(reader.wrong(format!("`{name}` stands twice in an entry")));
        }
    }
    let key = key.filter(|key| !key.is_empty()).ok_or_else(|| reader.wrong("an entry without a key"))?;
    let answer = if deleted {
        DeleteAnswer::Deleted {
            delete_marker: marker.as_deref() == Some("true"),
            marker_version_id: marker_version.map(Cow::into_owned),
        }
    } else {
        let code = code.unwrap_or_default().into_owned();
        let kind = StoreErrorKind::of(Some(&code), None);
        DeleteAnswer::Failed { kind, code, message: message.unwrap_or_default().into_owned() }
    };
    Ok((key, version.filter(|version| !version.is_empty()), answer))
}
