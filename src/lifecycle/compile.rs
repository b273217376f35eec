//! From a policy to lifecycle rules: which objects S3 can be proved to keep as promised.
//!
//! S3 obeys the shortest of the rules that match an object, and a promise is the longest. So S3
//! is given a start of keys only if what it does there bears every rule, override, hold and
//! exception that could bear on any key with that start. [`super::terms`] says what one rule
//! asks of S3; [`super::reach`] which rules reach a start; here the starts are found.
//!
//! **One start.** Where several rules cover all keys with a start, S3 waits for the longest of
//! them. Rules that cover some of the keys (by tag, by extension) must not wait longer than that.
//! A rule that selects by tags or size alone gets a lifecycle rule with the same filter, if
//! nothing else that could reach the same objects waits longer.
//!
//! **What stands under it.** Everything the policy says of longer starts must bear it too. A
//! shorter period there gets a rule of its own. Where something stays longer, the start is split
//! into the directories that were listed under it, and each is looked at for itself. What stands
//! beside the directories, and directories that come later, stay with Shelflife.
//!
//! **How many.** S3 takes 1,000 rules in a bucket. The policy's rules that need the fewest come
//! first; the others are direct.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::calendar;
use crate::object::BucketFacts;
use crate::policy::{Enforce, Policy, Rule};

use super::claim::{Claim, Target};
use super::directories::{Listing, Surroundings};
use super::emit::owned_rules;
use super::owned::OwnedRule;
use super::problem::MOST_RULES;
use super::reach::{Home, Reaches};
use super::reason::DirectReason;
use super::terms::LifecycleTerms;

/// What becomes of each rule of a policy in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The lifecycle rules to have in the bucket, sorted by id. Rules that are
    /// [`Engine::Refused`] have none, so merging these takes away what stood for them.
    pub rules: Vec<OwnedRule>,
    /// What S3 removes with them.
    pub claims: Vec<Claim>,
    /// One entry for each policy rule that covers the bucket, in the policy's order.
    pub engines: Vec<RuleEngine>,
    /// Starts of keys whose directories would have to be listed to give S3 more.
    pub unlisted: BTreeSet<String>,
}

/// Who removes what is due under one rule in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEngine {
    /// Index into the policy's rules.
    pub rule: usize,
    /// Who.
    pub engine: Engine,
}

/// Who removes what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// S3.
    Lifecycle(LifecycleTerms),
    /// S3 under some starts of keys, and Shelflife elsewhere.
    Split {
        /// What S3 does, where it is latest.
        terms: LifecycleTerms,
        /// How many starts S3 was given.
        starts: usize,
        /// Why not everything; never empty.
        elsewhere: Vec<DirectReason>,
    },
    /// Shelflife, for these reasons; never empty.
    Direct(Vec<DirectReason>),
    /// Nobody: the policy says `enforce: lifecycle` and S3 cannot be proved to keep the promise, for
    /// these reasons; never empty. An error of the policy.
    Refused(Vec<DirectReason>),
    /// Nobody: the policy says `enforce: observe`.
    Observe,
}

impl Compiled {
    /// Who removes what is due under the policy's rule at this index; `None` if the rule does not
    /// cover the bucket.
    pub fn engine(&self, rule: usize) -> Option<&Engine> {
        self.engines.iter().find(|entry| entry.rule == rule).map(|entry| &entry.engine)
    }

    /// What S3 does under the policy's rule at this index, where it is latest; `None` if S3 has no
    /// part in it.
    pub fn lifecycle(&self, rule: usize) -> Option<LifecycleTerms> {
        match self.engine(rule) {
            Some(Engine::Lifecycle(terms) | Engine::Split { terms, .. }) => Some(*terms),
            _ => None,
        }
    }

    /// What S3 does to an object of this key that these rules of the policy cover.
    pub fn claims_on<'c>(&'c self, key: &'c str, rules: &'c [usize]) -> impl Iterator<Item = &'c Claim> {
        self.claims.iter().filter(move |claim| claim.takes(key, rules))
    }

    /// The rules that the policy demands of S3 and S3 cannot be proved to keep.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &[DirectReason])> {
        self.engines.iter().filter_map(|entry| match &entry.engine {
            Engine::Refused(reasons) => Some((entry.rule, reasons.as_slice())),
            _ => None,
        })
    }
}

