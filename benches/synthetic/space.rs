//! Key spaces: the n-th key of a bucket, and where a key would stand, computed and never stored.
//!
//! All keys of a space are of one length, ascend with their number, and are the same in every run.

use std::time::Duration;

/// The last moment at which anything was uploaded: 2026-11-01, midnight UTC, in seconds.
pub const NOW: u64 = 1_793_491_200;
pub const YEAR: u64 = 365 * DAY;
const DAY: u64 = 86_400;

pub const MAX_KEY: usize = 64;
const EXTENSIONS: [&[u8; 3]; 4] = [b"jpg", b"mp4", b"ogg", b"pdf"];
/// `hierarchical`: so many areas, with so many tenants each.
const AREAS: u64 = 10;
const TENANTS: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `area-3/tenant-042/2026/03/05/<hash>.jpg`, where the date is that of the upload.
    Hierarchical,
    /// A UUID and an extension.
    Flat,
    /// `p00/` to `p99/`; `p50/` has 99 of 100 keys.
    Skewed,
    /// One key, and all entries are its versions.
    OneKey,
}

/// What a bucket holds, as its name says it: `hierarchical-1000000`, `flat-1000-v3-d30`.
#[derive(Clone, Debug)]
pub struct Space {
    shape: Shape,
    pub keys: u64,
    /// Of each key. More than one: the bucket keeps versions.
    pub versions: u64,
    /// How long each request takes.
    pub delay: Duration,
    days: Vec<[u8; 10]>,
}

/// What a listing says of an entry beside its key.
pub struct Facts {
    /// Seconds since the epoch.
    pub uploaded: u64,
    pub size: u64,
    pub etag: [u64; 2],
}

impl Space {
    pub fn named(name: &str) -> Option<Self> {
        let (shape, rest) = [
            ("hierarchical-", Shape::Hierarchical),
            ("flat-", Shape::Flat),
            ("skewed-", Shape::Skewed),
            ("one-key-", Shape::OneKey),
        ]
        .into_iter()
        .find_map(|(start, shape)| Some((shape, name.strip_prefix(start)?)))?;
        let mut parts = rest.split('-');
        let keys = parts.next()?.parse().ok().filter(|keys| (1..=1_000_000_000).contains(keys))?;
        let days = (0..=365).map(|ago| day(NOW / DAY - 365 + ago)).collect();
        let mut space = Self { shape, keys, versions: 1, delay: Duration::ZERO, days };
        for part in parts {
            match part.split_at_checked(1)? {
                ("v", number) => {
                    space.versions = number.parse().ok().filter(|it| (1..=1_000).contains(it))?
                }
                ("d", number) => space.delay = Duration::from_millis(number.parse().ok()?),
                _ => return None,
            }
        }
        if shape == Shape::OneKey {
            (space.keys, space.versions) = (1, keys);
        }
        Some(space)
    }

    /// Versions of all keys.
    pub const fn entries(&self) -> u64 {
        self.keys * self.versions
    }

    /// Writes the key with this number; how long it is.
    pub fn key(&self, number: u64, to: &mut [u8; MAX_KEY]) -> usize {
        let mut pen = Pen { to, at: 0 };
        match self.shape {
            Shape::Hierarchical => {
                let (group, place, size) = self.group(number);
                pen.text(b"area-").decimal(group / TENANTS, 1).text(b"/tenant-").decimal(group % TENANTS, 3);
                pen.text(b"/").text(&self.days[day_of_place(group, place, size) as usize]).text(b"/");
                pen.hex(spread(place, size, number), 16);
            }
            Shape::Flat => {
                let (high, low) = (spread(number, self.keys, number), hash(number));
                pen.hex(high >> 32, 8).text(b"-").hex(high >> 16, 4).text(b"-").hex(high, 4);
                pen.text(b"-").hex(low >> 48, 4).text(b"-").hex(low, 12);
            }
            Shape::Skewed => {
                // The few keys of the other prefixes, those before `p50/` and those after it.
                let few = self.keys / 100;
                let before = few / 2;
                let big = self.keys - few;
                let (prefix, place, size) = match number {
                    n if n < before => (n * 50 / before, n, before),
                    n if n < before + big => (50, n - before, big),
                    n => (51 + (n - before - big) * 49 / (few - before), n - before - big, few - before),
                };
                pen.text(b"p").decimal(prefix, 2).text(b"/").hex(spread(place, size, number), 16);
            }
            Shape::OneKey => {
                pen.text(b"one/key");
            }
        }
        pen.text(b".").text(EXTENSIONS[(hash(number) % 4) as usize]);
        pen.at
    }

    /// The area and tenant that a number falls to, its place there, and how many may.
    const fn group(&self, number: u64) -> (u64, u64, u64) {
        let size = self.keys.div_ceil(AREAS * TENANTS);
        (number / size, number % size, size)
    }

