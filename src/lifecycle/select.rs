//! How much of the keys with a start a select covers, as far as S3's filters can say it.

use crate::policy::{Condition, Select};

use super::reason::DirectReason;
use super::rule::Filter;
use super::whose::Whose;
use super::xml;

/// The most lifecycle rules that one select by tags is worth: one for each choice of values.
const MOST_FILTERS: usize = 20;

/// The most bytes of a size bound: 50 TB.
const LARGEST: u64 = 50 * 1024 * 1024 * 1024 * 1024;

/// How much of the keys with a start a select covers, what it says of longer starts aside.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cover {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// Exactly what one of these picks.
    Filters(Vec<Filter>),
    /// Something that S3 cannot tell from the rest, for this reason; and whether a longer start
    /// could be without it.
    Part(DirectReason, bool),
}

/// How much of the keys with `start`, which are `owner`'s, `select` covers in the bucket.
pub(super) fn cover(select: &Select, bucket: &str, start: &str, owner: Whose<'_>) -> Cover {
    if !covers_bucket(select, bucket) || starts(select).any(|own| !start.starts_with(&own)) {
        return Cover::None;
    }
    let mut part: Option<(DirectReason, bool)> = None;
    let mut parts = |reason, deeper: bool| {
        // What no longer start is without weighs more.
        if part.as_ref().is_none_or(|(_, before)| *before && !deeper) {
            part = Some((reason, deeper));
        }
    };
    if let Some(tenants) = &select.tenants {
        match owner {
            Whose::All(Some(owner)) if tenants.iter().any(|tenant| tenant == owner) => {}
            // Theirs are longer starts of their own.
            Whose::All(_) | Whose::Each(_) => return Cover::None,
            Whose::Unclear { deeper } => parts(DirectReason::Tenants, deeper),
        }
    }
    for except in &select.except {
        match cover(except, bucket, start, owner) {
            Cover::None => {}
            Cover::All => return Cover::None,
            Cover::Filters(_) => parts(DirectReason::Exception, false),
            Cover::Part(_, deeper) => parts(DirectReason::Exception, deeper),
        }
    }
    let fixed = [
        (select.key.as_ref().is_some_and(|key| !key.start().1), DirectReason::KeyPattern),
        (select.media.is_some(), DirectReason::Media),
        (select.content_type.is_some() || !select.metadata.is_empty(), DirectReason::Attributes),
    ];
    for (_, reason) in fixed.into_iter().filter(|(speaks, _)| *speaks) {
        parts(reason, false);
    }
    let filters = filters(select, start);
    if filters.is_none() {
        parts(DirectReason::Attributes, false);
    }
    match (part, filters) {
        (Some((reason, deeper)), _) => Cover::Part(reason, deeper),
        (None, Some(filters)) if !select.tags.is_empty() || select.size.is_some() => Cover::Filters(filters),
        (None, _) => Cover::All,
    }
}

/// The starts that every key has which a select covers.
pub(super) fn starts(select: &Select) -> impl Iterator<Item = String> {
    let by_pattern = select.key.as_ref().map(|key| key.start().0);
    select.prefix.iter().cloned().chain(by_pattern)
}

/// One filter for each choice of the tags' values; `None` if S3 cannot be told.
fn filters(select: &Select, start: &str) -> Option<Vec<Filter>> {
    let mut filters = vec![Filter::prefix(start)];
    if let Some(size) = select.size {
        let bound = |bytes: u64| (bytes <= LARGEST).then(|| i64::try_from(bytes).ok()).flatten();
        filters[0].size_over = size.over.map_or(Some(None), |bytes| bound(bytes).map(Some))?;
        filters[0].size_under = size.under.map_or(Some(None), |bytes| bound(bytes).map(Some))?;
    }
    let is_text = |text: &String| text.chars().all(xml::is_xml_char);
    for (at, Condition { name, values }) in select.tags.iter().enumerate() {
        let is_again = select.tags.iter().take(at).any(|before| before.name == *name);
        if is_again
            || !is_text(name)
            || !values.iter().all(is_text)
            || filters.len() * values.len() > MOST_FILTERS
        {
            return None;
        }
        let with = |filter: &Filter, value: &String| {
            let mut filter = filter.clone();
            filter.tags.push((name.clone(), value.clone()));
            filter.tags.sort();
            filter
        };
        filters =
            filters.iter().flat_map(|filter| values.iter().map(move |value| with(filter, value))).collect();
    }
    filters.sort();
    filters.dedup();
    Some(filters)
}

/// Whether a rule's or a hold's selection covers the bucket. No bucket named means every bucket.
pub(super) fn covers_bucket(select: &Select, bucket: &str) -> bool {
    select.buckets.is_empty() || select.buckets.iter().any(|pattern| pattern.matches(bucket))
}
