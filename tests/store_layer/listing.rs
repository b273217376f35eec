//! Listings whose pages are cut, repeated, foreign or errors in disguise.

use shelflife::s3::{Bucket, StoreError, StoreErrorKind};

use crate::server::{Answer, Request, Server};
use crate::{headed, open};

fn page(keys: &[&str], rest: &str) -> String {
    let versions: String = keys
        .iter()
        .map(|key| {
            format!(
                "<Version><Key>{key}</Key><VersionId>v</VersionId><IsLatest>true</IsLatest>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
                 <Size>1</Size><StorageClass>STANDARD</StorageClass></Version>"
            )
        })
        .collect();
    format!("<ListVersionsResult><EncodingType>url</EncodingType>{rest}{versions}</ListVersionsResult>")
}

fn last(keys: &[&str]) -> String {
    page(keys, "<IsTruncated>false</IsTruncated>")
}

fn more(keys: &[&str], marker: &str) -> String {
    page(keys, &format!("<IsTruncated>true</IsTruncated><NextKeyMarker>{marker}</NextKeyMarker>"))
}

async fn keys(bucket: &Bucket) -> Result<Vec<String>, StoreError> {
    let mut keys = Vec::new();
    let mut pages = bucket.versions("", None);
    while let Some(page) = pages.next().await? {
        keys.extend(page.entries().map(|entry| entry.key.to_owned()));
    }
    Ok(keys)
}

async fn serving(handler: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> (Server, Bucket) {
    let server = Server::start(headed(handler)).await;
    let bucket = open(&server.store().await, "media").await;
    (server, bucket)
}

#[tokio::test]
async fn pages_follow_each_other_and_keys_are_decoded_as_forms() {
    let (server, bucket) = serving(|_, request| match request.target.contains("key-marker=a%20b") {
        false => Answer::ok(more(&["a+b"], "a+b")),
        true => Answer::ok(last(&["a%2Bb", "c%C3%A9"])),
    })
    .await;
    assert_eq!(keys(&bucket).await.unwrap(), ["a b", "a+b", "cé"]);
    assert!(server.operations().iter().all(|request| request.target.contains("encoding-type=url")));
}

#[tokio::test]
async fn what_is_asked_for_reaches_the_wire() {
    let (server, bucket) = serving(|_, _| Answer::ok(last(&[]))).await;
    bucket.versions("in/", Some("in/k")).max_keys(7).next().await.unwrap();
    let target = server.operations()[0].target.clone();
    for part in ["versions", "prefix=in%2F", "key-marker=in%2Fk", "max-keys=7"] {
        assert!(target.contains(part), "{target}");
    }
}

#[tokio::test]
async fn errors_that_pass_are_asked_again() {
    for error in [
        Answer::error(503, "SlowDown"),
        Answer::error(500, "InternalError"),
        Answer::error(200, "InternalError"),
        Answer::error(200, "SlowDown"),
        Answer::new(429, ""),
        Answer::ok(last(&["a"])).announcing(10_000),
    ] {
        let answer = error.clone();
        let (server, bucket) = serving(move |number, _| match number {
            0 => answer.clone(),
            _ => Answer::ok(last(&["a"])),
        })
        .await;
        assert_eq!(keys(&bucket).await.unwrap(), ["a"], "{error:?}");
        assert_eq!(server.operations().len(), 2, "{error:?}");
    }
}

#[tokio::test]
async fn errors_that_stay_are_not_asked_again() {
    for (error, kind) in [
        (Answer::error(403, "AccessDenied"), StoreErrorKind::Denied),
        (Answer::error(200, "AccessDenied"), StoreErrorKind::Denied),
        (Answer::error(404, "NoSuchBucket"), StoreErrorKind::NotFound),
        (Answer::ok("<html><body>Welcome</body></html>"), StoreErrorKind::Unreadable),
        (Answer::ok("<ListBucketResult></ListBucketResult>"), StoreErrorKind::Unreadable),
        (Answer::ok("<ListVersionsResult></ListVersionsResult>"), StoreErrorKind::Unreadable),
    ] {
        let answer = error.clone();
        let (server, bucket) = serving(move |_, _| answer.clone()).await;
        assert_eq!(*keys(&bucket).await.unwrap_err().kind(), kind, "{error:?}");
        assert_eq!(server.operations().len(), 1, "{error:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_cut_at_a_right_length_is_asked_for_again() {
    let whole = last(&["a", "b", "c"]);
    let cut = whole[..whole.find("<Key>b").unwrap()].to_owned();
    let (server, bucket) = serving(move |number, _| match number {
        0 | 1 => Answer::ok(cut.clone()),
        _ => Answer::ok(whole.clone()),
    })
    .await;
    assert_eq!(keys(&bucket).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(server.operations().len(), 3);
}

#[tokio::test]
async fn a_page_that_stays_cut_is_an_error() {
    let whole = last(&["a"]);
    for end in [0, 10, whole.len() / 2, whole.len() - 1] {
        let cut = whole[..end].to_owned();
        let (server, bucket) = serving(move |_, _| Answer::ok(cut.clone())).await;
        let error = keys(&bucket).await.unwrap_err();
        assert_eq!(*error.kind(), StoreErrorKind::Unreadable, "{error:?}");
        assert_eq!(server.operations().len(), 6);
    }
}

#[tokio::test]
async fn a_listing_that_does_not_get_on_is_an_error() {
    let (server, bucket) = serving(|_, _| Answer::ok(more(&["a"], "a"))).await;
    assert_eq!(*keys(&bucket).await.unwrap_err().kind(), StoreErrorKind::Unreadable);
    assert_eq!(server.operations().len(), 2);
    let (_server, bucket) = serving(|_, _| Answer::ok(page(&["a"], "<IsTruncated>true</IsTruncated>"))).await;
    assert_eq!(*keys(&bucket).await.unwrap_err().kind(), StoreErrorKind::Unreadable);
}

#[tokio::test]
async fn version_markers_that_go_round_in_one_key_are_an_error() {
    let next = |id: &str| {
        format!(
            "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>\
             <NextVersionIdMarker>{id}</NextVersionIdMarker>"
        )
    };
    let (server, bucket) = serving(move |_, request| {
        let id = if request.target.contains("version-id-marker=1") { "2" } else { "1" };
        Answer::ok(page(&["a"], &next(id)))
    })
    .await;
    assert_eq!(*keys(&bucket).await.unwrap_err().kind(), StoreErrorKind::Unreadable);
    assert_eq!(server.operations().len(), 3);
}

#[tokio::test]
async fn keys_that_were_not_asked_for_are_an_error() {
    let (_server, bucket) = serving(|_, _| Answer::ok(last(&["a", "c"]))).await;
    assert!(bucket.versions("b", None).next().await.is_err());
    assert!(bucket.versions("", Some("a")).next().await.is_err());
    assert!(bucket.versions("", Some("0")).next().await.is_ok());
}

#[tokio::test]
async fn uploads_are_listed_with_their_ids() {
    let (_server, bucket) = serving(|_, _| {
        Answer::ok(
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>a b</Key>\
             <UploadId>u1</UploadId><Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass>\
             <Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>",
        )
    })
    .await;
    let mut pages = bucket.uploads("");
    let page = pages.next().await.unwrap().unwrap();
    let entry = page.entries().next().unwrap();
    assert_eq!((entry.key, entry.upload_id, entry.version_id), ("a b", Some("u1"), None));
    assert!(pages.next().await.unwrap().is_none());
}
