//! Whether a select covers an object, condition by condition.

use shelflife::policy::{Attribute, Condition, Select};

use crate::glob;
use crate::reference::World;

/// Whether it does; what a listing does not show of uploads and markers leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    No,
    Maybe,
    Yes,
}

/// Whether these tenants, which a select names, are meant.
type Means<'m> = &'m dyn Fn(&[String]) -> bool;

/// File extensions that the random keys have, and what they stand for.
const EXTENSIONS: [(&str, &str); 5] = [
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
];

impl World<'_> {
    pub fn owner(&self) -> Option<String> {
        self.tenants().into_iter().next()
    }

    /// What every tenant source names, in their order.
    fn tenants(&self) -> Vec<String> {
        self.policy.tenant.iter().filter_map(|source| self.read(source, "tenant")).collect()
    }

    pub fn read(&self, attribute: &Attribute, capture: &str) -> Option<String> {
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

    /// Whether a rule or an erasure covers it: its owner's tenant counts.
    pub fn covers(&self, select: &Select) -> Cover {
        let owner = self.owner();
        let is_named = |named: &[String]| owner.as_ref().is_some_and(|owner| named.contains(owner));
        self.selects(select, &is_named, &is_named)
    }

    /// Whether a hold does: whoever any source names counts, and leaves an exception only if all
    /// sources agree on it.
    pub fn holds(&self, select: &Select) -> Cover {
        let tenants = self.tenants();
        let any = |named: &[String]| tenants.iter().any(|tenant| named.contains(tenant));
        let all = |named: &[String]| any(named) && tenants.iter().all(|tenant| named.contains(tenant));
        self.selects(select, &any, &all)
    }

    fn selects(&self, select: &Select, mine: Means<'_>, excepted: Means<'_>) -> Cover {
        let thing = self.thing;
        let says = |condition: &Condition, value: Option<&String>| {
            condition.values.iter().any(|wanted| Some(wanted) == value)
        };
        let all = (select.buckets.is_empty()
            || select.buckets.iter().any(|bucket| glob::matches(bucket.as_str(), &thing.bucket)))
            && select.prefix.as_ref().is_none_or(|prefix| thing.key.starts_with(prefix))
            && select.key.as_ref().is_none_or(|key| glob::matches(key.as_str(), &thing.key))
            && select.media.as_ref().is_none_or(|ranges| {
                let media = media_of(&thing.key).unwrap_or_default();
                ranges.iter().any(|range| is_in(&range.to_string(), media))
            })
            && select.content_type.as_ref().is_none_or(|ranges| {
                let essence = thing.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
                ranges.iter().any(|range| is_in(&range.to_string(), &essence))
            })
            && select.tags.iter().all(|condition| says(condition, thing.tags.get(&condition.name)))
            && select.metadata.iter().all(|condition| says(condition, thing.metadata.get(&condition.name)))
            && select.tenants.as_ref().is_none_or(|named| mine(named));
        if !all {
            return Cover::No;
        }
        let mut cover = match (select.size, thing.size) {
            (None, _) => Cover::Yes,
            (Some(_), None) => Cover::Maybe,
            (Some(range), Some(size)) => {
                let is_over = range.over.is_none_or(|over| over < size);
                let is_under = range.under.is_none_or(|under| under > size);
                if is_over && is_under { Cover::Yes } else { Cover::No }
            }
        };
        for exception in &select.except {
            cover = cover.min(match self.selects(exception, excepted, excepted) {
                Cover::Yes => Cover::No,
                Cover::Maybe => Cover::Maybe,
                Cover::No => Cover::Yes,
            });
        }
        cover
    }
}

fn media_of(key: &str) -> Option<&'static str> {
    let name = key.split('/').next_back()?;
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let extension = name[dot + 1..].to_lowercase();
    EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, media)| *media)
}

fn is_in(range: &str, media: &str) -> bool {
    match range.strip_suffix('*') {
        Some(kind) => media.starts_with(kind),
        None => media == range,
    }
}
