//! Which of the policy's rules, holds, overrides and exceptions bear on the keys with a start,
//! and what S3 would have to do for all of them.
//!
//! **Which objects.** S3 selects by a literal start of the key, tags and size. Whatever else a
//! rule selects by (a pattern, an extension, metadata) covers some of the keys with a start, and
//! nobody can say which. Of an exception the objects that it may leave out count as left out
//! where S3 is given something, and as covered where something is kept from it.
//!
//! **Whose.** Overrides, holds and rules for certain tenants bear on a start where its keys are
//! those tenants', or could be ([`super::whose`]). A hold reaches wider than a rule: any tenant
//! source that names one of its tenants will do.
//!
//! **What stays.** A hold in force, a rule that Shelflife carries out itself, an override that
//! goes by records, and a rule that cannot be counted in days keep from S3 whatever they could
//! bear on. A rule that is merely observed counts as well: whether it keeps an object is for
//! deciding to say. Erasures only make objects due sooner, and are Shelflife's. An override or
//! hold that has run out never comes back, and one of the future does not exist.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::object::{BucketFacts, Versioning};
use crate::policy::{Enforce, Hold, Policy, Rule, Select};

use super::claim::{Claim, Target};
use super::directories::Surroundings;
use super::reason::DirectReason;
use super::rule::Filter;
use super::select::{Cover, cover, covers_bucket, starts};
use super::terms::{Waits, moves, speaks_against, waits};
use super::whose::{Sources, Whose};
use super::xml;

/// The longest key, and so the longest prefix, in bytes.
const LONGEST_KEY: usize = 1024;

/// What S3 can be given of the keys with a start, as far as the policy says nothing of longer ones.
pub(super) enum Home {
    /// Nothing is asked for.
    Nothing,
    /// All of them.
    Given(Claim),
    /// None of them.
    Kept {
        /// Why not, each with the rule that it speaks against.
        reasons: Vec<(usize, DirectReason)>,
        /// Whether all of these could be otherwise under longer starts.
        deeper: bool,
    },
}

/// A rule of the policy that covers the bucket.
struct Reaching<'a> {
    index: usize,
    rule: &'a Rule,
    /// What it asks of S3 by its own period, and everything that speaks against S3 anywhere.
    waits: Option<Waits>,
    against: Vec<DirectReason>,
    /// Its overrides in force.
    overrides: Vec<Customised<'a>>,
}

/// An override in force.
struct Customised<'a> {
    tenants: Option<&'a [String]>,
    by_record: bool,
    ends: bool,
    waits: Option<Waits>,
}

/// What a policy says of a bucket, to be asked of any start of keys.
pub(super) struct Reaches<'a> {
    policy: &'a Policy,
    bucket: &'a BucketFacts,
    rules: Vec<Reaching<'a>>,
    holds: Vec<&'a Hold>,
    sources: Sources,
    /// Every start that a select in the bucket names.
    starts: BTreeSet<String>,
    /// Every tenant that anything names.
    tenants: BTreeSet<&'a str>,
    waived: &'a dyn Fn(&DirectReason) -> bool,
}

/// A reason, the rule that it speaks against, and whether a longer start could be without it.
type Against = (usize, DirectReason, bool);

