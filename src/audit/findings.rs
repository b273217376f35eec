//! What an audit found, counted. However many objects there are, this stays small: everything is
//! counted by what a policy or a configuration names, and beyond that by a limited number of prefixes.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::decide::Verdict;
use crate::lifecycle::Effect;
use crate::plan::{Disposal, Tally};

/// Steps of lateness, in days: up to these, and more.
pub const LATE_STEPS: [i64; 3] = [3, 7, 30];

/// How many prefixes without a rule are told apart in a bucket.
const PREFIXES: usize = 20;

/// How many are kept while it is listed. Keys come from several ranges at once: with more prefixes than these,
/// one that is given up may come again, and then counts for less than it has.
const PREFIXES_HELD: usize = 20_000;

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is due longer than the tolerance allows, and still there.
    pub overdue: BTreeMap<LateRule, Late>,
    /// What is due, within the tolerance.
    pub waiting: BTreeMap<LateRule, Late>,
    /// What is due under rules that are only observed.
    pub observed: BTreeMap<LateRule, Late>,
    /// What S3 would do to things that are to stay then.
    pub early: BTreeMap<EarlyRule, Early>,
    /// All that this breaks the promise for, each thing once whatever the number of rules.
    pub early_total: Tally,
    /// What is held, locked or undecided.
    pub kept: BTreeMap<Kept, Tally>,
    /// What is not due yet, by bucket.
    pub retained: BTreeMap<String, Tally>,
    /// What no rule covers, by bucket.
    pub no_rule: BTreeMap<String, NoRule>,
    /// Delete markers that are all that is left of their key, by bucket.
    pub lone_markers: BTreeMap<String, Tally>,
    /// Lifecycle rules that are not set up as the policy says.
    pub unset: Vec<Unset>,
}

/// Under what, and by whom, something is to be removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LateRule {
    /// The bucket.
    pub bucket: String,
    /// The rule that keeps longest; `None` where an erasure alone makes it due.
    pub rule: Option<String>,
    /// The request to erase that it goes by.
    pub erasure: Option<String>,
    /// Who is to remove it.
    pub remover: Remover,
}

/// Who is to remove what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remover {
    /// S3 does.
    S3,
    /// Shelflife does.
    Shelflife,
    /// Nobody does, for this reason.
    Nobody(Disposal),
}

/// Something that is due and still there.
#[derive(Clone, Debug)]
pub struct Late {
    /// How much.
    pub tally: Tally,
    /// How long after its due date, at most.
    pub longest: TimeDelta,
    /// How many are late by each of [`LATE_STEPS`], and by more.
    pub steps: [u64; LATE_STEPS.len() + 1],
    /// The key that is latest.
    pub example: String,
}

/// What S3 would do, by which of its rules, to what kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EarlyRule {
    /// The bucket.
    pub bucket: String,
    /// The lifecycle rule's id.
    pub lifecycle_rule: String,
    /// Whether it is the policy's.
    pub is_ours: bool,
    /// What it does.
    pub effect: Effect,
    /// What is decided of the thing for that date.
    pub verdict: Verdict,
    /// Whether the rule takes it for certain.
    pub is_certain: bool,
    /// Whether only rules that are observed keep it.
    pub is_observed: bool,
    /// Whether it is the store that says so, and not our reading of its configuration.
    pub by_store: bool,
}

impl EarlyRule {
    /// Whether the promise is broken. What is locked is only hidden, what is observed not promised.
    pub fn is_breach(&self) -> bool {
        self.is_certain && !self.is_observed && self.verdict != Verdict::Locked
    }
}

/// How much S3 would remove early.
#[derive(Clone, Debug)]
pub struct Early {
    /// How much; `oldest_due` is the first due date that is known.
    pub tally: Tally,
    /// The one that S3 would remove first.
    pub example: Example,
}

/// One object that stands for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its key.
    pub key: String,
    /// Its version.
    pub version_id: Option<String>,
    /// When S3 may do it.
    pub when: DateTime<Utc>,
    /// When it is due, where that is known.
    pub due: Option<DateTime<Utc>>,
    /// Why it is to stay until then.
    pub why: String,
}

/// What stays, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The bucket.
    pub bucket: String,
    /// `Held`, `Locked` or `Undecided`.
    pub verdict: Verdict,
    /// The first reason.
    pub why: String,
}

/// What no rule covers in a bucket.
#[derive(Clone, Debug, Default)]
pub struct NoRule {
    prefixes: BTreeMap<String, Tally>,
    others: Tally,
    other_prefixes: u64,
}

/// A lifecycle rule of the policy's that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unset {
    /// The bucket.
    pub bucket: String,
    /// Its id.
    pub id: String,
    /// The policy's rule.
    pub rule: String,
    /// What `reconcile` would do: `added`, `widened`, `narrowed`, `changed`, `removed` or `enabled`.
    pub change: &'static str,
    /// What it does now.
    pub now: Option<String>,
    /// What it should do.
    pub wanted: Option<String>,
}

