//! The last look at every request: it is signed, and encrypted unless it stays on this machine.
//!
//! A client without credentials would send its requests unsigned, and an endpoint can come from
//! places that were never looked at when the store was opened.

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;

use super::endpoint::Endpoint;

/// Why a request is kept back.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the request is not signed")]
    Unsigned,
    #[error("the request would go over plain http")]
    PlainHttp,
    #[error("the request has no proper address: {0}")]
    Address(&'static str),
}

/// Keeps back what must not be sent.
#[derive(Debug)]
pub(super) struct Guard {
    /// Plain http may leave this machine.
    pub(super) allow_http: bool,
}

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        if request.headers().get("authorization").is_none() {
            return Err(Refused::Unsigned.into());
        }
        let to = Endpoint::parse(request.uri()).map_err(Refused::Address)?;
        if to.encrypted || to.loopback || self.allow_http { Ok(()) } else { Err(Refused::PlainHttp.into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::net::TcpListener;

    use aws_sdk_s3::Client;
    use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};

    use super::*;
    use crate::s3::client::http_client;

    /// Why a request to `endpoint` fails, outermost first.
    async fn failure(endpoint: &str, credentials: Option<Credentials>) -> String {
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(endpoint)
            .http_client(http_client(Endpoint::parse(endpoint).ok().as_ref()))
            .interceptor(Guard { allow_http: false });
        config.set_credentials_provider(credentials.map(aws_sdk_s3::config::SharedCredentialsProvider::new));
        let error = Client::from_conf(config.build()).list_buckets().send().await.unwrap_err();
        let mut text = String::new();
        let mut next: Option<&dyn Error> = Some(&error);
        while let Some(error) = next {
            text.push_str(&format!("{error}; "));
            next = error.source();
        }
        text
    }

    #[tokio::test]
    async fn an_unsigned_request_is_kept_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let failure = failure(&format!("http://{}", listener.local_addr().unwrap()), None).await;
        assert!(failure.contains("not signed"), "{failure}");
        assert!(listener.accept().is_err(), "nothing has connected");
    }

    #[tokio::test]
    async fn plain_http_to_another_machine_is_kept_back() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let failure = failure("http://192.0.2.1", Some(credentials)).await;
        assert!(failure.contains("plain http"), "{failure}");
    }
}
