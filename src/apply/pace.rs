//! How fast keys are deleted: as fast as the store takes them, and half as fast once it objects.
//!
//! S3 scales by ranges of keys, and answers with SlowDown where one is asked for too much (user guide,
//! "Best practices design patterns: optimizing Amazon S3 performance"). So every bucket and first
//! directory is a lane of its own: additive increase, multiplicative decrease, shared by all workers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::plan::PlanRow;

/// The slowest that a lane becomes, in keys a second: S3 takes 3,500 from the beginning.
const SLOWEST: f64 = 100.0;

/// How much faster a lane becomes every second that the store does not object, in keys a second.
const STEP: f64 = 100.0;

/// What one objection slows down once; the others that are on their way then say the same.
const ONE_OBJECTION: Duration = Duration::from_secs(1);

/// How many lanes are remembered; the one that was idle for longest is forgotten.
const LANES: usize = 1_000;

/// The pace of a run. Times are arguments, so that it can be tried without waiting.
#[derive(Debug)]
pub struct Pace {
    most: Option<f64>,
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    /// When the next key may go, of all lanes together.
    next: Option<Instant>,
    of: HashMap<String, Lane>,
}

#[derive(Clone, Debug)]
struct Lane {
    /// Keys a second; `None` as long as the store has not objected.
    rate: Option<f64>,
    /// When the next key may go.
    next: Instant,
    /// When the rate was last changed.
    changed: Instant,
    /// When the lane was last slowed down.
    slowed: Option<Instant>,
    /// Since when keys are counted, and how many went since.
    counted: (Instant, f64),
}

impl Pace {
    /// With an upper limit for all lanes together, in keys a second.
    pub fn new(most: Option<u32>) -> Self {
        Self { most: most.map(|most| f64::from(most.max(1))), lanes: Mutex::default() }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many keys may go at once at `now`, of at most `most`: about a second's worth.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and `most`")]
    pub fn batch(&self, lane: &str, most: usize, now: Instant) -> usize {
        let rate = self.lanes().of.get(lane).and_then(|lane| lane.rate_at(now));
        let rate = [rate, self.most].into_iter().flatten().fold(f64::INFINITY, f64::min);
        if rate >= most as f64 { most } else { (rate as usize).max(1) }
    }

    /// Takes `keys` keys into account; how long to wait before they are sent.
    pub fn admit(&self, lane: &str, keys: usize, now: Instant) -> Duration {
        let mut lanes = self.lanes();
        let mut at = now;
        if let Some(most) = self.most {
            at = at.max(lanes.next.unwrap_or(now));
            lanes.next = Some(at + seconds(keys, most));
        }
        let lane = lanes.lane(lane, now);
        if let Some(rate) = lane.speed_up(now) {
            at = at.max(lane.next);
            lane.next = at + seconds(keys, rate);
        }
        lane.count(keys, now);
        at - now
    }

    /// The store has asked for less. Whether that is news.
    pub fn slow_down(&self, lane: &str, now: Instant) -> bool {
        let mut lanes = self.lanes();
        let lane = lanes.lane(lane, now);
        if lane.slowed.is_some_and(|at| now.saturating_duration_since(at) < ONE_OBJECTION) {
            return false;
        }
        let rate = lane.speed_up(now).unwrap_or_else(|| lane.measured(now));
        lane.rate = Some((rate / 2.0).max(SLOWEST));
        (lane.changed, lane.slowed) = (now, Some(now));
        true
    }

    /// The slowest lane's keys a second, if any was slowed down in the last minute.
    pub fn slowest(&self, now: Instant) -> Option<f64> {
        let lanes = self.lanes();
        let slowed = lanes.of.values().filter(|lane| {
            lane.slowed.is_some_and(|at| now.saturating_duration_since(at) < Duration::from_secs(60))
        });
        slowed.filter_map(|lane| lane.rate_at(now)).reduce(f64::min)
    }
}

impl Lanes {
    fn lane(&mut self, name: &str, now: Instant) -> &mut Lane {
        if self.of.len() >= LANES && !self.of.contains_key(name) {
            let idle = self.of.iter().min_by_key(|(_, lane)| lane.next.max(lane.counted.0));
            if let Some(idle) = idle.map(|(name, _)| name.clone()) {
                self.of.remove(&idle);
            }
        }
        self.of.entry(name.to_owned()).or_insert_with(|| Lane {
            rate: None,
            next: now,
            changed: now,
            slowed: None,
            counted: (now, 0.0),
        })
    }
}

impl Lane {
    fn rate_at(&self, now: Instant) -> Option<f64> {
        let quiet = now.saturating_duration_since(self.changed).as_secs_f64();
        self.rate.map(|rate| rate + STEP * quiet)
    }

    fn speed_up(&mut self, now: Instant) -> Option<f64> {
        self.rate = self.rate_at(now);
        self.changed = now;
        self.rate
    }

