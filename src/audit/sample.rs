//! A sample that is the same on every run: from each stratum those whose hash is smallest.

use std::collections::BTreeMap;

/// How many more than it will answer with a sampler keeps, so that strata that turn out to be
/// small can be made up for by others.
const SPARE: usize = 4;

/// Picks at most so many of all that it is offered, spread over strata as evenly as they allow.
/// It holds a few times as many as it picks, and at least one for each stratum.
#[derive(Clone, Debug)]
pub struct Sampler<K, T> {
    size: usize,
    /// At most so many are kept of each stratum; made smaller as strata are found.
    each: usize,
    held: usize,
    offered: u64,
    strata: BTreeMap<K, BTreeMap<(u64, u64), T>>,
}

impl<K: Ord, T> Sampler<K, T> {
    /// One that picks at most `size`.
    pub fn new(size: usize) -> Self {
        Self { size, each: size, held: 0, offered: 0, strata: BTreeMap::new() }
    }

    /// Offers something of a stratum; it is made only if it is kept.
    pub fn offer(&mut self, stratum: K, name: &str, make: impl FnOnce() -> T) {
        self.offered += 1;
        if self.size == 0 {
            return;
        }
        let place = (hash(name), self.offered);
        let kept = self.strata.entry(stratum).or_default();
        if kept.len() >= self.each && kept.last_key_value().is_some_and(|(last, _)| *last <= place) {
            return;
        }
        kept.insert(place, make());
        self.held += 1;
        if kept.len() > self.each {
            kept.pop_last();
            self.held -= 1;
        }
        while self.held > self.size.saturating_mul(SPARE) && self.each > 1 {
            self.each /= 2;
            for kept in self.strata.values_mut() {
                while kept.len() > self.each {
                    kept.pop_last();
                    self.held -= 1;
                }
            }
        }
    }

    /// The sample: the first of every stratum, then the second of every one that has it, and so on.
    pub fn take(self) -> Vec<T> {
        let mut ranked: Vec<(usize, (u64, u64), T)> = self
            .strata
            .into_values()
            .flat_map(|kept| kept.into_iter().enumerate().map(|(rank, (place, it))| (rank, place, it)))
            .collect();
        ranked.sort_by_key(|(rank, place, _)| (*rank, *place));
        ranked.into_iter().take(self.size).map(|(_, _, it)| it).collect()
    }
}

/// FNV-1a, with a finish that spreads short names too. It must never change: a weekly job is to
/// ask about the same objects for as long as they are there.
pub(super) fn hash(name: &str) -> u64 {
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(size: usize, names: impl IntoIterator<Item = (u32, String)>) -> Vec<(u32, String)> {
        let mut sampler = Sampler::new(size);
        for (stratum, name) in names {
            sampler.offer(stratum, &name, || (stratum, name.clone()));
        }
        sampler.take()
    }

    fn many(stratum: u32, count: u32) -> impl Iterator<Item = (u32, String)> + Clone {
        (0..count).map(move |number| (stratum, format!("{stratum}/{number}")))
    }

    #[test]
    fn one_stratum_fills_the_sample_and_a_rare_one_is_in_it() {
        assert_eq!(sample(200, many(1, 10_000)).len(), 200);
        let all = many(1, 10_000).chain(many(2, 1)).chain(many(3, 40));
        let picked = sample(200, all);
        let of = |stratum| picked.iter().filter(|(of, _)| *of == stratum).count();
        assert_eq!((picked.len(), of(2), of(3)), (200, 1, 40));
    }

    #[test]
    fn the_same_is_picked_in_whatever_order_it_comes() {
        let all: Vec<_> = (0..30).flat_map(|stratum| many(stratum, 100)).collect();
        let forwards = sample(50, all.clone());
        assert_eq!(forwards.len(), 50);
        assert_eq!(forwards, sample(50, all.clone()));
        let backwards = sample(50, all.into_iter().rev());
        let sorted = |mut names: Vec<(u32, String)>| {
            names.sort();
            names
        };
        assert_eq!(sorted(forwards), sorted(backwards));
    }

    #[test]
    fn no_more_is_held_than_a_few_samples_however_much_is_offered() {
        let mut sampler = Sampler::new(10);
        for (stratum, name) in (0..20).flat_map(|stratum| many(stratum, 1_000)) {
            sampler.offer(stratum, &name, || name.clone());
            assert!(sampler.held <= 40, "{}", sampler.held);
        }
        assert_eq!(sampler.take().len(), 10);
        assert!(sample(0, many(1, 10)).is_empty());
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(hash(""), 0x660642d83e1e828e);
        assert_eq!(hash("inbound/1/photo.jpg"), 0x2daa71ef9dc23f9c);
    }
}
