//! From what every rule, erasure and hold says to the decision, and to what could still change it.
//!
//! The due date lies between two bounds, whatever the unknown turns out to be. Before the lower
//! one the object is retained, from the upper one on it is expired, and in between it is open.

use chrono::{DateTime, Utc};

use super::attribute::Obscured;
use super::decision::{Decision, Needs, Reason, Unknown, Verdict};
use super::finding::{Clock, RuleFinding, RuleView};
use super::grounds::Grounds;
use super::outlook::{Bounds, Finding, NEVER};
use super::select::Fit;
use super::window::ANY_TIME;
use crate::calendar::Period;
use crate::object::{Observed, Reading};
use crate::policy::{Enforce, Policy, Rule};

/// What was found for one supposed tenant.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub policy: &'a Policy,
    pub object: &'a Observed<'a>,
    pub rules: &'a [RuleView],
    pub erasures: &'a [(usize, Fit)],
    pub holds: &'a [(usize, Fit)],
    pub now: DateTime<Utc>,
}

type Covering<'a> = (usize, &'a RuleFinding);
/// One that covers it perhaps.
type Possible<'a> = (Covering<'a>, Obscured);

/// Decides as far as that is possible, and says what to read for more.
pub fn conclude(found: Found<'_>) -> (Decision, Needs) {
    let Found { object, now, .. } = found;
    let rules = Rules::of(found.rules);
    let erasures = Erasures::of(found);
    let by_rules = rules.bounds();
    let bounds = erasures.shorten(by_rules, &rules);
    let decision = |verdict, reasons| rules.decision(verdict, bounds, reasons);
    let settled = |verdict, reasons| (decision(verdict, reasons), Needs::NONE);

    let held: Vec<Reason> = found
        .holds
        .iter()
        .filter(|(_, fit)| *fit == Fit::Yes)
        .map(|(hold, _)| Reason::Hold { hold: *hold })
        .collect();
    if !held.is_empty() {
        return settled(Verdict::Held, held);
    }
    if let Reading::Known(lock) = object.lock
        && lock.is_locked(now)
    {
        let hold = lock.legal_hold.then_some(Reason::LegalHold);
        let until = lock.retain_until.filter(|until| *until > now).map(|until| Reason::LockedUntil { until });
        return settled(Verdict::Locked, hold.into_iter().chain(until).collect());
    }
    if rules.is_empty() && erasures.fits.is_empty() {
        return settled(Verdict::Unmatched, vec![Reason::NoRule]);
    }
    if bounds.earliest > now {
        let mut reasons: Vec<Reason> =
            rules.why_retained(now).chain(erasures.why_retained(&rules, now)).collect();
        if reasons.is_empty() {
            // No rule covers it, and whether a request does that is not due yet makes no difference.
            reasons.extend(erasures.might_fit(|_| true).map(|(reason, _)| reason));
        }
        return settled(Verdict::Retained, reasons);
    }

    let mut grounds = Grounds::default();
    if bounds.latest > now {
        let by_rules = rules.grounds(now);
        if erasures.fits.is_empty() {
            grounds.add_all(by_rules);
        } else {
            // Either of the two ways would do, so both must be without hope.
            grounds.add_either(by_rules, erasures.grounds(&rules, now));
        }
    } else {
        grounds.add_all(rules.others_act_differently(found.policy));
        if object.holds_data() {
            let is_erased = erasures.first(now).is_some();
            grounds.add_all(rules.others_ask_for_more(found.policy, is_erased));
            let exports = |(index, _): &Covering<'_>| {
                found.policy.rules.get(*index).is_some_and(|rule| rule.export.is_some())
            };
            if !is_erased && rules.certain.iter().any(exports) {
                // What goes on request is not copied.
                erasures.might_fit(|due| due <= now).for_each(|(reason, needs)| grounds.add(reason, needs));
            }
        }
    }
    for (hold, fit) in found.holds {
        if let Fit::Maybe(Obscured { needs, why }) = *fit {
            grounds.add(Reason::HoldMightFit { hold: *hold, why }, needs);
        }
    }
    if !grounds.reasons.is_empty() {
        let needs = grounds.needs();
        return (decision(Verdict::Undecided, grounds.reasons), needs);
    }
    match object.lock {
        Reading::Unread => (decision(Verdict::Undecided, Vec::new()), Needs { lock: true, ..Needs::NONE }),
        Reading::Unknown(why) => settled(Verdict::Undecided, vec![Reason::LockUnknown(why)]),
        Reading::Known(_) => {
            let is_due_anyway = by_rules.latest <= now;
            let mut reasons = erasures.why_expired(now);
            if is_due_anyway {
                reasons.splice(0..0, rules.why_expired());
            }
            let mut expired = decision(Verdict::Expired, reasons);
            expired.rules = rules.certain.iter().map(|(index, _)| *index).collect();
            // Where the exact date was never read, it is due from this on at the latest.
            expired.due = Some(bounds.latest);
            // Due anyway or not: a request is carried out at once, and shown as such.
            expired.erasure = erasures.first(now);
            (expired, Needs::NONE)
        }
    }
}

