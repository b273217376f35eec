//! The cache as a whole, thread and file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Duration, Utc};
use tempfile::TempDir;

use super::super::cache::{BucketCache, Cache, CacheFault, Version};
use super::Told;

const NAMES: [&str; 4] = ["https://store", "", "acme", "media"];

fn day(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + number * 86_400, 0).unwrap()
}

fn told(value: &str) -> Told {
    ([("communication-date".to_owned(), value.to_owned())].into(), "image/jpeg".to_owned())
}

const fn version<'a>(key: &'a str, uploaded: DateTime<Utc>) -> Version<'a> {
    Version { key, version_id: None, etag: "9a0364b9e99bb480dd25e1f0284c8555", uploaded }
}

fn keep(bucket: &BucketCache, keys: &[String]) {
    bucket.keep(keys.iter().map(|key| (version(key, day(0)), told(key))));
}

/// Which of `keys` the cache knows; what it says of them must be right.
async fn known(bucket: &BucketCache, keys: &[String]) -> usize {
    let versions: Vec<_> = keys.iter().map(|key| version(key, day(0))).collect();
    let answers = bucket.look(&versions).await;
    assert_eq!(answers.len(), keys.len());
    for (key, answer) in keys.iter().zip(&answers) {
        assert!(answer.as_ref().is_none_or(|answer| *answer == told(key)), "of {key}: {answer:?}");
    }
    answers.iter().flatten().count()
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("inbound/{}/{number:05}.jpg", number % 7)).collect()
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("reads.cache");
    (folder, path)
}

/// A closed cache that knows of `keys`, gone through on day 1.
fn filled(path: &std::path::Path, keys: &[String]) {
    let cache = Cache::open(path, day(1)).unwrap();
    let bucket = cache.bucket(NAMES);
    keep(&bucket, keys);
    bucket.complete();
    cache.close().unwrap();
}

#[tokio::test]
async fn what_was_told_is_known_in_the_next_run() {
    let (_folder, path) = place();
    let keys = keys(3_000);
    filled(&path, &keys);
    let cache = Cache::open(&path, day(2)).unwrap();
    assert_eq!(known(&cache.bucket(NAMES), &keys).await, 3_000);
    for names in [
        ["", "", "acme", "media"],
        ["https://store", "123456789012", "acme", "media"],
        ["https://store", "", "other", "media"],
        ["https://store", "", "acme", "other"],
    ] {
        assert_eq!(known(&cache.bucket(names), &keys).await, 0, "{names:?}");
    }
    cache.close().unwrap();
}

#[tokio::test]
async fn another_version_of_the_key_is_not_known() {
    let (_folder, path) = place();
    filled(&path, &["a".to_owned()]);
    let cache = Cache::open(&path, day(2)).unwrap();
    let same = || version("a", day(0));
    let others = [
        Version { key: "b", ..same() },
        Version { version_id: Some("null"), ..same() },
        Version { etag: "00000000000000000000000000000000", ..same() },
        Version { uploaded: day(0) + Duration::milliseconds(1), ..same() },
        Version { uploaded: day(0) + Duration::seconds(1), ..same() },
    ];
    assert_eq!(cache.bucket(NAMES).look(&others).await, vec![None; others.len()]);
    assert_eq!(cache.bucket(NAMES).look(&[same()]).await, [Some(told("a"))]);
}

#[tokio::test]
async fn what_could_be_written_over_in_the_same_second_is_not_kept() {
    let (_folder, path) = place();
    let cache = Cache::open(&path, day(1)).unwrap();
    let bucket = cache.bucket(NAMES);
    let young = || version("young", day(1) - Duration::minutes(14));
    let settled = || version("settled", day(1) - Duration::minutes(16));
    let future = || version("future", day(2));
    bucket.keep([young(), settled(), future()].into_iter().map(|version| (version, told("x"))));
    cache.close().unwrap();
    let cache = Cache::open(&path, day(1)).unwrap();
    assert_eq!(
        cache.bucket(NAMES).look(&[young(), settled(), future()]).await,
        [None, Some(told("x")), None]
    );
}

#[tokio::test]
async fn a_complete_run_forgets_what_it_had_no_use_for_and_a_broken_one_nothing() {
    let (_folder, path) = place();
    let keys = keys(3_000);
    filled(&path, &keys);
    let other = ["https://store", "", "acme", "other"];

    let cache = Cache::open(&path, day(2)).unwrap();
    keep(&cache.bucket(other), &keys[..10]);
    assert_eq!(known(&cache.bucket(NAMES), &keys[..100]).await, 100);
    drop(cache);
    let cache = Cache::open(&path, day(3)).unwrap();
    assert_eq!(known(&cache.bucket(NAMES), &keys).await, 3_000);
    drop(cache);

    let cache = Cache::open(&path, day(4)).unwrap();
    let new = ["new".to_owned()];
    keep(&cache.bucket(NAMES), &new);
    assert_eq!(known(&cache.bucket(NAMES), &keys[..100]).await, 100);
    cache.bucket(NAMES).complete();
    cache.close().unwrap();
    let cache = Cache::open(&path, day(5)).unwrap();
    assert_eq!(known(&cache.bucket(NAMES), &keys).await, 100);
    assert_eq!(known(&cache.bucket(NAMES), &new).await, 1);
    assert_eq!(known(&cache.bucket(other), &keys).await, 10, "the other bucket was not gone through");
}

#[tokio::test]
async fn a_bucket_that_nobody_goes_through_any_more_is_forgotten() {
    let (_folder, path) = place();
    let keys = keys(10);
    filled(&path, &keys);
    for (number, left) in [(91, 10), (92, 0)] {
        let cache = Cache::open(&path, day(number)).unwrap();
        assert_eq!(known(&cache.bucket(NAMES), &keys).await, left, "on day {number}");
    }
}

