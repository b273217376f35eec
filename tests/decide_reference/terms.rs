//! What a trigger leads to, term by term.

use shelflife::policy::{Attribute, By, IfMissing, Outside, Source, Trigger};

use crate::dates::{self, DAY, Day, Sec, When};
use crate::glob;
use crate::reference::World;

/// Later than everything.
pub const NEVER: Sec = Sec::MAX;
/// Earlier than everything.
const ANY_TIME: Sec = Sec::MIN;

/// What a trigger leads to.
#[derive(Clone, Debug)]
pub enum Leads {
    /// This date, or [`NEVER`].
    Due(Sec),
    /// Nothing there, in a term that leaves it to the larger trigger what that means. Were
    /// something there, it would be due no earlier than this.
    Absent(Sec),
    /// It cannot be known; each of these is possible, `None` is that nothing is there. Were
    /// something there, it would be due no earlier than the date.
    Unknown(Vec<Option<Sec>>, Sec),
}

impl Leads {
    fn possible(&self) -> Vec<Option<Sec>> {
        match self {
            Self::Due(due) => vec![Some(*due)],
            Self::Absent(_) => vec![None],
            Self::Unknown(possible, _) => possible.clone(),
        }
    }

    /// It is due no earlier than this, even if what is not there yet comes to be there.
    fn at_the_earliest(&self) -> Sec {
        match self {
            Self::Due(due) => *due,
            Self::Absent(from) | Self::Unknown(_, from) => *from,
        }
    }

    /// The earliest and the latest that a rule can make of it.
    pub fn bounds(&self) -> [Sec; 2] {
        match self {
            Self::Due(due) => [*due, *due],
            Self::Absent(from) => [*from, NEVER],
            Self::Unknown(possible, from) => {
                [possible.iter().flatten().copied().min().unwrap_or(*from), NEVER]
            }
        }
    }
}

type Due<'d> = &'d dyn Fn(When) -> Sec;
/// What some terms lead to together; `None` is that nothing is there.
type Together<'t> = &'t dyn Fn(&[Option<Sec>]) -> Option<Sec>;

