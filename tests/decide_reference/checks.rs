//! What must hold of `decide` for any case.

use shelflife::decide::{self, Decision, Needs, Step, Verdict};
use shelflife::object::{Kind, Observed, Reading};
use shelflife::policy::{Enforce, Policy, RecordCondition, Select, Source, Within};
use shelflife::records::Records;

use crate::cases::{self, ALL_SEEN, Case, Sight, Sights};
use crate::completions::{TURNS, completions};
use crate::dates::Sec;
use crate::facts;
use crate::policies;
use crate::reference::{self, Answer, Thing};
use crate::rng::Rng;

/// A case with its records as the crate under test has them.
pub struct Tried<'c> {
    pub case: &'c Case,
    pub records: Records,
}

impl<'c> Tried<'c> {
    pub fn new(case: &'c Case) -> Self {
        Self { case, records: facts::records(&case.facts) }
    }
}

/// What `decide` says of `thing`, seen so far.
pub fn decided(tried: &Tried<'_>, thing: &Thing, sights: Sights) -> Step {
    let case = tried.case;
    decide::decide(&case.policy, &tried.records, &observed(thing, sights), cases::instant(case.now))
}

/// `thing` as it is seen so far.
pub fn observed(thing: &Thing, sights: Sights) -> Observed<'_> {
    fn reading<T>(sight: Sight, value: T) -> Reading<T> {
        match sight {
            Sight::Seen => Reading::Known(value),
            Sight::Unread => Reading::Unread,
            Sight::Unknown(why) => Reading::Unknown(why),
        }
    }
    Observed {
        bucket: &thing.bucket,
        key: &thing.key,
        kind: thing.kind,
        version_id: None,
        upload_id: None,
        is_latest: thing.superseded.is_none(),
        uploaded: cases::instant(thing.uploaded),
        superseded: thing.superseded.map(cases::instant),
        newer_noncurrent: thing.newer_noncurrent,
        alone: thing.alone,
        size: thing.size.filter(|_| has_size(thing.kind)).unwrap_or(0),
        etag: None,
        storage_class: None,
        metadata: reading(sights.metadata, &thing.metadata),
        content_type: reading(sights.metadata, &thing.content_type),
        tags: reading(sights.tags, &thing.tags),
        lock: reading(sights.lock, thing.lock),
    }
}

/// Whether a listing tells the size.
pub const fn has_size(kind: Kind) -> bool {
    matches!(kind, Kind::Object | Kind::Version)
}

/// All that is asserted; the error says what is broken.
pub fn check(case: &Case) -> Result<(), String> {
    let tried = &Tried::new(case);
    full_knowledge_gives_the_naive_answer(tried, &case.thing)?;
    order_changes_nothing(tried)?;
    partial_knowledge_answers_for_every_completion(tried)?;
    reading_what_is_asked_for_leads_to_a_decision(tried)?;
    nothing_is_asked_where_no_answer_depends_on_it(tried)?;
    records_that_tell_more_bring_nothing_back(tried)
}

pub fn naive(case: &Case, thing: &Thing) -> Answer {
    reference::answer(&case.policy, &case.facts, thing, case.now)
}

fn full_knowledge_gives_the_naive_answer(tried: &Tried<'_>, thing: &Thing) -> Result<(), String> {
    let expected = naive(tried.case, thing);
    match decided(tried, thing, ALL_SEEN) {
        Step::Needs(needs) => Err(format!("everything is seen, and yet it asks for {needs:?}")),
        Step::Decided(decision) => {
            let due = decision.due.map(reference::seconds);
            let differs =
                || Err(format!("{thing:#?}\ndecided {decision:?}\nbut the naive answer is {expected:?}"));
            if (decision.verdict.word(), due) != (expected.verdict, expected.due) {
                return differs();
            }
            if decision.reasons.is_empty() {
                return Err(format!("no reason for {decision:?}"));
            }
            if decision.verdict == Verdict::Expired {
                let mut rules = decision.rules.clone();
                rules.sort_unstable();
                if rules != expected.rules || decision.erasure.is_some() != expected.by_erasure {
                    return differs();
                }
            }
            Ok(())
        }
    }
}

/// Whether anybody removes what is covered by these rules, and is expired.
fn acts(policy: &Policy, rules: &[usize]) -> bool {
    rules.is_empty() || rules.iter().any(|rule| policy.rules[*rule].enforce != Enforce::Observe)
}

fn is_expired(step: &Step) -> bool {
    matches!(step, Step::Decided(Decision { verdict: Verdict::Expired, .. }))
}

