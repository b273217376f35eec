//! Random configurations over random objects, versions, markers and uploads, one midnight after the
//! other: all four readings must agree on every one of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use shelflife::audit::{Comparison, compare, foretold};
use shelflife::lifecycle::{Effect, LifecycleDocument, Match, Removal, removals};
use shelflife::object::{Attributes, Kind, Lock, Observed, Reading, Versioning};
use shelflife::s3::{ConnectOptions, StaticCredentials, Store};
use shelflife::sandbox::{
    self, BucketOptions, Entry, EntryKind, ExactMidnight, LifecycleAction, LifecycleEvent, PutOptions,
    Sandbox, SandboxOptions,
};

use crate::dice::Dice;
use crate::simulated;

const BUCKET: &str = "media";
const CONFIGURATIONS: u64 = 125;
const OBJECTS: usize = 80;
const NIGHTS: u64 = 12;
const PREFIXES: [&str; 5] = ["", "a", "a/", "a/b/", "c"];
const KEYS: [&str; 4] = ["a/", "a/b/", "ab", "c"];

/// The start of every case: no midnight, so that one can fall exactly on a sum.
fn start() -> DateTime<Utc> {
    "2026-03-10T15:00:00Z".parse().unwrap()
}

fn midnight(at: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc() + Days::new(days)
}

// --- Random configurations and objects ---

fn filter(dice: &mut Dice) -> (String, bool) {
    let mut terms = Vec::new();
    if !dice.one_in(4) {
        terms.push(format!("<Prefix>{}</Prefix>", dice.pick(&PREFIXES)));
    }
    let tags = dice.pick(&[0, 0, 0, 1, 2]);
    for key in ["t", "u"].iter().take(tags) {
        let value = dice.pick(&["<Value>1</Value>", "<Value>2</Value>", "<Value></Value>"]);
        terms.push(format!("<Tag><Key>{key}</Key>{value}</Tag>"));
    }
    let sizes = dice.pick(&[(false, false), (false, false), (true, false), (false, true), (true, true)]);
    if sizes.0 {
        terms.push(format!("<ObjectSizeGreaterThan>{}</ObjectSizeGreaterThan>", dice.pick(&[9, 10, 99])));
    }
    if sizes.1 {
        terms.push(format!("<ObjectSizeLessThan>{}</ObjectSizeLessThan>", dice.pick(&[100, 101, 500])));
    }
    let is_plain = tags == 0 && sizes == (false, false);
    let inner = if terms.len() > 1 { format!("<And>{}</And>", terms.concat()) } else { terms.concat() };
    (format!("<Filter>{inner}</Filter>"), is_plain)
}

