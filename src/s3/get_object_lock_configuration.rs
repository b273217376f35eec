//! GetObjectLockConfiguration: whether versions of the bucket can be locked, and whether new ones are.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::xml::{Malformed, Reader};

/// What Object Lock does in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locking {
    /// It is off.
    Off,
    /// Versions can be locked; new ones are not.
    On,
    /// New versions are locked, in this mode and for so long: `GOVERNANCE`, `30 days`.
    ByDefault {
        /// The mode, as the store says it.
        mode: String,
        /// How long, in words.
        period: String,
    },
}

impl Bucket {
    /// Whether Object Lock is on.
    pub(super) async fn object_lock(&self) -> Result<bool, StoreError> {
        self.locking().await.map(|locking| locking != Locking::Off)
    }

    /// What Object Lock does. A store that does not implement it does not have it.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn locking(&self) -> Result<Locking, StoreError> {
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
            Ok(_) => take.read(call, read),
            Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => Ok(Locking::Off),
            Err(error) if error.is_not_implemented() => Ok(Locking::Off),
            Err(error) => Err(error),
        }
    }
}

fn read(reader: &mut Reader<'_>) -> Result<Locking, Malformed> {
    let (mut enabled, mut mode, mut period) = (false, None, None);
    while let Some(name) = reader.child()? {
        match name {
            "ObjectLockEnabled" => enabled = reader.string()? == "Enabled",
            "Rule" => {
                while let Some(name) = reader.child()? {
                    if name != "DefaultRetention" {
                        reader.skip()?;
                        continue;
                    }
                    while let Some(name) = reader.child()? {
                        match name {
                            "Mode" => mode = Some(reader.string()?),
                            "Days" => period = Some(format!("{} days", reader.string()?)),
                            "Years" => period = Some(format!("{} years", reader.string()?)),
                            _ => reader.skip()?,
                        }
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    match (enabled, mode, period) {
        (true, Some(mode), Some(period)) => Ok(Locking::ByDefault { mode, period }),
        (true, ..) => Ok(Locking::On),
        (false, ..) => Err(reader.wrong("Object Lock is neither on nor absent")),
    }
}
