//! Whose an object is: the first tenant source that is present, or every tenant it could be.

use std::collections::BTreeSet;

use super::attribute::{self, Value};
use super::decision::Needs;
use crate::object::{Observed, Unreadable};
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
    /// This tenant; the number is the source's place in the policy.
    Is(&'a str, usize),
    /// No source is present.
    Nobody,
    /// A source that counts could not be read: anybody, or nobody.
    Anybody,
}

/// What stands between us and a tenant source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obscured {
    /// What reading would help.
    pub needs: Needs,
    /// Why reading did not help, where it was tried.
    pub why: Option<Unreadable>,
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
            Value::Unread(needs) => found.obscure(needs, None),
            Value::Unknown(why) => found.obscure(Needs::NONE, Some(why)),
        }
    }
    found
}

impl Tenancy<'_> {
    fn obscure(&mut self, needs: Needs, why: Option<Unreadable>) {
        if self.owner == Owner::Nobody {
            self.owner = Owner::Anybody;
        }
        let before = self.obscured.unwrap_or(Obscured { needs: Needs::NONE, why: None });
        self.obscured = Some(Obscured { needs: before.needs.and(needs), why: before.why.or(why) });
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
            let rules = policy.rules.iter().filter_map(|rule| rule.select.tenants.as_deref());
            let holds = policy.holds.iter().filter_map(|hold| hold.select.tenants.as_deref());
            let overrides = policy.overrides.iter().map(|o| o.tenants.as_slice());
            let named: BTreeSet<&str> =
                rules.chain(holds).chain(overrides).flatten().map(String::as_str).collect();
            [Supposed::Nobody, Supposed::Stranger]
                .into_iter()
                .chain(named.into_iter().map(Supposed::Tenant))
                .collect()
        }
    }
}
