//! The promise, carried out: random policies are compiled, the sandbox runs what was compiled day by day over
//! random objects, and a naive walk through the calendar says when each of them may and must go.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use shelflife::calendar::Period;
use shelflife::lifecycle::{LifecycleTerms, Surroundings, Target, compile, merge};
use shelflife::object::{BucketFacts, Versioning};
use shelflife::policy::{
    Attribute, Enforce, Guards, IfMissing, Noncurrent, Outside, Policy, Rule, Select, Source, Trigger, Within,
};
use shelflife::sandbox::{
    self, BucketOptions, EntryKind, ExactMidnight, LifecycleAction, LifecycleEvent, PutOptions, Sandbox,
    SandboxOptions,
};

const BUCKET: &str = "media";
const POLICIES: u64 = 400;

/// SplitMix64: the same cases on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn small(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(bound.into())).unwrap()
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A second of a day; often midnight or beside it.
    fn second(&mut self) -> i64 {
        match self.below(6) {
            0 => 0,
            1 => 1,
            2 => 86_399,
            3 => i64::from(self.small(24)) * 3_600,
            _ => i64::from(self.small(86_400)),
        }
    }
}

// --- The calendar, by walking ---

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn first_midnight_from(at: DateTime<Utc>) -> DateTime<Utc> {
    let today = midnight(at.date_naive());
    if today == at { today } else { midnight(at.date_naive().succ_opt().unwrap()) }
}

fn walk(day: NaiveDate, period: Period) -> NaiveDate {
    let (mut year, mut month) = (day.year(), day.month());
    for _ in 0..period.months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let mut number = day.day();
    let mut day = loop {
        match NaiveDate::from_ymd_opt(year, month, number) {
            Some(day) => break day,
            None => number -= 1,
        }
    };
    for _ in 0..period.days {
        day = day.succ_opt().unwrap();
    }
    day
}

fn local_day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The first and the last moment, in quarters of an hour, at which the local day can be said to have ended.
fn ends_of(day: NaiveDate, zone: Tz) -> [DateTime<Utc>; 2] {
    let moments = || (0..400).map(|n| midnight(day) - Duration::hours(26) + Duration::minutes(15 * n));
    let first = moments().find(|at| local_day(*at, zone) > day).unwrap();
    let local_midnight = day.succ_opt().unwrap().and_time(NaiveTime::MIN);
    let last = moments().rfind(|at| at.with_timezone(&zone).naive_local() == local_midnight);
    [first, last.unwrap_or(first).max(first)]
}

fn due_of_instant(at: DateTime<Utc>, period: Period) -> DateTime<Utc> {
    first_midnight_from(walk(at.date_naive(), period).and_time(at.time()).and_utc())
}

// --- Random policies and objects ---

struct Case {
    policy: Policy,
    versioned: bool,
    start: DateTime<Utc>,
    scenes: Vec<Scene>,
}

/// Something that is stored under way.
struct Scene {
    at: DateTime<Utc>,
    key: String,
    what: What,
}

enum What {
    Upload,
    Object(Said),
}

/// What an object says of its date of communication.
#[derive(Clone, Copy, Debug)]
enum Said {
    Nothing,
    Garbage,
    Outside(DateTime<Utc>),
    Instant(DateTime<Utc>),
    Day(NaiveDate),
}

impl Said {
    fn text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Garbage => Some("yesterday".to_owned()),
            Self::Outside(at) | Self::Instant(at) => Some(at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Self::Day(day) => Some(day.to_string()),
        }
    }
}

fn seconds(n: u64) -> Duration {
    Duration::seconds(i64::try_from(n).unwrap())
}

fn period(dice: &mut Dice) -> Period {
    match dice.below(5) {
        0 | 1 => Period::days(1 + dice.small(120)),
        2 => Period::months(1 + dice.small(11)),
        3 => Period::months(12 * (1 + dice.small(2))),
        _ => Period { months: dice.small(7), days: 1 + dice.small(40) },
    }
}