fn partial_knowledge_answers_for_every_completion(tried: &Tried<'_>) -> Result<(), String> {
    let case = tried.case;
    let step = decided(tried, &case.thing, case.sights);
    let Step::Decided(decision) = &step else { return Ok(()) };
    if decision.reasons.is_empty() {
        return Err(format!("no reason for {decision:?}"));
    }
    let due = decision.due.map(reference::seconds);
    let is_removed = decision.verdict == Verdict::Expired && acts(&case.policy, &decision.rules);
    let mut rng = Rng(case.seed ^ 0xC0);
    for completion in completions(case, case.sights, TURNS) {
        let expected = naive(case, &completion);
        let expired = expected.verdict == "expired";
        let told = || {
            let sights = case.sights;
            format!(
                "with {completion:#?}\nthe naive answer is {expected:?}, but {sights:?} knew {decision:?}"
            )
        };
        match decision.verdict {
            Verdict::Expired if !expired => return Err(format!("too early: {}", told())),
            Verdict::Expired if is_removed && !acts(&case.policy, &expected.rules) => {
                return Err(format!("removed, and only observed: {}", told()));
            }
            Verdict::Expired => {}
            Verdict::Undecided => {
                // What is out of reach stays so; reading the rest must not have settled it.
                let reached = decided(tried, &completion, after_reading_all(case.sights));
                if is_expired(&reached) {
                    return Err(format!("settled too soon: {}, and reading on {reached:?}", told()));
                }
            }
            _ if expired => return Err(format!("kept without need: {}", told())),
            _ => {}
        }
        if decision.verdict != Verdict::Undecided
            && let (Some(due), Some(full)) = (due, expected.due)
            && full > due
        {
            return Err(format!("too early a due date: {}", told()));
        }
        if rng.chance(5) {
            let known =
                Thing { size: completion.size.filter(|_| has_size(completion.kind)), ..completion.clone() };
            full_knowledge_gives_the_naive_answer(tried, &known)?;
            for sights in more_seen(case.sights) {
                let more = decided(tried, &completion, sights);
                if is_expired(&step) && !is_expired(&more) {
                    return Err(format!("{sights:?} brought it back: {}, then {more:?}", told()));
                }
            }
        }
    }
    Ok(())
}

/// Every way to see more of it, what could not be read among it.
fn more_seen(sights: Sights) -> Vec<Sights> {
    let seen = |sight, is: bool| if is { Sight::Seen } else { sight };
    let ways = (0..4).map(|n| (n & 1 != 0, n & 2 != 0));
    ways.map(|(metadata, tags)| Sights {
        metadata: seen(sights.metadata, metadata),
        tags: seen(sights.tags, tags),
        lock: sights.lock,
    })
    .collect()
}

/// Files that come to be there, rows that come to be known: what is expired without them still is.
fn records_that_tell_more_bring_nothing_back(tried: &Tried<'_>) -> Result<(), String> {
    let case = tried.case;
    if case.facts.is_empty() {
        return Ok(());
    }
    let mut rng = Rng(case.seed ^ 0x7E11);
    for _ in 0..2 {
        let mut less = case.facts.clone();
        for facts in &mut less {
            match rng.below(3) {
                0 => facts.unusable = true,
                1 => facts.rows.retain(|_, _| rng.chance(50)),
                _ => {
                    let rows = facts.rows.values_mut();
                    rows.filter(|_| rng.chance(50)).for_each(|row| *row = None);
                }
            }
        }
        let before = Tried { case, records: facts::records(&less) };
        for sights in [case.sights, ALL_SEEN] {
            let (step, more) = (decided(&before, &case.thing, sights), decided(tried, &case.thing, sights));
            if is_expired(&step) && !is_expired(&more) {
                return Err(format!("with {less:#?}\n{sights:?} {step:?}, and with more {more:?}"));
            }
        }
    }
    Ok(())
}

fn after_reading_all(sights: Sights) -> Sights {
    let read = |sight| if sight == Sight::Unread { Sight::Seen } else { sight };
    Sights { metadata: read(sights.metadata), tags: read(sights.tags), lock: read(sights.lock) }
}

