//! Reads of metadata, tags and locks: only where a decision asks, many at once.

use smol_str::SmolStr;
use tokio::task::JoinSet;

use super::cache::Version;
use super::draft::{Draft, Listed};
use super::seen::alone;
use super::{Seen, Survey};
use crate::decide::{self, Decider, Decision, Needs, Reason, Step, Trail, Verdict};
use crate::object::{Attributes, Kind, Lock, Reading, Unreadable};
use crate::plan::{Item, KeyGroup};
use crate::s3::{Bucket, StoreError};

/// How many reads of attributes run at a time.
pub const READS_AT_ONCE: usize = 32;

/// How often more may be asked for: metadata and tags, then the lock, and that for another date too.
const ROUNDS: usize = 6;

/// Which item of which draft.
#[derive(Clone, Copy)]
struct Place {
    draft: usize,
    item: usize,
}

/// What one item's reads brought.
struct Brought {
    place: Place,
    head: Option<Reading<(Attributes, String)>>,
    tags: Option<Reading<Attributes>>,
    lock: Option<Reading<Lock>>,
}

impl Brought {
    const fn nothing(place: Place) -> Self {
        Self { place, head: None, tags: None, lock: None }
    }
}

/// What tells the item at `place` apart from all others, also from what is written in its stead.
fn version(drafts: &[Draft], place: Place) -> Option<Version<'_>> {
    let draft = drafts.get(place.draft)?;
    let item = draft.items.get(place.item)?;
    let (version_id, uploaded) = (item.version_id.as_deref(), item.uploaded);
    Some(Version { key: &draft.key, version_id, etag: item.etag.as_deref()?, uploaded })
}

fn take(drafts: &mut [Draft], brought: Brought) {
    let Place { draft, item } = brought.place;
    if let Some(item) = drafts.get_mut(draft).and_then(|draft| draft.items.get_mut(item)) {
        item.take(brought);
    }
}

