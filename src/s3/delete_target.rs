//! What is deleted: a key or one of its versions, and what must be asked for by itself.

use smol_str::SmolStr;

/// What to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTarget {
    /// The key.
    pub key: SmolStr,
    /// The version, literally `null` for the null version. Without one a bucket with versions gets a
    /// delete marker, and a suspended one loses its null version.
    pub version_id: Option<SmolStr>,
    /// Only if the current version has this ETag. Some stores ignore it: check before.
    pub if_match: Option<SmolStr>,
}

/// Whether a key must be deleted on its own, since a document cannot carry it safely: XML 1.0 has no
/// control characters, and S3 answers with an error or silently leaves the object there. White space
/// that XML may change on the way goes the same way.
pub fn needs_single_delete(key: &str) -> bool {
    // Without a way out, so that it is done for many bytes at a time.
    let is_plain = key.bytes().fold(true, |is_plain, byte| is_plain & (0x20..0x7f).contains(&byte));
    !is_plain
        && key
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'))
        || key.starts_with(' ')
        || key.ends_with(' ')
}

impl DeleteTarget {
    /// Whether it must be deleted on its own: see [`needs_single_delete`], which goes for the ids of foreign
    /// stores as well.
    pub fn goes_alone(&self) -> bool {
        let ids = [&self.version_id, &self.if_match];
        needs_single_delete(&self.key) || ids.into_iter().flatten().any(|id| needs_single_delete(id))
    }
}
