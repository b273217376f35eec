//! A run that is killed at each of its requests, which is then either carried out or not.

use std::collections::BTreeMap;

use shelflife::lifecycle::RuleView;
use shelflife::policy::Policy;
use shelflife::sandbox::{Effect, Fault, Quirk, Versioning};

use super::grid::{Removals, never_wider, removals};
use super::stage::{Cut, PUT, Place, Stage, foreign, policy, rule};

const HOLD: &str = "holds:\n  - {id: case-7, reason: Order, select: {tenants: [held]}}\n";

/// A change of a policy, or of what it finds.
struct Scene {
    name: &'static str,
    places: Vec<Place>,
    /// In force before.
    old: String,
    /// To come.
    new: String,
    /// Added to the new one between its plan and the run.
    hold: bool,
}

impl Scene {
    fn new(name: &'static str, old: &[(&str, u32)], new: &[(&str, u32)]) -> Self {
        let rules = |rules: &[(&str, u32)]| {
            let rules = rules.iter().map(|(prefix, days)| {
                rule(&format!("r{}", prefix.len()), "media", &format!(", prefix: {prefix}"), *days, "")
            });
            rules.collect::<String>()
        };
        let (old, new) = (rules(old), rules(new));
        Self { name, places: vec![Place::new("media", &foreign("others"))], old, new, hold: false }
    }
}

/// A rule that keeps the bucket enrolled and that S3 has nothing to do with.
fn direct(bucket: &str) -> String {
    rule("direct", bucket, ", prefix: zz/", 9, ", enforce: direct")
}

fn scenes() -> Vec<Scene> {
    let [a, b, whole] = ["inbound/", "inbound/b/", "in"];
    let mut scenes = vec![
        Scene::new("add", &[], &[(a, 30)]),
        Scene::new("widen in days", &[(a, 30)], &[(a, 20)]),
        Scene::new("narrow in days", &[(a, 20)], &[(a, 30)]),
        Scene::new("remove", &[(a, 30), ("mail/", 9)], &[("mail/", 9)]),
        Scene { hold: true, ..Scene::new("hold", &[(a, 30)], &[(a, 20)]) },
        Scene { hold: true, ..Scene::new("hold on what is kept", &[(a, 30)], &[(a, 30)]) },
    ];
    // One rule of the policy, whose prefix moves.
    for (name, old, new) in [
        ("widen in keys", (b, 30), (whole, 30)),
        ("narrow in keys", (whole, 30), (b, 30)),
        ("fewer keys sooner", (a, 30), (b, 20)),
        ("more keys later", (b, 20), (a, 30)),
    ] {
        let of = |(prefix, days)| rule("ott", "media", &format!(", prefix: {prefix}"), days, "");
        scenes.push(Scene { old: of(old), new: of(new), ..Scene::new(name, &[], &[]) });
    }
    let versions = ", noncurrent: {retain: 5 days}, incomplete-uploads: 7 days";
    let two = |first: &str, second: &str| {
        let mut mail = Place::new("mail", "");
        mail.versioning = Versioning::Enabled;
        Scene {
            places: vec![Place::new("media", &foreign("others")), mail],
            old: first.to_owned(),
            new: second.to_owned(),
            ..Scene::new("two buckets", &[], &[])
        }
    };
    let of = |id, bucket, prefix: &str, days, more| {
        let select = if prefix.is_empty() { String::new() } else { format!(", prefix: {prefix}") };
        rule(id, bucket, &select, days, more)
    };
    let one_way =
        [of("a", "media", a, 30, ""), of("b", "media", "mail/", 50, ""), of("c", "mail", "", 40, "")]
            .concat();
    let other_way = [
        of("a", "media", a, 20, ""),
        of("d", "media", "exports/", 5, ""),
        of("c", "mail", "in", 40, versions),
        of("e", "mail", "mail/", 3, versions),
    ]
    .concat();
    scenes.push(two(&one_way, &other_way));
    scenes.push(two(&other_way, &one_way));
    let mut old_form = Scene::new("old form", &[], &[(a, 30)]);
    old_form.places[0].foreign =
        "<Rule><ID>old</ID><Prefix>inbound/b&#13;</Prefix><Status>Enabled</Status><Expiration><Days>60\
         </Days></Expiration></Rule>"
            .to_owned();
    scenes.push(old_form);
    let mut alone = Scene::new("the last rule", &[(a, 30)], &[]);
    alone.places[0].foreign = String::new();
    scenes.push(alone);
    for scene in &mut scenes {
        for place in &scene.places {
            let enrolled = direct(place.name).replace("direct,", &format!("direct-{},", place.name));
            scene.old += &enrolled;
            scene.new += &enrolled;
        }
    }
    scenes
}

/// What stands in each bucket.
type Stored = BTreeMap<&'static str, Vec<RuleView>>;

struct Acted {
    stage: Stage,
    policy: Policy,
    before: Stored,
    /// The run was not cut off.
    ended: bool,
}

async fn act(scene: &Scene, cut: Option<Cut>) -> Acted {
    let stage = Stage::set(&scene.places).await;
    stage.reconcile(&policy(&scene.old)).await;
    let before = stored(&stage, scene);
    let planned = policy(&scene.new);
    let header = stage.plan(&planned).await;
    let policy = policy(&format!("{}{}", scene.new, if scene.hold { HOLD } else { "" }));
    let ended = stage.apply(&policy, &header, cut, || ()).await.is_some();
    Acted { stage, policy, before, ended }
}