fn trigger(dice: &mut Dice) -> Trigger {
    let plain = Trigger {
        name: None,
        format: None,
        source: Source::Uploaded,
        within: None,
        outside: Outside::Undecided,
        if_missing: None,
    };
    if dice.one_in(4) {
        return plain;
    }
    const HOUR: u64 = 3_600;
    let before = dice.pick(&[0, HOUR, 24 * HOUR, 36 * HOUR + 61]);
    let after = dice.pick(&[0, 1, HOUR, 24 * HOUR]);
    Trigger {
        name: Some("communication-date".to_owned()),
        format: None,
        source: Source::Attribute(Attribute::Metadata("communication-date".to_owned())),
        within: Some(Within { before: Some(before), after: Some(after) }),
        // Now and then a form that S3 must not get.
        outside: if dice.one_in(12) { Outside::Undecided } else { Outside::Clamp },
        if_missing: (!dice.one_in(12)).then_some(IfMissing::Uploaded),
    }
}

fn case(seed: u64) -> Case {
    let mut dice = Dice(seed);
    let zones = [
        chrono_tz::UTC,
        chrono_tz::Europe::Zagreb,
        chrono_tz::America::New_York,
        chrono_tz::Pacific::Kiritimati,
        chrono_tz::Asia::Kathmandu,
        chrono_tz::America::Havana,
        chrono_tz::Atlantic::Azores,
        chrono_tz::Etc::GMTPlus12,
    ];
    let zone = dice.pick(&zones);
    let versioned = dice.one_in(2);
    let rule = Rule {
        id: "rule".to_owned(),
        data: None,
        select: Select { prefix: Some("in/".to_owned()), ..Select::default() },
        trigger: trigger(&mut dice),
        retain: period(&mut dice),
        enforce: Enforce::Auto,
        noncurrent: versioned
            .then(|| Noncurrent { retain: Period::days(1 + dice.small(20)), newer_versions: 0 }),
        incomplete_uploads: dice.one_in(2).then(|| Period::days(1 + dice.small(14))),
        transitions: Vec::new(),
        export: None,
        undo_window: None,
        evidence_per_object: false,
        guards: Guards::default(),
    };
    let tolerance_days = dice.pick(&[2, 4, 8, 30, 40]);
    let start = midnight(NaiveDate::from_ymd_opt(2027, 1, 1).unwrap() + Duration::days(dice.second() % 500));
    let window = rule.trigger.within.map(|within| (within.before.unwrap(), within.after.unwrap()));
    let mut scenes = Vec::new();
    for number in 0..20 + dice.below(20) {
        let at = start + Duration::days(i64::from(dice.small(40))) + Duration::seconds(dice.second());
        // In a bucket with versions some keys are written again.
        let name = if versioned { number % 15 } else { number };
        let upload = dice.one_in(6);
        let said = said(&mut dice, at, window, zone);
        let what = if upload { What::Upload } else { What::Object(said) };
        scenes.push(Scene { at, key: format!("in/{name}"), what });
    }
    scenes.sort_by_key(|scene| scene.at);
    let policy = Policy {
        name: "acme".to_owned(),
        timezone: zone,
        account: None,
        tenant: Vec::new(),
        tables: Vec::new(),
        rules: vec![rule],
        overrides: Vec::new(),
        holds: Vec::new(),
        guards: Guards::default(),
        tolerance_days,
        evidence_retain: None,
        digest: String::new(),
        erasures: Vec::new(),
        holds_digest: String::new(),
    };
    Case { policy, versioned, start, scenes }
}

fn said(dice: &mut Dice, at: DateTime<Utc>, window: Option<(u64, u64)>, zone: Tz) -> Said {
    let Some((before, after)) = window else { return Said::Nothing };
    let offset = match dice.below(3) {
        0 => 0,
        1 => before + after,
        _ => dice.below(before + after + 1),
    };
    let moment = at - seconds(before) + seconds(offset);
    match dice.below(8) {
        0 => Said::Nothing,
        1 => Said::Garbage,
        2 => Said::Outside(at - seconds(before) - Duration::days(40)),
        3 => Said::Outside(at + seconds(after) + Duration::days(40)),
        4 | 5 => Said::Instant(moment),
        _ => Said::Day(local_day(moment, zone)),
    }
}

