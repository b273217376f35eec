//! A bucket that is listed in several ranges at once is the bucket that is listed one page after the other:
//! whatever its keys are, while the store objects and answers break off, and while keys come and go.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::object::BucketFacts;
use shelflife::plan::KeyGroup;
use shelflife::policy::{self, Policy, SourceFile};
use shelflife::records::Records;
use shelflife::s3::{ConnectOptions, StaticCredentials, Store, StoreError, StoreErrorKind};
use shelflife::sandbox::{
    Attributes, BucketOptions, Effect, Fault, PutOptions, Sandbox, SandboxOptions, Versioning,
};
use shelflife::survey::{Listed, Sink, Survey, WHOLE_BUCKET};

use crate::desk::Desk;
use crate::rng::Rng;
use crate::server::{Answer, Server};

const BUCKET: &str = "media";

const POLICY: &str = "version: 1
name: e2e
rules:
  - id: ott-media
    select: {buckets: [media]}
    trigger: uploaded
    retain: 30 days
    enforce: direct
    incomplete-uploads: 7 days
";

fn policy() -> Policy {
    let file = SourceFile { path: "shelflife.yaml".to_owned(), bytes: POLICY.into() };
    policy::read(&[file]).unwrap().policy
}

fn start() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Keeps all that it is handed.
#[derive(Default)]
pub struct Kept {
    pub groups: Vec<KeyGroup>,
    parts: usize,
    starts: usize,
}

impl Sink for Kept {
    type Error = StoreError;
    type Part = Vec<KeyGroup>;

    fn key(&mut self, part: &mut Vec<KeyGroup>, group: KeyGroup) -> Result<(), StoreError> {
        part.push(group);
        Ok(())
    }

    fn join(&mut self, part: Vec<KeyGroup>) -> Result<(), StoreError> {
        self.parts += usize::from(!part.is_empty());
        self.groups.extend(part);
        Ok(())
    }

    fn start_over(&mut self) {
        assert!(self.groups.is_empty(), "what was joined cannot be taken back");
        self.starts += 1;
    }
}

pub async fn list(store: &Store, at_once: usize) -> Result<(Kept, Listed), StoreError> {
    list_under(store, &WHOLE_BUCKET, at_once).await
}

async fn list_under(store: &Store, under: &[String], at_once: usize) -> Result<(Kept, Listed), StoreError> {
    let mut kept = Kept::default();
    let listed = survey(store, under, at_once, &mut kept).await?;
    assert!(kept.groups.is_sorted_by(|a, b| a.key < b.key), "out of order, or twice");
    Ok((kept, listed))
}

pub async fn survey<S: Sink<Error = StoreError>>(
    store: &Store,
    under: &[String],
    at_once: usize,
    sink: &mut S,
) -> Result<Listed, StoreError> {
    let (policy, records) = (policy(), Records::default());
    let bucket = store.bucket(BUCKET).await.unwrap();
    let facts = bucket.facts().await.unwrap();
    let survey = Survey {
        policy: &policy,
        records: &records,
        bucket,
        facts,
        now: start(),
        reads: std::sync::Arc::default(),
    };
    survey.run(under, sink, at_once).await
}

pub async fn store(sandbox: &Sandbox) -> Store {
    let options = ConnectOptions {
        endpoint_url: Some(sandbox.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: sandbox.access_key().to_owned(),
            secret_access_key: sandbox.secret_key().to_owned(),
        }),
        first_pause: Some(Duration::ZERO),
        ..ConnectOptions::default()
    };
    Store::connect(&options).await.unwrap()
}

fn key(rng: &mut Rng, form: usize, number: usize) -> String {
    match form {
        0 => format!("{:016x}", rng.next()),
        1 => format!("img_{number:08}.jpg"),
        2 => format!("in/{:03}/2026/{:02}/{:04x}", rng.below(40), rng.below(12) + 1, rng.below(65_536)),
        3 if rng.chance(2) => format!("{}/{}", rng.below(9), rng.below(99)),
        3 => format!("media/all/{:08x}", rng.next() as u32),
        _ => {
            rng.pick(&["a", "é/", "😀", "a b+", "z/z"]).repeat(rng.below(3) + 1) + &rng.below(400).to_string()
        }
    }
}

