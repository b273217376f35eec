//! The way back of a copy: to where its original stood, if nothing is there now.

use futures::stream::{self, StreamExt};

use super::copied::At;
use super::ending::Ended;
use super::export::copy;
use crate::evidence::ItemResult;
use crate::s3::{Bucket, StoreError};

/// How many copies are made at a time.
const AT_ONCE: usize = 8;

/// A copy and where it goes back to.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The bucket that the copy is in.
    pub place: Bucket,
    /// The copy's key.
    pub copy: String,
    /// The key of the original.
    pub key: String,
    /// The copy's ETag when it was made, if the log tells it.
    pub etag: Option<String>,
}

/// Puts copies back into `bucket`; one ending for each, [`ItemResult::Restored`] if it is there and is the same.
pub async fn restore(bucket: &Bucket, saved: &[Saved]) -> Vec<Ended> {
    let restored: Vec<_> = saved.iter().map(|saved| one(bucket, saved)).collect();
    stream::iter(restored).buffered(AT_ONCE).collect().await
}

async fn one(bucket: &Bucket, saved: &Saved) -> Ended {
    match is_free(bucket, &saved.key).await {
        Ok(true) => {}
        Ok(false) => return Ended::because(ItemResult::Changed, "something stands under its key now"),
        Err(error) => return Ended::because(ItemResult::Failed, error.to_string()),
    }
    let from = At { bucket: &saved.place, key: &saved.copy, version_id: None };
    let Some(etag) = &saved.etag else {
        let why = "the log does not tell the ETag of its copy, so that anything could stand there by now";
        return Ended::because(ItemResult::Failed, why);
    };
    // Copying asks for the ETag as well; here it only tells apart what is changed and what cannot be read.
    match saved.place.inspect(&saved.copy, None).await {
        Ok(found) if found.etag.as_ref() != Some(etag) => {
            return Ended::because(ItemResult::Changed, "what stands at its copy's place is not the copy");
        }
        Ok(_) => {}
        Err(error) => {
            return Ended::because(ItemResult::Failed, format!("its copy could not be looked at: {error}"));
        }
    }
    let to = At { bucket, key: &saved.key, version_id: None };
    let mut ended = copy(from, Some(etag), to, None, ItemResult::Restored).await.ended;
    // Nobody comes again here.
    if ended.result != ItemResult::Restored && ended.may_follow {
        ended.result = ItemResult::Unclear;
    } else if ended.result == ItemResult::PutOff {
        ended.result = ItemResult::Failed;
    }
    ended
}

/// Whether nothing at all stands under a key, hidden or not.
async fn is_free(bucket: &Bucket, key: &str) -> Result<bool, StoreError> {
    let mut pages = bucket.versions(key, None).first_page(10);
    while let Some(page) = pages.next().await? {
        if page.entries().any(|entry| entry.key == key) {
            return Ok(false);
        }
        if page.entries().next().is_some() {
            break;
        }
    }
    Ok(true)
}
