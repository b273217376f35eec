//! Connecting to a store and opening buckets.

use std::process::Command;

use shelflife::s3::{ConnectError, ConnectOptions, DeleteTarget, Store, StoreErrorKind};

use crate::server::{Answer, Server};
use crate::{headed, open};

/// Runs one test of this file again in a process with nothing but this environment.
fn in_child(test: &str, environment: &[(&str, &str)]) -> bool {
    if std::env::var_os("SHELFLIFE_CHILD").is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([&format!("opening::{test}"), "--exact", "--nocapture"])
        .env_clear()
        .envs([("SHELFLIFE_CHILD", "1"), ("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    if !in_child("without_credentials_nothing_is_sent", &[]) {
        return;
    }
    let server = Server::start(|_, _| Answer::ok("")).await;
    let options = ConnectOptions { credentials: None, ..server.options() };
    let error = Store::connect(&options).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoCredentials(_)), "{error:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_an_error_even_with_credentials_in_the_environment() {
    let environment = [("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let name = "a_profile_that_is_not_there_is_an_error_even_with_credentials_in_the_environment";
    if !in_child(name, &environment) {
        return;
    }
    let options = ConnectOptions { profile: Some("not-there".to_owned()), ..ConnectOptions::default() };
    let error = Store::connect(&options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Credentials(_)), "{error:?}");
}

#[tokio::test]
async fn whole_credentials_in_the_environment_go_before_a_profile_and_half_of_them_do_not() {
    let name = "whole_credentials_in_the_environment_go_before_a_profile_and_half_of_them_do_not";
    let file = tempfile::NamedTempFile::new().unwrap();
    let profile = "[ours]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n";
    std::fs::write(&file, profile).unwrap();
    let path = file.path().to_str().unwrap();
    let of_profile = [("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_PROFILE", "ours")];
    let half = [("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SESSION_TOKEN", "of-the-session")];
    for (secret, wanted) in [(Some("secret"), "AKIDOTHER"), (None, "AKIDPROFILE")] {
        let mut environment = [&of_profile[..], &half, &[("WANTED", wanted)]].concat();
        environment.extend(secret.map(|secret| ("AWS_SECRET_ACCESS_KEY", secret)));
        if !in_child(name, &environment) {
            continue;
        }
        let server = Server::start(headed(|_, _| Answer::ok(""))).await;
        let options = ConnectOptions { credentials: None, ..server.options() };
        open(&Store::connect(&options).await.unwrap(), "media").await;
        let wanted = std::env::var("WANTED").unwrap();
        let token = (wanted == "AKIDOTHER").then_some("of-the-session");
        for request in server.requests() {
            assert!(request.header("authorization").unwrap().contains(&wanted), "{request:?}");
            assert_eq!(request.header("x-amz-security-token"), token, "{request:?}");
        }
        assert!(!server.requests().is_empty());
        return;
    }
}

#[tokio::test]
async fn plain_http_is_refused_beyond_loopback_whoever_names_the_endpoint() {
    let name = "plain_http_is_refused_beyond_loopback_whoever_names_the_endpoint";
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let environment = [
            (variable, "http://s3.example.com"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        if !in_child(name, &environment) {
            continue;
        }
        let error = Store::connect(&ConnectOptions::default()).await.unwrap_err();
        assert!(matches!(error, ConnectError::PlainHttp), "{error:?}");
        let allowed = ConnectOptions { allow_http: true, ..ConnectOptions::default() };
        assert!(Store::connect(&allowed).await.is_ok());
        return;
    }
    let named =
        |url: &str| ConnectOptions { endpoint_url: Some(url.to_owned()), ..ConnectOptions::default() };
    let error = Store::connect(&named("http://s3.example.com")).await.unwrap_err();
    assert!(matches!(error, ConnectError::PlainHttp), "{error:?}");
    let error = Store::connect(&named("s3.example.com")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Endpoint(_)), "{error:?}");
}

#[tokio::test]
async fn requests_are_signed_and_carry_owner_and_payer() {
    let server = Server::start(headed(|_, _| {
        Answer::ok("<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>")
    }))
    .await;
    let options = ConnectOptions {
        expected_owner: Some("123456789012".to_owned()),
        request_payer: true,
        ..server.options()
    };
    let bucket = open(&Store::connect(&options).await.unwrap(), "media").await;
    bucket.versions("", None).next().await.unwrap();
    // What these are answered is of no matter here.
    let target = DeleteTarget { key: "a".into(), version_id: Some("1".into()), if_match: None };
    let _ = bucket.delete_objects(std::slice::from_ref(&target)).await;
    let _ = bucket.delete_object(&target).await;
    let _ = bucket.abort_upload("a", "u").await;
    let _ = bucket.head("a", Some("1")).await;
    let _ = bucket.object_tags("a", Some("1")).await;
    let _ = bucket.lock("a", Some("1")).await;
    for request in server.requests() {
        assert!(request.header("authorization").unwrap().contains("/eu-central-1/s3/"), "{request:?}");
        assert_eq!(request.header("x-amz-expected-bucket-owner"), Some("123456789012"));
        assert!(!format!("{request:?}").contains("very-secret"));
    }
    let (of_bucket, others): (Vec<_>, Vec<_>) = server
        .requests()
        .into_iter()
        .partition(|request| request.method == "HEAD" && !request.target.contains("/a"));
    assert_eq!(of_bucket.len(), 1);
    for part in ["?versions", "?delete", "versionId=1", "uploadId=u", "tagging", "retention"] {
        assert!(others.iter().any(|request| request.target.contains(part)), "{part}: {others:?}");
    }
    for request in others {
        assert_eq!(request.header("x-amz-request-payer"), Some("requester"), "{request:?}");
    }
}

#[tokio::test]
async fn the_clock_of_the_store_is_kept_and_requests_are_signed_by_ours() {
    let server = Server::start(|_, request| match request.method.as_str() {
        "HEAD" => Answer::ok("").header("date", "Tue, 24 Nov 2099 06:15:00 GMT"),
        _ => Answer::ok("<Tagging><TagSet/></Tagging>").header("date", "Tue, 24 Nov 2099 06:15:00 GMT"),
    })
    .await;
    let bucket = open(&server.store().await, "media").await;
    assert_eq!(bucket.store_time().unwrap().to_rfc3339(), "2099-11-24T06:15:00+00:00");
    bucket.tags().await.unwrap();
    bucket.tags().await.unwrap();
    for request in server.requests() {
        assert!(!request.header("x-amz-date").unwrap().starts_with("2099"), "{request:?}");
    }
}

#[tokio::test]
async fn buckets_that_cannot_be_opened_say_why() {
    let server = Server::start(|_, request| match request.target.trim_end_matches('/') {
        "/missing" => Answer::new(404, ""),
        "/denied" => Answer::new(403, ""),
        "/elsewhere" => Answer::new(301, "").header("x-amz-bucket-region", "us-west-2"),
        "/malformed" => Answer::new(400, "").header("x-amz-bucket-region", "us-west-2"),
        "/busy" => Answer::new(503, ""),
        "/broken" => Answer::new(500, ""),
        "/lacking" => Answer::new(501, ""),
        other => panic!("{other}"),
    })
    .await;
    let store = server.store().await;
    let elsewhere = StoreErrorKind::WrongRegion { region: Some("us-west-2".to_owned()) };
    for (name, kind, attempts) in [
        ("missing", StoreErrorKind::NotFound, 1),
        ("denied", StoreErrorKind::Denied, 1),
        ("elsewhere", elsewhere.clone(), 1),
        ("malformed", elsewhere, 1),
        ("busy", StoreErrorKind::Throttled, 6),
        ("broken", StoreErrorKind::Failed, 6),
        ("lacking", StoreErrorKind::NotImplemented, 1),
    ] {
        let before = server.requests().len();
        let error = store.bucket(name).await.unwrap_err();
        assert_eq!(*error.kind(), kind, "{error:?}");
        assert_eq!(server.requests().len() - before, attempts, "{name}");
        assert!(error.to_string().starts_with(&format!("HeadBucket s3://{name}: ")), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start(|_, _| Answer::ok("")).await;
    let options = ConnectOptions { endpoint_url: Some(format!("http://{free}")), ..server.options() };
    let error = Store::connect(&options).await.unwrap().bucket("media").await.unwrap_err();
    assert_eq!(*error.kind(), StoreErrorKind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn no_length_of_throttling_uses_up_the_retries_of_a_request() {
    let server = Server::start(headed(|number, request| match request.target.starts_with("/busy") {
        true => Answer::error(503, "SlowDown"),
        false if number == 0 => Answer::error(503, "SlowDown"),
        false => Answer::ok("<Tagging><TagSet/></Tagging>"),
    }))
    .await;
    let store = server.store().await;
    let (busy, quiet) = (open(&store, "busy").await, open(&store, "quiet").await);
    // Under the SDK's own budget five retries at five tokens would leave nothing after twenty of these.
    for _ in 0..50 {
        busy.tags().await.unwrap_err();
    }
    let before = server.requests().len();
    assert_eq!(*busy.tags().await.unwrap_err().kind(), StoreErrorKind::Throttled);
    assert_eq!(server.requests().len() - before, 6);
    quiet.tags().await.unwrap();
}

#[tokio::test]
async fn buckets_are_named_over_all_pages() {
    let page = |name: &str, token: &str| {
        Answer::ok(format!(
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>{name}</Name></Bucket></Buckets>\
             {token}</ListAllMyBucketsResult>"
        ))
    };
    let server = Server::start(move |_, request| match request.target.contains("continuation-token=next") {
        false => page("a", "<ContinuationToken>next</ContinuationToken>"),
        true => page("b", ""),
    })
    .await;
    assert_eq!(server.store().await.list_buckets().await.unwrap(), ["a", "b"]);
    let server = Server::start(move |_, _| page("a", "<ContinuationToken>same</ContinuationToken>")).await;
    let error = server.store().await.list_buckets().await.unwrap_err();
    assert_eq!(*error.kind(), StoreErrorKind::Unreadable, "{error:?}");
}

#[tokio::test]
async fn neither_keys_nor_secrets_are_printed() {
    let server = Server::start(headed(|_, _| Answer::error(403, "AccessDenied"))).await;
    let options = server.options();
    let store = Store::connect(&options).await.unwrap();
    let bucket = open(&store, "media").await;
    let error = bucket.head("a\u{1b}[31m\u{202e}b", None).await.unwrap_err();
    for text in [
        format!("{options:?}"),
        format!("{store:?}"),
        format!("{bucket:?}"),
        format!("{error:?}"),
        error.to_string(),
    ] {
        assert!(!text.contains("AKIDEXAMPLE") && !text.contains("very-secret"), "{text}");
    }
    let shown = error.to_string();
    assert_eq!(shown, "HeadObject s3://media/a\\u{1b}[31m\\u{202e}b: access denied (status 403)");
}