/// The rules that cover the object for certain, and those that may; the one that keeps it
/// longest first.
struct Rules<'a> {
    certain: Vec<Covering<'a>>,
    possible: Vec<Possible<'a>>,
}

impl<'a> Rules<'a> {
    fn of(views: &'a [RuleView]) -> Self {
        let mut covering: Vec<Covering<'a>> =
            views.iter().filter_map(|rule| Some((rule.rule, rule.view.as_ref().ok()?))).collect();
        covering.sort_by_key(|(index, finding)| {
            (std::cmp::Reverse((finding.outlook.latest, finding.outlook.earliest)), *index)
        });
        let mut rules = Self { certain: Vec::new(), possible: Vec::new() };
        for (index, finding) in covering {
            match finding.obscured {
                None => rules.certain.push((index, finding)),
                Some(obscured) => rules.possible.push(((index, finding), obscured)),
            }
        }
        rules
    }

    fn is_empty(&self) -> bool {
        self.certain.is_empty() && self.possible.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = Covering<'a>> {
        self.certain.iter().copied().chain(self.possible.iter().map(|(covering, _)| *covering))
    }

    /// When it is due under all rules; without any rule it never is.
    fn bounds(&self) -> Bounds {
        let earliest = |(_, finding): Covering<'_>| finding.outlook.earliest;
        let latest = self.all().map(|(_, finding)| finding.outlook.latest).max();
        let is_covered = !self.certain.is_empty();
        Bounds {
            earliest: if is_covered {
                self.certain.iter().copied().map(earliest).max()
            } else {
                self.possible.iter().map(|(covering, _)| earliest(*covering)).min()
            }
            .unwrap_or(NEVER),
            latest: latest.filter(|_| is_covered).unwrap_or(NEVER),
        }
    }

    fn decision(&self, verdict: Verdict, bounds: Bounds, reasons: Vec<Reason>) -> Decision {
        let first = self.all().next();
        Decision {
            verdict,
            due: (bounds.earliest == bounds.latest && bounds.latest != NEVER).then_some(bounds.latest),
            rules: self.all().map(|(index, _)| index).collect(),
            tenant: None,
            trigger: first.and_then(|(_, finding)| finding.outlook.finding.basis().cloned()),
            erasure: None,
            reasons,
        }
    }

    fn why_retained(&self, now: DateTime<Utc>) -> impl Iterator<Item = Reason> {
        self.all()
            .filter(move |(_, finding)| finding.outlook.earliest > now)
            .map(|(index, finding)| finding.why_retained(index))
    }

    fn why_expired(&self) -> impl Iterator<Item = Reason> {
        self.certain.iter().map(|(rule, finding)| Reason::Due { rule: *rule, due: finding.outlook.latest })
    }

    /// Why it is not due under the rules for certain.
    fn grounds(&self, now: DateTime<Utc>) -> Grounds {
        let mut grounds = Grounds::default();
        for (index, finding) in self.certain.iter().filter(|(_, finding)| finding.outlook.latest > now) {
            grounds.add(finding.why_undecided(*index, now), finding.outlook.needs);
        }
        for possible in &self.possible {
            let ((_, finding), obscured) = possible;
            if finding.outlook.latest > now {
                grounds.add(might_cover(possible), obscured.needs.and(finding.outlook.needs));
            }
        }
        if self.certain.is_empty() {
            // That one covers it would do.
            grounds.add_together(self.possible.iter().map(might_cover).collect(), needs(&self.possible));
        }
        grounds
    }

