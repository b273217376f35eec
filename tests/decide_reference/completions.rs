//! Objects as one of which not everything is seen could turn out to be.

use shelflife::object::Lock;
use shelflife::policy::{Attribute, By, Policy, Source};

use crate::cases::{self, CONTENT_TYPES, Case, LABELS, SIZES, STRANGERS, Sight, Sights, TENANTS};
use crate::checks::has_size;
use crate::dates::DAY;
use crate::policies::{leaves, selects};
use crate::reference::Thing;
use crate::rng::Rng;

/// As many of the telling texts are each given their turn, unless all are.
pub const TURNS: usize = 24;

/// A metadata value or a tag that has not been seen, with texts that could stand there.
struct Slot {
    is_metadata: bool,
    name: String,
    texts: Vec<Option<String>>,
}

impl Slot {
    fn fill(&self, thing: &mut Thing, text: &Option<String>) {
        let all = if self.is_metadata { &mut thing.metadata } else { &mut thing.tags };
        match text {
            Some(text) => drop(all.insert(self.name.clone(), text.clone())),
            None => drop(all.remove(&self.name)),
        }
    }
}

/// Objects as this one could turn out to be, the true one first.
pub fn completions(case: &Case, sights: Sights, at_most: usize) -> Vec<Thing> {
    let mut rng = Rng(case.seed ^ 0xBEEF);
    let mut slots: Vec<Slot> = Vec::new();
    for (is_metadata, sight) in [(true, sights.metadata), (false, sights.tags)] {
        if sight != Sight::Seen {
            slots.extend(named(&case.policy, is_metadata).into_iter().map(|name| Slot {
                texts: texts(case, is_metadata, &name),
                is_metadata,
                name,
            }));
        }
    }
    let types = sights.metadata != Sight::Seen && selects(&case.policy).any(|s| s.content_type.is_some());
    let sizes = !has_size(case.thing.kind) && selects(&case.policy).any(|select| select.size.is_some());
    let locks = [
        Lock::default(),
        Lock { legal_hold: false, retain_until: Some(cases::instant(case.now - 1)) },
        Lock { legal_hold: false, retain_until: Some(cases::instant(case.now + DAY)) },
        Lock { legal_hold: true, retain_until: None },
    ];
    let mut found = vec![case.thing.clone()];
    let mut vary = |rng: &mut Rng, fixed: Option<(usize, &Option<String>)>| {
        let mut thing = case.thing.clone();
        let keep_true = rng.chance(30);
        for (place, slot) in slots.iter().enumerate() {
            match fixed {
                Some((at, text)) if at == place => slot.fill(&mut thing, text),
                _ if keep_true => {}
                _ => slot.fill(&mut thing, &rng.pick(&slot.texts)),
            }
        }
        if types && !keep_true {
            thing.content_type = rng.pick(&CONTENT_TYPES).to_owned();
        }
        if sizes {
            thing.size = rng.chance(90).then(|| rng.pick(&SIZES));
        }
        if sights.lock != Sight::Seen {
            thing.lock = if rng.chance(70) { Lock::default() } else { rng.pick(&locks) };
        }
        found.push(thing);
    };
    let mut turns: Vec<(usize, &Option<String>)> = slots
        .iter()
        .enumerate()
        .flat_map(|(place, slot)| slot.texts.iter().map(move |text| (place, text)))
        .collect();
    rng.shuffle(&mut turns);
    for turn in turns.into_iter().take(at_most) {
        vary(&mut rng, Some(turn));
    }
    let more = if slots.is_empty() && !types && !sizes { 2 } else { 10 };
    for _ in 0..more {
        vary(&mut rng, None);
    }
    if sights.lock != Sight::Seen {
        found.extend(locks.iter().map(|lock| Thing { lock: *lock, ..case.thing.clone() }));
    }
    found
}

/// The names of metadata, or of tags, that the policy looks at.
fn named(policy: &Policy, is_metadata: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |attribute: &Attribute| match attribute {
        Attribute::Metadata(name) if is_metadata => found.push(name.clone()),
        Attribute::Tag(name) if !is_metadata => found.push(name.clone()),
        _ => {}
    };
    policy.tenant.iter().for_each(&mut note);
    for table in &policy.tables {
        if let By::Attribute(attribute) = &table.by {
            note(attribute);
        }
    }
    for leaf in policy.rules.iter().flat_map(|rule| leaves(&rule.trigger)) {
        if let Source::Attribute(attribute) = &leaf.source {
            note(attribute);
        }
    }
    for select in selects(policy) {
        let conditions = if is_metadata { &select.metadata } else { &select.tags };
        found.extend(conditions.iter().map(|condition| condition.name.clone()));
    }
    found.sort();
    found.dedup();
    found
}

/// Texts that could stand under a name, telling ones for each of its uses.
fn texts(case: &Case, is_metadata: bool, name: &str) -> Vec<Option<String>> {
    let mut found = vec![None];
    let is = |attribute: &Attribute| match attribute {
        Attribute::Metadata(known) => is_metadata && known == name,
        Attribute::Tag(known) => !is_metadata && known == name,
        Attribute::Key(_) => false,
    };
    if case.policy.tenant.iter().any(is) {
        found.extend(TENANTS.iter().chain(&STRANGERS).map(|name| Some((*name).to_owned())));
    }
    if case.policy.tables.iter().any(|table| matches!(&table.by, By::Attribute(by) if is(by))) {
        found.extend(["c-1", "c-2", "c-9", "4711"].map(|id| Some(id.to_owned())));
    }
    for leaf in case.policy.rules.iter().flat_map(|rule| leaves(&rule.trigger)) {
        if matches!(&leaf.source, Source::Attribute(attribute) if is(attribute)) {
            let form = cases::form_of(leaf);
            found.extend(cases::telling_dates(case, leaf.within, form.as_deref()).into_iter().map(Some));
        }
    }
    if let Some((_, values)) = LABELS.iter().find(|(label, _)| *label == name) {
        found.extend(values.iter().chain(&["other"]).map(|value| Some((*value).to_owned())));
    }
    found.sort();
    found.dedup();
    found
}
