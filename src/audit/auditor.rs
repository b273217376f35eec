//! Takes decided keys, one after the other, and counts what bears on the promise.

use chrono::{DateTime, TimeDelta, Utc};

use super::early::{self, Then, then};
use super::findings::{EarlyRule, Example, Findings, Kept, Late, LateRule, Remover, Unset};
use super::forecast::Candidate;
use super::sample::{self, Sampler};
use crate::decide::{Decision, Needs, Verdict};
use crate::lifecycle::{Effect, LifecycleDocument, Match, Removal, removals};
use crate::object::{Kind, Observed, Reading};
use crate::plan::{BucketContext, Disposal, Item, KeyGroup, Planner, Proposal};
use crate::policy::Policy;
use crate::records::Records;

/// Prefixes are spread over so many strata.
const PREFIX_CLASSES: u64 = 16;

/// What stands in a bucket.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What the planner has to know of it.
    pub context: BucketContext,
    /// Its lifecycle configuration.
    pub document: Option<LifecycleDocument>,
}

/// Bucket, rule, class of prefix, class of age, whether it is overdue.
type Stratum = (String, usize, u64, u32, bool);

/// Counts what bears on the promise, and picks objects to ask the store about.
#[derive(Clone, Debug)]
pub struct Auditor<'a> {
    policy: &'a Policy,
    records: &'a Records,
    now: DateTime<Utc>,
    planner: Planner<'a>,
    sampler: Option<Sampler<Stratum, Candidate>>,
    /// Where all are asked about: those of the page.
    page: Vec<Candidate>,
    /// What was found so far.
    pub findings: Findings,
}

impl<'a> Auditor<'a> {
    /// An auditor that picks at most `sample` objects to ask about; `None` for all.
    pub fn new(policy: &'a Policy, records: &'a Records, now: DateTime<Utc>, sample: Option<usize>) -> Self {
        Self {
            policy,
            records,
            now,
            planner: Planner::new(policy, now),
            sampler: sample.map(Sampler::new),
            page: Vec::new(),
            findings: Findings::default(),
        }
    }

    /// Notes which lifecycle rules of the policy's are not as they should be.
    pub fn take_proposal(&mut self, bucket: &str, proposal: &Proposal) {
        let changes = proposal.merge.changes.iter().filter(|change| change.kind.word() != "kept");
        self.findings.unset.extend(changes.map(|change| Unset {
            bucket: bucket.to_owned(),
            id: change.id.clone(),
            rule: change.policy_rule.clone(),
            change: change.kind.word(),
            now: change.before.clone(),
            wanted: change.after.clone(),
        }));
    }

    /// What is to be read of the versions under a key to know whether S3 would be early.
    pub fn asks(&self, standing: &Standing, versions: &[Observed<'_>]) -> Vec<Needs> {
        let mut asked = vec![Needs::NONE; versions.len()];
        for (removal, object, then) in self.outlook(standing, versions) {
            let tags = Needs { tags: removal.matches == Match::NeedsTags, ..Needs::NONE };
            let needs = match then {
                Then::Free => continue,
                // Most rules by tags take few objects: whether it is taken is asked before anything else.
                _ if tags.tags && object.tags == Reading::Unread => tags,
                Then::Needs(needs) => needs,
                Then::Kept(_) | Then::Locked(_) => continue,
            };
            asked[removal.place] = asked[removal.place].and(needs);
        }
        asked
    }

    /// Every removal of an object or version that S3 may make, with what is decided for that moment.
    fn outlook<'o, 'd>(
        &self,
        standing: &'d Standing,
        versions: &'o [Observed<'o>],
    ) -> impl Iterator<Item = (Removal<'d>, &'o Observed<'o>, Then)> {
        let versioning = standing.context.facts.versioning;
        let found = standing.document.as_ref().map(|document| removals(document, versioning, versions));
        found.unwrap_or_default().into_iter().filter_map(move |removal| {
            let object = versions.get(removal.place)?;
            // A delete marker holds nothing but the name of what is gone.
            (object.kind != Kind::Marker).then(|| {
                let then = then(self.policy, self.records, object, removal.earliest.max(self.now));
                (removal, object, then)
            })
        })
    }

