//! Writing, finding and deleting object versions, as the versioning state of their bucket has it
//! (UG:Versioning, UG:ManagingDelMarkers, UG:conditional-deletes).

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};

use super::journal::Deed;
use super::lock;
use super::model::{Attributes, Body, Bucket, NULL_VERSION, Object, Version, Versioning, sequence_of};
use super::refusal::Refusal;
use super::values::hex;

/// S3's bound on the length of a key, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1024;

/// A condition on the object that is there, from `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is an object.
    Exists,
    /// There is an object with this ETag, without quotes.
    Etag(String),
    /// There is no object.
    Absent,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The new version's id, where the bucket has ever had versioning.
    pub version_id: Option<String>,
    /// The ETag, without quotes.
    pub etag: String,
    /// The Last-Modified time that it got.
    pub last_modified: DateTime<Utc>,
}

/// What is to be deleted, and under which conditions.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// The version to remove for good; without one the current version is deleted.
    pub version_id: Option<String>,
    /// What must hold of the current version.
    pub condition: Option<Condition>,
    /// `x-amz-bypass-governance-retention`.
    pub bypass_governance: bool,
    /// Whether an `x-amz-mfa` token came along.
    pub mfa: bool,
}

/// What a deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that is gone, or the delete marker that was made.
    pub version_id: Option<String>,
    /// Whether `version_id` is a delete marker, made or removed.
    pub delete_marker: bool,
}

impl Bucket {
    /// The current version of a key, which may be a delete marker.
    pub fn current(&self, key: &str) -> Option<&Version> {
        self.keys.get(key)?.last()
    }

    /// The current object of a key: none under a delete marker.
    pub fn current_object(&self, key: &str) -> Option<&Object> {
        self.current(key)?.object.as_ref()
    }

    /// The version that a read names, delete markers refused as S3 refuses them.
    pub fn find_object(&self, key: &str, version: Option<&str>) -> Result<(&Version, &Object), Refusal> {
        let found = match version {
            None => self.current(key).ok_or_else(Refusal::no_such_key)?,
            Some(id) => {
                valid_version_id(id)?;
                let mut versions = self.keys.get(key).into_iter().flatten();
                versions.find(|found| found.id == id).ok_or_else(no_such_version)?
            }
        };
        match &found.object {
            Some(object) => Ok((found, object)),
            None if version.is_some() => Err(Refusal::new(
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )
            .with_header("x-amz-delete-marker", "true")
            .with_header("x-amz-version-id", &found.id)
            .with_header("allow", "DELETE")
            .with_header("last-modified", http_date(found.last_modified))),
            None => Err(Refusal::no_such_key()
                .with_header("x-amz-delete-marker", "true")
                .with_header("x-amz-version-id", &found.id)),
        }
    }

    /// Changes what is not content of a version, which is found as [`Self::find_object`] does.
    pub fn alter(
        &mut self,
        key: &str,
        version: Option<&str>,
        change: impl FnOnce(&mut Object) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let sequence = self.find_object(key, version)?.0.sequence;
        let versions = self.keys.get_mut(key).ok_or_else(Refusal::no_such_key)?;
        let latest = versions.last().map(|version| version.sequence);
        let mut found = versions.iter_mut().filter(|version| version.sequence == sequence);
        let version = found.next().ok_or_else(Refusal::no_such_key)?;
        change(version.object.as_mut().ok_or_else(Refusal::no_such_key)?)?;
        self.journal.note(&self.name, Deed::Altered, key, version, latest == Some(sequence));
        Ok(())
    }

    /// Replaces the tags of a version.
    pub fn set_tags(
        &mut self,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        valid_tags(&tags, 10)?;
        self.alter(key, version, |object| {
            object.attributes.tags = tags;
            Ok(())
        })
    }

    /// A version's id as answers carry it: not at all where the bucket never had versioning.
    pub fn shown_id(&self, version: &Version) -> Option<String> {
        (self.versioning != Versioning::Never).then(|| version.id.clone())
    }

    /// Refuses a write whose condition does not hold of the current version (UG:conditional-writes).
    pub fn check_write(&self, key: &str, condition: Option<&Condition>) -> Result<(), Refusal> {
        let current = self.current_object(key);
        match (condition, current) {
            (None, _) | (Some(Condition::Absent), None) | (Some(Condition::Exists), Some(_)) => Ok(()),
            (Some(Condition::Etag(etag)), Some(object)) if *etag == object.etag => Ok(()),
            (Some(Condition::Etag(_) | Condition::Exists), None) => Err(Refusal::no_such_key()),
            (Some(_), Some(_)) => Err(Refusal::precondition_failed()),
        }
    }

    /// Stores an object as the new current version. `now` decides on locks; Last-Modified is
    /// `last_modified`, in whole seconds.
    pub fn put(
        &mut self,
        now: DateTime<Utc>,
        last_modified: DateTime<Utc>,
        key: &str,
        mut object: Object,
    ) -> Result<Written, Refusal> {
        valid_key(key)?;
        valid_attributes(&object.attributes)?;
        self.lock_new_version(now, &mut object.attributes)?;
        let etag = object.etag.clone();
        let version = self.push(key, last_modified, Some(object));
        let (version_id, last_modified) = (version.id.clone(), version.last_modified);
        let shown = self.versioning != Versioning::Never;
        Ok(Written { version_id: shown.then_some(version_id), etag, last_modified })
    }