impl World<'_> {
    pub fn leads(&self, trigger: &Trigger, due: Due<'_>) -> Leads {
        let zone = self.policy.timezone;
        let format = trigger.format.as_ref().map(ToString::to_string);
        let read = |text: String| dates::read_as(format.as_deref(), &text, zone);
        match &trigger.source {
            Source::Uploaded => Leads::Due(due(When::At(self.thing.uploaded))),
            Source::Attribute(Attribute::Key(pattern)) => {
                let spelt = glob::captures(pattern.as_str(), &self.thing.key);
                let is_clear = !glob::is_unclear(pattern.as_str(), &self.thing.key);
                let spelt = spelt.map(|captured| self.spelt(&captured).filter(|_| is_clear));
                self.leaf(trigger, spelt, due)
            }
            Source::Attribute(attribute) => self.leaf(trigger, self.read(attribute, "").map(read), due),
            Source::Record { table, column } => match self.field(*table, column) {
                Some(text) => self.leaf(trigger, text.map(read), due),
                None => {
                    let from = self.first_admitted(trigger, due);
                    let mut possible = vec![Some(from), Some(NEVER)];
                    if trigger.if_missing.is_none() {
                        possible.push(None);
                    }
                    Leads::Unknown(possible, from)
                }
            },
            Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
                let led: Vec<Leads> = terms
                    .iter()
                    .map(|term| {
                        let plus = term.plus.unwrap_or_default();
                        self.leads(&term.trigger, &|when| due(when.plus(plus.months, plus.days)))
                    })
                    .collect();
                self.together(trigger, &led, due)
            }
        }
    }

    fn together(&self, trigger: &Trigger, led: &[Leads], due: Due<'_>) -> Leads {
        let at_the_earliest = led.iter().map(Leads::at_the_earliest);
        match &trigger.source {
            Source::Latest(_) => {
                let latest: Together<'_> =
                    &|dues| dues.iter().copied().collect::<Option<Vec<Sec>>>()?.into_iter().max();
                self.all_of(trigger, led, due, latest, at_the_earliest.max().unwrap_or(ANY_TIME))
            }
            Source::First(_) => {
                // What stands behind one that is there for certain plays no part.
                let there = led.iter().position(|leads| matches!(leads, Leads::Due(_)));
                let led = &led[..there.map_or(led.len(), |there| there + 1)];
                let first: Together<'_> = &|dues| dues.iter().flatten().next().copied();
                self.all_of(trigger, led, due, first, at_the_earliest.min().unwrap_or(ANY_TIME))
            }
            _ => {
                let earliest: Together<'_> = &|dues| dues.iter().flatten().min().copied();
                self.all_of(trigger, led, due, earliest, at_the_earliest.min().unwrap_or(ANY_TIME))
            }
        }
    }

    /// Where one is unknown the whole is; what it could be is tried out.
    fn all_of(
        &self,
        trigger: &Trigger,
        led: &[Leads],
        due: Due<'_>,
        together: Together<'_>,
        from: Sec,
    ) -> Leads {
        let nothing = self.nothing(trigger, due, from);
        let mut tried: Vec<Vec<Option<Sec>>> = vec![Vec::new()];
        for leads in led {
            let possible = leads.possible();
            tried = tried
                .iter()
                .flat_map(|before| possible.iter().map(move |one| [before.as_slice(), &[*one]].concat()))
                .collect();
        }
        // Were there what is not, the latest would still be no earlier than the others.
        let instead = |one: &[Option<Sec>]| match (&trigger.source, &nothing) {
            (Source::Latest(_), Leads::Due(due)) => {
                Leads::Due(one.iter().flatten().copied().fold(*due, Sec::max))
            }
            _ => nothing.clone(),
        };
        if !led.iter().any(|leads| matches!(leads, Leads::Unknown(..))) {
            return together(&tried[0]).map_or_else(|| instead(&tried[0]), Leads::Due);
        }
        let mut possible = vec![Some(NEVER)];
        for one in &tried {
            match together(one) {
                Some(due) => possible.push(Some(due)),
                None => possible.extend(instead(one).possible()),
            }
        }
        if let (Leads::Absent(from), Source::Latest(_)) = (&nothing, &trigger.source)
            && possible.contains(&None)
        {
            // An unknown term outweighs an absent one, which may be there after all.
            possible.push(Some(*from));
        }
        possible.sort_unstable();
        possible.dedup();
        let lowest = possible.iter().flatten().copied().min().unwrap_or(from);
        let from = if possible.contains(&None) { lowest.min(from) } else { lowest };
        Leads::Unknown(possible, from)
    }

    fn nothing(&self, trigger: &Trigger, due: Due<'_>, from: Sec) -> Leads {
        match trigger.if_missing {
            Some(IfMissing::Uploaded) => Leads::Due(due(When::At(self.thing.uploaded))),
            Some(IfMissing::Retained) => Leads::Due(NEVER),
            Some(IfMissing::Undecided) => Leads::Unknown(vec![Some(from), Some(NEVER)], from),
            None => Leads::Absent(from),
        }
    }

    /// `read` is `None` if there is nothing, `Some(None)` if what is there is no date.
    fn leaf(&self, trigger: &Trigger, read: Option<Option<When>>, due: Due<'_>) -> Leads {
        let (_, to) = self.window(trigger);
        match read {
            None => self.nothing(trigger, due, self.first_admitted(trigger, due)),
            Some(Some(when)) if self.admits(trigger, when) => Leads::Due(due(when)),
            Some(_) => match (trigger.outside, to) {
                (Outside::Clamp, Some(to)) => Leads::Due(due(When::At(to))),
                _ => {
                    let from = self.first_admitted(trigger, due);
                    Leads::Unknown(vec![Some(from), Some(NEVER)], from)
                }
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

    /// The earliest that an admitted date leads to: every one near the start of the window is tried.
    fn first_admitted(&self, trigger: &Trigger, due: Due<'_>) -> Sec {
        let (Some(from), _) = self.window(trigger) else { return ANY_TIME };
        let first: Day = from.div_euclid(DAY);
        let instants = [from, from + 1].into_iter().chain((first..first + 5).map(|day| day * DAY));
        let days = first - 2..first + 5;
        instants
            .map(When::At)
            .chain(days.map(When::Whole))
            .filter(|when| self.admits(trigger, *when))
            .map(due)
            .min()
            .unwrap_or(NEVER)
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
    pub fn field(&self, table: usize, column: &str) -> Option<Option<String>> {
        let id = match &self.policy.tables[table].by {
            By::Tenant => self.owner()?,
            By::Attribute(attribute) => self.read(attribute, "id")?,
        };
        self.facts.get(table)?.field(&id, column)
    }
}
