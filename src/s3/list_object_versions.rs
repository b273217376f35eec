//! ListObjectVersions: every version and delete marker, page by page.

use aws_sdk_s3::types::EncodingType;

use super::answer::Take;
use super::bucket::Bucket;
use super::error::StoreError;
use super::list_cursor::Cursor;
use super::list_xml::{Page, Shape, Versions};

/// A listing of versions and delete markers in key order, within a key newest first.
#[derive(Debug)]
pub struct VersionPages {
    bucket: Bucket,
    cursor: Cursor,
    max_keys: Option<i32>,
    only_first: bool,
    objected: bool,
}

impl Bucket {
    /// Lists the versions and markers whose keys start with `prefix`, from behind the key
    /// `start_after` if one is given. In a bucket that never had versioning the objects are listed.
    pub fn versions(&self, prefix: &str, start_after: Option<&str>) -> VersionPages {
        VersionPages {
            bucket: self.clone(),
            cursor: Cursor::new(prefix, start_after),
            max_keys: None,
            only_first: false,
            objected: false,
        }
    }
}

impl VersionPages {
    /// Asks for at most so many entries a page; a store sends 1,000 at most, whatever is asked.
    #[must_use]
    pub fn max_keys(mut self, at_most: u16) -> Self {
        self.max_keys = Some(i32::from(at_most));
        self
    }

    /// The same for the first page alone, for looks that are meant to be short.
    #[must_use]
    pub fn first_page(mut self, at_most: u16) -> Self {
        self.only_first = true;
        self.max_keys(at_most)
    }

    /// Whether the store has asked for fewer requests before it sent the last page.
    pub const fn objected(&self) -> bool {
        self.objected
    }

    /// The next page, or `None` after the last.
    ///
    /// # Errors
    /// What any request can end in; [`super::StoreErrorKind::Unreadable`] if the page is not whole, not
    /// in order, or the listing does not get on. The listing cannot be trusted after an error.
    pub async fn next(&mut self) -> Result<Option<Page>, StoreError> {
        if self.cursor.done {
            return Ok(None);
        }
        let max_keys = if self.only_first { self.max_keys.take() } else { self.max_keys };
        let call = self.bucket.call("ListObjectVersions");
        let take = Take::new(Versions::ROOT);
        let after = self.cursor.after.as_ref();
        self.bucket
            .client()
            .list_object_versions()
            .bucket(self.bucket.name())
            .encoding_type(EncodingType::Url)
            .set_prefix(Some(self.cursor.prefix.clone()).filter(|prefix| !prefix.is_empty()))
            .set_key_marker(after.map(|after| after.key.clone()))
            .set_version_id_marker(after.and_then(|after| after.id.clone()))
            .set_max_keys(max_keys)
            .set_expected_bucket_owner(self.bucket.owner())
            .set_request_payer(self.bucket.payer())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        self.objected = take.objected();
        let body = take.text(call)?;
        self.cursor.read::<Versions>(body).map(Some).map_err(|error| StoreError::unreadable(call, error))
    }
}
