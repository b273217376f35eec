//! What must hold of `decide` for any case.

use shelflife::decide::{self, Decision, Needs, Step, Verdict};
use shelflife::object::{Lock, Observed, Reading};
use shelflife::policy::{Attribute, By, Policy, Source, Trigger, Within};

use crate::cases::{self, ALL_SEEN, Case, STRANGERS, Sight, Sights, TENANTS};
use crate::dates::{DAY, Sec};
use crate::reference::{self, Answer, Thing};
use crate::rng::Rng;

/// What `decide` says of `thing`, seen so far.
fn decided(case: &Case, thing: &Thing, sights: Sights) -> Step {
    fn reading<T>(sight: Sight, value: T) -> Reading<T> {
        match sight {
            Sight::Seen => Reading::Known(value),
            Sight::Unread => Reading::Unread,
            Sight::Unknown(why) => Reading::Unknown(why),
        }
    }
    let observed = Observed {
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
        size: 1,
        etag: None,
        storage_class: None,
        metadata: reading(sights.metadata, &thing.metadata),
        tags: reading(sights.tags, &thing.tags),
        lock: reading(sights.lock, thing.lock),
    };
    decide::decide(&case.policy, &case.records, &observed, cases::instant(case.now))
}

/// All that is asserted; the error says what is broken.
pub fn check(case: &Case) -> Result<(), String> {
    full_knowledge_gives_the_naive_answer(case, &case.thing)?;
    order_changes_nothing(case)?;
    partial_knowledge_answers_for_every_completion(case)?;
    reading_what_is_asked_for_leads_to_a_decision(case)?;
    nothing_is_asked_where_no_answer_depends_on_it(case)
}

fn naive(case: &Case, thing: &Thing) -> Answer {
    reference::answer(&case.policy, &case.records, thing, case.now)
}

fn full_knowledge_gives_the_naive_answer(case: &Case, thing: &Thing) -> Result<(), String> {
    let expected = naive(case, thing);
    match decided(case, thing, ALL_SEEN) {
        Step::Needs(needs) => Err(format!("everything is seen, and yet it asks for {needs:?}")),
        Step::Decided(decision) => {
            let due = decision.due.map(reference::seconds);
            if (decision.verdict.word(), due) != (expected.verdict, expected.due) {
                return Err(format!(
                    "{thing:#?}\ndecided {decision:?}\nbut the naive answer is {expected:?}"
                ));
            }
            if decision.reasons.is_empty() {
                return Err(format!("no reason for {decision:?}"));
            }
            Ok(())
        }
    }
}

fn is_expired(step: &Step) -> bool {
    matches!(step, Step::Decided(Decision { verdict: Verdict::Expired, .. }))
}