    /// A rule that may cover it and has objects hidden for longer, or copied elsewhere, before they go. What
    /// goes on request is not copied.
    fn others_ask_for_more(&self, policy: &Policy, is_erased: bool) -> Grounds {
        let rule = |index: usize| policy.rules.get(index);
        let certain = || self.certain.iter().filter_map(|(index, _)| rule(*index));
        let asks = |possible: &Rule| {
            let is_longer = |window: Period| {
                !certain().filter_map(|rule| rule.undo_window).any(|own| !window.can_exceed(own))
            };
            possible.undo_window.is_some_and(is_longer)
                || !is_erased
                    && possible.export.is_some()
                    && !certain().any(|rule| rule.export == possible.export)
        };
        let mut grounds = Grounds::default();
        for possible in &self.possible {
            let ((index, _), obscured) = possible;
            if rule(*index).is_some_and(asks) {
                grounds.add(might_cover(possible), obscured.needs);
            }
        }
        grounds
    }

    /// A rule that is merely observed beside one that acts changes who removes an object. So where
    /// the rules that may cover it decide whether anybody does, they must be known.
    fn others_act_differently(&self, policy: &Policy) -> Grounds {
        let acts =
            |index: usize| policy.rules.get(index).is_some_and(|rule| rule.enforce != Enforce::Observe);
        let mut grounds = Grounds::default();
        if self.certain.iter().any(|(index, _)| acts(*index)) {
            return grounds;
        }
        // Under none of them it is an erasure that acts.
        let now_acts = self.certain.is_empty();
        let (acting, observing): (Vec<_>, Vec<_>) =
            self.possible.iter().copied().partition(|((index, _), _)| acts(*index));
        // That one of these covers it would settle it, whatever the others do.
        let settling = needs(if now_acts { &self.possible } else { &acting });
        let differing = if now_acts { observing } else { acting };
        if settling.is_none() {
            differing.iter().for_each(|possible| grounds.add(might_cover(possible), possible.1.needs));
        } else if !differing.is_empty() {
            grounds.add_together(differing.iter().map(might_cover).collect(), settling);
        }
        grounds
    }
}

const fn might_cover(possible: &Possible<'_>) -> Reason {
    let ((rule, _), obscured) = possible;
    Reason::RuleMightCover { rule: *rule, why: obscured.why }
}

/// What would tell whether any of them covers it.
fn needs(possible: &[Possible<'_>]) -> Needs {
    possible.iter().fold(Needs::NONE, |needs, (_, obscured)| needs.and(obscured.needs))
}

/// The erasures that cover the object, or may.
struct Erasures<'a> {
    fits: &'a [(usize, Fit)],
    /// When each of them is due.
    dues: Vec<DateTime<Utc>>,
}

impl<'a> Erasures<'a> {
    fn of(found: Found<'a>) -> Self {
        let due = |(index, _): &(usize, Fit)| {
            found.policy.erasures.get(*index).map_or(NEVER, |erasure| erasure.due(found.policy.timezone))
        };
        Self { fits: found.erasures, dues: found.erasures.iter().map(due).collect() }
    }

    fn all(&self) -> impl Iterator<Item = (usize, Fit, DateTime<Utc>)> {
        self.fits.iter().zip(&self.dues).map(|((index, fit), due)| (*index, *fit, *due))
    }

    fn certain(&self) -> impl Iterator<Item = (usize, DateTime<Utc>)> {
        self.all().filter(|(_, fit, _)| *fit == Fit::Yes).map(|(index, _, due)| (index, due))
    }

    /// The bounds of the rules, where an erasure may come before them, but no law after it.
    fn shorten(&self, by_rules: Bounds, rules: &Rules<'_>) -> Bounds {
        let Some(any) = self.all().map(|(_, _, due)| due).min() else { return by_rules };
        let applying = rules.certain.iter().flat_map(|(_, finding)| &finding.laws);
        let law = applying.filter(|law| law.open.is_none()).map(|law| law.outlook.earliest).max();
        let earliest = by_rules.earliest.min(any.max(law.unwrap_or(ANY_TIME)));
        let Some(certain) = self.certain().map(|(_, due)| due).min() else {
            return Bounds { earliest, ..by_rules };
        };
        let law = rules.all().flat_map(|(_, finding)| &finding.laws).map(|law| law.outlook.latest).max();
        Bounds { earliest, latest: by_rules.latest.min(certain.max(law.unwrap_or(ANY_TIME))) }
    }

