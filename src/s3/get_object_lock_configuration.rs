//! GetObjectLockConfiguration: whether versions of the bucket can be locked.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;

impl Bucket {
    /// Whether Object Lock is on.
    pub(super) async fn object_lock(&self) -> Result<bool, StoreError> {
        let call = self.call("GetObjectLockConfiguration");
        let take = Take::new("ObjectLockConfiguration");
        let answer = self
            .client()
            .get_object_lock_configuration()
            .bucket(self.name())
            .set_expected_bucket_owner(self.owner())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error));
        match answer {
            Ok(_) => take.read(call, |reader| {
                let mut enabled = false;
                while let Some(name) = reader.child()? {
                    match name {
                        "ObjectLockEnabled" => enabled = reader.string()? == "Enabled",
                        _ => reader.skip()?,
                    }
                }
                if enabled { Ok(true) } else { Err(reader.wrong("Object Lock is neither on nor absent")) }
            }),
            Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => Ok(false),
            Err(error) if error.is_not_implemented() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