/// Puts something under a key: versions, now and then a marker or an upload on top.
fn put(sandbox: &Sandbox, rng: &mut Rng, key: &str) {
    let at = |rng: &mut Rng| start() - TimeDelta::minutes(rng.between(1, 90_000));
    let versions = if rng.chance(3) { rng.below(25) + 1 } else { 1 };
    for _ in 0..versions {
        sandbox.put_object(BUCKET, key, PutOptions::bytes("medium").last_modified(at(rng))).unwrap();
    }
    if rng.chance(5) {
        sandbox.delete(BUCKET, key, None).unwrap();
    }
    if rng.chance(4) {
        let at = at(rng);
        sandbox.start_upload(BUCKET, key, Attributes::default(), Some(at)).unwrap();
    }
    if rng.chance(4) {
        sandbox.start_upload(BUCKET, &format!("{key}-new"), Attributes::default(), None).unwrap();
    }
}

pub async fn stocked(rng: &mut Rng, form: usize, keys: usize) -> (Sandbox, BTreeSet<String>) {
    let sandbox = Sandbox::start(SandboxOptions::at(start())).await.unwrap();
    sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
    sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
    let keys: BTreeSet<String> = (0..keys).map(|number| key(rng, form, number)).collect();
    keys.iter().for_each(|key| put(&sandbox, rng, key));
    (sandbox, keys)
}

