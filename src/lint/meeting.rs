//! Whether selects have an object in common, with an example of one.
//!
//! What an object must be in all but its bucket and key is chosen first, in as many ways as make a
//! difference; for each choice [`crate::pattern::example`] looks for a key. An example is held to
//! the selects themselves before it is believed, and that there is none is said only where
//! everything was looked at.

use std::collections::{BTreeMap, HashMap};

use super::witness::Witness;
use crate::media::MediaRange;
use crate::pattern::{BucketPattern, Effort, Found, Shape, example};
use crate::policy::{Attribute, Condition, Select};

const LONGEST_KEY: usize = 1024;
const LONGEST_BUCKET: usize = 63;

/// What a meeting takes beside the search, in steps of one.
const STEPS_OF_A_MEETING: usize = 60;

/// More ways to choose an object's attributes than this are not looked at.
const MOST_CHOICES: usize = 64;

/// What selects have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// This object, for one.
    At(Box<Witness>),
    /// Nothing.
    Apart,
    /// It cannot be told with the effort that there is.
    Unclear,
}

/// Looks for what selects have in common, under the tenant sources of one policy.
pub(super) struct Meetings<'p> {
    sources: &'p [Attribute],
    pub effort: Effort,
    /// Names that two patterns have in common, by the patterns.
    names: HashMap<(String, String), Found>,
}

/// A choice of everything but the key.
struct Choice<'s> {
    witness: Witness,
    tenant: Option<&'s str>,
}

impl<'p> Meetings<'p> {
    pub fn new(sources: &'p [Attribute], effort: Effort) -> Self {
        Self { sources, effort, names: HashMap::new() }
    }

    /// What all of `all` cover, and none of `none`; of these the exceptions do not count.
    pub fn of(&mut self, all: &[&Select], none: &[&Select]) -> Meeting {
        self.effort.left = self.effort.left.saturating_sub(STEPS_OF_A_MEETING);
        let left_out: Vec<&Select> =
            all.iter().flat_map(|select| &select.except).chain(none.iter().copied()).collect();
        let (choices, mut is_whole) = match self.choices(all, &left_out) {
            Some(found) => found,
            None => return Meeting::Apart,
        };
        // What the keys alone exclude need not be tried with every tenant there is.
        if !is_whole {
            let shapes: Vec<Shape> = all.iter().flat_map(|select| key_shapes(select)).collect();
            if example(&shapes, &[], LONGEST_KEY, &mut self.effort) == Found::Nothing {
                return Meeting::Apart;
            }
        }
        for choice in &choices {
            match self.key(choice, all, &left_out) {
                Meeting::At(found) => return Meeting::At(found),
                Meeting::Apart => {}
                Meeting::Unclear => is_whole = false,
            }
        }
        if is_whole { Meeting::Apart } else { Meeting::Unclear }
    }

