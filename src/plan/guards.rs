//! Limits that hold before the first change: what a run may remove at most, in all, by erasures, and of
//! each rule, bucket and tenant.
//!
//! Small tenants are looked at together: of one that has three objects all three are often due on one day,
//! which is no alarm; and of a thousand such tenants they are not.

use std::collections::BTreeSet;

use super::guard_result::{ERASURES, GuardResult, NO_TENANT, SMALL_TENANTS, TENANTS};
use super::summary::{Line, Tally, total};
use super::tenants::{Counts, MOST_TENANTS, Tenants};
use crate::policy::{Limits, Policy};

/// A tenant with fewer objects is a small one: its share says nothing.
const SMALL: u64 = 100;

/// How many tenants beyond a limit are named.
const MOST_NAMED: usize = 20;

/// How many of the buckets and tenants within a limit are shown: those that come closest.
const CLOSEST: usize = 3;

/// Holds `lines` and `tenants` to the policy's guards and to each rule's own.
pub fn evaluate(policy: &Policy, lines: &[Line], tenants: &Tenants) -> Vec<GuardResult> {
    let limits = policy.guards.limits();
    let mut results = check(limits, &Of::default(), lines);
    let erased: Vec<Line> = lines.iter().filter(|line| line.erasure.is_some()).cloned().collect();
    if !erased.is_empty() {
        // A request that names too much must be seen beside all that goes in its time.
        let share_of = total(lines, Line::is_covered);
        results.extend(measure(limits, &Of::rule(ERASURES), counts(&erased, share_of)));
    }
    for rule in &policy.rules {
        let own: Vec<Line> =
            lines.iter().filter(|line| line.rule.as_deref() == Some(&rule.id)).cloned().collect();
        results.extend(check(rule.guards.limits(), &Of::rule(&rule.id), &own));
    }
    results.extend(per_bucket(policy.guards.per_bucket, lines));
    results.extend(per_tenant(policy.guards.per_tenant, tenants));
    results
}

/// Whose limits they are.
#[derive(Clone, Debug, Default)]
struct Of {
    rule: Option<String>,
    bucket: Option<String>,
    tenant: Option<String>,
}

impl Of {
    fn rule(id: &str) -> Self {
        Self { rule: Some(id.to_owned()), ..Self::default() }
    }
}

fn check(limits: Limits, of: &Of, lines: &[Line]) -> Vec<GuardResult> {
    measure(limits, of, counts(lines, total(lines, Line::is_covered)))
}

fn counts(lines: &[Line], covered: Tally) -> Counts {
    let removed = total(lines, Line::is_removed);
    Counts { covered: covered.objects, removed: removed.objects, bytes: removed.bytes }
}

fn measure(limits: Limits, of: &Of, counts: Counts) -> Vec<GuardResult> {
    let measured = GUARDS.iter().filter_map(|guard| {
        let limit = (guard.limit)(limits)?;
        Some(result(guard.name, of.clone(), limit, (guard.value)(counts)))
    });
    measured.collect()
}

fn result(guard: &str, of: Of, limit: f64, value: f64) -> GuardResult {
    let Of { rule, bucket, tenant } = of;
    let kept = value <= limit;
    GuardResult {
        guard: guard.to_owned(),
        rule,
        bucket,
        tenant,
        limit,
        value,
        kept,
        ..GuardResult::default()
    }
}

/// A key of the policy, its limit, and what is held to it.
struct Guard {
    name: &'static str,
    limit: fn(Limits) -> Option<f64>,
    value: fn(Counts) -> f64,
}

/// The three of them.
const GUARDS: [Guard; 3] = [
    Guard { name: "max-share", limit: |limits| limits.max_share, value: share },
    Guard {
        name: "max-objects",
        limit: |limits| limits.max_objects.map(number),
        value: |it| number(it.removed),
    },
    Guard { name: "max-bytes", limit: |limits| limits.max_bytes.map(number), value: |it| number(it.bytes) },
];

fn share(counts: Counts) -> f64 {
    if counts.covered == 0 { 0.0 } else { number(counts.removed) / number(counts.covered) }
}

// Counts beyond 2^53 would lose their last digits; no limit is that fine.
#[expect(clippy::cast_precision_loss, reason = "no bucket has 2^53 objects, and bytes are compared roughly")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

