//! What can be said of objects at a place without judging them in full.

use chrono::{DateTime, Utc};

use super::clock::{Clock, NEVER, Says, due_from};
use super::places::{Places, There, Whose};
use super::together::Together;
use crate::calendar::Period;
use crate::decide::select::covers_there;
use crate::decide::tenant::{Owner, tenancy};
use crate::decide::{Decision, Fit, Reason, Supposed, Verdict};
use crate::object::{Kind, Observed, Reading};
use crate::policy::{Erasure, Policy, Select};

/// A decision that the listing alone leads to, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain<'k> {
    /// The verdict: retained or unmatched.
    pub verdict: Verdict,
    /// The first of the decision's rules: index into the policy.
    pub rule: Option<usize>,
    /// When it is due, in seconds since 1970; `None` if never or unknown.
    pub due: Option<i64>,
    /// The tenant, where known; `None` wherever the policy does not limit what may go of one, for
    /// then nobody counts by tenants.
    pub tenant: Option<&'k str>,
}

/// How a current object stays of which nothing has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The rule that retains it: index into the policy. `None`: no rule covers it.
    pub rule: Option<usize>,
    /// When it is due, in seconds since 1970; `None` if never.
    pub due: Option<i64>,
}

impl Stay {
    /// Retained or unmatched.
    pub const fn verdict(self) -> Verdict {
        if self.rule.is_some() { Verdict::Retained } else { Verdict::Unmatched }
    }
}

/// What a current object goes by of which nothing has been read.
#[derive(Clone, Copy, Debug)]
enum Longest {
    /// Of several things, or something that must be asked.
    Unclear,
    /// No rule.
    Nothing,
    /// The period that is over last, whenever it begins.
    Rule(usize, Period),
}

/// All that bears on the objects at a place.
#[derive(Debug)]
pub struct Outcome<'p> {
    rules: Vec<LiveRule<'p>>,
    erasures: Vec<LiveErasure<'p>>,
    /// Holds that may hold what they can be seen to select.
    holds: Vec<&'p Select>,
    supposed: Supposed<'p>,
    /// Nothing is plain here.
    is_unclear: bool,
    /// Nothing is plain here of which metadata or tags have been read.
    only_unread: bool,
    /// Whatever is not kept anyway may be held.
    may_be_held: bool,
    /// Which part of the key names the tenant, where that is counted.
    level: Option<usize>,
    longest: Longest,
    now: i64,
}

#[derive(Debug)]
struct LiveRule<'p> {
    index: usize,
    clock: Clock,
    /// What is to be asked beyond the place.
    asks: Option<&'p Select>,
}

#[derive(Debug)]
struct LiveErasure<'p> {
    select: &'p Select,
    /// All that was uploaded before then is reached.
    reaches: Option<DateTime<Utc>>,
}

/// Whether a select covers what lies in its place.
enum Beyond {
    Yes,
    No,
    Ask,
}

impl<'p> Outcome<'p> {
    /// What bears on the objects `there`, at `now`.
    pub fn new(places: &Places<'p>, there: &There<'p>, now: DateTime<Utc>) -> Self {
        let policy = places.policy();
        let supposed = match there.whose {
            Whose::Named(tenant) => Supposed::Tenant(tenant),
            Whose::Stranger | Whose::Open => Supposed::Stranger,
            Whose::Nobody => Supposed::Nobody,
        };
        let mut outcome = Self {
            rules: Vec::new(),
            erasures: Vec::new(),
            holds: Vec::new(),
            supposed,
            is_unclear: false,
            only_unread: false,
            may_be_held: false,
            level: None,
            longest: Longest::Unclear,
            now: now.timestamp(),
        };
        let is_open = there.whose == Whose::Open;
        for selecting in &there.rules {
            let Some(rule) = policy.rules.get(selecting.index) else { continue };
            outcome.is_unclear |= is_open && names_tenants(&rule.select);
            let asks = match beyond(&rule.select, &selecting.except, supposed) {
                Beyond::Yes => None,
                Beyond::No => continue,
                Beyond::Ask => Some(&rule.select),
            };
            let clock = Clock::new(policy, selecting.index, rule, &there.whose, now);
            outcome.rules.push(LiveRule { index: selecting.index, clock, asks });
        }
        for selecting in &there.erasures {
            let Some(erasure) = policy.erasures.get(selecting.index) else { continue };
            outcome.is_unclear |= is_open && names_tenants(&erasure.select);
            if !matches!(beyond(&erasure.select, &selecting.except, supposed), Beyond::No) {
                outcome.erasures.push(LiveErasure::new(policy, erasure));
            }
        }
        for selecting in &there.holds {
            let Some(hold) = policy.holds.get(selecting.index) else { continue };
            outcome.hold(&hold.select, there);
        }
        if !policy.guards.per_tenant.is_none() {
            outcome.count(there);
        }
        outcome.longest = outcome.longest();
        outcome
    }

