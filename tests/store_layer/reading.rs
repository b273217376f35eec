//! Facts, attributes, locks and lifecycle configurations.

use shelflife::object::{Lock, Versioning};
use shelflife::s3::{Bucket, StoreErrorKind, StoredLifecycle};

use crate::server::{Answer, Request, Server};
use crate::{headed, open};

async fn serving(handler: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> (Server, Bucket) {
    let server = Server::start(headed(handler)).await;
    let bucket = open(&server.store().await, "media").await;
    (server, bucket)
}

const LOCKED: &str =
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

fn versioning(inner: &str) -> String {
    format!("<VersioningConfiguration>{inner}</VersioningConfiguration>")
}

async fn facts_with(versioned: Answer, locked: Answer) -> Result<(Versioning, bool, bool), StoreErrorKind> {
    let (_server, bucket) = serving(move |_, request| match request.target.contains("?versioning") {
        true => versioned.clone(),
        false => locked.clone(),
    })
    .await;
    let facts = bucket.facts().await.map_err(|error| error.kind().clone())?;
    assert_eq!(facts.name, "media");
    Ok((facts.versioning, facts.mfa_delete, facts.object_lock))
}

#[tokio::test]
async fn facts_are_what_the_store_says() {
    let enabled = "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>";
    let read = facts_with(Answer::ok(versioning(enabled)), Answer::ok(LOCKED)).await;
    assert_eq!(read, Ok((Versioning::Enabled, true, true)));
    let none = Answer::error(404, "ObjectLockConfigurationNotFoundError");
    let read = facts_with(Answer::ok(versioning("<Status>Suspended</Status>")), none.clone()).await;
    assert_eq!(read, Ok((Versioning::Suspended, false, false)));
    let read = facts_with(Answer::ok("<VersioningConfiguration xmlns=\"http://s3\"/>"), none).await;
    assert_eq!(read, Ok((Versioning::Never, false, false)));
}

#[tokio::test]
async fn what_a_store_does_not_implement_it_does_not_have() {
    let lacking = Answer::error(501, "NotImplemented");
    assert_eq!(facts_with(lacking.clone(), lacking).await, Ok((Versioning::Never, false, false)));
}

#[tokio::test]
async fn facts_that_are_not_told_are_errors() {
    let denied = Answer::error(403, "AccessDenied");
    assert_eq!(facts_with(denied.clone(), Answer::ok(LOCKED)).await, Err(StoreErrorKind::Denied));
    assert_eq!(facts_with(Answer::ok(versioning("")), denied).await, Err(StoreErrorKind::Denied));
    for odd in ["<Status>Perhaps</Status>", "<Status></Status>", "<MfaDelete>Perhaps</MfaDelete>"] {
        let read = facts_with(Answer::ok(versioning(odd)), Answer::ok(LOCKED)).await;
        assert_eq!(read, Err(StoreErrorKind::Unreadable), "{odd}");
    }
    let empty = Answer::ok("<ObjectLockConfiguration/>");
    assert_eq!(facts_with(Answer::ok(versioning("")), empty).await, Err(StoreErrorKind::Unreadable));
}

#[tokio::test]
async fn tags_are_read_from_any_form_of_text() {
    let (_server, bucket) = serving(|_, _| {
        Answer::ok(
            "<Tagging><TagSet><Tag><Key><![CDATA[a]]></Key><Value>x &amp; y</Value></Tag>\
             <Tag><Value/><Key>b</Key></Tag></TagSet></Tagging>",
        )
    })
    .await;
    let tags = bucket.object_tags("k", Some("v")).await.unwrap();
    assert_eq!(tags, [("a".to_owned(), "x & y".to_owned()), ("b".to_owned(), String::new())].into());
    assert_eq!(bucket.tags().await.unwrap(), tags);
}

#[tokio::test]
async fn a_bucket_without_tags_has_none_and_a_half_answer_is_an_error() {
    let (_server, bucket) = serving(|_, _| Answer::error(404, "NoSuchTagSet")).await;
    assert!(bucket.tags().await.unwrap().is_empty());
    for odd in [
        "<Tagging></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>a</Key><Value>2</Value></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet>",
    ] {
        let (_server, bucket) = serving(move |_, _| Answer::ok(odd)).await;
        assert_eq!(
            *bucket.object_tags("k", None).await.unwrap_err().kind(),
            StoreErrorKind::Unreadable,
            "{odd}"
        );
    }
}

fn headers(answer: Answer) -> Answer {
    answer.header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT").header("etag", "\"e\"")
}

