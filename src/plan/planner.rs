//! From decisions to plan rows: what is removed, by whom, and in which order.
//!
//! Every choice of a run is made here; `apply` makes none.

mod at_once;
mod no_tenant;
#[cfg(test)]
mod tests;
mod way;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};
use smol_str::{SmolStr, ToSmolStr};

use super::context::BucketContext;
use super::counts::{Counts, PlainCounts};
use super::row::{Action, PlanRow};
use super::summary::{Disposal, Summary, Tally, removes};
use super::tenants::Tenants;
use crate::decide::{Decision, Plain, Reason, Verdict};
use crate::lifecycle::ClaimTarget;
use crate::object::{Kind, Versioning};
use crate::policy::{Enforce, Erasure, Policy, Rule};

/// As many bytes as most reasons have at most.
const USUAL_REASON: usize = 96;

/// One version, marker or upload, decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// S3's version id; `None` for objects that have none, and for uploads.
    pub version_id: Option<SmolStr>,
    /// The upload's id.
    pub upload_id: Option<SmolStr>,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
    /// Last-Modified, or the initiation.
    pub uploaded: DateTime<Utc>,
    /// When the next newer version or marker was created; `None` for the latest one.
    pub superseded: Option<DateTime<Utc>>,
    /// Bytes.
    pub size: u64,
    /// ETag without quotes.
    pub etag: Option<SmolStr>,
    /// Storage class.
    pub storage_class: Option<SmolStr>,
    /// Whether the store refused, for now, something that was to be read of it.
    pub read_failed: bool,
    /// What is to become of it.
    pub decision: Decision,
    /// For a delete marker on top of versions: the decision once those are gone.
    pub when_alone: Option<Decision>,
}

/// All that stands under one key, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyGroup {
    /// The key.
    pub key: SmolStr,
    /// Its versions and markers, newest first; or its one object.
    pub items: Vec<Item>,
    /// Its incomplete multipart uploads.
    pub uploads: Vec<Item>,
}

/// Turns decided keys into plan rows, and counts everything on the way.
#[derive(Clone, Debug)]
pub struct Planner<'a> {
    policy: &'a Policy,
    now: DateTime<Utc>,
    /// What was counted before, and elsewhere.
    summary: Summary,
    counts: Counts,
    /// A single reason, and its words.
    last_reason: Option<(Reason, SmolStr)>,
    tenants: Tenants,
    /// What S3 is to remove at once, by bucket and claim: its start of keys, and its target.
    at_once: BTreeMap<(String, String, ClaimTarget), Tally>,
    /// What is to go and has no tenant, by bucket.
    without_tenant: BTreeMap<String, Tally>,
}

impl<'a> Planner<'a> {
    /// A planner for one run.
    pub fn new(policy: &'a Policy, now: DateTime<Utc>) -> Self {
        Self {
            policy,
            now,
            summary: Summary::default(),
            counts: Counts::default(),
            last_reason: None,
            tenants: Tenants::default(),
            at_once: BTreeMap::new(),
            without_tenant: BTreeMap::new(),
        }
    }