fn reading_what_is_asked_for_leads_to_a_decision(tried: &Tried<'_>) -> Result<(), String> {
    let case = tried.case;
    let mut sights = case.sights;
    for _ in 0..=3 {
        match decided(tried, &case.thing, sights) {
            Step::Decided(decision) => {
                let expired = decision.verdict == Verdict::Expired;
                let everything = decided(tried, &case.thing, after_reading_all(sights));
                if expired != is_expired(&everything) {
                    return Err(format!("{sights:?} gave {decision:?}, reading on {everything:?}"));
                }
                return Ok(());
            }
            Step::Needs(needs) => {
                if needs.is_none() {
                    return Err("it asks for nothing".to_owned());
                }
                if needs.lock && (needs.head || needs.tags) {
                    return Err(format!("the lock is for last, not {needs:?}"));
                }
                for (asked, sight) in [
                    (needs.head, &mut sights.metadata),
                    (needs.tags, &mut sights.tags),
                    (needs.lock, &mut sights.lock),
                ] {
                    if asked && *sight != Sight::Unread {
                        return Err(format!("it asks for what was read: {needs:?}"));
                    }
                    if asked {
                        *sight = Sight::Seen;
                    }
                }
            }
        }
    }
    Err(format!("no decision after three rounds, {sights:?}"))
}

/// One rule with one date, and nothing else that is unseen: then whatever is asked for matters.
fn nothing_is_asked_where_no_answer_depends_on_it(tried: &Tried<'_>) -> Result<(), String> {
    let case = tried.case;
    let policy = &case.policy;
    let [rule] = policy.rules.as_slice() else { return Ok(()) };
    let leaf = matches!(&rule.trigger.source, Source::Attribute(_));
    let records = policy.overrides.iter().any(|o| o.condition.is_some());
    let selecting = policies::selects(policy).any(Select::needs_reading);
    let plain = leaf && policy.tenant.is_empty() && policy.erasures.is_empty() && !records && !selecting;
    let only_unread = |sight| !matches!(sight, Sight::Unknown(_));
    let readable = only_unread(case.sights.metadata) && only_unread(case.sights.tags);
    if !plain || !readable || case.sights.lock != Sight::Seen {
        return Ok(());
    }
    let Step::Needs(needs) = decided(tried, &case.thing, case.sights) else { return Ok(()) };
    let answers: Vec<bool> = completions(case, case.sights, usize::MAX)
        .iter()
        .map(|completion| naive(case, completion).verdict == "expired")
        .collect();
    if answers.iter().all(|expired| *expired) || !answers.contains(&true) && bounded(rule.trigger.within) {
        return Err(format!("it asks for {needs:?}, and the answer is always the same"));
    }
    Ok(())
}

/// Whether every date that could turn the answer is among those that are tried.
fn bounded(within: Option<Within>) -> bool {
    within.is_some_and(|within| within.before.is_some())
}

fn order_changes_nothing(tried: &Tried<'_>) -> Result<(), String> {
    let case = tried.case;
    let mut rng = Rng(case.seed ^ 0x0D);
    let mut other = case.clone();
    let policy = &mut other.policy;
    let mut places: Vec<usize> = (0..policy.rules.len()).collect();
    rng.shuffle(&mut places);
    policy.rules = places.iter().map(|place| case.policy.rules[*place].clone()).collect();
    for o in &mut policy.overrides {
        o.rule = places.iter().position(|place| *place == o.rule).expect("a permutation");
        o.tenants.iter_mut().for_each(|tenants| tenants.reverse());
        if let Some(RecordCondition { is, .. }) = &mut o.condition {
            is.reverse();
        }
    }
    rng.shuffle(&mut policy.overrides);
    rng.shuffle(&mut policy.erasures);
    rng.shuffle(&mut policy.holds);
    policies::selects_mut(policy).for_each(turn_around);
    policies::each_trigger(policy, &|trigger| {
        if let Source::Earliest(terms) | Source::Latest(terms) = &mut trigger.source {
            terms.reverse();
        }
    });
    let other = &Tried { case: &other, records: tried.records.clone() };
    type Told = (Option<(Verdict, Option<Sec>, bool)>, Option<Needs>);
    let told = |step: Step| -> Told {
        match step {
            Step::Decided(decision) => {
                let due = decision.due.map(reference::seconds);
                (Some((decision.verdict, due, decision.erasure.is_some())), None)
            }
            Step::Needs(needs) => (None, Some(needs)),
        }
    };
    for sights in [ALL_SEEN, case.sights] {
        let (one, two) =
            (told(decided(tried, &case.thing, sights)), told(decided(other, &case.thing, sights)));
        if one != two {
            return Err(format!("order matters: {one:?}, {two:?}"));
        }
    }
    Ok(())
}

fn turn_around(select: &mut Select) {
    select.buckets.reverse();
    select.tenants.iter_mut().for_each(|tenants| tenants.reverse());
    select.media.iter_mut().chain(&mut select.content_type).for_each(|ranges| ranges.reverse());
    for conditions in [&mut select.tags, &mut select.metadata] {
        conditions.reverse();
        conditions.iter_mut().for_each(|condition| condition.values.reverse());
    }
    select.except.reverse();
    select.except.iter_mut().for_each(turn_around);
}