fn per_bucket(limits: Limits, lines: &[Line]) -> Vec<GuardResult> {
    if limits.is_none() {
        return Vec::new();
    }
    let names: BTreeSet<&str> = lines.iter().map(|line| line.bucket.as_str()).collect();
    let mut results: Vec<GuardResult> = Vec::new();
    for bucket in names {
        let own: Vec<Line> = lines.iter().filter(|line| line.bucket == bucket).cloned().collect();
        let of = Of { bucket: Some(bucket.to_owned()), ..Of::default() };
        results.extend(check(limits, &of, &own));
    }
    let mut told = Vec::new();
    for guard in &GUARDS {
        let mut own: Vec<GuardResult> = results.extract_if(.., |result| result.guard == guard.name).collect();
        own.sort_by(|a, b| b.value.total_cmp(&a.value));
        let broken = own.iter().filter(|result| !result.kept).count();
        own.truncate(broken.max(CLOSEST));
        told.extend(own);
    }
    told
}

fn per_tenant(limits: Limits, tenants: &Tenants) -> Vec<GuardResult> {
    if limits.is_none() {
        return Vec::new();
    }
    let mut results = Vec::new();
    if tenants.is_full() {
        let most = number(MOST_TENANTS as u64);
        results.push(result(GuardResult::PER_TENANT, Of::default(), most, most + 1.0));
    }
    for guard in &GUARDS {
        let Some(limit) = (guard.limit)(limits) else { continue };
        let is_share = guard.name == "max-share";
        let is_small = |counts: &Counts| is_share && counts.covered < SMALL;
        let mut each: Vec<(f64, &str)> = tenants
            .each()
            .filter(|(_, counts)| !is_small(counts))
            .map(|(tenant, counts)| ((guard.value)(*counts), tenant))
            .collect();
        each.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let broken = each.iter().filter(|(value, _)| *value > limit).count();
        let named = if broken == 0 { CLOSEST } else { broken.min(MOST_NAMED) };
        results.extend(each.iter().take(named).map(|(value, tenant)| {
            let of = Of { tenant: Some((*tenant).to_owned()), ..Of::default() };
            result(guard.name, of, limit, *value)
        }));
        if broken > named {
            let more = number((broken - named) as u64);
            let result = result(guard.name, Of::rule(TENANTS), limit, more);
            results.push(GuardResult { kept: false, ..result });
        }
        // Whose these are is not known; all of one tenant may be among them.
        let nobody = tenants.nobody();
        if !is_share && nobody.removed > 0 {
            results.push(result(guard.name, Of::rule(NO_TENANT), limit, (guard.value)(nobody)));
        }
        if is_share {
            let mut small = Counts::default();
            tenants
                .each()
                .filter(|(_, counts)| is_small(counts))
                .for_each(|(_, counts)| small.merge(*counts));
            for (group, counts) in [(SMALL_TENANTS, small), (NO_TENANT, tenants.nobody())] {
                if counts.covered >= SMALL {
                    results.push(result(guard.name, Of::rule(group), limit, share(counts)));
                }
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(results: &[GuardResult]) -> Vec<(String, bool)> {
        results.iter().map(|result| (result.name(), result.kept)).collect()
    }

    fn of(counts: &[(&str, u64, u64)]) -> Tenants {
        let mut tenants = Tenants::default();
        for (tenant, covered, removed) in counts {
            for place in 0..*covered {
                tenants.add((*tenant != "-").then_some(*tenant), 10, place < *removed);
            }
        }
        tenants
    }

    const SHARE: Limits = Limits { max_share: Some(0.3), max_objects: None, max_bytes: None };

    #[test]
    fn a_tenant_that_loses_more_than_its_share_is_named_and_the_closest_others_are_shown() {
        let tenants = of(&[("4711", 200, 61), ("0815", 200, 60), ("a b/ü:x", 100, 100)]);
        let results = per_tenant(SHARE, &tenants);
        let beyond = [("tenant:a%20b%2F%C3%BC%3Ax:max-share", false), ("tenant:4711:max-share", false)];
        assert_eq!(names(&results), beyond.map(|(name, kept)| (name.to_owned(), kept)));
        assert_eq!(results[1].describe(), "tenant:4711:max-share would remove 30.5%, the limit is 30.0%");
        let results = per_tenant(SHARE, &of(&[("4711", 200, 60), ("0815", 200, 0)]));
        assert!(results.iter().all(|result| result.kept));
        assert_eq!(results[0].name(), "tenant:4711:max-share");
    }

    #[test]
    fn all_of_a_small_tenant_is_no_alarm_and_all_of_many_small_tenants_is() {
        assert!(per_tenant(SHARE, &of(&[("1", 1, 1), ("2", 500, 100)])).iter().all(|result| result.kept));
        let names: Vec<String> = (0..100).map(|tenant| tenant.to_string()).collect();
        let all: Vec<(&str, u64, u64)> = names.iter().map(|tenant| (tenant.as_str(), 1, 1)).collect();
        let results = per_tenant(SHARE, &of(&all));
        assert_eq!(self::names(&results), [("SMALL-TENANTS:max-share".to_owned(), false)]);
    }

    #[test]
    fn what_is_of_no_known_tenant_is_held_to_the_share_too() {
        let results = per_tenant(SHARE, &of(&[("-", 200, 100)]));
        assert_eq!(names(&results), [("NO-TENANT:max-share".to_owned(), false)]);
    }

    #[test]
    fn counts_hold_for_small_tenants_as_well() {
        let limits = Limits { max_objects: Some(2), ..Limits::default() };
        let results = per_tenant(limits, &of(&[("1", 3, 3), ("2", 9, 2)]));
        assert_eq!(names(&results), [("tenant:1:max-objects".to_owned(), false)]);
        let limits = Limits { max_bytes: Some(29), ..Limits::default() };
        assert!(!per_tenant(limits, &of(&[("1", 3, 3)]))[0].kept);
    }

    #[test]
    fn of_many_tenants_beyond_a_limit_twenty_are_named_and_the_others_counted() {
        let names: Vec<String> = (0..50).map(|tenant| format!("{tenant:02}")).collect();
        let all: Vec<(&str, u64, u64)> = names.iter().map(|tenant| (tenant.as_str(), 1, 1)).collect();
        let limits = Limits { max_objects: Some(0), ..Limits::default() };
        let results = per_tenant(limits, &of(&all));
        assert_eq!(results.len(), 21);
        let last = &results[20];
        assert_eq!((last.name().as_str(), last.kept), ("TENANTS:max-objects", false));
        assert_eq!(
            last.describe(),
            "TENANTS:max-objects is broken for 30 tenants more, the limit is 0 objects"
        );
        let accepted = ["TENANTS:max-objects".to_owned()];
        assert!(results.iter().all(|result| result.is_accepted(&accepted)));
        let accepted = ["tenant:00:max-objects".to_owned()];
        assert_eq!(results.iter().filter(|result| result.is_accepted(&accepted)).count(), 1);
    }

    #[test]
    fn with_more_tenants_than_are_counted_the_guard_is_broken() {
        let mut tenants = Tenants::default();
        for tenant in 0..=MOST_TENANTS {
            tenants.add(Some(&tenant.to_string()), 1, false);
        }
        let results = per_tenant(SHARE, &tenants);
        assert_eq!((results[0].name().as_str(), results[0].kept), ("per-tenant", false));
        assert!(per_tenant(Limits::default(), &tenants).is_empty());
    }

    #[test]
    fn what_allows_it_is_named() {
        let of = |rule: &str| result("max-share", Of::rule(rule), 0.1, 1.0).remedy();
        assert_eq!(of("media"), "raise `max-share` in the `guards` of the rule `media`");
        assert_eq!(of(ERASURES), "raise `max-share` in the policy's `guards`");
        assert_eq!(of(SMALL_TENANTS), "raise `max-share` under `guards: per-tenant:`");
        let more = result(GuardResult::PER_TENANT, Of::default(), 1.0, 2.0);
        assert_eq!(more.remedy(), "take `per-tenant` out of the policy's `guards`");
    }

    #[test]
    fn each_bucket_is_held_to_its_own_share() {
        let line = |bucket: &str, objects, is_removed: bool| Line {
            bucket: bucket.to_owned(),
            rule: Some("m".to_owned()),
            erasure: None,
            verdict: "expired".to_owned(),
            disposal: is_removed.then_some(crate::plan::Disposal::Direct),
            tally: Tally { objects, bytes: 0, oldest_due: None },
        };
        let lines = [line("a", 900, false), line("a", 10, true), line("b", 4, true), line("b", 6, false)];
        let results = per_bucket(SHARE, &lines);
        let expected = [("bucket:b:max-share", false), ("bucket:a:max-share", true)];
        assert_eq!(names(&results), expected.map(|(name, kept)| (name.to_owned(), kept)));
    }
}