#[tokio::test]
async fn head_gives_metadata_as_it_was_written() {
    let (_server, bucket) = serving(|_, _| {
        headers(Answer::ok("12345"))
            .header("x-amz-meta-Customer-Id", "=?UTF-8?Q?M=C3=BCller?=")
            .header("x-amz-meta-plain", "a=?b")
            .header("x-amz-version-id", "v1")
            .header("x-amz-expiration", "expiry-date=\"…\"".replace('…', "x"))
    })
    .await;
    let head = bucket.head("k", None).await.unwrap();
    assert_eq!(head.metadata["customer-id"], "Müller");
    assert_eq!(head.metadata["plain"], "a=?b");
    assert_eq!((head.etag.as_deref(), head.size, head.version_id.as_deref()), (Some("e"), 5, Some("v1")));
    assert_eq!(head.last_modified.to_rfc3339(), "2026-01-01T00:00:00+00:00");
    assert_eq!(head.expiration.as_deref(), Some("expiry-date=\"x\""));
}

#[tokio::test]
async fn metadata_that_cannot_be_read_is_an_error_and_not_absent() {
    for (name, value) in [("x-amz-missing-meta", "1"), ("x-amz-meta-a", "=?KOI8-R?B?8w==?=")] {
        let (_server, bucket) = serving(move |_, _| headers(Answer::ok("")).header(name, value)).await;
        assert_eq!(*bucket.head("k", None).await.unwrap_err().kind(), StoreErrorKind::Unreadable, "{name}");
    }
}

#[tokio::test]
async fn head_tells_missing_denied_and_markers_apart() {
    for (answer, kind) in [
        (Answer::new(404, ""), StoreErrorKind::NotFound),
        (Answer::new(403, ""), StoreErrorKind::Denied),
        (Answer::new(405, "").header("x-amz-delete-marker", "true"), StoreErrorKind::DeleteMarker),
    ] {
        let (_server, bucket) = serving(move |_, _| answer.clone()).await;
        assert_eq!(*bucket.head("a/b", Some("v")).await.unwrap_err().kind(), kind);
    }
}

async fn lock_with(retention: Answer, hold: Answer) -> Result<Lock, StoreErrorKind> {
    let (_server, bucket) = serving(move |_, request| match request.target.contains("?retention") {
        true => retention.clone(),
        false => hold.clone(),
    })
    .await;
    bucket.lock("k", Some("v")).await.map_err(|error| error.kind().clone())
}

#[tokio::test]
async fn a_lock_is_retention_and_hold_together() {
    let none = || Answer::error(404, "NoSuchObjectLockConfiguration");
    let hold = |status: &str| Answer::ok(format!("<LegalHold><Status>{status}</Status></LegalHold>"));
    let retention = |inner: &str| Answer::ok(format!("<Retention>{inner}</Retention>"));
    let until = "<Mode>COMPLIANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate>";
    assert_eq!(lock_with(none(), none()).await, Ok(Lock::default()));
    assert_eq!(lock_with(none(), hold("OFF")).await, Ok(Lock::default()));
    assert!(lock_with(none(), hold("ON")).await.unwrap().legal_hold);
    let locked = lock_with(retention(until), none()).await.unwrap();
    assert_eq!(locked.retain_until.unwrap().to_rfc3339(), "2030-01-01T00:00:00+00:00");
    assert!(lock_with(retention("<EventHold>ON</EventHold>"), none()).await.unwrap().legal_hold);
}

