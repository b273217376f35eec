//! The naive reading of the promise: one object, everything about it seen, and every way that
//! what nobody can know could turn out, tried one after the other.

use chrono::{DateTime, NaiveDate, Utc};
use shelflife::object::{Attributes, Kind, Lock};
use shelflife::policy::{Enforce, Erasure, Override, Policy, Rule};

use crate::dates::{self, Day, Sec, When};
use crate::facts::Facts;
use crate::selects::Cover;
use crate::terms::NEVER;

/// One object version with everything about it.
#[derive(Clone, Debug)]
pub struct Thing {
    pub bucket: String,
    pub key: String,
    pub kind: Kind,
    pub uploaded: Sec,
    pub superseded: Option<Sec>,
    pub newer_noncurrent: u32,
    pub alone: bool,
    /// `None` where nobody can know: of an upload, and of what a marker stands for.
    pub size: Option<u64>,
    pub content_type: String,
    pub metadata: Attributes,
    pub tags: Attributes,
    pub lock: Lock,
}

/// What the notice says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// In the words of the design.
    pub verdict: &'static str,
    pub due: Option<Sec>,
    /// Whether an erasure makes it expired, whether its rules do too or not.
    pub by_erasure: bool,
    /// The rules that cover it for certain.
    pub rules: Vec<usize>,
}

/// Everything that an answer depends on.
pub struct World<'a> {
    pub policy: &'a Policy,
    pub facts: &'a [Facts],
    pub thing: &'a Thing,
    pub now: Sec,
}

/// One way that a rule can turn out: when it is due, and until when a law keeps it from erasure.
type Turn = (Sec, Sec);

/// One way that all of it can turn out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    /// When it is due under the rules; never where none covers it.
    by_rules: Sec,
    /// Until when a law keeps it from erasure.
    law: Sec,
    is_covered: bool,
    /// Whether any of the rules that cover it does more than observe.
    acts: bool,
    /// When it is due by an erasure.
    erased: Sec,
}

impl Outcome {
    fn due(self) -> Sec {
        self.by_rules.min(self.erased.max(self.law))
    }

    /// Whether anybody removes it once it is due; of what no rule covers, an erasure.
    fn is_removed(self) -> bool {
        self.acts || !self.is_covered
    }
}

/// Decides `thing` at `now`.
pub fn answer(policy: &Policy, facts: &[Facts], thing: &Thing, now: Sec) -> Answer {
    World { policy, facts, thing, now }.answer()
}

/// Every date at which something changes, the ones that do not count too.
pub fn dates_of_interest(policy: &Policy, facts: &[Facts], thing: &Thing) -> Vec<Sec> {
    let world = World { policy, facts, thing, now: 0 };
    let rules = policy.rules.iter().enumerate();
    let turns = rules.flat_map(|(index, rule)| world.turns(index, rule)).flat_map(|(due, law)| [due, law]);
    let erased = policy.erasures.iter().map(|erasure| world.erased(erasure));
    let ends = policy.holds.iter().filter_map(|hold| hold.released);
    let ends = ends.chain(policy.overrides.iter().filter_map(|o| o.until)).map(|day| world.end_of(day));
    let unlocked = thing.lock.retain_until.map(seconds);
    let all = turns.chain(erased).chain(ends).chain(unlocked);
    all.filter(|date| *date != NEVER && *date != Sec::MIN).collect()
}

