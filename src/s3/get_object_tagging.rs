//! GetObjectTagging: the tags of one object version.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::tag_set;
use crate::object::Attributes;

impl Bucket {
    /// The tags of an object, of its latest version if none is named; empty if it has none.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::DeleteMarker`] for a marker.
    pub async fn object_tags(&self, key: &str, version_id: Option<&str>) -> Result<Attributes, StoreError> {
        let call = self.call_on("GetObjectTagging", key);
        let take = Take::new(tag_set::ROOT);
        self.client()
            .get_object_tagging()
            .bucket(self.name())
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        take.read(call, tag_set::read)
    }
}