    fn longest(&self) -> Longest {
        let has_more = !self.erasures.is_empty() || !self.holds.is_empty() || self.level.is_some();
        if self.is_unclear || has_more || self.rules.is_empty() && self.may_be_held {
            return Longest::Unclear;
        }
        let mut longest = Longest::Nothing;
        for rule in &self.rules {
            let (None, Some(periods)) = (rule.asks, rule.clock.uploaded()) else { return Longest::Unclear };
            for period in periods {
                longest = match longest {
                    // Of those that are over at the same time the first counts.
                    Longest::Rule(_, other) if covers(other, *period) => longest,
                    Longest::Rule(_, other) if !covers(*period, other) => return Longest::Unclear,
                    _ => Longest::Rule(rule.index, *period),
                };
            }
        }
        longest
    }

    /// How a current object stays of which nothing has been read; `None` if it may not, or more bears on it.
    #[inline]
    pub fn stays(&self, uploaded: i64, and_more: bool) -> Option<Stay> {
        match self.longest {
            Longest::Unclear => None,
            Longest::Nothing => Some(Stay { rule: None, due: None }),
            Longest::Rule(rule, period) => {
                let due = due_from(uploaded, and_more, period)?;
                (due > self.now).then_some(Stay { rule: Some(rule), due: Some(due) })
            }
        }
    }

    fn hold(&mut self, select: &'p Select, there: &There<'_>) {
        if !names_tenants(select) {
            self.holds.push(select);
            return;
        }
        let (Some(tenants), Some(named)) = (&select.tenants, &there.named) else {
            // Its exceptions name some, or the key somebody whom nobody can tell.
            self.is_unclear = true;
            return;
        };
        self.is_unclear |= named.iter().any(|name| tenants.iter().any(|tenant| tenant == name));
        // What another source names is not known before it is read; then it may hold. Where the owner is not
        // known either, it holds what is one tenant's and not what is another's: that is kept all the same.
        self.only_unread |= there.others;
        self.may_be_held |= there.whose == Whose::Open;
    }

    /// Has the owner told too.
    fn count(&mut self, there: &There<'_>) {
        self.level = there.level;
        match there.whose {
            Whose::Named(_) | Whose::Stranger => self.is_unclear |= there.level.is_none(),
            Whose::Nobody => {}
            // Nobody knows before it is read.
            Whose::Open => {
                self.only_unread = true;
                self.is_unclear |= there.named.is_none();
            }
        }
    }