fn stored(stage: &Stage, scene: &Scene) -> Stored {
    scene.places.iter().map(|place| (place.name, stage.rules(place.name))).collect()
}

fn sorted(stored: &Stored) -> BTreeMap<&'static str, Vec<String>> {
    let text = |rules: &Vec<RuleView>| {
        let mut rules: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
        rules.sort();
        rules
    };
    stored.iter().map(|(name, rules)| (*name, text(rules))).collect()
}

fn removals_of(stored: &Stored) -> BTreeMap<&'static str, Removals> {
    stored.iter().map(|(name, rules)| (*name, removals(rules))).collect()
}

/// The rules of others, in the words of whoever reads them; an upgrade writes their prefix another way.
fn others(stored: &Stored) -> Vec<String> {
    let others = stored.values().flatten().filter(|rule| !super::stage::is_ours(rule));
    others.map(|rule| format!("{:?} {} {rule} {:?}", rule.id, rule.status, rule.unknown)).collect()
}

async fn killed_everywhere(scene: Scene) {
    let whole = act(&scene, None).await;
    assert!(whole.ended);
    let wanted = stored(&whole.stage, &scene);
    let (before, after) = (removals_of(&whole.before), removals_of(&wanted));
    let mut cuts = 0;
    'all: for request in 1.. {
        for arrives in [false, true] {
            let cut = Cut { request, arrives };
            let acted = act(&scene, Some(cut)).await;
            if acted.ended {
                break 'all;
            }
            cuts += 1;
            let where_ = format!("{} at {cut:?}", scene.name);
            let now = stored(&acted.stage, &scene);
            for place in &scene.places {
                never_wider(&now[place.name], [&before[place.name], &after[place.name]], &where_);
            }
            assert_eq!(others(&now), others(&whole.before), "{where_}");
            acted.stage.reconcile(&acted.policy).await;
            assert_eq!(sorted(&stored(&acted.stage, &scene)), sorted(&wanted), "{where_}, and gone on from");
            assert_eq!(others(&stored(&acted.stage, &scene)), others(&whole.before), "{where_}");
        }
    }
    // Two readings, a write, and a reading back; more where something is let loose.
    assert!(cuts >= 8, "{}: {cuts}", scene.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_request_it_is_never_wider_than_before_or_after_and_the_next_run_goes_on() {
    let mut running = tokio::task::JoinSet::new();
    for scene in scenes() {
        running.spawn(killed_everywhere(scene));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// Also while it takes out again what the store has made something else of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_a_store_that_spoils_rules_it_is_never_wider_than_was_asked() {
    let uploads = ", noncurrent: {retain: 5 days}, incomplete-uploads: 7 days";
    let rules = [
        rule("a", "media", ", prefix: inbound/", 30, ", noncurrent: {retain: 5 days}"),
        rule("b", "media", ", prefix: mail/", 40, uploads),
    ];
    let policy = policy(&rules.concat());
    let place = Place { versioning: Versioning::Enabled, ..Place::new("media", &foreign("others")) };
    let mut running = tokio::task::JoinSet::new();
    for quirk in
        [Quirk::DropAbort, Quirk::DropMarkers, Quirk::RenameIds, Quirk::DropIds, Quirk::LowercaseStatus]
    {
        for request in 1..30 {
            let (policy, place) = (policy.clone(), place.clone());
            running.spawn(async move {
                let stage = Stage::set(std::slice::from_ref(&place)).await;
                let before = stage.rules("media");
                let header = stage.plan(&policy).await;
                let asked = super::stage::rules(header.buckets["media"].lifecycle_after.as_deref());
                let spoil = || stage.sandbox.faults().add(Fault::on(PUT, Effect::Quirk(quirk)));
                let cut = Cut { request, arrives: true };
                let ended = stage.apply(&policy, &header, Some(cut), spoil).await.is_some();
                let where_ = format!("{quirk:?} at {request}");
                let now = stage.rules("media");
                never_wider(&now, [&removals(&before), &removals(&asked)], &where_);
                assert!(now.iter().any(|rule| rule.same_content(&before[0])), "{where_}: {now:#?}");
                ended
            });
        }
    }
    let ended = running.join_all().await.into_iter().filter(|ended| *ended).count();
    // Every run reaches its end before the last of these, and none before the tenth.
    assert!((5..=5 * 20).contains(&ended), "{ended}");
}

/// What the naive reading calls sooner is sooner: else the test above could not fail.
#[test]
fn a_wider_rule_is_told_from_a_narrower_one() {
    let of = |days: u32| {
        let rule = format!(
            "<Rule><ID>r</ID><Filter><Prefix>in</Prefix></Filter><Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration></Rule>"
        );
        super::stage::rules(Some(&super::stage::document(&rule)))
    };
    let (sooner, later) = (removals(&of(3)), removals(&of(4)));
    never_wider(&of(4), [&later, &sooner], "narrower");
    let wider = std::panic::catch_unwind(|| never_wider(&of(3), [&later, &later], "wider"));
    assert!(wider.is_err());
}
