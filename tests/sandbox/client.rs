//! A sandbox and an SDK client for it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, Utc};
use shelflife::sandbox::{BucketOptions, Sandbox, SandboxOptions, Versioning};

/// An instant, from RFC 3339.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A sandbox whose clock stands at 15 January 2026, 10:30, with an unversioned bucket `media`.
pub async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::start(SandboxOptions::at(at("2026-01-15T10:30:00Z"))).await.unwrap();
    sandbox.create_bucket(BucketOptions::named("media")).unwrap();
    let client = client(&sandbox);
    (sandbox, client)
}

/// The same with versioning.
pub async fn versioned() -> (Sandbox, Client) {
    let (sandbox, client) = sandbox().await;
    sandbox.set_versioning("media", Versioning::Enabled).unwrap();
    (sandbox, client)
}

/// A client that signs for us-east-1, tries once, and does not wait for ever.
pub fn client(sandbox: &Sandbox) -> Client {
    client_with(sandbox, sandbox.access_key(), sandbox.secret_key(), "us-east-1")
}

pub fn client_with(sandbox: &Sandbox, access_key: &str, secret_key: &str, region: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_secs(20)).build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(sandbox.endpoint())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

pub async fn put(client: &Client, key: &str, body: &'static str) -> String {
    let put = client.put_object().bucket("media").key(key);
    let put = put.body(ByteStream::from_static(body.as_bytes())).send().await.unwrap();
    put.version_id().unwrap_or_default().to_owned()
}

/// S3's error code and the HTTP status.
pub fn refusal<T: std::fmt::Debug, E>(result: Result<T, SdkError<E, HttpResponse>>) -> (String, u16)
where
    E: ProvideErrorMetadata + std::fmt::Debug + std::error::Error + 'static,
{
    let error = result.expect_err("a refusal");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (error.code().unwrap_or_default().to_owned(), status)
}

/// A refusal as [`refusal`] tells it.
pub fn says(code: &str, status: u16) -> (String, u16) {
    (code.to_owned(), status)
}
