//! AbortMultipartUpload: removes the parts of an upload that was not completed.

use aws_sdk_s3::operation::abort_multipart_upload::builders::AbortMultipartUploadFluentBuilder;

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
        let sent = self.aborting(key, upload_id).customize().config_override(once()).send().await;
        sent.map(drop).map_err(|error| StoreError::from_sdk(call, error))
    }

    /// Aborts an upload of our own, and tries as often as any request is tried.
    pub(super) async fn give_up_upload(&self, key: &str, upload_id: &str) -> Result<(), StoreError> {
        let call = self.call_on("AbortMultipartUpload", key);
        let sent = self.aborting(key, upload_id).send().await;
        sent.map(drop).map_err(|error| StoreError::from_sdk(call, error))
    }

    fn aborting(&self, key: &str, upload_id: &str) -> AbortMultipartUploadFluentBuilder {
        self.client()
            .abort_multipart_upload()
            .bucket(self.name())
            .key(key)
            .upload_id(upload_id)
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
    }
}
