//! Listings: complete, once each, in order, whatever the keys and the pages.

use aws_sdk_s3::types::BucketVersioningStatus;
use shelflife::object::Kind;
use shelflife::s3::{Bucket, StoreErrorKind};

use crate::subject::{Difference, Listed, Subject, keys, list};

on_every_store! {
    a_listing_is_whole_whether_it_has_no_key_one_or_more_than_a_page,
    no_page_is_longer_than_a_thousand,
    odd_keys_are_listed_as_they_were_put,
    odd_prefixes_and_starts_are_taken_literally,
    objects_of_a_bucket_without_versions_are_current_null_versions,
    versions_come_newest_first_with_markers_and_null_versions_among_them,
    pages_that_break_within_a_key_miss_nothing,
    a_suspended_bucket_replaces_its_null_version_only,
    uploads_are_listed_until_they_are_aborted,
}

async fn a_listing_is_whole_whether_it_has_no_key_one_or_more_than_a_page(store: &Subject) {
    let bucket = store.bucket().await;
    let groups = [("none/", 0), ("one/", 1), ("page/", 1_000), ("page+1/", 1_001), ("rest/", 498)];
    let named = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}{number:05}")).collect()
    };
    let put: Vec<String> = groups.iter().flat_map(|(prefix, count)| named(prefix, *count)).collect();
    assert_eq!(put.len(), 2_500);
    store.put_all(&bucket, put.clone()).await;

    for (prefix, count) in groups {
        let (listed, sizes) = list(&bucket, prefix, None).await.unwrap();
        let expected = named(prefix, count);
        assert!(listed.iter().map(|listed| &listed.key).eq(&expected), "{prefix}: {sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), count, "{prefix}");
    }
    let (listed, sizes) = list(&bucket, "", None).await.unwrap();
    let mut sorted = put;
    sorted.sort();
    assert!(listed.iter().map(|listed| &listed.key).eq(&sorted), "{sizes:?}");
    let capped = [1_000, 1_000, 500];
    let expected: &[usize] = if store.differs(Difference::PagesAreNotCapped) { &[2_500] } else { &capped };
    assert_eq!(sizes, expected);
}

async fn no_page_is_longer_than_a_thousand(store: &Subject) {
    let bucket = store.bucket().await;
    store.put_all(&bucket, (0..1_001).map(|number| format!("k{number:04}")).collect()).await;
    let (listed, sizes) = list(&bucket, "", Some(1_500)).await.unwrap();
    assert_eq!(listed.len(), 1_001);
    let expected: &[usize] =
        if store.differs(Difference::PagesAreNotCapped) { &[1_001] } else { &[1_000, 1] };
    assert_eq!(sizes, expected);
}

/// Keys that look like an encoding, differ from theirs, or are easily lost on the way.
fn odd_keys() -> Vec<String> {
    let short = [
        "a b",
        " leading",
        "trailing ",
        "a+b",
        "a%b",
        "a%20b",
        "a%2Fb",
        "a=b",
        "a:b",
        "a&b",
        "a?b#c",
        "a//b",
        "/a",
        "//a",
        "a/",
        "a/../b",
        "../a",
        "..",
        ".",
        "./a",
        "a\\b",
        "a\"b",
        "<a>",
        "a;b,c",
        "~",
        "*",
        "{a}",
        "ä",
        "a\u{308}",
        "日本/ö=1",
        "\u{1f4ce}",
        "\u{ffee}",
        "\u{1f4ce}/\u{1f44d}",
        "\u{202e}a",
        "a\nb",
        "a\tb",
        "a\rb",
        "a\u{1}b",
        "a\u{7f}b",
    ];
    let longest = ["k".repeat(1_024), "ö".repeat(512)];
    let mut keys: Vec<String> = short.into_iter().map(str::to_owned).chain(longest).collect();
    keys.sort();
    keys
}

async fn odd_keys_are_listed_as_they_were_put(store: &Subject) {
    let bucket = store.bucket().await;
    for key in odd_keys() {
        store.put(&bucket, &key, "medium").await;
    }
    assert_eq!(keys(&bucket).await, odd_keys());
    for max_keys in [1, 2, 7] {
        let (listed, _) = list(&bucket, "", Some(max_keys)).await.unwrap();
        let listed: Vec<_> = listed.into_iter().map(|listed| listed.key).collect();
        assert_eq!(listed, odd_keys(), "pages of {max_keys}");
    }
    for key in odd_keys() {
        assert_eq!(bucket.head(&key, None).await.unwrap().size, 6, "{key:?}");
    }
}

async fn odd_prefixes_and_starts_are_taken_literally(store: &Subject) {
    let bucket = store.bucket().await;
    for key in ["ö=1+/a", "ö=1+/b", "ö=1+/c d", "ö=1 /a", "ö=2/a", "ö%3D1%2B/a"] {
        store.put(&bucket, key, "medium").await;
    }
    let (listed, _) = list(&bucket, "ö=1+/", Some(1)).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|listed| listed.key.as_str()).collect();
    assert_eq!(listed, ["ö=1+/a", "ö=1+/b", "ö=1+/c d"]);

    let mut pages = bucket.versions("ö=1+/", Some("ö=1+/a")).max_keys(1);
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        listed.extend(page.entries().map(|entry| entry.key.to_owned()));
    }
    assert_eq!(listed, ["ö=1+/b", "ö=1+/c d"]);
}

