//! Which attributes of objects the policy can ask for, in one bucket or anywhere.

use crate::policy::{Attribute, By, Policy, Select, Source, Trigger};

/// What has to be read of objects one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Metadata or the content type.
    pub head: bool,
    /// Tags.
    pub tags: bool,
}

impl Needs {
    /// What the policy can ask for in the bucket of this name.
    pub fn of(policy: &Policy, bucket: &str) -> Self {
        Self::covered(policy, |select| {
            select.buckets.is_empty() || select.buckets.iter().any(|pattern| pattern.matches(bucket))
        })
    }

    /// What the policy can ask for in any bucket.
    pub fn anywhere(policy: &Policy) -> Self {
        Self::covered(policy, |_| true)
    }

    fn covered(policy: &Policy, covers: impl Fn(&Select) -> bool) -> Self {
        let mut needs = Self::default();
        for source in &policy.tenant {
            needs.attribute(source);
        }
        for rule in policy.rules.iter().filter(|rule| covers(&rule.select)) {
            needs.select(&rule.select);
            needs.trigger(policy, &rule.trigger);
        }
        for condition in policy.overrides.iter().filter_map(|over| over.condition.as_ref()) {
            needs.table(policy, condition.table);
        }
        let others = policy.holds.iter().map(|hold| &hold.select);
        for select in others.chain(policy.erasures.iter().map(|erasure| &erasure.select)) {
            if covers(select) {
                needs.select(select);
            }
        }
        needs
    }

    fn attribute(&mut self, attribute: &Attribute) {
        match attribute {
            Attribute::Key(_) => {}
            Attribute::Metadata(_) => self.head = true,
            Attribute::Tag(_) => self.tags = true,
        }
    }

    fn table(&mut self, policy: &Policy, table: usize) {
        if let Some(By::Attribute(attribute)) = policy.tables.get(table).map(|table| &table.by) {
            self.attribute(attribute);
        }
    }

    fn select(&mut self, select: &Select) {
        self.head |= select.content_type.is_some() || !select.metadata.is_empty();
        self.tags |= !select.tags.is_empty();
        for exception in &select.except {
            self.select(exception);
        }
    }

    fn trigger(&mut self, policy: &Policy, trigger: &Trigger) {
        match &trigger.source {
            Source::Uploaded => {}
            Source::Attribute(attribute) => self.attribute(attribute),
            Source::Record { table, .. } => self.table(policy, *table),
            Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
                for term in terms {
                    self.trigger(policy, &term.trigger);
                }
            }
        }
    }
}