    /// What can be said of an object there; `None` if it must be judged in full.
    #[inline]
    pub fn plain<'k>(&self, object: &Observed<'k>) -> Option<Plain<'k>> {
        let plain = self.uncounted(object)?;
        let tenant = self.level.and_then(|level| object.key.split('/').nth(level));
        Some(Plain { tenant, ..plain })
    }

    #[inline]
    fn uncounted<'k>(&self, object: &Observed<'k>) -> Option<Plain<'k>> {
        let is_alone = object.alone && object.kind == Kind::Marker;
        if self.is_unclear || is_alone || is_locked(object) {
            return None;
        }
        if let ([rule], true) = (self.rules.as_slice(), self.erasures.is_empty() && self.holds.is_empty())
            && rule.asks.is_none()
            && !self.only_unread
            && let Says::Due(due) = rule.clock.says(object)
        {
            return (due > self.now).then(|| retained(rule.index, Some(due)));
        }
        self.plain_of_several(object)
    }

    /// The decision on an object or a version of which the listing shows that it is expired, where a single rule
    /// is all that bears on it; `None` if it must be judged in full.
    pub fn expired(&self, policy: &Policy, object: &Observed<'_>) -> Option<Decision> {
        let [LiveRule { index: rule, clock, asks: None }] = self.rules.as_slice() else { return None };
        // What may be held is kept; that whatever is kept anyway may be, makes no difference to the others.
        let is_unclear = self.is_unclear || self.only_unread || self.may_be_held || !object.holds_data();
        let is_unlocked = matches!(object.lock, Reading::Known(_)) && !is_locked(object);
        if is_unclear || !is_unlocked || !self.erasures.is_empty() || !self.holds.is_empty() {
            return None;
        }
        let Says::Due(due) = clock.says(object) else { return None };
        if due > self.now {
            return None;
        }
        let due = DateTime::from_timestamp(due, 0)?;
        let trigger = Some(clock.basis(object)?);
        let tenant = match tenancy(policy, object).owner {
            Owner::Is(tenant, _) => Some(tenant.into()),
            Owner::Nobody | Owner::Anybody => None,
        };
        let (rules, reasons) = (vec![*rule], vec![Reason::Due { rule: *rule, due }]);
        Some(Decision {
            verdict: Verdict::Expired,
            due: Some(due),
            rules,
            tenant,
            trigger,
            erasure: None,
            reasons,
        })
    }

    fn plain_of_several<'k>(&self, object: &Observed<'k>) -> Option<Plain<'k>> {
        let is_read =
            matches!(object.metadata, Reading::Known(_)) || matches!(object.tags, Reading::Known(_));
        if self.only_unread && is_read {
            return None;
        }
        if self.holds.iter().any(|select| covers_there(select, object, self.supposed) == Fit::Yes) {
            return None;
        }
        let hides_versions = object.kind == Kind::Marker && object.superseded.is_none();
        let is_reached = |erasure: &LiveErasure<'_>| {
            erasure.reaches.is_none_or(|end| object.uploaded < end)
                && !matches!(covers_there(erasure.select, object, self.supposed), Fit::No(_))
        };
        if !hides_versions && self.erasures.iter().any(is_reached) {
            return None;
        }
        let mut all = Together::default();
        for rule in &self.rules {
            let fit = rule.asks.map_or(Fit::Yes, |select| covers_there(select, object, self.supposed));
            match fit {
                Fit::Yes => all.certain(rule.index, rule.clock.says(object)),
                Fit::Maybe(_) => all.possible(rule.index, rule.clock.says(object)),
                Fit::No(_) => {}
            }
        }
        if !all.covered {
            let is_unmatched = !self.may_be_held;
            return is_unmatched.then_some(Plain {
                verdict: Verdict::Unmatched,
                rule: None,
                due: None,
                tenant: None,
            });
        }
        all.retained(self.now).map(|(rule, due)| retained(rule, due))
    }
}

/// Whether it is over no earlier than the other, whenever both begin.
const fn covers(period: Period, other: Period) -> bool {
    period.months >= other.months && period.days >= other.days
}

fn retained<'k>(rule: usize, due: Option<i64>) -> Plain<'k> {
    let due = due.filter(|due| *due != NEVER);
    Plain { verdict: Verdict::Retained, rule: Some(rule), due, tenant: None }
}

fn is_locked(object: &Observed<'_>) -> bool {
    // Whether it still is makes no difference here.
    matches!(object.lock, Reading::Known(lock) if lock.legal_hold || lock.retain_until.is_some())
}

impl<'p> LiveErasure<'p> {
    fn new(policy: &Policy, erasure: &'p Erasure) -> Self {
        let next = erasure.requested.succ_opt();
        let reaches = next.map(|next| crate::calendar::start_of_day(next, policy.timezone));
        Self { select: &erasure.select, reaches }
    }
}

/// Whether some tenant makes a difference to it.
fn names_tenants(select: &Select) -> bool {
    select.tenants.is_some() || select.except.iter().any(|exception| exception.tenants.is_some())
}

/// Whether it covers what lies in its place and is this tenant's, where `except` of its exceptions
/// have the place as well.
fn beyond(select: &Select, except: &[usize], supposed: Supposed<'_>) -> Beyond {
    let has_tenant = |select: &Select| match (&select.tenants, supposed) {
        (None, _) => true,
        (Some(named), Supposed::Tenant(tenant)) => named.iter().any(|name| name == tenant),
        (Some(_), _) => false,
    };
    let asks = |select: &Select| {
        let reads = select.content_type.is_some() || !select.tags.is_empty() || !select.metadata.is_empty();
        select.size.is_some() || reads
    };
    if !has_tenant(select) {
        return Beyond::No;
    }
    let excepted = || except.iter().filter_map(|at| select.except.get(*at)).filter(|one| has_tenant(one));
    if excepted().any(|exception| !asks(exception)) {
        Beyond::No
    } else if asks(select) || excepted().next().is_some() {
        Beyond::Ask
    } else {
        Beyond::Yes
    }
}
