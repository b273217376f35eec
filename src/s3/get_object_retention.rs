//! GetObjectRetention: until when a version is locked, or that an event holds it.

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::get_object_legal_hold::NO_LOCK;
use super::values;
use crate::object::Lock;

impl Bucket {
    /// The retention of a version. An event hold (its end is not known yet) counts as a hold.
    pub(super) async fn retention(&self, key: &str, version_id: Option<&str>) -> Result<Lock, StoreError> {
        let call = self.call_on("GetObjectRetention", key);
        let take = Take::new("Retention");
        let answer = self
            .client()
            .get_object_retention()
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
                let mut lock = Lock::default();
                while let Some(name) = reader.child()? {
                    match name {
                        "RetainUntilDate" => {
                            let until = values::instant(&reader.string()?);
                            lock.retain_until =
                                Some(until.ok_or_else(|| reader.wrong("a lock until no date"))?);
                        }
                        "EventHold" => lock.legal_hold = reader.string()? != "OFF",
                        _ => reader.skip()?,
                    }
                }
                if lock == Lock::default() { Err(reader.wrong("a lock without an end")) } else { Ok(lock) }
            }),
            Err(error) if error.code() == Some(NO_LOCK) => Ok(Lock::default()),
            Err(error) => Err(error),
        }
    }
}
