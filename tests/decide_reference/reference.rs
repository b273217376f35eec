//! The naive reading of the promise: one object, everything about it seen, one date.

use chrono::{DateTime, Utc};
use shelflife::calendar::Period;
use shelflife::object::{Attributes, Kind, Lock};
use shelflife::policy::{Attribute, By, IfMissing, Outside, Policy, Rule, Select, Source, Trigger};
use shelflife::records::{Records, Row};

use crate::dates::{self, DAY, Day, Sec, When};
use crate::glob;

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
}

/// What an unknown date could still turn out to mean, as a set.
type Could = u8;
const EXPIRED: Could = 1;
const KEPT: Could = 2;
const ABSENT: Could = 4;

/// What a trigger leads to.
#[derive(Clone, Copy, Debug)]
enum Leads {
    Due(Sec),
    Never,
    /// Nothing there; what it could mean once something is.
    Absent(Could),
    Unknown(Could),
}

struct World<'a> {
    policy: &'a Policy,
    records: &'a Records,
    thing: &'a Thing,
    now: Sec,
}

/// Decides `thing` at `now`.
pub fn answer(policy: &Policy, records: &Records, thing: &Thing, now: Sec) -> Answer {
    let world = World { policy, records, thing, now };
    let covering: Vec<Leads> = policy
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| world.covers(&rule.select, &world.owner().into_iter().collect::<Vec<_>>()))
        .map(|(index, rule)| world.under(index, rule))
        .collect();
    let due = covering
        .iter()
        .map(|leads| match leads {
            Leads::Due(due) => Some(*due),
            _ => None,
        })
        .collect::<Option<Vec<Sec>>>()
        .and_then(|dues| dues.into_iter().max());

    let held = policy.holds.iter().any(|hold| {
        hold.released.is_none_or(|day| now < dates::day_end(number(day), policy.timezone))
            && world.covers(&hold.select, &world.tenants())
    });
    let locked = thing.lock.legal_hold || thing.lock.retain_until.is_some_and(|until| seconds(until) > now);
    let could: Vec<Could> = covering.iter().map(|leads| world.could(*leads)).collect();
    let verdict = if held {
        "held"
    } else if locked {
        "locked"
    } else if covering.is_empty() {
        "unmatched"
    } else if could.iter().any(|could| could & EXPIRED == 0) {
        "retained"
    } else if could.iter().any(|could| *could != EXPIRED) {
        "undecided"
    } else {
        "expired"
    };
    Answer { verdict, due }
}

/// Every due date that some rule gives, the ones that do not count too.
pub fn dates_of_interest(policy: &Policy, records: &Records, thing: &Thing) -> Vec<Sec> {
    let world = World { policy, records, thing, now: 0 };
    let rules = policy.rules.iter().enumerate();
    let dues = rules.filter_map(|(index, rule)| match world.under(index, rule) {
        Leads::Due(due) => Some(due),
        _ => None,
    });
    let ends = policy.holds.iter().filter_map(|hold| hold.released);
    let ends = ends.chain(policy.overrides.iter().filter_map(|o| o.until));
    let ends = ends.map(|day| dates::day_end(number(day), policy.timezone));
    let unlocked = thing.lock.retain_until.map(seconds);
    dues.chain(ends).chain(unlocked).collect()
}

