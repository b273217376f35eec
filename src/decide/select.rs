//! Whether a rule, an erasure or a hold covers an object.

use super::attribute::{HEAD, Obscured, TAGS};
use super::decision::Needs;
use super::tenant::{Owner, Supposed, Tenancy};
use crate::object::{Attributes, Kind, Observed, Reading, Unreadable};
use crate::policy::{Condition, Select, SizeRange};

/// Whether a select covers an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not, for this reason.
    No(Miss),
    /// That depends on something that has not been read, or cannot be.
    Maybe(Obscured),
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
    /// The key's extension stands for another type of media.
    Media,
    /// It is too large or too small.
    Size,
    /// Another tenant.
    Tenant,
    /// Another content type.
    ContentType,
    /// A tag is not there, or says something else.
    Tag,
    /// Metadata is not there, or says something else.
    Metadata,
    /// An exception covers it.
    Excepted,
}

/// Whether `select` covers the object, if `tenant` is the one whose it is.
pub fn covers(select: &Select, object: &Observed<'_>, tenant: Supposed<'_>) -> Fit {
    let own = |select: &Select| is_tenants(select, tenant);
    fit(select, object, &own, &own)
}

/// Whether a hold's `select` covers the object. A hold reaches wide: any tenant source that names
/// one of its tenants will do, the deciding one or not. Its exceptions reach as little as they
/// can: no source may name anybody else.
pub fn holds(select: &Select, object: &Observed<'_>, tenant: Supposed<'_>, tenancy: &Tenancy<'_>) -> Fit {
    let wide = |select: &Select| {
        let Some(tenants) = &select.tenants else { return Fit::Yes };
        let is_named = |name: &str| tenants.iter().any(|tenant| tenant == name);
        let is_owner = matches!(tenant, Supposed::Tenant(owner) if is_named(owner));
        if is_owner || tenancy.named.iter().any(|name| is_named(name)) {
            return Fit::Yes;
        }
        // A source that cannot be read may name one of them for all that the others say.
        tenancy.obscured.map_or(Fit::No(Miss::Tenant), |obscured| Fit::Maybe(obscured.whole()))
    };
    let narrow = |select: &Select| {
        let Some(tenants) = &select.tenants else { return Fit::Yes };
        let is_named = |name: &str| tenants.iter().any(|tenant| tenant == name);
        let is_owner =
            matches!(tenant, Supposed::Tenant(owner) if is_named(owner)) && tenancy.owner != Owner::Nobody;
        if !is_owner || !tenancy.named.iter().all(|name| is_named(name)) {
            return Fit::No(Miss::Tenant);
        }
        tenancy.obscured.map_or(Fit::Yes, |obscured| Fit::Maybe(obscured.whole()))
    };
    fit(select, object, &wide, &narrow)
}

/// Whether `select` covers an object of a bucket and a key that it is known to cover.
pub fn covers_there(select: &Select, object: &Observed<'_>, tenant: Supposed<'_>) -> Fit {
    let own = |select: &Select| is_tenants(select, tenant);
    fit_there(select, object, &own, &own)
}

fn is_tenants(select: &Select, tenant: Supposed<'_>) -> Fit {
    match (&select.tenants, tenant) {
        (None, _) => Fit::Yes,
        (Some(named), Supposed::Tenant(tenant)) if named.iter().any(|name| name == tenant) => Fit::Yes,
        (Some(_), _) => Fit::No(Miss::Tenant),
    }
}

type ByTenant<'c> = &'c dyn Fn(&Select) -> Fit;

/// `tenants` judges the select's own tenants, `excepted` those of its exceptions.
fn fit(select: &Select, object: &Observed<'_>, tenants: ByTenant<'_>, excepted: ByTenant<'_>) -> Fit {
    if let Some(miss) = misses_place(select, object) {
        return Fit::No(miss);
    }
    fit_there(select, object, tenants, excepted)
}

/// The same, where the bucket and the key are those that it selects.
fn fit_there(select: &Select, object: &Observed<'_>, tenants: ByTenant<'_>, excepted: ByTenant<'_>) -> Fit {
    let mut open: Option<Obscured> = None;
    let mut note = |obscured: Obscured| open = Some(open.map_or(obscured, |before| before.and(obscured)));
    let conditions = [
        select.size.map(|size| has_size(size, object)),
        Some(tenants(select)),
        select.content_type.as_ref().map(|ranges| {
            read(object.content_type, HEAD, Miss::ContentType, |known| {
                ranges.iter().any(|range| range.has_content_type(known))
            })
        }),
        (!select.metadata.is_empty())
            .then(|| read(object.metadata, HEAD, Miss::Metadata, |known| all_say(&select.metadata, known))),
        (!select.tags.is_empty())
            .then(|| read(object.tags, TAGS, Miss::Tag, |known| all_say(&select.tags, known))),
    ];
    for condition in conditions.into_iter().flatten() {
        match condition {
            Fit::Yes => {}
            Fit::No(miss) => return Fit::No(miss),
            Fit::Maybe(obscured) => note(obscured),
        }
    }
    for exception in &select.except {
        match fit(exception, object, excepted, excepted) {
            Fit::Yes => return Fit::No(Miss::Excepted),
            Fit::No(_) => {}
            Fit::Maybe(obscured) => note(obscured),
        }
    }
    open.map_or(Fit::Yes, Fit::Maybe)
}

/// What the name of the bucket and the key tell.
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
    if select.media.as_ref().is_some_and(|media| !media.iter().any(|range| range.has_key(object.key))) {
        return Some(Miss::Media);
    }
    None
}

fn has_size(size: SizeRange, object: &Observed<'_>) -> Fit {
    // Parts of an upload are not listed with it, and a marker stands for an object of any size.
    if matches!(object.kind, Kind::Upload | Kind::Marker) {
        return Fit::Maybe(Obscured::for_good(Unreadable::NotKept));
    }
    let fits =
        size.over.is_none_or(|over| object.size > over) && size.under.is_none_or(|under| object.size < under);
    if fits { Fit::Yes } else { Fit::No(Miss::Size) }
}

fn read<T: Copy>(reading: Reading<T>, by: Needs, miss: Miss, says: impl FnOnce(T) -> bool) -> Fit {
    match reading {
        Reading::Known(known) if says(known) => Fit::Yes,
        Reading::Known(_) => Fit::No(miss),
        Reading::Unread => Fit::Maybe(Obscured { needs: by, why: None }),
        Reading::Unknown(why) => Fit::Maybe(Obscured::for_good(why)),
    }
}

fn all_say(conditions: &[Condition], known: &Attributes) -> bool {
    conditions.iter().all(|condition| {
        known.get(&condition.name).is_some_and(|value| condition.values.iter().any(|wanted| wanted == value))
    })
}
