//! Holds what S3 does to what was promised.

use chrono::{DateTime, Utc};
use shelflife::lifecycle::{
    Compiled, DirectReason, LifecycleDocument, Listing, Surroundings, Target, compile_without, merge,
    validate,
};
use shelflife::object::{Kind, Versioning};
use shelflife::policy::Enforce;

use crate::cases::Case;
use crate::dates::{DAY, Sec, midnight};
use crate::reference::{self, Answer, Thing};
use crate::s3::{self, Done};

/// What the cases of a run were worth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    given: u64,
    split: u64,
    filtered: u64,
    removed: u64,
    late: u64,
}

impl Told {
    pub fn and(self, other: &Self) -> Self {
        Self {
            given: self.given + other.given,
            split: self.split + other.split,
            filtered: self.filtered + other.filtered,
            removed: self.removed + other.removed,
            late: self.late + other.late,
        }
    }

    /// Many cases must have come to something, or nothing was tried.
    pub fn is_worth_something(&self, cases: u64) {
        let Self { given, split, filtered, removed, late } = *self;
        assert!(given * 8 > cases, "{self:?}");
        assert!(split * 50 > cases && filtered * 50 > cases, "{self:?}");
        assert!(removed * 10 > cases && late * 10 > cases, "{self:?}");
    }
}

/// All that is asserted of one case; the error says what is broken.
pub fn check(case: &Case, waived: &dyn Fn(&DirectReason) -> bool, told: &mut Told) -> Result<(), String> {
    let compiled = compiled(case, waived);
    let Target::Put(document) =
        merge(None, &case.policy.name, &compiled.rules).expect("no other rules").after
    else {
        return Ok(());
    };
    validate(&document).map_err(|faults| format!("S3 would refuse it: {faults:?}"))?;
    // As it comes back from the store.
    let document = LifecycleDocument::read(&document.to_xml()).map_err(|error| error.to_string())?;
    told.given += 1;
    told.split += u64::from(compiled.claims.len() > case.policy.rules.len());
    let has_tags = |rule: &shelflife::lifecycle::DocumentRule| !rule.view().filter.tags.is_empty();
    told.filtered += u64::from(document.rules().iter().any(has_tags));
    for thing in &case.things {
        let done = s3::does(&document, &case.facts, thing, case.now);
        never_early(case, &document, thing, &done, told).map_err(|why| explained(&why, &document, thing))?;
        not_later_than_the_bound(case, &compiled, thing, &done, told)
            .map_err(|why| explained(&why, &document, thing))?;
    }
    Ok(())
}

fn explained(why: &str, document: &LifecycleDocument, thing: &Thing) -> String {
    let rules: Vec<String> = document.rules().iter().map(|rule| rule.view().to_string()).collect();
    format!("{why}\n{thing:#?}\n{rules:#?}")
}

/// With the directories that are there, found as a run finds them.
pub fn compiled(case: &Case, waived: &dyn Fn(&DirectReason) -> bool) -> Compiled {
    let mut around = Surroundings::NOTHING;
    loop {
        let compiled = compile_without(&case.policy, &case.facts, &around, instant(case.now), waived);
        let open: Vec<String> = compiled.unlisted.iter().cloned().collect();
        if open.is_empty() || !case.is_listed {
            return compiled;
        }
        for start in open {
            let below = case.directories.iter().filter_map(|directory| {
                let rest = directory.strip_prefix(start.as_str())?;
                let end = rest.find('/')?;
                Some(format!("{start}{}", &rest[..=end]))
            });
            let below = Listing::Whole(below.collect());
            around.directories.insert(start, below);
        }
    }
}

pub fn instant(at: Sec) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).expect("a date")
}

fn answer(case: &Case, thing: &Thing, now: Sec) -> Answer {
    reference::answer(&case.policy, &case.records, thing, now)
}