fn rule(dice: &mut Dice, number: usize) -> String {
    let (filter, is_plain) = filter(dice);
    let mut actions = String::new();
    match dice.below(8) {
        0 => {
            let date = midnight(start(), dice.below(8)) - TimeDelta::days(3);
            actions.push_str(&format!(
                "<Expiration><Date>{}</Date></Expiration>",
                date.format("%Y-%m-%dT00:00:00Z")
            ));
        }
        1 if is_plain => {
            actions.push_str(
                "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            );
        }
        2 => {}
        _ => actions.push_str(&format!("<Expiration><Days>{}</Days></Expiration>", 1 + dice.below(12))),
    }
    if actions.is_empty() || dice.one_in(2) {
        let newer = if dice.one_in(3) {
            format!("<NewerNoncurrentVersions>{}</NewerNoncurrentVersions>", 1 + dice.below(2))
        } else {
            String::new()
        };
        actions.push_str(&format!(
            "<NoncurrentVersionExpiration><NoncurrentDays>{}</NoncurrentDays>{newer}</NoncurrentVersionExpiration>",
            1 + dice.below(6)
        ));
    }
    if is_plain && dice.one_in(3) {
        actions.push_str(&format!(
            "<AbortIncompleteMultipartUpload><DaysAfterInitiation>{}</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
            1 + dice.below(6)
        ));
    }
    let status = if dice.one_in(6) { "Disabled" } else { "Enabled" };
    format!("<Rule><ID>rule {number} +%/ü</ID>{filter}<Status>{status}</Status>{actions}</Rule>")
}

fn configuration(dice: &mut Dice) -> String {
    let count = 1 + usize::try_from(dice.below(5)).unwrap();
    let rules: String = (0..count).map(|number| rule(dice, number)).collect();
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

fn object(dice: &mut Dice) -> PutOptions {
    let mut options = PutOptions::size(dice.pick(&[0, 9, 10, 11, 99, 100, 101, 1_000]));
    for key in ["t", "u"] {
        if !dice.one_in(3) {
            options = options.tag(key, dice.pick(&["1", "2", ""]));
        }
    }
    options
}

/// Fills the bucket; each key has its versions in the order of their times.
fn fill(dice: &mut Dice, sandbox: &Sandbox, versioned: bool) {
    for number in 0..OBJECTS {
        let key = format!("{}{number:03}", dice.pick(&KEYS));
        let seconds = |dice: &mut Dice| {
            let within = dice.pick(&[0, 1, 86_399, 40_000]);
            TimeDelta::seconds(i64::try_from(86_400 * dice.below(10) + within).unwrap())
        };
        let mut times: Vec<_> = (0..dice.pick(&[1, 1, 1, 2, 3])).map(|_| seconds(dice)).collect();
        times.sort();
        times.reverse();
        if !versioned {
            times.truncate(1);
        }
        for age in times {
            let at = midnight(start(), 0) - age;
            sandbox.put_object(BUCKET, &key, object(dice).last_modified(at)).unwrap();
        }
        if dice.one_in(10) {
            let initiated = midnight(start(), 0) - seconds(dice);
            sandbox.start_upload(BUCKET, &key, sandbox::Attributes::default(), Some(initiated)).unwrap();
        }
    }
}

// --- What stands there, as our reading sees it ---

struct Standing {
    entries: Vec<Entry>,
    versioning: Versioning,
}

impl Standing {
    fn of(sandbox: &Sandbox, versioning: Versioning) -> Self {
        Self { entries: sandbox.list_everything(BUCKET).unwrap(), versioning }
    }

    /// The entries of each key: versions and markers, newest first; and each upload by itself.
    fn keys(&self) -> Vec<Vec<&Entry>> {
        let mut keys: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let is_upload = |entry: &&Entry| entry.kind == EntryKind::Upload;
        for entry in self.entries.iter().filter(|entry| !is_upload(entry)) {
            keys.entry(&entry.key).or_default().push(entry);
        }
        keys.into_values().chain(self.entries.iter().filter(is_upload).map(|entry| vec![entry])).collect()
    }

    fn observed<'e>(&self, entries: &[&'e Entry]) -> Vec<Observed<'e>> {
        static NO_TAGS: Attributes = Attributes::new();
        let is_alone = entries.len() == 1;
        entries
            .iter()
            .enumerate()
            .map(|(place, entry)| Observed {
                bucket: BUCKET,
                key: &entry.key,
                kind: match (entry.kind, self.versioning) {
                    (EntryKind::Upload, _) => Kind::Upload,
                    (EntryKind::Marker, _) => Kind::Marker,
                    (EntryKind::Version, Versioning::Never) => Kind::Object,
                    (EntryKind::Version, _) => Kind::Version,
                },
                version_id: Some(&entry.id),
                upload_id: None,
                is_latest: place == 0,
                uploaded: entry.last_modified,
                superseded: place.checked_sub(1).map(|newer| entries[newer].last_modified),
                newer_noncurrent: 0,
                alone: is_alone && entry.kind == EntryKind::Marker,
                size: entry.object.as_ref().map_or(0, |object| object.body.len()),
                etag: None,
                storage_class: None,
                metadata: Reading::Unread,
                content_type: Reading::Unread,
                tags: Reading::Known(
                    entry.object.as_ref().map_or(&NO_TAGS, |object| &object.attributes.tags),
                ),
                lock: Reading::Known(Lock::default()),
            })
            .collect()
    }
}

