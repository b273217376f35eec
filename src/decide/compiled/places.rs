//! What of a policy a bucket and a key leave over: the rules, erasures and holds that select there.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::automaton::Automaton;
use super::media::Extensions;
use crate::decide::Scope;
use crate::media::MediaRange;
use crate::pattern::ByteStep;
use crate::policy::{Attribute, Policy, Select};

/// Beyond so many names nobody is told apart by the key.
const MOST_TENANTS: usize = 20_000;

/// Where a select selects.
#[derive(Debug)]
struct Place {
    /// Chains that must match; none in another bucket.
    chains: Option<Vec<u32>>,
    /// Its set of media ranges.
    media: Option<usize>,
    /// Where its exceptions do.
    except: Vec<Place>,
}

/// A tenant source that stands in the key.
#[derive(Debug)]
struct Source<'p> {
    /// The chain of its pattern.
    all: u32,
    /// Whether a key names one tenant at most.
    is_clear: bool,
    /// How many parts of the key stand before the tenant, if it is a part of its own.
    level: Option<usize>,
    /// Tenants that the policy names, by their chains.
    named: HashMap<u32, &'p str>,
}

/// The places of all selects of a policy in one bucket.
#[derive(Debug)]
pub struct Places<'p> {
    policy: &'p Policy,
    rules: Vec<Place>,
    erasures: Vec<Place>,
    /// Of those in force.
    holds: Vec<(usize, Place)>,
    extensions: Extensions,
    /// The tenant sources in the key, before all others.
    sources: Vec<Source<'p>>,
    /// Whether there are others, and whether one of them stands in the key after all.
    others: bool,
    others_in_key: bool,
}

/// Whose an object is, as far as its key tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose<'p> {
    /// This tenant's, whom the policy names.
    Named(&'p str),
    /// A tenant's whom it does not name.
    Stranger,
    /// Nobody's.
    Nobody,
    /// Something else must tell.
    Open,
}

/// A rule, an erasure or a hold that selects at a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selecting {
    /// Index into the policy.
    pub index: usize,
    /// The exceptions of its select that may matter there.
    pub except: Vec<usize>,
}

/// All that selects at a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct There<'p> {
    /// Rules.
    pub rules: Vec<Selecting>,
    /// Erasures.
    pub erasures: Vec<Selecting>,
    /// Holds in force.
    pub holds: Vec<Selecting>,
    /// The owner.
    pub whose: Whose<'p>,
    /// Those that sources in the key name, of the tenants that the policy names; `None` if that is not known.
    pub named: Option<Vec<&'p str>>,
    /// Whether other sources may name somebody as well.
    pub others: bool,
    /// Which part of the key names the owner, if one does.
    pub level: Option<usize>,
}

impl There<'_> {
    /// What it takes to remember, roughly.
    pub const fn bytes(&self) -> usize {
        500 + 200 * (self.rules.len() + self.erasures.len() + self.holds.len())
    }
}

impl<'p> Places<'p> {
    /// The places in `bucket`, with the automaton that finds them.
    pub fn new(policy: &'p Policy, bucket: &str, now: DateTime<Utc>) -> (Self, Automaton) {
        let mut automaton = Automaton::new();
        let mut media: Vec<&[MediaRange]> = Vec::new();
        let mut place = |select: &'p Select| place(select, bucket, &mut automaton, &mut media);
        let rules = policy.rules.iter().map(|rule| place(&rule.select)).collect();
        let erasures = policy.erasures.iter().map(|erasure| place(&erasure.select)).collect();
        let in_force =
            policy.holds.iter().enumerate().filter(|(_, hold)| hold.in_force(now, policy.timezone));
        let holds = in_force.map(|(index, hold)| (index, place(&hold.select))).collect();
        let sources = sources(policy, &mut automaton);
        let others = policy.tenant.get(sources.len()..).unwrap_or_default();
        automaton.finish();
        let places = Self {
            policy,
            rules,
            erasures,
            holds,
            extensions: Extensions::new(&media),
            others: !others.is_empty(),
            others_in_key: others.iter().any(|source| matches!(source, Attribute::Key(_))),
            sources,
        };
        (places, automaton)
    }

