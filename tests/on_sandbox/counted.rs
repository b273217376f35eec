//! What stays is counted without being handed over, and the count is that of what would have been.

use std::collections::BTreeMap;
use std::time::Duration;

use shelflife::decide::{Plain, Stay};
use shelflife::plan::KeyGroup;
use shelflife::s3::StoreError;
use shelflife::sandbox::{Effect, Fault};
use shelflife::survey::{Sink, WHOLE_BUCKET};

use crate::listing::{list, short_pages, stocked, store, survey};
use crate::rng::Rng;

/// Objects and bytes by verdict, first rule and due date in seconds since 1970.
type Counts = BTreeMap<(String, Option<usize>, Option<i64>), (u64, u64)>;

#[derive(Default)]
struct Counting {
    counts: Counts,
    /// How many were handed over, told as [`Sink::plain`], and told as [`Sink::stay`].
    came: (usize, usize, usize),
    starts: usize,
}

fn add(
    counts: &mut Counts,
    verdict: &impl std::fmt::Debug,
    rule: Option<usize>,
    due: Option<i64>,
    bytes: u64,
) {
    let counted = counts.entry((format!("{verdict:?}"), rule, due)).or_default();
    *counted = (counted.0 + 1, counted.1 + bytes);
}

fn add_group(counts: &mut Counts, group: &KeyGroup) {
    for item in group.items.iter().chain(&group.uploads) {
        let decision = &item.decision;
        let due = decision.due.map(|due| due.timestamp());
        add(counts, &decision.verdict, decision.rules.first().copied(), due, item.size);
    }
}

impl Sink for Counting {
    type Error = StoreError;
    type Part = ();

    fn key(&mut self, (): &mut (), group: KeyGroup) -> Result<(), StoreError> {
        self.came.0 += 1;
        add_group(&mut self.counts, &group);
        Ok(())
    }

    fn counts_plain(&self) -> bool {
        true
    }

    fn plain(&mut self, bytes: u64, plain: &Plain<'_>) {
        self.came.1 += 1;
        add(&mut self.counts, &plain.verdict, plain.rule, plain.due, bytes);
    }

    fn stay(&mut self, bytes: u64, stay: Stay) {
        self.came.2 += 1;
        add(&mut self.counts, &stay.verdict(), stay.rule, stay.due, bytes);
    }

    fn join(&mut self, (): ()) -> Result<(), StoreError> {
        Ok(())
    }

    fn start_over(&mut self) {
        *self = Self { starts: self.starts + 1, ..Self::default() };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_is_counted_as_it_would_have_been_handed_over() {
    for form in 0..5 {
        let mut rng = Rng(900 + form as u64);
        let (sandbox, _) = stocked(&mut rng, form, 600).await;
        let store = store(&sandbox).await;
        let (whole, _) = list(&store, 1).await.unwrap();
        let mut expected = Counts::new();
        whole.groups.iter().for_each(|group| add_group(&mut expected, group));
        for (entries, uploads) in [(2, 3), (7, 1000), (1000, 1000)] {
            for at_once in [1, 16] {
                sandbox.faults().clear();
                short_pages(&sandbox, entries, uploads);
                let mut counting = Counting::default();
                survey(&store, &WHOLE_BUCKET, at_once, &mut counting).await.unwrap();
                let (handed, plain, stay) = counting.came;
                let what = format!("{form}: {at_once} at once, pages of {entries} and {uploads}");
                assert!(counting.counts == expected, "{what}");
                // The versions of a key that stand on two pages are handed over.
                assert!(handed > 0 && stay > 0, "{what}: {:?}", counting.came);
                assert!(plain > 0 || entries < 1000, "{what}: {:?}", counting.came);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_counted_before_a_listing_starts_over_is_not_counted_twice() {
    let mut rng = Rng(950);
    let (sandbox, _) = stocked(&mut rng, 2, 600).await;
    let store = store(&sandbox).await;
    let (whole, _) = list(&store, 1).await.unwrap();
    let mut expected = Counts::new();
    whole.groups.iter().for_each(|group| add_group(&mut expected, group));
    short_pages(&sandbox, 7, 1000);
    // Later pages are refused as a store does that does not list on from any key, until all is begun anew.
    sandbox.faults().add(Fault::on("ListObjectVersions", Effect::Delay(Duration::from_millis(1))));
    sandbox.faults().add(Fault::on("ListObjectVersions", Effect::NotImplemented).calls(40, 40));
    let mut counting = Counting::default();
    survey(&store, &WHOLE_BUCKET, 16, &mut counting).await.unwrap();
    assert_eq!(counting.starts, 1);
    assert!(counting.counts == expected);
}
