//! One thing to do: the row of a plan, what makes it sound, and its place among the others.

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use crate::object::Kind;

/// What is done to a row's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Remove the object, the version or the delete marker.
    Delete,
    /// Abort the multipart upload.
    AbortUpload,
    /// Put a delete marker on top of the version, which stays under it.
    Mark,
}

impl Action {
    /// The word used in plans, evidence and `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::AbortUpload => "abort-upload",
            Self::Mark => "mark",
        }
    }

    /// The action that [`Action::word`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Delete, Self::AbortUpload, Self::Mark].into_iter().find(|action| action.word() == word)
    }
}

/// One thing to do, and all that was known when it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// What is done.
    pub action: Action,
    /// To what.
    pub kind: Kind,
    /// The bucket's name.
    pub bucket: SmolStr,
    /// The key, decoded.
    pub key: SmolStr,
    /// S3's version id, for versions and markers alone.
    pub version_id: Option<SmolStr>,
    /// The upload's id, for uploads alone.
    pub upload_id: Option<SmolStr>,
    /// Whether it is the newest version or marker of its key. True for objects and uploads.
    pub is_latest: bool,
    /// The ETag as the store sent it, without its quotes.
    pub etag: Option<SmolStr>,
    /// Last-Modified, or the initiation of an upload. Kept to the millisecond.
    pub last_modified: DateTime<Utc>,
    /// Bytes; zero for markers and uploads.
    pub size: u64,
    /// Storage class as the store sent it.
    pub storage_class: Option<SmolStr>,
    /// The tenant, where known.
    pub tenant: Option<SmolStr>,
    /// Id of the rule that keeps it longest; empty where an erasure removes what no rule covers.
    pub rule: SmolStr,
    /// Id of the erasure that it goes by, where its rules would keep it longer, or there are none.
    pub erasure: Option<SmolStr>,
    /// The date that retention ran from.
    pub trigger: Option<SmolStr>,
    /// Where that date came from.
    pub trigger_source: Option<SmolStr>,
    /// Since when its time is up. Kept to the millisecond.
    pub due: DateTime<Utc>,
    /// Why it is expired.
    pub reason: SmolStr,
    /// Whether it was left to S3's lifecycle, which is later than the tolerance allows.
    pub overdue_sweep: bool,
    /// Where a copy goes before it is removed: `s3://bucket/key`.
    pub export: Option<SmolStr>,
}

/// Why a row cannot stand in a plan, or not at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// A cut or unreadable listing can yield empty names.
    #[error("the bucket or the key is empty")]
    NoName,
    /// Uploads are aborted, the latest version can be marked, everything is deleted.
    #[error("the action does not fit the kind")]
    Action,
    /// Uploads have an upload id, and nothing else has.
    #[error("an upload without upload id, or an upload id without upload")]
    UploadId,
    /// Versions and markers have a version id, and nothing else has. Without one, deleting a
    /// version would hide it or destroy the null version.
    #[error("a version or marker without version id, or a version id without either")]
    VersionId,
    /// Objects and uploads have no newer version.
    #[error("an object or upload that is not the latest")]
    NotLatest,
    /// Only the bytes of an object can be copied, and only to a place that is one.
    #[error("an export of what is no object, or to no place")]
    Export,
    /// More bytes than a plan can say.
    #[error("the size is out of range")]
    Size,
    /// Rows stand by bucket, key, then uploads, older versions and the latest.
    #[error(
        "out of order: rows stand by bucket and key, and for each key uploads first, then versions from the oldest to the latest"
    )]
    Order,
}

impl PlanRow {
    /// Whether the row is sound by itself.
    pub fn check(&self) -> Result<(), RowFault> {
        let is_upload = self.kind == Kind::Upload;
        let is_versioned = matches!(self.kind, Kind::Version | Kind::Marker);
        if self.bucket.is_empty() || self.key.is_empty() {
            Err(RowFault::NoName)
        } else if (self.action == Action::AbortUpload) != is_upload
            || (self.action == Action::Mark && !(self.kind == Kind::Version && self.is_latest))
        {
            Err(RowFault::Action)
        } else if !stands_where(is_upload, self.upload_id.as_deref()) {
            Err(RowFault::UploadId)
        } else if !stands_where(is_versioned, self.version_id.as_deref()) {
            Err(RowFault::VersionId)
        } else if !is_versioned && !self.is_latest {
            Err(RowFault::NotLatest)
        } else if !self.can_be_exported() {
            Err(RowFault::Export)
        } else if i64::try_from(self.size).is_err() {
            Err(RowFault::Size)
        } else {
            Ok(())
        }
    }

