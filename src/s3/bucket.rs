//! A bucket that was opened, and what its operations share.

use std::fmt;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;
use bytes_utils::Str;
use chrono::{DateTime, Utc};

use super::answer::Take;
use super::error::{Call, StoreError};
use super::xml::{Malformed, Reader};

/// An opened bucket. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Bucket(pub(super) Arc<Opened>);

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.0.name).field("region", &self.0.region).finish()
    }
}

pub(super) struct Opened {
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) region: String,
    pub(super) store_time: Option<DateTime<Utc>>,
    pub(super) request_payer: bool,
    pub(super) expected_owner: Option<String>,
}

impl Bucket {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The region that requests to it are signed for.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The store's clock when the bucket was opened, in whole seconds; `None` if it did not tell.
    pub fn store_time(&self) -> Option<DateTime<Utc>> {
        self.0.store_time
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    /// For `x-amz-expected-bucket-owner`.
    pub(super) fn owner(&self) -> Option<String> {
        self.0.expected_owner.clone()
    }

    /// For `x-amz-request-payer`.
    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.0.request_payer.then_some(RequestPayer::Requester)
    }

    pub(super) fn call(&self, operation: &'static str) -> Call<'_> {
        Call { operation, bucket: Some(&self.0.name), key: None }
    }

    pub(super) fn call_on<'a>(&'a self, operation: &'static str, key: &'a str) -> Call<'a> {
        Call { key: Some(key), ..self.call(operation) }
    }
}

impl Take {
    /// The answer's text.
    pub(super) fn text(&self, call: Call<'_>) -> Result<Str, StoreError> {
        let body = self.taken().ok_or_else(|| StoreError::unreadable(call, "there is no answer to read"))?;
        Str::from_inner(body).map_err(|error| StoreError::unreadable(call, error.utf8_error()))
    }

    /// Reads the children of the answer's root, down to its end.
    pub(super) fn read<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Result<T, StoreError> {
        let text = self.text(call)?;
        let whole = || {
            let mut reader = Reader::enter(&text, self.root())?;
            let value = read(&mut reader)?;
            reader.finish()?;
            Ok(value)
        };
        whole().map_err(|error: Malformed| StoreError::unreadable(call, error))
    }
}
