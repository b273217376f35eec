//! HeadObject: metadata, and what S3 itself says about expiration.

use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use super::error::StoreError;
use super::values;
use crate::object::Attributes;

/// What HEAD tells of an object version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// User metadata by name in lower case, values as the user wrote them.
    pub metadata: Attributes,
    /// `Content-Type` as sent; empty if there is none.
    pub content_type: String,
    /// The ETag without its quotes, where sent.
    pub etag: Option<String>,
    /// Last-Modified, in whole seconds.
    pub last_modified: DateTime<Utc>,
    /// Bytes.
    pub size: u64,
    /// The version id, where the bucket has versions.
    pub version_id: Option<String>,
    /// `x-amz-expiration` as sent: when and by which lifecycle rule S3 would remove it.
    pub expiration: Option<String>,
    /// `x-amz-replication-status` as sent, such as `FAILED`; `None` where nothing is replicated.
    pub replication_status: Option<String>,
}

impl Bucket {
    /// Asks for the headers of an object, of its latest version if none is named.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::DeleteMarker`] for a marker named by its
    /// id; [`super::StoreErrorKind::Unreadable`] if there is metadata that headers cannot carry
    /// (`x-amz-missing-meta`), or that is encoded in a way we cannot read, since it could be the one
    /// that decides.
    pub async fn head(&self, key: &str, version_id: Option<&str>) -> Result<Head, StoreError> {
        let call = self.call_on("HeadObject", key);
        let head = self
            .client()
            .head_object()
            .bucket(self.name())
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        if head.missing_meta().is_some_and(|missing| missing > 0) {
            return Err(StoreError::unreadable(call, "some metadata was left out (x-amz-missing-meta)"));
        }
        let mut metadata = Attributes::new();
        for (name, sent) in head.metadata().into_iter().flatten() {
            let value = values::metadata_value(sent)
                .ok_or_else(|| StoreError::unreadable(call, "metadata in an unknown encoding"))?;
            metadata.insert(name.to_lowercase(), value);
        }
        let last_modified = head
            .last_modified()
            .and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
            .ok_or_else(|| StoreError::unreadable(call, "Last-Modified is missing"))?;
        let size = head
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| StoreError::unreadable(call, "Content-Length is missing"))?;
        Ok(Head {
            metadata,
            content_type: head.content_type().unwrap_or_default().to_owned(),
            etag: head.e_tag().map(|etag| values::unquoted(etag).to_owned()),
            last_modified,
            size,
            version_id: head.version_id().map(str::to_owned),
            expiration: head.expiration().map(str::to_owned),
            replication_status: head.replication_status().map(|status| status.as_str().to_owned()),
        })
    }
}