    pub fn facts(&self, entry: u64) -> Facts {
        let (number, version) = (entry / self.versions, entry % self.versions);
        let noise = hash(entry ^ 0x5eed);
        let uploaded = match self.shape {
            Shape::Hierarchical => {
                let (group, place, size) = self.group(number);
                NOW - YEAR + day_of_place(group, place, size) * DAY + noise % DAY
            }
            Shape::OneKey => NOW - 1 - version * YEAR / self.versions,
            Shape::Flat | Shape::Skewed => NOW - 1 - hash(number ^ 0x5eed) % YEAR,
        };
        let older = if self.shape == Shape::OneKey { 0 } else { version * 3_600 };
        let etag = [hash(entry ^ 0xe7a6), noise];
        Facts { uploaded: uploaded - older, size: 1_000_000 + noise % 9_000_000, etag }
    }

    /// The first key at or after `text`; after all that start with it, if `beyond`.
    pub fn seek(&self, text: &[u8], beyond: bool) -> u64 {
        let (mut low, mut high) = (0, self.keys);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_before(middle, text, beyond) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The number of a key that is there. Looks near `hint` first, since keys come in order.
    pub fn find(&self, key: &[u8], hint: u64) -> Option<u64> {
        let mut buffer = [0; MAX_KEY];
        let near = (hint..self.keys.min(hint + 4)).find(|near| {
            let length = self.key(*near, &mut buffer);
            buffer[..length] == *key
        });
        near.or_else(|| {
            let number = self.seek(key, false);
            let length = if number < self.keys { self.key(number, &mut buffer) } else { 0 };
            (buffer[..length] == *key).then_some(number)
        })
    }

    fn is_before(&self, number: u64, text: &[u8], beyond: bool) -> bool {
        let mut buffer = [0; MAX_KEY];
        let length = self.key(number, &mut buffer);
        let key = &buffer[..length];
        key < text || (beyond && key.starts_with(text))
    }

    /// `2026-03-05`.
    pub fn day_of(&self, uploaded: u64) -> [u8; 10] {
        let place = (uploaded / DAY + 365).checked_sub(NOW / DAY);
        let known = place.and_then(|place| self.days.get(place as usize));
        let mut day = known.copied().unwrap_or_else(|| day(uploaded / DAY));
        (day[4], day[7]) = (b'-', b'-');
        day
    }
}

/// `2026/03/05`.
fn day(since_epoch: u64) -> [u8; 10] {
    let at = chrono::DateTime::from_timestamp((since_epoch * DAY) as i64, 0).unwrap();
    at.format("%Y/%m/%d").to_string().into_bytes().try_into().unwrap()
}

/// Of the year; ascends with `place` of `size`, and no two groups have all their days in common.
const fn day_of_place(group: u64, place: u64, size: u64) -> u64 {
    (place * 365 + hash(group) % 365) / size
}

/// Ascends with `place` of `size`, and looks like a hash.
const fn spread(place: u64, size: u64, seed: u64) -> u64 {
    let stride = u64::MAX / size;
    place * stride + hash(seed) % stride
}

/// SplitMix64's.
const fn hash(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Writes fixed-width texts one after the other.
pub struct Pen<'a> {
    pub to: &'a mut [u8],
    pub at: usize,
}

impl Pen<'_> {
    pub fn text(&mut self, text: &[u8]) -> &mut Self {
        self.to[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
        self
    }

    pub fn decimal(&mut self, mut number: u64, digits: usize) -> &mut Self {
        for place in (0..digits).rev() {
            self.to[self.at + place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.at += digits;
        self
    }

    pub fn hex(&mut self, mut number: u64, digits: usize) -> &mut Self {
        for place in (0..digits).rev() {
            self.to[self.at + place] = b"0123456789abcdef"[(number % 16) as usize];
            number /= 16;
        }
        self.at += digits;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(space: &Space, number: u64) -> Vec<u8> {
        let mut buffer = [0; MAX_KEY];
        let length = space.key(number, &mut buffer);
        buffer[..length].to_vec()
    }

    #[test]
    fn keys_ascend_and_are_found_again() {
        for name in ["hierarchical-12345", "flat-5000", "skewed-20001", "skewed-100", "one-key-7"] {
            let space = Space::named(name).unwrap();
            let keys: Vec<_> = (0..space.keys).map(|number| key(&space, number)).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{name}");
            for (number, key) in (0..).zip(&keys) {
                assert_eq!(space.seek(key, false), number, "{name}");
                assert_eq!(space.seek(key, true), number + 1, "{name}");
                assert_eq!(space.find(key, number.saturating_sub(2)), Some(number), "{name}");
                assert_eq!(space.find(key, 0), Some(number), "{name}");
            }
            assert_eq!(space.find(b"area-3/", 0), None);
        }
    }

    #[test]
    fn uploads_spread_over_the_year_and_in_a_hierarchy_over_its_days() {
        for name in ["hierarchical-365000", "flat-10000"] {
            let space = Space::named(name).unwrap();
            let due = (0..space.keys).filter(|it| space.facts(*it).uploaded < NOW - 361 * DAY).count() as u64;
            assert!((8..=14).contains(&(due * 1_000 / space.keys)), "{name}: {due}");
        }
        let space = Space::named("hierarchical-365000").unwrap();
        for number in [0, 77, 364_999] {
            let text = String::from_utf8(key(&space, number)).unwrap().replace('/', "-");
            let day = String::from_utf8(space.day_of(space.facts(number).uploaded).to_vec()).unwrap();
            assert!(text.contains(&day), "{text} {day}");
        }
    }
}
