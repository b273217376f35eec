//! Looking at a bucket: lists it, asks for what a decision needs, and hands out decided keys.
//!
//! `plan` looks at whole buckets, `apply` again at the keys that it is about to touch; both
//! come through here, so that both decide from the same knowledge.

pub mod claims;
mod directories;
mod draft;
mod enrol;
mod examine;
mod lookup;
mod readings;
mod seen;

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::decide::Needs;
use crate::object::BucketFacts;
use crate::plan::KeyGroup;
use crate::policy::Policy;
use crate::records::Records;
use crate::s3::{Bucket, Entry, StoreError, UploadPages};

pub use directories::directories;
use draft::Draft;
pub use enrol::{ENROLMENT_TAG, Enrolled, Enrolment, enrol};
pub use examine::Examined;
pub use lookup::Standing;
pub use readings::READS_AT_ONCE;
pub use seen::Seen;

/// Something that takes what a survey finds.
pub trait Sink {
    /// What can go wrong with it.
    type Error: From<StoreError>;

    /// Takes one decided key; keys come in byte order.
    fn key(&mut self, group: KeyGroup) -> Result<(), Self::Error>;

    /// Takes one decided key with all that was read of it.
    fn seen(&mut self, _seen: &Seen<'_>, group: KeyGroup) -> Result<(), Self::Error> {
        self.key(group)
    }

    /// What is to be read of the versions under a key, newest first, beside what deciding takes.
    fn asks(&self, _seen: &Seen<'_>) -> Vec<Needs> {
        Vec::new()
    }

    /// Hears that all keys of a page have been handed over.
    fn page_done(&mut self) -> impl Future<Output = Result<(), Self::Error>> {
        async { Ok(()) }
    }

    /// Hears of progress: so many more entries listed, so many more attributes read.
    fn progress(&mut self, _listed: u64, _read: u64) {}
}

/// A bucket, and what its objects are decided by.
#[derive(Clone)]
pub struct Survey<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The bucket.
    pub bucket: Bucket,
    /// What bears on how its objects can be removed.
    pub facts: BucketFacts,
    /// The date that everything is decided for.
    pub now: DateTime<Utc>,
}

impl Survey<'_> {
    /// Lists the whole bucket and hands every key to `sink`.
    pub async fn run<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let mut uploads = Uploads::new(self.bucket.uploads(""));
        let mut pages = self.bucket.versions("", None);
        let mut open: Option<Draft> = None;
        while let Some(page) = pages.next().await? {
            let mut done = Vec::new();
            let mut listed = 0;
            for entry in page.entries() {
                listed += 1;
                if open.as_ref().is_some_and(|draft| draft.key != entry.key) {
                    done.extend(open.take());
                }
                open.get_or_insert_with(|| Draft::new(entry.key)).push(&entry, &self.facts);
            }
            sink.progress(listed, 0);
            self.hand_over(done, &mut uploads, sink).await?;
        }
        self.hand_over(open.into_iter().collect(), &mut uploads, sink).await?;
        let rest = uploads.before(None).await?;
        self.decide_and_send(rest, sink).await
    }

    /// Puts the uploads of and between the keys of `drafts` to their places, and sends all on.
    async fn hand_over<S: Sink>(
        &self,
        drafts: Vec<Draft>,
        uploads: &mut Uploads,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let mut merged = Vec::with_capacity(drafts.len());
        for mut draft in drafts {
            for between in uploads.before(Some(&draft.key)).await? {
                if between.key == draft.key {
                    draft.adopt_uploads(between);
                } else {
                    merged.push(between);
                }
            }
            merged.push(draft);
        }
        self.decide_and_send(merged, sink).await
    }

    async fn decide_and_send<S: Sink>(&self, mut drafts: Vec<Draft>, sink: &mut S) -> Result<(), S::Error> {
        let (groups, read) = self.decide_also(&mut drafts, |seen| sink.asks(seen)).await;
        sink.progress(0, read);
        for (draft, group) in drafts.iter().zip(groups) {
            sink.seen(&Seen::new(&self.facts.name, draft), group)?;
        }
        sink.page_done().await
    }
}

/// The bucket's incomplete uploads, in key order, fetched as they are needed.
struct Uploads {
    pages: UploadPages,
    /// One draft a key; the last one may still grow with the next page.
    waiting: VecDeque<Draft>,
    finished: bool,
}

impl Uploads {
    const fn new(pages: UploadPages) -> Self {
        Self { pages, waiting: VecDeque::new(), finished: false }
    }

    /// Takes all uploads up to and with `key`, one draft a key; all that are left for `None`.
    async fn before(&mut self, key: Option<&str>) -> Result<Vec<Draft>, StoreError> {
        let is_due = |draft: &Draft| key.is_none_or(|key| *draft.key <= *key);
        while !self.finished && self.waiting.back().is_none_or(is_due) {
            match self.pages.next().await? {
                Some(page) => page.entries().for_each(|entry| self.push(&entry)),
                None => self.finished = true,
            }
        }
        let count = self.waiting.iter().take_while(|draft| is_due(draft)).count();
        Ok(self.waiting.drain(..count).collect())
    }

    fn push(&mut self, entry: &Entry<'_>) {
        if self.waiting.back().is_none_or(|draft| draft.key != entry.key) {
            self.waiting.push_back(Draft::new(entry.key));
        }
        if let Some(draft) = self.waiting.back_mut() {
            draft.push_upload(entry);
        }
    }
}
