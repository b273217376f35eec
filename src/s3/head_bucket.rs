//! HeadBucket: opens a bucket.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use chrono::{DateTime, Utc};

use super::bucket::{Bucket, Opened};
use super::connect::Store;
use super::error::{Call, StoreError, StoreErrorKind};
use super::values;

impl Store {
    /// Opens a bucket: makes sure that it is there, that we may list it, and where it lies. On AWS,
    /// unless a region was asked for, a bucket in another region is followed there.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`], [`StoreErrorKind::Denied`], [`StoreErrorKind::WrongRegion`] and
    /// what any request can end in.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        match self.open(name, &self.0.region).await {
            Err(error) if self.0.follow => match error.kind() {
                StoreErrorKind::WrongRegion { region: Some(region) } => self.open(name, region).await,
                _ => Err(error),
            },
            opened => opened,
        }
    }

    async fn open(&self, name: &str, region: &str) -> Result<Bucket, StoreError> {
        let call = Call { operation: "HeadBucket", bucket: Some(name), key: None };
        if is_directory(name) {
            let why =
                "it is a directory bucket: they list no versions, and in no order, and are not supported";
            return Err(StoreError::not_sent(call, why));
        }
        let client = self.0.clients.client(name, region);
        let date = ReadDate::default();
        client
            .head_bucket()
            .bucket(name)
            .set_expected_bucket_owner(self.0.expected_owner.clone())
            .customize()
            .interceptor(date.clone())
            .send()
            .await
            .map_err(|error| {
                // The header comes even with 301, 400 and 403 (API Reference, HeadBucket).
                let elsewhere = error
                    .raw_response()
                    .and_then(|response| response.headers().get("x-amz-bucket-region"))
                    .filter(|elsewhere| *elsewhere != region)
                    .map(str::to_owned);
                let error = StoreError::from_sdk(call, error);
                match elsewhere {
                    Some(elsewhere) => error.in_region(elsewhere),
                    None => error,
                }
            })?;
        Ok(Bucket(Arc::new(Opened {
            name: name.to_owned(),
            client,
            region: region.to_owned(),
            store_time: date.read(),
            request_payer: self.0.request_payer,
            expected_owner: self.0.expected_owner.clone(),
        })))
    }
}

/// Whether a name is that of a directory bucket (user guide, "Directory bucket naming rules"). The SDK would
/// open a session with it by itself.
fn is_directory(name: &str) -> bool {
    name.ends_with("--x-s3")
}

/// Keeps the `Date` of an answer.
#[derive(Clone, Debug, Default)]
struct ReadDate(Arc<Mutex<Option<DateTime<Utc>>>>);

impl ReadDate {
    fn read(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for ReadDate {
    fn name(&self) -> &'static str {
        "ReadDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(values::http_date);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener};

    use super::*;
    use crate::s3::connect::{ConnectOptions, StaticCredentials};

    /// Answers every request well that is signed for `region`, and sends all others there.
    fn store_in(region: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let at_home = head.iter().any(|line| line.contains(&format!("/{region}/s3/")));
                let status = if at_home { "200 OK" } else { "301 Moved Permanently" };
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nx-amz-bucket-region: {region}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
                .unwrap();
            }
        });
        address
    }

    async fn open(follow: bool) -> Result<Bucket, StoreError> {
        let mut store = Store::connect(&ConnectOptions {
            endpoint_url: Some(format!("http://{}", store_in("eu-west-1"))),
            region: Some("us-east-1".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: "secret".to_owned(),
            }),
            ..ConnectOptions::default()
        })
        .await
        .unwrap();
        // Only on AWS are buckets followed, which cannot be had here.
        Arc::get_mut(&mut store.0).unwrap().follow = follow;
        store.bucket("media").await
    }

    #[tokio::test]
    async fn a_bucket_elsewhere_is_followed_where_that_is_wanted() {
        assert_eq!(open(true).await.unwrap().region(), "eu-west-1");
        let elsewhere = StoreErrorKind::WrongRegion { region: Some("eu-west-1".to_owned()) };
        assert_eq!(*open(false).await.unwrap_err().kind(), elsewhere);
    }
}
