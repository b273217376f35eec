//! Ranges over a store of random keys: each key once, in order, with all of its versions, and few requests.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::ranges::{Brought, Job, Ranges, Shown};

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// A store: how many versions each key has.
#[derive(Clone, Default)]
struct Store {
    keys: BTreeMap<String, usize>,
    page: usize,
}

/// Behind which key a listing stands, and how many versions of it were listed if it is not done.
#[derive(Clone, Default)]
struct Cursor {
    after: Option<String>,
    within: Option<usize>,
}

impl Store {
    /// The next page, and whether it is the last.
    fn list(&self, prefix: &str, cursor: &mut Cursor) -> (Vec<(String, usize)>, bool) {
        let mut page = Vec::new();
        let from = match (&cursor.after, cursor.within) {
            (Some(after), None) => Bound::Excluded(after.as_str()),
            (Some(after), Some(_)) => Bound::Included(after.as_str()),
            (None, _) => Bound::Unbounded,
        };
        let from = if cursor.after.as_deref().is_none_or(|after| after < prefix) {
            Bound::Included(prefix)
        } else {
            from
        };
        for (key, versions) in self.keys.range::<str, _>((from, Bound::Unbounded)) {
            if !key.starts_with(prefix) {
                return (page, true);
            }
            let done = cursor.within.filter(|_| cursor.after.as_ref() == Some(key)).unwrap_or(0);
            for version in done..*versions {
                if page.len() == self.page {
                    return (page, false);
                }
                page.push((key.clone(), version));
                *cursor = Cursor { after: Some(key.clone()), within: Some(version + 1) };
            }
        }
        (page, true)
    }

    fn look(&self, under: &str, after: &str) -> Shown {
        let mut shown = Shown::default();
        for key in self.keys.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)).map(|(key, _)| key) {
            if !key.starts_with(under) {
                if key.as_str() > under { break } else { continue }
            }
            if shown.directories.len() + shown.keys == self.page {
                shown.is_cut = true;
                break;
            }
            match key[under.len()..].find('/') {
                Some(at) => {
                    let directory = &key[..under.len() + at + 1];
                    if shown.directories.last().is_none_or(|last| last != directory) {
                        shown.directories.push(directory.to_owned());
                    }
                }
                None => shown.keys += 1,
            }
        }
        shown
    }
}

/// What a listing came to.
struct Run {
    listed: Vec<(String, usize)>,
    pages: usize,
    looks: usize,
    empty: usize,
    /// How long it took, in the time that one answer takes.
    rounds: usize,
}

/// Lists all with `at_once` requests; `meddle` comes before every answer, `pick` says which one is next.
fn run(
    store: &mut Store,
    prefixes: &[String],
    at_once: usize,
    mut pick: impl FnMut(usize) -> usize,
    mut meddle: impl FnMut(&mut Store),
) -> Run {
    let mut ranges = Ranges::new(prefixes.iter().cloned(), at_once);
    let mut under_way: VecDeque<(usize, Job)> = VecDeque::new();
    let mut found: BTreeMap<usize, (Cursor, Vec<(String, usize)>)> = BTreeMap::new();
    let mut run = Run { listed: Vec::new(), pages: 0, looks: 0, empty: 0, rounds: 0 };
    loop {
        while under_way.len() < at_once
            && let Some(job) = ranges.next(at_once - under_way.len())
        {
            under_way.push_back((run.rounds + 1, job));
        }
        let next = pick(under_way.len());
        let Some((at, job)) = under_way.remove(next) else { break };
        run.rounds = at;
        meddle(store);
        match job {
            Job::Look { range, under, after } => {
                run.looks += 1;
                let shown = store.look(&under, &after);
                ranges.looked(range, under, shown);
            }
            Job::List(range) => {
                run.pages += 1;
                let (prefix, after) = ranges.start(range);
                let (cursor, into) = found.entry(range).or_insert_with(|| {
                    (Cursor { after: after.map(str::to_owned), within: None }, Vec::new())
                });
                let (page, is_end) = store.list(prefix, cursor);
                let upto = ranges.upto(range);
                let within =
                    page.iter().take_while(|(key, _)| upto.is_none_or(|upto| key.as_str() <= upto)).count();
                run.empty += usize::from(within == 0);
                let keys = page[..within].first().zip(page[..within].last());
                ranges.listed(
                    range,
                    Brought {
                        keys: keys.map(|((first, _), (last, _))| (first.as_str(), last.as_str())),
                        count: within,
                        is_last: is_end || within < page.len(),
                    },
                );
                into.extend_from_slice(&page[..within]);
            }
        }
    }
    for range in ranges.order() {
        run.listed.extend(found.remove(range).map(|(_, listed)| listed).unwrap_or_default());
    }
    assert!(run.looks <= ranges.spent(), "{} looks", run.looks);
    run
}

