//! What a run removes of each tenant, counted.
//!
//! **Memory.** Three counts for each tenant and its name, and no more than so many tenants: 100,000 with
//! names of 20 bytes take about 15 MB. Nothing is counted unless the policy limits what may go of a tenant.

use std::collections::HashMap;

/// How many tenants are counted. Of a run that meets more it is not known what each of them loses, so
/// that the guards on tenants count as broken.
pub const MOST_TENANTS: usize = 100_000;

/// What a run found of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that a rule or an erasure covers.
    pub covered: u64,
    /// Those of them that are removed.
    pub removed: u64,
    /// The bytes of these.
    pub bytes: u64,
}

impl Counts {
    fn add(&mut self, bytes: u64, is_removed: bool) {
        self.merge(Self {
            covered: 1,
            removed: is_removed.into(),
            bytes: if is_removed { bytes } else { 0 },
        });
    }

    /// Counts all of `other` too.
    pub const fn merge(&mut self, other: Self) {
        self.covered += other.covered;
        self.removed += other.removed;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What a run found of each tenant.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    counts: HashMap<String, Counts>,
    nobody: Counts,
    is_full: bool,
}

impl Tenants {
    /// Counts one object that is covered.
    pub fn add(&mut self, tenant: Option<&str>, bytes: u64, is_removed: bool) {
        let Some(tenant) = tenant else { return self.nobody.add(bytes, is_removed) };
        if let Some(counts) = self.of(tenant) {
            counts.add(bytes, is_removed);
        }
    }

    /// Counts so many objects that are covered, and are no tenant's and stay.
    pub fn add_nobodys(&mut self, covered: u64) {
        self.nobody.covered += covered;
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        self.nobody.merge(other.nobody);
        self.is_full |= other.is_full;
        for (tenant, more) in &other.counts {
            if let Some(counts) = self.of(tenant) {
                counts.merge(*more);
            }
        }
    }

    /// The counts of one, unless there are too many.
    fn of(&mut self, tenant: &str) -> Option<&mut Counts> {
        if !self.counts.contains_key(tenant) {
            if self.counts.len() >= MOST_TENANTS {
                self.is_full = true;
                return None;
            }
            self.counts.insert(tenant.to_owned(), Counts::default());
        }
        self.counts.get_mut(tenant)
    }

    /// Each tenant that is known.
    pub fn each(&self) -> impl Iterator<Item = (&str, &Counts)> {
        self.counts.iter().map(|(tenant, counts)| (tenant.as_str(), counts))
    }

    /// What is of no known tenant.
    pub const fn nobody(&self) -> Counts {
        self.nobody
    }

    /// Whether there were tenants that are not counted.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }
}
