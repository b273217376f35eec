//! ListMultipartUploads: uploads that were not completed, page by page.

use aws_sdk_s3::types::EncodingType;

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::list_cursor::Cursor;
use super::list_xml::{Page, Shape, Uploads};

/// A listing of incomplete multipart uploads in key order.
#[derive(Debug)]
pub struct UploadPages {
    bucket: Bucket,
    cursor: Cursor,
}

impl Bucket {
    /// Lists the incomplete uploads to keys that start with `prefix`.
    pub fn uploads(&self, prefix: &str) -> UploadPages {
        UploadPages { bucket: self.clone(), cursor: Cursor::new(prefix, None) }
    }
}

impl UploadPages {
    /// Starts behind a key, before anything is listed.
    #[must_use]
    pub fn after(mut self, key: &str) -> Self {
        self.cursor = Cursor::new(&self.cursor.prefix, Some(key));
        self
    }

    /// The next page, or `None` after the last.
    ///
    /// # Errors
    /// As [`super::VersionPages::next`].
    pub async fn next(&mut self) -> Result<Option<Page>, StoreError> {
        if self.cursor.done {
            return Ok(None);
        }
        let call = self.bucket.call("ListMultipartUploads");
        let take = Take::new(Uploads::ROOT);
        let after = self.cursor.after.as_ref();
        self.bucket
            .client()
            .list_multipart_uploads()
            .bucket(self.bucket.name())
            .encoding_type(EncodingType::Url)
            .set_prefix(Some(self.cursor.prefix.clone()).filter(|prefix| !prefix.is_empty()))
            .set_key_marker(after.map(|after| after.key.clone()))
            .set_upload_id_marker(after.and_then(|after| after.id.clone()))
            .set_expected_bucket_owner(self.bucket.owner())
            .set_request_payer(self.bucket.payer())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        let body = take.text(call)?;
        self.cursor.read::<Uploads>(body).map(Some).map_err(|error| StoreError::unreadable(call, error))
    }
}
