//! AbortMultipartUpload: removes the parts of an upload that was not completed.

use super::bucket::Bucket;
use super::client::once;
use super::error::StoreError;

impl Bucket {
    /// Aborts an upload. It is not sent again here.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::NotFound`] if it was completed or aborted.
    pub async fn abort_upload(&self, key: &str, upload_id: &str) -> Result<(), StoreError> {
        let call = self.call_on("AbortMultipartUpload", key);
        self.client()
            .abort_multipart_upload()
            .bucket(self.name())
            .key(key)
            .upload_id(upload_id)
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}