impl<'a> Reaches<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        bucket: &'a BucketFacts,
        around: &Surroundings,
        now: DateTime<Utc>,
        waived: &'a dyn Fn(&DirectReason) -> bool,
    ) -> Self {
        let zone = policy.timezone;
        let covering = policy.rules.iter().enumerate();
        let covering = covering.filter(|(_, rule)| covers_bucket(&rule.select, &bucket.name));
        let rules: Vec<Reaching<'a>> = covering
            .map(|(index, rule)| {
                let (own, mut against) = waits(policy, rule, rule.retain, bucket);
                against.extend(speaks_against(policy, rule));
                against.extend(around.altered.contains(&rule.id).then_some(DirectReason::Altered));
                let overrides = policy.overrides.iter().filter(|o| o.rule == index && o.in_force(now, zone));
                let overrides = overrides.map(|o| Customised {
                    tenants: o.tenants.as_deref(),
                    by_record: o.condition.is_some(),
                    ends: o.until.is_some(),
                    waits: waits(policy, rule, o.retain, bucket).0,
                });
                Reaching { index, rule, waits: own, against, overrides: overrides.collect() }
            })
            .collect();
        let holds = policy.holds.iter();
        let holds =
            holds.filter(|hold| hold.in_force(now, zone) && covers_bucket(&hold.select, &bucket.name));
        let holds: Vec<&Hold> = holds.collect();
        let selects = || {
            let own = rules.iter().map(|reaching| &reaching.rule.select);
            own.chain(holds.iter().map(|hold| &hold.select))
                .flat_map(|it| std::iter::once(it).chain(&it.except))
        };
        let overridden = rules.iter().flat_map(|reaching| &reaching.overrides).filter_map(|it| it.tenants);
        let tenants = selects().filter_map(|select| select.tenants.as_deref()).chain(overridden).flatten();
        Self {
            starts: selects().flat_map(starts).collect(),
            tenants: tenants.map(String::as_str).collect(),
            sources: Sources::of(policy),
            policy,
            bucket,
            rules,
            holds,
            waived,
        }
    }

    /// The rules that cover the bucket, in the policy's order.
    pub(super) fn rules(&self) -> impl Iterator<Item = (usize, &'a Rule)> {
        self.rules.iter().map(|reaching| (reaching.index, reaching.rule))
    }

    /// All keys of a start first, then each rule that selects by tags or size.
    pub(super) fn targets(&self) -> Vec<Target> {
        let filtering = self.rules.iter().filter(|reaching| {
            let select = &reaching.rule.select;
            acts(reaching.rule) && (!select.tags.is_empty() || select.size.is_some())
        });
        std::iter::once(Target::Whole).chain(filtering.map(|reaching| Target::Rule(reaching.index))).collect()
    }

    /// The shortest of the longer starts that the policy says something else of.
    pub(super) fn named_below(&self, start: &str) -> BTreeSet<String> {
        let longer = self.starts.range(start.to_owned()..).take_while(|it| it.starts_with(start));
        let mut found: BTreeSet<String> = longer.filter(|it| *it != start).cloned().collect();
        let each =
            [self.sources.owner(start), self.sources.named(start)].into_iter().find_map(
                |whose| match whose {
                    Whose::Each(base) => Some(base),
                    Whose::All(_) | Whose::Unclear { .. } => None,
                },
            );
        if let Some(base) = each {
            let of_tenants = self.tenants.iter().map(|tenant| format!("{base}{tenant}/"));
            found.extend(of_tenants.filter(|it| it.len() > start.len() && it.starts_with(start)));
        }
        let mut shortest: Option<String> = None;
        found.retain(|it| {
            let is_below = shortest.as_ref().is_some_and(|shorter| it.starts_with(shorter.as_str()));
            if !is_below {
                shortest = Some(it.clone());
            }
            !is_below
        });
        found
    }

    pub(super) fn is_waived(&self, reason: &DirectReason) -> bool {
        (self.waived)(reason)
    }

    /// What S3 can be given of the keys with `start`.
    pub(super) fn home(&self, target: Target, start: &str) -> Home {
        let owner = self.sources.owner(start);
        let covering: Vec<(&Reaching<'a>, Cover)> = self
            .rules
            .iter()
            .map(|reaching| (reaching, cover(&reaching.rule.select, &self.bucket.name, start, owner)))
            .filter(|(_, cover)| *cover != Cover::None)
            .collect();
        let mut filters = vec![Filter::prefix(start)];
        let (subjects, others): (Vec<_>, Vec<_>) =
            covering.into_iter().partition(|(reaching, cover)| match cover {
                Cover::All => true,
                Cover::Filters(picked) if target == Target::Rule(reaching.index) => {
                    filters.clone_from(picked);
                    true
                }
                _ => false,
            });
        if let Target::Rule(rule) = target
            && !subjects.iter().any(|(reaching, cover)| reaching.index == rule && *cover != Cover::All)
        {
            return Home::Nothing;
        }
        if !subjects.iter().any(|(reaching, _)| acts(reaching.rule)) {
            return self.without_subject(&others);
        }
        self.weigh(target, start, owner, &filters, &subjects, &others)
    }

    /// Where no rule covers all keys: perhaps one does further down.
    fn without_subject(&self, others: &[(&Reaching<'a>, Cover)]) -> Home {
        let mut open: Vec<Against> = Vec::new();
        for (reaching, cover) in others.iter().filter(|(reaching, _)| acts(reaching.rule)) {
            if let Cover::Part(reason, deeper) = cover {
                open.push((reaching.index, reason.clone(), *deeper));
                let more = reaching.against.iter().filter(|_| !deeper);
                open.extend(more.map(|reason| (reaching.index, reason.clone(), false)));
            }
        }
        let (deep, fixed): (Vec<Against>, Vec<Against>) = open.into_iter().partition(|(.., deeper)| *deeper);
        let deeper = !deep.is_empty();
        let reasons = if deeper { deep } else { fixed };
        if reasons.is_empty() {
            return Home::Nothing;
        }
        kept(reasons, deeper)
    }

    fn weigh(
        &self,
        target: Target,
        start: &str,
        owner: Whose<'_>,
        filters: &[Filter],
        subjects: &[(&Reaching<'a>, Cover)],
        others: &[(&Reaching<'a>, Cover)],
    ) -> Home {
        let mut against: Vec<Against> = Vec::new();
        let all = |reason: &DirectReason, deeper: bool| {
            let rules = subjects.iter().filter(|(reaching, _)| acts(reaching.rule));
            rules.map(|(reaching, _)| (reaching.index, reason.clone(), deeper)).collect::<Vec<_>>()
        };
        if start.len() > LONGEST_KEY || !start.chars().all(xml::is_xml_char) {
            against.extend(all(&DirectReason::Prefix, false));
        }
        // S3 hides what it expires there, and its markers have no tags and no size.
        if let Target::Rule(rule) = target
            && self.bucket.versioning == Versioning::Enabled
        {
            against.push((rule, DirectReason::LeavesMarkers, false));
        }
        let mut together: Option<Waits> = None;
        for (reaching, _) in subjects {
            let (waits, reasons) = reaching.under(owner);
            for (reason, deeper) in reasons {
                let overlaps = DirectReason::Overlaps(reaching.rule.id.clone());
                let of_others =
                    all(&overlaps, deeper).into_iter().filter(|(rule, ..)| *rule != reaching.index);
                against.extend(of_others);
                against.push((reaching.index, reason, deeper));
            }
            match waits {
                Some(waits) => together = Some(together.map_or(waits, |before| before.max(waits))),
                None => against.extend(all(&DirectReason::TooLong, false)),
            }
        }
        let named = self.sources.named(start);
        for hold in &self.holds {
            let wide = Select { except: Vec::new(), ..hold.select.clone() };
            match cover(&wide, &self.bucket.name, start, named) {
                Cover::None => {}
                Cover::Part(_, deeper) => against.extend(all(&DirectReason::Hold(hold.id.clone()), deeper)),
                Cover::All | Cover::Filters(_) => {
                    against.extend(all(&DirectReason::Hold(hold.id.clone()), false));
                }
            }
        }
        let Some(mut together) = together else { return kept(against, false) };
        for (reaching, cover) in others {
            let (waits, reasons) = reaching.under(owner);
            let overlaps = DirectReason::Overlaps(reaching.rule.id.clone());
            let may_go = matches!(cover, Cover::Part(_, true));
            let is_open = reasons.iter().all(|(_, deeper)| *deeper);
            match waits.filter(|_| reasons.is_empty() || self.is_waived(&overlaps)) {
                Some(waits) if waits.bears(&together) => {}
                Some(waits) if waits.bears(&together.without_abort()) => together = together.without_abort(),
                Some(_) => against.extend(all(&overlaps, may_go)),
                None => against.extend(all(&overlaps, may_go || is_open)),
            }
        }
        let terms = together.tolerable(self.policy);
        if let Err(reason) = &terms {
            against.extend(all(reason, false));
        }
        against.retain(|(_, reason, _)| !self.is_waived(reason));
        let terms = terms.ok().or_else(|| together.terms());
        let (true, Some(terms)) = (against.is_empty(), terms) else {
            let deeper = against.iter().all(|(.., deeper)| *deeper);
            return kept(against, deeper);
        };
        let speaker = match target {
            Target::Rule(rule) => Some(rule),
            Target::Whole => subjects.iter().map(|(it, _)| it).find(|it| acts(it.rule)).map(|it| it.index),
        };
        let is_whole = target == Target::Whole;
        let of_all = subjects.iter().filter(|(_, cover)| *cover == Cover::All);
        let of_all: Vec<Waits> = of_all.filter_map(|(reaching, _)| reaching.under(owner).0).collect();
        if !is_whole && of_all.into_iter().reduce(Waits::max).is_some_and(|all| together.bears(&all)) {
            // S3 waits for the others anyway.
            return Home::Nothing;
        }
        let together = if is_whole { together } else { together.without_abort() };
        let moving = subjects.iter().filter(|(reaching, _)| !reaching.rule.transitions.is_empty());
        let longest = moving.max_by_key(|(reaching, _)| reaching.waits.map(|waits| waits.expire_days()));
        let moves = longest.map(|(reaching, _)| moves(self.policy, reaching.rule, terms.expire_days));
        Home::Given(Claim {
            start: start.to_owned(),
            target,
            speaker: speaker.unwrap_or_default(),
            carries: subjects.iter().map(|(reaching, _)| reaching.index).collect(),
            terms: if is_whole { terms } else { together.terms().unwrap_or(terms) },
            removes_markers: is_whole && self.bucket.versioning == Versioning::Enabled,
            filters: filters.to_vec(),
            waits: together,
            moves: moves.unwrap_or_default(),
        })
    }

    /// The start whose lone delete markers S3 may remove, at or above `start`. They are due at
    /// once under any rule, so longer periods do not matter; holds, exceptions and rules of
    /// Shelflife's own do.
    pub(super) fn markers_under(&self, start: &str, rule: &Rule) -> String {
        let whole = starts(&rule.select).max_by_key(String::len).unwrap_or_default();
        let meets = |select: &Select| {
            let other = select.prefix.as_deref().unwrap_or_default();
            other.starts_with(&whole) || whole.starts_with(other)
        };
        let is_plain =
            |it: &Reaching<'_>| acts(it.rule) && it.against.is_empty() && it.rule.select.except.is_empty();
        let clear = self.rules.iter().filter(|it| meets(&it.rule.select)).all(is_plain)
            && !self.holds.iter().any(|hold| meets(&hold.select))
            && rule.select.tenants.is_none()
            && start.starts_with(&whole);
        if clear { whole } else { start.to_owned() }
    }
}

fn kept(against: Vec<Against>, deeper: bool) -> Home {
    Home::Kept { reasons: against.into_iter().map(|(rule, reason, _)| (rule, reason)).collect(), deeper }
}

impl Reaching<'_> {
    /// What it asks of S3 for objects of `owner`, and what speaks against that; each with
    /// whether a longer start could be without it.
    fn under(&self, owner: Whose<'_>) -> (Option<Waits>, Vec<(DirectReason, bool)>) {
        let mut reasons: Vec<(DirectReason, bool)> =
            self.against.iter().map(|reason| (reason.clone(), false)).collect();
        let mut waits: Option<Option<Waits>> = None;
        for Customised { tenants, by_record, ends, waits: own } in &self.overrides {
            let reason =
                DirectReason::Overridden { tenants: tenants.map_or(0, <[_]>::len), by_record: *by_record };
            match (tenants, owner) {
                (Some(_), Whose::All(None) | Whose::Each(_)) => {}
                (Some(tenants), Whose::All(Some(owner))) if !tenants.iter().any(|it| it == owner) => {}
                (Some(_), Whose::Unclear { deeper }) => reasons.push((reason, deeper)),
                (None, _) | (Some(_), Whose::All(Some(_))) if *by_record => reasons.push((reason, false)),
                _ => {
                    let lasts = self.waits.zip(*own).is_some_and(|(alone, own)| alone.bears(&own));
                    if *ends && !lasts {
                        // S3 would go by it on when the longer period holds again.
                        reasons.push((DirectReason::OverrideEnds, false));
                    }
                    let both = |before: Option<Waits>| before.zip(*own).map(|(a, b)| a.max(b));
                    waits = Some(waits.map_or(*own, both));
                }
            }
        }
        (waits.unwrap_or(self.waits), reasons)
    }
}

const fn acts(rule: &Rule) -> bool {
    matches!(rule.enforce, Enforce::Auto | Enforce::Lifecycle)
}