fn digits(rng: &mut Rng, count: usize, of: &[u8]) -> String {
    (0..count).map(|_| char::from(of[rng.below(of.len())])).collect()
}

/// Keys of one of the forms that are met.
fn keys(rng: &mut Rng, form: usize, count: usize) -> BTreeMap<String, usize> {
    const HEX: &[u8] = b"0123456789abcdef";
    let mut keys = BTreeMap::new();
    for number in 0..count {
        let key = match form {
            // Hashes.
            0 => digits(rng, 32, HEX),
            // Counted up.
            1 => format!("img_{number:010}.jpg"),
            // Tenants, with dates.
            2 => format!(
                "inbound/{:04}/2026/{:02}/{:02}/{}.jpg",
                rng.below(300),
                rng.below(12) + 1,
                rng.below(28) + 1,
                digits(rng, 8, HEX)
            ),
            // One directory has nearly all.
            3 if rng.below(100) == 0 => format!("{}/{}", digits(rng, 2, HEX), digits(rng, 6, HEX)),
            3 => format!("media/all/{}-{}", digits(rng, 8, HEX), digits(rng, 4, HEX)),
            // Times.
            4 => {
                let at = number * 7;
                format!(
                    "rec/2026-{:02}-{:02}T{:02}{:02}-{}",
                    at / 40320 % 12 + 1,
                    at / 1440 % 28 + 1,
                    at / 60 % 24,
                    at % 60,
                    digits(rng, 6, HEX)
                )
            }
            // Whatever there may be.
            5 => {
                let all = ['a', 'b', '/', '0', '\u{0}', '\u{e9}', '\u{10ffff}', ' ', '\u{1f4ce}', 'Z'];
                let length = rng.below(5) + 1;
                (0..length).map(|_| all[rng.below(all.len())]).collect()
            }
            // Few directories, deep.
            6 => format!("a/b/c/d/{}/{}", digits(rng, 1, b"01"), digits(rng, 4, b"0123456789")),
            // Many directories of few keys.
            _ => format!("{}/{}", digits(rng, 5, b"0123456789"), rng.below(3)),
        };
        let versions = if rng.below(50) == 0 { rng.below(30) + 1 } else { 1 };
        keys.insert(key, if rng.below(2000) == 0 { versions * 40 } else { versions });
    }
    keys
}

const FORMS: usize = 8;

/// All keys, or starts of some of them and of none: in order, and none the start of another.
fn prefixes(rng: &mut Rng, keys: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = vec![String::new()];
    if rng.below(2) == 0 {
        found = ["a/", "inbound/00", "media/", "rec/2026-1", "~"].map(str::to_owned).to_vec();
        for _ in 0..[0, 1, 3, 30][rng.below(4)] {
            let Some(key) = keys.keys().nth(rng.below(keys.len())) else { break };
            let length = rng.below(key.chars().count()) + 1;
            found.push(key.chars().take(length).collect());
        }
        found.drain(..rng.below(6));
    }
    found.sort_unstable();
    found.dedup_by(|prefix, before| prefix.starts_with(before.as_str()));
    found
}

