//! GetBucketLifecycleConfiguration: the configuration as the store has it, every element of it.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;

/// The root of the document.
const ROOT: &str = "LifecycleConfiguration";

/// A lifecycle configuration as it is stored. Kept as text, since the SDK drops the elements that it
/// does not know, and putting back what is left would remove them from other owners' rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLifecycle {
    /// The whole document.
    pub xml: String,
    /// The header `x-amz-transition-default-minimum-object-size`, which a put resets if it is not
    /// sent again.
    pub transition_default_minimum_object_size: Option<String>,
}

impl Bucket {
    /// The bucket's lifecycle configuration; `None` if the store says that it has none.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn lifecycle(&self) -> Result<Option<StoredLifecycle>, StoreError> {
        let call = self.call("GetBucketLifecycleConfiguration");
        let take = Take::new(ROOT);
        let answer = self
            .client()
            .get_bucket_lifecycle_configuration()
            .bucket(self.name())
            .set_expected_bucket_owner(self.owner())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error));
        match answer {
            Ok(output) => {
                let xml = take.text(call)?.to_string();
                let size = output.transition_default_minimum_object_size();
                Ok(Some(StoredLifecycle {
                    xml,
                    transition_default_minimum_object_size: size.map(|size| size.as_str().to_owned()),
                }))
            }
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(None),
            Err(error) => Err(error),
        }
    }
}
