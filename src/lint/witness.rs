//! An object that could be: the example that shows what selects have in common.

use std::collections::BTreeMap;
use std::fmt;

use crate::pattern::Captured;
use crate::policy::{Attribute, Condition, Select};

/// An object as far as a select looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Witness {
    pub bucket: String,
    pub key: String,
    pub tags: BTreeMap<String, String>,
    pub metadata: BTreeMap<String, String>,
    pub content_type: Option<String>,
    /// `None` where no size is asked for.
    pub size: Option<u64>,
}

impl Witness {
    /// Whose it is by the policy's tenant sources.
    pub fn tenant(&self, sources: &[Attribute]) -> Option<&str> {
        let said = |source: &Attribute| match source {
            // A key that can be taken apart in several ways is no example of anybody's.
            Attribute::Key(pattern) => match pattern.capture("tenant", &self.key) {
                Captured::Part(tenant) => Some(tenant),
                Captured::Nothing | Captured::Unclear => None,
            },
            Attribute::Metadata(name) => self.metadata.get(name).map(String::as_str),
            Attribute::Tag(name) => self.tags.get(name).map(String::as_str),
        };
        sources.iter().filter_map(said).find(|tenant| !tenant.is_empty())
    }

    /// Whether the select covers it, exceptions aside.
    pub fn is_in(&self, select: &Select, tenant: Option<&str>) -> bool {
        self.has_attributes_of(select, tenant)
            && select.prefix.as_ref().is_none_or(|prefix| self.key.starts_with(prefix.as_str()))
            && select.key.as_ref().is_none_or(|pattern| pattern.matches(&self.key))
            && select.media.as_ref().is_none_or(|media| media.iter().any(|range| range.has_key(&self.key)))
    }

    /// Whether it is what the select asks for in all but the key.
    pub fn has_attributes_of(&self, select: &Select, tenant: Option<&str>) -> bool {
        let says = |conditions: &[Condition], known: &BTreeMap<String, String>| {
            conditions.iter().all(|it| known.get(&it.name).is_some_and(|value| it.values.contains(value)))
        };
        (select.buckets.is_empty() || select.buckets.iter().any(|bucket| bucket.matches(&self.bucket)))
            && select
                .tenants
                .as_ref()
                .is_none_or(|named| tenant.is_some_and(|tenant| named.iter().any(|name| name == tenant)))
            && select.content_type.as_ref().is_none_or(|ranges| {
                let own = self.content_type.as_deref().unwrap_or_default();
                ranges.iter().any(|range| range.has_content_type(own))
            })
            && select.size.is_none_or(|wanted| {
                let own = self.size.unwrap_or_default();
                wanted.over.is_none_or(|over| own > over) && wanted.under.is_none_or(|under| own < under)
            })
            && says(&select.tags, &self.tags)
            && says(&select.metadata, &self.metadata)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`s3://{}/{}`", self.bucket, self.key)?;
        for (name, value) in &self.tags {
            write!(f, ", tagged `{name}={value}`")?;
        }
        for (name, value) in &self.metadata {
            write!(f, ", with the metadata `{name}: {value}`")?;
        }
        if let Some(content_type) = &self.content_type {
            write!(f, ", of type `{content_type}`")?;
        }
        match self.size {
            None => Ok(()),
            Some(1) => f.write_str(", of 1 byte"),
            Some(size) => write!(f, ", of {size} bytes"),
        }
    }
}
