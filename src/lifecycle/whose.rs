//! Whose the objects are that stand under a start of keys, as far as the keys alone tell.
//!
//! S3 knows no tenants. Where a tenant is a whole level of the key (`*/{tenant}/**`), everything
//! under one directory is one tenant's, and a lifecycle rule for that directory is a rule for
//! that tenant. Tags and metadata say nothing about a start of keys.

use crate::pattern::Level;
use crate::policy::{Attribute, Policy};

/// Whose objects stand under a start of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose<'k> {
    /// Every one of them is this tenant's, or nobody's.
    All(Option<&'k str>),
    /// Each directory under this start of the start is a tenant's, and what stands beside the
    /// directories is nobody's.
    Each(&'k str),
    /// It cannot be told; `deeper`: of a longer start it could be.
    Unclear { deeper: bool },
}

/// What one source says of all keys with a start.
enum Said<'k> {
    /// This tenant.
    Always(&'k str),
    /// Nothing.
    Never,
    /// Each directory under this start is a tenant's.
    Each(&'k str),
    /// A longer start would tell.
    Deeper,
    /// No start tells.
    Unclear,
}

/// The places of a policy's tenant sources.
pub(super) struct Sources {
    /// `None` where a source does not follow from the slashes of the key.
    levels: Vec<Option<Vec<Level>>>,
}

impl Sources {
    pub(super) fn of(policy: &Policy) -> Self {
        let levels = policy.tenant.iter().map(|source| match source {
            Attribute::Key(pattern) => pattern.levels_above("tenant"),
            Attribute::Metadata(_) | Attribute::Tag(_) => None,
        });
        Self { levels: levels.collect() }
    }

    /// Whose the objects under `start` are: the first source that is present counts.
    pub(super) fn owner<'k>(&self, start: &'k str) -> Whose<'k> {
        let mut said = self.levels.iter().map(|levels| says(levels.as_deref(), start));
        let Some(first) = said.find(|said| !matches!(said, Said::Never)) else { return Whose::All(None) };
        match first {
            Said::Always(tenant) => Whose::All(Some(tenant)),
            // What stands beside the directories goes by the sources behind this one.
            Said::Each(base) if said.all(|said| matches!(said, Said::Never)) => Whose::Each(base),
            Said::Each(_) | Said::Deeper => Whose::Unclear { deeper: true },
            Said::Unclear | Said::Never => Whose::Unclear { deeper: false },
        }
    }

    /// Whom any of the sources could name: a hold fits whoever that is.
    pub(super) fn named<'k>(&self, start: &'k str) -> Whose<'k> {
        if self.levels.len() < 2 {
            return self.owner(start);
        }
        let said: Vec<Said<'k>> = self.levels.iter().map(|levels| says(levels.as_deref(), start)).collect();
        let mut speaking = said.iter().filter(|said| !matches!(said, Said::Never));
        let first = speaking.next();
        let mut same =
            |tenant: &str| speaking.all(|said| matches!(said, Said::Always(other) if *other == tenant));
        match first {
            None => Whose::All(None),
            Some(Said::Always(tenant)) if same(tenant) => Whose::All(Some(tenant)),
            Some(Said::Each(base)) if speaking.next().is_none() => Whose::Each(base),
            Some(_) => {
                let is_hidden = said.iter().any(|said| matches!(said, Said::Unclear));
                let is_open = said.iter().any(|said| matches!(said, Said::Each(_) | Said::Deeper));
                Whose::Unclear { deeper: is_open && !is_hidden }
            }
        }
    }
}

fn says<'k>(levels: Option<&[Level]>, start: &'k str) -> Said<'k> {
    let Some(levels) = levels else { return Said::Unclear };
    let parts: Vec<&str> = start.split('/').collect();
    let Some((last, whole)) = parts.split_last() else { return Said::Deeper };
    for (level, part) in levels.iter().zip(whole) {
        if matches!(level, Level::Named(name) if name != part) {
            return Said::Never;
        }
    }
    if let Some(tenant) = whole.get(levels.len()) {
        // A capture takes at least one character.
        return if tenant.is_empty() { Said::Never } else { Said::Always(tenant) };
    }
    match levels.get(whole.len()) {
        None => Said::Each(&start[..start.len() - last.len()]),
        Some(Level::Named(name)) if !name.starts_with(last) => Said::Never,
        Some(_) => Said::Deeper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::KeyPattern;

    fn sources(patterns: &[&str]) -> Sources {
        let levels =
            patterns.iter().map(|pattern| KeyPattern::parse(pattern).unwrap().levels_above("tenant"));
        Sources { levels: levels.collect() }
    }

    #[test]
    fn a_directory_at_the_tenants_level_is_one_tenants() {
        let key = sources(&["*/{tenant}/**"]);
        assert_eq!(key.owner(""), Whose::Unclear { deeper: true });
        assert_eq!(key.owner("inbound/"), Whose::Each("inbound/"));
        assert_eq!(key.owner("inbound/47"), Whose::Each("inbound/"));
        assert_eq!(key.owner("inbound/4711/"), Whose::All(Some("4711")));
        assert_eq!(key.owner("inbound/4711/2026/a"), Whose::All(Some("4711")));
        assert_eq!(key.owner("inbound//a"), Whose::All(None));
    }

    #[test]
    fn a_source_that_cannot_be_there_is_passed_over() {
        let two = sources(&["in/{tenant}/**", "*/{tenant}/**"]);
        assert_eq!(two.owner("out/1/"), Whose::All(Some("1")));
        assert_eq!(two.owner("i"), Whose::Unclear { deeper: true });
        // A file beside the directories of the first is looked up in the second.
        assert_eq!(two.owner("in/"), Whose::Unclear { deeper: true });
        assert_eq!(two.named("in/1/"), Whose::All(Some("1")));
        assert_eq!(two.named("in/"), Whose::Unclear { deeper: true });
        assert_eq!(two.named("out/1/"), Whose::All(Some("1")));
    }

    #[test]
    fn beside_a_tag_only_the_owner_is_clear_and_not_whom_a_hold_could_name() {
        let tagged = Sources { levels: vec![Some(vec![Level::Any]), None] };
        assert_eq!(tagged.owner("in/1/"), Whose::All(Some("1")));
        assert_eq!(tagged.owner("in/"), Whose::Unclear { deeper: true });
        assert_eq!(tagged.named("in/1/"), Whose::Unclear { deeper: false });
        assert_eq!(Sources { levels: vec![None] }.owner("in/1/"), Whose::Unclear { deeper: false });
    }

    #[test]
    fn without_sources_everything_is_nobodys() {
        assert_eq!(sources(&[]).owner("in/"), Whose::All(None));
        assert_eq!(sources(&[]).named("in/"), Whose::All(None));
    }
}