// --- What must become of each ---

/// The earliest and the latest day that the notice can be read to name.
fn due(case: &Case, at: DateTime<Utc>, said: Said) -> [DateTime<Utc>; 2] {
    let rule = &case.policy.rules[0];
    let instant = |at| [due_of_instant(at, rule.retain); 2];
    let after = rule.trigger.within.and_then(|within| within.after).unwrap_or(0);
    match said {
        Said::Nothing => instant(at),
        Said::Garbage | Said::Outside(_) => instant(at + seconds(after)),
        Said::Instant(said) => instant(said),
        Said::Day(day) => ends_of(walk(day, rule.retain), case.policy.timezone).map(first_midnight_from),
    }
}

/// When something may go at the earliest and at the latest, and what it is, for messages.
struct Bounds {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    note: String,
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: from {} until {}", self.note, self.from, self.until)
    }
}

/// What went wrong in one run.
#[derive(Debug, Default)]
struct Faults {
    early: Vec<String>,
    late: Vec<String>,
}

/// All `<…Days>` of a configuration, one day shorter.
fn one_day_short(xml: &str) -> String {
    let mut shorter = String::new();
    let mut rest = xml;
    while let Some(at) = rest.find("Days>").or_else(|| rest.find("Initiation>")) {
        let end = at + rest[at..].find('>').unwrap() + 1;
        shorter.push_str(&rest[..end]);
        rest = &rest[end..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        if let Ok(days) = rest[..digits].parse::<u32>() {
            shorter.push_str(&(days - 1).max(1).to_string());
            rest = &rest[digits..];
        }
    }
    shorter + rest
}

fn compiled(case: &Case) -> Option<(LifecycleTerms, String)> {
    let versioning = if case.versioned { Versioning::Enabled } else { Versioning::Never };
    let bucket = BucketFacts { name: BUCKET.to_owned(), versioning, mfa_delete: false, object_lock: false };
    let compiled = compile(&case.policy, &bucket, &Surroundings::default(), case.start);
    let terms = compiled.lifecycle(0)?;
    let Target::Put(document) = merge(None, "acme", &compiled.rules).unwrap().after else {
        panic!("rules and nothing to put")
    };
    Some((terms, document.to_xml()))
}

/// Runs a case to its end in a sandbox of its own.
async fn run(case: &Case, terms: LifecycleTerms, xml: &str, exact_midnight: ExactMidnight) -> Faults {
    let options = SandboxOptions { exact_midnight, ..SandboxOptions::at(case.start) };
    let sandbox = Sandbox::start(options).await.unwrap();
    let versioning = if case.versioned { sandbox::Versioning::Enabled } else { sandbox::Versioning::Never };
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named(BUCKET) }).unwrap();
    sandbox.put_lifecycle(BUCKET, xml).unwrap();

    let rule = &case.policy.rules[0];
    let late = Duration::days(terms.lateness_days.into());
    let mut bounds: BTreeMap<(String, String), Bounds> = BTreeMap::new();
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Faults::default();
    for scene in &case.scenes {
        for event in sandbox.advance_to(scene.at).unwrap() {
            check(&event, &mut bounds, &mut latest, &mut faults);
        }
        let note = |said: &dyn std::fmt::Debug| format!("{} of {}, {said:?}", scene.key, scene.at);
        match &scene.what {
            What::Upload => {
                let id = sandbox.start_upload(BUCKET, &scene.key, Default::default(), None).unwrap();
                if let Some(period) = rule.incomplete_uploads {
                    let due = due_of_instant(scene.at, period);
                    let note = note(&"an upload");
                    bounds.insert((scene.key.clone(), id), Bounds { from: due, until: due + late, note });
                }
            }
            What::Object(said) => {
                let options = said
                    .text()
                    .into_iter()
                    .fold(PutOptions::size(1), |options, text| options.metadata("communication-date", &text));
                sandbox.put_object(BUCKET, &scene.key, options).unwrap();
                let entries = sandbox.list_everything(BUCKET).unwrap();
                let written = entries.into_iter().find(|it| it.key == scene.key && it.is_latest).unwrap();
                let [first, last] = due(case, scene.at, *said);
                let bound = Bounds { from: last, until: first + late, note: note(said) };
                bounds.insert((scene.key.clone(), written.id.clone()), bound);
                // What was written over is due by its successor, and by that alone.
                let older = latest.insert(scene.key.clone(), written.id);
                if let (Some(older), Some(noncurrent)) = (older, rule.noncurrent) {
                    let due = due_of_instant(scene.at, noncurrent.retain);
                    let superseded = bounds.get_mut(&(scene.key.clone(), older)).unwrap();
                    (superseded.from, superseded.until) = (due, due + late);
                }
            }
        }
    }
    let end = bounds.values().map(|bound| bound.until).chain([sandbox.now()]).max().unwrap();
    for event in sandbox.advance_to(end + Duration::days(3)).unwrap() {
        check(&event, &mut bounds, &mut latest, &mut faults);
    }
    faults.late.extend(bounds.values().map(|bound| format!("never went: {bound}")));
    let forgotten = sandbox.list_everything(BUCKET).unwrap().into_iter();
    let kept_for_ever = |kind| kind == EntryKind::Upload && rule.incomplete_uploads.is_none();
    faults
        .late
        .extend(forgotten.filter(|it| !kept_for_ever(it.kind)).map(|it| format!("left at the end: {it:?}")));
    faults
}