async fn objects_of_a_bucket_without_versions_are_current_null_versions(store: &Subject) {
    let bucket = store.bucket().await;
    store.put(&bucket, "k", "old").await;
    store.put(&bucket, "k", "hello").await;
    let (listed, _) = list(&bucket, "", None).await.unwrap();
    let md5_of_hello = Some("5d41402abc4b2a76b9719d911017c592".to_owned());
    let expected = Listed {
        key: "k".to_owned(),
        id: "null".to_owned(),
        kind: Kind::Version,
        is_latest: true,
        etag: md5_of_hello,
        size: 5,
    };
    assert_eq!(listed, [expected]);
}

/// Makes a history of two keys; what a listing must say of it, as key, id, kind and whether it is the latest.
async fn history(store: &Subject, bucket: &Bucket) -> Vec<(String, String, Kind, bool)> {
    store.put(bucket, "a", "before").await;
    store.set_versioning(bucket, BucketVersioningStatus::Enabled).await;
    let first = store.put(bucket, "a", "one").await;
    let marker = store.mark_deleted(bucket, "a").await;
    let second = store.put(bucket, "a", "two").await;
    let other = store.put(bucket, "a/b", "other").await;
    let only = store.mark_deleted(bucket, "never there").await;
    let again = store.mark_deleted(bucket, "never there").await;
    for (minutes, id) in [(4, "null"), (3, &first), (2, &marker), (1, &second)] {
        store.age(bucket, "a", id, minutes);
    }
    store.age(bucket, "never there", &only, 2);
    let of = |key: &str, id: &str, kind, latest| (key.to_owned(), id.to_owned(), kind, latest);
    vec![
        of("a", &second, Kind::Version, true),
        of("a", &marker, Kind::Marker, false),
        of("a", &first, Kind::Version, false),
        of("a", "null", Kind::Version, false),
        of("a/b", &other, Kind::Version, true),
        of("never there", &again, Kind::Marker, true),
        of("never there", &only, Kind::Marker, false),
    ]
}

fn shapes(listed: Vec<Listed>) -> Vec<(String, String, Kind, bool)> {
    listed.into_iter().map(|it| (it.key, it.id, it.kind, it.is_latest)).collect()
}

async fn versions_come_newest_first_with_markers_and_null_versions_among_them(store: &Subject) {
    let bucket = store.bucket().await;
    let expected = history(store, &bucket).await;
    assert_eq!(shapes(list(&bucket, "", None).await.unwrap().0), expected);
}

async fn pages_that_break_within_a_key_miss_nothing(store: &Subject) {
    let bucket = store.bucket().await;
    let expected = history(store, &bucket).await;
    if store.differs(Difference::ListingsTurnBackAtNullVersions) {
        let error = list(&bucket, "", Some(1)).await.unwrap_err();
        assert_eq!(error.kind(), &StoreErrorKind::Unreadable, "{error}");
        return;
    }
    for max_keys in 1..=5 {
        let (listed, sizes) = list(&bucket, "", Some(max_keys)).await.unwrap();
        assert_eq!(shapes(listed), expected, "pages of {max_keys}: {sizes:?}");
        assert!(sizes.iter().all(|size| *size <= usize::from(max_keys)), "{sizes:?}");
    }
}

async fn a_suspended_bucket_replaces_its_null_version_only(store: &Subject) {
    let bucket = store.versioned().await;
    let kept = store.put(&bucket, "k", "one").await;
    store.set_versioning(&bucket, BucketVersioningStatus::Suspended).await;
    store.put(&bucket, "k", "two").await;
    store.put(&bucket, "k", "three!").await;
    let (listed, _) = list(&bucket, "", None).await.unwrap();
    let found: Vec<_> = listed.iter().map(|it| (it.id.as_str(), it.size, it.is_latest)).collect();
    assert_eq!(found, [("null", 6, true), (kept.as_str(), 3, false)]);

    let marker = store.mark_deleted(&bucket, "k").await;
    assert_eq!(marker, "null");
    let found = shapes(list(&bucket, "", None).await.unwrap().0);
    let of = |id: &str, kind, latest| ("k".to_owned(), id.to_owned(), kind, latest);
    assert_eq!(found, [of("null", Kind::Marker, true), of(&kept, Kind::Version, false)]);
}

async fn uploads_of(bucket: &Bucket, prefix: &str) -> Vec<(String, String)> {
    let mut pages = bucket.uploads(prefix);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        for entry in page.entries() {
            assert_eq!(entry.kind, Kind::Upload);
            found.push((entry.key.to_owned(), entry.upload_id.unwrap().to_owned()));
        }
    }
    found
}

async fn uploads_are_listed_until_they_are_aborted(store: &Subject) {
    let bucket = store.bucket().await;
    assert_eq!(uploads_of(&bucket, "").await, []);
    let mut begun = Vec::new();
    for key in ["inbound/ö + 1.mp4", "inbound/ö + 1.mp4", "inbound/ü=2.mp4", "other"] {
        begun.push((key.to_owned(), store.begin_upload(&bucket, key).await));
    }
    store.put(&bucket, "inbound/whole", "medium").await;

    let mut found = uploads_of(&bucket, "").await;
    let keys_found: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys_found, ["inbound/ö + 1.mp4", "inbound/ö + 1.mp4", "inbound/ü=2.mp4", "other"]);
    found.sort();
    let mut expected = begun.clone();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(uploads_of(&bucket, "inbound/").await.len(), 3);

    let (key, id) = &begun[0];
    bucket.abort_upload(key, id).await.unwrap();
    assert_eq!(uploads_of(&bucket, "").await.len(), 3);
    assert_eq!(bucket.abort_upload(key, id).await.unwrap_err().kind(), &StoreErrorKind::NotFound);
    assert_eq!(keys(&bucket).await, ["inbound/whole"]);
}
