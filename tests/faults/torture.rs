//! Random keys of all kinds of UTF-8: listed, planned, deleted, and told in the evidence as they are.

use std::collections::BTreeSet;
use std::io::Write;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use chrono::{TimeDelta, Utc};
use percent_encoding::percent_decode_str;
use shelflife::evidence::ItemResult;
use shelflife::s3::needs_single_delete;
use shelflife::sandbox::{PutOptions, Sandbox, SandboxOptions};
use tokio::task::JoinSet;

use crate::accounts::{self, Told};
use crate::desk::{Desk, Ran};
use crate::keys::{LONGEST, random_keys};
use crate::scene::Kind;
use crate::stage::{BUCKET, PLAN_AGAIN, RECONCILE, Stage};
use crate::support::{LocalStack, Made, fresh_bucket, set_last_modified};
use crate::{random, size};

/// Everything goes, whatever it is called.
fn policy(bucket: &str) -> String {
    format!(
        "version: 1
name: torture
tenant:
  - key: \"{{tenant}}/**\"
rules:
  - {{id: all, select: {{buckets: [{bucket}]}}, trigger: uploaded, retain: 30 days, enforce: direct}}
"
    )
}

fn keys(salt: u64, count: usize) -> Vec<String> {
    let mut random = random(salt);
    random_keys(count, &mut |n| random.below(n))
}

#[test]
fn random_keys_are_of_every_kind() {
    let keys = keys(1, 10_000);
    let some = |what: &str, is_so: &dyn Fn(&str) -> bool| {
        let count = keys.iter().filter(|key| is_so(key)).count();
        assert!(count >= 20, "only {count} keys of 10,000: {what}");
    };
    some("1,024 bytes", &|key| key.len() == LONGEST);
    some("control characters", &|key| key.chars().any(|c| c < ' '));
    some("leading slash", &|key| key.starts_with('/'));
    some("leading space", &|key| key.starts_with(' '));
    some("trailing space", &|key| key.ends_with(' '));
    some("trailing line break", &|key| key.ends_with('\n'));
    some("looks encoded", &|key| key.contains("%2F") && key.contains('+'));
    some("no characters", &|key| key.contains('\u{ffff}') || key.contains('\u{fffe}'));
    some("bidi", &|key| key.contains('\u{202e}'));
    some("combining first", &|key| key.chars().next().is_some_and(|c| ('\u{300}'..='\u{36f}').contains(&c)));
    some("beyond the plane", &|key| key.chars().any(|c| c > '\u{ffff}'));
    some("dots alone", &|key| [".", ".."].contains(&key) || key.starts_with("../"));
    assert!(keys.iter().all(|key| (1..=LONGEST).contains(&key.len())));
}

/// The AWS SDK sends no request about a single key that is nothing but white space: where no batch can carry it
/// either, it stays, and is told.
fn is_blank(key: &str) -> bool {
    key.trim().is_empty() && needs_single_delete(key)
}

