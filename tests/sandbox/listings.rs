//! Listings: order, pages, prefixes, encodings.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;
use shelflife::sandbox::{PutOptions, Sandbox};

use crate::client::{put, refusal, sandbox, says, versioned};
use crate::wire::Capture;

fn fill(sandbox: &Sandbox, keys: impl IntoIterator<Item = String>) {
    for key in keys {
        sandbox.put_object("media", &key, PutOptions::size(1)).unwrap();
    }
}

async fn pages(client: &Client, max: Option<i32>) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = None;
    loop {
        let request = client.list_objects_v2().bucket("media").set_max_keys(max);
        let page = request.set_continuation_token(token).send().await.unwrap();
        assert_eq!(page.key_count(), Some(page.contents().len() as i32));
        pages.push(page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect());
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_page_ends_after_a_thousand_and_the_next_goes_on_there() {
    let (sandbox, client) = sandbox().await;
    fill(&sandbox, (0..1000).map(|n| format!("k{n:05}")));
    assert_eq!(pages(&client, None).await.iter().map(Vec::len).collect::<Vec<_>>(), [1000]);
    fill(&sandbox, (1000..2001).map(|n| format!("k{n:05}")));
    let all = pages(&client, Some(5000)).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [1000, 1000, 1]);
    assert!(all.concat().iter().enumerate().all(|(n, key)| *key == format!("k{n:05}")));
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_bytes() {
    let (sandbox, client) = sandbox().await;
    let mut keys: Vec<String> =
        ["b", "B", "a/b", "a!b", "a", "ä", "\u{ffff}", "𝄞", "z"].map(str::to_owned).to_vec();
    fill(&sandbox, keys.clone());
    keys.sort();
    assert_eq!(pages(&client, Some(2)).await.concat(), keys);
}

#[tokio::test]
async fn a_delimiter_rolls_keys_up_across_page_borders() {
    let (sandbox, client) = sandbox().await;
    fill(&sandbox, ["a/1", "a/2", "b", "c/1", "c/2/3", "d"].map(str::to_owned));
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let request = client.list_objects_v2().bucket("media").delimiter("/").max_keys(1);
        let page = request.set_continuation_token(token).send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a/", "b", "c/", "d"]);
    let below = client.list_objects_v2().bucket("media").prefix("c/").delimiter("/").send().await.unwrap();
    assert_eq!(below.contents()[0].key(), Some("c/1"));
    assert_eq!(below.common_prefixes()[0].prefix(), Some("c/2/"));
}

#[tokio::test]
async fn the_first_listing_goes_on_by_marker() {
    let (sandbox, client) = sandbox().await;
    fill(&sandbox, ["a", "b", "c"].map(str::to_owned));
    let page = client.list_objects().bucket("media").marker("a").max_keys(1).send().await.unwrap();
    assert_eq!(page.contents()[0].key(), Some("b"));
    assert_eq!((page.is_truncated(), page.next_marker()), (Some(true), None));
    let after = client.list_objects_v2().bucket("media").start_after("b").send().await.unwrap();
    assert_eq!(after.contents()[0].key(), Some("c"));
}

#[tokio::test]
async fn odd_keys_are_url_encoded_on_request() {
    let (sandbox, client) = sandbox().await;
    fill(&sandbox, ["a b+c%/ä&<\u{1}~*".to_owned()]);
    let page = client.list_objects_v2().bucket("media").encoding_type(EncodingType::Url).prefix("a b").send();
    let page = page.await.unwrap();
    assert_eq!(page.contents()[0].key(), Some("a+b%2Bc%25/%C3%A4%26%3C%01%7E*"));
    assert_eq!(page.prefix(), Some("a+b"));
    assert_eq!(page.encoding_type(), Some(&EncodingType::Url));
    let versions = client.list_object_versions().bucket("media").encoding_type(EncodingType::Url).send();
    assert_eq!(versions.await.unwrap().versions()[0].key(), Some("a+b%2Bc%25/%C3%A4%26%3C%01%7E*"));
}

#[tokio::test]
async fn without_encoding_control_characters_are_character_references() {
    let (sandbox, client) = sandbox().await;
    let keys = ["a\u{1}b", "c\rd\ne\tf", "x&y<z>\"'", " lead and trail "];
    fill(&sandbox, keys.map(str::to_owned));
    let capture = Capture::default();
    let listing = client.list_objects_v2().bucket("media").customize().interceptor(capture.clone());
    let listing = listing.send().await.unwrap();
    let text = capture.text();
    assert!(text.contains("<Key>a&#x1;b</Key>"), "{text}");
    assert!(text.contains("<Key>c&#13;d&#10;e&#9;f</Key>"), "{text}");
    let mut listed: Vec<_> = listing.contents().iter().map(|object| object.key().unwrap()).collect();
    let mut keys = keys.to_vec();
    keys.sort();
    listed.sort();
    assert_eq!(listed, keys);
}

#[tokio::test]
async fn versions_and_markers_come_interleaved_with_the_newest_first() {
    let (_sandbox, client) = versioned().await;
    let first = put(&client, "a", "1").await;
    let marker = client.delete_object().bucket("media").key("a").send().await.unwrap();
    let marker = marker.version_id().unwrap().to_owned();
    let second = put(&client, "a", "2").await;
    let other = put(&client, "b", "3").await;
    let capture = Capture::default();
    let listing = client.list_object_versions().bucket("media").customize().interceptor(capture.clone());
    let listing = listing.send().await.unwrap();
    let text = capture.text();
    let places: Vec<usize> =
        [&second, &marker, &first, &other].iter().map(|id| text.find(id.as_str()).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("<LastModified>2026-01-15T10:30:00.000Z</LastModified>"));
    assert_eq!((listing.versions().len(), listing.delete_markers().len()), (3, 1));
    let latest: Vec<_> = listing.versions().iter().map(|version| version.is_latest()).collect();
    assert_eq!(latest, [Some(true), Some(false), Some(true)]);
}

#[tokio::test]
async fn version_pages_leave_none_out_and_repeat_none() {
    let (sandbox, client) = versioned().await;
    for key in ["a", "a", "a", "b", "c", "c", "d"] {
        put(&client, key, "x").await;
    }
    let everything: Vec<_> =
        sandbox.list_everything("media").unwrap().into_iter().map(|entry| entry.id).collect();
    for max in 1..=8 {
        let mut seen = Vec::new();
        let (mut key, mut id) = (None, None);
        loop {
            let page = client.list_object_versions().bucket("media").max_keys(max);
            let page = page.set_key_marker(key).set_version_id_marker(id).send().await.unwrap();
            seen.extend(page.versions().iter().map(|version| version.version_id().unwrap().to_owned()));
            assert!(seen.len() <= everything.len(), "{max} a page");
            if page.is_truncated() != Some(true) {
                break;
            }
            key = page.next_key_marker().map(str::to_owned);
            id = page.next_version_id_marker().map(str::to_owned);
        }
        assert_eq!(seen, everything, "{max} a page");
    }
}

#[tokio::test]
async fn version_pages_break_within_a_key_and_survive_a_deletion_at_the_border() {
    let (sandbox, client) = versioned().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(put(&client, "a", "x").await);
    }
    put(&client, "b", "y").await;
    let page = client.list_object_versions().bucket("media").max_keys(2).send().await.unwrap();
    assert_eq!(page.next_key_marker(), Some("a"));
    let border = page.next_version_id_marker().unwrap().to_owned();
    assert_eq!(border, ids[3]);
    client.delete_object().bucket("media").key("a").version_id(&border).send().await.unwrap();
    let rest = client.list_object_versions().bucket("media").key_marker("a").version_id_marker(border);
    let rest = rest.send().await.unwrap();
    let rest: Vec<_> = rest.versions().iter().map(|version| version.version_id().unwrap()).collect();
    assert_eq!(rest[..3], [ids[2].as_str(), ids[1].as_str(), ids[0].as_str()]);
    assert_eq!(rest.len(), 4);

    let next_key = client.list_object_versions().bucket("media").key_marker("a").send().await.unwrap();
    assert_eq!(next_key.versions()[0].key(), Some("b"));
    let without = client.list_object_versions().bucket("media").version_id_marker(&ids[0]).send().await;
    assert_eq!(refusal(without), says("InvalidArgument", 400));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 5);
}

#[tokio::test]
async fn current_listings_leave_out_what_is_hidden() {
    let (_sandbox, client) = versioned().await;
    put(&client, "a", "1").await;
    put(&client, "b", "1").await;
    client.delete_object().bucket("media").key("a").send().await.unwrap();
    let page = client.list_objects_v2().bucket("media").send().await.unwrap();
    let keys: Vec<_> = page.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["b"]);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let (_sandbox, client) = sandbox().await;
    let negative = client.list_objects_v2().bucket("media").max_keys(-1).send().await;
    assert_eq!(refusal(negative), says("InvalidArgument", 400));
    let token = client.list_objects_v2().bucket("media").continuation_token("zz").send().await;
    assert_eq!(refusal(token), says("InvalidArgument", 400));
    let none = client.list_objects_v2().bucket("media").max_keys(0).send().await.unwrap();
    assert_eq!(none.is_truncated(), Some(false));
}