    /// The one that is due first, of those that are.
    fn first(&self, now: DateTime<Utc>) -> Option<usize> {
        self.certain()
            .filter(|(_, due)| *due <= now)
            .min_by_key(|(index, due)| (*due, *index))
            .map(|(i, _)| i)
    }

    fn why_expired(&self, now: DateTime<Utc>) -> Vec<Reason> {
        self.certain()
            .filter(|(_, due)| *due <= now)
            .map(|(erasure, due)| Reason::Erased { erasure, due })
            .collect()
    }

    /// Those that may cover it, and what would tell, of which `due` says that it counts.
    fn might_fit(&self, due: impl Fn(DateTime<Utc>) -> bool) -> impl Iterator<Item = (Reason, Needs)> {
        self.all().filter(move |(_, _, date)| due(*date)).filter_map(|(erasure, fit, _)| match fit {
            Fit::Maybe(Obscured { needs, why }) => Some((Reason::ErasureMightFit { erasure, why }, needs)),
            Fit::Yes | Fit::No(_) => None,
        })
    }

    /// Why no erasure makes it due yet, where one covers it.
    fn why_retained(&self, rules: &Rules<'_>, now: DateTime<Utc>) -> impl Iterator<Item = Reason> {
        let is_open = self.all().any(|(_, _, due)| due <= now);
        let future = self
            .certain()
            .filter(move |(_, due)| *due > now)
            .map(|(erasure, due)| Reason::ErasureNotDue { erasure, due });
        let laws = rules.certain.iter().filter(move |_| is_open).flat_map(move |(rule, finding)| {
            let keeping =
                finding.laws.iter().filter(move |law| law.open.is_none() && law.outlook.earliest > now);
            keeping.map(|law| Reason::KeptByLaw {
                rule: *rule,
                over: law.over,
                earliest: law.outlook.earliest,
            })
        });
        future.chain(laws).collect::<Vec<_>>().into_iter()
    }

    /// Why none of them makes it due for certain.
    fn grounds(&self, rules: &Rules<'_>, now: DateTime<Utc>) -> Grounds {
        let mut grounds = Grounds::default();
        if self.first(now).is_none() {
            let (mut reasons, needs): (Vec<Reason>, Vec<Needs>) = self.might_fit(|due| due <= now).unzip();
            let needs = needs.into_iter().fold(Needs::NONE, Needs::and);
            let future = self.certain().map(|(erasure, due)| Reason::ErasureNotDue { erasure, due });
            reasons.extend(future);
            grounds.add_together(reasons, needs);
        }
        let laws =
            rules.all().flat_map(|(rule, finding)| finding.laws.iter().map(move |law| (rule, finding, law)));
        for (rule, finding, law) in laws.filter(|(_, _, law)| law.outlook.latest > now) {
            let obscured = finding.obscured.map_or(Needs::NONE, |obscured| obscured.needs);
            let needs = law.outlook.needs.and(law.open.unwrap_or(Needs::NONE)).and(obscured);
            let reason = match law.open {
                Some(_) => Reason::OverrideMightApply { rule, over: law.over },
                None => Reason::KeptByLaw { rule, over: law.over, earliest: law.outlook.earliest },
            };
            grounds.add(reason, needs);
        }
        grounds
    }
}

impl RuleFinding {
    fn why_retained(&self, rule: usize) -> Reason {
        match (self.clock, &self.outlook.finding) {
            (Clock::KeptByNumber, _) => Reason::KeptByNumber { rule },
            (Clock::HidesVersions, _) => Reason::HidesVersions,
            (_, Finding::NotHappened) => Reason::NotHappened { rule },
            _ => Reason::NotDue { rule, earliest: self.outlook.earliest },
        }
    }

    fn why_undecided(&self, rule: usize, now: DateTime<Utc>) -> Reason {
        if self.outlook.earliest > now {
            return self.why_retained(rule);
        }
        match (&self.outlook.finding, self.might_apply.first()) {
            (Finding::Unknown(why), _) => Reason::TriggerUnknown { rule, why: *why },
            (_, Some(over)) if self.outlook.latest > now => Reason::OverrideMightApply { rule, over: *over },
            _ => Reason::TriggerUnknown { rule, why: Unknown::Unread },
        }
    }
}
