//! The way back from a delete marker that a run has put: it goes if it is still on top, and what it
//! hides is still under it.

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt};
use smol_str::SmolStr;

use super::ending::Ended;
use crate::evidence::ItemResult;
use crate::object::Kind;
use crate::s3::{Bucket, DeleteTarget, StoreError};

/// How far apart the clocks of the store and of whoever talks to it may be: S3 takes no request that is
/// farther off (API reference, "Error responses", `RequestTimeTooSkewed`). Of a batch that takes longer, what
/// comes late is not found.
const AROUND: TimeDelta = TimeDelta::minutes(15);

/// How many keys are looked at, or markers taken away, at a time.
const AT_ONCE: usize = 16;

/// A delete marker that a run has put on top of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The key.
    pub key: SmolStr,
    /// The marker's version id.
    pub marker: SmolStr,
    /// That of the version that it hides.
    pub version_id: SmolStr,
}

/// How a marker stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// It is on top of the version that it hides.
    Hides,
    /// It is not there any more.
    Gone,
    /// Something newer lies on top of it.
    Covered,
    /// The version that it hid has been removed.
    Removed,
    /// The store could not be asked.
    Unknown,
}

impl Standing {
    /// In words, for what cannot be undone.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hides => "can be taken away",
            Self::Gone => "the marker is not there any more",
            Self::Covered => "something newer lies on top of the marker",
            Self::Removed => "the version has been removed since",
            Self::Unknown => "the store could not be asked",
        }
    }
}

/// A version that a run was about to hide, and of whose marker no answer came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// The key.
    pub key: SmolStr,
    /// The version's id.
    pub version_id: SmolStr,
    /// When the marker was about to be put.
    pub intended: DateTime<Utc>,
}

/// Looks for the markers of `lost`: one that lies right on top of its version and was put there at the
/// time; one answer for each.
///
/// # Errors
/// Where the store could not be asked.
pub async fn find(bucket: &Bucket, lost: &[Unnamed]) -> Vec<Result<Option<Marker>, StoreError>> {
    let looks: Vec<_> = lost.iter().map(|lost| found(bucket, lost)).collect();
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

async fn found(bucket: &Bucket, lost: &Unnamed) -> Result<Option<Marker>, StoreError> {
    let page = bucket.versions(&lost.key, None).first_page(2).next().await?;
    let mut entries = page.iter().flat_map(|page| page.entries()).filter(|entry| entry.key == lost.key);
    let (Some(top), Some(below)) = (entries.next(), entries.next()) else { return Ok(None) };
    let hides = top.kind == Kind::Marker
        && (top.last_modified - lost.intended).abs() <= AROUND
        && below.kind != Kind::Marker
        && below.version_id.unwrap_or("null") == lost.version_id;
    // A null marker has taken a null version's place, and nothing comes back with it.
    let id = top.version_id.filter(|id| hides && *id != "null");
    Ok(id.map(|id| Marker { key: lost.key.clone(), marker: id.into(), version_id: lost.version_id.clone() }))
}

/// How each of `markers` stands.
pub async fn standings(bucket: &Bucket, markers: &[Marker]) -> Vec<Standing> {
    let looks: Vec<_> = markers
        .iter()
        .map(|marker| async move { standing(bucket, marker).await.unwrap_or(Standing::Unknown) })
        .collect();
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

/// Takes each of `markers` away where it still hides its version; one ending for each.
pub async fn take_away(bucket: &Bucket, markers: &[Marker]) -> Vec<Ended> {
    let taken: Vec<_> = markers.iter().map(|marker| one(bucket, marker)).collect();
    stream::iter(taken).buffered(AT_ONCE).collect().await
}

/// Takes one away where it still hides its version.
pub(super) async fn one(bucket: &Bucket, marker: &Marker) -> Ended {
    match standing(bucket, marker).await {
        Ok(Standing::Hides) => {}
        Ok(Standing::Gone) => return Ended::because(ItemResult::AlreadyGone, Standing::Gone.words()),
        Ok(other) => return Ended::because(ItemResult::Changed, other.words()),
        Err(error) => return Ended::because(ItemResult::Failed, error.to_string()),
    }
    let target =
        DeleteTarget { key: marker.key.clone(), version_id: Some(marker.marker.clone()), if_match: None };
    let removed = Ended::plain(ItemResult::MarkerRemoved);
    match bucket.delete_object(&target).await {
        Ok(_) => removed,
        Err(error) if error.is_denied() => Ended::because(ItemResult::Denied, error.to_string()),
        // Nobody has said for certain what became of it, so the store is asked again.
        Err(error) => match standing(bucket, marker).await {
            Ok(Standing::Gone) => Ended { detail: Some(error.to_string()), ..removed },
            Ok(_) => Ended::because(ItemResult::Failed, format!("{error}; a listing shows that it is there")),
            Err(again) => {
                Ended::because(ItemResult::Unclear, format!("{error}; and listing it failed: {again}"))
            }
        },
    }
}

async fn standing(bucket: &Bucket, marker: &Marker) -> Result<Standing, StoreError> {
    let mut pages = bucket.versions(&marker.key, None).first_page(10);
    let (mut newer, mut is_there) = (false, false);
    while let Some(page) = pages.next().await? {
        for entry in page.entries() {
            if entry.key != marker.key {
                return Ok(if is_there { Standing::Removed } else { Standing::Gone });
            }
            let id = entry.version_id.unwrap_or("null");
            match entry.kind {
                Kind::Marker if id == marker.marker && newer => return Ok(Standing::Covered),
                Kind::Marker if id == marker.marker => is_there = true,
                _ if is_there => {
                    // Only what it was put on top of comes back with it.
                    let hides = entry.kind != Kind::Marker && id == marker.version_id;
                    return Ok(if hides { Standing::Hides } else { Standing::Removed });
                }
                _ => newer = true,
            }
        }
    }
    Ok(if is_there { Standing::Removed } else { Standing::Gone })
}