    /// Every choice that makes a difference, and whether these are all; `None` if there can be none.
    fn choices<'s>(
        &mut self,
        all: &[&'s Select],
        left_out: &[&'s Select],
    ) -> Option<(Vec<Choice<'s>>, bool)> {
        let tenants = tenants(all)?;
        let tags = conditions(all.iter().flat_map(|select| &select.tags))?;
        let metadata = conditions(all.iter().flat_map(|select| &select.metadata))?;
        let types = content_types(all)?;
        let sizes = sizes(all, left_out)?;
        let (buckets, mut is_whole) = self.buckets(all, left_out);
        if buckets.is_empty() && is_whole {
            return None;
        }
        let mut choices: Vec<Choice<'s>> = buckets
            .into_iter()
            .map(|bucket| Choice { witness: Witness { bucket, ..Witness::default() }, tenant: None })
            .collect();
        let mut multiply = |options: usize, set: &dyn Fn(&mut Choice<'s>, usize)| {
            is_whole &= choices.len().saturating_mul(options) <= MOST_CHOICES;
            choices = (0..options)
                .flat_map(|option| choices.iter().map(move |choice| (option, choice)).collect::<Vec<_>>())
                .take(MOST_CHOICES)
                .map(|(option, choice)| {
                    let mut chosen = Choice { witness: choice.witness.clone(), tenant: choice.tenant };
                    set(&mut chosen, option);
                    chosen
                })
                .collect();
        };
        multiply(sizes.len(), &|choice, option| {
            choice.witness.size = sizes.get(option).copied().flatten();
        });
        multiply(types.len(), &|choice, option| {
            choice.witness.content_type = types.get(option).cloned().flatten();
        });
        for (name, values) in &tags {
            multiply(values.len(), &|choice, option| {
                choice
                    .witness
                    .tags
                    .extend(values.get(option).map(|value| ((*name).clone(), (*value).clone())));
            });
        }
        for (name, values) in &metadata {
            multiply(values.len(), &|choice, option| {
                let chosen = values.get(option).map(|value| ((*name).clone(), (*value).clone()));
                choice.witness.metadata.extend(chosen);
            });
        }
        multiply(tenants.len(), &|choice, option| choice.tenant = tenants.get(option).copied().flatten());
        Some((choices, is_whole))
    }

    /// A key for the choice, by whichever source can name its tenant.
    fn key(&mut self, choice: &Choice<'_>, all: &[&Select], left_out: &[&Select]) -> Meeting {
        let mut none: Vec<Vec<Shape>> = Vec::new();
        for select in left_out {
            if choice.witness.has_attributes_of(select, choice.tenant) {
                none.push(key_shapes(select));
            }
        }
        // An exception that asks nothing of the key leaves none.
        if none.iter().any(Vec::is_empty) {
            return Meeting::Apart;
        }
        let mut shapes = vec![Shape::anything()];
        shapes.extend(all.iter().flat_map(|select| key_shapes(select)));
        let Some(tenant) = choice.tenant else {
            return self.found(&shapes, &none, choice.witness.clone(), all, left_out);
        };
        let mut is_whole = true;
        for source in self.sources {
            let mut witness = choice.witness.clone();
            let mut own = shapes.clone();
            match source {
                Attribute::Key(pattern) => own.push(pattern.shape_with("tenant", tenant)),
                Attribute::Metadata(name) => _ = witness.metadata.insert(name.clone(), tenant.to_owned()),
                Attribute::Tag(name) => _ = witness.tags.insert(name.clone(), tenant.to_owned()),
            }
            match self.found(&own, &none, witness, all, left_out) {
                Meeting::At(found) => return Meeting::At(found),
                Meeting::Apart => {}
                Meeting::Unclear => is_whole = false,
            }
            // The next source counts only where this one says nothing.
            if let Attribute::Key(pattern) = source {
                none.push(vec![pattern.shape()]);
            }
        }
        if is_whole { Meeting::Apart } else { Meeting::Unclear }
    }

    fn found(
        &mut self,
        shapes: &[Shape],
        none: &[Vec<Shape>],
        witness: Witness,
        all: &[&Select],
        left_out: &[&Select],
    ) -> Meeting {
        let key = match example(shapes, none, LONGEST_KEY, &mut self.effort) {
            Found::Text(key) => key,
            Found::Nothing => return Meeting::Apart,
            Found::Unclear => return Meeting::Unclear,
        };
        let fits = |witness: &Witness| {
            let tenant = witness.tenant(self.sources);
            all.iter().all(|select| witness.is_in(select, tenant))
                && !left_out.iter().any(|select| witness.is_in(select, tenant))
        };
        let with = |key: String| Witness { key, ..witness.clone() };
        let whole = whole_name(&key).map(with).filter(fits);
        match whole.or_else(|| Some(with(key)).filter(fits)) {
            Some(found) => Meeting::At(Box::new(found)),
            None => Meeting::Unclear,
        }
    }

    /// Names of buckets, and whether no others make a difference.
    fn buckets(&mut self, all: &[&Select], left_out: &[&Select]) -> (Vec<String>, bool) {
        let lists: Vec<&[BucketPattern]> =
            all.iter().map(|select| select.buckets.as_slice()).filter(|list| !list.is_empty()).collect();
        let avoided: Vec<&[BucketPattern]> =
            left_out.iter().map(|select| select.buckets.as_slice()).filter(|list| !list.is_empty()).collect();
        let mut found = Vec::new();
        let mut is_whole = true;
        let mut combinations: Vec<Vec<&BucketPattern>> = vec![Vec::new()];
        for list in lists {
            is_whole &= combinations.len() * list.len() <= MOST_CHOICES * MOST_CHOICES;
            combinations = combinations
                .iter()
                .flat_map(|chosen| {
                    list.iter().map(move |one| chosen.iter().copied().chain([one]).collect::<Vec<_>>())
                })
                .take(MOST_CHOICES * MOST_CHOICES)
                .collect();
        }
        for patterns in combinations {
            self.effort.left = self.effort.left.saturating_sub(1);
            if let Some(exact) = patterns.iter().find(|pattern| pattern.is_exact()) {
                if patterns.iter().all(|pattern| pattern.matches(exact.as_str())) {
                    found.push(exact.as_str().to_owned());
                }
                continue;
            }
            let free = self.name(&patterns, &[]);
            let away = if avoided.is_empty() { Found::Nothing } else { self.name(&patterns, &avoided) };
            is_whole &= free != Found::Unclear && away != Found::Unclear;
            // With several to avoid there are names that avoid some of them only.
            is_whole &= avoided.len() < 2 || matches!(away, Found::Text(_));
            for name in [away, free] {
                if let Found::Text(name) = name {
                    found.push(name);
                }
            }
        }
        found.sort();
        found.dedup();
        (found, is_whole)
    }

    /// A name that all patterns match, and none of the others.
    fn name(&mut self, patterns: &[&BucketPattern], others: &[&[BucketPattern]]) -> Found {
        let pair = match patterns {
            [a, b] if others.is_empty() => Some((a.as_str().to_owned(), b.as_str().to_owned())),
            _ => None,
        };
        if let Some(known) = pair.as_ref().and_then(|pair| self.names.get(pair)) {
            return known.clone();
        }
        let shapes: Vec<Shape> =
            patterns.iter().map(|pattern| pattern.shape()).chain([Shape::anything()]).collect();
        let none: Vec<Vec<Shape>> =
            others.iter().copied().flatten().map(|pattern| vec![pattern.shape()]).collect();
        let fits = |name: &String| {
            patterns.iter().all(|pattern| pattern.matches(name))
                && !others.iter().copied().flatten().any(|pattern| pattern.matches(name))
        };
        let found = match example(&shapes, &none, LONGEST_BUCKET, &mut self.effort) {
            Found::Text(name) => {
                let like_a_name = [format!("acme{name}"), format!("{name}acme"), format!("acme{name}acme")];
                let is_name = |name: &String| {
                    let ends = [name.chars().next(), name.chars().next_back()];
                    name.len() > 2 && ends.iter().flatten().all(char::is_ascii_alphanumeric)
                };
                let better = like_a_name.into_iter().find(|name| is_name(name) && fits(name));
                Found::Text(if is_name(&name) { name } else { better.unwrap_or(name) })
            }
            other => other,
        };
        if let Some(pair) = pair {
            self.names.insert(pair, found.clone());
        }
        found
    }
}

/// What the select asks of the key; nothing if it asks nothing.
fn key_shapes(select: &Select) -> Vec<Shape> {
    let prefix = select.prefix.as_deref().filter(|prefix| !prefix.is_empty()).map(Shape::prefix);
    let key = select.key.as_ref().map(|pattern| pattern.shape());
    let media =
        select.media.as_ref().map(|media| Shape::extensions(media.iter().flat_map(MediaRange::extensions)));
    prefix.into_iter().chain(key).chain(media).collect()
}

/// The key with a name before its extension or after its last slash, where it has none.
fn whole_name(key: &str) -> Option<String> {
    let at = key.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = key.split_at_checked(at)?;
    (name.is_empty() || name.starts_with('.')).then(|| format!("{folder}a{name}"))
}

/// The tenants that all selects name; `[None]` where none does. `None` if they have none in common.
fn tenants<'s>(all: &[&'s Select]) -> Option<Vec<Option<&'s str>>> {
    let mut lists = all.iter().filter_map(|select| select.tenants.as_ref());
    let Some(first) = lists.next() else { return Some(vec![None]) };
    let rest: Vec<_> = lists.collect();
    let common: Vec<Option<&str>> = first
        .iter()
        .filter(|tenant| rest.iter().all(|list| list.contains(tenant)))
        .map(|tenant| Some(tenant.as_str()))
        .collect();
    (!common.is_empty()).then_some(common)
}

