//! Somebody else writes the configuration before any one of the run's requests is served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use shelflife::apply::Configured;
use shelflife::evidence::ConfigurationResult;
use shelflife::policy::Policy;
use shelflife::sandbox::{Effect, Fault, MinimumSize, Sandbox};

use super::grid::{never_wider, removals};
use super::stage::{PUT, Place, Stage, document, foreign, is_ours, policy, rule, texts};

const BUCKET: &str = "media";

/// What somebody else does to the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Edit {
    /// A rule is put beside the others.
    Adds,
    /// All is replaced by what its owner knows of, as Terraform does.
    Replaces,
    /// One of the owner's rules is widened.
    Widens,
    /// The header alone is changed.
    Header,
}

const EDITS: [Edit; 4] = [Edit::Adds, Edit::Replaces, Edit::Widens, Edit::Header];

impl Edit {
    fn make(self, sandbox: &Sandbox) {
        let xml = sandbox.lifecycle(BUCKET).unwrap().unwrap_or_default();
        let minimum = sandbox.minimum_size(BUCKET).unwrap().unwrap_or_default();
        let mut rules = texts(&xml);
        let mut minimum = minimum;
        match self {
            Self::Adds => rules.push(foreign("between")),
            Self::Replaces => rules = vec![foreign("others"), foreign("between")],
            Self::Widens => {
                let others = rules.iter_mut().filter(|rule| rule.contains("<ID>others</ID>"));
                others.for_each(|rule| *rule = rule.replace("<Days>45</Days>", "<Days>44</Days>"));
            }
            Self::Header => minimum = MinimumSize::All128K,
        }
        sandbox.put_lifecycle_with(BUCKET, &document(&rules.concat()), minimum).unwrap();
    }

    /// Whether it is still there.
    fn stands(self, sandbox: &Sandbox) -> bool {
        let xml = sandbox.lifecycle(BUCKET).unwrap().unwrap_or_default();
        match self {
            Self::Adds | Self::Replaces => xml.contains("<ID>between</ID>"),
            Self::Widens => xml.contains("<Days>44</Days>"),
            Self::Header => sandbox.minimum_size(BUCKET).unwrap() == Some(MinimumSize::All128K),
        }
    }
}

fn days(days: u32) -> Policy {
    policy(&rule("ott", BUCKET, ", prefix: inbound/", days, ""))
}

/// What came of one run, with an edit before the request of this number.
struct Met {
    told: Configured,
    /// Whether the edit still stands.
    stands: bool,
    /// Whether the rule that was asked for is at work.
    in_force: bool,
    /// Requests of the run that were to write, and were carried out.
    writes: BTreeSet<usize>,
    requests: usize,
}

async fn meet(from: u32, to: u32, edit: Option<(Edit, usize)>, faults: &[Fault]) -> Met {
    let stage = Stage::set(&[Place::new(BUCKET, &foreign("others"))]).await;
    stage.reconcile(&days(from)).await;
    let before = removals(&stage.rules(BUCKET));
    let wanted = days(to);
    let header = stage.plan(&wanted).await;
    let asked = header.buckets[BUCKET].lifecycle_after.clone();
    let asked = super::stage::rules(asked.as_deref());
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let (told, begun) = {
        let (sandbox, shared) = (stage.sandbox.clone(), Arc::clone(&seen));
        let mut begun = 0;
        let told = stage
            .apply(&wanted, &header, None, || {
                begun = stage.sandbox.requests().len();
                faults.iter().for_each(|fault| stage.sandbox.faults().add(fault.clone()));
                stage.on_each(move |number, request| {
                    shared.lock().unwrap().insert(number, request.writes);
                    if let Some((edit, _)) = edit.filter(|(_, at)| *at == number) {
                        edit.make(&sandbox);
                    }
                });
            })
            .await;
        (told.unwrap(), begun)
    };
    let seen = seen.lock().unwrap().clone();
    let answered: Vec<bool> = stage
        .requests_since(begun)
        .iter()
        .map(|request| request.status.is_some_and(|status| status < 300))
        .collect();
    let writes = seen.iter().filter(|(number, writes)| **writes && answered[**number - 1]);
    let now = stage.rules(BUCKET);
    let ours: Vec<_> = now.iter().filter(|rule| is_ours(rule)).cloned().collect();
    // The edit may widen what is not ours.
    let bound = removals(&asked.iter().filter(|rule| is_ours(rule)).cloned().collect::<Vec<_>>());
    never_wider(&ours, [&before, &bound], &format!("{edit:?}"));
    assert!(now.iter().any(|rule| rule.id.as_deref() == Some("others")), "{edit:?}: {now:#?}");
    let in_force = asked.iter().filter(|rule| is_ours(rule)).all(|rule| now.contains(rule));
    Met {
        told: told[BUCKET].clone(),
        stands: edit.is_none_or(|(edit, _)| edit.stands(&stage.sandbox)),
        in_force: in_force && ours.len() == 1,
        writes: writes.map(|(number, _)| *number).collect(),
        requests: seen.len(),
    }
}

/// Makes sure that an edit at any request is noticed, but where it falls between the last reading and the write.
async fn noticed_everywhere(from: u32, to: u32, edit: Edit, faults: Vec<Fault>) {
    let undisturbed = meet(from, to, None, &faults).await;
    assert_eq!(undisturbed.told.result, ConfigurationResult::Applied, "{:?}", undisturbed.told);
    assert!(undisturbed.in_force);
    for at in 1..=undisturbed.requests {
        let met = meet(from, to, Some((edit, at)), &faults).await;
        let where_ = format!("{edit:?} at {at} from {from} to {to}: {:?}", met.told);
        let in_window = undisturbed.writes.contains(&at);
        assert_eq!(met.stands, !in_window, "{where_}");
        if edit == Edit::Header && at == 1 {
            // A plan does not speak of it, so the run begins with what it finds.
            assert!(met.in_force, "{where_}");
        } else if !in_window {
            let result = met.told.result;
            assert!(
                matches!(result, ConfigurationResult::Moved | ConfigurationResult::Differs),
                "it was noticed: {where_}"
            );
            let why = met.told.detail.as_deref().unwrap_or_default();
            let names_it =
                why.contains("somebody has changed it") || why.contains("between") || why.contains("others");
            assert!(names_it || (edit == Edit::Header && why.contains("minimum-object-size")), "{where_}");
        } else {
            // Nobody can see it: what was written is what stands there.
            assert!(met.in_force && met.told.result == ConfigurationResult::Applied, "{where_}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_between_any_two_requests_is_noticed_and_stays_but_in_the_one_window() {
    let mut running = tokio::task::JoinSet::new();
    for edit in EDITS {
        // Let loose in two steps, and narrowed in one.
        running.spawn(noticed_everywhere(30, 20, edit, Vec::new()));
        running.spawn(noticed_everywhere(20, 30, edit, Vec::new()));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_tried_again_does_not_widen_the_window() {
    let mut running = tokio::task::JoinSet::new();
    for effect in [Effect::SlowDown, Effect::InternalError, Effect::Unreachable] {
        // Of two attempts at the first write the first is lost: an edit beside it is noticed by the second.
        running.spawn(noticed_everywhere(30, 20, Edit::Adds, vec![Fault::on(PUT, effect).once()]));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}