impl World<'_> {
    fn answer(&self) -> Answer {
        let rules = self.policy.rules.iter().enumerate();
        let covers: Vec<(usize, Cover)> = rules
            .map(|(index, rule)| (index, self.covers(&rule.select)))
            .filter(|(_, cover)| *cover != Cover::No)
            .collect();
        let erasures: Vec<(Sec, Cover)> = self
            .policy
            .erasures
            .iter()
            .filter(|erasure| self.is_about(erasure))
            .map(|erasure| (self.erased(erasure), self.covers(&erasure.select)))
            .filter(|(_, cover)| *cover != Cover::No)
            .collect();
        let outcomes = self.outcomes(&covers, &erasures);
        let is_removed: Vec<bool> = outcomes.iter().map(|outcome| outcome.is_removed()).collect();
        let dues: Vec<Sec> = outcomes.iter().map(|outcome| outcome.due()).collect();
        let (first, last) = (dues.iter().min().copied(), dues.iter().max().copied());

        let holds = self.policy.holds.iter();
        let holds = holds.filter(|hold| hold.released.is_none_or(|day| self.now < self.end_of(day)));
        let held = holds.map(|hold| self.holds(&hold.select)).max().unwrap_or(Cover::No);
        let lock = self.thing.lock;
        let is_locked = lock.legal_hold || lock.retain_until.is_some_and(|until| seconds(until) > self.now);
        let verdict = if held == Cover::Yes {
            "held"
        } else if is_locked {
            "locked"
        } else if covers.is_empty() && erasures.is_empty() {
            "unmatched"
        } else if dues.iter().all(|due| *due > self.now) {
            "retained"
        } else if dues.iter().any(|due| *due > self.now)
            || is_removed.iter().any(|is| *is != is_removed[0])
            || held == Cover::Maybe
        {
            "undecided"
        } else {
            "expired"
        };
        let is_expired = verdict == "expired";
        Answer {
            verdict,
            due: last.filter(|last| *last != NEVER && (is_expired || first == Some(*last))),
            by_erasure: is_expired
                && erasures.iter().any(|(due, cover)| *cover == Cover::Yes && *due <= self.now),
            rules: covers.iter().filter(|(_, cover)| *cover == Cover::Yes).map(|(index, _)| *index).collect(),
        }
    }

    /// Every way that it can turn out.
    fn outcomes(&self, covers: &[(usize, Cover)], erasures: &[(Sec, Cover)]) -> Vec<Outcome> {
        let start = Outcome { by_rules: NEVER, law: Sec::MIN, is_covered: false, acts: false, erased: NEVER };
        let mut found = vec![start];
        for (index, cover) in covers {
            let rule = &self.policy.rules[*index];
            let mut next = if *cover == Cover::Maybe { found.clone() } else { Vec::new() };
            for turn in self.turns(*index, rule) {
                next.extend(found.iter().map(|before| Outcome {
                    by_rules: if before.is_covered { before.by_rules.max(turn.0) } else { turn.0 },
                    law: before.law.max(turn.1),
                    is_covered: true,
                    acts: before.acts || rule.enforce != Enforce::Observe,
                    erased: NEVER,
                }));
            }
            found = next;
            found.sort_unstable();
            found.dedup();
        }
        for (due, cover) in erasures {
            let erased = |before: &Outcome| Outcome { erased: before.erased.min(*due), ..*before };
            let next: Vec<Outcome> = found.iter().map(erased).collect();
            if *cover == Cover::Yes {
                found = next;
            } else {
                found.extend(next);
            }
        }
        found
    }

    /// Every way that a rule that covers it can turn out.
    fn turns(&self, index: usize, rule: &Rule) -> Vec<Turn> {
        let thing = self.thing;
        let after = |from: Sec, months: u32, days: u32| {
            dates::midnight(match When::At(from).plus(months, days) {
                When::At(at) | When::Whole(at) => at,
            })
        };
        if thing.kind == Kind::Marker && thing.alone {
            let due = match (thing.superseded, rule.noncurrent) {
                (Some(superseded), Some(noncurrent)) => {
                    after(superseded, noncurrent.retain.months, noncurrent.retain.days)
                }
                _ => after(thing.uploaded, 0, 0),
            };
            return vec![(due, Sec::MIN)];
        }
        if thing.kind == Kind::Marker && thing.superseded.is_none() {
            return vec![(NEVER, Sec::MIN)];
        }
        let by_trigger = self.by_trigger(index, rule);
        let fixed = match (thing.superseded, rule.noncurrent, rule.incomplete_uploads) {
            (Some(_), Some(noncurrent), _) if thing.newer_noncurrent < noncurrent.newer_versions => NEVER,
            (Some(superseded), Some(noncurrent), _) => {
                after(superseded, noncurrent.retain.months, noncurrent.retain.days)
            }
            (_, _, Some(period)) if thing.kind == Kind::Upload => {
                after(thing.uploaded, period.months, period.days)
            }
            _ => return by_trigger,
        };
        // A law keeps it from erasure, but no longer than the rule that the law is about.
        by_trigger.into_iter().map(|(_, law)| (fixed, law.min(fixed))).collect()
    }

    /// With every choice of the overrides that may apply, and with the trigger's date as early and
    /// as late as it can be.
    fn by_trigger(&self, index: usize, rule: &Rule) -> Vec<Turn> {
        let runs = |months: u32, days: u32| {
            self.leads(&rule.trigger, &|when| when.plus(months, days).rounded_up(self.policy.timezone))
                .bounds()
        };
        let mut choices: Vec<Vec<&Override>> = vec![Vec::new()];
        let overrides = self.policy.overrides.iter();
        for o in
            overrides.filter(|o| o.rule == index && o.until.is_none_or(|day| self.now < self.end_of(day)))
        {
            let cover = self.applies(o);
            if cover == Cover::No {
                continue;
            }
            let with: Vec<Vec<&Override>> =
                choices.iter().map(|before| [before.as_slice(), &[o]].concat()).collect();
            if cover == Cover::Yes {
                choices = with;
            } else {
                choices.extend(with);
            }
        }
        let mut found = Vec::new();
        for chosen in choices {
            let runs_of = |o: &&Override| runs(o.retain.months, o.retain.days);
            let all: Vec<[Sec; 2]> = chosen.iter().map(runs_of).collect();
            let laws: Vec<[Sec; 2]> =
                chosen.iter().filter(|o| o.legal_basis.is_some()).map(runs_of).collect();
            for bound in [0, 1] {
                let due = all.iter().map(|dues| dues[bound]).max();
                found.push((
                    due.unwrap_or_else(|| runs(rule.retain.months, rule.retain.days)[bound]),
                    laws.iter().map(|dues| dues[bound]).max().unwrap_or(Sec::MIN),
                ));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn applies(&self, o: &Override) -> Cover {
        let owner = self.owner();
        let is_named = |named: &Vec<String>| owner.as_ref().is_some_and(|owner| named.contains(owner));
        if !o.tenants.as_ref().is_none_or(is_named) {
            return Cover::No;
        }
        let Some(condition) = &o.condition else { return Cover::Yes };
        match self.field(condition.table, &condition.column) {
            Some(Some(text)) if condition.is.contains(&text) => Cover::Yes,
            // Another spelling, none, or what a broken export leaves: it says no more than an empty field.
            Some(Some(text)) if condition.is.iter().any(|is| is.eq_ignore_ascii_case(&text)) => Cover::Maybe,
            Some(Some(text)) if ["NULL", "?", "DE\u{200b}"].contains(&text.as_str()) => Cover::Maybe,
            Some(Some(_)) => Cover::No,
            // An empty field has yet to be filled in, so that it says no more than none.
            Some(None) | None => Cover::Maybe,
        }
    }

    /// Whether a request is about it: about what was there by the end of its day, and about what
    /// a marker is left of, but not about a marker that hides versions.
    fn is_about(&self, erasure: &Erasure) -> bool {
        let thing = self.thing;
        match thing.kind {
            Kind::Marker if thing.alone => true,
            Kind::Marker if thing.superseded.is_none() => false,
            _ => {
                let next = number(erasure.requested) + 1;
                thing.uploaded < dates::day_start(next, self.policy.timezone)
            }
        }
    }

    fn erased(&self, erasure: &Erasure) -> Sec {
        dates::midnight(self.end_of(erasure.requested))
    }

    fn end_of(&self, day: NaiveDate) -> Sec {
        dates::day_end(number(day), self.policy.timezone)
    }
}

pub fn seconds(at: DateTime<Utc>) -> Sec {
    at.timestamp()
}

fn number(day: NaiveDate) -> Day {
    let text = day.to_string();
    match dates::read(&text, chrono_tz::UTC) {
        Some(When::Whole(day)) => day,
        other => panic!("{text} is {other:?}"),
    }
}