    fn count(&mut self, keys: usize, now: Instant) {
        if now.saturating_duration_since(self.counted.0) > Duration::from_secs(10) {
            self.counted = (now, 0.0);
        }
        self.counted.1 += keys as f64;
    }

    /// Keys a second of the last seconds.
    fn measured(&self, now: Instant) -> f64 {
        self.counted.1 / now.saturating_duration_since(self.counted.0).as_secs_f64().max(1.0)
    }
}

fn seconds(keys: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(keys as f64 / rate)
}

/// The lane that rows from the `first` to the `last` go in: their bucket and the first directory of their keys;
/// where directories are small, the bucket alone, since none of them comes again.
pub fn lane(first: &PlanRow, last: &PlanRow) -> String {
    let directory = |row: &PlanRow| row.key.split_once('/').map_or("", |(directory, _)| directory).to_owned();
    let bucket = &first.bucket;
    if directory(first) == directory(last) {
        format!("{bucket}/{}", directory(first))
    } else {
        bucket.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn nothing_waits_until_the_store_objects() {
        let (pace, now) = (Pace::new(None), Instant::now());
        for _ in 0..100 {
            assert_eq!(pace.admit("a", 1_000, now), Duration::ZERO);
        }
        assert_eq!(pace.batch("a", 1_000, now), 1_000);
        assert_eq!(pace.slowest(now), None);
    }

    #[test]
    fn an_objection_halves_what_was_measured_and_time_brings_it_back() {
        let (pace, start) = (Pace::new(None), Instant::now());
        for second in 0..4 {
            pace.admit("a", 1_000, start + SECOND * second);
        }
        let now = start + SECOND * 4;
        assert!(pace.slow_down("a", now));
        assert_eq!(pace.slowest(now), Some(500.0));
        assert_eq!(pace.batch("a", 1_000, now), 500);
        assert_eq!(pace.admit("a", 500, now), Duration::ZERO);
        assert_eq!(pace.admit("a", 500, now), SECOND, "the next second's worth");
        let later = now + SECOND * 10;
        assert_eq!(pace.batch("a", 10_000, later), 1_500);
    }

    #[test]
    fn the_objections_of_many_workers_count_once_and_those_that_follow_again() {
        let (pace, now) = (Pace::new(None), Instant::now());
        pace.admit("a", 8_000, now);
        assert!(pace.slow_down("a", now));
        assert!(!pace.slow_down("a", now + SECOND / 2));
        assert_eq!(pace.slowest(now), Some(4_000.0));
        assert!(pace.slow_down("a", now + SECOND));
        assert_eq!(pace.slowest(now + SECOND), Some(2_050.0));
    }

    #[test]
    fn it_never_stands_still() {
        let (pace, start) = (Pace::new(None), Instant::now());
        for second in 0..60 {
            pace.slow_down("a", start + SECOND * second);
        }
        let now = start + SECOND * 60;
        assert!(pace.batch("a", 1_000, now) >= 10);
        assert!(pace.admit("a", 10, now) <= SECOND);
    }

    #[test]
    fn one_directory_does_not_slow_another_down() {
        let (pace, now) = (Pace::new(None), Instant::now());
        pace.admit("a", 400, now);
        pace.slow_down("a", now);
        pace.admit("a", 200, now);
        assert!(pace.admit("a", 50, now) > Duration::ZERO);
        assert_eq!(pace.admit("b", 50, now), Duration::ZERO);
    }

    #[test]
    fn the_upper_limit_is_one_for_all_directories() {
        let (pace, now) = (Pace::new(Some(100)), Instant::now());
        assert_eq!(pace.batch("a", 1_000, now), 100);
        assert_eq!(pace.admit("a", 100, now), Duration::ZERO);
        assert_eq!(pace.admit("b", 100, now), SECOND);
        assert_eq!(pace.admit("c", 100, now), SECOND * 2);
    }

    #[test]
    fn rows_of_many_directories_go_by_their_bucket() {
        let row = |key: &str| crate::plan::row::tests::version(key, "1", true);
        let bucket = row("a").bucket;
        for (first, last, expected) in [
            ("a/1", "a/2", format!("{bucket}/a")),
            ("a/1", "b/1", bucket.to_string()),
            ("a", "b", format!("{bucket}/")),
            ("a", "b/1", bucket.to_string()),
        ] {
            assert_eq!(lane(&row(first), &row(last)), expected, "{first} {last}");
        }
    }

    #[test]
    fn few_directories_are_remembered_however_many_there_are() {
        let (pace, now) = (Pace::new(None), Instant::now());
        for number in 0..LANES as u32 * 3 {
            pace.admit(&number.to_string(), 1, now + SECOND * number);
        }
        assert_eq!(pace.lanes().of.len(), LANES);
        assert!(pace.lanes().of.contains_key("2999"));
    }
}
