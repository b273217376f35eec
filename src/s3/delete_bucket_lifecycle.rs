//! DeleteBucketLifecycle: the only way to leave a bucket without rules.

use super::bucket::Bucket;
use super::client::once;
use super::error::StoreError;

impl Bucket {
    /// Removes the bucket's lifecycle configuration. An empty one cannot be put: S3 answers MalformedXML.
    /// It is sent once, for a second time it could remove what somebody has written meanwhile.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn delete_lifecycle(&self) -> Result<(), StoreError> {
        let call = self.call("DeleteBucketLifecycle");
        self.client()
            .delete_bucket_lifecycle()
            .bucket(self.name())
            .set_expected_bucket_owner(self.owner())
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}