fn check(
    event: &LifecycleEvent,
    bounds: &mut BTreeMap<(String, String), Bounds>,
    latest: &mut BTreeMap<String, String>,
    faults: &mut Faults,
) {
    let name = (event.key.clone(), event.version_id.clone());
    let hidden = event.action == LifecycleAction::Hidden;
    if event.action == LifecycleAction::MarkerRemoved {
        return;
    }
    if latest.get(&event.key) == Some(&event.version_id) {
        latest.remove(&event.key);
    }
    // S3's own marker, when something was written on top of it.
    let Some(bound) = bounds.get(&name) else { return };
    if event.at < bound.from {
        faults.early.push(format!("{:?} at {}: {bound}", event.action, event.at));
    }
    if event.at > bound.until {
        faults.late.push(format!("{:?} at {}: {bound}", event.action, event.at));
    }
    if !hidden {
        bounds.remove(&name);
    }
}

const BOTH: [ExactMidnight; 2] = [ExactMidnight::Same, ExactMidnight::Next];

#[tokio::test]
async fn what_s3_runs_for_us_is_never_early_and_never_later_than_its_bound() {
    let (mut plain, mut versioned, mut direct) = (0, 0, 0);
    for seed in 0..POLICIES {
        let case = case(seed);
        let Some((terms, xml)) = compiled(&case) else {
            direct += 1;
            continue;
        };
        assert!(terms.lateness_days <= case.policy.tolerance_days);
        *if case.versioned { &mut versioned } else { &mut plain } += 1;
        for exact in BOTH {
            let faults = run(&case, terms, &xml, exact).await;
            assert!(
                faults.early.is_empty() && faults.late.is_empty(),
                "seed {seed}, {exact:?}, {terms:?}, {:#?}: {faults:#?}",
                case.policy.rules[0]
            );
        }
    }
    assert!(plain >= 40 && versioned >= 30 && direct >= 10, "{plain} {versioned} {direct}");
}

#[tokio::test]
async fn a_configuration_that_is_one_day_short_would_be_noticed() {
    let (mut cases, mut noticed) = (0, 0);
    for seed in 0..POLICIES / 4 {
        let case = case(seed);
        let Some((terms, xml)) = compiled(&case) else { continue };
        let shorter = one_day_short(&xml);
        assert_ne!(shorter, xml);
        let faults = run(&case, terms, &shorter, ExactMidnight::Same).await;
        cases += 1;
        noticed += usize::from(!faults.early.is_empty());
    }
    // Months that are shorter than the longest forgive a day.
    assert!(noticed * 2 > cases, "{noticed} of {cases}");
}
