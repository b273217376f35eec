//! PutBucketLifecycleConfiguration: replaces the configuration by exactly the document given.

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::types::{BucketLifecycleConfiguration, TransitionDefaultMinimumObjectSize};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_types::body::SdkBody;

use super::bucket::Bucket;
use super::client::once;
use super::error::StoreError;
use super::get_bucket_lifecycle_configuration::StoredLifecycle;

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
            .interceptor(ReplaceBody(lifecycle.xml.clone()))
            .config_override(once())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}

/// Sends another body than the SDK has written, before checksum and signature are made.
#[derive(Debug)]
struct ReplaceBody(String);

impl Intercept for ReplaceBody {
    fn name(&self) -> &'static str {
        "ReplaceBody"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request.body_mut() = SdkBody::from(self.0.as_str());
        request.headers_mut().insert("content-length", self.0.len().to_string());
        Ok(())
    }
}
