//! Whether two objects are the same, from what the store says of them; where that leaves it open, from
//! their bytes.

use sha2::{Digest, Sha256};

use crate::object::Attributes;
use crate::s3::{Bucket, Inspected, StoreError};

/// One version of an object.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub bucket: &'a Bucket,
    pub key: &'a str,
    pub version_id: Option<&'a str>,
}

/// Why a copy is not taken for one.
#[derive(Debug, thiserror::Error)]
pub enum NotTheSame {
    /// It is another object.
    #[error("{0} differs")]
    Differs(&'static str),
    /// It could not be compared.
    #[error("it could not be compared")]
    Unread(#[from] StoreError),
}

/// What both were compared by; an error if they differ or cannot be compared.
///
/// A checksum of the whole by the same algorithm settles it. Else equal ETags do, which the same bytes have when they are
/// stored in the same way; ETags that differ settle nothing, as those of parts and of encrypted objects
/// hang on more than the bytes. Then both are read.
pub async fn compare(
    one: (At<'_>, &Inspected),
    other: (At<'_>, &Inspected),
) -> Result<&'static str, NotTheSame> {
    let ((here, this), (there, that)) = (one, other);
    if this.size != that.size {
        return Err(NotTheSame::Differs("the size"));
    }
    if this.metadata != that.metadata || this.headers != that.headers {
        return Err(NotTheSame::Differs("the metadata"));
    }
    // The number in a HEAD is missing where tags may not be read, and says nothing of their values.
    if tags(here).await? != tags(there).await? {
        return Err(NotTheSame::Differs("the tags"));
    }
    for (algorithm, value) in &this.checksums {
        if let Some((_, other)) = that.checksums.iter().find(|(name, _)| name == algorithm) {
            return if value == other { Ok(algorithm) } else { Err(NotTheSame::Differs("the checksum")) };
        }
    }
    if this.etag.is_some() && this.etag == that.etag {
        return Ok("ETag");
    }
    if is_digest(this) && is_digest(that) {
        return Err(NotTheSame::Differs("the ETag"));
    }
    if digest(here).await? == digest(there).await? {
        Ok("SHA-256 of the bytes")
    } else {
        Err(NotTheSame::Differs("the content"))
    }
}

async fn tags(of: At<'_>) -> Result<Attributes, StoreError> {
    of.bucket.object_tags(of.key, of.version_id).await
}

/// Whether the ETag is the MD5 of the bytes (API Reference, "Object").
fn is_digest(of: &Inspected) -> bool {
    let is_md5 = |etag: &str| etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    !of.is_etag_opaque && of.etag.as_deref().is_some_and(is_md5)
}

async fn digest(of: At<'_>) -> Result<[u8; 32], StoreError> {
    let mut body = of.bucket.get_version(of.key, of.version_id).await?;
    let mut digest = Sha256::new();
    while let Some(bytes) = body.next().await? {
        digest.update(&bytes);
    }
    Ok(digest.finalize().into())
}