    fn can_be_exported(&self) -> bool {
        let is_data = matches!(self.kind, Kind::Object | Kind::Version);
        let is_removed = self.action == Action::Delete && is_data;
        self.export.is_none() || is_removed && self.export_place().is_some()
    }

    /// Bucket and key of the copy that is made before it is removed.
    pub fn export_place(&self) -> Option<(&str, &str)> {
        let place = self.export.as_deref()?.strip_prefix("s3://")?.split_once('/')?;
        (!place.0.is_empty() && !place.1.is_empty()).then_some(place)
    }

    fn rank(&self) -> Rank {
        match (self.kind, self.is_latest) {
            (Kind::Upload, _) => Rank::Upload,
            (_, false) => Rank::Older,
            (_, true) => Rank::Latest,
        }
    }
}

/// Whether an id is there exactly where it is wanted.
fn stands_where(wanted: bool, id: Option<&str>) -> bool {
    id.map_or(!wanted, |id| wanted && !id.is_empty())
}

/// The place of a row among those of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Upload,
    Older,
    Latest,
}

/// Holds rows to the order that applying them rests on: by bucket, then by key in byte order;
/// for each key uploads, then versions from the oldest to the latest, and nothing after that.
///
/// The age of older versions is not compared: a version made by a multipart upload carries the
/// time of its initiation, which can lie before that of the version it superseded.
#[derive(Debug, Default)]
pub(super) struct Order {
    bucket: SmolStr,
    key: SmolStr,
    rank: Option<Rank>,
}