impl Findings {
    /// Whether the notice is kept.
    pub fn is_kept(&self) -> bool {
        self.overdue.is_empty() && !self.early.keys().any(EarlyRule::is_breach)
    }

    /// Counts one thing that S3 would remove early.
    pub fn add_early(&mut self, rule: EarlyRule, bytes: u64, example: Example) {
        let due = example.due;
        let found = self
            .early
            .entry(rule)
            .or_insert_with(|| Early { tally: Tally::default(), example: example.clone() });
        found.tally.add(bytes, due);
        if (example.when, &example.key) < (found.example.when, &found.example.key) {
            found.example = example;
        }
    }
}

impl Late {
    /// Counts one thing that is due since `due`.
    pub fn add(
        into: &mut BTreeMap<LateRule, Self>,
        rule: LateRule,
        late: TimeDelta,
        key: &str,
        bytes: u64,
        due: DateTime<Utc>,
    ) {
        let found = into.entry(rule).or_insert_with(|| Self {
            tally: Tally::default(),
            longest: TimeDelta::MIN,
            steps: [0; LATE_STEPS.len() + 1],
            example: String::new(),
        });
        found.tally.add(bytes, Some(due));
        let step = LATE_STEPS.iter().position(|days| late <= TimeDelta::days(*days));
        found.steps[step.unwrap_or(LATE_STEPS.len())] += 1;
        // Keys come in no order: of those that are as late the first is shown, on every run.
        if late > found.longest || (late == found.longest && *key < *found.example) {
            found.longest = late;
            key.clone_into(&mut found.example);
        }
    }
}

impl Remover {
    /// Who removes what is disposed of like this; `None` for what is only observed.
    pub const fn of(disposal: Disposal) -> Option<Self> {
        match disposal {
            Disposal::LeftToS3 | Disposal::Swept => Some(Self::S3),
            Disposal::Direct | Disposal::Marked | Disposal::InUndoWindow => Some(Self::Shelflife),
            Disposal::MfaDelete
            | Disposal::Null
            | Disposal::HidesVersions
            | Disposal::Refused
            | Disposal::NoUndo
            | Disposal::NoExport => Some(Self::Nobody(disposal)),
            Disposal::Observed => None,
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Shelflife => "Shelflife",
            Self::Nobody(disposal) => disposal.words(),
        }
    }
}

impl NoRule {
    /// Counts one thing under the part of its key that ends in the first slash.
    pub fn add(&mut self, key: &str, bytes: u64) {
        let prefix =
            key.split_inclusive('/').next().filter(|prefix| prefix.ends_with('/')).unwrap_or_default();
        match self.prefixes.get_mut(prefix) {
            Some(tally) => tally.add(bytes, None),
            None => {
                self.shrink_below(PREFIXES_HELD);
                self.prefixes.entry(prefix.to_owned()).or_default().add(bytes, None);
            }
        }
    }

    /// The prefixes with the most objects, the largest first; then all others: how many prefixes
    /// they have, and how much they hold.
    pub fn largest(&self) -> (Vec<(&str, Tally)>, u64, Tally) {
        let mut sorted: Vec<(&str, Tally)> =
            self.prefixes.iter().map(|(prefix, tally)| (prefix.as_str(), *tally)).collect();
        sorted.sort_by_key(|(prefix, tally)| (std::cmp::Reverse(tally.objects), *prefix));
        let mut others = self.others;
        let dropped = sorted.split_off(PREFIXES.min(sorted.len()));
        dropped.iter().for_each(|(_, tally)| others.merge(*tally));
        (sorted, self.other_prefixes + dropped.len() as u64, others)
    }

    /// All of it.
    pub fn total(&self) -> Tally {
        self.prefixes.values().fold(self.others, |mut total, tally| {
            total.merge(*tally);
            total
        })
    }

    /// Makes room where there are as many as `most`: half of them, and whatever has no more than the largest of
    /// those, for to look for the smallest takes looking at all.
    fn shrink_below(&mut self, most: usize) {
        if self.prefixes.len() < most {
            return;
        }
        let mut objects: Vec<u64> = self.prefixes.values().map(|tally| tally.objects).collect();
        let (_, middle, _) = objects.select_nth_unstable((most / 2).min(self.prefixes.len() - 1));
        let middle = *middle;
        let (others, other_prefixes) = (&mut self.others, &mut self.other_prefixes);
        self.prefixes.retain(|_, tally| {
            let stays = tally.objects > middle;
            if !stays {
                others.merge(*tally);
                *other_prefixes += 1;
            }
            stays
        });
    }
}
