//! GetObject: the bytes of an object, as they come.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::bucket::Bucket;
use super::error::{Call, StoreError};
use super::values;

/// An object's bytes on their way, all of one version of it.
pub struct Body {
    bucket: Bucket,
    key: String,
    stream: ByteStream,
    /// Bytes that are still to come.
    left: u64,
    /// The ETag without its quotes, where sent.
    pub etag: Option<String>,
}

impl Bucket {
    /// Asks for the whole object, its latest version.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn get(&self, key: &str) -> Result<Body, StoreError> {
        self.get_version(key, None).await
    }

    /// The same of one version.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn get_version(&self, key: &str, version_id: Option<&str>) -> Result<Body, StoreError> {
        let call = self.call_on("GetObject", key);
        let got = self
            .client()
            .get_object()
            .bucket(self.name())
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        let left = got
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| StoreError::unreadable(call, "Content-Length is missing"))?;
        let etag = got.e_tag().map(|etag| values::unquoted(etag).to_owned());
        Ok(Body { bucket: self.clone(), key: key.to_owned(), stream: got.body, left, etag })
    }
}

impl Body {
    /// The next bytes; `None` once all have come.
    ///
    /// # Errors
    /// If the answer breaks off, or is longer or shorter than it said.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let call = Call { key: Some(&self.key), ..self.bucket.call("GetObject") };
        let Some(bytes) = self.stream.next().await else {
            return match self.left {
                0 => Ok(None),
                left => Err(StoreError::unreadable(
                    call,
                    format!("the answer is cut off, {left} bytes are missing"),
                )),
            };
        };
        let bytes = bytes.map_err(|error| StoreError::unreadable(call, error))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self
            .left
            .checked_sub(length)
            .ok_or_else(|| StoreError::unreadable(call, "the answer is longer than it said"))?;
        Ok(Some(bytes))
    }
}