    /// Puts a version, or a delete marker, on top. Without versioning in force it replaces the null
    /// version.
    pub fn push(&mut self, key: &str, last_modified: DateTime<Utc>, object: Option<Object>) -> &Version {
        let sequence = self.next_sequence();
        let id = match self.versioning {
            Versioning::Enabled => self.opaque_id(sequence),
            Versioning::Never | Versioning::Suspended => NULL_VERSION.to_owned(),
        };
        let versions = self.keys.entry(key.to_owned()).or_default();
        if id == NULL_VERSION
            && let Some(at) = versions.iter().position(|version| version.id == NULL_VERSION)
        {
            let replaced = versions.remove(at);
            self.journal.note(&self.name, Deed::Removed, key, &replaced, at == versions.len());
        }
        let at = versions.len();
        versions.push(Version { id, sequence, last_modified: last_modified.trunc_subsecs(0), object });
        self.journal.note(&self.name, Deed::Added, key, &versions[at], true);
        &versions[at]
    }

    /// Deletes: the named version for good, else the current one as the versioning state has it.
    pub fn delete(&mut self, now: DateTime<Utc>, key: &str, deletion: &Deletion) -> Result<Deleted, Refusal> {
        valid_key(key)?;
        if self.mfa_delete && deletion.version_id.is_some() && !deletion.mfa {
            return Err(mfa_required());
        }
        self.check_deletion(key, deletion.condition.as_ref())?;
        match &deletion.version_id {
            Some(id) => self.delete_version(now, key, id, deletion.bypass_governance),
            None if self.versioning == Versioning::Never => {
                for version in self.keys.remove(key).into_iter().flatten() {
                    self.journal.note(&self.name, Deed::Removed, key, &version, true);
                }
                Ok(Deleted::default())
            }
            None => {
                let marker = self.push(key, now, None);
                Ok(Deleted { version_id: Some(marker.id.clone()), delete_marker: true })
            }
        }
    }

    /// Conditions of a deletion hold of the current version, whatever version is deleted; under a delete
    /// marker none holds (UG:conditional-deletes). S3 does not document what `If-Match` on a key that is
    /// not there answers: here 412, as under a marker.
    fn check_deletion(&self, key: &str, condition: Option<&Condition>) -> Result<(), Refusal> {
        let holds = match (condition, self.current_object(key)) {
            (None, _) | (Some(Condition::Exists), Some(_)) => true,
            (Some(Condition::Etag(etag)), Some(object)) => *etag == object.etag,
            (Some(_), _) => false,
        };
        if holds { Ok(()) } else { Err(Refusal::precondition_failed()) }
    }

    fn delete_version(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        id: &str,
        bypass: bool,
    ) -> Result<Deleted, Refusal> {
        valid_version_id(id)?;
        let mut deleted = Deleted { version_id: Some(id.to_owned()), delete_marker: false };
        if let Some(versions) = self.keys.get_mut(key)
            && let Some(at) = versions.iter().position(|version| version.id == id)
        {
            lock::may_remove(&versions[at], now, bypass)?;
            let removed = versions.remove(at);
            deleted.delete_marker = removed.is_marker();
            self.journal.note(&self.name, Deed::Removed, key, &removed, at == versions.len());
            if versions.is_empty() {
                self.keys.remove(key);
            }
        }
        Ok(deleted)
    }
}

/// An object of these bytes, its ETag their MD5.
pub(super) fn object_of(body: Body, attributes: Attributes) -> Object {
    Object { etag: hex(&body.md5()), checksum: None, body, attributes }
}

pub(super) fn mfa_required() -> Refusal {
    Refusal::new("AccessDenied", "Mfa Authentication must be used for this request")
}

fn no_such_version() -> Refusal {
    Refusal::new("NoSuchVersion", "The specified version does not exist.")
}

fn valid_version_id(id: &str) -> Result<(), Refusal> {
    if id == NULL_VERSION || sequence_of(id).is_some() {
        Ok(())
    } else {
        Err(Refusal::invalid_argument("Invalid version id specified"))
    }
}

pub(super) fn valid_key(key: &str) -> Result<(), Refusal> {
    match key.len() {
        0 => Err(Refusal::new("UserKeyMustBeSpecified", "A key must be specified.")),
        1..=MAX_KEY_BYTES => Ok(()),
        _ => Err(Refusal::new("KeyTooLongError", "Your key is too long")),
    }
}

/// At most 10 tags of 128 and 256 characters (UG:object-tagging), 2 KB of metadata (UG:UsingMetadata).
fn valid_attributes(attributes: &Attributes) -> Result<(), Refusal> {
    valid_tags(&attributes.tags, 10)?;
    let metadata: usize = attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if metadata > 2048 {
        return Err(Refusal::new(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(())
}

pub(super) fn valid_tags(tags: &BTreeMap<String, String>, most: usize) -> Result<(), Refusal> {
    if tags.len() > most {
        return Err(Refusal::new("BadRequest", format!("Object tags cannot be greater than {most}")));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(Refusal::new("InvalidTag", "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(Refusal::new("InvalidTag", "The TagValue you have provided is invalid"));
        }
    }
    Ok(())
}

/// A date as HTTP headers carry it.
pub(super) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
