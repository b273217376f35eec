//! What of a run can be undone and what cannot, counted, with the first keys of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use smol_str::SmolStr;

use crate::apply::Standing;
use crate::cli::output::{self, Style};
use crate::evidence::Item;
use crate::text;

/// What allows data to be seen again.
pub(super) const MARKERS: &str = "markers";

/// What allows that of markers which the log does not name.
pub(super) const FOUND: &str = "found-markers";

/// How many keys are named of each kind.
const FIRST: usize = 5;

/// Why something cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cannot {
    /// Its delete marker stands otherwise now.
    Marker(Standing),
    /// The log does not name its delete marker, as the answer that did was lost, and none that was put at
    /// the time is there.
    Unnamed,
    /// It was removed without a marker before it, or after its window.
    Deleted,
}

impl Cannot {
    const fn words(self) -> &'static str {
        match self {
            Self::Marker(standing) => standing.words(),
            Self::Unnamed => "the store's answer was lost, and no marker from then is on top",
            Self::Deleted => "removed by the run for good",
        }
    }
}

/// So many, and the first of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub count: u64,
    pub first: Vec<String>,
}

impl Counted {
    fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(name());
        }
    }

    fn lines(&self, indent: &str) -> Vec<String> {
        let shown = self.first.iter().map(|name| format!("{indent}{}", text::terminal(name)));
        let more = self.count.saturating_sub(self.first.len() as u64);
        let rest = (more > 0).then(|| format!("{indent}and {} more", text::count(more)));
        shown.chain(rest).collect()
    }
}

/// What of a run can be undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Delete markers that can be taken away.
    pub can: Counted,
    /// Delete markers that the log does not name, and that were found by listing.
    pub found: Counted,
    cannot: BTreeMap<Cannot, Counted>,
    /// Objects that were removed after a copy was made.
    pub copied: Counted,
}

impl Told {
    pub(super) fn can(&mut self, item: &Item) {
        self.can.add(|| address(item));
    }

    pub(super) fn found(&mut self, item: &Item) {
        self.found.add(|| address(item));
    }

    pub(super) fn cannot(&mut self, why: Cannot, item: &Item) {
        self.cannot.entry(why).or_default().add(|| address(item));
    }

    /// How many the store told nothing of.
    pub(super) fn unknown(&self) -> u64 {
        self.cannot.get(&Cannot::Marker(Standing::Unknown)).map_or(0, |some| some.count)
    }

    pub(super) fn copied(&mut self, item: &Item, copy: SmolStr) {
        self.copied.add(|| format!("{} → {copy}", address(item)));
    }

    /// For people.
    pub(super) fn print(&self, style: Style) {
        if self.can.count > 0 {
            let what = format!("{} can be made visible again", objects(self.can.count));
            output::print(&style.green(&what));
            self.can.lines("  ").iter().for_each(|line| output::print(line));
        }
        if self.found.count > 0 {
            let lead = format!("{} may have been hidden by the run: ", objects(self.found.count));
            let what = format!(
                "the store's answer was lost, and a marker from then lies on each; pass --accept {FOUND} if \
                 nobody else, nor another run, can have put it there"
            );
            output::print(&style.yellow(&output::wrap(&lead, &what)));
            self.found.lines("  ").iter().for_each(|line| output::print(line));
        }
        for (why, some) in &self.cannot {
            let lead = format!("{} cannot be undone: ", objects(some.count));
            output::print(&style.yellow(&output::wrap(&lead, why.words())));
            some.lines("  ").iter().for_each(|line| output::print(line));
        }
        if self.copied.count > 0 {
            output::print(&format!("{} were copied before they were removed", objects(self.copied.count)));
            self.copied.lines("  ").iter().for_each(|line| output::print(line));
        }
    }

    pub(super) fn json(&self) -> Value {
        let some = |some: &Counted| json!({ "count": some.count, "first": some.first });
        let cannot: Vec<Value> = self
            .cannot
            .iter()
            .map(|(why, these)| json!({ "why": why.words(), "count": these.count, "first": these.first }))
            .collect();
        json!({ "can": some(&self.can), "found": some(&self.found), "cannot": cannot, "copied": some(&self.copied) })
    }
}

fn objects(count: u64) -> String {
    format!("{} object{}", text::count(count), if count == 1 { "" } else { "s" })
}

fn address(item: &Item) -> String {
    format!("s3://{}/{}", item.bucket, item.key)
}
