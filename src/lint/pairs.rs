//! Which selects can meet as far as prefixes and bucket names tell, without comparing each to each.

use crate::pattern::BucketPattern;
use crate::policy::Select;

/// The steps that looking for pairs may take.
const MOST_STEPS: usize = 40_000_000;

/// Goes through the pairs of `selects` whose prefixes and buckets do not exclude each other, until
/// `visit` has seen enough and says so. Returns whether it went through all.
pub(super) fn candidates(selects: &[&Select], mut visit: impl FnMut(usize, usize) -> bool) -> bool {
    let mut by_prefix: Vec<(&str, usize)> =
        selects.iter().enumerate().map(|(at, select)| (prefix(select), at)).collect();
    by_prefix.sort_unstable();
    let mut steps = 0;
    for (place, (start, a)) in by_prefix.iter().enumerate() {
        // Whatever starts so stands behind it in one row.
        let longer = by_prefix.iter().skip(place + 1).take_while(|(longer, _)| longer.starts_with(start));
        for (_, b) in longer {
            let (Some(one), Some(other)) = (selects.get(*a), selects.get(*b)) else { continue };
            steps += 1 + one.buckets.len().min(1) * one.buckets.len() * other.buckets.len();
            if steps > MOST_STEPS {
                return false;
            }
            if buckets_may_meet(&one.buckets, &other.buckets) && !visit(*a, *b) {
                return false;
            }
        }
    }
    true
}

/// Whether prefixes and exact bucket names leave it open that two selects meet.
pub(super) fn may_meet(a: &Select, b: &Select) -> bool {
    let (own, other) = (prefix(a), prefix(b));
    (own.starts_with(other) || other.starts_with(own)) && buckets_may_meet(&a.buckets, &b.buckets)
}

fn prefix(select: &Select) -> &str {
    select.prefix.as_deref().unwrap_or_default()
}

fn buckets_may_meet(a: &[BucketPattern], b: &[BucketPattern]) -> bool {
    let meet = |a: &BucketPattern, b: &BucketPattern| match (a.is_exact(), b.is_exact()) {
        (true, true) => a.as_str() == b.as_str(),
        (true, false) => b.matches(a.as_str()),
        (false, true) => a.matches(b.as_str()),
        (false, false) => true,
    };
    a.is_empty() || b.is_empty() || a.iter().any(|a| b.iter().any(|b| meet(a, b)))
}