#[tokio::test]
async fn the_file_tells_nothing_to_who_does_not_know_the_object() {
    let (_folder, path) = place();
    let cache = Cache::open(&path, day(1)).unwrap();
    let value = told("+385991234567");
    cache.bucket(NAMES).keep([(version("inbound/4711/photo.jpg", day(0)), value)].into_iter());
    cache.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    for secret in ["385991234567", "communication-date", "image/jpeg", "4711", "photo", "media", "9a0364b9"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_damaged_file_is_thrown_away_or_what_it_says_is_right() {
    let (_folder, path) = place();
    let keys = keys(500);
    filled(&path, &keys);
    let whole = fs::read(&path).unwrap();
    let mut damages: Vec<Vec<u8>> = [4, 5, 9, 100, 320, 4_096, 5_000, whole.len() / 2, whole.len() - 1]
        .map(|end| whole[..end].to_vec())
        .into();
    // Everywhere in the first pages, and here and there in the rest.
    for place in (4..2_000).step_by(291).chain((2_000..whole.len()).step_by(whole.len() / 12)) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x41;
        damages.push(damaged);
        let mut damaged = whole.clone();
        let end = (place + 64).min(whole.len());
        damaged[place..end].fill(0xa5);
        damages.push(damaged);
    }
    let mut noise = whole.clone();
    let mut state = 7_u32;
    noise[4..].iter_mut().for_each(|byte| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    });
    damages.push(noise);
    let (mut thrown_away, mut whole_again, mut left_alone) = (0, 0, 0);
    for damaged in &damages {
        fs::write(&path, damaged).unwrap();
        let cache = match Cache::open(&path, day(2)) {
            Ok(cache) => cache,
            // What cannot be known for a cache any more could be anybody's.
            Err(fault) => {
                assert!(matches!(fault, CacheFault::Foreign), "{fault}");
                assert_eq!(fs::read(&path).unwrap(), *damaged);
                left_alone += 1;
                continue;
            }
        };
        thrown_away += u32::from(cache.is_anew);
        let bucket = cache.bucket(NAMES);
        let found = known(&bucket, &keys).await;
        keep(&bucket, &keys);
        bucket.complete();
        let _ = cache.close();
        let cache = Cache::open(&path, day(3)).unwrap();
        whole_again += u32::from(known(&cache.bucket(NAMES), &keys).await == 500);
        assert!(found == 0 || found == 500, "half of a damaged file is trusted: {found}");
    }
    assert!(thrown_away > 10, "{thrown_away}");
    assert_eq!((whole_again + left_alone) as usize, damages.len());
    assert!(left_alone < whole_again, "{left_alone}");
}

#[test]
fn what_is_no_cache_is_left_alone() {
    let (_folder, path) = place();
    for other in ["version: 1\nname: acme\n", "r", "PAR1", "redback spiders", "redb\u{1a}\n"] {
        fs::write(&path, other).unwrap();
        assert!(matches!(Cache::open(&path, day(1)), Err(CacheFault::Foreign)), "{other}");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
    let foreign = [crate::survey::cache_file::MAGIC, b"and somebody else's data"].concat();
    fs::write(&path, &foreign).unwrap();
    assert!(matches!(Cache::open(&path, day(1)), Err(CacheFault::Foreign)));
    assert_eq!(fs::read(&path).unwrap(), foreign);
    fs::remove_file(&path).unwrap();
    let theirs = redb::TableDefinition::<&str, u64>::new("theirs");
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(theirs).unwrap().insert("x", 1).unwrap();
    write.commit().unwrap();
    drop(database);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(Cache::open(&path, day(1)), Err(CacheFault::Foreign)));
    let database = redb::Database::create(&path).unwrap();
    let read = redb::ReadableDatabase::begin_read(&database).unwrap();
    assert_eq!(read.open_table(theirs).unwrap().get("x").unwrap().unwrap().value(), 1);
}

#[test]
fn a_cache_of_another_version_is_begun_anew() {
    let (_folder, path) = place();
    filled(&path, &keys(5));
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(super::ABOUT).unwrap().insert("format", super::FORMAT + 1).unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(Cache::open(&path, day(2)).unwrap().is_anew);
}

#[test]
fn a_cache_is_for_one_run_at_a_time_and_for_its_owner_alone() {
    let (_folder, path) = place();
    filled(&path, &keys(5));
    let first = Cache::open(&path, day(2)).unwrap();
    assert!(matches!(Cache::open(&path, day(2)), Err(CacheFault::InUse)));
    drop(first);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    drop(Cache::open(&path, day(2)).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    assert!(matches!(Cache::open(&path, day(2)), Err(CacheFault::Exposed)));
    let folder = path.parent().unwrap().join("missing");
    assert!(matches!(Cache::open(&folder.join("x"), day(2)), Err(CacheFault::Io(_))));
}

#[tokio::test]
async fn a_cache_that_breaks_on_the_way_knows_nothing_more_and_says_so_at_the_end() {
    let (_folder, path) = place();
    let keys = keys(2_000);
    filled(&path, &keys);
    let cache = Cache::open(&path, day(2)).unwrap();
    let bucket = cache.bucket(NAMES);
    // Somebody shortens the file under the run's hands.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4_096).unwrap();
    known(&bucket, &keys).await;
    bucket.keep(keys.iter().map(|key| (version(key, day(0)), told(key))));
    bucket.complete();
    known(&bucket, &keys).await;
    assert!(cache.close().is_err());
    drop(Cache::open(&path, day(3)).unwrap());
}