    /// What was counted so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        self.counts.add_to(&mut summary, self.policy);
        summary
    }

    /// Counts a version, delete marker or object of so many bytes that plainly stays.
    pub fn count_plain(&mut self, bucket: &str, bytes: u64, plain: &Plain<'_>) {
        if !self.policy.guards.per_tenant.is_none() && plain.rule.is_some() {
            self.tenants.add(plain.tenant, bytes, false);
        }
        self.counts.add_plain(bucket, plain, bytes);
    }

    /// Counts objects and versions that stay, and are no tenant's where these are counted.
    pub fn count_stay(&mut self, bucket: &str, stay: &PlainCounts) {
        if !self.policy.guards.per_tenant.is_none() {
            self.tenants.add_nobodys(stay.covered());
        }
        self.counts.merge_plain(bucket, stay);
    }

    /// What was counted so far of each tenant, where the policy limits what may go of one.
    pub const fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// Who removes each of a key's versions and markers, newest first, with the decision that says so.
    pub fn disposals<'g>(
        &self,
        bucket: &BucketContext,
        group: &'g KeyGroup,
    ) -> Vec<(&'g Decision, Option<Disposal>)> {
        let mut disposals: Vec<(&Decision, Option<Disposal>)> = group
            .items
            .iter()
            .map(|item| (&item.decision, self.disposal(bucket, &group.key, item, &item.decision)))
            .collect();
        if let [top, below @ ..] = group.items.as_slice()
            && !below.is_empty()
        {
            let below_goes = disposals[1..].iter().all(|(_, disposal)| goes(*disposal));
            if below_goes && let Some(alone) = &top.when_alone {
                disposals[0] = (alone, self.disposal(bucket, &group.key, top, alone));
            } else if !below_goes && goes(disposals[0].1) && !can_be_covered(bucket, top) {
                disposals[0].1 = Some(Disposal::HidesVersions);
            }
        }
        disposals
    }

    /// Counts what was found of a bucket before its keys are planned.
    pub fn count_before(&mut self, summary: &Summary, tenants: &Tenants) {
        self.summary.merge_all(summary);
        self.tenants.merge(tenants);
    }

    /// The rows for one key: uploads, then versions from the oldest to the newest.
    pub fn plan_key(&mut self, bucket: &BucketContext, group: &KeyGroup) -> Vec<PlanRow> {
        self.plan_uncounted(bucket, group, |_| false)
    }

    /// The same, where some items were counted before.
    pub fn plan_uncounted(
        &mut self,
        bucket: &BucketContext,
        group: &KeyGroup,
        mut is_counted: impl FnMut(&Item) -> bool,
    ) -> Vec<PlanRow> {
        let all = self.in_order(bucket, group);
        let mut rows = Vec::with_capacity(all.iter().filter(|(.., disposal)| disposal.is_some()).count());
        for (item, decision, disposal) in all {
            // What goes is always counted: guards go by it.
            if disposal.is_some() || !is_counted(item) {
                self.count(bucket, item, decision, disposal);
            }
            self.count_at_once(bucket, &group.key, item, decision, disposal);
            rows.extend(self.row_if_any(bucket, &group.key, item, decision, disposal));
        }
        rows
    }

    /// The rows for one key, and nothing is counted.
    pub fn rows(&mut self, bucket: &BucketContext, group: &KeyGroup) -> Vec<PlanRow> {
        let all = self.in_order(bucket, group);
        let mut rows = Vec::with_capacity(all.iter().filter(|(.., disposal)| disposal.is_some()).count());
        for (item, decision, disposal) in all {
            rows.extend(self.row_if_any(bucket, &group.key, item, decision, disposal));
        }
        rows
    }

    /// Everything of a key in the order of its rows, with who removes it and the decision that says so.
    fn in_order<'g>(
        &self,
        bucket: &BucketContext,
        group: &'g KeyGroup,
    ) -> Vec<(&'g Item, &'g Decision, Option<Disposal>)> {
        let mut all = Vec::with_capacity(group.uploads.len() + group.items.len());
        all.extend(group.uploads.iter().map(|upload| {
            (upload, &upload.decision, self.disposal(bucket, &group.key, upload, &upload.decision))
        }));
        let versions = group.items.iter().zip(self.disposals(bucket, group)).rev();
        all.extend(versions.map(|(item, (decision, disposal))| (item, decision, disposal)));
        all
    }

    /// Who removes an expired item, whatever else stands under its key; `None` for what is not expired.
    pub fn disposal(
        &self,
        bucket: &BucketContext,
        key: &str,
        item: &Item,
        decision: &Decision,
    ) -> Option<Disposal> {
        if decision.verdict != Verdict::Expired {
            return None;
        }
        let acts =
            |rule: &usize| self.policy.rules.get(*rule).is_some_and(|rule| rule.enforce != Enforce::Observe);
        let enforced = if decision.rules.iter().all(acts) {
            Cow::Borrowed(decision.rules.as_slice())
        } else {
            decision.rules.iter().copied().filter(acts).collect()
        };
        Some(match &*enforced {
            [] if !decision.rules.is_empty() || self.only_observes(bucket, decision) => Disposal::Observed,
            _ if bucket.facts.mfa_delete && matches!(item.kind, Kind::Version | Kind::Marker) => {
                Disposal::MfaDelete
            }
            // It has no id of its own: an object that is uploaded meanwhile would go with it. The
            // latest version alone can be guarded by its ETag.
            _ if bucket.facts.versioning == Versioning::Suspended
                && is_null(item)
                && !(item.kind == Kind::Version && item.is_latest) =>
            {
                Disposal::Null
            }
            rules
                if decision.erasure.is_none()
                    && bucket.is_done_by_s3(key, item.kind, rules)
                    && !self.asks_for_more(item, rules) =>
            {
                if self.is_overdue(decision.due) {
                    Disposal::Swept
                } else {
                    Disposal::LeftToS3
                }
            }
            rules if decision.erasure.is_none() && rules.iter().all(|rule| bucket.is_refused(*rule)) => {
                Disposal::Refused
            }
            _ => self.by_shelflife(bucket, key, item, decision),
        })
    }

    /// Whether a request that names no bucket has found what no rule covers in a bucket that the
    /// policy only observes: of such a bucket it has said that nothing is removed.
    fn only_observes(&self, bucket: &BucketContext, decision: &Decision) -> bool {
        let acts = |rule: &Rule| {
            rule.enforce != Enforce::Observe
                && rule.select.buckets.iter().any(|name| name.matches(&bucket.facts.name))
        };
        self.erasure(decision).is_none_or(|erasure| erasure.select.buckets.is_empty())
            && !self.policy.rules.iter().any(acts)
    }

    /// The erasure that a decision goes by.
    fn erasure(&self, decision: &Decision) -> Option<&'a Erasure> {
        decision.erasure.and_then(|erasure| self.policy.erasures.get(erasure))
    }

    /// Whether the whole tolerance has passed since the due date.
    pub fn is_overdue(&self, due: Option<DateTime<Utc>>) -> bool {
        let tolerance = Days::new(self.policy.tolerance_days.into());
        due.and_then(|due| due.checked_add_days(tolerance)).is_some_and(|limit| self.now > limit)
    }

    fn count(
        &mut self,
        bucket: &BucketContext,
        item: &Item,
        decision: &Decision,
        disposal: Option<Disposal>,
    ) {
        let rule = decision.rules.first().copied();
        if !self.policy.guards.per_tenant.is_none() && (rule.is_some() || decision.erasure.is_some()) {
            self.tenants.add(decision.tenant.as_deref(), item.size, removes(disposal));
        }
        self.count_without_tenant(&bucket.facts.name, item, decision, disposal);
        let cell = (rule, decision.erasure, decision.verdict, disposal);
        self.counts.add(&bucket.facts.name, cell, item.size, decision.due);
    }

    /// The row of an item that Shelflife removes, or hides.
    fn row_if_any(
        &mut self,
        bucket: &BucketContext,
        key: &SmolStr,
        item: &Item,
        decision: &Decision,
        disposal: Option<Disposal>,
    ) -> Option<PlanRow> {
        if !goes(disposal) && disposal != Some(Disposal::Marked) {
            return None;
        }
        let rule = decision.rules.first().and_then(|rule| self.policy.rules.get(*rule));
        let action = match (item.kind, disposal) {
            (Kind::Upload, _) => Action::AbortUpload,
            (_, Some(Disposal::Marked)) => Action::Mark,
            _ => Action::Delete,
        };
        let export = match action {
            // Where it is not clear, the disposal was another.
            Action::Delete => self.export_of(bucket, key, item, decision).ok().flatten().map(SmolStr::from),
            Action::AbortUpload | Action::Mark => None,
        };
        Some(PlanRow {
            action,
            kind: item.kind,
            bucket: SmolStr::new(&bucket.facts.name),
            key: key.clone(),
            version_id: item.version_id.clone(),
            upload_id: item.upload_id.clone(),
            is_latest: item.is_latest,
            etag: item.etag.clone(),
            last_modified: item.uploaded,
            size: item.size,
            storage_class: item.storage_class.clone(),
            tenant: decision.tenant.clone(),
            rule: rule.map(|rule| SmolStr::new(&rule.id)).unwrap_or_default(),
            erasure: self.erasure(decision).map(|erasure| SmolStr::new(&erasure.id)),
            trigger: decision.trigger.as_ref().map(|basis| basis.moment.to_smolstr()),
            trigger_source: decision.trigger.as_ref().map(|basis| basis.source.clone()),
            due: decision.due.unwrap_or(self.now),
            reason: self.reasons(decision),
            overdue_sweep: disposal == Some(Disposal::Swept),
            export,
        })
    }

    /// Why, in words. Neighbours often have the same reason.
    fn reasons(&mut self, decision: &Decision) -> SmolStr {
        if let ([reason], Some((last, words))) = (decision.reasons.as_slice(), &self.last_reason)
            && reason == last
        {
            return words.clone();
        }
        let words = self.written(decision);
        if let [reason] = decision.reasons.as_slice() {
            self.last_reason = Some((*reason, words.clone()));
        }
        words
    }

    fn written(&self, decision: &Decision) -> SmolStr {
        let mut reasons = String::with_capacity(USUAL_REASON);
        for (place, reason) in decision.reasons.iter().enumerate() {
            if place > 0 {
                reasons.push_str("; ");
            }
            // Writing to a string cannot fail.
            let _ = reason.write_to(self.policy, &mut reasons);
        }
        reasons.into()
    }
}

/// Whether Shelflife removes it now.
const fn goes(disposal: Option<Disposal>) -> bool {
    matches!(disposal, Some(Disposal::Direct | Disposal::Swept))
}

/// Whether the latest version can go although older ones stay: a delete marker must be put on top
/// of those. In a suspended bucket the marker is a null one, which takes the place of whatever null
/// version is there (S3 user guide, "Managing delete markers"): only the null version itself can be
/// removed in this way.
fn can_be_covered(bucket: &BucketContext, top: &Item) -> bool {
    bucket.facts.versioning != Versioning::Suspended || is_null(top)
}

fn is_null(item: &Item) -> bool {
    item.version_id.as_deref() == Some("null")
}
