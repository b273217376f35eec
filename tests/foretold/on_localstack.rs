//! Rules as the compiler writes them, over objects of all ages on LocalStack: what `x-amz-expiration`
//! says of each, against the simulator and against `lifecycle::removals`.
//!
//! No two rules take the same object, since LocalStack names the first of them where S3 names the
//! shortest; `tests/contract` holds that and the other differences.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::Client;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use shelflife::audit::{Comparison, Expiration, compare, foretold};
use shelflife::lifecycle::LifecycleDocument;
use shelflife::object::{Attributes, Kind, Lock, Observed, Reading, Versioning};
use shelflife::s3::{Bucket, ConnectOptions, StaticCredentials, Store, StoredLifecycle};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::simulated;
use crate::support::{LocalStack, Made, fresh_bucket, set_last_modified};

const AT_ONCE: usize = 8;
const PER_BUCKET: usize = 500;
const DIRECTORIES: u64 = 10;

/// Objects that a run tries; `SHELFLIFE_FORETOLD` asks for another number.
fn how_many() -> usize {
    let Some(asked) = std::env::var_os("SHELFLIFE_FORETOLD") else { return 1_000 };
    asked.to_str().and_then(|asked| asked.parse().ok()).expect("SHELFLIFE_FORETOLD is a number")
}

/// One object of the shelf.
#[derive(Clone)]
struct Piece {
    key: String,
    size: usize,
    tags: Attributes,
    at: DateTime<Utc>,
}

fn piece(dice: &mut Dice, number: usize, now: DateTime<Utc>) -> Piece {
    let tags = ["t", "u"].into_iter().filter_map(|key| {
        let value = dice.pick(&[None, Some("1"), Some("2"), Some("")])?;
        Some((key.to_owned(), value.to_owned()))
    });
    let tags = tags.collect();
    let age = TimeDelta::seconds(i64::try_from(dice.below(60 * 86_400)).unwrap());
    let at = (now - age).trunc_subsecs(0);
    // A sum that falls exactly on midnight, every now and then.
    let at = if dice.one_in(5) { at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc() } else { at };
    let key = format!("d{}/{number:05} +é", dice.below(DIRECTORIES));
    Piece { key, size: dice.pick(&[0, 9, 10, 11, 99, 100, 101]), tags, at }
}

/// One rule for each directory but one, of every form that the compiler writes.
fn configuration(dice: &mut Dice) -> String {
    let rules: String = (1..DIRECTORIES)
        .map(|directory| {
            let tag = |key| format!("<Tag><Key>{key}</Key><Value>{}</Value></Tag>", ["1", "2"][directory as usize % 2]);
            let filter = match dice.below(5) {
                0 => format!("<And><Prefix>d{directory}/</Prefix>{}</And>", tag("t")),
                1 => format!("<And><Prefix>d{directory}/</Prefix>{}{}</And>", tag("t"), tag("u")),
                2 => format!("<And><Prefix>d{directory}/</Prefix><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan></And>"),
                3 => format!("<And><Prefix>d{directory}/</Prefix><ObjectSizeLessThan>100</ObjectSizeLessThan></And>"),
                _ => format!("<Prefix>d{directory}/</Prefix>"),
            };
            let days = dice.pick(&[1, 7, 30, 184, 366]);
            format!(
                "<Rule><ID>shelflife:acme:r{directory}:0a1b2c3d4e5f</ID><Filter>{filter}</Filter>\
                 <Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration></Rule>"
            )
        })
        .collect();
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

async fn fill(client: &Client, bucket: &str, pieces: &Arc<Vec<Piece>>) {
    let mut puts = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (client, bucket, pieces) = (client.clone(), bucket.to_owned(), Arc::clone(pieces));
        puts.spawn(async move {
            for piece in pieces.iter().skip(worker).step_by(AT_ONCE) {
                let tags: Vec<String> =
                    piece.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let put = client.put_object().bucket(&bucket).key(&piece.key).tagging(tags.join("&"));
                put.body(vec![b'x'; piece.size].into()).send().await.unwrap();
            }
        });
    }
    puts.join_all().await;
}

/// What the store says of each piece: when it was uploaded, and when it expires.
async fn asked(bucket: &Bucket, pieces: &Arc<Vec<Piece>>) -> Vec<(usize, DateTime<Utc>, Option<String>)> {
    let mut asking = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (bucket, pieces) = (bucket.clone(), Arc::clone(pieces));
        asking.spawn(async move {
            let mut told = Vec::new();
            for number in (worker..pieces.len()).step_by(AT_ONCE) {
                let head = bucket.head(&pieces[number].key, None).await.unwrap();
                told.push((number, head.last_modified, head.expiration));
            }
            told
        });
    }
    asking.join_all().await.concat()
}

fn observed<'a>(bucket: &'a str, piece: &'a Piece) -> Observed<'a> {
    Observed {
        bucket,
        key: &piece.key,
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded: piece.at,
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: piece.size as u64,
        etag: None,
        storage_class: None,
        metadata: Reading::Unread,
        content_type: Reading::Unread,
        tags: Reading::Known(&piece.tags),
        lock: Reading::Known(Lock::default()),
    }
}

async fn connect(endpoint: &str) -> Store {
    let options = ConnectOptions {
        endpoint_url: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
        }),
        ..ConnectOptions::default()
    };
    Store::connect(&options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_the_simulator_and_the_literal_reading_agree_on_every_object() {
    let Some(localstack) = LocalStack::shared() else { return };
    let (client, store) = (localstack.client(), connect(&localstack.endpoint).await);
    let (mut dice, now) = (Dice(11), Utc::now());
    let mut found: BTreeMap<bool, usize> = BTreeMap::new();
    for _ in 0..how_many().div_ceil(PER_BUCKET) {
        let name = fresh_bucket(&client, "foretold").await;
        let bucket = store.bucket(&name).await.unwrap();
        let pieces: Arc<Vec<Piece>> =
            Arc::new((0..PER_BUCKET).map(|number| piece(&mut dice, number, now)).collect());
        fill(&client, &name, &pieces).await;
        let made = pieces.iter().map(|it| (Made::Object { bucket: &name, key: &it.key }, it.at));
        set_last_modified(&localstack.endpoint, &made.collect::<Vec<_>>()).unwrap();
        let stored =
            StoredLifecycle { xml: configuration(&mut dice), transition_default_minimum_object_size: None };
        bucket.put_lifecycle(&stored).await.unwrap();
        let document = LifecycleDocument::read(&bucket.lifecycle().await.unwrap().unwrap().xml).unwrap();

        for (number, at, header) in asked(&bucket, &pieces).await {
            let piece = &pieces[number];
            assert_eq!(at, piece.at);
            let object = observed(&name, piece);
            let compared = compare(&foretold(Some(&document), Versioning::Never, &object), header.as_deref());
            assert!(matches!(compared, Comparison::Agree | Comparison::None), "{compared:?} {object:?}");
            let simulated = simulated::effects(&document, Versioning::Never, &object, now);
            let said = header.map(|header| Expiration::parse(&header).unwrap().date);
            let days: Option<(i64, i64)> = simulated.first().map(|(_, early, late)| (*early, *late));
            match (said, days) {
                (None, None) => *found.entry(false).or_default() += 1,
                (Some(said), Some((early, late))) => {
                    assert!([early, late].contains(&said.timestamp()), "{said} {early} {late} {object:?}");
                    *found.entry(true).or_default() += 1;
                }
                other => panic!("{other:?} {object:?}"),
            }
        }
    }
    println!("{found:?}");
    assert!(found.values().all(|count| *count * 5 > how_many()), "{found:?}");
}
