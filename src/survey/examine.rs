//! Looking closely at one key: everything that can be read of it is read.

use super::draft::{Draft, Listed};
use super::{Seen, Survey};
use crate::decide::Needs;
use crate::object::{Observed, Reading};
use crate::s3::StoreError;

/// All that stands under one key, read in full.
pub struct Examined {
    bucket: String,
    draft: Draft,
}

impl Survey<'_> {
    /// Lists `key` and reads metadata, tags and locks of all its versions.
    ///
    /// # Errors
    /// If it cannot be listed. What cannot be read is unknown in the answer.
    pub async fn examine(&self, key: &str) -> Result<Examined, StoreError> {
        let mut draft = self.one(key).await?.unwrap_or_else(|| Draft::new(key));
        if let Some(uploads) = self.uploads_of(key).await? {
            draft.adopt_uploads(uploads);
        }
        let wanted = |item: &Listed| Needs {
            head: item.metadata == Reading::Unread,
            tags: item.tags == Reading::Unread,
            lock: item.lock == Reading::Unread,
        };
        let all = draft.items.iter().map(wanted).enumerate().filter(|(_, needs)| !needs.is_none()).collect();
        let mut drafts = vec![draft];
        self.read_into(&mut drafts, 0, all).await;
        let draft = drafts.pop().unwrap_or_else(|| Draft::new(key));
        Ok(Examined { bucket: self.facts.name.clone(), draft })
    }
}

impl Examined {
    /// Versions and markers, newest first, then uploads.
    pub fn observed(&self) -> impl Iterator<Item = Observed<'_>> {
        let seen = Seen::new(&self.bucket, &self.draft);
        seen.versions().chain(seen.uploads())
    }
}
