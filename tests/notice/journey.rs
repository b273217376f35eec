//! A journey: objects come, the days go by, and what happens to each object is held to what was written down.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use shelflife::policy::Policy;

use crate::objects::Medium;
use crate::stage::{Engine, Gone, Stage};

/// The day that a text names.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).unwrap().and_utc()
}

/// When Shelflife runs on a day.
pub fn run_at(day: NaiveDate) -> DateTime<Utc> {
    midnight(day) + TimeDelta::minutes(30)
}

/// The days of runs: every day of each span, and the first of each month or year between them.
pub fn runs(spans: &[(&str, &str)], months_until: &str) -> BTreeSet<NaiveDate> {
    let spans: Vec<_> = spans.iter().map(|(first, last)| (day(first), day(last))).collect();
    let (first, last) = (spans[0].0, spans.last().unwrap().1);
    let months_until = day(months_until);
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| {
            let in_a_span = spans.iter().any(|(first, last)| first <= day && day <= last);
            let on_the_way = day.day() == 1 && (*day < months_until || day.month() == 1);
            in_a_span || on_the_way
        })
        .collect()
}

/// Where a version is: bucket, key, and the id that the store gave it.
type Place = (String, String, String);

/// A version that was stored.
#[derive(Debug)]
struct Stored {
    medium: Medium,
    gone: Option<Gone>,
}

/// What came of all objects.
#[derive(Debug)]
pub struct Journey {
    versions: BTreeMap<Place, Stored>,
}

impl Journey {
    /// Lives through the days of `runs` with `objects`; `exports` says what the records hold at a time.
    pub async fn live(
        stage: &mut Stage,
        policy: &Policy,
        objects: &[Medium],
        runs: &BTreeSet<NaiveDate>,
        exports: impl Fn(DateTime<Utc>) -> BTreeMap<&'static str, String>,
    ) -> Self {
        let journey = Self { versions: BTreeMap::new() };
        journey.with(stage, policy, objects, runs, exports).await
    }

    /// Lives on through the days of `runs`; nothing more comes.
    pub async fn goes_on(
        self,
        stage: &mut Stage,
        policy: &Policy,
        runs: &BTreeSet<NaiveDate>,
        exports: impl Fn(DateTime<Utc>) -> BTreeMap<&'static str, String>,
    ) -> Self {
        self.with(stage, policy, &[], runs, exports).await
    }

    async fn with(
        mut self,
        stage: &mut Stage,
        policy: &Policy,
        objects: &[Medium],
        runs: &BTreeSet<NaiveDate>,
        exports: impl Fn(DateTime<Utc>) -> BTreeMap<&'static str, String>,
    ) -> Self {
        let mut waiting: Vec<&Medium> = objects.iter().collect();
        waiting.sort_by_key(|medium| instant(medium.uploaded));
        let mut waiting = waiting.into_iter().peekable();
        for run in runs {
            let now = run_at(*run);
            while let Some(medium) = waiting.next_if(|medium| instant(medium.uploaded) < now) {
                let uploaded = instant(medium.uploaded);
                // What lies before the first day is put there as old as it is.
                let then = uploaded.max(stage.sandbox.now());
                self.take(stage.turn(then));
                let id = stage.put(medium.bucket, medium.key, uploaded, medium.metadata);
                let place = (medium.bucket.to_owned(), medium.key.to_owned(), id);
                let before = self.versions.insert(place, Stored { medium: *medium, gone: None });
                assert!(before.is_none(), "{medium:?} overwrites another");
            }
            self.take(stage.turn(now));
            self.take(stage.run(policy, &exports(now)).await);
            self.compare(stage, policy, now);
            // After a run nothing is overdue, and S3 is set up so that it will not be early.
            let findings = stage.audit(policy, &exports(now)).await;
            assert!(findings.is_kept() && findings.early.is_empty(), "{now} {findings:#?}");
            assert!(findings.unset.is_empty(), "{now} {:#?}", findings.unset);
        }
        assert!(waiting.next().is_none(), "all objects have come");
        self
    }

    fn take(&mut self, gone: Vec<Gone>) {
        for gone in gone {
            let place = (gone.bucket.clone(), gone.key.clone(), gone.version.clone());
            let stored = self.versions.get_mut(&place).unwrap_or_else(|| panic!("{gone:?} never came"));
            assert!(stored.gone.is_none(), "{gone:?} was gone already: {stored:?}");
            stored.gone = Some(gone);
        }
    }

    /// Nothing goes without somebody who says so.
    fn compare(&self, stage: &Stage, policy: &Policy, now: DateTime<Utc>) {
        let expected: BTreeSet<Place> = self
            .versions
            .iter()
            .filter(|(_, stored)| stored.gone.is_none())
            .map(|(place, _)| place.clone())
            .collect();
        assert_eq!(stage.there(policy), expected, "{now}");
    }

    /// Holds every object to its day. `late` says for each row by how many days S3 can be late there;
    /// `None`: the row is Shelflife's, and goes on the day.
    pub fn is_as_promised(&self, late: impl Fn(u8) -> Option<u64>) {
        let mut wrong = Vec::new();
        for (place, Stored { medium, gone }) in &self.versions {
            let fault = match (medium.due, gone) {
                (None, None) => None,
                (None, Some(_)) => Some("it is gone and was to stay".to_owned()),
                (Some(_), None) => Some("it is still there".to_owned()),
                (Some(due), Some(gone)) => fault(medium, day(due), gone, late(medium.row)),
            };
            wrong.extend(
                fault.map(|fault| format!("row {} {place:?}: {fault}\n  {medium:?}\n  {gone:?}", medium.row)),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn fault(medium: &Medium, due: NaiveDate, gone: &Gone, late: Option<u64>) -> Option<String> {
    if gone.at < midnight(due) {
        return Some(format!("it went early: due {due}"));
    }
    // What is due when it comes goes with the next run.
    let first_chance = due.max(instant(medium.uploaded).date_naive() + Days::new(1));
    let (engine, last_chance) = match late {
        Some(late) => (Engine::S3, midnight(first_chance + Days::new(late))),
        None => (Engine::Shelflife, run_at(first_chance)),
    };
    if gone.by != engine {
        return Some(format!("{engine:?} was to remove it"));
    }
    (gone.at > last_chance).then(|| format!("it went late: due {due}"))
}