#[tokio::test]
async fn a_lock_that_is_not_told_is_an_error() {
    let none = || Answer::error(404, "NoSuchObjectLockConfiguration");
    let denied = || Answer::error(403, "AccessDenied");
    assert_eq!(lock_with(denied(), none()).await, Err(StoreErrorKind::Denied));
    assert_eq!(lock_with(none(), denied()).await, Err(StoreErrorKind::Denied));
    for odd in ["<Retention/>", "<Retention><Mode>COMPLIANCE</Mode></Retention>", "<Retention><Mode>"] {
        assert_eq!(lock_with(Answer::ok(odd), none()).await, Err(StoreErrorKind::Unreadable), "{odd}");
    }
    for odd in ["<LegalHold/>", "<LegalHold><Status>", "<LegalHold><Status>maybe</Status></LegalHold>"] {
        assert_eq!(lock_with(none(), Answer::ok(odd)).await, Err(StoreErrorKind::Unreadable), "{odd}");
    }
}

const LIFECYCLE: &str = "<?xml version=\"1.0\"?>\n<LifecycleConfiguration><Rule><ID>ž</ID><Novelty/></Rule>\
                         </LifecycleConfiguration>";

#[tokio::test]
async fn a_lifecycle_configuration_is_read_as_it_stands() {
    let (_server, bucket) = serving(|_, _| {
        Answer::ok(LIFECYCLE)
            .header("x-amz-transition-default-minimum-object-size", "varies_by_storage_class")
    })
    .await;
    let stored = bucket.lifecycle().await.unwrap().unwrap();
    assert_eq!(stored.xml, LIFECYCLE);
    assert_eq!(stored.transition_default_minimum_object_size.as_deref(), Some("varies_by_storage_class"));
}

#[tokio::test]
async fn no_lifecycle_configuration_is_told_from_half_of_one() {
    let (_server, bucket) = serving(|_, _| Answer::error(404, "NoSuchLifecycleConfiguration")).await;
    assert_eq!(bucket.lifecycle().await.unwrap(), None);
    let (server, bucket) = serving(|_, _| Answer::ok(&LIFECYCLE[..LIFECYCLE.len() - 5])).await;
    assert_eq!(*bucket.lifecycle().await.unwrap_err().kind(), StoreErrorKind::Unreadable);
    assert_eq!(server.operations().len(), 6);
}

#[tokio::test]
async fn a_lifecycle_configuration_is_written_as_it_is_given_with_its_checksum() {
    let (server, bucket) = serving(|number, _| match number {
        0 => Answer::error(503, "SlowDown"),
        _ => Answer::ok(""),
    })
    .await;
    let stored = StoredLifecycle {
        xml: LIFECYCLE.to_owned(),
        transition_default_minimum_object_size: Some("varies_by_storage_class".to_owned()),
    };
    // It is sent once: a second time it could replace what somebody has written in between.
    assert_eq!(*bucket.put_lifecycle(&stored).await.unwrap_err().kind(), StoreErrorKind::Throttled);
    assert_eq!(server.operations().len(), 1);
    bucket.put_lifecycle(&stored).await.unwrap();
    let sent = server.operations();
    assert_eq!(sent.len(), 2);
    for request in sent {
        assert_eq!(request.body, LIFECYCLE);
        let size = request.header("x-amz-transition-default-minimum-object-size");
        assert_eq!(size, Some("varies_by_storage_class"));
        let sum = base64(&crc32(LIFECYCLE.as_bytes()).to_be_bytes());
        assert_eq!(request.header("x-amz-checksum-crc32"), Some(sum.as_str()));
        assert!(request.header("x-amz-content-sha256").unwrap().len() == 64, "{request:?}");
    }
    assert_eq!(*bucket.delete_lifecycle().await.unwrap_err().kind(), StoreErrorKind::Throttled);
    bucket.delete_lifecycle().await.unwrap();
    let methods: Vec<_> = server.operations().iter().skip(2).map(|request| request.method.clone()).collect();
    assert_eq!(methods, ["DELETE", "DELETE"]);
}

/// CRC-32 (IEEE), bit by bit.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

fn base64(data: &[u8]) -> String {
    aws_smithy_types::base64::encode(data)
}
