//! What the AWS SDK makes of a listing, with an HTTP client that answers with whatever it was given.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use percent_encoding::percent_decode_str;

use crate::listing::Listed;

/// A client without a network.
pub struct Sdk {
    client: aws_sdk_s3::Client,
    answer: Answer,
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Debug, Default)]
struct Answer(Arc<Mutex<String>>);

impl HttpConnector for Answer {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.0.lock().expect("nobody panics with it").as_str());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().expect("a status"), body)))
    }
}

impl Sdk {
    pub fn new() -> Self {
        let answer = Answer::default();
        let connector = SharedHttpConnector::new(answer.clone());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { client: aws_sdk_s3::Client::from_conf(config), answer, runtime }
    }

    /// The versions, then the markers.
    pub fn read(&self, body: &str) -> Vec<Listed> {
        body.clone_into(&mut self.answer.0.lock().expect("nobody panics with it"));
        let sent = self.client.list_object_versions().bucket("media").send();
        listed(&self.runtime.block_on(sent).expect("a listing"))
    }
}

fn listed(page: &ListObjectVersionsOutput) -> Vec<Listed> {
    let key = |sent: Option<&str>| {
        let sent = sent.expect("a key");
        match page.encoding_type() {
            Some(_) => percent_decode_str(&sent.replace('+', " ")).decode_utf8_lossy().into_owned(),
            None => sent.to_owned(),
        }
    };
    let time = |sent: Option<&aws_sdk_s3::primitives::DateTime>| {
        let sent = sent.expect("a time");
        chrono::DateTime::from_timestamp(sent.secs(), sent.subsec_nanos()).expect("a time")
    };
    let owned = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let versions = page.versions().iter().map(|version| Listed {
        key: key(version.key()),
        marker: false,
        id: owned(version.version_id()),
        is_latest: version.is_latest().expect("whether it is the latest"),
        last_modified: time(version.last_modified()),
        etag: owned(version.e_tag().map(|etag| etag.trim_matches('"'))),
        size: version.size().and_then(|size| size.try_into().ok()).expect("a size"),
        storage_class: owned(version.storage_class().map(|class| class.as_str())),
    });
    let markers = page.delete_markers().iter().map(|marker| Listed {
        key: key(marker.key()),
        marker: true,
        id: owned(marker.version_id()),
        is_latest: marker.is_latest().expect("whether it is the latest"),
        last_modified: time(marker.last_modified()),
        etag: None,
        size: 0,
        storage_class: None,
    });
    versions.chain(markers).collect()
}