fn partial_knowledge_answers_for_every_completion(case: &Case) -> Result<(), String> {
    let step = decided(case, &case.thing, case.sights);
    let Step::Decided(decision) = &step else { return Ok(()) };
    if decision.reasons.is_empty() {
        return Err(format!("no reason for {decision:?}"));
    }
    let due = decision.due.map(reference::seconds);
    let mut rng = Rng(case.seed ^ 0xC0);
    for completion in completions(case, case.sights) {
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
            Verdict::Expired => {}
            Verdict::Undecided => {
                // What is out of reach stays so; reading the rest must not have settled it.
                let reached = decided(case, &completion, after_reading_all(case.sights));
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
        if rng.chance(3) {
            full_knowledge_gives_the_naive_answer(case, &completion)?;
            if is_expired(&step) && !is_expired(&decided(case, &completion, after_reading_all(case.sights))) {
                return Err(format!("more knowledge brought it back: {}", told()));
            }
        }
    }
    Ok(())
}

fn after_reading_all(sights: Sights) -> Sights {
    let read = |sight| if sight == Sight::Unread { Sight::Seen } else { sight };
    Sights { metadata: read(sights.metadata), tags: read(sights.tags), lock: read(sights.lock) }
}

fn reading_what_is_asked_for_leads_to_a_decision(case: &Case) -> Result<(), String> {
    let mut sights = case.sights;
    for _ in 0..=3 {
        match decided(case, &case.thing, sights) {
            Step::Decided(decision) => {
                let expired = decision.verdict == Verdict::Expired;
                let everything = decided(case, &case.thing, after_reading_all(sights));
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
fn nothing_is_asked_where_no_answer_depends_on_it(case: &Case) -> Result<(), String> {
    let [rule] = case.policy.rules.as_slice() else { return Ok(()) };
    let leaf = matches!(&rule.trigger.source, Source::Attribute(_));
    let plain = leaf && case.policy.tenant.is_empty();
    let only_unread = |sight| !matches!(sight, Sight::Unknown(_));
    let readable = only_unread(case.sights.metadata) && only_unread(case.sights.tags);
    let Step::Needs(needs) = decided(case, &case.thing, case.sights) else { return Ok(()) };
    if !plain || !readable || needs.lock || case.sights.lock != Sight::Seen {
        return Ok(());
    }
    let answers: Vec<bool> = completions(case, case.sights)
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

/// Objects as this one could turn out to be, the true one first.
fn completions(case: &Case, sights: Sights) -> Vec<Thing> {
    let mut rng = Rng(case.seed ^ 0xBEEF);
    let mut slots: Vec<(bool, String, Vec<Option<String>>)> = Vec::new();
    for (is_metadata, sight) in [(true, sights.metadata), (false, sights.tags)] {
        if sight != Sight::Seen {
            let named = named(&case.policy, is_metadata);
            slots.extend(named.into_iter().map(|name| {
                let texts = texts(case, is_metadata, &name);
                (is_metadata, name, texts)
            }));
        }
    }
    let locks = [
        Lock::default(),
        Lock { legal_hold: false, retain_until: Some(cases::instant(case.now - 1)) },
        Lock { legal_hold: false, retain_until: Some(cases::instant(case.now + DAY)) },
        Lock { legal_hold: true, retain_until: None },
    ];
    let mut found = vec![case.thing.clone()];
    let put = |thing: &mut Thing, slot: &(bool, String, Vec<Option<String>>), text: &Option<String>| {
        let all = if slot.0 { &mut thing.metadata } else { &mut thing.tags };
        match text {
            Some(text) => drop(all.insert(slot.1.clone(), text.clone())),
            None => drop(all.remove(&slot.1)),
        }
    };
    let mut vary = |rng: &mut Rng, fixed: Option<(usize, &Option<String>)>| {
        let mut thing = case.thing.clone();
        let keep_true = rng.chance(30);
        for (place, slot) in slots.iter().enumerate() {
            match fixed {
                Some((at, text)) if at == place => put(&mut thing, slot, text),
                _ if keep_true => {}
                _ => put(&mut thing, slot, &rng.pick(&slot.2)),
            }
        }
        if sights.lock != Sight::Seen {
            thing.lock = if rng.chance(70) { Lock::default() } else { rng.pick(&locks) };
        }
        found.push(thing);
    };
    for (place, slot) in slots.iter().enumerate() {
        for text in &slot.2 {
            vary(&mut rng, Some((place, text)));
        }
    }
    let more = if slots.is_empty() { 4 } else { 12 };
    for _ in 0..more {
        vary(&mut rng, None);
    }
    if sights.lock != Sight::Seen {
        found.extend(locks.iter().map(|lock| Thing { lock: *lock, ..case.thing.clone() }));
    }
    found
}

/// The names of metadata, or of tags, that the policy looks at.
fn named(policy: &Policy, is_metadata: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |attribute: &Attribute| match attribute {
        Attribute::Metadata(name) if is_metadata => found.push(name.clone()),
        Attribute::Tag(name) if !is_metadata => found.push(name.clone()),
        _ => {}
    };
    policy.tenant.iter().for_each(&mut note);
    for table in &policy.tables {
        if let By::Attribute(attribute) = &table.by {
            note(attribute);
        }
    }
    for leaf in policy.rules.iter().flat_map(|rule| leaves(&rule.trigger)) {
        if let Source::Attribute(attribute) = &leaf.source {
            note(attribute);
        }
    }
    found.sort();
    found.dedup();
    found
}

fn leaves(trigger: &Trigger) -> Vec<&Trigger> {
    match &trigger.source {
        Source::Earliest(terms) => terms.iter().flat_map(|term| leaves(&term.trigger)).collect(),
        _ => vec![trigger],
    }
}

/// Texts that could stand under a name, telling ones for each of its uses.
fn texts(case: &Case, is_metadata: bool, name: &str) -> Vec<Option<String>> {
    let mut found = vec![None];
    let is = |attribute: &Attribute| match attribute {
        Attribute::Metadata(known) => is_metadata && known == name,
        Attribute::Tag(known) => !is_metadata && known == name,
        Attribute::Key(_) => false,
    };
    if case.policy.tenant.iter().any(is) {
        found.extend(TENANTS.iter().chain(&STRANGERS).map(|name| Some((*name).to_owned())));
    }
    if case.policy.tables.iter().any(|table| matches!(&table.by, By::Attribute(by) if is(by))) {
        found.extend(["c-1", "c-2", "c-9", "4711"].map(|id| Some(id.to_owned())));
    }
    for leaf in case.policy.rules.iter().flat_map(|rule| leaves(&rule.trigger)) {
        if matches!(&leaf.source, Source::Attribute(attribute) if is(attribute)) {
            found.extend(cases::telling_dates(case, leaf.within).into_iter().map(Some));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn order_changes_nothing(case: &Case) -> Result<(), String> {
    let mut rng = Rng(case.seed ^ 0x0D);
    let mut other = case.clone();
    let policy = &mut other.policy;
    let mut places: Vec<usize> = (0..policy.rules.len()).collect();
    rng.shuffle(&mut places);
    policy.rules = places.iter().map(|place| case.policy.rules[*place].clone()).collect();
    for o in &mut policy.overrides {
        o.rule = places.iter().position(|place| *place == o.rule).expect("a permutation");
        o.tenants.reverse();
    }
    rng.shuffle(&mut policy.overrides);
    rng.shuffle(&mut policy.holds);
    for select in
        policy.rules.iter_mut().map(|r| &mut r.select).chain(policy.holds.iter_mut().map(|h| &mut h.select))
    {
        select.buckets.reverse();
        if let Some(tenants) = &mut select.tenants {
            tenants.reverse();
        }
    }
    for rule in &mut policy.rules {
        reverse_terms(&mut rule.trigger);
    }
    let told = |step: Step| -> (Option<(Verdict, Option<Sec>)>, Option<Needs>) {
        match step {
            Step::Decided(decision) => (Some((decision.verdict, decision.due.map(reference::seconds))), None),
            Step::Needs(needs) => (None, Some(needs)),
        }
    };
    for sights in [ALL_SEEN, case.sights] {
        let (one, two) =
            (told(decided(case, &case.thing, sights)), told(decided(&other, &case.thing, sights)));
        if one != two {
            return Err(format!("order matters: {one:?}, {two:?}"));
        }
    }
    Ok(())
}

fn reverse_terms(trigger: &mut Trigger) {
    if let Source::Earliest(terms) = &mut trigger.source {
        terms.reverse();
        terms.iter_mut().for_each(|term| reverse_terms(&mut term.trigger));
    }
}
