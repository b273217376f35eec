//! PutObject: files of ours.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectLockMode;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use super::copy_object::patient;
use super::error::StoreError;

impl Bucket {
    /// Stores `body` under a key that no object stands under, and locks it until `lock_until`
    /// where that is given (governance mode).
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::Changed`] if there is an object, which
    /// after a lost answer can be the very same, and [`super::StoreErrorKind::Conflict`] if another
    /// request is writing it.
    pub async fn put_new(
        &self,
        key: &str,
        body: Bytes,
        content_type: &str,
        lock_until: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let call = self.call_on("PutObject", key);
        self.client()
            .put_object()
            .bucket(self.name())
            .key(key)
            .if_none_match("*")
            .content_type(content_type)
            .set_object_lock_mode(lock_until.map(|_| ObjectLockMode::Governance))
            .set_object_lock_retain_until_date(
                lock_until.map(|until| aws_sdk_s3::primitives::DateTime::from_secs(until.timestamp())),
            )
            .body(ByteStream::from(body))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }

    /// Stores the file at `path` under `key`, in the place of whatever is there.
    ///
    /// # Errors
    /// What any request can end in; a file that cannot be read is not sent.
    pub async fn put_file(&self, key: &str, path: &Path, content_type: &str) -> Result<(), StoreError> {
        let call = self.call_on("PutObject", key);
        let body = ByteStream::from_path(path).await.map_err(|error| StoreError::not_sent(call, error))?;
        self.client()
            .put_object()
            .bucket(self.name())
            .key(key)
            .content_type(content_type)
            .body(body)
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .config_override(patient())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}
