//! HeadObject: metadata, what S3 itself says about expiration, and what tells two objects apart.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, ServerSideEncryption};
use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use super::error::{Call, StoreError};
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
        let last_modified = last_modified(&head, call)?;
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

/// All that a copy of an object is compared with it by, and made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Last-Modified.
    pub last_modified: DateTime<Utc>,
    /// Bytes.
    pub size: u64,
    /// The ETag without its quotes.
    pub etag: Option<String>,
    /// User metadata as the store sent it.
    pub metadata: Attributes,
    /// What else a writer says of the content.
    pub headers: ContentHeaders,
    /// How many tags it has.
    pub tags: i32,
    /// Checksums of the whole object by the names of their algorithms.
    pub checksums: Vec<(&'static str, String)>,
    /// Whether the store's ETag is no digest of the content, because of how it is encrypted.
    pub is_etag_opaque: bool,
}

/// Headers that are stored with an object and sent along with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentHeaders {
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
    /// `Content-Disposition`
    pub content_disposition: Option<String>,
    /// `Content-Encoding`
    pub content_encoding: Option<String>,
    /// `Content-Language`
    pub content_language: Option<String>,
}

impl Bucket {
    /// Asks for everything that headers tell of a version's content, checksums too; of the latest
    /// version if none is named.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::Unreadable`] if there is metadata that
    /// headers cannot carry.
    pub async fn inspect(&self, key: &str, version_id: Option<&str>) -> Result<Inspected, StoreError> {
        let call = self.call_on("HeadObject", key);
        let head = self
            .client()
            .head_object()
            .bucket(self.name())
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        if head.missing_meta().is_some_and(|missing| missing > 0) {
            return Err(StoreError::unreadable(call, "some metadata was left out (x-amz-missing-meta)"));
        }
        let size = head
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| StoreError::unreadable(call, "Content-Length is missing"))?;
        let is_whole = head.checksum_type().is_none_or(|kind| *kind == ChecksumType::FullObject);
        let checksums = [
            ("CRC64NVME", head.checksum_crc64_nvme()),
            ("SHA256", head.checksum_sha256()),
            ("SHA1", head.checksum_sha1()),
            ("CRC32C", head.checksum_crc32_c()),
            ("CRC32", head.checksum_crc32()),
        ];
        // One of parts ends in their number, `…==-3`, and is no checksum of the whole.
        let of_the_whole = checksums.into_iter().filter_map(|(algorithm, value)| {
            let value = value.filter(|value| is_whole && !value.contains('-'))?;
            Some((algorithm, value.to_owned()))
        });
        let text = |value: Option<&str>| value.map(str::to_owned);
        let last_modified = last_modified(&head, call)?;
        Ok(Inspected {
            last_modified,
            size,
            etag: head.e_tag().map(|etag| values::unquoted(etag).to_owned()),
            metadata: head
                .metadata()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.to_lowercase(), value.clone()))
                .collect(),
            headers: ContentHeaders {
                content_type: text(head.content_type()),
                cache_control: text(head.cache_control()),
                content_disposition: text(head.content_disposition()),
                content_encoding: text(head.content_encoding()),
                content_language: text(head.content_language()),
            },
            tags: head.tag_count().unwrap_or_default(),
            checksums: of_the_whole.collect(),
            is_etag_opaque: head
                .server_side_encryption()
                .is_some_and(|kind| *kind != ServerSideEncryption::Aes256)
                || head.sse_customer_algorithm().is_some(),
        })
    }
}

fn last_modified(head: &HeadObjectOutput, call: Call<'_>) -> Result<DateTime<Utc>, StoreError> {
    head.last_modified()
        .and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
        .ok_or_else(|| StoreError::unreadable(call, "Last-Modified is missing"))
}
