//! Where a listing stands between two pages, and that it gets on.

use std::collections::HashSet;

use bytes_utils::Str;

use super::list_xml::{Asked, Marker, Page, Shape};
use super::xml::Malformed;

/// A listing on its way.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) prefix: String,
    /// What the next page is asked to start behind.
    pub(super) after: Option<Marker>,
    /// The last key listed, or the one that the listing was to start behind.
    last_key: String,
    /// The ids of the last entry that was listed of that key, and of the first one.
    ids: Option<(String, String)>,
    /// Markers seen within the marker's key.
    seen: HashSet<String>,
    pub(super) done: bool,
}

impl Cursor {
    /// At the start, or behind a key.
    pub(super) fn new(prefix: &str, start_after: Option<&str>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            after: start_after.map(|key| Marker { key: key.to_owned(), id: None }),
            last_key: start_after.unwrap_or_default().to_owned(),
            ids: None,
            seen: HashSet::new(),
            done: false,
        }
    }

    /// Reads the page that was asked for and moves behind it.
    pub(super) fn read<S: Shape>(&mut self, body: Str) -> Result<Page, Malformed> {
        let asked = Asked {
            prefix: &self.prefix,
            from: &self.last_key,
            from_is_done: self.after.as_ref().is_some_and(|after| after.id.is_none()),
        };
        let mut page = Page::read::<S>(body, asked)?;
        if let Some((id, top)) = &self.ids
            && page.key(0).is_some_and(|key| key == self.last_key)
            && page.id(0).is_some_and(|first| first == top || first == id)
            && !page.leave_out_through(id)
        {
            return Err(Malformed::new(0, "the listing does not get on: it has begun a key anew"));
        }
        let last = page.last().map(|entry| entry.key);
        match page.next() {
            None => self.done = true,
            Some(next) => {
                if !self.advances(next) || last.is_some_and(|last| next.key.as_str() < last) {
                    return Err(Malformed::new(
                        0,
                        "the listing does not get on: its marker does not advance",
                    ));
                }
                if self.after.as_ref().is_none_or(|after| after.key != next.key) {
                    self.seen.clear();
                }
                self.seen.extend(next.id.clone());
                self.after = Some(next.clone());
            }
        }
        if let (Some(last), Some((id, top))) = (last, page.last_ids()) {
            let top = match self.ids.take().filter(|_| *last == self.last_key) {
                Some((_, top)) => top,
                None => top.to_owned(),
            };
            self.ids = Some((id.to_owned(), top));
            last.clone_into(&mut self.last_key);
        }
        Ok(page)
    }

    /// Whether a marker lies behind all markers so far.
    fn advances(&self, next: &Marker) -> bool {
        let Some(after) = &self.after else { return true };
        next.key > after.key
            || (next.key == after.key
                && after.id.is_some()
                && next.id.as_ref().is_some_and(|id| !self.seen.contains(id)))
    }
}
