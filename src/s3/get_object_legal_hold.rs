//! GetObjectLegalHold, and with GetObjectRetention the lock of one object version.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use crate::object::Lock;

/// The code that says that a version has no lock of the kind asked for.
pub(super) const NO_LOCK: &str = "NoSuchObjectLockConfiguration";

impl Bucket {
    /// What locks an object version. Not to be asked of buckets without Object Lock, where AWS answers
    /// with an error.
    ///
    /// # Errors
    /// What any request can end in. Missing permission too: HEAD would leave the lock out silently
    /// (API Reference, HeadObject), and "not allowed to know" is not "not locked".
    pub async fn lock(&self, key: &str, version_id: Option<&str>) -> Result<Lock, StoreError> {
        let retention = self.retention(key, version_id).await?;
        let legal_hold = self.legal_hold(key, version_id).await?;
        Ok(Lock { legal_hold: legal_hold || retention.legal_hold, ..retention })
    }

    async fn legal_hold(&self, key: &str, version_id: Option<&str>) -> Result<bool, StoreError> {
        let call = self.call_on("GetObjectLegalHold", key);
        let take = Take::new("LegalHold");
        let answer = self
            .client()
            .get_object_legal_hold()
            .bucket(self.name())
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error));
        match answer {
            Ok(_) => take.read(call, |reader| {
                let mut status = None;
                while let Some(name) = reader.child()? {
                    match name {
                        "Status" => status = Some(reader.string()?),
                        _ => reader.skip()?,
                    }
                }
                match status.as_deref() {
                    Some("ON") => Ok(true),
                    Some("OFF") => Ok(false),
                    _ => Err(reader.wrong("a legal hold that is neither on nor off")),
                }
            }),
            Err(error) if error.code() == Some(NO_LOCK) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