fn cases(otherwise: u64) -> u64 {
    std::env::var("SHELFLIFE_CASES").ok().and_then(|asked| asked.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn each_key_is_listed_once_in_order_and_whole_while_others_come_and_go() {
    for seed in 0..cases(1_000) {
        let mut rng = Rng(seed);
        let form = rng.below(FORMS);
        let count = [0, 1, 3, 8, 20, 50, 120, 400][rng.below(8)];
        let stable = keys(&mut rng, form, count);
        let passing: Vec<(String, usize)> =
            keys(&mut rng, form, count).into_iter().filter(|(key, _)| !stable.contains_key(key)).collect();
        let at_once = [1, 2, 3, 16, 40][rng.below(5)];
        let mut store = Store { keys: stable.clone(), page: rng.below(12) + 1 };
        let mut others = Rng(seed ^ 1);
        let is_still = passing.is_empty() || rng.below(3) == 0;
        let prefixes = prefixes(&mut rng, &stable);
        let came = run(
            &mut store,
            &prefixes,
            at_once,
            |under_way| rng.below(under_way),
            |store| {
                if !is_still {
                    for _ in 0..others.below(4) {
                        let (key, versions) = &passing[others.below(passing.len())];
                        if store.keys.remove(key).is_none() {
                            store.keys.insert(key.clone(), *versions);
                        }
                    }
                }
            },
        );
        let what = format!("seed {seed}, form {form}, {at_once} at once, pages of {}", store.page);
        assert!(came.listed.is_sorted(), "{what}: out of order");
        assert!(came.listed.windows(2).all(|pair| pair[0] != pair[1]), "{what}: twice");
        let mut missing =
            stable.iter().flat_map(|(key, versions)| (0..*versions).map(move |version| (key, version)));
        let mut listed = came.listed.iter();
        let is_wanted = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
        assert!(
            missing.all(|(key, version)| !is_wanted(key) || listed.any(|(k, v)| (k, *v) == (key, version))),
            "{what}: something is missing"
        );
        if is_still {
            assert_eq!(came.listed.iter().filter(|(key, _)| !is_wanted(key)).count(), 0, "{what}");
            let pages = came.listed.len() / store.page;
            let most = if at_once == 1 {
                pages + prefixes.len()
            } else {
                2 * pages + 16 * at_once + 2 * prefixes.len()
            };
            assert!(
                came.pages + came.looks <= most,
                "{what}: {} pages and {} looks for {pages}",
                came.pages,
                came.looks
            );
        }
    }
}

/// With `SHELFLIFE_SCALE=50` a million keys, on pages of a thousand.
#[test]
fn sixteen_at_once_are_eight_times_as_fast_whatever_the_form_of_the_keys() {
    let scale: usize =
        std::env::var("SHELFLIFE_SCALE").ok().and_then(|asked| asked.parse().ok()).unwrap_or(1);
    for form in 0..FORMS {
        let keys = keys(&mut Rng(form as u64), form, 20_000 * scale);
        let mut store = Store { keys, page: 20 * scale };
        let whole = [String::new()];
        let one = run(&mut store, &whole, 1, |_| 0, |_| ());
        for at_once in [16, 32] {
            let many = run(&mut store, &whole, at_once, |_| 0, |_| ());
            assert!(one.listed == many.listed, "form {form}");
            let times = one.rounds as f64 / many.rounds as f64;
            println!(
                "form {form}, {at_once} at once: {} pages, {} looks for {} ({} empty): {times:.1} times as fast",
                many.pages, many.looks, one.pages, many.empty
            );
            // Few keys, or keys of no form, are not worth more.
            assert!(times >= 8.0 || one.pages < 500 || form == 5, "form {form}: {times:.1}");
        }
    }
}