    /// How keys are told apart by their extension.
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What selects a key that these chains match, sorted, and whose extension is of this class.
    pub fn there(&self, chains: &[u32], media: usize) -> There<'p> {
        let fits = |place: &Place| self.fits(place, chains, media);
        let selecting = |index: usize, place: &Place| {
            let except = place.except.iter().enumerate().filter(|(_, place)| fits(place));
            fits(place).then(|| Selecting { index, except: except.map(|(at, _)| at).collect() })
        };
        let all = |places: &[Place]| {
            places.iter().enumerate().filter_map(|(index, place)| selecting(index, place)).collect()
        };
        let (whose, named) = self.whose(chains);
        let deciding = self.sources.iter().find(|source| chains.binary_search(&source.all).is_ok());
        There {
            rules: all(&self.rules),
            erasures: all(&self.erasures),
            holds: self.holds.iter().filter_map(|(index, place)| selecting(*index, place)).collect(),
            whose,
            named,
            others: self.others,
            level: deciding.and_then(|source| source.level),
        }
    }

    fn fits(&self, place: &Place, chains: &[u32], media: usize) -> bool {
        place.chains.as_ref().is_some_and(|all| all.iter().all(|one| chains.binary_search(one).is_ok()))
            && place.media.is_none_or(|set| self.extensions.has(media, set))
    }

    fn whose(&self, chains: &[u32]) -> (Whose<'p>, Option<Vec<&'p str>>) {
        let matches = |chain: &u32| chains.binary_search(chain).is_ok();
        let mut whose = None;
        let mut all_named = Vec::new();
        for source in self.sources.iter().filter(|source| matches(&source.all)) {
            let named = chains.iter().find_map(|chain| source.named.get(chain)).copied();
            all_named.extend(named);
            let says = match named {
                _ if !source.is_clear => Whose::Open,
                Some(name) => Whose::Named(name),
                None => Whose::Stranger,
            };
            if says == Whose::Open {
                return (Whose::Open, None);
            }
            whose.get_or_insert(says);
        }
        if self.others_in_key {
            return (Whose::Open, None);
        }
        let whose = whose.unwrap_or(if self.others { Whose::Open } else { Whose::Nobody });
        (whose, Some(all_named))
    }

    /// The policy.
    pub const fn policy(&self) -> &'p Policy {
        self.policy
    }
}

fn place<'p>(
    select: &'p Select,
    bucket: &str,
    automaton: &mut Automaton,
    media: &mut Vec<&'p [MediaRange]>,
) -> Place {
    let is_here = select.buckets.is_empty() || select.buckets.iter().any(|name| name.matches(bucket));
    let prefix = select.prefix.as_ref().filter(|prefix| !prefix.is_empty());
    let chains = is_here.then(|| {
        let prefix = prefix.map(|prefix| automaton.add(ByteStep::of_prefix(prefix)));
        let key = select.key.as_ref().map(|key| automaton.add(key.byte_steps(None)));
        prefix.into_iter().chain(key).collect()
    });
    let ranges = select.media.as_ref().filter(|_| is_here).map(|ranges| {
        media.iter().position(|known| known == ranges).unwrap_or_else(|| {
            media.push(ranges);
            media.len() - 1
        })
    });
    let except = select.except.iter().filter(|_| is_here);
    let except = except.map(|exception| place(exception, bucket, automaton, media)).collect();
    Place { chains, media: ranges, except }
}

fn sources<'p>(policy: &'p Policy, automaton: &mut Automaton) -> Vec<Source<'p>> {
    let names = named_tenants(policy);
    if names.len() > MOST_TENANTS {
        return Vec::new();
    }
    let patterns = policy.tenant.iter().map_while(|source| match source {
        Attribute::Key(pattern) => Some(pattern),
        Attribute::Metadata(_) | Attribute::Tag(_) => None,
    });
    patterns
        .map(|pattern| Source {
            all: automaton.add(pattern.byte_steps(None)),
            level: pattern.levels_above("tenant").map(|levels| levels.len()),
            is_clear: pattern.is_clear() && pattern.has("tenant"),
            named: names
                .iter()
                .map(|name| (automaton.add(pattern.byte_steps(Some(("tenant", name)))), *name))
                .collect(),
        })
        .collect()
}

/// All that a key can name of the tenants that make a difference.
fn named_tenants(policy: &Policy) -> BTreeSet<&str> {
    let rules = policy.rules.iter().map(|rule| &rule.select);
    let erasures = policy.erasures.iter().map(|erasure| &erasure.select);
    let selects = rules.chain(erasures).chain(policy.holds.iter().map(|hold| &hold.select));
    let selected = selects.flat_map(|select| std::iter::once(select).chain(&select.except));
    let selected = selected.filter_map(|select| select.tenants.as_deref());
    let overrides = policy.overrides.iter().filter_map(|over| over.tenants.as_deref());
    let names = selected.chain(overrides).flatten().map(String::as_str);
    names.filter(|name| !name.is_empty() && !name.contains('/')).collect()
}

/// Indices of what selects at a key, as [`Scope`] has them.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    rules: Vec<usize>,
    erasures: Vec<usize>,
    holds: Vec<usize>,
}

impl Picked {
    /// All of `there`.
    pub fn of(there: &There<'_>) -> Self {
        let indices = |all: &[Selecting]| all.iter().map(|one| one.index).collect();
        Self {
            rules: indices(&there.rules),
            erasures: indices(&there.erasures),
            holds: indices(&there.holds),
        }
    }

    /// As a scope.
    pub fn scope(&self) -> Scope<'_> {
        Scope::Only { rules: &self.rules, erasures: &self.erasures, holds: &self.holds }
    }
}
