//! Where the copy of an exported object goes: a key that no other object's copy has, and that leads
//! nowhere else when a tool takes it for a path.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::policy::ExportPlace;
use crate::text::hex;

/// The longest key, in bytes (user guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1_024;

/// Stands before a digest that stands for a name. No [`segment`] holds it.
const DIGEST: char = '~';

/// A name as one part of a path: everything but `A-Z`, `a-z`, `0-9`, `.`, `_` and `-` is
/// percent-encoded, and dots too where nothing else is there. Two names never look alike.
pub fn segment(name: &str) -> String {
    let only_dots = name.bytes().all(|byte| byte == b'.');
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && !only_dots) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Original<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version_id: Option<&'a str>,
    pub uploaded: DateTime<Utc>,
    pub etag: Option<&'a str>,
}

/// `s3://bucket/key` of the copy of a version or object. A key or version id that would make it too
/// long is cut, and its digest put behind it. `None` if the place leaves no room even for that.
pub(super) fn copy_place(place: &ExportPlace, of: Original<'_>) -> Option<String> {
    let version = match of.version_id {
        Some(id) if id != "null" => segment(id),
        // Another object can come under the same key and id: its time and content tell them apart.
        other => {
            let name = if other.is_some() { "null-" } else { "" };
            let time = of.uploaded.format("%Y%m%dT%H%M%S%.3fZ");
            format!("{name}{time}-{}", segment(of.etag.unwrap_or_default()))
        }
    };
    let start = format!("{}{}/", place.prefix, segment(of.bucket));
    let version = within(&version, &version, 128)?;
    let room = LONGEST_KEY.checked_sub(start.len() + 1 + version.len())?;
    let key = within(&segment(of.key), of.key, room)?;
    Some(format!("s3://{}/{start}{key}/{version}", place.bucket))
}

/// A name as one part of a path, as [`segment`] has it, of at most 200 bytes.
pub fn short_segment(name: &str) -> String {
    let encoded = segment(name);
    within(&encoded, name, 200).unwrap_or(encoded)
}

/// `encoded` if it has no more than `room` bytes, else as much of it as there is room for beside the
/// digest of `name`.
fn within(encoded: &str, name: &str, room: usize) -> Option<String> {
    if encoded.len() <= room {
        return Some(encoded.to_owned());
    }
    let digest = hex(&Sha256::digest(name));
    let mut left = room.checked_sub(digest.len() + DIGEST.len_utf8())?;
    // No escape is cut.
    if let Some(escape) = encoded[..left].rfind('%').filter(|escape| left - escape < 3) {
        left = escape;
    }
    Some(format!("{}{DIGEST}{digest}", &encoded[..left]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    fn original<'a>(key: &'a str, version_id: Option<&'a str>) -> Original<'a> {
        let uploaded = "2026-11-24T06:15:00Z".parse().unwrap();
        Original { bucket: "acme-media", key, version_id, uploaded, etag: Some("abc") }
    }

    fn place(prefix: &str) -> ExportPlace {
        ExportPlace { bucket: "exports".to_owned(), prefix: prefix.to_owned() }
    }

    fn of(key: &str, version: Option<&str>) -> String {
        copy_place(&place("media/"), original(key, version)).unwrap()
    }

    #[test]
    fn a_copy_is_named_after_bucket_key_and_version() {
        let there = of("in/a b+ć.jpg", Some("v1/x"));
        assert_eq!(there, "s3://exports/media/acme-media/in%2Fa%20b%2B%C4%87.jpg/v1%2Fx");
        let there = of("a", None);
        assert_eq!(there, "s3://exports/media/acme-media/a/20261124T061500.000Z-abc");
        assert_eq!(of("a", Some("null")), "s3://exports/media/acme-media/a/null-20261124T061500.000Z-abc");
    }

    #[test]
    fn an_object_that_takes_the_place_of_another_has_a_copy_of_its_own() {
        let first = original("k", None);
        let rewritten = Original { etag: Some("abd"), ..first };
        let again = Original { uploaded: "2026-11-24T06:15:01Z".parse().unwrap(), ..first };
        let there = |of| copy_place(&place(""), of).unwrap();
        assert_ne!(there(first), there(rewritten));
        assert_ne!(there(first), there(again));
    }

    #[test]
    fn no_key_leads_out_of_the_place() {
        for key in ["..", ".", "...", "../..", "/", "//", "a/../../b", "..\\..", "%2e%2e", "\0", "~"] {
            let there = of(key, Some("v"));
            let parts: Vec<&str> = there["s3://exports/".len()..].split('/').collect();
            assert_eq!(parts.len(), 4, "{there}");
            assert!(
                parts.iter().all(|part| !part.is_empty() && part.bytes().any(|byte| byte != b'.')),
                "{there}"
            );
        }
    }

    #[test]
    fn a_place_without_room_takes_no_copy() {
        let key = "k".repeat(1_024);
        let long = place(&"p".repeat(950));
        assert_eq!(copy_place(&long, original(&key, Some("v"))), None);
        assert!(copy_place(&long, original("k", Some("v"))).is_some());
    }

    proptest! {
        #[test]
        fn no_two_copies_share_a_key_and_each_is_short_enough(
            a in "\\PC{0,500}", b in "\\PC{0,500}", cut in 0usize..600, v in "[ -~]{1,200}", w in "[ -~]{1,200}",
        ) {
            // Keys that begin alike over their whole length are the ones that could collide.
            let tail: String = a.chars().take(cut).collect();
            let near = format!("{tail}{b}");
            for (one, two) in [((&a, &v), (&near, &v)), ((&a, &v), (&a, &w)), ((&a, &v), (&b, &w))] {
                let (here, there) = (of(one.0, Some(one.1)), of(two.0, Some(two.1)));
                prop_assert_eq!(here == there, one == two);
                prop_assert!(here.len() - "s3://exports/".len() <= LONGEST_KEY);
                prop_assert!(here["s3://".len()..].bytes().all(|c| c.is_ascii_alphanumeric() || b"._-%/~".contains(&c)));
            }
        }
    }
}
