//! The S3 layer against stores that answer wrongly, half, late or not at all.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod deleting;
mod listing;
mod opening;
mod reading;
mod server;

use server::{Answer, Request};
use shelflife::s3::{Bucket, Store};

/// Opens a bucket on a store whose HeadBucket answers well.
async fn open(store: &Store, name: &str) -> Bucket {
    store.bucket(name).await.unwrap()
}

/// Answers HeadBucket, and everything else by `other`.
fn headed(
    other: impl Fn(usize, &Request) -> Answer + Send + Sync,
) -> impl Fn(usize, &Request) -> Answer + Send + Sync {
    move |number, request| match request.method.as_str() {
        "HEAD" if !request.target.trim_matches('/').contains('/') => Answer::ok(""),
        _ => other(number, request),
    }
}
