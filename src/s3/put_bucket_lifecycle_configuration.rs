//! PutBucketLifecycleConfiguration: replaces the configuration by exactly the document given.

use aws_sdk_s3::types::{BucketLifecycleConfiguration, TransitionDefaultMinimumObjectSize};

use super::bucket::Bucket;
use super::client::once;
use super::error::StoreError;
use super::get_bucket_lifecycle_configuration::StoredLifecycle;
use super::replace_body::ReplaceBody;

impl Bucket {
    /// Replaces the bucket's lifecycle configuration. There is no compare-and-swap: read before and
    /// after. It is sent once, for a second time it could replace what somebody has written meanwhile.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn put_lifecycle(&self, lifecycle: &StoredLifecycle) -> Result<(), StoreError> {
        let call = self.call("PutBucketLifecycleConfiguration");
        let placeholder = BucketLifecycleConfiguration::builder()
            .set_rules(Some(Vec::new()))
            .build()
            .map_err(|error| StoreError::not_sent(call, error))?;
        let size = lifecycle.transition_default_minimum_object_size.as_deref();
        self.client()
            .put_bucket_lifecycle_configuration()
            .bucket(self.name())
            .lifecycle_configuration(placeholder)
            .set_transition_default_minimum_object_size(size.map(TransitionDefaultMinimumObjectSize::from))
            .set_expected_bucket_owner(self.owner())
            .customize()
            .interceptor(ReplaceBody(lifecycle.xml.clone().into()))
            .config_override(once())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}
