//! Media by file extension, for all selects at once: extensions that none tells apart are of one class.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memrchr2;

use crate::media::MediaRange;

/// The longest extension that is looked up; keys with a longer one are of no type.
const LONGEST: usize = size_of::<u64>();

/// Which extensions the selects tell apart.
#[derive(Debug)]
pub struct Extensions {
    /// Extensions and their class, sorted.
    classes: Vec<(u64, u32)>,
    /// For each class the sets of ranges that have it; the first class is what none has.
    fits: Vec<BTreeSet<usize>>,
}

impl Extensions {
    /// Of these sets of ranges.
    pub fn new(all: &[&[MediaRange]]) -> Self {
        let mut by_extension: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
        for (place, ranges) in all.iter().enumerate() {
            for extension in ranges.iter().flat_map(MediaRange::extensions) {
                if let Some(packed) = packed(extension.as_bytes()) {
                    by_extension.entry(packed).or_default().insert(place);
                }
            }
        }
        let mut fits = vec![BTreeSet::new()];
        let mut classes = Vec::new();
        for (extension, places) in by_extension {
            let class = fits.iter().position(|known| *known == places).unwrap_or_else(|| {
                fits.push(places);
                fits.len() - 1
            });
            classes.push((extension, u32::try_from(class).unwrap_or_default()));
        }
        Self { classes, fits }
    }

    /// How many classes there are.
    pub const fn len(&self) -> usize {
        self.fits.len()
    }

    /// The class of a key.
    #[inline]
    pub fn class(&self, key: &str) -> usize {
        if self.classes.is_empty() {
            return 0;
        }
        let key = key.as_bytes();
        // A name that begins with its only dot has no extension.
        let dot = memrchr2(b'.', b'/', key).filter(|at| key[*at] == b'.' && *at > 0 && key[*at - 1] != b'/');
        let found = dot
            .and_then(|dot| packed(&key[dot + 1..]))
            .and_then(|extension| self.classes.binary_search_by_key(&extension, |(known, _)| *known).ok());
        found.map_or(0, |at| self.classes[at].1 as usize)
    }

    /// Whether the set of ranges at this place has keys of this class.
    pub fn has(&self, class: usize, place: usize) -> bool {
        self.fits.get(class).is_some_and(|fits| fits.contains(&place))
    }
}

fn packed(extension: &[u8]) -> Option<u64> {
    // Zeros before it would make no difference.
    if extension.is_empty() || extension.len() > LONGEST || extension.contains(&0) {
        return None;
    }
    Some(extension.iter().fold(0, |packed, byte| packed << 8 | u64::from(byte.to_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_that_stands_for_a_type_is_too_long() {
        for kind in ["application", "audio", "image", "message", "text", "video"] {
            let range = MediaRange::parse(&format!("{kind}/*")).unwrap();
            assert!(range.is_known());
            assert!(range.extensions().all(|extension| packed(extension.as_bytes()).is_some()));
        }
    }

    #[test]
    fn a_class_fits_what_the_ranges_have() {
        let ranges = ["image/*", "image/png", "audio/*"].map(|text| vec![MediaRange::parse(text).unwrap()]);
        let all: Vec<&[MediaRange]> = ranges.iter().map(Vec::as_slice).collect();
        let extensions = Extensions::new(&all);
        for key in [
            "a.jpg",
            "b/a.PNG",
            "a.b/c",
            ".png",
            "x/.png",
            "a.ogg",
            "a.\0png",
            "a.",
            "a.png/",
            "é.png",
            "a.x.mp3",
            "a.parquets",
        ] {
            for (place, ranges) in all.iter().enumerate() {
                let has = ranges.iter().any(|range| range.has_key(key));
                assert_eq!(extensions.has(extensions.class(key), place), has, "{key} {place}");
            }
        }
    }
}