/// What happens to which id: every rule that may be given as the cause.
type Acts = BTreeMap<(String, String, Effect), BTreeSet<String>>;

/// What our reading says will have happened by `night`.
fn predicted(
    standing: &Standing,
    document: &LifecycleDocument,
    exact: ExactMidnight,
    night: DateTime<Utc>,
) -> Acts {
    let is_due = |removal: &Removal<'_>| match exact {
        ExactMidnight::Same => removal.earliest <= night,
        ExactMidnight::Next => removal.latest <= night,
    };
    let mut acts = Acts::new();
    for entries in standing.keys() {
        let observed = standing.observed(&entries);
        for removal in removals(document, standing.versioning, &observed).iter().filter(|it| is_due(it)) {
            // What is not certain here is whether markers count among the versions that are kept.
            let entry = entries[removal.place];
            assert!(removal.matches != Match::NeedsTags, "{removal:?}");
            let act = (entry.key.clone(), entry.id.clone(), removal.effect);
            acts.entry(act).or_default().insert(removal.rule.id().to_owned());
        }
    }
    acts
}

/// What the simulator says will have happened by `night`.
fn simulated(
    standing: &Standing,
    document: &LifecycleDocument,
    exact: ExactMidnight,
    night: DateTime<Utc>,
) -> BTreeSet<(String, String, Effect)> {
    let mut acts = BTreeSet::new();
    for entries in standing.keys() {
        for (object, entry) in standing.observed(&entries).iter().zip(entries) {
            for (effect, early, late) in simulated::effects(document, standing.versioning, object, start()) {
                let due = if exact == ExactMidnight::Same { early } else { late };
                if due <= night.timestamp() {
                    acts.insert((entry.key.clone(), entry.id.clone(), effect));
                }
            }
        }
    }
    acts
}