impl Order {
    /// Takes the next row, if it is sound and at its place.
    pub(super) fn admit(&mut self, row: &PlanRow) -> Result<(), RowFault> {
        row.check()?;
        let rank = row.rank();
        if let Some(last) = self.rank {
            let before = (self.bucket.as_str(), self.key.as_str(), last);
            let this = (row.bucket.as_str(), row.key.as_str(), rank);
            if before > this || (before == this && rank == Rank::Latest) {
                return Err(RowFault::Order);
            }
        }
        self.bucket.clone_from(&row.bucket);
        self.key.clone_from(&row.key);
        self.rank = Some(rank);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sound row for a version that is due.
    pub(crate) fn version(key: &str, id: &str, is_latest: bool) -> PlanRow {
        PlanRow {
            action: Action::Delete,
            kind: Kind::Version,
            bucket: "acme-ott-media".into(),
            key: key.into(),
            version_id: Some(id.into()),
            upload_id: None,
            is_latest,
            etag: Some("9b2cf535f27731c974343645a3985328".into()),
            last_modified: DateTime::from_timestamp_millis(1_760_000_000_000).unwrap(),
            size: 1_234,
            storage_class: Some("STANDARD".into()),
            tenant: Some("0815".into()),
            rule: "ott-media".into(),
            trigger: Some("2025-10-09".into()),
            trigger_source: Some("metadata communication-date".into()),
            due: DateTime::from_timestamp(1_762_646_400, 0).unwrap(),
            reason: "communicated on 2025-10-09, kept 30 days".into(),
            erasure: None,
            overdue_sweep: false,
            export: None,
        }
    }

    /// A sound row for an upload that is due.
    pub(crate) fn upload(key: &str, id: &str) -> PlanRow {
        PlanRow {
            action: Action::AbortUpload,
            kind: Kind::Upload,
            version_id: None,
            upload_id: Some(id.into()),
            etag: None,
            size: 0,
            storage_class: None,
            tenant: None,
            trigger: None,
            trigger_source: None,
            ..version(key, "", true)
        }
    }

    /// A sound row for an object in a bucket that never had versioning.
    pub(crate) fn object(key: &str) -> PlanRow {
        PlanRow { kind: Kind::Object, version_id: None, ..version(key, "", true) }
    }

    fn admit(rows: &[PlanRow]) -> Result<(), RowFault> {
        let mut order = Order::default();
        rows.iter().try_for_each(|row| order.admit(row))
    }

    #[test]
    fn a_version_without_its_id_cannot_be_planned() {
        for id in [None, Some("".into())] {
            let row = PlanRow { version_id: id, ..version("a", "1", true) };
            assert_eq!(row.check(), Err(RowFault::VersionId));
        }
        let row = PlanRow { version_id: Some("".into()), ..object("a") };
        assert_eq!(row.check(), Err(RowFault::VersionId));
    }

    #[test]
    fn an_upload_is_aborted_by_its_id_and_nothing_else_is() {
        assert_eq!(upload("a", "u").check(), Ok(()));
        assert_eq!(upload("a", "").check(), Err(RowFault::UploadId));
        assert_eq!(PlanRow { action: Action::Delete, ..upload("a", "u") }.check(), Err(RowFault::Action));
        assert_eq!(PlanRow { upload_id: Some("u".into()), ..object("a") }.check(), Err(RowFault::UploadId));
    }

    #[test]
    fn only_the_latest_version_can_be_marked() {
        let mark = PlanRow { action: Action::Mark, ..version("a", "3", true) };
        assert_eq!(mark.check(), Ok(()));
        let marker = PlanRow { kind: Kind::Marker, ..mark.clone() };
        let older = PlanRow { is_latest: false, ..mark };
        for row in [marker, older, PlanRow { action: Action::Mark, ..object("a") }] {
            assert_eq!(row.check(), Err(RowFault::Action));
        }
    }

    #[test]
    fn only_bytes_that_are_removed_are_exported_and_only_to_a_place() {
        let to = |place: &str, row: PlanRow| PlanRow { export: Some(place.into()), ..row }.check();
        assert_eq!(to("s3://exports/media/a", object("a")), Ok(()));
        let marker = PlanRow { kind: Kind::Marker, ..version("a", "3", true) };
        let mark = PlanRow { action: Action::Mark, ..version("a", "3", true) };
        for row in [marker, mark, upload("a", "u")] {
            assert_eq!(to("s3://exports/media/a", row), Err(RowFault::Export));
        }
        for place in ["", "exports/a", "s3://exports", "s3:///a", "s3://exports/"] {
            assert_eq!(to(place, object("a")), Err(RowFault::Export), "{place}");
        }
    }

    #[test]
    fn a_row_without_a_key_or_with_an_impossible_size_cannot_be_planned() {
        assert_eq!(object("").check(), Err(RowFault::NoName));
        assert_eq!(PlanRow { size: u64::MAX, ..object("a") }.check(), Err(RowFault::Size));
        assert_eq!(PlanRow { is_latest: false, ..object("a") }.check(), Err(RowFault::NotLatest));
    }

    #[test]
    fn the_latest_of_a_key_stands_last() {
        let latest = version("a", "3", true);
        assert_eq!(admit(&[upload("a", "u"), version("a", "1", false), latest.clone()]), Ok(()));
        assert_eq!(admit(&[latest.clone(), version("a", "1", false)]), Err(RowFault::Order));
        assert_eq!(admit(&[latest.clone(), upload("a", "u")]), Err(RowFault::Order));
        assert_eq!(admit(&[latest.clone(), latest]), Err(RowFault::Order));
    }

    #[test]
    fn rows_of_one_key_stand_together_in_byte_order() {
        assert_eq!(admit(&[object("Z"), object("a"), object("é"), object("😀")]), Ok(()));
        assert_eq!(admit(&[object("a"), object("Z")]), Err(RowFault::Order));
        let elsewhere = PlanRow { bucket: "zzz".into(), ..object("a") };
        assert_eq!(admit(&[object("b"), elsewhere.clone()]), Ok(()));
        assert_eq!(admit(&[elsewhere, object("b")]), Err(RowFault::Order));
    }
}
