//! Deleting: nothing counts as deleted that the store did not say is.

use shelflife::s3::{Bucket, DeleteAnswer, DeleteTarget, StoreErrorKind, needs_single_delete};

use crate::server::{Answer, Request, Server};
use crate::{headed, open};

async fn serving(handler: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> (Server, Bucket) {
    let server = Server::start(headed(handler)).await;
    let bucket = open(&server.store().await, "media").await;
    (server, bucket)
}

fn target(key: &str, version: Option<&str>) -> DeleteTarget {
    DeleteTarget { key: key.into(), version_id: version.map(Into::into), if_match: None }
}

const DELETED: DeleteAnswer = DeleteAnswer::Deleted { delete_marker: false, marker_version_id: None };

#[tokio::test]
async fn every_target_gets_the_answer_to_its_own_key_and_version() {
    let (server, bucket) = serving(|_, _| {
        Answer::ok(
            "<DeleteResult><Error><Key>c</Key><VersionId>1</VersionId><Code>SlowDown</Code>\
             <Message>less</Message></Error><Deleted><Key>a</Key><VersionId>2</VersionId></Deleted>\
             <Deleted><Key>b</Key><DeleteMarker>true</DeleteMarker>\
             <DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>\
             <Error><Key>d</Key><Code>PreconditionFailed</Code></Error></DeleteResult>",
        )
    })
    .await;
    let conditional = DeleteTarget { if_match: Some("e".into()), ..target("d", None) };
    let targets = [
        target("a", Some("1")),
        target("a", Some("2")),
        target("b", None),
        target("c", Some("1")),
        conditional,
    ];
    let report = bucket.delete_objects(&targets).await.unwrap();
    assert_eq!(report.answers[0], DeleteAnswer::Unnamed);
    assert_eq!(report.answers[1], DELETED);
    assert_eq!(
        report.answers[2],
        DeleteAnswer::Deleted { delete_marker: true, marker_version_id: Some("m".to_owned()) }
    );
    let DeleteAnswer::Failed { kind, code, .. } = &report.answers[3] else { panic!("{report:?}") };
    assert!(kind.is_retryable() && code == "SlowDown");
    let DeleteAnswer::Failed { kind, .. } = &report.answers[4] else { panic!("{report:?}") };
    assert_eq!(*kind, StoreErrorKind::Changed);
    assert!(report.foreign.is_empty());
    let sent = &server.operations()[0];
    assert!(sent.body.contains("<ETag>&quot;e&quot;</ETag>"), "{}", sent.body);
    assert!(!sent.body.contains("<Quiet>true</Quiet>"), "{}", sent.body);
    assert!(sent.header("x-amz-checksum-crc32").is_some());
}

#[tokio::test]
async fn what_nobody_asked_for_is_reported() {
    let (_server, bucket) = serving(|_, _| {
        Answer::ok("<DeleteResult><Deleted><Key>b</Key></Deleted><Deleted><Key>a</Key><VersionId>9</VersionId></Deleted></DeleteResult>")
    })
    .await;
    let report = bucket.delete_objects(&[target("a", None)]).await.unwrap();
    assert_eq!(report.answers, [DeleteAnswer::Unnamed]);
    assert_eq!(report.foreign, [("a".to_owned(), Some("9".to_owned())), ("b".to_owned(), None)]);
}

#[tokio::test]
async fn a_key_named_deleted_and_failed_has_failed() {
    let (_server, bucket) = serving(|_, _| {
        Answer::ok("<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>")
    })
    .await;
    let report = bucket.delete_objects(&[target("a", None)]).await.unwrap();
    assert!(matches!(&report.answers[0], DeleteAnswer::Failed { kind: StoreErrorKind::Denied, .. }));
}

/// Nor is the batch sent again: who deletes looks again first.
#[tokio::test]
async fn a_cut_report_and_an_error_with_status_200_are_not_success() {
    let cut = "<DeleteResult><Deleted><Key>a</Key></Deleted>";
    for (answer, kind) in [
        (Answer::ok(cut), StoreErrorKind::Unreadable),
        (Answer::ok(""), StoreErrorKind::Unreadable),
        (Answer::error(200, "SlowDown"), StoreErrorKind::Throttled),
        (Answer::error(200, "InternalError"), StoreErrorKind::Failed),
        (Answer::error(200, "AccessDenied"), StoreErrorKind::Denied),
    ] {
        let canned = answer.clone();
        let (server, bucket) = serving(move |_, _| canned.clone()).await;
        let error = bucket.delete_objects(&[target("a", None)]).await.unwrap_err();
        assert_eq!(*error.kind(), kind, "{answer:?}");
        assert_eq!(server.operations().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn keys_that_xml_cannot_carry_never_enter_a_batch() {
    let (server, bucket) = serving(|_, _| Answer::new(204, "")).await;
    for key in ["a\u{1}b", "a\rb", "a\nb", "\u{fffe}", "a ", "\u{85}"] {
        assert!(needs_single_delete(key), "{key:?}");
        let error = bucket.delete_objects(&[target("fine", None), target(key, None)]).await.unwrap_err();
        assert_eq!(*error.kind(), StoreErrorKind::NotSent);
    }
    assert!(!needs_single_delete("inbound/a b&<é>+%.jpg"));
    assert!(server.operations().is_empty());
    assert_eq!(bucket.delete_object(&target("a\u{1}/../b", Some("null"))).await.unwrap(), DELETED);
    assert!(server.operations()[0].target.starts_with("/media/a%01/../b?"), "{:?}", server.operations());
}

#[tokio::test]
async fn batches_that_are_empty_or_too_large_are_not_sent() {
    let (server, bucket) = serving(|_, _| Answer::ok("<DeleteResult/>")).await;
    assert!(bucket.delete_objects(&[]).await.is_err());
    assert!(bucket.delete_objects(&vec![target("a", None); 1_001]).await.is_err());
    assert!(server.operations().is_empty());
    let report = bucket.delete_objects(&vec![target("a", None); 1_000]).await.unwrap();
    assert_eq!(report.answers, vec![DeleteAnswer::Unnamed; 1_000]);
}

#[tokio::test]
async fn a_single_delete_says_what_became_of_its_condition() {
    let conditional = DeleteTarget { if_match: Some("e".into()), ..target("a", None) };
    for (answer, kind) in [
        (Answer::error(412, "PreconditionFailed"), StoreErrorKind::Changed),
        (Answer::error(409, "ConditionalRequestConflict"), StoreErrorKind::Conflict),
        (Answer::error(501, "NotImplemented"), StoreErrorKind::NotImplemented),
        (Answer::error(200, "AccessDenied"), StoreErrorKind::Denied),
    ] {
        let (server, bucket) = serving(move |_, _| answer.clone()).await;
        assert_eq!(*bucket.delete_object(&conditional).await.unwrap_err().kind(), kind);
        assert_eq!(server.operations()[0].header("if-match"), Some("\"e\""));
        assert_eq!(server.operations().len(), 1);
    }
}

#[tokio::test]
async fn an_upload_is_aborted_by_its_id() {
    let (server, bucket) = serving(|_, _| Answer::new(204, "")).await;
    bucket.abort_upload("a b", "u/1").await.unwrap();
    assert_eq!(server.operations()[0].target, "/media/a%20b?x-id=AbortMultipartUpload&uploadId=u%2F1");
}
