//! Stores that make something else of what they are given: what they keep is put in force, what they do not keep
//! is not, and it is said which and what to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use shelflife::apply::Configured;
use shelflife::evidence::ConfigurationResult;
use shelflife::lifecycle::RuleView;
use shelflife::policy::Policy;
use shelflife::sandbox::{Effect, Fault, MinimumSize, Quirk, Versioning};

use super::grid::{never_wider, removals};
use super::stage::{GET, PUT, Place, Stage, foreign, is_ours, policy, rule};

const BUCKET: &str = "media";

const QUIRKS: [Quirk; 15] = [
    Quirk::DropTags,
    Quirk::DropSizes,
    Quirk::DropNewerVersions,
    Quirk::DropMarkers,
    Quirk::DropAbort,
    Quirk::DropPrefixes,
    Quirk::DropIds,
    Quirk::RenameIds,
    Quirk::LowercaseStatus,
    Quirk::IgnoreDisabled,
    Quirk::RewriteAnd,
    Quirk::OldForm,
    Quirk::Reorder,
    Quirk::RefuseFilter,
    Quirk::RefuseEmptyPrefix,
];

/// A rule of each kind that can be given to S3; which of them are is the compiler's business.
fn everything() -> Policy {
    let versions = ", noncurrent: {retain: 5 days}";
    policy(
        &[
            rule("plain", BUCKET, ", prefix: inbound/", 30, versions),
            rule(
                "uploads",
                BUCKET,
                ", prefix: exports/",
                30,
                ", noncurrent: {retain: 5 days}, incomplete-uploads: 7 days",
            ),
            rule("tagged", BUCKET, ", prefix: mail/, tags: {class: a}", 20, versions),
            rule("sized", BUCKET, ", prefix: big/, size: {over: 1 MiB}", 20, versions),
            rule(
                "kept",
                BUCKET,
                ", prefix: old/",
                20,
                ", noncurrent: {retain: 5 days, newer-noncurrent-versions: 3}",
            ),
        ]
        .concat(),
    )
}

/// The same for a bucket all of which one rule takes.
fn whole() -> Policy {
    policy(&rule("whole", BUCKET, "", 30, ", noncurrent: {retain: 5 days}, incomplete-uploads: 7 days"))
}

/// What a store of this kind makes something else of.
fn alters(quirk: Quirk, rule: &RuleView) -> bool {
    match quirk {
        Quirk::DropTags => !rule.filter.tags.is_empty(),
        Quirk::DropSizes => rule.filter.size_over.is_some() || rule.filter.size_under.is_some(),
        Quirk::DropNewerVersions => rule.noncurrent.as_ref().is_some_and(|noncurrent| noncurrent.newer > 0),
        Quirk::DropMarkers => rule.expiration.as_ref().is_some_and(|expiration| expiration.markers),
        Quirk::DropAbort => rule.abort_days.is_some(),
        Quirk::DropPrefixes => !rule.filter.prefix.is_empty(),
        // All are written disabled first.
        Quirk::DropIds | Quirk::RenameIds | Quirk::LowercaseStatus | Quirk::IgnoreDisabled => true,
        Quirk::RewriteAnd | Quirk::OldForm | Quirk::Reorder => false,
        Quirk::RefuseFilter | Quirk::RefuseEmptyPrefix => false,
    }
}

struct Met {
    told: Configured,
    stage: Stage,
    asked: Vec<RuleView>,
}

async fn meet(policy: &Policy, place: Place, faults: Vec<Fault>) -> Met {
    let stage = Stage::set(&[place]).await;
    let before = removals(&stage.rules(BUCKET));
    let header = stage.plan(policy).await;
    let asked = super::stage::rules(header.buckets[BUCKET].lifecycle_after.as_deref());
    let bound = removals(&asked);
    let wider = Arc::new(Mutex::new(Vec::new()));
    let told = stage
        .apply(policy, &header, None, || {
            let (sandbox, wider) = (stage.sandbox.clone(), Arc::clone(&wider));
            stage.on_each(move |number, request| {
                let rules = super::stage::rules(sandbox.lifecycle(&request.bucket).unwrap().as_deref());
                let bounds = [&before, &bound];
                let met = std::panic::catch_unwind(|| never_wider(&rules, bounds, &format!("at {number}")));
                wider.lock().unwrap().extend(met.err().map(|_| number));
            });
            faults.into_iter().for_each(|fault| stage.sandbox.faults().add(fault));
        })
        .await;
    assert_eq!(*wider.lock().unwrap(), [0_usize; 0], "never wider than asked, on the way either");
    let told: BTreeMap<String, Configured> = told.unwrap();
    Met { told: told[BUCKET].clone(), stage, asked }
}

fn place(foreign: &str) -> Place {
    Place { versioning: Versioning::Enabled, ..Place::new(BUCKET, foreign) }
}

