//! The decider that is made ready for a bucket against `decide`, key by key: in order, in none, and
//! with so little room that it forgets.

use std::sync::atomic::{AtomicU64, Ordering};

use shelflife::decide::{self, Decider, Decision, Plain, Stay, Step, Trail, Verdict};
use shelflife::object::{Kind, Lock, Observed, Reading, Unreadable};
use shelflife::pattern::KeyPattern;
use shelflife::policy::{
    Attribute, IfMissing, Outside, Override, Policy, Select, Source, Term, Trigger, Within,
};
use shelflife::records::Records;

use crate::cases::{self, DATES, Sight, Sights, TENANTS};
use crate::dates::DAY;
use crate::reference::Thing;
use crate::rng::Rng;
use crate::{facts, how_many, policies};

/// Objects under one policy.
pub const RUN: usize = 16;

/// What a bucket listing shows.
pub const LISTED: Sights = Sights { metadata: Sight::Unread, tags: Sight::Unread, lock: Sight::Unread };

/// How many objects there were that stay as they are, and how many of them plainly.
#[derive(Default)]
struct Counts {
    kept: AtomicU64,
    plain: AtomicU64,
    by_upload: AtomicU64,
    due: AtomicU64,
    several: AtomicU64,
    expired: AtomicU64,
    plainly_expired: AtomicU64,
}

impl Counts {
    /// Of a thousand that stay so many are plain, of a thousand of these so many have a due date, so many stand under
    /// several rules, and of so many the upload says all; of a thousand that are expired so many are so plainly.
    fn assert(&self, least: [u64; 5]) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (kept, plain) = (count(&self.kept), count(&self.plain));
        let (due, several, expired) = (count(&self.due), count(&self.several), count(&self.expired));
        let (by_upload, plainly_expired) = (count(&self.by_upload), count(&self.plainly_expired));
        println!(
            "{plain} of {kept} plain, {due} with a due date, {several} under several rules, {by_upload} by upload; \
             {plainly_expired} of {expired} plainly expired"
        );
        let shares = [
            plain * 1000 / kept,
            due * 1000 / plain,
            several * 1000 / plain,
            by_upload * 1000 / plain,
            plainly_expired * 1000 / expired,
        ];
        assert!(shares.iter().zip(least).all(|(share, least)| *share >= least), "{shares:?}");
    }
}

/// Objects, in order, under a policy.
pub struct Run {
    pub policy: Policy,
    pub records: Records,
    pub things: Vec<(Thing, Sights)>,
    pub now: i64,
}

fn over(make: fn(u64) -> Run, least: [u64; 5]) {
    let counts = Counts::default();
    let runs = how_many().div_ceil(RUN as u64);
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().min(4)) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let counts = &counts;
            scope.spawn(move || {
                (worker..runs).step_by(workers as usize).for_each(|seed| check(seed, &make(seed), counts));
            });
        }
    });
    counts.assert(least);
}

/// The policies and objects of the other tests, whatever is seen of them.
#[test]
fn it_decides_as_the_naive_one_does_whatever_is_seen() {
    over(anything, [280, 50, 50, 10, 10]);
}

/// Policies of many rules, and long keys of which a listing shows the usual.
#[test]
fn it_decides_as_the_naive_one_does_what_a_listing_shows() {
    over(listing, [550, 100, 150, 10, 100]);
}

