//! All that stands under one key, as far as it has been read.

use super::draft::Draft;
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
        let alone = draft.items.len() == 1;
        draft
            .items
            .iter()
            .map(move |item| item.observed(bucket, &draft.key, alone && item.kind == Kind::Marker))
    }

    /// Incomplete uploads.
    pub fn uploads(self) -> impl Iterator<Item = Observed<'a>> {
        let Self { bucket, draft } = self;
        draft.uploads.iter().map(move |upload| upload.observed(bucket, &draft.key, false))
    }
}
