//! CopyObject: a copy that the store itself makes of one version, up to 5 GiB.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::types::{ChecksumAlgorithm, MetadataDirective, TaggingDirective};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bucket::Bucket;
use super::error::StoreError;
use super::values;

/// The largest object that one request copies (API Reference, CopyObject).
pub const LARGEST_COPY: u64 = 5 << 30;

/// How long one copy may take: the store answers when it is made.
const PATIENCE: Duration = Duration::from_secs(900);

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// What is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// From which bucket.
    pub bucket: &'a Bucket,
    /// The key.
    pub key: &'a str,
    /// The version; the object that is there, if none is named.
    pub version_id: Option<&'a str>,
    /// Only if it has this ETag.
    pub etag: &'a str,
}

impl CopySource<'_> {
    /// For `x-amz-copy-source`.
    pub(super) fn header(&self) -> String {
        let key = utf8_percent_encode(self.key, KEPT);
        let version = self.version_id.map(|id| format!("?versionId={}", utf8_percent_encode(id, KEPT)));
        format!("{}/{key}{}", self.bucket.name(), version.unwrap_or_default())
    }
}

/// For a request that is answered when a copy has been made.
pub(super) fn patient() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .read_timeout(PATIENCE)
        .operation_attempt_timeout(PATIENCE)
        .operation_timeout(4 * PATIENCE)
        .build();
    Builder::new().timeout_config(timeouts)
}

impl Bucket {
    /// Copies `source` to `key` in this bucket, with its metadata and tags, if nothing is there
    /// or it is to `overwrite` that.
    /// `checksum` names the algorithm by which the copy is to have a checksum.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::Changed`] if the source is not what it was or
    /// something is there already. The copy may have been made nevertheless.
    pub async fn copy_from(
        &self,
        key: &str,
        source: &CopySource<'_>,
        checksum: &str,
        overwrite: bool,
    ) -> Result<(), StoreError> {
        let call = self.call_on("CopyObject", key);
        self.client()
            .copy_object()
            .bucket(self.name())
            .key(key)
            .copy_source(source.header())
            .copy_source_if_match(values::quoted(source.etag))
            .set_if_none_match((!overwrite).then(|| "*".to_owned()))
            .metadata_directive(MetadataDirective::Copy)
            .tagging_directive(TaggingDirective::Copy)
            .checksum_algorithm(ChecksumAlgorithm::from(checksum))
            .set_expected_bucket_owner(self.owner())
            .set_expected_source_bucket_owner(source.bucket.owner())
            .set_request_payer(self.payer().or_else(|| source.bucket.payer()))
            .customize()
            .config_override(patient())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}