impl Survey<'_> {
    /// Decides every item of `drafts`, reading what that takes.
    pub(super) async fn decide(&self, decider: &Decider<'_>, mut drafts: Vec<Draft>) -> Vec<KeyGroup> {
        self.decide_also(&mut decider.trail(), &mut drafts, |_| Vec::new()).await
    }

    /// The policy, made ready for the bucket.
    pub(super) fn decider(&self) -> Decider<'_> {
        Decider::new(self.policy, self.records, &self.facts.name, self.now)
    }

    /// The same, with what `asks` wants to have read of the versions under a key.
    pub(super) async fn decide_also(
        &self,
        trail: &mut Trail<'_>,
        drafts: &mut [Draft],
        asks: impl Fn(&Seen<'_>) -> Vec<Needs>,
    ) -> Vec<KeyGroup> {
        for _ in 0..ROUNDS {
            let open = self.open(trail, drafts, &asks);
            if open.is_empty() {
                break;
            }
            self.take_in(drafts, open).await;
        }
        drafts.iter_mut().map(|draft| self.group(trail, draft)).collect()
    }

    /// Reads what is asked of the items of one draft.
    pub(super) async fn read_into(&self, drafts: &mut [Draft], draft: usize, asked: Vec<(usize, Needs)>) {
        let asked = asked.into_iter().map(|(item, needs)| (Place { draft, item }, needs)).collect();
        self.take_in(drafts, asked).await;
    }

    /// Takes what is asked into the drafts.
    async fn take_in(&self, drafts: &mut [Draft], asked: Vec<(Place, Needs)>) {
        let asked = self.recall(drafts, asked).await;
        let all = self.read(drafts, asked).await;
        if let Some(cache) = &self.reads.cache {
            let told = all.iter().filter_map(|brought| match &brought.head {
                Some(Reading::Known(told)) => Some((version(drafts, brought.place)?, told.clone())),
                _ => None,
            });
            cache.keep(told);
        }
        for brought in all {
            take(drafts, brought);
        }
    }

    /// Takes what the cache has of what is asked, and says what is left to ask for.
    async fn recall(&self, drafts: &mut [Draft], mut asked: Vec<(Place, Needs)>) -> Vec<(Place, Needs)> {
        let Some(cache) = &self.reads.cache else { return asked };
        let wanted = asked.iter_mut().filter(|(_, needs)| needs.head);
        let (mut wanted, versions): (Vec<_>, Vec<_>) =
            wanted.filter_map(|wanted| version(drafts, wanted.0).map(|version| (wanted, version))).unzip();
        let told = cache.look(&versions).await;
        for ((place, needs), told) in wanted.iter_mut().zip(told) {
            if let Some(told) = told {
                needs.head = false;
                self.reads.count_recalled(1);
                take(drafts, Brought { head: Some(Reading::Known(told)), ..Brought::nothing(*place) });
            }
        }
        asked.retain(|(_, needs)| !needs.is_none());
        asked
    }

    /// Decides what it can, and says of which items something is to be read that has not been asked for yet.
    fn open(
        &self,
        trail: &mut Trail<'_>,
        drafts: &mut [Draft],
        asks: &impl Fn(&Seen<'_>) -> Vec<Needs>,
    ) -> Vec<(Place, Needs)> {
        let mut open = Vec::new();
        for (d, draft) in drafts.iter_mut().enumerate() {
            let asked = asks(&Seen::new(&self.facts.name, draft));
            let is_alone = alone(&draft.items);
            for (i, item) in draft.items.iter_mut().enumerate() {
                let mut needs = Needs::NONE;
                if item.decision.is_none() {
                    match self.step(trail, item, &draft.key, is_alone(i)) {
                        Step::Needs(wanted) => needs = wanted,
                        Step::Decided(decision) => item.decision = Some(decision),
                    }
                }
                if let Some(more) = asked.get(i) {
                    needs = needs.and(item.unread(*more));
                }
                if !needs.is_none() {
                    open.push((Place { draft: d, item: i }, needs));
                }
            }
        }
        open
    }

    fn step(&self, trail: &mut Trail<'_>, item: &Listed, key: &str, alone: bool) -> Step {
        trail.decide(&item.observed(&self.facts.name, key, alone && item.kind == Kind::Marker))
    }

    fn group(&self, trail: &mut Trail<'_>, draft: &mut Draft) -> KeyGroup {
        let is_alone = alone(&draft.items);
        let (key, in_doubt) = (draft.key.clone(), draft.in_doubt);
        let mut items = Vec::with_capacity(draft.items.len());
        for (place, listed) in draft.items.iter_mut().enumerate() {
            let on_top = place == 0 && !is_alone(place) && listed.kind == Kind::Marker;
            let sure = |decision| if in_doubt { doubted(decision) } else { decision };
            let when_alone = on_top.then(|| sure(self.settled(trail, listed, &key, true)));
            let decision = match listed.decision.take() {
                Some(decision) => decision,
                None => self.settled(trail, listed, &key, is_alone(place)),
            };
            let decision = sure(decision);
            items.push(self.item(listed, decision, when_alone));
        }
        let mut uploads = Vec::with_capacity(draft.uploads.len());
        for upload in &draft.uploads {
            let decision = self.settled(trail, upload, &key, true);
            uploads.push(self.item(upload, decision, None));
        }
        KeyGroup { key, items, uploads }
    }

    /// The decision; what still asks for a read after all rounds is undecided.
    fn settled(&self, trail: &mut Trail<'_>, item: &Listed, key: &str, alone: bool) -> Decision {
        match self.step(trail, item, key, alone) {
            Step::Decided(decision) => decision,
            Step::Needs(_) => {
                let observed = item.observed(&self.facts.name, key, alone);
                let judged = decide::explain(self.policy, self.records, &observed, self.now).decision;
                Decision { verdict: Verdict::Undecided, ..judged }
            }
        }
    }

    fn item(&self, listed: &Listed, decision: Decision, when_alone: Option<Decision>) -> Item {
        Item {
            kind: listed.kind,
            version_id: listed.version_id.clone(),
            upload_id: listed.upload_id.clone(),
            is_latest: listed.is_latest,
            uploaded: listed.uploaded,
            superseded: listed.superseded,
            size: listed.size,
            etag: listed.etag.clone(),
            storage_class: listed.storage_class.clone(),
            read_failed: listed.read_failed(),
            decision,
            when_alone,
        }
    }

    async fn read(&self, drafts: &[Draft], open: Vec<(Place, Needs)>) -> Vec<Brought> {
        let mut running = JoinSet::new();
        let mut brought = Vec::with_capacity(open.len());
        for (place, needs) in open {
            let Some((draft, item)) =
                drafts.get(place.draft).and_then(|draft| Some((draft, draft.items.get(place.item)?)))
            else {
                continue;
            };
            while running.len() >= READS_AT_ONCE {
                brought.extend(running.join_next().await.and_then(Result::ok));
            }
            self.reads.count(needs);
            running.spawn(read_one(self.bucket.clone(), place, needs, Target::of(&draft.key, item)));
        }
        while let Some(one) = running.join_next().await {
            brought.extend(one.ok());
        }
        brought
    }
}

/// What is read, and how it must look for the answer to be about the listed entry.
struct Target {
    key: SmolStr,
    version_id: Option<SmolStr>,
    etag: Option<SmolStr>,
    uploaded: chrono::DateTime<chrono::Utc>,
}

impl Target {
    fn of(key: &str, item: &Listed) -> Self {
        Self {
            key: key.into(),
            version_id: item.version_id.clone(),
            etag: item.etag.clone(),
            uploaded: item.uploaded,
        }
    }
}

async fn read_one(bucket: Bucket, place: Place, needs: Needs, target: Target) -> Brought {
    let version = target.version_id.as_deref();
    let mut brought = Brought::nothing(place);
    if needs.head {
        brought.head = Some(match bucket.head(&target.key, version).await {
            // Rewritten since it was listed: what it says is not about the listed entry.
            Ok(head)
                if head.etag.as_deref() != target.etag.as_deref()
                    || !same_second(head.last_modified, target.uploaded) =>
            {
                Reading::Unknown(Unreadable::Failed)
            }
            Ok(head) => Reading::Known((head.metadata, head.content_type)),
            Err(error) => Reading::Unknown(unreadable(&error)),
        });
    }
    if needs.tags {
        brought.tags = Some(match bucket.object_tags(&target.key, version).await {
            Ok(tags) => Reading::Known(tags),
            Err(error) => Reading::Unknown(unreadable(&error)),
        });
    }
    if needs.lock {
        brought.lock = Some(match bucket.lock(&target.key, version).await {
            Ok(lock) => Reading::Known(lock),
            Err(error) => Reading::Unknown(unreadable(&error)),
        });
    }
    brought
}

/// What is expired, and may not be what the listing takes it for, is kept.
fn doubted(decision: Decision) -> Decision {
    if decision.verdict != Verdict::Expired {
        return decision;
    }
    let Decision { rules, tenant, .. } = decision;
    let reasons = vec![Reason::OrderInDoubt];
    Decision { verdict: Verdict::Undecided, due: None, rules, tenant, trigger: None, erasure: None, reasons }
}

/// Listings carry milliseconds where HEAD carries whole seconds.
fn same_second(a: chrono::DateTime<chrono::Utc>, b: chrono::DateTime<chrono::Utc>) -> bool {
    a.timestamp() == b.timestamp()
}

fn unreadable(error: &StoreError) -> Unreadable {
    if error.is_denied() { Unreadable::Denied } else { Unreadable::Failed }
}

impl Listed {
    /// Whether another try may tell more.
    fn read_failed(&self) -> bool {
        const FAILED: Unreadable = Unreadable::Failed;
        self.metadata == Reading::Unknown(FAILED)
            || self.content_type == Reading::Unknown(FAILED)
            || self.tags == Reading::Unknown(FAILED)
            || self.lock == Reading::Unknown(FAILED)
    }

    /// What of `needs` nobody has asked for yet.
    fn unread(&self, needs: Needs) -> Needs {
        Needs {
            head: needs.head && self.metadata == Reading::Unread,
            tags: needs.tags && self.tags == Reading::Unread,
            lock: needs.lock && self.lock == Reading::Unread,
        }
    }

    fn take(&mut self, brought: Brought) {
        self.decision = None;
        if let Some(head) = brought.head {
            (self.metadata, self.content_type) = match head {
                Reading::Known((metadata, content_type)) => {
                    (Reading::Known(metadata), Reading::Known(content_type))
                }
                Reading::Unread => (Reading::Unread, Reading::Unread),
                Reading::Unknown(why) => (Reading::Unknown(why), Reading::Unknown(why)),
            };
        }
        if let Some(tags) = brought.tags {
            self.tags = tags;
        }
        if let Some(lock) = brought.lock {
            self.lock = lock;
        }
    }
}