async fn meets_a_store_with(quirk: Quirk, policy: Policy, place: Place) {
    let Met { told, stage, asked } = meet(&policy, place, vec![Fault::on(PUT, Effect::Quirk(quirk))]).await;
    let why = told.detail.clone().unwrap_or_default();
    let where_ = format!("{quirk:?}: {told:?}\n{:#?}", stage.rules(BUCKET));
    let ours: Vec<&RuleView> = asked.iter().filter(|rule| is_ours(rule)).collect();
    let is_refused = match quirk {
        Quirk::RefuseFilter => true,
        Quirk::RefuseEmptyPrefix => ours.iter().any(|rule| rule.filter.prefix.is_empty()),
        _ => false,
    };
    let (altered, kept): (Vec<&RuleView>, Vec<&RuleView>) =
        ours.into_iter().partition(|rule| is_refused || alters(quirk, rule));
    let now = stage.rules(BUCKET);
    for rule in &kept {
        let stands =
            now.iter().any(|now| now.id == rule.id && now.status == rule.status && now.same_content(rule));
        assert!(stands, "{:?} is in force: {where_}", rule.id);
    }
    let others = asked.iter().filter(|rule| !is_ours(rule)).count();
    assert_eq!(now.len(), kept.len() + others, "and nothing else: {where_}");
    let expected = match (is_refused, altered.is_empty()) {
        (true, _) => ConfigurationResult::Failed,
        (false, true) => ConfigurationResult::Applied,
        (false, false) => ConfigurationResult::Differs,
    };
    assert_eq!(told.result, expected, "{where_}");
    if expected == ConfigurationResult::Differs {
        assert!(why.contains("`enforce: direct`"), "{where_}");
        for rule in altered {
            let id = rule.id.as_deref().unwrap();
            let name = id.split(':').nth(2).unwrap();
            assert!(why.contains(id) && why.contains(&format!("`{name}`")), "{id}: {where_}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_store_keeps_is_in_force_and_what_it_makes_something_else_of_is_not() {
    let mut running = tokio::task::JoinSet::new();
    for quirk in QUIRKS {
        running.spawn(meets_a_store_with(quirk, everything(), place("")));
        running.spawn(meets_a_store_with(quirk, whole(), place("")));
        // Tags and sizes are given to S3 only where no versions are kept.
        running.spawn(meets_a_store_with(quirk, everything(), Place::new(BUCKET, "")));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// Each quirk that can be seen in today's rules is seen in some.
#[tokio::test]
async fn the_quirks_bite() {
    let mut asked = Vec::new();
    for (policy, place) in
        [(everything(), place("")), (whole(), place("")), (everything(), Place::new(BUCKET, ""))]
    {
        let header = Stage::set(&[place]).await.plan(&policy).await;
        asked.extend(super::stage::rules(header.buckets[BUCKET].lifecycle_after.as_deref()));
    }
    for quirk in [
        Quirk::DropTags,
        Quirk::DropSizes,
        Quirk::DropMarkers,
        Quirk::DropAbort,
        Quirk::DropPrefixes,
        Quirk::DropIds,
    ] {
        assert!(asked.iter().any(|rule| alters(quirk, rule)), "{quirk:?}: {asked:#?}");
        assert!(
            quirk == Quirk::DropIds || asked.iter().any(|rule| !alters(quirk, rule)),
            "{quirk:?}: {asked:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_store_makes_of_the_rules_of_others_is_told_and_nothing_is_let_loose() {
    // They stood there whole before this store forgot how to keep them.
    let faults = vec![Fault::on(PUT, Effect::Quirk(Quirk::DropTags))];
    let tagged = "<Rule><ID>others</ID><Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter><Status>Enabled</Status>\
                  <Expiration><Days>9</Days></Expiration></Rule>";
    let stage = Stage::set(&[place(tagged)]).await;
    let policy = everything();
    let header = stage.plan(&policy).await;
    let told = stage
        .apply(&policy, &header, None, || {
            faults.into_iter().for_each(|fault| stage.sandbox.faults().add(fault))
        })
        .await
        .unwrap();
    let told = &told[BUCKET];
    assert_eq!(told.result, ConfigurationResult::Differs, "{told:?}");
    assert!(told.detail.as_deref().unwrap().contains("\"others\""), "{told:?}");
    assert!(stage.rules(BUCKET).iter().all(|rule| !is_ours(rule)), "{:#?}", stage.rules(BUCKET));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_lifecycle_is_told_and_left_as_it_was() {
    for operation in [PUT, GET] {
        let faults = vec![Fault::on(operation, Effect::NotImplemented)];
        let Met { told, stage, .. } = meet(&whole(), place(""), faults).await;
        assert_eq!(told.result, ConfigurationResult::Failed);
        assert!(told.detail.unwrap().contains("does not implement"));
        assert_eq!(stage.sandbox.lifecycle(BUCKET).unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_shows_what_was_there_before_for_a_moment_is_waited_for() {
    let mut running = tokio::task::JoinSet::new();
    for reading in 1..8 {
        running.spawn(async move {
            let faults = vec![Fault::on(GET, Effect::Stale).calls(reading, reading)];
            let place = place(&foreign("others"));
            let Met { told, stage, asked } = meet(&everything(), place, faults).await;
            let ours = |rules: &[RuleView]| rules.iter().filter(|rule| is_ours(rule)).count();
            // Before its own write the run cannot tell that from somebody else's change.
            let told_moved = told.result == ConfigurationResult::Moved;
            assert_eq!(told_moved, matches!(reading, 1 | 2), "{reading}: {told:?}");
            assert!(told_moved || told.result == ConfigurationResult::Applied, "{reading}: {told:?}");
            assert_eq!(ours(&stage.rules(BUCKET)), if told_moved { 0 } else { ours(&asked) }, "{reading}");
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_minimum_size_of_transitions_is_sent_again_as_it_was_found() {
    for minimum in [MinimumSize::VariesByStorageClass, MinimumSize::All128K] {
        let place = Place { minimum, ..place(&foreign("others")) };
        let Met { told, stage, .. } = meet(&everything(), place, Vec::new()).await;
        assert_eq!(told.result, ConfigurationResult::Applied, "{told:?}");
        assert_eq!(stage.sandbox.minimum_size(BUCKET).unwrap(), Some(minimum));
    }
    // Where there was no configuration, S3's own default comes to stand.
    let Met { told, stage, .. } = meet(&everything(), place(""), Vec::new()).await;
    assert_eq!(told.result, ConfigurationResult::Applied, "{told:?}");
    assert_eq!(stage.sandbox.minimum_size(BUCKET).unwrap(), Some(MinimumSize::default()));
}