fn check(seed: u64, run: &Run, counts: &Counts) {
    // Not always on a whole second.
    let now = cases::instant(run.now) + chrono::TimeDelta::nanoseconds((seed % 2) as i64 * 999_999_999);
    let decider = Decider::new(&run.policy, &run.records, "media", now);
    let mut in_order = decider.trail();
    let mut in_none = decider.trail();
    let mut forgetful = decider.trail_of(Rng(seed).below(20_000));
    let mut shuffled: Vec<&(Thing, Sights)> = run.things.iter().collect();
    Rng(seed ^ 0x5F).shuffle(&mut shuffled);
    for (thing, sights) in &run.things {
        let object = crate::checks::observed(thing, *sights);
        let naive = decide::decide(&run.policy, &run.records, &object, now);
        agrees(seed, run, &mut in_order, &object, &naive);
        let plain = in_order.plainly(&object);
        let Step::Decided(decision) = &naive else { continue };
        let add = |count: &AtomicU64, is: bool| count.fetch_add(is.into(), Ordering::Relaxed);
        add(&counts.kept, matches!(decision.verdict, Verdict::Retained | Verdict::Unmatched));
        add(&counts.plain, plain.is_some());
        add(&counts.by_upload, stay(&mut in_order, &object).is_some());
        add(&counts.due, plain.is_some_and(|plain| plain.due.is_some()));
        add(&counts.several, plain.is_some() && decision.rules.len() > 1);
        add(&counts.expired, decision.verdict == Verdict::Expired);
        let expired = in_order.expired(&object);
        add(&counts.plainly_expired, expired.is_some());
        assert!(expired.is_none_or(|expired| expired == *decision), "seed {seed}");
    }
    for (thing, sights) in shuffled {
        let object = crate::checks::observed(thing, *sights);
        let naive = decide::decide(&run.policy, &run.records, &object, now);
        agrees(seed, run, &mut in_none, &object, &naive);
        agrees(seed, run, &mut forgetful, &object, &naive);
    }
}

fn agrees(seed: u64, run: &Run, trail: &mut Trail<'_>, object: &Observed<'_>, naive: &Step) {
    let told = |what: &dyn std::fmt::Debug| {
        panic!("seed {seed}: {what:?}\nbut {naive:?}\n{object:#?}\nnow {}\n{:#?}", run.now, run.policy)
    };
    if let Some(plain) = trail.plainly(object) {
        let Step::Decided(Decision { verdict, due, rules, erasure, tenant, .. }) = naive else {
            told(&plain)
        };
        let tenant = tenant.as_deref().filter(|_| !run.policy.guards.per_tenant.is_none());
        let counted = Plain { verdict: *verdict, rule: rules.first().copied(), due: plain.due, tenant };
        let due_then = plain.due.and_then(|due| chrono::DateTime::from_timestamp(due, 0));
        if counted != plain || *due != due_then || erasure.is_some() {
            told(&plain);
        }
    }
    if let Some(stay) = stay(trail, object) {
        let verdict = if stay.rule.is_some() { Verdict::Retained } else { Verdict::Unmatched };
        let due = stay.due.and_then(|due| chrono::DateTime::from_timestamp(due, 0));
        match naive {
            Step::Decided(decision)
                if decision.verdict == verdict
                    && decision.due == due
                    && decision.rules.first().copied() == stay.rule
                    && decision.erasure.is_none() => {}
            _ => told(&stay),
        }
    }
    let decided = trail.decide(object);
    if decided != *naive {
        told(&decided);
    }
}

/// What is said by the upload, of what that is said of.
fn stay(trail: &mut Trail<'_>, object: &Observed<'_>) -> Option<Stay> {
    let is_current = matches!(object.kind, Kind::Object | Kind::Version) && object.superseded.is_none();
    let is_unread = object.metadata == Reading::Unread && object.tags == Reading::Unread;
    let is_held = matches!(object.lock, Reading::Known(lock) if lock != Lock::default());
    let uploaded = object.uploaded;
    (is_current && is_unread && !is_held && object.bucket == "media")
        .then(|| trail.stays(object.key, uploaded.timestamp(), uploaded.timestamp_subsec_nanos() != 0))
        .flatten()
}

pub fn anything(seed: u64) -> Run {
    let case = cases::case(seed);
    let mut rng = Rng(seed ^ 0xA11);
    let mut things: Vec<(Thing, Sights)> = (0..RUN)
        .map(|_| {
            let uploaded = case.thing.uploaded + rng.between(-3, 3) * DAY * rng.pick(&[0, 0, 1, 30]);
            let thing = cases::thing(&mut rng, &case.policy, uploaded);
            let sights = if rng.chance(50) { LISTED } else { cases::sights(&mut rng, thing.kind) };
            (thing, sights)
        })
        .collect();
    things.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
    Run { records: facts::records(&case.facts), policy: case.policy, things, now: case.now }
}