impl World<'_> {
    fn owner(&self) -> Option<String> {
        self.tenants().into_iter().next()
    }

    /// What every tenant source names, in their order.
    fn tenants(&self) -> Vec<String> {
        self.policy.tenant.iter().filter_map(|source| self.read(source, "tenant")).collect()
    }

    fn read(&self, attribute: &Attribute, capture: &str) -> Option<String> {
        let text = match attribute {
            Attribute::Metadata(name) => self.thing.metadata.get(name).cloned(),
            Attribute::Tag(name) => self.thing.tags.get(name).cloned(),
            Attribute::Key(pattern) => {
                let captured = glob::captures(pattern.as_str(), &self.thing.key)?;
                captured.into_iter().find(|(name, _)| name == capture).map(|(_, text)| text)
            }
        };
        text.filter(|text| !text.is_empty())
    }

    fn covers(&self, select: &Select, tenants: &[String]) -> bool {
        let buckets = select.buckets.iter().map(|bucket| bucket.as_str());
        (select.buckets.is_empty() || buckets.into_iter().any(|b| glob::matches(b, &self.thing.bucket)))
            && select.prefix.as_ref().is_none_or(|prefix| self.thing.key.starts_with(prefix))
            && select.key.as_ref().is_none_or(|key| glob::matches(key.as_str(), &self.thing.key))
            && select.tenants.as_ref().is_none_or(|named| named.iter().any(|name| tenants.contains(name)))
    }

    fn under(&self, index: usize, rule: &Rule) -> Leads {
        let thing = self.thing;
        let after = |from: Sec, period: Period| {
            Leads::Due(dates::midnight(match When::At(from).plus(period.months, period.days) {
                When::At(at) | When::Whole(at) => at,
            }))
        };
        if thing.kind == Kind::Marker && thing.alone {
            return after(thing.uploaded, Period::default());
        }
        if thing.kind == Kind::Marker && thing.superseded.is_none() {
            return Leads::Never;
        }
        if let (Some(superseded), Some(noncurrent)) = (thing.superseded, rule.noncurrent) {
            return if thing.newer_noncurrent < noncurrent.newer_versions {
                Leads::Never
            } else {
                after(superseded, noncurrent.retain)
            };
        }
        if let (Kind::Upload, Some(period)) = (thing.kind, rule.incomplete_uploads) {
            return after(thing.uploaded, period);
        }
        let owner = self.owner();
        let overrides = self.policy.overrides.iter().filter(|o| {
            o.rule == index
                && o.until.is_none_or(|day| self.now < dates::day_end(number(day), self.policy.timezone))
                && owner.as_ref().is_some_and(|owner| o.tenants.contains(owner))
        });
        let led: Vec<Leads> = overrides.map(|o| self.runs(&rule.trigger, o.retain)).collect();
        led.into_iter().reduce(latest).unwrap_or_else(|| self.runs(&rule.trigger, rule.retain))
    }

    fn runs(&self, trigger: &Trigger, period: Period) -> Leads {
        self.leads(trigger, &|when| when.plus(period.months, period.days).rounded_up(self.policy.timezone))
    }

    fn could(&self, leads: Leads) -> Could {
        match leads {
            Leads::Due(due) if due <= self.now => EXPIRED,
            Leads::Due(_) | Leads::Never => KEPT,
            // Nothing there and no word what that means: unknown, and so never simply expired.
            Leads::Absent(could) | Leads::Unknown(could) => could | KEPT,
        }
    }

    fn leads(&self, trigger: &Trigger, due: &dyn Fn(When) -> Sec) -> Leads {
        match &trigger.source {
            Source::Uploaded => Leads::Due(due(When::At(self.thing.uploaded))),
            Source::Attribute(Attribute::Key(pattern)) => {
                let spelt = glob::captures(pattern.as_str(), &self.thing.key);
                self.leaf(trigger, spelt.map(|captured| self.spelt(&captured)), due)
            }
            Source::Attribute(attribute) => {
                let text = self.read(attribute, "");
                let zone = self.policy.timezone;
                self.leaf(trigger, text.map(|text| dates::read(&text, zone)), due)
            }
            Source::Record { table, column } => match self.field(*table, column) {
                Some(text) => {
                    let zone = self.policy.timezone;
                    self.leaf(trigger, text.map(|text| dates::read(&text, zone)), due)
                }
                None => {
                    let may_be_absent = if trigger.if_missing.is_none() { ABSENT } else { 0 };
                    Leads::Unknown(self.any_admitted(trigger, due) | may_be_absent)
                }
            },
            Source::Earliest(terms) => {
                let led: Vec<Leads> = terms
                    .iter()
                    .map(|term| {
                        let plus = term.plus.unwrap_or_default();
                        self.leads(&term.trigger, &|when| due(when.plus(plus.months, plus.days)))
                    })
                    .collect();
                self.earliest(trigger, &led, due)
            }
        }
    }

    /// The last moment that the fields in a key can mean.
    fn spelt(&self, captured: &[(String, String)]) -> Option<When> {
        let field = |name: &str| -> Option<u32> {
            captured.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok())
        };
        let year = field("yyyy")? as i32;
        let day = dates::day_of((year, field("MM")?, field("dd")?))?;
        if year < 2000 {
            return None;
        }
        let Some(hour) = field("HH") else { return Some(When::Whole(day)) };
        let (minute, second) = (field("mm").unwrap_or(59), field("ss").unwrap_or(59));
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let local = day * DAY + i64::from(hour * 3600 + minute * 60 + second);
        Some(When::At(dates::later(local, self.policy.timezone)))
    }

    /// The field of the object's row: unknown, or empty, or a text.
    fn field(&self, table: usize, column: &str) -> Option<Option<String>> {
        let id = match &self.policy.tables[table].by {
            By::Tenant => self.owner()?,
            By::Attribute(attribute) => self.read(attribute, "id")?,
        };
        let table = self.records.tables.get(table)?;
        if table.unusable.is_some() {
            return None;
        }
        let place = table.columns.iter().position(|name| name == column)?;
        match table.rows.get(&id)? {
            Row::Duplicate => None,
            Row::Once(values) => Some(values.get(place)?.as_deref().map(str::to_owned)),
        }
    }

    /// `read` is `None` if there is nothing, `Some(None)` if what is there is no date.
    fn leaf(&self, trigger: &Trigger, read: Option<Option<When>>, due: &dyn Fn(When) -> Sec) -> Leads {
        let uploaded = self.thing.uploaded;
        let (_, to) = self.window(trigger);
        match read {
            None => match trigger.if_missing {
                Some(IfMissing::Uploaded) => Leads::Due(due(When::At(uploaded))),
                Some(IfMissing::Retained) => Leads::Never,
                Some(IfMissing::Undecided) => Leads::Unknown(self.any_admitted(trigger, due)),
                None => Leads::Absent(self.any_admitted(trigger, due)),
            },
            Some(Some(when)) if self.admits(trigger, when) => Leads::Due(due(when)),
            Some(_) => match (trigger.outside, to) {
                (Outside::Clamp, Some(to)) => Leads::Due(due(When::At(to))),
                _ => Leads::Unknown(self.any_admitted(trigger, due)),
            },
        }
    }

    fn window(&self, trigger: &Trigger) -> (Option<Sec>, Option<Sec>) {
        let within = trigger.within;
        let before =
            within.and_then(|within| within.before).map(|before| self.thing.uploaded - before as i64);
        let after = within.and_then(|within| within.after).map(|after| self.thing.uploaded + after as i64);
        (before, after)
    }

    fn admits(&self, trigger: &Trigger, when: When) -> bool {
        let (from, to) = self.window(trigger);
        match when {
            When::At(at) => from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to),
            When::Whole(day) => {
                let zone = self.policy.timezone;
                from.is_none_or(|from| dates::day_end(day, zone) > from)
                    && to.is_none_or(|to| dates::day_start(day, zone) <= to)
            }
        }
    }

    /// What some admitted date leads to: every date near the start of the window is tried.
    fn any_admitted(&self, trigger: &Trigger, due: &dyn Fn(When) -> Sec) -> Could {
        let (Some(from), _) = self.window(trigger) else { return EXPIRED | KEPT };
        let first: Day = from.div_euclid(DAY);
        let instants = [from, from + 1].into_iter().chain((first..first + 5).map(|day| day * DAY));
        let days = first - 2..first + 5;
        let expired = instants
            .map(When::At)
            .chain(days.map(When::Whole))
            .filter(|when| self.admits(trigger, *when))
            .any(|when| due(when) <= self.now);
        KEPT | if expired { EXPIRED } else { 0 }
    }

    fn earliest(&self, trigger: &Trigger, led: &[Leads], due: &dyn Fn(When) -> Sec) -> Leads {
        let later = led
            .iter()
            .map(|leads| match leads {
                Leads::Absent(could) | Leads::Unknown(could) => could & !ABSENT,
                Leads::Due(_) | Leads::Never => self.could(*leads),
            })
            .fold(0, |all, could| all | could);
        let nothing = match trigger.if_missing {
            Some(IfMissing::Uploaded) => Leads::Due(due(When::At(self.thing.uploaded))),
            Some(IfMissing::Retained) => Leads::Never,
            Some(IfMissing::Undecided) => Leads::Unknown(later),
            None => Leads::Absent(later),
        };
        if led.iter().any(|leads| matches!(leads, Leads::Unknown(_))) {
            let mut could = ABSENT;
            for leads in led {
                let term = match leads {
                    Leads::Unknown(term) => *term,
                    Leads::Absent(_) => ABSENT,
                    known => self.could(*known),
                };
                could = every_pair(could, term);
            }
            let if_nothing = match (could & ABSENT, nothing) {
                (0, _) => 0,
                (_, Leads::Absent(_)) => ABSENT,
                (_, nothing) => self.could(nothing),
            };
            return Leads::Unknown(could & !ABSENT | if_nothing);
        }
        let dues = led.iter().filter_map(|leads| match leads {
            Leads::Due(due) => Some(*due),
            _ => None,
        });
        match dues.min() {
            Some(due) => Leads::Due(due),
            None if led.iter().any(|leads| matches!(leads, Leads::Never)) => Leads::Never,
            None => nothing,
        }
    }
}

/// What the earliest of two terms could mean, whichever of its meanings each takes.
fn every_pair(a: Could, b: Could) -> Could {
    let mut found = 0;
    for x in [EXPIRED, KEPT, ABSENT].into_iter().filter(|x| a & x != 0) {
        for y in [EXPIRED, KEPT, ABSENT].into_iter().filter(|y| b & y != 0) {
            found |= x.min(y);
        }
    }
    found
}

/// Of two overrides the one with the latest due date.
fn latest(a: Leads, b: Leads) -> Leads {
    match (a, b) {
        (Leads::Due(a), Leads::Due(b)) => Leads::Due(a.max(b)),
        (Leads::Unknown(a), Leads::Unknown(b)) => Leads::Unknown(a & b),
        (Leads::Absent(a), Leads::Absent(b)) => Leads::Absent(a & b),
        (a, _) => a,
    }
}

pub fn seconds(at: DateTime<Utc>) -> Sec {
    at.timestamp()
}

fn number(day: chrono::NaiveDate) -> Day {
    let text = day.to_string();
    match dates::read(&text, chrono_tz::UTC) {
        Some(When::Whole(day)) => day,
        other => panic!("{text} is {other:?}"),
    }
}
