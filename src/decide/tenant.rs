//! Whose an object is: the first tenant source that is present, or every tenant it could be.

use std::collections::BTreeSet;

use super::attribute::{self, Obscured, Value};
use crate::object::Observed;
use crate::policy::Policy;

/// What is known of an object's tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenancy<'a> {
    /// The tenant, or that it could be anybody.
    pub owner: Owner<'a>,
    /// Tenants that any source names, the deciding one among them: a hold fits any of these.
    pub named: BTreeSet<&'a str>,
    /// Why some source could not be read, if so: a hold could fit through it.
    pub obscured: Option<Obscured>,
}

/// The answer of the first source that is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// This tenant; the number is the source's place in the policy, beyond its end if none said so.
    Is(&'a str, usize),
    /// No source is present.
    Nobody,
    /// A source that counts could not be read: anybody, or nobody.
    Anybody,
}

/// Reads all tenant sources of `object`.
pub fn tenancy<'a>(policy: &Policy, object: &Observed<'a>) -> Tenancy<'a> {
    let mut found = Tenancy { owner: Owner::Nobody, named: BTreeSet::new(), obscured: None };
    for (place, source) in policy.tenant.iter().enumerate() {
        match attribute::read(source, "tenant", object) {
            Value::Known(tenant) => {
                found.named.insert(tenant);
                if found.owner == Owner::Nobody {
                    found.owner = Owner::Is(tenant, place);
                }
            }
            Value::Absent => {}
            Value::Unread(needs) => found.obscure(Obscured { needs, why: None }),
            Value::Unknown(why) => found.obscure(Obscured::for_good(why)),
        }
    }
    found
}

impl<'a> Tenancy<'a> {
    /// As if a source before all others said that it is `tenant`'s.
    #[must_use]
    pub fn said_to_be(mut self, tenant: &'a str) -> Self {
        self.owner = Owner::Is(tenant, usize::MAX);
        self.named.insert(tenant);
        self
    }

    fn obscure(&mut self, more: Obscured) {
        if self.owner == Owner::Nobody {
            self.owner = Owner::Anybody;
        }
        self.obscured = Some(self.obscured.map_or(more, |before| before.and(more)));
    }
}

/// A tenant that an object may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supposed<'a> {
    /// This one.
    Tenant(&'a str),
    /// None at all.
    Nobody,
    /// One that the policy does not name, so that nothing is known of its records.
    Stranger,
}

/// Every tenant that makes a difference to the policy and that the object could have.
pub fn suppositions<'a>(policy: &'a Policy, owner: Owner<'a>) -> Vec<Supposed<'a>> {
    match owner {
        Owner::Is(tenant, _) => vec![Supposed::Tenant(tenant)],
        Owner::Nobody => vec![Supposed::Nobody],
        Owner::Anybody => {
            let rules = policy.rules.iter().map(|rule| &rule.select);
            let holds = policy.holds.iter().map(|hold| &hold.select);
            let erasures = policy.erasures.iter().map(|erasure| &erasure.select);
            let selects = rules.chain(holds).chain(erasures);
            let selected = selects.flat_map(|select| std::iter::once(select).chain(&select.except));
            let overrides = policy.overrides.iter().filter_map(|o| o.tenants.as_deref());
            let named: BTreeSet<&str> = selected
                .filter_map(|select| select.tenants.as_deref())
                .chain(overrides)
                .flatten()
                .map(String::as_str)
                .collect();
            [Supposed::Nobody, Supposed::Stranger]
                .into_iter()
                .chain(named.into_iter().map(Supposed::Tenant))
                .collect()
        }
    }
}
