//! ListBuckets: the names of all buckets of the account.

use super::answer::Take;
use super::connect::Store;
use super::error::{Call, StoreError};

impl Store {
    /// The names of all buckets that the credentials' account owns.
    ///
    /// # Errors
    /// What any request can end in; also if the store's continuation token does not advance.
    pub async fn list_buckets(&self) -> Result<Vec<String>, StoreError> {
        let call = Call { operation: "ListBuckets", bucket: None, key: None };
        let client = self.0.clients.client("", &self.0.region);
        let mut names = Vec::new();
        let mut tokens = Vec::new();
        loop {
            let take = Take::new("ListAllMyBucketsResult");
            client
                .list_buckets()
                .set_continuation_token(tokens.last().cloned())
                .customize()
                .interceptor(take.clone())
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(call, error))?;
            let token = take.read(call, |reader| {
                let mut token = None;
                while let Some(name) = reader.child()? {
                    match name {
                        "Buckets" => {
                            while reader.child()?.is_some() {
                                let mut bucket = None;
                                while let Some(name) = reader.child()? {
                                    match name {
                                        "Name" => bucket = Some(reader.string()?),
                                        _ => reader.skip()?,
                                    }
                                }
                                let named = bucket.filter(|name| !name.is_empty());
                                names.push(named.ok_or_else(|| reader.wrong("a bucket without a name"))?);
                            }
                        }
                        "ContinuationToken" => token = Some(reader.string()?),
                        _ => reader.skip()?,
                    }
                }
                Ok(token)
            })?;
            match token.filter(|token| !token.is_empty()) {
                None => return Ok(names),
                Some(token) if tokens.contains(&token) => {
                    return Err(StoreError::unreadable(call, "the continuation token does not advance"));
                }
                Some(token) => tokens.push(token),
            }
        }
    }
}
