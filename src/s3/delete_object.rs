//! DeleteObject: one at a time, for keys that a batch cannot carry.

use super::bucket::Bucket;
use super::client::once;
use super::delete_objects::DeleteAnswer;
use super::delete_target::DeleteTarget;
use super::error::StoreError;
use super::values;

impl Bucket {
    /// Deletes one target, whose key goes into the address and can hold any character. Answers
    /// [`DeleteAnswer::Deleted`] or an error. It is not sent again here.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::Changed`] or
    /// [`super::StoreErrorKind::Conflict`] where the condition does not hold, and
    /// [`super::StoreErrorKind::NotImplemented`] where the store does not take conditions.
    pub async fn delete_object(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let call = self.call_on("DeleteObject", &target.key);
        let deleted = self
            .client()
            .delete_object()
            .bucket(self.name())
            .key(target.key.as_str())
            .set_version_id(target.version_id.as_deref().map(str::to_owned))
            .set_if_match(target.if_match.as_deref().map(values::quoted))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        let delete_marker = deleted.delete_marker().unwrap_or_default();
        let marker_version_id = deleted.version_id().filter(|_| delete_marker).map(str::to_owned);
        Ok(DeleteAnswer::Deleted { delete_marker, marker_version_id })
    }
}