pub fn short_pages(sandbox: &Sandbox, entries: usize, uploads: usize) {
    sandbox.faults().add(Fault::on("ListObjectVersions", Effect::ShortPages(entries)));
    sandbox.faults().add(Fault::on("ListMultipartUploads", Effect::ShortPages(uploads)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_every_form_come_whole_and_in_order() {
    for form in 0..5 {
        let mut rng = Rng(form as u64);
        let (sandbox, keys) = stocked(&mut rng, form, 700).await;
        let store = store(&sandbox).await;
        let (whole, _) = list(&store, 1).await.unwrap();
        assert!(whole.groups.len() >= keys.len());
        for (entries, uploads) in [(7, 1000), (7, 3), (2, 3), (1000, 1000)] {
            sandbox.faults().clear();
            short_pages(&sandbox, entries, uploads);
            let (one, _) = list(&store, 1).await.unwrap();
            assert!(one.groups == whole.groups, "{form}: one after the other, pages of {entries}");
            for at_once in [2, 16, 40] {
                let (many, listed) = list(&store, at_once).await.unwrap();
                let what = format!("{form}: {at_once} at once, pages of {entries} and {uploads}");
                assert_eq!(listed, Listed::AsAsked, "{what}");
                assert!(many.groups == whole.groups, "{what}");
                let is_split = if entries == 7 { many.parts > at_once / 2 } else { many.parts >= 1 };
                assert!(is_split, "{what}: {} parts", many.parts);
            }
        }
    }
}

/// Starts of some keys and of none, in order and none the start of another.
fn starts(rng: &mut Rng, keys: &BTreeSet<String>) -> Vec<String> {
    let mut starts = vec!["zz-none/".to_owned()];
    for _ in 0..rng.below(6) + 1 {
        let key = keys.iter().nth(rng.below(keys.len())).unwrap();
        starts.push(key.chars().take(rng.below(key.chars().count()) + 1).collect());
    }
    starts.sort_unstable();
    starts.dedup_by(|start, before| start.starts_with(before.as_str()));
    starts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_starts_otherwise_is_not_listed_and_all_else_comes_whole_and_in_order() {
    for form in 0..5 {
        let mut rng = Rng(400 + form as u64);
        let (sandbox, keys) = stocked(&mut rng, form, 500).await;
        let store = store(&sandbox).await;
        let (whole, _) = list(&store, 1).await.unwrap();
        for (entries, uploads) in [(3, 1000), (3, 2), (1000, 1000)] {
            sandbox.faults().clear();
            short_pages(&sandbox, entries, uploads);
            for at_once in [1, 2, 16, 40] {
                let starts = starts(&mut rng, &keys);
                let is_wanted = |key: &str| starts.iter().any(|start| key.starts_with(start));
                let wanted: Vec<&KeyGroup> =
                    whole.groups.iter().filter(|group| is_wanted(&group.key)).collect();
                let before = sandbox.requests().len();
                let (some, listed) = list_under(&store, &starts, at_once).await.unwrap();
                let what = format!("{form}: {at_once} at once, pages of {entries} and {uploads}, {starts:?}");
                assert_eq!(listed, Listed::AsAsked, "{what}");
                assert!(some.groups.iter().eq(wanted), "{what}");
                let asked = sandbox.requests().split_off(before);
                let asked = asked.iter().filter(|request| request.call.operation == "ListObjectVersions");
                let scopes = asked.map(|request| request.call.scope.clone().unwrap().prefix);
                assert!(scopes.into_iter().all(|prefix| is_wanted(&prefix)), "{what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_objects_fails_and_breaks_off_is_listed_whole() {
    for form in 0..5 {
        let mut rng = Rng(100 + form as u64);
        let (sandbox, _) = stocked(&mut rng, form, 500).await;
        let store = store(&sandbox).await;
        let (whole, _) = list(&store, 1).await.unwrap();
        short_pages(&sandbox, 5, 4);
        // More of them, and sooner or later one request meets nothing else in all of its attempts.
        for number in 0..30 {
            let effect = match number % 6 {
                0 => Effect::SlowDown,
                1 => Effect::InternalError,
                2 => Effect::CutBody(rng.below(1_500)),
                3 => Effect::AbortBody(rng.below(1_500)),
                4 => Effect::Delay(Duration::from_millis(rng.next() % 20)),
                _ => Effect::Unreachable,
            };
            let call = rng.below(200) + 1;
            let operation = if number % 5 == 0 { "ListMultipartUploads" } else { "ListObjectVersions" };
            sandbox.faults().add(Fault::on(operation, effect).calls(call, call));
        }
        let (many, listed) = list(&store, 16).await.unwrap();
        assert_eq!(listed, Listed::AsAsked);
        assert!(many.groups == whole.groups, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_is_listed_once_and_whole_while_other_keys_come_and_go() {
    for form in 0..5 {
        let mut rng = Rng(200 + form as u64);
        let (sandbox, stable) = stocked(&mut rng, form, 500).await;
        let store = store(&sandbox).await;
        let (whole, _) = list(&store, 1).await.unwrap();
        short_pages(&sandbox, 5, 4);
        let passing: Vec<String> = (500..900)
            .map(|number| key(&mut rng, form, number))
            .filter(|key| !stable.contains(key) && whole.groups.iter().all(|group| group.key != *key))
            .collect();
        let (meddled, others) = (sandbox.clone(), Mutex::new(Rng(300)));
        let names: BTreeSet<String> = passing.iter().cloned().collect();
        sandbox.faults().add(Fault::on(
            "ListObjectVersions",
            Effect::before(move |_| {
                let mut rng = others.lock().unwrap();
                let key = rng.pick(&passing);
                match meddled.versions_of(BUCKET, &key).unwrap().as_slice() {
                    [] => drop(meddled.put_object(BUCKET, &key, PutOptions::bytes("passing")).unwrap()),
                    versions => versions.iter().for_each(|version| {
                        meddled.delete(BUCKET, &key, Some(&version.id)).unwrap();
                    }),
                }
            }),
        ));
        let (many, listed) = list(&store, 16).await.unwrap();
        sandbox.faults().clear();
        assert_eq!(listed, Listed::AsAsked);
        let stayed: Vec<KeyGroup> =
            many.groups.into_iter().filter(|group| !names.contains(group.key.as_str())).collect();
        assert!(stayed == whole.groups, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_does_not_get_on_or_is_denied_is_an_error() {
    let (sandbox, _) = stocked(&mut Rng(1), 0, 200).await;
    let store = store(&sandbox).await;
    for (effect, kind) in [
        (Effect::RepeatToken, StoreErrorKind::Unreadable),
        (Effect::AccessDenied, StoreErrorKind::Denied),
        (Effect::SlowDown, StoreErrorKind::Throttled),
    ] {
        sandbox.faults().clear();
        short_pages(&sandbox, 5, 1000);
        sandbox.faults().add(Fault::on("ListObjectVersions", effect).calls(20, usize::MAX));
        let error = list(&store, 16).await.err().unwrap();
        assert_eq!(*error.kind(), kind, "{error}");
    }
}

/// What a store does that is asked to start behind what is not one of its keys.
#[derive(Clone, Copy)]
enum Whim {
    /// It starts over.
    StartsOver,
    /// It leaves the next key out.
    SkipsOne,
}

/// A store of 2,000 keys that has a whim.
async fn odd_store(whim: Whim) -> Server {
    let keys: Vec<String> = (0..2_000).map(|number| format!("{:04}", number * 2)).collect();
    Server::start(move |_, request| {
        let value = |name: &str| {
            let (_, query) = request.target.split_once('?')?;
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        if request.method == "HEAD" {
            return Answer::ok("");
        }
        if request.target.contains("uploads") {
            return Answer::ok(
                "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>",
            );
        }
        if !request.target.contains("versions") {
            return Answer::error(404, "NoSuchLifecycleConfiguration");
        }
        let after = value("key-marker").unwrap_or_default();
        let prefix = value("prefix").unwrap_or_default();
        let keys: Vec<&String> = keys.iter().filter(|key| key.starts_with(&prefix)).collect();
        let start = match (keys.binary_search(&&after), whim) {
            (Ok(place), _) => place + 1,
            (Err(place), Whim::SkipsOne) if !after.is_empty() => keys.len().min(place + 1),
            _ => 0,
        };
        let page = &keys[start..keys.len().min(start + 10)];
        let versions: String = page
            .iter()
            .map(|key| {
                format!(
                    "<Version><Key>{key}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>\
                     <LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag><Size>1</Size>\
                     <StorageClass>STANDARD</StorageClass></Version>"
                )
            })
            .collect();
        let is_cut = start + page.len() < keys.len();
        let next = if is_cut {
            format!("<NextKeyMarker>{}</NextKeyMarker>", page.last().unwrap())
        } else {
            String::new()
        };
        Answer::ok(format!(
            "<ListVersionsResult><IsTruncated>{is_cut}</IsTruncated>{next}{versions}</ListVersionsResult>"
        ))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_list_from_any_key_is_listed_one_page_after_the_other() {
    let some = ["1", "25", "3", "x"].map(str::to_owned);
    let both = [(&WHOLE_BUCKET[..], 2_000), (&some[..], 1_050)];
    for (whim, (under, keys)) in
        [Whim::StartsOver, Whim::SkipsOne].into_iter().flat_map(|whim| both.map(|it| (whim, it)))
    {
        let server = odd_store(whim).await;
        let store = server.store().await;
        let (policy, records) = (policy(), Records::default());
        let bucket = store.bucket(BUCKET).await.unwrap();
        let facts = BucketFacts {
            name: BUCKET.to_owned(),
            versioning: shelflife::object::Versioning::Never,
            mfa_delete: false,
            object_lock: false,
        };
        let mut kept = Kept::default();
        let survey = Survey {
            policy: &policy,
            records: &records,
            bucket,
            facts,
            now: start(),
            reads: std::sync::Arc::default(),
        };
        assert_eq!(survey.run(under, &mut kept, 16).await.unwrap(), Listed::OneByOne);
        assert_eq!((kept.starts, kept.groups.len()), (1, keys));
        assert!(kept.groups.is_sorted_by(|a, b| a.key < b.key));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_is_the_same_however_many_list() {
    let (sandbox, _) = stocked(&mut Rng(9), 2, 900).await;
    let desk = Desk::at(&sandbox.endpoint());
    desk.policy(POLICY);
    short_pages(&sandbox, 9, 5);
    let plan = |at_once: &str| {
        let file = format!("{at_once}.parquet");
        let args = ["plan", "--out", &file, "--concurrency", at_once, "--as-of", "2026-06-01"];
        let mut command = desk.command(&args);
        command.env("AWS_ACCESS_KEY_ID", sandbox.access_key());
        command.env("AWS_SECRET_ACCESS_KEY", sandbox.secret_key());
        let ran = crate::desk::Ran::of(command.output().unwrap());
        let text = format!("{} {}", ran.out, ran.err);
        let bytes = fs::read(desk.path(&file)).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(bytes.len() > 10_000, "{text}");
        bytes
    };
    let one = plan("1");
    for at_once in ["2", "16", "64"] {
        assert!(plan(at_once) == one, "{at_once} at once");
    }
}

/// A page may be empty and not the last one; what it could have shown is not gone for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_page_that_goes_on_settles_nothing() {
    let server = Server::start(|_, request| {
        if request.method == "HEAD" {
            return Answer::ok("");
        }
        let prefix = request.target.split('&').find_map(|pair| pair.strip_prefix("prefix="));
        Answer::ok(prefix.map_or_else(
            || {
                "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>z</NextKeyMarker>\
                 </ListVersionsResult>"
                    .to_owned()
            },
            |key| {
                format!(
                    "<ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>{key}</Key>\
                     <VersionId>null</VersionId><IsLatest>true</IsLatest><ETag>\"e\"</ETag>\
                     <LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size>\
                     <StorageClass>STANDARD</StorageClass></Version></ListVersionsResult>"
                )
            },
        ))
    })
    .await;
    let (policy, records) = (policy(), Records::default());
    let survey = Survey {
        policy: &policy,
        records: &records,
        bucket: server.store().await.bucket(BUCKET).await.unwrap(),
        facts: BucketFacts {
            name: BUCKET.to_owned(),
            versioning: shelflife::object::Versioning::Never,
            mfa_delete: false,
            object_lock: false,
        },
        now: start(),
        reads: std::sync::Arc::default(),
    };
    let keys: Vec<String> = (0..20).map(|number| format!("k{number:02}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let standing = survey.standing(&keys, false).await.unwrap();
    assert_eq!(standing.into_keys().collect::<Vec<_>>(), keys);
}
