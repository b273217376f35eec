//! Whether a rule, an override or a hold covers an object.

use super::tenant::{Supposed, Tenancy};
use crate::object::Observed;
use crate::policy::Select;

/// Whether a select covers an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not, for this reason.
    No(Miss),
    /// That depends on a tenant source that has not been read.
    Maybe,
}

/// The first condition that an object misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Another bucket.
    Bucket,
    /// The key starts otherwise.
    Prefix,
    /// The key does not match the pattern.
    Key,
    /// Another tenant.
    Tenant,
}

/// Whether `select` covers the object, if `tenant` is the one whose it is.
pub fn covers(select: &Select, object: &Observed<'_>, tenant: Supposed<'_>) -> Fit {
    if let Some(miss) = misses_place(select, object) {
        return Fit::No(miss);
    }
    match (&select.tenants, tenant) {
        (None, _) => Fit::Yes,
        (Some(named), Supposed::Tenant(tenant)) if named.iter().any(|name| name == tenant) => Fit::Yes,
        (Some(_), _) => Fit::No(Miss::Tenant),
    }
}

/// Whether a hold's `select` covers the object: any tenant source that names one of its
/// tenants will do, the deciding one or not.
pub fn holds(select: &Select, object: &Observed<'_>, tenant: Supposed<'_>, tenancy: &Tenancy<'_>) -> Fit {
    if let Some(miss) = misses_place(select, object) {
        return Fit::No(miss);
    }
    let Some(tenants) = &select.tenants else {
        return Fit::Yes;
    };
    let is_named = |name: &str| tenants.iter().any(|tenant| tenant == name);
    if tenancy.named.iter().any(|name| is_named(name)) || matches!(tenant, Supposed::Tenant(t) if is_named(t))
    {
        Fit::Yes
    } else if tenancy.obscured.is_some() {
        Fit::Maybe
    } else {
        Fit::No(Miss::Tenant)
    }
}

fn misses_place(select: &Select, object: &Observed<'_>) -> Option<Miss> {
    if !select.buckets.is_empty() && !select.buckets.iter().any(|bucket| bucket.matches(object.bucket)) {
        return Some(Miss::Bucket);
    }
    if select.prefix.as_ref().is_some_and(|prefix| !object.key.starts_with(prefix.as_str())) {
        return Some(Miss::Prefix);
    }
    if select.key.as_ref().is_some_and(|pattern| !pattern.matches(object.key)) {
        return Some(Miss::Key);
    }
    None
}