/// Whatever S3 removes or hides was due then, and was for S3 to remove.
fn never_early(
    case: &Case,
    document: &LifecycleDocument,
    thing: &Thing,
    done: &[Done],
    told: &mut Told,
) -> Result<(), String> {
    for what in done {
        let (Done::Removed(early, _) | Done::Hidden(early, _)) = what;
        // S3 acts at once on what is there when a rule is written.
        let at = (*early).max(case.now).max(thing.uploaded);
        // A lone marker is due at once; the midnight that everything is rounded to is the same day.
        let at = if thing.kind == Kind::Marker && thing.alone { midnight(at) } else { at };
        let hidden = done.iter().find_map(|what| match what {
            Done::Hidden(early, _) => Some((*early).max(thing.uploaded)),
            Done::Removed(..) => None,
        });
        let mut then = thing.clone();
        if matches!(what, Done::Removed(..)) && then.kind == Kind::Version && then.superseded.is_none() {
            // By then S3's own marker stands on top of it.
            then.superseded = hidden;
        }
        let told_of = answer(case, &then, at);
        if told_of.verdict != "expired" {
            return Err(format!("early: {what:?} at {}, and it is {told_of:?}", instant(at)));
        }
        let own = told_of.rules.iter().map(|rule| &case.policy.rules[*rule]);
        let mine = |rule: &&shelflife::policy::Rule| {
            rule.enforce == Enforce::Direct
                || rule.export.is_some()
                || rule.undo_window.is_some()
                || rule.evidence_per_object
        };
        if let Some(rule) = own.clone().find(mine) {
            return Err(format!("{what:?}, and `{}` is for Shelflife to carry out", rule.id));
        }
        if own.clone().all(|rule| rule.enforce == Enforce::Observe) {
            return Err(format!("{what:?}, and it is only observed"));
        }
        told.removed += 1;
        if let Done::Hidden(..) = what
            && let Some(hidden) = hidden
        {
            nothing_is_left(case, document, thing, hidden)?;
        }
    }
    Ok(())
}

/// The marker that S3 puts on top goes too, by S3 or by Shelflife.
fn nothing_is_left(
    case: &Case,
    document: &LifecycleDocument,
    thing: &Thing,
    hidden: Sec,
) -> Result<(), String> {
    let marker = Thing {
        kind: Kind::Marker,
        uploaded: hidden,
        superseded: None,
        alone: true,
        size: None,
        metadata: Default::default(),
        tags: Default::default(),
        lock: Default::default(),
        ..thing.clone()
    };
    let by_s3 = s3::does(document, &case.facts, &marker, case.now);
    let later = answer(case, &marker, hidden + 3000 * DAY);
    if by_s3.is_empty() && later.verdict == "undecided" {
        return Err("its delete marker stays for ever".to_owned());
    }
    Ok(())
}

/// Whatever a run would leave to S3 goes by the bound, and within the tolerance.
fn not_later_than_the_bound(
    case: &Case,
    compiled: &Compiled,
    thing: &Thing,
    done: &[Done],
    told: &mut Told,
) -> Result<(), String> {
    let now = answer(case, thing, case.now);
    if !matches!(now.verdict, "retained" | "expired") || now.by_erasure {
        return Ok(());
    }
    let Some(due) = due_at_the_latest(case, thing, &now) else { return Ok(()) };
    let enforced: Vec<usize> = now
        .rules
        .iter()
        .copied()
        .filter(|rule| case.policy.rules[*rule].enforce != Enforce::Observe)
        .collect();
    if enforced.is_empty() {
        return Ok(());
    }
    let claims = compiled.claims_on(&thing.key, &enforced).filter(|claim| match thing.kind {
        Kind::Upload => claim.terms.abort_days.is_some(),
        Kind::Marker => claim.removes_markers,
        Kind::Object | Kind::Version => true,
    });
    let Some(bound) = claims.map(|claim| claim.terms.lateness_days).max() else { return Ok(()) };
    if bound > case.policy.tolerance_days {
        return Err(format!("a bound of {bound} days is more than is tolerated"));
    }
    let gone = done.iter().find_map(|what| match what {
        Done::Removed(_, late) => Some(*late),
        Done::Hidden(..) => None,
    });
    let Some(gone) = gone else {
        return Err(format!("left to S3, which never removes it; due {}", instant(due)));
    };
    if gone > due + Sec::from(bound) * DAY && case.facts.versioning != Versioning::Suspended {
        return Err(format!("late: due {}, gone {}, bound {bound}", instant(due), instant(gone)));
    }
    told.late += 1;
    Ok(())
}

/// When it is due as the policy stands now, erasures aside.
fn due_at_the_latest(case: &Case, thing: &Thing, now: &Answer) -> Option<Sec> {
    if case.policy.erasures.is_empty() {
        return now.due;
    }
    let mut without = case.policy.clone();
    without.erasures.clear();
    reference::answer(&without, &case.records, thing, case.now).due
}
