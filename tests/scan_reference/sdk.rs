//! What the AWS SDK makes of a listing: its own reader of the answer, without a client around it.

use std::fmt::Debug;

use aws_sdk_s3::operation::list_multipart_uploads::{ListMultipartUploads, ListMultipartUploadsOutput};
use aws_sdk_s3::operation::list_object_versions::{ListObjectVersions, ListObjectVersionsOutput};
use aws_sdk_s3::primitives::{DateTime, SdkBody};
use aws_sdk_s3::types::EncodingType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse as _, SharedResponseDeserializer};
use aws_smithy_types::config_bag::ConfigBag;
use percent_encoding::percent_decode_str;
use shelflife::object::Kind;

use crate::listing::Listed;

/// The versions, then the markers.
pub fn versions(body: &str) -> Vec<Listed> {
    let page: ListObjectVersionsOutput = answer(&ListObjectVersions::new(), body);
    let encoding = page.encoding_type();
    let versions = page.versions().iter().map(|version| Listed {
        key: key(version.key(), encoding),
        kind: Kind::Version,
        id: owned(version.version_id()),
        is_latest: version.is_latest().expect("whether it is the latest"),
        last_modified: time(version.last_modified()),
        etag: owned(version.e_tag().map(|etag| etag.trim_matches('"'))),
        size: version.size().and_then(|size| size.try_into().ok()).expect("a size"),
        storage_class: owned(version.storage_class().map(|class| class.as_str())),
    });
    let markers = page.delete_markers().iter().map(|marker| Listed {
        key: key(marker.key(), encoding),
        kind: Kind::Marker,
        id: owned(marker.version_id()),
        is_latest: marker.is_latest().expect("whether it is the latest"),
        last_modified: time(marker.last_modified()),
        etag: None,
        size: 0,
        storage_class: None,
    });
    versions.chain(markers).collect()
}

/// The uploads.
pub fn uploads(body: &str) -> Vec<Listed> {
    let page: ListMultipartUploadsOutput = answer(&ListMultipartUploads::new(), body);
    let upload = |upload: &aws_sdk_s3::types::MultipartUpload| Listed {
        key: key(upload.key(), page.encoding_type()),
        kind: Kind::Upload,
        id: owned(upload.upload_id()),
        is_latest: true,
        last_modified: time(upload.initiated()),
        etag: None,
        size: 0,
        storage_class: owned(upload.storage_class().map(|class| class.as_str())),
    };
    page.uploads().iter().map(upload).collect()
}

fn answer<T: Debug + Send + Sync + 'static>(operation: &impl RuntimePlugin, body: &str) -> T {
    let parts = operation.config().expect("what the operation is made of");
    let reader = parts.load::<SharedResponseDeserializer>().expect("among them its reader");
    let response = HttpResponse::new(200.try_into().expect("a status"), SdkBody::from(body));
    let read = reader.deserialize_nonstreaming_with_config(&response, &ConfigBag::base()).expect("a listing");
    read.downcast::<T>().expect("the answer of this operation")
}

fn key(sent: Option<&str>, encoding: Option<&EncodingType>) -> String {
    let sent = sent.expect("a key");
    match encoding {
        Some(_) => percent_decode_str(&sent.replace('+', " ")).decode_utf8_lossy().into_owned(),
        None => sent.to_owned(),
    }
}

fn time(sent: Option<&DateTime>) -> chrono::DateTime<chrono::Utc> {
    let sent = sent.expect("a time");
    chrono::DateTime::from_timestamp(sent.secs(), sent.subsec_nanos()).expect("a time")
}

fn owned(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
