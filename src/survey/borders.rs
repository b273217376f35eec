//! Whether ranges that were listed side by side fit together.
//!
//! A store that does not list in byte order, or does not take a listing up just behind any key, may leave keys
//! out where one range ends and the next begins. The last page of a range mostly reaches into the next one:
//! what it shows there must be what the next range began with. Where it is not, keys may have come or gone
//! meanwhile, so both sides are asked again.

use crate::s3::{Bucket, StoreError};

/// How often both sides are asked before they are not believed.
const TRIES: usize = 4;

/// Where a range ended.
#[derive(Debug)]
pub(super) struct Border {
    /// Its last key, or where it began if it has none.
    pub last: String,
    /// The last key that would be its own.
    pub upto: String,
    /// What its last page showed behind that; `None` if the listing was at its end.
    pub beyond: Option<String>,
}

impl Border {
    /// Asks both sides what is next.
    pub(super) async fn is_sound(&self, bucket: &Bucket) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let from_this = first_behind(bucket, &self.last).await?;
            if from_this.as_ref().is_some_and(|key| *key <= self.upto)
                || from_this == first_behind(bucket, &self.upto).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

async fn first_behind(bucket: &Bucket, key: &str) -> Result<Option<String>, StoreError> {
    let mut pages = bucket.versions("", Some(key).filter(|key| !key.is_empty())).max_keys(1);
    while let Some(page) = pages.next().await? {
        if let Some(first) = page.entries().next() {
            return Ok(Some(first.key.to_owned()));
        }
    }
    Ok(None)
}