type Values<'s> = BTreeMap<&'s String, Vec<&'s String>>;

/// What each named attribute can say under all conditions; `None` if there is nothing for one.
fn conditions<'s>(all: impl Iterator<Item = &'s Condition>) -> Option<Values<'s>> {
    let mut values: Values<'s> = BTreeMap::new();
    for condition in all {
        let known = values.entry(&condition.name).or_insert_with(|| condition.values.iter().collect());
        known.retain(|value| condition.values.contains(value));
        if known.is_empty() {
            return None;
        }
    }
    Some(values)
}

fn content_types(all: &[&Select]) -> Option<Vec<Option<String>>> {
    let mut common: Option<Vec<MediaRange>> = None;
    for ranges in all.iter().filter_map(|select| select.content_type.as_ref()) {
        common = Some(match common {
            None => ranges.clone(),
            Some(before) => before
                .iter()
                .flat_map(|range| ranges.iter().filter_map(|other| range.common(other)))
                .collect(),
        });
    }
    match common {
        None => Some(vec![None]),
        Some(ranges) if ranges.is_empty() => None,
        Some(ranges) => Some(ranges.iter().map(|range| Some(range.example())).collect()),
    }
}

/// Sizes at all bounds that could make a difference.
fn sizes(all: &[&Select], left_out: &[&Select]) -> Option<Vec<Option<u64>>> {
    let bounds = |selects: &[&Select]| selects.iter().filter_map(|select| select.size).collect::<Vec<_>>();
    let (wanted, avoided) = (bounds(all), bounds(left_out));
    if wanted.is_empty() && avoided.is_empty() {
        return Some(vec![None]);
    }
    let least = wanted.iter().filter_map(|it| it.over).max().map_or(Some(0), |over| over.checked_add(1))?;
    let most =
        wanted.iter().filter_map(|it| it.under).min().map_or(Some(u64::MAX), |under| under.checked_sub(1))?;
    let edges = avoided.iter().flat_map(|it| [it.over, it.under]).flatten();
    let mut sizes: Vec<Option<u64>> =
        [least, most].into_iter().chain(edges).filter(|at| (least..=most).contains(at)).map(Some).collect();
    sizes.sort_unstable();
    sizes.dedup();
    (!sizes.is_empty()).then_some(sizes)
}