pub fn listing(seed: u64) -> Run {
    let mut rng = Rng(seed ^ 0x115);
    let zone = rng.pick(&cases::ZONES);
    let uploaded = cases::upload(&mut rng, zone);
    let mut policy = policies::policy(&mut rng, zone, uploaded);
    let some = policy.rules.clone();
    let more = rng.pick(&[0, 2, 5, 9]);
    policy.rules.extend((0..more).map(|place| {
        let mut rule = rng.pick(&some);
        rule.id = format!("rule-{}", place + some.len());
        rule.retain = policies::period(&mut rng);
        rule
    }));
    let has_holds = rng.chance(25);
    policy.holds.retain(|_| has_holds);
    let has_erasures = rng.chance(25);
    policy.erasures.retain(|_| has_erasures);
    let by_record = rng.chance(25);
    policy.overrides.retain(|over| by_record || over.condition.is_none());
    let rules = policy.rules.len();
    policy.overrides.iter_mut().for_each(|over: &mut Override| over.rule = rng.below(rules));
    if rng.chance(60) {
        policy.tenant =
            vec![Attribute::Key(policies::key(rng.pick(&["*/{tenant}/**", "{tenant}/**", "**/{tenant}/*"])))];
    }
    policy.guards.per_tenant.max_objects = rng.chance(30).then_some(1);
    for rule in &mut policy.rules {
        if rng.chance(70) {
            rule.trigger = trigger(&mut rng);
        }
        if rng.chance(60) {
            rule.select.content_type = None;
            rule.select.metadata.clear();
            rule.select.tags.clear();
        }
    }
    for select in policies::selects_mut(&mut policy) {
        anywhere(&mut rng, select);
        select.except.iter_mut().for_each(|exception| anywhere(&mut rng, exception));
    }
    let facts = cases::facts(&mut rng, &policy, uploaded);
    let mut things: Vec<(Thing, Sights)> = (0..RUN).map(|_| listed(&mut rng, &policy, uploaded)).collect();
    things.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
    let of = rng.below(RUN);
    let now = cases::now(&mut rng, &policy, &facts, &things[of].0);
    Run { records: facts::records(&facts), policy, things, now }
}

const WORDS: [&str; 12] = ["in", "inbound", "4711", "0815", "acme", "a", "b", "2026", "é", "日", "x.y", ""];
const ENDS: [&str; 10] =
    ["a.\0jpg", "a.jpg", "b.PNG", "é.ogg", "日本.mp4", ".jpg", "a.jpg.bak", "a", "", "1.pdf"];

fn listed(rng: &mut Rng, policy: &Policy, uploaded: i64) -> (Thing, Sights) {
    let uploaded = uploaded + rng.between(-400, 400) * DAY * rng.pick(&[0, 1, 1]) + rng.between(-2, 2);
    let mut thing = cases::thing(rng, policy, uploaded.max(cases::start_of(2001)));
    if rng.chance(80) {
        let depth = rng.pick(&[0, 1, 1, 2, 2, 3, 4]);
        let folders = (0..depth).map(|at| {
            let few = if at < 2 { 5 } else { WORDS.len() };
            format!("{}/", WORDS[rng.below(few)])
        });
        thing.key = folders.collect::<String>() + rng.pick(&ENDS);
    }
    if rng.chance(95) {
        thing.bucket = "media".to_owned();
    }
    let has_content = matches!(thing.kind, Kind::Object | Kind::Version);
    let mut sights = LISTED;
    if rng.chance(70) {
        thing.lock = Lock::default();
        sights.lock = Sight::Seen;
    }
    if !has_content && rng.chance(50) {
        (sights.metadata, sights.tags) =
            (Sight::Unknown(Unreadable::NotKept), Sight::Unknown(Unreadable::NotKept));
    }
    if rng.chance(5) {
        sights.metadata = Sight::Seen;
    }
    (thing, sights)
}

