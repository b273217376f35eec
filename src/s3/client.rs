//! How requests travel: connections, proxies, time-outs and retries.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, Region, SharedHttpClient, StalledStreamProtectionConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};

use super::endpoint::Endpoint;
use super::guard::Guard;

/// Attempts for one request, the first included.
const ATTEMPTS: u32 = 6;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);

/// Until the headers of an answer are there; a delete of a thousand keys takes seconds.
const READ: Duration = Duration::from_secs(30);

/// For one attempt with its whole answer.
const ATTEMPT: Duration = Duration::from_secs(90);

/// For all attempts with the pauses between them.
const OPERATION: Duration = Duration::from_secs(600);

/// How long an idle connection is kept; some stores drop them silently after a minute.
const IDLE: Duration = Duration::from_secs(20);

/// What the clients of one store share. Without `Debug`: the configuration holds credentials.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) config: SdkConfig,
    pub(super) endpoint_url: Option<String>,
    pub(super) http: SharedHttpClient,
    pub(super) path_style: bool,
    pub(super) allow_http: bool,
    pub(super) first_pause: Duration,
}

impl Clients {
    /// A client whose requests each have their own few retries.
    pub(super) fn client(&self, partition: &str, region: &str) -> Client {
        // Every request has its own few attempts. A budget that all share would be used up by the first
        // minutes of throttling, after which nothing is sent again at all.
        let retries =
            RetryPartition::custom(partition.to_owned()).token_bucket(TokenBucket::unlimited()).build();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build();
        let mut config = Builder::from(&self.config)
            .region(Region::new(region.to_owned()))
            .http_client(self.http.clone())
            .force_path_style(self.path_style)
            .retry_config(
                RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(self.first_pause),
            )
            .retry_partition(retries)
            .retry_classifier(HttpStatusCodeClassifier::new_from_codes(vec![429]))
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().build())
            // The correction would sign with the `Date` of the store's last answer, which is not
            // our clock's business: a store far off its time would then refuse us.
            .disable_clock_skew_correction(true)
            .interceptor(Guard { allow_http: self.allow_http });
        config.set_endpoint_url(self.endpoint_url.clone());
        Client::from_conf(config.build())
    }
}

/// For a request that must not be sent again unless the store was asked in between.
pub(super) fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// Connections to `endpoint`, or to anywhere, with rustls on ring and through the proxies that the environment
/// names. A proxy has no way to this machine's loopback, and what is not encrypted there needs no certificates.
pub(super) fn http_client(endpoint: Option<&Endpoint>) -> SharedHttpClient {
    let proxies = endpoint.is_none_or(|endpoint| !endpoint.loopback);
    let certificates = proxies || endpoint.is_none_or(|endpoint| endpoint.encrypted);
    HttpBuilder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .pool_idle_timeout(IDLE);
        if !certificates && let Ok(none) = TlsContext::builder().with_trust_store(TrustStore::empty()).build()
        {
            connector.set_tls_context(none);
        }
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        if proxies {
            connector.set_proxy_config(Some(ProxyConfig::from_env()));
        }
        connector.build()
    })
}