    /// Takes one decided key; `versions` are its versions and markers, as far as they were read.
    pub fn take(&mut self, standing: &Standing, versions: &[Observed<'_>], group: &KeyGroup) {
        let bucket = &standing.context;
        let uploads = group
            .uploads
            .iter()
            .map(|upload| (upload, self.planner.disposal(bucket, &group.key, upload, &upload.decision)));
        let disposals = self.planner.disposals(bucket, group).into_iter().map(|(_, disposal)| disposal);
        let all: Vec<(&Item, Option<Disposal>)> = group.items.iter().zip(disposals).chain(uploads).collect();
        let are_markers = group.items.iter().all(|item| item.kind == Kind::Marker);
        for (item, disposal) in all {
            let goes = matches!(disposal, Some(Disposal::Direct | Disposal::Swept | Disposal::LeftToS3));
            let is_left_over = are_markers && goes && self.goes_when_alone(&item.decision);
            let is_lone = item.kind == Kind::Marker && (item.is_latest || is_left_over);
            self.count(&bucket.facts.name, &group.key, item, disposal, is_lone);
        }
        self.count_early(standing, versions, group);
        if let [latest, ..] = versions
            && let Some(item) = group.items.first()
            && latest.kind != Kind::Marker
        {
            self.pick(&bucket.facts.name, latest, &item.decision);
        }
    }

    /// Whether an older marker is due when nothing but markers is left, and not by a date of its own.
    fn goes_when_alone(&self, decision: &Decision) -> bool {
        let rules = decision.rules.iter().filter_map(|rule| self.policy.rules.get(*rule));
        decision.erasure.is_none() && rules.into_iter().all(|rule| rule.noncurrent.is_none())
    }

    fn count(&mut self, bucket: &str, key: &str, item: &Item, disposal: Option<Disposal>, is_lone: bool) {
        let (decision, bytes) = (&item.decision, item.size);
        let found = &mut self.findings;
        match decision.verdict {
            Verdict::Retained => {
                found.retained.entry(bucket.to_owned()).or_default().add(bytes, decision.due);
            }
            Verdict::Unmatched => found.no_rule.entry(bucket.to_owned()).or_default().add(key, bytes),
            Verdict::Held | Verdict::Locked | Verdict::Undecided => {
                let why = early::why(self.policy, decision);
                let kept = Kept { bucket: bucket.to_owned(), verdict: decision.verdict, why };
                found.kept.entry(kept).or_default().add(bytes, decision.due);
            }
            // Since when it is alone nothing tells, so neither does how late it is.
            Verdict::Expired if is_lone => {
                found.lone_markers.entry(bucket.to_owned()).or_default().add(0, decision.due);
            }
            Verdict::Expired => {
                let disposal = disposal.unwrap_or(Disposal::Direct);
                let due = decision.due.unwrap_or(self.now);
                let late_from = self.planner.late_from(item, decision, disposal).unwrap_or(self.now);
                let remover = Remover::of(disposal);
                let rule = LateRule {
                    bucket: bucket.to_owned(),
                    rule: decision
                        .rules
                        .first()
                        .and_then(|rule| self.policy.rules.get(*rule))
                        .map(|rule| rule.id.clone()),
                    erasure: decision
                        .erasure
                        .and_then(|erasure| self.policy.erasures.get(erasure))
                        .map(|erasure| erasure.id.clone()),
                    remover: remover.unwrap_or(Remover::Nobody(disposal)),
                };
                let into = match remover {
                    None => &mut found.observed,
                    Some(_) if self.planner.is_overdue(Some(late_from)) => &mut found.overdue,
                    Some(_) => &mut found.waiting,
                };
                let late = (self.now - late_from).max(TimeDelta::zero());
                Late::add(into, rule, late, key, bytes, due);
            }
        }
    }

    fn count_early(&mut self, standing: &Standing, versions: &[Observed<'_>], group: &KeyGroup) {
        let policy = self.policy;
        let mut found = Vec::new();
        for (removal, object, then) in self.outlook(standing, versions) {
            let is_free =
                |item: &Item| matches!(item.decision.verdict, Verdict::Expired | Verdict::Unmatched);
            if group.items.get(removal.place).is_none_or(is_free) {
                continue;
            }
            let (decision, is_known) = match then {
                Then::Free => continue,
                // S3 only ever hides what is locked.
                Then::Locked(decision) if removal.effect == Effect::Hidden => (decision, true),
                Then::Locked(_) => continue,
                Then::Kept(decision) => (decision, true),
                // Reads that were asked for in vain.
                Then::Needs(_) => match group.items.get(removal.place) {
                    Some(item) => (item.decision.clone(), false),
                    None => continue,
                },
            };
            let is_certain = is_known && removal.matches == Match::Certain;
            let rule = early_rule(policy, standing, removal.rule.id(), removal.effect, &decision, is_certain);
            found.push((
                removal.place,
                rule,
                object.size,
                example(policy, object, removal.earliest, &decision),
            ));
        }
        found.sort_by_key(|(place, ..)| *place);
        let breaching = found.iter().filter(|(_, rule, ..)| rule.is_breach());
        let mut places: Vec<_> =
            breaching.map(|(place, _, bytes, example)| (*place, *bytes, example.due)).collect();
        places.dedup_by_key(|(place, ..)| *place);
        for (_, bytes, due) in places {
            self.findings.early_total.add(bytes, due);
        }
        for (_, rule, bytes, example) in found {
            self.findings.add_early(rule, bytes, example);
        }
    }

    /// Counts an object that the store itself says it will remove at `when`, by `lifecycle_rule`, if
    /// that is early. `object` has been read in full.
    pub fn take_forecast(
        &mut self,
        standing: &Standing,
        object: &Observed<'_>,
        lifecycle_rule: &str,
        when: DateTime<Utc>,
    ) {
        if let Then::Kept(decision) = then(self.policy, self.records, object, when.max(self.now)) {
            let effect = if object.kind == Kind::Object { Effect::Removed } else { Effect::Hidden };
            let rule = early_rule(self.policy, standing, lifecycle_rule, effect, &decision, true);
            let example = example(self.policy, object, when, &decision);
            if rule.is_breach() {
                self.findings.early_total.add(object.size, example.due);
            }
            self.findings.add_early(EarlyRule { by_store: true, ..rule }, object.size, example);
        }
    }

    fn pick(&mut self, bucket: &str, object: &Observed<'_>, decision: &Decision) {
        let is_overdue = decision.verdict == Verdict::Expired && self.planner.is_overdue(decision.due);
        let candidate = || Candidate {
            bucket: bucket.to_owned(),
            key: object.key.to_owned(),
            kind: object.kind,
            version_id: object.version_id.map(str::to_owned),
            etag: object.etag.map(str::to_owned),
            uploaded: object.uploaded,
            size: object.size,
            tags: match object.tags {
                Reading::Known(tags) => Reading::Known(tags.clone()),
                Reading::Unread => Reading::Unread,
                Reading::Unknown(why) => Reading::Unknown(why),
            },
            is_overdue,
        };
        match &mut self.sampler {
            None => self.page.push(candidate()),
            Some(sampler) => {
                let rule = decision.rules.first().copied().unwrap_or(usize::MAX);
                let prefix = object.key.split('/').next().filter(|first| first.len() < object.key.len());
                let prefix = sample::hash(prefix.unwrap_or_default()) % PREFIX_CLASSES;
                // Each class of ages is about twice as wide as the one before.
                let age = u64::try_from((self.now - object.uploaded).num_days()).unwrap_or(0);
                let age = u64::BITS - age.leading_zeros();
                let stratum = (bucket.to_owned(), rule, prefix, age, is_overdue);
                let name = format!("{bucket}/{}", object.key);
                sampler.offer(stratum, &name, candidate);
            }
        }
    }

    /// Where all objects are asked about: those that came since this was last called.
    pub fn take_page(&mut self) -> Vec<Candidate> {
        std::mem::take(&mut self.page)
    }

    /// The sample, once all keys have been taken.
    pub fn take_sample(&mut self) -> Vec<Candidate> {
        self.sampler.take().map(Sampler::take).unwrap_or_default()
    }
}

fn early_rule(
    policy: &Policy,
    standing: &Standing,
    lifecycle_rule: &str,
    effect: Effect,
    decision: &Decision,
    is_certain: bool,
) -> EarlyRule {
    let rules = standing.document.as_ref().map(LifecycleDocument::rules).unwrap_or_default();
    let standing_rule = rules.iter().find(|rule| rule.id() == lifecycle_rule);
    EarlyRule {
        bucket: standing.context.facts.name.clone(),
        lifecycle_rule: lifecycle_rule.to_owned(),
        is_ours: standing_rule.is_some_and(|rule| rule.policy_rule(&policy.name).is_some()),
        effect,
        verdict: decision.verdict,
        is_certain,
        is_observed: early::is_observed(policy, decision),
        by_store: false,
    }
}

fn example(policy: &Policy, object: &Observed<'_>, when: DateTime<Utc>, decision: &Decision) -> Example {
    Example {
        key: object.key.to_owned(),
        version_id: object.version_id.map(str::to_owned),
        when,
        due: decision.due,
        why: decision.reasons.first().map(|reason| reason.describe(policy)).unwrap_or_default(),
    }
}