/// When S3 makes an object of `uploaded` eligible under a rule of `days`: the sum, rounded up to
/// midnight UTC. A sum that is exactly midnight is taken to stay; S3 does not document it.
/// `None` beyond the calendar's end.
pub fn eligible_at(uploaded: DateTime<Utc>, days: u32) -> Option<DateTime<Utc>> {
    uploaded.checked_add_days(chrono::Days::new(days.into())).map(calendar::midnight_at_or_after)
}

/// Decides for every rule of the policy that covers the bucket who removes what is due at `now`,
/// and with which lifecycle rules.
pub fn compile(policy: &Policy, bucket: &BucketFacts, around: &Surroundings, now: DateTime<Utc>) -> Compiled {
    compile_without(policy, bucket, around, now, &|_| false)
}

/// The same, with those conditions left out that `waived` picks: what follows is no proof any
/// more. It is there so that tests can show that each condition is needed.
#[doc(hidden)]
pub fn compile_without(
    policy: &Policy,
    bucket: &BucketFacts,
    around: &Surroundings,
    now: DateTime<Utc>,
    waived: &dyn Fn(&DirectReason) -> bool,
) -> Compiled {
    let reaches = Reaches::new(policy, bucket, around, now, waived);
    let mut search = Search { reaches: &reaches, around, found: Found::default(), target: Target::Whole };
    for target in reaches.targets() {
        search.target = target;
        search.at("");
    }
    let Found { mut claims, mut against, unlisted } = search.found;
    claims.sort_by(|a, b| (&a.start, a.target).cmp(&(&b.start, b.target)));
    within_the_limit(around, &mut claims, &mut against);
    let rules = owned_rules(policy, &reaches, &claims);
    let engines = reaches.rules().map(|(index, rule)| {
        let own = claims.iter().filter(|claim| claim.carries.contains(&index));
        let against = against.remove(&index).unwrap_or_default();
        RuleEngine { rule: index, engine: engine(rule, own.collect(), against) }
    });
    let engines = engines.collect();
    Compiled { rules, claims, engines, unlisted }
}

fn engine(rule: &Rule, claims: Vec<&Claim>, against: BTreeSet<DirectReason>) -> Engine {
    let reasons: Vec<DirectReason> = against.into_iter().collect();
    let latest =
        claims.iter().map(|claim| claim.terms).max_by_key(|terms| (terms.lateness_days, terms.expire_days));
    match (rule.enforce, latest) {
        (Enforce::Observe, _) => Engine::Observe,
        (Enforce::Direct, _) => Engine::Direct(vec![DirectReason::PolicySaysDirect]),
        (_, Some(terms)) if reasons.is_empty() => Engine::Lifecycle(terms),
        (_, Some(terms)) => Engine::Split { terms, starts: claims.len(), elsewhere: reasons },
        (Enforce::Lifecycle, None) if !DirectReason::are_passing(&reasons) => Engine::Refused(reasons),
        // Others wait longer for all of its objects.
        (_, None) if reasons.is_empty() => Engine::Direct(vec![DirectReason::Outlasted]),
        (_, None) => Engine::Direct(reasons),
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    claims: Vec<Claim>,
    against: BTreeMap<usize, BTreeSet<DirectReason>>,
    unlisted: BTreeSet<String>,
}

/// The search for the starts of keys that S3 can be given.
struct Search<'a> {
    reaches: &'a Reaches<'a>,
    around: &'a Surroundings,
    found: Found,
    target: Target,
}