/// Patterns over the words that keys are made of.
fn pattern(rng: &mut Rng) -> KeyPattern {
    thread_local! {
        static MADE: Vec<KeyPattern> = patterns();
    }
    MADE.with(|made| rng.pick(made))
}

fn patterns() -> Vec<KeyPattern> {
    let mut rng = Rng(0xBA5E);
    let mut made = Vec::new();
    while made.len() < 300 {
        let mut text = String::new();
        let mut has_id = false;
        for at in 0..rng.between(1, 5) {
            if at > 0 && rng.chance(70) {
                text.push('/');
            }
            match rng.below(10) {
                0 | 1 => text.push_str("**"),
                2 | 3 => text.push('*'),
                4 => text.push_str(rng.pick(&["?", "??", "?*", "a?", "*.*", "*?.jpg"])),
                5 if !has_id => {
                    has_id = true;
                    text.push_str(rng.pick(&["{id}", "{yyyy}", "x{id}", "{id}?"]));
                }
                6 => text.push_str(rng.pick(&ENDS)),
                _ => text.push_str(rng.pick(&WORDS)),
            }
        }
        made.extend(KeyPattern::parse(&text));
    }
    made
}

fn anywhere(rng: &mut Rng, select: &mut Select) {
    if select.prefix.is_some() && rng.chance(70) {
        let prefixes = ["i", "in", "in/", "inbound/", "4711/", "in/4711/", "é", "é/", "a", "in/b/日", "2"];
        select.prefix = Some(rng.pick(&prefixes).to_owned());
    }
    if select.key.is_some() || rng.chance(25) {
        select.key = Some(pattern(rng));
    }
}

/// One that the listing tells something of.
fn trigger(rng: &mut Rng) -> Trigger {
    let uploaded = Trigger {
        name: None,
        source: Source::Uploaded,
        format: None,
        within: None,
        outside: Outside::Undecided,
        if_missing: None,
    };
    if rng.chance(50) {
        return uploaded;
    }
    let date = |rng: &mut Rng, if_missing| {
        let side = |rng: &mut Rng| rng.pick(&[0, 1, 3600, DAY as u64, DAY as u64, 90 * DAY as u64]);
        let within = Within { before: Some(side(rng)), after: (!rng.chance(10)).then(|| side(rng)) };
        let source = if rng.chance(70) { Attribute::Metadata } else { Attribute::Tag };
        let outside =
            if within.after.is_some() && rng.chance(60) { Outside::Clamp } else { Outside::Undecided };
        let source = Source::Attribute(source(rng.pick(&DATES).to_owned()));
        Trigger { within: Some(within), outside, source, if_missing, ..uploaded.clone() }
    };
    let missing = [IfMissing::Uploaded, IfMissing::Uploaded, IfMissing::Undecided, IfMissing::Retained];
    let if_missing = Some(rng.pick(&missing));
    if rng.chance(75) {
        return date(rng, if_missing);
    }
    let term = |rng: &mut Rng| {
        let if_missing = rng.chance(50).then(|| rng.pick(&missing));
        let trigger = if rng.chance(80) { date(rng, if_missing) } else { uploaded.clone() };
        Term { trigger, plus: rng.chance(50).then(|| policies::period(rng)) }
    };
    let terms = vec![term(rng), term(rng)];
    let source = match rng.below(4) {
        0 => Source::Earliest(terms),
        1 => Source::Latest(terms),
        _ => Source::First(terms),
    };
    Trigger { source, if_missing, ..uploaded }
}

/// That two tenants are told apart who are told apart by nothing but the key.
#[test]
fn the_tenants_of_the_random_keys_are_those_of_the_policies() {
    assert!(TENANTS.iter().filter(|tenant| WORDS.contains(tenant)).count() >= 3);
}
