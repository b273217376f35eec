//! Opens a store: credentials, region and endpoint are settled, and checked, before any request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;

use super::client::{Clients, http_client};
use super::endpoint::Endpoint;

/// Where requests start out when nobody says; buckets elsewhere are followed to their region.
const FIRST_REGION: &str = "us-east-1";

/// The longest pause before the first retry, as the SDK has it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How to reach a store. The default is what the AWS CLI would do without options.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Where the store is, for stores that are not AWS; otherwise `AWS_ENDPOINT_URL_S3`,
    /// `AWS_ENDPOINT_URL` or the profile may say so.
    pub endpoint_url: Option<String>,
    /// The region; buckets elsewhere are then an error and not followed.
    pub region: Option<String>,
    /// The profile whose credentials are used, ahead of any in the environment.
    pub profile: Option<String>,
    /// Credentials given outright: nothing else is then looked at.
    pub credentials: Option<StaticCredentials>,
    /// Buckets stand in the path and not in the host name. Always so on loopback.
    pub path_style: bool,
    /// Plain http may leave this machine.
    pub allow_http: bool,
    /// We pay for requests to buckets whose owner does not.
    pub request_payer: bool,
    /// The account that must own every bucket; the store refuses otherwise.
    pub expected_owner: Option<String>,
    /// The longest pause before the first retry, doubled before each further one; a second if not
    /// given.
    pub first_pause: Option<Duration>,
}

/// An access key and its secret.
#[derive(Clone)]
pub struct StaticCredentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticCredentials(..)")
    }
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing in the chain of providers has credentials.
    #[error("no credentials were found in the environment, the profiles or the instance's role")]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The profile that was named has none, or a provider that should have them failed.
    #[error("the credentials could not be had")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The endpoint is none.
    #[error("the endpoint URL cannot be used: {0}")]
    Endpoint(&'static str),
    /// The endpoint would have everything sent unencrypted to another machine.
    #[error("the endpoint is plain http and not on this machine")]
    PlainHttp,
}

/// A store that requests can be sent to. Cheap to clone.
#[derive(Clone)]
pub struct Store(pub(super) Arc<Inner>);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.0.clients.endpoint_url;
        f.debug_struct("Store").field("region", &self.0.region).field("endpoint", endpoint).finish()
    }
}

pub(super) struct Inner {
    pub(super) clients: Clients,
    pub(super) region: String,
    /// Buckets elsewhere are followed to their region.
    pub(super) follow: bool,
    pub(super) request_payer: bool,
    pub(super) expected_owner: Option<String>,
}

impl Store {
    /// Where it is, whoever said so; `None` for AWS.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.0.clients.endpoint_url.as_deref()
    }

    /// Settles credentials (the AWS default chain, or the profile's), region and endpoint. Sends
    /// nothing to the store itself.
    ///
    /// # Errors
    /// Where there are no credentials, since requests would go out unsigned, and where the endpoint,
    /// whoever named it, is unusable or plain http beyond loopback without
    /// [`ConnectOptions::allow_http`].
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        if let Some(url) = &options.endpoint_url {
            checked(url, options.allow_http)?;
        }
        let config = load(options).await;
        let endpoint_url = options.endpoint_url.clone().or_else(|| configured_endpoint(&config));
        let endpoint = match &endpoint_url {
            Some(url) => Some(checked(url, options.allow_http)?),
            None => None,
        };
        resolve_credentials(&config, options.profile.is_some()).await?;
        let loopback = endpoint.as_ref().is_some_and(|endpoint| endpoint.loopback);
        let region = config.region().map_or(FIRST_REGION, |region| region.as_ref()).to_owned();
        Ok(Self(Arc::new(Inner {
            follow: endpoint.is_none() && options.region.is_none(),
            region,
            request_payer: options.request_payer,
            expected_owner: options.expected_owner.clone(),
            clients: Clients {
                http: http_client(endpoint.as_ref()),
                config,
                endpoint_url,
                path_style: options.path_style || loopback,
                allow_http: options.allow_http,
                first_pause: options.first_pause.unwrap_or(FIRST_PAUSE),
            },
        })))
    }
}

fn checked(url: &str, allow_http: bool) -> Result<Endpoint, ConnectError> {
    let endpoint = Endpoint::parse(url).map_err(ConnectError::Endpoint)?;
    if endpoint.encrypted || endpoint.loopback || allow_http {
        Ok(endpoint)
    } else {
        Err(ConnectError::PlainHttp)
    }
}

async fn load(options: &ConnectOptions) -> SdkConfig {
    let http = http_client(None);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(StaticCredentials { access_key_id, secret_access_key }) = &options.credentials {
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "given");
        return loader.credentials_provider(credentials).load().await;
    }
    let Some(profile) = &options.profile else {
        // They go before all else in the default chain, which readies every other provider even so, and reads
        // the system's certificates for that.
        let given = EnvironmentVariableCredentialsProvider::new();
        if given.provide_credentials().await.is_ok() {
            loader = loader.credentials_provider(given);
        }
        return loader.load().await;
    };
    // Named outright, a profile goes before credentials in the environment, as in the AWS CLI; the
    // default chain would have it the other way round.
    let config = loader.profile_name(profile).load().await;
    let provider = ProfileFileCredentialsProvider::builder()
        .profile_name(profile)
        .configure(&ProviderConfig::default().with_http_client(http).with_region(config.region().cloned()))
        .build();
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// The endpoint that the environment or the profile gives S3, looked up as the SDK's own client does.
fn configured_endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config
        .service_config()
        .and_then(|service| service.load_config(key))
        .or_else(|| config.endpoint_url().map(str::to_owned))
}

async fn resolve_credentials(config: &SdkConfig, from_profile: bool) -> Result<(), ConnectError> {
    let provider = config
        .credentials_provider()
        .ok_or_else(|| ConnectError::NoCredentials("no provider of credentials".into()))?;
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error @ CredentialsError::CredentialsNotLoaded(_)) if !from_profile => {
            Err(ConnectError::NoCredentials(error.into()))
        }
        Err(error) => Err(ConnectError::Credentials(error.into())),
    }
}