fn carried_out(events: Vec<LifecycleEvent>, standing: &Standing) -> Vec<((String, String, Effect), String)> {
    events
        .into_iter()
        .map(|event| {
            let effect = match event.action {
                LifecycleAction::Expired if standing.versioning == Versioning::Never => Effect::Removed,
                LifecycleAction::Expired => Effect::Replaced,
                LifecycleAction::Hidden => Effect::Hidden,
                LifecycleAction::NoncurrentExpired => Effect::NoncurrentRemoved,
                LifecycleAction::MarkerRemoved => Effect::MarkerRemoved,
                LifecycleAction::UploadAborted => Effect::Aborted,
                LifecycleAction::Transitioned(class) => panic!("{class}"),
            };
            ((event.key, event.version_id, effect), event.rule)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_literal_reading_the_header_and_what_is_carried_out_agree_on_ten_thousand_objects() {
    let mut dice = Dice(7);
    let (mut heads, mut sent, mut acted) = (0, 0, BTreeMap::<Effect, u32>::new());
    let mut simulations = 0;
    for number in 0..CONFIGURATIONS {
        let exact = dice.pick(&[ExactMidnight::Same, ExactMidnight::Next]);
        let versioning = [Versioning::Never, Versioning::Enabled, Versioning::Suspended][number as usize % 3];
        let options = SandboxOptions { exact_midnight: exact, ..SandboxOptions::at(start()) };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.create_bucket(BucketOptions::named(BUCKET)).unwrap();
        if versioning != Versioning::Never {
            // The first versions are null ones.
            for key in ["a/000", "a/b/001", "ab002"] {
                sandbox
                    .put_object(
                        BUCKET,
                        key,
                        PutOptions::size(10).last_modified(midnight(start(), 0) - TimeDelta::days(20)),
                    )
                    .unwrap();
            }
            sandbox.set_versioning(BUCKET, sandbox::Versioning::Enabled).unwrap();
        }
        fill(&mut dice, &sandbox, versioning != Versioning::Never);
        if versioning == Versioning::Suspended {
            sandbox.set_versioning(BUCKET, sandbox::Versioning::Suspended).unwrap();
            for key in ["a/b/003", "c004", "ab005"] {
                sandbox.put_object(BUCKET, key, object(&mut dice)).unwrap();
            }
        }
        let xml = configuration(&mut dice);
        sandbox.put_lifecycle(BUCKET, &xml).unwrap_or_else(|refusal| panic!("{refusal:?}\n{xml}"));
        let document = LifecycleDocument::read(&sandbox.lifecycle(BUCKET).unwrap().unwrap()).unwrap();
        let bucket = connect(&sandbox).await.bucket(BUCKET).await.unwrap();

        let standing = Standing::of(&sandbox, versioning);
        for entries in standing.keys().iter().filter(|entries| entries[0].kind == EntryKind::Version) {
            let head = bucket.head(&entries[0].key, None).await.unwrap();
            let observed = standing.observed(entries);
            let rules = foretold(Some(&document), versioning, &observed[0]);
            let comparison = compare(&rules, head.expiration.as_deref());
            assert!(
                matches!(comparison, Comparison::Agree | Comparison::None),
                "{comparison:?}\n{observed:#?}\n{xml}"
            );
            heads += 1;
            sent += u32::from(head.expiration.is_some());
        }

        for night in (1..=NIGHTS).map(|night| midnight(start(), night)) {
            let standing = Standing::of(&sandbox, versioning);
            let predicted = predicted(&standing, &document, exact, night);
            if simulated::knows(&document, versioning) {
                let simulated = simulated(&standing, &document, exact, night);
                assert_eq!(simulated, predicted.keys().cloned().collect(), "{night}\n{xml}");
                simulations += simulated.len();
            }
            let carried_out = carried_out(sandbox.advance_to(night).unwrap(), &standing);
            let acts: BTreeSet<_> = carried_out.iter().map(|(act, _)| act.clone()).collect();
            assert_eq!(
                acts,
                without_what_is_gone_first(predicted.keys().cloned().collect()),
                "{night}\n{xml}"
            );
            for (act, rule) in carried_out {
                assert!(
                    predicted[&act].contains(&rule),
                    "{act:?} by {rule}, not {:?}\n{xml}",
                    predicted[&act]
                );
                *acted.entry(act.2).or_default() += 1;
            }
        }
        sandbox.stop();
    }
    assert!(simulations > 1_000, "{simulations}");
    assert!(heads >= 8_000 && sent > heads / 4 && sent < heads, "{sent} of {heads}");
    for effect in [
        Effect::Removed,
        Effect::Hidden,
        Effect::Replaced,
        Effect::NoncurrentRemoved,
        Effect::MarkerRemoved,
        Effect::Aborted,
    ] {
        assert!(acted.get(&effect).is_some_and(|count| *count >= 20), "{effect:?}: {acted:?}");
    }
}

/// A null version that is removed as noncurrent is not there any more to be replaced.
fn without_what_is_gone_first(
    mut acts: BTreeSet<(String, String, Effect)>,
) -> BTreeSet<(String, String, Effect)> {
    let gone: Vec<_> =
        acts.iter().filter(|(.., effect)| *effect == Effect::NoncurrentRemoved).cloned().collect();
    for (key, id, _) in gone {
        acts.remove(&(key, id, Effect::Replaced));
    }
    acts
}

async fn connect(sandbox: &Sandbox) -> Store {
    let options = ConnectOptions {
        endpoint_url: Some(sandbox.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: sandbox.access_key().to_owned(),
            secret_access_key: sandbox.secret_key().to_owned(),
        }),
        ..ConnectOptions::default()
    };
    Store::connect(&options).await.unwrap()
}
