//! The requests of a listing that are under way, and how many there may be.
//!
//! They run as tasks of their own. Their number is halved when the store asks for fewer, and grows by one with
//! every round of answers before which it did not.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::draft::Draft;
use super::ranges::{Job, Ranges};
use super::uploads::UploadsAhead;
use crate::s3::{Bucket, Level, Page, StoreError, VersionPages};

/// The least time between two requests: S3 takes 5,500 reads a second from the beginning (user guide, "Best
/// practices design patterns: optimizing Amazon S3 performance"), and others want some of them.
const BETWEEN: Duration = Duration::from_micros(500);

/// What came of a request.
pub(super) enum Answer {
    /// A page of a range, or that there is none any more.
    Listed {
        /// Whose it is.
        lane: Box<Lane>,
        /// The page.
        page: Result<Option<Page>, StoreError>,
    },
    /// Directories.
    Shown {
        /// The range that they were looked for.
        range: usize,
        /// Under which start of keys.
        under: String,
        /// What there is.
        level: Result<Level, StoreError>,
    },
}

/// The listing of one range.
pub(super) struct Lane {
    /// Which.
    pub range: usize,
    pages: VersionPages,
    uploads: Option<UploadsAhead>,
    /// Uploads up to the last key of the last page, where ranges list their own.
    pub found: Vec<Draft>,
}

/// All requests of one listing.
pub(super) struct Lanes {
    bucket: Bucket,
    /// Whether every range lists its own uploads.
    uploads: bool,
    width: Width,
    next: Instant,
    resting: BTreeMap<usize, Box<Lane>>,
    running: JoinSet<Answer>,
}

impl Lanes {
    /// At most so many at a time; `uploads`: every range lists its own.
    pub(super) fn new(bucket: Bucket, most: usize, uploads: bool) -> Self {
        Self {
            bucket,
            uploads,
            width: Width::new(most),
            next: Instant::now(),
            resting: BTreeMap::new(),
            running: JoinSet::new(),
        }
    }

    /// Sends what is to be asked, as much as there may be.
    pub(super) fn send(&mut self, ranges: &mut Ranges) {
        while let Some(idle) = self.width.limit.checked_sub(self.running.len()).filter(|idle| *idle > 0)
            && let Some(job) = ranges.next(idle)
        {
            let at = self.next.max(Instant::now());
            self.next = at + BETWEEN;
            match job {
                Job::List(range) => {
                    let lane = self.resting.remove(&range);
                    let lane = lane.unwrap_or_else(|| Box::new(self.begin(range, ranges)));
                    let upto = ranges.upto(range).map(str::to_owned);
                    self.running.spawn(async move {
                        sleep_until(at).await;
                        lane.next(upto).await
                    });
                }
                Job::Look { range, under, after } => {
                    let bucket = self.bucket.clone();
                    self.running.spawn(async move {
                        sleep_until(at).await;
                        let level = bucket.level_after(&under, &after).await;
                        Answer::Shown { range, under, level }
                    });
                }
            }
        }
    }

    fn begin(&self, range: usize, ranges: &Ranges) -> Lane {
        let (prefix, after) = ranges.start(range);
        let own = || UploadsAhead::new(&self.bucket, prefix, after);
        Lane {
            range,
            pages: self.bucket.versions(prefix, after),
            uploads: self.uploads.then(own),
            found: Vec::new(),
        }
    }

    /// Keeps a lane for its next page, if there is one.
    pub(super) fn rest(&mut self, lane: Box<Lane>, is_done: bool) {
        if !is_done {
            self.resting.insert(lane.range, lane);
        }
    }

    /// The next answer; `None` if nothing is under way.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        let answer = match self.running.join_next().await? {
            Ok(answer) => answer,
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        };
        if let Answer::Listed { lane, .. } = &answer {
            self.width.hear(lane.pages.objected());
        }
        Some(answer)
    }
}

/// How many requests there may be.
#[derive(Debug)]
struct Width {
    most: usize,
    limit: usize,
    /// Answers since the limit was changed, and whether the store has objected before one of them.
    heard: (usize, bool),
}

impl Width {
    fn new(most: usize) -> Self {
        Self { most: most.max(1), limit: most.max(1), heard: (0, false) }
    }

    /// Hears of an answer, and whether the store has objected before it came.
    fn hear(&mut self, objected: bool) {
        self.heard = (self.heard.0 + 1, self.heard.1 || objected);
        // What was under way together is objected to together, and counts once.
        if self.heard.0 >= self.limit {
            self.limit = if self.heard.1 { (self.limit / 2).max(1) } else { (self.limit + 1).min(self.most) };
            self.heard = (0, false);
        }
    }
}

impl Lane {
    /// Asks for the next page of a range that ends with the key `upto`.
    async fn next(mut self: Box<Self>, upto: Option<String>) -> Answer {
        let page = match self.pages.next().await {
            Ok(page) => self.with_uploads(page, upto).await,
            Err(error) => Err(error),
        };
        Answer::Listed { lane: self, page }
    }

    /// Lists uploads up to the last key of a page, or up to the range's end if it is the last page.
    async fn with_uploads(
        &mut self,
        page: Option<Page>,
        upto: Option<String>,
    ) -> Result<Option<Page>, StoreError> {
        if let Some(uploads) = &mut self.uploads {
            let goes_on = page.as_ref().filter(|page| page.is_truncated());
            let last = goes_on.and_then(|page| page.last()).map(|last| last.key.to_owned());
            if goes_on.is_none() || last.is_some() {
                self.found = uploads.before(last.or(upto).as_deref()).await?;
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objections_halve_what_is_under_way_and_quiet_brings_it_back_one_by_one() {
        let mut width = Width::new(16);
        let mut round = |objections: usize| {
            for answer in 0..width.limit {
                width.hear(answer < objections);
            }
            width.limit
        };
        assert_eq!(round(0), 16);
        assert_eq!([round(16), round(1), round(2), round(1), round(1)], [8, 4, 2, 1, 1]);
        assert_eq!([round(0), round(0), round(0), round(3)], [2, 3, 4, 2]);
        assert_eq!((0..40).map(|_| round(0)).last(), Some(16));
    }
}