impl Search<'_> {
    fn at(&mut self, start: &str) {
        let below = self.reaches.named_below(start);
        match self.reaches.home(self.target, start) {
            Home::Nothing => below.iter().for_each(|start| self.at(start)),
            Home::Given(claim) => match self.in_the_way(&claim, &below) {
                None => self.take(claim, &below),
                Some(way) => {
                    let ways = claim.carries.iter().map(|rule| (*rule, way.clone()));
                    self.split(start, &below, ways.collect());
                }
            },
            Home::Kept { reasons, deeper: true } => self.split(start, &below, reasons),
            Home::Kept { reasons, deeper: false } => {
                self.speak_against(reasons);
                below.iter().for_each(|start| self.at(start));
            }
        }
    }

    /// Why something that the policy says of longer starts does not bear the claim, if so; or the
    /// claim that it gets of its own, which is shorter then.
    fn in_the_way(&self, claim: &Claim, below: &BTreeSet<String>) -> Option<DirectReason> {
        below.iter().find_map(|start| {
            let under = self.reaches.named_below(start);
            let why = match self.reaches.home(self.target, start) {
                Home::Given(own) if own.waits.bears(&claim.waits) => {
                    return self.in_the_way(if own.does_as(claim) { claim } else { &own }, &under);
                }
                Home::Given(_) | Home::Nothing => DirectReason::StaysLonger,
                Home::Kept { reasons, .. } => {
                    reasons.into_iter().next().map_or(DirectReason::StaysLonger, |(_, reason)| reason)
                }
            };
            let why = Some(why).filter(|why| !self.reaches.is_waived(why));
            why.or_else(|| self.in_the_way(claim, &under))
        })
    }

    /// Gives S3 the whole start, and shorter periods under it rules of their own.
    fn take(&mut self, claim: Claim, below: &BTreeSet<String>) {
        let place = self.found.claims.len();
        self.found.claims.push(claim);
        self.take_below(place, below);
    }

    fn take_below(&mut self, above: usize, below: &BTreeSet<String>) {
        for start in below {
            let under = self.reaches.named_below(start);
            let Home::Given(own) = self.reaches.home(self.target, start) else { continue };
            let Some(over) = self.found.claims.get_mut(above) else { continue };
            if own.does_as(over) {
                // One lifecycle rule does for both.
                over.carries.extend(own.carries);
                over.carries.sort_unstable();
                over.carries.dedup();
                self.take_below(above, &under);
            } else {
                self.take(own, &under);
            }
        }
    }

    /// Looks at the directories under `start` one by one, for reasons that are not theirs.
    fn split(&mut self, start: &str, below: &BTreeSet<String>, reasons: Vec<(usize, DirectReason)>) {
        let mut next: BTreeSet<String> = BTreeSet::new();
        let why = match self.around.directories.under(start) {
            Some(Listing::Whole(directories)) => {
                let is_apart = |dir: &&String| !below.iter().any(|named| dir.starts_with(named.as_str()));
                next.extend(directories.iter().filter(is_apart).cloned());
                DirectReason::Beside(start.to_owned())
            }
            Some(Listing::TooMany(found)) => {
                DirectReason::TooManyDirectories { start: start.to_owned(), found: *found }
            }
            None => {
                self.found.unlisted.insert(start.to_owned());
                DirectReason::Unlisted(start.to_owned())
            }
        };
        self.speak_against(reasons.iter().map(|(rule, _)| (*rule, why.clone())).collect());
        self.speak_against(reasons);
        // What the policy names is looked at whether it is there or not.
        for named in below {
            let directory = named[start.len()..].find('/').map(|slash| &named[..=start.len() + slash]);
            next.insert(directory.unwrap_or(named).to_owned());
        }
        next.iter().for_each(|start| self.at(start));
    }

    fn speak_against(&mut self, reasons: Vec<(usize, DirectReason)>) {
        for (rule, reason) in reasons {
            // Looking for what one rule can be given says nothing of others.
            if matches!(self.target, Target::Rule(target) if target != rule) {
                continue;
            }
            self.found.against.entry(rule).or_default().insert(reason);
        }
    }
}

/// Takes claims away again until S3 takes the rest.
fn within_the_limit(
    around: &Surroundings,
    claims: &mut Vec<Claim>,
    against: &mut BTreeMap<usize, BTreeSet<DirectReason>>,
) {
    let room = MOST_RULES.saturating_sub(around.other_rules);
    let mut needed: BTreeMap<usize, usize> = BTreeMap::new();
    for claim in claims.iter() {
        *needed.entry(claim.speaker).or_default() += claim.most_rules();
    }
    let mut by_need: Vec<(usize, usize)> = needed.into_iter().map(|(rule, needed)| (needed, rule)).collect();
    by_need.sort_unstable();
    let mut left = room;
    let mut gone: Vec<Claim> = Vec::new();
    for (needed, rule) in by_need {
        match left.checked_sub(needed) {
            Some(rest) => left = rest,
            None => gone.extend(claims.extract_if(.., |claim| claim.speaker == rule)),
        }
    }
    // Where a shorter period goes, the longer one around it would be late for its objects.
    let starts: Vec<String> = gone.iter().map(|claim| claim.start.clone()).collect();
    let is_around = |claim: &mut Claim| starts.iter().any(|start| start.starts_with(&claim.start));
    gone.extend(claims.extract_if(.., is_around));
    let needed = gone.iter().map(Claim::most_rules).sum();
    for rule in gone.iter().flat_map(|claim| &claim.carries) {
        against.entry(*rule).or_default().insert(DirectReason::TooManyRules { needed, room: left });
    }
}