async fn all_go(kind: Kind, salt: u64, count: usize) {
    let stage = Stage::empty(kind, TimeDelta::zero()).await;
    stage.desk.policy(&policy(BUCKET));
    let sandbox = &stage.sandbox;
    let ago = |days| sandbox.now() - TimeDelta::days(days);
    let (mut goes, mut blank) = (BTreeSet::new(), BTreeSet::new());
    for (place, key) in keys(salt, count).into_iter().enumerate() {
        // One in a hundred stays.
        let days = if place % 100 == 0 { 5 } else { 40 };
        if kind == Kind::Versioned && place % 100 != 0 {
            sandbox.put_object(BUCKET, &key, PutOptions::bytes("older").last_modified(ago(50))).unwrap();
        }
        sandbox.put_object(BUCKET, &key, PutOptions::bytes("medium").last_modified(ago(days))).unwrap();
        if days == 40 {
            if is_blank(&key) {
                blank.insert(key)
            } else {
                goes.insert(key)
            };
        }
    }
    let ran = stage.run(&RECONCILE);
    let outcomes = stage.desk.outcomes(&stage.desk.log());
    let failed: Vec<_> = outcomes.iter().filter(|it| it.result != "deleted" && !is_blank(&it.key)).collect();
    assert_eq!(ran.code, if blank.is_empty() { 0 } else { 3 }, "{failed:#?}{}", ran.err);
    assert!(failed.is_empty(), "{failed:#?}");
    let told_blank = outcomes.iter().filter(|it| it.result == "failed").map(|it| it.key.clone());
    assert_eq!(told_blank.collect::<BTreeSet<_>>(), blank);
    let left = sandbox.list_everything(BUCKET).unwrap();
    assert!(left.iter().all(|entry| !goes.contains(&entry.key)), "{left:?}");
    assert!(blank.iter().all(|key| left.iter().any(|entry| entry.key == **key)), "{blank:?} {left:?}");
    let told = Told::by(&stage, "torture");
    accounts::agree(&told, &stage.history(), false, "torture");
    let deleted: Vec<_> = told
        .last()
        .filter(|(_, result)| *result == ItemResult::Deleted)
        .map(|(thing, _)| thing.1.as_str())
        .collect();
    let each = if kind == Kind::Versioned { 2 } else { 1 };
    assert_eq!(deleted.len(), goes.len() * each);
    assert_eq!(deleted.into_iter().collect::<BTreeSet<_>>(), goes.iter().map(String::as_str).collect());
    let pending = if blank.is_empty() { 0 } else { 5 };
    assert_eq!(stage.run(&PLAN_AGAIN).code, pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_all_kinds_go_from_a_bucket_without_versions() {
    all_go(Kind::Unversioned, 2, size("SHELFLIFE_TORTURE_KEYS", 10_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_all_kinds_go_from_a_bucket_with_versions() {
    all_go(Kind::Versioned, 3, size("SHELFLIFE_TORTURE_KEYS", 10_000) / 2).await;
}

/// Says what is not tested past the capture of the test harness.
fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}

/// In a bucket that keeps versions: LocalStack has no conditional deletion, by which a key that no batch can
/// carry goes where there are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_all_kinds_go_from_localstack() {
    let Some(store) = LocalStack::shared() else { return };
    let client = store.client();
    let bucket = fresh_bucket(&client, "torture").await;
    let on = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    client.put_bucket_versioning().bucket(&bucket).versioning_configuration(on).send().await.unwrap();
    let mut wanted = keys(4, size("SHELFLIFE_TORTURE_KEYS_LOCALSTACK", 300));
    for key in wanted.extract_if(.., |key| is_blank(key)) {
        say(&format!("NOT TESTED on LocalStack, since the AWS SDK sends no such key: {key:?}"));
    }
    let mut puts = JoinSet::new();
    for part in wanted.chunks(wanted.len().div_ceil(8)) {
        let (client, bucket, part) = (client.clone(), bucket.clone(), part.to_vec());
        puts.spawn(async move {
            for key in part {
                let put = client.put_object().bucket(&bucket).key(&key);
                if let Err(error) = put.body(ByteStream::from_static(b"medium")).send().await {
                    say(&format!("NOT TESTED on LocalStack, which does not store the key {key:?}: {error}"));
                }
            }
        });
    }
    puts.join_all().await;

    let stored = listed(&client, &bucket).await;
    for key in wanted.iter().filter(|key| !stored.iter().any(|(stored, _)| stored == *key)) {
        say(&format!("NOT TESTED on LocalStack, which stores it otherwise: the key {key:?}"));
    }
    for (key, id) in stored.iter().filter(|(key, _)| !wanted.contains(key)) {
        say(&format!("LocalStack has made this of a key: {key:?}"));
        client.delete_object().bucket(&bucket).key(key).version_id(id).send().await.ok();
    }
    let stored = listed(&client, &bucket).await;
    assert!(stored.len() * 10 >= wanted.len() * 9, "LocalStack stores {} of {}", stored.len(), wanted.len());
    let old = Utc::now() - TimeDelta::days(40);
    let made: Vec<_> = stored
        .iter()
        .map(|(key, version_id)| (Made::Version { bucket: &bucket, key, version_id }, old))
        .collect();
    for part in made.chunks(500) {
        set_last_modified(&store.endpoint, part).unwrap();
    }

    let desk = Desk::at(&store.endpoint);
    desk.policy(&policy(&bucket));
    let mut command = desk.command(&RECONCILE);
    let ran = Ran::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let left = listed(&client, &bucket).await;
    assert!(left.is_empty(), "{left:?}");
    let told = desk.outcomes(&desk.log());
    let deleted: BTreeSet<_> =
        told.iter().filter(|it| it.result == "deleted").map(|it| it.key.clone()).collect();
    assert_eq!(deleted, stored.into_iter().map(|(key, _)| key).collect());
}

/// Keys and ids of all versions, by a listing of the raw SDK.
async fn listed(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let list = client.list_object_versions().bucket(bucket).encoding_type(EncodingType::Url);
        let page = list.set_key_marker(key).set_version_id_marker(id).send().await.unwrap();
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        all.extend(
            page.versions().iter().map(|it| (decode(it.key().unwrap()), it.version_id().unwrap().to_owned())),
        );
        if page.is_truncated() != Some(true) {
            return all;
        }
        key = page.next_key_marker().map(decode);
        id = page.next_version_id_marker().map(str::to_owned);
    }
}

/// Keeps the sandbox's own limits in mind: what it is given is what it shows.
#[tokio::test]
async fn the_sandbox_keeps_keys_as_they_are() {
    let sandbox = Sandbox::start(SandboxOptions::at(Utc::now())).await.unwrap();
    sandbox.create_bucket(Kind::Unversioned.options()).unwrap();
    let keys = keys(5, 1_000);
    for key in &keys {
        sandbox.put_object(BUCKET, key, PutOptions::size(1)).unwrap();
    }
    let shown: Vec<String> =
        sandbox.list_everything(BUCKET).unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(shown, keys);
}
