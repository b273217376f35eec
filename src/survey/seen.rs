//! All that stands under one key, as far as it has been read.

use super::draft::{Draft, Listed};
use crate::object::{Kind, Observed};

/// All that stands under one key, borrowed from where it is decided.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    bucket: &'a str,
    draft: &'a Draft,
}

impl<'a> Seen<'a> {
    pub(super) const fn new(bucket: &'a str, draft: &'a Draft) -> Self {
        Self { bucket, draft }
    }

    /// Versions and markers, newest first.
    pub fn versions(self) -> impl Iterator<Item = Observed<'a>> {
        let Self { bucket, draft } = self;
        let is_alone = alone(&draft.items);
        let versions = draft.items.iter().enumerate();
        versions.map(move |(place, item)| item.observed(bucket, &draft.key, is_alone(place)))
    }

    /// Incomplete uploads.
    pub fn uploads(self) -> impl Iterator<Item = Observed<'a>> {
        let Self { bucket, draft } = self;
        draft.uploads.iter().map(move |upload| upload.observed(bucket, &draft.key, false))
    }
}

/// Which of the versions and markers of a key, by their places, are delete markers that are all that is left
/// of it. Repeated deletions stack markers. The older ones hide nothing by then; the newest waits for them.
pub(super) fn alone(items: &[Listed]) -> impl Fn(usize) -> bool + use<> {
    let is_one = items.len() == 1;
    let are_markers = items.iter().all(|item| item.kind == Kind::Marker);
    move |place| are_markers && (is_one || place > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{BucketFacts, Versioning};
    use crate::s3::Page;

    /// Which are alone of what stands under a key, newest first: markers `m` and versions `v`.
    fn alone(stack: &str) -> Vec<bool> {
        let entry = |(place, kind): (usize, char)| {
            let (element, size) = match kind {
                'm' => ("DeleteMarker", ""),
                _ => ("Version", "<Size>1</Size>"),
            };
            format!(
                "<{element}><Key>k</Key><VersionId>{place}</VersionId><IsLatest>{}</IsLatest>{size}\
                 <LastModified>2026-01-{:02}T00:00:00Z</LastModified></{element}>",
                place == 0,
                20 - place
            )
        };
        let entries: String = stack.chars().enumerate().map(entry).collect();
        let answer =
            format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{entries}</ListVersionsResult>");
        let facts = BucketFacts {
            name: "media".to_owned(),
            versioning: Versioning::Enabled,
            mfa_delete: false,
            object_lock: false,
        };
        let mut draft = Draft::new("k");
        Page::from_answer(answer).unwrap().entries().for_each(|entry| draft.push(&entry, &facts));
        Seen::new("media", &draft).versions().map(|version| version.alone).collect()
    }

    #[test]
    fn markers_are_all_that_is_left_where_there_is_nothing_else_and_the_newest_waits_for_the_older_ones() {
        assert_eq!(alone("m"), [true]);
        assert_eq!(alone("mm"), [false, true]);
        assert_eq!(alone("mmm"), [false, true, true]);
        for covered in ["v", "mv", "mmv", "mvm", "vm", "vmm"] {
            assert!(!alone(covered).contains(&true), "{covered}");
        }
    }
}
