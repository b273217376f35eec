//! GetBucketVersioning, and with GetObjectLockConfiguration what bears on how objects can go.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use crate::object::{BucketFacts, Versioning};

impl Bucket {
    /// Versioning, MFA delete and Object Lock. A store that says that it implements one of them
    /// not does not have it.
    ///
    /// # Errors
    /// What any request can end in, missing permission too: nothing is assumed.
    pub async fn facts(&self) -> Result<BucketFacts, StoreError> {
        let (versioning, mfa_delete) = match self.versioning().await {
            Err(error) if error.is_not_implemented() => (Versioning::Never, false),
            read => read?,
        };
        let object_lock = self.object_lock().await?;
        Ok(BucketFacts { name: self.name().to_owned(), versioning, mfa_delete, object_lock })
    }

    async fn versioning(&self) -> Result<(Versioning, bool), StoreError> {
        let call = self.call("GetBucketVersioning");
        let take = Take::new("VersioningConfiguration");
        self.client()
            .get_bucket_versioning()
            .bucket(self.name())
            .set_expected_bucket_owner(self.owner())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        take.read(call, |reader| {
            let (mut versioning, mut mfa_delete) = (Versioning::Never, false);
            while let Some(name) = reader.child()? {
                match name {
                    "Status" => {
                        versioning = match reader.string()?.as_str() {
                            "Enabled" => Versioning::Enabled,
                            "Suspended" => Versioning::Suspended,
                            _ => return Err(reader.wrong("an unknown versioning status")),
                        }
                    }
                    // The documentation has both spellings (API Reference, GetBucketVersioning).
                    "MfaDelete" | "MFADelete" => {
                        mfa_delete = match reader.string()?.as_str() {
                            "Enabled" => true,
                            "Disabled" => false,
                            _ => return Err(reader.wrong("an unknown MFA delete status")),
                        }
                    }
                    _ => reader.skip()?,
                }
            }
            Ok((versioning, mfa_delete))
        })
    }
}
