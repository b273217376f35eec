//! GetBucketTagging: the tags of the bucket itself.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::tag_set;
use crate::object::Attributes;

impl Bucket {
    /// The bucket's own tags; empty if it has none.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::NotImplemented`] where buckets have no tags.
    pub async fn tags(&self) -> Result<Attributes, StoreError> {
        let call = self.call("GetBucketTagging");
        let take = Take::new(tag_set::ROOT);
        let answer = self
            .client()
            .get_bucket_tagging()
            .bucket(self.name())
            .set_expected_bucket_owner(self.owner())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error));
        match answer {
            Ok(_) => take.read(call, tag_set::read),
            Err(error) if error.code() == Some("NoSuchTagSet") => Ok(Attributes::new()),
            Err(error) => Err(error),
        }
    }
}
